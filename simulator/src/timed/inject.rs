//! Faults in memory: aimed from one snapshot, struck together, proven a little later.

use oracle::observation::OperationEnd;
use scenarios::{ClusterSnapshot, Draw, resolve_all};
use terms::{Component, Fault, NodeId, Selectors, Signal, Tear, Unit};

use super::applicability::{deleted_component, torn_part};
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
        match fault {
            Fault::PowerOff(_) | Fault::Reboot(_) => {
                let is_reboot = matches!(fault, Fault::Reboot(_));
                self.each(nodes, |play, node| play.lose_power(node, is_reboot))
            }
            Fault::Kill(kill) => self.each(nodes, |play, node| {
                let name = play.world.name(node);
                let killed = play.world.kill(kill.component, node, kill.signal);
                if killed.is_empty() {
                    return Err(format!("no {} runs on {name}", kill.component));
                }
                let signal = kill.signal.name();
                Ok(format!("{name}: processes {killed:?} got {signal}"))
            }),
            Fault::KillInstaller(_) => {
                let objects = vec![format!("the installer on {}", self.world.name(BOOTSTRAP))];
                if !self.lose_process() {
                    return (objects, Err("the installer does not run".to_owned()));
                }
                self.end(OperationEnd::Killed, None);
                (objects, Ok("its process is gone".to_owned()))
            }
            Fault::Stop(stop) => self.each(nodes, |play, node| play.stop(stop.unit, node)),
            Fault::Restart(_) => self.each(nodes, |play, node| {
                let name = play.world.name(node);
                let killed = play.world.kill(Component::Kubelet, node, Signal::Terminate);
                match killed.first() {
                    Some(pid) => Ok(format!("{name}: kubelet {pid} ended, and starts anew")),
                    None => Err(format!("no kubelet runs on {name}")),
                }
            }),
            Fault::Tear(tear) => self.tear(tear, nodes),
            Fault::Freeze(_)
            | Fault::LoseDisk(_)
            | Fault::Roll(_)
            | Fault::Change(_)
            | Fault::RemoveImage(_) => (Vec::new(), Err(fidelity(fault).to_owned())),
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

    /// Strikes nodes one after another, until one cannot be hit.
    fn each(
        &mut self,
        nodes: &[u8],
        mut strike: impl FnMut(&mut Self, u8) -> Result<String, String>,
    ) -> Effect {
        let names = nodes.iter().map(|node| self.world.name(*node).to_string());
        let objects: Vec<String> = names.collect();
        let proofs = nodes.iter().map(|node| strike(self, *node));
        let proofs: Result<Vec<String>, String> = proofs.collect();
        (objects, proofs.map(|proofs| proofs.join("; ")))
    }

    fn stop(&mut self, unit: Unit, node: u8) -> Result<String, String> {
        let name = self.world.name(node);
        let stopped = match unit {
            Unit::Kubelet => self.world.stop_kubelet(node).is_some(),
            Unit::Containerd => self.world.stop_runtime(node),
        };
        let unit = unit.name();
        if stopped {
            Ok(format!("{name}: {unit} is stopped"))
        } else {
            Err(format!("no {unit} runs on {name}"))
        }
    }

    fn tear(&mut self, tear: &Tear, nodes: &[u8]) -> Effect {
        let mut objects = Vec::new();
        for node in nodes {
            let name = self.world.name(*node);
            let torn = torn_part(tear).and_then(|(component, part)| {
                let version = self.world.tear(*node, component, part);
                version.ok_or_else(|| format!("no such file on {name}: {}", tear.path))
            });
            match torn {
                Ok(version) => {
                    let path = tear.path.replace('*', &format!("t{version}"));
                    objects.push(format!("{name}:{path}"));
                }
                Err(reason) => return (objects, Err(reason)),
            }
        }
        let proof = format!("{} cut", objects.join(", "));
        (objects, Ok(proof))
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
        match fault {
            Fault::PowerOff(_) if effective => self.off.extend(nodes),
            Fault::Stop(_) if effective => self.stopped.extend(nodes),
            _ => {}
        }
        if let Some(name) = fault.binding() {
            self.bound.insert(name.to_owned(), targets.to_vec());
        }
    }

    /// Undoes every lasting fault, or those of the nodes that are named. Says of which nodes, and when the
    /// services of all of them run.
    ///
    /// # Errors
    /// When a selector picks nothing.
    pub(super) fn undo(&mut self, named: Option<&Selectors>) -> Result<(Vec<NodeId>, u64), String> {
        let mut nodes = self.off.clone();
        nodes.extend(&self.stopped);
        nodes.sort_unstable();
        nodes.dedup();
        if let Some(named) = named {
            let draw = Draw::of_fault(self.case.seed, self.index(), 0);
            let picked = resolve_all(named, &self.snapshot(), draw);
            let picked = picked.map_err(|error| error.to_string())?;
            let picked: Vec<u8> = picked.iter().map(|node| self.node(node)).collect();
            nodes.retain(|node| picked.contains(node));
        }
        for node in nodes.iter().filter(|node| self.stopped.contains(node)) {
            if self.world.is_on(*node) {
                self.world.start_units(*node);
            }
        }
        self.stopped.retain(|node| !nodes.contains(node));
        let off = nodes.iter().filter(|node| self.off.contains(node)).copied();
        let off: Vec<u8> = off.collect();
        self.off.retain(|node| !nodes.contains(node));
        let up_ms = off.iter().map(|node| self.power_on(*node)).max();
        let names = nodes.iter().map(|node| self.world.name(*node)).collect();
        Ok((names, up_ms.unwrap_or(self.world.now_ms())))
    }

    /// Gives a node its power; says when its services will run.
    pub(super) fn power_on(&mut self, node: u8) -> u64 {
        self.boots |= node == BOOTSTRAP;
        self.world.power_on(node)
    }
}
