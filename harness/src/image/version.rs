//! Kubernetes versions as people and go.mod write them.

use std::fmt;

use super::ImageError;

/// A minor version of Kubernetes, such as 1.34.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesMinor(u16);

impl KubernetesMinor {
    /// Reads `1.34`, with or without a `v` in front.
    ///
    /// # Errors
    /// When it is anything else, a patch version for example: which patch is in the image is the
    /// recipe's matter.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let wrong = || ImageError::BadVersion(text.to_owned());
        let minor = text
            .strip_prefix('v')
            .unwrap_or(text)
            .strip_prefix("1.")
            .ok_or_else(wrong)?;
        if minor.is_empty() || !minor.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        minor.parse().map(Self).map_err(|_| wrong())
    }

    /// The directory of its wrapper module in a recipe.
    pub fn wrapper(self) -> String {
        format!("{WRAPPER_PREFIX}{self}")
    }

    /// The minor that a wrapper's directory is for.
    pub(crate) fn of_wrapper(directory: &str) -> Option<Self> {
        Self::parse(directory.strip_prefix(WRAPPER_PREFIX)?).ok()
    }
}

/// How the directories of Kubernetes' wrapper modules begin.
pub(crate) const WRAPPER_PREFIX: &str = "kubernetes-";

impl fmt::Display for KubernetesMinor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "1.{}", self.0)
    }
}

/// The version of Kubernetes that a go.mod requires, such as `v1.34.4`.
pub(crate) fn required_version(go_mod: &str) -> Option<&str> {
    go_mod.lines().find_map(|line| {
        let mut words = line
            .split_whitespace()
            .skip_while(|word| *word == "require");
        (words.next() == Some("k8s.io/kubernetes"))
            .then(|| words.next())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_are_read_with_and_without_a_v() {
        for text in ["1.34", "v1.34"] {
            assert_eq!(KubernetesMinor::parse(text).unwrap().to_string(), "1.34");
        }
        for text in [
            "",
            "1",
            "1.",
            "34",
            "1.34.4",
            "1.x",
            "2.1",
            "1.+4",
            "1.99999999",
        ] {
            assert!(KubernetesMinor::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            KubernetesMinor::parse("1.34").unwrap().wrapper(),
            "kubernetes-1.34"
        );
        assert_eq!(KubernetesMinor::of_wrapper("etcd"), None);
    }

    #[test]
    fn the_version_is_found_in_either_form() {
        assert_eq!(
            required_version("require k8s.io/kubernetes v1.34.4\n"),
            Some("v1.34.4")
        );
        let block = "require (\n\tk8s.io/klog/v2 v2.1.0\n\tk8s.io/kubernetes v1.35.4\n)\n";
        assert_eq!(required_version(block), Some("v1.35.4"));
        assert_eq!(required_version("module k8s.io/kubernetes\n"), None);
    }
}
