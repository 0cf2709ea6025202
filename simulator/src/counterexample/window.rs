//! How long what can happen takes, once it can.

use std::fmt;

use pivot::{StageIndex, Task, Timer as Armed};
use terms::Component;

use crate::coarse::{Action, Lease, State, Status, World};
use crate::explore::Model;
use crate::timers::{Span, Timer, Timers};

/// Controllers that lead act within this time, in milliseconds. The timed world has them act at once; real
/// ones have queues of 10 requests a second with bursts of 100 (facts: simulation.md §7.1) and few pods to
/// make, and fill their caches first.
const CONTROLLERS_ACT_MS: u64 = 5_000;

/// What runs from the moment on at which something can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// A task of a stage, whatever comes of it.
    Task(StageIndex, Task),
    /// A timer of a stage.
    Timer(StageIndex, Armed),
    /// Anything else.
    Other(Action),
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Not before.
    pub(crate) least_ms: u64,
    /// Not after; none if nothing bounds it.
    pub(crate) most_ms: Option<u64>,
}

impl Window {
    const ANY: Self = Self {
        least_ms: 0,
        most_ms: None,
    };

    const fn within(most_ms: u64) -> Self {
        Self {
            least_ms: 0,
            most_ms: Some(most_ms),
        }
    }
}

impl Clock {
    /// The clock that ends with this action; none if it ends none: what landed is still answered.
    pub(crate) fn of(action: Action, state: &State) -> Option<Self> {
        let stage = state.machine.stage();
        match action {
            Action::Lands(_) => None,
            Action::Done(task) | Action::Fails(task) | Action::AnswerLost(task) => {
                Some(Self::Task(stage, task))
            }
            Action::Retry => Some(Self::Timer(stage, Armed::Retry)),
            Action::Stable | Action::StableUnseen => Some(Self::Timer(stage, Armed::Stable)),
            Action::Overdue | Action::OverdueEarly => Some(Self::Timer(stage, Armed::Stage)),
            other => Some(Self::Other(other)),
        }
    }
}

/// The clocks that run in a state.
pub(crate) fn running(world: &World, state: &State) -> Vec<Clock> {
    let mut listed = Vec::new();
    world.actions(state, &mut listed);
    let mut clocks: Vec<Clock> = Vec::new();
    let timers = [Armed::Stage, Armed::Stable, Armed::Retry];
    let armed = timers
        .into_iter()
        .filter(|timer| state.status == Status::Running && state.machine.is_armed(*timer))
        .map(|timer| Clock::Timer(state.machine.stage(), timer));
    // Where nothing moves, tasks may fail and be tried again any number of times before the deadline.
    let stands_still = listed.contains(&Action::Overdue);
    let in_vain = |clock: &Clock| {
        stands_still && matches!(clock, Clock::Task(..) | Clock::Timer(_, Armed::Retry))
    };
    let possible = listed
        .into_iter()
        .filter_map(|action| Clock::of(action, state));
    for clock in possible.chain(armed).filter(|clock| !in_vain(clock)) {
        if !clocks.contains(&clock) {
            clocks.push(clock);
        }
    }
    clocks
}

/// Where a clock begins: the way there, and its states with the one in which the clock begins last.
pub(crate) struct Begun<'a> {
    pub(crate) world: &'a World,
    pub(crate) timers: Timers,
    pub(crate) before: &'a [Action],
    pub(crate) states: &'a [State],
}

impl Begun<'_> {
    /// The clock's window.
    pub(crate) fn window(&self, clock: Clock) -> Window {
        match clock {
            Clock::Task(_, Task::Canary) => self.spans(&[Timer::InstallerCanary]),
            Clock::Task(..) => self.spans(&[Timer::InstallerTask]),
            Clock::Timer(stage, timer) => self.timer(stage, timer),
            Clock::Other(action) => self.other(action),
        }
    }

    fn state(&self) -> &State {
        &self.states[self.states.len() - 1]
    }

    fn span(&self, timer: Timer) -> Span {
        self.timers.span(timer)
    }

    fn spans(&self, timers: &[Timer]) -> Window {
        let spans = || timers.iter().map(|timer| self.span(*timer));
        Window {
            least_ms: spans().map(|span| span.least_ms).sum(),
            most_ms: Some(spans().map(|span| span.most_ms).sum()),
        }
    }

    /// Timers are exact; what hears of them looks as often as the installer does.
    fn timer(&self, stage: StageIndex, timer: Armed) -> Window {
        let plan = &self.world.config().plan;
        let stage = plan.stages.get(usize::from(stage));
        let ms = match timer {
            Armed::Stage => stage.map_or(0, |stage| stage.deadline_ms),
            Armed::Stable => stage.map_or(0, |stage| stage.stable_ms),
            Armed::Retry => plan.retry_ms,
        };
        let least_ms = u64::from(ms);
        Window {
            least_ms,
            most_ms: Some(least_ms + self.span(Timer::InstallerLook).most_ms),
        }
    }

    fn other(&self, action: Action) -> Window {
        match action {
            // The last look was some time ago.
            Action::Look => Window::within(self.span(Timer::InstallerLook).most_ms),
            Action::Release | Action::End => {
                Window::within(self.span(Timer::InstallerTask).most_ms)
            }
            Action::Resume if self.follows_power(0) => self.spans(&[Timer::NodeBoot]),
            Action::BootstrapReady(component) => self.start(component, 0, true),
            Action::PodReady(component, node) => self.start(component, node, false),
            Action::BootstrapGone(component) => {
                let stop = match component {
                    Component::KubeApiserver => Timer::ApiserverDrain,
                    _ => Timer::ControllerStop,
                };
                self.spans(&[Timer::EndNoticed, stop])
            }
            // Two checks take one off the list, one puts it on.
            Action::Check(..) => Window::within(2 * self.span(Timer::LoadBalancerCheck).most_ms),
            Action::TakeLease(lock, _) => self.lease(lock),
            Action::GoesStale(_) => self.spans(&[Timer::NodeFresh]),
            Action::CreatePods | Action::BindPods => Window::within(CONTROLLERS_ACT_MS),
            _ => Window::ANY,
        }
    }

    fn follows_power(&self, node: u8) -> bool {
        self.before.last() == Some(&Action::PowerOn(node))
    }

    /// A process that starts, on a node that may have to boot first. After a fault, and where
    /// two apiservers want one port, back-offs may put it off.
    fn start(&self, component: Component, node: u8, bootstrap: bool) -> Window {
        let start = match component {
            Component::KubeApiserver => Timer::ApiserverStart,
            _ => Timer::ControllerStart,
        };
        let boots = self.follows_power(node);
        let boot_ms = if boots {
            self.span(Timer::NodeBoot).least_ms
        } else {
            0
        };
        let disturbed = |action: &Action| matches!(action, Action::Kill(..) | Action::CutPower(_));
        let undisturbed = !self.world.config().one_port && !self.before.iter().any(disturbed);
        // A bootstrap process may find no etcd or apiserver yet, end, and be started again at once.
        let mut most = vec![Timer::EndNoticed, start];
        if bootstrap {
            most.extend([Timer::EtcdStart, Timer::ApiserverStart, start]);
        }
        Window {
            least_ms: boot_ms + self.span(start).least_ms,
            most_ms: self.spans(&most).most_ms.filter(|_| undisturbed),
        }
    }

    /// A candidate takes a lease that ran out, as it sees it.
    fn lease(&self, lock: Component) -> Window {
        let place = usize::from(lock == Component::KubeScheduler);
        let lease = |state: &State| state.leases[place];
        let lasts = match lease(self.state()) {
            Lease::Never => None,
            Lease::BootstrapGone => Some(Timer::BootstrapLease),
            _ => Some(Timer::Lease),
        };
        let lasts_ms = lasts.map_or(0, |timer| self.span(timer).most_ms);
        let held_before = self
            .states
            .len()
            .checked_sub(2)
            .is_some_and(|before| !lease(&self.states[before]).is_free());
        // A scheduler that is told to stop gives its lease back.
        let waits = held_before && lock == Component::KubeControllerManager;
        let renewed_ms = self.span(Timer::LeaseRenewal).most_ms;
        Window {
            least_ms: if waits {
                lasts_ms.saturating_sub(renewed_ms)
            } else {
                0
            },
            most_ms: Some(lasts_ms + self.span(Timer::LeaseTaken).most_ms),
        }
    }
}

/// What happens, in words that begin a sentence.
impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(_, task) => write!(formatter, "the task {task:?}"),
            Self::Timer(_, Armed::Stage) => formatter.write_str("the stage's deadline"),
            Self::Timer(_, Armed::Stable) => formatter.write_str("the stable time"),
            Self::Timer(_, Armed::Retry) => formatter.write_str("the time to try again"),
            Self::Other(action) => write!(formatter, "`{action}`"),
        }
    }
}
