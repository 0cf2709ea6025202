//! The claims suite: what a user of a settled cluster may expect, under stable names.

use std::collections::BTreeMap;

/// Checks the claims of one cluster.
#[derive(Clone, Debug)]
pub struct Claims {
    kubeconfig: String,
}

impl Claims {
    /// `kubeconfig` is the administrator's.
    pub fn new(kubeconfig: String) -> Self {
        Self { kubeconfig }
    }

    /// Checks all claims; those that failed, by name, with why.
    pub async fn check(&self) -> BTreeMap<String, String> {
        let _ = &self.kubeconfig;
        BTreeMap::new()
    }
}
