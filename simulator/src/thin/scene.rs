//! What a run is about: the cluster, its peculiarities, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};

use pivot::checkpoint::AgentPlan;
use terms::{Component, Milliseconds, Moment, StepName};

/// An etcd that does not sync loses what it wrote in this time.
pub(crate) const UNSYNCED_MS: u64 = 2_000;
/// How long a lease is held that lasts too long.
pub(crate) const LEASE_TOO_LONG_MS: u64 = 600_000;
/// How long a crashing apiserver runs.
pub(crate) const CRASH_MS: u64 = 2_000;
/// An apiserver that found its port taken ended twice before: the third wait of its container.
pub(crate) const PORT_BACK_OFF_MS: u64 = 40_000;

/// A scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Its name; the case's id in the observations.
    pub name: String,
    /// How many control-plane nodes.
    pub control_planes: u8,
    /// How many workers.
    pub workers: u8,
    /// What the checkpoint agents follow, if there are any.
    pub agent: Option<AgentPlan>,
    /// What is peculiar from the beginning.
    pub quirks: BTreeSet<Quirk>,
    /// What happens, one after another.
    pub incidents: Vec<Incident>,
    /// The end that is asked for: `done` or `holding`.
    pub ends: String,
    /// Budgets in force, by name: the defaults of the scenario language.
    pub budgets: BTreeMap<String, Milliseconds>,
    /// How long the world is watched after the last operation ended and the last incident happened.
    pub afterwards_ms: u64,
    /// How often the watcher looks: at 5 Hz, as on a real cluster, unless nobody judges what it sees.
    pub watch_every_ms: u64,
    /// When the run is over in any case.
    pub longest_ms: u64,
}

/// Something peculiar. The first ones are the cluster's, the next ones mistakes that an installer can
/// make, and the last ones what no cluster does: with them the comparison of worlds is put on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// No node takes the self-hosted apiserver's pods.
    ApiserverCannotBeScheduled,
    /// Self-hosted apiservers start and end, again and again.
    ApiserversCrash,
    /// All self-hosted apiservers but the last node's crash.
    OneApiserverServes,
    /// The first attempt to apply each group of objects is refused.
    AssetsAreRefusedAtFirst,
    /// Self-hosted controllers are ready, but never take their leases.
    ControllersNeverLead,
    /// etcd acknowledges before it syncs: its leader's power loss takes the last two seconds along.
    EtcdDoesNotSync,
    /// Each etcd member is a cluster of its own.
    EtcdMembersStartAlone,
    /// The last control-plane node's apiserver answers from an old cache.
    StaleReads,
    /// The procedure ends with a new certificate authority.
    AuthorityIsRenewed,
    /// Leases are held for ten minutes.
    LeasesLastTooLong,
    /// Control-plane pods belong to nobody who would replace them.
    PodsWithoutOwner,
    /// The load balancer lists the bootstrap node's apiservers only.
    LoadBalancerKnowsOneNode,
    /// The load balancer never lists a self-hosted apiserver.
    LoadBalancerMissesSelfHosted,
    /// Self-hosted apiservers want the bootstrap one's port, and come up only some time after it has gone.
    OneApiserverPort,
    /// Pods are bound although no scheduler leads.
    PodsAreBoundUnled,
    /// Pods are made although their DaemonSets were not applied.
    PodsNeedNoAssets,
    /// Kubelets start containers on nodes without power.
    KubeletsNeedNoPower,
    /// A lease is taken although its holder works.
    LeasesAreTakenEarly,
    /// The load balancer lists apiservers that are not ready.
    LoadBalancerListsTheUnready,
    /// The installer's requests succeed although nobody serves.
    RequestsNeedNoApiserver,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub when: When,
    /// What.
    pub what: Happening,
}

/// When an incident happens; it waits for the one before it in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At a step: the installer is held there meanwhile.
    At(StepName, Moment),
    /// Before the installer's effect with this number, counted from 1 over all its processes.
    BeforeEffect(u64),
    /// This many milliseconds after the incident before it, or after the beginning.
    After(u64),
    /// This many milliseconds after the procedure ended.
    AfterEnd(u64),
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A node, by its index, loses its power until it is powered on.
    PowerOff(u8),
    /// A node gets its power back; an unfinished installer there resumes by itself.
    PowerOn(u8),
    /// The etcd leader's node loses its power.
    PowerOffEtcdLeader,
    /// Every node gets its power back.
    PowerOnAll,
    /// The installer's process is killed.
    KillInstaller,
    /// A killed installer is started again.
    Resume,
    /// A component's process on a node is killed.
    Kill(Component, u8),
    /// The process that holds a component's lease is killed.
    KillHolder(Component),
    /// The world turns peculiar. Nobody did it: it is no fault of the record.
    Turn(Quirk),
    /// Another cluster's installer is started on the bootstrap node.
    StartForeign,
}

impl Scene {
    /// A scene in which nothing is peculiar and nothing happens.
    pub fn calm(name: &str, control_planes: u8, workers: u8) -> Self {
        Self {
            name: name.to_owned(),
            control_planes,
            workers,
            agent: AgentPlan::named("modern"),
            quirks: BTreeSet::new(),
            incidents: Vec::new(),
            ends: "done".to_owned(),
            budgets: scenarios::BUDGETS
                .iter()
                .map(|budget| (budget.name.to_owned(), budget.default))
                .collect(),
            afterwards_ms: 20_000,
            watch_every_ms: 200,
            longest_ms: 900_000,
        }
    }

    /// The same scene with something peculiar.
    #[must_use]
    pub fn with(mut self, quirk: Quirk) -> Self {
        self.quirks.insert(quirk);
        self
    }

    /// The same scene, in which something happens after all else.
    #[must_use]
    pub fn when(mut self, when: When, what: Happening) -> Self {
        self.incidents.push(Incident { when, what });
        self
    }

    /// The same scene, in which something happens at a step.
    #[must_use]
    pub fn at(self, step: &str, moment: Moment, what: Happening) -> Self {
        self.when(When::At(StepName::new(step), moment), what)
    }

    /// The same scene, watched for this long afterwards.
    #[must_use]
    pub fn watched_for(mut self, afterwards_ms: u64) -> Self {
        self.afterwards_ms = afterwards_ms;
        self
    }

    /// The same scene with other checkpoint agents.
    #[must_use]
    pub fn kept_by(mut self, agent: AgentPlan) -> Self {
        self.agent = Some(agent);
        self
    }

    /// The same scene with another end.
    #[must_use]
    pub fn ending(mut self, ends: &str) -> Self {
        self.ends = ends.to_owned();
        self
    }
}
