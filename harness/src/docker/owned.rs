//! The permission to change an object.

use std::marker::PhantomData;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};

use super::labels::filter;
use super::verb::{QUICK, verb};
use super::{Engine, EngineError, Labels};

/// Marks the handle of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container;
/// Marks the handle of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network;
/// Marks the handle of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Volume;

/// An object that bears our labels, and with it the permission to change it.
///
/// **Architecture invariant:** only this module makes handles, either right after creating the
/// object or after reading its labels from the engine. Labels cannot be changed afterwards, and
/// containers and networks are addressed by their id, so a handle stays true for ever. (Volumes
/// have no id: their label is read again before one is removed.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned<Kind> {
    pub(crate) id: String,
    name: String,
    labels: Labels,
    kind: PhantomData<Kind>,
}

/// Everything of ours that the engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Containers, running or not.
    pub containers: Vec<Owned<Container>>,
    /// Networks.
    pub networks: Vec<Owned<Network>>,
    /// Volumes.
    pub volumes: Vec<Owned<Volume>>,
}

impl<Kind> Owned<Kind> {
    pub(crate) fn new(id: String, name: String, labels: Labels) -> Self {
        Self {
            id,
            name,
            labels,
            kind: PhantomData,
        }
    }

    /// The object's name, such as `demo-cp-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The engine's id of the object; for volumes the name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The labels that the object bears.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

impl Found {
    /// Whether nothing of ours is there.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.networks.is_empty() && self.volumes.is_empty()
    }
}

impl Engine {
    /// Looks up one container by name or id.
    ///
    /// # Errors
    /// [`EngineError::NotOurs`] when it does not bear our label; a missing one is
    /// [`EngineError::is_missing`].
    pub async fn container(&self, name: &str) -> Result<Owned<Container>, EngineError> {
        let request = self.api.inspect_container(name, None);
        let answer = verb(format!("inspect container {name}"), QUICK, request).await?;
        let labels = answer
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default();
        let labels = Labels::from_map(&labels).ok_or_else(|| EngineError::NotOurs {
            kind: "container",
            name: name.to_owned(),
        })?;
        let id = answer.id.ok_or_else(|| lacks(name, "an id"))?;
        let name = answer
            .name
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned();
        Ok(Owned::new(id, name, labels))
    }

    /// Everything that bears our label, or what of it belongs to `cluster`.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn find(&self, cluster: Option<&str>) -> Result<Found, EngineError> {
        let (containers, networks, volumes) = tokio::try_join!(
            self.containers(cluster),
            self.networks(cluster),
            self.volumes(cluster)
        )?;
        Ok(Found {
            containers,
            networks,
            volumes,
        })
    }

    /// The containers that bear our label, or those of `cluster`, sorted by name.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn containers(
        &self,
        cluster: Option<&str>,
    ) -> Result<Vec<Owned<Container>>, EngineError> {
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filter(cluster))
            .build();
        let request = self.api.list_containers(Some(options));
        let rows = verb("list containers", QUICK, request).await?;
        let mut found: Vec<_> = rows
            .into_iter()
            .filter_map(|row| {
                let name = row
                    .names?
                    .into_iter()
                    .next()?
                    .trim_start_matches('/')
                    .to_owned();
                Some(Owned::new(row.id?, name, Labels::from_map(&row.labels?)?))
            })
            .collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    /// The networks that bear our label, or those of `cluster`, sorted by name.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn networks(
        &self,
        cluster: Option<&str>,
    ) -> Result<Vec<Owned<Network>>, EngineError> {
        let options = ListNetworksOptionsBuilder::new()
            .filters(&filter(cluster))
            .build();
        let rows = verb(
            "list networks",
            QUICK,
            self.api.list_networks(Some(options)),
        )
        .await?;
        let mut found: Vec<_> = rows
            .into_iter()
            .filter_map(|row| {
                Some(Owned::new(
                    row.id?,
                    row.name?,
                    Labels::from_map(&row.labels?)?,
                ))
            })
            .collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    /// The volumes that bear our label, or those of `cluster`, sorted by name.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn volumes(&self, cluster: Option<&str>) -> Result<Vec<Owned<Volume>>, EngineError> {
        let options = ListVolumesOptionsBuilder::new()
            .filters(&filter(cluster))
            .build();
        let answer = verb("list volumes", QUICK, self.api.list_volumes(Some(options))).await?;
        let mut found: Vec<_> = answer
            .volumes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|row| {
                let labels = Labels::from_map(&row.labels)?;
                Some(Owned::new(row.name.clone(), row.name, labels))
            })
            .collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }
}

pub(crate) fn lacks(about: &str, what: &'static str) -> EngineError {
    EngineError::Answer {
        about: about.to_owned(),
        what,
    }
}
