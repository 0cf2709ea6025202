//! L2: from the first acknowledgement by a self-hosted apiserver until `done` no gap between acknowledged
//! writes through the load balancer is longer than `api_write_outage`.
//!
//! The gap that this acknowledgement falls into counts too. Time during which the installer was held is
//! subtracted. A gap counts only when writes failed in it: a prober that did not ask proves nothing.
//! A fault before `done`, other than one against the installer, ends the hypothesis.

use terms::{Fault, Incarnation};

use super::write_gap::{Gap, WriteGap};
use super::{Invariant, LEAST_SAMPLES, finding, not_judged, unknown};
use crate::observation::{Observation, RequestOutcome, Sighting};
use crate::reference::seconds;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// The budget that this invariant reads.
const BUDGET: &str = "api_write_outage";

#[derive(Default)]
struct PivotKeepsTheApiWritable {
    gap: WriteGap,
    began: bool,
    over: bool,
    disturbed: bool,
    acknowledged: u64,
    silent: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<PivotKeepsTheApiWritable>::default()
}

impl Invariant for PivotKeepsTheApiWritable {
    fn observe(&mut self, view: &View, seen: &Observation) {
        if self.over {
            return;
        }
        if view
            .faults()
            .before(seen.end_us)
            .any(|fault| !matches!(fault.value.fault, Fault::KillInstaller(_)))
        {
            self.disturbed = true;
            self.over = true;
            return;
        }
        self.began |= is_self_hosted(seen);
        let ended = self.gap.observe(seen);
        let is_done = view.procedure().first_done.is_some();
        if self.began {
            self.acknowledged += u64::from(ended.is_some());
            let gap = ended.or_else(|| self.gap.until(seen));
            if let (Some(gap), Some(budget_us)) = (gap, view.budget_us(BUDGET)) {
                self.judge(&gap, budget_us);
            }
        }
        self.over = is_done;
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if self.disturbed {
            return not_judged("hypothesis: no fault in the pivot");
        }
        if view.budget_us(BUDGET).is_none() {
            return not_judged(format!("the budget `{BUDGET}` is none"));
        }
        let asked = view
            .case()
            .map_or("done", |case| case.expected_end.as_str());
        if view.procedure().first_started.is_none() || (!self.began && asked != "done") {
            return not_judged("the pivot did not begin: no self-hosted apiserver answered");
        }
        if !self.began {
            return unknown("no acknowledgement by a self-hosted apiserver was seen");
        }
        if let Some(what) = &self.silent {
            return unknown(what.clone());
        }
        if self.acknowledged < LEAST_SAMPLES {
            return unknown(format!(
                "only {} writes were acknowledged during the pivot, {LEAST_SAMPLES} are needed",
                self.acknowledged
            ));
        }
        Judgement::Holds
    }
}

impl PivotKeepsTheApiWritable {
    fn judge(&mut self, gap: &Gap, budget_us: u64) {
        if gap.gap_us <= budget_us || self.found.is_some() {
            return;
        }
        let length = format!("{} without an acknowledged write", seconds(gap.gap_us));
        if !gap.is_proven_beyond(budget_us) {
            self.silent.get_or_insert(format!(
                "{length}, and only {} failed: the prober was silent",
                gap.failed
            ));
            return;
        }
        let held = if gap.held_us > 0 {
            format!(" (and {} held)", seconds(gap.held_us))
        } else {
            String::new()
        };
        let what = format!(
            "{length} during the pivot{held}, the budget is {}",
            seconds(budget_us)
        );
        let witness = vec![
            gap.from.witness("the last acknowledged write"),
            gap.to
                .witness(format!("{} writes had failed by then", gap.failed)),
        ];
        self.silent = None;
        self.found = Some(finding(what, gap.to.end_us, witness));
    }
}

/// Whether a self-hosted apiserver acknowledged something here.
fn is_self_hosted(seen: &Observation) -> bool {
    let Sighting::Request(request) = &seen.saw else {
        return false;
    };
    let by_it = request
        .served_by
        .as_ref()
        .is_some_and(|by| by.incarnation == Incarnation::SelfHosted);
    by_it && matches!(request.outcome, RequestOutcome::Acknowledged { .. })
}
