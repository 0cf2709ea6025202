//! The installer's driver: it gives inputs to the machine that ships and performs what follows.

use pivot::{Effect, Effects, Input, Task, resume, step};

use super::state::{State, Status};
use super::world::World;

impl World {
    /// A new process of the installer.
    pub(crate) fn start(&self, state: &mut State) {
        state.status = Status::Running;
        state.served_at_failure = 0;
        let (machine, effects) = resume(&self.config().plan, state.marker);
        self.follow(state, machine, &effects);
        self.release_at_once(state);
    }

    /// The process is gone, with all that it did not write down.
    pub(crate) fn end_process(&self, state: &mut State) {
        state.status = Status::Down;
        state.machine = self.first_state();
        self.judge_given_up(state);
    }

    /// Gives the machine an input, and performs what follows.
    pub(crate) fn input(&self, state: &mut State, input: Input) {
        let (machine, effects) = step(&self.config().plan, state.machine, &input);
        self.follow(state, machine, &effects);
        self.release_at_once(state);
    }

    /// Whether facts would change the machine or have effects.
    pub(crate) fn would_heed(&self, state: &State) -> bool {
        if !state.machine.heeds_facts() {
            return false;
        }
        let facts = Input::Facts(self.facts(state));
        let (machine, effects) = step(&self.config().plan, state.machine, &facts);
        machine.without_attempt() != state.machine || !effects.is_empty()
    }

    /// Passes the hold point of an announcement.
    pub(crate) fn release(&self, state: &mut State) {
        if let Some((stage, moment)) = state.machine.announced() {
            self.input(state, Input::Released(stage, moment));
        }
    }

    /// The process says how it ended.
    pub(crate) fn end(&self, state: &mut State) {
        if state.machine.is_holding() {
            self.judge_failure(state);
        }
        state.status = Status::Ended;
    }

    fn follow(&self, state: &mut State, machine: pivot::State, effects: &Effects) {
        state.machine = machine.without_attempt();
        if machine.tears_down() {
            self.judge_failure(state);
        }
        for effect in effects.iter() {
            match effect {
                Effect::Persist(durable) => state.marker = Some(durable),
                Effect::Start(task, _) => self.judge_started(state, task),
                Effect::Cancel(Task::StashManifest(_) | Task::DeleteManifest(_)) => {
                    self.judge_given_up(state);
                }
                Effect::Reinstate(..) => self.judge_failure(state),
                // Tasks and timers run as the machine's state says; its tests compare it with these effects.
                Effect::Cancel(_) | Effect::Arm(_) | Effect::Disarm(_) => {}
                // Released, or ended, below.
                Effect::Announce(..) | Effect::Hold(..) | Effect::Finish => {}
            }
        }
    }

    /// Nobody can tell a release from its announcement, unless a kill could fall between two markers
    /// or announcements are looked at.
    fn release_at_once(&self, state: &mut State) {
        if self.config().announces {
            return;
        }
        while let Some((stage, moment)) = state.machine.announced() {
            let released = Input::Released(stage, moment);
            let (machine, effects) = step(&self.config().plan, state.machine, &released);
            let persists = effects
                .iter()
                .any(|effect| matches!(effect, Effect::Persist(_)));
            // Asked anew each time: the stage just entered may be the first in which anything goes wrong.
            if persists && self.may_go_wrong(state).can_end_installer() {
                return;
            }
            self.follow(state, machine, &effects);
        }
        let is_over = state.machine.is_holding() || state.machine.is_done();
        if is_over && !self.may_go_wrong(state).can_end_installer() {
            self.end(state);
        }
    }
}
