//! Mutants: `modern`'s agent with one rule or timing changed for the worse. Each must be caught by an
//! invariant, or be shown to do no harm within stated bounds.

use super::plan::{
    ActivateRule, AgentPlan, GraceRule, OrderRule, RetireRule, RuntimeErrorRule, SaveRule,
};
use super::policies::modern_agent;
use crate::plan::ComponentSet;

/// Longer than anybody waits, so that a timer never runs out.
const NEVER_MS: u32 = u32::MAX;

/// An agent's plan with a known mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentMutant {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it, and when that shows.
    pub about: &'static str,
    /// The plan.
    pub plan: AgentPlan,
    /// Of what the installer waits for checkpoints.
    pub arms: ComponentSet,
    /// Slugs of the invariants that must catch it; none where only durations could show the harm, which
    /// a world without time does not have.
    pub catches: &'static [&'static str],
}

/// Every mutant of the agent's plan.
pub fn agent_mutants() -> Vec<AgentMutant> {
    let mut all = mutants_of_a_rule();
    all.extend(mutants_of_a_time());
    all.extend(mutants_of_what_is_covered());
    all
}

fn mutants_of_a_rule() -> Vec<AgentMutant> {
    vec![
        mutant(
            "takes-errors-for-absence",
            "what the runtime cannot tell is taken not to run; harmless while handing over minds the API",
            &[],
            |plan| plan.rules.runtime_error = RuntimeErrorRule::AssumeDead,
        ),
        mutant(
            "graces-blindly",
            "the grace period runs on while the API does not answer; shows when the parents are deleted and the API goes",
            &["checkpoints-outlive-ignorance"],
            |plan| plan.rules.grace = GraceRule::Blind,
        ),
        mutant(
            "takes-silence-for-absence",
            "an API that does not answer is taken to have no parents; shows when it goes",
            &["checkpoints-outlive-ignorance"],
            |plan| plan.rules.grace = GraceRule::SilenceIsAbsence,
        ),
        mutant(
            "manifest-first",
            "a version can be activated before its files are there",
            &["checkpoints-are-complete"],
            |plan| plan.rules.order = OrderRule::ManifestFirst,
        ),
        mutant(
            "saves-what-it-sees",
            "a parent is saved whether or not it was ever ready; shows when a bad revision is rolled out",
            &["last-known-good"],
            |plan| plan.rules.save = SaveRule::WhenSeen,
        ),
        mutant(
            "races-its-parent",
            "a copy starts whenever its parent does not run, though the API answers",
            &[],
            |plan| plan.rules.activate = ActivateRule::ParentAbsent,
        ),
        mutant(
            "takes-errors-for-absence-and-races",
            "what the runtime cannot tell is taken not to run, and the API is not asked; harmless while handing over minds the API",
            &[],
            |plan| {
                plan.rules.runtime_error = RuntimeErrorRule::AssumeDead;
                plan.rules.activate = ActivateRule::ParentAbsent;
            },
        ),
        mutant(
            "retires-for-a-process",
            "a copy stops as soon as its parent's process runs, ready or not; shows when the runtime cannot tell",
            &["handover-is-bounded"],
            |plan| plan.rules.retire = RetireRule::WhenRunning,
        ),
        mutant(
            "ignores-the-lease",
            "controllers are not started while the API answers; shows when all of them are deleted",
            &["controllers-return-after-deletion"],
            |plan| plan.rules.unled = false,
        ),
        mutant(
            "forgets-itself",
            "the agent's own static copy goes with the agent's pod; shows when that is rolled",
            &["one-checkpoint-agent", RETURNS],
            |plan| plan.rules.protects_itself = false,
        ),
    ]
}

fn mutants_of_a_time() -> Vec<AgentMutant> {
    vec![
        mutant(
            "saves-at-once",
            "a parent is saved as soon as it is ready once; shows when a bad revision is ready for a moment",
            &["last-known-good"],
            |plan| plan.ready_ms = 0,
        ),
        mutant(
            "never-saves",
            "a parent is never ready for long enough, so that the bootstrap control plane stays for ever",
            &[RETURNS],
            |plan| plan.ready_ms = NEVER_MS,
        ),
        mutant(
            "starts-at-once",
            "a copy starts at the first look that finds nothing",
            &[],
            |plan| plan.absent_ms = 0,
        ),
        mutant(
            "never-starts",
            "a copy is never started; shows after a power cut, and after deletions",
            &[
                "api-returns-after-power-loss",
                "controllers-return-after-deletion",
            ],
            |plan| plan.absent_ms = NEVER_MS,
        ),
        mutant(
            "hands-over-at-once",
            "a copy stops at the first look that finds its parent ready",
            &[],
            |plan| plan.handover_ms = 0,
        ),
        mutant(
            "never-hands-over",
            "a copy never stops for its parent; shows after a power cut",
            &["handover-is-bounded", "api-returns-after-power-loss"],
            |plan| plan.handover_ms = NEVER_MS,
        ),
        mutant(
            "forgets-soon",
            "versions are removed after a second without a parent; shows when pods are deleted",
            &[
                "controllers-return-after-deletion",
                "somebody-can-start-an-apiserver",
            ],
            |plan| plan.grace_ms = 1_000,
        ),
    ]
}

fn mutants_of_what_is_covered() -> Vec<AgentMutant> {
    let mut unarmed = mutant(
        "is-not-waited-for",
        "the installer removes the bootstrap control plane before any checkpoint is there; shows when the power goes",
        &[
            "checkpoints-armed-before-teardown",
            "api-returns-after-power-loss",
        ],
        |_| {},
    );
    unarmed.arms = ComponentSet::NONE;
    vec![
        covering(
            "saves-the-apiserver-alone",
            "controllers are not saved; shows when all of them are deleted",
            ComponentSet::APISERVER,
            &["controllers-return-after-deletion"],
        ),
        covering(
            "saves-controllers-alone",
            "apiservers are not saved; shows when the power goes, and when all of them are deleted",
            ComponentSet::CONTROLLERS,
            &[
                "checkpoints-armed-before-teardown",
                "api-returns-after-power-loss",
                "api-returns-after-deletion",
            ],
        ),
        unarmed,
    ]
}

/// What an explorer says of a world that cannot return to health.
const RETURNS: &str = "returns-by-itself";

fn covering(
    name: &'static str,
    about: &'static str,
    set: ComponentSet,
    catches: &'static [&'static str],
) -> AgentMutant {
    let mut mutant = mutant(name, about, catches, |plan| plan.checkpointed = set);
    mutant.arms = set;
    mutant
}

fn mutant(
    name: &'static str,
    about: &'static str,
    catches: &'static [&'static str],
    change: impl FnOnce(&mut AgentPlan),
) -> AgentMutant {
    let mut plan = AgentPlan {
        policy: name.to_owned(),
        ..modern_agent()
    };
    change(&mut plan);
    AgentMutant {
        name,
        about,
        plan,
        arms: ComponentSet::ALL,
        catches,
    }
}
