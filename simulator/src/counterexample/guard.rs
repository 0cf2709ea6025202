//! What of an invariant's guard was wrong, from the states of a way to its violation.

use terms::Component;

use super::Counterexample;
use super::table::names;
use crate::coarse::{Process, State, Teardown, World};

impl Counterexample {
    /// What was wrong, as the end of a sentence.
    pub fn guard(&self) -> String {
        let world = World::new(self.config.clone());
        let states = self.states(&world);
        let last = &states[states.len() - 1];
        match self.invariant.as_str() {
            "guard-holds-at-teardown" => self.teardown(&states),
            "somebody-can-start-an-apiserver" => {
                "no apiserver serves, and no node that has power has a manifest with its files or a kubelet that knows of an apiserver pod".to_owned()
            }
            "no-credentials-left" => format!(
                "the procedure is done, and on cp-1 are left: {}",
                left_behind(last)
            ),
            "nothing-runs-on-deleted-files" => format!(
                "the bootstrap secrets are gone, and these still run: {}",
                names(bootstrap(last, |process| process != Process::Gone))
            ),
            "failure-holds" => format!(
                "{} apiservers served when the failure was decided, and fewer are left or will come",
                last.served_at_failure.saturating_sub(1)
            ),
            "running-again-converges" => format!(
                "killed and started again, the procedure holds{} instead of ending",
                reason(last)
            ),
            "foreign-cluster-refused" => {
                "another cluster's installer went beyond its claim and changed files".to_owned()
            }
            "bootstrap-completes" => {
                format!("nobody disturbed it, and the procedure holds{}", reason(last))
            }
            other => format!("`{other}` is violated"),
        }
    }

    /// The guard at the instant at which the bootstrap apiserver's manifest went.
    fn teardown(&self, states: &[State]) -> String {
        let went = states.windows(2).rposition(|pair| {
            pair[0].teardown < Teardown::Unguarded && pair[1].teardown >= Teardown::Unguarded
        });
        let at = &states[went.map_or(states.len() - 1, |before| before)];
        let wanted = self.config.control_planes.min(2);
        let serving = if at.has_quorum(self.config.control_planes) {
            at.nodes.iter().filter(|node| node.has_apiserver()).count()
        } else {
            0
        };
        let locks = [Component::KubeControllerManager, Component::KubeScheduler];
        let held = locks.into_iter().zip(at.leases);
        let missing = held.filter(|(_, lease)| !lease.is_in_new_hands());
        format!(
            "when the bootstrap apiserver's manifest went (event {}), {serving} of {wanted} self-hosted apiservers served; leases not in self-hosted hands: {}",
            went.map_or(states.len() - 1, |before| before + 1),
            names(missing.map(|(lock, _)| lock)),
        )
    }
}

fn bootstrap(state: &State, which: fn(Process) -> bool) -> impl Iterator<Item = Component> {
    let all = Component::SELF_HOSTED.into_iter().zip(state.bootstrap);
    all.filter(move |(_, process)| which(*process))
        .map(|(component, _)| component)
}

fn left_behind(state: &State) -> String {
    let disk = &state.disk;
    let left = [
        (
            disk.assets,
            "the assets with the administrator's kubeconfig",
        ),
        (disk.secrets, "the bootstrap secrets"),
        (disk.stashed_secrets, "stashed secrets"),
        (disk.stashed != 0, "stashed manifests"),
    ];
    let left: Vec<&str> = left
        .into_iter()
        .filter_map(|(there, what)| there.then_some(what))
        .collect();
    left.join(", ")
}

fn reason(state: &State) -> String {
    let why = state.machine.why();
    why.map_or_else(String::new, |why| format!(" ({why:?})"))
}
