//! Who leads: the holders of leases, and etcd's leader.

use std::collections::BTreeMap;

use oracle::observation::Lease;
use oracle::{Observation, Sighting, Source};
use terms::{Component, NodeId};

/// Who leads, as last seen.
pub(super) struct Roles {
    holders: BTreeMap<Component, Option<String>>,
    /// etcd's members by their ids, from the whole case: a member may be named before it is asked.
    members: BTreeMap<String, NodeId>,
    /// The highest term in which a leader was named, and that leader.
    leader: Option<(u64, String)>,
}

impl Roles {
    /// Nobody leads yet.
    pub(super) fn new(observations: &[&Observation]) -> Self {
        let members = observations
            .iter()
            .filter_map(
                |observation| match (&observation.source, &observation.saw) {
                    (Source::EtcdMember(node), Sighting::Etcd(Some(status))) => {
                        Some((status.member.clone(), node.clone()))
                    }
                    _ => None,
                },
            )
            .collect();
        Self {
            holders: BTreeMap::new(),
            members,
            leader: None,
        }
    }

    /// Takes note of an observation; the event is a change of who leads.
    pub(super) fn see(&mut self, observation: &Observation) -> Option<String> {
        match &observation.saw {
            Sighting::Lease(lease) => self.see_lease(lease),
            Sighting::Etcd(Some(status)) => self.see_leader(status.term, status.leader.as_deref()?),
            _ => None,
        }
    }

    fn see_lease(&mut self, lease: &Lease) -> Option<String> {
        let before = self.holders.insert(lease.lock, lease.holder.clone());
        if before.as_ref() == Some(&lease.holder) {
            return None;
        }
        let lock = lease.lock;
        Some(match (&lease.holder, &lease.holder_node) {
            (None, _) => format!("{lock}: the lease is released"),
            (Some(holder), None) => format!("{lock}: {holder} leads"),
            (Some(holder), Some(node)) => format!("{lock}: {node} leads ({holder})"),
        })
    }

    fn see_leader(&mut self, term: u64, leader: &str) -> Option<String> {
        let is_news = match &self.leader {
            None => true,
            // A member that lags behind still names the leader of an earlier term.
            Some((known_term, known)) => term > *known_term && leader != known,
        };
        let known_term = self
            .leader
            .as_ref()
            .map_or(0, |(known_term, _)| *known_term);
        if term >= known_term {
            self.leader = Some((term, leader.to_owned()));
        }
        let name = self.members.get(leader).map_or(leader, NodeId::as_str);
        is_news.then(|| format!("etcd: {name} leads in term {term}"))
    }
}
