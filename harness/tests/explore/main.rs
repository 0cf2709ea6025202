//! The verbs that drive the simulator, as a person or a script meets them: exit codes, and files that
//! other verbs can use.

mod agents;
mod command;
mod exhaustive;
mod kept_cases;
mod session;
