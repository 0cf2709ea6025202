//! Budgets: the longest times that a case allows, with their defaults.

use terms::Milliseconds;

/// A budget: what it limits, and how long it is unless a scenario says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The key that a scenario writes.
    pub name: &'static str,
    /// How long, unless said.
    pub default: Milliseconds,
    /// From when to when.
    pub limits: &'static str,
    /// Where the number comes from.
    pub because: &'static str,
    /// Slugs of the invariants that are not judged when the budget is `none`.
    pub judges: &'static [&'static str],
}

/// What asks that API and control plane are back in time after a great loss.
const RETURNS: [&str; 4] = [
    "api-returns-after-power-loss",
    "api-returns-after-deletion",
    "controllers-return-after-deletion",
    "processes-return",
];

/// Great losses, after which everything must be self-hosted again.
const CONTROL_PLANE_RETURNS: [&str; 5] = [
    "api-returns-after-power-loss",
    "api-returns-after-deletion",
    "controllers-return-after-deletion",
    "processes-return",
    "recovery-from-snapshot",
];

/// Every budget, in the order of the documentation.
pub const BUDGETS: [Budget; 7] = [
    Budget {
        name: "bootstrap",
        default: Milliseconds::from_seconds(300),
        limits: "start of the installer → `done`, its hold time not counted",
        because: "a good bootstrap takes 40 s on two cores; eight times that is a hang, not a slow host",
        judges: &["bootstrap-completes"],
    },
    Budget {
        name: "api_write_outage",
        default: Milliseconds::from_seconds(30),
        limits: "longest gap between acknowledged writes through the load balancer, from the first self-hosted acknowledgement on, hold time not counted",
        because: "a node lease lives for 40 s: a longer gap makes nodes look dead",
        judges: &["pivot-keeps-the-api-writable"],
    },
    Budget {
        name: "api_return",
        default: Milliseconds::from_seconds(120),
        limits: "heal → first acknowledged write",
        because: "a node boots in seconds, etcd elects in seconds, and a crashed pod waits up to 40 s before its third start",
        judges: &RETURNS,
    },
    Budget {
        name: "control_plane_return",
        default: Milliseconds::from_seconds(180),
        limits: "heal → every component self-hosted again",
        because: "the return of the API, and one round of back-off of each controller after it",
        judges: &CONTROL_PLANE_RETURNS,
    },
    Budget {
        name: "redundancy_restored",
        default: Milliseconds::from_seconds(120),
        limits: "heal → the wanted number of instances",
        because: "a node is Ready after 10 s to 50 s, and its pods start within one back-off",
        judges: &["lost-instance-returns", "node-loss-is-survived"],
    },
    Budget {
        name: "new_leader",
        default: Milliseconds::from_seconds(25),
        limits: "loss of a lease holder → first act of the next one",
        because: "a lease of 15 s and two polls of at most 4.4 s each",
        judges: &["a-new-leader-acts"],
    },
    Budget {
        name: "detection",
        default: Milliseconds::from_seconds(30),
        limits: "injection → first sign from outside",
        because: "probes ask five times a second; the slowest sign is a lease that is not renewed",
        judges: &[],
    },
];

/// The table of budgets as it stands in the documentation.
pub fn table() -> String {
    let mut text = String::from(
        "# Budgets\n\nWritten under `budgets:` as `name: 90s`. An absent one has its default; `none` must be written out, and what it \
         would have judged is then reported as not judged.\n\nThis page is generated from `scenarios/src/budget.rs`.\n\n\
         | budget | default | from → to | because | judges |\n|---|---|---|---|---|\n",
    );
    for Budget {
        name,
        default,
        limits,
        because,
        judges,
    } in BUDGETS
    {
        let judges = judges
            .iter()
            .map(|slug| format!("`{slug}`"))
            .collect::<Vec<_>>()
            .join(", ");
        text.push_str(&format!(
            "| `{name}` | {default} | {limits} | {because} | {judges} |\n"
        ));
    }
    text
}
