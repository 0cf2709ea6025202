//! Why the engine did not do what it was asked.

use thiserror::Error;

/// The engine's or the connection's own words, kept as a cause. Opaque, so that the client library
/// does not leak.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the engine cannot be used, or did not do what it was asked.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The client could not be set up: a wrong `DOCKER_HOST`, for example.
    #[error("cannot set up a connection to the container engine; check DOCKER_HOST")]
    Connect(#[source] Cause),
    /// The socket may not be used by this user.
    #[error(
        "this user may not use the container engine's socket; add the user to group `docker`, or run as root"
    )]
    Permission(#[source] Cause),
    /// Nothing answers.
    #[error("the container engine does not answer; start it with `ci/engine`, or set DOCKER_HOST")]
    NotRunning(#[source] Cause),
    /// The engine refused or failed a request.
    #[error("the container engine could not {doing}")]
    Request {
        /// What was being done, to which object.
        doing: String,
        /// The HTTP status, where the engine answered at all.
        status: Option<u16>,
        /// The engine's own words.
        #[source]
        source: Cause,
    },
    /// A request took longer than it may. What was asked may have happened all the same.
    #[error("the container engine did not {doing} within {deadline_ms} ms")]
    Deadline {
        /// What was being done, to which object.
        doing: String,
        /// How long it was given, in milliseconds.
        deadline_ms: u64,
    },
    /// The object does not bear our labels.
    #[error(
        "{kind} {name} does not bear the label chrysalis.run, so it is not touched; only what chrysalis made is ever changed"
    )]
    NotOurs {
        /// `container`, `network` or `volume`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
    },
    /// The engine's answer lacks something that every engine reports.
    #[error(
        "the container engine's answer about {about} lacks {what}; is it Docker 20.10 or later?"
    )]
    Answer {
        /// What was asked about.
        about: String,
        /// What is missing.
        what: &'static str,
    },
    /// More output than is kept in memory.
    #[error("{doing} gave more than {limit} bytes; narrow the request, or stream it")]
    TooMuch {
        /// What was being done.
        doing: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl EngineError {
    /// The engine says that the object does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Request {
                status: Some(404),
                ..
            }
        )
    }

    /// The engine says that the object exists already, or is in a state that does not allow it.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Request {
                status: Some(409),
                ..
            }
        )
    }

    /// Whether the engine's own words contain `words`, whatever their case.
    pub fn says(&self, words: &str) -> bool {
        match self {
            Self::Request { source, .. } => source
                .to_string()
                .to_lowercase()
                .contains(&words.to_lowercase()),
            _ => false,
        }
    }
}
