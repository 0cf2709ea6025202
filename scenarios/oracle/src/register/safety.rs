//! Safety: never violated, faults or not. The sentences are contract: reports and documents print them as they stand here.

use terms::Capability;

use super::{Class, Rule, rule};
use crate::invariants::{
    acknowledged_writes_survive, checkpoints_are_complete, checkpoints_armed_before_teardown,
    checkpoints_need_no_api, checkpoints_outlive_ignorance, decisions_use_fresh_facts,
    failure_holds, foreign_cluster_refused, guard_holds_at_teardown, handover_is_bounded,
    identities_continue, last_known_good, no_credentials_left, nothing_runs_on_deleted_files,
    one_checkpoint_agent, one_etcd_cluster, one_operator_at_a_time, revisions_never_go_back,
    running_again_converges, somebody_can_start_an_apiserver, workloads_keep_running,
};

pub(super) const SAFETY: [Rule; 31] = [
    rule(
        "S1",
        "acknowledged-writes-survive",
        None,
        Class::Monitor,
        "Every write that was acknowledged is there afterwards, or superseded by a later one. (After a snapshot restore: every one acknowledged before the snapshot.)",
    )
    .judged_by(acknowledged_writes_survive::monitor, 1),
    rule(
        "S2",
        "revisions-never-go-back",
        None,
        Class::Monitor,
        "No client sees a resource version lower than one it has seen, unless the server says that its history is gone.",
    )
    .judged_by(revisions_never_go_back::monitor, 1),
    rule(
        "S3",
        "one-etcd-cluster",
        None,
        Class::State,
        "All living etcd members share one cluster id and one history.",
    )
    .judged_by(one_etcd_cluster::monitor, 2),
    rule(
        "S4",
        "one-acting-leader",
        None,
        Class::Monitor,
        "For each lock, two identities never write as leader within one lease period.",
    ),
    rule(
        "S5",
        "guard-holds-at-teardown",
        Some(Capability::SelfHosted),
        Class::Monitor,
        "When the bootstrap control plane is removed, enough verified self-hosted apiservers on different nodes serve, and self-hosted scheduler and controller manager hold their leases.",
    )
    .judged_by(guard_holds_at_teardown::monitor, 4),
    rule(
        "S5b",
        "checkpoints-armed-before-teardown",
        Some(Capability::SelfHosted),
        Class::Monitor,
        "When the bootstrap control plane is removed, every control-plane node that hosts a self-hosted apiserver holds a complete checkpoint of it.",
    )
    .judged_by(checkpoints_armed_before_teardown::monitor, 3)
    .under("a node whose power came back counts once it has hosted for 2 s"),
    rule(
        "S6",
        "somebody-can-start-an-apiserver",
        None,
        Class::Monitor,
        "At every instant some apiserver serves, or some living node has a static or activatable apiserver manifest with all its files, or a kubelet that has not restarted since it learnt of an apiserver pod bound to it.",
    )
    .judged_by(somebody_can_start_an_apiserver::monitor, 5)
    .under("some control-plane node has power, and none without power was last seen with an apiserver's manifest and its files"),
    rule(
        "S7",
        "one-owner-per-port",
        None,
        Class::State,
        "Two processes share a port only if both asked to and run as the same user.",
    ),
    rule(
        "S8",
        "same-configuration-side-by-side",
        None,
        Class::State,
        "Apiservers that serve at the same time agree on etcd, encryption and service-account keys.",
    ),
    rule(
        "S9",
        "no-credentials-left",
        None,
        Class::State,
        "When a procedure is done, no bootstrap secret, administrator kubeconfig or recovery directory is left on a node.",
    )
    .judged_by(no_credentials_left::monitor, 1)
    .under("judged at `done`, never in `holding`"),
    rule(
        "S10",
        "nothing-runs-on-deleted-files",
        None,
        Class::State,
        "No running bootstrap process depends on a file that has been removed.",
    )
    .judged_by(nothing_runs_on_deleted_files::monitor, 1),
    rule(
        "S11",
        "failure-holds",
        None,
        Class::Monitor,
        "A timeout or error never leaves fewer working apiservers than there were.",
    )
    .judged_by(failure_holds::monitor, 4),
    rule(
        "S12",
        "running-again-converges",
        None,
        Class::Monitor,
        "A procedure killed anywhere and started again, any number of times, ends as an undisturbed one does and removes nothing that it does not own.",
    )
    .judged_by(running_again_converges::monitor, 3),
    rule(
        "S13",
        "foreign-cluster-refused",
        None,
        Class::Monitor,
        "Starting against an etcd or node that belongs to another cluster is refused and changes nothing.",
    )
    .judged_by(foreign_cluster_refused::monitor, 1),
    rule(
        "S14",
        "every-asset-applied-once",
        Some(Capability::SelfHosted),
        Class::State,
        "At the end, the objects in the API equal the rendered ones: none missing, none doubled.",
    ),
    rule(
        "S15",
        "prerequisites-first",
        Some(Capability::SelfHosted),
        Class::Monitor,
        "Nothing is applied before its namespace and definition exist.",
    ),
    rule(
        "S16",
        "checkpoints-are-complete",
        Some(Capability::Checkpoints),
        Class::State,
        "A checkpoint that could be activated has all its files, all of one generation.",
    )
    .judged_by(checkpoints_are_complete::monitor, 3),
    rule(
        "S17",
        "checkpoints-need-no-api",
        Some(Capability::Checkpoints),
        Class::State,
        "A checkpoint refers to no API object and to no scheduling constraint.",
    )
    .judged_by(checkpoints_need_no_api::monitor, 2),
    rule(
        "S18",
        "checkpoints-outlive-ignorance",
        Some(Capability::Checkpoints),
        Class::Monitor,
        "A checkpoint is removed only after the API has said, throughout the grace period, that its parent is not bound to the node.",
    )
    .judged_by(checkpoints_outlive_ignorance::monitor, 2)
    .under("the installer states its grace period"),
    rule(
        "S19",
        "one-checkpoint-agent",
        Some(Capability::Checkpoints),
        Class::Monitor,
        "At most one agent acts on a node, and its own protection stays while it has a parent to protect.",
    )
    .judged_by(one_checkpoint_agent::monitor, 2),
    rule(
        "S20",
        "handover-is-bounded",
        Some(Capability::Checkpoints),
        Class::Timed,
        "A checkpoint and its parent run together at most for the stated window.",
    )
    .judged_by(handover_is_bounded::monitor, 2),
    rule(
        "S21",
        "last-known-good",
        Some(Capability::Checkpoints),
        Class::Monitor,
        "A revision replaces a checkpoint only after it was ready on that node for the stated time.",
    )
    .judged_by(last_known_good::monitor, 3),
    rule(
        "S22",
        "versions-may-meet",
        None,
        Class::State,
        "At every instant all pairs of apiservers differ by at most one minor, and nobody is newer than the oldest apiserver that it may talk to.",
    ),
    rule(
        "S23",
        "upgrades-go-one-by-one",
        Some(Capability::Upgrade),
        Class::Monitor,
        "Never more apiservers are unavailable than the stated number, and etcd keeps a spare member before each step.",
    ),
    rule(
        "S24",
        "endpoints-are-alive",
        None,
        Class::Timed,
        "The `kubernetes` Service names only living apiservers (stale at most 30 s, absent at most 12 s after a start or stop), and one at least while one lives.",
    ),
    rule(
        "S25",
        "identities-continue",
        None,
        Class::Monitor,
        "A certificate or token valid before a procedure is valid after it.",
    )
    .judged_by(identities_continue::monitor, 1),
    rule(
        "S26",
        "no-open-door",
        None,
        Class::State,
        "No component listens without authentication, in any phase.",
    ),
    rule(
        "S27",
        "evictions-spare-the-last",
        None,
        Class::Monitor,
        "Eviction or preemption never removes the last instance of a component.",
    ),
    rule(
        "S28",
        "decisions-use-fresh-facts",
        Some(Capability::Recover),
        Class::Monitor,
        "No procedure counts a pod whose node has no fresh lease.",
    )
    .judged_by(decisions_use_fresh_facts::monitor, 1)
    .under("judged of recoveries, at the steps that wait for pods"),
    rule(
        "S29",
        "one-operator-at-a-time",
        None,
        Class::Monitor,
        "Two bootstraps or recoveries never act at the same time.",
    )
    .judged_by(one_operator_at_a_time::monitor, 1)
    .under("one is begun while another is open"),
    rule(
        "S30",
        "workloads-keep-running",
        None,
        Class::Timed,
        "While the control plane is down, pods and Services on untouched nodes go on working, and their pods are not restarted.",
    )
    .judged_by(workloads_keep_running::monitor, 1)
    .under("no write was acknowledged for 5 s, and nodes that no fault of the case hits ran a user's workload until then"),
];
