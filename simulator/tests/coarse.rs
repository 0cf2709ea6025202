mod search;
use pivot::{bootkube, modern, mutants};
use search::{search, words};
use simulator::coarse::{Budgets, Config};

#[test]
fn figures() {
    for (name, plan) in [("modern", modern()), ("bootkube", bootkube())] {
        for n in 1..=2 {
            let none = Budgets::default();
            for (what, budgets) in [
                ("calm", none),
                ("cut", Budgets { power_cuts: 1, ..none }),
                ("kill", Budgets { kills: 1, ..none }),
                ("installer", Budgets { installer_kills: 1, ..none }),
                ("lost", Budgets { lost_answers: 1, ..none }),
                ("timing", Budgets { timing: 1, ..none }),
            ] {
                if n == 2 && what != "calm" { continue; }
                let t = std::time::Instant::now();
                let found = search(Config::calm(plan.clone(), n).with(budgets), true, 3_000_000);
                println!("{name} n={n} {what}: {} states {} transitions complete {} healthy {:?} {:?} rate {:.2}M/s", found.states, found.transitions, found.complete, found.healthy.as_ref().map(Vec::len), t.elapsed(), found.transitions as f64 / t.elapsed().as_secs_f64()/1e6);
                for (slug, path) in &found.violated { println!(" {slug} {}\n{}", path.len(), words(path)); }
                if let Some(lost) = &found.lost { println!(" LOST {}\n{}", lost.len(), words(lost)); }
            }
        }
    }
    let _ = mutants();
}
