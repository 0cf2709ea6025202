//! Any world as a model of stateright, for a second opinion on its states.

use simulator::explore::Model;
use stateright::Property;

/// The same states and actions. Without symmetry.
pub(crate) struct Stateright<M>(pub(crate) M);

impl<M> stateright::Model for Stateright<M>
where
    M: Model + Send + 'static,
    M::State: Send + Sync + std::hash::Hash + 'static,
    M::Action: Send + Sync + 'static,
{
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<M::State> {
        self.0.initial()
    }

    fn actions(&self, state: &M::State, actions: &mut Vec<M::Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, last: &M::State, action: M::Action) -> Option<M::State> {
        Some(self.0.apply(last, action))
    }

    /// Every state is judged, as by the explorer. Stateright ends once each property was found violated:
    /// one that never is keeps it going.
    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is violated", |model: &Self, state| {
                model.0.violated(state) == 0
            }),
            Property::always("goes on", |_, _| true),
        ]
    }
}
