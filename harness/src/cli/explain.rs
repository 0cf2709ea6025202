//! `chrysalis explain`: what an invariant says, and which scenarios show it; a kept counterexample as a table.

use std::path::Path;

use clap::Args;
use oracle::register::{self, Rule, capability_name};
use scenarios::{BUDGETS, Scenario, ScenarioCase, catalogue, nearest};
use simulator::counterexample::{Counterexample, Timing};
use simulator::timers::Timers;

use super::exit::{Exit, Failure, Outcome};
use super::output::{cases, print};

/// Explain an invariant, by its slug or number, a field failure, or a kept counterexample.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  chrysalis explain guard-holds-at-teardown
  chrysalis explain S5
  chrysalis explain FF-07
  chrysalis explain counterexamples/guard-holds-at-teardown-1a2b3c4d.json")]
pub struct Arguments {
    /// A slug such as guard-holds-at-teardown, a number such as S5 or L3, a field failure such as FF-07, or a
    /// counterexample that `explore --exhaustive --out` kept.
    #[arg(value_name = "INVARIANT|FF-nn|FILE")]
    what: String,
}

/// Prints the explanation.
///
/// # Errors
/// A word that is none of these, with the nearest one that is; a file that is no counterexample.
pub async fn run(arguments: Arguments) -> Outcome {
    if Path::new(&arguments.what).is_file() {
        return print(&counterexample(&arguments.what)?);
    }
    match explained(&arguments.what, &catalogue()) {
        Ok(text) => print(&text),
        Err(words) => Err(Failure::new(Exit::Usage, words)),
    }
}

/// A kept counterexample: what is violated, what happens on which node, and whether that is timely.
fn counterexample(file: &str) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::new(Exit::Usage, error))?;
    let kept = Counterexample::load(&text).map_err(|error| Failure::new(Exit::Usage, error))?;
    let timing = match kept.timing(&Timers::measured()) {
        Timing::Feasible => "possible with the durations of docs/simulator.md".to_owned(),
        Timing::NeedsUnusualTiming(reason) => {
            format!("needs timing outside defaults, and is no bug: {reason}")
        }
    };
    Ok(format!("{}\ntiming: {timing}\n", kept.table().trim_end()))
}

fn explained(what: &str, catalogue: &[Scenario]) -> Result<String, String> {
    let upper = what.to_uppercase();
    if let Some(number) = upper.strip_prefix("FF-") {
        return field_failure(&upper, number, catalogue);
    }
    let numbered = register::all().find(|rule| rule.id.eq_ignore_ascii_case(what));
    match numbered.or_else(|| register::by_slug(&what.to_lowercase())) {
        Some(rule) => Ok(invariant(rule, catalogue)),
        None => {
            let help = nearest(what, register::all().map(|rule| rule.slug)).map_or_else(
                || {
                    "write a slug, a number such as S5 or L3, or a field failure such as FF-07"
                        .to_owned()
                },
                |near| format!("did you mean `{near}`?"),
            );
            Err(format!("there is no invariant `{what}`; {help}"))
        }
    }
}

fn invariant(rule: &Rule, catalogue: &[Scenario]) -> String {
    let mut text = format!("{} {}\n\n  {}\n\n", rule.id, rule.slug, rule.sentence);
    let armed = rule.needs.map_or("always".to_owned(), |needs| {
        format!("for installers that claim `{}`", capability_name(needs))
    });
    text.push_str(&format!("  armed       {armed}\n"));
    text.push_str(&format!("  hypothesis  {}\n", rule.hypothesis));
    let revision = if rule.is_implemented() {
        format!("{}, revision {}", rule.class.name(), rule.revision)
    } else {
        format!(
            "{}; not judged by this version, and never counted as held",
            rule.class.name()
        )
    };
    text.push_str(&format!("  class       {revision}\n"));
    for budget in BUDGETS
        .iter()
        .filter(|budget| budget.judges.contains(&rule.slug))
    {
        text.push_str(&format!(
            "  budget      {}, {} unless said: {}\n",
            budget.name, budget.default, budget.limits
        ));
    }
    let expects = |case: &ScenarioCase| case.expect.violated.contains(rule.slug);
    let covers = |case: &ScenarioCase| {
        !expects(case)
            && rule
                .needs
                .is_none_or(|needs| case.capabilities.contains(&needs))
    };
    text.push_str(&listed("expected to be violated in", catalogue, expects));
    if rule.is_implemented() {
        text.push_str(&listed("armed in", catalogue, covers));
    }
    text
}

fn listed(title: &str, catalogue: &[Scenario], wanted: impl Fn(&ScenarioCase) -> bool) -> String {
    let lines: Vec<String> = catalogue
        .iter()
        .filter_map(|scenario| {
            let count = scenario.cases.iter().filter(|case| wanted(case)).count();
            (count > 0).then(|| format!("    {} ({})\n", scenario.name, cases(count)))
        })
        .collect();
    let none = if lines.is_empty() {
        "    no scenario of the catalogue\n"
    } else {
        ""
    };
    format!("\n  {title}\n{none}{}", lines.concat())
}

fn field_failure(name: &str, number: &str, catalogue: &[Scenario]) -> Result<String, String> {
    if number.len() != 2
        || !number
            .parse()
            .is_ok_and(|number: u32| (1..=68).contains(&number))
    {
        return Err(format!(
            "there is no field failure `{name}`; they are FF-01 to FF-68"
        ));
    }
    let mut text = format!("{name}\n");
    for scenario in catalogue
        .iter()
        .filter(|scenario| scenario.reproduces.contains(name))
    {
        text.push_str(&format!(
            "\n  reproduced by {} ({})\n\n  {}\n",
            scenario.name, scenario.file, scenario.about
        ));
        for case in &scenario.cases {
            let violated: Vec<&str> = case.expect.violated.iter().map(String::as_str).collect();
            let violates = if violated.is_empty() {
                "nothing".to_owned()
            } else {
                violated.join(", ")
            };
            text.push_str(&format!(
                "    {}: ends {}, violates {violates}\n",
                case.installer.label(),
                case.expect.ends
            ));
        }
    }
    if text.lines().count() == 1 {
        text.push_str("\n  no scenario of this version's catalogue reproduces it\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariants_are_found_by_slug_and_by_number() {
        let by_slug = explained("guard-holds-at-teardown", &catalogue()).unwrap();
        assert_eq!(by_slug, explained("s5", &catalogue()).unwrap());
        assert!(
            by_slug.contains("enough verified self-hosted apiservers"),
            "{by_slug}"
        );
        assert!(
            by_slug.contains("apiserver-cannot-be-scheduled (1 case)"),
            "{by_slug}"
        );
    }

    #[test]
    fn what_is_not_judged_says_so() {
        let text = explained("L16", &catalogue()).unwrap();
        assert!(
            text.contains("not judged by this version") && !text.contains("armed in"),
            "{text}"
        );
    }

    #[test]
    fn field_failures_name_their_scenarios_or_that_there_is_none() {
        assert!(
            explained("ff-07", &catalogue())
                .unwrap()
                .contains("reproduced by apiserver-cannot-be-scheduled")
        );
        assert!(
            explained("FF-01", &catalogue())
                .unwrap()
                .contains("no scenario")
        );
        assert!(explained("FF-99", &catalogue()).is_err());
    }

    #[test]
    fn misspelt_words_are_answered_with_the_nearest() {
        let said = explained("guard-hold-at-teardown", &catalogue()).unwrap_err();
        assert!(
            said.contains("did you mean `guard-holds-at-teardown`?"),
            "{said}"
        );
    }
}
