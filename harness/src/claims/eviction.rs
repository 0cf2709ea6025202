//! `eviction-respects-budget`.

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::EvictParams;

use super::answering_pod::AnsweringPod;
use super::deadline::Deadline;
use super::manifests::SERVER;
use super::reason::reason;
use super::stage::Stage;

/// 429 Too Many Requests: what the eviction of a pod that is needed is answered with.
const REFUSED: u16 = 429;

/// An eviction is refused because of the budget, and not because its controller has not come to it.
pub(super) async fn refused(
    stage: &Stage,
    deadline: Deadline,
    pods: &[AnsweringPod],
) -> Result<(), String> {
    let budgets = &Api::<PodDisruptionBudget>::namespaced(stage.client.clone(), &stage.name);
    let look = || async move { counted(&budgets.get(SERVER).await.map_err(reason)?, pods.len()) };
    deadline
        .until("wait until the budget counts the pods", look)
        .await?;
    let pod = pods.first().ok_or("there is no pod to evict")?;
    let attempt = async {
        match pod.pods.evict(&pod.name, &EvictParams::default()).await {
            Ok(_) => Err("the pod was evicted, though its budget forbids it".to_owned()),
            Err(kube::Error::Api(status)) if status.code == REFUSED => Ok(()),
            Err(error) => Err(reason(error)),
        }
    };
    deadline.once(&format!("evict {}", pod.name), attempt).await
}

fn counted(budget: &PodDisruptionBudget, pods: usize) -> Result<(), String> {
    let status = budget.status.as_ref().ok_or("it has no status")?;
    let (healthy, allowed) = (status.current_healthy, status.disruptions_allowed);
    if status.observed_generation < budget.metadata.generation {
        return Err("its controller has not seen it".to_owned());
    }
    if usize::try_from(healthy).ok() != Some(pods) || allowed != 0 {
        return Err(format!(
            "{healthy} healthy pods, {allowed} allowed disruptions"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn budget(observed: i64, healthy: i32, allowed: i32) -> PodDisruptionBudget {
        serde_json::from_value(json!({
            "metadata": { "generation": 1 },
            "status": {
                "observedGeneration": observed, "currentHealthy": healthy, "desiredHealthy": 2,
                "disruptionsAllowed": allowed, "expectedPods": 2,
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_budget_counts_once_its_controller_has_seen_all_pods() {
        assert_eq!(counted(&budget(1, 2, 0), 2), Ok(()));
        assert!(counted(&budget(0, 2, 0), 2).is_err());
        assert!(counted(&budget(1, 1, 0), 2).is_err());
        assert!(counted(&budget(1, 2, 1), 2).is_err());
        assert!(counted(&PodDisruptionBudget::default(), 2).is_err());
    }
}
