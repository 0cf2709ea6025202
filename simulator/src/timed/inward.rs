//! What a timed run tells of itself: every step of the world that the coarse one has a word for.
//!
//! Nothing of it goes into the record. Unlike a record it has no looks and no gaps: each change stands
//! at the instant at which it happened, and who leads, works or is listed is told, not guessed.
//!
//! # Instants
//! A tick of the world, each input that the installer's machine takes together with all effects of it,
//! and what the timeline does at one time are each an instant. What changes at one instant has no order.

use std::collections::{BTreeMap, BTreeSet};

use pivot::{AssetGroup, Input, LogEntry, Outcome as TaskOutcome, Timer};
use terms::{Component, Fault, Incarnation, Moment, StepName};

use crate::coarse::Joined;
use crate::conform::{Change, Holder, Made, Seen, Strike, Track, Value, why_unknown};
use crate::thin::{World, WorldDriver};

const STARTERS: [Incarnation; 2] = [Incarnation::Bootstrap, Incarnation::SelfHosted];

/// Listens to a timed run.
#[derive(Debug, Default)]
pub(super) struct Inward {
    changes: Vec<Change>,
    last: BTreeMap<Track, Value>,
    /// The present instant: microseconds of virtual time, with a number of its own for each.
    now_us: u64,
    strikes: u32,
    /// Why nothing is told any more, and since when.
    uncovered: Option<(u64, String)>,
    /// An installer was started once: before, the coarse world's waits for its first announcement to be seen.
    started: bool,
    /// Bootstrap processes that did their work before they were asked to end.
    worked: BTreeSet<u32>,
    /// Entries of the load balancer that may differ from what a store without elections would show.
    clouded: BTreeSet<(Incarnation, u8)>,
}

impl Inward {
    /// What was told.
    pub(super) fn heard(self, control_planes: u8) -> Seen {
        Seen::told(control_planes, self.changes, self.uncovered)
    }

    /// Something that is done once.
    pub(super) fn event(&mut self, track: Track, value: Value) {
        if self.uncovered.is_none() {
            self.changes.push(Change {
                track,
                value,
                since_us: self.now_us,
                until_us: self.now_us,
            });
        }
    }

    /// The installer announced something, so it runs.
    pub(super) fn step(&mut self, step: StepName, moment: Moment) {
        self.show(Track::Installer, Value::There(true));
        self.event(Track::Steps, Value::Step(step, moment));
    }

    fn show(&mut self, track: Track, value: Value) {
        let before = self.last.insert(track, value.clone());
        if before.as_ref() == Some(&value) || self.uncovered.is_some() {
            return;
        }
        if let (Some(Value::Process(Some(_))), Value::Process(Some(_))) = (&before, &value) {
            self.event(track, Value::Process(None));
        }
        let since_us = if before.is_some() { self.now_us } else { 0 };
        self.changes.push(Change {
            track,
            value,
            since_us,
            until_us: self.now_us,
        });
    }

    /// Something was done to the cluster.
    pub(super) fn strike(&mut self, strike: Strike) {
        self.strikes += 1;
        self.event(Track::Outside(self.strikes), Value::Strike(strike));
    }

    /// Something was done that the coarse world cannot follow, if it cannot.
    pub(super) fn fault(&mut self, fault: &Fault, nodes: &[u8]) {
        if let Some(reason) = why_unknown(fault) {
            return self.leave(reason);
        }
        match fault {
            Fault::Kill(kill) => {
                for node in nodes {
                    self.strike(Strike::Kill(kill.component, *node));
                }
            }
            Fault::KillInstaller(_) => self.strike(Strike::KillInstaller),
            // Power is told where it is lost and comes back; of the others the reason is.
            _ => {}
        }
    }

    /// What happened at this instant is left out too: it has no order.
    fn leave(&mut self, reason: String) {
        if self.uncovered.is_none() {
            self.changes.retain(|change| change.until_us < self.now_us);
            self.uncovered = Some((self.now_us, reason));
        }
    }

    /// The machine took this.
    pub(super) fn input(&mut self, entry: Option<&LogEntry>) {
        match entry {
            Some(LogEntry::Stepped {
                input: Input::Finished(task, _, TaskOutcome::Done),
                ..
            }) => self.event(Track::Tasks, Value::Done(*task)),
            Some(LogEntry::Stepped {
                input: Input::Elapsed(timer @ (Timer::Stable | Timer::Stage)),
                ..
            }) => self.event(Track::Timers, Value::Elapsed(*timer)),
            _ => {}
        }
    }
}

// === What is ===

impl Inward {
    /// The end of an instant: tells what is different now.
    pub(super) fn instant(&mut self, world: &World, installer: Option<&WorldDriver>) {
        self.started |= installer.is_some();
        if self.started {
            self.show(Track::Installer, Value::There(installer.is_some()));
            self.show(Track::Marker, Value::Marker(world.node(0).marker));
        }
        self.files(world);
        for node in 0..world.control_planes {
            self.node(world, node);
        }
        for lock in [Component::KubeControllerManager, Component::KubeScheduler] {
            let holder = world.leases[&lock].holder;
            // Nobody holds a lease that was never taken.
            if holder.is_some() || self.last.contains_key(&Track::Lease(lock)) {
                let holder = holder.map(|(node, incarnation, pid)| Holder {
                    identity: format!("{}_{pid}", world.name(node)),
                    node: Some(node),
                    incarnation: Some(incarnation),
                });
                self.show(Track::Lease(lock), Value::Holder(holder));
            }
        }
        let applied = world.applied.contains(&AssetGroup::ControlPlane);
        self.show(Track::Applied, Value::There(applied));
        self.now_us += 1;
    }

    /// Time has passed.
    pub(super) fn passed(&mut self, now_ms: u64) {
        self.now_us = self.now_us.max(now_ms * 1_000);
    }

    fn files(&mut self, world: &World) {
        let node = world.node(0);
        for component in Component::SELF_HOSTED {
            let placed = node.manifests.contains(&component);
            self.show(Track::Manifest(component), Value::There(placed));
            let stashed = node.stashed.contains(&component);
            self.show(Track::Stashed(component), Value::There(stashed));
        }
        self.show(Track::Secrets, Value::There(node.secrets));
        self.show(Track::StashedSecrets, Value::There(node.stashed_secrets));
        self.show(Track::Assets, Value::There(node.assets));
        self.show(Track::Claimed, Value::There(node.claimed));
    }

    fn node(&mut self, world: &World, node: u8) {
        let on = world.is_on(node);
        if self.last.get(&Track::Fresh(node)) == Some(&Value::Unknown) && !on {
            self.strike(Strike::PowerOff(node));
        } else if self
            .last
            .get(&Track::Fresh(node))
            .is_some_and(|fresh| *fresh != Value::Unknown)
            && on
        {
            self.strike(Strike::PowerOn(node));
        }
        let fresh = if on {
            Value::Unknown
        } else {
            Value::There(world.is_fresh(node))
        };
        self.show(Track::Fresh(node), fresh);
        let joined = match (
            world.registered.contains(node),
            world.labelled.contains(node),
        ) {
            (_, true) => Joined::Labelled,
            (true, false) => Joined::Registered,
            (false, false) => Joined::No,
        };
        self.show(Track::Joined(node), Value::Joined(joined));
        for component in Component::SELF_HOSTED {
            let copy = world
                .node(node)
                .process(component, Some(Incarnation::Checkpoint));
            if copy.is_some() {
                self.leave("the coarse world starts no copies from checkpoints".to_owned());
            }
            for starter in STARTERS {
                self.process(world, component, starter, node);
            }
            let pod = |pod: &&crate::thin::Pod| pod.component == component && pod.node == node;
            let made = match world.pods.iter().find(pod) {
                None => Made::No,
                Some(pod) if pod.bound => Made::Bound,
                Some(_) => Made::Created,
            };
            self.show(Track::Made(component, node), Value::Made(made));
        }
        for starter in STARTERS {
            self.listed(world, starter, node);
        }
    }

    fn process(&mut self, world: &World, component: Component, starter: Incarnation, node: u8) {
        let process = world.node(node).process(component, Some(starter));
        let id = process.map(|process| oracle::observation::ProcessId {
            pid: process.pid,
            start_ticks: process.started_ms / 10,
        });
        let works = process.is_some_and(|process| {
            // The coarse world ends what is killed at once, and what loses its manifest in its own time.
            let wanted = world.node(node).manifests.contains(&component);
            let ends = starter == Incarnation::Bootstrap
                && !wanted
                && self.worked.contains(&process.pid)
                && process.works(world.now_ms());
            if process.is_ready(world.now_ms()) {
                self.worked.insert(process.pid);
            }
            ends || process.is_ready(world.now_ms())
        });
        self.show(Track::Process(component, starter, node), Value::Process(id));
        self.show(Track::Works(component, starter, node), Value::There(works));
    }

    /// In the coarse world a majority of living nodes is a store: an election there is shows nowhere. What
    /// the load balancer makes of one is unknown until it has seen its end.
    fn listed(&mut self, world: &World, starter: Incarnation, node: u8) {
        let instance = (node, starter);
        let backend = world.load_balancer.get(&instance);
        let listed = backend.is_some_and(|backend| backend.listed);
        if !(world.store_commits() && world.etcd_healthy().contains(node)) {
            self.clouded.insert((starter, node));
        } else if listed == world.says_ready(instance) {
            self.clouded.remove(&(starter, node));
        }
        let value = if self.clouded.contains(&(starter, node)) {
            Value::Unknown
        } else {
            Value::There(listed)
        };
        self.show(Track::Listed(starter, node), value);
    }
}
