//! What the API remembers of nodes that nobody hears of any more.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use pivot::StaleFact;

use super::lease_age::LeaseAges;
use super::snapshot::{FRESH, Knowledge};

/// A node whose lease was watched for this long without a renewal is stale: the usual lease lasts
/// 40 s, and a kubelet that lost its apiserver comes back within half of that. Deleting the object of
/// a node that lives would hurt, for its kubelet registers only once.
const STALE_AFTER: Duration = Duration::from_secs(40);

/// Nodes by how much is known of them, and pods whose node is not among the living.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stale {
    /// Names of Node objects that are stale, each with the renewal that was last seen.
    pub(crate) nodes: Vec<(String, Option<String>)>,
    /// Control-plane pods on them, or on nodes without an object.
    pub(crate) pods: usize,
    /// Node objects of which it is not known yet.
    pub(crate) undecided: usize,
}

impl Stale {
    /// Sorts nodes and pods.
    pub(super) fn among(nodes: &[Node], leases: &LeaseAges, pods: &[Pod]) -> Self {
        let mut stale = Self::default();
        let names = || {
            nodes
                .iter()
                .filter_map(|node| node.metadata.name.as_deref())
        };
        for name in names() {
            if leases.age(name).is_some_and(|age| age < FRESH) {
                continue;
            }
            if leases
                .silence(name)
                .is_some_and(|silence| silence >= STALE_AFTER)
            {
                stale.nodes.push((name.to_owned(), leases.renewal_of(name)));
            } else {
                stale.undecided += 1;
            }
        }
        let bound = pods
            .iter()
            .filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref());
        stale.pods = bound
            .filter(|node| {
                !names().any(|name| name == *node)
                    || stale.nodes.iter().any(|(name, _)| name == node)
            })
            .count();
        stale
    }

    /// As the machine is told.
    pub(super) fn fact(&self) -> StaleFact {
        let small = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        StaleFact {
            nodes: small(self.nodes.len()),
            pods: small(self.pods),
            undecided: small(self.undecided),
        }
    }
}

impl Knowledge {
    /// What is stale now; `None` while any of it is not known.
    pub(super) fn stale(&self) -> Option<Stale> {
        let (nodes, leases, pods) = (
            self.nodes.known()?,
            self.node_leases.known()?,
            self.pods.known()?,
        );
        Some(Stale::among(&nodes, &leases, &pods))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::Lease;
    use serde_json::json;

    use super::*;

    fn nodes() -> Vec<Node> {
        let node = |name| serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        ["alive", "dead", "without-lease"].map(node).into()
    }

    fn leases(second: u32) -> Vec<Lease> {
        let lease = |name, second: u32| {
            let time = format!("2024-01-01T00:00:{second:02}.000000Z");
            let value = json!({ "metadata": { "name": name }, "spec": { "renewTime": time } });
            serde_json::from_value(value).unwrap()
        };
        vec![lease("alive", second), lease("dead", 0)]
    }

    fn pods() -> Vec<Pod> {
        let pod = |node| {
            serde_json::from_value(json!({ "spec": { "nodeName": node, "containers": [] } }))
                .unwrap()
        };
        ["alive", "dead", "long-gone"].map(pod).into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_stale_once_it_was_watched_for_longer_than_a_lease_lasts() {
        let mut ages = LeaseAges::default();
        ages.observe(&leases(1));
        let seen = Stale::among(&nodes(), &ages, &pods());
        assert_eq!((seen.nodes.len(), seen.undecided, seen.pods), (0, 3, 1));
        for second in 2..60 {
            tokio::time::advance(Duration::from_secs(1)).await;
            ages.observe(&leases(second));
        }
        let seen = Stale::among(&nodes(), &ages, &pods());
        let names: Vec<_> = seen.nodes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["dead", "without-lease"]);
        assert_eq!((seen.undecided, seen.pods), (0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_of_the_api_is_not_silence_of_a_node() {
        let mut ages = LeaseAges::default();
        ages.observe(&leases(1));
        tokio::time::advance(Duration::from_secs(39)).await;
        ages.interrupted();
        ages.observe(&leases(1));
        tokio::time::advance(Duration::from_secs(39)).await;
        assert_eq!(Stale::among(&nodes(), &ages, &pods()).nodes, []);
    }
}
