//! Proof that the control plane works without its bootstrap: a write and its read-back through the
//! load balancer and through every self-hosted apiserver that should serve.

use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use pivot::Why;
use serde_json::json;
use terms::Incarnation;

use super::apply::FIELD_MANAGER;
use super::{Answer, chain};
use crate::assets::{Assets, Machine, SELF_HOSTED_PORT};
use crate::clients::Clients;
use crate::events::boot_us;

/// The object that is written.
const NAME: &str = "selfhost-verification";
/// Where it is written.
const NAMESPACE: &str = "kube-system";

/// Verifies, and removes what was written.
pub(super) async fn verify(assets: &Assets, clients: &Clients) -> Answer {
    match all_ways(assets, clients).await {
        Ok(()) => Answer::done(),
        Err(detail) => Answer::failed(Why::VerificationFailed, detail),
    }
}

async fn all_ways(assets: &Assets, clients: &Clients) -> Result<(), String> {
    let balanced = clients.through_load_balancer();
    write_and_read(&balanced, "the load balancer").await?;
    for machine in expected(assets, &balanced).await? {
        let address = machine.port(SELF_HOSTED_PORT);
        let who = format!("the apiserver of {}", machine.name);
        let reply = assets.apiservers.get(address, "/readyz").await;
        let reply = reply.map_err(|error| format!("asking {who} whether it is ready: {error}"))?;
        let proven = reply.peer.node == machine.name
            && reply.peer.incarnation == Some(Incarnation::SelfHosted);
        if reply.status != 200 || !proven {
            return Err(format!("{who} answered with status {} as {:?}", reply.status, reply.peer));
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

/// The control-plane nodes that are Ready: their apiservers should serve.
async fn expected(assets: &Assets, client: &Client) -> Result<Vec<Machine>, String> {
    let nodes: Api<Node> = Api::all(client.clone());
    let listed = nodes.list(&ListParams::default()).await;
    let listed = listed.map_err(|error| format!("listing nodes: {}", chain(&error)))?.items;
    let is_ready = |machine: &&Machine| {
        let node = listed.iter().find(|node| node.metadata.name.as_deref() == Some(&machine.name));
        let conditions = node.and_then(|node| node.status.as_ref()?.conditions.as_ref());
        conditions
            .is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
    };
    let ready: Vec<_> = assets.control_plane().iter().filter(is_ready).cloned().collect();
    if ready.is_empty() { Err("no control-plane node is Ready".to_owned()) } else { Ok(ready) }
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
        Err(format!("{who} acknowledged {value} and then read {found:?}"))
    }
}
