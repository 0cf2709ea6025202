//! Observations written down one after the other, with sources numbered by themselves.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    CaseClosed, CaseOpened, CheckpointTimes, Connection, Request, RequestKind, RequestOutcome,
    Served,
};
use oracle::{CaseResult, Expectation, Judgement, Observation, Sighting, Source, Verdict, judge};
use terms::{Capability, Incarnation, Milliseconds, NodeId};

#[derive(Clone, Default)]
pub(crate) struct Story {
    pub(crate) told: Vec<Observation>,
    numbers: BTreeMap<Source, u64>,
}

impl Story {
    /// Something that took no time.
    pub(crate) fn tell(&mut self, at_ms: u64, source: Source, saw: Sighting) {
        self.tell_span(at_ms, at_ms, source, saw);
    }

    pub(crate) fn tell_span(&mut self, start_ms: u64, end_ms: u64, source: Source, saw: Sighting) {
        let next = self.numbers.entry(source.clone()).or_default();
        let seq = *next;
        *next += 1;
        let (start_us, end_us) = (start_ms * 1_000, end_ms * 1_000);
        self.told.push(Observation {
            v: 1,
            source,
            seq,
            start_us,
            end_us,
            saw,
        });
    }

    pub(crate) fn close(&mut self, at_ms: u64, end: &str) {
        let closed = CaseClosed {
            end: end.to_owned(),
            trouble: None,
        };
        self.tell(at_ms, Source::Runner, Sighting::CaseClosed(closed));
    }

    pub(crate) fn verdict(&self) -> Verdict {
        judge(&self.told, &expects("done", &[]))
    }

    pub(crate) fn without(mut self, drop: impl Fn(&Observation) -> bool) -> Self {
        self.told.retain(|seen| !drop(seen));
        self
    }
}

pub(crate) fn expects(ends: &str, violated: &[&str]) -> Expectation {
    let violated = violated.iter().map(|slug| (*slug).to_owned()).collect();
    Expectation {
        ends: ends.to_owned(),
        violated,
    }
}

pub(crate) fn opened(control_plane: u32) -> CaseOpened {
    let mut nodes: Vec<_> = (1..=control_plane).map(cp).collect();
    nodes.push(NodeId::new("worker-1"));
    let budgets = [
        ("bootstrap", 300),
        ("api_write_outage", 60),
        ("api_return", 120),
        ("control_plane_return", 180),
        ("redundancy_restored", 120),
        ("new_leader", 25),
        ("detection", 30),
    ];
    CaseOpened {
        case: "a-case".to_owned(),
        nodes,
        bootstrap_node: cp(1),
        capabilities: BTreeSet::from([
            Capability::SelfHosted,
            Capability::Ha,
            Capability::Checkpoints,
        ]),
        wanted_instances: control_plane,
        guard_instances: control_plane.min(2),
        budgets: budgets
            .into_iter()
            .map(|(name, seconds)| (name.to_owned(), Milliseconds::from_seconds(seconds)))
            .collect(),
        done_step: "done".into(),
        expected_end: "done".to_owned(),
        checkpoint_times: Some(CheckpointTimes { grace_ms: 30_000 }),
    }
}

pub(crate) fn cp(number: u32) -> NodeId {
    NodeId::new(format!("cp-{number}"))
}

pub(crate) fn request(
    kind: RequestKind,
    outcome: RequestOutcome,
    by: Option<(&NodeId, Incarnation)>,
) -> Sighting {
    let served_by = by.map(|(node, incarnation)| Served {
        node: node.clone(),
        incarnation,
    });
    Sighting::Request(Request {
        kind,
        connection: Connection::New,
        outcome,
        served_by,
    })
}

pub(crate) fn of<'a>(verdict: &'a Verdict, id: &str) -> &'a Judgement {
    &verdict
        .invariants
        .iter()
        .find(|judged| judged.id == id)
        .expect("the register names it")
        .judgement
}

#[track_caller]
pub(crate) fn holds(story: &Story, id: &str) {
    let verdict = story.verdict();
    assert_eq!(of(&verdict, id), &Judgement::Holds, "{id}");
}

#[track_caller]
pub(crate) fn is_violated(story: &Story, id: &str) {
    let verdict = story.verdict();
    let judgement = of(&verdict, id);
    let Judgement::Violated(found) = judgement else {
        panic!("{id} is not violated: {judgement:?}")
    };
    assert!(
        !found.what.is_empty() && !found.witness.is_empty(),
        "{found:?}"
    );
    assert!(
        found.witness.is_sorted_by_key(|witness| witness.at_us),
        "{found:?}"
    );
    assert_ne!(verdict.result, CaseResult::Passed);
}

#[track_caller]
pub(crate) fn is_unknown(story: &Story, id: &str) {
    let verdict = story.verdict();
    let judgement = of(&verdict, id);
    assert!(
        matches!(judgement, Judgement::Unknown(_)),
        "{id} is not unknown: {judgement:?}"
    );
    assert_ne!(verdict.result, CaseResult::Passed);
}

#[track_caller]
pub(crate) fn is_not_judged(story: &Story, id: &str) {
    let verdict = story.verdict();
    let judgement = of(&verdict, id);
    assert!(
        matches!(judgement, Judgement::NotJudged(_)),
        "{id} was judged: {judgement:?}"
    );
}
