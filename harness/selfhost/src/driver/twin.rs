//! A cluster in memory, in which everything works at once unless it is told otherwise.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pivot::{
    ApiserverFact, AssetGroup, ComponentSet, Facts, LeaseFact, NodeSet, Outcome, PodFact, PodPhase,
    StaleFact, Task,
};
use terms::{Component, Incarnation};
use tokio_util::sync::CancellationToken;

use crate::facts::FactSource;
use crate::tasks::{Answer, Tasks};

/// A world of three control-plane nodes and a worker, in which everything works at once.
#[derive(Default)]
pub(super) struct World {
    pub(super) secrets: bool,
    pub(super) placed: u8,
    pub(super) labelled: NodeSet,
    /// Whether it is recovered, and not bootstrapped.
    pub(super) recovers: bool,
    /// What the API remembers of nodes that are gone.
    pub(super) stale: StaleFact,
    pub(super) applied: bool,
    pub(super) performed: Vec<Task>,
    /// Tasks that are to be answered like this.
    pub(super) answers: Vec<(Task, Outcome)>,
    /// The world ends the process after this many tasks.
    pub(super) kill_after: Option<usize>,
}

#[derive(Clone, Default)]
pub(super) struct Twin(pub(super) Arc<Mutex<World>>, pub(super) CancellationToken);

impl Tasks for Twin {
    async fn perform(&self, task: Task) -> Answer {
        let (outcome, killed) = {
            let mut world = self.0.lock().unwrap();
            world.performed.push(task);
            let outcome = world.perform(task);
            (
                outcome,
                world
                    .kill_after
                    .is_some_and(|after| world.performed.len() >= after),
            )
        };
        if killed {
            self.1.cancel();
            std::future::pending::<()>().await;
        }
        Answer {
            outcome,
            detail: None,
        }
    }
}

impl World {
    fn perform(&mut self, task: Task) -> Outcome {
        if let Some(at) = self.answers.iter().position(|(asked, _)| *asked == task) {
            return self.answers.remove(at).1;
        }
        match task {
            Task::StageSecrets => self.secrets = true,
            Task::StashSecrets | Task::DeleteSecrets => self.secrets = false,
            Task::PlaceManifest(component) => self.placed |= ComponentSet::bit(component),
            Task::StashManifest(component) | Task::DeleteManifest(component) => {
                self.placed &= !ComponentSet::bit(component);
            }
            Task::LabelNode(node) => self.labelled = self.labelled.with(node),
            Task::PurgeStale => self.stale = StaleFact::default(),
            Task::Apply(AssetGroup::ControlPlane) => self.applied = true,
            _ => {}
        }
        Outcome::Done
    }

    fn facts(&self) -> Facts {
        let all = NodeSet::first(3);
        let bootstrap = self.placed & 1 != 0;
        let mut pods = [None; Facts::MOST_PODS];
        let wanted = Component::SELF_HOSTED.into_iter().flat_map(|component| {
            (0..3).map(move |node| PodFact {
                claims: Some(component),
                looks_like: Some(component),
                node: Some(node),
                incarnation: Incarnation::SelfHosted,
                phase: PodPhase::Running,
                ready: true,
                fresh: true,
            })
        });
        if self.applied {
            for (place, pod) in pods.iter_mut().zip(wanted) {
                *place = Some(pod);
            }
        }
        Facts {
            control_planes: 3,
            nodes: 4,
            etcd: all,
            registered: NodeSet::first(4),
            ready: NodeSet::first(4),
            labelled: self.labelled,
            apiservers: ApiserverFact {
                bootstrap: if bootstrap {
                    NodeSet::first(1)
                } else {
                    NodeSet::default()
                },
                self_hosted: if self.applied {
                    all
                } else {
                    NodeSet::default()
                },
                load_balancer: bootstrap || self.applied,
                bootstrap_unlisted: !bootstrap,
                listed: if self.applied {
                    all
                } else {
                    NodeSet::default()
                },
            },
            leases: [LeaseFact { age_ds: 5 }; 2],
            bootstrap_running: self.placed,
            armed: [if self.applied {
                all
            } else {
                NodeSet::default()
            }; 3],
            pods_known: true,
            stale: Some(self.stale),
            pods,
        }
    }
}

impl FactSource for Twin {
    async fn next(&mut self) -> Facts {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.0.lock().unwrap().facts()
    }
}
