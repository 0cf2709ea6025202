//! S9: once a procedure is done, no file that only a bootstrap or recovery needs is left on a living node.
//!
//! An inventory that began more than two seconds after `done` and still shows such a file is a
//! violation; what was there before that may be a look taken while the files went.

use std::collections::BTreeSet;

use terms::NodeId;

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{Observation, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// The observer looks five times a second; on a busy host a look takes longer.
const GRACE_US: u64 = 2_000_000;

#[derive(Default)]
struct NoCredentialsLeft {
    clean: BTreeSet<NodeId>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<NoCredentialsLeft>::default()
}

impl Invariant for NoCredentialsLeft {
    fn observe(&mut self, view: &View, seen: &Observation) {
        let Some(done) = &view.procedure().done else {
            self.clean.clear();
            return;
        };
        let (Sighting::NodeInventory(inventory), Source::Node(node)) = (&seen.saw, &seen.source)
        else {
            return;
        };
        if seen.start_us <= done.end_us + GRACE_US {
            if inventory.bootstrap_files.is_empty() && seen.start_us > done.end_us {
                self.clean.insert(node.clone());
            }
            return;
        }
        if inventory.bootstrap_files.is_empty() {
            self.clean.insert(node.clone());
            return;
        }
        let files = names(inventory.bootstrap_files.iter().take(5));
        let what = format!(
            "{node} still has {} files of the bootstrap after the procedure was done: {files}",
            inventory.bootstrap_files.len()
        );
        let witness = vec![
            done.witness("the procedure was done"),
            Reference::to(seen).witness(files),
        ];
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.procedure().done.is_none() {
            return not_judged("the procedure was not done");
        }
        let living = view.living_control_plane();
        let mut unseen = living.clone();
        unseen.retain(|node| !self.clean.contains(*node));
        if living.is_empty() || !unseen.is_empty() {
            return unknown(format!(
                "no inventory of {} after the procedure was done",
                names(unseen)
            ));
        }
        Judgement::Holds
    }
}
