//! `explore --swarm`: random timed trials, as many as wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use simulator::explore::{Stream, grouped};
use simulator::swarm::{Bounds, Draw, Tally, Trial, search};

use super::ticker::{Ticker, in_background};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::played::{listed, violated};
use crate::cli::policy::Chosen;
use crate::cli::saved;
use crate::console::lines::say;

/// Trials of one slice. Each slice has a seed of its own, so that how many are done at once changes
/// no trial.
const SLICE: u64 = 16;
/// Slices between two looks for Ctrl-C: a second's work, within which no thread waits for another.
const SLICES_AT_ONCE: usize = 32;
/// How many reasons of inconclusive trials are shown.
const MOST_REASONS: usize = 3;

/// What is asked for.
pub(super) struct Wish {
    pub(super) bounds: Bounds,
    pub(super) trials: u64,
    pub(super) seed: u64,
    pub(super) out: Option<PathBuf>,
}

/// What came of all slices so far. Of failing trials, the one with the fewest faults is kept for
/// each set of violated invariants.
#[derive(Default)]
struct Found {
    trials: u64,
    passed: usize,
    failed: usize,
    refused: usize,
    inconclusive: BTreeMap<String, usize>,
    virtual_ms: u64,
    kept: BTreeMap<BTreeSet<String>, Kept>,
}

struct Kept {
    trial: Trial,
    times: usize,
    reason: String,
}

/// Plays trials, keeps what failed, and says how it went.
pub(super) async fn run(chosen: Chosen, wish: Wish) -> Outcome {
    let Bounds {
        control_planes,
        faults,
    } = wish.bounds;
    let nodes = if control_planes == 1 { "node" } else { "nodes" };
    say!(
        "policy {}, {control_planes} control-plane {nodes}; faults a trial: at most {faults}; {} trials, seed {}",
        chosen.name,
        grouped(wish.trials),
        wish.seed
    );
    say!("profile timed; what it leaves out: docs/simulator.md\n");
    in_background(move |ticker| searched(&chosen, &wish, ticker)).await
}

fn searched(chosen: &Chosen, wish: &Wish, ticker: &Ticker) -> Outcome {
    let folder = wish.out.as_deref().unwrap_or(Path::new(saved::FOLDER));
    let policy = Policy::lying_in(folder, chosen)?;
    let mut found = Found::default();
    let threads = available_parallelism().map_or(1, NonZero::get);
    let slices: Vec<Draw> = (0..wish.trials.div_ceil(SLICE))
        .map(|slice| Draw {
            seed: Stream::named(wish.seed, "slice", slice).next_u64(),
            count: SLICE.min(wish.trials - slice * SLICE) as usize,
        })
        .collect();
    for slices in slices.chunks(SLICES_AT_ONCE) {
        let name = &policy.from_here;
        found.take(search(threads, &chosen.plan, name, wish.bounds, slices));
        found.trials += slices.iter().map(|slice| slice.count as u64).sum::<u64>();
        ticker.tick(|seconds| found.in_words(seconds));
        if ticker.is_cancelled() {
            break;
        }
    }
    ticker.clear();
    say!("{}", found.in_words(ticker.seconds()));
    found.tell_inconclusive();
    let any_saved = found.save(folder, &policy)?;
    policy.tidy_up(any_saved);
    if ticker.is_cancelled() {
        say!(
            "interrupted after {} of {} trials",
            grouped(found.trials),
            grouped(wish.trials)
        );
        return Ok(Exit::Interrupted);
    }
    Ok(match (found.failed, found.passed) {
        (0, 0) => Exit::Inconclusive,
        (0, _) => Exit::Success,
        _ => Exit::Failed,
    })
}

/// How scenarios name the policy.
struct Policy {
    /// From the working directory on.
    from_here: String,
    /// From the folder of counterexamples on.
    from_there: String,
    /// Its plan file, if this search wrote it.
    written: Option<PathBuf>,
}

impl Policy {
    /// A plan that no scenario can name is written down beside the counterexamples: they stay what
    /// they are when the file that it came from changes.
    fn lying_in(folder: &Path, chosen: &Chosen) -> Result<Self, Failure> {
        if chosen.is_built_in {
            let (from_here, from_there) = (chosen.name.clone(), chosen.name.clone());
            return Ok(Self {
                from_here,
                from_there,
                written: None,
            });
        }
        let plan = serde_json::to_string_pretty(&chosen.plan);
        let plan = plan.map_err(|error| Failure::new(Exit::Failed, error))?;
        let saved = saved::save(folder, &chosen.name, "json", &plan)?;
        let name = saved
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            from_here: saved.path.display().to_string(),
            from_there: format!("./{name}"),
            written: (!saved.was_there).then_some(saved.path),
        })
    }

    /// Removes a plan file that nothing names. That the folder is not empty is no error.
    fn tidy_up(&self, is_named: bool) {
        if let Some(path) = self.written.as_deref().filter(|_| !is_named) {
            let _ = std::fs::remove_file(path);
            let _ = path.parent().map(std::fs::remove_dir);
        }
    }
}

impl Found {
    fn take(&mut self, tally: Tally) {
        let Tally {
            passed,
            failed,
            inconclusive,
            refused,
            virtual_ms,
        } = tally;
        self.passed += passed;
        self.failed += failed.len();
        self.refused += refused;
        self.virtual_ms += virtual_ms;
        for (_, reason) in inconclusive {
            *self.inconclusive.entry(reason).or_default() += 1;
        }
        for (trial, verdict) in failed {
            let reason = verdict.reason.clone();
            let kept = self.kept.entry(violated(&verdict)).or_insert_with(|| Kept {
                trial: trial.clone(),
                times: 0,
                reason: reason.clone(),
            });
            kept.times += 1;
            if trial.strikes() < kept.trial.strikes() {
                (kept.trial, kept.reason) = (trial, reason);
            }
        }
    }

    fn in_words(&self, seconds: f64) -> String {
        let inconclusive: usize = self.inconclusive.values().sum();
        let a_minute = (self.trials as f64 * 60.0 / seconds.max(0.001)) as u64;
        format!(
            "{} trials: {} passed, {} failed, {} refused by the language, {inconclusive} inconclusive; {} a minute",
            grouped(self.trials),
            self.passed,
            self.failed,
            self.refused,
            grouped(a_minute)
        )
    }

    fn tell_inconclusive(&self) {
        let mut reasons: Vec<(&String, &usize)> = self.inconclusive.iter().collect();
        reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (reason, times) in reasons.iter().take(MOST_REASONS) {
            say!("  inconclusive {times}×: {reason}");
        }
        if let Some(more) = reasons.len().checked_sub(MOST_REASONS + 1) {
            say!("  and {} other reasons", more + 1);
        }
    }

    /// Writes the smallest failing trial of each sort down. True if there is any.
    fn save(&self, folder: &Path, policy: &Policy) -> Result<bool, Failure> {
        for (
            violated,
            Kept {
                trial,
                times,
                reason,
            },
        ) in &self.kept
        {
            let stem = violated.first().map_or("unexpected-end", String::as_str);
            let what = match violated.len() {
                0 => "nothing violated, but".to_owned(),
                _ => listed(violated),
            };
            // The same name and label give the same draws.
            let trial = Trial {
                policy: policy.from_there.clone(),
                ..trial.clone()
            };
            let saved = saved::save(folder, stem, "yaml", &trial.scenario(&trial.name()))?;
            say!("  failed {times}×: {what}: {reason}");
            say!("    kept as {}", saved.path.display());
        }
        if !self.kept.is_empty() {
            say!(
                "`chrysalis shrink FILE` makes one smaller, `chrysalis run FILE --on sim` plays it again"
            );
        }
        Ok(!self.kept.is_empty())
    }
}
