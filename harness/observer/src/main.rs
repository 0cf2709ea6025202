//! The `chrysalis-observer` command: one JSON line a sighting on standard output, until nobody
//! reads them any more.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use observer::checkpoints::Checkpoints;
use observer::line::{Line, Seen, boot_us};
use observer::ports::Listening;
use observer::workload::Workload;
use observer::{agents, files, processes, tail};
use oracle::observation::NodeInventory;

/// Streams what a node's control plane looks like, as JSON lines.
#[derive(Debug, Parser)]
#[command(name = "chrysalis-observer", version, about)]
struct Arguments {
    /// How often to look, in milliseconds.
    #[arg(long, default_value_t = 200)]
    interval_ms: u64,
    /// Repeat an unchanged inventory after this many milliseconds, as a sign of life.
    #[arg(long, default_value_t = 1000)]
    repeat_ms: u64,
    /// The kubelet's static manifest directory.
    #[arg(long, default_value = "/etc/kubernetes/manifests")]
    manifests: PathBuf,
    /// Files and directories that only a bootstrap or a recovery needs; may be repeated.
    #[arg(long = "bootstrap-path")]
    bootstrap_paths: Vec<PathBuf>,
    /// Where a checkpoint agent keeps its versions, and its lock.
    #[arg(long, default_value = "/var/lib/selfhost/checkpoints")]
    checkpoints: PathBuf,
    /// Where manifests of checkpoints lie ready for the kubelet.
    #[arg(long, default_value = "/etc/kubernetes/selfhost-staging")]
    prepared: PathBuf,
    /// A step stream, the installer's or an agent's; its lines are passed on as they appear. May be repeated.
    #[arg(long)]
    steps: Vec<PathBuf>,
    /// The namespace of a user's workload whose pods are watched, and the address at which its Service is asked.
    #[arg(long, num_args = 2, value_names = ["NAMESPACE", "ADDRESS:PORT"])]
    workload: Vec<String>,
}

fn main() -> std::process::ExitCode {
    match watch(&Arguments::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chrysalis-observer: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn watch(arguments: &Arguments) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    let mut steps: Vec<_> = arguments.steps.iter().map(tail::Tail::new).collect();
    let directories = vec![arguments.prepared.clone(), arguments.manifests.clone()];
    let mut checkpoints = Checkpoints::new(&arguments.checkpoints, directories);
    let mut listening = Listening::default();
    let workload = workload(arguments)?;
    let mut last: Option<(u64, NodeInventory)> = None;
    loop {
        for step in steps.iter_mut().flat_map(tail::Tail::lines) {
            emit(&mut output, boot_us(), Seen::Step(step))?;
        }
        let start_us = boot_us();
        let inventory = look(
            arguments,
            &mut checkpoints,
            &mut listening,
            workload.as_ref(),
        );
        let repeat = last.as_ref().is_none_or(|(at_us, before)| {
            *before != inventory || start_us - at_us >= arguments.repeat_ms * 1_000
        });
        if repeat {
            emit(&mut output, start_us, Seen::Inventory(inventory.clone()))?;
            last = Some((start_us, inventory));
        }
        std::thread::sleep(Duration::from_millis(arguments.interval_ms));
    }
}

fn workload(arguments: &Arguments) -> std::io::Result<Option<Workload>> {
    let [namespace, service] = &arguments.workload[..] else {
        return Ok(None);
    };
    let service = service.parse().map_err(std::io::Error::other)?;
    Ok(Some(Workload::watch(namespace, service)))
}

fn look(
    arguments: &Arguments,
    checkpoints: &mut Checkpoints,
    listening: &mut Listening,
    workload: Option<&Workload>,
) -> NodeInventory {
    let (processes, kubelet) = processes::list();
    let versions = checkpoints.look();
    NodeInventory {
        processes,
        kubelet,
        manifests: files::manifests(&arguments.manifests),
        bootstrap_files: files::below(&arguments.bootstrap_paths),
        ports: listening.look(),
        blind_to_checkpoints: versions.is_none(),
        checkpoints: versions.unwrap_or_default(),
        agents: agents::list(&arguments.checkpoints.join("lock")),
        workload: workload.map(Workload::look),
    }
}

fn emit(output: &mut impl Write, start_us: u64, saw: Seen) -> std::io::Result<()> {
    let line = Line {
        start_us,
        end_us: boot_us(),
        saw,
    };
    serde_json::to_writer(&mut *output, &line)?;
    output.write_all(b"\n")?;
    output.flush()
}
