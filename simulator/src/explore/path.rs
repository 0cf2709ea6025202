//! A way through a world: where it begins, and what happens.

use std::fmt;

use super::model::Model;

/// Actions from a state, each enabled where it happens.
pub struct Path<M: Model> {
    /// Where it begins.
    pub start: M::State,
    /// What happens, in order.
    pub actions: Vec<M::Action>,
}

impl<M: Model> Path<M> {
    /// A path on which nothing happens.
    #[must_use]
    pub fn empty(start: M::State) -> Self {
        Self {
            start,
            actions: Vec::new(),
        }
    }

    /// Every state on the way, from the first to the last.
    ///
    /// # Panics
    /// If an action is not enabled where it is to happen: then this is no path.
    #[must_use]
    pub fn states(&self, model: &M) -> Vec<M::State> {
        let mut states = vec![self.start];
        let mut state = self.start;
        for action in &self.actions {
            assert!(
                enabled(model, &state).contains(action),
                "{action} cannot happen in {state:?}"
            );
            state = model.apply(&state, *action);
            states.push(state);
        }
        states
    }

    /// Where it ends.
    ///
    /// # Panics
    /// As [`Path::states`].
    #[must_use]
    pub fn end(&self, model: &M) -> M::State {
        self.states(model).last().copied().unwrap_or(self.start)
    }
}

/// What can happen in a state.
pub(crate) fn enabled<M: Model>(model: &M, state: &M::State) -> Vec<M::Action> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions
}

impl<M: Model> Clone for Path<M> {
    fn clone(&self) -> Self {
        Self {
            start: self.start,
            actions: self.actions.clone(),
        }
    }
}

impl<M: Model> PartialEq for Path<M> {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.actions == other.actions
    }
}

impl<M: Model> fmt::Debug for Path<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Path")
            .field("start", &self.start)
            .field("actions", &self.actions)
            .finish()
    }
}

/// One action a line, numbered from 1.
impl<M: Model> fmt::Display for Path<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.actions.len().to_string().len();
        for (number, action) in (1..).zip(&self.actions) {
            writeln!(f, "{number:width$}  {action}")?;
        }
        Ok(())
    }
}

/// The model merges states that do not behave alike: no action leads from a state to one that should follow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSymmetry {
    /// Actions that could be replayed before.
    pub after: usize,
}

impl fmt::Display for NoSymmetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the model calls states mirrored that do not behave alike: no action leads on after {} actions",
            self.after
        )
    }
}

/// Walks forward along keys: under symmetry, keys are those of representatives, and the states of the
/// path are real ones whose representatives they are.
pub(crate) fn along<M: Model>(
    model: &M,
    symmetric: bool,
    keys: &[u128],
) -> Result<Path<M>, NoSymmetry> {
    let first = model
        .initial()
        .into_iter()
        .find(|state| model.pack(state, symmetric) == keys[0]);
    let mut path = Path::empty(first.ok_or(NoSymmetry { after: 0 })?);
    let mut state = path.start;
    for key in &keys[1..] {
        let next = enabled(model, &state).into_iter().find_map(|action| {
            let next = model.apply(&state, action);
            (model.pack(&next, symmetric) == *key).then_some((action, next))
        });
        let (action, next) = next.ok_or(NoSymmetry {
            after: path.actions.len(),
        })?;
        path.actions.push(action);
        state = next;
    }
    Ok(path)
}
