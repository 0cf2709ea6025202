//! What the runner does in a story.

use std::collections::BTreeMap;

use oracle::observation::{
    Credential, FaultRecord, HealRecord, Operation, OperationEnd, OperationEnded, ReadBack,
    Settled, Step,
};
use oracle::{Sighting, Source};
use terms::{
    Actor, Component, Fault, Incarnation, Kill, Moment, NodeFault, NodeId, Selector, Selectors,
    Signal,
};

use crate::story::cp;

use crate::world::World;

impl World {
    pub(crate) fn start(&mut self, operation: &str, foreign: bool) {
        self.begin(Operation {
            operation: operation.to_owned(),
            foreign,
            from_snapshot: false,
            rival: false,
        });
    }

    /// Somebody recovers the cluster; a rival does so while another one is at it.
    pub(crate) fn recover(&mut self, from_snapshot: bool, rival: bool) {
        self.begin(Operation {
            operation: "recover".to_owned(),
            foreign: false,
            from_snapshot,
            rival,
        });
    }

    fn begin(&mut self, operation: Operation) {
        let started = Sighting::OperationStarted(operation);
        self.story.tell(self.now_ms, Source::Runner, started);
    }

    pub(crate) fn end(&mut self, operation: &str, end: OperationEnd) {
        let ended = OperationEnded {
            operation: operation.to_owned(),
            end,
            detail: None,
        };
        self.story
            .tell(self.now_ms, Source::Runner, Sighting::OperationEnded(ended));
    }

    pub(crate) fn step(&mut self, name: &str) {
        self.announce(Actor::default(), name, Moment::Completed);
    }

    pub(crate) fn enter(&mut self, name: &str) {
        self.announce(Actor::default(), name, Moment::Entered);
    }

    /// A step of the recovery that was begun on cp-1.
    pub(crate) fn recovered(&mut self, name: &str) {
        self.announce(Actor::recovery(&cp(1)), name, Moment::Completed);
    }

    /// The agent of a node says that it saved the apiserver.
    pub(crate) fn agent_saved(&mut self, number: u32) {
        let agent = Actor::agent(&cp(number));
        self.announce(agent, "kube-apiserver-saved", Moment::Completed);
    }

    pub(crate) fn announce(&mut self, actor: Actor, name: &str, moment: Moment) {
        let step = Step {
            actor,
            step: name.into(),
            moment,
            occurrence: 1,
            held: false,
            reason: None,
        };
        self.story
            .tell(self.now_ms, Source::Steps, Sighting::Step(step));
    }

    pub(crate) fn fault(&mut self, fault: Fault, targets: &[NodeId], objects: &[&str]) {
        let record = FaultRecord {
            entry: 1,
            fault,
            targets: targets.to_vec(),
            objects: objects.iter().map(|object| (*object).to_owned()).collect(),
            effect: Ok("seen".to_owned()),
            fidelity: "exact".to_owned(),
        };
        self.fault_record(record, 300);
    }

    fn fault_record(&mut self, record: FaultRecord, took_ms: u64) {
        self.story.tell_span(
            self.now_ms - took_ms,
            self.now_ms,
            Source::Runner,
            Sighting::Fault(record),
        );
    }

    pub(crate) fn power_off(&mut self, number: u32) {
        self.machine(number).off = true;
        self.run(400);
        self.fault(Fault::PowerOff(node_fault()), &[cp(number)], &["cp"]);
    }

    /// These nodes lose power and files, whatever the fault says.
    pub(crate) fn lose(&mut self, numbers: &[u32], fault: Fault) {
        for number in numbers {
            *self.machine(*number) = crate::world::Machine {
                off: true,
                ..crate::world::Machine::default()
            };
        }
        self.run(400);
        let nodes: Vec<NodeId> = numbers.iter().map(|number| cp(*number)).collect();
        self.fault(fault, &nodes, &["machines"]);
    }

    /// All control-plane nodes lose their disks, and empty machines take their places.
    pub(crate) fn lose_all_disks(&mut self) {
        self.lose_everything(Fault::LoseDisk(node_fault()));
    }

    /// All control-plane nodes lose power and files, whatever the fault says.
    pub(crate) fn lose_everything(&mut self, fault: Fault) {
        let nodes: Vec<NodeId> = self.machines.keys().cloned().collect();
        for machine in self.machines.values_mut() {
            *machine = crate::world::Machine {
                off: true,
                ..crate::world::Machine::default()
            };
        }
        self.run(400);
        // Files go one after another, under looks that still find some of them.
        let record = FaultRecord {
            entry: 1,
            fault,
            targets: nodes.clone(),
            objects: Vec::new(),
            effect: Ok("seen".to_owned()),
            fidelity: "file-level".to_owned(),
        };
        self.fault_record(record, 1_000);
        for number in 1..=nodes.len() as u32 {
            self.heal(number);
        }
    }

    /// Empty machines are control-plane nodes again.
    pub(crate) fn refill(&mut self) {
        for machine in self.machines.values_mut() {
            machine.manifests.insert("etcd.yaml".to_owned());
            machine.processes.insert((Component::Etcd, None), 10);
            for (pid, component) in (30..).zip(Component::SELF_HOSTED) {
                let own = (component, Some(Incarnation::SelfHosted));
                machine.processes.insert(own, pid);
            }
        }
        self.keep_checkpoints();
    }

    pub(crate) fn heal(&mut self, number: u32) {
        let record = HealRecord {
            entry: 2,
            nodes: vec![cp(number)],
            effect: Ok("runs".to_owned()),
        };
        self.story
            .tell(self.now_ms, Source::Runner, Sighting::Heal(record));
        let pid = self.unique() as u32;
        self.machine(number).off = false;
        self.machine(number).kubelet = pid;
    }

    pub(crate) fn settle(&mut self, missing: &[&str]) {
        let settled = Settled {
            entry: 3,
            missing: missing.iter().map(|what| (*what).to_owned()).collect(),
            failed_claims: BTreeMap::new(),
            took_ms: 500,
        };
        self.story
            .tell(self.now_ms, Source::Runner, Sighting::Settled(settled));
    }

    pub(crate) fn credential(&mut self, accepted: Option<Result<(), String>>) {
        let credential = Credential {
            name: "a token".to_owned(),
            accepted,
        };
        self.story.tell(
            self.now_ms,
            Source::Runner,
            Sighting::Credential(credential),
        );
    }

    pub(crate) fn read_back(&mut self) {
        let revision = self.unique();
        let read = ReadBack {
            keys: self.keys.clone(),
            revision,
        };
        self.story.tell_span(
            self.now_ms + 1,
            self.now_ms + 1,
            Source::LoadBalancer,
            Sighting::ReadBack(read),
        );
    }
}

pub(crate) fn node_fault() -> NodeFault {
    NodeFault {
        node: Selectors(vec![Selector("cp-1".to_owned())]),
        bind: None,
    }
}

pub(crate) fn kill(component: Component) -> Fault {
    let node = Selectors(vec![Selector("cp-1".to_owned())]);
    Fault::Kill(Kill {
        component,
        node,
        signal: Signal::Kill,
        bind: None,
    })
}
