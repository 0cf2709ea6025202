//! What the rendered pods and objects refer to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rendered, Switches, rendered};
use crate::render::checkpoint_agent;

#[test]
fn assets_are_objects_that_can_be_applied() {
    let rendered = rendered();
    let mut seen = BTreeSet::new();
    for path in rendered.below("installer/assets") {
        if path.is_dir() {
            continue;
        }
        let object: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("{path:?}: {value}"))
                .to_owned()
        };
        let identity = (
            text(&object["apiVersion"]),
            text(&object["kind"]),
            text(&object["metadata"]["name"]),
        );
        assert!(seen.insert(identity), "{path:?} is there twice");
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        if container.is_object() {
            assert_eq!(container["imagePullPolicy"], "IfNotPresent", "{path:?}");
        }
    }
    for name in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ] {
        let daemon_set = rendered.json(&format!(
            "installer/assets/40-control-plane/daemonset-{name}.json"
        ));
        let spec = &daemon_set["spec"]["template"]["spec"];
        assert_eq!(
            spec["containers"][0]["ports"],
            Value::Null,
            "a declared port is a claim on the host's"
        );
        assert_eq!(spec["hostNetwork"], true);
        let accounts = rendered.json(&format!(
            "installer/assets/10-rbac/serviceaccount-{name}.json"
        ));
        assert_eq!(spec["serviceAccountName"], accounts["metadata"]["name"]);
    }
}

#[test]
fn static_pods_need_no_api() {
    let rendered = rendered();
    let mut manifests = rendered.below("installer/bootstrap-manifests");
    for node in ["cp-1", "cp-2", "cp-3"] {
        manifests.push(
            rendered
                .0
                .path()
                .join(format!("nodes/{node}/etc/kubernetes/manifests/etcd.yaml")),
        );
    }
    assert_eq!(manifests.len(), 6);
    for path in manifests {
        let pod: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let text = pod.to_string();
        for reference in [
            "secretName",
            "configMap",
            "serviceAccountName",
            "fieldRef",
            "nodeSelector",
            "\"ports\"",
            "$(",
        ] {
            assert!(!text.contains(reference), "{path:?} contains {reference}");
        }
        let label = pod["metadata"]["labels"]["k8s-app"].as_str().unwrap();
        assert!(
            label.starts_with("bootstrap-") || label == "etcd",
            "{path:?} bears the label {label}"
        );
    }
}

#[test]
fn instances_of_both_incarnations_use_different_ports() {
    let rendered = rendered();
    let port = |pod: &Value| {
        let command = pod["containers"][0]["command"].as_array().unwrap();
        let flag = command
            .iter()
            .find_map(|word| word.as_str().unwrap().strip_prefix("--secure-port="));
        let port: u16 = flag.unwrap().parse().unwrap();
        assert_eq!(
            pod["containers"][0]["readinessProbe"]["httpGet"]["port"], port,
            "a probe asks elsewhere"
        );
        port
    };
    let mut ports = BTreeSet::new();
    for name in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ] {
        let bootstrap = rendered.json(&format!(
            "installer/bootstrap-manifests/bootstrap-{name}.yaml"
        ));
        let daemon_set = rendered.json(&format!(
            "installer/assets/40-control-plane/daemonset-{name}.json"
        ));
        ports.insert(port(&bootstrap["spec"]));
        ports.insert(port(&daemon_set["spec"]["template"]["spec"]));
    }
    assert_eq!(
        ports,
        BTreeSet::from([6443, 6444, 10257, 10357, 10259, 10359])
    );
}

#[test]
fn the_switch_asks_for_a_label_that_no_node_has() {
    let switches = Switches::parse(["apiserver-node-selector=chrysalis/nowhere"]).unwrap();
    let selector = |rendered: &Rendered, name: &str| {
        let path = format!("installer/assets/40-control-plane/daemonset-{name}.json");
        rendered.json(&path)["spec"]["template"]["spec"]["nodeSelector"].clone()
    };
    let (good, bad) = (rendered(), Rendered::new(&switches));
    assert_eq!(
        selector(&good, "kube-apiserver").as_object().unwrap().len(),
        1
    );
    assert_eq!(
        selector(&bad, "kube-apiserver")["chrysalis/nowhere"],
        "no-node-carries-this"
    );
    assert_eq!(
        selector(&bad, "kube-scheduler"),
        selector(&good, "kube-scheduler")
    );
}

#[test]
fn the_agents_own_copy_needs_no_api_and_is_nobodys_pod() {
    let rendered = rendered();
    let daemon_set =
        rendered.json("installer/assets/40-control-plane/daemonset-checkpoint-agent.json");
    let copy = checkpoint_agent::static_pod("cp-2");
    let text = copy.to_string();
    for reference in [
        "serviceAccountName",
        "fieldRef",
        "nodeSelector",
        "tolerations",
        "priorityClassName",
        "$(",
    ] {
        assert!(!text.contains(reference), "{reference} in {text}");
    }
    assert!(text.contains("--node=cp-2"), "{text}");
    assert_ne!(
        copy["metadata"]["labels"]["k8s-app"],
        daemon_set["spec"]["selector"]["matchLabels"]["k8s-app"]
    );
    let command = |spec: &Value| spec["containers"][0]["command"].to_string();
    let own = command(&copy["spec"]).replace("cp-2", "$(NODE_NAME)");
    assert_eq!(own, command(&daemon_set["spec"]["template"]["spec"]));
    for node in ["cp-1", "cp-3"] {
        let directory = format!("nodes/{node}/etc/kubernetes/checkpoint-agent");
        let kubeconfig = rendered.text(&format!("{directory}/kubeconfig"));
        assert!(kubeconfig.contains(&format!("chrysalis:checkpoint-agent:{node}")));
        assert_eq!(
            rendered.json(&format!("{directory}/plan.json"))["policy"],
            "modern"
        );
    }
}

#[test]
fn a_policy_without_checkpoints_has_no_agent() {
    let directory = tempfile::tempdir().unwrap();
    super::render(
        &super::cluster(),
        directory.path(),
        &Switches::default(),
        None,
    )
    .unwrap();
    for path in super::Rendered(directory).below("") {
        assert!(
            !path.to_string_lossy().contains("checkpoint-agent"),
            "{path:?}"
        );
    }
}
