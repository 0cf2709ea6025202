//! A case as a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use oracle::Expectation;
use scenarios::{
    At, BUDGETS, Case, Cluster, Entry, Heal, Installer, Mistakes, Overrides, Selection, Settle,
    expand, parse,
};
use serde_json::Value;
use terms::{Actor, Fault, Milliseconds, Selectors, Signal};

use super::flow::{flow, scalar};

/// How wide the lines of `about` are.
const WIDTH: usize = 100;
const NEVER_FAILS: &str = "writing into a string cannot fail";

/// Everything that a scenario file of one case says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The scenario's name. Seeds follow from it: another name is another draw of every duration.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Field failures that it reproduces.
    pub reproduces: BTreeSet<String>,
    /// Words to select by.
    pub tags: BTreeSet<String>,
    /// Declared real time, in seconds.
    pub cost_s: u32,
    /// The machines.
    pub cluster: Cluster,
    /// The system under test. A plan file is named as the scenario file would name it.
    pub installer: Installer,
    /// What must come out.
    pub expect: Expectation,
    /// What happens.
    pub timeline: Vec<Entry>,
    /// Every budget by name; `None` is not judged.
    pub budgets: BTreeMap<String, Option<Milliseconds>>,
}

impl Draft {
    /// The draft of a case, which may have been one of several of its file.
    pub fn of(case: &Case) -> Self {
        Self {
            name: case.scenario.clone(),
            about: case.about.clone(),
            reproduces: case.reproduces.clone(),
            tags: case.tags.clone(),
            cost_s: case.cost_s,
            cluster: case.cluster.clone(),
            installer: case.installer.clone(),
            expect: case.expect.clone(),
            timeline: case.timeline.clone(),
            budgets: case.budgets.clone(),
        }
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = format!("name: {}\nabout: >\n{}", self.name, folded(&self.about));
        let mut line = |words: String| writeln!(text, "{words}").expect(NEVER_FAILS);
        for (key, words) in [("reproduces", &self.reproduces), ("tags", &self.tags)] {
            if !words.is_empty() {
                line(format!("{key}: [{}]", joined(words)));
            }
        }
        line(format!("cost_s: {}", self.cost_s));
        let Cluster {
            control_plane,
            workers,
            kubernetes,
        } = &self.cluster;
        line(format!(
            "cluster: {{ control_plane: {control_plane}, workers: {workers}, kubernetes: \"{kubernetes}\" }}"
        ));
        let Installer::Selfhost(selfhost) = &self.installer;
        let switches = match selfhost.switches.is_empty() {
            true => String::new(),
            false => {
                let switches = selfhost.switches.iter();
                let pairs = switches.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
                format!(", switches: {}", flow(&Value::Object(pairs.collect())))
            }
        };
        let policy = scalar(&selfhost.policy);
        let agent = selfhost
            .agent
            .as_ref()
            .map_or(String::new(), |agent| format!(", agent: {}", scalar(agent)));
        line(format!(
            "cases:\n  - installer: {{ selfhost: {{ policy: {policy}{agent}{switches} }} }}"
        ));
        let Expectation { ends, violated } = &self.expect;
        if ends != "done" || !violated.is_empty() {
            line(format!(
                "    expect: {{ ends: {ends}, violated: [{}] }}",
                joined(violated)
            ));
        }
        line("timeline:".to_owned());
        for entry in &self.timeline {
            line(format!("  - {}", written(entry)));
        }
        let budgets: Vec<String> = self.budgets.iter().filter_map(budget).collect();
        if !budgets.is_empty() {
            line(format!("budgets: {{ {} }}", budgets.join(", ")));
        }
        text
    }

    /// The case that the file comes to, lying in this folder, run with this seed.
    ///
    /// # Errors
    /// What the language refuses, such as healing what nothing has broken.
    pub fn case(&self, folder: &Path, seed: u64) -> Result<Case, Mistakes> {
        let file = folder
            .join(format!("{}.yaml", self.name))
            .display()
            .to_string();
        let text = self.text();
        let scenario = parse(&file, text.as_bytes(), folder, &Overrides::default());
        let scenarios = [scenario.map_err(Mistakes)?];
        let selection = Selection {
            seed,
            ..Selection::default()
        };
        let plan = expand(&scenarios, &selection);
        let mut cases = plan.expect("everything of one scenario is selected").cases;
        Ok(cases.remove(0))
    }
}

fn joined(words: &BTreeSet<String>) -> String {
    words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Words in lines of equal width, indented, as a folded text.
fn folded(words: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            text.push('\n');
            width = 0;
        }
        text.push_str(if width == 0 { "  " } else { " " });
        text.push_str(word);
        width += length + 1;
    }
    text + "\n"
}

/// A budget, unless it is what it would be anyway.
fn budget((name, limit): (&String, &Option<Milliseconds>)) -> Option<String> {
    let default = BUDGETS
        .iter()
        .find(|budget| budget.name == name)
        .map(|budget| budget.default);
    match limit {
        None => Some(format!("{name}: none")),
        Some(limit) if Some(*limit) == default => None,
        Some(limit) => Some(format!("{name}: {limit}")),
    }
}

fn written(entry: &Entry) -> String {
    match entry {
        Entry::Operation(operation) => operation.kind.written(),
        Entry::At(At {
            step,
            moment,
            occurrence,
            actor,
            within,
            inject,
        }) => {
            let mut options = format!("step: {step}, moment: {moment}");
            let mut option = |words: String| write!(options, ", {words}").expect(NEVER_FAILS);
            if *occurrence != 1 {
                option(format!("occurrence: {occurrence}"));
            }
            if *actor != Actor::default() {
                option(format!("actor: {}", scalar(&actor.0)));
            }
            option(format!("within: {within}"));
            option(format!("inject: {}", faults(inject)));
            format!("at: {{ {options} }}")
        }
        Entry::Inject(inject) => format!("inject: {}", faults(inject)),
        Entry::Wait(time) => format!("wait: {time}"),
        Entry::Heal(Heal::Everything) => "heal: {}".to_owned(),
        Entry::Heal(Heal::Nodes(nodes)) => format!("heal: {{ node: {} }}", selectors(nodes)),
        Entry::Settle(Settle { within, stable_for }) => {
            format!("settle: {{ within: {within}, stable_for: {stable_for} }}")
        }
    }
}

fn selectors(nodes: &Selectors) -> String {
    let names: Vec<String> = nodes.0.iter().map(|node| scalar(&node.0)).collect();
    match names.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

fn faults(faults: &[Fault]) -> String {
    let written: Vec<String> = faults.iter().map(fault).collect();
    format!("[ {} ]", written.join(", "))
}

fn fault(fault: &Fault) -> String {
    let mut value = serde_json::to_value(fault).expect("a fault is plain data");
    if let Some(options) = value.get_mut(fault.key()).and_then(Value::as_object_mut) {
        // What is so anyway is left out, and a list of one is its item.
        if options.get("signal").and_then(Value::as_str) == Some(Signal::Kill.name()) {
            options.remove("signal");
        }
        if let Some(Value::Array(nodes)) = options.get_mut("node")
            && nodes.len() == 1
        {
            let node = nodes.remove(0);
            options.insert("node".to_owned(), node);
        }
    }
    flow(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a draft writes is read as the case that it was made of.
    #[test]
    fn every_case_of_the_catalogue_survives_being_written() {
        let scenarios = scenarios::catalogue();
        let cases = expand(&scenarios, &Selection::default())
            .expect("the catalogue is right")
            .cases;
        assert!(cases.len() > 10, "{}", cases.len());
        for case in cases {
            let draft = Draft::of(&case);
            let again = draft.case(Path::new(""), 1);
            let again = again.unwrap_or_else(|mistakes| panic!("{mistakes}\n{}", draft.text()));
            assert_eq!(again.timeline, case.timeline, "{}", draft.text());
            assert_eq!(again.budgets, case.budgets, "{}", draft.text());
            assert_eq!(again.expect, case.expect, "{}", draft.text());
            assert_eq!(again.installer, case.installer, "{}", draft.text());
            assert_eq!(again.cluster, case.cluster, "{}", draft.text());
            assert_eq!(again.capabilities, case.capabilities, "{}", draft.text());
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(words(&again.about), words(&case.about));
        }
    }
}
