//! What comes out of comparing a record with the world.

use oracle::Observation;
use pivot::{ComponentSet, Plan, StageKind};
use serde::Serialize;

use super::follow::follow;
use super::seen::Seen;
use crate::coarse::{Budgets, Config, FirstFault, World};

/// How far is looked for an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Actions that nothing shows, between two changes.
    pub silent_steps_max: u32,
    /// States that are kept after a change.
    pub belief_max: usize,
    /// States that are looked at for one change.
    pub tried_max: usize,
    /// Timers that ran out unusually early, and lost answers: at most this many of each.
    pub unusual_max: u8,
}

impl Bounds {
    /// What is used unless said otherwise: several times what the longest record of the catalogue needs.
    pub const USUAL: Self = Self {
        silent_steps_max: 40,
        belief_max: 20_000,
        tried_max: 400_000,
        unusual_max: 3,
    };
}

/// What comes out, and how much was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conformance {
    /// What comes out.
    pub outcome: Outcome,
    /// Changes that the record shows.
    pub changes: usize,
    /// Changes that the world explained.
    pub explained: usize,
    /// The most states that one change left possible.
    pub belief_most: usize,
    /// Whether states were left out because there were too many.
    pub capped: bool,
    /// How many unusually early timers and lost answers the explanation may use, each.
    pub unusual: u8,
    /// Why nothing is compared from some time on, if so.
    pub uncovered: Option<String>,
}

/// Whether a record is a path of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is, as far as it was compared.
    Conforms,
    /// It is not.
    Diverges(Divergence),
    /// States were left out, so that neither can be said.
    Inconclusive,
    /// Nothing could be compared, for this reason.
    NotCovered(String),
}

/// The first change that the world cannot explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// The change.
    pub change: String,
    /// Its earliest time, in milliseconds of the record.
    pub since_ms: u64,
    /// Its latest time, in milliseconds of the record.
    pub until_ms: u64,
    /// Changes that were explained last, in order.
    pub before: Vec<String>,
    /// The states that explain everything before it with the fewest hidden actions.
    pub survivors: Vec<Survivor>,
}

/// A state that explains everything before a divergence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survivor {
    /// What it shows instead.
    pub shows: String,
    /// Where its procedure stands.
    pub procedure: String,
    /// What could happen in it, and agrees with the record.
    pub admitted: Vec<String>,
    /// What could happen in it, and contradicts the record, with the track that it contradicts.
    pub contradicted: Vec<String>,
}

/// Compares a record with the coarse world of this plan and these peculiarities. The number of nodes
/// comes from the record; nothing goes wrong but what the record says.
pub fn conform(config: &Config, observations: &[Observation], bounds: Bounds) -> Conformance {
    match Seen::of(observations) {
        Ok(seen) => explain(config, &seen, bounds),
        Err(reason) => Conformance::not_covered(reason),
    }
}

/// Compares what was seen with the coarse world of this plan and these peculiarities.
///
/// Unusual things are allowed one by one, so that the usual explanation counts if there is one.
pub fn explain(config: &Config, seen: &Seen, bounds: Bounds) -> Conformance {
    let mut best: Option<Conformance> = None;
    for unusual in 0..=bounds.unusual_max.min(Budgets::MOST) {
        let found = follow(&world_of(config, seen, unusual), seen, bounds);
        if matches!(found.outcome, Outcome::Conforms) {
            return found;
        }
        if best
            .as_ref()
            .is_none_or(|best| best.explained < found.explained)
        {
            best = Some(found);
        }
    }
    best.unwrap_or_else(|| Conformance::not_covered("nothing was tried".to_owned()))
}

/// The plan as it is followed here: nothing is saved, and the stage that waits for it passes. When agents
/// save shows in no track, and every hidden save would double what is possible.
fn unarmed(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.rules.checkpointed = ComponentSet::NONE;
    for stage in &mut plan.stages {
        if let StageKind::Arm(set) = &mut stage.kind {
            *set = ComponentSet::NONE;
        }
    }
    plan
}

/// The world of a record. What comes from outside happens when the record says so, as often as it says.
fn world_of(config: &Config, seen: &Seen, unusual: u8) -> World {
    let config = Config {
        control_planes: seen.control_planes,
        foreign: false,
        first_fault: FirstFault::default(),
        saves_at_once: false,
        announces: true,
        plan: unarmed(&config.plan),
        ..config.clone()
    };
    World::new(config.with(Budgets {
        power_cuts: Budgets::MOST,
        kills: Budgets::MOST,
        installer_kills: Budgets::MOST,
        lost_answers: unusual,
        timing: unusual,
        restarts: Budgets::ANY_NUMBER,
    }))
}

impl Conformance {
    /// Nothing could be compared, for this reason.
    pub fn not_covered(reason: String) -> Self {
        Self {
            outcome: Outcome::NotCovered(reason.clone()),
            changes: 0,
            explained: 0,
            belief_most: 0,
            capped: false,
            unusual: 0,
            uncovered: Some(reason),
        }
    }
}
