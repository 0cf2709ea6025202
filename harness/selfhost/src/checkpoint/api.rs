//! What the API tells of this node's parents: one round of requests made together.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Client;
use kube::api::{Api, ListParams};
use terms::Component;

use super::leadership::Leadership;
use super::manifest;
use super::places::Places;
use super::version::Version;
use crate::render::checkpoint_agent;

/// How long a round may take, so that what is told is never older.
const DEADLINE: Duration = Duration::from_secs(2);
/// The namespace of the control plane.
pub(super) const NAMESPACE: &str = "kube-system";
/// The annotation of a static pod's mirror, which no other pod may carry.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What one round was told. Where nothing is said, nothing was asked or nobody answered.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Somebody answered, be it with a refusal.
    pub(super) api: bool,
    /// The node's pods could be listed: for each component the parent, if there is one.
    pub(super) parents: Option<BTreeMap<Component, Parent>>,
    /// UIDs of the agent's own pods that are bound to this node, as far as pods could be listed.
    pub(super) agents: Vec<String>,
    /// What was seen of the controllers' Leases.
    pub(super) leadership: Leadership,
}

impl Told {
    /// Nobody answered.
    fn nothing(leadership: &Leadership) -> Self {
        Self {
            api: false,
            parents: None,
            agents: Vec::new(),
            leadership: leadership.clone(),
        }
    }
}

/// A self-hosted pod that is bound to this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    /// UID of the pod.
    pub(super) uid: String,
    /// Its Ready condition is true, and it is not being deleted.
    pub(super) ready: bool,
    /// Ids of its running containers.
    pub(super) containers: Vec<String>,
    /// What a checkpoint of it would consist of, or why that is not known.
    pub(super) version: Result<Version, NoVersion>,
}

/// Why it is not known what a checkpoint of a parent would consist of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoVersion {
    /// There can be none.
    #[error("{0}")]
    Unfit(String),
    /// Its Secrets and ConfigMaps could not be read. It need not be the parent's doing: a connection through the load
    /// balancer ends whenever the apiserver behind it does, as a copy on another node that hands over.
    #[error("{0}")]
    Unread(String),
}

/// Asks the API about one node, time and again.
pub(super) struct Asker {
    client: Client,
    node: String,
    places: Places,
    leadership: Leadership,
}

impl Asker {
    pub(super) fn new(client: Client, node: &str, places: &Places) -> Self {
        Self {
            client,
            node: node.to_owned(),
            places: places.clone(),
            leadership: Leadership::new(),
        }
    }

    /// One round.
    pub(super) async fn ask(&mut self) -> Told {
        let answered = tokio::time::timeout(DEADLINE, self.round()).await;
        answered.unwrap_or_else(|_| Told::nothing(&self.leadership))
    }

    async fn round(&mut self) -> Told {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), NAMESPACE);
        let here = ListParams::default().fields(&format!("spec.nodeName={}", self.node));
        let all = ListParams::default();
        let (pods, leases) = tokio::join!(pods.list(&here), leases.list(&all));
        let api = answered(&pods) || answered(&leases);
        if let Ok(leases) = leases {
            let locks = [Component::KubeControllerManager, Component::KubeScheduler];
            self.leadership
                .observe(&locks.map(Component::name), &leases.items);
        }
        if api {
            self.leadership.note_answer();
        }
        let mut told = Told {
            api,
            ..Told::nothing(&self.leadership)
        };
        let Ok(pods) = pods else {
            return told;
        };
        let found =
            Component::SELF_HOSTED.map(|component| (component, parent_of(component, &pods.items)));
        let found = found
            .into_iter()
            .filter_map(|(component, pod)| Some((component, pod?)));
        let asked = found.map(|(component, pod)| self.parent(component, pod));
        told.parents = Some(join_all(asked).await.into_iter().collect());
        let agents = pods
            .items
            .iter()
            .filter(|pod| is_of(pod, checkpoint_agent::NAME));
        told.agents = agents.filter_map(|pod| pod.metadata.uid.clone()).collect();
        told
    }

    async fn parent(&self, component: Component, pod: &Pod) -> (Component, Parent) {
        let status = pod.status.as_ref();
        let conditions = status
            .and_then(|status| status.conditions.as_deref())
            .unwrap_or_default();
        let is_ready = conditions
            .iter()
            .any(|one| one.type_ == "Ready" && one.status == "True");
        let containers = status.and_then(|status| status.container_statuses.as_deref());
        let running = containers.unwrap_or_default().iter().filter(|container| {
            container
                .state
                .as_ref()
                .is_some_and(|state| state.running.is_some())
        });
        let ids = running.filter_map(|container| container.container_id.as_deref());
        let parent = Parent {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            ready: is_ready && pod.metadata.deletion_timestamp.is_none(),
            containers: ids
                .filter_map(|id| Some(id.split_once("://")?.1.to_owned()))
                .collect(),
            version: self.version(component, pod).await,
        };
        (component, parent)
    }

    async fn version(&self, component: Component, pod: &Pod) -> Result<Version, NoVersion> {
        let unfit = |why: &dyn Display| NoVersion::Unfit(why.to_string());
        let pod = serde_json::to_value(pod).map_err(|error| unfit(&error))?;
        let sources = manifest::sources(component, &pod).map_err(|error| unfit(&error))?;
        let asked = sources
            .into_iter()
            .map(|(kind, name)| self.content(kind, name));
        let contents = try_join_all(asked).await?.into_iter().flatten().collect();
        let versions = self.places.versions(component);
        Version::of(component, &pod, contents, &versions).map_err(|error| unfit(&error))
    }

    /// The files of a Secret or ConfigMap, by their paths within a version.
    async fn content(
        &self,
        kind: usize,
        name: String,
    ) -> Result<Vec<(String, Vec<u8>)>, NoVersion> {
        let (_, _, directory) = manifest::COPIED[kind];
        let path = |key: &str| format!("{directory}/{name}/{key}");
        let failed =
            |error: kube::Error| NoVersion::Unread(format!("reading {directory}/{name}: {error}"));
        if kind == 0 {
            let secrets: Api<Secret> = Api::namespaced(self.client.clone(), NAMESPACE);
            let data = secrets
                .get(&name)
                .await
                .map_err(failed)?
                .data
                .unwrap_or_default();
            return Ok(data
                .into_iter()
                .map(|(key, value)| (path(&key), value.0))
                .collect());
        }
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), NAMESPACE);
        let map = maps.get(&name).await.map_err(failed)?;
        let text = map.data.unwrap_or_default().into_iter();
        let text = text.map(|(key, value)| (key, value.into_bytes()));
        let bytes = map.binary_data.unwrap_or_default().into_iter();
        let bytes = bytes.map(|(key, value)| (key, value.0));
        Ok(text
            .chain(bytes)
            .map(|(key, value)| (path(&key), value))
            .collect())
    }
}

/// Whether somebody answered. An apiserver that cannot reach its etcd is as good as none.
fn answered<T>(answer: &Result<T, kube::Error>) -> bool {
    match answer {
        Ok(_) => true,
        Err(kube::Error::Api(status)) => status.code < 500,
        Err(_) => false,
    }
}

/// The component's parent among the node's pods: one that is not being deleted, if there is one.
fn parent_of(component: Component, pods: &[Pod]) -> Option<&Pod> {
    let own = pods.iter().filter(|pod| is_of(pod, component.name()));
    own.min_by_key(|pod| pod.metadata.deletion_timestamp.is_some())
}

/// Whether the pod belongs to the DaemonSet of this name: neither label nor name prove it.
fn is_of(pod: &Pod, name: &str) -> bool {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let annotations = pod.metadata.annotations.as_ref();
    let is_mirror = annotations.is_some_and(|all| all.contains_key(MIRROR));
    !is_mirror
        && owners.iter().any(|owner| {
            owner.kind == "DaemonSet" && owner.name == name && owner.controller == Some(true)
        })
}
