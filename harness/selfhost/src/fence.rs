//! What keeps a recovery and a checkpoint agent off the same port: the temporary control plane and a
//! checkpoint's copy listen on the same ones, and only one of them may be in the kubelet's directory.
//!
//! Whoever puts one of them there does so under one lock, and looks under it whether the other is there. The
//! lock is held for as long as that takes; what lies in the directory then speaks for itself, also after a
//! kill. The temporary control plane has precedence, because a person asked for it; the agent waits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use terms::Component;
use tokio::time::{Instant, sleep};

use crate::checkpoint::Places;
use crate::durable_file::{self, FileError};
use crate::facts::instances;
use crate::layout::Layout;
use crate::lock::{InstanceLock, LockError};

/// How long a copy may take to stop: as long as its kubelet waits for it, and some.
const STOPS_WITHIN: Duration = Duration::from_secs(45);
/// How often its process is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// Nobody else changes what is in the kubelet's directory while it lives.
#[derive(Debug)]
pub(crate) struct Fence {
    _lock: InstanceLock,
}

/// The way is not free.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FenceError {
    /// The other one is at it just now.
    #[error("somebody else is placing an instance of the control plane on this node just now")]
    Busy,
    /// The temporary control plane is there.
    #[error("{} uses the copy's port: an operator is at work on this node", .0.display())]
    Temporary(PathBuf),
    /// A copy goes on.
    #[error(
        "the copy of {0} still runs {STOPS_WITHIN:?} after its manifest was taken away; look at the kubelet"
    )]
    CopyRuns(Component),
    /// A file cannot be used.
    #[error("a file cannot be used")]
    File(#[from] FileError),
}

impl Fence {
    /// Enters, if nobody is inside.
    ///
    /// # Errors
    /// [`FenceError::Busy`] when somebody is; it does not wait.
    pub(crate) fn enter(directory: &Path) -> Result<Self, FenceError> {
        match InstanceLock::take(directory) {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(LockError::Taken(_)) => Err(FenceError::Busy),
            Err(LockError::Unusable(error)) => Err(error.into()),
        }
    }

    /// Whether an agent may activate its copy of a component: there is no manifest of a temporary one that
    /// could start. One without its secrets cannot, and must not keep the copy away for ever.
    ///
    /// # Errors
    /// [`FenceError::Temporary`] names what is there.
    pub(crate) fn may_activate(
        &self,
        places: &Places,
        component: Component,
    ) -> Result<(), FenceError> {
        if !places.temporary_secrets.is_dir() {
            return Ok(());
        }
        for extension in ["yaml", "json"] {
            let name = format!("{}.{extension}", Layout::manifest_stem(component));
            let there = places.manifests.join(name);
            if there.exists() {
                return Err(FenceError::Temporary(there));
            }
        }
        Ok(())
    }

    /// Takes a copy that is active out of the way of the temporary instance, and waits until its process
    /// has ended. Its version stays, so that the agent can start it again later.
    ///
    /// # Errors
    /// When it cannot be taken away, or does not stop.
    pub(crate) async fn supersede_copy(
        &self,
        places: &Places,
        component: Component,
    ) -> Result<(), FenceError> {
        let (active, prepared) = (places.active(component), places.prepared(component));
        if !active.exists() {
            return Ok(());
        }
        durable_file::private_directory(&places.staging)?;
        std::fs::rename(&active, &prepared).map_err(FileError::when("take out", &active))?;
        durable_file::sync_directory(&places.staging)?;
        durable_file::sync_directory(&places.manifests)?;
        eprintln!("the copy of {component} on this node gives way");
        let until = Instant::now() + STOPS_WITHIN;
        let runs = || {
            // Who cannot be listed may run.
            instances(&places.processes).is_none_or(|all| {
                all.iter()
                    .any(|one| one.component == component && !one.self_hosted)
            })
        };
        while runs() {
            if Instant::now() >= until {
                return Err(FenceError::CopyRuns(component));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COMPONENT: Component = Component::KubeApiserver;

    fn node(root: &Path) -> Places {
        let places = Places::below(root);
        for directory in [&places.manifests, &places.processes] {
            fs::create_dir_all(directory).unwrap();
        }
        places
    }

    #[test]
    fn one_at_a_time_is_inside() {
        let root = tempfile::tempdir().unwrap();
        let places = node(root.path());
        let inside = Fence::enter(&places.fence).unwrap();
        assert!(matches!(Fence::enter(&places.fence), Err(FenceError::Busy)));
        drop(inside);
        Fence::enter(&places.fence).unwrap();
    }

    #[test]
    fn a_temporary_instance_keeps_the_copy_away_while_it_can_start() {
        let root = tempfile::tempdir().unwrap();
        let places = node(root.path());
        let fence = Fence::enter(&places.fence).unwrap();
        fence.may_activate(&places, COMPONENT).unwrap();
        let manifest = places.manifests.join("bootstrap-kube-apiserver.yaml");
        fs::write(&manifest, "{}").unwrap();
        fence.may_activate(&places, COMPONENT).unwrap();
        fs::create_dir_all(&places.temporary_secrets).unwrap();
        let refused = fence.may_activate(&places, COMPONENT).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("bootstrap-kube-apiserver.yaml")
        );
        let other = Component::KubeScheduler;
        fence.may_activate(&places, other).unwrap();
    }

    #[tokio::test]
    async fn a_copy_gives_way_once_its_process_has_ended() {
        let root = tempfile::tempdir().unwrap();
        let places = node(root.path());
        let fence = Fence::enter(&places.fence).unwrap();
        fence.supersede_copy(&places, COMPONENT).await.unwrap();
        fs::write(places.active(COMPONENT), "copy").unwrap();
        let process = places.processes.join("7");
        fs::create_dir(&process).unwrap();
        fs::write(
            process.join("cmdline"),
            "kube-apiserver\0--secure-port=6444",
        )
        .unwrap();
        let ends = async {
            sleep(LOOK * 2).await;
            fs::remove_dir_all(&process).unwrap();
            Instant::now()
        };
        let gives_way = async {
            fence.supersede_copy(&places, COMPONENT).await.unwrap();
            Instant::now()
        };
        let (ended, gone) = tokio::join!(ends, gives_way);
        assert!(gone >= ended, "it was waited for");
        assert!(!places.active(COMPONENT).exists());
        assert_eq!(fs::read(places.prepared(COMPONENT)).unwrap(), b"copy");
    }
}
