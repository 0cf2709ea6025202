//! Why there is no node image.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::docker::EngineError;

/// Why a node image could not be named, found or built.
#[derive(Debug, Error)]
pub enum ImageError {
    /// No recipe anywhere near.
    #[error(
        "no recipe: there is no ci/image in or above {0} or beside this program; call from the project's directory, or name one with --recipe DIR"
    )]
    NoRecipe(PathBuf),
    /// The directory holds something else.
    #[error(
        "{0} is not a recipe: it has no Dockerfile.node; --recipe takes a directory such as ci/image"
    )]
    NotARecipe(PathBuf),
    /// The version cannot be read.
    #[error("`{0}` is not a minor version of Kubernetes; write it like 1.34")]
    BadVersion(String),
    /// The recipe has no such wrapper.
    #[error(
        "the recipe has no Kubernetes {wanted}; it has {known} (one more is one more wrapper module beside them)"
    )]
    UnknownMinor {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// The wrapper pins nothing.
    #[error(
        "{0} does not require k8s.io/kubernetes, so it says no version; restore it from version control"
    )]
    NoVersion(PathBuf),
    /// The agent's binary is missing.
    #[error(
        "no pod-network binary at {0}; build it with `cargo build --release -p pod-network`, or name one with --pod-network FILE"
    )]
    NoPodNetwork(PathBuf),
    /// A command that is needed is missing.
    #[error("{command} is needed and is not on the PATH: {way_out}")]
    Missing {
        /// The command.
        command: &'static str,
        /// How to get it.
        way_out: &'static str,
    },
    /// A command failed because something cannot be had on this host.
    #[error("{stage} cannot be made on this host:\n{words}")]
    Unavailable {
        /// The stage.
        stage: String,
        /// The end of what the command said.
        words: String,
    },
    /// A command failed.
    #[error("{stage} failed ({status}); the end of {log}:\n{words}")]
    Command {
        /// The stage.
        stage: String,
        /// How the command ended.
        status: String,
        /// The file with all that it said.
        log: PathBuf,
        /// The end of it.
        words: String,
    },
    /// The helper container failed.
    #[error(
        "putting the component images into the node image failed with code {code}; the end of what was said:\n{words}"
    )]
    Finish {
        /// The exit code.
        code: i64,
        /// The end of its console.
        words: String,
    },
    /// Something took longer than it may.
    #[error("{stage} took longer than {deadline_s} s and was ended; see {log}")]
    Deadline {
        /// The stage.
        stage: String,
        /// How long it was given, in seconds.
        deadline_s: u64,
        /// The file with all that was said.
        log: PathBuf,
    },
    /// Somebody else builds.
    #[error(
        "another image build has held {path} for {waited_s} s; wait for it, or choose another --cache"
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long was waited, in seconds.
        waited_s: u64,
    },
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    File {
        /// What was being done, to which file.
        doing: String,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// The engine failed.
    #[error("cannot {doing}")]
    Engine {
        /// What was being done.
        doing: String,
        /// Why not.
        #[source]
        source: EngineError,
    },
    /// The user, or whoever called, asked to stop.
    #[error(
        "interrupted; what was half made has been removed, what was finished is kept for the next time"
    )]
    Interrupted,
}

impl ImageError {
    /// For `map_err`: a file system call that failed while doing `doing`.
    pub(crate) fn file(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::File { doing, source }
    }

    /// For `map_err`: a request to the engine that failed while doing `doing`.
    pub(crate) fn engine(doing: impl Into<String>) -> impl FnOnce(EngineError) -> Self {
        let doing = doing.into();
        move |source| Self::Engine { doing, source }
    }
}
