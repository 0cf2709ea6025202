//! Timed runs: a case of the scenario language, played in memory in virtual time.
//!
//! *Play*: the case's timeline against the world, entry by entry, as the runner plays it against
//! containers. *Outcome*: what was seen, what the installer logged, and how it ended. *Fidelity*:
//! what a fault really does here. *Applicability*: what cannot be done truthfully here, and why.
//!
//! [`run`] is pure: the same case and plan give the same outcome, byte for byte. Every duration
//! comes from [`crate::timers`], drawn from the case's seed.
//!
//! [`run_told`] plays the same, and tells what happened inside: whether each step is an enabled
//! action of the coarse world is for [`crate::conform`] to say.

mod applicability;
mod fidelity;
mod inject;
mod inward;
mod model_page;
mod operation;
mod outcome;
mod play;
mod timeline;

pub use applicability::why_not_applicable;
pub use fidelity::{LEFT_OUT, MODELLED, fidelity};
pub use model_page::model_page;
pub use outcome::Outcome;
pub use play::{run, run_sparingly, run_told, run_with_agents};
