//! Faults: targets resolved from one snapshot and checked again at impact, injected together, and
//! each proven to have taken effect. A fault without effect is recorded as such.

mod change;
mod delete;
mod disk;
mod heal;
mod image;
mod kill;
mod open;
mod power;
mod roll;
mod script;
mod tear;
mod unit;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use oracle::Sighting;
use oracle::observation::FaultRecord;
use scenarios::{ClusterSnapshot, Draw, resolve_all};
use terms::{Fault, NodeId};

use self::open::{Ailment, Open};
use crate::cluster::{Cluster, Node};
use crate::evidence::Sample;
use crate::stream::{Picture, Stream};

/// What a fault did: the objects that it hit, and the proof, or why there is none.
type Effect = (Vec<String>, Result<String, String>);

/// Injects and heals the faults of one case.
#[derive(Debug)]
pub struct Injector {
    cluster: Cluster,
    stream: Stream,
    kubeconfig: String,
    seed: u64,
    bound: BTreeMap<String, Vec<NodeId>>,
    /// Lasting faults: what heal must undo.
    open: Open,
    /// Nodes that the last entry's faults hit.
    hit: Vec<NodeId>,
    /// Nodes that lost their disks and have not got their files again.
    without_disk: BTreeSet<NodeId>,
}

impl Injector {
    /// For a case on this cluster. `kubeconfig` is the administrator's, for deletions, changes and new revisions.
    pub fn new(cluster: Cluster, stream: Stream, kubeconfig: String, seed: u64) -> Self {
        Self {
            cluster,
            stream,
            kubeconfig,
            seed,
            bound: BTreeMap::new(),
            open: Open::default(),
            hit: Vec::new(),
            without_disk: BTreeSet::new(),
        }
    }

    /// Nodes that are off now by a fault.
    pub fn powered_off(&self) -> Vec<NodeId> {
        self.open.nodes(|ailment| ailment == Ailment::Off)
    }

    /// Nodes that are frozen now by a fault.
    pub fn frozen(&self) -> Vec<NodeId> {
        self.open.nodes(|ailment| ailment == Ailment::Frozen)
    }

    /// Nodes of which nothing can be expected now: they are off or frozen.
    pub fn out_of_service(&self) -> Vec<NodeId> {
        self.open
            .nodes(|ailment| matches!(ailment, Ailment::Off | Ailment::Frozen))
    }

    /// Nodes that lost their disks and have not got their files again.
    pub fn without_disk(&self) -> &BTreeSet<NodeId> {
        &self.without_disk
    }

    /// The node has its files again.
    pub fn disk_filled(&mut self, node: &NodeId) {
        self.without_disk.remove(node);
    }

    /// Nodes that the last entry's faults hit.
    pub fn last_targets(&self) -> &[NodeId] {
        &self.hit
    }

    /// Injects all faults of an entry together and records each.
    pub async fn inject(&mut self, entry: u32, faults: &[Fault]) {
        self.hit.clear();
        let snapshot = self.snapshot();
        let start_us = self.stream.clock.now_us();
        let draws: Vec<Draw> = (0..)
            .zip(faults)
            .map(|(place, _)| self.draw(entry, place))
            .collect();
        let aims: Vec<_> = faults
            .iter()
            .zip(&draws)
            .map(|(fault, draw)| Self::aim(fault, &snapshot, *draw))
            .collect();
        let effects = join_all(faults.iter().zip(&aims).zip(&draws).map(
            |((fault, aim), draw)| async {
                match aim {
                    Ok(nodes) => self.strike(fault, nodes, *draw).await,
                    Err(reason) => (Vec::new(), Err(reason.clone())),
                }
            },
        ))
        .await;
        for ((fault, aim), (objects, effect)) in faults.iter().zip(aims).zip(effects) {
            let targets = aim.unwrap_or_default();
            self.remember(fault, &targets, effect.is_ok());
            self.hit.extend(targets.iter().cloned());
            let record = FaultRecord {
                entry,
                fault: fault.clone(),
                targets,
                objects,
                effect,
                fidelity: fault.fidelity().to_owned(),
            };
            let end_us = self.stream.clock.now_us();
            let saw = Sighting::Fault(record);
            self.stream
                .put(Sample {
                    source: oracle::Source::Runner,
                    start_us,
                    end_us,
                    saw,
                })
                .await;
        }
    }

    fn snapshot(&self) -> ClusterSnapshot {
        snapshot(&self.stream.picture().borrow(), &self.cluster, &self.bound)
    }

    fn aim(fault: &Fault, snapshot: &ClusterSnapshot, draw: Draw) -> Result<Vec<NodeId>, String> {
        let Some(selectors) = fault.selectors() else {
            return Ok(Vec::new());
        };
        resolve_all(selectors, snapshot, draw).map_err(|error| error.to_string())
    }

    /// Draws depend on the case's seed, the entry's position and the fault's place in it, and on
    /// nothing else. Two faults of one entry draw differently.
    fn draw(&self, entry: u32, fault: u32) -> Draw {
        Draw::of_fault(self.seed, entry, fault)
    }

    /// The aim is taken again at the last moment: a target that moved is not hit.
    async fn strike(&self, fault: &Fault, nodes: &[NodeId], draw: Draw) -> Effect {
        match Self::aim(fault, &self.snapshot(), draw) {
            Ok(again) if again == nodes => {}
            Ok(again) => {
                return (
                    Vec::new(),
                    Err(format!(
                        "the target moved from {nodes:?} to {again:?} before impact"
                    )),
                );
            }
            Err(reason) => return (Vec::new(), Err(reason)),
        }
        let machines: Result<Vec<&Node>, _> = nodes
            .iter()
            .map(|node| self.cluster.node(node.as_str()))
            .collect();
        let machines = match machines {
            Ok(machines) => machines,
            Err(error) => return (Vec::new(), Err(error.to_string())),
        };
        match fault {
            Fault::PowerOff(_) => power::off(&machines).await,
            Fault::LoseDisk(_) => disk::lose(&machines).await,
            Fault::Reboot(_) => power::reboot(&machines).await,
            Fault::Kill(kill) => kill::component(&machines, kill, &self.stream).await,
            Fault::KillInstaller(_) => kill::installer(&self.cluster).await,
            Fault::Delete(delete) => delete::objects(delete, &self.kubeconfig).await,
            Fault::Freeze(_) => power::freeze(&machines).await,
            Fault::Stop(stop) => unit::stop(&machines, stop.unit).await,
            Fault::Restart(restart) => unit::restart(&machines, restart.unit).await,
            Fault::Tear(tear) => tear::files(&machines, tear).await,
            Fault::Roll(roll) => roll::daemon_set(roll, &self.kubeconfig).await,
            Fault::Change(change) => change::object(change, &self.kubeconfig).await,
            Fault::RemoveImage(image) => image::remove(&machines, image.component).await,
        }
    }

    fn remember(&mut self, fault: &Fault, targets: &[NodeId], effective: bool) {
        if effective {
            self.open.take(fault, targets);
            if matches!(fault, Fault::LoseDisk(_)) {
                self.without_disk.extend(targets.iter().cloned());
            }
        }
        if let Some(name) = fault.binding() {
            self.bound.insert(name.to_owned(), targets.to_vec());
        }
    }
}

/// What selectors resolve from.
fn snapshot(
    picture: &Picture,
    cluster: &Cluster,
    bound: &BTreeMap<String, Vec<NodeId>>,
) -> ClusterSnapshot {
    let holders = picture
        .leases
        .iter()
        .map(|(lock, seen)| (*lock, seen.value.holder_node.clone()))
        .collect();
    ClusterSnapshot {
        nodes: cluster
            .nodes()
            .iter()
            .map(|node| NodeId::new(node.name()))
            .collect(),
        bootstrap: NodeId::control_plane(1),
        etcd_leader: picture.etcd_leader(),
        holders,
        bound: bound.clone(),
    }
}
