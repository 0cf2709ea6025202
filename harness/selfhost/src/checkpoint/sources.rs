//! The sources and their rhythm, and the machine's facts made of what they saw last.

use std::sync::Arc;
use std::time::Duration;

use pivot::checkpoint::{Facts, Known, Saved};
use terms::Component;
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::api::{Asker, NoVersion, Parent, Told};
use super::disk::{self, Found};
use super::places::Places;
use super::version::Version;
use crate::facts::{Instance, instances};

/// How often the API is asked, unless somebody waits for it.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often the node is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the container runtime may take to accept a connection.
const RUNTIME_DEADLINE: Duration = Duration::from_millis(500);

/// What is known of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The machine's facts.
    pub(super) facts: Facts,
    /// What a checkpoint of its present parent would consist of.
    pub(super) wanted: Option<Version>,
    /// Why there can be none, in words.
    pub(super) unfit: Option<String>,
}

/// What is known at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// The API was asked after this.
    pub(super) asked: Instant,
    /// The node was looked at after this.
    pub(super) looked: Instant,
    /// By component, in the order of [`Component::SELF_HOSTED`].
    pub(super) components: [Seen; 3],
    /// UIDs of the agent's own pods that the API says are bound here; `None` when it did not say.
    pub(super) agents: Option<Vec<String>>,
}

/// Looks at the node and asks the API, until it is dropped.
pub(super) struct Sources {
    sights: watch::Receiver<Option<Sight>>,
    wanted: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Sources {
    /// Starts looking.
    pub(super) fn start(mut asker: Asker, places: &Places) -> Self {
        let wanted = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let (tell, told) = watch::channel(None);
        let hurry = Arc::clone(&wanted);
        tasks.spawn(async move {
            let mut turns = interval(ASK_EVERY);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = turns.tick() => {}
                    () = hurry.notified() => {}
                }
                let since = Instant::now();
                tell.send_replace(Some((since, asker.ask().await)));
            }
        });
        let (show, sights) = watch::channel(None);
        let mut eye = Eye {
            places: places.clone(),
            parents: Parents::default(),
        };
        tasks.spawn(async move {
            let mut told = told;
            let mut turns = interval(LOOK_EVERY);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = turns.tick() => {}
                    changed = told.changed() => if changed.is_err() { return },
                }
                let news = told.borrow_and_update().clone();
                // Nothing is told before everything was asked once.
                if let Some((since, told)) = news {
                    show.send_replace(Some(eye.look(since, told).await));
                }
            }
        });
        Self {
            sights,
            wanted,
            _tasks: tasks,
        }
    }

    /// Waits for a sight that was not returned before.
    ///
    /// # Cancel safety
    /// Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Sight {
        loop {
            if self.sights.changed().await.is_err() {
                // The sources end only with their owner.
                std::future::pending::<()>().await;
            }
            if let Some(sight) = self.sights.borrow_and_update().clone() {
                return sight;
            }
        }
    }

    /// Somebody waits for facts that are newer than now.
    pub(super) fn hurry(&self) {
        self.wanted.notify_one();
    }
}

/// Looks at the node, and remembers which parents it has seen.
struct Eye {
    places: Places,
    parents: Parents,
}

/// For each component the last parent, and its number.
#[derive(Debug, Default)]
struct Parents([(Option<Identity>, u8); 3]);

/// What makes a parent another one: its UID, or the generation that a version of it would have.
type Identity = (String, Option<String>);

impl Parents {
    /// The number of the component's last parent, which changes when this one is another.
    fn number(&mut self, place: usize, parent: Option<&Parent>) -> u8 {
        let (known, number) = &mut self.0[place];
        let Some(parent) = parent else {
            return *number;
        };
        let generation = match &parent.version {
            Ok(version) => Some(version.generation.clone()),
            Err(NoVersion::Unfit(_)) => None,
            // What could not be read is not another than before.
            Err(NoVersion::Unread(_)) => known
                .as_ref()
                .filter(|(uid, _)| *uid == parent.uid)
                .and_then(|(_, generation)| generation.clone()),
        };
        let identity = Some((parent.uid.clone(), generation));
        if *known != identity {
            *known = identity;
            *number = number.wrapping_add(1);
        }
        *number
    }
}

impl Eye {
    /// Puts together what the node shows now and what the API told in a round that began at `asked`.
    async fn look(&mut self, asked: Instant, told: Told) -> Sight {
        let looked = Instant::now();
        let instances = self.instances().await;
        let mut components: [Seen; 3] = Default::default();
        for (place, component) in Component::SELF_HOSTED.into_iter().enumerate() {
            components[place] = self.seen(place, component, &told, instances.as_deref());
        }
        Sight {
            asked,
            looked,
            components,
            agents: told.parents.is_some().then_some(told.agents),
        }
    }

    /// The instances that run here; unknown when the runtime, which would know of others that are
    /// just being started, does not answer.
    async fn instances(&self) -> Option<Vec<Instance>> {
        let asked = timeout(RUNTIME_DEADLINE, UnixStream::connect(&self.places.runtime)).await;
        asked.ok()?.ok()?;
        instances(&self.places.processes)
    }

    fn seen(
        &mut self,
        place: usize,
        component: Component,
        told: &Told,
        instances: Option<&[Instance]>,
    ) -> Seen {
        let parent = told
            .parents
            .as_ref()
            .and_then(|parents| parents.get(&component));
        let version = parent.map(|parent| parent.version.clone());
        let (wanted, unfit) = match version {
            Some(Ok(version)) => (Some(version), None),
            Some(Err(why)) => (None, Some(why.to_string())),
            None => (None, None),
        };
        let number = self.parents.number(place, parent);
        let runs = |self_hosted: bool| {
            let those = |all: &[Instance]| {
                all.iter()
                    .any(|one| one.component == component && one.self_hosted == self_hosted)
            };
            instances.map_or(Known::Unknown, |all| Known::from(those(all)))
        };
        // A status may be a memory: the container that it tells of must be the one that runs.
        let is_proven = parent.is_some_and(|parent| {
            let of_parent = |one: &&Instance| one.component == component && one.self_hosted;
            instances
                .into_iter()
                .flatten()
                .filter(of_parent)
                .any(|one| parent.containers.iter().any(|id| one.groups.contains(id)))
        });
        let (saved, newest) = self.saved(component);
        let facts = Facts {
            api: told.api,
            bound: match &told.parents {
                None => Known::Unknown,
                Some(parents) => Known::from(parents.contains_key(&component)),
            },
            parent_ready: is_proven && parent.is_some_and(|parent| parent.ready),
            parent: number,
            parent_runs: runs(true),
            copy_runs: runs(false),
            led: match component {
                Component::KubeApiserver => Known::Yes,
                _ if told.api => told.leadership.is_led(component.name()),
                _ => told.leadership.is_led_in_silence(),
            },
            current: newest.is_some()
                && newest == wanted.as_ref().map(|version| version.generation.clone()),
            saved,
            active: self.places.active(component).exists(),
        };
        Seen {
            facts,
            wanted,
            unfit,
        }
    }

    /// What is on the disk, and the generation of the newest complete version.
    fn saved(&self, component: Component) -> (Saved, Option<String>) {
        // A disk that cannot be read holds nothing that could be started.
        let versions = disk::versions(&self.places, component).unwrap_or_default();
        let newest = versions.iter().find(|found: &&Found| found.complete);
        match newest {
            Some(found) => (Saved::Complete, Some(found.generation.clone())),
            None if versions.is_empty() => (Saved::Nothing, None),
            None => (Saved::Torn, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn parent(uid: &str, version: Result<&str, NoVersion>) -> Parent {
        let version = version.map(|generation| Version {
            generation: generation.to_owned(),
            files: BTreeMap::new(),
            user: None,
        });
        Parent {
            uid: uid.to_owned(),
            ready: true,
            containers: Vec::new(),
            version,
        }
    }

    #[test]
    fn a_parent_that_could_not_be_read_for_a_moment_is_the_same() {
        let unread = || Err(NoVersion::Unread("a connection that ended".to_owned()));
        let unfit = || Err(NoVersion::Unfit("an init container".to_owned()));
        let mut parents = Parents::default();
        let mut number = |uid, version| parents.number(0, Some(&parent(uid, version)));
        assert_eq!(number("a", Ok("1")), 1);
        assert_eq!(number("a", unread()), 1);
        assert_eq!(number("a", Ok("1")), 1);
        assert_eq!(number("a", Ok("2")), 2, "made of something else");
        assert_eq!(number("a", unfit()), 3);
        assert_eq!(number("b", unread()), 4, "another pod");
        assert_eq!(number("b", Ok("2")), 5, "what was not known is another");
    }
}
