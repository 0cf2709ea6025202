//! The timeline of a case: one line an event, one column a control-plane node.

mod apiservers;
mod roles;
mod writes;

use std::collections::BTreeSet;

use oracle::{Observation, Sighting, Source};
use terms::NodeId;

use crate::narrate;
use apiservers::Apiservers;
use roles::Roles;
use writes::Writes;

/// What the columns mean.
const LEGEND: &str = "columns: the node's apiservers, b bootstrap, s self-hosted, c checkpoint; \
                      . absent, ! there but failing, ? not seen, off without power";

/// A case as a table in plain text: steps, faults, heals, changes of role, gaps in the writes and
/// in what was seen, each with its time in seconds; and beside it, for each control-plane node,
/// which apiservers were there. Any order of observations gives the same table.
pub fn timeline(observations: &[Observation]) -> String {
    let mut ordered: Vec<&Observation> = observations.iter().collect();
    ordered.sort_by_key(|observation| (observation.end_us, &observation.source, observation.seq));
    let nodes = control_plane(&ordered);
    let mut table = Table::new(&nodes);
    let mut apiservers = Apiservers::new(&nodes);
    let mut roles = Roles::new(&ordered);
    let mut writes = Writes::default();
    for observation in ordered {
        let mut events = apiservers.see(observation);
        events.extend(roles.see(observation));
        events.extend(writes.see(observation));
        events.extend(narrate(observation).map(|told| told.text));
        for event in events {
            table.row(observation.end_us, &apiservers.cells(), &event);
        }
    }
    table.finish()
}

/// The control-plane nodes: those that the case names, and those that were seen.
fn control_plane(ordered: &[&Observation]) -> Vec<NodeId> {
    let mut nodes = BTreeSet::new();
    for observation in ordered {
        match (&observation.source, &observation.saw) {
            (_, Sighting::CaseOpened(opened)) => nodes.extend(opened.nodes.iter().cloned()),
            (Source::Apiserver(node) | Source::EtcdMember(node), _) => {
                nodes.insert(node.clone());
            }
            _ => {}
        }
    }
    nodes.into_iter().filter(NodeId::is_control_plane).collect()
}

/// The table as far as it is written.
struct Table {
    widths: Vec<usize>,
    text: String,
}

impl Table {
    fn new(nodes: &[NodeId]) -> Self {
        let widths = nodes
            .iter()
            .map(|node| node.as_str().len().max(3))
            .collect();
        let mut table = Self {
            widths,
            text: String::new(),
        };
        let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        table.line("time", &names, "event");
        table
    }

    fn row(&mut self, at_us: u64, cells: &[String], event: &str) {
        let at = format!("{}.{:03}", at_us / 1_000_000, at_us / 1_000 % 1_000);
        self.line(&at, cells, event);
    }

    fn line(&mut self, at: &str, cells: &[String], event: &str) {
        self.text += &format!("{at:>9}");
        for (cell, width) in cells.iter().zip(&self.widths) {
            self.text += &format!("  {cell:width$}");
        }
        self.text += &format!("  {event}\n");
    }

    fn finish(mut self) -> String {
        self.text += LEGEND;
        self.text.push('\n');
        self.text
    }
}
