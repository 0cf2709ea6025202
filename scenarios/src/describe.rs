//! Entries and faults in one line each, for plans and live output.

use terms::{
    Change, Delete, Fault, Kill, NodeFault, Nothing, RemoveImage, Roll, Selectors, Signal, Tear,
    UnitFault,
};

use crate::entry::{At, Entry, Heal, Joined, Operation, OperationKind, RecoverFrom, Settle};

/// An entry in one line.
pub fn describe_entry(entry: &Entry) -> String {
    match entry {
        Entry::Operation(Operation { kind, joined }) => {
            let joined = match joined {
                Joined::ByItself => "awaited".to_owned(),
                Joined::ByEntry(index) => format!("in the background, joined by entry {index}"),
                Joined::ByTheEnd => "in the background, joined by the end".to_owned(),
            };
            format!("{}, {joined}", operation(*kind))
        }
        Entry::At(At {
            step,
            moment,
            occurrence,
            actor,
            within,
            inject,
        }) => {
            let time = if *occurrence == 1 {
                String::new()
            } else {
                format!(", time {occurrence}")
            };
            let who = if actor.0 == "installer" {
                String::new()
            } else {
                format!(" of {actor}")
            };
            format!(
                "at {step} {moment}{who}{time} (within {within}): {}",
                faults(inject)
            )
        }
        Entry::Inject(inject) => format!("inject {}", faults(inject)),
        Entry::Wait(time) => format!("wait {time}"),
        Entry::Heal(Heal::Everything) => "heal everything".to_owned(),
        Entry::Heal(Heal::Nodes(nodes)) => format!("heal {}", names(nodes)),
        Entry::Settle(Settle { within, stable_for }) => {
            format!("settle within {within}, stable for {stable_for}")
        }
    }
}

/// An operation of the installer in words.
fn operation(kind: OperationKind) -> String {
    match kind {
        OperationKind::Bootstrap | OperationKind::Resume | OperationKind::Snapshot => {
            kind.name().to_owned()
        }
        OperationKind::ForeignBootstrap => "bootstrap of another cluster".to_owned(),
        OperationKind::Recover { from, rival } => {
            let from = match from {
                RecoverFrom::Etcd => "from etcd",
                RecoverFrom::Snapshot => "from the snapshot",
            };
            let rival = if rival { ", twice at once" } else { "" };
            format!("recover {from}{rival}")
        }
    }
}

fn faults(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(describe_fault)
        .collect::<Vec<_>>()
        .join(" + ")
}

fn names(selectors: &Selectors) -> String {
    selectors
        .0
        .iter()
        .map(|selector| selector.0.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A fault in one line.
pub fn describe_fault(fault: &Fault) -> String {
    let bound = |bind: &Option<String>| {
        bind.as_ref()
            .map_or(String::new(), |name| format!(" as {name}"))
    };
    let key = fault.key();
    match fault {
        Fault::PowerOff(NodeFault { node, bind })
        | Fault::Reboot(NodeFault { node, bind })
        | Fault::Freeze(NodeFault { node, bind })
        | Fault::LoseDisk(NodeFault { node, bind }) => {
            format!("{key} {}{}", names(node), bound(bind))
        }
        Fault::Stop(UnitFault { unit, node, bind })
        | Fault::Restart(UnitFault { unit, node, bind }) => {
            format!("{key} {} on {}{}", unit.name(), names(node), bound(bind))
        }
        Fault::Tear(Tear {
            node,
            path,
            keep_bytes,
            bind,
        }) => {
            let place = format!("{path} on {}", names(node));
            format!("{key} {place} after {keep_bytes} bytes{}", bound(bind))
        }
        Fault::Kill(Kill {
            component,
            node,
            signal,
            bind,
        }) => {
            let signal = if *signal == Signal::Kill {
                String::new()
            } else {
                format!(" with {}", signal.name())
            };
            format!(
                "{key} {component} on {}{signal}{}",
                names(node),
                bound(bind)
            )
        }
        Fault::KillInstaller(Nothing {}) => key.to_owned(),
        Fault::Roll(Roll {
            component,
            flag,
            user,
        }) => {
            let flag = flag.as_ref().map(|flag| format!(" with {flag}"));
            let user = user.map(|user| format!(" as user {user}"));
            let changes: String = [flag, user].into_iter().flatten().collect();
            format!("{key} {component}{changes}")
        }
        Fault::Change(Change {
            kind,
            namespace,
            name,
            key: part,
        }) => {
            let part = part
                .as_ref()
                .map_or(String::new(), |part| format!(" key {part}"));
            format!("{key} {} {namespace}/{name}{part}", kind.name())
        }
        Fault::RemoveImage(RemoveImage {
            component,
            node,
            bind: _,
        }) => format!("{key} of {component} on {}", names(node)),
        Fault::Delete(Delete {
            kind,
            namespace,
            name,
            selector,
            limit,
        }) => {
            let place = namespace
                .as_ref()
                .map_or(String::new(), |namespace| format!("{namespace}/"));
            let which = name
                .clone()
                .or_else(|| selector.as_ref().map(|selector| format!("({selector})")));
            let limit = limit.map_or(String::new(), |limit| format!(", at most {limit}"));
            format!("{key} {kind:?} {place}{}{limit}", which.unwrap_or_default())
        }
    }
}
