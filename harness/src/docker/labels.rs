//! The labels that every container, network and volume of ours bears.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::Owner;

/// The label whose presence makes an object ours.
pub(crate) const RUN: &str = "chrysalis.run";
const CASE: &str = "chrysalis.case";
const DEADLINE: &str = "chrysalis.deadline";
const OWNER: &str = "chrysalis.owner";
const CLUSTER: &str = "chrysalis.cluster";
const NODE: &str = "chrysalis.node";
const ROLE: &str = "chrysalis.role";

/// What an object is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A control-plane node.
    ControlPlane,
    /// A worker node.
    Worker,
    /// The load balancer in front of the apiservers.
    LoadBalancer,
    /// The cluster's network.
    Network,
    /// A throw-away container that tries something out.
    Probe,
    /// The mark (an empty volume) of a cluster that is meant to outlive its maker.
    Keep,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::ControlPlane,
        Self::Worker,
        Self::LoadBalancer,
        Self::Network,
        Self::Probe,
        Self::Keep,
    ];

    /// The role as it stands in labels and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
            Self::LoadBalancer => "load-balancer",
            Self::Network => "network",
            Self::Probe => "probe",
            Self::Keep => "keep",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The labels that all objects of one case share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLabels {
    /// The run that the objects belong to.
    pub run: String,
    /// The case within the run; `cluster` for clusters made by hand.
    pub case: String,
    /// When `reap` may remove the objects if it cannot tell whether their owner lives, and when a
    /// kept cluster ends: seconds since 1970.
    pub deadline_s: u64,
    /// The process that makes the objects and will remove them.
    pub owner: Owner,
}

/// The labels of one object. Fields that the object does not bear are `None`: whoever reads them
/// must say what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The run.
    pub run: String,
    /// The case within the run.
    pub case: Option<String>,
    /// Seconds since 1970 after which the object may go.
    pub deadline_s: Option<u64>,
    /// The process that made the object.
    pub owner: Option<Owner>,
    /// The cluster that the object belongs to.
    pub cluster: Option<String>,
    /// The node that the object is, or belongs to.
    pub node: Option<String>,
    /// What the object is for.
    pub role: Option<Role>,
}

impl RunLabels {
    /// The labels of one object of the run.
    pub fn of(&self, cluster: &str, node: Option<&str>, role: Role) -> Labels {
        Labels {
            run: self.run.clone(),
            case: Some(self.case.clone()),
            deadline_s: Some(self.deadline_s),
            owner: Some(self.owner.clone()),
            cluster: Some(cluster.to_owned()),
            node: node.map(str::to_owned),
            role: Some(role),
        }
    }
}

impl Labels {
    /// As the engine wants them.
    pub(crate) fn to_map(&self) -> HashMap<String, String> {
        let Self {
            run,
            case,
            deadline_s,
            owner,
            cluster,
            node,
            role,
        } = self;
        let optional = [
            (CASE, case.clone()),
            (DEADLINE, deadline_s.map(|seconds| seconds.to_string())),
            (OWNER, owner.as_ref().map(ToString::to_string)),
            (CLUSTER, cluster.clone()),
            (NODE, node.clone()),
            (ROLE, role.map(|role| role.name().to_owned())),
        ];
        let mut map = HashMap::from([(RUN.to_owned(), run.clone())]);
        for (key, value) in optional {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        }
        map
    }

    /// Reads an object's labels; `None` when the object is not ours.
    pub(crate) fn from_map(map: &HashMap<String, String>) -> Option<Self> {
        let text = |key: &str| map.get(key).cloned();
        Some(Self {
            run: text(RUN)?,
            case: text(CASE),
            deadline_s: text(DEADLINE).and_then(|seconds| seconds.parse().ok()),
            owner: text(OWNER).and_then(|owner| Owner::parse(&owner).ok()),
            cluster: text(CLUSTER),
            node: text(NODE),
            role: text(ROLE).and_then(|role| Role::parse(&role)),
        })
    }
}

/// A filter by label, as the engine wants it: `chrysalis.run` always, the cluster where given.
pub(crate) fn filter(cluster: Option<&str>) -> HashMap<String, Vec<String>> {
    let mut labels = BTreeMap::from([(RUN, None)]);
    if let Some(cluster) = cluster {
        labels.insert(CLUSTER, Some(cluster));
    }
    let labels = labels.into_iter().map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.to_owned(),
    });
    HashMap::from([("label".to_owned(), labels.collect())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_back_and_unlabelled_objects_are_not_ours() {
        let owner = Owner::this_process();
        let run = RunLabels {
            run: "r".to_owned(),
            case: "c".to_owned(),
            deadline_s: 12,
            owner,
        };
        let labels = run.of("demo", Some("cp-1"), Role::ControlPlane);
        assert_eq!(Labels::from_map(&labels.to_map()), Some(labels));
        let foreign = HashMap::from([("chrysalis.cluster".to_owned(), "demo".to_owned())]);
        assert_eq!(Labels::from_map(&foreign), None);
    }

    #[test]
    fn a_damaged_owner_is_unknown_rather_than_an_error() {
        let map = HashMap::from([
            (RUN.to_owned(), "r".to_owned()),
            (OWNER.to_owned(), "nonsense".to_owned()),
        ]);
        assert_eq!(Labels::from_map(&map).and_then(|labels| labels.owner), None);
    }
}
