//! A case in the simulator: played in memory, then recorded, replayed and judged as a real one is.

use std::path::Path;

use oracle::observation::{CaseClosed, Cause};
use oracle::{END_WHEN_PROVEN, Observation, Sighting, Source};
use pivot::checkpoint;
use scenarios::Case;
use simulator::timed::{self, Outcome};
use terms::{Actor, NodeId, StepEvent};

use super::case::CaseContext;
use super::listeners::ToConsole;
use super::plans::{agent_of, plan_of};
use super::replayed;
use super::timeline::{chain, trouble};
use crate::evidence::run_directory::write_whole;
use crate::evidence::{Recorder, Sample};
use crate::stream::Recording;

/// Plays and records a case; says how much virtual time it took, in milliseconds.
///
/// # Errors
/// When the plan file is gone, or the case's folder cannot be written.
pub(super) async fn record(context: &CaseContext, case: &Case) -> Result<u64, String> {
    let (context, case) = (context.clone(), case.clone());
    // It computes and waits for nothing: other tasks, such as the one that hears Ctrl-C, go on.
    let work = tokio::task::spawn_blocking(move || record_now(&context, &case));
    work.await
        .map_err(|error| format!("the simulator broke: {error}"))?
}

fn record_now(context: &CaseContext, case: &Case) -> Result<u64, String> {
    let mut outcome = match timed::why_not_applicable(case) {
        Some(reason) => not_begun(case, reason),
        None => timed::run_with_agents(case, &plan_of(case)?, agent_of(case)?),
    };
    keep_evidence(context, case, &outcome)?;
    replay(context, case, &mut outcome);
    let events = context.directory.events(&case.id);
    let recorder = Recorder::create(&events)
        .map_err(|error| format!("cannot begin {}: {error}", events.display()))?;
    let mut recording = Recording::new(recorder, ToConsole::of(context, case));
    for Observation {
        source,
        start_us,
        end_us,
        saw,
        ..
    } in outcome.observations
    {
        recording.take(Sample {
            source,
            start_us,
            end_us,
            saw,
        });
    }
    if let Err(reason) = recording.close() {
        context
            .console
            .note(&format!("{}: recording is incomplete: {reason}", case.id));
    }
    Ok(outcome.took_ms)
}

/// The record of a case that cannot be run truthfully here.
fn not_begun(case: &Case, reason: String) -> Outcome {
    let closed = CaseClosed {
        end: END_WHEN_PROVEN.to_owned(),
        trouble: None,
    };
    let all = [
        Sighting::CaseOpened(case.opened()),
        Sighting::NotApplicable(reason),
        Sighting::CaseClosed(closed),
    ];
    let observations = (0..).zip(all).map(|(seq, saw)| Observation {
        v: 1,
        source: Source::Runner,
        seq,
        start_us: 0,
        end_us: 0,
        saw,
    });
    Outcome {
        observations: observations.collect(),
        log: Vec::new(),
        agent_logs: std::collections::BTreeMap::new(),
        took_ms: 0,
    }
}

/// Logs and steps of the installer and of the agents, where a real run has them.
fn keep_evidence(context: &CaseContext, case: &Case, outcome: &Outcome) -> Result<(), String> {
    let evidence = context.directory.evidence(&case.id);
    let keep = |node: &NodeId, file: &str, log: Vec<String>, actor: &Actor| {
        let folder = evidence.join(node.as_str());
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let log: String = log.into_iter().map(|line| line + "\n").collect();
        let write = |name: String, text: &str| {
            write_whole(&folder.join(name), text).map_err(|error| chain(&error))
        };
        write(format!("{file}-log.ndjson"), &log)?;
        write(
            format!("{file}-steps.ndjson"),
            &steps(&outcome.observations, actor),
        )
    };
    if !outcome.log.is_empty() {
        let log = outcome.log.iter().map(pivot::LogEntry::to_line).collect();
        keep(
            &NodeId::control_plane(1),
            "installer",
            log,
            &Actor::default(),
        )?;
    }
    for (node, log) in &outcome.agent_logs {
        let lines = log.iter().map(checkpoint::LogEntry::to_line).collect();
        keep(node, "agent", lines, &Actor::agent(node))?;
    }
    Ok(())
}

fn steps(observations: &[Observation], actor: &Actor) -> String {
    let event = |seen: &Observation| {
        let Sighting::Step(step) = &seen.saw else {
            return None;
        };
        if step.actor != *actor {
            return None;
        }
        let event = StepEvent {
            v: 1,
            actor: step.actor.clone(),
            step: step.step.clone(),
            moment: step.moment,
            boot_us: seen.end_us,
            held: step.held,
            reason: step.reason.clone(),
        };
        serde_json::to_string(&event).ok()
    };
    observations
        .iter()
        .filter_map(event)
        .flat_map(|line| [line, "\n".to_owned()])
        .collect()
}

/// The same check as after a real case. What it finds makes the case inconclusive.
fn replay(context: &CaseContext, case: &Case, outcome: &mut Outcome) {
    let evidence: &Path = &context.directory.evidence(&case.id);
    let Err(reason) = replayed::check(evidence, case) else {
        return;
    };
    if let Some(Observation {
        saw: Sighting::CaseClosed(closed),
        ..
    }) = outcome.observations.last_mut()
    {
        closed
            .trouble
            .get_or_insert(trouble(Cause::Harness, reason));
    }
}
