//! Difference constraints: bounds on how far apart two instants are, solved by Bellman and Ford.

/// `later - earlier` is at least (or at most) so many milliseconds, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constraint {
    /// The instant from which is counted.
    pub(crate) from: usize,
    /// The instant that is bounded.
    pub(crate) to: usize,
    /// How far apart.
    pub(crate) bound: Bound,
    /// What says so, as a sentence.
    pub(crate) because: String,
}

/// How far apart two instants are, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// `to` comes at least so long after `from`.
    AtLeast(u64),
    /// `to` comes at most so long after `from`.
    AtMost(u64),
}

/// The earliest times of so many instants, in milliseconds since instant 0; each instant comes no
/// earlier than the one before it.
///
/// # Errors
/// The constraints that contradict one another.
pub(crate) fn earliest(
    instants: usize,
    constraints: &[Constraint],
) -> Result<Vec<u64>, Vec<&Constraint>> {
    // `time[to] >= time[from] + weight`: the longest ways from instant 0 are the earliest times.
    let raises = |constraint: &Constraint| match constraint.bound {
        Bound::AtLeast(ms) => (constraint.from, constraint.to, signed(ms)),
        Bound::AtMost(ms) => (constraint.to, constraint.from, -signed(ms)),
    };
    let mut times = vec![0_i64; instants];
    let mut raised_by: Vec<Option<usize>> = vec![None; instants];
    let mut last = None;
    // As long a way as there are instants goes round in a circle.
    for _ in 0..=instants {
        last = None;
        for later in 1..instants {
            if times[later] < times[later - 1] {
                times[later] = times[later - 1];
                raised_by[later] = None;
                last = Some(later);
            }
        }
        for (number, constraint) in constraints.iter().enumerate() {
            let (from, to, weight) = raises(constraint);
            if times[to] < times[from] + weight {
                times[to] = times[from] + weight;
                raised_by[to] = Some(number);
                last = Some(to);
            }
        }
        if last.is_none() {
            break;
        }
    }
    let Some(mut at) = last else {
        return Ok(times.into_iter().map(i64::unsigned_abs).collect());
    };
    // So far back, the way is on the circle; once round it names the contradiction.
    let before = |at: usize| match raised_by[at] {
        Some(number) => raises(&constraints[number]).0,
        None => at.saturating_sub(1),
    };
    for _ in 0..instants {
        at = before(at);
    }
    let begin = at;
    let mut circle = Vec::new();
    loop {
        circle.extend(raised_by[at].map(|number| &constraints[number]));
        at = before(at);
        if at == begin {
            return Err(circle);
        }
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraint(from: usize, to: usize, bound: Bound) -> Constraint {
        Constraint {
            from,
            to,
            bound,
            because: format!("{from} to {to}"),
        }
    }

    #[test]
    fn the_earliest_times_respect_every_bound() {
        let constraints = [
            constraint(0, 1, Bound::AtLeast(5)),
            constraint(0, 3, Bound::AtLeast(20)),
            constraint(2, 3, Bound::AtMost(4)),
        ];
        assert_eq!(earliest(4, &constraints), Ok(vec![0, 5, 16, 20]));
    }

    #[test]
    fn a_contradiction_names_those_that_make_it() {
        let constraints = [
            constraint(0, 1, Bound::AtLeast(1)),
            constraint(1, 3, Bound::AtLeast(20)),
            constraint(0, 3, Bound::AtMost(20)),
            constraint(2, 3, Bound::AtMost(4)),
        ];
        let contradiction = earliest(4, &constraints).expect_err("they contradict one another");
        let mut named: Vec<&str> = contradiction.iter().map(|found| &*found.because).collect();
        named.sort_unstable();
        assert_eq!(named, ["0 to 1", "0 to 3", "1 to 3"]);
    }

    /// The order of the instants alone can contradict a bound.
    #[test]
    fn order_counts() {
        let constraints = [
            constraint(0, 1, Bound::AtLeast(10)),
            constraint(0, 2, Bound::AtMost(9)),
        ];
        assert_eq!(
            earliest(3, &constraints).map_err(|circle| circle.len()),
            Err(2)
        );
    }
}
