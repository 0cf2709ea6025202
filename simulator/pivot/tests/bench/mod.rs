//! The smallest driver: tasks succeed at once, timers run out when nothing else happens.
#![allow(dead_code)]

use std::collections::VecDeque;

use pivot::{
    ApiserverFact, ComponentSet, Durable, Effect, Effects, Facts, Input, LeaseFact, LogEntry,
    NodeSet, Outcome, Plan, PodFact, PodPhase, StaleFact, State, Task, Timer, Why, resume, step,
};
use terms::{Component, Incarnation, Moment};

/// A cluster in which everything is as it should be.
pub(crate) fn perfect(control_planes: u8) -> Facts {
    let mut pods = [None; Facts::MOST_PODS];
    let wanted = Component::SELF_HOSTED
        .iter()
        .flat_map(|component| (0..control_planes).map(move |node| (component, node)));
    for (place, (component, node)) in pods.iter_mut().zip(wanted) {
        *place = Some(PodFact {
            claims: Some(*component),
            looks_like: Some(*component),
            node: Some(node),
            incarnation: Incarnation::SelfHosted,
            phase: PodPhase::Running,
            ready: true,
            fresh: true,
        });
    }
    let all = NodeSet::first(control_planes + 1);
    let wanted = NodeSet::first(control_planes);
    Facts {
        control_planes,
        nodes: control_planes + 1,
        etcd: wanted,
        registered: all,
        ready: all,
        labelled: NodeSet::default(),
        apiservers: ApiserverFact {
            bootstrap: NodeSet::first(1),
            self_hosted: wanted,
            load_balancer: true,
            bootstrap_unlisted: false,
            listed: wanted,
        },
        leases: [LeaseFact { age_ds: 3 }; 2],
        bootstrap_running: 0,
        armed: [wanted; 3],
        pods_known: true,
        stale: Some(StaleFact::default()),
        pods,
    }
}

pub(crate) struct Bench {
    pub(crate) plan: Plan,
    pub(crate) state: State,
    pub(crate) facts: Facts,
    pub(crate) durable: Option<Durable>,
    /// Outcomes of tasks that do not succeed.
    pub(crate) outcomes: Vec<(Task, Outcome)>,
    pub(crate) hold_at: Option<String>,
    pub(crate) held_at: Option<(u8, Moment)>,
    pub(crate) bootstrap_running: u8,
    pub(crate) entered: Vec<String>,
    pub(crate) completed: Vec<String>,
    pub(crate) started: Vec<Task>,
    pub(crate) held: Option<(String, Why)>,
    pub(crate) reinstated: bool,
    pub(crate) finished: bool,
    pub(crate) log: Vec<LogEntry>,
    timers: Vec<Timer>,
    inputs: VecDeque<Input>,
}

impl Bench {
    pub(crate) fn new(plan: Plan, facts: Facts) -> Self {
        let (state, effects) = resume(&plan, None);
        let mut bench = Self {
            plan,
            state,
            facts,
            durable: None,
            outcomes: Vec::new(),
            hold_at: None,
            held_at: None,
            bootstrap_running: 0,
            entered: Vec::new(),
            completed: Vec::new(),
            started: Vec::new(),
            held: None,
            reinstated: false,
            finished: false,
            log: vec![LogEntry::Resumed {
                durable: None,
                effects,
            }],
            timers: Vec::new(),
            inputs: VecDeque::new(),
        };
        bench.perform(effects);
        bench
    }

    /// A new process takes up what the marker says.
    pub(crate) fn restart(&mut self) {
        self.timers.clear();
        self.inputs.clear();
        self.held = None;
        let (state, effects) = resume(&self.plan, self.durable);
        self.log.push(LogEntry::Resumed {
            durable: self.durable,
            effects,
        });
        self.state = state;
        self.perform(effects);
    }

    pub(crate) fn release(&mut self) {
        self.hold_at = None;
        let (stage, moment) = self.held_at.take().expect("held");
        self.inputs.push_back(Input::Released(stage, moment));
    }

    /// Runs until it ends, is held, or 2000 inputs did not end it.
    pub(crate) fn run(&mut self) {
        for _ in 0..2_000 {
            if self.finished || self.held.is_some() || self.held_at.is_some() {
                return;
            }
            let input = self.inputs.pop_front().unwrap_or_else(|| self.look());
            self.deliver(input);
        }
        panic!("the walk did not end: {:?}", self.state);
    }

    fn deliver(&mut self, input: Input) {
        let (state, effects) = step(&self.plan, self.state, input);
        self.log.push(LogEntry::Stepped { input, effects });
        let stood_still =
            matches!(input, Input::Facts(_)) && state == self.state && effects.is_empty();
        self.state = state;
        self.perform(effects);
        // Time passes only when nothing else happens; the shortest timer is the first to run out.
        if stood_still && self.inputs.is_empty() {
            for timer in [Timer::Retry, Timer::Stable, Timer::Stage] {
                if let Some(index) = self.timers.iter().position(|armed| *armed == timer) {
                    self.timers.remove(index);
                    // A task that keeps failing makes the stage overdue in the end.
                    let overdue = timer == Timer::Retry && self.started.len() > 200;
                    self.inputs.push_back(Input::Elapsed(if overdue {
                        Timer::Stage
                    } else {
                        timer
                    }));
                    return;
                }
            }
        }
    }

    fn look(&self) -> Input {
        let mut facts = self.facts;
        facts.bootstrap_running = self.bootstrap_running;
        if !ComponentSet(self.bootstrap_running).contains(Component::KubeApiserver) {
            facts.apiservers.bootstrap = NodeSet::default();
            facts.apiservers.bootstrap_unlisted = true;
        }
        Input::Facts(facts)
    }

    fn perform(&mut self, effects: Effects) {
        for effect in effects.iter() {
            match effect {
                Effect::Persist(durable) => self.durable = Some(durable),
                Effect::Start(task, attempt) => {
                    self.started.push(task);
                    let outcome = self.outcomes.iter().find(|(failing, _)| *failing == task);
                    let outcome = outcome.map_or(Outcome::Done, |(_, outcome)| *outcome);
                    if outcome == Outcome::Done {
                        self.apply(task);
                    }
                    self.inputs
                        .push_back(Input::Finished(task, attempt, outcome));
                }
                Effect::Cancel(_) => {}
                Effect::Arm(timer) => {
                    self.timers.retain(|armed| *armed != timer);
                    self.timers.push(timer);
                }
                Effect::Disarm(timer) => self.timers.retain(|armed| *armed != timer),
                Effect::Announce(stage, moment) => self.announce(stage, moment),
                Effect::Hold(stage, why) => self.held = Some((self.name(stage), why)),
                Effect::Reinstate(..) => self.reinstated = true,
                Effect::Finish => self.finished = true,
            }
        }
    }

    fn announce(&mut self, stage: u8, moment: Moment) {
        assert!(
            self.timers.is_empty(),
            "timers run while a release is waited for: {:?}",
            self.timers
        );
        let name = self.name(stage);
        if self.hold_at.as_ref() == Some(&name) {
            self.held_at = Some((stage, moment));
        } else {
            self.inputs.push_back(Input::Released(stage, moment));
        }
        match moment {
            Moment::Entered => self.entered.push(name),
            Moment::Completed => self.completed.push(name),
        }
    }

    fn name(&self, stage: u8) -> String {
        self.plan.stages[usize::from(stage)].step.to_string()
    }

    fn apply(&mut self, task: Task) {
        match task {
            Task::PlaceManifest(component) => {
                self.bootstrap_running |= ComponentSet::bit(component);
            }
            Task::StashManifest(component) | Task::DeleteManifest(component) => {
                self.bootstrap_running &= !ComponentSet::bit(component);
            }
            Task::PurgeStale => {
                if let Some(stale) = &mut self.facts.stale {
                    (stale.nodes, stale.pods) = (0, 0);
                }
            }
            _ => {}
        }
    }
}

/// Walks that come by every stage of every policy, on one to three nodes, with a task that fails.
pub(crate) fn walks() -> Vec<Bench> {
    let plans = [pivot::modern(), pivot::bootkube(), pivot::kubeadm_alpha()];
    let failing = [
        None,
        Some((Task::Canary, Outcome::Failed(Why::CanaryLost))),
        Some((Task::VerifyApi, Outcome::Unknown)),
    ];
    let mut walks = Vec::new();
    for plan in plans {
        for control_planes in 1..=3 {
            for outcome in failing {
                let mut bench = Bench::new(plan.clone(), perfect(control_planes));
                bench.outcomes.extend(outcome);
                bench.run();
                walks.push(bench);
            }
        }
    }
    walks
}
