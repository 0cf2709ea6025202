//! Which policy a command is about: `--policy` of the verbs that drive the simulator.

use std::path::Path;

use pivot::{Plan, mutants};
use scenarios::{Policy, nearest};

use super::exit::{Exit, Failure};

/// What precedes a mutant's name.
pub const MUTANT: &str = "mutant:";

/// The plan that a text on the command line names.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The plan.
    pub plan: Plan,
    /// Its name, for people.
    pub name: String,
    /// Whether a scenario can name it as it is; otherwise it needs a plan file.
    pub is_built_in: bool,
}

/// Finds a built-in policy by its name, a mutant as `mutant:NAME`, or reads a plan file.
///
/// # Errors
/// A usage error with what there is, when it is none of these.
pub fn find(text: &str) -> Result<Chosen, Failure> {
    if let Some(name) = text.strip_prefix(MUTANT) {
        return mutant(name);
    }
    if let Some(plan) = Plan::named(text) {
        let name = text.to_owned();
        return Ok(Chosen {
            plan,
            name,
            is_built_in: true,
        });
    }
    if !Policy::is_file(text) {
        return Err(unknown(text));
    }
    // Its own words for what is wrong with a file are the best there are.
    Policy::find(text, Path::new("")).map_err(|error| Failure::new(Exit::Usage, error))?;
    let usage = |error: String| Failure::new(Exit::Usage, error);
    let bytes =
        std::fs::read(text).map_err(|error| usage(format!("cannot read {text}: {error}")))?;
    let plan: Plan = serde_json::from_slice(&bytes)
        .map_err(|error| usage(format!("{text} is not a plan: {error}")))?;
    let name = plan.policy.clone();
    Ok(Chosen {
        plan,
        name,
        is_built_in: false,
    })
}

fn mutant(name: &str) -> Result<Chosen, Failure> {
    let all = mutants();
    if let Some(mutant) = all.iter().find(|mutant| mutant.name == name) {
        let (plan, name) = (mutant.plan.clone(), mutant.name.to_owned());
        return Ok(Chosen {
            plan,
            name,
            is_built_in: false,
        });
    }
    let names: Vec<&str> = all.iter().map(|mutant| mutant.name).collect();
    let help = meant(name, &names, MUTANT);
    Err(Failure::new(
        Exit::Usage,
        format!("there is no mutant `{name}`; {help}"),
    ))
}

/// What somebody may have meant by a name that is none of these, which are written after a prefix.
pub fn meant(name: &str, known: &[&str], prefix: &str) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{prefix}{near}`?"),
        None => format!("there are: {}", known.join(", ")),
    }
}

fn unknown(text: &str) -> Failure {
    let built_in = || Policy::names().map(str::to_owned);
    let known: Vec<String> = built_in()
        .chain(
            mutants()
                .iter()
                .map(|mutant| format!("{MUTANT}{}", mutant.name)),
        )
        .collect();
    let help = match nearest(text, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write one of {}, a plan file such as ./mine.json, or mutant:NAME",
            built_in().collect::<Vec<_>>().join(", ")
        ),
    };
    Failure::new(Exit::Usage, format!("unknown policy `{text}`; {help}"))
}
