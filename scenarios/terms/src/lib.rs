//! Names and wire types that every room shares: what a node, a component, a step, a fault is
//! called, and how it is written down.
//!
//! This is a leaf: it knows nothing of scenarios, of invariants or of the world.

mod component;
mod duration;
mod fault;
mod identity;
mod object;
mod step;

pub use component::{Capability, Component, Incarnation};
pub use duration::{Milliseconds, ParseDurationError};
pub use fault::{
    Fault, Kill, NodeFault, Nothing, RemoveImage, Selector, Selectors, Signal, Tear, Unit,
    UnitFault,
};
pub use identity::NodeId;
pub use object::{Change, Changeable, Delete, Resource, Roll};
pub use step::{Actor, Moment, StepEvent, StepName};
