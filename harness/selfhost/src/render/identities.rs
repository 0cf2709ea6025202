//! Who is who in the cluster: one identity for each component and incarnation.
//!
//! An incarnation stands in the organisational unit of every certificate that has one, so
//! that an observer can tell two instances on one node apart: by the serving certificate
//! at each handshake, by the client certificate in an audit log.

use terms::{Incarnation, Milliseconds};
use time::Duration;

use super::authority::{
    Authority, CERTIFICATE_VALIDITY, CertificateError, Credential, SigningKey, Subject, Usage,
};
use super::checkpoint_agent;
use super::kubeconfig::kubeconfig;
use crate::cluster_file::{ClusterFile, Node};

/// Group that may do everything; the installer and the administrators are in it.
const ADMINISTRATORS: &str = "system:masters";
/// User as which apiservers call kubelets.
pub(super) const KUBELET_CLIENT: &str = "kube-apiserver-kubelet-client";
/// User whose word apiserver extensions take for the identity of a caller.
pub(super) const FRONT_PROXY_CLIENT: &str = "front-proxy-client";

/// The authorities of one cluster, and the identities that they sign.
pub(super) struct Identities<'a> {
    cluster_file: &'a ClusterFile,
    /// Signs clients and servers of the Kubernetes API.
    pub(super) cluster: Authority,
    /// Signs members and clients of etcd, and nobody else.
    pub(super) etcd: Authority,
    /// Signs the one client that may speak for others.
    pub(super) front_proxy: Authority,
    /// Signs service-account tokens.
    pub(super) service_account: SigningKey,
    /// How long what is signed from now on lives.
    validity: Duration,
}

/// File names and contents that belong into one directory or Secret.
pub(super) type Files = Vec<(String, String)>;

impl<'a> Identities<'a> {
    /// New authorities for this cluster, whose certificates live for so long, or as usual.
    pub(super) fn new(
        cluster_file: &'a ClusterFile,
        certificates_live: Option<Milliseconds>,
    ) -> Result<Self, CertificateError> {
        let name = &cluster_file.name;
        Ok(Self {
            cluster_file,
            cluster: Authority::new(&format!("{name}-cluster"))?,
            etcd: Authority::new(&format!("{name}-etcd"))?,
            front_proxy: Authority::new(&format!("{name}-front-proxy"))?,
            service_account: SigningKey::new()?,
            validity: certificates_live
                .and_then(|live| live.to_duration().try_into().ok())
                .unwrap_or(CERTIFICATE_VALIDITY),
        })
    }

    /// The same, and what they sign from now on lives as usual.
    pub(super) fn living_as_usual(self) -> Self {
        Self {
            validity: CERTIFICATE_VALIDITY,
            ..self
        }
    }

    /// `https` address of the load balancer.
    pub(super) fn load_balancer(&self) -> String {
        format!("https://{}:6443", self.cluster_file.load_balancer)
    }

    /// Serving pair of one incarnation of one node's apiserver. The subject is
    /// `CN=<node>, OU=<incarnation>, O=kube-apiserver`.
    pub(super) fn apiserver_serving(
        &self,
        node: &Node,
        incarnation: Incarnation,
    ) -> Result<Credential, CertificateError> {
        let subject = Subject::named(&node.name)
            .of("kube-apiserver")
            .unit(incarnation.name());
        let mut names: Vec<String> = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
        ]
        .map(str::to_owned)
        .into();
        names.push(format!("{}.nodes.chrysalis", node.name));
        names.push(node.address.to_string());
        names.push(self.cluster_file.load_balancer.to_string());
        names.push("127.0.0.1".to_owned());
        names.push(self.cluster_file.service_cidr.address(1).to_string());
        self.cluster
            .sign(&subject, Usage::Server, &names, self.validity)
    }

    /// Serving pair of a node's kubelet.
    pub(super) fn kubelet_serving(&self, node: &Node) -> Result<Credential, CertificateError> {
        let subject = Subject::named(&format!("system:node:{}", node.name)).of("system:nodes");
        let names = [node.name.clone(), node.address.to_string()];
        self.cluster
            .sign(&subject, Usage::Server, &names, self.validity)
    }

    /// Kubeconfig of a node's kubelet.
    pub(super) fn kubelet_kubeconfig(&self, node: &Node) -> Result<String, CertificateError> {
        let subject = Subject::named(&format!("system:node:{}", node.name)).of("system:nodes");
        self.client_kubeconfig(&subject, &self.load_balancer())
    }

    /// Kubeconfig of a node's checkpoint agent.
    pub(super) fn checkpoint_agent_kubeconfig(
        &self,
        node: &Node,
    ) -> Result<String, CertificateError> {
        let subject = Subject::named(&checkpoint_agent::user(&node.name));
        self.client_kubeconfig(&subject.of(checkpoint_agent::GROUP), &self.load_balancer())
    }

    /// Kubeconfig of an administrator with this name, for the apiserver at `server`.
    pub(super) fn administrator_kubeconfig(
        &self,
        name: &str,
        server: &str,
    ) -> Result<String, CertificateError> {
        self.client_kubeconfig(&Subject::named(name).of(ADMINISTRATORS), server)
    }

    /// Serving or peer pair of a node's etcd member.
    pub(super) fn etcd_member(&self, node: &Node) -> Result<Credential, CertificateError> {
        let names = [
            node.name.clone(),
            "localhost".to_owned(),
            node.address.to_string(),
            "127.0.0.1".to_owned(),
        ];
        self.etcd.sign(
            &Subject::named(&node.name).of("etcd"),
            Usage::Both,
            &names,
            self.validity,
        )
    }

    /// Files with which `name` may use etcd.
    pub(super) fn etcd_client(&self, name: &str) -> Result<Files, CertificateError> {
        let client = self
            .etcd
            .sign(&Subject::named(name), Usage::Client, &[], self.validity)?;
        let mut files = vec![("ca.crt".to_owned(), self.etcd.certificate())];
        add_pair(&mut files, "client", client);
        Ok(files)
    }

    /// What an apiserver needs besides its serving pair.
    pub(super) fn apiserver_files(
        &self,
        incarnation: Incarnation,
    ) -> Result<Files, CertificateError> {
        let named = |name: &str| Subject::named(name).unit(incarnation.name());
        let etcd = self.etcd.sign(
            &named("kube-apiserver-etcd-client"),
            Usage::Client,
            &[],
            self.validity,
        )?;
        let kubelet =
            self.cluster
                .sign(&named(KUBELET_CLIENT), Usage::Client, &[], self.validity)?;
        let proxy = self.front_proxy.sign(
            &named(FRONT_PROXY_CLIENT),
            Usage::Client,
            &[],
            self.validity,
        )?;
        let mut files = vec![
            ("ca.crt".to_owned(), self.cluster.certificate()),
            (
                "service-account.key".to_owned(),
                self.service_account.private.clone(),
            ),
            (
                "service-account.pub".to_owned(),
                self.service_account.public.clone(),
            ),
            ("etcd-ca.crt".to_owned(), self.etcd.certificate()),
            (
                "front-proxy-ca.crt".to_owned(),
                self.front_proxy.certificate(),
            ),
        ];
        add_pair(&mut files, "etcd-client", etcd);
        add_pair(&mut files, "kubelet-client", kubelet);
        add_pair(&mut files, "front-proxy-client", proxy);
        Ok(files)
    }

    /// What a controller manager needs.
    pub(super) fn controller_manager_files(
        &self,
        incarnation: Incarnation,
    ) -> Result<Files, CertificateError> {
        let mut files = self.controller_files("kube-controller-manager", incarnation)?;
        files.push(("ca.key".to_owned(), self.cluster.key().to_owned()));
        files.push((
            "service-account.key".to_owned(),
            self.service_account.private.clone(),
        ));
        Ok(files)
    }

    /// What a scheduler needs.
    pub(super) fn scheduler_files(
        &self,
        incarnation: Incarnation,
    ) -> Result<Files, CertificateError> {
        self.controller_files("kube-scheduler", incarnation)
    }

    /// What it takes to sign for this cluster later, when nodes join. Never on a node.
    pub(super) fn escrow(&self) -> Files {
        vec![
            ("cluster-ca.crt".to_owned(), self.cluster.certificate()),
            ("cluster-ca.key".to_owned(), self.cluster.key().to_owned()),
            ("etcd-ca.crt".to_owned(), self.etcd.certificate()),
            ("etcd-ca.key".to_owned(), self.etcd.key().to_owned()),
            (
                "front-proxy-ca.crt".to_owned(),
                self.front_proxy.certificate(),
            ),
            (
                "front-proxy-ca.key".to_owned(),
                self.front_proxy.key().to_owned(),
            ),
            (
                "service-account.key".to_owned(),
                self.service_account.private.clone(),
            ),
        ]
    }

    fn controller_files(
        &self,
        component: &str,
        incarnation: Incarnation,
    ) -> Result<Files, CertificateError> {
        // The user decides what it may do; only the unit differs between incarnations.
        let subject = Subject::named(&format!("system:{component}")).unit(incarnation.name());
        Ok(vec![
            (
                "kubeconfig".to_owned(),
                self.client_kubeconfig(&subject, &self.load_balancer())?,
            ),
            ("ca.crt".to_owned(), self.cluster.certificate()),
            (
                "front-proxy-ca.crt".to_owned(),
                self.front_proxy.certificate(),
            ),
        ])
    }

    fn client_kubeconfig(
        &self,
        subject: &Subject,
        server: &str,
    ) -> Result<String, CertificateError> {
        let client = self
            .cluster
            .sign(subject, Usage::Client, &[], self.validity)?;
        let name = &self.cluster_file.name;
        Ok(kubeconfig(
            name,
            server,
            &self.cluster.certificate(),
            &subject.common_name,
            &client,
        ))
    }
}

/// Appends `<name>.crt` and `<name>.key`.
pub(super) fn add_pair(files: &mut Files, name: &str, credential: Credential) {
    files.push((format!("{name}.crt"), credential.certificate));
    files.push((format!("{name}.key"), credential.key));
}
