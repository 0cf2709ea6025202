//! What `selfhost render` made for the installer, read once at the start.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use pivot::AssetGroup;
use serde_json::Value;
use sha2::{Digest, Sha256};
use terms::Component;

use crate::cluster_file::{ClusterFile, ClusterFileError, Role};
use crate::durable_file::{self, FileError};
use crate::https::{HttpsClient, IdentityError};
use crate::layout::Layout;

/// Port of self-hosted apiservers, and of the load balancer.
pub(crate) const SELF_HOSTED_PORT: u16 = 6443;
/// Port of the bootstrap apiserver.
pub(crate) const BOOTSTRAP_PORT: u16 = 6444;
/// Port of etcd's clients.
pub(crate) const ETCD_PORT: u16 = 2379;

/// A node: its name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Name of the Node object.
    pub(crate) name: String,
    /// Its address.
    pub(crate) address: Ipv4Addr,
}

impl Machine {
    /// A port of the node.
    pub(crate) fn port(&self, port: u16) -> SocketAddr {
        SocketAddr::from((self.address, port))
    }
}

/// The assets, with the credentials already in memory: the files are destroyed at the end.
pub(crate) struct Assets {
    /// The cluster's identity: SHA-256 of its authority's certificate, in hexadecimal.
    pub(crate) cluster_id: String,
    /// All nodes, those of the control plane first; a node's index is its place here.
    pub(crate) machines: Vec<Machine>,
    /// How many of them belong to the control plane.
    pub(crate) control_planes: usize,
    /// The load balancer's address.
    pub(crate) load_balancer: Ipv4Addr,
    /// Connection settings through the load balancer.
    pub(crate) through_load_balancer: kube::Config,
    /// Connection settings for the bootstrap apiserver.
    pub(crate) direct: kube::Config,
    /// Single requests to apiservers.
    pub(crate) apiservers: HttpsClient,
    /// Single requests to etcd.
    pub(crate) etcd: HttpsClient,
    directory: PathBuf,
}

/// The assets cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssetsError {
    /// The cluster's description is wrong.
    #[error("the assets' cluster.json cannot be used; render them anew")]
    Cluster(#[from] ClusterFileError),
    /// A file cannot be read.
    #[error("the assets cannot be read")]
    File(#[from] FileError),
    /// A file is missing.
    #[error("the assets have no {0}; give the directory that `selfhost render` made with --assets")]
    Missing(PathBuf),
    /// A kubeconfig is wrong.
    #[error("{path} cannot be used; render the assets anew")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A certificate or key is wrong.
    #[error("the assets' credentials cannot be used")]
    Identity(#[from] IdentityError),
    /// An object is not JSON.
    #[error("{path} is not a Kubernetes object in JSON; render the assets anew")]
    Object {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        source: serde_json::Error,
    },
}

impl Assets {
    /// Reads everything that is needed to reach the cluster.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub(crate) async fn load(directory: &Path) -> Result<Self, AssetsError> {
        let cluster = ClusterFile::read(&directory.join("cluster.json"))?;
        let (through_load_balancer, apiservers) = connect(&directory.join("kubeconfig")).await?;
        let (direct, _) = connect(&directory.join("kubeconfig-bootstrap")).await?;
        let etcd = HttpsClient::new(
            &required(&directory.join("etcd/ca.crt"))?,
            &required(&directory.join("etcd/client.crt"))?,
            &required(&directory.join("etcd/client.key"))?,
        )?;
        let authority = through_load_balancer.root_cert.iter().flatten().next();
        let authority = authority.ok_or_else(|| AssetsError::Kubeconfig {
            path: directory.join("kubeconfig"),
            source: "it names no certificate authority".into(),
        })?;
        let mut machines: Vec<_> = cluster.control_plane().map(machine).collect();
        let control_planes = machines.len();
        machines.extend(
            cluster
                .nodes
                .iter()
                .filter(|node| node.role == Role::Worker)
                .map(machine),
        );
        Ok(Self {
            cluster_id: hexadecimal(&Sha256::digest(authority)),
            machines,
            control_planes,
            load_balancer: cluster.load_balancer,
            through_load_balancer,
            direct,
            apiservers,
            etcd,
            directory: directory.to_owned(),
        })
    }

    /// The node that bootstraps: the first one of the control plane.
    pub(crate) fn bootstrap_machine(&self) -> &Machine {
        &self.machines[0]
    }

    /// The nodes of the control plane.
    pub(crate) fn control_plane(&self) -> &[Machine] {
        &self.machines[..self.control_planes]
    }

    /// The index of the node with this name.
    pub(crate) fn index_of(&self, name: &str) -> Option<u8> {
        let index = self
            .machines
            .iter()
            .position(|machine| machine.name == name)?;
        u8::try_from(index).ok().filter(|index| *index < 16)
    }

    /// The objects of a group, in the order of their files' names.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub(crate) fn objects(&self, group: AssetGroup) -> Result<Vec<Value>, AssetsError> {
        let directory = self.directory.join("assets").join(group_directory(group));
        let mut paths = Vec::new();
        let listed = std::fs::read_dir(&directory);
        for entry in listed.map_err(|_| AssetsError::Missing(directory.clone()))? {
            let path = entry.map_err(FileError::when("list", &directory))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                paths.push(path);
            }
        }
        paths.sort();
        paths
            .into_iter()
            .map(|path| {
                let content = required(&path)?;
                serde_json::from_slice(&content)
                    .map_err(|source| AssetsError::Object { path, source })
            })
            .collect()
    }
}

/// A component's bootstrap manifest among the assets: its name and content.
///
/// # Errors
/// Names the file that is missing or cannot be read.
pub(crate) fn bootstrap_manifest(
    layout: &Layout,
    component: Component,
) -> Result<(String, Vec<u8>), AssetsError> {
    let directory = layout.assets.join("bootstrap-manifests");
    let stem = Layout::manifest_stem(component);
    for extension in ["yaml", "json"] {
        let name = format!("{stem}.{extension}");
        if let Some(content) = durable_file::read_if_present(&directory.join(&name))? {
            return Ok((name, content));
        }
    }
    Err(AssetsError::Missing(directory.join(stem)))
}

/// Bytes in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A node as somebody asks it.
pub(crate) fn machine(node: &crate::cluster_file::Node) -> Machine {
    Machine {
        name: node.name.clone(),
        address: node.address,
    }
}

fn group_directory(group: AssetGroup) -> &'static str {
    match group {
        AssetGroup::Namespaces => "00-namespaces",
        AssetGroup::Rbac => "10-rbac",
        AssetGroup::Configuration => "20-configuration",
        AssetGroup::Network => "30-network",
        AssetGroup::ControlPlane => "40-control-plane",
        AssetGroup::Dns => "50-dns",
    }
}

fn required(path: &Path) -> Result<Vec<u8>, AssetsError> {
    durable_file::read_if_present(path)?.ok_or_else(|| AssetsError::Missing(path.to_owned()))
}

/// The connection settings of a kubeconfig with embedded credentials, for kube and for single requests.
async fn connect(path: &Path) -> Result<(kube::Config, HttpsClient), AssetsError> {
    type Cause = Box<dyn std::error::Error + Send + Sync>;
    let wrong = |source: Cause| AssetsError::Kubeconfig {
        path: path.to_owned(),
        source,
    };
    let text = String::from_utf8(required(path)?).map_err(|error| wrong(error.into()))?;
    let kubeconfig = Kubeconfig::from_yaml(&text).map_err(|error| wrong(error.into()))?;
    // The key is behind a wrapper in kube's type, so the embedded data is read from the text.
    let tree: Value = serde_saphyr::from_str(&text).map_err(|error| wrong(error.into()))?;
    let decode = |pointer: &str| {
        let data = tree.pointer(pointer).and_then(Value::as_str);
        let data = data.ok_or_else(|| wrong(format!("it embeds nothing at {pointer}").into()))?;
        BASE64_STANDARD
            .decode(data)
            .map_err(|error| wrong(error.into()))
    };
    let client = HttpsClient::new(
        &decode("/clusters/0/cluster/certificate-authority-data")?,
        &decode("/users/0/user/client-certificate-data")?,
        &decode("/users/0/user/client-key-data")?,
    )?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| wrong(error.into()))?;
    Ok((config, client))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cluster_file::tests::THREE_AND_ONE;
    use crate::escrow::Escrow;
    use crate::render::{Switches, render};

    /// The assets of a recovery on `cp-1`, out of a fresh escrow.
    pub(crate) async fn assets(directory: &Path) -> Assets {
        let rendered = tempfile::tempdir().unwrap();
        let cluster = serde_json::from_str(THREE_AND_ONE).unwrap();
        render(&cluster, rendered.path(), &Switches::default(), None).unwrap();
        let escrow = Escrow::open(&rendered.path().join("escrow")).unwrap();
        escrow.unpack("cp-1", &[], directory).unwrap();
        Assets::load(directory).await.unwrap()
    }
}
