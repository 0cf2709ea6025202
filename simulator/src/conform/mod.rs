//! Whether what was seen of a run is a path of the coarse world: the model put on trial by reality.
//!
//! *Track*: one thing that the record shows over time, such as the manifest of a component or the
//! holder of a lease. *Change*: a track takes a value, some time between two looks. *Belief*: every
//! state of the world that the changes so far leave possible. A run *diverges* at the first change
//! after which the belief is empty.
//!
//! # Order
//! A change happened after the last look that did not show it had begun, and before the first look
//! that showed it had ended: an interval, not an instant. One change came before another for certain
//! only if its interval ends before the other's begins. Changes are followed in the order of their
//! ends; any later one may be taken ahead of its turn, if its interval has begun by then. These are
//! exactly the orders that the intervals allow. Where the record has revisions of etcd's keys, pods and
//! leases follow their order too (`written.rs`).
//!
//! # What is hidden
//! Anything that no track shows may happen at any time, up to [`Bounds::silent_steps_max`] actions
//! between two changes. What comes from outside (faults, heals, a person's restart) happens when the
//! record says so, and at no other time. A kubelet may start a container whose manifest is gone, for a moment
//! (`linger.rs`). What turns back between two looks is taken not to have happened.
//! Timers that run out unusually early and answers that are lost are tried only when nothing else explains
//! the record, and counted.
//!
//! # Limits
//! A belief above its cap keeps the states with the fewest hidden actions, and the run is then
//! inconclusive, never conforming. From the first thing on that the coarse world leaves out (another
//! component killed, a pod deleted) nothing is compared, and the outcome says so.

mod change;
mod conformance;
mod divergence;
mod follow;
mod layer;
mod linger;
mod moves;
mod seen;
mod shown;
mod written;

pub use change::{Change, Holder, Made, PodSeen, Strike, Track, Value};
pub use conformance::{Bounds, Conformance, Divergence, Outcome, Survivor, conform, explain};
pub use seen::Seen;
pub(crate) use seen::why_unknown;
