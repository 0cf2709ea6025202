//! From selectors to nodes, given one snapshot of the cluster.

use std::collections::BTreeMap;

use terms::{Component, NodeId, Selectors};

use crate::draw::Draw;
use crate::selector::{SelectorError, Target};

/// What is known of a cluster at one instant. All selectors of one `inject` resolve from one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSnapshot {
    /// All nodes, control plane first.
    pub nodes: Vec<NodeId>,
    /// The node on which the installer runs.
    pub bootstrap: NodeId,
    /// The node of etcd's leader, if one is known.
    pub etcd_leader: Option<NodeId>,
    /// The nodes of lease holders; `None` when nobody is known to hold.
    pub holders: BTreeMap<Component, Option<NodeId>>,
    /// What earlier faults bound with `as`.
    pub bound: BTreeMap<String, Vec<NodeId>>,
}

/// Why a selector picks nothing. The fault cannot be injected, which makes the case inconclusive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The text is no selector.
    #[error(transparent)]
    Unreadable(#[from] SelectorError),
    /// There is no such node.
    #[error("`{0}` names no node of this cluster")]
    NoSuchNode(NodeId),
    /// The cluster has no node of that kind.
    #[error("`{0}` picks nothing: this cluster has no such node")]
    NoCandidate(String),
    /// Nobody leads, or nobody could be asked.
    #[error("`{0}` picks nothing: at this moment nobody is known to lead or hold")]
    NobodyKnown(String),
    /// Nothing was bound by that name yet.
    #[error("`@{0}` picks nothing: no earlier fault bound it with `as`")]
    NotBound(String),
}

/// The nodes that a selector picks. Pure: the same arguments pick the same nodes.
///
/// # Errors
/// When it picks none, with the reason.
pub fn resolve(
    target: &Target,
    snapshot: &ClusterSnapshot,
    draw: Draw,
) -> Result<Vec<NodeId>, Unresolved> {
    let all = |control_plane: bool| -> Vec<NodeId> {
        let fits = |node: &&NodeId| node.is_control_plane() == control_plane;
        snapshot.nodes.iter().filter(fits).cloned().collect()
    };
    let one_of = |candidates: Vec<NodeId>| -> Vec<NodeId> {
        let index = draw.below(candidates.len());
        candidates.into_iter().nth(index).into_iter().collect()
    };
    let known = |node: Option<&NodeId>| {
        node.map(|node| vec![node.clone()])
            .ok_or_else(|| Unresolved::NobodyKnown(target.to_string()))
    };
    let picked = match target {
        Target::Name(node) if snapshot.nodes.contains(node) => vec![node.clone()],
        Target::Name(node) => return Err(Unresolved::NoSuchNode(node.clone())),
        Target::Bootstrap => vec![snapshot.bootstrap.clone()],
        Target::AnotherControlPlane => one_of(
            all(true)
                .into_iter()
                .filter(|node| *node != snapshot.bootstrap)
                .collect(),
        ),
        Target::AnyControlPlane => one_of(all(true)),
        Target::AllControlPlane => all(true),
        Target::Worker => all(false).into_iter().take(1).collect(),
        Target::AnyWorker => one_of(all(false)),
        Target::AllWorkers => all(false),
        Target::Leader => known(snapshot.etcd_leader.as_ref())?,
        Target::Holder(component) => {
            known(snapshot.holders.get(component).and_then(Option::as_ref))?
        }
        Target::Majority => majority(all(true), draw),
        Target::Bound(name) => snapshot
            .bound
            .get(name)
            .cloned()
            .ok_or_else(|| Unresolved::NotBound(name.clone()))?,
    };
    if picked.is_empty() {
        Err(Unresolved::NoCandidate(target.to_string()))
    } else {
        Ok(picked)
    }
}

/// More than half of the members: that many in a row, beginning anywhere.
fn majority(members: Vec<NodeId>, draw: Draw) -> Vec<NodeId> {
    let count = if members.is_empty() {
        0
    } else {
        members.len() / 2 + 1
    };
    let begin = draw.below(members.len());
    let mut picked: Vec<NodeId> = members
        .iter()
        .cycle()
        .skip(begin)
        .take(count)
        .cloned()
        .collect();
    picked.sort();
    picked
}

/// The nodes that one selector or a list of them picks: each once, in the order of the list.
///
/// `draw` is where the first of them stands; the others follow.
///
/// # Errors
/// When one of them picks none.
pub fn resolve_all(
    selectors: &Selectors,
    snapshot: &ClusterSnapshot,
    draw: Draw,
) -> Result<Vec<NodeId>, Unresolved> {
    let mut picked: Vec<NodeId> = Vec::new();
    for (selector, position) in selectors.0.iter().zip(draw.position..) {
        let target = Target::parse(selector)?;
        for node in resolve(&target, snapshot, Draw { position, ..draw })? {
            if !picked.contains(&node) {
                picked.push(node);
            }
        }
    }
    Ok(picked)
}
