//! Where the machine stands, in 32 bits.

use std::fmt;

use terms::Moment;

use super::effect::{Step, Task, Timer};
use crate::effect::Attempt;

/// Where the machine stands. It holds no time and no text; what lies on the disk it is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The phase's number.
    phase: u8,
    flags: u8,
    /// The attempt of the task that runs, or ran last.
    pub(super) attempt: Attempt,
    /// The parent that the last facts told of.
    pub(super) parent: u8,
}

/// An explorer visits millions of states, each with several machines.
const _: () = assert!(size_of::<State>() <= 4);

/// Where a new process of the agent begins, whatever was before.
pub const fn begin() -> State {
    State {
        phase: Phase::Watching.number(),
        flags: 0,
        attempt: 0,
        parent: 0,
    }
}

/// What the machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Phase {
    /// Nothing is to be done; timers run for what may have to be done.
    Watching,
    /// A step is announced as entered; waits to be released.
    Entering(Step),
    /// Waits for fresh facts, by which the step is done or left alone.
    Guarding(Step),
    /// Has a task running, or waits to try again.
    Working(Step),
    /// A step is announced as completed; waits to be released.
    Leaving(Step),
}

/// What is one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Flag {
    ReadyTimer = 1,
    AbsentTimer = 2,
    HandoverTimer = 4,
    GraceTimer = 8,
    RetryTimer = 16,
    /// A task runs.
    Running = 32,
    /// What the step asks for did not hold at some time since it was announced.
    Spoiled = 64,
    /// The copy is being taken out so that its versions can be removed.
    Clearing = 128,
}

impl Flag {
    /// The flag that says that the timer runs.
    pub(super) const fn of(timer: Timer) -> Self {
        match timer {
            Timer::Ready => Self::ReadyTimer,
            Timer::Absent => Self::AbsentTimer,
            Timer::Handover => Self::HandoverTimer,
            Timer::Grace => Self::GraceTimer,
            Timer::Retry => Self::RetryTimer,
        }
    }
}

impl State {
    /// The announcement whose release is waited for.
    pub const fn announced(&self) -> Option<(Step, Moment)> {
        match self.phase() {
            Phase::Entering(step) => Some((step, Moment::Entered)),
            Phase::Leaving(step) => Some((step, Moment::Completed)),
            _ => None,
        }
    }

    /// Whether the timer runs.
    pub const fn is_armed(&self, timer: Timer) -> bool {
        self.has(Flag::of(timer))
    }

    /// The task that runs, with its attempt.
    pub const fn running(&self) -> Option<(Task, Attempt)> {
        if !self.has(Flag::Running) {
            return None;
        }
        let task = match self.phase() {
            Phase::Working(Step::Written) => Task::Write,
            Phase::Working(Step::Saved) => Task::Commit,
            Phase::Working(Step::Activated) => Task::Activate,
            Phase::Working(Step::Retired) => Task::Retire,
            Phase::Working(Step::Removed) if self.has(Flag::Clearing) => Task::Retire,
            Phase::Working(Step::Removed) => Task::Remove,
            _ => return None,
        };
        Some((task, self.attempt))
    }

    /// Whether the machine decides by the next facts, even if they are those of before.
    pub const fn awaits_facts(&self) -> bool {
        matches!(self.phase(), Phase::Guarding(_))
    }

    /// Whether nothing is under way.
    pub const fn is_watching(&self) -> bool {
        matches!(self.phase(), Phase::Watching)
    }

    /// The step that is under way.
    pub const fn step(&self) -> Option<Step> {
        match self.phase() {
            Phase::Watching => None,
            Phase::Entering(step)
            | Phase::Guarding(step)
            | Phase::Working(step)
            | Phase::Leaving(step) => Some(step),
        }
    }

    /// The same state with its attempt forgotten. For a driver that tells of no task that was given up,
    /// states that differ in the number of the attempt alone behave alike.
    #[must_use]
    pub const fn without_attempt(mut self) -> Self {
        self.attempt = 0;
        self
    }

    pub(super) const fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }

    pub(super) const fn set(&mut self, flag: Flag) {
        self.flags |= flag as u8;
    }

    pub(super) const fn clear(&mut self, flag: Flag) {
        self.flags &= !(flag as u8);
    }
}

/// The whole state as a number, for those who store many of them. From the lowest bit: phase (8 bits: 0
/// is watching; entering, guarding, working and leaving begin at 1, 6, 11 and 16, plus the step's place),
/// flags (8), attempt (8), parent (8).
impl State {
    /// How many phases there are.
    pub const PHASES: u8 = 21;

    /// The state as a number.
    pub const fn to_bits(self) -> u32 {
        u32::from_le_bytes([self.phase, self.flags, self.attempt, self.parent])
    }

    /// The state of a number, if it is one's.
    pub fn from_bits(bits: u32) -> Option<Self> {
        let [phase, flags, attempt, parent] = bits.to_le_bytes();
        (phase < Self::PHASES).then_some(Self {
            phase,
            flags,
            attempt,
            parent,
        })
    }

    pub(super) const fn phase(&self) -> Phase {
        Phase::of(self.phase)
    }

    pub(super) const fn set_phase(&mut self, phase: Phase) {
        self.phase = phase.number();
    }
}

impl Phase {
    /// 0 is watching; otherwise one more than five times the kind and the step.
    const fn number(self) -> u8 {
        match self {
            Self::Watching => 0,
            Self::Entering(step) => 1 + step as u8,
            Self::Guarding(step) => 6 + step as u8,
            Self::Working(step) => 11 + step as u8,
            Self::Leaving(step) => 16 + step as u8,
        }
    }

    const fn of(number: u8) -> Self {
        let Some(place) = number.checked_sub(1) else {
            return Self::Watching;
        };
        let step = Step::ALL[(place % 5) as usize];
        match place / 5 {
            0 => Self::Entering(step),
            1 => Self::Guarding(step),
            2 => Self::Working(step),
            _ => Self::Leaving(step),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            phase: _,
            flags,
            attempt,
            parent,
        } = self;
        let phase = self.phase();
        write!(
            formatter,
            "{phase:?} attempt {attempt} parent {parent} flags {flags:#b}"
        )
    }
}
