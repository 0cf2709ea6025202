//! What the driver knows of the cluster: sources that ask, each on its own and with a deadline, and
//! a snapshot of what is known now. They report and decide nothing.

mod agents;
mod api;
mod lease_age;
mod load_balancer;
mod observed;
mod pods;
mod processes;
mod snapshot;
mod sources;
mod stale;

pub(crate) use lease_age::renewal;
pub(crate) use processes::{Instance, instances};
pub(crate) use sources::{FactSource, Poller, StaleNodes};
pub(crate) use stale::Stale;
