//! Whatever happens, in whatever order: the machine does not panic, does at most eight things at
//! once, and takes nothing away without proof.

mod bench;

use bench::perfect;
use pivot::{
    Durable, Effect, Effects, Facts, Input, NodeSet, Outcome, Plan, StageKind, StaleFact, State,
    Task, Timer, Why, bootkube, kubeadm_alpha, modern, mutants, recover, resume, running_tasks,
    step,
};
use proptest::prelude::*;
use terms::{Component, Incarnation, Moment};

const TASKS: [Task; 14] = [
    Task::ClaimCluster,
    Task::ClaimExisting,
    Task::PurgeStale,
    Task::StageSecrets,
    Task::PlaceManifest(Component::KubeApiserver),
    Task::Apply(pivot::AssetGroup::Dns),
    Task::LabelNode(2),
    Task::LabelNode(200),
    Task::StashManifest(Component::KubeScheduler),
    Task::DeleteManifest(Component::Etcd),
    Task::StashSecrets,
    Task::Canary,
    Task::VerifyApi,
    Task::DestroyStash,
];
const TIMERS: [Timer; 3] = [Timer::Stage, Timer::Stable, Timer::Retry];

fn plans() -> Vec<Plan> {
    let mut plans = vec![modern(), bootkube(), kubeadm_alpha(), recover()];
    plans.extend(mutants().into_iter().map(|mutant| mutant.plan));
    plans
}

/// One draw of chance, from which an input is made.
#[derive(Clone, Copy, Debug)]
struct Draw {
    kind: u8,
    pick: u8,
    noise: u16,
    control_planes: u8,
}

fn draw() -> impl Strategy<Value = Draw> {
    (any::<u8>(), any::<u8>(), any::<u16>(), 0_u8..=20).prop_map(
        |(kind, pick, noise, control_planes)| Draw {
            kind,
            pick,
            noise,
            control_planes,
        },
    )
}

fn durable() -> impl Strategy<Value = Option<Durable>> {
    let why = prop::option::of((0_usize..9).prop_map(|index| Why::ALL[index]));
    prop::option::of(
        (0_u8..20, any::<bool>(), why, any::<bool>(), any::<bool>()).prop_map(
            |(stage, completed, holding, reinstating, done)| Durable {
                stage,
                completed,
                holding,
                reinstating,
                done: done && stage == 13,
            },
        ),
    )
}

/// What the driver of a random walk knows: enough to answer sensibly most of the time.
#[derive(Default)]
struct Outstanding {
    announced: Option<(u8, Moment)>,
    timers: Vec<Timer>,
    tasks: Vec<(Task, u8)>,
}

impl Outstanding {
    fn add(&mut self, effects: &Effects) {
        for effect in effects.iter() {
            match effect {
                Effect::Announce(stage, moment) => self.announced = Some((stage, moment)),
                Effect::Arm(timer) => {
                    self.timers.retain(|armed| *armed != timer);
                    self.timers.push(timer);
                }
                Effect::Disarm(timer) => self.timers.retain(|armed| *armed != timer),
                Effect::Start(task, attempt) => self.tasks.push((task, attempt)),
                Effect::Cancel(task) => self.tasks.retain(|(running, _)| *running != task),
                _ => {}
            }
        }
    }

    fn input(&mut self, draw: Draw) -> Input {
        let Draw {
            kind,
            pick,
            noise,
            control_planes,
        } = draw;
        let pick = usize::from(pick);
        match kind {
            0..=99 if self.announced.is_some() => {
                let (stage, moment) = self.announced.take().expect("just seen");
                Input::Released(stage, moment)
            }
            0..=99 if !self.tasks.is_empty() => {
                let (task, attempt) = self.tasks.remove(pick % self.tasks.len());
                Input::Finished(task, attempt, outcome(noise))
            }
            0..=160 => Input::Facts(facts(noise, 3)),
            161..=200 if !self.timers.is_empty() => {
                Input::Elapsed(self.timers.remove(pick % self.timers.len()))
            }
            161..=215 => Input::Facts(facts(noise, control_planes)),
            216..=225 => Input::Elapsed(TIMERS[pick % 3]),
            226..=240 => Input::Finished(TASKS[pick % 12], draw.kind, outcome(noise)),
            _ => Input::Released(draw.pick, Moment::Entered),
        }
    }
}

fn outcome(noise: u16) -> Outcome {
    match noise {
        0..=50_000 => Outcome::Done,
        50_001..=60_000 => Outcome::Failed(Why::ALL[usize::from(noise) % 9]),
        60_001..=62_000 => Outcome::Unknown,
        _ => Outcome::Refused(Why::ALL[usize::from(noise) % 9]),
    }
}

/// Facts in which about one thing in two draws is wrong.
fn facts(noise: u16, control_planes: u8) -> Facts {
    let mut facts = perfect(control_planes.min(15));
    facts.control_planes = control_planes;
    facts.bootstrap_running = if noise & 1 == 0 { 0 } else { 7 };
    if noise & 2 == 0 {
        facts.apiservers.bootstrap = NodeSet::default();
        facts.apiservers.bootstrap_unlisted = true;
    }
    match noise >> 2 & 15 {
        0 => facts.ready = NodeSet(noise >> 6),
        1 => facts.apiservers.self_hosted = NodeSet(noise >> 6),
        2 => facts.pods_known = false,
        // One pod is missing; those behind it move up.
        3 => facts.pods[usize::from(noise >> 6) % 48..].rotate_left(1),
        4 => facts.etcd = NodeSet(noise >> 6),
        5 => facts.registered = NodeSet(noise >> 6),
        6 => facts.leases[0].age_ds = noise.to_le_bytes()[1],
        7 => facts.labelled = facts.ready,
        8 => facts.stale = None,
        9 => {
            let [nodes, undecided] = (noise >> 6).to_le_bytes();
            facts.stale = Some(StaleFact {
                nodes,
                pods: nodes,
                undecided,
            });
        }
        _ => {}
    }
    facts
}

/// Written apart from the machine's own judgement: two proven apiservers (one on a single node) and
/// ready self-hosted controllers on nodes that are heard of.
fn can_do_without_bootstrap(facts: &Facts) -> bool {
    let serving = (0..facts.control_planes.min(16))
        .filter(|node| facts.apiservers.self_hosted.contains(*node) && facts.ready.contains(*node))
        .count();
    let ready = |component| {
        facts.pods.iter().flatten().any(|pod| {
            pod.claims == Some(component)
                && pod.incarnation == Incarnation::SelfHosted
                && pod.ready
                && pod.fresh
        })
    };
    let least = if facts.control_planes == 1 { 1 } else { 2 };
    facts.pods_known
        && serving >= least
        && ready(Component::KubeControllerManager)
        && ready(Component::KubeScheduler)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_input_is_legal_in_every_state(durable in durable(), draws in prop::collection::vec(draw(), 1..250)) {
        for plan in plans() {
            let (mut state, effects) = resume(&plan, durable);
            let mut outstanding = Outstanding::default();
            outstanding.add(&effects);
            for draw in &draws {
                let input = outstanding.input(*draw);
                let (next, effects) = step(&plan, state, input);
                prop_assert_eq!((next, effects), step(&plan, state, input), "a step depends on something else");
                prop_assert!(effects.len() <= Effects::MOST);
                outstanding.add(&effects);
                state = next;
            }
        }
    }

    /// What a driver that keeps to the contract knows from the effects, the state says too.
    #[test]
    fn the_state_tells_what_its_driver_was_asked_for(draws in prop::collection::vec(draw(), 1..300)) {
        for plan in plans() {
            let (mut state, effects) = resume(&plan, None);
            let mut outstanding = Outstanding::default();
            outstanding.add(&effects);
            for draw in &draws {
                let draw = Draw { kind: draw.kind % 200, ..*draw };
                let input = outstanding.input(draw);
                let (next, effects) = step(&plan, state, input);
                if matches!(input, Input::Facts(_)) && !state.heeds_facts() {
                    prop_assert_eq!((next, effects.len()), (state, 0), "facts were heeded");
                }
                outstanding.add(&effects);
                state = next;
                let mut tasks: Vec<_> = outstanding.tasks.iter().map(|(task, _)| *task).collect();
                tasks.sort();
                let mut running: Vec<_> = running_tasks(&plan, state).collect();
                running.sort();
                prop_assert_eq!(running, tasks);
                for timer in TIMERS {
                    prop_assert_eq!(state.is_armed(timer), outstanding.timers.contains(&timer));
                }
                prop_assert_eq!(state.announced(), outstanding.announced);
            }
        }
    }

    #[test]
    fn modern_takes_nothing_away_without_proof_since_the_last_release(
        durable in durable(),
        draws in prop::collection::vec(draw(), 50..400),
    ) {
        let plan = modern();
        let (mut state, effects) = resume(&plan, durable);
        let mut outstanding = Outstanding::default();
        outstanding.add(&effects);
        let mut proven = false;
        for draw in draws {
            let input = outstanding.input(draw);
            match input {
                // Releases that nobody waits for change nothing.
                Input::Released(stage, Moment::Entered)
                    if state.is_waiting_for_release() && stage == state.stage() =>
                {
                    proven = false;
                }
                Input::Facts(facts) => proven |= can_do_without_bootstrap(&facts),
                _ => {}
            }
            let (next, effects) = step(&plan, state, input);
            for effect in effects.iter() {
                check_effect(&plan, next, effect, proven)?;
            }
            outstanding.add(&effects);
            state = next;
        }
    }
}

fn check_effect(
    plan: &Plan,
    state: State,
    effect: Effect,
    proven: bool,
) -> Result<(), TestCaseError> {
    let kind = plan.stages[usize::from(state.stage())].kind;
    match effect {
        Effect::Start(Task::StashManifest(component), _) => {
            let guarded = matches!(kind, StageKind::HandOver(_) | StageKind::Drain(_));
            prop_assert!(
                kind.is_teardown() && (proven || !guarded),
                "{component} was taken away without proof"
            );
        }
        Effect::Start(Task::StashSecrets, _) => prop_assert!(matches!(kind, StageKind::Remove(_))),
        Effect::Start(Task::DestroyStash, _) => prop_assert_eq!(kind, StageKind::Verify),
        Effect::Start(Task::DeleteManifest(_) | Task::DeleteSecrets, _) => {
            prop_assert!(false, "modern deletes nothing for good");
        }
        Effect::Hold(_, why) => prop_assert!(state.is_holding(), "{why:?}"),
        _ => {}
    }
    Ok(())
}
