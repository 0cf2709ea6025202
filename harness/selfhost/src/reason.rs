//! Reasons in words: what happened, and what to do.

use pivot::{Facts, NodeSet, PodFact, Why};
use terms::{Component, Incarnation};

/// What a reason means, and the way out.
pub(crate) fn words(why: Why) -> &'static str {
    match why {
        Why::StageOverdue => {
            "the step took longer than it may; look at the pods and nodes that it waits for, and start again"
        }
        Why::ForeignCluster => {
            "this node or its etcd belongs to another cluster and nothing was changed; choose another node, or reset it"
        }
        Why::ForeignFile => {
            "a file on this node is somebody else's and was not touched; move it away if nobody needs it, and start again"
        }
        Why::Disk => "the disk refused; free space or repair it, and start again",
        Why::ApiUnreachable => {
            "neither apiserver nor etcd answered as needed; look at their containers and at the load balancer, and start again"
        }
        Why::ObjectRefused => {
            "an apiserver refused an object, and will again; correct the assets, and start again"
        }
        Why::CanaryLost => {
            "a test Deployment did not become ready; look at controller manager, scheduler and kubelets, and start again"
        }
        Why::VerificationFailed => {
            "a write or its read-back failed after the pivot; look at the apiservers, and start again"
        }
        Why::LeasesNotTaken => {
            "the self-hosted controller manager or scheduler did not take its lease; look at their pods, and start again"
        }
        Why::ClusterAlive => {
            "the control plane is alive and nothing was changed; a lost scheduler or controller manager is brought back with --rescue"
        }
        Why::AnotherOperator => {
            "another bootstrap or recovery is at work and nothing was changed; wait for its end, or stop it and try again after 30 s"
        }
    }
}

/// The whole reason: the words, and what was seen last.
pub(crate) fn with_detail(why: Why, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{} (last seen: {detail})", words(why)),
        None => words(why).to_owned(),
    }
}

/// What is known of the cluster, in one line.
pub(crate) fn facts_in_words(facts: &Facts) -> String {
    let Facts {
        control_planes,
        nodes,
        etcd,
        registered,
        ready,
        apiservers,
        armed,
        pods,
        ..
    } = facts;
    let count = |what: &str, set: NodeSet, of: u8| format!("{what} {} of {of}", set.count());
    let mut parts = vec![
        count("etcd members healthy", *etcd, *control_planes),
        count("nodes registered", *registered, *nodes),
        count("nodes ready", *ready, *nodes),
        count(
            "self-hosted apiservers answering",
            apiservers.self_hosted,
            *control_planes,
        ),
    ];
    if !facts.pods_known {
        parts.push("pods not known, for the API does not answer".to_owned());
        return parts.join(", ");
    }
    for (component, armed) in Component::SELF_HOSTED.into_iter().zip(armed) {
        let own: Vec<&PodFact> = pods
            .iter()
            .flatten()
            .filter(|pod| {
                pod.claims == Some(component) && pod.incarnation == Incarnation::SelfHosted
            })
            .collect();
        let bound = own.iter().filter(|pod| pod.node.is_some()).count();
        let ready = own.iter().filter(|pod| pod.ready).count();
        parts.push(format!(
            "{component}: {} pods, {bound} bound, {ready} ready, {} armed",
            own.len(),
            armed.count()
        ));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use pivot::{ApiserverFact, LeaseFact, PodPhase};

    use super::*;

    #[test]
    fn a_line_names_what_is_missing() {
        let mut pods = [None; Facts::MOST_PODS];
        pods[0] = Some(PodFact {
            claims: Some(Component::KubeScheduler),
            looks_like: None,
            node: Some(0),
            incarnation: Incarnation::SelfHosted,
            phase: PodPhase::Running,
            ready: false,
            fresh: true,
        });
        let facts = Facts {
            control_planes: 3,
            nodes: 4,
            etcd: NodeSet::first(3),
            registered: NodeSet::first(4),
            ready: NodeSet::first(2),
            labelled: NodeSet::default(),
            apiservers: ApiserverFact::default(),
            leases: [LeaseFact { age_ds: 255 }; 2],
            bootstrap_running: 0,
            armed: [NodeSet::default(); 3],
            pods_known: true,
            stale: None,
            pods,
        };
        let line = facts_in_words(&facts);
        assert!(line.contains("nodes ready 2 of 4"), "{line}");
        assert!(line.contains("kube-apiserver: 0 pods, 0 bound"), "{line}");
        assert!(
            line.contains("kube-scheduler: 1 pods, 1 bound, 0 ready"),
            "{line}"
        );
        let unknown = Facts {
            pods_known: false,
            ..facts
        };
        assert!(facts_in_words(&unknown).contains("pods not known"));
    }
}
