//! Exploring the coarse world asks for no memory but the list of actions, which is used again and again.

use std::collections::BTreeSet;
use std::hint::black_box;

use allocation_counter::measure;
use pivot::{ComponentSet, bootkube, kubeadm_alpha, modern};
use simulator::coarse::{Budgets, Config, World};
use simulator::explore::Model;

/// So many states of each world are tried.
const STATES: usize = 2_000;
/// More actions than any state has.
const MOST_ACTIONS: usize = 256;

/// Everything may go wrong, once.
const TROUBLE: Budgets = Budgets {
    power_cuts: 1,
    kills: 1,
    installer_kills: 1,
    lost_answers: 1,
    timing: 1,
    restarts: 1,
};

#[test]
fn neither_actions_nor_apply_nor_pack_nor_judging_allocates() {
    let mut saving = modern();
    saving.rules.checkpointed = ComponentSet::ALL;
    for plan in [modern(), bootkube(), kubeadm_alpha(), saving] {
        for nodes in 1..=3 {
            let config = Config {
                foreign: true,
                ..Config::calm(plan.clone(), nodes)
            };
            tried(&World::new(config.with(TROUBLE)));
        }
    }
}

/// Breadth first, with everything that an explorer does to a state.
fn tried(world: &World) {
    let mut actions = Vec::with_capacity(MOST_ACTIONS);
    let mut keys = Vec::with_capacity(MOST_ACTIONS);
    let mut queue = vec![world.pack(&world.initial()[0], true)];
    let mut seen: BTreeSet<u128> = queue.iter().copied().collect();
    let mut next = 0;
    while next < queue.len().min(STATES) {
        let key = queue[next];
        next += 1;
        actions.clear();
        keys.clear();
        let allocated = measure(|| {
            let state = world.unpack(key);
            black_box((world.violated(&state), world.decided(&state)));
            black_box(world.healthy(&state));
            world.actions(&state, &mut actions);
            for action in &actions {
                let after = world.apply(&state, *action);
                keys.push(world.pack(&after, true));
                black_box(world.pack(&after, false));
            }
        });
        assert_eq!(allocated.count_total, 0, "{:?}", world.unpack(key));
        queue.extend(keys.iter().filter(|key| seen.insert(**key)));
    }
    assert_eq!(next, STATES, "there are fewer states");
}

#[test]
fn a_list_that_must_grow_is_counted() {
    let world = World::new(Config::calm(modern(), 1));
    let state = world.initial()[0];
    let mut actions = Vec::new();
    let allocated = measure(|| world.actions(&state, &mut actions));
    assert!(allocated.count_total > 0, "{actions:?}");
}
