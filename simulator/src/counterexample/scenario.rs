//! A counterexample in the scenario language.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use oracle::register;
use pivot::Plan;

use super::Counterexample;
use super::address::Address;
use crate::coarse::{Action, State, World, name};

const NEVER_FAILS: &str = "writing into a string cannot fail";
/// What ends every timeline: with everything healed, the cluster must settle.
const SETTLE: &str = "settle: { within: 300s, stable_for: 15s }";
/// How long anything lasts that the schedule does not say more of, in milliseconds.
const SHORTEST_WAIT_MS: u64 = 1_000;
/// Columns that a line of `about` is filled to.
const WIDTH: usize = 110;

/// A scenario that is being written.
pub(crate) struct Draft {
    /// Entries of the timeline.
    entries: Vec<String>,
    /// Whether an operation runs in the background: only then can a fault be held at a step.
    held: bool,
    killed: bool,
    off: BTreeSet<u8>,
}

impl Counterexample {
    /// The name of its scenario.
    pub fn name(&self) -> String {
        format!("{}-breaks-{}", self.config.plan.policy, self.invariant)
    }

    /// Whether the plan is the built-in one of its name.
    pub(crate) fn is_built_in(&self) -> bool {
        Plan::named(&self.config.plan.policy).as_ref() == Some(&self.config.plan)
    }

    /// The policy as the scenario names it.
    pub(crate) fn policy(&self) -> String {
        let name = &self.config.plan.policy;
        if self.is_built_in() {
            name.clone()
        } else {
            format!("./{name}.json")
        }
    }

    /// Why the language has no words for it.
    ///
    /// # Errors
    /// The first thing that it cannot express.
    pub(crate) fn is_expressible(&self) -> Result<(), String> {
        if self.config.one_port {
            return Err("no switch of the installer gives two apiservers one port".to_owned());
        }
        for (number, action) in (1..).zip(&self.path) {
            let why = match action {
                Action::AnswerLost(_) => "no fault loses an answer of the API",
                Action::StartForeign => "no entry starts another cluster's installer",
                Action::StartAgain => "only what was killed can be resumed, not what holds",
                _ => continue,
            };
            return Err(format!("{number}. {action}: {why}"));
        }
        Ok(())
    }

    /// The timeline, with the faults moved by so many announcements each, in their order.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn timeline(
        &self,
        world: &World,
        times_ms: &[u64],
        moves: &[isize],
    ) -> Result<Vec<String>, String> {
        let states = self.states(world);
        let mut draft = Draft {
            entries: vec!["bootstrap: {}".to_owned()],
            held: true,
            killed: false,
            off: BTreeSet::new(),
        };
        let mut moves = moves.iter();
        let mut struck_ms = 0;
        for (at, action) in self.path.iter().enumerate() {
            let (now_ms, state) = (times_ms[at + 1], &states[at]);
            if let Some(fault) = fault(*action) {
                let by = moves.next().copied().unwrap_or_default();
                draft.strike(&self.config.plan, state, &fault, by)?;
                draft.note(*action);
                struck_ms = now_ms;
            } else if let Action::PowerOn(node) = action {
                draft.wait(now_ms.saturating_sub(struck_ms));
                let name = name(*node);
                draft.entries.push(format!("heal: {{ node: {name} }}"));
                draft.off.remove(node);
                struck_ms = now_ms;
            } else if *action == Action::Resume && draft.killed {
                draft.wait(now_ms.saturating_sub(struck_ms));
                draft.resume();
                struck_ms = now_ms;
            }
        }
        Ok(draft.close())
    }

    /// The whole text.
    pub(crate) fn text(
        &self,
        timeline: &[String],
        ends: &str,
        violated: &BTreeSet<String>,
    ) -> String {
        let switches = if self.config.unschedulable {
            ", switches: { apiserver-node-selector: chrysalis/nowhere }"
        } else {
            ""
        };
        let slugs: Vec<&str> = violated.iter().map(String::as_str).collect();
        let mut text = format!(
            "name: {name}\nabout: >\n{about}tags: [explored]\ncost_s: 300\n\
             cluster: {{ control_plane: {nodes}, workers: 1, kubernetes: \"1.34\" }}\ncases:\n\
             \x20 - installer: {{ selfhost: {{ policy: {policy}{switches} }} }}\n\
             \x20   expect: {{ ends: {ends}, violated: [{slugs}] }}\ntimeline:\n",
            name = self.name(),
            about = filled(&self.about()),
            nodes = self.config.control_planes,
            policy = self.policy(),
            slugs = slugs.join(", "),
        );
        for entry in timeline {
            writeln!(text, "  - {entry}").expect(NEVER_FAILS);
        }
        text
    }

    /// What happens and what is wrong with it, in sentences.
    fn about(&self) -> String {
        let nodes = match self.config.control_planes {
            1 => "one control-plane node".to_owned(),
            several => format!("{several} control-plane nodes"),
        };
        let outside: Vec<String> = self
            .path
            .iter()
            .filter_map(|action| told(*action))
            .collect();
        let happened = if self.config.unschedulable {
            "no node takes the self-hosted apiservers".to_owned()
        } else if outside.is_empty() {
            "nothing goes wrong".to_owned()
        } else {
            outside.join(", then ")
        };
        let rule = register::by_slug(&self.invariant);
        let sentence = rule.map_or(String::new(), |rule| format!(" {}", rule.sentence));
        format!(
            "Found by trying every interleaving of the policy `{policy}` with {nodes}: {happened}, and after {count} events \
             {slug} is violated:{sentence} At the end: {guard}.",
            policy = self.config.plan.policy,
            count = self.path.len(),
            slug = self.invariant,
            guard = self.guard(),
        )
    }
}

impl Draft {
    /// A fault, held at the announcement before it, or injected when there is no installer to hold.
    fn strike(&mut self, plan: &Plan, state: &State, fault: &str, by: isize) -> Result<(), String> {
        let entry = match Address::passed_last(state).filter(|_| self.held) {
            Some(address) => {
                let address = address.moved(plan, by).ok_or("the plan has no such step")?;
                let address = address.written(plan);
                format!("at: {{ {address}, within: 300s, inject: [ {fault} ] }}")
            }
            None => format!("inject: [ {fault} ]"),
        };
        self.entries.push(entry);
        Ok(())
    }

    fn note(&mut self, action: Action) {
        match action {
            Action::KillInstaller => (self.killed, self.held) = (true, false),
            Action::CutPower(node) => {
                self.off.insert(node);
            }
            _ => {}
        }
    }

    fn wait(&mut self, for_ms: u64) {
        let seconds = for_ms.max(SHORTEST_WAIT_MS).div_ceil(1_000);
        self.entries.push(format!("wait: {seconds}s"));
    }

    fn resume(&mut self) {
        self.entries.push("resume: {}".to_owned());
        (self.killed, self.held) = (false, true);
    }

    /// Heals what is open, and asks whether all comes back.
    fn close(mut self) -> Vec<String> {
        if !self.off.is_empty() {
            self.wait(20_000);
            self.entries.push("heal: {}".to_owned());
        }
        if self.killed {
            self.wait(SHORTEST_WAIT_MS);
            self.resume();
        }
        self.entries.push(SETTLE.to_owned());
        self.entries
    }
}

fn fault(action: Action) -> Option<String> {
    Some(match action {
        Action::CutPower(node) => format!("{{ power_off: {{ node: {} }} }}", name(node)),
        Action::Kill(component, _, node) => {
            format!(
                "{{ kill: {{ component: {component}, node: {} }} }}",
                name(node)
            )
        }
        Action::KillInstaller => "{ kill_installer: {} }".to_owned(),
        _ => return None,
    })
}

/// What is done from outside, in words.
fn told(action: Action) -> Option<String> {
    Some(match action {
        Action::CutPower(node) => format!("{} loses its power", name(node)),
        Action::PowerOn(node) => format!("{} gets it back", name(node)),
        Action::Kill(component, incarnation, node) => {
            format!("the {incarnation} {component} of {} is killed", name(node))
        }
        Action::KillInstaller => "the installer is killed".to_owned(),
        _ => return None,
    })
}

/// Lines of a folded block.
fn filled(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + word.len() + 1 > WIDTH {
            lines.push(word.to_owned());
        } else {
            let line = &mut lines[last];
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("  {line}\n")).collect()
}
