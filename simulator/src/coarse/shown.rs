//! A state for a person, a fact a line, so that the difference of two states reads as what happened.

use pivot::{Durable, Plan};
use terms::{Component, NodeId};

use super::config::{Budgets, Config};
use super::look::name;
use super::state::{Disk, Joined, Lease, Node, Pod, Power, Process, State, Status, Teardown};

/// The whole state of a world with this configuration.
pub(super) fn shown(config: &Config, state: &State) -> String {
    let answers = if state.is_reachable(state.has_quorum(config.control_planes)) {
        "answers"
    } else {
        "does not answer"
    };
    let mut lines = vec![
        line("installer", installer(&config.plan, state)),
        line("written down", marker(&config.plan, state.marker.as_ref())),
        line("API", answers),
        line(
            "DaemonSets",
            either(state.applied, "applied", "not applied"),
        ),
    ];
    for (component, lease) in [Component::KubeControllerManager, Component::KubeScheduler]
        .into_iter()
        .zip(state.leases)
    {
        lines.push(line(&format!("lease of {component}"), holder(lease)));
    }
    for (number, seen) in (0..config.control_planes).zip(&state.nodes) {
        node(&mut lines, &name(number), seen);
    }
    bootstrap_node(&mut lines, &name(0), state);
    lines.push(line("removal", removal(state.teardown)));
    if state.served_at_failure > 0 {
        let served = state.served_at_failure - 1;
        lines.push(line("served at the failure", served));
    }
    if config.foreign {
        let changed = either(
            state.foreign_changed,
            "changed something",
            "changed nothing",
        );
        lines.push(line("foreign installer", changed));
    }
    lines.push(line("may still happen", left(state.left)));
    lines.concat()
}

/// What the installer does, in a few words.
pub(crate) fn installer(plan: &Plan, state: &State) -> String {
    let step = step(plan, state.machine.stage());
    match state.status {
        Status::Down => "not running".to_owned(),
        Status::Ended if state.machine.is_done() => "done".to_owned(),
        Status::Ended => format!("holds at {step}"),
        Status::Running if state.machine.is_done() => "about to end".to_owned(),
        Status::Running if state.machine.is_holding() => format!("about to hold at {step}"),
        Status::Running if state.machine.is_reinstating() => format!("reinstates at {step}"),
        Status::Running if state.machine.tears_down() => format!("tears down at {step}"),
        Status::Running => step,
    }
}

/// Who holds a lease.
pub(crate) fn holder(lease: Lease) -> String {
    match lease {
        Lease::Never => "nobody".to_owned(),
        Lease::Bootstrap => "boot".to_owned(),
        Lease::BootstrapGone => "boot (gone)".to_owned(),
        Lease::SelfHostedGone => "self (gone)".to_owned(),
        Lease::First => name(0).to_string(),
        Lease::Second => name(1).to_string(),
        Lease::Third => name(2).to_string(),
    }
}

fn line(what: &str, how: impl std::fmt::Display) -> String {
    format!("{what:<41}{how}\n")
}

fn either(is_so: bool, yes: &'static str, no: &'static str) -> &'static str {
    if is_so { yes } else { no }
}

fn step(plan: &Plan, stage: u8) -> String {
    let stage = plan.stages.get(usize::from(stage));
    stage.map_or_else(String::new, |stage| stage.step.to_string())
}

fn marker(plan: &Plan, marker: Option<&Durable>) -> String {
    let Some(marker) = marker else {
        return "nothing".to_owned();
    };
    let mut text = step(plan, marker.stage);
    text.push_str(either(marker.completed, " completed", " entered"));
    if marker.reinstating {
        text.push_str(", puts back");
    }
    if marker.holding.is_some() {
        text.push_str(", holds");
    }
    if marker.done {
        text.push_str(", done");
    }
    text
}

fn node(lines: &mut Vec<String>, name: &NodeId, node: &Node) {
    let power = match node.power {
        Power::On => "has power",
        Power::OffFresh => "without power, its lease still fresh",
        Power::OffStale => "without power",
    };
    let joined = match node.joined {
        Joined::No => "unknown to the API",
        Joined::Registered => "registered",
        Joined::Labelled => "labelled",
    };
    lines.push(line(&name.to_string(), format!("{power}, {joined}")));
    for (component, state) in Component::SELF_HOSTED.into_iter().zip(node.pods) {
        lines.push(line(&format!("{name} {component}"), pod(state)));
    }
    let listed = match node.listed {
        0 => "nothing",
        1 => "the self-hosted apiserver",
        2 => "the bootstrap apiserver or the copy",
        _ => "both apiservers",
    };
    lines.push(line(&format!("{name} in the load balancer"), listed));
}

const fn pod(pod: Pod) -> &'static str {
    match pod {
        Pod::None => "none",
        Pod::Created => "created, bound to no node",
        Pod::Bound => "bound",
        Pod::BoundSaved => "bound; saved",
        Pod::Starting => "starting",
        Pod::StartingSaved => "starting; saved",
        Pod::Ready => "ready",
        Pod::ReadySaved => "ready; saved",
        Pod::Copy => "its copy runs",
    }
}

fn bootstrap_node(lines: &mut Vec<String>, name: &NodeId, state: &State) {
    let mut say = |what: &str, how: &str| lines.push(line(&format!("{name} {what}"), how));
    for (component, process) in Component::SELF_HOSTED.into_iter().zip(state.bootstrap) {
        let process = match process {
            Process::Gone => "none",
            Process::Starting => "starting",
            Process::Ready => "ready",
            Process::Stopping => "stopping",
        };
        say(&format!("bootstrap {component}"), process);
    }
    let Disk {
        manifests,
        stashed,
        secrets,
        stashed_secrets,
        assets,
        claimed,
    } = state.disk;
    say("bootstrap manifests", &set(manifests));
    say("stashed manifests", &set(stashed));
    let secrets = match (secrets, stashed_secrets) {
        (true, true) => "in their place, and stashed",
        (true, false) => "in their place",
        (false, true) => "stashed",
        (false, false) => "none",
    };
    say("bootstrap secrets", secrets);
    say("rendered assets", either(assets, "there", "gone"));
    say("claimed", either(claimed, "yes", "no"));
}

fn set(bits: u8) -> String {
    let components = (0..).zip(Component::SELF_HOSTED);
    let names: Vec<String> = components
        .filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, component)| component.to_string())
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

const fn removal(teardown: Teardown) -> &'static str {
    match teardown {
        Teardown::None => "none that counts",
        Teardown::Guarded => "begun while the guard held",
        Teardown::Unguarded => "begun although the guard did not hold",
        Teardown::Violated => "done although the guard did not hold",
    }
}

fn left(left: Budgets) -> String {
    let words = left.in_words();
    if words.is_empty() {
        return "nothing from outside".to_owned();
    }
    words.join(", ")
}
