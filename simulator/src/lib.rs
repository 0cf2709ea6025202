//! The in-memory world around the machines that ship.
//!
//! *Scene*: a cluster, what is peculiar about it, and what happens to it. *World*: nodes, processes,
//! pods, leases and a store, moved by a virtual clock. *Driver*: performs a machine's effects on the
//! world, and can be killed between any two of them. *Watcher*: sees the world from outside and
//! writes the observations that a real run would have.
//!
//! Determinism: one thread, one virtual clock in milliseconds, no chance; the same scene gives the
//! same observations, byte for byte.
//!
//! [`thin`] is what the pivot's mutants need and no more: whole components, no network beyond a load
//! balancer, no partial failure of storage. It cannot vouch for what it leaves out.

pub mod chance;
pub mod timers;

pub mod explore;
pub mod swarm;
pub mod thin;
pub mod timed;
