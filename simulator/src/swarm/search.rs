//! Many trials, one after another.

use oracle::{CaseResult, Verdict, judge};
use pivot::Plan;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::strategy::{Bounds, trials};
use super::trial::Trial;
use crate::timed;

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

/// Tries so many trials of a plan, generated from this seed. Pure: the same arguments give the same
/// tally. `policy` is what a scenario calls the plan: a built-in name, or a plan file.
pub fn search(plan: &Plan, policy: &str, bounds: Bounds, seed: u64, count: usize) -> Tally {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = trials(plan, policy, bounds);
    let mut tally = Tally::default();
    for _ in 0..count {
        let tree = strategy.new_tree(&mut runner);
        // Nothing is filtered away, so nothing can run out of attempts.
        let trial = tree.expect("every draw is a trial").current();
        tally.take(plan, trial);
    }
    tally
}

impl Tally {
    /// Adds what came of later trials.
    pub fn add(&mut self, later: Self) {
        let Self {
            passed,
            failed,
            inconclusive,
            refused,
            virtual_ms,
        } = self;
        *passed += later.passed;
        failed.extend(later.failed);
        inconclusive.extend(later.inconclusive);
        *refused += later.refused;
        *virtual_ms += later.virtual_ms;
    }

    fn take(&mut self, plan: &Plan, trial: Trial) {
        let Ok(case) = trial.case(&trial.name()) else {
            self.refused += 1;
            return;
        };
        let outcome = timed::run(&case, plan);
        self.virtual_ms += outcome.took_ms;
        let verdict = judge(&outcome.observations, &case.expect);
        match verdict.result {
            CaseResult::Passed => self.passed += 1,
            CaseResult::Failed => self.failed.push((trial, verdict)),
            CaseResult::Inconclusive | CaseResult::NotApplicable => {
                self.inconclusive.push((trial, verdict.reason));
            }
        }
    }
}
