//! Selectors: what each picks, and that it picks the same again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use scenarios::{ClusterSnapshot, Draw, Target, Unresolved, resolve, resolve_all};
use terms::{Component, NodeId, Selector, Selectors};

fn snapshot(control_plane: usize, workers: usize) -> ClusterSnapshot {
    let nodes = (1..=control_plane).map(NodeId::control_plane);
    ClusterSnapshot {
        nodes: nodes.chain((1..=workers).map(NodeId::worker)).collect(),
        bootstrap: NodeId::control_plane(1),
        etcd_leader: Some(NodeId::control_plane(control_plane)),
        holders: BTreeMap::from([
            (Component::KubeScheduler, Some(NodeId::control_plane(1))),
            (Component::KubeControllerManager, None),
        ]),
        bound: BTreeMap::from([("victim".to_owned(), vec![NodeId::new("cp-2")])]),
    }
}

fn picked(text: &str, snapshot: &ClusterSnapshot, draw: Draw) -> Result<String, Unresolved> {
    let target = Target::parse(&Selector(text.to_owned()))?;
    let nodes = resolve(&target, snapshot, draw)?;
    Ok(nodes
        .iter()
        .map(NodeId::as_str)
        .collect::<Vec<_>>()
        .join(" "))
}

#[test]
fn each_selector_picks_what_it_says() {
    let draw = Draw {
        seed: 1,
        entry: 0,
        position: 0,
    };
    let expected = [
        ("cp-2", "cp-2"),
        ("@bootstrap", "cp-1"),
        ("@all-control-plane", "cp-1 cp-2 cp-3"),
        ("@worker", "worker-1"),
        ("@all-workers", "worker-1 worker-2"),
        ("@leader(etcd)", "cp-3"),
        ("@holder(kube-scheduler)", "cp-1"),
        ("@victim", "cp-2"),
    ];
    for (text, nodes) in expected {
        assert_eq!(
            picked(text, &snapshot(3, 2), draw).unwrap(),
            nodes,
            "{text}"
        );
    }
}

#[test]
fn what_nobody_is_resolves_to_a_reason() {
    let draw = Draw {
        seed: 1,
        entry: 0,
        position: 0,
    };
    for text in [
        "cp-9",
        "@worker",
        "@any-worker",
        "@another-control-plane",
        "@holder(kube-controller-manager)",
        "@nobody",
    ] {
        assert!(picked(text, &snapshot(1, 0), draw).is_err(), "{text}");
    }
}

#[test]
fn a_list_picks_each_node_once() {
    let list = ["@all-control-plane", "cp-2", "@bootstrap", "worker-1"]
        .map(|text| Selector(text.to_owned()));
    let draw = Draw {
        seed: 1,
        entry: 0,
        position: 0,
    };
    let nodes = resolve_all(&Selectors(list.to_vec()), &snapshot(3, 1), draw).unwrap();
    assert_eq!(nodes.len(), 4);
}

#[test]
fn draws_reach_every_candidate() {
    let reached = |text: &str| -> BTreeSet<String> {
        (0..200)
            .map(|seed| {
                picked(
                    text,
                    &snapshot(3, 3),
                    Draw {
                        seed,
                        entry: 2,
                        position: 0,
                    },
                )
                .unwrap()
            })
            .collect()
    };
    assert_eq!(reached("@any-control-plane").len(), 3);
    assert_eq!(reached("@any-worker").len(), 3);
    assert_eq!(
        reached("@another-control-plane"),
        BTreeSet::from(["cp-2", "cp-3"].map(str::to_owned))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_draw_picks_the_same(
        seed in any::<u64>(), entry in any::<u32>(), position in 0_u32..100,
        control_plane in 1_usize..10, workers in 0_usize..50, which in 0_usize..5,
    ) {
        let text = ["@any-control-plane", "@any-worker", "@another-control-plane", "@majority(etcd)", "@all-workers"][which];
        let (snapshot, draw) = (snapshot(control_plane, workers), Draw { seed, entry, position });
        prop_assert_eq!(picked(text, &snapshot, draw), picked(text, &snapshot, draw));
    }

    #[test]
    fn a_majority_is_one(seed in any::<u64>(), control_plane in 1_usize..10) {
        let draw = Draw { seed, entry: 0, position: 0 };
        let nodes = resolve(&Target::Majority, &snapshot(control_plane, 3), draw).unwrap();
        let distinct: BTreeSet<_> = nodes.iter().collect();
        prop_assert_eq!(distinct.len(), control_plane / 2 + 1);
        prop_assert!(nodes.iter().all(NodeId::is_control_plane));
    }

    #[test]
    fn reading_a_selector_never_panics(text in "\\PC{0,40}") {
        let _ = Target::parse(&Selector(text));
    }
}
