use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oracle::observation::{HealRecord, HostSample};
use oracle::{CaseResult, Expectation, Finding, Observation, Sighting, Source, Verdict};
use reports::{CaseReport, RunRecord, RunReport};

use super::Console;

/// What a console wrote.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sink that is closed, such as a pipe into `head`.
struct Closed;

impl io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

/// What a plain console at 12.34 s writes.
fn written(events: impl FnOnce(&Console)) -> String {
    let sink = Sink::default();
    events(&Console::plain_into(sink.clone(), || {
        Duration::from_millis(12_340)
    }));
    String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
}

fn observation(saw: Sighting) -> Observation {
    Observation {
        v: 1,
        source: Source::Runner,
        seq: 0,
        start_us: 0,
        end_us: 0,
        saw,
    }
}

fn finding() -> Finding {
    Finding {
        what: "two leaders".into(),
        at_us: 1,
        witness: Vec::new(),
    }
}

fn verdict(result: CaseResult, reason: &str) -> Verdict {
    let expected = Expectation {
        ends: "done".into(),
        violated: Default::default(),
    };
    let end = "done".into();
    let (case, reason) = ("a@1.34".into(), reason.into());
    let (invariants, figures) = (Vec::new(), Default::default());
    Verdict {
        v: 1,
        case,
        result,
        cause: None,
        reason,
        expected,
        end,
        invariants,
        figures,
        fidelity: Default::default(),
        observations: 1,
    }
}

#[test]
fn a_pipe_gets_one_plain_line_an_event() {
    let heal = HealRecord {
        entry: 1,
        nodes: vec!["cp-1".into()],
        effect: Ok("it runs".into()),
    };
    let sample = HostSample {
        timer_late_us: 1,
        fsync_us: 1,
        crowd: None,
    };
    let text = written(|console| {
        console.note("making things ready");
        console.case_started("a");
        console.phase("a", "bootstrap", Some(35_200));
        console.waiting_for("a", "two apiservers");
        console.waiting_for("a", "two apiservers");
        console.observation("a", &observation(Sighting::Heal(heal)));
        console.observation("a", &observation(Sighting::HostSample(sample)));
        console.finding("a", "one-acting-leader", &finding(), false);
        console.finding("a", "one-acting-leader", &finding(), true);
        console.case_finished("a", &verdict(CaseResult::Failed, "two leaders"), 61_200);
    });
    let expected = "\
[   12.3s] making things ready
[   12.3s] a  started
[   12.3s] a  bootstrap (usually 35s)
[   12.3s] a  waiting for two apiservers
[   12.3s] a  heal cp-1, proven: it runs
[   12.3s] a  VIOLATED one-acting-leader: two leaders
[   12.3s] a  violated as expected: one-acting-leader: two leaders
[   12.3s] a  FAILED in 1m01s: two leaders
";
    assert_eq!(text, expected);
}

#[test]
fn a_new_phase_says_anew_what_is_being_waited_for() {
    let text = written(|console| {
        console.waiting_for("a", "x");
        console.phase("a", "settle", None);
        console.waiting_for("a", "x");
    });
    assert_eq!(text.matches("waiting for x").count(), 2);
}

#[test]
fn the_end_repeats_what_went_wrong_and_counts() {
    let reason = "an apiserver never returned";
    let record = serde_json::from_value(serde_json::json!({
        "id": "a@1.34", "scenario": "a", "installer": "selfhost", "kubernetes": "1.34",
        "file": "a.yaml", "expect": { "ends": "done", "violated": [] }, "repro": "chrysalis run a.yaml",
    }))
    .unwrap();
    let case = CaseReport {
        record,
        verdict: verdict(CaseResult::Failed, reason),
        evidence: "runs/x/a".into(),
    };
    let record = RunRecord {
        v: 1,
        run: "x".into(),
        started_unix_ms: 0,
        took_ms: 1_000,
        host: String::new(),
        interrupted: false,
    };
    let text = written(|console| {
        console.summary(&RunReport {
            record,
            cases: vec![case],
        })
    });
    for part in [reason, "runs/x/a", "chrysalis run a.yaml"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let last = text.lines().last().unwrap();
    assert!(
        last.contains("0 passed, 1 failed, 0 inconclusive, 0 not applicable"),
        "{last}"
    );
    assert!(!text.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn a_closed_pipe_does_not_end_the_run() {
    let console = Console::plain_into(Closed, || Duration::ZERO);
    console.case_started("a");
    console.case_finished("a", &verdict(CaseResult::Passed, "fine"), 1);
}
