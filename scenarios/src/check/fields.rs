//! The plain keys of a scenario.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use terms::Milliseconds;

use crate::budget::BUDGETS;
use crate::case::Cluster;
use crate::decode::decode;
use crate::mistake::Wrong;
use crate::selector::is_word;
use crate::tree::{Tree, Value};
use crate::written::{WrittenCluster, WrittenSweep, usual_cost_s};

/// Field failures are numbered from 1 to this one.
const LAST_FIELD_FAILURE: u32 = 68;

/// The keys of a scenario, and the mistakes in them.
pub(super) struct Fields<'a> {
    /// The scenario.
    pub(super) tree: &'a Tree,
    /// The mistakes so far.
    pub(super) wrongs: &'a mut Vec<Wrong>,
}

impl Fields<'_> {
    fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let tree = self.tree.get(key)?;
        decode(tree).map_err(|wrong| self.wrongs.push(wrong)).ok()
    }

    fn required<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        if self.tree.get(key).is_none() {
            self.wrongs.push(Wrong::new(
                self.tree.place,
                format!("the key `{key}` is missing"),
            ));
        }
        self.optional(key)
    }

    fn wrong(&mut self, path: &[&str], what: impl Into<String>, help: &str) {
        self.wrongs
            .push(Wrong::new(self.tree.deepest(path).place, what).help(help));
    }

    pub(super) fn name(&mut self) -> Option<String> {
        let name: String = self.required("name")?;
        if !is_word(&name) {
            self.wrong(
                &["name"],
                format!("`{name}` is not a name"),
                "lowercase letters, digits and hyphens, beginning with a letter, at most 63",
            );
        }
        Some(name)
    }

    pub(super) fn about(&mut self) -> Option<String> {
        let about: String = self.required("about")?;
        if about.trim().is_empty() {
            self.wrong(
                &["about"],
                "`about` is empty",
                "say what happens and why it matters",
            );
        }
        Some(about.trim().to_owned())
    }

    pub(super) fn reproduces(&mut self) -> BTreeSet<String> {
        let all: Vec<String> = self.optional("reproduces").unwrap_or_default();
        for (failure, index) in all.iter().zip(0..) {
            let number = failure
                .strip_prefix("FF-")
                .filter(|number| number.len() == 2);
            let number = number.and_then(|number| number.parse::<u32>().ok());
            if !number.is_some_and(|number| (1..=LAST_FIELD_FAILURE).contains(&number)) {
                self.wrong_item(
                    "reproduces",
                    index,
                    format!("`{failure}` is not a field failure"),
                    &format!("FF-01 to FF-{LAST_FIELD_FAILURE}"),
                );
            }
        }
        self.each_once("reproduces", all)
    }

    pub(super) fn tags(&mut self) -> BTreeSet<String> {
        let all: Vec<String> = self.optional("tags").unwrap_or_default();
        for (tag, index) in all.iter().zip(0..) {
            if !is_word(tag) {
                self.wrong_item(
                    "tags",
                    index,
                    format!("`{tag}` is not a tag"),
                    "lowercase words with hyphens",
                );
            }
        }
        self.each_once("tags", all)
    }

    fn wrong_item(&mut self, key: &str, index: usize, what: String, help: &str) {
        let list = self.tree.deepest(&[key]);
        let place = list.item(index).unwrap_or(list).place;
        self.wrongs.push(Wrong::new(place, what).help(help));
    }

    fn each_once(&mut self, key: &str, all: Vec<String>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for (word, index) in all.into_iter().zip(0..) {
            if seen.contains(&word) {
                self.wrong_item(
                    key,
                    index,
                    format!("`{word}` stands twice"),
                    "keep one of the two",
                );
            }
            seen.insert(word);
        }
        seen
    }

    pub(super) fn cost_s(&mut self) -> u32 {
        let cost_s = self.optional("cost_s").unwrap_or_else(usual_cost_s);
        if !(1..=7_200).contains(&cost_s) {
            self.wrong(
                &["cost_s"],
                format!("a case cannot cost {cost_s} s"),
                "1 to 7200 seconds",
            );
        }
        cost_s
    }

    pub(super) fn cluster(&mut self) -> Option<Cluster> {
        let WrittenCluster {
            control_plane,
            workers,
            kubernetes,
        } = self.required("cluster")?;
        if !(1..=9).contains(&control_plane) {
            let what = format!("a cluster cannot have {control_plane} control-plane nodes");
            self.wrong(&["cluster", "control_plane"], what, "1 to 9");
        }
        if workers > 50 {
            let what = format!("a cluster cannot have {workers} workers");
            self.wrong(&["cluster", "workers"], what, "0 to 50");
        }
        let minor = kubernetes.strip_prefix("1.").unwrap_or_default();
        if minor.is_empty() || minor.len() > 3 || !minor.bytes().all(|byte| byte.is_ascii_digit()) {
            let what = format!("`{kubernetes}` is not a minor version of Kubernetes");
            self.wrong(
                &["cluster", "kubernetes"],
                what,
                "such as \"1.34\", without a patch number",
            );
        }
        Some(Cluster {
            control_plane,
            workers,
            kubernetes,
        })
    }

    pub(super) fn sweep(&mut self) -> bool {
        self.optional::<WrittenSweep>("sweep").is_some()
    }

    pub(super) fn budgets(&mut self) -> BTreeMap<String, Option<Milliseconds>> {
        let mut budgets: BTreeMap<String, Option<Milliseconds>> = BUDGETS
            .iter()
            .map(|budget| (budget.name.to_owned(), Some(budget.default)))
            .collect();
        let Some(tree) = self.tree.get("budgets") else {
            return budgets;
        };
        let Value::Map(pairs) = &tree.value else {
            self.wrong(
                &["budgets"],
                "expected budgets by name",
                "write `{ api_write_outage: 60s }`",
            );
            return budgets;
        };
        for pair in pairs {
            if !budgets.contains_key(&pair.key) {
                let known = BUDGETS.iter().map(|budget| budget.name);
                self.wrongs
                    .push(Wrong::unknown(pair.place, "budget", &pair.key, known));
                continue;
            }
            let budget = match &pair.tree.value {
                Value::Text(text) if text == "none" => Ok(None),
                _ => decode::<Milliseconds>(&pair.tree).map(Some),
            };
            match budget {
                Ok(Some(Milliseconds(0))) => {
                    self.wrongs.push(
                        Wrong::new(pair.tree.place, "a budget of nothing cannot be kept")
                            .help("write `none` for a budget that is not judged"),
                    );
                }
                Ok(budget) => {
                    budgets.insert(pair.key.clone(), budget);
                }
                Err(wrong) => self.wrongs.push(wrong),
            }
        }
        budgets
    }
}
