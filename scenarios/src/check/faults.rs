//! Faults: what one can hit, and what must be so when it does.

use terms::{
    Change, Component, Delete, Fault, Kill, NodeFault, Nothing, RemoveImage, Roll, Tear, Unit,
    UnitFault,
};

use super::timeline::Walk;
use crate::mistake::Wrong;
use crate::selector::{Target, WRITTEN, is_word};
use crate::tree::{Place, Tree};

/// What a lasting fault leaves a node as, until it is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ailment {
    /// It has no power.
    Off,
    /// Its processes stand still.
    Frozen,
    /// A unit of it is stopped.
    Stopped(Unit),
}

/// The most faults that happen together.
const MOST_FAULTS: usize = 16;
/// The longest name that an object, or a key in it, can have, in bytes.
const LONGEST_NAME: usize = 253;
/// The longest argument that a roll appends, in bytes.
const LONGEST_FLAG: usize = 256;

impl Walk<'_> {
    /// Checks the faults of one `inject`, which stands at `path` in the entry.
    pub(super) fn inject(&mut self, faults: &[Fault], entry: &Tree, path: &[&str]) {
        let list = entry.deepest(path);
        if faults.is_empty() || faults.len() > MOST_FAULTS {
            let what = format!("{} faults at once", faults.len());
            self.wrongs
                .push(Wrong::new(list.place, what).help(format!("inject 1 to {MOST_FAULTS}")));
        }
        for (fault, index) in faults.iter().zip(0..) {
            let tree = list.item(index).unwrap_or(list);
            self.fault(fault, tree.deepest(&[fault.key()]), tree.place);
        }
    }

    fn fault(&mut self, fault: &Fault, tree: &Tree, place: Place) {
        match fault {
            Fault::PowerOff(NodeFault { node, bind }) => {
                self.last(Ailment::Off, node, tree);
                self.bind(bind.as_deref(), tree);
                self.killed = true;
            }
            Fault::LoseDisk(NodeFault { node, bind }) => {
                self.last(Ailment::Off, node, tree);
                self.bind(bind.as_deref(), tree);
                self.needs_begun(place, "nothing is on any disk yet that could be lost");
            }
            Fault::Freeze(NodeFault { node, bind }) => {
                self.last(Ailment::Frozen, node, tree);
                self.bind(bind.as_deref(), tree);
            }
            Fault::Stop(UnitFault { unit, node, bind }) => {
                self.last(Ailment::Stopped(*unit), node, tree);
                self.bind(bind.as_deref(), tree);
            }
            Fault::Restart(UnitFault {
                unit: _,
                node,
                bind,
            }) => {
                self.targets(node, tree.deepest(&["node"]));
                self.bind(bind.as_deref(), tree);
            }
            Fault::Tear(tear) => self.tear(tear, tree),
            Fault::Reboot(NodeFault { node, bind }) => {
                self.targets(node, tree.deepest(&["node"]));
                self.bind(bind.as_deref(), tree);
                self.killed = true;
            }
            Fault::Kill(Kill {
                component,
                node,
                signal: _,
                bind,
            }) => {
                self.targets(node, tree.deepest(&["node"]));
                self.bind(bind.as_deref(), tree);
                self.needs_begun(place, "no component runs yet that could be killed");
                if !self.runs(*component) {
                    let what = format!("this installer runs no {component}");
                    self.wrongs
                        .push(Wrong::new(tree.deepest(&["component"]).place, what));
                }
            }
            Fault::KillInstaller(Nothing {}) => {
                if self.open.is_none() {
                    self.out_of_order(
                        place,
                        "no operation is running whose installer could be killed",
                        "put it into an `at`",
                    );
                }
                self.killed = true;
            }
            Fault::Delete(delete) => {
                self.needs_begun(place, "nothing exists yet that could be deleted");
                self.delete(delete, tree);
            }
            Fault::Roll(roll) => {
                self.needs_begun(place, "no DaemonSet exists yet that could be rolled");
                self.roll(roll, tree);
            }
            Fault::Change(change) => {
                self.needs_begun(place, "nothing exists yet that could be changed");
                self.change(change, tree);
            }
            Fault::RemoveImage(image) => self.remove_image(image, tree),
        }
    }

    fn needs_begun(&mut self, place: Place, what: &str) {
        if !self.begun {
            self.out_of_order(place, what, "put a `bootstrap` before it");
        }
    }

    /// A lasting fault begins on these nodes. A named node that suffers from it already, or that has no
    /// power at all, cannot be hit.
    fn last(&mut self, ailment: Ailment, nodes: &terms::Selectors, tree: &Tree) {
        for (target, place) in self.targets(nodes, tree.deepest(&["node"])) {
            let suffers = |from| self.ailing.contains(&(from, target.clone()));
            let already = [Ailment::Off, ailment]
                .into_iter()
                .find(|from| suffers(*from));
            if let (Target::Name(_), Some(already)) = (&target, already) {
                let what = match already {
                    Ailment::Off => format!("`{target}` has no power here already"),
                    Ailment::Frozen => format!("`{target}` is frozen here already"),
                    Ailment::Stopped(unit) => {
                        format!("{} is stopped on `{target}` here already", unit.name())
                    }
                };
                self.out_of_order(place, &what, "heal it first");
            }
            if ailment == Ailment::Off {
                // Nothing stands still or is stopped on a node without power; a boot starts every unit.
                self.ailing.retain(|(_, ill)| *ill != target);
            }
            self.ailing.insert((ailment, target));
        }
    }

    fn tear(&mut self, tear: &Tear, tree: &Tree) {
        let Tear {
            node,
            path,
            keep_bytes: _,
            bind,
        } = tear;
        self.targets(node, tree.deepest(&["node"]));
        self.bind(bind.as_deref(), tree);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./*@+:".contains(&byte);
        if !path.starts_with('/') || path.ends_with('/') || !path.bytes().all(plain) {
            let place = tree.deepest(&["path"]).place;
            let wrong = Wrong::new(place, format!("`{path}` is not the path of a file"));
            self.wrongs.push(wrong.help(
                "write it from `/` on, with letters, digits and `-_.@+:`; `*` stands for any part of a name",
            ));
        }
    }

    fn roll(&mut self, roll: &Roll, tree: &Tree) {
        let Roll {
            component,
            flag,
            user: _,
        } = roll;
        let what = "is not self-hosted: it has no revisions";
        self.one_of(*component, &Component::SELF_HOSTED, what, tree);
        let Some(flag) = flag else { return };
        let place = tree.deepest(&["flag"]).place;
        let mut wrong = |what: String, help: String| {
            self.wrongs.push(Wrong::new(place, what).help(help));
        };
        if flag.chars().any(char::is_control) {
            let what = "a flag with control characters".to_owned();
            wrong(what, "keep to one line of text".to_owned());
        } else if flag.len() > LONGEST_FLAG {
            let help = format!("at most {LONGEST_FLAG}");
            wrong(format!("a flag of {} bytes", flag.len()), help);
        } else if !flag.starts_with("--") || flag.len() == 2 {
            let help = "such as `--name=value`".to_owned();
            wrong(format!("`{flag}` is not a flag"), help);
        }
    }

    fn change(&mut self, change: &Change, tree: &Tree) {
        let Change {
            kind: _,
            namespace,
            name,
            key,
        } = change;
        let named = [
            ("namespace", Some(namespace)),
            ("name", Some(name)),
            ("key", key.as_ref()),
        ];
        for (part, text) in named {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            let Some(text) = text else { continue };
            if text.is_empty() || text.len() > LONGEST_NAME || !text.bytes().all(plain) {
                let place = tree.deepest(&[part]).place;
                let wrong = Wrong::new(place, format!("`{text}` is not the {part} of an object"));
                self.wrongs
                    .push(wrong.help("letters, digits and `-_.`, such as `kube-system`"));
            }
        }
    }

    fn remove_image(&mut self, image: &RemoveImage, tree: &Tree) {
        let RemoveImage {
            component,
            node,
            bind,
        } = image;
        self.targets(node, tree.deepest(&["node"]));
        self.bind(bind.as_deref(), tree);
        let what = "has no image of its own here";
        self.one_of(*component, &RemoveImage::COMPONENTS, what, tree);
    }

    /// Only these components can be hit; of another one it is said what it is not.
    fn one_of(&mut self, component: Component, known: &[Component], what: &str, tree: &Tree) {
        if known.contains(&component) {
            return;
        }
        let known: Vec<&str> = known.iter().map(|known| known.name()).collect();
        let wrong = Wrong::new(
            tree.deepest(&["component"]).place,
            format!("{component} {what}"),
        );
        self.wrongs
            .push(wrong.help(format!("one of {}", known.join(", "))));
    }

    fn bind(&mut self, name: Option<&str>, tree: &Tree) {
        let Some(name) = name else { return };
        let place = tree.deepest(&["as"]).place;
        let written = format!("@{name}");
        if !is_word(name) {
            let wrong = Wrong::new(place, format!("`{name}` is not a name"));
            self.wrongs.push(wrong.help("lowercase words with hyphens"));
        } else if WRITTEN.contains(&written.as_str()) {
            self.wrongs.push(
                Wrong::new(place, format!("`{written}` means something already"))
                    .help("choose another name"),
            );
        } else if !self.bound.insert(name.to_owned()) {
            self.wrongs.push(
                Wrong::new(place, format!("`{name}` is bound already")).help("choose another name"),
            );
        }
    }

    fn delete(&mut self, delete: &Delete, tree: &Tree) {
        let Delete {
            kind,
            namespace,
            name,
            selector,
            limit,
        } = delete;
        let mut wrong = |key: &str, what: &str, help: &str| {
            self.wrongs
                .push(Wrong::new(tree.deepest(&[key]).place, what).help(help));
        };
        match (name, selector) {
            (Some(_), Some(_)) => wrong(
                "selector",
                "both `name` and `selector` are given",
                "keep one of the two",
            ),
            (None, None) => wrong(
                "kind",
                "neither `name` nor `selector` says what is deleted",
                "add `selector: k8s-app=…` or `name: …`",
            ),
            _ => {}
        }
        match (kind.is_namespaced(), namespace) {
            (false, Some(_)) => {
                let what = format!("a {kind:?} has no namespace");
                wrong("namespace", &what, "leave it out");
            }
            (false, None) | (true, Some(_)) => {}
            (true, None) => wrong(
                "kind",
                "the key `namespace` is missing",
                "such as `namespace: kube-system`",
            ),
        }
        match limit {
            Some(0) => wrong("limit", "nothing would be deleted", "1 or more"),
            Some(_) if selector.is_none() => {
                wrong("limit", "`limit` goes with `selector` only", "leave it out");
            }
            _ => {}
        }
    }
}
