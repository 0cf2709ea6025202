//! One request under a deadline, its failure put into our words.

use std::time::Duration;

use bollard::errors::Error;

use super::EngineError;

/// Deadline of a request that only reads or that takes milliseconds.
pub(crate) const QUICK: Duration = Duration::from_secs(20);
/// Deadline of a request that starts or stops processes or copies an image's `/var`.
pub(crate) const SLOW: Duration = Duration::from_secs(90);

/// Waits for `request`, at most for `deadline`. `doing` completes "the engine could not …".
pub(crate) async fn verb<T>(
    doing: impl Into<String>,
    deadline: Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, EngineError> {
    let doing = doing.into();
    match tokio::time::timeout(deadline, request).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refused(doing, error)),
        Err(_) => Err(EngineError::Deadline {
            doing,
            deadline_ms: milliseconds(deadline),
        }),
    }
}

/// Puts the client library's error into ours.
pub(crate) fn refused(doing: String, error: Error) -> EngineError {
    let status = match &error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    };
    EngineError::Request {
        doing,
        status,
        source: Box::new(error),
    }
}

/// A duration in whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
