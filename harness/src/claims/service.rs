//! `service-and-dns`: pods reach each other across nodes, and the Service by its name.

use futures::future::try_join_all;
use futures::try_join;

use super::answering_pod::AnsweringPod;
use super::deadline::Deadline;
use super::manifests::{PORT, SERVER};
use super::stage::Stage;

/// How often in a row the Service must answer: with one pod on each side, a rule that leads
/// nowhere is hit with fifteen chances in sixteen.
const ASKED: usize = 4;

/// Asks from each pod. Rules and endpoints take a moment to arrive at all nodes.
pub(super) async fn reachable(
    stage: &Stage,
    deadline: Deadline,
    pods: &[AnsweringPod],
) -> Result<(), String> {
    let service = &format!("http://{SERVER}.{}.svc.cluster.local:{PORT}/", stage.name);
    let asking = pods.iter().map(|pod| async move {
        let by_name = deadline.until("reach the Service by name", || async move {
            let answers = ask(pod, service, ASKED).await?;
            match answers
                .iter()
                .find(|answer| !pods.iter().any(|pod| pod.name == **answer))
            {
                Some(stranger) => Err(format!("{service} is answered by '{stranger}'")),
                None => Ok(()),
            }
        });
        try_join!(by_name, others(deadline, pod, pods)).map(|_| ())
    });
    try_join_all(asking).await.map(|_| ())
}

async fn others(
    deadline: Deadline,
    pod: &AnsweringPod,
    pods: &[AnsweringPod],
) -> Result<(), String> {
    let others = pods
        .iter()
        .filter(|other| other.name != pod.name)
        .map(|other| async move {
            let url = &url(&other.address);
            let what = format!("reach {} on {}", other.name, other.node);
            let look = || async move {
                let answers = ask(pod, url, 1).await?;
                if answers == [other.name.as_str()] {
                    Ok(())
                } else {
                    Err(format!("{url}: {answers:?}"))
                }
            };
            deadline.until(&what, look).await
        });
    try_join_all(others).await.map(|_| ())
}

/// Addresses of IPv6 stand in brackets.
fn url(address: &str) -> String {
    if address.contains(':') {
        format!("http://[{address}]:{PORT}/")
    } else {
        format!("http://{address}:{PORT}/")
    }
}

/// The answers to so many requests; an error when one of them fails.
async fn ask(pod: &AnsweringPod, url: &str, times: usize) -> Result<Vec<String>, String> {
    let mut command = vec![
        "curl",
        "--silent",
        "--show-error",
        "--fail",
        "--fail-early",
        "--max-time",
        "3",
    ];
    command.extend(std::iter::repeat_n(url, times));
    let output = pod
        .run(&command)
        .await
        .map_err(|reason| format!("{url}: {reason}"))?;
    let answers: Vec<String> = output.lines().map(str::to_owned).collect();
    if answers.len() == times {
        Ok(answers)
    } else {
        Err(format!(
            "{url}: {} answers to {times} requests",
            answers.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_make_urls() {
        assert_eq!(url("10.1.0.2"), "http://10.1.0.2:8080/");
        assert_eq!(url("fd00::2"), "http://[fd00::2]:8080/");
    }
}
