//! Where the machine stands, in 64 bits.

use std::fmt;

use terms::Moment;

use crate::effect::{Attempt, StageIndex, Timer};
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

/// Readers take a reference: a state whose parts were only just written is slow to be read as a whole.
impl State {
    /// The state before the first stage's first effect.
    pub const FIRST: Self = Self::at(0, Phase::Entering);

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
    pub const fn stage(&self) -> StageIndex {
        self.place & 15
    }

    /// Whether the machine stands still and only a new start moves it.
    pub const fn is_holding(&self) -> bool {
        matches!(self.phase, Phase::Held)
    }

    /// Whether the procedure is done.
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Whether the machine waits for a hold point to be passed.
    pub const fn is_waiting_for_release(&self) -> bool {
        matches!(self.phase, Phase::Entering | Phase::Leaving)
    }

    /// Whether the bootstrap control plane is being put back.
    pub const fn is_reinstating(&self) -> bool {
        matches!(self.phase, Phase::PuttingBack | Phase::PutBack)
    }

    /// The reason that is remembered for the case that the stage fails.
    pub fn why(&self) -> Option<Why> {
        Why::ALL
            .get(usize::from(self.place >> 4).wrapping_sub(1))
            .copied()
    }

    /// Whether a failure was followed by a teardown, as history did.
    pub const fn tears_down(&self) -> bool {
        self.has(Flag::TornDown)
    }

    /// The announcement whose release is waited for.
    pub const fn announced(&self) -> Option<(StageIndex, Moment)> {
        match self.phase {
            Phase::Entering => Some((self.stage(), Moment::Entered)),
            Phase::Leaving => Some((self.stage(), Moment::Completed)),
            _ => None,
        }
    }

    /// Whether the timer runs.
    pub const fn is_armed(&self, timer: Timer) -> bool {
        self.has(Flag::of(timer))
    }

    /// Whether facts can matter now: nothing runs, waits to be tried again or to be released, or is over.
    pub const fn heeds_facts(&self) -> bool {
        self.running == 0
            && !self.has(Flag::RetryTimer)
            && matches!(
                self.phase,
                Phase::Guarding | Phase::Working | Phase::Watching | Phase::PutBack
            )
    }

    /// The same state with its attempts forgotten. For a driver that tells of no task that was given up,
    /// states that differ in the number of the attempt alone behave alike.
    #[must_use]
    pub const fn without_attempt(mut self) -> Self {
        self.attempt = 0;
        self
    }

    pub(crate) fn set_why(&mut self, why: Option<Why>) {
        // Reasons stand in `Why::ALL` at the place of their number; there are fewer than sixteen.
        let kept = why.filter(|why| usize::from(*why as u8) < Why::ALL.len());
        let code = kept.map_or(0, |why| why as u8 + 1);
        self.place = self.stage() | code << 4;
    }

    pub(crate) const fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }

    pub(crate) const fn set(&mut self, flag: Flag) {
        self.flags |= flag as u8;
    }

    pub(crate) const fn clear(&mut self, flag: Flag) {
        self.flags &= !(flag as u8);
    }
}

/// The whole state as a number, for those who store many of them. From the lowest bit: running tasks
/// (16 bits, by index), done tasks (16), attempt (8), stage (4), reason (4; 0 is none), phase (8), flags (8).
impl State {
    /// The state as a number.
    #[inline]
    pub const fn to_bits(self) -> u64 {
        self.running as u64
            | (self.done as u64) << 16
            | (self.attempt as u64) << 32
            | (self.place as u64) << 40
            | (self.phase as u64) << 48
            | (self.flags as u64) << 56
    }

    /// The state of a number, if it is one's.
    #[inline]
    pub fn from_bits(bits: u64) -> Option<Self> {
        let [low, high, done_low, done_high, attempt, place, phase, flags] = bits.to_le_bytes();
        let phase = Phase::ALL.get(usize::from(phase)).copied()?;
        let is_known = usize::from(place >> 4) <= Why::ALL.len();
        is_known.then_some(Self {
            running: u16::from_le_bytes([low, high]),
            done: u16::from_le_bytes([done_low, done_high]),
            attempt,
            place,
            phase,
            flags,
        })
    }
}

impl Phase {
    /// Every phase, at the place of its number.
    const ALL: [Self; 9] = [
        Self::Entering,
        Self::Guarding,
        Self::Working,
        Self::Watching,
        Self::Leaving,
        Self::PuttingBack,
        Self::PutBack,
        Self::Held,
        Self::Done,
    ];
}

impl Flag {
    /// The flag that says that the timer runs.
    pub(crate) const fn of(timer: Timer) -> Self {
        match timer {
            Timer::Stage => Self::StageTimer,
            Timer::Stable => Self::StableTimer,
            Timer::Retry => Self::RetryTimer,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_its_number() {
        for (place, phase) in (0..).zip(Phase::ALL) {
            assert_eq!(phase as usize, place);
            let mut state = State::at(13, phase);
            state.set_why(Some(Why::LeasesNotTaken));
            state.set(Flag::Resumed);
            (state.running, state.done, state.attempt) = (0x8001, 0x4002, 200);
            assert_eq!(State::from_bits(state.to_bits()), Some(state));
        }
        for why in Why::ALL {
            let mut state = State::FIRST;
            state.set_why(Some(why));
            assert_eq!(state.why(), Some(why));
        }
        assert_eq!(State::from_bits(9 << 48), None, "there is no tenth phase");
        assert_eq!(State::from_bits(10 << 44), None, "there is no tenth reason");
    }
}
