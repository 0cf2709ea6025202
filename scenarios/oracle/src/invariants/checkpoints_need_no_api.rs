//! S17: a checkpoint refers to no API object and to no scheduling constraint.
//!
//! Judged of every complete version: kubelets refuse a static pod that refers to the API, and a
//! constraint that only a scheduler understands keeps it from nodes without the label.

use super::sight::Sight;
use super::{Invariant, finding, names, not_judged};
use crate::observation::Observation;
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct CheckpointsNeedNoApi {
    sight: Sight,
    judged: u64,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<CheckpointsNeedNoApi>::default()
}

impl Invariant for CheckpointsNeedNoApi {
    fn observe(&mut self, _: &View, seen: &Observation) {
        let Some((node, now)) = self.sight.look(seen) else {
            return;
        };
        for version in now.checkpoints.iter().filter(|version| version.complete) {
            self.judged += 1;
            if version.references.is_empty() {
                continue;
            }
            let what = format!(
                "the checkpoint {} of {} on {node} refers to {}",
                version.generation,
                version.component,
                names(&version.references)
            );
            let witness = vec![Reference::to(seen).witness("its manifest")];
            let found = finding(what, seen.end_us, witness);
            self.found.get_or_insert(found);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if let Some(unknown) = self.sight.is_lacking() {
            return unknown;
        }
        if self.judged == 0 {
            return not_judged("no complete checkpoint was seen");
        }
        Judgement::Holds
    }
}
