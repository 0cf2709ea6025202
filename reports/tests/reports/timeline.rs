//! The timeline of a case.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::*;
use oracle::{Observation, Sighting, Source};
use terms::{Actor, Component, Fault, Incarnation, Moment, NodeFault, NodeId, Selector, Selectors};

use crate::golden;

fn at(ms: u64, source: Source, saw: Sighting) -> Observation {
    Observation {
        v: 1,
        source,
        seq: ms,
        start_us: ms * 1_000,
        end_us: ms * 1_000,
        saw,
    }
}

fn node(number: usize) -> NodeId {
    NodeId::control_plane(number)
}

fn inventory(ms: u64, number: usize, apiservers: &[Incarnation]) -> Observation {
    let processes = apiservers
        .iter()
        .map(|incarnation| Process {
            component: Component::KubeApiserver,
            incarnation: Some(*incarnation),
            id: ProcessId {
                pid: 1,
                start_ticks: 1,
            },
            missing_files: BTreeSet::new(),
        })
        .collect();
    let inventory = NodeInventory {
        processes,
        ..NodeInventory::default()
    };
    at(
        ms,
        Source::Node(node(number)),
        Sighting::NodeInventory(inventory),
    )
}

fn request(ms: u64, source: Source, kind: RequestKind, acknowledged: bool) -> Observation {
    let outcome = if acknowledged {
        RequestOutcome::Acknowledged { revision: None }
    } else {
        RequestOutcome::TimedOut
    };
    let request = Request {
        kind,
        connection: Connection::New,
        outcome,
        served_by: None,
    };
    at(ms, source, Sighting::Request(request))
}

fn step(ms: u64, name: &str) -> Observation {
    let step = Step {
        actor: Actor::default(),
        step: name.into(),
        moment: Moment::Completed,
        occurrence: 1,
        held: false,
        reason: None,
    };
    at(ms, Source::Steps, Sighting::Step(step))
}

fn lease(ms: u64, number: usize) -> Observation {
    let lease = Lease {
        lock: Component::KubeScheduler,
        holder: Some(format!("cp-{number}_abc")),
        holder_node: Some(node(number)),
        transitions: 1,
        renewed: ms.to_string(),
    };
    at(ms, Source::Cluster, Sighting::Lease(lease))
}

fn etcd(ms: u64, number: usize, leader: &str, term: u64) -> Observation {
    let status = EtcdStatus {
        cluster: "c".into(),
        member: format!("m{number}"),
        leader: Some(leader.into()),
        term,
        revision: 1,
    };
    at(
        ms,
        Source::EtcdMember(node(number)),
        Sighting::Etcd(Some(status)),
    )
}

fn opened() -> Observation {
    let opened = CaseOpened {
        case: "x".into(),
        nodes: vec![node(1), node(2), NodeId::worker(1)],
        bootstrap_node: node(1),
        capabilities: BTreeSet::new(),
        wanted_instances: 2,
        guard_instances: 2,
        budgets: BTreeMap::new(),
        done_step: "done".into(),
        expected_end: "done".into(),
        checkpoint_times: None,
    };
    at(0, Source::Runner, Sighting::CaseOpened(opened))
}

fn power_off(ms: u64, number: usize) -> Observation {
    let node_fault = NodeFault {
        node: Selectors(vec![Selector(format!("cp-{number}"))]),
        bind: None,
    };
    let fault = FaultRecord {
        entry: 1,
        fault: Fault::PowerOff(node_fault),
        targets: vec![node(number)],
        objects: vec!["container 1f2e".into()],
        effect: Ok("its init process is gone".into()),
        fidelity: "process-level".into(),
    };
    at(ms, Source::Runner, Sighting::Fault(fault))
}

/// Two nodes, a pivot, a power cut, and what came of it.
pub(crate) fn story() -> Vec<Observation> {
    use Incarnation::{Bootstrap, SelfHosted};
    let heal = HealRecord {
        entry: 2,
        nodes: vec![node(1)],
        effect: Ok("it boots".into()),
    };
    let settled = Settled {
        entry: 3,
        missing: vec!["kube-apiserver on cp-1".into()],
        failed_claims: BTreeMap::new(),
        took_ms: 180_000,
    };
    vec![
        opened(),
        inventory(100, 1, &[]),
        inventory(200, 2, &[]),
        inventory(9_000, 1, &[Bootstrap]),
        request(9_500, Source::LoadBalancer, RequestKind::Write(1), true),
        step(9_600, "bootstrap-serving"),
        lease(9_700, 1),
        etcd(9_800, 1, "m1", 2),
        inventory(20_000, 1, &[Bootstrap, SelfHosted]),
        inventory(20_100, 2, &[SelfHosted]),
        request(20_150, Source::LoadBalancer, RequestKind::Write(2), true),
        request(
            20_200,
            Source::Apiserver(node(2)),
            RequestKind::Ready,
            false,
        ),
        step(20_300, "self-hosted-serving"),
        request(20_400, Source::Apiserver(node(2)), RequestKind::Ready, true),
        power_off(21_000, 1),
        etcd(23_000, 2, "m2", 3),
        etcd(23_100, 2, "m2", 3),
        lease(26_000, 2),
        request(27_000, Source::LoadBalancer, RequestKind::Write(3), true),
        at(
            27_500,
            Source::Node(node(2)),
            Sighting::Gap(Gap {
                since_us: 25_000_000,
                reason: "the stream broke".into(),
            }),
        ),
        step(27_600, "verified"),
        at(40_000, Source::Runner, Sighting::Heal(heal)),
        inventory(45_000, 1, &[]),
        at(220_000, Source::Runner, Sighting::Settled(settled)),
        at(
            220_100,
            Source::Runner,
            Sighting::CaseClosed(CaseClosed {
                end: "done".into(),
                trouble: None,
            }),
        ),
    ]
}

#[test]
fn a_story_is_told_as_it_was() {
    golden::check("timeline.txt", &reports::timeline(&story()));
}

#[test]
fn the_order_of_the_lines_does_not_matter() {
    let mut backwards = story();
    backwards.reverse();
    assert_eq!(reports::timeline(&backwards), reports::timeline(&story()));
}

#[test]
fn a_member_that_lags_behind_changes_no_leader() {
    let seen = [
        etcd(1, 1, "m1", 2),
        etcd(2, 2, "m2", 3),
        etcd(3, 1, "m1", 2),
        etcd(4, 2, "m2", 3),
    ];
    let text = reports::timeline(&seen);
    assert_eq!(text.matches(" leads in term ").count(), 2, "{text}");
}

#[test]
fn nothing_seen_is_an_empty_table_with_its_legend() {
    assert_eq!(reports::timeline(&[]).lines().count(), 2);
}

#[test]
fn a_text_of_several_lines_stays_one_event() {
    let mut told = step(1, "holding");
    if let Sighting::Step(step) = &mut told.saw {
        step.reason = Some("one\ntwo\u{1b}[31m".into());
    }
    assert_eq!(reports::timeline(&[told]).lines().count(), 3);
}
