//! `chrysalis replay`: does a counterexample happen again?

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use oracle::{CaseResult, Verdict};
use scenarios::{Case, Overrides, Plan, Selection, expand, load};

use super::backend::Backend;
use super::exit::{Exit, Failure, Outcome};
use super::interrupt;
use super::played::{listed, play, violated};
use crate::console::lines::say;
use crate::console::{Console, ConsoleKind};
use crate::runner::{Run, RunOptions};

/// Run a counterexample, and say whether what it violates is violated again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  chrysalis replay counterexamples/running-again-converges-1a2b3c4d.yaml --on docker --repeat 3
  chrysalis replay scenarios/catalogue/apiserver-cannot-be-scheduled.yaml --on sim

What is looked for is what the file expects to be violated; of a file that expects nothing, what it
violates in the simulator. Each repetition is
  confirmed       all of that was violated, whatever else was
  not reproduced  nothing was violated
  differs         something else was violated: a finding about the model
  no answer       the case was inconclusive, or is not applicable there

Exit codes: 0 confirmed at least once and never different, 1 not reproduced or different, 2 no
answer at all, 64 wrong usage or file, 69 this host cannot run it, 130 interrupted.")]
pub struct Arguments {
    /// The scenario file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only the case with this id or name.
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Where to run: real containers, or the simulator.
    #[arg(long, value_enum, default_value_t = Backend::Docker)]
    on: Backend,
    /// How often.
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,
    /// What every draw begins with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The run's directory itself; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The node image, instead of the one that the recipe names.
    #[arg(long, value_name = "IMAGE", env = "CHRYSALIS_IMAGE")]
    image: Option<String>,
}

/// What a repetition came to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Replayed {
    Confirmed {
        also: BTreeSet<String>,
    },
    NotReproduced,
    Differs {
        missing: BTreeSet<String>,
        instead: BTreeSet<String>,
    },
    NoAnswer(String),
}

impl Replayed {
    fn of(wanted: &BTreeSet<String>, verdict: &Verdict) -> Self {
        let violated = violated(verdict);
        let missing: BTreeSet<String> = wanted - &violated;
        let others: BTreeSet<String> = &violated - wanted;
        if missing.is_empty() {
            Self::Confirmed { also: others }
        } else if !violated.is_empty() {
            Self::Differs {
                missing,
                instead: others,
            }
        } else if matches!(
            verdict.result,
            CaseResult::Inconclusive | CaseResult::NotApplicable
        ) {
            Self::NoAnswer(verdict.reason.clone())
        } else {
            Self::NotReproduced
        }
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirmed { also } if also.is_empty() => write!(formatter, "confirmed"),
            Self::Confirmed { also } => {
                write!(formatter, "confirmed; also violated: {}", listed(also))
            }
            Self::NotReproduced => write!(formatter, "not reproduced: nothing was violated"),
            Self::Differs { missing, instead } => write!(
                formatter,
                "differs: not violated: {}; instead: {}",
                listed(missing),
                listed(instead)
            ),
            Self::NoAnswer(reason) => write!(formatter, "no answer: {reason}"),
        }
    }
}

/// Runs the file and compares.
///
/// # Errors
/// A file in which nothing is to be reproduced, and what `run` says before it starts.
pub async fn run(arguments: Arguments) -> Outcome {
    let plan = wanted(&arguments)?;
    let kubernetes = &plan.cases[0].cluster.kubernetes;
    let backend = arguments
        .on
        .ready(arguments.image.as_deref(), kubernetes)
        .await?;
    let cancel = interrupt::token()?;
    let console = Arc::new(Console::new(ConsoleKind::detect()));
    let stem = arguments
        .file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let options = RunOptions {
        name: format!("replay-{stem}"),
        out: arguments.out,
        jobs: 1,
        seed: arguments.seed,
        keep_on_failure: false,
    };
    let run = Run::open(backend, &plan, options, Arc::clone(&console), cancel)
        .await
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    console.note(&format!(
        "everything is written to {}",
        run.directory().root().display()
    ));
    let report = run
        .execute(&plan.cases)
        .await
        .map_err(|error| Failure::new(Exit::Inconclusive, error))?;
    let mut all = Vec::new();
    for (case, result) in plan.cases.iter().zip(&report.cases) {
        let replayed = Replayed::of(&case.expect.violated, &result.verdict);
        say!("{}: {replayed}", case.id);
        all.push(replayed);
    }
    let confirmed = all
        .iter()
        .filter(|one| matches!(one, Replayed::Confirmed { .. }))
        .count();
    say!("confirmed {confirmed}/{}", all.len());
    Ok(if report.record.interrupted {
        Exit::Interrupted
    } else {
        exit_of(&all)
    })
}

fn exit_of(all: &[Replayed]) -> Exit {
    let any = |wanted: fn(&Replayed) -> bool| all.iter().any(wanted);
    if any(|one| matches!(one, Replayed::Differs { .. })) {
        Exit::Failed
    } else if any(|one| matches!(one, Replayed::Confirmed { .. })) {
        Exit::Success
    } else if any(|one| matches!(one, Replayed::NotReproduced)) {
        Exit::Failed
    } else {
        Exit::Inconclusive
    }
}

/// The cases that have something to reproduce, with that as what they expect: a case that expects
/// violations ends as soon as they are proven.
fn wanted(arguments: &Arguments) -> Result<Plan, Failure> {
    let usage = |error| Failure::new(Exit::Usage, error);
    let scenarios = load(&[arguments.file.clone()], &Overrides::default()).map_err(usage)?;
    let selection = Selection {
        cases: arguments.case.iter().cloned().collect(),
        seed: arguments.seed,
        repeat: arguments.repeat,
        ..Selection::default()
    };
    let mut plan =
        expand(&scenarios, &selection).map_err(|error| Failure::new(Exit::Usage, error))?;
    let claims = |case: &Case| !case.expect.violated.is_empty();
    if !plan.cases.iter().any(claims) {
        let mut instead = String::new();
        for case in &mut plan.cases {
            match play(case) {
                Ok(verdict) => {
                    case.expect.violated = violated(&verdict);
                    instead += &format!("; {} ends {}, and violates nothing", case.id, verdict.end);
                }
                Err(reason) => instead += &format!("; {} is {reason}", case.id),
            }
        }
        if !plan.cases.iter().any(claims) {
            let file = arguments.file.display();
            let words =
                format!("{file} expects no violation, and the simulator finds none{instead}");
            return Err(Failure::new(
                Exit::Usage,
                format!("{words}: there is nothing to reproduce; `chrysalis run` judges it"),
            ));
        }
        for case in plan.cases.iter().filter(|case| claims(case)) {
            say!(
                "{}: looking for what the simulator finds: {}",
                case.id,
                listed(&case.expect.violated)
            );
        }
    }
    plan.cases.retain(claims);
    plan.planned = plan.cases.iter().map(|case| case.id.clone()).collect();
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use oracle::{Expectation, Finding, Judged, Judgement};

    use super::*;

    fn set(slugs: &[&str]) -> BTreeSet<String> {
        slugs.iter().map(|slug| (*slug).to_owned()).collect()
    }

    fn verdict(result: CaseResult, slugs: &[&str]) -> Verdict {
        let judged = |slug: &&str| Judged {
            id: String::new(),
            slug: (*slug).to_owned(),
            revision: 1,
            judgement: Judgement::Violated(Finding {
                what: String::new(),
                at_us: 0,
                witness: Vec::new(),
            }),
        };
        Verdict {
            v: 1,
            case: String::new(),
            result,
            cause: None,
            reason: "why".to_owned(),
            expected: Expectation {
                ends: "done".to_owned(),
                violated: BTreeSet::new(),
            },
            end: "done".to_owned(),
            invariants: slugs.iter().map(judged).collect(),
            figures: Default::default(),
            fidelity: Default::default(),
            observations: 0,
        }
    }

    fn check(wanted: &[&str], result: CaseResult, violated: &[&str], expected: &str) -> Replayed {
        let replayed = Replayed::of(&set(wanted), &verdict(result, violated));
        assert_eq!(replayed.to_string(), expected);
        replayed
    }

    #[test]
    fn a_replay_is_told_by_what_is_violated() {
        use CaseResult::{Failed, Inconclusive, Passed};
        check(&["a"], Passed, &["a"], "confirmed");
        check(&["a"], Failed, &["a", "b"], "confirmed; also violated: b");
        check(&["a"], Failed, &[], "not reproduced: nothing was violated");
        check(
            &["a"],
            Failed,
            &["b"],
            "differs: not violated: a; instead: b",
        );
        check(
            &["a", "b"],
            Failed,
            &["b"],
            "differs: not violated: a; instead: nothing",
        );
        check(&["a"], Inconclusive, &[], "no answer: why");
    }

    #[test]
    fn one_that_differs_outweighs_any_that_confirm() {
        let confirmed = || Replayed::Confirmed {
            also: BTreeSet::new(),
        };
        let differs = || Replayed::Differs {
            missing: set(&["a"]),
            instead: set(&["b"]),
        };
        let no_answer = || Replayed::NoAnswer(String::new());
        assert_eq!(
            exit_of(&[confirmed(), Replayed::NotReproduced, no_answer()]),
            Exit::Success
        );
        assert_eq!(exit_of(&[confirmed(), differs()]), Exit::Failed);
        assert_eq!(
            exit_of(&[Replayed::NotReproduced, no_answer()]),
            Exit::Failed
        );
        assert_eq!(exit_of(&[no_answer()]), Exit::Inconclusive);
    }
}
