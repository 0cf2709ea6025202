//! Interchangeable nodes: all but the first, which is the installer's. States that differ in the
//! numbers of such nodes only are one.

use super::pack::{pack, pack_with, words};
use super::state::{Lease, State};
use super::world::World;

impl World {
    /// The number of the state of the same orbit whose interchangeable nodes are in ascending order.
    pub(crate) fn pack_canonical(&self, state: &State) -> u128 {
        if self.control_planes() < 3 {
            return pack(state);
        }
        let [first, second, third] = words(state);
        let roles = self.roles(state);
        if (second, roles[0]) <= (third, roles[1]) {
            return pack_with(state, [first, second, third], state.machine, state.leases);
        }
        let (machine, leases) = self.exchanged(state);
        pack_with(state, [first, third, second], machine, leases)
    }

    /// What the rest of the state says of the second and of the third node by their number: whether it
    /// holds the lease of the controller manager (1), of the scheduler (2); whether the task that labels
    /// it runs (4), is done (8).
    fn roles(&self, state: &State) -> [u8; 2] {
        let tasks = if self.is_labelling(state) {
            state.machine.to_bits()
        } else {
            0
        };
        [1, 2].map(|number| {
            u8::from(state.leases[0] == Lease::of(number))
                | u8::from(state.leases[1] == Lease::of(number)) << 1
                | u8::from(tasks >> number & 1 == 1) << 2
                | u8::from(tasks >> (16 + number) & 1 == 1) << 3
        })
    }

    /// The machine and the leases, with the second and third node exchanged.
    fn exchanged(&self, state: &State) -> (pivot::State, [Lease; 2]) {
        let leases = state.leases.map(|lease| match lease {
            Lease::Second => Lease::Third,
            Lease::Third => Lease::Second,
            same => same,
        });
        if !self.is_labelling(state) {
            return (state.machine, leases);
        }
        let bits = state.machine.to_bits();
        let differ = (bits >> 1 ^ bits >> 2) & 0x1_0001;
        let machine = pivot::State::from_bits(bits ^ (differ << 1 | differ << 2))
            .expect("exchanging two tasks makes no other phase");
        (machine, leases)
    }

    /// The state with its second and third node exchanged.
    #[cfg(test)]
    pub(crate) fn swapped(&self, state: &State) -> State {
        let (machine, leases) = self.exchanged(state);
        let mut other = State {
            machine,
            leases,
            ..*state
        };
        other.nodes.swap(1, 2);
        other
    }

    /// Whether the machine's tasks are nodes to label.
    fn is_labelling(&self, state: &State) -> bool {
        self.labels_in(state.machine.stage()) && !state.machine.is_reinstating()
    }
}
