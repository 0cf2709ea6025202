//! Paths of the coarse world, as records.

use pivot::{ComponentSet, bootkube, kubeadm_alpha, modern};
use simulator::chance::{Chance, Key, named};
use simulator::coarse::{Action, Budgets, Config, World, project};
use simulator::conform::{Bounds, Outcome, conform};
use simulator::explore::Model;

/// Everything that may go wrong, once.
const TROUBLE: Budgets = Budgets {
    power_cuts: 1,
    kills: 1,
    installer_kills: 1,
    lost_answers: 1,
    timing: 1,
    restarts: 1,
};
const WALKS: u64 = 3;
const LONGEST: u64 = 90;

fn walk(world: &World, chance: Chance, walk: u64) -> Vec<Action> {
    let mut state = world.initial()[0];
    let mut path = Vec::new();
    let mut actions = Vec::new();
    for counter in 0..LONGEST {
        actions.clear();
        world.actions(&state, &mut actions);
        let key = Key {
            entity: walk,
            purpose: named("conform walk"),
            counter,
        };
        let Ok(count) = u64::try_from(actions.len()) else {
            break;
        };
        if count == 0 {
            break;
        }
        let chosen =
            usize::try_from(chance.below(key, count)).expect("it is less than their number");
        path.push(actions[chosen]);
        state = world.apply(&state, actions[chosen]);
    }
    path
}

/// Whatever the coarse world does is recognised from its record.
#[test]
fn projected_paths_conform() {
    let mut saving = modern();
    saving.rules.checkpointed = ComponentSet::ALL;
    let (mut followed, mut most) = (0, 0);
    for plan in [modern(), bootkube(), kubeadm_alpha(), saving] {
        for control_planes in 1..=3 {
            for budgets in [Budgets::default(), TROUBLE] {
                // With every kind of trouble on more nodes, so much is hidden that following takes minutes.
                // So it is with copies on three nodes: nothing shows when the agent writes one.
                let saves = plan.rules.checkpointed != ComponentSet::NONE;
                if control_planes > 1 && budgets == TROUBLE || control_planes > 2 && saves {
                    continue;
                }
                let calm = Config {
                    one_port: plan.policy == "kubeadm-alpha",
                    announces: true,
                    ..Config::calm(plan.clone(), control_planes)
                };
                let world = World::new(calm.clone().with(budgets));
                for number in 0..WALKS {
                    let path = walk(&world, Chance::new(u64::from(control_planes)), number);
                    let found = conform(&calm, &project(&world, &path), Bounds::USUAL);
                    let words: Vec<String> = path.iter().map(Action::to_string).collect();
                    assert_eq!(
                        found.outcome,
                        Outcome::Conforms,
                        "{} on {control_planes} nodes:\n{}",
                        plan.policy,
                        words.join("\n")
                    );
                    followed += found.explained;
                    most = most.max(found.belief_most);
                }
            }
        }
    }
    println!("{followed} changes followed, at most {most} states possible after one");
    assert!(followed > 1_000, "only {followed} changes were compared");
}
