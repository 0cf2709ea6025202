//! Whatever happens, in whatever order: the checkpoint agent's machine does not panic, does at most
//! eight things at once, asks for nothing twice, and does nothing dangerous without fresh proof.

#[path = "agent/mod.rs"]
mod agent;

use std::hint::black_box;

use agent::Bench;
use allocation_counter::measure;
use pivot::checkpoint::{
    ActivateRule, AgentPlan, AgentRules, Effect, Facts, GraceRule, Input, Known, LogEntry,
    OrderRule, Outcome, RetireRule, RuntimeErrorRule, SaveRule, Saved, State, Step, Task, Timer,
    begin, modern_agent, step,
};
use pivot::{ComponentSet, checkpoint};
use proptest::prelude::*;
use terms::{Component, Moment};

fn known() -> impl Strategy<Value = Known> {
    prop::sample::select(vec![Known::Unknown, Known::No, Known::Yes])
}

/// Facts without sense: every field is anything.
fn facts() -> impl Strategy<Value = Facts> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let saved = prop::sample::select(vec![Saved::Nothing, Saved::Torn, Saved::Complete]);
    (flags, known(), known(), known(), known(), saved, 0_u8..3).prop_map(
        |(
            (api, parent_ready, current, active),
            bound,
            parent_runs,
            copy_runs,
            led,
            saved,
            parent,
        )| Facts {
            api,
            bound,
            parent_ready,
            parent,
            parent_runs,
            copy_runs,
            led,
            saved,
            current,
            active,
        },
    )
}

fn plan() -> impl Strategy<Value = AgentPlan> {
    let ms = || prop::sample::select(vec![0_u32, 5]);
    (prop::array::uniform4(ms()), any::<u8>(), 0_u8..8).prop_map(|(times, flags, components)| {
        let flag = |bit: u8| flags >> bit & 1 == 1;
        let pick = |bit: u8| usize::from(flag(bit));
        AgentPlan {
            checkpointed: ComponentSet(components | 1),
            ready_ms: times[0],
            absent_ms: times[1],
            handover_ms: times[2],
            grace_ms: times[3],
            rules: AgentRules {
                runtime_error: [RuntimeErrorRule::Wait, RuntimeErrorRule::AssumeDead][pick(0)],
                grace: [
                    GraceRule::ApiOnly,
                    GraceRule::Blind,
                    GraceRule::SilenceIsAbsence,
                ][pick(2)],
                order: [OrderRule::FilesFirst, OrderRule::ManifestFirst][pick(2)],
                save: [SaveRule::WhenReady, SaveRule::WhenSeen][pick(3)],
                activate: [ActivateRule::Unserved, ActivateRule::ParentAbsent][pick(4)],
                retire: [RetireRule::WhenReady, RetireRule::WhenRunning][pick(5)],
                unled: flag(6),
                protects_itself: flag(7),
            },
            ..modern_agent()
        }
    })
}

#[derive(Clone, Copy, Debug)]
enum Draw {
    Facts(Facts),
    /// An answer to a running task, or a stale one.
    Finish(Task, u8, Outcome),
    Elapse(Timer),
    Release(Step, Moment),
    /// What the machine waits for.
    Sensible(u8),
}

fn draw() -> impl Strategy<Value = Draw> {
    let outcome = prop::sample::select(vec![Outcome::Done, Outcome::Failed, Outcome::Unknown]);
    let moment = prop::sample::select(vec![Moment::Entered, Moment::Completed]);
    prop_oneof![
        4 => facts().prop_map(Draw::Facts),
        1 => (prop::sample::select(&Task::ALL[..]), any::<u8>(), outcome)
            .prop_map(|(task, attempt, outcome)| Draw::Finish(task, attempt, outcome)),
        1 => prop::sample::select(&Timer::ALL[..]).prop_map(Draw::Elapse),
        1 => (prop::sample::select(&Step::ALL[..]), moment)
            .prop_map(|(step, moment)| Draw::Release(step, moment)),
        6 => any::<u8>().prop_map(Draw::Sensible),
    ]
}

fn input(bench: &Bench, draw: Draw) -> Option<Input> {
    Some(match draw {
        Draw::Facts(facts) => Input::Facts(facts),
        Draw::Finish(task, attempt, outcome) => Input::Finished(task, attempt, outcome),
        Draw::Elapse(timer) => Input::Elapsed(timer),
        Draw::Release(step, moment) => Input::Released(step, moment),
        Draw::Sensible(pick) => {
            if let Some((step, moment)) = bench.state.announced() {
                Input::Released(step, moment)
            } else if let Some((task, attempt)) = bench.state.running() {
                let outcome = if pick < 200 {
                    Outcome::Done
                } else {
                    Outcome::Failed
                };
                Input::Finished(task, attempt, outcome)
            } else {
                let count = bench.armed.len().max(1);
                Input::Elapsed(*bench.armed.get(usize::from(pick) % count)?)
            }
        }
    })
}

/// Whether the input is one that the machine waits for.
fn concerns(state: State, input: Input) -> bool {
    match input {
        Input::Facts(_) => true,
        Input::Finished(task, attempt, _) => state.running() == Some((task, attempt)),
        Input::Elapsed(timer) => state.is_armed(timer),
        Input::Released(step, moment) => state.announced() == Some((step, moment)),
    }
}

fn component() -> impl Strategy<Value = Component> {
    prop::sample::select(&Component::SELF_HOSTED[..])
}

/// The driver of these walks releases nothing by itself.
fn follow(bench: &mut Bench, input: Input) -> checkpoint::Effects {
    let (state, effects) = step(&bench.plan, bench.component, bench.state, input);
    bench.log.push(LogEntry::Stepped {
        component: bench.component,
        input,
        effects,
    });
    bench.state = state;
    if let Input::Elapsed(timer) = input {
        bench.armed.retain(|armed| *armed != timer);
    }
    if let Input::Finished(task, attempt, _) = input {
        bench.running.retain(|running| *running != (task, attempt));
    }
    effects
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn every_input_is_legal_and_effects_are_balanced(
        plan in plan(),
        component in component(),
        draws in prop::collection::vec(draw(), 1..150),
    ) {
        let mut bench = Bench::of(plan, component);
        for draw in draws {
            let Some(input) = input(&bench, draw) else { continue };
            let before = bench.state;
            let effects = follow(&mut bench, input);
            if !concerns(before, input) {
                prop_assert_eq!((bench.state, effects.len()), (before, 0), "{:?} was heeded", input);
            }
            for effect in effects.iter() {
                match effect {
                    Effect::Arm(timer) => {
                        prop_assert!(!bench.armed.contains(&timer), "{timer:?} is armed twice");
                        bench.armed.push(timer);
                    }
                    Effect::Disarm(timer) => {
                        prop_assert!(bench.armed.contains(&timer), "{timer:?} is not armed");
                        bench.armed.retain(|armed| *armed != timer);
                    }
                    Effect::Start(task, attempt) => bench.running.push((task, attempt)),
                    Effect::Cancel(task) => {
                        prop_assert!(bench.running.iter().any(|(running, _)| *running == task));
                        bench.running.clear();
                    }
                    Effect::Announce(step, moment) => {
                        prop_assert_eq!(bench.state.announced(), Some((step, moment)));
                    }
                }
            }
            prop_assert!(bench.running.len() <= 1);
            prop_assert_eq!(bench.state.running(), bench.running.first().copied());
            for timer in Timer::ALL {
                prop_assert_eq!(bench.state.is_armed(timer), bench.armed.contains(&timer));
            }
            prop_assert_eq!(State::from_bits(bench.state.to_bits()), Some(bench.state));
        }
        prop_assert_eq!(checkpoint::replay(&bench.plan, &bench.log), if bench.log.is_empty() {
            Err(checkpoint::Mismatch::Empty)
        } else {
            Ok(())
        });
    }

    /// Facts that equal the last ones change nothing, unless they are waited for: a driver may leave them out.
    #[test]
    fn the_same_facts_again_change_nothing(
        plan in plan(),
        component in component(),
        draws in prop::collection::vec(draw(), 1..100),
    ) {
        let mut bench = Bench::of(plan, component);
        for draw in draws {
            let Some(input) = input(&bench, draw) else { continue };
            let _ = follow(&mut bench, input);
            bench.armed = Timer::ALL.into_iter().filter(|timer| bench.state.is_armed(*timer)).collect();
            if matches!(input, Input::Facts(_)) && !bench.state.awaits_facts() {
                let (again, effects) = step(&bench.plan, component, bench.state, input);
                prop_assert_eq!((again, effects.len()), (bench.state, 0));
            }
        }
    }

    /// Written apart from the machine's own judgement.
    #[test]
    fn modern_does_nothing_dangerous_without_fresh_proof(
        component in component(),
        draws in prop::collection::vec(draw(), 50..250),
    ) {
        let mut bench = Bench::of(modern_agent(), component);
        let mut gone_throughout = false;
        for draw in draws {
            let Some(input) = input(&bench, draw) else { continue };
            let effects = follow(&mut bench, input);
            for timer in Timer::ALL {
                bench.armed.retain(|armed| *armed != timer);
                if bench.state.is_armed(timer) {
                    bench.armed.push(timer);
                }
            }
            if let Input::Facts(facts) = input {
                gone_throughout &= facts.bound == Known::No;
            }
            for effect in effects.iter() {
                if effect == Effect::Arm(Timer::Grace) {
                    gone_throughout = matches!(input, Input::Facts(facts) if facts.bound == Known::No);
                }
                let Effect::Start(task, _) = effect else { continue };
                let Input::Facts(facts) = input else {
                    return Err(TestCaseError::fail("a task was started without fresh facts"));
                };
                match task {
                    Task::Write => prop_assert!(
                        facts.bound == Known::Yes && facts.parent_ready && facts.parent_runs != Known::No
                    ),
                    Task::Commit => prop_assert!(facts.bound != Known::No),
                    Task::Activate => {
                        prop_assert!(facts.parent_runs == Known::No && facts.copy_runs == Known::No);
                        prop_assert!(facts.saved == Saved::Complete && !facts.active);
                        let unserved = component == Component::KubeApiserver && !facts.api;
                        prop_assert!(unserved || facts.led == Known::No);
                    }
                    Task::Retire => prop_assert!(
                        facts.active
                            && (facts.bound == Known::Yes
                                && facts.parent_ready
                                && facts.parent_runs != Known::No
                                || gone_throughout)
                    ),
                    Task::Remove => prop_assert!(gone_throughout && !facts.active),
                }
            }
        }
    }
}

#[test]
fn a_step_asks_for_no_memory() {
    let inputs = [
        Input::Facts(agent::healthy()),
        Input::Elapsed(Timer::Ready),
        Input::Released(Step::Written, Moment::Entered),
        Input::Facts(agent::healthy()),
        Input::Finished(Task::Write, 1, Outcome::Done),
        Input::Facts(agent::powerless()),
    ];
    let plan = modern_agent();
    let mut state = begin();
    for input in inputs {
        let allocated = measure(|| {
            (state, _) = black_box(step(&plan, Component::KubeApiserver, state, input));
        });
        assert_eq!(allocated.count_total, 0, "{input:?}");
    }
    assert!(state.announced().is_some());
}

#[test]
fn a_log_is_read_back_and_another_plans_log_is_told_apart() {
    let mut bench = Bench::modern();
    bench.tell(agent::healthy());
    bench.run_out(Timer::Ready);
    bench.tell(agent::healthy());
    bench.finish(Outcome::Done);
    let text: String = bench
        .log
        .iter()
        .map(|entry| entry.to_line() + "\n")
        .collect();
    let log = checkpoint::read_log(&text).expect("a log can be read back");
    assert_eq!(log, bench.log);
    assert_eq!(checkpoint::replay(&bench.plan, &log), Ok(()));
    let other = checkpoint::bootkube_agent();
    assert!(matches!(
        checkpoint::replay(&other, &log),
        Err(checkpoint::Mismatch::Effects { entry: 2, .. })
    ));
    assert_eq!(
        checkpoint::replay(&bench.plan, &log[1..]),
        Err(checkpoint::Mismatch::NoBeginning { entry: 1 })
    );
    assert_eq!(
        checkpoint::replay(&bench.plan, &[]),
        Err(checkpoint::Mismatch::Empty)
    );
    assert_eq!(
        checkpoint::read_log(&text[..text.len() - 9])
            .unwrap_err()
            .line,
        log.len()
    );
}
