//! `chrysalis run`: cases on real clusters or in the simulator, to a verdict.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use oracle::CaseResult;
use reports::RunReport;
use scenarios::Plan;

use super::backend::Backend;
use super::exit::{Exit, Failure, Outcome};
use super::interrupt;
use super::output::cases;
use super::selection::SelectionArguments;
use crate::console::lines::say;
use crate::console::{Console, ConsoleKind};
use crate::runner::{Run, RunOptions};

/// Run scenarios on real clusters, or in the simulator, and judge them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  chrysalis run scenarios/catalogue/bootstrap-and-pivot.yaml
  chrysalis run scenarios/catalogue --tag gate --jobs 2
  chrysalis run scenarios/catalogue --on sim
  chrysalis run scenarios/catalogue --case installer-killed --repeat 10 --keep-on-failure

Exit codes: 0 passed, 1 something failed, 2 something inconclusive or nothing judged,
64 wrong usage or file, 69 this host cannot run it, 130 interrupted.")]
pub struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Where to run: real containers, or the simulator, which needs no engine and no image.
    #[arg(long, value_enum, default_value_t = Backend::Docker)]
    on: Backend,
    /// How many cases at once. Each 3+1 cluster takes about 1.2 GiB and two processors while it comes up.
    #[arg(long, default_value = "1")]
    jobs: NonZeroUsize,
    /// The run's directory itself; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Leave the cluster of a case that does not pass standing, and say how to look inside.
    #[arg(long)]
    keep_on_failure: bool,
    /// The node image, instead of the one that the recipe names.
    #[arg(long, value_name = "IMAGE", env = "CHRYSALIS_IMAGE")]
    image: Option<String>,
}

/// Checks everything, then runs. Nothing is started before everything has been checked.
pub async fn run(arguments: Arguments) -> Outcome {
    let plan = arguments.selection.plan()?;
    if plan.cases.is_empty() {
        say!("this shard is empty: nothing to run");
        return Ok(Exit::Success);
    }
    if arguments.on == Backend::Sim && arguments.keep_on_failure {
        let words = "the simulator leaves no cluster to keep; leave `--keep-on-failure` out";
        return Err(Failure::new(Exit::Usage, words));
    }
    let kubernetes = &plan.cases[0].cluster.kubernetes;
    let backend = arguments
        .on
        .ready(arguments.image.as_deref(), kubernetes)
        .await?;
    let cancel = interrupt::token()?;
    let console = Arc::new(Console::new(ConsoleKind::detect()));
    let options = RunOptions {
        name: name_of(&arguments.selection.paths),
        out: arguments.out,
        jobs: arguments.jobs.get(),
        seed: arguments.selection.seed,
        keep_on_failure: arguments.keep_on_failure,
    };
    let run = Run::open(backend, &plan, options, Arc::clone(&console), cancel)
        .await
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let directory = run.directory().root().display().to_string();
    console.note(&format!(
        "{}; everything is written to {directory}",
        cases(plan.cases.len())
    ));
    let report = run
        .execute(&plan.cases)
        .await
        .map_err(|error| Failure::new(Exit::Inconclusive, error))?;
    console.summary(&report);
    let flaky = tell_repetitions(&console, &plan, &report);
    console.note(&format!(
        "report: {directory}/summary.md, {directory}/junit.xml"
    ));
    Ok(exit_of(&report, flaky))
}

/// A run is named after its only path, or after how many there are.
fn name_of(paths: &[PathBuf]) -> String {
    match paths {
        [one] => one.file_stem().map_or_else(
            || "run".to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        ),
        many => format!("{}-paths", many.len()),
    }
}

/// Repetitions of one case must agree. Says how they went; true when some disagree.
fn tell_repetitions(console: &Console, plan: &Plan, report: &RunReport) -> bool {
    let mut subjects: BTreeMap<&str, Vec<CaseResult>> = BTreeMap::new();
    for (case, result) in plan.cases.iter().zip(&report.cases) {
        subjects
            .entry(case.subject())
            .or_default()
            .push(result.verdict.result);
    }
    let mut flaky = false;
    for (subject, results) in subjects
        .into_iter()
        .filter(|(_, results)| results.len() > 1)
    {
        let passed = results
            .iter()
            .filter(|result| **result == CaseResult::Passed)
            .count();
        let agree = results.iter().all(|result| *result == results[0]);
        flaky |= !agree;
        let word = if agree { "agreed" } else { "flaky" };
        console.note(&format!(
            "{subject}: {word} {passed}/{} passed",
            results.len()
        ));
    }
    flaky
}

fn exit_of(report: &RunReport, flaky: bool) -> Exit {
    match report.exit_code() {
        130 => Exit::Interrupted,
        1 => Exit::Failed,
        _ if flaky => Exit::Failed,
        2 => Exit::Inconclusive,
        _ => Exit::Success,
    }
}
