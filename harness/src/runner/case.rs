//! One case, from its empty folder to its verdict.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oracle::observation::{CaseClosed, Cause, OperationEnd, Trouble};
use oracle::{Sighting, Verdict};
use reports::{CaseRecord, CaseReport};
use scenarios::{Case, Installer};
use terms::NodeId;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::listeners::ToConsole;
use super::timeline::{Timeline, chain, trouble};
use super::{closing, replayed, settle, simulated, timeline, usual};
use crate::claims::Claims;
use crate::cluster::{Cluster, ClusterSpec};
use crate::console::Console;
use crate::docker::{Engine, Owner, Role, RunLabels};
use crate::evidence::run_directory::{RunDirectory, write_whole};
use crate::evidence::{CaseClock, Recorder, collect};
use crate::faults::Injector;
use crate::installer::{Access, Escrow, STEPS, Selfhost, checkpoint_agent, recovery};
use crate::probes::{APISERVER_PORT, CredentialProbe, Identity, Probes, Subject};
use crate::stream::{Dispatcher, Stream};

/// No case lives longer; `reap` may remove what is older.
const LIFETIME: Duration = Duration::from_secs(2 * 3600);
/// The name that serving certificates bear, whichever address they are reached at.
const APISERVER_NAME: &str = "kubernetes.default.svc";
const ETCD_NAME: &str = "localhost";

/// Real clusters in containers.
#[derive(Clone)]
pub struct Containers {
    /// The container engine.
    pub engine: Engine,
    /// The node image.
    pub image: String,
}

/// What cases run on.
#[derive(Clone)]
pub enum Backend {
    /// Real clusters in containers.
    Docker(Containers),
    /// The simulator, in virtual time.
    Simulator,
}

/// What all cases of a run share.
#[derive(Clone)]
pub struct CaseContext {
    /// What cases run on.
    pub backend: Backend,
    /// The run's seed.
    pub seed: u64,
    /// The run's name, as labels bear it.
    pub run: String,
    /// Where everything is written.
    pub directory: Arc<RunDirectory>,
    /// Where people look.
    pub console: Arc<Console>,
    /// Interrupts the run.
    pub cancel: CancellationToken,
    /// Whether the cluster of a case that did not pass is left standing.
    pub keep_on_failure: bool,
}

/// Runs a case to its verdict, and writes `case.json`, `events.ndjson`, `verdict.json` and evidence.
/// Everything that was made is removed, unless it is kept for looking into.
///
/// # Errors
/// When the case's folder cannot be written at all.
pub async fn run_case(
    context: &CaseContext,
    case: &Case,
    number: usize,
) -> Result<CaseReport, String> {
    let mut record = crate::evidence::planned_case::record_of(case);
    if let Backend::Simulator = context.backend {
        // The start of virtual time: the record of a simulated case is the same whenever it is made.
        record.started_at = jiff::Timestamp::UNIX_EPOCH.to_string();
        let repro = crate::evidence::planned_case::repro(&case.file, &case.id, Some(context.seed));
        record.repro = format!("{repro} --on sim");
    } else {
        record.started_at = jiff::Timestamp::now().to_string();
    }
    let folder = context
        .directory
        .make_case(&case.id)
        .map_err(|error| chain(&error))?;
    write_record(context, &record)?;
    context.console.case_started(&case.id);
    let verdict = match &context.backend {
        Backend::Docker(containers) => {
            let begun = Instant::now();
            let runner = Runner {
                context,
                containers,
                case,
                folder,
                number,
            };
            let cluster = runner.record().await?;
            let verdict = judge(context, case);
            let keep = context.keep_on_failure
                && verdict.result != oracle::CaseResult::Passed
                && !context.cancel.is_cancelled();
            if let Some(cluster) = cluster {
                runner.put_away(cluster, keep).await;
            }
            record.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            verdict
        }
        Backend::Simulator => {
            record.took_ms = simulated::record(context, case).await?;
            judge(context, case)
        }
    };
    write_record(context, &record)?;
    let text = serde_json::to_string_pretty(&verdict).map_err(|error| error.to_string())?;
    write_whole(&context.directory.verdict(&case.id), &text).map_err(|error| chain(&error))?;
    context
        .console
        .case_finished(&case.id, &verdict, record.took_ms);
    let evidence = context.directory.case(&case.id).display().to_string();
    Ok(CaseReport {
        record,
        verdict,
        evidence,
    })
}

fn write_record(context: &CaseContext, record: &CaseRecord) -> Result<(), String> {
    let text = serde_json::to_string_pretty(record).map_err(|error| error.to_string())?;
    write_whole(&context.directory.case_record(&record.id), &text).map_err(|error| chain(&error))
}

/// The verdict is always judged from the file, never from what was found live.
fn judge(context: &CaseContext, case: &Case) -> Verdict {
    crate::evidence::judge_events(&context.directory.events(&case.id), &case.id, &case.expect)
}

struct Runner<'a> {
    context: &'a CaseContext,
    containers: &'a Containers,
    case: &'a Case,
    folder: PathBuf,
    number: usize,
}

impl Runner<'_> {
    /// Brings the cluster up, plays, and closes the record. Returns the cluster, if there is one.
    async fn record(&self) -> Result<Option<Cluster>, String> {
        let clock = CaseClock::start();
        let events = self.context.directory.events(&self.case.id);
        let recorder = Recorder::create(&events)
            .map_err(|error| format!("cannot begin {}: {error}", events.display()))?;
        let listener = ToConsole::of(self.context, self.case);
        let (dispatcher, stream) = Dispatcher::start(clock, recorder, listener);
        stream
            .runner(Sighting::CaseOpened(self.case.opened()))
            .await;
        let probes = Probes::start(&stream, self.folder.clone());
        let (cluster, end, trouble) = self.act(&stream, &probes).await;
        probes.stop().await;
        if !self.context.cancel.is_cancelled() {
            stream
                .runner(Sighting::CaseClosed(CaseClosed { end, trouble }))
                .await;
        }
        drop(stream);
        if let Err(reason) = dispatcher.close().await {
            self.context.console.note(&format!(
                "{}: recording is incomplete: {reason}",
                self.case.id
            ));
        }
        Ok(cluster)
    }

    /// Everything between the first and the last line of the record.
    async fn act(
        &self,
        stream: &Stream,
        probes: &Probes,
    ) -> (Option<Cluster>, String, Option<Trouble>) {
        let console = &self.context.console;
        console.phase(&self.case.id, "cluster up", Some(usual::CLUSTER_UP_MS));
        let cluster = match self.bring_up().await {
            Ok(cluster) => cluster,
            Err(error) => {
                return (
                    None,
                    "none".to_owned(),
                    Some(trouble(Cause::Environment, chain(error.as_ref()))),
                );
            }
        };
        let Installer::Selfhost(selfhost) = &self.case.installer;
        let installer = Selfhost {
            policy: selfhost.policy.clone(),
            agent: selfhost.agent.clone(),
            switches: selfhost.switches.clone(),
        };
        console.phase(&self.case.id, "prepare", Some(usual::PREPARE_MS));
        let cancel = &self.context.cancel;
        let played = tokio::select! {
            played = self.play(stream, probes, &cluster, &installer) => played,
            () = cancel.cancelled() => (None, Some(trouble(Cause::Harness, "interrupted"))),
        };
        let (end, mut trouble) = played;
        if !cancel.is_cancelled() {
            console.phase(&self.case.id, "evidence", Some(usual::EVIDENCE_MS));
            let evidence = self.context.directory.evidence(&self.case.id);
            collect::collect(&cluster, &evidence).await;
            if let Err(reason) = replayed::check(&evidence, self.case) {
                trouble.get_or_insert(timeline::trouble(Cause::Harness, reason));
            }
        }
        (Some(cluster), end_word(end), trouble)
    }

    async fn bring_up(&self) -> Result<Cluster, Box<dyn std::error::Error + Send + Sync>> {
        let name = format!("chrysalis-{}-{}", self.context.run, self.number);
        let case = &self.case.cluster;
        let spec = ClusterSpec::new(
            &name,
            case.control_plane,
            case.workers,
            &self.containers.image,
            &case.kubernetes,
        )?;
        let progress = |event: crate::cluster::UpEvent| {
            self.context
                .console
                .waiting_for(&self.case.id, event.to_string().trim());
        };
        let labels = self.labels();
        let up = Cluster::up(
            &self.containers.engine,
            &spec,
            &labels,
            &progress,
            &self.context.cancel,
        );
        Ok(up.await?.cluster)
    }

    fn labels(&self) -> RunLabels {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        RunLabels {
            run: self.context.run.clone(),
            case: crate::evidence::folder_name::folder_name(&self.case.id),
            deadline_s: (now + LIFETIME).as_secs(),
            owner: Owner::this_process(),
        }
    }

    async fn play(
        &self,
        stream: &Stream,
        probes: &Probes,
        cluster: &Cluster,
        installer: &Selfhost,
    ) -> (Option<OperationEnd>, Option<Trouble>) {
        let access = match installer
            .prepare(cluster, &self.case.cluster.kubernetes)
            .await
        {
            Ok(access) => access,
            Err(error) => return (None, Some(trouble(Cause::Environment, chain(&error)))),
        };
        let subject = match subject(cluster, &access, &self.folder) {
            Ok(subject) => subject,
            Err(error) => return (None, Some(trouble(Cause::Harness, chain(&error)))),
        };
        probes.watch_cluster(stream, &subject);
        for node in cluster.nodes() {
            let mut steps = Vec::new();
            if node.name() == "cp-1" {
                steps.push(STEPS);
            }
            if node.role() == Role::ControlPlane {
                steps.extend([checkpoint_agent::STEPS, recovery::STEPS]);
            }
            probes.watch_node(stream, node.clone(), steps);
        }
        let target = (subject.load_balancer, APISERVER_PORT).into();
        let credentials = Arc::new(Mutex::new(CredentialProbe::new(
            target,
            subject.identity.clone(),
        )));
        probes.keep_token(Arc::clone(&credentials));
        let mut timeline = self.timeline(stream, cluster, installer, &access);
        let result = timeline.play().await;
        // An operation that goes on is watched no longer.
        timeline.open = None;
        let off = timeline.injector.out_of_service();
        let living: Vec<NodeId> = self
            .case
            .cluster
            .nodes()
            .into_iter()
            .filter(|node| !off.contains(node))
            .collect();
        closing::inventories(stream, &living).await;
        closing::read_back(stream, target, &subject.identity).await;
        closing::credentials(stream, &*credentials.lock().await).await;
        (timeline.last_end, result.err())
    }

    fn timeline<'a>(
        &'a self,
        stream: &Stream,
        cluster: &'a Cluster,
        installer: &'a Selfhost,
        access: &Access,
    ) -> Timeline<'a> {
        Timeline {
            case: self.case,
            cluster,
            installer,
            stream: stream.clone(),
            console: Arc::clone(&self.context.console),
            injector: Injector::new(
                cluster.clone(),
                stream.clone(),
                access.kubeconfig.clone(),
                self.case.seed,
            ),
            settler: settle::Settler {
                case: self.case.id.clone(),
                stream: stream.clone(),
                nodes: self.case.cluster.nodes(),
                claims: Claims::new(access.kubeconfig.clone()),
            },
            open: None,
            escrow: Escrow(access.escrow.clone()),
            snapshot: None,
            last_end: None,
            unreleased: Vec::new(),
            has_workload: false,
        }
    }

    async fn put_away(&self, cluster: Cluster, keep: bool) {
        let console = &self.context.console;
        if keep {
            let name = cluster.topology().name.clone();
            if let Err(error) = cluster.keep(&self.labels()).await {
                console.note(&format!(
                    "the cluster is left standing, but could not be marked: {}",
                    chain(&error)
                ));
            }
            console.note(&format!(
                "left standing: {name}; look inside with `chrysalis cluster exec {name} cp-1 -- bash`, remove it with `chrysalis cluster down {name}`"
            ));
            return;
        }
        if let Err(error) = cluster.down().await {
            console.note(&format!(
                "not everything was removed, `chrysalis reap` will: {}",
                chain(&error)
            ));
        }
    }
}

fn end_word(end: Option<OperationEnd>) -> String {
    end.map_or(oracle::END_WHEN_PROVEN, OperationEnd::name)
        .to_owned()
}

/// What the probes look at, and as whom.
fn subject(
    cluster: &Cluster,
    access: &Access,
    folder: &std::path::Path,
) -> Result<Subject, crate::probes::IdentityError> {
    let control_planes: Vec<_> = cluster
        .nodes()
        .iter()
        .map(|node| (NodeId::new(node.name()), node.address()))
        .filter(|(node, _)| node.is_control_plane())
        .collect();
    let [authority, certificate, key] = &access.etcd;
    Ok(Subject {
        bootstrap: control_planes[0].clone(),
        control_planes,
        load_balancer: cluster.load_balancer().address(),
        identity: Identity::from_kubeconfig(&access.observer_kubeconfig, APISERVER_NAME)?,
        etcd_identity: Identity::from_pem(authority, certificate, key, ETCD_NAME)?,
        disk: folder.to_owned(),
    })
}
