//! From a tree to a checked scenario. Every mistake is collected; none hides another.

mod at;
mod cases;
mod faults;
mod fields;
mod timeline;

use std::path::Path;

use crate::case::Cluster;
use crate::decode::in_words;
use crate::mistake::{Mistake, Wrong};
use crate::read::read;
use crate::scenario::{Overrides, Scenario};
use crate::tree::{Tree, Value};
use crate::written::SCENARIO_KEYS;

/// Reads and checks one scenario.
///
/// `file` is what mistakes are reported of; plan files of policies are looked for in `folder`.
///
/// # Errors
/// Every mistake that was found, in the order of the file.
pub fn parse(
    file: &str,
    bytes: &[u8],
    folder: &Path,
    overrides: &Overrides,
) -> Result<Scenario, Vec<Mistake>> {
    let (text, tree) = read(file, bytes).map_err(|mistake| vec![*mistake])?;
    let mut wrongs = Vec::new();
    let scenario = scenario(file, &tree, folder, overrides, &mut wrongs);
    let mut mistakes: Vec<Mistake> = wrongs
        .into_iter()
        .map(|wrong| Mistake::at(file, text, wrong))
        .collect();
    mistakes.sort_by(|one, other| {
        (one.line, one.column, &one.what).cmp(&(other.line, other.column, &other.what))
    });
    // Cases share a timeline, so that one mistake in it is found by each.
    mistakes.dedup();
    match scenario {
        Some(scenario) if mistakes.is_empty() => Ok(scenario),
        _ => Err(mistakes),
    }
}

fn scenario(
    file: &str,
    tree: &Tree,
    folder: &Path,
    overrides: &Overrides,
    wrongs: &mut Vec<Wrong>,
) -> Option<Scenario> {
    let Value::Map(pairs) = &tree.value else {
        let what = format!(
            "expected the keys of a scenario, found {}",
            in_words(&tree.value)
        );
        wrongs.push(
            Wrong::new(tree.place, what).help(format!("known: {}", SCENARIO_KEYS.join(", "))),
        );
        return None;
    };
    for pair in pairs {
        if !SCENARIO_KEYS.contains(&pair.key.as_str()) {
            wrongs.push(Wrong::unknown(pair.place, "key", &pair.key, SCENARIO_KEYS));
        }
    }
    let mut fields = fields::Fields { tree, wrongs };
    let name = fields.name();
    let about = fields.about();
    let reproduces = fields.reproduces();
    let tags = fields.tags();
    let cost_s = fields.cost_s();
    let budgets = fields.budgets();
    let cluster = fields.cluster();
    let sweep = fields.sweep();
    // A largest cluster stands in for a wrong one, so that its mistake is reported once.
    let stand_in = Cluster {
        control_plane: 9,
        workers: 50,
        kubernetes: String::new(),
    };
    let context = cases::Context {
        tree,
        folder,
        overrides,
        cluster: cluster.as_ref().unwrap_or(&stand_in),
        sweep,
        tags: &tags,
        budgets: &budgets,
    };
    let cases = context.cases(fields.wrongs);
    Some(Scenario {
        name: name?,
        about: about?,
        file: file.to_owned(),
        reproduces,
        tags,
        cost_s,
        cluster: cluster?,
        budgets,
        cases,
    })
}
