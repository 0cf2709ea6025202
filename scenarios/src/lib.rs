//! The scenario language: files in, checked cases out.
//!
//! A *scenario* is a YAML file: machines, installers, a timeline of operations and faults, and what
//! must come out. [`load`] reads files and folders and collects every mistake in them; [`expand`]
//! makes the cases of a run; [`resolve`] turns a selector into nodes when a fault is due.
//!
//! Written form, tree, checked form: YAML becomes a tree that knows its places, placeholders are
//! replaced, typed values are read, and only then is anything called a [`Scenario`].
//!
//! Determinism: seeds follow from the run's seed and the case's id, draws from the case's seed and
//! where they stand. The same files and arguments give the same plan, byte for byte.

mod case;
mod catalogue;
mod entry;
mod load;
mod plan;
mod scenario;
mod shard;

mod draw;
mod resolve;
mod selector;

mod budget;
mod later;
mod policy;

mod check;
mod decode;
mod describe;
mod mistake;
mod read;
mod schema;
mod substitute;
mod tree;
mod written;

pub use budget::{BUDGETS, Budget, table as budgets_table};
pub use case::{Case, Cluster, Installer, Selfhost};
pub use catalogue::catalogue;
pub use check::parse;
pub use describe::{describe_entry, describe_fault};
pub use draw::Draw;
pub use entry::{At, Entry, Heal, Joined, Operation, OperationKind, RecoverFrom, Settle};
pub use load::{load, read_expectation, read_installer};
pub use mistake::{Mistake, Mistakes, nearest};
pub use plan::{ExpandError, Plan, Selection, expand};
pub use policy::{Policy, PolicyError, SWITCHES};
pub use resolve::{ClusterSnapshot, Unresolved, resolve, resolve_all};
pub use scenario::{Overrides, Scenario, ScenarioCase};
pub use schema::schema;
pub use selector::{SelectorError, Target};
pub use shard::{Shard, ShardError};
