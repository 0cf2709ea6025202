//! A plan: an installer's procedure as data. A policy names one; a mutant changes one stage or rule.

use serde::{Deserialize, Serialize};
use terms::Component;

/// Why a task or a stage did not succeed. The driver and the reports turn it into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The stage took longer than it may.
    StageOverdue,
    /// The node or the etcd belongs to another cluster.
    ForeignCluster,
    /// A file on the node is somebody else's.
    ForeignFile,
    /// The disk refused.
    Disk,
    /// No apiserver answered.
    ApiUnreachable,
    /// An apiserver refused an object.
    ObjectRefused,
    /// The canary was not bound or not ready in time.
    CanaryLost,
    /// A write or a read of the verification failed.
    VerificationFailed,
    /// The self-hosted controllers did not take the leases.
    LeasesNotTaken,
    /// The cluster that was to be recovered is alive.
    ClusterAlive,
    /// Another bootstrap or recovery is at work on the cluster.
    AnotherOperator,
}

impl Why {
    /// Every reason that a state or a marker can hold, at the place of its number. Those that only refuse
    /// a beginning are missing: nothing is remembered of a procedure that was refused.
    pub const ALL: [Self; 9] = [
        Self::StageOverdue,
        Self::ForeignCluster,
        Self::ForeignFile,
        Self::Disk,
        Self::ApiUnreachable,
        Self::ObjectRefused,
        Self::CanaryLost,
        Self::VerificationFailed,
        Self::LeasesNotTaken,
    ];

    /// Whether something belongs to somebody else or is at work, so that nothing may be touched.
    pub const fn is_foreign(self) -> bool {
        matches!(
            self,
            Self::ForeignCluster | Self::ForeignFile | Self::ClusterAlive | Self::AnotherOperator
        )
    }
}

/// A set of components that hand over, as bits: apiserver 1, controller manager 2, scheduler 4.
/// Written as a list of names, so that a plan file is readable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComponentSet(pub u8);

impl Serialize for ComponentSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for ComponentSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::NONE;
        for component in Vec::<Component>::deserialize(deserializer)? {
            let bit = Self::bit(component);
            if bit == 0 {
                return Err(serde::de::Error::custom(format!(
                    "{component} does not hand over; write kube-apiserver, kube-controller-manager or kube-scheduler"
                )));
            }
            set.0 |= bit;
        }
        Ok(set)
    }
}

impl ComponentSet {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The apiserver alone.
    pub const APISERVER: Self = Self(1);
    /// The controller manager and the scheduler.
    pub const CONTROLLERS: Self = Self(6);
    /// All three.
    pub const ALL: Self = Self(7);

    /// The bit of a component; none for those that do not hand over.
    #[inline]
    pub const fn bit(component: Component) -> u8 {
        match component {
            Component::KubeApiserver => 1,
            Component::KubeControllerManager => 2,
            Component::KubeScheduler => 4,
            _ => 0,
        }
    }

    /// Whether the component is in it.
    #[inline]
    pub const fn contains(self, component: Component) -> bool {
        self.0 & Self::bit(component) != 0
    }

    /// Components of either set.
    #[must_use]
    #[inline]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every component of the other set is in this one.
    #[inline]
    pub const fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The components in it.
    pub fn iter(self) -> impl Iterator<Item = Component> {
        Component::SELF_HOSTED
            .into_iter()
            .filter(move |component| self.contains(*component))
    }
}

/// Objects that are applied together, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssetGroup {
    /// Namespaces.
    Namespaces,
    /// Roles and bindings, service accounts.
    Rbac,
    /// ConfigMaps and Secrets.
    Configuration,
    /// kube-proxy and the pod network.
    Network,
    /// The three DaemonSets of the control plane.
    ControlPlane,
    /// The cluster's name service.
    Dns,
}

impl AssetGroup {
    /// Every group in the order of application.
    pub const ALL: [Self; 6] = [
        Self::Namespaces,
        Self::Rbac,
        Self::Configuration,
        Self::Network,
        Self::ControlPlane,
        Self::Dns,
    ];
}

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum StageKind {
    /// Claim the cluster and stage the bootstrap secrets.
    Stage,
    /// Make sure that the cluster is there, ours and not alive, and stage the bootstrap secrets.
    Reclaim,
    /// Place bootstrap manifests.
    Place(ComponentSet),
    /// Apply every asset group in order.
    Apply,
    /// Delete the Node objects that nobody renews the lease of, and the pods that are bound to them.
    Purge,
    /// Label every control-plane node.
    Label,
    /// Wait until a rule holds for the stable time.
    Gate(GateRule),
    /// Wait until checkpoints of these are armed; with `NONE` the stage is switched off and announced as such.
    Arm(ComponentSet),
    /// Stop the bootstrap instances of these, and prove that self-hosted ones took over; otherwise reinstate.
    HandOver(ComponentSet),
    /// Take the bootstrap instances of these out of service and wait until they are gone and unlisted.
    Drain(ComponentSet),
    /// Remove what the bootstrap control plane left: manifests and secrets.
    Remove(ComponentSet),
    /// Prove by writes and reads that the control plane works without its bootstrap.
    Verify,
}

impl StageKind {
    /// Whether the stage takes something of the bootstrap control plane away.
    pub const fn is_teardown(self) -> bool {
        matches!(self, Self::HandOver(_) | Self::Drain(_) | Self::Remove(_))
    }
}

/// What a gate asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GateRule {
    /// Every control-plane node's etcd member is healthy.
    EtcdServing,
    /// The bootstrap apiserver is ready, through the load balancer too.
    BootstrapServing,
    /// Every node registered.
    NodesRegistered,
    /// A pod of each self-hosted component exists, bound to a fresh node, for each wanted instance.
    PodsScheduled,
    /// Enough self-hosted apiservers serve, and self-hosted controllers are ready, by the plan's identification.
    SelfHostedServing,
}

/// How the machine tells whose instance it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifyRule {
    /// By certificate, owner and fresh node.
    Proof,
    /// By the beginning of the pod's name and phase Running: history's way.
    NamePrefix,
}

/// What happens when a stage takes too long or fails for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnTimeout {
    /// Stand still; the bootstrap control plane stays.
    Hold,
    /// Tear the bootstrap control plane down: history's way.
    TearDown,
}

/// What happens when a task fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskRule {
    /// It is tried again until it succeeds or the stage is overdue.
    Converge,
    /// Nothing is tried twice: an asset that failed is passed over, anything else fails the stage. History's way.
    OneShot,
}

/// When the bootstrap secrets go, in relation to the bootstrap manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretsRule {
    /// Last: after the manifests are gone and no bootstrap process runs.
    AfterProcesses,
    /// First, while the processes that read them still run: history's way.
    BeforeManifests,
}

/// The plan's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Whose instance is it?
    pub identify: IdentifyRule,
    /// What follows a timeout.
    pub on_timeout: OnTimeout,
    /// The least number of verified self-hosted apiservers on different nodes, for more than one control-plane node.
    pub least_apiservers: u8,
    /// Whether the load balancer must list one of them. Only a plan that identifies by proof asks for it.
    pub load_balancer: bool,
    /// What is checkpointed.
    pub checkpointed: ComponentSet,
    /// Whether bootstrap files go to a stash, from which they can be put back, or are deleted.
    pub stash: bool,
    /// Whether the machine remembers where it was, and resumes there.
    pub marker: bool,
    /// Whether a foreign cluster is looked for before anything is touched.
    pub claim: bool,
    /// Whether the rule of `SelfHostedServing` is judged again, on fresh facts, before a hand-over and a drain begin.
    pub guard: bool,
    /// What follows a failed task.
    pub tasks: TaskRule,
    /// When the bootstrap secrets go.
    pub secrets: SecretsRule,
    /// Whether the verification ends with the destruction of stash, assets and the installer's credentials.
    pub destroy_stash: bool,
}

/// A stage: a step's name and what is done there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The step that the stage announces.
    pub step: terms::StepName,
    /// What is done.
    pub kind: StageKind,
    /// How long the stage may take, its hold time not counted.
    pub deadline_ms: u32,
    /// How long a gate's rule must hold.
    #[serde(default)]
    pub stable_ms: u32,
}

/// An installer's procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The policy's name.
    pub policy: String,
    /// At most sixteen stages, in order.
    pub stages: Vec<Stage>,
    /// The rules.
    pub rules: Rules,
    /// How long the machine waits before it tries failed tasks again, in milliseconds.
    pub retry_ms: u32,
}

impl Plan {
    /// The most stages that a plan may have.
    pub const MOST_STAGES: usize = 16;
    /// The step that says that the whole procedure is done.
    pub const DONE_STEP: &'static str = "done";
    /// The step that says that the procedure stands still with a reason.
    pub const HOLDING_STEP: &'static str = "holding";
    /// The step that says that the bootstrap control plane is being put back.
    pub const REINSTATING_STEP: &'static str = "reinstating";
    /// The step that says that nothing was done, because what is there is not to be touched.
    pub const REFUSED_STEP: &'static str = "refused";
    /// The plan by which a lost control plane is recovered.
    pub const RECOVERY: &'static str = "recover";
}
