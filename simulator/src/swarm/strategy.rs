//! Where trials come from: proptest strategies, with weights that are drawn first.

use pivot::{GateRule, Plan, Stage, StageKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use terms::{Component, Moment};

use super::trial::{Act, Strike, Trial};

/// How large trials may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many control-plane nodes, from 1.
    pub control_planes: u8,
    /// The most faults, from 1.
    pub faults: usize,
}

/// What a kind of act weighs: nothing in some trials, nearly everything in others.
const WEIGHTS: [u32; 5] = [0, 1, 8, 64, 512];

/// Trials of a policy within bounds. Faults hit single nodes, so that what they do stays within
/// the invariants' hypotheses as long as there are fewer than a majority of them.
///
/// `policy` is what a scenario calls it: a built-in name, or a plan file.
pub fn trials(plan: &Plan, policy: &str, bounds: Bounds) -> impl Strategy<Value = Trial> + use<> {
    let (plan, policy) = (plan.clone(), policy.to_owned());
    vec(select(&WEIGHTS[..]), KINDS).prop_flat_map(move |weights| {
        let plan = plan.clone();
        let strike = strikes(&weights, bounds.control_planes);
        let moment = select(vec![Moment::Entered, Moment::Completed]);
        let act = (0..plan.stages.len(), moment, strike.clone(), 1..30_u32);
        let policy = policy.clone();
        (
            vec(act, 0..=bounds.faults),
            vec((strike, 1..60_u32), 0..=bounds.faults),
        )
            .prop_map(move |(acts, afterwards)| trial(&policy, &plan, bounds, acts, afterwards))
    })
}

/// How many kinds of strike there are.
const KINDS: usize = 5;

fn strikes(weights: &[u32], control_planes: u8) -> Union<BoxedStrategy<Strike>> {
    let node = || 1..=control_planes;
    let killed = vec![
        Component::Etcd,
        Component::KubeApiserver,
        Component::KubeControllerManager,
        Component::KubeScheduler,
        Component::Kubelet,
    ];
    let deleted = Component::SELF_HOSTED.to_vec();
    let kinds: [BoxedStrategy<Strike>; KINDS] = [
        node().prop_map(Strike::PowerOff).boxed(),
        node().prop_map(Strike::Reboot).boxed(),
        (select(killed), node())
            .prop_map(|(component, node)| Strike::Kill(component, node))
            .boxed(),
        Just(Strike::KillInstaller).boxed(),
        select(deleted).prop_map(Strike::Delete).boxed(),
    ];
    // Where everything weighs nothing, everything weighs the same.
    let all_zero = weights.iter().all(|weight| *weight == 0);
    let weighed = weights
        .iter()
        .map(|weight| if all_zero { 1 } else { *weight })
        .zip(kinds)
        .filter(|(weight, _)| *weight > 0);
    Union::new_weighted(weighed.collect())
}

type DrawnAct = (usize, Moment, Strike, u32);

/// The first stage at which something is there for the strike to hit; one that finds nothing decides nothing.
/// In a plan without such a stage anything may be hit anywhere.
fn first_stage(plan: &Plan, strike: Strike) -> usize {
    let rule = match strike {
        Strike::PowerOff(_)
        | Strike::Reboot(_)
        | Strike::KillInstaller
        | Strike::Kill(Component::Kubelet, _) => return 0,
        Strike::Kill(Component::Etcd, _) => GateRule::EtcdServing,
        // The bootstrap instances, and later those that take over from them.
        Strike::Kill(_, 1) => GateRule::BootstrapServing,
        Strike::Kill(..) => GateRule::SelfHostedServing,
        Strike::Delete(_) => GateRule::PodsScheduled,
    };
    let is_reached = |stage: &Stage| stage.kind == StageKind::Gate(rule);
    let gate = plan.stages.iter().position(is_reached);
    let behind = gate.map_or(0, |gate| gate + 1);
    behind.min(plan.stages.len() - 1)
}

fn trial(
    policy: &str,
    plan: &Plan,
    bounds: Bounds,
    mut acts: Vec<DrawnAct>,
    mut afterwards: Vec<(Strike, u32)>,
) -> Trial {
    let stages = plan.stages.len();
    for (stage, _, strike, _) in &mut acts {
        let first = first_stage(plan, *strike);
        if *stage < first {
            *stage = first + *stage % (stages - first);
        }
    }
    // The plan's order, and each address once: the same one would have to be reached twice.
    acts.sort_by_key(|(step, moment, ..)| (*step, *moment));
    acts.dedup_by_key(|(step, moment, ..)| (*step, *moment));
    // An operation that has ended cannot be killed.
    afterwards.retain(|(strike, _)| *strike != Strike::KillInstaller);
    acts.truncate(bounds.faults);
    afterwards.truncate(bounds.faults - acts.len());
    let on_the_way = acts.into_iter().map(|(step, moment, strike, left_s)| Act {
        step: plan.stages[step].step.clone(),
        moment,
        strike,
        left_s,
    });
    Trial {
        policy: policy.to_owned(),
        control_planes: bounds.control_planes,
        on_the_way: on_the_way.collect(),
        afterwards,
    }
}
