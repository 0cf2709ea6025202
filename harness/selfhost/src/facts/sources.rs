//! The sources and their rhythm.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pivot::Facts;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::agents::armed;
use super::api;
use super::lease_age::LeaseAges;
use super::load_balancer::{STATISTICS_PORT, listed};
use super::processes::bootstrap_running;
use super::snapshot::Knowledge;
use super::stale::Stale;
use crate::assets::{Assets, BOOTSTRAP_PORT, ETCD_PORT, SELF_HOSTED_PORT};
use crate::clients::Clients;

/// How often each source asks.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How often a snapshot is taken.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(100);

/// Something that tells the driver what is known. A driver that is late sees the newest only.
pub(crate) trait FactSource {
    /// Waits for facts that were not returned before.
    ///
    /// # Cancel safety
    /// Nothing is lost when the wait is given up.
    fn next(&mut self) -> impl Future<Output = Facts> + Send;
}

/// Asks the real cluster until it is dropped.
pub(crate) struct Poller {
    facts: watch::Receiver<Option<Facts>>,
    knowledge: Arc<Knowledge>,
    _sources: JoinSet<()>,
}

/// Tells by name what the facts only count.
#[derive(Clone)]
pub(crate) struct StaleNodes(Arc<Knowledge>);

impl StaleNodes {
    /// What is stale now; `None` while that is not known.
    pub(crate) fn now(&self) -> Option<Stale> {
        self.0.stale()
    }
}

impl Poller {
    /// Starts asking.
    pub(crate) fn start(assets: &Arc<Assets>, clients: &Clients) -> Self {
        let knowledge = Arc::new(Knowledge::of(assets.control_planes));
        let mut sources = JoinSet::new();
        watch_members(&mut sources, assets, &knowledge, clients);
        watch_load_balancer(&mut sources, assets, &knowledge);
        watch_api(&mut sources, &knowledge, clients);
        let known = Arc::clone(&knowledge);
        sources.spawn(every(ASK_EVERY, move || {
            known.running.set(bootstrap_running(Path::new("/proc")));
            std::future::ready(())
        }));
        let (sender, facts) = watch::channel(None);
        let (assets, known) = (Arc::clone(assets), Arc::clone(&knowledge));
        sources.spawn(every(SNAPSHOT_EVERY, move || {
            sender.send_replace(Some(known.facts(&assets)));
            std::future::ready(())
        }));
        Self {
            facts,
            knowledge,
            _sources: sources,
        }
    }
}

impl Poller {
    /// What is stale, by name.
    pub(crate) fn stale_nodes(&self) -> StaleNodes {
        StaleNodes(Arc::clone(&self.knowledge))
    }

    /// The newest facts, for whoever needs to look once.
    pub(crate) fn newest(&self) -> watch::Receiver<Option<Facts>> {
        self.facts.clone()
    }
}

impl FactSource for Poller {
    async fn next(&mut self) -> Facts {
        loop {
            if self.facts.changed().await.is_err() {
                // The sources end only with the poller.
                std::future::pending::<()>().await;
            }
            if let Some(facts) = *self.facts.borrow_and_update() {
                return facts;
            }
        }
    }
}

fn watch_members(
    sources: &mut JoinSet<()>,
    assets: &Arc<Assets>,
    knowledge: &Arc<Knowledge>,
    clients: &Clients,
) {
    for index in 0..assets.control_planes {
        let (asked, known) = (Arc::clone(assets), Arc::clone(knowledge));
        sources.spawn(every(ASK_EVERY, move || {
            let (asked, known) = (Arc::clone(&asked), Arc::clone(&known));
            async move {
                let address = asked.machines[index].port(ETCD_PORT);
                known.etcd[index].set(etcd_health(&asked, address).await);
            }
        }));
        for (place, port) in [SELF_HOSTED_PORT, BOOTSTRAP_PORT].into_iter().enumerate() {
            let (asked, known) = (Arc::clone(assets), Arc::clone(knowledge));
            let clients = clients.clone();
            sources.spawn(every(ASK_EVERY, move || {
                let (asked, known) = (Arc::clone(&asked), Arc::clone(&known));
                let clients = clients.clone();
                async move {
                    let address = asked.machines[index].port(port);
                    let reply = asked.apiservers.get(address, "/readyz").await.ok();
                    let ready = reply
                        .filter(|reply| reply.status == 200)
                        .map(|reply| reply.peer);
                    if index == 0 && port == BOOTSTRAP_PORT {
                        clients.bootstrap_serves(ready.is_some());
                    }
                    known.serving[index][place].set(Some(ready));
                }
            }));
        }
    }
}

fn watch_load_balancer(
    sources: &mut JoinSet<()>,
    assets: &Arc<Assets>,
    knowledge: &Arc<Knowledge>,
) {
    let (asked, known) = (Arc::clone(assets), Arc::clone(knowledge));
    sources.spawn(every(ASK_EVERY, move || {
        let (asked, known) = (Arc::clone(&asked), Arc::clone(&known));
        async move {
            let address = SocketAddr::from((asked.load_balancer, SELF_HOSTED_PORT));
            let reply = asked.apiservers.get(address, "/readyz").await;
            known
                .load_balancer
                .set(Some(reply.is_ok_and(|reply| reply.status == 200)));
        }
    }));
    let (asked, known) = (Arc::clone(assets), Arc::clone(knowledge));
    sources.spawn(every(ASK_EVERY, move || {
        let (asked, known) = (Arc::clone(&asked), Arc::clone(&known));
        async move {
            let address = SocketAddr::from((asked.load_balancer, STATISTICS_PORT));
            known.listed.set(listed(address).await);
        }
    }));
}

fn watch_api(sources: &mut JoinSet<()>, knowledge: &Arc<Knowledge>, clients: &Clients) {
    let (known, clients) = (Arc::clone(knowledge), clients.clone());
    sources.spawn(async move {
        let (mut node_leases, mut locks) = (LeaseAges::default(), LeaseAges::default());
        let mut turn = rhythm(ASK_EVERY);
        loop {
            turn.tick().await;
            let round = api::ask(&clients.current()).await;
            known.nodes.set(round.nodes);
            known.pods.set(round.pods);
            if round.node_leases.is_none() {
                node_leases.interrupted();
            }
            known.node_leases.set(round.node_leases.map(|leases| {
                node_leases.observe(&leases);
                node_leases.clone()
            }));
            known.agents.set(round.locks.as_deref().map(armed));
            known.locks.set(round.locks.map(|leases| {
                locks.observe(&leases);
                locks.clone()
            }));
        }
    });
}

async fn etcd_health(assets: &Assets, address: SocketAddr) -> Option<bool> {
    let reply = assets.etcd.get(address, "/health").await.ok()?;
    let health: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    Some(reply.status == 200 && health.get("health")?.as_str()? == "true")
}

/// Does something in a steady rhythm, one after another, for ever.
async fn every<F: Future<Output = ()>>(period: Duration, mut turn: impl FnMut() -> F) {
    let mut ticks = rhythm(period);
    loop {
        ticks.tick().await;
        turn().await;
    }
}

fn rhythm(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
