//! Figures worth keeping of a case, whatever its verdict.

use std::collections::BTreeMap;

use terms::{Component, Incarnation};

use crate::invariants::write_gap::WriteGap;
use crate::observation::{Observation, PodStatus, RequestOutcome, Sighting};
use crate::returns::{Losses, Returns};
use crate::view::View;

/// The figures of a case, taken while it is judged; a figure that was not seen is absent.
#[derive(Default)]
pub(crate) struct Figures {
    seen: bool,
    gap: WriteGap,
    self_hosted: bool,
    returns: Returns,
    losses: Losses,
    /// By place in [`NAMES`].
    figures: [Option<u64>; NAMES.len()],
}

/// Names of the figures, with the unit last.
const NAMES: [&str; 7] = [
    "api_write_gap_held_ms",
    "api_write_gap_ms",
    "bootstrap_ms",
    "first_self_hosted_ms",
    "first_served_ms",
    "pivot_write_gap_ms",
    "settle_ms",
];

/// Their places.
#[derive(Clone, Copy)]
enum Name {
    ApiWriteGapHeld,
    ApiWriteGap,
    Bootstrap,
    FirstSelfHosted,
    FirstServed,
    PivotWriteGap,
    Settle,
}

impl Figures {
    /// By name with the unit last.
    pub(crate) fn all(self) -> BTreeMap<String, u64> {
        let named = NAMES.into_iter().zip(self.figures);
        let writes = self.seen.then_some(self.gap.acknowledged);
        named
            .chain([
                ("writes_acknowledged_count", writes),
                ("writes_lost_count", self.losses.count),
            ])
            .chain(self.returns.all())
            .filter_map(|(name, figure)| Some((name.to_owned(), figure?)))
            .collect()
    }

    /// Takes in the next observation, which `view` has taken in.
    pub(crate) fn observe(&mut self, view: &View, seen: &Observation) {
        self.seen = true;
        self.milestones(view, seen);
        self.settles(seen);
        self.returns.observe(view, seen);
        self.losses.observe(view, seen);
        if let Some(gap) = self.gap.observe(seen)
            && self.self_hosted
        {
            self.most(Name::ApiWriteGap, gap.gap_us);
            if gap.held_us > 0 {
                self.most(Name::ApiWriteGapHeld, gap.held_us);
            }
            if view.procedure().first_done.is_none() {
                self.most(Name::PivotWriteGap, gap.gap_us);
            }
        }
    }

    /// When the bootstrap reached what, counted from its start.
    fn milestones(&mut self, view: &View, seen: &Observation) {
        let procedure = view.procedure();
        let Some(started_us) = procedure.first_started.as_ref().map(|from| from.start_us) else {
            return;
        };
        let done = procedure.first_done.is_some();
        if done {
            self.first(Name::Bootstrap, seen.end_us.saturating_sub(started_us));
        }
        let Sighting::Request(request) = &seen.saw else {
            return;
        };
        if !matches!(request.outcome, RequestOutcome::Acknowledged { .. }) {
            return;
        }
        self.first(Name::FirstServed, seen.end_us.saturating_sub(started_us));
        if request
            .served_by
            .as_ref()
            .is_some_and(|by| by.incarnation == Incarnation::SelfHosted)
        {
            self.self_hosted = true;
            self.first(
                Name::FirstSelfHosted,
                seen.end_us.saturating_sub(started_us),
            );
        }
    }

    fn settles(&mut self, seen: &Observation) {
        if let Sighting::Settled(settled) = &seen.saw
            && settled.failure().is_none()
        {
            self.most(Name::Settle, settled.took_ms.saturating_mul(1_000));
        }
    }

    fn first(&mut self, name: Name, microseconds: u64) {
        self.figures[name as usize].get_or_insert(microseconds / 1_000);
    }

    fn most(&mut self, name: Name, microseconds: u64) {
        let most = self.figures[name as usize].get_or_insert(0);
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
