//! Nodes on which nothing happens: what a tick would find there is known without looking.

use pivot::ComponentSet;

use super::world::World;

/// Why nothing happens on a node: as long as this is so, and nobody else changes the node, a tick of it
/// changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quiet {
    around: Around,
    /// When something of its own happens: a process is gone, a wait is over, a kubelet is there.
    until_ms: u64,
}

/// What a node's kubelet asks of the world outside of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Around {
    reachable: bool,
    /// Components whose pod is bound to the node.
    bound: ComponentSet,
    agent: bool,
}

impl World {
    /// Whether a tick of this node would change nothing.
    pub(super) fn is_quiet(&self, index: u8) -> bool {
        self.quiet[usize::from(index)].is_some_and(|quiet| {
            self.now_ms < quiet.until_ms && self.around(index) == Some(quiet.around)
        })
    }

    /// A tick has changed nothing on this node: the next ones need not look, as long as that is so.
    pub(super) fn be_quiet(&mut self, index: u8) {
        let quiet = self.around(index).map(|around| Quiet {
            around,
            until_ms: self.stirs_ms(index),
        });
        self.quiet[usize::from(index)] = quiet;
    }

    /// Nothing if it cannot be told so simply: a peculiar world, or a pod that is being deleted.
    fn around(&self, index: u8) -> Option<Around> {
        if !self.quirks.is_empty() {
            return None;
        }
        let mut bound = 0;
        for pod in self.pods.iter().filter(|pod| pod.node == index) {
            if pod.terminating {
                return None;
            }
            if pod.bound {
                bound |= ComponentSet::bit(pod.component);
            }
        }
        Some(Around {
            reachable: self.reachable(),
            bound: ComponentSet(bound),
            agent: self.has_agent_pod(index),
        })
    }

    /// The next time at which something of the node's own happens.
    fn stirs_ms(&self, index: u8) -> u64 {
        let node = self.node(index);
        let gone = node.processes.iter().filter_map(|process| process.gone_ms);
        let waits = node.back_offs.values().map(|back_off| back_off.until_ms);
        gone.chain(waits)
            .chain([node.up_ms, node.kubelet.started_ms])
            .filter(|ms| *ms > self.now_ms)
            .min()
            .unwrap_or(u64::MAX)
    }
}
