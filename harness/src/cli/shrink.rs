//! `chrysalis shrink`: a failing scenario made small.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use oracle::{CaseResult, Judgement, Verdict, register};
use reports::result_word;
use scenarios::{Case, Installer, Overrides, Policy, Selection, expand, load};
use simulator::shrink::{Draft, Shrunk, shrink};

use super::exit::{Exit, Failure, Outcome};
use super::played::{listed, play, violated};
use super::saved::write_new;
use crate::console::lines::say;

/// Make a scenario small that violates something in the simulator. The result violates the same, and
/// is a scenario file like any other.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  chrysalis shrink counterexamples/running-again-converges-1a2b3c4d.yaml
  chrysalis shrink incident.yaml --invariant somebody-can-start-an-apiserver --out small.yaml

Entries and faults are left out, nodes taken away (3, 2, 1) and waits made shorter, as long as what is
to be kept is violated still. What is healed before the cluster settles stays healed, and time limits
stay as they are: both would make failures of their own.

Exit codes: 0 made smaller, or already as small as can be; 64 wrong usage, or a file that violates nothing.")]
pub struct Arguments {
    /// The scenario file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The case, where several violate something: by id or name.
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Keep only this violation, instead of all that there are.
    #[arg(long, value_name = "SLUG")]
    invariant: Option<String>,
    /// What every draw begins with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The new file; it must not be there yet. [default: FILE with .shrunk before its ending]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Shrinks.
///
/// # Errors
/// A file in which nothing is violated, with what it does instead; a result that cannot be written.
pub async fn run(arguments: Arguments) -> Outcome {
    let work = tokio::task::spawn_blocking(move || shrunk(&arguments));
    work.await
        .map_err(|error| Failure::new(Exit::Failed, error))?
}

fn usage(words: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, words.into())
}

fn shrunk(arguments: &Arguments) -> Outcome {
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| arguments.file.with_extension("shrunk.yaml"));
    if out.exists() {
        return Err(usage(format!(
            "{} is there already; name another with `--out`",
            out.display()
        )));
    }
    let (case, all) = the_failing_case(arguments)?;
    let keep = kept(arguments, &all)?;
    let folder = out.parent().unwrap_or(Path::new(""));
    let before = Draft {
        installer: named_from(&case, folder)?,
        ..Draft::of(&case)
    };
    let (name, mut small) = small(&before, folder, arguments.seed, &keep).ok_or_else(|| {
        let id = &case.id;
        usage(format!("{id} violates {} only with the draws of its own place: as a file of its own it does not", listed(&keep)))
    })?;
    let result = finish(&mut small.draft, folder, arguments.seed, &case, &keep)?;
    write_new(&out, &small.draft.text()).map_err(|error| {
        let exit = if error.kind() == ErrorKind::AlreadyExists {
            Exit::Usage
        } else {
            Exit::Unavailable
        };
        Failure::new(exit, format!("cannot write {}: {error}", out.display()))
    })?;
    say!("before: {}", in_words(&before));
    say!(
        "after:  {}; {} replays, {} candidates refused by the language",
        in_words(&small.draft),
        small.replays,
        small.refused
    );
    say!("keeps:  {}", listed(&keep));
    if name == before.name {
        say!(
            "note: it keeps the name `{name}`, for under another its durations are drawn anew and it does not fail"
        );
    }
    let seed = if arguments.seed == 1 {
        String::new()
    } else {
        format!(" --seed {}", arguments.seed)
    };
    let how = match result {
        CaseResult::Passed => "passes, for it expects that",
        CaseResult::Failed => "fails in this way",
        CaseResult::Inconclusive | CaseResult::NotApplicable => "says nothing",
    };
    say!(
        "wrote {}; `chrysalis run {0} --on sim{seed}` {how}",
        out.display()
    );
    Ok(Exit::Success)
}

/// The only case that violates something, with what it violates.
fn the_failing_case(arguments: &Arguments) -> Result<(Case, BTreeSet<String>), Failure> {
    let scenarios = load(&[arguments.file.clone()], &Overrides::default());
    let scenarios = scenarios.map_err(|error| Failure::new(Exit::Usage, error))?;
    let selection = Selection {
        cases: arguments.case.iter().cloned().collect(),
        seed: arguments.seed,
        ..Selection::default()
    };
    let plan = expand(&scenarios, &selection).map_err(|error| Failure::new(Exit::Usage, error))?;
    let mut failing = Vec::new();
    let mut instead = Vec::new();
    for case in plan.cases {
        match play(&case) {
            Ok(verdict) => match violated(&verdict) {
                none if none.is_empty() => {
                    instead.push(format!(
                        "{} {}, ends {}",
                        case.id,
                        result_word(verdict.result),
                        verdict.end
                    ));
                }
                all => failing.push((case, all)),
            },
            Err(reason) => instead.push(format!("{} is {reason}", case.id)),
        }
    }
    let file = arguments.file.display();
    match failing.len() {
        1 => Ok(failing.remove(0)),
        0 => Err(usage(format!(
            "{file} violates nothing in the simulator: {}",
            instead.join("; ")
        ))),
        _ => {
            let ids: Vec<&str> = failing.iter().map(|(case, _)| case.id.as_str()).collect();
            Err(usage(format!(
                "{file} has several cases that violate something; choose with `--case`: {}",
                ids.join(", ")
            )))
        }
    }
}

fn kept(arguments: &Arguments, all: &BTreeSet<String>) -> Result<BTreeSet<String>, Failure> {
    let Some(slug) = &arguments.invariant else {
        return Ok(all.clone());
    };
    if all.contains(slug) {
        return Ok(BTreeSet::from([slug.clone()]));
    }
    let known = if register::by_slug(slug).is_some() {
        "is not violated"
    } else {
        "is no invariant"
    };
    Err(usage(format!(
        "`{slug}` {known}; violated: {}",
        listed(all)
    )))
}

/// The installer as a file in this folder names it: a plan file lies where it lay.
fn named_from(case: &Case, folder: &Path) -> Result<Installer, Failure> {
    let Installer::Selfhost(mut selfhost) = case.installer.clone();
    if Policy::is_file(&selfhost.policy) {
        let failed =
            |error: std::io::Error| usage(format!("cannot find {}: {error}", selfhost.policy));
        let path = Path::new(&selfhost.policy).canonicalize().map_err(failed)?;
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let here = here.canonicalize().map_err(failed)?;
        selfhost.policy = match path.strip_prefix(&here) {
            Ok(below) => format!("./{}", below.display()),
            Err(_) => path.display().to_string(),
        };
    }
    Ok(Installer::Selfhost(selfhost))
}

/// Shrinks under a name of its own, so that both files can be run together; under the old one where
/// only its draws lead to the failure.
fn small(
    before: &Draft,
    folder: &Path,
    seed: u64,
    keep: &BTreeSet<String>,
) -> Option<(String, Shrunk)> {
    let mut fails =
        |case: &Case| play(case).is_ok_and(|verdict| violated(&verdict).is_superset(keep));
    [format!("{}-shrunk", before.name), before.name.clone()]
        .into_iter()
        .find_map(|name| {
            let mut draft = Draft {
                name: name.clone(),
                ..before.clone()
            };
            if !draft.expect.violated.is_empty() {
                draft.expect.violated = keep.clone();
            }
            shrink(&draft, folder, seed, &mut fails).map(|small| (name, small))
        })
}

/// Says in the draft what it is, and what it does where the file that it comes from expected that.
/// What a run of the finished file comes to.
fn finish(
    draft: &mut Draft,
    folder: &Path,
    seed: u64,
    from: &Case,
    keep: &BTreeSet<String>,
) -> Result<CaseResult, Failure> {
    let played = |draft: &Draft| {
        let case = draft
            .case(folder, seed)
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        play(&case).map_err(|reason| Failure::new(Exit::Failed, reason))
    };
    let verdict = played(draft)?;
    draft.about = format!(
        "Shrunk from `{}`: still violates {}. {} Before that: {}",
        from.scenario,
        listed(keep),
        findings(&verdict, keep),
        from.about
    );
    // Whoever gates merges did not choose this one.
    draft.tags.remove("gate");
    draft.tags.insert("shrunk".to_owned());
    if !draft.expect.violated.is_empty() {
        draft.expect.violated = violated(&verdict);
    }
    Ok(played(draft)?.result)
}

/// What was found of these invariants, in sentences.
fn findings(verdict: &Verdict, keep: &BTreeSet<String>) -> String {
    let judged = verdict
        .invariants
        .iter()
        .filter(|judged| keep.contains(&judged.slug));
    let sentences = judged.filter_map(|judged| match &judged.judgement {
        Judgement::Violated(finding) => Some(format!("{}: {}.", judged.id, finding.what)),
        _ => None,
    });
    sentences.collect::<Vec<_>>().join(" ")
}

fn in_words(draft: &Draft) -> String {
    let plural = |count: usize, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    };
    format!(
        "{}, {}, {}",
        plural(draft.timeline.len(), "entry", "entries"),
        plural(draft.fault_count(), "fault", "faults"),
        plural(
            draft.cluster.control_plane as usize,
            "control-plane node",
            "control-plane nodes"
        )
    )
}
