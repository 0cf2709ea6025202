//! L5: after one control-plane node lost its power, writes resume within `api_write_outage` and the cluster settles.
//!
//! Judged when the node was the only control-plane node without power, and the procedure was done or
//! self-hosted apiservers served on another node. From the loss to the end of its heal, or to the next
//! fault, no gap between acknowledged writes through the load balancer may be longer than the budget; a
//! settle after it, which includes scheduling, must succeed.

use terms::{Fault, Incarnation};

use super::loss::{Arrivals, Owner, is_one_of_control_plane, unsettled};
use super::write_gap::{Gap, WriteGap};
use super::{Invariant, LEAST_SAMPLES, finding, not_judged, unknown};
use crate::faults::FaultSeen;
use crate::observation::{Observation, Sighting};
use crate::reference::seconds;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// The budget that this invariant reads.
const BUDGET: &str = "api_write_outage";

#[derive(Default)]
struct NodeLossIsSurvived {
    arrivals: Arrivals,
    gap: WriteGap,
    loss: Option<FaultSeen>,
    losses: u64,
    acknowledged: u64,
    settled: bool,
    not_judged: Option<String>,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<NodeLossIsSurvived>::default()
}

impl Invariant for NodeLossIsSurvived {
    fn observe(&mut self, view: &View, seen: &Observation) {
        for fault in self.arrivals.next(view, seen) {
            self.fault(view, fault);
        }
        let ended = self.gap.observe(seen);
        if let Some(unsettled) = unsettled(view, seen, Owner::Node) {
            self.found.get_or_insert(unsettled);
        }
        if let Sighting::Settled(settled) = &seen.saw {
            self.settled |= self.losses > 0 && settled.failure().is_none();
        }
        // Most of the time there is none, and taking one out moves it.
        if self.loss.is_none() {
            return;
        }
        let Some(loss) = self.loss.take() else {
            return;
        };
        self.acknowledged += u64::from(ended.is_some());
        let gap = ended.or_else(|| self.gap.until(seen));
        if let (Some(gap), Some(budget_us)) = (gap, view.budget_us(BUDGET)) {
            self.judge(&loss, &gap, budget_us);
        }
        let healed_us = |node| view.faults().healed_us(node, loss.from.start_us);
        let is_healed = |node| healed_us(node) <= seen.end_us;
        if !loss.value.targets.first().is_some_and(is_healed) {
            self.loss = Some(loss);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if self.losses == 0 {
            let why = self.not_judged.clone();
            return not_judged(
                why.unwrap_or_else(|| "no control-plane node lost its power".to_owned()),
            );
        }
        if view.budget_us(BUDGET).is_none() {
            return not_judged(format!("the budget `{BUDGET}` is none"));
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.acknowledged < LEAST_SAMPLES {
            return unknown(format!(
                "only {} writes were acknowledged after the loss, {LEAST_SAMPLES} are needed",
                self.acknowledged
            ));
        }
        if !self.settled {
            return unknown(
                "nobody watched the cluster settle after the loss, so nothing is known of scheduling",
            );
        }
        Judgement::Holds
    }
}

impl NodeLossIsSurvived {
    fn fault(&mut self, view: &View, fault: FaultSeen) {
        // Whatever comes next, what follows is no longer the earlier loss alone.
        self.loss = None;
        if !matches!(fault.value.fault, Fault::PowerOff(_))
            || !is_one_of_control_plane(&fault.value.targets)
        {
            return;
        }
        let others_off = view.control_plane().into_iter().any(|node| {
            !fault.value.targets.contains(node) && view.faults().is_off(node, fault.from.end_us)
        });
        let others_serve = view.serving().iter().any(|(node, incarnation)| {
            *incarnation == Some(Incarnation::SelfHosted) && !fault.value.targets.contains(node)
        });
        if others_off {
            self.not_judged = Some("more than one control-plane node was without power".to_owned());
        } else if view.procedure().first_done.is_none() && !others_serve {
            self.not_judged = Some(
                "the node was lost before any self-hosted apiserver served on another".to_owned(),
            );
        } else {
            self.losses += 1;
            self.acknowledged = 0;
            self.settled = false;
            self.loss = Some(fault);
        }
    }

    fn judge(&mut self, loss: &FaultSeen, gap: &Gap, budget_us: u64) {
        // Whether the installer is held makes no difference to writes after a loss.
        let gap_us = gap.gap_us + gap.held_us;
        if gap_us <= budget_us || self.found.is_some() {
            return;
        }
        let length = format!("{} without an acknowledged write", seconds(gap_us));
        if !gap.is_proven_beyond(budget_us.saturating_sub(gap.held_us)) {
            self.unknown.get_or_insert(format!(
                "{length}, and only {} failed: the prober was silent",
                gap.failed
            ));
            return;
        }
        let node = loss
            .value
            .targets
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let what = format!(
            "{length} after {node} had lost its power, the budget is {}",
            seconds(budget_us)
        );
        let witness = vec![
            loss.from.witness(format!("{node} lost its power")),
            gap.from.witness("the last acknowledged write"),
            gap.to
                .witness(format!("{} writes had failed by then", gap.failed)),
        ];
        self.found = Some(finding(what, gap.to.end_us, witness));
    }
}
