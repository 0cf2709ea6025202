//! Shrinking scenarios: what comes out is smaller, fails in the same way, and is a scenario.

use std::path::Path;

use oracle::{Judgement, judge};
use pivot::bootkube;
use scenarios::{Case, Entry, Overrides, Selection, expand, parse};
use simulator::shrink::{Draft, Shrunk, shrink};
use simulator::timed;
use terms::{Component, Fault, Milliseconds};

const NOISY: &str = "
name: noisy
about: Much happens, and one thing matters.
cluster: { control_plane: 3, workers: 1, kubernetes: \"1.34\" }
cases:
  - { installer: { selfhost: { policy: POLICY } } }
timeline:
  - bootstrap: {}
  - at: { step: assets-applied, moment: completed, inject: [ { kill: { component: kubelet, node: cp-2 } } ] }
  - at: { step: self-hosted-serving, moment: completed, inject: [ { power_off: { node: cp-3 } }, { kill: { component: etcd, node: cp-3 } } ] }
  - wait: 17s
  - heal: {}
  - settle: { within: 400s, stable_for: 15s }
  - inject: [ { reboot: { node: cp-2 } }, { kill: { component: kube-scheduler, node: cp-1 } } ]
  - wait: 33s
  - settle: { within: 400s, stable_for: 15s }
";

fn draft(policy: &str) -> Draft {
    let text = NOISY.replace("POLICY", policy);
    let scenario = parse(
        "noisy.yaml",
        text.as_bytes(),
        Path::new(""),
        &Overrides::default(),
    );
    let scenario = scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let plan = expand(&[scenario], &Selection::default()).expect("one case");
    Draft::of(&plan.cases[0])
}

fn shrunk(draft: &Draft, fails: &mut dyn FnMut(&Case) -> bool) -> Option<Shrunk> {
    shrink(draft, Path::new(""), 1, fails)
}

fn lines(draft: &Draft) -> Vec<String> {
    let text = draft.text();
    let timeline = text.lines().skip_while(|line| *line != "timeline:").skip(1);
    timeline.map(str::to_owned).collect()
}

/// A failure that a killed scheduler alone brings about, on any number of nodes.
#[test]
fn only_what_matters_is_left() {
    let kills_a_scheduler = |entry: &Entry| {
        match entry {
        Entry::Inject(faults) => faults.iter().any(
            |fault| matches!(fault, Fault::Kill(kill) if kill.component == Component::KubeScheduler),
        ),
        _ => false,
    }
    };
    let small = shrunk(&draft("modern"), &mut |case| {
        case.timeline.iter().any(kills_a_scheduler)
    });
    let small = small.expect("it fails");
    let left = [
        "  - bootstrap: {}",
        "  - inject: [ { kill: { component: kube-scheduler, node: cp-1 } } ]",
    ];
    assert_eq!(lines(&small.draft), left);
    assert_eq!(small.draft.cluster.control_plane, 1);
    assert_eq!(small.draft.fault_count(), 1);
    assert!(
        small.refused > 0,
        "healing what nothing has broken is no candidate"
    );
}

/// What is off when the cluster must settle would keep it from settling: that is another failure.
#[test]
fn what_was_healed_stays_healed() {
    let cuts_power = |case: &Case| {
        let mut faults = case.timeline.iter().filter_map(|entry| match entry {
            Entry::At(at) => Some(&at.inject),
            _ => None,
        });
        faults.any(|faults| faults.iter().any(Fault::is_lasting))
    };
    let small = shrunk(&draft("modern"), &mut |case| cuts_power(case)).expect("it fails");
    let at = "  - at: { step: self-hosted-serving, moment: completed, within: 2m, inject: [ { power_off: { node: cp-1 } } ] }";
    assert_eq!(
        lines(&small.draft),
        ["  - bootstrap: {}", at, "  - heal: {}"]
    );
    let open: Vec<Entry> = draft("modern")
        .timeline
        .into_iter()
        .filter(|entry| !matches!(entry, Entry::Heal(_)))
        .collect();
    let never_healed = Draft {
        timeline: open,
        ..draft("modern")
    };
    let small = shrunk(&never_healed, &mut |case| cuts_power(case)).expect("it fails");
    assert_eq!(lines(&small.draft), ["  - bootstrap: {}", at]);
}

#[test]
fn waits_become_what_a_person_would_write_and_limits_stay() {
    let waits = |case: &Case, least_ms| {
        case.timeline
            .iter()
            .any(|entry| matches!(entry, Entry::Wait(Milliseconds(ms)) if *ms >= least_ms))
            && case
                .timeline
                .iter()
                .any(|entry| matches!(entry, Entry::Settle(_)))
    };
    let small = shrunk(&draft("modern"), &mut |case| waits(case, 16_000)).expect("it fails");
    let left = lines(&small.draft);
    assert!(left.contains(&"  - wait: 20s".to_owned()), "{left:?}");
    assert!(
        left.contains(&"  - settle: { within: 400s, stable_for: 15s }".to_owned()),
        "{left:?}"
    );
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    assert_eq!(shrunk(&draft("modern"), &mut |_| false), None);
}

/// The real thing: bootkube's mistakes need none of what happens in this scenario.
#[test]
fn a_real_failure_stays_the_same_failure() {
    let plan = bootkube();
    let slug = "guard-holds-at-teardown";
    let violates = |case: &Case| {
        let verdict = judge(&timed::run(case, &plan).observations, &case.expect);
        let mut judged = verdict.invariants.iter();
        judged
            .any(|judged| judged.slug == slug && matches!(judged.judgement, Judgement::Violated(_)))
    };
    let small = shrunk(&draft("bootkube"), &mut |case| violates(case)).expect("it fails");
    assert!(small.draft.timeline.len() < 4, "{:?}", lines(&small.draft));
    let again = small
        .draft
        .case(Path::new(""), 1)
        .expect("it is a scenario");
    assert!(violates(&again));
}
