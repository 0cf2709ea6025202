//! A trial: what is done to a cluster, in order.

use std::fmt::Write as _;
use std::path::Path;

use scenarios::{Case, Mistakes, Overrides, Selection, expand, parse};
use terms::{Component, Moment, StepName};

use crate::chance::named;

/// A trial. The same trial is the same case, with the same draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The policy as a scenario names it.
    pub policy: String,
    /// How many control-plane nodes; there is one worker.
    pub control_planes: u8,
    /// What is done on the way to the end of the bootstrap, in the order of the plan's steps.
    pub on_the_way: Vec<Act>,
    /// What is done to the cluster afterwards, and how long is waited after each, in seconds.
    pub afterwards: Vec<(Strike, u32)>,
}

/// Something that is done at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The step.
    pub step: StepName,
    /// Which side of it.
    pub moment: Moment,
    /// What is done.
    pub strike: Strike,
    /// How long it is left so before power is given back or the installer is started again, in seconds.
    pub left_s: u32,
}

/// What is done. Nodes are numbers from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strike {
    /// A control-plane node loses its power, and gets it back later.
    PowerOff(u8),
    /// A control-plane node loses its power for a moment.
    Reboot(u8),
    /// A component of a control-plane node is killed.
    Kill(Component, u8),
    /// The installer is killed, and started again later.
    KillInstaller,
    /// One pod of a component is deleted.
    Delete(Component),
}

impl Strike {
    fn fault(self) -> String {
        match self {
            Self::PowerOff(node) => format!("{{ power_off: {{ node: cp-{node} }} }}"),
            Self::Reboot(node) => format!("{{ reboot: {{ node: cp-{node} }} }}"),
            Self::Kill(component, node) => {
                format!("{{ kill: {{ component: {component}, node: cp-{node} }} }}")
            }
            Self::KillInstaller => "{ kill_installer: {} }".to_owned(),
            Self::Delete(component) => format!(
                "{{ delete: {{ kind: Pod, namespace: kube-system, selector: k8s-app={component}, limit: 1 }} }}"
            ),
        }
    }

    /// What must be done afterwards so that everything can return.
    const fn cure(self) -> Option<&'static str> {
        match self {
            Self::PowerOff(_) => Some("heal: {}"),
            Self::KillInstaller => Some("resume: {}"),
            Self::Reboot(_) | Self::Kill(..) | Self::Delete(_) => None,
        }
    }
}

const NEVER_FAILS: &str = "writing into a string cannot fail";

impl Trial {
    /// A name that follows from what the trial does and to whom. Seeds follow from names: with this
    /// one the trial is the same case wherever it is written and read again.
    pub fn name(&self) -> String {
        let policy = Path::new(&self.policy).file_stem().unwrap_or_default();
        let whole = format!(
            "{} {} {}",
            policy.to_string_lossy(),
            self.control_planes,
            self.timeline()
        );
        format!("swarm-{:016x}", named(&whole))
    }

    /// How many things are done.
    pub fn strikes(&self) -> usize {
        self.on_the_way.len() + self.afterwards.len()
    }

    /// The trial as a scenario file of this name.
    pub fn scenario(&self, name: &str) -> String {
        format!(
            "name: {name}\nabout: >\n  Found by random trials of the policy `{policy}` in the simulator.\n\
             tags: [nightly, swarm]\ncost_s: 600\n\
             cluster: {{ control_plane: {nodes}, workers: 1, kubernetes: \"1.34\" }}\n\
             cases:\n  - {{ installer: {{ selfhost: {{ policy: {policy} }} }} }}\ntimeline:\n{timeline}",
            policy = self.policy,
            nodes = self.control_planes,
            timeline = self.timeline(),
        )
    }

    fn timeline(&self) -> String {
        let mut text = "  - bootstrap: {}\n".to_owned();
        let mut line = |words: &str| writeln!(text, "  - {words}").expect(NEVER_FAILS);
        for act in &self.on_the_way {
            let Act {
                step,
                moment,
                strike,
                left_s,
            } = act;
            line(&format!(
                "at: {{ step: {step}, moment: {moment}, within: 300s, inject: [ {} ] }}",
                strike.fault()
            ));
            if let Some(cure) = strike.cure() {
                line(&format!("wait: {left_s}s"));
                line(cure);
            }
        }
        line(SETTLE);
        for (strike, left_s) in &self.afterwards {
            line(&format!("inject: [ {} ]", strike.fault()));
            line(&format!("wait: {left_s}s"));
            if let Some(cure) = strike.cure() {
                line(cure);
            }
        }
        if !self.afterwards.is_empty() {
            line(SETTLE);
        }
        text
    }

    /// The trial as a case.
    ///
    /// # Errors
    /// When the language refuses it, such as a second power-off of a node that is off.
    pub fn case(&self, name: &str) -> Result<Case, Mistakes> {
        let file = format!("{name}.yaml");
        let text = self.scenario(name);
        let scenario = parse(&file, text.as_bytes(), Path::new(""), &Overrides::default());
        let scenarios = [scenario.map_err(Mistakes)?];
        let plan = expand(&scenarios, &Selection::default());
        let mut cases = plan.expect("everything of one scenario is selected").cases;
        Ok(cases.remove(0))
    }
}

/// Liveness: with everything healed, the cluster must settle in this time.
const SETTLE: &str = "settle: { within: 400s, stable_for: 15s }";
