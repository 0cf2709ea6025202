//! Mutants: `modern` with one stage or rule changed for the worse. Each must be caught by an
//! invariant, on the simulator and on a real cluster alike; one that is not shows a hole in the judge.

use crate::plan::{
    ComponentSet, IdentifyRule, OnTimeout, Plan, Rules, SecretsRule, Stage, StageKind, TaskRule,
};
use crate::policies::modern;

/// A plan with a known mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it, and when that shows.
    pub about: &'static str,
    /// The plan.
    pub plan: Plan,
    /// Slugs of the invariants that must catch it, in the scene that brings it out.
    pub catches: &'static [&'static str],
}

/// Every mutant of the pivot's plan.
pub fn mutants() -> Vec<Mutant> {
    let mut all = mutants_of_the_gate();
    all.extend(mutants_of_a_rule());
    all.extend(mutants_of_a_stage());
    all.push(secrets_first());
    all
}

/// What counts as able to do without the bootstrap control plane, and what follows if it does not.
fn mutants_of_the_gate() -> Vec<Mutant> {
    vec![
        rule(
            "tears-down-on-timeout",
            "a stage that is overdue ends in teardown; shows when the apiserver cannot be scheduled",
            &[
                "failure-holds",
                "guard-holds-at-teardown",
                "somebody-can-start-an-apiserver",
            ],
            |rules| rules.on_timeout = OnTimeout::TearDown,
        ),
        unarmed(
            "trusts-names",
            "pods are told by their name's beginning and phase; shows when self-hosted apiservers crash",
            &["guard-holds-at-teardown"],
            |rules| rules.identify = IdentifyRule::NamePrefix,
        ),
        unarmed(
            "counts-no-apiservers",
            "self-hosted apiservers are not counted: what the load balancer lists suffices; shows when only one serves",
            &["guard-holds-at-teardown"],
            |rules| rules.least_apiservers = 0,
        ),
        unarmed(
            "one-apiserver-is-enough",
            "one self-hosted apiserver suffices on three nodes; shows when the others crash",
            &["guard-holds-at-teardown"],
            |rules| rules.least_apiservers = 1,
        ),
        rule(
            "forgets-the-load-balancer",
            "the load balancer need not list a self-hosted apiserver; shows when it lists none",
            &["guard-holds-at-teardown"],
            |rules| rules.load_balancer = false,
        ),
        rule(
            "looks-only-once",
            "the guard is not judged again; shows when self-hosted apiservers fail after the gate",
            &["guard-holds-at-teardown"],
            |rules| rules.guard = false,
        ),
    ]
}

fn mutants_of_a_rule() -> Vec<Mutant> {
    vec![
        rule(
            "remembers-nothing",
            "a killed procedure starts from scratch; shows when it is killed at its end",
            &["running-again-converges"],
            |rules| rules.marker = false,
        ),
        rule(
            "claims-nothing",
            "a foreign cluster is not looked for; shows when there is one",
            &["foreign-cluster-refused"],
            |rules| rules.claim = false,
        ),
        rule(
            "keeps-the-stash",
            "stash and credentials are not destroyed",
            &["no-credentials-left"],
            |rules| rules.destroy_stash = false,
        ),
        rule(
            "tries-once",
            "a task that failed once is not tried again; shows when an asset is refused at first",
            &["bootstrap-completes"],
            |rules| rules.tasks = TaskRule::OneShot,
        ),
    ]
}

fn mutants_of_a_stage() -> Vec<Mutant> {
    vec![
        stages(
            "skips-labels",
            "nodes are not labelled",
            &["bootstrap-completes"],
            |stages| {
                stages.retain(|stage| stage.kind != StageKind::Label);
            },
        ),
        stages(
            "skips-arming",
            "nobody waits for checkpoints; shows when they are late",
            &["checkpoints-armed-before-teardown"],
            |stages| stages.retain(|stage| !matches!(stage.kind, StageKind::Arm(_))),
        ),
        stages(
            "skips-handover",
            "the bootstrap controllers go with the apiserver, and nobody looks who takes over; shows when nobody does",
            &["guard-holds-at-teardown"],
            |stages| {
                stages.retain(|stage| !matches!(stage.kind, StageKind::HandOver(_)));
                for stage in stages {
                    if let StageKind::Drain(set) = &mut stage.kind {
                        *set = ComponentSet::ALL;
                    }
                }
            },
        ),
        stages(
            "skips-draining",
            "the apiserver is removed without being drained, and without the guard before; shows when others fail just then",
            &["guard-holds-at-teardown"],
            |stages| stages.retain(|stage| !matches!(stage.kind, StageKind::Drain(_))),
        ),
        stages(
            "skips-verifying",
            "nothing is verified, and the stash is left",
            &["no-credentials-left"],
            |stages| {
                stages.retain(|stage| stage.kind != StageKind::Verify);
            },
        ),
        stages(
            "verifies-at-leisure",
            "a failing verification is tried for two minutes before anything is put back; shows when apiservers fail then",
            &["pivot-keeps-the-api-writable"],
            |stages| {
                for stage in stages
                    .iter_mut()
                    .filter(|stage| stage.kind == StageKind::Verify)
                {
                    stage.deadline_ms = 120_000;
                }
            },
        ),
    ]
}

/// The order matters only where processes still run, so this one leaves out the draining too.
fn secrets_first() -> Mutant {
    let mut mutant = stages(
        "secrets-first",
        "bootstrap secrets are removed while the apiserver that reads them still runs",
        &["nothing-runs-on-deleted-files"],
        |stages| stages.retain(|stage| !matches!(stage.kind, StageKind::Drain(_))),
    );
    mutant.plan.rules.secrets = SecretsRule::BeforeManifests;
    mutant
}

fn rule(
    name: &'static str,
    about: &'static str,
    catches: &'static [&'static str],
    change: impl FnOnce(&mut Rules),
) -> Mutant {
    let mut plan = Plan {
        policy: name.to_owned(),
        ..modern()
    };
    change(&mut plan.rules);
    Mutant {
        name,
        about,
        plan,
        catches,
    }
}

/// A rule that nobody would see broken as long as checkpoints are waited for, which asks for more: the
/// stage that would hide it is left out with it.
fn unarmed(
    name: &'static str,
    about: &'static str,
    catches: &'static [&'static str],
    change: impl FnOnce(&mut Rules),
) -> Mutant {
    let mut mutant = rule(name, about, catches, change);
    let stages = &mut mutant.plan.stages;
    stages.retain(|stage| !matches!(stage.kind, StageKind::Arm(_)));
    mutant
}

fn stages(
    name: &'static str,
    about: &'static str,
    catches: &'static [&'static str],
    change: impl FnOnce(&mut Vec<Stage>),
) -> Mutant {
    let mut plan = Plan {
        policy: name.to_owned(),
        ..modern()
    };
    change(&mut plan.stages);
    Mutant {
        name,
        about,
        plan,
        catches,
    }
}
