//! The connection to the container engine.

use bollard::Docker;
use thiserror::Error;

/// A connection to a container engine that has answered.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) api: Docker,
    /// The engine's version, such as `20.10.24`.
    pub version: String,
    /// The newest API version that the engine speaks, such as `1.41`.
    pub api_version: String,
}

/// Why the engine cannot be used.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The client could not be set up: a wrong `DOCKER_HOST`, for example.
    #[error("cannot set up a connection to the container engine; check DOCKER_HOST")]
    Connect(#[source] bollard::errors::Error),
    /// The socket may not be used by this user.
    #[error("this user may not use the container engine's socket; add the user to group `docker`, or run as root")]
    Permission(#[source] bollard::errors::Error),
    /// Nothing answers.
    #[error("the container engine does not answer; start it with `ci/engine`, or set DOCKER_HOST")]
    NotRunning(#[source] bollard::errors::Error),
    /// The engine refused or failed a request.
    #[error("the container engine could not {doing}")]
    Request {
        /// What was being done, to which object.
        doing: String,
        /// The engine's own words.
        #[source]
        source: bollard::errors::Error,
    },
    /// A request took longer than it may.
    #[error("the container engine did not {doing} within {deadline_ms} ms")]
    Deadline {
        /// What was being done, to which object.
        doing: String,
        /// How long it was given.
        deadline_ms: u64,
    },
}

impl Engine {
    /// Connects (honouring `DOCKER_HOST`) and asks the engine for its version.
    ///
    /// The API version is negotiated once, because an engine refuses requests for a version newer
    /// than its own.
    ///
    /// # Errors
    /// When nothing answers, or the socket may not be used.
    pub async fn connect() -> Result<Self, EngineError> {
        let api = Docker::connect_with_defaults().map_err(EngineError::Connect)?;
        let api = api.negotiate_version().await.map_err(refusal)?;
        let answer = api.version().await.map_err(refusal)?;
        Ok(Self {
            api,
            version: answer.version.unwrap_or_default(),
            api_version: answer.api_version.unwrap_or_default(),
        })
    }
}

fn refusal(error: bollard::errors::Error) -> EngineError {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::PermissionDenied
        {
            return EngineError::Permission(error);
        }
        cause = current.source();
    }
    EngineError::NotRunning(error)
}
