//! The connection to the container engine.

use bollard::Docker;
use bollard::errors::Error;

use super::EngineError;
use super::verb::{QUICK, milliseconds};

/// A connection to a container engine that has answered.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) api: Docker,
    /// The engine's version, such as `20.10.24`.
    pub version: String,
    /// The newest API version that the engine speaks, such as `1.41`.
    pub api_version: String,
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
        let api = Docker::connect_with_defaults().map_err(|error| match error {
            Error::SocketNotFoundError(_) => EngineError::NotRunning(Box::new(error)),
            other => EngineError::Connect(Box::new(other)),
        })?;
        let greeting = async {
            let api = api.negotiate_version().await?;
            let answer = api.version().await?;
            Ok::<_, Error>((api, answer))
        };
        let (api, answer) = match tokio::time::timeout(QUICK, greeting).await {
            Ok(answered) => answered.map_err(refusal)?,
            Err(_) => {
                return Err(EngineError::Deadline {
                    doing: "answer a greeting".to_owned(),
                    deadline_ms: milliseconds(QUICK),
                });
            }
        };
        Ok(Self {
            api,
            version: answer.version.unwrap_or_default(),
            api_version: answer.api_version.unwrap_or_default(),
        })
    }
}

/// Tells a socket that may not be used from an engine that is not there.
fn refusal(error: Error) -> EngineError {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::PermissionDenied
        {
            return EngineError::Permission(Box::new(error));
        }
        cause = current.source();
    }
    EngineError::NotRunning(Box::new(error))
}
