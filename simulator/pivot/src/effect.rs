//! What goes into the machine and what comes out.

use serde::{Deserialize, Serialize};
use terms::{Component, Moment};

use crate::facts::Facts;
use crate::few::Few;
use crate::plan::{AssetGroup, Why};

/// A number that tells a task's attempts apart; the answer of a stale attempt is ignored.
pub type Attempt = u8;

/// Index of a stage in its plan.
pub type StageIndex = u8;

/// Something that happened.
// Nearly every input is facts, and a box would be heap.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// The driver looked at the cluster.
    Facts(Facts),
    /// A task ended.
    Finished(Task, Attempt, Outcome),
    /// A timer ran out.
    Elapsed(Timer),
    /// The hold point of an announcement was passed; without a hold the driver says so at once.
    Released(StageIndex, Moment),
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The other side refused, and will again: trying again does not help.
    Refused(Why),
    /// It failed, and may succeed later.
    Failed(Why),
    /// Its deadline passed: it may have happened.
    Unknown,
}

/// Something that the driver must do. Tasks are idempotent and per object, so that partial failure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Task {
    /// Refuse a node or an etcd that belongs to another cluster; otherwise claim them.
    ClaimCluster,
    /// Refuse an etcd that holds no cluster or another one, a cluster that is alive, and a node with
    /// somebody else's remains on it.
    ClaimExisting,
    /// Put the bootstrap secrets where the bootstrap manifests expect them.
    StageSecrets,
    /// Put a component's bootstrap manifest into the kubelet's directory (from the assets or the stash).
    PlaceManifest(Component),
    /// Apply one group of objects, converging.
    Apply(AssetGroup),
    /// Label the control-plane node with this index.
    LabelNode(u8),
    /// Delete stale Node objects and the pods that are bound to them.
    PurgeStale,
    /// Move a component's bootstrap manifest out of the kubelet's directory into the stash.
    StashManifest(Component),
    /// Remove a component's bootstrap manifest for good, with no way back (history's way).
    DeleteManifest(Component),
    /// Move the bootstrap secrets into the stash.
    StashSecrets,
    /// Delete the bootstrap secrets (history's way).
    DeleteSecrets,
    /// A canary Deployment must be created, bound and ready, and is then removed.
    Canary,
    /// Write and read through the load balancer and through every self-hosted apiserver.
    VerifyApi,
    /// Destroy the stash, the assets and the installer's own credentials.
    DestroyStash,
}

/// A timer. Its duration is the plan's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    /// The stage has taken too long.
    Stage,
    /// What a gate asks for has held for long enough.
    Stable,
    /// It is time to try failed tasks again.
    Retry,
}

/// Something that the driver must do, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Write this down and sync it before the next effect.
    Persist(Durable),
    /// Begin a task.
    Start(Task, Attempt),
    /// Give up a task; its answer no longer matters.
    Cancel(Task),
    /// Start a timer anew.
    Arm(Timer),
    /// Stop a timer.
    Disarm(Timer),
    /// Say that a step was reached, and wait to be released.
    Announce(StageIndex, Moment),
    /// The procedure stands still with a reason and waits for a person; the bootstrap control plane stays up.
    Hold(StageIndex, Why),
    /// The bootstrap control plane is being put back because of this.
    Reinstate(StageIndex, Why),
    /// The procedure is done.
    Finish,
}

/// All that survives a kill. `None` is a fresh start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Durable {
    /// The stage that was reached.
    pub stage: StageIndex,
    /// Whether that stage's work is done.
    pub completed: bool,
    /// Whether the procedure holds, and why.
    pub holding: Option<Why>,
    /// Whether the bootstrap control plane was being put back.
    pub reinstating: bool,
    /// Whether the whole procedure is done.
    pub done: bool,
}

/// What one step asks of the driver.
pub type Effects = Few<Effect>;
