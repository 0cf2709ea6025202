//! Whatever comes, in whatever order: no panic, one verdict, and no green without a last line.

use oracle::{CaseResult, Live, Observation, Sighting, judge};
use proptest::prelude::*;

use crate::story::expects;
use crate::world::World;

/// An eventful story: a bootstrap, a lost node, a heal.
fn eventful() -> Vec<Observation> {
    let mut world = World::done(3);
    world.power_off(1);
    world.run(1_000);
    world.heal(1);
    world.close("done").told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_part_in_any_order_has_one_verdict(
        shuffled in Just(eventful()).prop_shuffle(),
        kept in 0usize..2_000,
        shift_us in 0u64..4_000_000,
    ) {
        let mut part: Vec<_> = shuffled.into_iter().take(kept).collect();
        for (index, seen) in part.iter_mut().enumerate() {
            if index % 7 == 0 {
                seen.end_us += shift_us;
            }
        }
        let expectation = expects("done", &[]);
        let first = judge(&part, &expectation);
        part.reverse();
        prop_assert_eq!(&first, &judge(&part, &expectation));
        part.retain(|seen| !matches!(seen.saw, Sighting::CaseClosed(_)));
        prop_assert_ne!(judge(&part, &expectation).result, CaseResult::Passed);
        let mut live = Live::new();
        for seen in &part {
            live.observe(seen);
        }
        live.finish();
    }
}
