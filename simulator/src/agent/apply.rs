//! What follows from an action.

use pivot::checkpoint::Input;

use super::action::Action;
use super::state::{
    APISERVER, Base, CONTROLLER, Copied, Part, Pending, Pod, Process, Stage, State,
};
use super::world::World;

impl World {
    /// The state after an action that was listed for this state.
    pub(crate) fn after(&self, before: &State, action: Action) -> State {
        let mut state = *before;
        if action.is_outside() {
            state.left -= 1;
            self.strike(&mut state, action);
        } else {
            self.happen(&mut state, action);
        }
        self.settle(&mut state);
        state
    }

    fn happen(&self, state: &mut State, action: Action) {
        match action {
            Action::TaskEnds(node, part, _) => self.end_task(state, usize::from(node), part),
            Action::Elapses(node, part, timer) => {
                self.input(state, usize::from(node), part, Input::Elapsed(timer));
            }
            Action::AgentStarts(node) => {
                let node = &mut state.nodes[usize::from(node)];
                node.agent = true;
                node.guarded |= !node.rolled;
            }
            Action::Guards(node) => {
                let node = &mut state.nodes[usize::from(node)];
                (node.guarded, node.rolled) = (true, false);
            }
            Action::Syncs(node) => state.nodes[usize::from(node)].synced = true,
            Action::Starts(node, place) => {
                let part = &mut state.nodes[usize::from(node)].parts[place];
                if let Pod::Bound { bad, .. } = part.pod {
                    part.process = Process::Runs { bad, ready: false };
                }
            }
            Action::Ready(node, place) => {
                let part = &mut state.nodes[usize::from(node)].parts[place];
                if let Process::Runs { ready, .. } = &mut part.process {
                    *ready = true;
                }
            }
            Action::Crashes(node, place) => {
                state.nodes[usize::from(node)].parts[place].process = Process::None;
            }
            Action::CopyReady(node, place) => {
                let part = &mut state.nodes[usize::from(node)].parts[place];
                if let Copied::Active(_, stage) = &mut part.copy {
                    *stage = Stage::Ready;
                }
            }
            Action::Creates(node, place) => {
                let bad = state.bad[place];
                state.nodes[usize::from(node)].parts[place].pod = Pod::Bound { bad, ready: false };
            }
            Action::Replaces(node, place) => {
                state.nodes[usize::from(node)].parts[place].pod = Pod::None;
            }
            Action::LeaseExpires => state.unled = true,
            Action::RemovesBootstrap => {
                state.unarmed = self.lacks_checkpoint(state);
                state.bootstrap = false;
            }
            Action::Undoes(place) => state.bad[place] = false,
            Action::PowerOn(node) => state.nodes[usize::from(node)].on = true,
            Action::RuntimeHeals(node) => state.nodes[usize::from(node)].runtime_error = false,
            _ => {}
        }
    }

    fn strike(&self, state: &mut State, action: Action) {
        match action {
            Action::CutPower(node) => self.cut_power(state, usize::from(node)),
            Action::Blackout => {
                for node in 0..usize::from(self.control_planes()) {
                    self.cut_power(state, node);
                }
            }
            Action::KillParent(node, place) => {
                state.nodes[usize::from(node)].parts[place].process = Process::None;
            }
            Action::KillCopy(node, place) => {
                let part = &mut state.nodes[usize::from(node)].parts[place];
                if let Copied::Active(_, stage) = &mut part.copy {
                    *stage = Stage::Starting;
                }
            }
            Action::KillAgent(node) => {
                let reachable = state.is_reachable(self.control_planes());
                self.end_agent(state, usize::from(node));
                // What does not protect itself goes with the agent's pod, once the API says that it went.
                if reachable && !self.config().plan.rules.protects_itself {
                    let node = &mut state.nodes[usize::from(node)];
                    (node.guarded, node.rolled) = (false, true);
                }
            }
            Action::RestartKubelet(node) => state.nodes[usize::from(node)].synced = false,
            Action::DeletePods(place) => {
                for node in &mut state.nodes {
                    node.parts[place].pod = Pod::None;
                }
            }
            Action::RuntimeFails(node) => state.nodes[usize::from(node)].runtime_error = true,
            Action::Tear(node, place) => {
                state.nodes[usize::from(node)].parts[place].pending = Pending::Partial;
            }
            Action::RollOutBad(place) => state.bad[place] = true,
            _ => {}
        }
    }

    fn cut_power(&self, state: &mut State, number: usize) {
        self.end_agent(state, number);
        let node = &mut state.nodes[number];
        (node.on, node.synced, node.runtime_error) = (false, false, false);
        for part in &mut node.parts {
            part.process = Process::None;
            if let Copied::Active(_, stage) = &mut part.copy {
                *stage = Stage::Down;
            }
            if part.pending != Pending::None {
                // What was not synced is lost.
                part.pending = Pending::Partial;
            }
        }
    }
}

// === What follows at once ===

impl World {
    /// Kubelets, lease and agents do what they do at once.
    pub(crate) fn settle(&self, state: &mut State) {
        // Stopping an apiserver may end the API, which keeps other kubelets from hearing of more.
        let mut before = None;
        while before != Some(*state) {
            before = Some(*state);
            for number in 0..usize::from(self.control_planes()) {
                self.settle_node(state, number);
            }
        }
        if state.is_led(self.control_planes()) {
            state.unled = false;
        }
        self.tell_agents(state);
    }

    fn settle_node(&self, state: &mut State, number: usize) {
        let reachable = state.is_reachable(self.control_planes());
        let node = &mut state.nodes[number];
        if !node.on {
            return;
        }
        let hears = node.synced && reachable;
        for part in &mut node.parts {
            if let Copied::Active(_, stage @ Stage::Down) = &mut part.copy {
                *stage = Stage::Starting;
            }
            if !hears {
                continue;
            }
            let is_of_pod = match (part.pod, part.process) {
                (Pod::Bound { bad, .. }, Process::Runs { bad: runs, .. }) => bad == runs,
                (_, Process::None) => true,
                (Pod::None, _) => false,
            };
            if !is_of_pod {
                part.process = Process::None;
            }
            if let Pod::Bound { ready, .. } = &mut part.pod {
                *ready = part.process.is_ready();
            }
        }
    }

    /// Whether some node whose self-hosted apiserver serves holds no complete checkpoint of it.
    fn lacks_checkpoint(&self, state: &State) -> bool {
        state.nodes.iter().any(|node| {
            let part = &node.parts[APISERVER];
            node.on && part.process.is_ready() && !part.base.is_complete()
        })
    }

    /// Whether the installer may remove the bootstrap control plane: enough self-hosted apiservers and a
    /// controller work, and every node is armed for what it waits for. An installer that waits for no
    /// checkpoint is history's, which asked for one running pod of each.
    pub(crate) fn may_remove_bootstrap(&self, state: &State) -> bool {
        let nodes = || state.nodes.iter().take(usize::from(self.control_planes()));
        if !state.bootstrap || !state.is_reachable(self.control_planes()) {
            return false;
        }
        if !(self.arms(APISERVER) || self.arms(CONTROLLER)) {
            let runs =
                |place: usize| nodes().any(|node| node.parts[place].process != Process::None);
            return state.nodes[0].on && runs(APISERVER) && runs(CONTROLLER);
        }
        state.nodes[0].on
            && nodes().all(|node| {
                node.on
                    && (0..2).all(|place| node.parts[place].process.is_ready())
                    && (0..2).all(|place| !self.arms(place) || is_armed(node.parts[place]))
            })
    }
}

fn is_armed(part: Part) -> bool {
    match part.pod {
        Pod::Bound { bad, .. } => part.base == Base::of_revision(bad),
        Pod::None => false,
    }
}
