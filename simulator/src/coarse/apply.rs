//! What follows from an action.

use pivot::{Input, Outcome, Task, Timer, resume, running_tasks, step};
use terms::{Component, Incarnation};

use super::action::{Action, Holder, Port};
use super::config::Budgets;
use super::state::{Joined, Lease, Pod, Power, Process, State, Status, index};
use super::world::World;

/// The attempt of every task: the packed machine forgets it.
const ATTEMPT: pivot::Attempt = 0;
/// More tasks than this before it is refused are no refusal.
const FOREIGN_TASKS_MAX: usize = 8;

impl World {
    /// The state after an action that was listed for this state.
    pub(crate) fn after(&self, before: &State, action: Action) -> State {
        let mut state = *before;
        self.happen(&mut state, action);
        state
    }

    fn happen(&self, state: &mut State, action: Action) {
        match action {
            Action::Done(task) => {
                self.land(state, task);
                self.input(state, Input::Finished(task, ATTEMPT, Outcome::Done));
            }
            Action::Fails(task) => {
                if let Err(why) = self.can(state, task) {
                    self.input(state, Input::Finished(task, ATTEMPT, Outcome::Failed(why)));
                }
            }
            Action::Lands(task) => self.land(state, task),
            Action::AnswerLost(task) => {
                state.left.lost_answers -= 1;
                self.input(state, Input::Finished(task, ATTEMPT, Outcome::Unknown));
            }
            Action::Look => {
                let facts = self.facts(state);
                self.input(state, Input::Facts(facts));
            }
            Action::Retry => self.input(state, Input::Elapsed(Timer::Retry)),
            Action::Stable => self.input(state, Input::Elapsed(Timer::Stable)),
            Action::Overdue => self.input(state, Input::Elapsed(Timer::Stage)),
            Action::StableUnseen => {
                state.left.timing -= 1;
                self.input(state, Input::Elapsed(Timer::Stable));
            }
            Action::OverdueEarly => {
                state.left.timing -= 1;
                self.input(state, Input::Elapsed(Timer::Stage));
            }
            Action::Release => self.release(state),
            Action::End => self.end(state),
            Action::Resume => self.start(state),
            Action::StartAgain => {
                if state.left.restarts < Budgets::ANY_NUMBER {
                    state.left.restarts -= 1;
                }
                self.start(state);
            }
            Action::KillInstaller => {
                state.left.installer_kills -= 1;
                self.end_process(state);
            }
            Action::StartForeign => state.foreign_changed = true,
            _ => {
                self.happen_to_cluster(state, action);
                if !leads_to_nothing(action) {
                    state.settle(self.control_planes());
                    self.save_at_once(state);
                }
            }
        }
    }

    fn happen_to_cluster(&self, state: &mut State, action: Action) {
        match action {
            Action::BootstrapReady(component) => state.bootstrap[index(component)] = Process::Ready,
            Action::BootstrapGone(component) => state.bootstrap[index(component)] = Process::Gone,
            Action::PodReady(component, node) => {
                change(state, node, component, |pod| match pod {
                    Pod::StartingSaved => Pod::ReadySaved,
                    _ => Pod::Ready,
                });
            }
            Action::CreatePods => change_all(state, 0, Pod::None, Pod::Created),
            Action::BindPods => {
                change_all(state, self.first_bound(), Pod::Created, Pod::Bound);
            }
            Action::Check(port, node) => self.check(state, port, node),
            Action::TakeLease(lock, holder) => {
                state.leases[index(lock) - 1] = match holder {
                    Holder::Bootstrap => Lease::Bootstrap,
                    Holder::Node(node) => Lease::of(usize::from(node)),
                };
            }
            Action::GoesStale(node) => state.nodes[usize::from(node)].power = Power::OffStale,
            Action::Save(component, node) => change(state, node, component, |_| Pod::ReadySaved),
            Action::StartCopy(component, node) => change(state, node, component, |_| Pod::Copy),
            Action::RetireCopy(component, node) => {
                change(state, node, component, |_| Pod::ReadySaved);
            }
            Action::PowerOn(node) => {
                let node = &mut state.nodes[usize::from(node)];
                node.power = Power::On;
                node.pods = node.pods.map(Pod::forgotten);
            }
            Action::CutPower(node) => self.cut_power(state, usize::from(node)),
            Action::Kill(component, incarnation, node) => {
                state.left.kills -= 1;
                self.judge_fault(state);
                match incarnation {
                    Incarnation::Bootstrap => state.bootstrap[index(component)] = Process::Gone,
                    Incarnation::SelfHosted => change(state, node, component, Pod::started),
                    Incarnation::Checkpoint => change(state, node, component, Pod::forgotten),
                }
            }
            _ => {}
        }
    }

    /// As [`super::Config::saves_at_once`] says: only a kubelet that forgets its pods asks whether they were saved.
    fn save_at_once(&self, state: &mut State) {
        let config = self.config();
        if !(config.saves_at_once && state.is_reachable(state.has_quorum(config.control_planes))) {
            return;
        }
        for number in 0..config.control_planes {
            let node = usize::from(number);
            if !state.nodes[node].is_on() || self.can_be_hit(state, node) {
                continue;
            }
            for component in config.plan.rules.checkpointed.iter() {
                change(state, number, component, |pod| match pod {
                    Pod::Ready => Pod::ReadySaved,
                    other => other,
                });
            }
        }
    }

    /// Whether a fault may still hit this node, at whatever time.
    fn can_be_hit(&self, state: &State, node: usize) -> bool {
        let faults = state.left.power_cuts + state.left.kills;
        let first_is_elsewhere =
            self.is_unharmed(state) && !self.config().first_fault.hits.may_be(node);
        faults > u8::from(first_is_elsewhere)
    }

    fn check(&self, state: &mut State, port: Port, node: u8) {
        let number = usize::from(node);
        let ready = state.is_ready_behind(port, number, state.has_quorum(self.control_planes()));
        let listed = &mut state.nodes[number].listed;
        *listed = if ready {
            *listed | port.bit()
        } else {
            *listed & !port.bit()
        };
    }

    fn cut_power(&self, state: &mut State, number: usize) {
        state.left.power_cuts -= 1;
        self.judge_fault(state);
        let node = &mut state.nodes[number];
        node.power = match node.joined {
            Joined::No => Power::OffStale,
            _ => Power::OffFresh,
        };
        for pod in &mut node.pods {
            if *pod == Pod::Copy {
                *pod = pod.forgotten();
            }
        }
        if number == 0 {
            state.bootstrap = [Process::Gone; 3];
            if state.status == Status::Running {
                self.end_process(state);
            }
        }
    }

    /// Whether another cluster's installer, following the same plan, would get further than its claim.
    pub(crate) fn foreign_would_change(&self, state: &State) -> bool {
        let plan = &self.config().plan;
        let begun = state.disk.claimed || !plan.rules.claim;
        if !begun || !state.nodes[0].is_on() {
            return false;
        }
        let (mut machine, _) = resume(plan, None);
        for _ in 0..FOREIGN_TASKS_MAX {
            let input = match (machine.announced(), running_tasks(plan, machine).next()) {
                (Some((stage, moment)), _) => Input::Released(stage, moment),
                (None, Some(Task::ClaimCluster)) => {
                    let refused = Outcome::Refused(pivot::Why::ForeignCluster);
                    Input::Finished(Task::ClaimCluster, ATTEMPT, refused)
                }
                // Any other task changes files, and none refuses.
                (None, Some(_)) => return true,
                (None, None) => return false,
            };
            machine = step(plan, machine, input).0.without_attempt();
        }
        true
    }
}

/// Whether nobody does anything at once because of it.
const fn leads_to_nothing(action: Action) -> bool {
    matches!(
        action,
        Action::CreatePods | Action::TakeLease(..) | Action::GoesStale(_) | Action::Save(..)
    )
}

fn change(state: &mut State, node: u8, component: Component, to: impl Fn(Pod) -> Pod) {
    let pod = &mut state.nodes[usize::from(node)].pods[index(component)];
    *pod = to(*pod);
}

/// Pods of nodes that bear the label, from this component on.
fn change_all(state: &mut State, first: usize, from: Pod, to: Pod) {
    let labelled = state
        .nodes
        .iter_mut()
        .filter(|node| node.joined == Joined::Labelled);
    for pod in labelled
        .flat_map(|node| &mut node.pods[first..])
        .filter(|pod| **pod == from)
    {
        *pod = to;
    }
}
