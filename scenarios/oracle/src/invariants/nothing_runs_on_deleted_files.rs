//! S10: no bootstrap process runs on while a file that its command line names is gone.
//!
//! Two successive inventories of the same process must show it: a process that is on its way out
//! when its files go is gone by the next one.

use std::collections::BTreeMap;

use terms::NodeId;

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{NodeInventory, Observation, ProcessId, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;
use terms::Incarnation;

/// How many inventories must have shown a bootstrap process.
const LEAST_INVENTORIES: u64 = 5;

#[derive(Default)]
struct NothingRunsOnDeletedFiles {
    suspects: BTreeMap<(NodeId, ProcessId), Reference>,
    looked: u64,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<NothingRunsOnDeletedFiles>::default()
}

impl Invariant for NothingRunsOnDeletedFiles {
    fn observe(&mut self, _view: &View, seen: &Observation) {
        if let (Sighting::NodeInventory(inventory), Source::Node(node)) = (&seen.saw, &seen.source)
        {
            self.inventory(seen, node, inventory);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        if self.looked < LEAST_INVENTORIES {
            return unknown(format!(
                "a bootstrap process was seen in {} inventories, {LEAST_INVENTORIES} are needed",
                self.looked
            ));
        }
        Judgement::Holds
    }
}

impl NothingRunsOnDeletedFiles {
    fn inventory(&mut self, seen: &Observation, node: &NodeId, inventory: &NodeInventory) {
        let bootstrap = inventory
            .processes
            .iter()
            .filter(|process| process.incarnation == Some(Incarnation::Bootstrap));
        let mut still = BTreeMap::new();
        let mut any = false;
        for process in bootstrap {
            any = true;
            if process.missing_files.is_empty() {
                continue;
            }
            let suspect = (node.clone(), process.id);
            let Some(first) = self.suspects.get(&suspect) else {
                still.insert(suspect, Reference::to(seen));
                continue;
            };
            let files = names(process.missing_files.iter().take(5));
            let name = process.component;
            let what = format!(
                "the bootstrap {name} on {node} (pid {}) runs without {files}",
                process.id.pid
            );
            let witness = vec![
                first.witness(format!("the bootstrap {name} runs, files are gone")),
                Reference::to(seen).witness(format!("the same process still runs without {files}")),
            ];
            let found = finding(what, seen.end_us, witness);
            self.found.get_or_insert(found);
            still.insert(suspect, first.clone());
        }
        self.looked += u64::from(any);
        self.suspects.retain(|(other, _), _| other != node);
        self.suspects.append(&mut still);
    }
}
