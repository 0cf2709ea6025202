//! Faults that end with a heal, and those that leave a mark: each proven, refused when it has nothing to hit, undone.

use std::sync::{Arc, Mutex};

use chrysalis::cluster::Node;
use chrysalis::evidence::{CaseClock, Recorder};
use chrysalis::faults::Injector;
use chrysalis::stream::{Dispatcher, Observers, Stream};
use oracle::{Finding, Observation, Sighting};
use terms::{Fault, NodeFault, Selector, Selectors, Tear, Unit, UnitFault};

use crate::ground::{Ground, PATIENCE, on_ground};

/// Keeps the effects of faults and heals, in the order of their records.
#[derive(Clone, Default)]
struct Effects(Arc<Mutex<Vec<Result<String, String>>>>);

impl Observers for Effects {
    fn observed(&mut self, observation: &Observation) {
        let effect = match &observation.saw {
            Sighting::Fault(record) => record.effect.clone(),
            Sighting::Heal(record) => record.effect.clone(),
            _ => return,
        };
        self.0.lock().expect("nobody panics with it").push(effect);
    }

    fn found(&mut self, _: &str, _: &Finding) {}
}

fn at(node: &str) -> Selectors {
    Selectors(vec![Selector(node.to_owned())])
}

fn freeze(node: &str) -> Fault {
    Fault::Freeze(NodeFault {
        node: at(node),
        bind: None,
    })
}

fn unit(unit: Unit, node: &str) -> UnitFault {
    UnitFault {
        unit,
        node: at(node),
        bind: None,
    }
}

fn tear(path: &str, keep_bytes: u64) -> Fault {
    Fault::Tear(Tear {
        node: at("cp-1"),
        path: path.to_owned(),
        keep_bytes,
        bind: None,
    })
}

/// Somebody who injects, and the effects that came of it.
struct Bench {
    injector: Injector,
    effects: Effects,
    stream: Stream,
    dispatcher: Dispatcher,
    nodes: [Node; 2],
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(ground: &Ground) -> Self {
        let up = ground.bare(&ground.name, 1, 1).await;
        let node = |name: &str| up.cluster.node(name).expect("it is there").clone();
        let nodes = [node("cp-1"), node("worker-1")];
        for node in &nodes {
            node.wait_booted(PATIENCE).await.expect("it boots");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recorder = Recorder::create(&folder.path().join("events.ndjson"));
        let effects = Effects::default();
        let (dispatcher, stream) = Dispatcher::start(
            CaseClock::start(),
            recorder.expect("it can be written"),
            effects.clone(),
        );
        let injector = Injector::new(up.cluster.clone(), stream.clone(), String::new(), 1);
        Self {
            injector,
            effects,
            stream,
            dispatcher,
            nodes,
            folder,
        }
    }

    /// Runs a shell command on the control-plane node; what it said, whether or not it succeeded.
    async fn shell(&self, command: &str) -> String {
        let said = self.nodes[0].exec(["sh", "-c", command], PATIENCE).await;
        said.expect("it runs").text().trim().to_owned()
    }

    /// The effects of everything so far, once all is recorded.
    async fn effects(self) -> Vec<Result<String, String>> {
        drop((self.injector, self.stream));
        self.dispatcher.close().await.expect("all is recorded");
        drop(self.folder);
        self.effects
            .0
            .lock()
            .expect("nobody panics with it")
            .clone()
    }
}

const MAIN_PID: &str = "systemctl show --property=MainPID --value containerd";

#[test]
fn a_stopped_unit_stays_stopped_until_it_is_healed() {
    on_ground(|ground| async move {
        let mut bench = Bench::new(&ground).await;
        let stop = Fault::Stop(unit(Unit::Containerd, "cp-1"));
        bench.injector.inject(0, std::slice::from_ref(&stop)).await;
        // The kubelet's unit wants the runtime's: nobody may start it by the way.
        bench.shell("systemctl start containerd").await;
        assert_eq!(
            bench.shell("systemctl is-active containerd").await,
            "inactive"
        );
        bench.injector.inject(1, &[stop]).await;
        bench.injector.heal(2, None).await;
        assert_eq!(
            bench.shell("systemctl is-active containerd").await,
            "active"
        );
        let before = bench.shell(MAIN_PID).await;
        let restart = Fault::Restart(unit(Unit::Containerd, "cp-1"));
        bench.injector.inject(3, &[restart]).await;
        assert_ne!(bench.shell(MAIN_PID).await, before);
        // A node without configuration has no kubelet to restart.
        let restart = Fault::Restart(unit(Unit::Kubelet, "cp-1"));
        bench.injector.inject(4, &[restart]).await;
        let effects = bench.effects().await;
        let [stopped, again, healed, restarted, nothing] = &effects[..] else {
            panic!("five effects: {effects:?}")
        };
        let words = stopped.as_ref().expect("it is proven");
        assert!(words.contains("the unit is stopped"), "{words}");
        let words = again.as_ref().expect_err("it does not run");
        assert!(words.contains("containerd does not run"), "{words}");
        let words = healed.as_ref().expect("it is verified");
        assert!(words.contains("containerd runs as process"), "{words}");
        assert!(restarted.is_ok(), "{restarted:?}");
        let words = nothing.as_ref().expect_err("there is none");
        assert!(words.contains("kubelet does not run"), "{words}");
    });
}

#[test]
fn a_boot_starts_what_was_stopped() {
    on_ground(|ground| async move {
        let mut bench = Bench::new(&ground).await;
        let stop = Fault::Stop(unit(Unit::Containerd, "cp-1"));
        bench.injector.inject(0, &[stop]).await;
        let off = Fault::PowerOff(NodeFault {
            node: at("cp-1"),
            bind: None,
        });
        bench.injector.inject(1, &[off]).await;
        bench.injector.heal(2, None).await;
        assert_eq!(
            bench.shell("systemctl is-active containerd").await,
            "active"
        );
        let effects = bench.effects().await;
        assert!(effects.iter().all(Result::is_ok), "{effects:?}");
    });
}

#[test]
fn a_frozen_node_is_thawed_by_the_heal() {
    on_ground(|ground| async move {
        let mut bench = Bench::new(&ground).await;
        bench.injector.inject(0, &[freeze("worker-1")]).await;
        let still = bench.nodes[1].exec(["true"], PATIENCE).await;
        still.expect_err("nothing runs on a node that stands still");
        bench.injector.inject(1, &[freeze("worker-1")]).await;
        assert_eq!(bench.injector.frozen().len(), 1);
        bench.injector.heal(2, Some(&at("worker-1"))).await;
        let said = bench.nodes[1].exec_ok(["echo", "alive"], PATIENCE).await;
        assert_eq!(said.expect("it goes on").trim(), "alive");
        assert!(bench.injector.out_of_service().is_empty());
        // One that is left standing still is removed all the same.
        bench.injector.inject(3, &[freeze("worker-1")]).await;
        let effects = bench.effects().await;
        let proven: Vec<bool> = effects.iter().map(Result::is_ok).collect();
        assert_eq!(proven, [true, false, true, true], "{effects:?}");
    });
}

#[test]
fn the_newest_file_that_is_meant_is_cut() {
    on_ground(|ground| async move {
        let mut bench = Bench::new(&ground).await;
        let write = "for version in a b; do mkdir -p /var/lib/torn/$version && head -c 1000 /dev/zero > /var/lib/torn/$version/file; done; \
                     touch -d yesterday /var/lib/torn/b/file; stat -c %s /var/lib/torn/*/file";
        assert_eq!(bench.shell(write).await, "1000\n1000");
        let path = "/var/lib/torn/*/file";
        bench.injector.inject(0, &[tear(path, 10)]).await;
        assert_eq!(
            bench.shell("stat -c %s /var/lib/torn/*/file").await,
            "10\n1000"
        );
        bench
            .injector
            .inject(1, &[tear("/var/lib/torn/a/file", 10)])
            .await;
        bench
            .injector
            .inject(2, &[tear("/var/lib/torn/*/nothing", 10)])
            .await;
        let effects = bench.effects().await;
        let [torn, again, missing] = &effects[..] else {
            panic!("three effects: {effects:?}")
        };
        let words = torn.as_ref().expect("it is proven");
        assert!(
            words.contains("cp-1:/var/lib/torn/a/file: 1000 bytes, then 10"),
            "{words}"
        );
        let words = again.as_ref().expect_err("there is nothing to cut");
        assert!(words.contains("has 10 bytes only"), "{words}");
        let words = missing.as_ref().expect_err("there is no such file");
        assert!(words.contains("there is no such file"), "{words}");
    });
}
