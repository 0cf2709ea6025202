//! What is wrong with a state: the invariants of `oracle` that a coarse state can decide.
//!
//! Each has the meaning that its automaton in `oracle` gives to a real run's observations; a test
//! projects paths to observations and has both judge them. What `oracle` remembers is carried in the
//! state: [`Teardown`] for the guard, the number of apiservers at a failure, and whether another
//! cluster's installer changed something. Bounds in seconds become "for good": a dip of serving
//! apiservers counts when nobody is left who would end it.

use pivot::Task;
use terms::Component;

use super::action::Port;
use super::config::Budgets;
use super::state::{APISERVER, Joined, Node, Process, State, Status, Teardown};
use super::world::World;

/// Slugs of the invariants that are judged, in the order of their bits.
pub const INVARIANTS: [&str; 8] = [
    "guard-holds-at-teardown",
    "somebody-can-start-an-apiserver",
    "no-credentials-left",
    "nothing-runs-on-deleted-files",
    "failure-holds",
    "running-again-converges",
    "foreign-cluster-refused",
    "bootstrap-completes",
];

/// On clusters of two nodes and more the guard asks for this many apiservers.
const GUARD_INSTANCES: u8 = 2;

// === What the judge remembers ===

impl World {
    pub(crate) fn judge_started(&self, state: &mut State, task: Task) {
        let removes = matches!(
            task,
            Task::StashManifest(Component::KubeApiserver)
                | Task::DeleteManifest(Component::KubeApiserver)
        );
        if removes && matches!(state.teardown, Teardown::None | Teardown::Guarded) {
            state.teardown = if self.guard_holds(state) {
                Teardown::Guarded
            } else {
                Teardown::None
            };
        }
    }

    pub(crate) fn judge_given_up(&self, state: &mut State) {
        if state.teardown == Teardown::Guarded {
            state.teardown = Teardown::None;
        }
    }

    pub(crate) fn judge_removed(&self, state: &mut State, component: Component, was_there: bool) {
        if component != Component::KubeApiserver || state.teardown == Teardown::Violated {
            return;
        }
        let guarded = state.teardown == Teardown::Guarded;
        self.judge_given_up(state);
        if was_there && ever_ran(state) && !guarded && !self.guard_holds(state) {
            state.teardown = Teardown::Unguarded;
        }
    }

    pub(crate) fn judge_placed(&self, state: &mut State, component: Component) {
        if component == Component::KubeApiserver && state.teardown == Teardown::Unguarded {
            state.teardown = Teardown::None;
        }
    }

    /// The first decision of a failure counts; what follows from it is its consequence.
    pub(crate) fn judge_failure(&self, state: &mut State) {
        if state.served_at_failure == 0 {
            state.served_at_failure = state.serving(self.control_planes()) + 1;
        }
    }

    /// What a fault hits is no longer the installer's doing.
    pub(crate) fn judge_fault(&self, state: &mut State) {
        state.served_at_failure = 0;
    }

    fn guard_holds(&self, state: &State) -> bool {
        let count = self.control_planes();
        let serves = |node: &&Node| node.has_apiserver();
        let listed = |node: &Node| node.listed & Port::SelfHosted.bit() != 0;
        state.has_quorum(count)
            && state.nodes.iter().filter(serves).count() >= usize::from(count.min(GUARD_INSTANCES))
            && state.nodes.iter().filter(serves).any(listed)
            && state.leases.iter().all(|lease| lease.is_in_new_hands())
    }
}

// === What is wrong ===

impl World {
    /// The bits of the invariants that the state violates.
    pub(crate) fn wrong(&self, state: &State) -> u64 {
        let ended = state.status == Status::Ended;
        let held = ended && state.machine.is_holding();
        let done = ended && state.machine.is_done();
        let disk = &state.disk;
        let left = disk.assets || disk.secrets || disk.stashed_secrets || disk.stashed != 0;
        let runs = state
            .bootstrap
            .iter()
            .any(|process| *process != Process::Gone);
        let wrong = [
            state.teardown == Teardown::Violated,
            self.nobody_can_start_an_apiserver(state),
            done && left && state.nodes[0].is_on(),
            runs && !disk.secrets,
            state.served_at_failure > potential(state) + 1,
            held && self.was_killed_only(state),
            state.foreign_changed,
            held && self.was_left_alone(state),
        ];
        bits(wrong)
    }

    /// The bits of the invariants that the state decides.
    pub(crate) fn judged(&self, state: &State) -> u64 {
        let ended = state.status == Status::Ended;
        let done = ended && state.machine.is_done();
        let on = state.nodes.iter().any(|node| node.is_on());
        let judged = [
            done || state.teardown == Teardown::Violated,
            ever_served(state)
                && on
                && (state.serving(self.control_planes()) > 0 || !waits_for_power(state)),
            done && state.nodes[0].is_on(),
            state
                .bootstrap
                .iter()
                .any(|process| *process != Process::Gone),
            state.served_at_failure > 0,
            ended && self.was_killed_only(state),
            state.foreign_changed || self.config().foreign && state.disk.claimed,
            ended && self.was_left_alone(state),
        ];
        bits(judged)
    }

    /// Nobody serves, and nobody who has power could start an apiserver. As the oracle: what lies on the
    /// disk of a node without power does not count while another node has power.
    fn nobody_can_start_an_apiserver(&self, state: &State) -> bool {
        if !ever_served(state) || state.serving(self.control_planes()) > 0 || waits_for_power(state)
        {
            return false;
        }
        let mut anybody_on = false;
        for (number, node) in state
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.is_on())
        {
            anybody_on = true;
            let pod = node.pods[APISERVER];
            // As the oracle: a manifest without its files starts nobody.
            let manifest = number == 0 && state.disk.manifests & 1 != 0 && state.disk.secrets;
            if pod.is_running() || pod.is_saved() || manifest {
                return false;
            }
        }
        anybody_on
    }

    /// The end that is asked for is `done`, the installer was killed, and nothing else happened that could keep it from its end.
    fn was_killed_only(&self, state: &State) -> bool {
        let (all, left) = (self.config().budgets, state.left);
        let cut = all.power_cuts != left.power_cuts;
        let killed = all.installer_kills != left.installer_kills || cut;
        // With one node a power cut is a kill, and healed; with more it may also take the store away.
        let asked = !self.config().unschedulable;
        asked
            && killed
            && (self.control_planes() == 1 || !cut)
            && all.kills == left.kills
            && is_timely(all, left)
    }

    /// The end that is asked for is `done`, and nothing was done to the cluster.
    fn was_left_alone(&self, state: &State) -> bool {
        let (all, left) = (self.config().budgets, state.left);
        let faults =
            |budgets: Budgets| (budgets.power_cuts, budgets.kills, budgets.installer_kills);
        let asked = !self.config().unschedulable;
        asked && faults(all) == faults(left) && is_timely(all, left)
    }
}

fn bits(which: [bool; INVARIANTS.len()]) -> u64 {
    which
        .iter()
        .rev()
        .fold(0, |bits, is| bits << 1 | u64::from(*is))
}

fn is_timely(all: Budgets, left: Budgets) -> bool {
    all.timing == left.timing
}

/// Somebody registered, so an apiserver answered once: the bootstrap one was the first.
fn ever_served(state: &State) -> bool {
    state.nodes.iter().any(|node| node.joined != Joined::No)
}

/// The bootstrap node has no power, and could start an apiserver if it had: not the installer's to give.
fn waits_for_power(state: &State) -> bool {
    !state.nodes[0].is_on() && state.disk.manifests & 1 != 0 && state.disk.secrets
}

fn ever_ran(state: &State) -> bool {
    state.bootstrap[APISERVER] != Process::Gone || ever_served(state)
}

/// Apiservers that serve, start, or will be started without anybody's help.
fn potential(state: &State) -> u8 {
    let mut count = 0;
    for node in state.nodes.iter().filter(|node| node.is_on()) {
        let pod = node.pods[APISERVER];
        count += u8::from(pod.is_running() || pod.is_saved());
    }
    let reinstates = match state.status {
        Status::Running => state.machine.is_reinstating(),
        Status::Down => state.marker.is_some_and(|marker| marker.reinstating),
        Status::Ended => false,
    };
    let placed = state.disk.manifests & 1 != 0 && state.disk.secrets && state.nodes[0].is_on();
    count + u8::from(reinstates || placed)
}
