//! What a container's first process wrote to its console.

use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;

use super::verb::{SLOW, milliseconds, refused};
use super::{Container, Engine, EngineError, Owned};

impl Engine {
    /// The last `lines_max` lines of a container's console, dead containers included.
    ///
    /// # Errors
    /// When the container is gone, or the engine fails.
    pub async fn logs(
        &self,
        container: &Owned<Container>,
        lines_max: u32,
    ) -> Result<Vec<u8>, EngineError> {
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail(&lines_max.to_string())
            .build();
        let doing = format!("read the console of container {}", container.name());
        let mut frames = self.api.logs(&container.id, Some(options));
        let reading = async {
            let mut text = Vec::new();
            while let Some(frame) = frames.next().await {
                let frame = frame.map_err(|error| refused(doing.clone(), error))?;
                text.extend_from_slice(frame.as_ref());
            }
            Ok(text)
        };
        tokio::time::timeout(SLOW, reading)
            .await
            .unwrap_or_else(|_| {
                Err(EngineError::Deadline {
                    doing: doing.clone(),
                    deadline_ms: milliseconds(SLOW),
                })
            })
    }
}
