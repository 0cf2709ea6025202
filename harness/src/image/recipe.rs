//! The directory that says what a node image is made of.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::fingerprint::{Fingerprint, Inputs};
use super::version::{WRAPPER_PREFIX, required_version};
use super::{ImageError, KubernetesMinor};

/// A recipe, and the one input that is not in it: the pod-network agent of this project.
#[derive(Clone, Debug)]
pub struct Recipe {
    directory: PathBuf,
    pod_network: PathBuf,
}

/// The repository part of the names of node images.
pub(crate) const REPOSITORY: &str = "chrysalis/node";
/// The repository part of the names of base images.
const BASE_REPOSITORY: &str = "chrysalis/node-base";

impl Recipe {
    /// The recipe of the project that the current directory, or else this program, lies in, with
    /// the pod-network binary beside this program.
    ///
    /// # Errors
    /// When there is none.
    pub fn find() -> Result<Self, ImageError> {
        let here = env::current_dir().map_err(ImageError::file("find the current directory"))?;
        let program = program_directory()?;
        let directory = here
            .ancestors()
            .chain(program.ancestors())
            .map(|above| above.join("ci/image"))
            .find(|candidate| is_recipe(candidate))
            .ok_or(ImageError::NoRecipe(here.clone()))?;
        Ok(Self {
            directory,
            pod_network: program.join("pod-network"),
        })
    }

    /// The recipe in `directory`, with the pod-network binary beside this program.
    ///
    /// # Errors
    /// When that directory is none.
    pub fn at(directory: &Path) -> Result<Self, ImageError> {
        if !is_recipe(directory) {
            return Err(ImageError::NotARecipe(directory.to_owned()));
        }
        let directory = directory
            .canonicalize()
            .map_err(ImageError::file(format!("resolve {}", directory.display())))?;
        Ok(Self {
            directory,
            pod_network: program_directory()?.join("pod-network"),
        })
    }

    /// The same recipe with another pod-network binary.
    #[must_use]
    pub fn with_pod_network(self, pod_network: PathBuf) -> Self {
        Self {
            pod_network,
            ..self
        }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The pod-network binary.
    ///
    /// # Errors
    /// When it has not been built.
    pub(crate) fn pod_network(&self) -> Result<&Path, ImageError> {
        if self.pod_network.is_file() {
            Ok(&self.pod_network)
        } else {
            Err(ImageError::NoPodNetwork(self.pod_network.clone()))
        }
    }

    /// The minor versions of Kubernetes that the recipe has wrappers for, oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn minors(&self) -> Result<Vec<KubernetesMinor>, ImageError> {
        let mut minors: Vec<_> = self
            .entries()?
            .iter()
            .filter_map(|name| KubernetesMinor::of_wrapper(name))
            .collect();
        minors.sort();
        Ok(minors)
    }

    /// The version of Kubernetes, such as `v1.34.4`, that the wrapper of a minor version pins.
    ///
    /// # Errors
    /// [`ImageError::UnknownMinor`] when there is no such wrapper.
    pub fn kubernetes(&self, minor: KubernetesMinor) -> Result<String, ImageError> {
        let known = self.minors()?;
        if !known.contains(&minor) {
            let known: Vec<_> = known.iter().map(ToString::to_string).collect();
            return Err(ImageError::UnknownMinor {
                wanted: minor.to_string(),
                known: known.join(", "),
            });
        }
        let path = self.path(&minor.wrapper()).join("go.mod");
        let text = fs::read_to_string(&path)
            .map_err(ImageError::file(format!("read {}", path.display())))?;
        required_version(&text)
            .map(str::to_owned)
            .ok_or(ImageError::NoVersion(path))
    }

    /// The hash of everything that a node image of this minor version is made from. The wrappers
    /// of other minors are not part of it: one more does not rebuild what is there.
    ///
    /// # Errors
    /// When a file cannot be read, or the minor or the pod-network binary is missing.
    pub fn fingerprint(&self, minor: KubernetesMinor) -> Result<Fingerprint, ImageError> {
        let mut inputs = Inputs::default();
        inputs.value("kubernetes", self.kubernetes(minor)?.as_bytes());
        let others = |name: &String| !name.starts_with(WRAPPER_PREFIX) || *name == minor.wrapper();
        for name in self.entries()?.iter().filter(|name| others(name)) {
            inputs
                .tree(&self.directory, name)
                .map_err(self.unreadable())?;
        }
        let pod_network = self.pod_network()?;
        inputs
            .file("pod-network", pod_network)
            .map_err(ImageError::file(format!("read {}", pod_network.display())))?;
        Ok(inputs.finish())
    }

    /// The name of the node image that this recipe makes for a minor version such as `1.34`.
    ///
    /// # Errors
    /// As [`Recipe::fingerprint`].
    pub fn reference(&self, kubernetes_minor: &str) -> Result<String, ImageError> {
        let minor = KubernetesMinor::parse(kubernetes_minor)?;
        let hash = self.fingerprint(minor)?.short();
        Ok(format!("{REPOSITORY}:{}-{hash}", self.kubernetes(minor)?))
    }

    /// The hash of the inputs of one stage: of `names`, files or directories of the recipe.
    pub(crate) fn stage(&self, names: &[&str]) -> Result<Fingerprint, ImageError> {
        let mut inputs = Inputs::default();
        for name in names {
            inputs
                .tree(&self.directory, name)
                .map_err(self.unreadable())?;
        }
        Ok(inputs.finish())
    }

    /// The name of the base image of a minor version.
    pub(crate) fn base_reference(&self, minor: KubernetesMinor) -> Result<String, ImageError> {
        let wrappers = self.wrappers(minor);
        let mut names = vec!["Dockerfile.base", "packages", "rootfs", "compile"];
        names.extend(wrappers.iter().map(String::as_str));
        let hash = self.stage(&names)?.short();
        Ok(format!(
            "{BASE_REPOSITORY}:{}-{hash}",
            self.kubernetes(minor)?
        ))
    }

    /// The Go modules whose commands go into a node, the longest to compile first.
    pub(crate) fn wrappers(&self, minor: KubernetesMinor) -> [String; 4] {
        [
            minor.wrapper(),
            "coredns".to_owned(),
            "etcd".to_owned(),
            "pause".to_owned(),
        ]
    }

    fn unreadable(&self) -> impl FnOnce(std::io::Error) -> ImageError {
        ImageError::file(format!("read the recipe in {}", self.directory.display()))
    }

    /// The names in the directory, sorted, without dot files.
    fn entries(&self) -> Result<Vec<String>, ImageError> {
        let read = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.directory)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.retain(|name| !name.starts_with('.'));
            names.sort();
            Ok(names)
        };
        read().map_err(self.unreadable())
    }
}

fn is_recipe(directory: &Path) -> bool {
    directory.join("Dockerfile.node").is_file()
}

fn program_directory() -> Result<PathBuf, ImageError> {
    let program = env::current_exe().map_err(ImageError::file("find this program's own file"))?;
    Ok(program.parent().unwrap_or(Path::new("/")).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recipe with two minors, small enough to be written by hand.
    fn recipe() -> (tempfile::TempDir, Recipe) {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("Dockerfile.node", "FROM base"),
            ("Dockerfile.base", "FROM scratch"),
            ("packages", "systemd"),
            ("rootfs", "#!/bin/bash"),
            ("compile", "#!/bin/bash"),
            ("node/entrypoint", "#!/bin/bash"),
            ("coredns/go.mod", "module coredns"),
            ("etcd/go.mod", "module etcd"),
            ("pause/go.mod", "module pause"),
            (
                "kubernetes-1.34/go.mod",
                "require k8s.io/kubernetes v1.34.4",
            ),
            (
                "kubernetes-1.35/go.mod",
                "require k8s.io/kubernetes v1.35.4",
            ),
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let agent = root.path().join(".pod-network");
        fs::write(&agent, "binary").unwrap();
        let recipe = Recipe::at(root.path()).unwrap().with_pod_network(agent);
        (root, recipe)
    }

    fn names(recipe: &Recipe, minor: &str) -> (String, String) {
        let parsed = KubernetesMinor::parse(minor).unwrap();
        (
            recipe.reference(minor).unwrap(),
            recipe.base_reference(parsed).unwrap(),
        )
    }

    #[test]
    fn an_image_is_named_after_its_version_and_content() {
        let (_root, recipe) = recipe();
        let (node, base) = names(&recipe, "1.34");
        let (name, hash) = node.split_once("-").unwrap();
        assert_eq!(name, "chrysalis/node:v1.34.4");
        assert!(
            hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{hash}"
        );
        assert!(base.starts_with("chrysalis/node-base:v1.34.4-"), "{base}");
        assert_eq!(recipe.reference("v1.34").unwrap(), node);
    }

    #[test]
    fn a_change_renames_what_depends_on_it_and_nothing_else() {
        let (root, recipe) = recipe();
        let before = [names(&recipe, "1.34"), names(&recipe, "1.35")];

        fs::write(root.path().join("kubernetes-1.35/go.sum"), "new").unwrap();
        let after = [names(&recipe, "1.34"), names(&recipe, "1.35")];
        assert_eq!(before[0], after[0]);
        assert!(before[1].0 != after[1].0 && before[1].1 != after[1].1);

        fs::write(root.path().join("node/entrypoint"), "changed").unwrap();
        let entrypoint = names(&recipe, "1.34");
        assert_ne!(before[0].0, entrypoint.0);
        assert_eq!(
            before[0].1, entrypoint.1,
            "the base does not hold the entrypoint"
        );

        fs::write(root.path().join(".pod-network"), "another").unwrap();
        let agent = names(&recipe, "1.34");
        assert_ne!(entrypoint.0, agent.0);
        assert_eq!(entrypoint.1, agent.1);

        fs::write(root.path().join("packages"), "systemd haproxy").unwrap();
        assert_ne!(agent.1, names(&recipe, "1.34").1);
    }

    #[test]
    fn what_is_missing_is_named() {
        let (root, recipe) = recipe();
        let unknown = recipe.reference("1.33").unwrap_err().to_string();
        assert!(
            unknown.contains("1.33") && unknown.contains("1.34, 1.35"),
            "{unknown}"
        );
        let absent = recipe.clone().with_pod_network(root.path().join("nowhere"));
        assert!(matches!(
            absent.reference("1.34"),
            Err(ImageError::NoPodNetwork(_))
        ));
        assert!(matches!(
            Recipe::at(&root.path().join("etcd")),
            Err(ImageError::NotARecipe(_))
        ));
        fs::write(root.path().join("kubernetes-1.34/go.mod"), "module x").unwrap();
        assert!(matches!(
            recipe.reference("1.34"),
            Err(ImageError::NoVersion(_))
        ));
    }
}
