//! Interchangeable nodes: all but the first, which is the installer's. States that differ in the
//! numbers of such nodes only are one.

use super::pack::node_to_word;
use super::state::{Lease, State};
use super::world::World;

/// A node with everything that the rest of the state says of it by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seat {
    /// The node's own digits.
    word: u64,
    /// Whether it holds the lease of the controller manager (1), of the scheduler (2); whether the
    /// task that labels it runs (4), is done (8).
    roles: u8,
}

impl World {
    /// The state of the same orbit whose interchangeable nodes are in ascending order.
    pub(crate) fn canonical(&self, state: &State) -> State {
        if self.control_planes() < 3 {
            return *state;
        }
        let labels = self.is_labelling(state);
        let tasks = if labels { state.machine.to_bits() } else { 0 };
        let seat = |number: usize| Seat {
            word: node_to_word(&state.nodes[number]),
            roles: u8::from(state.leases[0] == Lease::of(number))
                | u8::from(state.leases[1] == Lease::of(number)) << 1
                | u8::from(tasks >> number & 1 == 1) << 2
                | u8::from(tasks >> (16 + number) & 1 == 1) << 3,
        };
        if seat(1) <= seat(2) {
            *state
        } else {
            self.swapped(state)
        }
    }

    /// The state with its second and third node exchanged.
    pub(crate) fn swapped(&self, state: &State) -> State {
        let mut other = *state;
        other.nodes.swap(1, 2);
        other.leases = state.leases.map(|lease| match lease {
            Lease::Second => Lease::Third,
            Lease::Third => Lease::Second,
            same => same,
        });
        if self.is_labelling(state) {
            let bits = state.machine.to_bits();
            let differ = (bits >> 1 ^ bits >> 2) & 0x1_0001;
            other.machine = pivot::State::from_bits(bits ^ (differ << 1 | differ << 2))
                .expect("exchanging two tasks makes no other phase");
        }
        other
    }

    /// Whether the machine's tasks are nodes to label.
    fn is_labelling(&self, state: &State) -> bool {
        self.labels_in(state.machine.stage()) && !state.machine.is_reinstating()
    }
}
