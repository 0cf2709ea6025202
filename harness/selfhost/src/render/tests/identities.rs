//! Who the rendered certificates speak for.

use std::collections::BTreeSet;

use base64::Engine as _;
use serde_json::Value;
use x509_parser::pem::Pem;

use super::rendered;

/// Subject and alternative names of a PEM certificate, as text.
fn describe(pem: &str) -> (String, BTreeSet<String>) {
    use x509_parser::extensions::GeneralName;
    let pem = Pem::iter_from_buffer(pem.as_bytes())
        .next()
        .unwrap()
        .unwrap();
    let certificate = pem.parse_x509().unwrap();
    let names = certificate
        .subject_alternative_name()
        .unwrap()
        .map(|extension| {
            let name = |name: &GeneralName<'_>| match name {
                GeneralName::DNSName(name) => (*name).to_owned(),
                GeneralName::IPAddress(octets) => octets
                    .iter()
                    .map(u8::to_string)
                    .collect::<Vec<_>>()
                    .join("."),
                other => panic!("unexpected name {other}"),
            };
            extension.value.general_names.iter().map(name).collect()
        });
    (certificate.subject().to_string(), names.unwrap_or_default())
}

#[test]
fn serving_certificates_say_node_and_incarnation() {
    let rendered = rendered();
    for (path, node, address, incarnation) in [
        (
            "installer/bootstrap-secrets/serving/bootstrap.crt",
            "cp-1",
            "10.231.7.11",
            "bootstrap",
        ),
        (
            "nodes/cp-1/etc/kubernetes/pki/apiserver/self-hosted.crt",
            "cp-1",
            "10.231.7.11",
            "self-hosted",
        ),
        (
            "nodes/cp-3/etc/kubernetes/pki/apiserver/self-hosted.crt",
            "cp-3",
            "10.231.7.13",
            "self-hosted",
        ),
        (
            "nodes/cp-2/etc/kubernetes/pki/apiserver/checkpoint.crt",
            "cp-2",
            "10.231.7.12",
            "checkpoint",
        ),
    ] {
        let (subject, names) = describe(&rendered.text(path));
        assert_eq!(
            subject,
            format!("O=kube-apiserver, OU={incarnation}, CN={node}")
        );
        let expected = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
            &format!("{node}.nodes.chrysalis"),
            address,
            "10.231.7.2",
            "127.0.0.1",
            "10.96.0.1",
        ];
        assert_eq!(
            names,
            expected.iter().map(|name| (*name).to_owned()).collect()
        );
    }
}

#[test]
fn each_incarnation_of_a_client_has_its_own_identity() {
    let rendered = rendered();
    let mut seen = BTreeSet::new();
    for component in ["kube-controller-manager", "kube-scheduler"] {
        let decode = |text: &Value| {
            base64::engine::general_purpose::STANDARD
                .decode(text.as_str().unwrap())
                .unwrap()
        };
        let bootstrap = rendered.text(&format!(
            "installer/bootstrap-secrets/{component}/kubeconfig"
        ));
        let secret = rendered.json(&format!(
            "installer/assets/20-configuration/secret-{component}.json"
        ));
        let self_hosted = String::from_utf8(decode(&secret["data"]["kubeconfig"])).unwrap();
        for (incarnation, kubeconfig) in [("bootstrap", bootstrap), ("self-hosted", self_hosted)] {
            let kubeconfig: Value = serde_json::from_str(&kubeconfig).unwrap();
            assert_eq!(
                kubeconfig["clusters"][0]["cluster"]["server"],
                "https://10.231.7.2:6443"
            );
            let user = &kubeconfig["users"][0]["user"];
            let certificate = String::from_utf8(decode(&user["client-certificate-data"])).unwrap();
            assert_eq!(
                describe(&certificate).0,
                format!("OU={incarnation}, CN=system:{component}")
            );
            assert!(seen.insert(certificate), "an identity is used twice");
        }
    }
}

#[test]
fn kubelets_talk_to_the_load_balancer_as_their_node() {
    let rendered = rendered();
    for node in ["cp-1", "cp-2", "cp-3", "worker-1"] {
        let kubeconfig = rendered.json(&format!("nodes/{node}/etc/kubernetes/kubelet.conf"));
        assert_eq!(
            kubeconfig["clusters"][0]["cluster"]["server"],
            "https://10.231.7.2:6443"
        );
        let data = kubeconfig["users"][0]["user"]["client-certificate-data"]
            .as_str()
            .unwrap();
        let certificate = base64::engine::general_purpose::STANDARD
            .decode(data)
            .unwrap();
        let (subject, _) = describe(std::str::from_utf8(&certificate).unwrap());
        assert_eq!(subject, format!("O=system:nodes, CN=system:node:{node}"));
        let configuration = rendered.json(&format!("nodes/{node}/var/lib/kubelet/config.yaml"));
        assert_eq!(
            configuration["registerWithTaints"].is_array(),
            node != "worker-1"
        );
        let unit = rendered.text(&format!(
            "nodes/{node}/etc/systemd/system/kubelet.service.d/20-selfhost.conf"
        ));
        assert!(
            unit.contains("ip route replace 10.96.0.0/16 dev eth0"),
            "{unit}"
        );
    }
    assert!(
        !rendered
            .0
            .path()
            .join("nodes/worker-1/etc/kubernetes/pki/etcd")
            .exists()
    );
}

#[test]
fn signing_keys_stay_off_the_nodes() {
    let rendered = rendered();
    let key = rendered.text("escrow/authorities/cluster-ca.key");
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
    for path in rendered.below("nodes") {
        if path.is_file() {
            assert!(
                !std::fs::read_to_string(&path).unwrap().contains(&key),
                "{path:?} holds the authority's key"
            );
        }
    }
}

#[test]
fn the_escrow_has_a_temporary_control_plane_for_every_control_plane_node() {
    let rendered = rendered();
    let root = rendered.0.path().join("escrow");
    for node in ["cp-1", "cp-2", "cp-3"] {
        let own = root.join("recovery").join(node);
        let manifest = own.join("bootstrap-manifests/bootstrap-kube-apiserver.yaml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let address = rendered.json("escrow/cluster.json")["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|known| known["name"] == node)
            .unwrap()["address"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(manifest.contains(&address), "{node}");
        assert!(
            own.join("bootstrap-secrets/kube-apiserver/etcd-client.key")
                .is_file()
        );
        assert!(
            root.join("nodes")
                .join(node)
                .join("etc/kubernetes/pki/etcd/peer.key")
                .is_file()
        );
    }
    assert!(!root.join("recovery/worker-1").exists());
    assert!(
        root.join("nodes/worker-1/etc/kubernetes/kubelet.conf")
            .is_file()
    );
    assert!(root.join("assets/40-control-plane").is_dir());
}
