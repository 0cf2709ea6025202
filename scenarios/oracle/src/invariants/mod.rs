//! The invariants that this version judges, one file each, as small automata.

pub(crate) mod acknowledged_writes_survive;
pub(crate) mod checkpoints_are_complete;
pub(crate) mod checkpoints_armed_before_teardown;
pub(crate) mod checkpoints_need_no_api;
pub(crate) mod checkpoints_outlive_ignorance;
pub(crate) mod decisions_use_fresh_facts;
pub(crate) mod failure_holds;
pub(crate) mod foreign_cluster_refused;
pub(crate) mod guard_holds_at_teardown;
pub(crate) mod handover_is_bounded;
pub(crate) mod identities_continue;
pub(crate) mod last_known_good;
pub(crate) mod no_credentials_left;
pub(crate) mod nothing_runs_on_deleted_files;
pub(crate) mod one_checkpoint_agent;
pub(crate) mod one_etcd_cluster;
pub(crate) mod one_operator_at_a_time;
pub(crate) mod revisions_never_go_back;
pub(crate) mod running_again_converges;
pub(crate) mod somebody_can_start_an_apiserver;

pub(crate) mod a_new_leader_acts;
pub(crate) mod bootstrap_completes;
pub(crate) mod control_plane_returns;
pub(crate) mod lost_instance_returns;
pub(crate) mod node_loss_is_survived;
pub(crate) mod pivot_keeps_the_api_writable;
pub(crate) mod recovery_from_snapshot;
pub(crate) mod workloads_keep_running;

pub(crate) mod loss;
mod outage;
mod parents;
mod sight;
mod teardown;
pub(crate) mod write_gap;

use crate::observation::Observation;
use crate::verdict::{Finding, Judgement, Witness};
use crate::view::View;

/// An automaton that judges one invariant. It sees every observation once, in the order of judging,
/// and keeps no more than it needs. It draws no chance and reads no clock.
pub trait Invariant: Send {
    /// Takes in the next observation; `view` already includes it.
    fn observe(&mut self, view: &View, seen: &Observation);

    /// The first violation so far, if any. Once there, it stays.
    fn finding(&self) -> Option<&Finding>;

    /// What is to be said after the last observation, given that nothing was violated.
    fn otherwise(&self, view: &View) -> Judgement;

    /// What is to be said after the last observation.
    fn judgement(&self, view: &View) -> Judgement {
        match self.finding() {
            Some(finding) => Judgement::Violated(finding.clone()),
            None => self.otherwise(view),
        }
    }
}

/// How many samples an invariant about samples needs before it may say that it held.
pub(crate) const LEAST_SAMPLES: u64 = 20;

/// A finding has at most this many witnesses.
const WITNESSES_MAX: usize = 8;

/// A finding, with its witnesses oldest first.
fn finding(what: String, at_us: u64, mut witness: Vec<Witness>) -> Finding {
    witness.sort_by(|a, b| (a.at_us, &a.source).cmp(&(b.at_us, &b.source)));
    witness.dedup();
    witness.truncate(WITNESSES_MAX);
    Finding {
        what,
        at_us,
        witness,
    }
}

fn unknown(what: impl Into<String>) -> Judgement {
    Judgement::Unknown(what.into())
}

fn not_judged(why: impl Into<String>) -> Judgement {
    Judgement::NotJudged(why.into())
}

/// Names in a sentence.
fn names<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<_> = all.into_iter().map(|one| one.to_string()).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}
