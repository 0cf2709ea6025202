//! Packing and symmetry, on states that walks reach.

use pivot::{ComponentSet, bootkube, kubeadm_alpha, modern};
use proptest::prelude::*;

use super::pack::{pack, unpack};
use super::{Budgets, Config, State, World};
use crate::explore::Model;

/// Everything that may go wrong, often.
const TROUBLE: Budgets = Budgets {
    power_cuts: 2,
    kills: 2,
    installer_kills: 2,
    lost_answers: 2,
    timing: 2,
    restarts: 2,
};

fn worlds() -> impl Strategy<Value = World> {
    let mut saving = modern();
    saving.rules.checkpointed = ComponentSet::ALL;
    let plans = vec![modern(), bootkube(), kubeadm_alpha(), saving];
    let budgets = prop_oneof![Just(TROUBLE), Just(Budgets::default())];
    (
        prop::sample::select(plans),
        1..=3_u8,
        budgets,
        any::<bool>(),
    )
        .prop_map(|(plan, control_planes, budgets, one_port)| {
            let calm = Config {
                one_port,
                foreign: true,
                ..Config::calm(plan, control_planes)
            };
            World::new(calm.with(budgets))
        })
}

/// A state that a walk reaches: of what can happen, each choice picks one.
fn walk(world: &World, choices: &[u16]) -> State {
    let mut state = world.initial()[0];
    let mut actions = Vec::new();
    for choice in choices {
        actions.clear();
        world.actions(&state, &mut actions);
        let Some(action) = actions.get(usize::from(*choice) % actions.len().max(1)) else {
            break;
        };
        state = world.apply(&state, *action);
    }
    state
}

fn reached() -> impl Strategy<Value = (World, State)> {
    (worlds(), prop::collection::vec(any::<u16>(), 0..250)).prop_map(|(world, choices)| {
        let state = walk(&world, &choices);
        (world, state)
    })
}

/// Keys of everything that can follow, in order.
fn followers(world: &World, state: &State) -> Vec<u128> {
    let mut actions = Vec::new();
    world.actions(state, &mut actions);
    let next = actions
        .iter()
        .map(|action| world.pack(&world.apply(state, *action), true));
    let mut keys: Vec<_> = next.collect();
    keys.sort_unstable();
    keys
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_packed_state_is_the_state((world, state) in reached()) {
        prop_assert_eq!(unpack(pack(&state)), state);
        prop_assert_eq!(world.unpack(world.pack(&state, false)), state);
    }

    /// What is left out after an action, because it would change nothing, would have changed nothing.
    #[test]
    fn whatever_happens_the_cluster_has_settled((world, state) in reached()) {
        let mut settled = state;
        settled.settle(world.control_planes());
        prop_assert_eq!(settled, state);
    }

    #[test]
    fn nodes_that_are_interchangeable_make_no_difference((world, state) in reached()) {
        let canonical = world.pack(&state, true);
        prop_assert_eq!(world.pack(&world.unpack(canonical), true), canonical);
        if world.control_planes() == 3 {
            let swapped = world.swapped(&state);
            prop_assert_eq!(world.swapped(&swapped), state);
            prop_assert_eq!(world.pack(&swapped, true), canonical);
            prop_assert!([pack(&state), pack(&swapped)].contains(&canonical));
            prop_assert_eq!(followers(&world, &swapped), followers(&world, &state));
            prop_assert_eq!(world.violated(&swapped), world.violated(&state));
            prop_assert_eq!(world.healthy(&swapped), world.healthy(&state));
        }
    }

    #[test]
    fn the_same_state_gives_the_same_actions((world, state) in reached()) {
        let (mut once, mut again) = (Vec::new(), Vec::new());
        world.actions(&state, &mut once);
        world.actions(&world.unpack(world.pack(&state, false)), &mut again);
        prop_assert_eq!(&once, &again);
        for (place, action) in once.iter().enumerate() {
            prop_assert!(!once[..place].contains(action), "{} is listed twice", action);
            prop_assert!(world.kind(*action) < world.kinds().len());
        }
    }
}

#[test]
fn nodes_beyond_the_cluster_stay_as_they_begin() {
    let world = World::new(Config::calm(modern(), 1).with(TROUBLE));
    let begins = world.initial()[0].nodes;
    let state = walk(&world, &[7; 300]);
    assert_eq!(state.nodes[1..], begins[1..]);
}
