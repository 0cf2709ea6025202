//! The driver against an in-memory world: the way to done, kills everywhere, holds, refusals, and the
//! promises of the contract.

use std::time::Duration;

use pivot::contract::{self, Broken};
use pivot::{AssetGroup, NodeSet, read_log};
use terms::Actor;

use super::twin::Twin;
use super::*;
use crate::control::ControlFifo;
use crate::events::EventsTo;
use crate::layout::Layout;
use crate::plan_file;

fn driver(state: &std::path::Path, twin: &Twin, points: &[&str]) -> Driver<Twin, Twin> {
    let layout = Layout::below(state, &state.join("assets"), state);
    let plan = plan_file::find(policy(twin)).unwrap();
    let holds = Holds {
        points: points.iter().map(|point| point.parse().unwrap()).collect(),
        control: Some(ControlFifo::open(&state.join("control")).unwrap()),
        deadline: Duration::from_secs(300),
    };
    Driver::new(Parts {
        marker: MarkerPlace {
            path: layout.marker(),
            cluster: "cluster".to_owned(),
            plan: plan_file::fingerprint(&plan),
        },
        plan,
        tasks: twin.clone(),
        facts: twin.clone(),
        events: Events::of(Actor::default(), &EventsTo::File(layout.events())).unwrap(),
        log: Log::open(&layout.log()).unwrap(),
        holds,
        stop: CancellationToken::new(),
    })
}

/// A twin that begins after a loss is recovered, any other is bootstrapped.
fn policy(twin: &Twin) -> &'static str {
    if twin.0.lock().unwrap().recovers {
        Plan::RECOVERY
    } else {
        "modern"
    }
}

/// A process's life: it begins with what survived, and ends by itself or is killed by the world.
async fn live(state: &std::path::Path, twin: &Twin, points: &[&str]) -> Option<Ending> {
    let durable = Marker::read(&state.join("marker.json"))
        .unwrap()
        .map(|marker| marker.durable);
    let mut driver = driver(state, twin, points);
    tokio::select! {
        biased;
        () = twin.1.cancelled() => None,
        ending = driver.run(durable) => Some(ending.unwrap()),
    }
}

fn steps(state: &std::path::Path) -> Vec<String> {
    let events = crate::events::read(&state.join("events.ndjson")).unwrap();
    events
        .into_iter()
        .map(|event| format!("{}:{}", event.step, event.moment))
        .collect()
}

fn replays(state: &std::path::Path) {
    replays_as(state, "modern");
}

fn replays_as(state: &std::path::Path, policy: &str) {
    let text = std::fs::read_to_string(state.join("log.ndjson")).unwrap();
    let plan = plan_file::find(policy).unwrap();
    contract::check_log(&plan, &read_log(&text).unwrap()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_undisturbed_run_announces_every_step_and_replays() {
    let state = tempfile::tempdir().unwrap();
    let twin = Twin::default();
    assert_eq!(live(state.path(), &twin, &[]).await, Some(Ending::Done));
    let mut expected: Vec<_> = plan_file::find("modern")
        .unwrap()
        .stages
        .iter()
        .flat_map(|stage| {
            [
                format!("{}:entered", stage.step),
                format!("{}:completed", stage.step),
            ]
        })
        .collect();
    expected.push("done:completed".to_owned());
    assert_eq!(steps(state.path()), expected);
    let marker = Marker::read(&state.path().join("marker.json"))
        .unwrap()
        .unwrap();
    assert!(marker.durable.done);
    let world = twin.0.lock().unwrap();
    assert!(world.placed == 0 && !world.secrets && world.performed.contains(&Task::Canary));
    replays(state.path());
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_task_is_survived() {
    let undisturbed = Twin::default();
    let state = tempfile::tempdir().unwrap();
    live(state.path(), &undisturbed, &[]).await;
    let tasks = undisturbed.0.lock().unwrap().performed.len();
    assert!(tasks > 15, "the plan has {tasks} tasks");
    for kill_after in 1..=tasks {
        let state = tempfile::tempdir().unwrap();
        let mut twin = Twin::default();
        twin.0.lock().unwrap().kill_after = Some(kill_after);
        assert_eq!(
            live(state.path(), &twin, &[]).await,
            None,
            "killed after {kill_after}"
        );
        twin.0.lock().unwrap().kill_after = None;
        twin.1 = CancellationToken::new();
        assert_eq!(
            live(state.path(), &twin, &[]).await,
            Some(Ending::Done),
            "{kill_after}"
        );
        let world = twin.0.lock().unwrap();
        assert!(world.placed == 0 && !world.secrets && world.labelled == NodeSet::first(3));
        replays(state.path());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_by_its_release_or_its_deadline() {
    let state = tempfile::tempdir().unwrap();
    let twin = Twin::default();
    // The FIFO keeps what was written before anybody listens; a release of something else changes nothing.
    let points = [
        "etcd-serving:entered",
        "verified:completed",
        "verified:completed:2",
    ];
    let mut driver = driver(state.path(), &twin, &points);
    let mut fifo = std::fs::OpenOptions::new()
        .write(true)
        .open(state.path().join("control"))
        .unwrap();
    let begun = Instant::now();
    std::io::Write::write_all(&mut fifo, b"release done:completed\n").unwrap();
    assert_eq!(driver.run(None).await.unwrap(), Ending::Done);
    let events = crate::events::read(&state.path().join("events.ndjson")).unwrap();
    let held: Vec<_> = events
        .iter()
        .filter(|event| event.held)
        .map(|event| event.step.as_str())
        .collect();
    assert_eq!(held, ["etcd-serving", "verified"]);
    // Two holds, each ended by its deadline.
    assert!(
        begun.elapsed() > Duration::from_secs(600),
        "{:?}",
        begun.elapsed()
    );
    replays(state.path());
}

#[tokio::test]
async fn a_release_moves_what_is_held() {
    let state = tempfile::tempdir().unwrap();
    let twin = Twin::default();
    let mut driver = driver(state.path(), &twin, &["secrets-staged:entered"]);
    driver
        .perform(Effect::Announce(0, Moment::Entered))
        .await
        .unwrap();
    let mut fifo = std::fs::OpenOptions::new()
        .write(true)
        .open(state.path().join("control"))
        .unwrap();
    std::io::Write::write_all(&mut fifo, b"release secrets-staged:entered\n").unwrap();
    let released = loop {
        match driver.next().await {
            Some(Input::Facts(_)) => {}
            other => break other,
        }
    };
    assert_eq!(released, Some(Input::Released(0, Moment::Entered)));
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_others_is_refused_and_leaves_no_marker() {
    let state = tempfile::tempdir().unwrap();
    let twin = Twin::default();
    let foreign = (Task::ClaimCluster, Outcome::Refused(Why::ForeignCluster));
    twin.0.lock().unwrap().answers.push(foreign);
    assert_eq!(live(state.path(), &twin, &[]).await, Some(Ending::Refused));
    assert_eq!(
        steps(state.path()).last().map(String::as_str),
        Some("refused:entered")
    );
    assert!(!state.path().join("marker.json").exists());
    assert_eq!(twin.0.lock().unwrap().performed, [Task::ClaimCluster]);
}

#[tokio::test(start_paused = true)]
async fn holding_names_the_reason_and_a_new_start_goes_on() {
    let state = tempfile::tempdir().unwrap();
    let twin = Twin::default();
    let refused = (
        Task::Apply(AssetGroup::Dns),
        Outcome::Refused(Why::ObjectRefused),
    );
    twin.0.lock().unwrap().answers.push(refused);
    assert_eq!(live(state.path(), &twin, &[]).await, Some(Ending::Holding));
    let last = crate::events::read(&state.path().join("events.ndjson"))
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(last.step.as_str(), Plan::HOLDING_STEP);
    let reason = last.reason.unwrap();
    assert!(
        reason.contains("assets-applied") && reason.contains("start again"),
        "{reason}"
    );
    assert_eq!(
        twin.0.lock().unwrap().placed,
        7,
        "the bootstrap control plane stays"
    );
    assert_eq!(live(state.path(), &twin, &[]).await, Some(Ending::Done));
    replays(state.path());
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_stops_and_can_be_resumed() {
    let state = tempfile::tempdir().unwrap();
    let twin = Twin::default();
    let mut first = driver(state.path(), &twin, &["assets-applied:entered"]);
    let stop = first.stop.clone();
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.cancel();
    };
    let (ending, ()) = tokio::join!(first.run(None), stopping);
    assert_eq!(ending.unwrap(), Ending::Stopped);
    assert!(!twin.0.lock().unwrap().applied);
    drop(first);
    assert_eq!(live(state.path(), &twin, &[]).await, Some(Ending::Done));
}

/// The cluster as etcd remembers it: applied and labelled long ago, two of its nodes gone for good.
fn lost() -> Twin {
    let twin = Twin::default();
    {
        let mut world = twin.0.lock().unwrap();
        world.recovers = true;
        world.applied = true;
        world.labelled = NodeSet::first(3);
        (world.stale.nodes, world.stale.pods) = (2, 7);
    }
    twin
}

#[tokio::test(start_paused = true)]
async fn a_recovery_killed_at_any_task_can_be_run_again() {
    let state = tempfile::tempdir().unwrap();
    let undisturbed = lost();
    assert_eq!(
        live(state.path(), &undisturbed, &[]).await,
        Some(Ending::Done)
    );
    let tasks = undisturbed.0.lock().unwrap().performed.clone();
    assert_eq!(tasks.first(), Some(&Task::ClaimExisting));
    assert!(tasks.contains(&Task::PurgeStale));
    assert!(!tasks.iter().any(|task| matches!(task, Task::Apply(_))));
    for kill_after in 1..=tasks.len() {
        let state = tempfile::tempdir().unwrap();
        let mut twin = lost();
        twin.0.lock().unwrap().kill_after = Some(kill_after);
        assert_eq!(live(state.path(), &twin, &[]).await, None, "{kill_after}");
        twin.0.lock().unwrap().kill_after = None;
        twin.1 = CancellationToken::new();
        assert_eq!(
            live(state.path(), &twin, &[]).await,
            Some(Ending::Done),
            "{kill_after}"
        );
        let world = twin.0.lock().unwrap();
        assert!(world.placed == 0 && !world.secrets && world.stale.nodes == 0);
        drop(world);
        replays_as(state.path(), Plan::RECOVERY);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovery_refuses_the_living_and_touches_nothing() {
    for why in [Why::ClusterAlive, Why::AnotherOperator] {
        let state = tempfile::tempdir().unwrap();
        let twin = lost();
        let refused = (Task::ClaimExisting, Outcome::Refused(why));
        twin.0.lock().unwrap().answers.push(refused);
        assert_eq!(live(state.path(), &twin, &[]).await, Some(Ending::Refused));
        assert_eq!(twin.0.lock().unwrap().performed, [Task::ClaimExisting]);
        assert!(!state.path().join("marker.json").exists());
    }
}

/// The driver as the contract's suite tries it out, one effect or input at a time.
struct Tried {
    runtime: tokio::runtime::Runtime,
    driver: Driver<Twin, Twin>,
}

impl contract::Driver for Tried {
    fn perform(&mut self, effect: Effect) {
        self.runtime.block_on(self.driver.perform(effect)).unwrap();
    }

    fn next(&mut self, patience_ms: u64) -> Option<Input> {
        self.runtime.block_on(async {
            let patience = tokio::time::sleep(Duration::from_millis(patience_ms));
            let mut patience = std::pin::pin!(patience);
            loop {
                tokio::select! {
                    biased;
                    input = self.driver.next() => match input {
                        Some(Input::Facts(_)) => {}
                        other => return other,
                    },
                    () = &mut patience => return None,
                }
            }
        })
    }

    fn durable(&self) -> Option<Durable> {
        Marker::read(&self.driver.marker.path)
            .unwrap()
            .map(|marker| marker.durable)
    }
}

fn check(promise: fn(&mut dyn contract::Driver) -> Result<(), Broken>) {
    let state = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let runtime = runtime.unwrap();
    let mut driver = runtime.block_on(async { driver(state.path(), &Twin::default(), &[]) });
    driver.plan.retry_ms = 50;
    promise(&mut Tried { runtime, driver }).unwrap();
}

#[test]
fn the_contract_is_kept() {
    check(contract::releases_follow_announcements);
    check(contract::rearmed_timers_replace);
    check(contract::disarmed_timers_are_silent);
    check(contract::persisted_is_found_again);
}
