//! The agents' driver: it gives inputs to the machine that ships and performs what follows.

use pivot::checkpoint::{self, Effect, Input, OrderRule, Outcome, Step, Task, Timer, begin, step};
use terms::Component;

use super::state::{Base, Content, Copied, Pending, Pod, Stage, State};
use super::world::World;

/// The component that stands for each part.
const COMPONENTS: [Component; 2] = [Component::KubeApiserver, Component::KubeControllerManager];
/// The attempt of every task: the packed machine forgets it.
const ATTEMPT: pivot::Attempt = 0;
/// A machine that is told fresh facts and released at once rests after fewer inputs than this.
const MOST_INPUTS: usize = 64;

impl World {
    /// Whether the agents' plan has anything to do with a part.
    pub(crate) fn covers(&self, part: usize) -> bool {
        self.config().plan.covers(COMPONENTS[part])
    }

    /// Whether the installer waits for a checkpoint of a part.
    pub(crate) fn arms(&self, part: usize) -> bool {
        self.config().arms.contains(COMPONENTS[part])
    }

    /// Tells the agents what is now, until they ask for nothing more.
    pub(crate) fn tell_agents(&self, state: &mut State) {
        for node in 0..usize::from(self.control_planes()) {
            if !state.nodes[node].agent {
                continue;
            }
            for place in 0..2 {
                self.doubt(state, node, place);
                self.tell(state, node, place);
                let part = &mut state.nodes[node].parts[place];
                part.doubted &= is_in_grace(part.machine);
            }
        }
    }

    /// Remembers that the API did not say that the parent is gone while a grace period ran.
    fn doubt(&self, state: &mut State, node: usize, place: usize) {
        let reachable = state.is_reachable(self.control_planes());
        let part = &mut state.nodes[node].parts[place];
        if is_in_grace(part.machine) {
            part.doubted |= !(reachable && part.pod == Pod::None);
        }
    }

    fn tell(&self, state: &mut State, node: usize, place: usize) {
        for _ in 0..MOST_INPUTS {
            let before = state.nodes[node].parts[place].machine;
            let input = match before.announced() {
                Some((step, moment)) => Input::Released(step, moment),
                None => Input::Facts(self.facts(state, node, place)),
            };
            self.input(state, node, place, input);
            let after = state.nodes[node].parts[place].machine;
            if after == before && after.announced().is_none() && !after.awaits_facts() {
                return;
            }
        }
        panic!("a machine that is told the same again and again has to rest");
    }

    /// Gives a machine an input, and performs what follows.
    pub(crate) fn input(&self, state: &mut State, node: usize, place: usize, input: Input) {
        let plan = &self.config().plan;
        let part = &mut state.nodes[node].parts[place];
        let (machine, effects) = step(plan, COMPONENTS[place], part.machine, input);
        part.machine = machine.without_attempt();
        for effect in effects.iter() {
            match effect {
                Effect::Start(Task::Write, _) => {
                    part.pending = Pending::Partial;
                    if plan.rules.order == OrderRule::ManifestFirst {
                        part.base = Base::Torn;
                    }
                }
                Effect::Start(Task::Remove, _) => state.doubtful |= part.doubted,
                Effect::Start(Task::Retire, _) if machine.step() == Some(Step::Removed) => {
                    state.doubtful |= part.doubted;
                }
                // Tasks and timers run as the machine's state says, and releases follow at once.
                Effect::Start(..)
                | Effect::Cancel(_)
                | Effect::Arm(_)
                | Effect::Disarm(_)
                | Effect::Announce(..) => {}
            }
        }
    }

    /// The task that runs for a part does its work, or finds that it cannot.
    pub(crate) fn end_task(&self, state: &mut State, node: usize, place: usize) {
        let reachable = state.is_reachable(self.control_planes());
        let part = &mut state.nodes[node].parts[place];
        let Some((task, _)) = part.machine.running() else {
            return;
        };
        let done = match (task, part.pod, part.pending, part.base) {
            (Task::Write, Pod::Bound { bad, .. }, ..) if reachable => {
                part.pending = if bad { Pending::Bad } else { Pending::Good };
                true
            }
            (Task::Commit, _, Pending::Good | Pending::Bad, _) => {
                part.base = Base::of_revision(part.pending == Pending::Bad);
                part.pending = Pending::None;
                true
            }
            (Task::Activate, _, _, Base::Good | Base::Bad | Base::Torn) => {
                let content = match part.base {
                    Base::Good => Content::Good,
                    Base::Bad => Content::Bad,
                    Base::Torn | Base::Nothing => Content::Torn,
                };
                part.copy = Copied::Active(content, Stage::Starting);
                true
            }
            (Task::Retire, ..) => {
                part.copy = Copied::Inactive;
                true
            }
            (Task::Remove, ..) => {
                (part.base, part.pending) = (Base::Nothing, Pending::None);
                true
            }
            (Task::Write | Task::Commit | Task::Activate, ..) => false,
        };
        let outcome = if done { Outcome::Done } else { Outcome::Failed };
        self.input(state, node, place, Input::Finished(task, ATTEMPT, outcome));
    }

    /// The agent's process ends, with all that its machines knew.
    pub(crate) fn end_agent(&self, state: &mut State, node: usize) {
        let node = &mut state.nodes[node];
        node.agent = false;
        for part in &mut node.parts {
            (part.machine, part.doubted) = (begin(), false);
        }
    }
}

/// Whether a grace period runs or its removal is under way.
fn is_in_grace(machine: checkpoint::State) -> bool {
    machine.is_armed(Timer::Grace) || machine.step() == Some(Step::Removed)
}
