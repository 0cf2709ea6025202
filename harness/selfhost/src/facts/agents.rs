//! What checkpoint agents tell of themselves in their Leases.

use k8s_openapi::api::coordination::v1::Lease;
use terms::Component;

use crate::checkpoint::ARMED;
use crate::render::checkpoint_agent;

/// The nodes whose agent has a Lease, with the components that it says are armed there.
pub(super) fn armed(leases: &[Lease]) -> Vec<(String, Vec<Component>)> {
    let told = leases.iter().filter_map(|lease| {
        let node = lease.spec.as_ref()?.holder_identity.clone()?;
        let name = lease.metadata.name.as_deref()?;
        let armed = lease.metadata.annotations.as_ref()?.get(ARMED)?;
        let components = armed.split(',').filter_map(Component::from_name).collect();
        (name == checkpoint_agent::lease(&node)).then_some((node, components))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lease(name: &str, armed: &str) -> Lease {
        serde_json::from_value(json!({
            "metadata": { "name": name, "annotations": { ARMED: armed } },
            "spec": { "holderIdentity": "cp-1" },
        }))
        .unwrap()
    }

    #[test]
    fn an_agent_speaks_for_its_own_node_only() {
        let expected = vec![Component::KubeApiserver, Component::KubeScheduler];
        let own = lease("checkpoint-agent-cp-1", "kube-apiserver,kube-scheduler");
        assert_eq!(armed(&[own]), [("cp-1".to_owned(), expected)]);
        assert_eq!(
            armed(&[lease("checkpoint-agent-cp-2", "kube-apiserver")]),
            []
        );
        assert_eq!(
            armed(&[lease("checkpoint-agent-cp-1", "")]),
            [("cp-1".to_owned(), vec![])]
        );
    }
}
