//! Proof that the control plane works without its bootstrap: a write and its read-back through the
//! load balancer and through every self-hosted apiserver that should serve.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use pivot::{Facts, NodeSet, PodFact, Why};
use serde_json::json;
use terms::{Component, Incarnation};

use super::apply::FIELD_MANAGER;
use super::{Answer, chain};
use crate::assets::{Assets, SELF_HOSTED_PORT};
use crate::clients::Clients;
use crate::events::boot_us;

/// The object that is written.
const NAME: &str = "selfhost-verification";
/// Where it is written.
const NAMESPACE: &str = "kube-system";

/// The control-plane nodes whose apiserver should serve: the node is alive, and the API calls the
/// self-hosted pod on it ready. A node that has just lost its power, or has just returned, is
/// nobody's fault here.
pub(super) fn expected(facts: &Facts) -> NodeSet {
    let serves = |pod: &&PodFact| {
        pod.claims == Some(Component::KubeApiserver)
            && pod.incarnation == Incarnation::SelfHosted
            && pod.ready
            && pod.fresh
    };
    let nodes = facts
        .pods
        .iter()
        .flatten()
        .filter(serves)
        .filter_map(|pod| pod.node);
    let bound = nodes
        .filter(|node| *node < 16)
        .fold(NodeSet::default(), NodeSet::with);
    bound
        .and(facts.ready)
        .and(NodeSet::first(facts.control_planes))
}

/// Verifies, and removes what was written.
pub(super) async fn verify(assets: &Assets, clients: &Clients, expected: NodeSet) -> Answer {
    match all_ways(assets, clients, expected).await {
        Ok(()) => Answer::done(),
        Err(detail) => Answer::failed(Why::VerificationFailed, detail),
    }
}

async fn all_ways(assets: &Assets, clients: &Clients, expected: NodeSet) -> Result<(), String> {
    let balanced = clients.through_load_balancer();
    write_and_read(&balanced, "the load balancer").await?;
    let machines = (0..).zip(assets.control_plane());
    for (_, machine) in machines.filter(|(index, _)| expected.contains(*index)) {
        let address = machine.port(SELF_HOSTED_PORT);
        let who = format!("the apiserver of {}", machine.name);
        let reply = assets.apiservers.get(address, "/readyz").await;
        let reply = reply.map_err(|error| format!("asking {who} whether it is ready: {error}"))?;
        let proven = reply.peer.node == machine.name
            && reply.peer.incarnation == Some(Incarnation::SelfHosted);
        if reply.status != 200 || !proven {
            return Err(format!(
                "{who} answered with status {} as {:?}",
                reply.status, reply.peer
            ));
        }
        let client = clients.to(address).map_err(|error| chain(&error))?;
        write_and_read(&client, &who).await?;
    }
    let maps: Api<ConfigMap> = Api::namespaced(balanced, NAMESPACE);
    match maps.delete(NAME, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(format!("removing ConfigMap {NAME}: {}", chain(&error))),
        Ok(_) => Ok(()),
    }
}

async fn write_and_read(client: &Client, who: &str) -> Result<(), String> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let value = boot_us().to_string();
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": NAME, "namespace": NAMESPACE },
        "data": { "written": value },
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let written = maps.patch(NAME, &parameters, &Patch::Apply(&object)).await;
    written.map_err(|error| format!("writing through {who}: {}", chain(&error)))?;
    let read = maps.get(NAME).await;
    let read = read.map_err(|error| format!("reading through {who}: {}", chain(&error)))?;
    let found = read.data.and_then(|mut data| data.remove("written"));
    if found.as_ref() == Some(&value) {
        Ok(())
    } else {
        Err(format!(
            "{who} acknowledged {value} and then read {found:?}"
        ))
    }
}
