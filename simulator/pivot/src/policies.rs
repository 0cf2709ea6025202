//! The plans that ship.

use terms::{Component, StepName};

use crate::plan::{
    ComponentSet, GateRule, IdentifyRule, OnTimeout, Plan, Rules, SecretsRule, Stage, StageKind,
    TaskRule,
};

/// How long a stage may take unless said otherwise: several times what a slow host needs.
const GENEROUS_MS: u32 = 120_000;

impl Plan {
    /// The names of the plans that ship and bootstrap a cluster.
    pub const NAMES: [&'static str; 3] = ["modern", "bootkube", "kubeadm-alpha"];

    /// The plan with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "modern" => Some(modern()),
            "bootkube" => Some(bootkube()),
            "kubeadm-alpha" => Some(kubeadm_alpha()),
            Self::RECOVERY => Some(recover()),
            _ => None,
        }
    }
}

/// The reference: it takes nothing away before it is proven that the cluster can do without, proves
/// it again afterwards, and stands still when in doubt.
pub fn modern() -> Plan {
    let rules = Rules {
        identify: IdentifyRule::Proof,
        on_timeout: OnTimeout::Hold,
        least_apiservers: 2,
        load_balancer: true,
        checkpointed: ComponentSet::ALL,
        stash: true,
        marker: true,
        claim: true,
        guard: true,
        tasks: TaskRule::Converge,
        secrets: SecretsRule::AfterProcesses,
        destroy_stash: true,
    };
    Plan {
        policy: "modern".to_owned(),
        stages: modern_stages(),
        rules,
        // What fails at first waits for a neighbour that comes up within seconds.
        retry_ms: 250,
    }
}

fn modern_stages() -> Vec<Stage> {
    let gate = |step: &str, rule, stable_ms| Stage {
        stable_ms,
        ..stage(step, StageKind::Gate(rule), GENEROUS_MS)
    };
    vec![
        stage("secrets-staged", StageKind::Stage, GENEROUS_MS),
        // Whoever comes after the first two gates waits by itself; a quiet second would prove nothing
        // more, and costs six: a kubelet's attempts to register are by then 6.4 s apart.
        gate("etcd-serving", GateRule::EtcdServing, 0),
        stage(
            "manifests-placed",
            StageKind::Place(ComponentSet::ALL),
            GENEROUS_MS,
        ),
        gate("bootstrap-serving", GateRule::BootstrapServing, 0),
        gate("nodes-registered", GateRule::NodesRegistered, 0),
        // The label comes through the API, for kubelets may not give it to themselves.
        stage("nodes-labelled", StageKind::Label, GENEROUS_MS),
        stage("assets-applied", StageKind::Apply, GENEROUS_MS),
        // A pod that no node takes is known at once; nobody should wait for minutes to hear of it.
        Stage {
            deadline_ms: 60_000,
            ..gate("pods-scheduled", GateRule::PodsScheduled, 0)
        },
        Stage {
            deadline_ms: 180_000,
            ..gate("self-hosted-serving", GateRule::SelfHostedServing, 2_000)
        },
        // From here on a power cut of every node is survived: the agents' copies start by themselves.
        stage(
            "checkpoints-armed",
            StageKind::Arm(ComponentSet::ALL),
            GENEROUS_MS,
        ),
        Stage {
            stable_ms: Plan::LEAST_HAND_OVER_MS,
            ..stage(
                "controllers-handed-over",
                StageKind::HandOver(ComponentSet::CONTROLLERS),
                GENEROUS_MS,
            )
        },
        Stage {
            stable_ms: 1_000,
            ..stage(
                "bootstrap-draining",
                StageKind::Drain(ComponentSet::APISERVER),
                GENEROUS_MS,
            )
        },
        stage(
            "bootstrap-removed",
            StageKind::Remove(ComponentSet::ALL),
            GENEROUS_MS,
        ),
        // From here on nobody may be serving: the bootstrap control plane must be back before an
        // outage of thirty seconds, and needs several of them to start.
        stage("verified", StageKind::Verify, 20_000),
    ]
}

/// Recovery of a cluster whose etcd lives and whose control plane does not: a bootstrap control plane
/// out of the escrow, then the same pivot as the reference's.
///
/// Nothing is applied, for etcd holds the objects, and their operator may have changed them since. What
/// the API remembers of nodes that are gone is deleted before any gate: history counted pods that only
/// etcd remembered, and scheduled onto nodes that were dead and still called ready.
pub fn recover() -> Plan {
    let mut stages = vec![
        stage("secrets-staged", StageKind::Reclaim, GENEROUS_MS),
        stage(
            "manifests-placed",
            StageKind::Place(ComponentSet::ALL),
            GENEROUS_MS,
        ),
        stage(
            "bootstrap-serving",
            StageKind::Gate(GateRule::BootstrapServing),
            GENEROUS_MS,
        ),
        // A lease must be watched for longer than it lasts, which is up to 40 s.
        stage("stale-purged", StageKind::Purge, 180_000),
        stage("nodes-labelled", StageKind::Label, GENEROUS_MS),
    ];
    let pivot = |stage: &Stage| stage.step.as_str() != "pods-scheduled";
    stages.extend(modern_stages().into_iter().skip_while(pivot));
    Plan {
        policy: Plan::RECOVERY.to_owned(),
        stages,
        ..modern()
    }
}

/// bootkube 0.14 as it really behaved, expressed by the same stages.
///
/// It posted each asset once, asked for pods whose *name* began right and whose phase was Running,
/// deleted the secrets and then the manifests without waiting, verified nothing, remembered nothing,
/// and did the same after every timeout and error. Two things differ from history. Its gate waited
/// for 20 minutes, here for one, so that scenarios end. And kubelets of its time gave themselves
/// their role's label, which is forbidden since 1.16: `nodes-labelled` stands for that.
///
/// Its agent is `checkpoint::bootkube_agent`; nothing waits for it. Not expressed: the random choice among several
/// pods with the right prefix (any one suffices here), and the refusal of an existing manifest.
pub fn bootkube() -> Plan {
    let stages = vec![
        stage("secrets-staged", StageKind::Stage, GENEROUS_MS),
        stage(
            "manifests-placed",
            StageKind::Place(ComponentSet::ALL),
            GENEROUS_MS,
        ),
        stage(
            "bootstrap-serving",
            StageKind::Gate(GateRule::BootstrapServing),
            GENEROUS_MS,
        ),
        stage(
            "nodes-registered",
            StageKind::Gate(GateRule::NodesRegistered),
            GENEROUS_MS,
        ),
        stage("nodes-labelled", StageKind::Label, GENEROUS_MS),
        stage("assets-applied", StageKind::Apply, GENEROUS_MS),
        stage(
            "self-hosted-serving",
            StageKind::Gate(GateRule::SelfHostedServing),
            60_000,
        ),
        stage(
            "bootstrap-removed",
            StageKind::Remove(ComponentSet::ALL),
            GENEROUS_MS,
        ),
    ];
    let rules = Rules {
        identify: IdentifyRule::NamePrefix,
        on_timeout: OnTimeout::TearDown,
        least_apiservers: 1,
        load_balancer: false,
        checkpointed: ComponentSet::APISERVER,
        stash: false,
        marker: false,
        claim: false,
        guard: false,
        tasks: TaskRule::OneShot,
        secrets: SecretsRule::BeforeManifests,
        destroy_stash: false,
    };
    Plan {
        policy: "bootkube".to_owned(),
        stages,
        rules,
        retry_ms: 5_000,
    }
}

/// `kubeadm alpha selfhosting pivot` (1.13 to 1.20), expressed by the same stages: one component after
/// another was made a DaemonSet; once pods with its label were Running its static manifest was removed,
/// and an answer of the API was waited for.
///
/// Not expressed. It began on a control plane that served already: the first stages stand for that. It
/// applied each component's DaemonSet just before it removed that component; here all three are applied
/// first, and each gate asks for pods of all three. It ended with an error wherever it stood and put
/// nothing back; here a failure after the first removal puts the static pods back. It tried an apply
/// five times; here it is tried until the stage is overdue. It did not wait for a load balancer, for it
/// knew of none. And static and self-hosted apiserver shared one port, which is the assets'
/// affair, not the plan's: the second crashed until the first had gone.
pub fn kubeadm_alpha() -> Plan {
    let mut stages = vec![
        stage("secrets-staged", StageKind::Stage, GENEROUS_MS),
        stage(
            "manifests-placed",
            StageKind::Place(ComponentSet::ALL),
            GENEROUS_MS,
        ),
        stage(
            "bootstrap-serving",
            StageKind::Gate(GateRule::BootstrapServing),
            GENEROUS_MS,
        ),
        stage("nodes-labelled", StageKind::Label, GENEROUS_MS),
        stage("assets-applied", StageKind::Apply, GENEROUS_MS),
    ];
    for component in Component::SELF_HOSTED {
        let set = ComponentSet(ComponentSet::bit(component));
        let gate = StageKind::Gate(GateRule::SelfHostedServing);
        stages.extend([
            stage(&format!("{component}-running"), gate, GENEROUS_MS),
            stage(
                &format!("{component}-removed"),
                StageKind::Drain(set),
                GENEROUS_MS,
            ),
            stage(
                &format!("{component}-verified"),
                StageKind::Verify,
                GENEROUS_MS,
            ),
        ]);
    }
    let rules = Rules {
        identify: IdentifyRule::NamePrefix,
        on_timeout: OnTimeout::Hold,
        least_apiservers: 1,
        load_balancer: false,
        checkpointed: ComponentSet::NONE,
        stash: true,
        marker: false,
        claim: false,
        guard: false,
        tasks: TaskRule::Converge,
        secrets: SecretsRule::AfterProcesses,
        destroy_stash: false,
    };
    Plan {
        policy: "kubeadm-alpha".to_owned(),
        stages,
        rules,
        retry_ms: 5_000,
    }
}

fn stage(step: &str, kind: StageKind, deadline_ms: u32) -> Stage {
    Stage {
        step: StepName::new(step),
        kind,
        deadline_ms,
        stable_ms: 0,
    }
}
