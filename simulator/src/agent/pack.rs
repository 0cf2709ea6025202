//! A state as a number of 124 bits, exactly; and mirrored nodes in one order.

use pivot::checkpoint;

use super::state::{Base, Content, Copied, Node, Part, Pending, Pod, Process, Stage, State};

/// Bits of a node.
const NODE: u32 = 58;
/// Bits of a machine at rest: the step that it works on, or none, 3; flags 8. Attempt and parent are not kept.
const MACHINE: u32 = 11;
/// Number of the phase of working on the first step, see [`checkpoint::State::to_bits`].
const WORKING: u32 = 11;

/// The state's number. With `mirrored`, the nodes are brought into ascending order where nothing tells
/// them apart: once the bootstrap control plane of the first one is gone.
pub(crate) fn pack(state: &State, mirrored: bool) -> u128 {
    let State {
        nodes,
        bootstrap,
        bad,
        unled,
        unarmed,
        doubtful,
        left,
    } = state;
    let mut words = nodes.map(|node| node_to_bits(&node));
    if mirrored && !bootstrap {
        words.sort_unstable();
    }
    let mut bits = Bits::default();
    for word in words {
        bits.put(NODE, word);
    }
    for flag in [*bootstrap, bad[0], bad[1], *unled, *unarmed, *doubtful] {
        bits.flag(flag);
    }
    bits.put(2, u64::from(*left));
    bits.value
}

/// The state of a number, its machines without their parents.
pub(crate) fn unpack(key: u128) -> State {
    let mut bits = Bits { value: key, at: 0 };
    let nodes = std::array::from_fn(|_| bits_to_node(bits.take(NODE)));
    let [
        bootstrap,
        bad_apiserver,
        bad_controller,
        unled,
        unarmed,
        doubtful,
    ] = std::array::from_fn(|_| bits.take(1) == 1);
    State {
        nodes,
        bootstrap,
        bad: [bad_apiserver, bad_controller],
        unled,
        unarmed,
        doubtful,
        left: bits.take(2) as u8,
    }
}

fn node_to_bits(node: &Node) -> u64 {
    let Node {
        on,
        synced,
        agent,
        guarded,
        rolled,
        runtime_error,
        parts,
    } = node;
    let mut bits = Bits::default();
    for flag in [*on, *synced, *agent, *guarded, *rolled, *runtime_error] {
        bits.flag(flag);
    }
    for part in parts {
        let Part {
            pod,
            process,
            copy,
            base,
            pending,
            machine,
            doubted,
        } = *part;
        bits.put(3, pod_to_bits(pod));
        bits.put(3, process_to_bits(process));
        bits.put(4, copy_to_bits(copy));
        bits.put(2, base as u64);
        bits.put(2, pending as u64);
        bits.put(MACHINE, machine_to_bits(machine));
        bits.flag(doubted);
    }
    debug_assert!(bits.at <= NODE, "a node takes {} bits", bits.at);
    bits.value as u64
}

fn bits_to_node(word: u64) -> Node {
    let mut bits = Bits {
        value: u128::from(word),
        at: 0,
    };
    let [on, synced, agent, guarded, rolled, runtime_error] =
        std::array::from_fn(|_| bits.take(1) == 1);
    let parts = std::array::from_fn(|_| {
        let pod = bits_to_pod(bits.take(3));
        let process = bits_to_process(bits.take(3));
        let copy = bits_to_copy(bits.take(4));
        let base = BASES[bits.take(2) as usize];
        let pending = PENDINGS[bits.take(2) as usize];
        let machine = bits_to_machine(bits.take(MACHINE) as u32);
        Part {
            pod,
            process,
            copy,
            base,
            pending,
            machine,
            doubted: bits.take(1) == 1,
        }
    });
    Node {
        on,
        synced,
        agent,
        guarded,
        rolled,
        runtime_error,
        parts,
    }
}

fn machine_to_bits(machine: checkpoint::State) -> u64 {
    let [phase, flags, ..] = machine.to_bits().to_le_bytes();
    let step = u64::from(phase).checked_sub(u64::from(WORKING));
    step.map_or(0, |step| 1 + step) | u64::from(flags) << 3
}

fn bits_to_machine(bits: u32) -> checkpoint::State {
    let (step, flags) = (bits & 7, bits >> 3);
    let phase = step.checked_sub(1).map_or(0, |step| WORKING + step);
    checkpoint::State::from_bits(phase | flags << 8).expect("the step was a machine's")
}

const BASES: [Base; 4] = [Base::Nothing, Base::Torn, Base::Good, Base::Bad];
const PENDINGS: [Pending; 4] = [Pending::None, Pending::Partial, Pending::Good, Pending::Bad];
const CONTENTS: [Content; 3] = [Content::Good, Content::Bad, Content::Torn];
const STAGES: [Stage; 3] = [Stage::Down, Stage::Starting, Stage::Ready];

fn pod_to_bits(pod: Pod) -> u64 {
    match pod {
        Pod::None => 0,
        Pod::Bound { bad, ready } => 1 + u64::from(bad) * 2 + u64::from(ready),
    }
}

fn bits_to_pod(bits: u64) -> Pod {
    match bits.checked_sub(1) {
        None => Pod::None,
        Some(rest) => Pod::Bound {
            bad: rest / 2 == 1,
            ready: rest % 2 == 1,
        },
    }
}

fn process_to_bits(process: Process) -> u64 {
    match process {
        Process::None => 0,
        Process::Runs { bad, ready } => 1 + u64::from(bad) * 2 + u64::from(ready),
    }
}

fn bits_to_process(bits: u64) -> Process {
    match bits.checked_sub(1) {
        None => Process::None,
        Some(rest) => Process::Runs {
            bad: rest / 2 == 1,
            ready: rest % 2 == 1,
        },
    }
}

fn copy_to_bits(copy: Copied) -> u64 {
    match copy {
        Copied::Inactive => 0,
        Copied::Active(content, stage) => 1 + content as u64 * 3 + stage as u64,
    }
}

fn bits_to_copy(bits: u64) -> Copied {
    match bits.checked_sub(1) {
        None => Copied::Inactive,
        Some(rest) => Copied::Active(CONTENTS[(rest / 3) as usize], STAGES[(rest % 3) as usize]),
    }
}

/// Bits, from the lowest.
#[derive(Default)]
struct Bits {
    value: u128,
    at: u32,
}

impl Bits {
    fn put(&mut self, width: u32, value: u64) {
        self.value |= u128::from(value) << self.at;
        self.at += width;
    }

    fn flag(&mut self, flag: bool) {
        self.put(1, u64::from(flag));
    }

    fn take(&mut self, width: u32) -> u64 {
        let value = self.value >> self.at & ((1 << width) - 1);
        self.at += width;
        value as u64
    }
}
