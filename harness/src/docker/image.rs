//! Whether an image is there.

use super::verb::{QUICK, verb};
use super::{Engine, EngineError};

impl Engine {
    /// The id of an image, or `None` when the engine does not have it. Nothing is ever pulled.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn image_id(&self, image: &str) -> Result<Option<String>, EngineError> {
        let request = self.api.inspect_image(image);
        match verb(format!("inspect image {image}"), QUICK, request).await {
            Ok(found) => Ok(found.id),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
