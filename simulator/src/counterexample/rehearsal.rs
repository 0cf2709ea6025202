//! A counterexample played in the timed world before it is given out.
//!
//! The coarse world knows an order and no times; the timed one knows times. What the second does not
//! show with the faults held where the first has them is tried at neighbouring announcements; what
//! shows nowhere is a finding about the models, and is said.

use std::collections::BTreeSet;
use std::path::Path;

use oracle::{CaseResult, Judgement, Verdict, judge};
use scenarios::{Case, Installer, Overrides, Selection, Selfhost, expand, parse};

use super::Counterexample;
use crate::coarse::{Action, World};
use crate::timed;
use crate::timers::Timers;

/// What came of playing a counterexample in the timed world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// Names and texts of the files: the scenario first, then its plan unless it is a built-in one.
    pub files: Vec<(String, String)>,
    /// Whether the oracle finds the same invariant violated.
    pub confirmed: bool,
    /// Whether the file's expectation is met exactly too. It cannot be where the violation is a wrong end:
    /// an end that is expected is not wrong.
    pub exact: bool,
    /// What the judge said of the case.
    pub verdict: String,
}

/// More rounds than this do not change what is violated.
const MOST_ROUNDS: usize = 4;
/// More faults than this are not moved: there would be too many places to try.
const MOST_MOVED: usize = 2;

impl Counterexample {
    /// Writes the counterexample as a scenario and plays it in the timed world.
    ///
    /// # Errors
    /// Why the language cannot express it.
    pub fn rehearse(&self) -> Result<Rehearsal, String> {
        self.is_expressible()?;
        let timers = Timers::measured();
        let unusual = |reason: String| format!("needs timing outside defaults: {reason}");
        let timely = self.timely(&timers).map_err(unusual)?;
        let times_ms = timely.schedule(&timers).map_err(unusual)?;
        timely.rehearse_at(&times_ms)
    }

    /// As [`Counterexample::rehearse`], with the times at which everything happens.
    fn rehearse_at(&self, times_ms: &[u64]) -> Result<Rehearsal, String> {
        let world = World::new(self.config.clone());
        let mut first = None;
        for moves in self.moves() {
            let Ok(timeline) = self.timeline(&world, times_ms, &moves) else {
                continue;
            };
            let tried = self.tried(&timeline);
            match tried {
                Ok(tried) if tried.confirmed => return Ok(tried),
                other => {
                    first.get_or_insert(other);
                }
            }
        }
        first.unwrap_or_else(|| Err("its faults fall where nothing is announced".to_owned()))
    }

    /// The counterexample as files: a scenario, and the plan that it names if none of the built-in
    /// ones is meant. Names and texts; they belong into one folder.
    ///
    /// # Errors
    /// Why the language cannot express it.
    pub fn scenario_files(&self) -> Result<Vec<(String, String)>, String> {
        Ok(self.rehearse()?.files)
    }

    /// The scenario file alone.
    ///
    /// # Errors
    /// As [`Counterexample::scenario_files`].
    pub fn scenario(&self) -> Result<String, String> {
        let mut files = self.scenario_files()?;
        Ok(files.swap_remove(0).1)
    }

    /// Where faults may be held, nearest first.
    fn moves(&self) -> Vec<Vec<isize>> {
        let is_fault = |action: &&Action| {
            matches!(
                action,
                Action::CutPower(_) | Action::Kill(..) | Action::KillInstaller
            )
        };
        match self.path.iter().filter(is_fault).count() {
            0 => vec![Vec::new()],
            1 => Self::MOVES.iter().map(|by| vec![*by]).collect(),
            MOST_MOVED => {
                let pairs = Self::MOVES
                    .iter()
                    .flat_map(|one| Self::MOVES.map(|other| vec![*one, other]));
                pairs.collect()
            }
            many => vec![vec![0; many]],
        }
    }

    /// Plays a timeline until its expectation is what comes out, if it ever is.
    fn tried(&self, timeline: &[String]) -> Result<Rehearsal, String> {
        let usual = if self.config.unschedulable {
            "holding"
        } else {
            "done"
        };
        let mut ends = usual.to_owned();
        let mut expected = BTreeSet::from([self.invariant.clone()]);
        let mut text = self.text(timeline, &ends, &expected);
        let mut verdict = self.play(&text)?;
        for _ in 0..MOST_ROUNDS {
            let found = violated(&verdict);
            if verdict.result == CaseResult::Passed || !found.contains(&self.invariant) {
                break;
            }
            if found != expected {
                expected = found;
            } else if ["done", "holding"].contains(&verdict.end.as_str()) {
                // What asks for an end is not judged where another is expected: that comes last.
                ends.clone_from(&verdict.end);
            }
            let next = self.text(timeline, &ends, &expected);
            let judged = self.play(&next)?;
            if !violated(&judged).contains(&self.invariant) {
                break;
            }
            (text, verdict) = (next, judged);
        }
        let confirmed = violated(&verdict).contains(&self.invariant);
        let exact = verdict.result == CaseResult::Passed;
        let mut files = vec![(format!("{}.yaml", self.name()), text)];
        if !self.is_built_in() {
            let plan = serde_json::to_string_pretty(&self.config.plan);
            let plan = plan.expect("a plan can be written as JSON");
            let name = format!("{}.json", self.config.plan.policy);
            files.push((name, format!("{plan}\n")));
        }
        Ok(Rehearsal {
            files,
            confirmed,
            exact,
            verdict: verdict.reason,
        })
    }

    fn play(&self, text: &str) -> Result<Verdict, String> {
        let case = self.case(text)?;
        if let Some(reason) = timed::why_not_applicable(&case) {
            return Err(reason);
        }
        let outcome = timed::run(&case, &self.config.plan);
        Ok(judge(&outcome.observations, &case.expect))
    }

    /// The case of a text, as it will be when it is read with its plan file beside it: here there are
    /// no files, so it is read with the reference plan, whose steps are all that a mutant has.
    fn case(&self, text: &str) -> Result<Case, String> {
        let (name, policy) = (self.name(), self.policy());
        let read = if self.is_built_in() {
            text.to_owned()
        } else {
            text.replace(&format!("policy: {policy}"), "policy: modern")
        };
        let file = format!("{name}.yaml");
        let parsed = parse(&file, read.as_bytes(), Path::new(""), &Overrides::default());
        let mut scenario = parsed.map_err(|mistakes| {
            let mistakes: Vec<String> = mistakes
                .iter()
                .map(|mistake| mistake.what.clone())
                .collect();
            format!("the language refuses it: {}", mistakes.join("; "))
        })?;
        for case in &mut scenario.cases {
            let Installer::Selfhost(Selfhost { policy: named, .. }) = &mut case.installer;
            named.clone_from(&policy);
        }
        let plan = expand(&[scenario], &Selection::default());
        let mut cases = plan.map_err(|error| error.to_string())?.cases;
        Ok(cases.swap_remove(0))
    }
}

fn violated(verdict: &Verdict) -> BTreeSet<String> {
    let judged = verdict.invariants.iter();
    judged
        .filter(|judged| matches!(judged.judgement, Judgement::Violated(_)))
        .map(|judged| judged.slug.clone())
        .collect()
}
