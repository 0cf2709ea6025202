//! S29: two bootstraps or recoveries never act at the same time.
//!
//! One that begins while another of the same cluster is open is its rival. Who is refused has changed nothing, so
//! one of the two must end as refused. Violated when both went on to an end of their own, done or holding; unknown when one
//! broke off, for what it had done by then is not seen. An installer that is resumed goes on with what it had
//! begun, and is no rival of itself.

use super::{Invariant, finding, not_judged, unknown};
use crate::observation::{Observation, Operation, OperationEnd, Sighting};
use crate::reference::{Latest, Reference};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// Operations that act on a cluster's control plane.
const ACTING: [&str; 3] = ["bootstrap", "recover", "resume"];

#[derive(Default)]
struct OneOperatorAtATime {
    open: Vec<Reference>,
    /// The rivals of a time: when the second one began, and how those ended that have.
    rivals: Option<(Reference, Vec<Latest<OperationEnd>>)>,
    judged: u64,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<OneOperatorAtATime>::default()
}

impl Invariant for OneOperatorAtATime {
    fn observe(&mut self, _: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::OperationStarted(operation) if acts(operation) => {
                if operation.operation == "resume" {
                    self.open.clear();
                }
                self.open.push(Reference::to(seen));
                if self.open.len() == 2 {
                    self.rivals = Some((Reference::to(seen), Vec::new()));
                }
            }
            Sighting::OperationEnded(ended) if ACTING.contains(&ended.operation.as_str()) => {
                self.open.pop();
                if let Some((_, ends)) = &mut self.rivals {
                    ends.push(Latest::new(ended.end, seen));
                }
                if self.open.is_empty() {
                    self.conclude();
                }
            }
            _ => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if self.rivals.is_some() {
            return unknown("the record ends before both of two operations that met had ended");
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.judged == 0 {
            return not_judged("no operation was begun while another one was open");
        }
        Judgement::Holds
    }
}

/// Whether it acts on this cluster.
fn acts(operation: &Operation) -> bool {
    !operation.foreign && ACTING.contains(&operation.operation.as_str())
}

impl OneOperatorAtATime {
    fn conclude(&mut self) {
        let Some((second, ends)) = self.rivals.take() else {
            return;
        };
        let went_on = |end: &&Latest<OperationEnd>| end.value != OperationEnd::Refused;
        let went_on: Vec<_> = ends.iter().filter(went_on).collect();
        if went_on.len() < 2 {
            self.judged += 1;
            return;
        }
        let acted = |end: &&Latest<OperationEnd>| {
            matches!(end.value, OperationEnd::Done | OperationEnd::Holding)
        };
        let what = |words: &str| format!("two operations that met {words}");
        if !went_on.iter().all(|end| acted(&end)) {
            let what = what("were not refused, and one of them broke off");
            self.unknown.get_or_insert(what);
            return;
        }
        let mut witness = vec![second.witness("the second one began while the first was open")];
        let words = |end: OperationEnd| format!("one of them ended as {}", end.name());
        witness.extend(went_on.iter().map(|end| end.from.witness(words(end.value))));
        let at_us = went_on.iter().map(|end| end.from.end_us).max();
        let found = finding(
            what("both went on to an end, and neither was refused"),
            at_us.unwrap_or_default(),
            witness,
        );
        self.found.get_or_insert(found);
    }
}
