//! What becomes of a case.

use oracle::observation::{CaseClosed, Cause, Crowd, HostSample, Trouble};
use oracle::{
    CaseResult, END_WHEN_PROVEN, Live, Sighting, Source, Verdict, judge, reader, register,
};

use crate::story::{Story, expects};
use crate::world::World;

#[track_caller]
fn is(verdict: &Verdict, result: CaseResult, cause: Option<Cause>) {
    assert_eq!(
        (verdict.result, verdict.cause),
        (result, cause),
        "{}",
        verdict.reason
    );
    assert!(!verdict.reason.is_empty());
}

fn lost_write() -> World {
    let mut world = World::done(3);
    world.keys.pop_first();
    world
}

const LOST: &str = "acknowledged-writes-survive";

#[test]
fn every_invariant_has_a_row() {
    let verdict = World::done(3).close("done").verdict();
    assert_eq!(verdict.invariants.len(), register::all().count());
    assert!(verdict.figures["bootstrap_ms"] > 0);
    assert!(verdict.figures.contains_key("api_write_gap_ms"));
    assert!(verdict.figures.contains_key("first_self_hosted_ms"));
}

#[test]
fn an_expected_violation_passes_and_its_absence_fails() {
    is(
        &judge(&lost_write().close("done").told, &expects("done", &[LOST])),
        CaseResult::Passed,
        None,
    );
    is(
        &judge(
            &World::done(3).close("done").told,
            &expects("done", &[LOST]),
        ),
        CaseResult::Failed,
        None,
    );
    is(
        &lost_write().close("done").verdict(),
        CaseResult::Failed,
        None,
    );
}

#[test]
fn what_else_is_violated_fails_the_case() {
    let mut world = lost_write();
    world
        .machine(2)
        .bootstrap_files
        .insert("/root/assets/kubeconfig".to_owned());
    is(
        &judge(&world.close("done").told, &expects("done", &[LOST])),
        CaseResult::Failed,
        None,
    );
}

#[test]
fn another_end_fails_and_a_proven_one_does_not() {
    is(
        &World::done(3).close("holding").verdict(),
        CaseResult::Failed,
        None,
    );
    let story = lost_write().close(END_WHEN_PROVEN);
    is(
        &judge(&story.told, &expects("done", &[LOST])),
        CaseResult::Passed,
        None,
    );
    is(
        &World::done(3).close(END_WHEN_PROVEN).verdict(),
        CaseResult::Failed,
        None,
    );
}

#[test]
fn a_case_that_was_cut_off_is_inconclusive_or_failed() {
    let cut = |story: Story| story.without(|seen| matches!(seen.saw, Sighting::CaseClosed(_)));
    is(
        &cut(World::done(3).close("done")).verdict(),
        CaseResult::Inconclusive,
        Some(Cause::Harness),
    );
    is(
        &cut(lost_write().close("done")).verdict(),
        CaseResult::Failed,
        None,
    );
    is(
        &judge(&[], &expects("done", &[])),
        CaseResult::Inconclusive,
        Some(Cause::Harness),
    );
}

#[test]
fn a_fault_without_effect_is_inconclusive_unless_something_is_violated() {
    let without_effect = |world: World| {
        let mut world = world;
        world.power_off(3);
        world.heal(3);
        let mut story = world.close("done");
        for seen in &mut story.told {
            if let Sighting::Fault(record) = &mut seen.saw {
                record.effect = Err("still runs".to_owned());
            }
        }
        story.verdict()
    };
    is(
        &without_effect(World::done(3)),
        CaseResult::Inconclusive,
        Some(Cause::Fault),
    );
    is(&without_effect(lost_write()), CaseResult::Failed, None);
}

#[test]
fn trouble_and_degraded_recording_are_inconclusive() {
    let mut story = World::done(3).close("done");
    let last = story.told.last_mut().unwrap();
    let trouble = Trouble {
        cause: Cause::Environment,
        detail: "the engine is gone".to_owned(),
    };
    last.saw = Sighting::CaseClosed(CaseClosed {
        end: "done".to_owned(),
        trouble: Some(trouble),
    });
    is(
        &story.verdict(),
        CaseResult::Inconclusive,
        Some(Cause::Environment),
    );
    let mut world = World::done(3);
    world.story.tell(
        500,
        Source::Runner,
        Sighting::RecordingDegraded("disk full".to_owned()),
    );
    is(
        &world.close("done").verdict(),
        CaseResult::Inconclusive,
        Some(Cause::Harness),
    );
}

#[test]
fn what_is_unknown_is_never_green() {
    let story = World::done(3)
        .close("done")
        .without(|seen| matches!(seen.saw, Sighting::ReadBack(_)));
    is(
        &story.verdict(),
        CaseResult::Inconclusive,
        Some(Cause::Samples),
    );
}

#[test]
fn a_cluster_that_does_not_settle_never_passes() {
    let mut world = World::done(3);
    // After the loss of two nodes at once no invariant of this version owns it.
    world.power_off(2);
    world.power_off(3);
    world.heal(2);
    world.heal(3);
    world.run(2_000);
    world.settle(&["cp-2 is not ready"]);
    let mut story = world.close("done");
    for seen in &mut story.told {
        if let Sighting::Fault(record) = &mut seen.saw {
            record.targets = vec!["cp-2".into(), "cp-3".into()];
        }
    }
    assert_eq!(story.verdict().result, CaseResult::Failed);
}

#[test]
fn a_slow_host_excuses_a_missed_time_but_no_lost_write() {
    let crowd = |runnable| Crowd {
        runnable,
        processors: 2,
    };
    let sampled = |mut world: World, timer_late_us, fsync_us, runnable| {
        for second in 0..20 {
            let sample = HostSample {
                timer_late_us,
                fsync_us,
                crowd: Some(crowd(runnable)),
            };
            world
                .story
                .tell(second * 1_000, Source::Host, Sighting::HostSample(sample));
        }
        world
    };
    let mut late = World::done(3);
    let Sighting::CaseOpened(case) = &mut late.story.told[0].saw else {
        panic!()
    };
    case.budgets
        .insert("bootstrap".to_owned(), terms::Milliseconds(5_000));
    is(
        &late.clone().close("done").verdict(),
        CaseResult::Failed,
        None,
    );
    let busy = sampled(late.clone(), 200_000, 200_000, 48);
    is(&busy.close("done").verdict(), CaseResult::Failed, None);
    for (timer_late_us, fsync_us, runnable) in [(300_000, 0, 1), (0, 600_000, 1), (0, 0, 49)] {
        let slow = sampled(late.clone(), timer_late_us, fsync_us, runnable);
        is(
            &slow.close("done").verdict(),
            CaseResult::Inconclusive,
            Some(Cause::Host),
        );
    }
    let slow = sampled(lost_write(), 900_000, 2_000_000, 99);
    is(&slow.close("done").verdict(), CaseResult::Failed, None);
}

#[test]
fn the_live_judge_finds_what_the_judge_finds() {
    let story = lost_write().close("done");
    let mut live = Live::new();
    let mut found: Vec<_> = story
        .told
        .iter()
        .flat_map(|seen| live.observe(seen))
        .map(|(slug, _)| slug)
        .collect();
    found.extend(live.finish().into_iter().map(|(slug, _)| slug));
    assert_eq!(found, [LOST]);
    assert!(live.violated().contains(LOST));
}

#[test]
fn a_record_survives_being_written_and_cut_off() {
    let story = World::done(3).close("done");
    let lines: Vec<_> = story
        .told
        .iter()
        .map(|seen| serde_json::to_string(seen).unwrap())
        .collect();
    let text = format!("{}\n", lines.join("\n"));
    let whole = reader::read(&text).unwrap();
    assert_eq!(whole.observations, story.told);
    assert!(whole.notes.is_empty());
    let cut = reader::read(&text[..text.len() - 20]).unwrap();
    assert_eq!(cut.observations.len(), story.told.len() - 1);
    assert_eq!(cut.notes.len(), 1);
    let bad = text.replacen("{\"v\":1", "{\"v\":", 1);
    assert!(
        reader::read(&bad)
            .unwrap_err()
            .to_string()
            .contains("line 1")
    );
    let newer = text.replacen("{\"v\":1", "{\"v\":2", 1);
    assert!(
        reader::read(&newer)
            .unwrap_err()
            .to_string()
            .contains("version 2")
    );
    assert!(!reader::read("").unwrap().notes.is_empty());
}

/// A case that its backend cannot run truthfully: nothing was begun, nothing is judged.
#[test]
fn a_case_that_was_not_begun_is_not_applicable_and_one_that_was_begun_is_not() {
    let mut world = World::new(1);
    let reason = "no such fault here".to_owned();
    world
        .story
        .tell(0, Source::Runner, Sighting::NotApplicable(reason.clone()));
    let verdict = world.close("none").verdict();
    assert_eq!(
        verdict.result,
        CaseResult::NotApplicable,
        "{}",
        verdict.reason
    );
    assert_eq!(verdict.reason, reason);
    let judged =
        |judged: &oracle::Judged| !matches!(judged.judgement, oracle::Judgement::NotJudged(_));
    assert!(!verdict.invariants.iter().any(judged), "{verdict:#?}");
    let mut world = World::new(1);
    world
        .story
        .tell(0, Source::Runner, Sighting::NotApplicable(reason));
    world.start("bootstrap", false);
    let verdict = world.close("none").verdict();
    assert_ne!(verdict.result, CaseResult::NotApplicable);
}
