//! What this agent knows of all nodes, and what follows for the links of its own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Node;
use kube::runtime::watcher::Event;

/// An IPv4 range that belongs to one node's pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodRange {
    /// First address of the range.
    pub(crate) network: Ipv4Addr,
    /// Length of the prefix, in bits.
    pub(crate) prefix: u8,
}

/// A node that pods can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The node's internal address.
    pub(crate) address: Ipv4Addr,
    /// The range of its pods.
    pub(crate) range: PodRange,
}

/// All nodes that have an address and a range, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NodeMap {
    places: BTreeMap<String, Place>,
    /// Nodes of a listing that is still being read.
    listing: BTreeMap<String, Place>,
    /// Whether a listing has been read to its end.
    complete: bool,
}

/// What the own node needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The own node.
    pub(crate) own: Place,
    /// All others.
    pub(crate) peers: Vec<Place>,
}

impl PodRange {
    /// Reads `10.244.1.0/24`; anything else is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (network, prefix) = text.split_once('/')?;
        let range = Self {
            network: network.parse().ok()?,
            prefix: prefix.parse().ok()?,
        };
        (range.prefix <= 32).then_some(range)
    }
}

impl std::fmt::Display for PodRange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.network, self.prefix)
    }
}

impl NodeMap {
    /// Takes in what the watch says.
    pub(crate) fn apply(&mut self, event: Event<Node>) {
        match event {
            Event::Init => self.listing.clear(),
            Event::InitApply(node) => note(&mut self.listing, &node),
            Event::InitDone => {
                self.places = std::mem::take(&mut self.listing);
                self.complete = true;
            }
            Event::Apply(node) => note(&mut self.places, &node),
            Event::Delete(node) => {
                if let Some(name) = &node.metadata.name {
                    self.places.remove(name);
                }
            }
        }
    }

    /// What the node `own` needs; none as long as not all nodes are known, or it has no range.
    pub(crate) fn wanted(&self, own: &str) -> Option<Wanted> {
        let own_place = *self.places.get(own).filter(|_| self.complete)?;
        let peers = self
            .places
            .iter()
            .filter(|(name, _)| *name != own)
            .map(|(_, place)| *place);
        Some(Wanted {
            own: own_place,
            peers: peers.collect(),
        })
    }
}

/// Keeps a node's place. A node without address or range is not reachable and is left out; its
/// old place must go too, for another node may get the range.
fn note(places: &mut BTreeMap<String, Place>, node: &Node) {
    let Some(name) = node.metadata.name.clone() else {
        return;
    };
    match place_of(node) {
        Some(place) => places.insert(name, place),
        None => places.remove(&name),
    };
}

fn place_of(node: &Node) -> Option<Place> {
    let range = PodRange::parse(node.spec.as_ref()?.pod_cidr.as_deref()?)?;
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let address = addresses
        .iter()
        .filter(|address| address.type_ == "InternalIP")
        .find_map(|address| address.address.parse().ok())?;
    Some(Place { address, range })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, range: Option<&str>, address: &str) -> Node {
        serde_json::from_value(serde_json::json!({
            "metadata": { "name": name },
            "spec": { "podCIDR": range },
            "status": { "addresses": [
                { "type": "Hostname", "address": name }, { "type": "InternalIP", "address": address },
            ]},
        }))
        .unwrap()
    }

    #[test]
    fn nothing_is_wanted_before_the_listing_is_complete() {
        let mut map = NodeMap::default();
        map.apply(Event::Init);
        map.apply(Event::InitApply(node(
            "a",
            Some("10.244.0.0/24"),
            "10.0.0.1",
        )));
        assert_eq!(map.wanted("a"), None);
        map.apply(Event::InitDone);
        assert_eq!(map.wanted("a").unwrap().peers, vec![]);
        assert_eq!(map.wanted("b"), None);
    }

    #[test]
    fn peers_come_change_and_go() {
        let mut map = NodeMap::default();
        map.apply(Event::Init);
        map.apply(Event::InitApply(node(
            "a",
            Some("10.244.0.0/24"),
            "10.0.0.1",
        )));
        map.apply(Event::InitDone);
        map.apply(Event::Apply(node("b", None, "10.0.0.2")));
        assert_eq!(map.wanted("a").unwrap().peers.len(), 0);
        map.apply(Event::Apply(node("b", Some("10.244.1.0/24"), "10.0.0.2")));
        let peer = map.wanted("a").unwrap().peers[0];
        assert_eq!(
            (peer.address.to_string(), peer.range.to_string()),
            ("10.0.0.2".into(), "10.244.1.0/24".into())
        );
        map.apply(Event::Apply(node("b", None, "10.0.0.2")));
        assert_eq!(map.wanted("a").unwrap().peers.len(), 0);
        map.apply(Event::Apply(node("b", Some("10.244.1.0/24"), "10.0.0.2")));
        // A new listing without it says that it is gone.
        map.apply(Event::Init);
        map.apply(Event::InitApply(node(
            "a",
            Some("10.244.0.0/24"),
            "10.0.0.1",
        )));
        assert_eq!(map.wanted("a").unwrap().peers.len(), 1);
        map.apply(Event::InitDone);
        assert_eq!(map.wanted("a").unwrap().peers.len(), 0);
    }
}
