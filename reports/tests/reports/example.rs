//! A run with a case of each kind, made by hand.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::Cause;
use oracle::{CaseResult, Expectation, Finding, Judged, Judgement, Verdict, Witness};
use reports::{CaseRecord, CaseReport, RunRecord, RunReport};

/// A run of these cases.
pub(crate) fn run(cases: Vec<CaseReport>) -> RunReport {
    let record = RunRecord {
        v: 1,
        run: "20260821T100233Z-gate".into(),
        started_unix_ms: 1_787_306_553_000,
        took_ms: 245_000,
        host: "Linux 6.12, Docker 28.2, 2 processors, 24 GiB".into(),
        interrupted: false,
    };
    RunReport { record, cases }
}

/// One of each kind.
pub(crate) fn all_kinds() -> RunReport {
    run(vec![
        passed(),
        passed_by_violation(),
        failed(),
        wrong_end(),
        inconclusive(),
        elsewhere(),
    ])
}

/// A case of scenario `scenario` under `policy`.
pub(crate) fn case(scenario: &str, policy: &str, result: CaseResult) -> CaseReport {
    let id = format!("{scenario}/selfhost-{policy}@1.34");
    let expect = Expectation {
        ends: "done".into(),
        violated: BTreeSet::new(),
    };
    let record = CaseRecord {
        v: 1,
        id: id.clone(),
        scenario: scenario.into(),
        installer: "selfhost".into(),
        policy: Some(policy.into()),
        variant: None,
        kubernetes: "1.34".into(),
        file: format!("scenarios/catalogue/{scenario}.yaml"),
        seed: Some(7),
        expect: expect.clone(),
        repro: format!("chrysalis run scenarios/catalogue/{scenario}.yaml --seed 7"),
        started_at: "2026-08-21T10:02:33Z".into(),
        took_ms: 61_234,
    };
    let verdict = Verdict {
        v: 1,
        case: id.clone(),
        result,
        cause: None,
        reason: "everything was as expected".into(),
        expected: expect,
        end: "done".into(),
        invariants: vec![
            judged("S1", "acknowledged-writes-survive", Judgement::Holds),
            judged("S5", "guard-holds-at-teardown", Judgement::Holds),
            judged(
                "S16",
                "checkpoints-are-complete",
                Judgement::NotJudged("the installer does not claim `checkpoints`".into()),
            ),
        ],
        figures: BTreeMap::from([
            ("api_write_gap_ms".into(), 340),
            ("bootstrap_ms".into(), 36_900),
        ]),
        fidelity: Default::default(),
        observations: 4_120,
    };
    let evidence = format!("runs/latest/{scenario}+selfhost-{policy}@1.34/evidence");
    CaseReport {
        record,
        verdict,
        evidence,
    }
}

/// An invariant's judgement.
pub(crate) fn judged(id: &str, slug: &str, judgement: Judgement) -> Judged {
    Judged {
        id: id.into(),
        slug: slug.into(),
        revision: 1,
        judgement,
    }
}

/// A finding with two witnesses.
pub(crate) fn finding() -> Finding {
    Finding {
        what: "the bootstrap control plane was removed while 1 of 2 wanted apiservers served"
            .into(),
        at_us: 41_234_567,
        witness: vec![
            Witness {
                at_us: 40_100_000,
                source: "apiserver cp-2 #214".into(),
                saw: "GET /readyz refused: connection refused".into(),
            },
            Witness {
                at_us: 41_234_567,
                source: "node cp-1 #88".into(),
                saw: "manifests without kube-apiserver.yaml".into(),
            },
        ],
    }
}

pub(crate) fn passed() -> CaseReport {
    case("bootstrap-and-pivot", "modern", CaseResult::Passed)
}

/// Passed because the violation that it expects came; what came after was not looked at.
pub(crate) fn passed_by_violation() -> CaseReport {
    let mut case = case(
        "apiserver-cannot-be-scheduled",
        "bootkube",
        CaseResult::Passed,
    );
    case.record
        .expect
        .violated
        .insert("guard-holds-at-teardown".into());
    case.verdict.expected = case.record.expect.clone();
    case.verdict.reason = "the violation that was expected came".into();
    case.verdict.invariants[0].judgement = Judgement::Unknown("no read-back after the end".into());
    case.verdict.invariants[1].judgement = Judgement::Violated(finding());
    case
}

/// Failed by a violation.
pub(crate) fn failed() -> CaseReport {
    let mut case = case("kill-the-holders", "modern", CaseResult::Failed);
    case.verdict.reason = "guard-holds-at-teardown was violated".into();
    case.verdict.invariants[1].judgement = Judgement::Violated(finding());
    case
}

/// Failed by its end alone.
pub(crate) fn wrong_end() -> CaseReport {
    let mut case = case("installer-killed", "modern", CaseResult::Failed);
    case.verdict.reason = "the procedure holds: no second apiserver after 300s".into();
    case.verdict.end = "holding".into();
    case
}

/// Inconclusive: a fault without effect.
pub(crate) fn inconclusive() -> CaseReport {
    let mut case = case(
        "power-off-one-control-plane-node",
        "modern",
        CaseResult::Inconclusive,
    );
    case.verdict.cause = Some(Cause::Fault);
    case.verdict.reason = "power off cp-2 had no proven effect: the container still runs".into();
    case.verdict.invariants[0].judgement = Judgement::Unknown("no read-back".into());
    case
}

/// Not applicable.
pub(crate) fn elsewhere() -> CaseReport {
    let mut case = case("needs-cgroup-v2", "modern", CaseResult::NotApplicable);
    case.verdict.reason = "this host has cgroup v1".into();
    case.verdict.end = "never started".into();
    case.verdict.invariants.clear();
    case.verdict.figures.clear();
    case.evidence = String::new();
    case
}
