//! What the agent's adapters would tell of a part: as on a real node, unknown is not absent.

use pivot::checkpoint::{Facts, Known, Saved};

use super::state::{Base, CONTROLLER, Pending, Pod, Process, State};
use super::world::World;

impl World {
    /// The agent's look at one part of its node.
    pub(crate) fn facts(&self, state: &State, node: usize, place: usize) -> Facts {
        let api = state.is_reachable(self.control_planes());
        let node = &state.nodes[node];
        let part = &node.parts[place];
        let told = |yes: bool| {
            if api {
                Known::from(yes)
            } else {
                Known::Unknown
            }
        };
        let seen = |yes: bool| {
            if node.runtime_error {
                Known::Unknown
            } else {
                Known::from(yes)
            }
        };
        let (parent, current) = match (part.pod, part.base) {
            (Pod::Bound { bad, .. }, base) if api => {
                (1 + u8::from(bad), base == Base::of_revision(bad))
            }
            _ => (0, false),
        };
        Facts {
            api,
            bound: told(part.pod != Pod::None),
            parent_ready: api && part.pod.is_ready(),
            parent,
            parent_runs: seen(part.process != Process::None),
            copy_runs: seen(part.copy.runs()),
            led: if place == CONTROLLER {
                // The driver's time of silence may be over at any moment.
                Known::from(api && !state.unled)
            } else {
                Known::Yes
            },
            saved: match (part.base, part.pending) {
                (Base::Good | Base::Bad, _) => Saved::Complete,
                (Base::Nothing, Pending::None) => Saved::Nothing,
                _ => Saved::Torn,
            },
            current,
            active: part.copy.is_active(),
        }
    }
}

impl Base {
    /// A complete version of a revision.
    pub(crate) const fn of_revision(bad: bool) -> Self {
        if bad { Self::Bad } else { Self::Good }
    }
}
