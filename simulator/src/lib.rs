//! The in-memory worlds around the machines that ship, and the ways to drive them.
//!
//! [`thin`] is a timed world of whole components: nodes, processes, pods, leases, a store and a load
//! balancer, moved by a virtual clock. [`timed`] plays a case of the scenario language in it,
//! [`swarm`] plays random ones, and [`shrink`] makes what fails small. [`coarse`] is an untimed world
//! that packs into 128 bits, and [`explore`] tries every interleaving of it. [`counterexample`] makes
//! what it finds into scenarios, tables and files. [`conform`] asks whether a record is one of
//! its paths.
//!
//! Determinism: one virtual clock, no chance but keyed streams ([`chance`]); the same input gives the
//! same observations, byte for byte. What each world leaves out stands at its head: it cannot vouch
//! for that.

pub mod agent;
pub mod chance;
pub mod coarse;
pub mod conform;
pub mod counterexample;
pub mod explore;
pub mod shrink;
pub mod swarm;
pub mod thin;
pub mod timed;
pub mod timers;
