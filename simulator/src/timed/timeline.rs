//! The timeline: entries carried out one after another, each as far as it can be at an instant.

use std::collections::BTreeMap;

use oracle::observation::{Cause, Entry as EntryRecord, OperationEnd, Settled, Trouble};
use oracle::{Sighting, Source};
use scenarios::{At, Entry, Heal, Joined, Operation, Settle, describe_entry};
use terms::{Fault, NodeId};

use super::operation::BOOTSTRAP;
use super::play::{LOOK_MS, Play};
use crate::thin::Done;

/// How far the entry is that is being carried out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Progress {
    /// It has not begun.
    Next,
    /// It waits for something, since this time.
    Waiting(u64),
    /// Its operation was started.
    Started,
    /// Its faults were injected, and are proven at this time.
    Proving(u64, Vec<Done>),
    /// Power is back since the first time; at the second, services run.
    Healing(u64, u64, Vec<NodeId>),
    /// The cluster is watched since the first time; all has been well since the second.
    Settling(u64, Option<u64>),
    /// There is no further entry.
    Over,
}

/// What an entry comes to at an instant.
enum Turn {
    /// It goes on later.
    Later(Progress),
    /// It goes on at once.
    Now(Progress),
    /// It is done.
    Done,
}

impl Play<'_> {
    /// Carries out everything that can be at this instant.
    pub(super) fn go_on(&mut self) {
        while self.trouble.is_none() && self.progress != Progress::Over {
            let Some(entry) = self.case.timeline.get(self.entry) else {
                // What was started in the background is joined by the end.
                if self.open.is_none() {
                    self.progress = Progress::Over;
                }
                return;
            };
            let progress = std::mem::replace(&mut self.progress, Progress::Next);
            let progress = match progress {
                Progress::Next => {
                    self.mark(entry, true);
                    Progress::Waiting(self.world.now_ms())
                }
                progress => progress,
            };
            match self.turn(entry, progress) {
                Turn::Later(progress) => {
                    self.progress = progress;
                    return;
                }
                Turn::Now(progress) => self.progress = progress,
                Turn::Done => {
                    self.mark(entry, false);
                    self.entry += 1;
                }
            }
        }
    }

    fn mark(&mut self, entry: &Entry, begins: bool) {
        let record = EntryRecord {
            entry: self.index(),
            what: describe_entry(entry),
            begins,
        };
        self.watcher
            .runner(self.world.now_ms(), Sighting::Entry(record));
    }

    pub(super) fn index(&self) -> u32 {
        u32::try_from(self.entry).unwrap_or(u32::MAX)
    }

    fn turn(&mut self, entry: &Entry, progress: Progress) -> Turn {
        match entry {
            Entry::Operation(operation) => self.operate(*operation, progress),
            Entry::At(at) => self.at(at, progress),
            Entry::Inject(faults) => self.inject(faults, progress),
            Entry::Wait(time) => match progress {
                Progress::Waiting(since_ms) if self.world.now_ms() < since_ms + time.0 => {
                    Turn::Later(progress)
                }
                _ => Turn::Done,
            },
            Entry::Heal(heal) => self.heal(heal, progress),
            Entry::Settle(settle) => self.settle(settle, progress),
        }
    }

    fn operate(&mut self, operation: Operation, progress: Progress) -> Turn {
        match progress {
            Progress::Started if self.open.is_none() => Turn::Done,
            Progress::Started => Turn::Later(progress),
            // The operation before is joined first.
            _ if self.open.is_some() => Turn::Later(progress),
            _ => {
                self.start(operation.kind.name());
                if operation.joined == Joined::ByItself {
                    Turn::Later(Progress::Started)
                } else {
                    Turn::Done
                }
            }
        }
    }

    fn at(&mut self, at: &At, progress: Progress) -> Turn {
        let since_ms = match progress {
            Progress::Waiting(since_ms) => since_ms,
            proving => {
                let turn = self.inject(&at.inject, proving);
                let stopped = at
                    .inject
                    .iter()
                    .any(|fault| self.stops_the_installer(fault));
                if matches!(turn, Turn::Done) {
                    if let Some(node) = self.agent_of(at) {
                        self.world.release_agent(node);
                    } else if !stopped {
                        self.release();
                    }
                }
                return turn;
            }
        };
        if self.is_held_at(at) {
            return Turn::Now(self.strike_all(&at.inject));
        }
        let address = || format!("{} {} #{}", at.step, at.moment, at.occurrence);
        if self.open.is_none() && self.agent_of(at).is_none() {
            let what = format!("the operation ended without reaching {}", address());
            self.trouble = Some(fault_trouble(what));
        } else if self.world.now_ms() >= since_ms + at.within.0 {
            let what = format!("{} was not reached within {}", address(), at.within);
            self.trouble = Some(fault_trouble(what));
        }
        Turn::Later(progress)
    }

    /// The node of the agent that is addressed; none for the installer.
    fn agent_of(&self, at: &At) -> Option<u8> {
        self.world.index(&at.actor.agent_node()?)
    }

    fn is_held_at(&self, at: &At) -> bool {
        match self.agent_of(at) {
            Some(node) => self
                .world
                .agent_is_held(node, &at.step, at.moment, at.occurrence),
            None => self.held.as_ref().is_some_and(|held| held.is_at(at)),
        }
    }

    fn stops_the_installer(&self, fault: &Fault) -> bool {
        matches!(fault, Fault::KillInstaller(_))
            || matches!(fault, Fault::Reboot(_)) && self.hit.contains(&BOOTSTRAP)
            || self.off.contains(&BOOTSTRAP)
    }

    fn inject(&mut self, faults: &[Fault], progress: Progress) -> Turn {
        match progress {
            Progress::Proving(until_ms, done) if self.world.now_ms() >= until_ms => {
                for done in done {
                    self.watcher.fault(self.world.now_ms(), done);
                }
                Turn::Done
            }
            Progress::Proving(..) => Turn::Later(progress),
            _ => Turn::Now(self.strike_all(faults)),
        }
    }

    fn heal(&mut self, heal: &Heal, progress: Progress) -> Turn {
        match progress {
            Progress::Healing(since_ms, until_ms, nodes) if self.world.now_ms() >= until_ms => {
                let times = (since_ms, self.world.now_ms());
                self.watcher.heal(times, self.index(), Ok(nodes));
                Turn::Done
            }
            Progress::Healing(..) => Turn::Later(progress),
            _ => {
                let named = match heal {
                    Heal::Everything => None,
                    Heal::Nodes(nodes) => Some(nodes),
                };
                let now_ms = self.world.now_ms();
                match self.undo(named) {
                    Ok((nodes, up_ms)) => Turn::Now(Progress::Healing(now_ms, up_ms, nodes)),
                    Err(reason) => {
                        self.watcher
                            .heal((now_ms, now_ms), self.index(), Err(reason));
                        Turn::Done
                    }
                }
            }
        }
    }

    fn settle(&mut self, settle: &Settle, progress: Progress) -> Turn {
        let now_ms = self.world.now_ms();
        let (since_ms, well_since_ms) = match progress {
            Progress::Settling(since_ms, well_since_ms) => (since_ms, well_since_ms),
            _ if self.open.is_some() => return Turn::Later(progress),
            _ => (now_ms, None),
        };
        if !now_ms.is_multiple_of(LOOK_MS) {
            return Turn::Later(Progress::Settling(since_ms, well_since_ms));
        }
        let holding = self.last_end == Some(OperationEnd::Holding);
        let mut missing = self.world.missing(holding, &self.off);
        let well_since_ms = missing.is_empty().then(|| well_since_ms.unwrap_or(now_ms));
        let settled = well_since_ms.is_some_and(|well| now_ms >= well + settle.stable_for.0);
        if !settled {
            if now_ms < since_ms + settle.within.0 {
                return Turn::Later(Progress::Settling(since_ms, well_since_ms));
            }
            if missing.is_empty() {
                missing.push("a quiet time that is long enough".to_owned());
            }
        }
        let record = Settled {
            entry: self.index(),
            missing,
            // There are no workloads here: a user's claims are left out, as the documents say.
            failed_claims: BTreeMap::new(),
            took_ms: now_ms - since_ms,
        };
        let saw = Sighting::Settled(record);
        self.watcher
            .put(Source::Runner, since_ms * 1_000, now_ms * 1_000, saw);
        Turn::Done
    }
}

fn fault_trouble(detail: String) -> Trouble {
    Trouble {
        cause: Cause::Fault,
        detail,
    }
}
