//! S25: every credential that was valid before the procedure is accepted once it is done.
//!
//! Nobody's answer says nothing of a credential; its last real answer counts.

use std::collections::BTreeMap;

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{Observation, Sighting};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct IdentitiesContinue {
    accepted: BTreeMap<String, bool>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<IdentitiesContinue>::default()
}

impl Invariant for IdentitiesContinue {
    fn observe(&mut self, view: &View, seen: &Observation) {
        let Some(done) = &view.procedure().done else {
            return;
        };
        let Sighting::Credential(credential) = &seen.saw else {
            return;
        };
        if seen.start_us < done.end_us {
            return;
        }
        let known = self.accepted.entry(credential.name.clone()).or_default();
        match &credential.accepted {
            None => {}
            Some(Ok(())) => *known = true,
            Some(Err(words)) => {
                let what = format!(
                    "`{}` was valid before the procedure and is refused after it: {words}",
                    credential.name
                );
                let witness = vec![
                    done.witness("the procedure was done"),
                    Reference::to(seen).witness(format!("refused: {words}")),
                ];
                let found = finding(what, seen.end_us, witness);
                self.found.get_or_insert(found);
            }
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.procedure().first_done.is_none() {
            return not_judged("the procedure was not done");
        }
        if self.accepted.is_empty() {
            return unknown("no credential from before the procedure was tried after it");
        }
        let mut silent = self
            .accepted
            .iter()
            .filter(|(_, known)| !**known)
            .map(|(name, _)| name)
            .peekable();
        if silent.peek().is_some() {
            return unknown(format!(
                "nobody answered when these were tried: {}",
                names(silent)
            ));
        }
        Judgement::Holds
    }
}
