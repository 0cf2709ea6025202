//! Tasks on the node's own files: secrets and manifests come, are stashed, and come back.

use std::path::PathBuf;

use pivot::Why;
use terms::Component;

use super::{Answer, chain};
use crate::assets::bootstrap_manifest;
use crate::durable_file::{self, FileError};
use crate::layout::Layout;

/// Puts the bootstrap secrets where the manifests expect them, from the assets or from the stash.
pub(super) fn stage_secrets(layout: &Layout) -> Answer {
    let assets = layout.assets.join("bootstrap-secrets");
    let source = if assets.is_dir() {
        assets
    } else {
        layout.stashed_secrets()
    };
    if !source.is_dir() {
        let detail = format!(
            "neither the assets nor the stash hold bootstrap secrets: {}",
            source.display()
        );
        return Answer::failed(Why::Disk, detail);
    }
    durable_file::copy_tree(&source, &layout.secrets).into()
}

/// Moves the bootstrap secrets into the stash.
pub(super) fn stash_secrets(layout: &Layout) -> Answer {
    let moved = || -> Result<(), FileError> {
        if layout.secrets.is_dir() {
            durable_file::private_directory(&layout.stash)?;
            durable_file::copy_tree(&layout.secrets, &layout.stashed_secrets())?;
        }
        remove_secrets(layout)
    };
    moved().into()
}

/// Deletes the bootstrap secrets, with no way back.
pub(super) fn delete_secrets(layout: &Layout) -> Answer {
    remove_secrets(layout).into()
}

fn remove_secrets(layout: &Layout) -> Result<(), FileError> {
    durable_file::remove_tree_if_present(&layout.secrets)?;
    let parent = layout
        .secrets
        .parent()
        .expect("the secrets lie below the node's root");
    durable_file::sync_directory(parent)
}

/// Puts a component's bootstrap manifest into the kubelet's directory in one go.
pub(super) fn place_manifest(layout: &Layout, component: Component) -> Answer {
    let found = match manifest(layout, component) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let Manifest { name, content } = found;
    let placed = || -> Result<(), FileError> {
        durable_file::private_directory(&layout.staging)?;
        std::fs::create_dir_all(&layout.manifests)
            .map_err(FileError::when("create the directory", &layout.manifests))?;
        durable_file::place(&layout.staging, &layout.manifests, &name, &content)?;
        durable_file::remove_if_present(&layout.stash.join(&name))
    };
    match present(layout, &name) {
        Ok(None) => placed().into(),
        Ok(Some(there)) if there == content => Answer::done(),
        Ok(Some(_)) => foreign(layout, &name),
        Err(error) => Err(error).into(),
    }
}

/// Moves a component's bootstrap manifest out of the kubelet's directory into the stash: first a
/// synced copy there, then the original goes. A rename would not do, for the two may lie on
/// different file systems.
pub(super) fn stash_manifest(layout: &Layout, component: Component) -> Answer {
    let Manifest { name, content } = match manifest(layout, component) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let stashed = || -> Result<(), FileError> {
        durable_file::private_directory(&layout.stash)?;
        durable_file::place(&layout.stash, &layout.stash, &name, &content)?;
        durable_file::remove_if_present(&layout.manifests.join(&name))?;
        durable_file::sync_directory(&layout.manifests)
    };
    match present(layout, &name) {
        Ok(None) => Answer::done(),
        Ok(Some(there)) if there == content => stashed().into(),
        Ok(Some(_)) => foreign(layout, &name),
        Err(error) => Err(error).into(),
    }
}

/// Removes a component's bootstrap manifest, with no way back.
pub(super) fn delete_manifest(layout: &Layout, component: Component) -> Answer {
    let Manifest { name, .. } = match manifest(layout, component) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    durable_file::remove_if_present(&layout.manifests.join(&name))
        .and_then(|()| durable_file::sync_directory(&layout.manifests))
        .into()
}

/// Whether the kubelet's directory holds something that stands in the way: a bootstrap manifest with
/// another content, or another control plane.
pub(super) fn foreign_files(layout: &Layout) -> Option<Answer> {
    for component in Component::SELF_HOSTED {
        let Manifest { name, content } = match manifest(layout, component) {
            Ok(found) => found,
            Err(answer) => return Some(answer),
        };
        match present(layout, &name) {
            Ok(Some(there)) if there != content => return Some(foreign(layout, &name)),
            Ok(_) => {}
            Err(error) => return Some(Err(error).into()),
        }
        for name in [format!("{component}.yaml"), format!("{component}.json")] {
            if layout.manifests.join(&name).exists() {
                let detail = format!(
                    "{} belongs to another control plane; reset that node, or choose another",
                    layout.manifests.join(&name).display()
                );
                return Some(Answer::refused(Why::ForeignCluster, detail));
            }
        }
    }
    None
}

struct Manifest {
    name: String,
    content: Vec<u8>,
}

/// The manifest as it should be: from the assets, or from the stash once those are gone.
fn manifest(layout: &Layout, component: Component) -> Result<Manifest, Answer> {
    let missing = match bootstrap_manifest(layout, component) {
        Ok((name, content)) => return Ok(Manifest { name, content }),
        Err(error) => error,
    };
    for extension in ["yaml", "json"] {
        let name = format!("{}.{extension}", Layout::manifest_stem(component));
        if let Ok(Some(content)) = durable_file::read_if_present(&layout.stash.join(&name)) {
            return Ok(Manifest { name, content });
        }
    }
    Err(Answer::failed(Why::Disk, chain(&missing)))
}

fn present(layout: &Layout, name: &str) -> Result<Option<Vec<u8>>, FileError> {
    durable_file::read_if_present(&layout.manifests.join(name))
}

fn foreign(layout: &Layout, name: &str) -> Answer {
    let path: PathBuf = layout.manifests.join(name);
    let detail = format!(
        "{} is not the manifest of these assets; move it away if nobody needs it",
        path.display()
    );
    Answer::refused(Why::ForeignFile, detail)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use pivot::Outcome;

    use super::*;

    const COMPONENT: Component = Component::KubeScheduler;

    fn node(root: &Path) -> Layout {
        let layout = Layout::below(root, &root.join("assets"), &root.join("state"));
        fs::create_dir_all(layout.assets.join("bootstrap-manifests")).unwrap();
        fs::create_dir_all(layout.assets.join("bootstrap-secrets/kube-scheduler")).unwrap();
        fs::write(
            layout
                .assets
                .join("bootstrap-secrets/kube-scheduler/kubeconfig"),
            "key",
        )
        .unwrap();
        for component in Component::SELF_HOSTED {
            let name = format!("bootstrap-manifests/bootstrap-{component}.yaml");
            fs::write(layout.assets.join(name), format!("manifest of {component}")).unwrap();
        }
        fs::create_dir_all(&layout.manifests).unwrap();
        layout
    }

    fn placed(layout: &Layout) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&layout.manifests)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_manifest_comes_goes_and_returns_however_often_it_is_asked_for() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        for _ in 0..2 {
            assert_eq!(place_manifest(&layout, COMPONENT), Answer::done());
            assert_eq!(place_manifest(&layout, COMPONENT), Answer::done());
            assert_eq!(placed(&layout), ["bootstrap-kube-scheduler.yaml"]);
            assert_eq!(stash_manifest(&layout, COMPONENT), Answer::done());
            assert_eq!(stash_manifest(&layout, COMPONENT), Answer::done());
            assert!(placed(&layout).is_empty());
            assert!(layout.stash.join("bootstrap-kube-scheduler.yaml").exists());
        }
        // Without assets the stash is the only source.
        fs::remove_dir_all(&layout.assets).unwrap();
        assert_eq!(place_manifest(&layout, COMPONENT), Answer::done());
        assert_eq!(placed(&layout), ["bootstrap-kube-scheduler.yaml"]);
    }

    #[test]
    fn a_kill_between_copy_and_removal_loses_nothing() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        place_manifest(&layout, COMPONENT);
        fs::create_dir_all(&layout.stash).unwrap();
        fs::write(layout.stash.join("bootstrap-kube-scheduler.yaml"), "torn").unwrap();
        assert_eq!(stash_manifest(&layout, COMPONENT), Answer::done());
        let stashed =
            fs::read_to_string(layout.stash.join("bootstrap-kube-scheduler.yaml")).unwrap();
        assert_eq!(stashed, "manifest of kube-scheduler");
    }

    #[test]
    fn a_foreign_manifest_is_neither_replaced_nor_removed() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        let path = layout.manifests.join("bootstrap-kube-scheduler.yaml");
        fs::write(&path, "somebody else's").unwrap();
        let refused = Outcome::Refused(Why::ForeignFile);
        assert_eq!(place_manifest(&layout, COMPONENT).outcome, refused);
        assert_eq!(stash_manifest(&layout, COMPONENT).outcome, refused);
        assert_eq!(foreign_files(&layout).unwrap().outcome, refused);
        assert_eq!(fs::read_to_string(path).unwrap(), "somebody else's");
    }

    #[test]
    fn another_control_plane_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        assert_eq!(foreign_files(&layout), None);
        place_manifest(&layout, COMPONENT);
        assert_eq!(
            foreign_files(&layout),
            None,
            "our own manifests are not foreign"
        );
        fs::write(layout.manifests.join("kube-apiserver.yaml"), "static").unwrap();
        let outcome = foreign_files(&layout).unwrap().outcome;
        assert_eq!(outcome, Outcome::Refused(Why::ForeignCluster));
    }

    #[test]
    fn secrets_come_go_and_return() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        let key = layout.secrets.join("kube-scheduler/kubeconfig");
        for _ in 0..2 {
            assert_eq!(stage_secrets(&layout), Answer::done());
            assert_eq!(stage_secrets(&layout), Answer::done());
            assert_eq!(fs::read_to_string(&key).unwrap(), "key");
            assert_eq!(stash_secrets(&layout), Answer::done());
            assert_eq!(stash_secrets(&layout), Answer::done());
            assert!(!layout.secrets.exists());
        }
        fs::remove_dir_all(&layout.assets).unwrap();
        assert_eq!(stage_secrets(&layout), Answer::done());
        assert_eq!(fs::read_to_string(&key).unwrap(), "key");
        assert_eq!(delete_secrets(&layout), Answer::done());
        assert!(!layout.secrets.exists());
    }
}
