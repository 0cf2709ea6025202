//! `chrysalis plan`: what a run would do, without doing it.

use clap::Args;
use oracle::register;
use scenarios::{Case, Plan, describe_entry};

use super::exit::{Exit, Failure, Outcome};
use super::output::{cases, print};
use super::selection::SelectionArguments;

/// Check scenario files and print the cases that they come to. Needs no engine and starts nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  chrysalis plan scenarios/catalogue
  chrysalis plan scenarios/catalogue --tag gate
  chrysalis plan scenarios/catalogue --shard 1/4 --json > plan.json

Exit codes: 0 planned (an empty shard, too), 64 a file or the usage is wrong. Every mistake of
every file is shown.")]
pub struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Print plan.json instead of words.
    #[arg(long)]
    json: bool,
}

/// Prints the plan.
///
/// # Errors
/// Every mistake in every file, or arguments that select nothing.
pub async fn run(arguments: Arguments) -> Outcome {
    let plan = arguments.selection.plan()?;
    if !arguments.json {
        return print(&in_words(&plan));
    }
    let json = serde_json::to_string_pretty(&plan);
    print(&format!(
        "{}\n",
        json.map_err(|error| Failure::new(Exit::Failed, error))?
    ))
}

fn in_words(plan: &Plan) -> String {
    let mut text = String::new();
    for case in &plan.cases {
        text.push_str(&case_in_words(case));
        text.push('\n');
    }
    let cost_s: u32 = plan.cases.iter().map(|case| case.cost_s).sum();
    let part = match plan.shard {
        Some(shard) => format!(" of {}, shard {shard}", plan.planned.len()),
        None => String::new(),
    };
    if plan.cases.is_empty() {
        text.push_str("this shard is empty; ");
    }
    text.push_str(&format!(
        "{}{part}, about {} min {} s one after another, seed {}, fingerprint {}\n",
        cases(plan.cases.len()),
        cost_s / 60,
        cost_s % 60,
        plan.seed,
        plan.fingerprint,
    ));
    text
}

fn case_in_words(case: &Case) -> String {
    let Case {
        id,
        file,
        cluster,
        timeline,
        expect,
        cost_s,
        tags,
        ..
    } = case;
    let mut text = format!(
        "{id}\n  {file}: {}+{} nodes, Kubernetes {}, about {cost_s} s{}\n",
        cluster.control_plane,
        cluster.workers,
        cluster.kubernetes,
        if tags.is_empty() {
            String::new()
        } else {
            format!(", tags {}", listed(tags))
        },
    );
    for (entry, index) in timeline.iter().zip(0..) {
        text.push_str(&format!("  {index:>2} {}\n", describe_entry(entry)));
    }
    let violated = if expect.violated.is_empty() {
        "nothing".to_owned()
    } else {
        listed(&expect.violated)
    };
    text.push_str(&format!("   → ends {}, violates {violated}\n", expect.ends));
    let not_judged: Vec<&String> = expect
        .violated
        .iter()
        .filter(|slug| register::by_slug(slug).is_some_and(|rule| !rule.is_implemented()))
        .collect();
    for slug in not_judged {
        text.push_str(&format!(
            "     {slug} is not judged by this version: the case cannot pass\n"
        ));
    }
    let unlimited: Vec<&str> = case
        .budgets
        .iter()
        .filter(|(_, budget)| budget.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    if !unlimited.is_empty() {
        text.push_str(&format!(
            "     not judged, as written: {}\n",
            unlimited.join(", ")
        ));
    }
    text
}

fn listed<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    words
        .into_iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
