//! Walking through a world by hand: text commands in, text out.

use std::fmt::{self, Write};

use similar::{ChangeTag, TextDiff};

use super::bounds::Bounds;
use super::model::Model;
use super::nearest::{Nearest, nearest};
use super::path::{Path, enabled};

/// A person's walk through a world.
pub struct Session<'m, M: Model> {
    model: &'m M,
    bounds: Bounds,
    path: Path<M>,
    /// Every state on the way; never empty.
    states: Vec<M::State>,
}

/// What can be asked, for `help`.
const HELP: &str = "\
actions     what can happen now, numbered; outside ones are marked
step X      do one: by its number, its name, or the beginning of its name
back [N]    undo the last action, or the last N
run X       go the shortest way to where invariant X is violated, X has just happened, or to `healthy`
show        the state
diff        what the last action changed
path        what happened so far
help        this
";

impl<'m, M: Model> Session<'m, M> {
    /// Begins in an initial state. `bounds` limit the searches of `run`.
    #[must_use]
    pub fn new(model: &'m M, start: M::State, bounds: Bounds) -> Self {
        Self {
            model,
            bounds,
            path: Path::empty(start),
            states: vec![start],
        }
    }

    /// Obeys one command and says what came of it, in whole lines.
    pub fn obey(&mut self, command: &str) -> String {
        let (verb, rest) = command
            .trim()
            .split_once(' ')
            .unwrap_or((command.trim(), ""));
        let rest = rest.trim();
        let answer = match verb {
            "actions" => Ok(self.actions()),
            "step" => self.step(rest),
            "back" => self.back(rest),
            "run" => self.run(rest),
            "show" => Ok(self.model.shown(&self.state())),
            "diff" => self.diff(),
            "path" => Ok(self.path.to_string()),
            "help" => Ok(HELP.to_owned()),
            "" => Ok(String::new()),
            _ => Err(Refusal(format!(
                "`{verb}` is no command; `help` lists them"
            ))),
        };
        answer.unwrap_or_else(|refusal| refusal.to_string())
    }

    /// What happened so far.
    #[must_use]
    pub fn path(&self) -> &Path<M> {
        &self.path
    }

    fn state(&self) -> M::State {
        self.states.last().copied().unwrap_or(self.path.start)
    }

    fn actions(&self) -> String {
        let mut text = String::new();
        for (number, action) in (1..).zip(enabled(self.model, &self.state())) {
            let outside = if self.model.is_outside(action) {
                "  (outside)"
            } else {
                ""
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{number:>3}  {action}{outside}");
        }
        if text.is_empty() {
            "nothing can happen\n".to_owned()
        } else {
            text
        }
    }

    fn step(&mut self, wanted: &str) -> Result<String, Refusal> {
        if wanted.is_empty() {
            return Err(Refusal(
                "do what? `actions` lists what can happen".to_owned(),
            ));
        }
        let actions = enabled(self.model, &self.state());
        let names: Vec<String> = actions.iter().map(ToString::to_string).collect();
        let chosen = match wanted.parse::<usize>() {
            Ok(number) => number.checked_sub(1).filter(|at| *at < actions.len()),
            Err(_) => named(&names, wanted)?,
        };
        let at = chosen.ok_or_else(|| {
            Refusal(format!(
                "`{wanted}` cannot happen now; `actions` lists what can"
            ))
        })?;
        Ok(self.act(actions[at]))
    }

    /// Does it, and says what it was and what is wrong now.
    fn act(&mut self, action: M::Action) -> String {
        let before = self.state();
        let after = self.model.apply(&before, action);
        self.path.actions.push(action);
        self.states.push(after);
        let mut text = format!("{}. {action}\n", self.path.actions.len());
        let news = self.model.violated(&after) & !self.model.violated(&before);
        for (invariant, slug) in self.model.invariants().iter().enumerate() {
            if news >> invariant & 1 == 1 {
                let _ = writeln!(text, "   violates {slug}");
            }
        }
        if self.model.healthy(&after) && !self.model.healthy(&before) {
            text.push_str("   healthy\n");
        }
        text
    }

    fn back(&mut self, times: &str) -> Result<String, Refusal> {
        let times = if times.is_empty() { "1" } else { times };
        let many = times.parse().ok();
        let done = self.path.actions.len();
        let left = many.and_then(|many: usize| done.checked_sub(many));
        let left = left.ok_or_else(|| {
            Refusal(format!(
                "{done} actions were done: `{times}` is no number of them to undo"
            ))
        })?;
        self.path.actions.truncate(left);
        self.states.truncate(left + 1);
        Ok(format!("after {left} actions\n"))
    }

    fn run(&mut self, wanted: &str) -> Result<String, Refusal> {
        if wanted.is_empty() {
            return Err(Refusal(
                "run to what? an invariant, an action, or `healthy`".to_owned(),
            ));
        }
        let model = self.model;
        let invariant = model.invariants().iter().position(|slug| *slug == wanted);
        let of_name = |action: &M::Action| action.to_string().starts_with(wanted);
        let goal = |state: &M::State| match (invariant, wanted) {
            (Some(invariant), _) => model.violated(state) >> invariant & 1 == 1,
            (None, "healthy") => model.healthy(state),
            (None, _) => enabled(model, state).iter().any(of_name),
        };
        let way = match nearest(model, &self.state(), &|_| true, &goal, self.bounds) {
            Nearest::Found(way) => way,
            Nearest::Nowhere { states } => {
                return Err(Refusal(format!(
                    "no way from here leads to `{wanted}` (all {states} states looked at)"
                )));
            }
            Nearest::Undecided { states, end } => {
                let because = end.because();
                return Err(Refusal(format!(
                    "`{wanted}` was not found among {states} states: {because}"
                )));
            }
        };
        let mut text: String = way
            .actions
            .into_iter()
            .map(|action| self.act(action))
            .collect();
        if invariant.is_none() && wanted != "healthy" {
            let last = enabled(model, &self.state()).into_iter().find(of_name);
            text.extend(last.map(|action| self.act(action)));
        }
        Ok(if text.is_empty() {
            format!("already at `{wanted}`\n")
        } else {
            text
        })
    }

    fn diff(&self) -> Result<String, Refusal> {
        let [.., before, after] = self.states.as_slice() else {
            return Err(Refusal("nothing happened yet".to_owned()));
        };
        let (before, after) = (self.model.shown(before), self.model.shown(after));
        let diff = TextDiff::from_lines(&before, &after);
        let changes = diff
            .iter_all_changes()
            .filter_map(|change| match change.tag() {
                ChangeTag::Delete => Some(format!("-{change}")),
                ChangeTag::Insert => Some(format!("+{change}")),
                ChangeTag::Equal => None,
            });
        let text: String = changes.collect();
        Ok(if text.is_empty() {
            "nothing changed\n".to_owned()
        } else {
            text
        })
    }
}

/// The place of the only name that is the wanted one or begins with it.
fn named(names: &[String], wanted: &str) -> Result<Option<usize>, Refusal> {
    if let Some(at) = names.iter().position(|name| name == wanted) {
        return Ok(Some(at));
    }
    let begin = |name: &&String| !wanted.is_empty() && name.starts_with(wanted);
    let fitting: Vec<&String> = names.iter().filter(begin).collect();
    match fitting.as_slice() {
        [] => Ok(None),
        [only] => Ok(names.iter().position(|name| name == *only)),
        several => {
            let list: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            Err(Refusal(format!(
                "`{wanted}` is the beginning of several: {}",
                list.join(", ")
            )))
        }
    }
}

/// Why a command was not obeyed.
struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0)
    }
}
