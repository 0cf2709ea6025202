//! The container engine behind our own verbs: bollard's types stop at this module's edge, and
//! nothing that does not bear our labels is ever touched.

mod client;

pub use client::{Engine, EngineError};
