//! The checkpoint agents: a driver of the machine on each node, in the process that holds the lock.

use std::collections::BTreeMap;

use pivot::Attempt;
use pivot::checkpoint::{
    AgentPlan, Effect, Effects, Facts, Input, Known, LogEntry, State, Step, Task, Timer,
    UNLED_AFTER_MS, UNLED_IN_SILENCE_AFTER_MS, begin, step,
};
use terms::{Component, Incarnation, Moment, NodeId, StepName};

use super::world::World;
use crate::timers;

/// More inputs than this at one instant are a machine that runs in circles.
const MOST_AT_ONCE: usize = 1_000;

/// The agent of a node, as long as one process of it acts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agent {
    /// The process that holds the lock.
    pub(crate) acting: Option<u32>,
    machines: BTreeMap<Component, Driven>,
    /// Whether the API answered at its last look, and since when it does, or does not.
    hears: (bool, u64),
    next_look_ms: u64,
    /// Until then no machine has an input: what is due is not due yet, and it does not look.
    idle_until_ms: u64,
    /// Where it is held, and since when.
    pub(crate) held: Option<(HoldPoint, u64)>,
    log: Vec<LogEntry>,
}

/// One component's machine.
#[derive(Clone, Debug)]
struct Driven {
    state: State,
    timers: BTreeMap<Timer, u64>,
    task: Option<(u64, Task, Attempt)>,
    released: Option<(Step, Moment)>,
    told: Option<Facts>,
}

/// Where an agent is to be held: a node, and an address of its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HoldPoint {
    pub(crate) node: u8,
    pub(crate) step: StepName,
    pub(crate) moment: Moment,
    pub(crate) occurrence: u32,
}

/// Something that an agent announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) at: HoldPoint,
    pub(crate) now_ms: u64,
    pub(crate) held: bool,
}

/// All agents, what they follow, and what they said since somebody listened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agents {
    pub(crate) plan: Option<AgentPlan>,
    pub(crate) of: Vec<Agent>,
    pub(crate) holds: Vec<HoldPoint>,
    occurrences: BTreeMap<(u8, StepName, Moment), u32>,
    pub(crate) said: Vec<Announced>,
}

impl Agents {
    /// Agents that follow a plan, one on each control-plane node; none without a plan.
    pub(crate) fn new(plan: Option<AgentPlan>, control_planes: u8) -> Self {
        Self {
            plan,
            of: vec![Agent::default(); usize::from(control_planes)],
            ..Self::default()
        }
    }
}

impl Driven {
    const fn new() -> Self {
        Self {
            state: begin(),
            timers: BTreeMap::new(),
            task: None,
            released: None,
            told: None,
        }
    }
}

impl Agent {
    /// Nobody acts any more, and what a process knew is forgotten.
    fn stop(&mut self) {
        self.acting = None;
        self.idle_until_ms = 0;
        self.machines.clear();
        self.held = None;
    }

    fn begin(&mut self, pid: u32, now_ms: u64) {
        self.stop();
        self.acting = Some(pid);
        self.next_look_ms = now_ms;
        self.hears = (false, now_ms);
        self.machines = Component::SELF_HOSTED
            .into_iter()
            .map(|component| (component, Driven::new()))
            .collect();
        self.log.push(LogEntry::Began);
    }

    /// When the next input comes, once there is none at this instant.
    fn next_input_ms(&self) -> u64 {
        let machines = self.machines.values();
        let due = machines.flat_map(|driven| {
            // One that ran in circles has more to do at once.
            let at_once = driven.released.is_some() || driven.state.awaits_facts();
            let task = driven.task.iter().map(|(due_ms, ..)| *due_ms);
            task.chain(driven.timers.values().copied())
                .chain(at_once.then_some(0))
        });
        due.min().unwrap_or(u64::MAX).min(self.next_look_ms)
    }
}

impl World {
    /// Lets every agent do what it can at this instant.
    pub(crate) fn drive_agents(&mut self) {
        // Put aside, not copied: nobody asks for it while the agents act.
        let Some(plan) = self.agents.plan.take() else {
            return;
        };
        for node in 0..self.control_planes {
            self.take_lock(node);
            let agent = &self.agents.of[usize::from(node)];
            if agent.acting.is_some() && agent.held.is_none() {
                self.protect(node, true);
                self.drive_agent(&plan, node);
            }
            if !plan.rules.protects_itself && self.reachable() && !self.has_agent_pod(node) {
                self.protect(node, false);
            }
        }
        self.agents.plan = Some(plan);
    }

    /// The agent's own static manifest is there, or is not.
    fn protect(&mut self, node: u8, protects: bool) {
        if self.node(node).kept.protects != protects {
            self.node_mut(node).kept.protects = protects;
        }
    }

    /// The lock is free as soon as its holder's process is gone; the first that is ready takes it.
    fn take_lock(&mut self, node: u8) {
        let now_ms = self.now_ms;
        let ready = |process: &&super::node::Process| {
            process.component == Component::CheckpointAgent && process.is_ready(now_ms)
        };
        let mut agents = self.node(node).processes.iter().filter(ready);
        let acting = self.agents.of[usize::from(node)].acting;
        let has_lock =
            acting.is_some_and(|acting| agents.clone().any(|process| process.pid == acting));
        let next = agents.next().map(|process| process.pid);
        if !has_lock {
            let agent = &mut self.agents.of[usize::from(node)];
            match next {
                Some(pid) => agent.begin(pid, now_ms),
                None => agent.stop(),
            }
        }
    }

    fn drive_agent(&mut self, plan: &AgentPlan, node: u8) {
        let agent = &mut self.agents.of[usize::from(node)];
        if self.now_ms < agent.idle_until_ms {
            return;
        }
        agent.idle_until_ms = 0;
        let looks = self.now_ms >= agent.next_look_ms;
        if looks {
            let look_ms = self
                .durations
                .next_ms(timers::Timer::AgentLook, u64::from(node));
            let api = self.reachable();
            let agent = &mut self.agents.of[usize::from(node)];
            agent.next_look_ms = self.now_ms + look_ms;
            if agent.hears.0 != api {
                agent.hears = (api, self.now_ms);
            }
        }
        for component in Component::SELF_HOSTED {
            let mut looks = looks;
            for _ in 0..MOST_AT_ONCE {
                let Some(input) = self.next_agent_input(node, component, &mut looks) else {
                    break;
                };
                self.step_agent(plan, node, component, input);
                if self.agents.of[usize::from(node)].held.is_some() {
                    return;
                }
            }
        }
        let agent = &mut self.agents.of[usize::from(node)];
        agent.idle_until_ms = agent.next_input_ms();
    }

    /// The next input of this instant. Facts come last: they are always at hand.
    fn next_agent_input(
        &mut self,
        node: u8,
        component: Component,
        looks: &mut bool,
    ) -> Option<Input> {
        let now_ms = self.now_ms;
        let driven = self.driven(node, component)?;
        if let Some((step, moment)) = driven.released.take() {
            return Some(Input::Released(step, moment));
        }
        if let Some((due_ms, task, attempt)) = driven.task
            && due_ms <= now_ms
        {
            driven.task = None;
            let outcome = self.keep(node, component, task);
            return Some(Input::Finished(task, attempt, outcome));
        }
        let mut timers = driven.timers.iter();
        if let Some((timer, _)) = timers.find(|(_, due_ms)| **due_ms <= now_ms) {
            let timer = *timer;
            driven.timers.remove(&timer);
            return Some(Input::Elapsed(timer));
        }
        let awaits = driven.state.awaits_facts();
        if !(awaits || std::mem::take(looks)) {
            return None;
        }
        let facts = self.agent_facts(node, component);
        let driven = self.driven(node, component)?;
        let is_news = driven.told.replace(facts) != Some(facts);
        (awaits || is_news).then_some(Input::Facts(facts))
    }

    fn step_agent(&mut self, plan: &AgentPlan, node: u8, component: Component, input: Input) {
        let Some(driven) = self.driven(node, component) else {
            return;
        };
        if !matches!(input, Input::Facts(_)) {
            // What the facts were told for may be another now: the next look tells them again.
            driven.told = None;
        }
        let (state, effects) = step(plan, component, driven.state, input);
        driven.state = state;
        self.agents.of[usize::from(node)]
            .log
            .push(LogEntry::Stepped {
                component,
                input,
                effects,
            });
        self.perform_agent(plan, node, component, effects);
    }

    fn perform_agent(
        &mut self,
        plan: &AgentPlan,
        node: u8,
        component: Component,
        effects: Effects,
    ) {
        let entity = Self::place(node, component, Some(Incarnation::Checkpoint));
        for effect in effects.iter() {
            match effect {
                Effect::Start(task, attempt) => {
                    self.begin_keeping(node, component, task, plan.rules.order);
                    let takes_ms = self.durations.next_ms(timers::Timer::AgentTask, entity);
                    let due_ms = self.now_ms + takes_ms;
                    if let Some(driven) = self.driven(node, component) {
                        driven.task = Some((due_ms, task, attempt));
                    }
                }
                Effect::Cancel(task) => {
                    if let Some(driven) = self.driven(node, component) {
                        driven.task.take_if(|(_, running, _)| *running == task);
                    }
                }
                Effect::Arm(timer) => {
                    let due_ms = self.now_ms + u64::from(plan.duration_ms(timer));
                    if let Some(driven) = self.driven(node, component) {
                        driven.timers.insert(timer, due_ms);
                    }
                }
                Effect::Disarm(timer) => {
                    if let Some(driven) = self.driven(node, component) {
                        driven.timers.remove(&timer);
                    }
                }
                Effect::Announce(step, moment) => {
                    self.agent_announces(node, component, step, moment)
                }
            }
        }
    }

    fn agent_announces(&mut self, node: u8, component: Component, step: Step, moment: Moment) {
        let now_ms = self.now_ms;
        if let Some(driven) = self.driven(node, component) {
            driven.released = Some((step, moment));
        }
        let step = step.of(component);
        let occurrence = self
            .agents
            .occurrences
            .entry((node, step.clone(), moment))
            .or_default();
        *occurrence += 1;
        let at = HoldPoint {
            node,
            step,
            moment,
            occurrence: *occurrence,
        };
        let held = self.agents.holds.contains(&at);
        if held {
            self.agents.of[usize::from(node)].held = Some((at.clone(), now_ms));
        }
        self.agents.said.push(Announced { at, now_ms, held });
    }

    /// An agent that is held goes on; its own timers stood still meanwhile.
    pub(crate) fn release_agent(&mut self, node: u8) {
        let now_ms = self.now_ms;
        let agent = &mut self.agents.of[usize::from(node)];
        let Some((_, since_ms)) = agent.held.take() else {
            return;
        };
        let timers = agent
            .machines
            .values_mut()
            .flat_map(|driven| driven.timers.values_mut());
        timers.for_each(|due_ms| *due_ms += now_ms - since_ms);
    }

    /// The process of the node's agent that holds the lock.
    pub(crate) fn acting_agent(&self, node: u8) -> Option<u32> {
        self.agents.of.get(usize::from(node))?.acting
    }

    /// Whether the node's agent is held at this address.
    pub(crate) fn agent_is_held(
        &self,
        node: u8,
        step: &StepName,
        moment: Moment,
        occurrence: u32,
    ) -> bool {
        let held = self.agents.of[usize::from(node)].held.as_ref();
        held.is_some_and(|(at, _)| {
            at.step == *step && at.moment == moment && at.occurrence == occurrence
        })
    }

    fn driven(&mut self, node: u8, component: Component) -> Option<&mut Driven> {
        self.agents.of[usize::from(node)]
            .machines
            .get_mut(&component)
    }

    /// What the agent knows of a component on its node.
    pub(crate) fn agent_facts(&self, node: u8, component: Component) -> Facts {
        let api = self.reachable();
        let pod = self
            .pods
            .iter()
            .find(|pod| pod.component == component && pod.node == node && pod.bound);
        let when_known = |yes: bool| {
            if api {
                Known::from(yes)
            } else {
                Known::Unknown
            }
        };
        let has_runtime = self.node(node).runtime_stopped_ms.is_none();
        let runs = |by: Incarnation| match self.node(node).process(component, Some(by)) {
            _ if !has_runtime => Known::Unknown,
            process => Known::from(process.is_some()),
        };
        let kept = &self.node(node).kept;
        let parent = pod.filter(|_| api);
        Facts {
            api,
            bound: when_known(pod.is_some()),
            parent_ready: parent.is_some_and(|pod| {
                let process = self.process_of(pod);
                !pod.terminating && process.is_some_and(|process| process.is_ready(self.now_ms))
            }),
            parent: parent.map_or(0, |pod| u8::try_from(pod.uid % 255).unwrap_or(0) + 1),
            parent_runs: runs(Incarnation::SelfHosted),
            copy_runs: runs(Incarnation::Checkpoint),
            led: self.is_led_by(node, component),
            saved: kept.saved(component),
            current: api && kept.template(component) == Some(self.template(component)),
            active: kept.active.contains(&component),
        }
    }

    /// Whether somebody leads the component, as far as the node's agent can have seen it since the API answers.
    fn is_led_by(&self, node: u8, component: Component) -> Known {
        let Some(lease) = self.leases.get(&component) else {
            return Known::Yes;
        };
        let (hears, since_ms) = self.agents.of[usize::from(node)].hears;
        let renewal_ms = lease.holder.is_some().then_some(lease.renewed_ms);
        let seen_ms = renewal_ms.filter(|renewed_ms| *renewed_ms >= since_ms);
        let (from_ms, after_ms) = match seen_ms {
            Some(renewed_ms) => (renewed_ms, UNLED_AFTER_MS),
            None if hears => (since_ms, UNLED_AFTER_MS),
            None => (since_ms, UNLED_IN_SILENCE_AFTER_MS),
        };
        if self.now_ms >= from_ms + u64::from(after_ms) {
            Known::No
        } else if hears && seen_ms.is_some() {
            Known::Yes
        } else {
            Known::Unknown
        }
    }

    /// Every input and effect of every agent so far.
    pub(crate) fn agent_logs(&self) -> BTreeMap<NodeId, Vec<LogEntry>> {
        let agents = (0..self.control_planes).zip(&self.agents.of);
        let logs = agents.map(|(node, agent)| (self.name(node), agent.log.clone()));
        logs.filter(|(_, log)| !log.is_empty()).collect()
    }

    /// Whether the node's agent says that the component could be started from its disk.
    pub(crate) fn is_armed(&self, node: u8, component: Component) -> bool {
        let acts = self
            .agents
            .of
            .get(usize::from(node))
            .is_some_and(|agent| agent.acting.is_some());
        acts && self.agent_facts(node, component).is_armed()
    }
}
