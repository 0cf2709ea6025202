//! The scenarios that ship, as they were when the command was built.

use std::path::Path;

use crate::check::parse;
use crate::scenario::{Overrides, Scenario};

/// Makes a list of files of the catalogue.
macro_rules! files {
    ($($name:literal)*) => {
        [$((concat!("scenarios/catalogue/", $name, ".yaml"), include_str!(concat!("../catalogue/", $name, ".yaml")))),*]
    };
}

const FILES: &[(&str, &str)] = &files![
    "agent-killed-while-it-activates"
    "agent-killed-while-it-saves"
    "agents-lose-their-rights"
    "agents-without-rights-from-the-start"
    "api-down-longer-than-the-grace-period"
    "apiserver-cannot-be-scheduled"
    "bad-flags-rolled-out"
    "bootstrap-and-pivot"
    "bootstrap-and-pivot-single"
    "bootstrap-of-another-cluster"
    "certificates-expired-while-off"
    "delete-all-apiserver-pods"
    "delete-all-controllers"
    "delete-all-controllers-without-checkpoints"
    "delete-one-self-hosted-pod"
    "etcd-quorum-lost-and-back"
    "grace-runs-on-while-the-api-is-silent"
    "image-collected-before-a-reboot"
    "installer-killed"
    "kill-every-control-plane-process"
    "kill-the-holders"
    "kubelet-restarted-during-an-api-outage"
    "old-node-returns-after-a-restore"
    "power-off-after-a-teardown-without-checkpoint"
    "power-off-before-the-first-checkpoint"
    "power-off-of-everything"
    "power-off-one-control-plane-node"
    "power-off-the-bootstrap-node-during-the-pivot"
    "power-off-while-a-checkpoint-is-written"
    "reboot-all-control-plane-nodes"
    "reboot-all-control-plane-nodes-in-turn"
    "reboot-during-a-roll"
    "reboot-the-only-control-plane-node"
    "recovery-from-etcd"
    "recovery-killed-and-typed-again"
    "recovery-onto-a-dirty-node"
    "roll-the-only-apiserver"
    "runtime-errors-while-parents-run"
    "scheduler-runs-as-another-user"
    "secret-changed-before-activation"
    "torn-checkpoint"
    "torn-checkpoint-at-a-power-loss"
    "total-loss-restored-from-a-snapshot"
    "two-recoveries-at-once"
];

/// The catalogue, checked.
pub fn catalogue() -> Vec<Scenario> {
    let read = |(file, text): &(&str, &str)| {
        parse(file, text.as_bytes(), Path::new(""), &Overrides::default())
            .expect("a test reads every scenario that ships")
    };
    FILES.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                format!(
                    "scenarios/catalogue/{}",
                    entry.unwrap().file_name().display()
                )
            })
            .collect();
        let built_in: BTreeSet<String> = catalogue()
            .into_iter()
            .map(|scenario| scenario.file)
            .collect();
        assert_eq!(built_in, there);
    }
}
