//! S5b: when the bootstrap control plane is removed, every control-plane node that hosts a self-hosted
//! apiserver holds a complete checkpoint of it.
//!
//! The act is `teardown`'s. What a node holds is what its observer last saw before the act; a node of
//! which nothing is known then makes the whole unknown. A node without power hosts nothing.

use terms::{Component, Incarnation};

use super::teardown::{Sign, Teardown};
use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::Observation;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct CheckpointsArmedBeforeTeardown {
    teardown: Teardown,
    acting: Option<Result<(), Lack>>,
    judged: u32,
    unknown: Option<String>,
    found: Option<Finding>,
}

/// What was lacking at the act.
enum Lack {
    Found(Finding),
    Unknown(String),
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<CheckpointsArmedBeforeTeardown>::default()
}

impl Invariant for CheckpointsArmedBeforeTeardown {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match self.teardown.observe(view, seen) {
            Sign::Acted(act) => self.acting = Some(armed(view, &act.after.witness("the removal"))),
            Sign::TakenBack => self.acting = None,
            Sign::Gone => self.conclude(),
            Sign::Nothing => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        match (&self.found, &self.acting) {
            (Some(found), _) | (None, Some(Err(Lack::Found(found)))) => Some(found),
            _ => None,
        }
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if let Some(Err(Lack::Unknown(what))) = &self.acting {
            return unknown(what.clone());
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.judged > 0 || self.acting.is_some() {
            return Judgement::Holds;
        }
        if view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        if view.procedure().first_done.is_some() {
            return unknown("the procedure was done, and no removal was seen");
        }
        not_judged("the bootstrap control plane was not removed")
    }
}

impl CheckpointsArmedBeforeTeardown {
    fn conclude(&mut self) {
        match self.acting.take() {
            Some(Ok(())) => self.judged += 1,
            Some(Err(Lack::Found(found))) => {
                self.found.get_or_insert(found);
            }
            Some(Err(Lack::Unknown(what))) => {
                self.unknown.get_or_insert(what);
            }
            None => {}
        }
    }
}

fn armed(view: &View, act: &crate::verdict::Witness) -> Result<(), Lack> {
    let mut bare = Vec::new();
    let mut witness = vec![act.clone()];
    for node in view.living_control_plane() {
        let Some(latest) = view.inventory(node) else {
            let what = format!("nothing is known of {node} at the removal");
            return Err(Lack::Unknown(what));
        };
        let inventory = &latest.value;
        if !inventory.sees_checkpoints() {
            let what = format!("the observer on {node} could not look for checkpoints");
            return Err(Lack::Unknown(what));
        }
        let hosts = inventory.runs(Component::KubeApiserver, Incarnation::SelfHosted);
        let mut versions = inventory.versions(Component::KubeApiserver);
        if hosts && !versions.any(|version| version.complete) {
            witness.push(latest.from.witness(format!(
                "a self-hosted apiserver runs on {node}, and no complete checkpoint of it lies there"
            )));
            bare.push(node);
        }
    }
    if bare.is_empty() {
        return Ok(());
    }
    let what = format!(
        "the bootstrap control plane was removed while {} had no complete checkpoint of their apiserver",
        names(bare)
    );
    Err(Lack::Found(finding(what, act.at_us, witness)))
}
