//! Counterexamples.

use simulator::counterexample::suite::{subjects, survey};

#[test]
fn survey_all() {
    for subject in subjects() {
        let survey = survey(subject).expect("symmetric");
        println!("== {} ({} states)", survey.subject.plan.policy, survey.states);
        for caught in &survey.caught {
            println!("{} after {} in {} ({} states): {:?}", caught.counterexample.invariant, caught.counterexample.path.len(), caught.world, caught.states, caught.timing);
            match &caught.played {
                Ok(r) => println!("   confirmed {} {}", r.confirmed, r.verdict),
                Err(e) => println!("   ERR {e}"),
            }
        }
    }
}
