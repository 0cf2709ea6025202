//! Removing what runs that are gone left behind.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::attach::by_cluster;
use super::down::{release_host, remove_found};
use super::host_network::HostNetwork;
use super::{ClusterError, StateDirectory, pool};
use crate::docker::{Engine, Found, Labels, Liveness, Owned, Role};

/// Why something may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The process that made it is gone.
    OwnerGone,
    /// Its time is over, and no living owner is known.
    DeadlinePassed,
}

/// What was removed (or would be), and what was left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReapReport {
    /// Such as `container demo-cp-1 (its owner is gone)`, in the order of removal.
    pub removed: Vec<String>,
    /// Such as `cluster demo (kept until …)`.
    pub spared: Vec<String>,
    /// What should have gone and did not, with the reason.
    pub failed: Vec<String>,
}

/// Removes containers, networks and volumes whose owner is gone or whose time is over, then what
/// the host's network was given for them, then the state directories of clusters that are no more.
/// What bears no label of ours and what belongs to a living process is never touched.
///
/// # Errors
/// When the engine cannot be asked what there is. A thing that cannot be removed is reported in
/// [`ReapReport::failed`], and the rest is removed all the same.
pub async fn reap(engine: &Engine, dry_run: bool) -> Result<ReapReport, ClusterError> {
    let all = engine.find(None).await;
    let all = all.map_err(ClusterError::engine("(any)", "look for what runs left"))?;
    let now_s = now_s();
    let mut report = ReapReport::default();
    for (cluster, found) in by_cluster(all) {
        let (stale, reasons, spared) = select(found, now_s);
        if let Some(reason) = spared {
            report.spared.push(format!("cluster {cluster} ({reason})"));
        }
        if dry_run {
            report
                .removed
                .extend(names(&stale).into_iter().zip(reasons).map(line));
            continue;
        }
        let reasons: Vec<_> = names(&stale).into_iter().zip(reasons).collect();
        let (removed, failure) = remove_found(engine, &stale).await;
        for name in removed {
            let reason = reasons.iter().find(|(known, _)| *known == name);
            report.removed.push(reason.cloned().map_or(name, line));
        }
        if let Some(error) = failure {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            report
                .failed
                .push(format!("{error}: {}", cause.unwrap_or_default()));
        }
    }
    let host = if dry_run {
        HostNetwork::lock()
            .await?
            .releasable(&pool::living(engine, "(any)").await?)
            .await
    } else {
        release_host(engine, "(any)").await?
    };
    report.removed.extend(host);
    reap_state(engine, dry_run, &mut report).await?;
    Ok(report)
}

async fn reap_state(
    engine: &Engine,
    dry_run: bool,
    report: &mut ReapReport,
) -> Result<(), ClusterError> {
    for name in StateDirectory::list() {
        let found = engine.find(Some(&name)).await;
        let found = found.map_err(ClusterError::engine(&name, "look for it"))?;
        if !found.is_empty() {
            continue;
        }
        if !dry_run && let Err(error) = StateDirectory::of(&name).remove() {
            report.failed.push(error.to_string());
            continue;
        }
        report.removed.push(format!("state of cluster {name}"));
    }
    Ok(())
}

/// Picks what may go from what belongs to one cluster. A kept cluster goes or stays as a whole.
fn select(found: Found, now_s: u64) -> (Found, Vec<Reason>, Option<String>) {
    let kept = found
        .volumes
        .iter()
        .find(|volume| volume.labels().role == Some(Role::Keep));
    if let Some(mark) = kept
        && let Some(deadline_s) = mark.labels().deadline_s
        && now_s < deadline_s
    {
        let left_min = (deadline_s - now_s).div_ceil(60);
        return (
            Found::default(),
            Vec::new(),
            Some(format!("kept for another {left_min} min")),
        );
    }
    let kept = kept.is_some();
    let mut stale = Found::default();
    let (mut containers, mut volumes, mut networks) = (Vec::new(), Vec::new(), Vec::new());
    let mut spared = None;
    let mut judge = |labels: &Labels| {
        let liveness = labels
            .owner
            .as_ref()
            .map_or(Liveness::Unknown, |owner| owner.liveness());
        let verdict = if kept {
            Some(Reason::DeadlinePassed)
        } else {
            verdict(liveness, labels.deadline_s, now_s)
        };
        if verdict.is_none() {
            spared = Some(match liveness {
                Liveness::Alive => "its owner is alive".to_owned(),
                _ => "its owner cannot be seen from here, and its time is not over".to_owned(),
            });
        }
        verdict
    };
    sort(
        found.containers,
        &mut judge,
        &mut stale.containers,
        &mut containers,
    );
    sort(found.volumes, &mut judge, &mut stale.volumes, &mut volumes);
    sort(
        found.networks,
        &mut judge,
        &mut stale.networks,
        &mut networks,
    );
    let reasons = containers
        .into_iter()
        .chain(volumes)
        .chain(networks)
        .collect();
    (stale, reasons, spared)
}

fn sort<Kind>(
    objects: Vec<Owned<Kind>>,
    judge: &mut impl FnMut(&Labels) -> Option<Reason>,
    stale: &mut Vec<Owned<Kind>>,
    reasons: &mut Vec<Reason>,
) {
    for object in objects {
        if let Some(reason) = judge(object.labels()) {
            stale.push(object);
            reasons.push(reason);
        }
    }
}

/// Whether an object that is not part of a kept cluster may go. A living owner is always heeded;
/// an owner that cannot be seen is heeded until the deadline. Without a deadline such an object
/// stays: unknown is not gone.
fn verdict(owner: Liveness, deadline_s: Option<u64>, now_s: u64) -> Option<Reason> {
    match owner {
        Liveness::Alive => None,
        Liveness::Gone => Some(Reason::OwnerGone),
        Liveness::Unknown => deadline_s
            .filter(|deadline| *deadline <= now_s)
            .map(|_| Reason::DeadlinePassed),
    }
}

fn names(found: &Found) -> Vec<String> {
    let Found {
        containers,
        networks,
        volumes,
    } = found;
    let mut names: Vec<_> = containers
        .iter()
        .map(|one| format!("container {}", one.name()))
        .collect();
    names.extend(volumes.iter().map(|one| format!("volume {}", one.name())));
    names.extend(networks.iter().map(|one| format!("network {}", one.name())));
    names
}

fn line((name, reason): (String, Reason)) -> String {
    format!("{name} ({reason})")
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::OwnerGone => "its owner is gone",
            Self::DeadlinePassed => "its time is over",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{Owner, RunLabels, Volume};

    #[test]
    fn the_living_and_the_unknown_are_spared() {
        assert_eq!(verdict(Liveness::Alive, Some(1), 2), None);
        assert_eq!(verdict(Liveness::Gone, Some(9), 2), Some(Reason::OwnerGone));
        assert_eq!(verdict(Liveness::Unknown, Some(9), 2), None);
        assert_eq!(
            verdict(Liveness::Unknown, Some(2), 2),
            Some(Reason::DeadlinePassed)
        );
        assert_eq!(verdict(Liveness::Unknown, None, 2), None);
    }

    fn volume(role: Role, owner: &str, deadline_s: u64) -> Owned<Volume> {
        let labels = RunLabels {
            run: "r".to_owned(),
            case: "c".to_owned(),
            deadline_s,
            owner: Owner::parse(owner).unwrap(),
        };
        let labels = labels.of("demo", None, role);
        Owned::new("v".to_owned(), "v".to_owned(), labels)
    }

    fn selected(volumes: Vec<Owned<Volume>>, now_s: u64) -> usize {
        select(
            Found {
                volumes,
                ..Found::default()
            },
            now_s,
        )
        .0
        .volumes
        .len()
    }

    #[test]
    fn a_kept_cluster_outlives_its_maker_until_its_deadline() {
        let here = Owner::this_process().to_string();
        // The same machine and boot, but a process that has long ended.
        let gone = here
            .split_once(':')
            .map(|(_, rest)| format!("4194304:{rest}"))
            .unwrap();
        let node = || volume(Role::ControlPlane, &gone, 50);
        let mark = || volume(Role::Keep, &gone, 50);
        assert_eq!(selected(vec![node()], 10), 1);
        assert_eq!(selected(vec![node(), mark()], 10), 0);
        assert_eq!(selected(vec![node(), mark()], 50), 2);
        assert_eq!(selected(vec![volume(Role::Worker, &here, 0)], 10), 0);
    }
}
