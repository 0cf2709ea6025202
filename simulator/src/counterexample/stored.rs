//! The form in which a counterexample is kept: JSON, with the words of its actions.

use std::fmt;

use pivot::{Plan, PlanError};
use serde::{Deserialize, Serialize};
use terms::StepName;

use super::Counterexample;
use crate::coarse::{Action, Budgets, Config, FirstFault, Hits, World};
use crate::explore::Model;

/// The version of the form.
const VERSION: u32 = 1;

/// What stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    v: u32,
    invariant: String,
    control_planes: u8,
    budgets: StoredBudgets,
    /// The step before which nothing went wrong, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    faults_from: Option<StepName>,
    /// The step from which on no fault was the first one, if there was such a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_fault_before: Option<StepName>,
    #[serde(default, skip_serializing_if = "Hits::is_anything")]
    first_fault_on: Hits,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    saves_at_once: bool,
    one_port: bool,
    unschedulable: bool,
    foreign: bool,
    #[serde(default)]
    announces: bool,
    path: Vec<String>,
    plan: Plan,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBudgets {
    power_cuts: u8,
    kills: u8,
    installer_kills: u8,
    lost_answers: u8,
    timing: u8,
    restarts: u8,
}

/// Where in the path something is wrong: the action's number, from 1, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The action's number, from 1.
    pub number: usize,
    /// What stands there.
    pub words: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "action {}: `{}`", self.number, self.words)
    }
}

/// Why a file is no counterexample.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not JSON, or not of this form.
    #[error("this is no counterexample")]
    Malformed(#[source] serde_json::Error),
    /// It was written by another version.
    #[error("version {0} of the form is not known; this is version {VERSION}")]
    Version(u32),
    /// The plan cannot be followed.
    #[error("its plan cannot be followed")]
    Plan(#[source] PlanError),
    /// The world is larger than any that can be explored.
    #[error("a coarse world has 1 to {most} control-plane nodes and budgets up to {budget}", most = Config::MOST_NODES, budget = Budgets::MOST)]
    Bounds,
    /// Its plan has no such step.
    #[error("its plan has no step `{0}` to which its faults are bound")]
    UnknownStep(StepName),
    /// The invariant is none that a coarse state can decide.
    #[error("`{0}` is no invariant of the coarse world")]
    UnknownInvariant(String),
    /// The words are no action's.
    #[error("{0} is no action; {1}")]
    UnknownAction(Place, String),
    /// The action is none that can happen there.
    #[error("{0} cannot happen there; {1}")]
    Disabled(Place, String),
    /// What happens violates nothing, or something else.
    #[error("what happens does not violate `{0}`")]
    NoViolation(String),
}

impl Counterexample {
    /// The text that is kept.
    pub fn save(&self) -> String {
        let Self {
            config,
            invariant,
            path,
        } = self;
        let Config {
            plan,
            control_planes,
            budgets,
            first_fault,
            saves_at_once,
            one_port,
            unschedulable,
            foreign,
            announces,
        } = config;
        let stored = Stored {
            v: VERSION,
            invariant: invariant.clone(),
            control_planes: *control_planes,
            budgets: StoredBudgets::from(*budgets),
            faults_from: config.first_step_with_faults().cloned(),
            first_fault_before: config.step_without_first_fault().cloned(),
            first_fault_on: first_fault.hits,
            saves_at_once: *saves_at_once,
            one_port: *one_port,
            unschedulable: *unschedulable,
            foreign: *foreign,
            announces: *announces,
            path: path.iter().map(ToString::to_string).collect(),
            plan: plan.clone(),
        };
        let text = serde_json::to_string_pretty(&stored);
        format!(
            "{}\n",
            text.expect("text and numbers can be written as JSON")
        )
    }

    /// Reads what [`Counterexample::save`] wrote, and follows it: what comes out is a counterexample.
    ///
    /// # Errors
    /// What is wrong, with the action's place and words, and what could happen there instead.
    pub fn load(text: &str) -> Result<Self, LoadError> {
        let stored: Stored = serde_json::from_str(text).map_err(LoadError::Malformed)?;
        if stored.v != VERSION {
            return Err(LoadError::Version(stored.v));
        }
        let (invariant, words) = (stored.invariant.clone(), stored.path.clone());
        let config = stored.config()?;
        let world = World::new(config.clone());
        let known = world.invariants().iter();
        let bit = known
            .enumerate()
            .find_map(|(bit, slug)| (*slug == invariant).then_some(bit))
            .ok_or_else(|| LoadError::UnknownInvariant(invariant.clone()))?;
        let mut state = world.initial()[0];
        let mut path = Vec::new();
        for (number, words) in (1..).zip(words) {
            let mut listed = Vec::new();
            world.actions(&state, &mut listed);
            let found = listed.iter().find(|action| action.to_string() == words);
            let place = Place { number, words };
            let action = *found.ok_or_else(|| misplaced(&world, place, &listed))?;
            state = world.apply(&state, action);
            path.push(action);
        }
        if world.violated(&state) >> bit & 1 == 0 {
            return Err(LoadError::NoViolation(invariant));
        }
        Ok(Self {
            config,
            invariant,
            path,
        })
    }
}

fn misplaced(world: &World, place: Place, listed: &[Action]) -> LoadError {
    let kind = place.words.split(' ').next().unwrap_or_default();
    if world.kinds().contains(&kind) {
        let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
        let could = if listed.is_empty() {
            "nothing can".to_owned()
        } else {
            format!("what can: {}", listed.join(", "))
        };
        return LoadError::Disabled(place, could);
    }
    let nearest = scenarios::nearest(kind, world.kinds().iter().copied());
    let hint = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("actions begin with {}", world.kinds().join(", ")),
    };
    LoadError::UnknownAction(place, hint)
}

impl Stored {
    fn config(self) -> Result<Config, LoadError> {
        let budgets = self.budgets.budgets();
        if !(1..=Config::MOST_NODES).contains(&self.control_planes) || !budgets.fit() {
            return Err(LoadError::Bounds);
        }
        self.plan.check().map_err(LoadError::Plan)?;
        let calm = Config {
            saves_at_once: self.saves_at_once,
            one_port: self.one_port,
            unschedulable: self.unschedulable,
            foreign: self.foreign,
            announces: self.announces,
            ..Config::calm(self.plan, self.control_planes)
        };
        let config = calm.with(budgets);
        let stage = |step: StepName| {
            let stage = config.stage_of(step.as_str());
            stage.ok_or(LoadError::UnknownStep(step))
        };
        let first_fault = FirstFault {
            from: self.faults_from.map(stage).transpose()?,
            before: self.first_fault_before.map(stage).transpose()?,
            hits: self.first_fault_on,
        };
        Ok(Config {
            first_fault,
            ..config
        })
    }
}

impl From<Budgets> for StoredBudgets {
    fn from(budgets: Budgets) -> Self {
        let Budgets {
            power_cuts,
            kills,
            installer_kills,
            lost_answers,
            timing,
            restarts,
        } = budgets;
        Self {
            power_cuts,
            kills,
            installer_kills,
            lost_answers,
            timing,
            restarts,
        }
    }
}

impl StoredBudgets {
    fn budgets(self) -> Budgets {
        let Self {
            power_cuts,
            kills,
            installer_kills,
            lost_answers,
            timing,
            restarts,
        } = self;
        Budgets {
            power_cuts,
            kills,
            installer_kills,
            lost_answers,
            timing,
            restarts,
        }
    }
}
