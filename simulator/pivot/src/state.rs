//! Where the machine stands, in 64 bits.

use std::fmt;

use crate::effect::{Attempt, StageIndex};
use crate::plan::Why;

/// Where the machine stands. It holds no time, no text and nothing of the cluster: what the machine
/// has to know of the world it is told, and all that must survive a kill is [`crate::Durable`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// Tasks of the stage that were started and have not ended, by their index.
    pub(crate) running: u16,
    /// Tasks of the stage that are done, by their index.
    pub(crate) done: u16,
    /// The attempt of every running task: a batch is started at once and ends before the next.
    pub(crate) attempt: Attempt,
    /// The stage in the lower half, the remembered reason in the upper one.
    place: u8,
    pub(crate) phase: Phase,
    flags: u8,
}

/// An explorer visits millions of states: each must be one machine word.
const _: () = assert!(size_of::<State>() <= 8);

/// What the machine is doing in its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// Announced as entered; waits to be released.
    Entering,
    /// Waits until the guard holds, with nothing touched yet.
    Guarding,
    /// Has tasks running, or waits to try failed ones again.
    Working,
    /// Waits until what it has done shows in the facts.
    Watching,
    /// Announced as completed; waits to be released.
    Leaving,
    /// Puts the bootstrap control plane back.
    PuttingBack,
    /// Waits until the bootstrap control plane is seen to serve again.
    PutBack,
    /// Stands still.
    Held,
    /// The procedure is done.
    Done,
}

/// Facts about the stage that are one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Flag {
    /// The stage timer runs.
    StageTimer = 1,
    /// The stable timer runs.
    StableTimer = 2,
    /// The retry timer runs.
    RetryTimer = 4,
    /// A task of the present batch failed.
    BatchFailed = 8,
    /// Tearing down after a failure, as history did.
    TornDown = 16,
    /// Bootstrap instances have been absent for the stable time.
    Settled = 32,
    /// What the stage waits for between its tasks was seen.
    Passed = 64,
    /// The stage was entered by a resumption: it may have been begun before.
    Resumed = 128,
}

impl State {
    /// A state at the beginning of a stage.
    pub(crate) const fn at(stage: StageIndex, phase: Phase) -> Self {
        Self {
            running: 0,
            done: 0,
            attempt: 0,
            place: stage & 15,
            phase,
            flags: 0,
        }
    }

    /// The stage that the machine is in.
    pub const fn stage(self) -> StageIndex {
        self.place & 15
    }

    /// Whether the machine stands still and only a new start moves it.
    pub const fn is_holding(self) -> bool {
        matches!(self.phase, Phase::Held)
    }

    /// Whether the procedure is done.
    pub const fn is_done(self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Whether the machine waits for a hold point to be passed.
    pub const fn is_waiting_for_release(self) -> bool {
        matches!(self.phase, Phase::Entering | Phase::Leaving)
    }

    /// Whether the bootstrap control plane is being put back.
    pub const fn is_reinstating(self) -> bool {
        matches!(self.phase, Phase::PuttingBack | Phase::PutBack)
    }

    /// The reason that is remembered for the case that the stage fails.
    pub fn why(self) -> Option<Why> {
        Why::ALL
            .get(usize::from(self.place >> 4).wrapping_sub(1))
            .copied()
    }

    pub(crate) fn set_why(&mut self, why: Option<Why>) {
        let number = why.and_then(|why| Why::ALL.iter().position(|known| *known == why));
        let code = number.map_or(0, |number| {
            u8::try_from(number + 1).expect("there are fewer than sixteen reasons")
        });
        self.place = self.stage() | code << 4;
    }

    pub(crate) const fn has(self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }

    pub(crate) const fn set(&mut self, flag: Flag) {
        self.flags |= flag as u8;
    }

    pub(crate) const fn clear(&mut self, flag: Flag) {
        self.flags &= !(flag as u8);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            running,
            done,
            attempt,
            place: _,
            phase,
            flags,
        } = self;
        write!(
            formatter,
            "stage {} {phase:?} why {:?} attempt {attempt} running {running:#b} done {done:#b} flags {flags:#b}",
            self.stage(),
            self.why(),
        )
    }
}
