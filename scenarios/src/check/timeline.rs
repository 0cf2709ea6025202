//! The timeline: entries one by one, and what must have happened before each.

use std::collections::BTreeSet;

use terms::{Actor, Component, Milliseconds, Nothing, Selector, Selectors};

use super::at::actor_of;
use super::faults::Ailment;
use crate::case::Cluster;
use crate::decode::decode;
use crate::entry::{Entry, Heal, Joined, Operation, OperationKind, RecoverFrom, Settle};
use crate::mistake::Wrong;
use crate::policy::Policy;
use crate::selector::Target;
use crate::tree::{Place, Tree};
use crate::written::{WrittenBootstrap, WrittenEntry, WrittenHeal, WrittenRecover, WrittenSettle};

/// A timeline that was gone through.
pub(super) struct Walked {
    /// Its entries; complete when nothing is wrong.
    pub(super) entries: Vec<Entry>,
    /// What is wrong.
    pub(super) wrongs: Vec<Wrong>,
}

/// Checks a timeline whose placeholders were replaced.
pub(super) fn check(items: &[Tree], place: Place, cluster: &Cluster, policy: &Policy) -> Walked {
    let mut walk = Walk {
        cluster,
        policy,
        entries: Vec::new(),
        wrongs: Vec::new(),
        torn: false,
        open: None,
        begun: false,
        killed: false,
        snapshot: false,
        ailing: BTreeSet::new(),
        bound: BTreeSet::new(),
    };
    for (tree, index) in items.iter().zip(0_u32..) {
        let next = items.get(index as usize + 1);
        let held_next = next.and_then(|next| next.get("at")).map(actor_of);
        match decode::<WrittenEntry>(tree) {
            Ok(entry) => walk.entry(entry, tree, index, held_next.as_ref()),
            Err(wrong) => {
                walk.wrongs.push(wrong);
                walk.torn = true;
            }
        }
    }
    if !walk.begun && !walk.torn {
        walk.wrongs.push(
            Wrong::new(place, "nothing is ever bootstrapped").help("begin with `- bootstrap: {}`"),
        );
    }
    Walked {
        entries: walk.entries,
        wrongs: walk.wrongs,
    }
}

/// What is known at an entry of a timeline.
pub(super) struct Walk<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) policy: &'a Policy,
    pub(super) entries: Vec<Entry>,
    pub(super) wrongs: Vec<Wrong>,
    /// An earlier entry could not be read: what depends on it is not judged.
    pub(super) torn: bool,
    /// Index of the operation in the background.
    pub(super) open: Option<usize>,
    /// A bootstrap was begun.
    pub(super) begun: bool,
    /// Something ended the operation before its time.
    pub(super) killed: bool,
    /// A snapshot was taken.
    snapshot: bool,
    /// What suffers from a lasting fault.
    pub(super) ailing: BTreeSet<(Ailment, Target)>,
    /// Names that faults bound.
    pub(super) bound: BTreeSet<String>,
}

impl Walk<'_> {
    /// A mistake that an unreadable earlier entry could have caused is kept back.
    pub(super) fn out_of_order(&mut self, place: Place, what: &str, help: &str) {
        if !self.torn {
            self.wrongs.push(Wrong::new(place, what).help(help));
        }
    }

    /// An operation stays in the background when the next entry holds somebody: `held_next`.
    fn entry(&mut self, entry: WrittenEntry, tree: &Tree, index: u32, held_next: Option<&Actor>) {
        let followed_by_at = held_next.is_some();
        let entry = match entry {
            WrittenEntry::Bootstrap(WrittenBootstrap { foreign: false }) => {
                self.operation(OperationKind::Bootstrap, index, followed_by_at)
            }
            WrittenEntry::Bootstrap(WrittenBootstrap { foreign: true }) => {
                self.after_bootstrap(
                    tree.place,
                    "there is no cluster yet whose machines another one could want",
                );
                self.operation(OperationKind::ForeignBootstrap, index, false)
            }
            WrittenEntry::Snapshot(Nothing {}) => {
                self.after_bootstrap(tree.place, "there is nothing yet to take a snapshot of");
                self.snapshot = true;
                self.operation(OperationKind::Snapshot, index, false)
            }
            WrittenEntry::Recover(WrittenRecover { from, rival }) => {
                // Agents may be held at any time, and no recovery waits for that.
                let is_held = held_next.is_some_and(|actor| actor.recovery_node().is_some());
                self.may_recover(from, rival, is_held, tree);
                self.operation(OperationKind::Recover { from, rival }, index, is_held)
            }
            WrittenEntry::Resume(Nothing {}) => {
                self.may_resume(tree.place);
                self.operation(OperationKind::Resume, index, followed_by_at)
            }
            WrittenEntry::At(at) => self.at(at, tree),
            WrittenEntry::Inject(faults) => {
                self.inject(&faults, tree, &["inject"]);
                Entry::Inject(faults)
            }
            WrittenEntry::Wait(time) => {
                self.some_time(time, tree, &["wait"]);
                Entry::Wait(time)
            }
            WrittenEntry::Heal(heal) => self.heal(heal, tree),
            WrittenEntry::Settle(settle) => self.settle(settle, tree, index),
        };
        self.entries.push(entry);
    }

    fn operation(&mut self, kind: OperationKind, index: u32, in_background: bool) -> Entry {
        self.join(index);
        self.begun |= kind == OperationKind::Bootstrap;
        self.killed = false;
        let joined = if in_background {
            Joined::ByTheEnd
        } else {
            Joined::ByItself
        };
        if in_background {
            self.open = Some(self.entries.len());
        }
        Entry::Operation(Operation { kind, joined })
    }

    /// The entry with this index waits for the operation in the background.
    fn join(&mut self, index: u32) {
        let Some(open) = self.open.take() else { return };
        if let Some(Entry::Operation(operation)) = self.entries.get_mut(open) {
            operation.joined = Joined::ByEntry(index);
        }
    }

    fn after_bootstrap(&mut self, place: Place, what: &str) {
        if !self.begun {
            self.out_of_order(place, what, "put a `bootstrap` before it");
        }
    }

    fn may_recover(&mut self, from: RecoverFrom, rival: bool, is_held: bool, tree: &Tree) {
        self.after_bootstrap(tree.place, "there is nothing to recover");
        if from == RecoverFrom::Snapshot && !self.snapshot {
            let place = tree.deepest(&["recover", "from"]).place;
            self.out_of_order(
                place,
                "no snapshot was taken that could be restored",
                "put a `snapshot` before it",
            );
        }
        if rival && is_held {
            let place = tree.deepest(&["recover", "rival"]).place;
            let wrong = Wrong::new(place, "a recovery that is held has no rival");
            let help = "leave `rival` out, or the `at` behind it";
            self.wrongs.push(wrong.help(help));
        }
        if rival && (self.cluster.control_plane < 2 || from == RecoverFrom::Etcd) {
            let place = tree.deepest(&["recover", "rival"]).place;
            let wrong = Wrong::new(place, "nobody else can begin this recovery");
            self.wrongs.push(
                wrong.help("a rival needs a second control-plane node, and `from: snapshot`"),
            );
        }
    }

    fn may_resume(&mut self, place: Place) {
        if self.is_recovering() {
            self.out_of_order(
                place,
                "a recovery is not resumed",
                "put the same `recover` here again, which goes on with it",
            );
        } else if !self.begun {
            self.out_of_order(
                place,
                "there is nothing to resume",
                "put a `bootstrap` before it",
            );
        } else if !self.killed {
            self.out_of_order(
                place,
                "nothing has killed the operation that would be resumed",
                "put a `kill_installer`, `reboot` or `power_off` before it",
            );
        }
    }

    pub(super) fn some_time(&mut self, time: Milliseconds, tree: &Tree, path: &[&str]) {
        if time == Milliseconds(0) {
            let place = tree.deepest(path).place;
            self.wrongs
                .push(Wrong::new(place, "no time at all").help("write a duration such as `20s`"));
        }
    }

    fn heal(&mut self, heal: WrittenHeal, tree: &Tree) -> Entry {
        if self.ailing.is_empty() {
            self.out_of_order(
                tree.place,
                "no lasting fault is open here",
                "put a `power_off`, `lose_disk`, `freeze` or `stop` before it, or leave the `heal` out",
            );
        }
        let Some(nodes) = heal.node else {
            self.ailing.clear();
            return Entry::Heal(Heal::Everything);
        };
        for (target, place) in self.targets(&nodes, tree.deepest(&["heal", "node"])) {
            // What is drawn or bound may be any node; what is named must suffer.
            let named = |target: &Target| matches!(target, Target::Name(_));
            let all_named = self.ailing.iter().all(|(_, ill)| named(ill));
            let before = self.ailing.len();
            self.ailing.retain(|(_, ill)| *ill != target);
            let healed = self.ailing.len() < before;
            if !healed && named(&target) && all_named && !self.ailing.is_empty() {
                let what = format!("`{target}` has no lasting fault here");
                self.out_of_order(place, &what, "heal a node that a fault was injected on");
            }
        }
        Entry::Heal(Heal::Nodes(nodes))
    }

    fn settle(&mut self, settle: WrittenSettle, tree: &Tree, index: u32) -> Entry {
        let WrittenSettle { within, stable_for } = settle;
        self.join(index);
        self.some_time(within, tree, &["settle", "within"]);
        if !self.begun {
            self.out_of_order(
                tree.place,
                "nothing can settle before anything was started",
                "put a `bootstrap` before it",
            );
        }
        if stable_for >= within {
            let what = format!("a cluster cannot be stable for {stable_for} within {within}");
            let place = tree.deepest(&["settle", "stable_for"]).place;
            self.wrongs
                .push(Wrong::new(place, what).help("`within` must be longer than `stable_for`"));
        }
        Entry::Settle(Settle { within, stable_for })
    }

    /// What selectors mean, with the place of each; those that mean nothing are mistakes.
    pub(super) fn targets(&mut self, selectors: &Selectors, tree: &Tree) -> Vec<(Target, Place)> {
        if selectors.0.is_empty() {
            self.wrongs
                .push(Wrong::new(tree.place, "no node is named").help("name one, or a selector"));
        }
        let mut targets = Vec::new();
        for (selector, index) in selectors.0.iter().zip(0..) {
            let place = tree.item(index).unwrap_or(tree).place;
            match self.target(selector, place) {
                Ok(Target::Bootstrap) => {
                    targets.push((Target::Name(self.cluster.bootstrap_node()), place));
                }
                Ok(target) => targets.push((target, place)),
                Err(wrong) => self.wrongs.push(wrong),
            }
        }
        targets
    }

    fn target(&self, selector: &Selector, place: Place) -> Result<Target, Wrong> {
        let target = Target::parse(selector)
            .map_err(|error| Wrong::new(place, error.what).help(error.help))?;
        let (many, workers) = (self.cluster.control_plane > 1, self.cluster.workers > 0);
        let lacks = |what: &str| {
            Err(Wrong::new(
                place,
                format!("`{target}` picks nothing: {what}"),
            ))
        };
        match &target {
            Target::Name(node) => {
                let nodes = self.cluster.nodes();
                if nodes.contains(node) {
                    return Ok(target);
                }
                let Cluster {
                    control_plane,
                    workers,
                    ..
                } = self.cluster;
                let what = format!(
                    "this cluster has no node `{node}`: it has cp-1 to cp-{control_plane} and {workers} worker(s)"
                );
                let known = nodes.iter().map(terms::NodeId::as_str);
                Err(Wrong::new(place, what).help(crate::mistake::suggestion(node.as_str(), known)))
            }
            Target::Bound(name) if !self.bound.contains(name) => {
                let known: Vec<String> = crate::selector::WRITTEN
                    .iter()
                    .map(|&written| written.to_owned())
                    .chain(self.bound.iter().map(|bound| format!("@{bound}")))
                    .collect();
                let known = known.iter().map(String::as_str);
                Err(Wrong::unknown(
                    place,
                    "selector",
                    &target.to_string(),
                    known,
                ))
            }
            Target::AnotherControlPlane if !many => lacks("there is only one control-plane node"),
            Target::Worker | Target::AnyWorker | Target::AllWorkers if !workers => {
                lacks("there are no workers")
            }
            target if target.needs_a_running_cluster() && !self.begun => {
                lacks("nothing leads or holds before a `bootstrap`")
            }
            _ => Ok(target),
        }
    }

    /// Whether the installer runs instances of this component.
    pub(super) fn runs(&self, component: Component) -> bool {
        component != Component::CheckpointAgent || self.policy.agent.is_some()
    }
}
