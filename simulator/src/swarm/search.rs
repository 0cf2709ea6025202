//! Many trials.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use oracle::observation::Cause;
use oracle::{CaseResult, Verdict, judge};
use pivot::Plan;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::strategy::{Bounds, trials};
use super::trial::Trial;
use crate::timed::{self, Outcome};

/// What came of many trials.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Everything held, and the cluster settled in the end.
    pub passed: usize,
    /// Trials in which something was violated or the cluster did not settle, each with its verdict.
    pub failed: Vec<(Trial, Verdict)>,
    /// Trials that say nothing, each with the reason: a fault had no effect, an address was not reached.
    pub inconclusive: Vec<(Trial, String)>,
    /// Trials that the language refuses, such as one that starts an installer that was not killed.
    pub refused: usize,
    /// Virtual time of all trials together, in milliseconds.
    pub virtual_ms: u64,
}

/// Trials that are generated from one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The seed. Another count gives more or fewer of the same trials.
    pub seed: u64,
    /// How many.
    pub count: usize,
}

/// Tries these trials of a plan, on so many threads. Pure: the same arguments give the same tally, and the
/// number of threads changes nothing but the time that it takes. `policy` is what a scenario calls the plan:
/// a built-in name, or a plan file.
pub fn search(threads: usize, plan: &Plan, policy: &str, bounds: Bounds, draws: &[Draw]) -> Tally {
    let trials: Vec<Trial> = draws
        .iter()
        .flat_map(|draw| drawn(plan, policy, bounds, *draw))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tried = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(trial) = trials.get(number) else {
                return tried;
            };
            tried.push((number, tried_out(plan, trial)));
        }
    };
    let mut tried: Vec<(usize, Option<Tried>)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut tried = work();
        for other in others {
            tried.extend(other.join().expect("trials are judged without a panic"));
        }
        tried
    });
    // In the order in which they were drawn, whoever took which.
    tried.sort_by_key(|(number, _)| *number);
    let mut tally = Tally::default();
    for (trial, (_, tried)) in trials.into_iter().zip(tried) {
        tally.take(trial, tried);
    }
    tally
}

fn drawn(plan: &Plan, policy: &str, bounds: Bounds, draw: Draw) -> Vec<Trial> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&draw.seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = trials(plan, policy, bounds);
    let mut next = || {
        let tree = strategy.new_tree(&mut runner);
        // Nothing is filtered away, so nothing can run out of attempts.
        tree.expect("every draw is a trial").current()
    };
    (0..draw.count).map(|_| next()).collect()
}

/// What came of a trial.
struct Tried {
    verdict: Verdict,
    took_ms: u64,
}

/// Tries one trial out; nothing for one that the language refuses.
fn tried_out(plan: &Plan, trial: &Trial) -> Option<Tried> {
    let case = trial.case(&trial.name()).ok()?;
    let judged = |outcome: Outcome| Tried {
        verdict: judge(&outcome.observations, &case.expect),
        took_ms: outcome.took_ms,
    };
    let tried = judged(timed::run_sparingly(&case, plan));
    // A violation, or what too few samples leave open, is what the scenario file says, seen as everybody sees it.
    if says_enough(&tried.verdict) {
        Some(tried)
    } else {
        Some(judged(timed::run(&case, plan)))
    }
}

/// Whether more looks would say no more: nothing is wrong, or the course of things, which does not
/// depend on looks, decided nothing, for a fault had no effect or an address was not reached.
fn says_enough(verdict: &Verdict) -> bool {
    verdict.result == CaseResult::Passed
        || verdict.result == CaseResult::Inconclusive && verdict.cause == Some(Cause::Fault)
}

impl Tally {
    fn take(&mut self, trial: Trial, tried: Option<Tried>) {
        let Some(Tried { verdict, took_ms }) = tried else {
            self.refused += 1;
            return;
        };
        self.virtual_ms += took_ms;
        match verdict.result {
            CaseResult::Passed => self.passed += 1,
            CaseResult::Failed => self.failed.push((trial, verdict)),
            CaseResult::Inconclusive | CaseResult::NotApplicable => {
                self.inconclusive.push((trial, verdict.reason));
            }
        }
    }
}
