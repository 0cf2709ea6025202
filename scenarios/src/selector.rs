//! Selectors: what a fault or a heal is aimed at.

use std::fmt;

use terms::{Component, NodeId, Selector};

use crate::mistake::nearest;

/// What a selector means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A node by its name: `cp-1`, `worker-2`.
    Name(NodeId),
    /// The node on which the installer runs.
    Bootstrap,
    /// A control-plane node other than the one on which the installer runs; drawn from the case's seed.
    AnotherControlPlane,
    /// A control-plane node; drawn from the case's seed.
    AnyControlPlane,
    /// Every control-plane node.
    AllControlPlane,
    /// The first worker.
    Worker,
    /// A worker; drawn from the case's seed.
    AnyWorker,
    /// Every worker.
    AllWorkers,
    /// The node of etcd's leader.
    Leader,
    /// The node of the instance that holds the component's lease.
    Holder(Component),
    /// More than half of etcd's members; drawn from the case's seed.
    Majority,
    /// The nodes that an earlier fault bound with `as`.
    Bound(String),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct SelectorError {
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: String,
}

/// Selectors as they are written, for help.
pub(crate) const WRITTEN: [&str; 12] = [
    "@bootstrap",
    "@another-control-plane",
    "@any-control-plane",
    "@all-control-plane",
    "@worker",
    "@any-worker",
    "@all-workers",
    "@leader(etcd)",
    "@holder(kube-scheduler)",
    "@holder(kube-controller-manager)",
    "@majority(etcd)",
    "cp-1",
];

/// Components that hold a lease.
pub(crate) const LEASED: [Component; 2] =
    [Component::KubeControllerManager, Component::KubeScheduler];

impl Target {
    /// Reads a selector. Any `@word` that is no selector is the name of a binding.
    ///
    /// # Errors
    /// An empty text, or a component that the selector cannot ask about.
    pub fn parse(selector: &Selector) -> Result<Self, SelectorError> {
        let text = selector.0.as_str();
        let Some(word) = text.strip_prefix('@') else {
            return Self::named(text);
        };
        Ok(match word {
            "bootstrap" => Self::Bootstrap,
            "another-control-plane" => Self::AnotherControlPlane,
            "any-control-plane" => Self::AnyControlPlane,
            "all-control-plane" => Self::AllControlPlane,
            "worker" => Self::Worker,
            "any-worker" => Self::AnyWorker,
            "all-workers" => Self::AllWorkers,
            _ if word.contains(['(', ')']) => return Self::asked(text, word),
            _ if is_word(word) => Self::Bound(word.to_owned()),
            _ => return Err(Self::unknown(text)),
        })
    }

    fn named(text: &str) -> Result<Self, SelectorError> {
        let at = format!("@{text}");
        if WRITTEN.contains(&at.as_str()) {
            let what = format!("`{text}` is not the name of a node");
            return Err(SelectorError {
                what,
                help: format!("did you mean \"{at}\"?"),
            });
        }
        if is_word(text) {
            Ok(Self::Name(NodeId::new(text)))
        } else {
            Err(Self::unknown(text))
        }
    }

    /// `leader(etcd)`, `holder(kube-scheduler)`, `majority(etcd)`.
    fn asked(text: &str, word: &str) -> Result<Self, SelectorError> {
        let Some((asked, component)) = word.strip_suffix(')').and_then(|word| word.split_once('('))
        else {
            return Err(Self::unknown(text));
        };
        let wrong = |help: &str| SelectorError {
            what: format!("`@{asked}(…)` cannot ask about `{component}`"),
            help: help.to_owned(),
        };
        match asked {
            "leader" | "majority" if component != Component::Etcd.name() => {
                Err(wrong(&format!("write \"@{asked}(etcd)\"")))
            }
            "leader" => Ok(Self::Leader),
            "majority" => Ok(Self::Majority),
            "holder" => Component::from_name(component)
                .filter(|component| LEASED.contains(component))
                .map(Self::Holder)
                .ok_or_else(|| {
                    wrong("only kube-controller-manager and kube-scheduler hold a lease")
                }),
            _ => Err(Self::unknown(text)),
        }
    }

    fn unknown(text: &str) -> SelectorError {
        let help = nearest(text, WRITTEN).map_or_else(
            || format!("known: {}", WRITTEN.join(", ")),
            |near| format!("did you mean \"{near}\"?"),
        );
        SelectorError {
            what: format!("unknown selector `{text}`"),
            help,
        }
    }

    /// Whether what it picks depends on what the cluster is doing.
    pub const fn needs_a_running_cluster(&self) -> bool {
        matches!(self, Self::Leader | Self::Holder(_))
    }
}

/// Lowercase letters, digits and hyphens, beginning with a letter.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(node) => write!(formatter, "{node}"),
            Self::Bootstrap => formatter.write_str("@bootstrap"),
            Self::AnotherControlPlane => formatter.write_str("@another-control-plane"),
            Self::AnyControlPlane => formatter.write_str("@any-control-plane"),
            Self::AllControlPlane => formatter.write_str("@all-control-plane"),
            Self::Worker => formatter.write_str("@worker"),
            Self::AnyWorker => formatter.write_str("@any-worker"),
            Self::AllWorkers => formatter.write_str("@all-workers"),
            Self::Leader => formatter.write_str("@leader(etcd)"),
            Self::Holder(component) => write!(formatter, "@holder({component})"),
            Self::Majority => formatter.write_str("@majority(etcd)"),
            Self::Bound(name) => write!(formatter, "@{name}"),
        }
    }
}
