//! A plain explorer, too simple to be wrong: the reference for the real one.

use std::collections::{BTreeMap, BTreeSet};

use simulator::explore::Model;

/// Every reachable key with its depth.
pub(crate) fn depths<M: Model>(model: &M, symmetric: bool) -> BTreeMap<u128, u32> {
    let mut depths = BTreeMap::new();
    let mut layer: BTreeSet<u128> = model
        .initial()
        .iter()
        .map(|state| model.pack(state, symmetric))
        .collect();
    let mut depth = 0;
    while !layer.is_empty() {
        depths.extend(layer.iter().map(|key| (*key, depth)));
        let next = layer
            .iter()
            .flat_map(|key| followers(model, symmetric, *key, &|_| true));
        layer = next.filter(|key| !depths.contains_key(key)).collect();
        depth += 1;
    }
    depths
}

/// Keys that follow by actions of this sort, one for each action.
pub(crate) fn followers<M: Model>(
    model: &M,
    symmetric: bool,
    key: u128,
    allowed: &dyn Fn(M::Action) -> bool,
) -> Vec<u128> {
    let state = model.unpack(key);
    let mut actions = Vec::new();
    model.actions(&state, &mut actions);
    let allowed = actions.into_iter().filter(|action| allowed(*action));
    allowed
        .map(|action| model.pack(&model.apply(&state, action), symmetric))
        .collect()
}

/// Keys from which the world cannot return to health by itself.
pub(crate) fn stuck<M: Model>(model: &M) -> BTreeSet<u128> {
    let mut stuck: BTreeSet<u128> = depths(model, false).into_keys().collect();
    stuck.retain(|key| !model.healthy(&model.unpack(*key)));
    loop {
        let saved: Vec<u128> = stuck
            .iter()
            .filter(|key| {
                let by_itself = |action| !model.is_outside(action);
                followers(model, false, **key, &by_itself)
                    .iter()
                    .any(|next| !stuck.contains(next))
            })
            .copied()
            .collect();
        if saved.is_empty() {
            return stuck;
        }
        saved.iter().for_each(|key| {
            stuck.remove(key);
        });
    }
}
