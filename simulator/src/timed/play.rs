//! The play: the world, the installer in it, and the timeline that is carried out on them.

use std::collections::{BTreeMap, BTreeSet};

use oracle::Live;
use oracle::observation::{CaseClosed, OperationEnd, Trouble};
use pivot::checkpoint::AgentPlan;
use pivot::{LogEntry, Plan};
use scenarios::{Case, Entry, Installer};
use terms::NodeId;

use super::applicability::NODE_SELECTOR;
use super::inward::Inward;
use super::operation::{Held, Open};
use super::outcome::Outcome;
use super::timeline::Progress;
use crate::conform::Seen;
use crate::thin::{HoldPoint, Made, Quirk, Watcher, World, WorldDriver};
use crate::timers::{Durations, Timers};

/// How often probes look, in milliseconds: at 5 Hz, as on real clusters.
pub(super) const LOOK_MS: u64 = 200;
/// How often they look at everything while nothing changes, in milliseconds, when a run is looked at sparingly:
/// as rarely as the judge still takes an instance for one that serves.
const SPARING_LOOK_MS: u64 = 2_000;
/// How often they only write and read through the load balancer meanwhile, in milliseconds: a cluster in which
/// nobody wrote for longer is not settled.
const GLANCE_MS: u64 = 1_000;
/// For so long after a change a run that is looked at sparingly is looked at as often as any other, in milliseconds.
const STIRRED_MS: u64 = 400;
/// No case takes longer than a day, which is the longest that a scenario can wait; nothing waits without an end.
const LONGEST_MS: u64 = 86_400_000;
/// How long the last read of written keys is tried for, in milliseconds, as on real clusters.
const READ_BACK_MS: u64 = 30_000;

/// Everything that playing needs.
pub(super) struct Play<'a> {
    pub(super) case: &'a Case,
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) watcher: Watcher,
    looks: Looks,
    /// Where violations are expected: the judge that says when they are proven.
    live: Option<Live>,
    judged: usize,
    /// The operation that the timeline started and that has not ended.
    pub(super) open: Option<Open>,
    pub(super) last_end: Option<OperationEnd>,
    /// The installer's process.
    pub(super) installer: Option<WorldDriver>,
    pub(super) held: Option<Held>,
    /// The bootstrap node boots, and will start the installer's unit.
    pub(super) boots: bool,
    pub(super) log: Vec<LogEntry>,
    /// The entry that is being carried out, and how far it is.
    pub(super) entry: usize,
    pub(super) progress: Progress,
    pub(super) trouble: Option<Trouble>,
    pub(super) bound: BTreeMap<String, Vec<NodeId>>,
    /// Nodes that are off by a lasting fault.
    pub(super) off: Vec<u8>,
    /// Nodes with a unit that a lasting fault stopped.
    pub(super) stopped: Vec<u8>,
    /// Nodes that the last entry's faults hit.
    pub(super) hit: Vec<u8>,
    /// Rebooting nodes, with the time when their power is back.
    pub(super) power_back: Vec<(u64, u8)>,
    /// Who listens to what happens inside, if anybody does.
    pub(super) inward: Option<Inward>,
}

/// Plays a case that is applicable here, whose installer follows this plan. Pure: the same
/// arguments give the same outcome. A case whose version the table of timers does not know is
/// played with that of the measured one; [`super::why_not_applicable`] says so beforehand.
pub fn run(case: &Case, plan: &Plan) -> Outcome {
    run_with_agents(case, plan, agent_of(case, plan))
}

/// As [`run`], with agents that follow this plan: for a case that takes theirs from a file.
pub fn run_with_agents(case: &Case, plan: &Plan, agent: Option<AgentPlan>) -> Outcome {
    Play::new(case, plan, agent, Looks::Steady).played_out()
}

/// As [`run`], with the same course of things, but seen less often while nothing changes: for those who
/// play many cases. What it does not show to hold has to be seen in [`run`].
pub fn run_sparingly(case: &Case, plan: &Plan) -> Outcome {
    let looks = Looks::Sparing {
        outline: 0,
        stirred_ms: 0,
    };
    Play::new(case, plan, agent_of(case, plan), looks).played_out()
}

/// As [`run`], in a world with these peculiarities, telling what happened inside. The coarse world is
/// compared with that step by step: [`crate::conform::explain`].
pub fn run_told(case: &Case, plan: &Plan, quirks: &[Quirk]) -> (Outcome, Seen) {
    let mut play = Play::new(case, plan, agent_of(case, plan), Looks::Steady);
    play.world.quirks.extend(quirks);
    play.inward = Some(Inward::default());
    play.play();
    let told = play.inward.take().unwrap_or_default();
    let control_planes = play.world.control_planes;
    (play.close(), told.heard(control_planes))
}

/// When probes look.
enum Looks {
    /// At their rate.
    Steady,
    /// At their rate for a while after each change, and seldom otherwise.
    Sparing {
        /// The world's outline when it was last asked for, and when that last changed.
        outline: u64,
        stirred_ms: u64,
    },
}

impl<'a> Play<'a> {
    fn played_out(mut self) -> Outcome {
        self.play();
        self.close()
    }

    fn play(&mut self) {
        while self.world.now_ms() < LONGEST_MS && !self.is_over() {
            self.pass_time();
            self.instant();
            self.drive();
            self.look();
            self.go_on();
            self.instant();
        }
    }

    /// What happened since the last instant is told, if anybody listens. A machine's input and all its
    /// effects are one; what it does after its release belongs to a later one.
    pub(super) fn instant(&mut self) {
        let Some(inward) = &mut self.inward else {
            return;
        };
        inward.passed(self.world.now_ms());
        let installer = self.installer.as_ref();
        let is_amid = self.held.is_none() && installer.is_some_and(WorldDriver::has_effects);
        if !is_amid {
            inward.instant(&self.world, installer);
        }
    }

    /// The probes look, if it is time to.
    fn look(&mut self) {
        let now_ms = self.world.now_ms();
        if !now_ms.is_multiple_of(LOOK_MS) {
            return;
        }
        if let Looks::Sparing {
            outline,
            stirred_ms,
        } = &mut self.looks
        {
            let now = self.world.outline();
            if std::mem::replace(outline, now) != now {
                *stirred_ms = now_ms;
            }
            if now_ms >= *stirred_ms + STIRRED_MS && !now_ms.is_multiple_of(SPARING_LOOK_MS) {
                if now_ms.is_multiple_of(GLANCE_MS) {
                    self.watcher.glance(&mut self.world);
                }
                return;
            }
        }
        self.watcher.look(&mut self.world);
    }

    fn new(case: &'a Case, plan: &'a Plan, agent: Option<AgentPlan>, looks: Looks) -> Self {
        let timers = Timers::of(&case.cluster.kubernetes).unwrap_or(Timers::measured());
        let Installer::Selfhost(selfhost) = &case.installer;
        let mut quirks = BTreeSet::new();
        if selfhost.switches.contains_key(NODE_SELECTOR) {
            quirks.insert(Quirk::ApiserverCannotBeScheduled);
        }
        let count = |nodes: u32| u8::try_from(nodes).unwrap_or(u8::MAX);
        let mut world = World::made(Made {
            control_planes: count(case.cluster.control_plane),
            workers: count(case.cluster.workers),
            quirks,
            durations: Durations::drawn(timers, case.seed),
            agent,
        });
        world.agents.holds = agent_holds(case, &world);
        let live = (!case.expect.violated.is_empty()).then(Live::new);
        Self {
            case,
            plan,
            world,
            watcher: Watcher::new(case.opened()),
            looks,
            live,
            judged: 0,
            open: None,
            last_end: None,
            installer: None,
            held: None,
            boots: false,
            log: Vec::new(),
            entry: 0,
            progress: Progress::Next,
            trouble: None,
            bound: BTreeMap::new(),
            off: Vec::new(),
            stopped: Vec::new(),
            hit: Vec::new(),
            power_back: Vec::new(),
            inward: None,
        }
    }

    fn pass_time(&mut self) {
        self.world.tick();
        self.watcher.agent_steps(&mut self.world);
        let now_ms = self.world.now_ms();
        let (back, waiting) = self
            .power_back
            .iter()
            .partition(|(back_ms, _)| *back_ms <= now_ms);
        self.power_back = waiting;
        let back: Vec<(u64, u8)> = back;
        for (_, node) in back {
            self.power_on(node);
        }
        self.boot();
        self.watch_operation();
    }

    /// The timeline ended, somehow: played, in trouble, or proven to be what was expected.
    fn is_over(&mut self) -> bool {
        self.trouble.is_some() || self.progress == Progress::Over || self.is_proven()
    }

    /// Whether everything that the case expects to be violated has been.
    fn is_proven(&mut self) -> bool {
        let Some(live) = &mut self.live else {
            return false;
        };
        for seen in &self.watcher.seen()[self.judged..] {
            live.observe(seen);
        }
        self.judged = self.watcher.seen().len();
        let mut expected = self.case.expect.violated.iter();
        expected.all(|slug| live.violated().contains(slug.as_str()))
    }

    /// The world goes on until the written keys can be read back, if there are any.
    fn await_read_back(&mut self) {
        let until_ms = self.world.now_ms() + READ_BACK_MS;
        let written = self.world.has_written();
        while written && !self.world.reachable() && self.world.now_ms() < until_ms {
            self.world.tick();
            self.look();
        }
    }

    fn close(mut self) -> Outcome {
        self.await_read_back();
        if let Some(installer) = self.installer.take() {
            self.log.extend_from_slice(installer.log());
        }
        let end = self
            .last_end
            .map_or(oracle::END_WHEN_PROVEN, OperationEnd::name);
        let closed = CaseClosed {
            end: end.to_owned(),
            trouble: self.trouble,
        };
        let observations = self.watcher.close(&mut self.world, closed);
        Outcome {
            observations,
            log: self.log,
            agent_logs: self.world.agent_logs(),
            took_ms: self.world.now_ms(),
        }
    }
}

/// What the agents of a case follow: the plan that it names, or the one that belongs to the pivot's.
fn agent_of(case: &Case, plan: &Plan) -> Option<AgentPlan> {
    let Installer::Selfhost(selfhost) = &case.installer;
    let named = selfhost
        .agent
        .as_ref()
        .and_then(|agent| AgentPlan::find(agent));
    named.or_else(|| AgentPlan::belonging_to(plan))
}

/// Where the timeline wants agents to be held.
fn agent_holds(case: &Case, world: &World) -> Vec<HoldPoint> {
    let at = case.timeline.iter().filter_map(|entry| match entry {
        Entry::At(at) => Some(at),
        _ => None,
    });
    at.filter_map(|at| {
        let node = at.actor.agent_node()?;
        Some(HoldPoint {
            node: world.index(&node)?,
            step: at.step.clone(),
            moment: at.moment,
            occurrence: at.occurrence,
        })
    })
    .collect()
}
