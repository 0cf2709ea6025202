//! Which instances of the control plane run on this node.

use std::fs;
use std::path::Path;

use pivot::ComponentSet;
use terms::Component;

/// Ports by which an instance of the bootstrap control plane is known: flags are the one thing that
/// a process cannot have by accident.
const BOOTSTRAP_PORTS: [(Component, &str); 3] = [
    (Component::KubeApiserver, "--secure-port=6444"),
    (Component::KubeControllerManager, "--secure-port=10357"),
    (Component::KubeScheduler, "--secure-port=10359"),
];

/// Ports by which an instance of the self-hosted control plane is known.
const SELF_HOSTED_PORTS: [(Component, &str); 3] = [
    (Component::KubeApiserver, "--secure-port=6443"),
    (Component::KubeControllerManager, "--secure-port=10257"),
    (Component::KubeScheduler, "--secure-port=10259"),
];

/// A process of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    /// The component.
    pub(crate) component: Component,
    /// Its port is that of the self-hosted instance. Bootstrap and checkpoint share the other.
    pub(crate) self_hosted: bool,
    /// Its control groups, in which the ids of its pod and its container stand.
    pub(crate) groups: String,
}

/// The instances of all components; `None` when the processes cannot be listed.
pub(crate) fn instances(proc: &Path) -> Option<Vec<Instance>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(proc).ok()? {
        // A process that ended meanwhile is gone: that is an answer too.
        let Ok(path) = entry.map(|entry| entry.path()) else {
            continue;
        };
        let Ok(command) = fs::read(path.join("cmdline")) else {
            continue;
        };
        for (ports, self_hosted) in [(SELF_HOSTED_PORTS, true), (BOOTSTRAP_PORTS, false)] {
            if let Some(component) = component_at(&ports, &command) {
                let groups = fs::read_to_string(path.join("cgroup")).unwrap_or_default();
                found.push(Instance {
                    component,
                    self_hosted,
                    groups,
                });
            }
        }
    }
    Some(found)
}

/// The components whose bootstrap process runs, as `ComponentSet` bits; `None` when the processes
/// cannot be listed.
pub(super) fn bootstrap_running(proc: &Path) -> Option<u8> {
    let mut running = 0;
    for entry in fs::read_dir(proc).ok()? {
        // A process that ended meanwhile is gone: that is an answer too.
        let Ok(command) = entry.and_then(|entry| fs::read(entry.path().join("cmdline"))) else {
            continue;
        };
        if let Some(component) = component_at(&BOOTSTRAP_PORTS, &command) {
            running |= ComponentSet::bit(component);
        }
    }
    Some(running)
}

fn component_at(ports: &[(Component, &str)], command: &[u8]) -> Option<Component> {
    let mut words = command
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    let program = words.next()?;
    let program = program.rsplit('/').next()?.to_owned();
    let words: Vec<_> = words.collect();
    ports
        .iter()
        .find(|(component, port)| program == component.name() && words.iter().any(|w| w == port))
        .map(|(component, _)| *component)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, expected: Option<Component>) {
        let command = command.replace(' ', "\0");
        assert_eq!(
            component_at(&BOOTSTRAP_PORTS, command.as_bytes()),
            expected,
            "{command}"
        );
    }

    #[test]
    fn a_bootstrap_process_is_known_by_its_port() {
        check(
            "/bin/kube-apiserver --a=b --secure-port=6444",
            Some(Component::KubeApiserver),
        );
        check(
            "kube-scheduler --secure-port=10359",
            Some(Component::KubeScheduler),
        );
        check("kube-apiserver --secure-port=6443", None);
        check("kube-scheduler --secure-port=6444", None);
        check("sh -c kube-apiserver --secure-port=6444", None);
        check("", None);
    }

    #[test]
    fn processes_are_listed() {
        let proc = tempfile::tempdir().unwrap();
        for (id, command) in [
            ("1", "init"),
            ("2", "kube-scheduler\0--secure-port=10359\0"),
        ] {
            fs::create_dir(proc.path().join(id)).unwrap();
            fs::write(proc.path().join(id).join("cmdline"), command).unwrap();
        }
        fs::create_dir(proc.path().join("sys")).unwrap();
        assert_eq!(bootstrap_running(proc.path()), Some(4));
        assert_eq!(bootstrap_running(&proc.path().join("nowhere")), None);
    }
}
