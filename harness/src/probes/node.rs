//! A node from inside, through the observer that runs in it, and the installer's steps.
//!
//! When the node loses its power the stream breaks: the gap is recorded, and the observer is
//! started again as soon as the node is back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use observer::line::{Line, Seen};
use oracle::observation::{Gap, Step};
use oracle::{Sighting, Source};
use terms::{Actor, Moment, NodeId, StepEvent, StepName};
use tokio::time::sleep;

use crate::claims::workload;
use crate::cluster::Node;
use crate::docker::{LineSource, Role};
use crate::evidence::Sample;
use crate::stream::Stream;

/// Where the observer lies in a node.
pub(crate) const OBSERVER: &str = "/usr/local/bin/chrysalis-observer";
/// The pause before a broken stream is taken up again.
const PAUSE: Duration = Duration::from_millis(250);

/// What only a bootstrap or a recovery needs, as the reference installer lays it out.
const BOOTSTRAP_PATHS: [&str; 3] = [
    "/etc/kubernetes/bootstrap-secrets",
    "/var/lib/selfhost/assets",
    "/var/lib/selfhost/stash",
];

/// Watches a node, and passes on what is written into these step streams on it.
pub(super) async fn watch(stream: Stream, node: Node, steps: Vec<&'static str>) {
    let source = Source::Node(NodeId::new(node.name()));
    let mut reader = Reader {
        stream,
        source,
        told_steps: BTreeSet::new(),
        occurrences: BTreeMap::new(),
    };
    loop {
        let since_us = reader.stream.clock.now_us();
        let reason = reader.follow(&node, &steps).await;
        let gap = Gap {
            since_us: reader.stream.clock.now_us(),
            reason,
        };
        reader
            .stream
            .saw(reader.source.clone(), since_us, Sighting::Gap(gap))
            .await;
        while !node.is_running().await.unwrap_or(false) {
            sleep(PAUSE).await;
        }
        sleep(PAUSE).await;
    }
}

struct Reader {
    stream: Stream,
    source: Source,
    /// Steps that were told on: who announced which, and when.
    told_steps: BTreeSet<(Actor, u64, StepName, Moment)>,
    occurrences: BTreeMap<(Actor, StepName, Moment), u32>,
}

impl Reader {
    /// Follows the observer until its stream ends; says why.
    async fn follow(&mut self, node: &Node, steps: &[&str]) -> String {
        let mut command = vec![OBSERVER.to_owned()];
        for path in BOOTSTRAP_PATHS {
            command.extend(["--bootstrap-path".to_owned(), path.to_owned()]);
        }
        command.extend(
            steps
                .iter()
                .flat_map(|path| ["--steps".to_owned(), (*path).to_owned()]),
        );
        if node.role() == Role::Worker {
            command.extend(["--workload".to_owned(), workload::NAMESPACE.to_owned()]);
            command.push(workload::service_address());
        }
        let mut lines = match node.exec_lines(command).await {
            Ok(lines) => lines,
            Err(error) => return error.to_string(),
        };
        let mut complaint = String::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) if line.source == LineSource::Stderr => complaint = line.text,
                Ok(Some(line)) => self.take(&line.text).await,
                Ok(None) => return format!("the observer's stream ended {complaint}"),
                Err(error) => return error.to_string(),
            }
        }
    }

    async fn take(&mut self, text: &str) {
        let Ok(Line {
            start_us,
            end_us,
            saw,
        }) = serde_json::from_str::<Line>(text)
        else {
            let reason = format!("the observer wrote a line that cannot be read: {text}");
            let gap = Gap {
                since_us: self.stream.clock.now_us(),
                reason,
            };
            self.stream
                .saw(self.source.clone(), gap.since_us, Sighting::Gap(gap))
                .await;
            return;
        };
        let clock = self.stream.clock;
        match saw {
            Seen::Inventory(inventory) => {
                self.stream
                    .put(Sample {
                        source: self.source.clone(),
                        start_us: clock.from_boot_us(start_us),
                        end_us: clock.from_boot_us(end_us),
                        saw: Sighting::NodeInventory(inventory),
                    })
                    .await;
            }
            Seen::Step(line) => self.step(&line).await,
        }
    }

    async fn step(&mut self, line: &str) {
        let event: StepEvent = match serde_json::from_str(line) {
            Ok(event) => event,
            Err(error) => {
                let reason =
                    format!("the installer wrote a step that cannot be read ({error}): {line}");
                let gap = Gap {
                    since_us: self.stream.clock.now_us(),
                    reason,
                };
                self.stream
                    .saw(Source::Steps, gap.since_us, Sighting::Gap(gap))
                    .await;
                return;
            }
        };
        // A restarted observer repeats each file from its beginning, and a node that lost its disk begins a new one.
        let address = (event.actor.clone(), event.step.clone(), event.moment);
        let (actor, step, moment) = address.clone();
        if !self.told_steps.insert((actor, event.boot_us, step, moment)) {
            return;
        }
        let occurrence = self.occurrences.entry(address).or_default();
        *occurrence += 1;
        let at_us = self.stream.clock.from_boot_us(event.boot_us);
        let step = Step {
            actor: event.actor,
            step: event.step,
            moment: event.moment,
            occurrence: *occurrence,
            held: event.held,
            reason: event.reason,
        };
        let sample = Sample {
            source: Source::Steps,
            start_us: at_us,
            end_us: at_us,
            saw: Sighting::Step(step),
        };
        self.stream.put(sample).await;
    }
}
