//! selfhost: the reference installer of a self-hosted Kubernetes control plane.

mod cluster_file;
mod render;

mod assets;
mod checkpoint;
mod claims;
mod clients;
mod control;
mod driver;
mod driving;
mod durable_file;
mod escrow;
mod events;
mod facts;
mod fence;
mod hold;
mod hosting;
mod https;
mod join;
mod layout;
mod lock;
mod log;
mod marker;
mod members;
mod operator;
mod plan_file;
mod reason;
mod recover;
mod replay;
mod rescue;
mod restore;
#[cfg(test)]
mod runbook;
mod snapshot;
mod start;
mod status;
mod tasks;
mod timers;
mod tool;
mod unit;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pivot::checkpoint::AgentPlan;

/// Bring up a Kubernetes cluster whose control plane runs on the cluster itself.
#[derive(Debug, Parser)]
#[command(name = "selfhost", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write everything a cluster is made of into a new directory.
    ///
    /// Example: selfhost render --cluster cluster.json --out rendered
    Render(Render),
    /// Bootstrap the cluster and hand it over to itself, or go on where an earlier start was killed.
    ///
    /// Ends with 0 done, 3 holding, 4 refused, 1 failed, 64 usage.
    ///
    /// Example: selfhost start --assets /var/lib/selfhost/assets --hold-at verified:entered
    Start(start::Start),
    /// Keep copies of this node's control plane that start without an API, and start them when nobody else would.
    ///
    /// Runs until it is stopped; of several on one node one acts and the others wait.
    ///
    /// Example: selfhost checkpoint --node cp-1 --policy modern
    Checkpoint(checkpoint::Checkpoint),
    /// Bring a lost control plane back, out of the escrow and whatever etcd holds.
    ///
    /// Ends with 0 done, 3 holding, 4 refused, 1 failed, 64 usage.
    ///
    /// Example: selfhost recover --escrow /root/escrow
    /// Example: selfhost recover --escrow /root/escrow --rescue kube-scheduler
    /// Example: selfhost recover --escrow /root/escrow --snapshot /root/etcd.snapshot --lost cp-2
    /// Example: selfhost recover --escrow /root/escrow --join
    Recover(recover::Recover),
    /// Take and verify a snapshot of etcd, or verify and list those of a directory.
    ///
    /// Example: selfhost snapshot --out /root/etcd.snapshot
    Snapshot(snapshot::Snapshot),
    /// Say where the procedure stands, why, and what is seen of the cluster.
    ///
    /// Example: selfhost status --json
    Status(status::Status),
    /// Check that the log of a run follows from its policy.
    ///
    /// Example: selfhost replay --log log.ndjson --policy modern
    Replay(replay::Replay),
    /// Print the systemd unit that lets the installer survive its node.
    ///
    /// Example: selfhost unit -- --assets /var/lib/selfhost/assets
    Unit(unit::Unit),
}

#[derive(Debug, clap::Args)]
struct Render {
    /// The cluster's description (JSON).
    #[arg(long, value_name = "FILE")]
    cluster: PathBuf,
    /// The directory to write; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The policy that will be followed; it decides whether there is a checkpoint agent.
    #[arg(long, value_name = "NAME|FILE", default_value = "modern")]
    policy: String,
    /// Build in a known mistake, to see that it is noticed (apiserver-node-selector=KEY,
    /// certificates-live=DURATION), or let the agents follow another plan (agent-policy=NAME|FILE).
    #[arg(long = "switch", value_name = "KEY=VALUE")]
    switches: Vec<String>,
}

/// Where the state is kept unless said otherwise.
const DEFAULT_STATE: &str = "/var/lib/selfhost/state";
/// Where the assets lie unless said otherwise.
const DEFAULT_ASSETS: &str = "/var/lib/selfhost/assets";
/// Exit code for wrong arguments and invalid files.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to say if even the terminal is gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match arguments.verb {
        Verb::Render(render) => render.run(),
        Verb::Start(start) => match runtime().block_on(start.run()) {
            Ok(code) => ExitCode::from(code),
            Err(error) => fail(&error, error.exit_code()),
        },
        Verb::Checkpoint(checkpoint) => match runtime().block_on(checkpoint.run()) {
            Ok(code) => ExitCode::from(code),
            Err(error) => fail(&error, error.exit_code()),
        },
        Verb::Status(status) => match runtime().block_on(status.run()) {
            Ok(text) => {
                println!("{}", text.trim_end());
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, 1),
        },
        Verb::Recover(recover) => match runtime().block_on(recover.run()) {
            Ok(code) => ExitCode::from(code),
            Err(error) => fail(&error, error.exit_code()),
        },
        Verb::Snapshot(snapshot) => match runtime().block_on(snapshot.run()) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, error.exit_code()),
        },
        Verb::Replay(replay) => match replay.run() {
            Ok(entries) => {
                println!("{entries} entries replayed, the same effects");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, error.exit_code()),
        },
        Verb::Unit(unit) => {
            print!("{}", unit.text());
            ExitCode::SUCCESS
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a process can always have two threads more")
}

impl Render {
    fn run(&self) -> ExitCode {
        let switches = match render::Switches::parse(self.switches.iter().map(String::as_str)) {
            Ok(switches) => switches,
            Err(error) => return fail(&error, USAGE),
        };
        let cluster = match cluster_file::ClusterFile::read(&self.cluster) {
            Ok(cluster) => cluster,
            Err(error) => return fail(&error, USAGE),
        };
        let agent = match self.agent(switches.agent_policy.as_deref()) {
            Ok(agent) => agent,
            Err(error) => return fail(&error, USAGE),
        };
        match render::render(&cluster, &self.out, &switches, agent.as_ref()) {
            Ok(()) => {
                println!(
                    "rendered {} for {} nodes into {}",
                    cluster.name,
                    cluster.nodes.len(),
                    self.out.display()
                );
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, if error.is_usage() { USAGE } else { 1 }),
        }
    }
}

impl Render {
    /// What the checkpoint agents follow; none if the policy has no agents.
    fn agent(&self, instead: Option<&str>) -> Result<Option<AgentPlan>, plan_file::PolicyError> {
        let plan = plan_file::find(&self.policy)?;
        match (AgentPlan::belonging_to(&plan), instead) {
            (Some(_), Some(instead)) => plan_file::find_agent(instead).map(Some),
            (belonging, _) => Ok(belonging),
        }
    }
}

/// Prints an error with all its causes, once, and gives the exit code.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    eprintln!("selfhost: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        eprintln!("  because: {source}");
        cause = source.source();
    }
    ExitCode::from(code)
}
