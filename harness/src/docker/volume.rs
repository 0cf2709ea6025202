//! Named volumes.

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::RemoveVolumeOptionsBuilder;

use super::network::gone;
use super::verb::{QUICK, SLOW, verb};
use super::{Engine, EngineError, Labels, Owned, Volume};

impl Engine {
    /// Makes a named volume. The engine fills it from the image when a container first mounts it.
    ///
    /// # Errors
    /// When a volume of that name exists that is not ours, or the engine fails.
    pub async fn create_volume(
        &self,
        name: &str,
        labels: Labels,
    ) -> Result<Owned<Volume>, EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.to_map()),
            ..Default::default()
        };
        let request = self.api.create_volume(request);
        let made = verb(format!("create volume {name}"), QUICK, request).await?;
        // Creating a volume that exists is not an error for the engine: it returns the old one.
        if Labels::from_map(&made.labels).as_ref() != Some(&labels) {
            return Err(EngineError::NotOurs {
                kind: "volume",
                name: name.to_owned(),
            });
        }
        Ok(Owned::new(name.to_owned(), name.to_owned(), labels))
    }

    /// Removes a volume. One that is gone already counts as removed.
    ///
    /// # Errors
    /// When it is in use, no longer bears our label, or the engine fails.
    pub async fn remove_volume(&self, volume: &Owned<Volume>) -> Result<(), EngineError> {
        let name = volume.name();
        let inspected = verb(
            format!("inspect volume {name}"),
            QUICK,
            self.api.inspect_volume(name),
        )
        .await;
        match inspected {
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error),
            Ok(found) if Labels::from_map(&found.labels).is_none() => {
                return Err(EngineError::NotOurs {
                    kind: "volume",
                    name: name.to_owned(),
                });
            }
            Ok(_) => {}
        }
        let options = RemoveVolumeOptionsBuilder::new().force(true).build();
        let request = self.api.remove_volume(name, Some(options));
        gone(verb(format!("remove volume {name}"), SLOW, request).await)
    }
}
