//! What can happen in a state, in a fixed order.

use pivot::checkpoint::Timer;

use super::action::Action;
use super::config::Fault;
use super::state::{APISERVER, CONTROLLER, Content, Copied, Pending, Pod, Process, Stage, State};
use super::world::World;

impl World {
    /// Appends what can happen. `into` arrives empty.
    pub(crate) fn list_actions(&self, state: &State, into: &mut Vec<Action>) {
        self.list_own(state, into);
        if state.left > 0 {
            self.list_faults(state, into);
        }
        self.keep_possible(state, into);
    }

    /// What the world does by itself, however long it takes.
    pub(crate) fn list_own(&self, state: &State, into: &mut Vec<Action>) {
        let reachable = state.is_reachable(self.control_planes());
        let led = state.is_led(self.control_planes());
        for number in 0..self.control_planes() {
            if state.nodes[usize::from(number)].on {
                self.list_node(state, number, reachable, into);
            } else {
                into.push(Action::PowerOn(number));
            }
            if led {
                self.list_controller(state, number, into);
            }
        }
        if reachable && !led && !state.unled {
            into.push(Action::LeaseExpires);
        }
        if self.may_remove_bootstrap(state) {
            into.push(Action::RemovesBootstrap);
        }
        for place in [APISERVER, CONTROLLER] {
            if reachable && state.bad[place] {
                into.push(Action::Undoes(place));
            }
        }
    }

    fn list_node(&self, state: &State, number: u8, reachable: bool, into: &mut Vec<Action>) {
        let node = &state.nodes[usize::from(number)];
        if !node.synced && reachable {
            into.push(Action::Syncs(number));
        }
        if node.runtime_error {
            into.push(Action::RuntimeHeals(number));
        }
        if !node.agent {
            if node.guarded || node.synced {
                into.push(Action::AgentStarts(number));
            }
        } else if !node.guarded && reachable {
            into.push(Action::Guards(number));
        }
        let quorum = state.has_quorum(self.control_planes());
        for (place, part) in node.parts.iter().enumerate() {
            // An apiserver is ready with etcd, a controller with an apiserver.
            let can_be_ready = if place == APISERVER {
                quorum
            } else {
                reachable
            };
            match (part.process, part.pod) {
                (Process::None, Pod::Bound { .. }) if node.synced => {
                    into.push(Action::Starts(number, place));
                }
                (Process::Runs { bad, ready }, _) => {
                    if !ready && can_be_ready {
                        into.push(Action::Ready(number, place));
                    }
                    if bad {
                        into.push(Action::Crashes(number, place));
                    }
                }
                _ => {}
            }
            if part.copy == Copied::Active(Content::Good, Stage::Starting) && can_be_ready {
                into.push(Action::CopyReady(number, place));
            }
            if let Some((task, _)) = part.machine.running() {
                into.push(Action::TaskEnds(number, place, task));
            }
            for timer in Timer::ALL {
                if part.machine.is_armed(timer) {
                    into.push(Action::Elapses(number, place, timer));
                }
            }
        }
    }

    /// What the DaemonSet controller does for a node: one pod each, of the template's revision, and
    /// never more than one node without a ready pod on account of a roll.
    fn list_controller(&self, state: &State, number: u8, into: &mut Vec<Action>) {
        for place in [APISERVER, CONTROLLER] {
            let pod = |node: usize| state.nodes[node].parts[place].pod;
            match pod(usize::from(number)) {
                Pod::None => into.push(Action::Creates(number, place)),
                Pod::Bound { bad, ready } if bad != state.bad[place] => {
                    let mut others = (0..usize::from(self.control_planes()))
                        .filter(|other| *other != usize::from(number));
                    if !ready || others.all(|other| pod(other).is_ready()) {
                        into.push(Action::Replaces(number, place));
                    }
                }
                Pod::Bound { .. } => {}
            }
        }
    }

    /// What is done to the world.
    fn list_faults(&self, state: &State, into: &mut Vec<Action>) {
        let reachable = state.is_reachable(self.control_planes());
        let has = |fault| self.config().faults.contain(fault);
        let nodes = || (0..self.control_planes()).zip(&state.nodes);
        if has(Fault::Blackout) && self.control_planes() > 1 && nodes().all(|(_, node)| node.on) {
            into.push(Action::Blackout);
        }
        for (number, node) in nodes().filter(|(_, node)| node.on) {
            if has(Fault::PowerCut) || has(Fault::Blackout) && self.control_planes() == 1 {
                into.push(Action::CutPower(number));
            }
            if has(Fault::KillAgent) && node.agent {
                into.push(Action::KillAgent(number));
            }
            if has(Fault::RestartKubelet) && node.synced {
                into.push(Action::RestartKubelet(number));
            }
            if has(Fault::RuntimeError) && !node.runtime_error {
                into.push(Action::RuntimeFails(number));
            }
            for (place, part) in node.parts.iter().enumerate() {
                if has(Fault::Kill) && part.process.is_ready() {
                    into.push(Action::KillParent(number, place));
                }
                if has(Fault::Kill) && part.copy.is_ready() {
                    into.push(Action::KillCopy(number, place));
                }
                if has(Fault::Tear) && matches!(part.pending, Pending::Good | Pending::Bad) {
                    into.push(Action::Tear(number, place));
                }
            }
        }
        let deletions = [
            (APISERVER, Fault::DeleteApiservers),
            (CONTROLLER, Fault::DeleteControllers),
        ];
        for (place, fault) in deletions {
            let any = nodes().any(|(_, node)| node.parts[place].pod != Pod::None);
            if reachable && any && has(fault) {
                into.push(Action::DeletePods(place));
            }
        }
        for place in [APISERVER, CONTROLLER] {
            if reachable && !state.bad[place] && has(Fault::BadRevision) {
                into.push(Action::RollOutBad(place));
            }
        }
    }
}
