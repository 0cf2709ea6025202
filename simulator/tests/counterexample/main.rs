//! Counterexamples of the small worlds: timed, played, told, kept; and the page that is made of them.

mod page;
mod played;
mod stored;
mod told;

use std::sync::OnceLock;

use simulator::counterexample::suite::{Caught, Survey, subjects, survey};

/// Every plan that must be caught, tried once for all tests.
fn surveys() -> &'static [Survey] {
    static SURVEYS: OnceLock<Vec<Survey>> = OnceLock::new();
    SURVEYS.get_or_init(|| {
        let surveys = subjects().into_iter().map(survey);
        let surveys: Result<Vec<_>, _> = surveys.collect();
        surveys.expect("mirrored states behave alike")
    })
}

fn caught(policy: &str, invariant: &str) -> &'static Caught {
    let survey = surveys()
        .iter()
        .find(|survey| survey.subject.plan.policy == policy);
    let caught = survey.expect("a subject").caught.iter();
    let mut of_it = caught.filter(|caught| caught.counterexample.invariant == invariant);
    of_it.next().expect("a counterexample")
}
