//! The agents' plans that ship, under the names of the pivot's policies.

use super::mutants::agent_mutants;
use super::plan::{
    ActivateRule, AgentPlan, AgentRules, GraceRule, OrderRule, RetireRule, RuntimeErrorRule,
    SaveRule,
};
use crate::plan::{ComponentSet, Plan};

impl AgentPlan {
    /// The names of the agents' plans that ship.
    pub const NAMES: [&'static str; 2] = ["modern", "bootkube"];

    /// The plan of the agent that belongs to this policy; none for a policy without an agent.
    pub fn named(policy: &str) -> Option<Self> {
        match policy {
            "modern" => Some(modern_agent()),
            "bootkube" => Some(bootkube_agent()),
            _ => None,
        }
    }

    /// The agents' plan of this name: one that ships, or a mutant, so that a known mistake can be run
    /// wherever the reference can.
    pub fn find(name: &str) -> Option<Self> {
        Self::named(name).or_else(|| {
            let mut mutants = agent_mutants().into_iter();
            Some(mutants.find(|mutant| mutant.name == name)?.plan)
        })
    }

    /// What the agents of a cluster follow that is bootstrapped by this plan: the agents' plan of the same
    /// name, or else the reference's; none for a plan that checkpoints nothing.
    pub fn belonging_to(plan: &Plan) -> Option<Self> {
        let checkpointed = plan.rules.checkpointed;
        let named = Self::named(&plan.policy).unwrap_or_else(modern_agent);
        (checkpointed != ComponentSet::NONE).then_some(Self {
            checkpointed,
            ..named
        })
    }
}

/// The reference: it saves what has proven itself, starts a copy only when nobody else will, and
/// takes nothing away on account of what it does not know.
pub fn modern_agent() -> AgentPlan {
    AgentPlan {
        policy: "modern".to_owned(),
        checkpointed: ComponentSet::ALL,
        ready_ms: 5_000,
        absent_ms: 1_500,
        handover_ms: 10_000,
        grace_ms: 300_000,
        retry_ms: 1_000,
        rules: AgentRules {
            runtime_error: RuntimeErrorRule::Wait,
            grace: GraceRule::ApiOnly,
            order: OrderRule::FilesFirst,
            save: SaveRule::WhenReady,
            activate: ActivateRule::Unserved,
            retire: RetireRule::WhenReady,
            unled: true,
            protects_itself: true,
        },
    }
}

/// bootkube's pod-checkpointer as it really behaved: the apiserver alone, once every five seconds by
/// one look, with the defects that its issues tell of. Its release's manifest had a grace period of
/// five minutes; the program's default, which failed in the field (FF-24), was one.
///
/// Not expressed: that it kept a table of pods by *name*, so that after a roll two of them could be
/// active (C10), and that whoever lost the runtime's answer lost it for all pods alike.
pub fn bootkube_agent() -> AgentPlan {
    AgentPlan {
        policy: "bootkube".to_owned(),
        checkpointed: ComponentSet::APISERVER,
        ready_ms: 0,
        absent_ms: 0,
        handover_ms: 0,
        grace_ms: 60_000,
        retry_ms: 5_000,
        rules: AgentRules {
            runtime_error: RuntimeErrorRule::AssumeDead,
            grace: GraceRule::Blind,
            order: OrderRule::ManifestFirst,
            save: SaveRule::WhenSeen,
            activate: ActivateRule::ParentAbsent,
            retire: RetireRule::WhenRunning,
            unled: false,
            protects_itself: false,
        },
    }
}
