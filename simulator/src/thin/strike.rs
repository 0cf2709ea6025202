//! What is done to the world from outside: power, kills, deletions.

use pivot::ComponentSet;
use terms::{Component, Incarnation, Signal};

use super::kept::Part;
use super::node::{BackOff, Kubelet, Lost};
use super::scene::{Quirk, UNSYNCED_MS};
use super::world::World;
use crate::timers::Timer;

impl World {
    /// A node's processes end at once.
    pub(crate) fn power_off(&mut self, node: u8) {
        if self.has(Quirk::EtcdDoesNotSync) && self.store.leader == Some(node) {
            let horizon_ms = self.now_ms.saturating_sub(UNSYNCED_MS);
            self.store
                .keys
                .retain(|_, written_ms| *written_ms < horizon_ms);
        }
        let now_ms = self.now_ms;
        let lost = self.lost_from_now_on(node);
        let node = self.node_mut(node);
        if node.is_up(now_ms) && !node.kubelet_stopped {
            node.lost = Some(lost);
        }
        node.on = false;
        node.processes.clear();
        node.known_pods = ComponentSet::NONE;
        node.knows_agent = false;
        node.back_offs.clear();
    }

    /// A node's power is back; says when its services will run.
    pub(crate) fn power_on(&mut self, node: u8) -> u64 {
        let up_ms = self.now_ms + self.durations.next_ms(Timer::NodeBoot, u64::from(node));
        let pid = self.next_pid();
        let node = self.node_mut(node);
        if !node.on {
            node.on = true;
            node.kubelet_stopped = false;
            node.runtime_stopped_ms = None;
            node.up_ms = up_ms;
            node.kubelet = Kubelet {
                pid,
                started_ms: up_ms,
            };
        }
        node.up_ms
    }

    /// Signals every process of the component on the node, whoever started it; says which.
    pub(crate) fn kill(&mut self, component: Component, node: u8, signal: Signal) -> Vec<u32> {
        if component == Component::Kubelet {
            return self.kill_kubelet(node);
        }
        let now_ms = self.now_ms;
        let hit: Vec<(Option<Incarnation>, u32)> = self
            .node(node)
            .processes
            .iter()
            .filter(|process| process.component == component && process.gone_ms.is_none())
            .map(|process| (process.incarnation, process.pid))
            .collect();
        for (incarnation, pid) in &hit {
            let gone_ms = match signal {
                Signal::Kill => now_ms,
                Signal::Terminate => now_ms + self.stop_ms(component, node, *incarnation),
            };
            if signal == Signal::Terminate && component == Component::KubeScheduler {
                self.release(component, *pid);
            }
            self.hold_back(component, node, *incarnation, gone_ms);
            let processes = &mut self.node_mut(node).processes;
            match signal {
                Signal::Kill => processes.retain(|process| process.pid != *pid),
                Signal::Terminate => processes
                    .iter_mut()
                    .filter(|process| process.pid == *pid)
                    .for_each(|process| process.gone_ms = Some(gone_ms)),
            }
        }
        hit.into_iter().map(|(_, pid)| pid).collect()
    }

    /// systemd starts it again; it has forgotten which pods were meant for its node, and they run on.
    fn kill_kubelet(&mut self, node: u8) -> Vec<u32> {
        let now_ms = self.now_ms;
        if !self.node(node).has_kubelet(now_ms) {
            return Vec::new();
        }
        let back_ms = now_ms
            + self
                .durations
                .next_ms(Timer::KubeletRestart, u64::from(node));
        let pid = self.next_pid();
        let state = self.node_mut(node);
        let killed = std::mem::replace(
            &mut state.kubelet,
            Kubelet {
                pid,
                started_ms: back_ms,
            },
        );
        state.known_pods = ComponentSet::NONE;
        state.knows_agent = false;
        vec![killed.pid]
    }

    /// Nobody renews the node's lease from now on; others do not know at once.
    fn lost_from_now_on(&mut self, node: u8) -> Lost {
        let entity = u64::from(node);
        Lost {
            fresh_until_ms: self.now_ms + self.durations.next_ms(Timer::NodeFresh, entity),
            ready_until_ms: self.now_ms + self.durations.next_ms(Timer::NodeGrace, entity),
        }
    }

    /// The kubelet stops, and its containers go on. Says which process it was; none if none ran.
    pub(crate) fn stop_kubelet(&mut self, node: u8) -> Option<u32> {
        if !self.node(node).has_kubelet(self.now_ms) {
            return None;
        }
        let lost = self.lost_from_now_on(node);
        let state = self.node_mut(node);
        state.lost = Some(lost);
        state.kubelet_stopped = true;
        state.known_pods = ComponentSet::NONE;
        state.knows_agent = false;
        Some(state.kubelet.pid)
    }

    /// The container runtime stops, and its containers go on; says whether it ran.
    pub(crate) fn stop_runtime(&mut self, node: u8) -> bool {
        let now_ms = self.now_ms;
        let state = self.node_mut(node);
        let ran = state.is_up(now_ms) && state.runtime_stopped_ms.is_none();
        if ran {
            state.runtime_stopped_ms = Some(now_ms);
        }
        ran
    }

    /// What was stopped on the node starts again.
    pub(crate) fn start_units(&mut self, node: u8) {
        let start_ms = self
            .durations
            .next_ms(Timer::KubeletRestart, u64::from(node));
        let started_ms = self.now_ms + start_ms;
        let pid = self.next_pid();
        let state = self.node_mut(node);
        state.runtime_stopped_ms = None;
        if std::mem::take(&mut state.kubelet_stopped) {
            state.kubelet = Kubelet { pid, started_ms };
        }
    }

    /// Cuts a file of the newest version of a component; says which version.
    pub(crate) fn tear(&mut self, node: u8, component: Component, part: Part) -> Option<u32> {
        let versions = self.node_mut(node).kept.versions.get_mut(&component)?;
        let newest = versions.last_mut()?;
        match part {
            Part::Files if newest.files => newest.files = false,
            Part::Mark if newest.mark => newest.mark = false,
            _ => return None,
        }
        Some(newest.template)
    }

    /// A scheduler that is asked to end gives its lease back; a controller manager does not.
    fn release(&mut self, lock: Component, pid: u32) {
        if let Some(lease) = self.leases.get_mut(&lock)
            && lease.holder.is_some_and(|(.., holder)| holder == pid)
        {
            lease.holder = None;
        }
    }

    /// The container that ends waits longer the more often it ended in a row.
    fn hold_back(
        &mut self,
        component: Component,
        node: u8,
        incarnation: Option<Incarnation>,
        gone_ms: u64,
    ) {
        let entity = Self::place(node, component, incarnation);
        let noticed_ms = self.durations.next_ms(Timer::EndNoticed, entity);
        let first_ms = self.durations.usual_ms(Timer::BackOff);
        let longest_ms = self.durations.usual_ms(Timer::LongestBackOff);
        let forgotten_ms = self.durations.usual_ms(Timer::BackOffForgotten);
        let back_offs = &mut self.node_mut(node).back_offs;
        let BackOff { ends, until_ms } = back_offs
            .get(&(component, incarnation))
            .copied()
            .filter(|before| gone_ms < before.until_ms + forgotten_ms)
            .unwrap_or_default();
        // A container that is killed while it waits cannot be: it does not run.
        debug_assert!(until_ms <= gone_ms, "what waits does not end");
        let wait_ms = match ends {
            0 => 0,
            ends => longest_ms.min(first_ms << (ends - 1).min(16)),
        };
        let held = BackOff {
            ends: ends + 1,
            until_ms: gone_ms + noticed_ms + wait_ms,
        };
        back_offs.insert((component, incarnation), held);
    }

    /// Whether a container may start now.
    pub(crate) fn may_start(
        &self,
        node: u8,
        component: Component,
        incarnation: Option<Incarnation>,
    ) -> bool {
        let back_off = self.node(node).back_offs.get(&(component, incarnation));
        back_off.is_none_or(|back_off| back_off.until_ms <= self.now_ms)
    }

    /// Marks pods of a component for deletion through the API, at most so many, in the order of
    /// their names; says which.
    ///
    /// # Errors
    /// When nobody serves, or there is no such pod.
    pub(crate) fn delete_pods(
        &mut self,
        component: Component,
        limit: Option<u32>,
    ) -> Result<Vec<String>, String> {
        if !self.reachable() {
            return Err("nobody serves the API".to_owned());
        }
        let mut uids: Vec<u32> = self
            .pods
            .iter()
            .filter(|pod| pod.component == component)
            .map(|pod| pod.uid)
            .collect();
        if uids.is_empty() {
            return Err("no such object".to_owned());
        }
        // Names end in letters at random, so their order is that of chance.
        let turn = self.durations.choose("order of names", uids.len());
        uids.rotate_left(turn);
        uids.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
        for pod in &mut self.pods {
            if uids.contains(&pod.uid) && !pod.terminating {
                pod.terminating = true;
                self.store.revision += 1;
            }
        }
        Ok(uids
            .iter()
            .map(|uid| format!("{component}-{uid}"))
            .collect())
    }
}
