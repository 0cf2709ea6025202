//! The container engine behind our own verbs: bollard's types stop at this module's edge, and
//! nothing that does not bear our labels is ever touched.
//!
//! **Vocabulary.** An [`Engine`] is a connection that has answered. [`Labels`] say whose an object
//! is. An [`Owned`] handle is the permission to change an object: it comes from creating the
//! object or from reading its labels, so a container that is not ours cannot be touched by mistake.
//!
//! **Limits.** Every verb has a deadline: the one that is passed, or the constant beside the verb.
//! Dropping a verb's future does not undo what the engine has already begun; whoever may be
//! cancelled lets the verb end and removes by label afterwards.

mod client;
mod container;
mod error;
mod exec;
mod exec_lines;
mod files;
mod image;
mod image_build;
mod info;
mod inspect;
mod labels;
mod logs;
mod network;
mod owned;
mod owner;
mod stats;
mod verb;
mod volume;

pub use client::Engine;
pub use container::{Access, ContainerSpec, Privilege, VolumeMount};
pub use error::{Cause, EngineError};
pub use exec::{ExecOutput, OUTPUT_BYTES_MAX};
pub use exec_lines::{ExecLines, Line, LineSource};
pub use files::NodeFile;
pub use image_build::{ContextContent, ContextFile, ImageFacts, ImageSpec};
pub use info::EngineInfo;
pub use inspect::{Power, State};
pub use labels::{Labels, Role, RunLabels};
pub use network::{NetworkSpec, OwnedNetworkFacts};
pub use owned::{Container, Found, Network, Owned, Volume};
pub use owner::{Liveness, Owner};
pub use stats::Usage;
