//! The escrow as a recovery uses it: for one node, and without those that are lost for good.

use std::path::{Path, PathBuf};

use crate::assets::{Machine, machine};
use crate::cluster_file::{ClusterFile, ClusterFileError, Node};
use crate::durable_file::{self, FileError};

/// What `selfhost render` wrote as `escrow/`.
#[derive(Debug)]
pub(crate) struct Escrow {
    directory: PathBuf,
    cluster: ClusterFile,
}

/// The escrow cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EscrowError {
    /// It has no readable description of the cluster.
    #[error("this is no escrow; give the directory `escrow` that `selfhost render` made")]
    Cluster(#[from] ClusterFileError),
    /// A file of it cannot be copied.
    #[error("the escrow cannot be copied")]
    File(#[from] FileError),
    /// The node is none that can recover others.
    #[error("`{node}` is no control-plane node of this cluster; give one with --node: {known}")]
    NotControlPlane {
        /// What was asked for.
        node: String,
        /// What there is.
        known: String,
    },
    /// A lost node is unknown, or is the one that recovers.
    #[error("--lost {0}: the cluster has no such node beside the one that recovers")]
    Lost(String),
}

impl Escrow {
    /// Reads the description of the cluster.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn open(directory: &Path) -> Result<Self, EscrowError> {
        let cluster = ClusterFile::read(&directory.join("cluster.json"))?;
        Ok(Self {
            directory: directory.to_owned(),
            cluster,
        })
    }

    /// The cluster as it is to be recovered on `node`: that node first, as the one that runs the temporary
    /// control plane, and those that are lost left out.
    ///
    /// # Errors
    /// When `node` is not of the control plane, or a lost one is unknown.
    pub(crate) fn cluster_for(
        &self,
        node: &str,
        lost: &[String],
    ) -> Result<ClusterFile, EscrowError> {
        let names = || self.cluster.control_plane().map(|known| known.name.clone());
        let own = self.cluster.control_plane().find(|own| own.name == node);
        let own: &Node = own.ok_or_else(|| EscrowError::NotControlPlane {
            node: node.to_owned(),
            known: names().collect::<Vec<_>>().join(", "),
        })?;
        for name in lost {
            let known = self.cluster.nodes.iter().any(|known| known.name == *name);
            if !known || name == node {
                return Err(EscrowError::Lost(name.clone()));
            }
        }
        let mut nodes = vec![own.clone()];
        let stays = |known: &&Node| known.name != node && !lost.contains(&known.name);
        nodes.extend(self.cluster.nodes.iter().filter(stays).cloned());
        Ok(ClusterFile {
            nodes,
            ..self.cluster.clone()
        })
    }

    /// All control-plane nodes but this one, whether they are lost or not.
    pub(crate) fn others(&self, node: &str) -> Vec<Machine> {
        let others = self.cluster.control_plane().filter(|one| one.name != node);
        others.map(machine).collect()
    }

    /// The manifest of etcd that was rendered for a node.
    pub(crate) fn etcd_manifest(&self, node: &str) -> PathBuf {
        let tree = self.directory.join("nodes").join(node);
        tree.join("etc/kubernetes/manifests/etcd.yaml")
    }

    /// Copies into `assets` what a recovery on `node` works with; it is destroyed at the end, the escrow
    /// is not. The signing keys stay behind.
    ///
    /// # Errors
    /// As [`Self::cluster_for`], or when a file cannot be copied.
    pub(crate) fn unpack(
        &self,
        node: &str,
        lost: &[String],
        assets: &Path,
    ) -> Result<(), EscrowError> {
        let cluster = self.cluster_for(node, lost)?;
        durable_file::private_directory(assets)?;
        let own = self.directory.join("recovery").join(node);
        durable_file::copy_tree(&own, assets)?;
        for directory in ["etcd", "assets"] {
            durable_file::copy_tree(&self.directory.join(directory), &assets.join(directory))?;
        }
        let authorities = assets.join("authorities");
        durable_file::private_directory(&authorities)?;
        for (from, to) in [
            ("kubeconfig", "kubeconfig"),
            ("authorities/cluster-ca.crt", "authorities/cluster-ca.crt"),
            ("authorities/etcd-ca.crt", "authorities/etcd-ca.crt"),
        ] {
            let path = self.directory.join(from);
            let content = std::fs::read(&path).map_err(FileError::when("read", &path))?;
            self.place(assets, to, &content)?;
        }
        let description =
            serde_json::to_vec_pretty(&cluster).expect("a cluster file is plain data");
        // Last: whoever finds it finds everything.
        self.place(assets, "cluster.json", &description)
    }

    fn place(&self, assets: &Path, name: &str, content: &[u8]) -> Result<(), EscrowError> {
        let target = assets.join(name);
        let (Some(directory), Some(file)) = (target.parent(), target.file_name()) else {
            return Ok(());
        };
        let file = file.to_string_lossy();
        durable_file::place(directory, directory, &file, content)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster_file::tests::THREE_AND_ONE;

    fn escrow() -> (tempfile::TempDir, Escrow) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cluster.json"), THREE_AND_ONE).unwrap();
        let escrow = Escrow::open(directory.path()).unwrap();
        (directory, escrow)
    }

    fn names(node: &str, lost: &[&str]) -> Result<Vec<String>, EscrowError> {
        let (_directory, escrow) = escrow();
        let lost: Vec<_> = lost.iter().map(|name| (*name).to_owned()).collect();
        let cluster = escrow.cluster_for(node, &lost)?;
        assert_eq!(cluster.bootstrap_node().name, node);
        Ok(cluster.nodes.into_iter().map(|node| node.name).collect())
    }

    #[test]
    fn the_recovering_node_comes_first_and_lost_ones_are_left_out() {
        assert_eq!(
            names("cp-2", &[]).unwrap(),
            ["cp-2", "cp-1", "cp-3", "worker-1"]
        );
        assert_eq!(
            names("cp-3", &["cp-1", "worker-1"]).unwrap(),
            ["cp-3", "cp-2"]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (node, lost, said) in [
            ("worker-1", "cp-2", "cp-1, cp-2, cp-3"),
            ("cp-1", "cp-1", "--lost cp-1"),
            ("cp-1", "cp-9", "--lost cp-9"),
        ] {
            let error = names(node, &[lost]).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn signing_keys_stay_in_the_escrow() {
        let rendered = tempfile::tempdir().unwrap();
        let cluster = serde_json::from_str(THREE_AND_ONE).unwrap();
        let switches = crate::render::Switches::default();
        crate::render::render(&cluster, rendered.path(), &switches, None).unwrap();
        let escrow = Escrow::open(&rendered.path().join("escrow")).unwrap();
        let assets = rendered.path().join("working");
        for _ in 0..2 {
            escrow.unpack("cp-2", &[], &assets).unwrap();
        }
        assert!(
            assets
                .join("bootstrap-secrets/serving/bootstrap.key")
                .is_file()
        );
        assert!(assets.join("assets/40-control-plane").is_dir());
        assert!(!assets.join("authorities/cluster-ca.key").exists());
        assert!(!assets.join("nodes").exists());
    }
}
