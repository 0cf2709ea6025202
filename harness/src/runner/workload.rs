//! A user's workload on the workers, left running from the first time that a case settles, so that what comes
//! then is judged by it too.

use std::time::Duration;

use oracle::observation::Answering;
use tokio::time::timeout;

use super::timeline::Timeline;
use crate::stream::Picture;

/// How long observers may take until they see it: rules of Services take a moment to arrive.
const SEEN_WITHIN: Duration = Duration::from_secs(15);

impl Timeline<'_> {
    /// Leaves the workload, if there are workers and something comes behind this entry. Without it the case goes
    /// on, and what it would have shown is reported as not judged.
    pub(super) async fn leave_workload(&mut self, index: u32) {
        let workers = self.case.cluster.workers;
        let is_last = index as usize + 1 >= self.case.timeline.len();
        if self.has_workload || is_last || workers == 0 {
            return;
        }
        self.has_workload = true;
        self.console.waiting_for(&self.case.id, "a user's workload");
        if let Err(why) = self.settler.claims.leave_workload().await {
            let id = &self.case.id;
            self.console.note(&format!(
                "{id}: no workload of a user's was left running: {why}"
            ));
            return;
        }
        let mut picture = self.stream.picture();
        let seen = picture.wait_for(|now| answering(now) >= workers as usize);
        // What is not seen by then is not judged: the oracle says so.
        let _ = timeout(SEEN_WITHIN, seen).await;
    }
}

/// On how many nodes the workload's Service answers.
fn answering(picture: &Picture) -> usize {
    let workloads = picture.inventories.values();
    workloads
        .filter_map(|seen| seen.value.workload.as_ref())
        .filter(|workload| workload.service == Answering::Answers)
        .count()
}
