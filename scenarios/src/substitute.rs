//! Placeholders: `$name` as a whole scalar in a timeline stands for a value that a case sets.

use std::collections::{BTreeMap, BTreeSet};

use crate::mistake::{Wrong, nearest};
use crate::selector::is_word;
use crate::tree::{Pair, Place, Tree, Value};

/// What a placeholder stands for, and where that was written; values of a sweep are written nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The value.
    pub(crate) value: Value,
    /// Where it stands in the file.
    pub(crate) place: Option<Place>,
}

/// Replaces placeholders, and keeps count.
pub(crate) struct Substitution<'a> {
    settings: &'a BTreeMap<String, Setting>,
    used: BTreeSet<String>,
    wrongs: Vec<Wrong>,
}

impl<'a> Substitution<'a> {
    /// A tree with every placeholder replaced.
    ///
    /// # Errors
    /// Placeholders that nobody sets, and settings that nobody uses.
    pub(crate) fn replace(
        tree: &Tree,
        settings: &'a BTreeMap<String, Setting>,
        case: Place,
    ) -> Result<Tree, Vec<Wrong>> {
        let mut this = Self {
            settings,
            used: BTreeSet::new(),
            wrongs: Vec::new(),
        };
        let replaced = this.tree(tree);
        for (name, setting) in settings {
            if !this.used.contains(name) {
                let what = format!("`{name}` is set, but `${name}` stands nowhere in the timeline");
                this.wrongs.push(
                    Wrong::new(setting.place.unwrap_or(case), what)
                        .help("use it, or do not set it"),
                );
            }
        }
        if this.wrongs.is_empty() {
            Ok(replaced)
        } else {
            Err(this.wrongs)
        }
    }

    fn tree(&mut self, tree: &Tree) -> Tree {
        let value = match &tree.value {
            Value::Text(text) if text.starts_with('$') => return self.placeholder(tree, text),
            Value::List(items) => Value::List(items.iter().map(|item| self.tree(item)).collect()),
            Value::Map(pairs) => Value::Map(
                pairs
                    .iter()
                    .map(|pair| Pair {
                        tree: self.tree(&pair.tree),
                        ..pair.clone()
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Tree {
            place: tree.place,
            value,
        }
    }

    fn placeholder(&mut self, tree: &Tree, text: &str) -> Tree {
        let name = text.trim_start_matches('$');
        if let Some(setting) = self.settings.get(name) {
            self.used.insert(name.to_owned());
            return Tree {
                place: setting.place.unwrap_or(tree.place),
                value: setting.value.clone(),
            };
        }
        let known = self.settings.keys().map(String::as_str);
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `${near}`?"),
            None if is_word(name) => format!("add `set: {{ {name}: … }}` to every case"),
            None => "a placeholder is a `$` and lowercase words with hyphens".to_owned(),
        };
        self.wrongs
            .push(Wrong::new(tree.place, format!("`{text}` is not set by every case")).help(help));
        tree.clone()
    }
}
