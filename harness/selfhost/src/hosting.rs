//! Whether a node hosts the control plane: it gets its label, and then the pods of all components.

use std::time::Duration;

use kube::Client;
use pivot::{Outcome, PodFact};
use terms::{Component, Incarnation};
use tokio::time::{Instant, sleep, timeout_at};

use crate::facts::FactSource;
use crate::tasks;

/// How long the kubelet may take to register.
const REGISTERED_WITHIN: Duration = Duration::from_secs(120);
/// How long the control plane's pods may take to be ready there.
const HOSTED_WITHIN: Duration = Duration::from_secs(240);
/// How often the label is tried.
const AGAIN: Duration = Duration::from_secs(1);

/// The node has no label.
#[derive(Debug, thiserror::Error)]
#[error(
    "this node was not labelled within {REGISTERED_WITHIN:?}: {0}; look at its kubelet, and run this again"
)]
pub(crate) struct Unlabelled(String);

/// What a node hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hosted {
    /// Every component has a ready pod of its own there.
    All,
    /// These have none yet.
    Without(Vec<Component>),
}

/// Labels the node once its kubelet has registered.
///
/// # Errors
/// When it does not, or the label is refused.
pub(crate) async fn label(client: &Client, node: &str) -> Result<(), Unlabelled> {
    let until = Instant::now() + REGISTERED_WITHIN;
    loop {
        let answer = tasks::label(client, node).await;
        let detail = answer.detail.unwrap_or_default();
        match answer.outcome {
            Outcome::Done => return Ok(()),
            Outcome::Failed(_) | Outcome::Unknown if Instant::now() < until => sleep(AGAIN).await,
            _ => return Err(Unlabelled(detail)),
        }
    }
}

/// Waits until every component's own pod is ready on the node with this index.
pub(crate) async fn hosted(facts: &mut impl FactSource, index: u8) -> Hosted {
    let until = Instant::now() + HOSTED_WITHIN;
    let mut missing = Component::SELF_HOSTED.to_vec();
    while let Ok(facts) = timeout_at(until, facts.next()).await {
        // Pods that were remembered while nobody answered say nothing.
        let pods = if facts.pods_known {
            &facts.pods[..]
        } else {
            &[]
        };
        missing = missing_on(pods, index);
        if missing.is_empty() {
            return Hosted::All;
        }
    }
    Hosted::Without(missing)
}

fn missing_on(pods: &[Option<PodFact>], index: u8) -> Vec<Component> {
    let is_there = |component: Component| {
        pods.iter().flatten().any(|pod| {
            pod.claims == Some(component)
                && pod.node == Some(index)
                && pod.incarnation == Incarnation::SelfHosted
                && pod.ready
                && pod.fresh
        })
    };
    let all = Component::SELF_HOSTED.into_iter();
    all.filter(|component| !is_there(*component)).collect()
}

#[cfg(test)]
mod tests {
    use pivot::PodPhase;

    use super::*;

    #[test]
    fn only_ready_pods_of_its_own_on_that_node_count() {
        let pod = |component, node, incarnation, ready| PodFact {
            claims: Some(component),
            looks_like: Some(component),
            node: Some(node),
            incarnation,
            phase: PodPhase::Running,
            ready,
            fresh: true,
        };
        let own = Incarnation::SelfHosted;
        let mut pods = [None; 3];
        for (place, pod) in [
            pod(Component::KubeApiserver, 0, own, true),
            pod(Component::KubeControllerManager, 1, own, true),
            pod(Component::KubeScheduler, 0, Incarnation::Checkpoint, true),
        ]
        .into_iter()
        .enumerate()
        {
            pods[place] = Some(pod);
        }
        assert_eq!(missing_on(&[], 0).len(), 3);
        let missing = [Component::KubeControllerManager, Component::KubeScheduler];
        assert_eq!(missing_on(&pods, 0), missing);
        pods[0] = Some(pod(Component::KubeApiserver, 0, own, false));
        assert_eq!(missing_on(&pods, 0).len(), 3);
    }
}
