//! The cases of a scenario: each with its installer, its settings and its own timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use oracle::{Expectation, register};
use pivot::Plan;
use pivot::checkpoint::AgentPlan;
use terms::{Capability, Milliseconds};

use super::timeline;
use crate::budget::BUDGETS;
use crate::case::{Cluster, Installer, Selfhost};
use crate::decode::decode;
use crate::mistake::Wrong;
use crate::policy::{Policy, PolicyError, SWITCHES, unfit_switch};
use crate::scenario::{Overrides, ScenarioCase};
use crate::selector::is_word;
use crate::substitute::{Setting, Substitution};
use crate::tree::{Pair, Place, Tree, Value};
use crate::written::{WrittenCase, WrittenEnd, WrittenExpect, WrittenInstaller};

/// The most cases of one scenario, and the most entries of a timeline: more are several scenarios.
const MOST: usize = 64;

/// What the cases of a scenario share.
pub(super) struct Context<'a> {
    pub(super) tree: &'a Tree,
    pub(super) folder: &'a Path,
    pub(super) overrides: &'a Overrides,
    pub(super) cluster: &'a Cluster,
    pub(super) sweep: bool,
    pub(super) tags: &'a BTreeSet<String>,
    pub(super) budgets: &'a BTreeMap<String, Option<Milliseconds>>,
}

/// The settings of one case made by a sweep, with what its name ends in.
type Variant = (String, BTreeMap<String, Setting>);

impl Context<'_> {
    /// Every case that can be made, and the mistakes of the others.
    pub(super) fn cases(&self, wrongs: &mut Vec<Wrong>) -> Vec<ScenarioCase> {
        let timeline = self.list("timeline", wrongs);
        let mut cases: Vec<ScenarioCase> = Vec::new();
        for tree in self.list("cases", wrongs).map(items).unwrap_or_default() {
            for case in self.case(tree, timeline, wrongs) {
                // Cases that differed by their installer only are one under `--installer`.
                let same = |other: &ScenarioCase| {
                    other.timeline == case.timeline && other.expect == case.expect
                };
                if self.overrides.installer.is_some() && cases.iter().any(same) {
                    continue;
                }
                cases.push(case);
            }
        }
        self.distinct_names(&cases, wrongs);
        cases
    }

    fn list(&self, key: &str, wrongs: &mut Vec<Wrong>) -> Option<&Tree> {
        let Some(tree) = self.tree.get(key) else {
            wrongs.push(Wrong::new(
                self.tree.place,
                format!("the key `{key}` is missing"),
            ));
            return None;
        };
        let what = match items(tree).len() {
            0 => format!("`{key}` must be a list of at least one"),
            count if count > MOST => format!("`{key}` has {count} items; {MOST} are allowed"),
            _ => return Some(tree),
        };
        wrongs.push(Wrong::new(tree.place, what).help("write each item behind `- `"));
        None
    }

    fn distinct_names(&self, cases: &[ScenarioCase], wrongs: &mut Vec<Wrong>) {
        let mut seen = BTreeSet::new();
        for case in cases.iter().filter(|case| !case.name.is_empty()) {
            if !seen.insert((case.installer.label(), &case.name)) {
                let what = format!("two cases of the same installer are named `{}`", case.name);
                let wrong = Wrong::new(self.tree.deepest(&["cases"]).place, what);
                wrongs.push(wrong.help("give each case a `name` of its own"));
            }
        }
    }

    fn case(
        &self,
        tree: &Tree,
        timeline: Option<&Tree>,
        wrongs: &mut Vec<Wrong>,
    ) -> Vec<ScenarioCase> {
        let before = wrongs.len();
        let written = match decode::<WrittenCase>(tree) {
            Ok(written) => written,
            Err(wrong) => {
                wrongs.push(wrong);
                return Vec::new();
            }
        };
        let name = written.name.unwrap_or_default();
        if !name.is_empty() && !is_word(&name) || tree.get("name").is_some() && name.is_empty() {
            let what = format!("`{name}` is not a name for a case");
            let place = tree.deepest(&["name"]).place;
            wrongs.push(Wrong::new(place, what).help("lowercase words with hyphens"));
        }
        for (tag, index) in written
            .tags
            .iter()
            .zip(0..)
            .filter(|(tag, _)| !is_word(tag))
        {
            let list = tree.deepest(&["tags"]);
            let place = list.item(index).unwrap_or(list).place;
            wrongs.push(
                Wrong::new(place, format!("`{tag}` is not a tag"))
                    .help("lowercase words with hyphens"),
            );
        }
        let installer = self.installer(tree, written.installer, wrongs);
        let policy = self.policy(tree, &installer, wrongs);
        let expect = self.expect(tree, &written.expect, policy.as_ref(), wrongs);
        let settings = settings(tree, self.sweep, wrongs);
        let (Some(timeline), Some(policy), true) = (timeline, policy, wrongs.len() == before)
        else {
            return Vec::new();
        };
        let mut cases = Vec::new();
        for (suffix, settings) in self.variants(&policy, &settings) {
            let replaced = match Substitution::replace(timeline, &settings, tree.place) {
                Ok(replaced) => replaced,
                Err(more) => {
                    wrongs.extend(more);
                    continue;
                }
            };
            let walked = timeline::check(items(&replaced), timeline.place, self.cluster, &policy);
            wrongs.extend(walked.wrongs);
            cases.push(ScenarioCase {
                name: joined(&name, &suffix),
                tags: self.tags.iter().chain(&written.tags).cloned().collect(),
                installer: installer.clone(),
                capabilities: policy.capabilities(self.cluster.control_plane),
                checkpoint_times: policy.checkpoint_times(),
                expect: expect.clone(),
                timeline: walked.entries,
            });
        }
        cases
    }

    /// One variant, or with a sweep one for each step and moment.
    fn variants(&self, policy: &Policy, settings: &BTreeMap<String, Setting>) -> Vec<Variant> {
        if !self.sweep {
            return vec![(String::new(), settings.clone())];
        }
        let written_nowhere = |text: &str| Setting {
            value: Value::Text(text.to_owned()),
            place: None,
        };
        let mut variants = Vec::new();
        for step in &policy.steps {
            for moment in ["entered", "completed"] {
                let mut settings = settings.clone();
                settings.insert("step".to_owned(), written_nowhere(step.as_str()));
                settings.insert("moment".to_owned(), written_nowhere(moment));
                variants.push((format!("{step}-{moment}"), settings));
            }
        }
        variants
    }

    fn installer(
        &self,
        tree: &Tree,
        written: WrittenInstaller,
        wrongs: &mut Vec<Wrong>,
    ) -> Installer {
        let WrittenInstaller::Selfhost(selfhost) = written;
        if let Some(Value::Map(pairs)) = tree
            .get("installer")
            .and_then(|tree| tree.get("selfhost")?.get("switches"))
            .map(|tree| &tree.value)
        {
            for Pair { key, place, .. } in pairs {
                if !SWITCHES.iter().any(|(name, _)| name == key) {
                    let known = SWITCHES.iter().map(|(name, _)| *name);
                    wrongs.push(Wrong::unknown(*place, "switch", key, known));
                }
                let unfit = |value: &String| unfit_switch(key, value);
                if let Some(unfit) = selfhost.switches.get(key).and_then(unfit) {
                    wrongs.push(Wrong::new(*place, unfit).help("a duration, such as `4m`"));
                }
            }
        }
        self.overrides
            .installer
            .clone()
            .unwrap_or(Installer::Selfhost(Selfhost {
                policy: Policy::located(&selfhost.policy, self.folder),
                agent: selfhost
                    .agent
                    .as_ref()
                    .map(|agent| Policy::located(agent, self.folder)),
                switches: selfhost.switches,
            }))
    }

    fn policy(
        &self,
        tree: &Tree,
        installer: &Installer,
        wrongs: &mut Vec<Wrong>,
    ) -> Option<Policy> {
        let Installer::Selfhost(Selfhost {
            policy: name,
            agent,
            switches: _,
        }) = installer;
        let place = tree.deepest(&["installer", "selfhost", "policy"]).place;
        let mut policy = match Policy::find(name, Path::new("")) {
            Ok(policy) => policy,
            Err(error) => {
                wrongs.push(no_policy(place, name, &error, &Plan::NAMES));
                return None;
            }
        };
        if let Some(agent) = agent {
            let place = tree.deepest(&["installer", "selfhost", "agent"]).place;
            if policy.agent.is_none() {
                let wrong = Wrong::new(place, format!("`{name}` has no checkpoint agents"));
                wrongs.push(wrong.help("leave `agent` out"));
                return None;
            }
            match Policy::find_agent(agent, Path::new("")) {
                Ok(plan) => policy.agent = Some(plan),
                Err(error) => {
                    wrongs.push(no_policy(place, agent, &error, &AgentPlan::NAMES));
                    return None;
                }
            }
        }
        Some(policy)
    }

    fn expect(
        &self,
        tree: &Tree,
        written: &WrittenExpect,
        policy: Option<&Policy>,
        wrongs: &mut Vec<Wrong>,
    ) -> Expectation {
        let place = tree.deepest(&["expect"]).place;
        let list = tree.get("expect").and_then(|expect| expect.get("violated"));
        let place_of = |index| {
            list.and_then(|list| list.item(index))
                .map_or(place, |item| item.place)
        };
        let mut violated = BTreeSet::new();
        for (slug, index) in written.violated.iter().zip(0..) {
            if !violated.insert(slug.clone()) {
                wrongs.push(Wrong::new(
                    place_of(index),
                    format!("`{slug}` stands twice"),
                ));
            }
            if let Err(wrong) = self.expectable(slug, place_of(index), policy) {
                wrongs.push(wrong);
            }
        }
        let ends = match written.ends {
            WrittenEnd::Done => "done",
            WrittenEnd::Holding => "holding",
            WrittenEnd::Refused => "refused",
        };
        let expect = Expectation {
            ends: ends.to_owned(),
            violated,
        };
        match &self.overrides.expect {
            Some(instead) => instead.clone(),
            None if self.overrides.installer.is_some() && !expect.violated.is_empty() => {
                wrongs.push(
                    Wrong::new(place, "this case expects violations of its own installer; another one cannot be put in its place")
                        .help("say with --expect what to expect of the other, such as --expect '{ ends: done }'"),
                );
                expect
            }
            None => expect,
        }
    }

    /// Whether a violation can be expected: there is such an invariant, it is armed, and it is judged.
    fn expectable(&self, slug: &str, place: Place, policy: Option<&Policy>) -> Result<(), Wrong> {
        let Some(rule) = register::by_slug(slug) else {
            return Err(Wrong::unknown(
                place,
                "invariant",
                slug,
                register::all().map(|rule| rule.slug),
            ));
        };
        let claims = policy.map(|policy| policy.capabilities(self.cluster.control_plane));
        if let (Some(needs), Some(claims)) = (rule.needs, claims)
            && !claims.contains(&needs)
            && self.overrides.installer.is_none()
        {
            return Err(not_claimed(slug, needs, place));
        }
        let unlimited = BUDGETS.iter().find(|budget| {
            budget.judges.contains(&slug)
                && self.budgets.get(budget.name).is_some_and(Option::is_none)
        });
        match unlimited {
            None => Ok(()),
            Some(budget) => {
                let what = format!(
                    "`{slug}` cannot be violated: its budget `{}` is `none`",
                    budget.name
                );
                Err(Wrong::new(place, what).help("give the budget a duration"))
            }
        }
    }
}

/// That a policy, or an agent's plan, cannot be had.
fn no_policy(place: Place, name: &str, error: &PolicyError, known: &[&'static str]) -> Wrong {
    if let PolicyError::Unknown(_) = error {
        return Wrong::unknown(place, "policy", name, known.iter().copied());
    }
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    Wrong::new(place, format!("{error}: {cause}"))
        .help("a plan file is looked for from the scenario file on")
}

fn not_claimed(slug: &str, needs: Capability, place: Place) -> Wrong {
    let needs = register::capability_name(needs);
    Wrong::new(
        place,
        format!("`{slug}` cannot be violated: this installer does not claim `{needs}`"),
    )
    .help("what is not claimed is not judged")
}

fn items(tree: &Tree) -> &[Tree] {
    if let Value::List(items) = &tree.value {
        items
    } else {
        &[]
    }
}

fn joined(name: &str, suffix: &str) -> String {
    [name, suffix]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// What a case sets: plain values by name.
fn settings(tree: &Tree, sweep: bool, wrongs: &mut Vec<Wrong>) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    let Some(Value::Map(pairs)) = tree.get("set").map(|tree| &tree.value) else {
        return settings;
    };
    for Pair { key, place, tree } in pairs {
        if !is_word(key) {
            let wrong = Wrong::new(*place, format!("`{key}` is not a name for a placeholder"));
            wrongs.push(wrong.help("lowercase words with hyphens"));
        }
        if sweep && ["step", "moment"].contains(&key.as_str()) {
            wrongs.push(
                Wrong::new(*place, format!("`{key}` is set by the sweep")).help("leave it out"),
            );
        }
        if matches!(tree.value, Value::List(_) | Value::Map(_) | Value::Nothing) {
            let wrong = Wrong::new(
                tree.place,
                format!("`{key}` must be set to one text, number or truth"),
            );
            wrongs.push(wrong.help("a placeholder stands for one scalar"));
        }
        settings.insert(
            key.clone(),
            Setting {
                value: tree.value.clone(),
                place: Some(tree.place),
            },
        );
    }
    settings
}
