//! Packing, symmetry and rest, on states that walks reach.

use pivot::ComponentSet;
use pivot::checkpoint::{AgentPlan, bootkube_agent, modern_agent};
use proptest::prelude::*;

use super::{Config, Faults, State, World};
use crate::explore::Model;

fn worlds() -> impl Strategy<Value = World> {
    let plans = vec![modern_agent(), bootkube_agent()];
    let with = |(plan, arms, control_planes): (AgentPlan, bool, u8)| {
        let arms = if arms {
            plan.checkpointed
        } else {
            ComponentSet::NONE
        };
        World::new(Config::new(plan, arms, control_planes, Faults::any(3)))
    };
    (prop::sample::select(plans), any::<bool>(), 1..=2_u8).prop_map(with)
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

fn mirrored(state: &State) -> State {
    let mut other = *state;
    other.nodes.swap(0, 1);
    other
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
        prop_assert_eq!(world.unpack(world.pack(&state, false)), state);
    }

    /// Nothing waits to be told, released or started at once.
    #[test]
    fn whatever_happens_the_world_has_settled((world, state) in reached()) {
        let mut settled = state;
        world.settle(&mut settled);
        // A world that nothing has happened to has not told anybody anything.
        prop_assert_eq!(settled, state);
        for part in state.nodes.iter().flat_map(|node| node.parts) {
            prop_assert!(part.machine.announced().is_none() && !part.machine.awaits_facts());
        }
    }

    #[test]
    fn nodes_that_are_interchangeable_make_no_difference((world, state) in reached()) {
        let canonical = world.pack(&state, true);
        prop_assert_eq!(world.pack(&world.unpack(canonical), true), canonical);
        if world.config().control_planes == 2 && !state.bootstrap {
            let mirrored = mirrored(&state);
            prop_assert_eq!(world.pack(&mirrored, true), canonical);
            prop_assert_eq!(followers(&world, &mirrored), followers(&world, &state));
            prop_assert_eq!(world.violated(&mirrored), world.violated(&state));
            prop_assert_eq!(world.healthy(&mirrored), world.healthy(&state));
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
