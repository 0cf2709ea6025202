//! Figures worth keeping of a case, whatever its verdict.

use std::collections::BTreeMap;

use terms::{Component, Fault, Incarnation};

use crate::invariants::write_gap::WriteGap;
use crate::observation::{Observation, PodStatus, RequestKind, RequestOutcome, Sighting, Source};
use crate::view::View;

/// The kubelet needs this long to notice an end and to say so in the pod's status.
const STATUS_US: u64 = 3_000_000;

/// The figures of a case, taken while it is judged; a figure that was not seen is absent.
#[derive(Default)]
pub(crate) struct Figures {
    gap: WriteGap,
    self_hosted: bool,
    figures: BTreeMap<&'static str, u64>,
}

impl Figures {
    /// By name with the unit last.
    pub(crate) fn all(self) -> BTreeMap<String, u64> {
        let named = self.figures.into_iter();
        named
            .map(|(name, figure)| (name.to_owned(), figure))
            .collect()
    }

    /// Takes in the next observation, which `view` has taken in.
    pub(crate) fn observe(&mut self, view: &View, seen: &Observation) {
        self.milestones(view, seen);
        self.returns(view, seen);
        if let Some(gap) = self.gap.observe(seen)
            && self.self_hosted
        {
            self.most("api_write_gap_ms", gap.gap_us);
            if gap.held_us > 0 {
                self.most("api_write_gap_held_ms", gap.held_us);
            }
            if view.procedure().first_done.is_none() {
                self.most("pivot_write_gap_ms", gap.gap_us);
            }
        }
        self.figures
            .insert("writes_acknowledged_count", self.gap.acknowledged);
    }

    /// When the bootstrap reached what, counted from its start.
    fn milestones(&mut self, view: &View, seen: &Observation) {
        let procedure = view.procedure();
        let Some(started_us) = procedure.first_started.as_ref().map(|from| from.start_us) else {
            return;
        };
        let done = procedure.first_done.is_some();
        if done {
            self.first("bootstrap_ms", seen.end_us.saturating_sub(started_us));
        }
        let Sighting::Request(request) = &seen.saw else {
            return;
        };
        if !matches!(request.outcome, RequestOutcome::Acknowledged { .. }) {
            return;
        }
        self.first("first_served_ms", seen.end_us.saturating_sub(started_us));
        if request
            .served_by
            .as_ref()
            .is_some_and(|by| by.incarnation == Incarnation::SelfHosted)
        {
            self.self_hosted = true;
            self.first(
                "first_self_hosted_ms",
                seen.end_us.saturating_sub(started_us),
            );
        }
    }

    /// How long after the last heal, or the last fault that needs none, things were back.
    fn returns(&mut self, view: &View, seen: &Observation) {
        let faults = view.faults();
        let heal_us = faults
            .heals()
            .iter()
            .map(|heal| heal.from.end_us)
            .filter(|end_us| *end_us <= seen.start_us)
            .max();
        let momentary = faults
            .before(seen.start_us)
            .filter(|fault| !fault.value.fault.is_lasting());
        let disruptive =
            momentary.filter(|fault| !matches!(fault.value.fault, Fault::KillInstaller(_)));
        let fault_us = disruptive
            .map(|fault| fault.from.end_us)
            .filter(|end_us| *end_us <= seen.start_us)
            .max();
        match &seen.saw {
            Sighting::Request(request) if seen.source == Source::LoadBalancer => {
                let write = matches!(request.kind, RequestKind::Write(_));
                let acknowledged = matches!(request.outcome, RequestOutcome::Acknowledged { .. });
                if let (true, true, Some(heal_us)) = (write, acknowledged, heal_us) {
                    self.first("api_return_ms", seen.end_us.saturating_sub(heal_us));
                }
            }
            Sighting::Pods(pods) if is_complete(view, pods) => {
                // The status of a pod whose node was off, or whose process was killed, lags behind.
                if let Some(heal_us) = heal_us.filter(|_| all_serve(view)) {
                    self.first(
                        "control_plane_return_ms",
                        seen.end_us.saturating_sub(heal_us),
                    );
                }
                let since_us = heal_us.max(fault_us);
                if let Some(since_us) =
                    since_us.filter(|us| all_serve(view) && seen.start_us >= us + STATUS_US)
                {
                    self.first(
                        "redundancy_restored_ms",
                        seen.end_us.saturating_sub(since_us),
                    );
                }
            }
            Sighting::Settled(settled) if settled.failure().is_none() => {
                self.most("settle_ms", settled.took_ms.saturating_mul(1_000));
            }
            _ => {}
        }
    }

    fn first(&mut self, name: &'static str, microseconds: u64) {
        self.figures.entry(name).or_insert(microseconds / 1_000);
    }

    fn most(&mut self, name: &'static str, microseconds: u64) {
        let most = self.figures.entry(name).or_default();
        *most = (*most).max(microseconds / 1_000);
    }
}

/// Whether as many self-hosted apiservers serve as are wanted.
pub(crate) fn all_serve(view: &View) -> bool {
    let serving = view.serving();
    let self_hosted = serving
        .iter()
        .filter(|(_, by)| *by == Some(Incarnation::SelfHosted));
    self_hosted.count() >= wanted(view)
}

pub(crate) fn is_complete(view: &View, pods: &[PodStatus]) -> bool {
    Component::SELF_HOSTED.into_iter().all(|component| {
        let ready = pods.iter().filter(|pod| {
            pod.component == component
                && pod.incarnation == Incarnation::SelfHosted
                && pod.ready
                && !pod.terminating
        });
        ready.count() >= wanted(view)
    })
}

fn wanted(view: &View) -> usize {
    view.case().map_or(1, |case| case.wanted_instances as usize)
}
