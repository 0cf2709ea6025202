//! Faults and the selectors that say what they hit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Component;
use crate::object::{Change, Delete, Roll};

/// Text that picks nodes: a name (`cp-1`), or `@bootstrap`, `@leader(etcd)`, `@holder(kube-scheduler)`, …
///
/// Parsed and checked by the scenario language; resolved when the fault is injected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Selector(pub String);

/// One selector or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Selectors(pub Vec<Selector>);

impl<'de> Deserialize<'de> for Selectors {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> serde::de::Visitor<'de> for OneOrMany {
            type Value = Selectors;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter
                    .write_str("a node selector such as `cp-1` or `@bootstrap`, or a list of them")
            }
            fn visit_str<E>(self, text: &str) -> Result<Selectors, E> {
                Ok(Selectors(vec![Selector(text.to_owned())]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut sequence: A,
            ) -> Result<Selectors, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = sequence.next_element()? {
                    all.push(one);
                }
                Ok(Selectors(all))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// A signal that a process is killed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Signal {
    /// Cannot be caught: the process is gone at once.
    #[default]
    #[serde(rename = "SIGKILL")]
    Kill,
    /// Asks the process to end.
    #[serde(rename = "SIGTERM")]
    Terminate,
}

impl Signal {
    /// The name as `kill` knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Something that goes wrong on purpose: one key, by which it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A node loses its power and stays off until it is healed.
    PowerOff(NodeFault),
    /// A node loses its power and gets it back at once.
    Reboot(NodeFault),
    /// A component's process is killed on the nodes that are named.
    Kill(Kill),
    /// The installer's process is killed.
    KillInstaller(Nothing),
    /// An object is deleted through the API.
    Delete(Delete),
    /// A node's processes stand still until it is healed.
    Freeze(NodeFault),
    /// A unit of a node is stopped, and stays so until it is healed.
    Stop(UnitFault),
    /// A unit of a node is stopped and started again at once.
    Restart(UnitFault),
    /// A file is cut to its first bytes, as a write that was interrupted leaves it.
    Tear(Tear),
    /// A node loses its disk and its power. What was lost stays so; healed, it is an empty machine.
    LoseDisk(NodeFault),
    /// A self-hosted component's DaemonSet gets a new revision.
    Roll(Roll),
    /// What a Secret or ConfigMap holds changes.
    Change(Change),
    /// A node's container runtime has a component's image no more.
    RemoveImage(RemoveImage),
}

/// A fault without options: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which nodes a fault hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeFault {
    /// The nodes.
    pub node: Selectors,
    /// A name by which later entries can refer to the same nodes, as `@name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
}

/// A unit of systemd that runs on every node.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// The kubelet. Containers go on without it.
    Kubelet,
    /// The container runtime. Containers go on without it, but nobody learns of them.
    Containerd,
}

impl Unit {
    /// The name that a scenario writes, which is systemd's too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubelet => "kubelet",
            Self::Containerd => "containerd",
        }
    }
}

/// Which unit is hit, and on which nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitFault {
    /// The unit.
    pub unit: Unit,
    /// The nodes.
    pub node: Selectors,
    /// A name by which later entries can refer to the same nodes, as `@name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
}

/// Which file is cut, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tear {
    /// The nodes.
    pub node: Selectors,
    /// The file, from `/` on. `*` stands for any part of a name; of several files the one that changed last is meant.
    pub path: String,
    /// How many of its first bytes are kept.
    pub keep_bytes: u64,
    /// A name by which later entries can refer to the same nodes, as `@name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
}

/// Which process is killed, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// The component.
    pub component: Component,
    /// The nodes.
    pub node: Selectors,
    /// The signal; `SIGKILL` unless said otherwise.
    #[serde(default)]
    pub signal: Signal,
    /// A name by which later entries can refer to the same nodes, as `@name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
}

/// Whose image is removed, and on which nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveImage {
    /// The component.
    pub component: Component,
    /// The nodes.
    pub node: Selectors,
    /// A name by which later entries can refer to the same nodes, as `@name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
}

impl RemoveImage {
    /// The components whose images can be removed: those that the nodes keep an image of each.
    pub const COMPONENTS: [Component; 5] = [
        Component::Etcd,
        Component::KubeApiserver,
        Component::KubeControllerManager,
        Component::KubeScheduler,
        Component::CheckpointAgent,
    ];
}

impl Fault {
    /// Every fault by the key that a scenario writes.
    pub const KEYS: [&'static str; 13] = [
        "power_off",
        "reboot",
        "kill",
        "kill_installer",
        "delete",
        "freeze",
        "stop",
        "restart",
        "tear",
        "lose_disk",
        "roll",
        "change",
        "remove_image",
    ];

    /// The key that a scenario writes.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::PowerOff(_) => "power_off",
            Self::Reboot(_) => "reboot",
            Self::Kill(_) => "kill",
            Self::KillInstaller(_) => "kill_installer",
            Self::Delete(_) => "delete",
            Self::Freeze(_) => "freeze",
            Self::Stop(_) => "stop",
            Self::Restart(_) => "restart",
            Self::Tear(_) => "tear",
            Self::LoseDisk(_) => "lose_disk",
            Self::Roll(_) => "roll",
            Self::Change(_) => "change",
            Self::RemoveImage(_) => "remove_image",
        }
    }

    /// The nodes that it is aimed at; none for what is not aimed at nodes.
    pub const fn selectors(&self) -> Option<&Selectors> {
        match self {
            Self::PowerOff(options)
            | Self::Reboot(options)
            | Self::Freeze(options)
            | Self::LoseDisk(options) => Some(&options.node),
            Self::Stop(options) | Self::Restart(options) => Some(&options.node),
            Self::Kill(kill) => Some(&kill.node),
            Self::Tear(tear) => Some(&tear.node),
            Self::RemoveImage(image) => Some(&image.node),
            Self::KillInstaller(_) | Self::Delete(_) | Self::Roll(_) | Self::Change(_) => None,
        }
    }

    /// As [`Fault::selectors`], to be changed.
    pub const fn selectors_mut(&mut self) -> Option<&mut Selectors> {
        match self {
            Self::PowerOff(options)
            | Self::Reboot(options)
            | Self::Freeze(options)
            | Self::LoseDisk(options) => Some(&mut options.node),
            Self::Stop(options) | Self::Restart(options) => Some(&mut options.node),
            Self::Kill(kill) => Some(&mut kill.node),
            Self::Tear(tear) => Some(&mut tear.node),
            Self::RemoveImage(image) => Some(&mut image.node),
            Self::KillInstaller(_) | Self::Delete(_) | Self::Roll(_) | Self::Change(_) => None,
        }
    }

    /// The name by which later entries refer to the nodes that it hit.
    pub fn binding(&self) -> Option<&str> {
        match self {
            Self::PowerOff(options)
            | Self::Reboot(options)
            | Self::Freeze(options)
            | Self::LoseDisk(options) => options.bind.as_deref(),
            Self::Stop(options) | Self::Restart(options) => options.bind.as_deref(),
            Self::Kill(kill) => kill.bind.as_deref(),
            Self::Tear(tear) => tear.bind.as_deref(),
            Self::RemoveImage(image) => image.bind.as_deref(),
            Self::KillInstaller(_) | Self::Delete(_) | Self::Roll(_) | Self::Change(_) => None,
        }
    }

    /// Whether the fault lasts until it is healed.
    pub const fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::PowerOff(_) | Self::Freeze(_) | Self::Stop(_) | Self::LoseDisk(_)
        )
    }

    /// What this fault really does in containers, and what it cannot do.
    pub const fn fidelity(&self) -> &'static str {
        match self {
            Self::PowerOff(_) | Self::Reboot(_) => {
                "process-level: every process is killed at once; what was written but not synced survives in the page cache"
            }
            Self::Kill(_) | Self::KillInstaller(_) => {
                "exact: the signal is sent to the process itself"
            }
            Self::Delete(_) => "exact: the object is deleted through the API",
            Self::Roll(_) => "exact: the DaemonSet's pod template is changed through the API",
            Self::Change(_) => "exact: the object is changed through the API",
            Self::RemoveImage(_) => {
                "exact: every name of the image is removed from the runtime; containers that run go on, and no registry can be asked for it"
            }
            Self::Freeze(_) => {
                "process-level: every process stands still at once; the kernel goes on accepting connections and packets for them, and clocks go on"
            }
            Self::Stop(_) | Self::Restart(_) => {
                "exact: systemd stops the unit; containers that run go on"
            }
            Self::LoseDisk(_) => {
                "file-level: containers are killed, what etcd, kubelet, agents and installer keep is deleted, and the power is cut; the machine's own system and its images stay"
            }
            Self::Tear(_) => {
                "file-level: one file is shortened under its writer and its readers; nothing is torn within what is kept"
            }
        }
    }
}
