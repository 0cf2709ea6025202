//! An `at`: who is held, at which of its steps, and what must be open for that.

use terms::{Actor, NodeId, StepName};

use super::timeline::Walk;
use crate::decode::decode;
use crate::entry::{At, Entry};
use crate::mistake::Wrong;
use crate::policy::{UNPLANNED_STEPS, recovery_steps};
use crate::tree::{Place, Tree};
use crate::written::WrittenAt;

/// Who is held at an `at`, as far as that can be read.
pub(super) fn actor_of(at: &Tree) -> Actor {
    let written = at.get("actor").map(decode::<Actor>);
    written.and_then(Result::ok).unwrap_or_default()
}

impl Walk<'_> {
    pub(super) fn at(&mut self, at: WrittenAt, tree: &Tree) -> Entry {
        let WrittenAt {
            step,
            moment,
            occurrence,
            actor,
            within,
            inject,
        } = at;
        let place = |key| tree.deepest(&["at", key]).place;
        if let Some(node) = actor.agent_node() {
            self.of_agent(&node, tree);
            self.step(&step, &self.policy.agent_steps(), &[], place("step"));
        } else if actor == Actor::default() {
            self.of_installer(tree);
            let policy = self.policy;
            self.step(&step, &policy.steps, &UNPLANNED_STEPS, place("step"));
        } else if actor == Actor::recovery(&self.cluster.bootstrap_node()) {
            self.of_recovery(tree);
            let steps = recovery_steps();
            self.step(&step, &steps, &UNPLANNED_STEPS, place("step"));
        } else {
            self.unknown_actor(&actor, place("actor"));
        }
        if occurrence == 0 {
            self.wrongs.push(Wrong::new(
                place("occurrence"),
                "occurrences are counted from 1",
            ));
        }
        self.some_time(within, tree, &["at", "within"]);
        self.inject(&inject, tree, &["at", "inject"]);
        Entry::At(At {
            step,
            moment,
            occurrence,
            actor,
            within,
            inject,
        })
    }

    /// What an `at` of the installer asks for.
    fn of_installer(&mut self, tree: &Tree) {
        if self.open.is_none() || self.is_recovering() {
            self.out_of_order(
                tree.place,
                "no operation is in the background here",
                "put the `at` right behind `bootstrap` or `resume`: that keeps the operation in the background",
            );
            // What depends on an open operation would only repeat this.
            self.torn = true;
        }
    }

    /// Whether the operation in the background is a recovery.
    pub(super) fn is_recovering(&self) -> bool {
        let open = self.open.and_then(|open| self.entries.get(open));
        matches!(open, Some(Entry::Operation(operation)) if operation.kind.is_recovery())
    }

    /// What an `at` of a recovery asks for.
    fn of_recovery(&mut self, tree: &Tree) {
        if !self.is_recovering() {
            self.out_of_order(
                tree.place,
                "no recovery is in the background here",
                "put the `at` right behind `recover`: that keeps the recovery in the background",
            );
            self.torn = true;
        }
    }

    /// What an `at` of a node's checkpoint agent asks for. Agents act as long as the cluster lives.
    fn of_agent(&mut self, node: &NodeId, tree: &Tree) {
        let place = tree.deepest(&["at", "actor"]).place;
        if self.policy.agent.is_none() {
            let wrong = Wrong::new(place, "this installer has no checkpoint agents");
            self.wrongs.push(wrong.help("available: installer"));
        } else if !self.cluster.control_plane_nodes().any(|one| one == *node) {
            self.unknown_actor(&Actor::agent(node), place);
        }
        if !self.begun {
            self.out_of_order(
                tree.place,
                "no checkpoint agent acts before anything was started",
                "put a `bootstrap` before it",
            );
        }
    }

    fn unknown_actor(&mut self, actor: &Actor, place: Place) {
        let has_agents = self.policy.agent.is_some();
        let nodes = self.cluster.control_plane_nodes().filter(|_| has_agents);
        let known: Vec<String> = nodes.map(|node| Actor::agent(&node).0).collect();
        let recovery = Actor::recovery(&self.cluster.bootstrap_node());
        let others = ["installer", recovery.0.as_str()];
        let known = known.iter().map(String::as_str).chain(others);
        self.wrongs
            .push(Wrong::unknown(place, "actor", &actor.0, known));
    }

    fn step(&mut self, step: &StepName, known: &[StepName], beside: &[&str], place: Place) {
        // Without any step there is a mistake already.
        if known.is_empty() || known.contains(step) || beside.contains(&step.as_str()) {
            return;
        }
        let known = known
            .iter()
            .map(StepName::as_str)
            .chain(beside.iter().copied());
        self.wrongs
            .push(Wrong::unknown(place, "step", step.as_str(), known));
    }
}
