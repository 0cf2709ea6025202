//! Faults in memory: aimed from one snapshot, struck together, proven a little later.

use oracle::observation::OperationEnd;
use scenarios::{ClusterSnapshot, Draw, resolve_all};
use terms::{Component, Fault, NodeId, Selectors};

use super::applicability::deleted_component;
use super::fidelity::fidelity;
use super::operation::BOOTSTRAP;
use super::play::Play;
use super::timeline::Progress;
use crate::thin::Done;
use crate::timers::Timer;

/// What a fault did: the objects that it hit, and the proof, or why there is none.
type Effect = (Vec<String>, Result<String, String>);

impl Play<'_> {
    /// Injects all faults of an entry together. Nothing happens between aim and impact here, so
    /// that no target can move.
    pub(super) fn strike_all(&mut self, faults: &[Fault]) -> Progress {
        self.hit.clear();
        let since_ms = self.world.now_ms();
        let entry = self.index();
        let snapshot = self.snapshot();
        let aims: Vec<Result<Vec<NodeId>, String>> = (0..)
            .zip(faults)
            .map(|(place, fault)| {
                let Some(selectors) = fault.selectors() else {
                    return Ok(Vec::new());
                };
                let draw = Draw::of_fault(self.case.seed, entry, place);
                resolve_all(selectors, &snapshot, draw).map_err(|error| error.to_string())
            })
            .collect();
        let mut until_ms = since_ms;
        let mut all = Vec::new();
        for (fault, aim) in faults.iter().zip(aims) {
            let (targets, (objects, effect)) = match aim {
                Ok(targets) => {
                    let nodes: Vec<u8> = targets.iter().map(|node| self.node(node)).collect();
                    let effect = self.strike(fault, &nodes);
                    self.remember(fault, &targets, &nodes, effect.1.is_ok());
                    if effect.1.is_ok()
                        && let Some(inward) = &mut self.inward
                    {
                        inward.fault(fault, &nodes);
                    }
                    (targets, effect)
                }
                Err(reason) => (Vec::new(), (Vec::new(), Err(reason))),
            };
            all.push(Done {
                entry,
                fault: fault.clone(),
                targets,
                objects,
                effect,
                fidelity: fidelity(fault),
                since_ms,
            });
            until_ms = until_ms.max(self.proven_ms());
        }
        Progress::Proving(until_ms, all)
    }

    /// A reboot is proven once power is back, anything else after a look.
    fn proven_ms(&mut self) -> u64 {
        let back_ms = self.power_back.iter().map(|(back_ms, _)| *back_ms).max();
        let proof_ms = self.world.lasts_ms(Timer::FaultProof, 0);
        back_ms.unwrap_or_default().max(self.world.now_ms()) + proof_ms
    }

    fn snapshot(&self) -> ClusterSnapshot {
        let nodes = self.case.cluster.nodes();
        ClusterSnapshot {
            bootstrap: self.case.cluster.bootstrap_node(),
            etcd_leader: self.world.etcd_leader(),
            holders: self.world.holders(),
            bound: self.bound.clone(),
            nodes,
        }
    }

    /// Index of a node that a selector picked.
    fn node(&self, name: &NodeId) -> u8 {
        self.world
            .index(name)
            .expect("selectors pick nodes of this cluster only")
    }

    fn strike(&mut self, fault: &Fault, nodes: &[u8]) -> Effect {
        let names = || nodes.iter().map(|node| self.world.name(*node).to_string());
        match fault {
            Fault::PowerOff(_) | Fault::Reboot(_) => {
                let objects: Vec<String> = names().collect();
                let is_reboot = matches!(fault, Fault::Reboot(_));
                let proofs = nodes.iter().map(|node| self.lose_power(*node, is_reboot));
                let proofs: Result<Vec<String>, String> = proofs.collect();
                (objects, proofs.map(|proofs| proofs.join("; ")))
            }
            Fault::Kill(kill) => {
                let objects: Vec<String> = names().collect();
                let mut proofs = Vec::new();
                for node in nodes {
                    let name = self.world.name(*node);
                    let killed = self.world.kill(kill.component, *node, kill.signal);
                    if killed.is_empty() {
                        let reason = format!("no {} runs on {name}", kill.component);
                        return (objects, Err(reason));
                    }
                    proofs.push(format!(
                        "{name}: processes {killed:?} got {}",
                        kill.signal.name()
                    ));
                }
                (objects, Ok(proofs.join("; ")))
            }
            Fault::KillInstaller(_) => {
                let objects = vec![format!("the installer on {}", self.world.name(BOOTSTRAP))];
                if !self.lose_process() {
                    return (objects, Err("the installer does not run".to_owned()));
                }
                self.end(OperationEnd::Killed, None);
                (objects, Ok("its process is gone".to_owned()))
            }
            Fault::Delete(delete) => {
                let deleted = deleted_component(delete).and_then(|component: Component| {
                    self.world.delete_pods(component, delete.limit)
                });
                match deleted {
                    Ok(names) => {
                        let proof = format!("{} marked for deletion", names.join(", "));
                        (names, Ok(proof))
                    }
                    Err(reason) => (Vec::new(), Err(reason)),
                }
            }
        }
    }

    fn lose_power(&mut self, node: u8, is_reboot: bool) -> Result<String, String> {
        let name = self.world.name(node);
        if !self.world.is_on(node) {
            return Err(format!("{name} has no power already"));
        }
        self.world.power_off(node);
        if node == BOOTSTRAP {
            // Its unit starts again with the node, so the operation stays open.
            self.lose_process();
        }
        if is_reboot {
            let gap_ms = self.world.lasts_ms(Timer::RebootGap, u64::from(node));
            self.power_back.push((self.world.now_ms() + gap_ms, node));
            return Ok(format!("{name}: on -> off -> on"));
        }
        Ok(format!("{name}: on -> off"))
    }

    fn remember(&mut self, fault: &Fault, targets: &[NodeId], nodes: &[u8], effective: bool) {
        self.hit.extend(nodes);
        if effective && fault.is_lasting() {
            self.off.extend(nodes);
        }
        if let Some(name) = fault.binding() {
            self.bound.insert(name.to_owned(), targets.to_vec());
        }
    }

    /// Gives power back to every node that lost it, or to those that are named. Says to which, and
    /// when the services of all of them run.
    ///
    /// # Errors
    /// When a selector picks nothing.
    pub(super) fn give_power_back(
        &mut self,
        named: Option<&Selectors>,
    ) -> Result<(Vec<NodeId>, u64), String> {
        let mut nodes = self.off.clone();
        if let Some(named) = named {
            let draw = Draw::of_fault(self.case.seed, self.index(), 0);
            let picked = resolve_all(named, &self.snapshot(), draw);
            let picked = picked.map_err(|error| error.to_string())?;
            let picked: Vec<u8> = picked.iter().map(|node| self.node(node)).collect();
            nodes.retain(|node| picked.contains(node));
        }
        self.off.retain(|node| !nodes.contains(node));
        let up_ms = nodes.iter().map(|node| self.power_on(*node)).max();
        let names = nodes.iter().map(|node| self.world.name(*node)).collect();
        Ok((names, up_ms.unwrap_or(self.world.now_ms())))
    }

    /// Gives a node its power; says when its services will run.
    pub(super) fn power_on(&mut self, node: u8) -> u64 {
        self.boots |= node == BOOTSTRAP;
        self.world.power_on(node)
    }
}
