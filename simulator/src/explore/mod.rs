//! Trying every interleaving of a world.

mod model;

pub use model::Model;
