//! A state as a number below 2^128, exactly.
//!
//! From the lowest bit:
//!
//! | bits | what |
//! |---|---|
//! | 45 | three nodes of 15: listed (2), and 13 for power × joined × pods in mixed radix |
//! | 29 | machine: flags (8), stage (4), phase × reason (7), tasks (10; three values each, six at most) |
//! | 9 | marker: none, or stage × (entered, completed, done, and for each reason: held, held at the stage's end, put back) |
//! | 2 | status |
//! | 17 | bootstrap processes (6), manifests (3), stash (3), four files (4), applied (1) |
//! | 6 | leases in mixed radix |
//! | 6 | teardown (2), apiservers at a failure (3), foreign change (1) |
//! | 12 | what may still go wrong, two bits each |

use pivot::{Durable, Why};

use super::config::Budgets;
use super::state::{Disk, Joined, Lease, Node, Pod, Power, Process, State, Status, Teardown};

const NODE_BITS: u32 = 15;
const MACHINE_BITS: u32 = 29;
const MARKER_BITS: u32 = 9;
const REST_BITS: u32 = 43;
const MACHINE_AT: u32 = 3 * NODE_BITS;
const MARKER_AT: u32 = MACHINE_AT + MACHINE_BITS;
const REST_AT: u32 = MARKER_AT + MARKER_BITS;
const _: () = assert!(REST_AT + REST_BITS <= 128);

/// The most tasks of a stage: apply has six.
const MOST_TASKS: usize = 6;
/// A set of tasks in ternary, one digit each.
const TERNARY: [u16; 1 << MOST_TASKS] = ternary();
/// The two sets of tasks, running and done, of a number in ternary.
const TASKS: [(u8, u8); 729] = tasks();

const fn ternary() -> [u16; 64] {
    let mut all = [0; 64];
    let mut set = 0;
    while set < 64 {
        let (mut index, mut weight) = (0, 1);
        while index < MOST_TASKS {
            if set >> index & 1 == 1 {
                all[set] += weight;
            }
            weight *= 3;
            index += 1;
        }
        set += 1;
    }
    all
}

const fn tasks() -> [(u8, u8); 729] {
    let mut all = [(0, 0); 729];
    let mut number = 0;
    while number < 729 {
        let (mut rest, mut index) = (number, 0);
        while index < MOST_TASKS {
            match rest % 3 {
                1 => all[number].0 |= 1 << index,
                2 => all[number].1 |= 1 << index,
                _ => {}
            }
            rest /= 3;
            index += 1;
        }
        number += 1;
    }
    all
}

/// The state as a number.
///
/// # Panics
/// When the machine has more than six tasks in a stage, or a task that both runs and is done: no plan
/// that was checked leads there.
#[inline]
pub(crate) fn pack(state: &State) -> u128 {
    pack_with(state, words(state), state.machine, state.leases)
}

/// As [`pack`], with other nodes, and what goes with their numbers: tasks of the machine, and leases.
#[inline]
pub(crate) fn pack_with(
    state: &State,
    nodes: [u64; 3],
    machine: pivot::State,
    leases: [Lease; 2],
) -> u128 {
    // Each part is shifted to its place by itself: nothing waits for the part before.
    let nodes = nodes[0] | nodes[1] << NODE_BITS | nodes[2] << (2 * NODE_BITS);
    let machine = u128::from(machine_to_number(machine)) << MACHINE_AT;
    let marker = u128::from(marker_to_number(state.marker)) << MARKER_AT;
    let rest = u128::from(rest_to_bits(state, leases)) << REST_AT;
    u128::from(nodes) | machine | marker | rest
}

/// The state of a number that [`pack`] gave.
///
/// # Panics
/// When no state has that number.
pub(crate) fn unpack(key: u128) -> State {
    let take = |shift: u32, bits: u32| (key >> shift) as u64 & ((1 << bits) - 1);
    let nodes = [0, 1, 2].map(|number| word_to_node(take(number * NODE_BITS, NODE_BITS)));
    let machine = number_to_machine(take(MACHINE_AT, MACHINE_BITS));
    let marker = number_to_marker(take(MARKER_AT, MARKER_BITS));
    let rest = take(REST_AT, REST_BITS);
    bits_to_rest(
        rest,
        State {
            nodes,
            machine,
            marker,
            ..BLANK
        },
    )
}

// === Nodes ===

/// Every node as a number.
#[inline]
pub(crate) fn words(state: &State) -> [u64; 3] {
    let [first, second, third] = &state.nodes;
    [
        node_to_word(first),
        node_to_word(second),
        node_to_word(third),
    ]
}

#[inline]
fn node_to_word(node: &Node) -> u64 {
    let [first, second, third] = node.pods;
    let pods = first as u64 + 9 * (second as u64) + 81 * (third as u64);
    let number = (pods * 3 + node.joined as u64) * 3 + node.power as u64;
    number << 2 | u64::from(node.listed)
}

fn word_to_node(word: u64) -> Node {
    let (listed, number) = ((word & 3) as u8, word as u32 >> 2);
    let pod = |number: u32| Pod::ALL[(number % 9) as usize];
    let (power, number) = (number % 3, number / 3);
    let (joined, pods) = (number % 3, number / 3);
    Node {
        power: [Power::On, Power::OffFresh, Power::OffStale][power as usize],
        joined: [Joined::No, Joined::Registered, Joined::Labelled][joined as usize],
        pods: [pod(pods), pod(pods / 9), pod(pods / 81)],
        listed,
    }
}

// === The machine and its marker ===

#[inline]
fn machine_to_number(machine: pivot::State) -> u64 {
    let bits = machine.to_bits();
    let [
        running,
        more_running,
        done,
        more_done,
        _,
        place,
        phase,
        flags,
    ] = bits.to_le_bytes();
    assert!(
        more_running | more_done | running & done | (running | done) >> MOST_TASKS == 0,
        "at most six tasks, each idle, running or done: {machine:?}"
    );
    let tasks = TERNARY[usize::from(running)] + 2 * TERNARY[usize::from(done)];
    let spot = u64::from(phase) * 10 + u64::from(place >> 4);
    ((u64::from(tasks) << 7 | spot) << 4 | u64::from(place & 15)) << 8 | u64::from(flags)
}

fn number_to_machine(number: u64) -> pivot::State {
    let (flags, stage, spot) = (number & 255, number >> 8 & 15, number >> 12 & 127);
    let (running, done) = TASKS[(number >> 19) as usize];
    let bits = u64::from(running)
        | u64::from(done) << 16
        | (stage | (spot % 10) << 4) << 40
        | (spot / 10) << 48
        | flags << 56;
    pivot::State::from_bits(bits).expect("a packed machine is a machine")
}

/// How the marker of a stage may read: entered, completed, three kinds of holding for each reason, and
/// that the whole procedure is done.
const READINGS: u64 = 30;
const READING_DONE: u64 = READINGS - 1;
const REASONS: u64 = Why::ALL.len() as u64;
const _: () = assert!(3 + 3 * REASONS == READINGS && 16 * READINGS < 1 << MARKER_BITS);

#[inline]
fn marker_to_number(marker: Option<Durable>) -> u64 {
    let Some(Durable {
        stage,
        completed,
        holding,
        reinstating,
        done,
    }) = marker
    else {
        return 0;
    };
    let stage = u64::from(stage);
    if done {
        return 1 + stage * READINGS + READING_DONE;
    }
    let reading = match holding {
        None => u64::from(completed),
        Some(why) => {
            let kind = if reinstating { 2 } else { u64::from(completed) };
            2 + kind * REASONS + why as u64
        }
    };
    1 + stage * READINGS + reading
}

fn number_to_marker(number: u64) -> Option<Durable> {
    let number = number.checked_sub(1)?;
    let (stage, reading) = ((number / READINGS) as u8, number % READINGS);
    let plain = Durable {
        stage,
        completed: false,
        holding: None,
        reinstating: false,
        done: false,
    };
    Some(match reading {
        READING_DONE => Durable {
            completed: true,
            done: true,
            ..plain
        },
        0 | 1 => Durable {
            completed: reading == 1,
            ..plain
        },
        _ => {
            let (kind, why) = ((reading - 2) / REASONS, (reading - 2) % REASONS);
            Durable {
                completed: kind == 1,
                reinstating: kind == 2,
                holding: Why::ALL.get(why as usize).copied(),
                ..plain
            }
        }
    })
}

// === The rest ===

/// From the lowest bit: budgets, foreign change, failure, teardown, leases, files, processes, status.
/// As in [`pack_with`], each part is shifted to its place by itself.
#[inline]
fn rest_to_bits(state: &State, leases: [Lease; 2]) -> u64 {
    let State {
        status,
        bootstrap,
        disk,
        applied,
        teardown,
        served_at_failure,
        foreign_changed,
        left,
        ..
    } = state;
    let Budgets {
        power_cuts,
        kills,
        installer_kills,
        lost_answers,
        timing,
        restarts,
    } = *left;
    let bit = |at: u32, flag: bool| u64::from(flag) << at;
    let put = |at: u32, value: u8| u64::from(value) << at;
    let budgets = put(0, restarts)
        | put(2, timing)
        | put(4, lost_answers)
        | put(6, installer_kills)
        | put(8, kills)
        | put(10, power_cuts);
    let judged = bit(12, *foreign_changed)
        | put(13, *served_at_failure)
        | put(16, *teardown as u8)
        | put(18, leases[0] as u8 * 7 + leases[1] as u8);
    let files = bit(24, *applied)
        | bit(25, disk.claimed)
        | bit(26, disk.assets)
        | bit(27, disk.stashed_secrets)
        | bit(28, disk.secrets)
        | put(29, disk.stashed)
        | put(32, disk.manifests);
    let processes = put(35, bootstrap[2] as u8)
        | put(37, bootstrap[1] as u8)
        | put(39, bootstrap[0] as u8)
        | put(41, *status as u8);
    budgets | judged | files | processes
}

/// A world without nodes: what an initial and an unpacked state start from.
pub(crate) const BLANK: State = State {
    machine: pivot::State::FIRST,
    marker: None,
    status: Status::Running,
    nodes: [Node {
        power: Power::OffStale,
        joined: Joined::No,
        pods: [Pod::None; 3],
        listed: 0,
    }; 3],
    bootstrap: [Process::Gone; 3],
    disk: Disk {
        manifests: 0,
        stashed: 0,
        secrets: false,
        stashed_secrets: false,
        assets: false,
        claimed: false,
    },
    applied: false,
    leases: [Lease::Never; 2],
    teardown: Teardown::None,
    served_at_failure: 0,
    foreign_changed: false,
    left: Budgets {
        power_cuts: 0,
        kills: 0,
        installer_kills: 0,
        lost_answers: 0,
        timing: 0,
        restarts: 0,
    },
};

fn bits_to_rest(mut bits: u64, state: State) -> State {
    let mut take = |width: u32| {
        let value = bits & ((1 << width) - 1);
        bits >>= width;
        value as u8
    };
    let [
        restarts,
        timing,
        lost_answers,
        installer_kills,
        kills,
        power_cuts,
    ] = std::array::from_fn(|_| take(2));
    let foreign_changed = take(1) == 1;
    let served_at_failure = take(3);
    let teardown = [
        Teardown::None,
        Teardown::Guarded,
        Teardown::Unguarded,
        Teardown::Violated,
    ][usize::from(take(2))];
    let leases = take(6);
    let [applied, claimed, assets, stashed_secrets, secrets] =
        std::array::from_fn(|_| take(1) == 1);
    let (stashed, manifests) = (take(3), take(3));
    let [third, second, first] = std::array::from_fn(|_| {
        [
            Process::Gone,
            Process::Starting,
            Process::Ready,
            Process::Stopping,
        ][usize::from(take(2))]
    });
    State {
        status: [Status::Running, Status::Down, Status::Ended][usize::from(take(2))],
        bootstrap: [first, second, third],
        disk: Disk {
            manifests,
            stashed,
            secrets,
            stashed_secrets,
            assets,
            claimed,
        },
        applied,
        leases: [leases / 7, leases % 7].map(|lease| Lease::ALL[usize::from(lease)]),
        teardown,
        served_at_failure,
        foreign_changed,
        left: Budgets {
            power_cuts,
            kills,
            installer_kills,
            lost_answers,
            timing,
            restarts,
        },
        ..state
    }
}
