//! The coarse world as a model that an explorer can try.

use pivot::StageKind;

use super::action::Action;
use super::config::{Budgets, Config};
use super::decisions::{OUTCOMES, failed_into};
use super::judge::INVARIANTS;
use super::pack;
use super::shown::shown;
use super::state::{APISERVER, Disk, Joined, Lease, Pod, Power, Process, State, Status};
use crate::explore::Model;

/// A coarse world: the bounds, with what follows from them.
#[derive(Clone, Debug)]
pub struct World {
    config: Config,
    /// Stages whose tasks are nodes to label, by bit.
    labelling: u16,
    has_checkpoints: bool,
}

impl World {
    /// The world within these bounds.
    ///
    /// # Panics
    /// When the plan cannot be followed, or has a task list that the packed state cannot hold.
    pub fn new(config: Config) -> Self {
        config
            .plan
            .check()
            .expect("an explored plan can be followed");
        let is_label = |kind| kind == StageKind::Label;
        let mut labelling = 0;
        for (number, stage) in config.plan.stages.iter().enumerate() {
            labelling |= u16::from(is_label(stage.kind)) << number;
        }
        let has_checkpoints = config.plan.rules.checkpointed.0 != 0;
        Self {
            config,
            labelling,
            has_checkpoints,
        }
    }

    /// Its bounds.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// How much may go wrong in this state: nothing at stages where the first fault must not happen, but ever
    /// after a fault what is left. No state has to remember which stages were reached: while nothing went
    /// wrong the procedure stands where it came to, unless a person starts it again.
    #[inline]
    pub(crate) fn may_go_wrong(&self, state: &State) -> Budgets {
        let bounds = self.config.first_fault;
        self.left_if(bounds.may_happen_at(state.machine.stage()), state)
    }

    /// How much of it may go wrong with this node, or with what is on it.
    #[inline]
    pub(crate) fn may_go_wrong_on(&self, state: &State, node: usize) -> Budgets {
        let bounds = self.config.first_fault;
        let may = bounds.hits.may_be(node) && bounds.may_happen_at(state.machine.stage());
        self.left_if(may, state)
    }

    /// What is left to go wrong if something went wrong before, or if the first fault may happen here.
    #[inline]
    fn left_if(&self, first_may: bool, state: &State) -> Budgets {
        if first_may || !self.is_unharmed(state) {
            return state.left;
        }
        Budgets {
            restarts: state.left.restarts,
            ..Budgets::default()
        }
    }

    /// Whether no fault happened yet.
    #[inline]
    pub(crate) fn is_unharmed(&self, state: &State) -> bool {
        state.left.allows_same_faults(self.config.budgets)
    }

    /// How many control-plane nodes there are.
    pub(crate) const fn control_planes(&self) -> u8 {
        self.config.control_planes
    }

    /// Whether the checkpoint agent's stand-in writes anything.
    pub(crate) const fn has_checkpoints(&self) -> bool {
        self.has_checkpoints
    }

    /// The first component whose pods the scheduler binds.
    pub(crate) const fn first_bound(&self) -> usize {
        if self.config.unschedulable {
            APISERVER + 1
        } else {
            APISERVER
        }
    }

    /// Whether the stage's tasks are nodes to label.
    pub(crate) const fn labels_in(&self, stage: pivot::StageIndex) -> bool {
        self.labelling >> stage & 1 == 1
    }

    /// What stands for the machine while its process is down.
    pub(crate) const fn first_state(&self) -> pivot::State {
        pivot::State::FIRST
    }

    /// Before the installer's first effect: nodes have power, etcd serves, the assets lie on the first node.
    /// A plan that reclaims a cluster begins after a loss of all its processes: etcd remembers its nodes and
    /// pods, and kubelets that started since know of none.
    fn beginning(&self) -> State {
        let mut state = pack::BLANK;
        for node in state
            .nodes
            .iter_mut()
            .take(usize::from(self.control_planes()))
        {
            node.power = Power::On;
        }
        state.disk = Disk {
            assets: true,
            ..Disk::default()
        };
        let reclaims = |stage: &pivot::Stage| stage.kind == StageKind::Reclaim;
        if self.config.plan.stages.iter().any(reclaims) {
            for node in state
                .nodes
                .iter_mut()
                .take(usize::from(self.control_planes()))
            {
                (node.joined, node.pods) = (Joined::Labelled, [Pod::Bound; 3]);
            }
            state.applied = true;
            state.disk.claimed = true;
        }
        state.left = self.config.budgets;
        self.start(&mut state);
        state
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![self.beginning()]
    }

    fn actions(&self, state: &State, into: &mut Vec<Action>) {
        self.list_actions(state, into);
    }

    fn apply(&self, state: &State, action: Action) -> State {
        self.after(state, action)
    }

    fn pack(&self, state: &State, symmetric: bool) -> u128 {
        if symmetric {
            self.pack_canonical(state)
        } else {
            pack::pack(state)
        }
    }

    fn unpack(&self, key: u128) -> State {
        pack::unpack(key)
    }

    fn invariants(&self) -> &'static [&'static str] {
        &INVARIANTS
    }

    fn violated(&self, state: &State) -> u64 {
        self.wrong(state)
    }

    fn decided(&self, state: &State) -> u64 {
        self.judged(state)
    }

    /// The API serves through a load balancer that is up to date, every node has power, somebody leads,
    /// and either the procedure is done and everything is self-hosted, or it holds with a reason:
    /// after a fault, or because no self-hosted apiserver can be scheduled.
    fn healthy(&self, state: &State) -> bool {
        let count = usize::from(self.control_planes());
        let nodes = &state.nodes[..count];
        let serves = state.is_reachable(state.has_quorum(self.control_planes()));
        let leads = state.leases.iter().all(|lease| !lease.is_free());
        if !(serves && leads && nodes.iter().all(|node| node.is_on())) {
            return false;
        }
        if state.status != Status::Ended {
            return false;
        }
        if state.machine.is_holding() {
            return self.config.unschedulable || state.left != self.config.budgets;
        }
        let self_hosted = |lease: &Lease| lease.node().is_some();
        state.leases.iter().all(self_hosted)
            && state.bootstrap == [Process::Gone; 3]
            && nodes.iter().all(|node| {
                node.joined == Joined::Labelled
                    && node.listed == 1
                    && node.pods.iter().all(|pod| pod.is_ready())
            })
    }

    fn shown(&self, state: &State) -> String {
        shown(&self.config, state)
    }

    fn is_outside(&self, action: Action) -> bool {
        action.is_outside()
    }

    fn is_help(&self, action: Action) -> bool {
        action == Action::StartAgain
    }

    fn kind(&self, action: Action) -> usize {
        action.kind()
    }

    fn kinds(&self) -> &'static [&'static str] {
        &Action::KINDS
    }

    fn outcomes(&self) -> &'static [&'static str] {
        &OUTCOMES
    }

    fn judging(&self, state: &State) -> u64 {
        self.judged_now(state)
    }

    fn led_to(&self, before: &State, after: &State) -> u64 {
        failed_into(before, after)
    }
}
