//! Reasons in words: what happened, and what to do.

use pivot::Why;

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
    }
}

/// The whole reason: the words, and what was seen last.
pub(crate) fn with_detail(why: Why, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{} (last seen: {detail})", words(why)),
        None => words(why).to_owned(),
    }
}
