//! The scenario language: files in, checked cases out.

mod case;
mod entry;

pub use case::{Case, Cluster, Installer, Selfhost};
pub use entry::{At, Entry, Heal, Joined, Operation, OperationKind, Settle};
