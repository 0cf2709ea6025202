//! pod-network: connects the pods of all nodes.
//!
//! One instance runs on each node. It gives the node's pods addresses out of the node's own
//! range (through the standard `ptp` and `host-local` plugins) and sends what is addressed to
//! the range of another node through a vxlan tunnel to that node. Packets between nodes
//! therefore carry node addresses only: container engines drop anything else on their internal
//! networks wherever bridged packets pass the host's firewall.
//!
//! *Own node*: the node that this instance runs on. *Peer*: any other node with a range.
//! *Links*: the tunnel, routes, neighbours and the one masquerading rule on the own node.
//!
//! Limits: IPv4 only; the address ranges come from the controller manager (`spec.podCIDR`).

mod agent;
mod api;
mod cni_configuration;
mod command;
mod links;
mod node_map;

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Connect the pods of this node with those of all others.
#[derive(Debug, Parser)]
#[command(name = "pod-network", version)]
struct Arguments {
    /// Name of the Node object of this node.
    #[arg(long, env = "NODE_NAME")]
    node_name: String,
    /// Address of the API as a literal, for example https://10.231.7.2:6443; without it the
    /// addresses that Kubernetes puts into every pod's environment are used.
    #[arg(long, env = "KUBERNETES_API")]
    kubernetes_api: Option<String>,
    /// Directory from which the container runtime reads its network configuration.
    #[arg(long, default_value = "/etc/cni/net.d")]
    cni_directory: PathBuf,
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == command::IN_NODE) {
        return fail(&command::become_program(&words[1..]));
    }
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(agent::run(
        &arguments.node_name,
        arguments.kubernetes_api.as_deref(),
        &arguments.cni_directory,
    )) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Prints an error with all its causes. The kubelet starts the agent again.
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("pod-network: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        eprintln!("  because: {source}");
        cause = source.source();
    }
    ExitCode::FAILURE
}
