//! What the facts ask for: every judgement that a policy can get wrong.

use terms::Component;

use super::effect::{Step, Timer};
use super::facts::{Facts, Known, Saved};
use super::plan::{
    ActivateRule, AgentPlan, AgentRules, GraceRule, OrderRule, RetireRule, RuntimeErrorRule,
    SaveRule,
};

/// Whether the facts ask for the step, for the time that [`delay`] names and at the instant when it is
/// done. `in_grace` says that a grace period already runs.
pub(super) fn asks_for(
    plan: &AgentPlan,
    component: Component,
    step: Step,
    facts: &Facts,
    in_grace: bool,
) -> bool {
    let rules = &plan.rules;
    plan.covers(component)
        && match step {
            Step::Written => is_to_be_saved(rules, facts),
            // What was written was ready when that began. The API need not answer any more, but must
            // not have said that the parent is gone.
            Step::Saved => facts.bound != Known::No,
            Step::Activated => is_to_be_started(rules, component, facts),
            Step::Retired => is_to_be_retired(rules, facts),
            Step::Removed => is_to_be_removed(rules, facts, in_grace),
        }
}

/// The timer that must run out first, unless the step is to be done at once.
pub(super) const fn delay(plan: &AgentPlan, step: Step) -> Option<Timer> {
    let timer = match step {
        Step::Written if matches!(plan.rules.save, SaveRule::WhenSeen) => return None,
        Step::Retired if matches!(plan.rules.retire, RetireRule::WhenRunning) => return None,
        Step::Written => Timer::Ready,
        Step::Activated => Timer::Absent,
        Step::Retired => Timer::Handover,
        Step::Removed => Timer::Grace,
        Step::Saved => return None,
    };
    if plan.duration_ms(timer) == 0 {
        None
    } else {
        Some(timer)
    }
}

fn is_to_be_saved(rules: &AgentRules, facts: &Facts) -> bool {
    let proven = match rules.save {
        SaveRule::WhenReady => is_ready(facts),
        SaveRule::WhenSeen => true,
    };
    facts.bound == Known::Yes && proven && !facts.current
}

fn is_to_be_started(rules: &AgentRules, component: Component, facts: &Facts) -> bool {
    let usable = match rules.order {
        OrderRule::FilesFirst => facts.saved == Saved::Complete,
        OrderRule::ManifestFirst => facts.saved != Saved::Nothing,
    };
    let unserved = match rules.activate {
        // Before an apiserver answers, a controller has nothing to do; soon after, the kubelet starts its parent.
        ActivateRule::Unserved if rules.unled && component != Component::KubeApiserver => false,
        ActivateRule::Unserved => !facts.api,
        ActivateRule::ParentAbsent => facts.bound != Known::No,
    };
    usable
        && !facts.active
        && is_absent(rules, facts.parent_runs)
        && is_absent(rules, facts.copy_runs)
        && (unserved || rules.unled && facts.led == Known::No)
}

/// The API remembers a readiness from before a power cut until the kubelet has spoken to it: what does
/// not run is not ready. A runtime that cannot be asked does not speak against what the API says.
fn is_ready(facts: &Facts) -> bool {
    facts.parent_ready && facts.parent_runs != Known::No
}

fn is_absent(rules: &AgentRules, runs: Known) -> bool {
    match runs {
        Known::No => true,
        Known::Unknown => rules.runtime_error == RuntimeErrorRule::AssumeDead,
        Known::Yes => false,
    }
}

fn is_to_be_retired(rules: &AgentRules, facts: &Facts) -> bool {
    let taken_over = match rules.retire {
        RetireRule::WhenReady => facts.bound == Known::Yes && is_ready(facts),
        RetireRule::WhenRunning => facts.parent_runs == Known::Yes,
    };
    facts.active && taken_over
}

fn is_to_be_removed(rules: &AgentRules, facts: &Facts, in_grace: bool) -> bool {
    let gone = match (rules.grace, facts.bound) {
        // While nobody leads, nobody can bring a controller back: that it is gone says nothing then.
        (GraceRule::ApiOnly, Known::No) => facts.led == Known::Yes,
        (GraceRule::Blind | GraceRule::SilenceIsAbsence, Known::No) => true,
        // Even history left a copy alone that had to run because the API does not answer.
        (GraceRule::Blind, Known::Unknown) => in_grace && !facts.active,
        (GraceRule::SilenceIsAbsence, Known::Unknown) => !facts.active,
        _ => false,
    };
    gone && (facts.active || facts.saved != Saved::Nothing)
}
