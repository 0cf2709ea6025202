//! L1: a bootstrap to which nothing is done reaches `done` within its budget, and the cluster settles.
//!
//! Any fault before `done` ends the hypothesis. A case that asks for another end than `done` is not judged.

use super::loss::{Owner, unsettled};
use super::{Invariant, finding, not_judged, unknown};
use crate::observation::{Observation, OperationEnd, Sighting};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// The budget that this invariant reads.
const BUDGET: &str = "bootstrap";

#[derive(Default)]
struct BootstrapCompletes {
    disturbed: bool,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<BootstrapCompletes>::default()
}

impl Invariant for BootstrapCompletes {
    fn observe(&mut self, view: &View, seen: &Observation) {
        if self.disturbed || self.found.is_some() || !asks_for_done(view) {
            return;
        }
        let done = view.procedure().first_done.as_ref();
        let until_us = done.map_or(seen.end_us, |done| done.end_us);
        self.disturbed |= view.faults().before(until_us).next().is_some();
        if self.disturbed {
            return;
        }
        let Some(started) = &view.procedure().first_started else {
            return;
        };
        if let Some(unsettled) = unsettled(view, seen, Owner::Bootstrap) {
            self.found = Some(unsettled);
            return;
        }
        if let (Sighting::OperationEnded(ended), None) = (&seen.saw, done)
            && ended.end != OperationEnd::Done
            && is_own(view, seen)
        {
            let detail = ended.detail.as_deref().unwrap_or("no reason given");
            let what = format!(
                "the bootstrap ended as {:?} although nothing was done to it: {detail}",
                ended.end
            );
            self.violated(started, seen, what);
            return;
        }
        let Some(budget_us) = view.budget_us(BUDGET) else {
            return;
        };
        let took_us = until_us.saturating_sub(started.start_us);
        if took_us > budget_us {
            let state = if done.is_some() {
                "took"
            } else {
                "is not done after"
            };
            let what = format!(
                "the bootstrap {state} {}, its budget is {}",
                seconds(took_us),
                seconds(budget_us)
            );
            self.violated(started, seen, what);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if !asks_for_done(view) {
            return not_judged("the case does not ask for `done`");
        }
        if view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        if self.disturbed {
            return not_judged("hypothesis: no fault in the bootstrap");
        }
        if view.budget_us(BUDGET).is_none() {
            return not_judged(format!("the budget `{BUDGET}` is none"));
        }
        if view.procedure().first_done.is_none() {
            return unknown("the record ends before the bootstrap was done or its budget was over");
        }
        Judgement::Holds
    }
}

impl BootstrapCompletes {
    fn violated(&mut self, started: &Reference, seen: &Observation, what: String) {
        let mut began = started.clone();
        began.end_us = started.start_us;
        let witness = vec![
            began.witness("the bootstrap was started"),
            Reference::to(seen).witness(what.clone()),
        ];
        self.found = Some(finding(what, seen.end_us, witness));
    }
}

fn asks_for_done(view: &View) -> bool {
    view.case().is_none_or(|case| case.expected_end == "done")
}

/// Whether it is the case's own installer that ended here.
fn is_own(view: &View, seen: &Observation) -> bool {
    let ended = view.procedure().ended.as_ref();
    ended.is_some_and(|ended| ended.from == Reference::to(seen))
}
