//! Trying every interleaving of a world.
//!
//! *Model*: what the explorer needs to know of a world. *Layer*: the states that are equally many
//! actions away from an initial one. *Frontier*: states found and not yet expanded. *Kind*: what
//! actions have in common, whichever node they concern.

mod backwards;
mod bounds;
mod coverage;
mod decisions;
mod expand;
mod explored;
mod key;
mod keys;
mod model;
mod nearest;
mod path;
mod returns;
mod search;
mod session;
mod shrink;
mod stream;
mod table;
mod visited;
mod walk;

pub use bounds::{Ask, Bounds, Continue, End, Progress, Search, Symmetry, Until, go_on};
pub use coverage::Coverage;
pub use decisions::{Decisions, decisions};
pub use explored::{Counterexample, Explored};
pub use model::Model;
pub use nearest::{Goal, Nearest, nearest};
pub use path::{NoSymmetry, Path};
pub use returns::{Allowed, Returns, Stuck, returns};
pub use search::explore;
pub use session::Session;
pub use shrink::{Polish, Shrunk, shrink};
pub use stream::Stream;
pub use table::{Entry, entry, grouped, table};
pub use walk::{Healed, Met, Walk, Walked, Walks, Weights, walk, walk_all};
