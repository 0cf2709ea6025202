//! Control-plane processes of a node, and who started them.
//!
//! Who started an instance is told by its pod's UID in the process's cgroup path: the API gives
//! UUIDs with dashes, the kubelet gives static pods a hash without. Which static pod it is, is told
//! by the name of the pod's log directory.

use std::collections::BTreeSet;
use std::path::Path;

use oracle::observation::{Process, ProcessId};
use terms::{Component, Incarnation};

/// All control-plane processes, and the kubelet's.
pub fn list() -> (Vec<Process>, Option<ProcessId>) {
    let mut processes = Vec::new();
    let mut kubelet = None;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // A process may end while it is looked at: then it is not listed.
        match look(&entry.path(), pid) {
            Some((Component::Kubelet, process)) => kubelet = Some(process.id),
            Some((_, process)) => processes.push(process),
            None => {}
        }
    }
    processes.sort_by_key(|process| (process.component, process.id));
    (processes, kubelet)
}

fn look(directory: &Path, pid: u32) -> Option<(Component, Process)> {
    let command_line = std::fs::read(directory.join("cmdline")).ok()?;
    let arguments: Vec<String> = command_line
        .split(|byte| *byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect();
    let component = watched(Path::new(arguments.first()?).file_name()?.to_str()?)?;
    let id = process_id(directory, pid)?;
    let uid = pod_uid(&std::fs::read_to_string(directory.join("cgroup")).ok()?);
    let incarnation = uid
        .as_deref()
        .and_then(|uid| incarnation(component, uid, &pod_name(uid)?));
    let missing_files = missing_files(directory, &arguments);
    Some((
        component,
        Process {
            component,
            incarnation,
            id,
            missing_files,
        },
    ))
}

/// The component that a program of this name is.
fn watched(program: &str) -> Option<Component> {
    match program {
        "coredns" => Some(Component::Dns),
        "containerd" => Some(Component::ContainerRuntime),
        name => Component::from_name(name),
    }
}

/// The process in this directory of `/proc`; none once it has ended.
pub(crate) fn process_id(directory: &Path, pid: u32) -> Option<ProcessId> {
    let start_ticks = start_ticks(directory)?;
    Some(ProcessId { pid, start_ticks })
}

/// Field 22 of `/proc/PID/stat`, counted after the command's closing bracket.
fn start_ticks(directory: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(directory.join("stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

/// The pod's UID in a cgroup path such as `/kubelet/kubepods/burstable/pod<uid>/<container>`.
pub(crate) fn pod_uid(cgroup: &str) -> Option<String> {
    let after = cgroup.lines().find_map(|line| line.split("/pod").nth(1))?;
    let uid = after.split('/').next()?.trim_end_matches(".slice");
    (uid.len() >= 32).then(|| uid.replace('_', "-"))
}

/// The pod's name, from its log directory `<namespace>_<name>_<uid>`.
fn pod_name(uid: &str) -> Option<String> {
    std::fs::read_dir("/var/log/pods")
        .ok()?
        .flatten()
        .find_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let mut parts = name.split('_');
            let (_, pod, of) = (parts.next()?, parts.next()?, parts.next()?);
            (of == uid).then(|| pod.to_owned())
        })
}

fn incarnation(component: Component, uid: &str, pod: &str) -> Option<Incarnation> {
    if !Component::SELF_HOSTED.contains(&component) {
        return None;
    }
    if uid.contains('-') {
        Some(Incarnation::SelfHosted)
    } else if pod.starts_with("checkpoint-") {
        Some(Incarnation::Checkpoint)
    } else {
        Some(Incarnation::Bootstrap)
    }
}

/// Files that the command line names and that the process can no longer open, as it would see them.
fn missing_files(directory: &Path, arguments: &[String]) -> BTreeSet<String> {
    let root = directory.join("root");
    if std::fs::metadata(&root).is_err() {
        return BTreeSet::new();
    }
    arguments
        .iter()
        .filter_map(|argument| argument.strip_prefix("--")?.split_once('='))
        .filter(|(flag, value)| names_a_file(flag) && value.starts_with('/'))
        .map(|(_, value)| value.to_owned())
        .filter(|path| !root.join(path.trim_start_matches('/')).exists())
        .collect()
}

fn names_a_file(flag: &str) -> bool {
    [
        "-file",
        "-cafile",
        "-certfile",
        "-keyfile",
        "kubeconfig",
        "-config",
    ]
    .iter()
    .any(|ending| flag.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_uid_is_read_from_the_cgroup() {
        let api =
            "5:memory:/kubelet/kubepods/burstable/pod0f6a4ee6-08f6-4d30-8f2b-3b1f9d1a2b3c/abc\n";
        assert_eq!(
            pod_uid(api).as_deref(),
            Some("0f6a4ee6-08f6-4d30-8f2b-3b1f9d1a2b3c")
        );
        let fixed =
            "5:memory:/kubelet/kubepods/burstable/pod8d1bb8a9d9b7a2f8f9c0e1d2c3b4a596/abc\n";
        assert_eq!(
            pod_uid(fixed).as_deref(),
            Some("8d1bb8a9d9b7a2f8f9c0e1d2c3b4a596")
        );
        assert_eq!(
            pod_uid("1:name=systemd:/system.slice/kubelet.service\n"),
            None
        );
    }

    #[test]
    fn programs_are_known_by_their_names() {
        assert_eq!(watched("kube-apiserver"), Some(Component::KubeApiserver));
        assert_eq!(watched("coredns"), Some(Component::Dns));
        assert_eq!(watched("bash"), None);
    }

    #[test]
    fn who_started_it_is_told_by_uid_and_name() {
        let apiserver = Component::KubeApiserver;
        let uuid = "0f6a4ee6-08f6-4d30-8f2b-3b1f9d1a2b3c";
        let hash = "8d1bb8a9d9b7a2f8f9c0e1d2c3b4a596";
        assert_eq!(
            incarnation(apiserver, uuid, "kube-apiserver-x"),
            Some(Incarnation::SelfHosted)
        );
        assert_eq!(
            incarnation(apiserver, hash, "bootstrap-kube-apiserver-cp-1"),
            Some(Incarnation::Bootstrap)
        );
        assert_eq!(
            incarnation(apiserver, hash, "checkpoint-kube-apiserver-cp-1"),
            Some(Incarnation::Checkpoint)
        );
        assert_eq!(incarnation(Component::Etcd, hash, "etcd-cp-1"), None);
    }
}
