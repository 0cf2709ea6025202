//! A counterexample for a person: one line an event, one column a node.

use std::fmt::Write as _;

use terms::Component;

use super::Counterexample;
use crate::coarse::{Joined, Node, Pod, Power, Process, State, World, holder, installer, name};

const LEGEND: &str = "\
The three letters are apiserver, controller manager, scheduler: `.` there is none, `-` bound and not started, `o` starting, `*` ready,
`x` ending, `?` created and bound to no node; with a checkpoint on disk `=`, `O`, `+` for `-`, `o`, `*`, and `c` when that runs. `boot` are the
bootstrap processes, `self` the self-hosted pods, `files` the bootstrap manifests in the kubelet's directory and whether their secrets
are there. Leases are those of controller manager and scheduler. A cell is empty where nothing changed.
";
const NEVER_FAILS: &str = "writing into a string cannot fail";

impl Counterexample {
    /// One line an event, one column for the installer, one for the API with its leases and one for
    /// each node; at the end what is violated, and what of its guard was wrong.
    pub fn table(&self) -> String {
        let world = World::new(self.config.clone());
        let states = self.states(&world);
        let mut rows = vec![self.head()];
        let mut before: Vec<String> = Vec::new();
        for (number, state) in states.iter().enumerate() {
            let event = match number {
                0 => "it begins".to_owned(),
                number => self.path[number - 1].to_string(),
            };
            let cells = self.cells(state);
            let news = cells.iter().enumerate().map(|(column, cell)| {
                if before.get(column) == Some(cell) {
                    String::new()
                } else {
                    cell.clone()
                }
            });
            let row = [number.to_string(), event].into_iter().chain(news);
            rows.push(row.collect());
            before = cells;
        }
        let mut text = format!("{LEGEND}\n{}", aligned(&rows));
        writeln!(text, "\nviolates {}: {}", self.invariant, self.guard()).expect(NEVER_FAILS);
        text
    }

    fn head(&self) -> Vec<String> {
        let mut head = ["", "event", "installer", "API, leases"]
            .map(str::to_owned)
            .to_vec();
        head.extend((0..self.config.control_planes).map(|node| name(node).to_string()));
        head
    }

    fn cells(&self, state: &State) -> Vec<String> {
        let mut cells = vec![installer(&self.config.plan, state), self.api(state)];
        let nodes = state.nodes[..usize::from(self.config.control_planes)].iter();
        cells.extend(
            nodes
                .enumerate()
                .map(|(number, node)| cell(state, number, node)),
        );
        cells
    }

    fn api(&self, state: &State) -> String {
        let count = self.config.control_planes;
        let answers = state.is_reachable(state.has_quorum(count));
        let [manager, scheduler] = state.leases.map(holder);
        let answers = if answers { "up" } else { "down" };
        format!("{answers}, {manager}/{scheduler}")
    }
}

fn cell(state: &State, number: usize, node: &Node) -> String {
    let mut words = Vec::new();
    match node.power {
        Power::On => {}
        Power::OffFresh => words.push("OFF".to_owned()),
        Power::OffStale => words.push("OFF (known)".to_owned()),
    }
    if number == 0 {
        let letters: String = state.bootstrap.iter().copied().map(process).collect();
        words.push(format!("boot {letters}"));
        let files = (0..3).map(|bit| match state.disk.manifests >> bit & 1 {
            1 => '*',
            _ => '.',
        });
        let files: String = files.collect();
        let secrets = if state.disk.secrets { "+secrets" } else { "" };
        words.push(format!("files {files}{secrets}"));
    }
    let letters: String = node.pods.iter().copied().map(pod).collect();
    words.push(format!("self {letters}"));
    match node.joined {
        Joined::No => words.push("unknown".to_owned()),
        Joined::Registered => words.push("unlabelled".to_owned()),
        Joined::Labelled => {}
    }
    words.join(" ")
}

const fn process(process: Process) -> char {
    match process {
        Process::Gone => '.',
        Process::Starting => 'o',
        Process::Ready => '*',
        Process::Stopping => 'x',
    }
}

const fn pod(pod: Pod) -> char {
    match pod {
        Pod::None => '.',
        Pod::Created => '?',
        Pod::Bound => '-',
        Pod::BoundSaved => '=',
        Pod::Starting => 'o',
        Pod::StartingSaved => 'O',
        Pod::Ready => '*',
        Pod::ReadySaved => '+',
        Pod::Copy => 'c',
    }
}

/// Columns as wide as their widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// What is said of components by name.
pub(crate) fn names(which: impl Iterator<Item = Component>) -> String {
    let names: Vec<String> = which.map(|component| component.to_string()).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
