//! The file from which the container runtime learns how to connect a pod.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::links::TUNNEL_MTU;
use crate::node_map::PodRange;

const FILE_NAME: &str = "10-chrysalis.conflist";

/// The file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}; the pod must mount the node's directory there, writable", path.display())]
pub(crate) struct ConfigurationError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Writes the configuration for pods of `range`, unless it is there already.
///
/// The runtime reads the directory at every change, so the file appears all at once.
///
/// # Errors
/// If the directory may not be written.
pub(crate) fn write(directory: &Path, range: PodRange) -> Result<bool, ConfigurationError> {
    let path = directory.join(FILE_NAME);
    let content = format!("{:#}\n", configuration(range));
    if std::fs::read_to_string(&path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    // A name that the runtime passes over.
    let draft = directory.join(".10-chrysalis.draft");
    let written = std::fs::File::create(&draft)
        .and_then(|mut file| {
            file.write_all(content.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, &path));
    written.map_err(|source| ConfigurationError { path, source })?;
    Ok(true)
}

fn configuration(range: PodRange) -> Value {
    json!({
        "cniVersion": "0.4.0",
        "name": "chrysalis",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "mtu": TUNNEL_MTU,
                "ipam": {
                    "type": "host-local",
                    // Leases must not outlive the pods: both go with the node's power.
                    "dataDir": "/run/cni-ipam-state",
                    "ranges": [[{ "subnet": range.to_string() }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_once_and_names_the_range() {
        let directory =
            std::env::temp_dir().join(format!("pod-network-test-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let range = PodRange::parse("10.244.3.0/24").unwrap();
        assert!(write(&directory, range).unwrap());
        assert!(!write(&directory, range).unwrap());
        let text = std::fs::read_to_string(directory.join(FILE_NAME)).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read["plugins"][0]["ipam"]["ranges"][0][0]["subnet"],
            "10.244.3.0/24"
        );
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(write(&directory, range).is_err());
    }
}
