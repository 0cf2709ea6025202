//! S1: every acknowledged write is in every complete read that began after its acknowledgement.
//!
//! After a majority of etcd's disks was lost and a snapshot restored, that is said of the writes that were
//! acknowledged before the snapshot, and of those after the restore.
//!
//! A write that timed out or broke may be there or not. The last read must have begun after the last
//! fault and heal, otherwise nothing is known of what they did to the data.

use std::collections::BTreeMap;

use super::{Invariant, LEAST_SAMPLES, finding, not_judged, unknown};
use crate::observation::{
    Observation, OperationEnd, ReadBack, RequestKind, RequestOutcome, Sighting,
};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct AcknowledgedWritesSurvive {
    acknowledged: BTreeMap<u64, Reference>,
    last_read: Option<Reference>,
    covered: u64,
    /// When the latest snapshot was begun, and whether it was taken.
    snapshot: Option<(Reference, bool)>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<AcknowledgedWritesSurvive>::default()
}

impl Invariant for AcknowledgedWritesSurvive {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Request(request) => {
                let acknowledged = matches!(request.outcome, RequestOutcome::Acknowledged { .. });
                if let (RequestKind::Write(key), true) = (&request.kind, acknowledged) {
                    self.acknowledged.insert(*key, Reference::to(seen));
                }
            }
            Sighting::ReadBack(read) => self.read(seen, read),
            Sighting::OperationStarted(operation) if operation.operation == "snapshot" => {
                self.snapshot = Some((Reference::to(seen), false));
            }
            Sighting::OperationStarted(operation) if operation.from_snapshot => {
                let members = view.control_plane().len();
                let lost = view.faults().etcd_lost_us(members, seen.start_us);
                if !operation.rival && lost.is_some() {
                    self.restored();
                }
            }
            Sighting::OperationEnded(ended) if ended.operation == "snapshot" => {
                let done = ended.end == OperationEnd::Done;
                self.snapshot = self.snapshot.take().map(|(from, _)| (from, done));
            }
            _ => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if self.acknowledged.is_empty() && view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        let Some(read) = &self.last_read else {
            return unknown("the acknowledged writes were never read back");
        };
        let faults = view.faults();
        let late_fault = faults.all().iter().map(|fault| fault.from.end_us).max();
        let late_heal = faults.heals().iter().map(|heal| heal.from.end_us).max();
        if late_fault
            .max(late_heal)
            .is_some_and(|last_us| read.start_us < last_us)
        {
            return unknown(
                "the acknowledged writes were not read back after the last fault and heal",
            );
        }
        if self.covered < LEAST_SAMPLES {
            return unknown(format!(
                "only {} acknowledged writes were read back, {LEAST_SAMPLES} are needed",
                self.covered
            ));
        }
        Judgement::Holds
    }
}

impl AcknowledgedWritesSurvive {
    /// What was acknowledged after the snapshot was begun went down with the disks.
    fn restored(&mut self) {
        if let Some((snapshot, true)) = &self.snapshot {
            self.acknowledged
                .retain(|_, write| write.end_us < snapshot.start_us);
        }
    }

    fn read(&mut self, seen: &Observation, read: &ReadBack) {
        let earlier = || {
            self.acknowledged
                .iter()
                .filter(|(_, write)| write.end_us < seen.start_us)
        };
        self.covered = earlier().count() as u64;
        self.last_read = Some(Reference::to(seen));
        let lost: Vec<_> = earlier()
            .filter(|(key, _)| !read.keys.contains(key))
            .collect();
        let Some((key, _)) = lost.first() else { return };
        let what = format!(
            "{} of {} acknowledged writes are missing in a complete read, the first of them key {key}",
            lost.len(),
            self.covered
        );
        let shown = lost.iter().take(6);
        let mut witness: Vec<_> = shown
            .map(|(key, write)| write.witness(format!("the write of key {key} was acknowledged")))
            .collect();
        let read_words = format!(
            "a complete read at revision {} found {} keys, {} acknowledged ones not among them",
            read.revision,
            read.keys.len(),
            lost.len()
        );
        witness.push(Reference::to(seen).witness(read_words));
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }
}
