//! What the driver knows of the cluster, in fixed width. Adapters fill it in and decide nothing:
//! every judgement that a policy can get wrong is the machine's.

use serde::{Deserialize, Serialize};
use terms::{Component, Incarnation};

/// A set of nodes by index, up to sixteen. Control-plane nodes come first, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSet(pub u16);

impl NodeSet {
    /// The set of the first `count` nodes.
    #[inline]
    pub const fn first(count: u8) -> Self {
        if count >= 16 {
            Self(u16::MAX)
        } else {
            Self((1 << count) - 1)
        }
    }

    /// The set with this node too.
    #[must_use]
    #[inline]
    pub const fn with(self, node: u8) -> Self {
        Self(self.0 | 1 << node)
    }

    /// Whether the node is in it.
    #[inline]
    pub const fn contains(self, node: u8) -> bool {
        self.0 >> node & 1 == 1
    }

    /// Nodes in both sets.
    #[must_use]
    #[inline]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many nodes.
    #[inline]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// A pod as the API tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodFact {
    /// The component that its labels claim.
    pub claims: Option<Component>,
    /// The component that its name begins with: what history went by.
    pub looks_like: Option<Component>,
    /// Index of the node that it is bound to.
    pub node: Option<u8>,
    /// Who started it, as far as its labels and owner say.
    pub incarnation: Incarnation,
    /// Its phase.
    pub phase: PodPhase,
    /// Its Ready condition is true.
    pub ready: bool,
    /// Its node's lease was renewed lately, so that the pod's status is no memory.
    pub fresh: bool,
}

/// A pod's phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PodPhase {
    /// Not all containers run.
    Pending,
    /// Containers were started; they may be crashing.
    Running,
    /// Ended, well or badly.
    Ended,
}

/// A lock's lease as the driver observed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseFact {
    /// Deciseconds since the driver last saw it renewed, by the driver's own clock; 255 is that or more, or never.
    pub age_ds: u8,
}

/// What direct requests to one node's ports proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiserverFact {
    /// Nodes whose bootstrap apiserver is ready, proven by its certificate.
    pub bootstrap: NodeSet,
    /// Nodes whose self-hosted apiserver is ready, proven by its certificate.
    pub self_hosted: NodeSet,
    /// The load balancer answered from a ready apiserver.
    pub load_balancer: bool,
    /// The load balancer has seen the bootstrap apiserver go (or it was never listed).
    pub bootstrap_unlisted: bool,
    /// Nodes to whose self-hosted apiserver the load balancer sends requests. Logs from before this was told have none.
    #[serde(default)]
    pub listed: NodeSet,
}

/// What the API remembers of nodes that nobody hears of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleFact {
    /// Node objects whose lease was watched for longer than it lasts and was not renewed.
    pub nodes: u8,
    /// Pods of whatever kind that are bound to those nodes, or to nodes that no object stands for.
    pub pods: u8,
    /// Node objects of which it is not known yet.
    pub undecided: u8,
}

/// Everything the driver knows at one moment. Unknown is written as absent from a set, never as the last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// How many control-plane nodes the cluster should have.
    pub control_planes: u8,
    /// How many nodes in all.
    pub nodes: u8,
    /// Nodes whose etcd member is healthy.
    pub etcd: NodeSet,
    /// Nodes that registered.
    pub registered: NodeSet,
    /// Nodes that are Ready with a fresh lease.
    pub ready: NodeSet,
    /// Control-plane nodes that bear the label.
    pub labelled: NodeSet,
    /// Apiservers.
    pub apiservers: ApiserverFact,
    /// Leases of the controller manager and the scheduler, in this order.
    pub leases: [LeaseFact; 2],
    /// Components whose bootstrap process still runs on the bootstrap node, by `ComponentSet` bits.
    pub bootstrap_running: u8,
    /// Nodes on which a component is armed: its checkpoint agent, heard of just now, holds a complete
    /// checkpoint of the present instance. In the order of [`Component::SELF_HOSTED`].
    #[serde(default)]
    pub armed: [NodeSet; 3],
    /// The API answered, so that the pods below are current.
    pub pods_known: bool,
    /// What is stale; `None` while the API does not answer.
    #[serde(default)]
    pub stale: Option<StaleFact>,
    /// Control-plane pods, one after another: the first empty place ends them.
    #[serde(with = "pods")]
    pub pods: [Option<PodFact>; Self::MOST_PODS],
}

impl Facts {
    /// The most pods that are looked at: three components on seven nodes, twice over, and some.
    pub const MOST_PODS: usize = 48;
}

/// Pods are written as a list without its empty places.
mod pods {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Facts, PodFact};

    type Pods = [Option<PodFact>; Facts::MOST_PODS];

    pub(super) fn serialize<S: Serializer>(pods: &Pods, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(pods.iter().flatten())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Pods, D::Error> {
        let listed = Vec::<PodFact>::deserialize(deserializer)?;
        if listed.len() > Facts::MOST_PODS {
            return Err(D::Error::custom(format!(
                "more than {} pods",
                Facts::MOST_PODS
            )));
        }
        let mut pods = [None; Facts::MOST_PODS];
        for (place, pod) in pods.iter_mut().zip(listed) {
            *place = Some(pod);
        }
        Ok(pods)
    }
}
