//! Random walks: what they find, that it is real, and that threads change nothing.

use simulator::explore::{
    Bounds, Healed, Model, Stuck, Until, Walked, Walks, Weights, go_on, walk, walk_all,
};

use crate::toys::{Mistake, Pivot, TwoPhase};

fn walks() -> Walks {
    Walks {
        seed: 1,
        walks: 2_000,
        steps: 60,
        weights: Weights::Swarm,
        healed_steps: 40,
        healed_bounds: Bounds::within_mib(16).states(100_000),
        until: Until::Exhausted,
        threads: 1,
    }
}

/// What a result says, without its paths' models.
fn said<M: Model>(walked: &Walked<M>) -> impl PartialEq + std::fmt::Debug + use<M> {
    let met: Vec<_> = walked
        .violations
        .iter()
        .map(|met| (met.invariant, met.walks, met.first, met.path.to_string()))
        .collect();
    let stuck = walked
        .stuck
        .as_ref()
        .map(|(met, why)| (met.walks, met.first, met.path.to_string(), *why));
    let healed = (walked.returned, walked.slow, walked.undecided);
    (
        walked.walks,
        walked.steps,
        walked.fired.clone(),
        met,
        stuck,
        healed,
    )
}

#[test]
fn threads_change_nothing() {
    let model = Pivot::new(3, 2, Mistake::TearsDownEarly);
    for until in [Until::Exhausted, Until::Violation] {
        let run = |threads| {
            said(&walk_all(
                &model,
                &Walks {
                    threads,
                    until,
                    ..walks()
                },
                &go_on,
            ))
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn what_a_walk_finds_is_real_and_can_be_done_again() {
    let model = Pivot::new(3, 2, Mistake::TearsDownEarly);
    let walked = walk_all(&model, &walks(), &go_on);
    assert_eq!(walked.violations.len(), 1);
    let met = &walked.violations[0];
    assert_eq!(model.violated(&met.path.end(&model)) & 1, 1);
    let again = walk(&model, &walks(), met.first);
    assert_eq!(again.violated[0], Some(met.path.actions.len()));
    assert!(again.path.actions.starts_with(&met.path.actions));
    for earlier in 0..met.first {
        assert_eq!(walk(&model, &walks(), earlier).violated[0], None);
    }
    let (stuck, why) = walked
        .stuck
        .as_ref()
        .expect("nobody is left to start an apiserver");
    assert_eq!(*why, Stuck::DeadEnd);
    let mut last = Vec::new();
    model.actions(&stuck.path.end(&model), &mut last);
    assert!(last.iter().all(|action| model.is_outside(*action)));
}

#[test]
fn a_sound_world_returns_after_every_walk() {
    let model = Pivot::new(3, 2, Mistake::None);
    let walked = walk_all(&model, &walks(), &go_on);
    assert!(walked.violations.is_empty() && walked.stuck.is_none());
    assert_eq!(walked.undecided, 0);
    assert_eq!(walked.returned + walked.slow, walked.walks);
    assert!(
        walked.fired.iter().all(|(_, times)| *times > 0),
        "{:?}",
        walked.fired
    );
}

/// Once healing began, nothing more comes from outside.
#[test]
fn the_healed_phase_is_left_alone() {
    let model = Pivot::new(3, 9, Mistake::None);
    let mut healed_steps = 0;
    for number in 0..200 {
        let walk = walk(
            &model,
            &Walks {
                steps: 5,
                ..walks()
            },
            number,
        );
        let healed = &walk.path.actions[walk.healed_from..];
        healed_steps += healed.len();
        assert!(
            !healed.iter().any(|action| model.is_outside(*action)),
            "walk {number}"
        );
    }
    assert!(
        healed_steps > 200,
        "{healed_steps} actions in 200 healed phases"
    );
}

/// A world that could return, and only was not given the time, is not called stuck.
#[test]
fn slow_is_not_stuck() {
    let model = Pivot::new(3, 2, Mistake::None);
    let hurried = Walks {
        steps: 0,
        healed_steps: 2,
        ..walks()
    };
    assert_eq!(walk(&model, &hurried, 0).healed, Healed::Slow);
    let blind = Walks {
        healed_bounds: Bounds::within_mib(16).states(2),
        ..hurried
    };
    assert_eq!(walk(&model, &blind, 0).healed, Healed::Undecided);
}

/// Another manager's abort is never heard of: the rest goes round in circles of its own.
#[test]
fn circles_are_found_by_searching_on() {
    let model = TwoPhase {
        aborts: false,
        ..TwoPhase::correct(2)
    };
    let walked = walk_all(&model, &walks(), &go_on);
    assert!(walked.stuck.is_some_and(|(met, _)| met.walks > 0));
}

/// The teardown must come before any of many checkpoints: walks of one temper meet that more often.
#[test]
fn swarm_finds_more_than_uniform() {
    let model = Pivot::new(4, 2, Mistake::TearsDownEarly);
    let hits = |weights| {
        let walked = walk_all(
            &model,
            &Walks {
                weights,
                walks: 20_000,
                ..walks()
            },
            &go_on,
        );
        walked.violations.iter().map(|met| met.walks).sum::<u64>()
    };
    let (uniform, swarm) = (hits(Weights::Uniform), hits(Weights::Swarm));
    assert!(swarm > uniform, "{swarm} against {uniform}");
}
