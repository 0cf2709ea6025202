//! What a record shows: its changes, in the order of their latest times.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    FaultRecord, Lease, NodeInventory, OperationEnd, PodStatus, Process, ProcessId,
};
use oracle::{Observation, Sighting, Source};
use terms::{Actor, Component, Fault, Incarnation, NodeId};

use super::change::{Change, Holder, PodSeen, Strike, Track, Value};
use super::written::{WATCH_LAG_US, Writes};
use crate::coarse::Config;

/// A task that handles several files takes this long in between, and the world does it at once.
const TASK_SPREAD_US: u64 = 500_000;
/// The pods of one DaemonSet are made and bound within this time; the world does it at once.
const BINDING_SPREAD_US: u64 = 3_000_000;
/// A person's start takes this long until the installer runs.
const START_US: u64 = 5_000_000;
/// Where the installer keeps what it may put back.
const STASH: &str = "/var/lib/selfhost/stash/";
/// The last of the control plane's DaemonSets, in the order of application.
const LAST_APPLIED: &str = "/registry/daemonsets/kube-system/kube-apiserver";

/// What a record shows.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many control-plane nodes there are.
    pub control_planes: u8,
    /// Changes, by latest time; those of one track in their order.
    pub changes: Vec<Change>,
    /// From when on nothing is compared, in microseconds, and why.
    pub uncovered: Option<(u64, String)>,
    pub(super) writes: Writes,
    last: BTreeMap<Track, Look>,
    outside: u32,
    holds: bool,
}

/// A look at a track.
#[derive(Clone, Debug)]
struct Look {
    value: Value,
    start_us: u64,
    end_us: u64,
}

impl Seen {
    /// What these observations show. Their order does not matter.
    ///
    /// # Errors
    /// Why the coarse world can follow no such record at all.
    pub fn of(observations: &[Observation]) -> Result<Self, String> {
        let mut seen = Self::default();
        let mut sorted: Vec<&Observation> = observations.iter().collect();
        sorted.sort_by_key(|seen| (seen.end_us, &seen.source, seen.seq));
        let count = sorted.iter().find_map(|seen| match &seen.saw {
            Sighting::CaseOpened(opened) => Some(control_planes(&opened.nodes)),
            Sighting::NotApplicable(_) => Some(0),
            _ => None,
        });
        seen.control_planes = count.ok_or("the record does not say which nodes there are")?;
        if !(1..=Config::MOST_NODES).contains(&seen.control_planes) {
            let count = seen.control_planes;
            return Err(format!(
                "{count} control-plane nodes: the coarse world has 1 to 3"
            ));
        }
        for observation in sorted {
            seen.take(observation);
        }
        seen.close();
        if seen.changes.is_empty() {
            return Err("the record shows no steps, files, pods or leases".to_owned());
        }
        Ok(seen)
    }

    /// What a timed run told of itself, in order.
    pub(crate) fn told(
        control_planes: u8,
        changes: Vec<Change>,
        uncovered: Option<(u64, String)>,
    ) -> Self {
        Self {
            control_planes,
            changes,
            uncovered,
            ..Self::default()
        }
    }

    fn take(&mut self, seen: &Observation) {
        let (start_us, end_us) = (seen.start_us, seen.end_us);
        match &seen.saw {
            Sighting::Step(step) if step.actor == Actor::default() => {
                let value = Value::Step(step.step.clone(), step.moment);
                self.put(Track::Steps, value, start_us, end_us);
            }
            Sighting::Step(step) if step.step.as_str().ends_with("-activated") => {
                self.leave_off(
                    start_us,
                    "the coarse world starts no copies from checkpoints",
                );
            }
            Sighting::Lease(lease) => self.lease(lease, start_us, end_us),
            Sighting::Pods(pods) => self.pods(pods, start_us, end_us),
            Sighting::NodeInventory(inventory) => {
                if let Source::Node(name) = &seen.source
                    && let Some(node) = self.control_plane(name)
                {
                    self.inventory(inventory, node, start_us, end_us);
                }
            }
            Sighting::EtcdKey(key) => {
                self.writes.told(key, end_us);
                let applied = key.key == LAST_APPLIED && !key.deleted;
                if applied && !self.last.contains_key(&Track::Applied) {
                    self.look(Track::Applied, Value::There(false), 0, 0);
                    let since_us = start_us.saturating_sub(WATCH_LAG_US);
                    self.put(Track::Applied, Value::There(true), since_us, end_us);
                }
            }
            Sighting::Gap(_) if seen.source == Source::EtcdKeys => {
                self.writes.silent(start_us, end_us);
            }
            Sighting::Fault(fault) if fault.effect.is_ok() => self.fault(fault, start_us, end_us),
            Sighting::Heal(heal) => {
                let nodes = heal
                    .nodes
                    .iter()
                    .filter_map(|name| self.control_plane(name));
                for node in nodes.collect::<Vec<_>>() {
                    self.strike(vec![Strike::PowerOn(node)], start_us, end_us);
                }
            }
            Sighting::OperationStarted(operation) if !operation.foreign && self.holds => {
                self.strike(vec![Strike::StartAgain], start_us, end_us + START_US);
            }
            Sighting::OperationEnded(ended) => self.holds = ended.end == OperationEnd::Holding,
            _ => {}
        }
    }

    /// Nobody looks after the last look, and nothing counts from what is not covered on.
    fn close(&mut self) {
        for (track, last) in std::mem::take(&mut self.last) {
            if is_fleeting(track) {
                self.put(track, last.value, last.start_us, last.end_us);
            }
            self.put(track, Value::Unknown, last.start_us, u64::MAX);
        }
        if let Some((from_us, _)) = self.uncovered {
            self.changes.retain(|change| change.since_us < from_us);
            for change in self
                .changes
                .iter_mut()
                .filter(|change| change.until_us >= from_us)
            {
                change.value = Value::Unknown;
                change.until_us = u64::MAX;
            }
        }
        self.changes.sort_by_key(|change| change.until_us);
    }

    fn put(&mut self, track: Track, value: Value, since_us: u64, until_us: u64) {
        self.changes.push(Change {
            track,
            value,
            since_us,
            until_us,
        });
    }

    /// A look at a track that is there all the time.
    fn look(&mut self, track: Track, value: Value, start_us: u64, end_us: u64) {
        let look = Look {
            value: value.clone(),
            start_us,
            end_us,
        };
        let Some(before) = self.last.insert(track, look) else {
            return self.put(track, value, 0, end_us);
        };
        if before.value == value {
            return;
        }
        let since_us = before.start_us.saturating_sub(spread(track, &before.value));
        if let (Value::Process(Some(_)), Value::Process(Some(_))) = (&before.value, &value) {
            self.put(track, Value::Process(None), since_us, end_us);
        }
        self.put(track, value, since_us, end_us);
    }
}

// === Looks ===

impl Seen {
    fn lease(&mut self, lease: &Lease, start_us: u64, end_us: u64) {
        let node = lease
            .holder_node
            .as_ref()
            .and_then(|name| self.control_plane(name));
        let holder = lease.holder.clone().map(|identity| Holder {
            identity,
            node,
            incarnation: None,
        });
        self.look(
            Track::Lease(lease.lock),
            Value::Holder(holder),
            start_us,
            end_us,
        );
    }

    fn pods(&mut self, pods: &[PodStatus], start_us: u64, end_us: u64) {
        for component in Component::SELF_HOSTED {
            for node in 0..self.control_planes {
                let name = name(node);
                let is_it = |pod: &&PodStatus| {
                    pod.component == component
                        && pod.incarnation == Incarnation::SelfHosted
                        && pod.node.as_ref() == Some(&name)
                };
                let best = pods.iter().filter(is_it).map(|pod| {
                    if pod.ready {
                        PodSeen::Ready
                    } else {
                        PodSeen::Bound
                    }
                });
                let value = Value::Pod(best.max().unwrap_or(PodSeen::Absent));
                self.look(Track::Pod(component, node), value, start_us, end_us);
            }
        }
    }

    fn inventory(&mut self, inventory: &NodeInventory, node: u8, start_us: u64, end_us: u64) {
        for component in Component::SELF_HOSTED {
            for incarnation in [
                Incarnation::Bootstrap,
                Incarnation::SelfHosted,
                Incarnation::Checkpoint,
            ] {
                let track = Track::Process(component, incarnation, node);
                let process = self.process(track, component, incarnation, &inventory.processes);
                self.look(track, Value::Process(process), start_us, end_us);
            }
        }
        if node == 0 {
            self.files(inventory, start_us, end_us);
        }
    }

    /// The process of a track: the known one as long as it runs.
    fn process(
        &self,
        track: Track,
        component: Component,
        incarnation: Incarnation,
        processes: &[Process],
    ) -> Option<ProcessId> {
        let running: BTreeSet<ProcessId> = processes
            .iter()
            .filter(|process| {
                process.component == component && process.incarnation == Some(incarnation)
            })
            .map(|process| process.id)
            .collect();
        let known = match self.last.get(&track) {
            Some(Look {
                value: Value::Process(Some(id)),
                ..
            }) => running.get(id),
            _ => None,
        };
        known.or(running.first()).copied()
    }

    fn files(&mut self, inventory: &NodeInventory, start_us: u64, end_us: u64) {
        let manifest = |component: Component| format!("bootstrap-{component}.yaml");
        let any = |begins: &str| {
            inventory
                .bootstrap_files
                .iter()
                .any(|file| file.starts_with(begins))
        };
        let mut tracks = vec![
            (Track::Secrets, any("/etc/kubernetes/bootstrap-secrets/")),
            (
                Track::StashedSecrets,
                any(&format!("{STASH}bootstrap-secrets")),
            ),
            (Track::Assets, any("/var/lib/selfhost/assets/")),
        ];
        for component in Component::SELF_HOSTED {
            let manifest = manifest(component);
            let stashed = any(&format!("{STASH}{manifest}"));
            tracks.push((Track::Stashed(component), stashed));
            let placed = inventory.manifests.contains(&manifest);
            tracks.push((Track::Manifest(component), placed));
        }
        for (track, there) in tracks {
            self.look(track, Value::There(there), start_us, end_us);
        }
    }
}

// === What is done from outside ===

impl Seen {
    fn strike(&mut self, strikes: Vec<Strike>, start_us: u64, end_us: u64) {
        let track = Track::Outside(self.outside);
        self.outside += 1;
        for strike in strikes {
            self.put(track, Value::Strike(strike), start_us, end_us);
        }
    }

    /// Nothing is compared from here on.
    fn leave_off(&mut self, from_us: u64, reason: &str) {
        if self.uncovered.is_none() {
            self.uncovered = Some((from_us, reason.to_owned()));
        }
    }

    fn fault(&mut self, record: &FaultRecord, start_us: u64, end_us: u64) {
        if let Some(reason) = why_not_covered(record) {
            self.leave_off(start_us, &reason);
            return;
        }
        if matches!(record.fault, Fault::KillInstaller(_)) {
            return self.strike(vec![Strike::KillInstaller], start_us, end_us);
        }
        for target in &record.targets {
            let Some(node) = self.control_plane(target) else {
                continue;
            };
            let strikes = match &record.fault {
                Fault::PowerOff(_) => vec![Strike::PowerOff(node)],
                Fault::Reboot(_) => vec![Strike::PowerOff(node), Strike::PowerOn(node)],
                Fault::Kill(kill) => vec![Strike::Kill(kill.component, node)],
                Fault::KillInstaller(_)
                | Fault::Delete(_)
                | Fault::Freeze(_)
                | Fault::Stop(_)
                | Fault::Restart(_)
                | Fault::Tear(_)
                | Fault::LoseDisk(_)
                | Fault::Roll(_)
                | Fault::Change(_)
                | Fault::RemoveImage(_) => continue,
            };
            self.strike(strikes, start_us, end_us);
        }
    }

    fn control_plane(&self, node: &NodeId) -> Option<u8> {
        (0..self.control_planes).find(|number| name(*number) == *node)
    }
}

/// Why the coarse world cannot follow what comes after this fault. Workers are left out of it, and of
/// its record: what happens to them changes nothing that is compared.
fn why_not_covered(record: &FaultRecord) -> Option<String> {
    if matches!(record.fault, Fault::Kill(_)) && record.targets.len() > 1 {
        return Some("the coarse world kills one process at a time".to_owned());
    }
    why_unknown(&record.fault)
}

/// Why the coarse world has no action for this fault, if it has none.
pub(crate) fn why_unknown(fault: &Fault) -> Option<String> {
    match fault {
        Fault::Delete(_) => Some("the coarse world deletes no objects".to_owned()),
        Fault::Kill(kill) if !Component::SELF_HOSTED.contains(&kill.component) => {
            Some(format!("the coarse world kills no {}", kill.component))
        }
        Fault::Freeze(_)
        | Fault::Stop(_)
        | Fault::Restart(_)
        | Fault::Tear(_)
        | Fault::LoseDisk(_)
        | Fault::Roll(_)
        | Fault::Change(_)
        | Fault::RemoveImage(_) => Some(format!("the coarse world knows no `{}`", fault.key())),
        Fault::Kill(_) | Fault::KillInstaller(_) | Fault::PowerOff(_) | Fault::Reboot(_) => None,
    }
}

/// How far apart may come what the world does at once: a task's files, and the binding of all pods.
fn spread(track: Track, before: &Value) -> u64 {
    match track {
        Track::Pod(..) if *before == Value::Pod(PodSeen::Absent) => BINDING_SPREAD_US,
        Track::Manifest(_)
        | Track::Secrets
        | Track::StashedSecrets
        | Track::Stashed(_)
        | Track::Assets => TASK_SPREAD_US,
        _ => 0,
    }
}

/// Whether it may come and go between two looks: what is stashed is destroyed soon after.
pub(super) const fn is_fleeting(track: Track) -> bool {
    matches!(track, Track::StashedSecrets | Track::Stashed(_))
}

fn name(node: u8) -> NodeId {
    NodeId::control_plane(usize::from(node) + 1)
}

fn control_planes(nodes: &[NodeId]) -> u8 {
    let count = (0..u8::MAX)
        .take_while(|node| nodes.contains(&name(*node)))
        .count();
    u8::try_from(count).unwrap_or(u8::MAX)
}
