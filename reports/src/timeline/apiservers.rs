//! Which apiservers were on which node, as far as was seen.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{NodeInventory, Request, RequestOutcome};
use oracle::{Observation, Sighting, Source};
use terms::{Component, Fault, Incarnation, NodeId};

/// Which apiservers were on which node, as far as was seen.
pub(super) struct Apiservers {
    nodes: Vec<NodeId>,
    known: BTreeMap<NodeId, Node>,
}

/// What is known of a node.
#[derive(Default)]
struct Node {
    /// Its apiservers, when its observer was heard.
    running: Option<BTreeSet<Incarnation>>,
    /// Whether it lost its power since.
    is_off: bool,
    /// Which apiservers answered or did not, when last asked.
    answers: BTreeMap<Incarnation, bool>,
}

impl Apiservers {
    /// Nothing is known yet of these nodes.
    pub(super) fn new(nodes: &[NodeId]) -> Self {
        Self {
            nodes: nodes.to_vec(),
            known: BTreeMap::new(),
        }
    }

    /// Takes note of an observation; the events are apiservers that came and went.
    pub(super) fn see(&mut self, observation: &Observation) -> Vec<String> {
        match (&observation.source, &observation.saw) {
            (Source::Node(node), Sighting::NodeInventory(inventory)) => {
                return self.see_inventory(node, inventory);
            }
            (Source::Node(node), Sighting::Gap(_)) => self.node(node).running = None,
            (Source::Apiserver(node), Sighting::Request(request)) => {
                self.see_request(node, request, &[Incarnation::SelfHosted]);
            }
            (Source::BootstrapApiserver(node), Sighting::Request(request)) => {
                self.see_request(
                    node,
                    request,
                    &[Incarnation::Bootstrap, Incarnation::Checkpoint],
                );
            }
            (_, Sighting::Fault(fault)) if fault.effect.is_ok() => {
                if matches!(fault.fault, Fault::PowerOff(_) | Fault::Reboot(_)) {
                    for target in &fault.targets {
                        *self.node(target) = Node {
                            is_off: true,
                            ..Node::default()
                        };
                    }
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// One cell a node: three letters, one an incarnation.
    pub(super) fn cells(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| self.known.get(node).map_or("???".into(), Node::cell))
            .collect()
    }

    fn node(&mut self, node: &NodeId) -> &mut Node {
        self.known.entry(node.clone()).or_default()
    }

    fn see_inventory(&mut self, name: &NodeId, inventory: &NodeInventory) -> Vec<String> {
        let node = self.node(name);
        let now: BTreeSet<Incarnation> = inventory
            .processes
            .iter()
            .filter(|process| process.component == Component::KubeApiserver)
            .filter_map(|process| process.incarnation)
            .collect();
        let before = node.running.clone().unwrap_or_default();
        let came = now
            .difference(&before)
            .map(|one| format!("{one} apiserver appears on {name}"));
        let went = before
            .difference(&now)
            .map(|one| format!("{one} apiserver is gone from {name}"));
        let events = came.chain(went).collect();
        node.answers
            .retain(|incarnation, _| now.contains(incarnation));
        node.running = Some(now);
        node.is_off = false;
        events
    }

    /// A request to a port that only these incarnations serve.
    fn see_request(&mut self, name: &NodeId, request: &Request, of_port: &[Incarnation]) {
        let node = self.node(name);
        let answered = matches!(request.outcome, RequestOutcome::Acknowledged { .. });
        match &request.served_by {
            Some(served) if served.node == *name => {
                node.answers.insert(served.incarnation, answered);
            }
            _ => node
                .answers
                .extend(of_port.iter().map(|incarnation| (*incarnation, answered))),
        }
    }
}

impl Node {
    fn cell(&self) -> String {
        if self.is_off {
            return "off".to_owned();
        }
        Incarnation::ALL
            .into_iter()
            .map(|incarnation| self.glyph(incarnation))
            .collect()
    }

    fn glyph(&self, incarnation: Incarnation) -> char {
        let letter = match incarnation {
            Incarnation::Bootstrap => 'b',
            Incarnation::SelfHosted => 's',
            Incarnation::Checkpoint => 'c',
        };
        let is_running = self
            .running
            .as_ref()
            .map(|running| running.contains(&incarnation));
        match (is_running, self.answers.get(&incarnation)) {
            (Some(false), _) => '.',
            (Some(true), Some(false)) => '!',
            (Some(true), _) | (None, Some(true)) => letter,
            (None, _) => '?',
        }
    }
}
