//! What can happen in a state, in a fixed order.

use pivot::{Input, Task, Timer, running_tasks};
use terms::{Component, Incarnation};

use super::action::{Action, Holder, Port};
use super::config::Budgets;
use super::state::{APISERVER, Joined, Node, Pod, Power, Process, State, Status, index};
use super::tasks::asks_api;
use super::world::World;

const PORTS: [Port; 2] = [Port::SelfHosted, Port::Bootstrap];
const CONTROLLERS: [Component; 2] = [Component::KubeControllerManager, Component::KubeScheduler];

impl World {
    /// Appends what can happen. `into` arrives empty.
    pub(crate) fn list_actions(&self, state: &State, into: &mut Vec<Action>) {
        let quorum = state.has_quorum(self.control_planes());
        let reachable = state.is_reachable(quorum);
        // What may go wrong with the installer, and on its node.
        let left = self.may_go_wrong_on(state, 0);
        self.list_nodes(state, reachable, into);
        self.list_cluster(state, quorum, reachable, into);
        match state.status {
            Status::Running => self.list_installer(state, left, reachable, into),
            Status::Down if state.nodes[0].is_on() => into.push(Action::Resume),
            Status::Down | Status::Ended => {}
        }
        self.list_outside(state, left, into);
    }

    /// What the nodes do by themselves.
    fn list_nodes(&self, state: &State, reachable: bool, into: &mut Vec<Action>) {
        for component in Component::SELF_HOSTED {
            match state.bootstrap[index(component)] {
                Process::Starting if !self.lacks_port(state, component, Incarnation::Bootstrap) => {
                    into.push(Action::BootstrapReady(component));
                }
                Process::Stopping => into.push(Action::BootstrapGone(component)),
                _ => {}
            }
        }
        for (number, node) in (0..self.control_planes()).zip(&state.nodes) {
            if !node.is_on() {
                if node.power == Power::OffFresh {
                    into.push(Action::GoesStale(number));
                }
                continue;
            }
            for component in Component::SELF_HOSTED {
                let pod = node.pods[index(component)];
                let starts = pod.is_running() && !pod.is_ready();
                if starts && !self.is_kept_from(state, component, number) {
                    into.push(Action::PodReady(component, number));
                }
            }
            if self.has_checkpoints() {
                self.list_checkpoints(state, number, reachable, into);
            }
        }
    }

    /// Whether a pod cannot become ready.
    fn is_kept_from(&self, state: &State, component: Component, number: u8) -> bool {
        number == 0 && self.lacks_port(state, component, Incarnation::SelfHosted)
    }

    /// Whether an apiserver of the first node cannot listen, because the other one does.
    fn lacks_port(&self, state: &State, component: Component, incarnation: Incarnation) -> bool {
        self.config().one_port
            && component == Component::KubeApiserver
            && match incarnation {
                Incarnation::Bootstrap => state.nodes[0].has_apiserver(),
                _ => state.bootstrap[APISERVER] != Process::Gone,
            }
    }

    fn list_checkpoints(&self, state: &State, number: u8, reachable: bool, into: &mut Vec<Action>) {
        let node = &state.nodes[usize::from(number)];
        for component in Component::SELF_HOSTED {
            let saves = self.config().plan.rules.checkpointed.contains(component);
            let bootstraps = number == 0 && state.bootstrap[index(component)] != Process::Gone;
            match node.pods[index(component)] {
                // A copy's secrets are read from the API.
                Pod::Ready if saves && reachable => into.push(Action::Save(component, number)),
                Pod::BoundSaved if !reachable && !bootstraps => {
                    into.push(Action::StartCopy(component, number));
                }
                Pod::Copy if reachable => into.push(Action::RetireCopy(component, number)),
                _ => {}
            }
        }
    }

    /// What controllers, leases and the load balancer do.
    fn list_cluster(&self, state: &State, quorum: bool, reachable: bool, into: &mut Vec<Action>) {
        let nodes = &state.nodes[..usize::from(self.control_planes())];
        let any = |pod: Pod, from: usize| {
            let waits =
                |node: &Node| node.joined == Joined::Labelled && node.pods[from..].contains(&pod);
            nodes.iter().any(waits)
        };
        if state.applied
            && state.acts(Component::KubeControllerManager, reachable)
            && any(Pod::None, 0)
        {
            into.push(Action::CreatePods);
        }
        if state.acts(Component::KubeScheduler, reachable) && any(Pod::Created, self.first_bound())
        {
            into.push(Action::BindPods);
        }
        for (number, node) in (0..).zip(nodes) {
            for port in PORTS {
                let listed = node.listed & port.bit() != 0;
                if listed != state.is_ready_behind(port, usize::from(number), quorum) {
                    into.push(Action::Check(port, number));
                }
            }
        }
        for lock in CONTROLLERS {
            if !(reachable && state.leases[index(lock) - 1].is_free()) {
                continue;
            }
            if state.bootstrap[index(lock)] == Process::Ready {
                into.push(Action::TakeLease(lock, Holder::Bootstrap));
            }
            for (number, node) in (0..).zip(nodes) {
                if node.works(index(lock)) {
                    into.push(Action::TakeLease(lock, Holder::Node(number)));
                }
            }
        }
    }

    /// What the installer's process meets. Arrives with everything that the world does listed.
    fn list_installer(
        &self,
        state: &State,
        left: Budgets,
        reachable: bool,
        into: &mut Vec<Action>,
    ) {
        if state.machine.announced().is_some() {
            return into.push(Action::Release);
        }
        if state.machine.is_holding() || state.machine.is_done() {
            return into.push(Action::End);
        }
        let mut moves = !into.is_empty();
        let parts = self.may_go_wrong(state).can_part_task();
        for task in running_tasks(&self.config().plan, state.machine) {
            let can = self.can(state, task).is_ok();
            moves |= can;
            into.push(if can {
                Action::Done(task)
            } else {
                Action::Fails(task)
            });
            if can && parts {
                self.list_parting(state, task, left, reachable, into);
            }
        }
        let heeds = self.would_heed(state);
        if heeds {
            into.push(Action::Look);
        }
        moves |= heeds;
        if state.machine.is_armed(Timer::Retry) {
            into.push(Action::Retry);
            moves = moves || self.would_retry(state);
        }
        if state.machine.is_armed(Timer::Stable) {
            if !heeds {
                into.push(Action::Stable);
                moves = true;
            } else if left.timing > 0 {
                into.push(Action::StableUnseen);
            }
        }
        if state.machine.is_armed(Timer::Stage) {
            if !moves {
                into.push(Action::Overdue);
            } else if left.timing > 0 {
                into.push(Action::OverdueEarly);
            }
        }
    }

    /// What a task did and what its driver knows fall apart.
    fn list_parting(
        &self,
        state: &State,
        task: Task,
        left: Budgets,
        reachable: bool,
        into: &mut Vec<Action>,
    ) {
        if self.would_land(state, task) {
            into.push(Action::Lands(task));
        }
        if left.lost_answers > 0 && reachable && asks_api(task) {
            into.push(Action::AnswerLost(task));
        }
    }

    /// Whether trying again would get something done now.
    fn would_retry(&self, state: &State) -> bool {
        let mut next = *state;
        self.input(&mut next, Input::Elapsed(Timer::Retry));
        let mut tasks = running_tasks(&self.config().plan, next.machine);
        tasks.any(|task| self.can(&next, task).is_ok()) || self.would_heed(&next)
    }

    /// What is done to the world.
    fn list_outside(&self, state: &State, left: Budgets, into: &mut Vec<Action>) {
        for (number, node) in (0..self.control_planes()).zip(&state.nodes) {
            let left = self.may_go_wrong_on(state, usize::from(number));
            if !node.is_on() {
                into.push(Action::PowerOn(number));
            } else if left.power_cuts > 0 {
                into.push(Action::CutPower(number));
            }
        }
        if state.left.kills > 0 {
            self.list_kills(state, left, into);
        }
        if left.installer_kills > 0 && state.status == Status::Running {
            into.push(Action::KillInstaller);
        }
        let holds = state.status == Status::Ended && state.machine.is_holding();
        if left.restarts > 0 && holds && state.nodes[0].is_on() {
            into.push(Action::StartAgain);
        }
        if self.config().foreign && !state.foreign_changed && self.foreign_would_change(state) {
            into.push(Action::StartForeign);
        }
    }

    /// A process that only starts loses nothing by being killed; one that stops is soon gone.
    fn list_kills(&self, state: &State, left: Budgets, into: &mut Vec<Action>) {
        for component in Component::SELF_HOSTED {
            if left.kills > 0 && state.bootstrap[index(component)] == Process::Ready {
                into.push(Action::Kill(component, Incarnation::Bootstrap, 0));
            }
            for (number, node) in (0..self.control_planes()).zip(&state.nodes) {
                if self.may_go_wrong_on(state, usize::from(number)).kills == 0 {
                    continue;
                }
                let pod = node.pods[index(component)];
                if node.is_on() && pod.is_ready() {
                    into.push(Action::Kill(component, Incarnation::SelfHosted, number));
                } else if node.runs_copy(index(component)) {
                    into.push(Action::Kill(component, Incarnation::Checkpoint, number));
                }
            }
        }
    }
}
