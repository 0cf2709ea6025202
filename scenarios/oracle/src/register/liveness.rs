//! Liveness: in bounded time, once faults are healed. The sentences are contract: reports and documents print them as they stand here.

use terms::Capability;

use super::{Class, Rule, rule};
use crate::invariants::{
    a_new_leader_acts, bootstrap_completes, control_plane_returns, lost_instance_returns,
    node_loss_is_survived, pivot_keeps_the_api_writable, recovery_from_snapshot,
};

pub(super) const LIVENESS: [Rule; 16] = [
    rule(
        "L1",
        "bootstrap-completes",
        None,
        Class::Timed,
        "An undisturbed bootstrap reaches `done` within its budget.",
    )
    .judged_by(bootstrap_completes::monitor, 1)
    .under("no fault in the bootstrap, and the case asks for `done`"),
    rule(
        "L2",
        "pivot-keeps-the-api-writable",
        Some(Capability::SelfHosted),
        Class::Timed,
        "The longest write gap during the pivot stays within `api_write_outage`.",
    )
    .judged_by(pivot_keeps_the_api_writable::monitor, 1)
    .under("no fault in the pivot other than against the installer"),
    rule(
        "L3",
        "a-new-leader-acts",
        None,
        Class::Timed,
        "After the loss of a lease holder another acts within 25 s (scheduler on SIGTERM: 6 s).",
    )
    .judged_by(a_new_leader_acts::monitor, 2)
    .under("another instance on another node, etcd majority alive, no new fault"),
    rule(
        "L4",
        "lost-instance-returns",
        None,
        Class::Timed,
        "Any one instance of a component that is deleted or killed is replaced.",
    )
    .judged_by(lost_instance_returns::monitor, 2)
    .under("one instance at a time; the time counts from the last fault or heal"),
    rule(
        "L5",
        "node-loss-is-survived",
        Some(Capability::Ha),
        Class::Timed,
        "After the loss of any one control-plane node, writes and scheduling resume within their budgets.",
    )
    .judged_by(node_loss_is_survived::monitor, 1)
    .under("no other control-plane node is lost, and self-hosted apiservers serve elsewhere"),
    rule(
        "L6",
        "api-returns-after-power-loss",
        Some(Capability::Checkpoints),
        Class::Timed,
        "After one, several or all control-plane nodes lost power and returned, the API serves and everything is self-hosted again within the budgets. (Armed for every installer that claims to survive a reboot; for one that does not, it is reported as not claimed.)",
    )
    .judged_by(control_plane_returns::after_power_loss, 3)
    .under("writes were acknowledged before, no other fault before everything is back, etcd majority alive; self-hosted again: the procedure was done"),
    rule(
        "L7",
        "api-returns-after-deletion",
        Some(Capability::Checkpoints),
        Class::Timed,
        "After all apiserver pods are deleted, the API returns.",
    )
    .judged_by(control_plane_returns::after_apiserver_deletion, 3)
    .under("the procedure was done, no other fault before everything is back, etcd majority alive"),
    rule(
        "L8",
        "controllers-return-after-deletion",
        Some(Capability::Checkpoints),
        Class::Timed,
        "After all schedulers, or all controller managers, are lost while the API lives, they return without a person.",
    )
    .judged_by(control_plane_returns::after_controller_deletion, 3)
    .under("the procedure was done, no other fault before everything is back, etcd majority alive"),
    rule(
        "L9",
        "processes-return",
        None,
        Class::Timed,
        "After the loss of every control-plane process with etcd's disks intact, the control plane returns (by checkpoint or by `recover`, which is said).",
    )
    .judged_by(control_plane_returns::after_process_loss, 3)
    .under("the procedure was done, no other fault before everything is back, etcd majority alive"),
    rule(
        "L10",
        "recovery-from-snapshot",
        Some(Capability::Recover),
        Class::Timed,
        "After the loss of all control-plane nodes and their disks, the cluster returns on new nodes from a snapshot, and stale objects converge.",
    )
    .judged_by(recovery_from_snapshot::monitor, 2)
    .under("a recovery from a snapshot was begun and not refused, and no fault came after it began"),
    rule(
        "L11",
        "partition-heals",
        Some(Capability::Ha),
        Class::Timed,
        "After a partition heals there is one leader per lock, right endpoints, no orphaned checkpoint.",
    ),
    rule(
        "L12",
        "upgrade-ends",
        Some(Capability::Upgrade),
        Class::Timed,
        "A rolling upgrade completes, or halts with the old version serving.",
    ),
    rule(
        "L13",
        "bad-rollout-stops",
        Some(Capability::Upgrade),
        Class::Timed,
        "A broken revision stops at the stated number of instances and can be undone.",
    ),
    rule(
        "L14",
        "expired-certificates-are-survivable",
        None,
        Class::Timed,
        "A node or control plane with expired certificates can be brought back by the documented way.",
    ),
    rule(
        "L15",
        "a-joiner-becomes-a-peer",
        Some(Capability::Join),
        Class::Timed,
        "A joining node is approved, labelled, and hosts ready control-plane pods within its budget.",
    ),
    rule(
        "L16",
        "it-quiets-down",
        None,
        Class::Timed,
        "After the last event, restarts, lease changes, endpoint updates and manifest writes stop.",
    ),
];
