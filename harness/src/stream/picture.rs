//! The latest that was seen, for the runner's decisions: selectors, waits, settling.

use std::collections::BTreeMap;

use oracle::Finding;
use oracle::observation::{
    EtcdStatus, Lease, NodeInventory, NodeStatus, Observation, OperationEnded, PodStatus,
    RequestKind, RequestOutcome, Served, Sighting, Source, Step,
};
use terms::{Component, Incarnation, NodeId};

/// A value with the time when it was seen, in the case's microseconds.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    /// The value.
    pub value: T,
    /// When it was seen.
    pub at_us: u64,
}

/// The latest of everything.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// All steps so far, in order.
    pub steps: Vec<Seen<Step>>,
    /// All operations that ended, in order.
    pub ended: Vec<OperationEnded>,
    /// Leases, with the time of the last change that was seen.
    pub leases: BTreeMap<Component, Seen<Lease>>,
    /// The last answer of each etcd member.
    pub etcd: BTreeMap<NodeId, Seen<Option<EtcdStatus>>>,
    /// Node objects.
    pub nodes: Option<Seen<Vec<NodeStatus>>>,
    /// Control-plane pods.
    pub pods: Option<Seen<Vec<PodStatus>>>,
    /// The last inventory of each node.
    pub inventories: BTreeMap<NodeId, Seen<NodeInventory>>,
    /// The last success of each source of requests, with who served it.
    pub answered: BTreeMap<Source, Seen<Option<Served>>>,
    /// The last failure of each source of requests.
    pub refused: BTreeMap<Source, u64>,
    /// When the last write through the load balancer was acknowledged.
    pub last_write_us: Option<u64>,
    /// Violations found so far, provisionally, by slug.
    pub findings: BTreeMap<String, Finding>,
    /// Why recording degraded, if it did.
    pub degraded: Option<String>,
    /// How many observations there were.
    pub observations: u64,
}

impl Picture {
    /// Takes in one observation.
    pub fn fold(&mut self, observation: &Observation) {
        self.observations += 1;
        let at_us = observation.end_us;
        match &observation.saw {
            Sighting::Step(step) => self.steps.push(Seen {
                value: step.clone(),
                at_us,
            }),
            Sighting::OperationEnded(ended) => self.ended.push(ended.clone()),
            Sighting::Lease(lease) => self.fold_lease(lease, at_us),
            Sighting::Nodes(nodes) => {
                self.nodes = Some(Seen {
                    value: nodes.clone(),
                    at_us,
                })
            }
            Sighting::Pods(pods) => {
                self.pods = Some(Seen {
                    value: pods.clone(),
                    at_us,
                })
            }
            Sighting::RecordingDegraded(why) => self.degraded = Some(why.clone()),
            Sighting::Etcd(status) => {
                if let Source::EtcdMember(node) = &observation.source {
                    self.etcd.insert(
                        node.clone(),
                        Seen {
                            value: status.clone(),
                            at_us,
                        },
                    );
                }
            }
            Sighting::NodeInventory(inventory) => {
                if let Source::Node(node) = &observation.source {
                    self.inventories.insert(
                        node.clone(),
                        Seen {
                            value: inventory.clone(),
                            at_us,
                        },
                    );
                }
            }
            Sighting::Request(request) => {
                let source = observation.source.clone();
                if !matches!(request.outcome, RequestOutcome::Acknowledged { .. }) {
                    self.refused.insert(source, at_us);
                    return;
                }
                if matches!(request.kind, RequestKind::Write(_)) && source == Source::LoadBalancer {
                    self.last_write_us = Some(at_us);
                }
                self.answered.insert(
                    source,
                    Seen {
                        value: request.served_by.clone(),
                        at_us,
                    },
                );
            }
            _ => {}
        }
    }

    fn fold_lease(&mut self, lease: &Lease, at_us: u64) {
        let changed = self
            .leases
            .get(&lease.lock)
            .is_none_or(|before| before.value.renewed != lease.renewed);
        if changed {
            self.leases.insert(
                lease.lock,
                Seen {
                    value: lease.clone(),
                    at_us,
                },
            );
        }
    }

    /// The node whose etcd member leads, by the freshest answer that names a leader.
    pub fn etcd_leader(&self) -> Option<NodeId> {
        let answers = || {
            self.etcd
                .iter()
                .filter_map(|(node, seen)| Some((node, seen.value.as_ref()?, seen.at_us)))
        };
        let (_, freshest, _) = answers()
            .filter(|(_, status, _)| status.leader.is_some())
            .max_by_key(|(_, status, at_us)| (status.term, *at_us))?;
        let leader = freshest.leader.as_ref()?;
        answers()
            .find(|(_, status, _)| &status.member == leader)
            .map(|(node, _, _)| node.clone())
    }

    /// Control-plane nodes whose self-hosted apiserver answered since then, with no failure after.
    pub fn self_hosted_apiservers(&self, since_us: u64) -> Vec<NodeId> {
        self.answered
            .iter()
            .filter_map(|(source, seen)| {
                let Source::Apiserver(node) = source else {
                    return None;
                };
                let served = seen.value.as_ref()?;
                let fresh = seen.at_us >= since_us
                    && self
                        .refused
                        .get(source)
                        .is_none_or(|refused_us| *refused_us < seen.at_us);
                (fresh && served.incarnation == Incarnation::SelfHosted).then(|| node.clone())
            })
            .collect()
    }

    /// How often this address was announced.
    pub fn occurrences(
        &self,
        actor: &terms::Actor,
        step: &terms::StepName,
        moment: terms::Moment,
    ) -> u32 {
        let count = self
            .steps
            .iter()
            .filter(|seen| {
                &seen.value.actor == actor
                    && &seen.value.step == step
                    && seen.value.moment == moment
            })
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
