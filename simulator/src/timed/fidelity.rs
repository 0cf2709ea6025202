//! What the simulator models, what it leaves out, and what its faults really do.

use terms::{Fault, Signal, Unit};

/// What this fault really does here, and what it cannot do.
pub const fn fidelity(fault: &Fault) -> &'static str {
    match fault {
        Fault::PowerOff(_) | Fault::Reboot(_) => {
            "simulated: every process of the node ends at once; files stay as they were last written, and what etcd acknowledged is on disk"
        }
        Fault::Kill(kill) => match kill.signal {
            Signal::Kill => {
                "simulated: the processes end at once; the kubelet starts containers again, with back-off"
            }
            Signal::Terminate => {
                "simulated: the processes end after their grace; only a scheduler gives its lease back"
            }
        },
        Fault::KillInstaller(_) => {
            "simulated: no further effect is performed; what was persisted stays, and tasks that run are lost whole"
        }
        Fault::LoseDisk(_) => "not simulated: files of a node survive everything here",
        Fault::Roll(_) => "not simulated: a DaemonSet has no revisions here",
        Fault::Change(_) => "not simulated: Secrets and ConfigMaps have no content here",
        Fault::RemoveImage(_) => "not simulated: containers need no image here",
        Fault::Freeze(_) => "not simulated: no process stands still here while clocks go on",
        Fault::Stop(stop) => match stop.unit {
            Unit::Kubelet => {
                "simulated: containers go on, none is started, and the node's lease is not renewed"
            }
            Unit::Containerd => {
                "simulated: containers go on, none starts or ends, and agents cannot ask which run"
            }
        },
        Fault::Restart(_) => {
            "simulated: the kubelet starts anew and has forgotten the API's pods; containers go on"
        }
        Fault::Tear(_) => {
            "simulated: the newest version of a checkpoint lacks a file, or its commit mark; what else is in a file is not modelled"
        }
        Fault::Delete(_) => {
            "simulated: the pod is marked, its process ends gracefully, and the DaemonSet's next pod comes when it is gone"
        }
    }
}

/// What the simulator models.
pub const MODELLED: [&str; 10] = [
    "nodes with power, boot time, and files that survive (manifests, secrets, stash, assets, claim, marker)",
    "kubelets: static pods follow the directory, without an API; API pods are known only once an apiserver answered since the kubelet's start, and are forgotten when it restarts",
    "containers: start, readiness, graceful end, restart with back-off",
    "etcd as quorum: a majority of members commits to one register with revisions; the leader's loss costs an election; an apiserver asks its own node's member",
    "leases of scheduler and controller manager with holder, renewal, expiry and the next candidate's polls; a bootstrap holder's lease is shorter",
    "the DaemonSet controller and the scheduler, which act only while their leader lives and an apiserver is reachable",
    "the load balancer with its health checks and their lag",
    "node leases: when the installer stops calling a node fresh, and when the API stops calling it Ready",
    "the installer: the machine that ships, driven effect by effect, with tasks that take time, timers, hold points, its marker, and its unit that a boot starts until it is done",
    "probes from outside, as often as on real clusters, with the same observations",
];

/// What it leaves out. Nothing that depends on these is shown by a simulated run.
pub const LEFT_OUT: [&str; 13] = [
    "packets, latency, partitions: a request answers in 3 ms, is refused or times out",
    "raft's log: no lost or reordered entries, no minority that reads; disks are synced unless a scene says otherwise",
    "stale watches and caches: controllers and kubelets see the API as it is",
    "clocks that differ",
    "processor, memory and disk pressure: durations are drawn, not computed",
    "authentication, authorisation, admission, certificates but for their incarnation",
    "revisions of DaemonSets: pods of one component are all alike",
    "pods and workloads other than the three self-hosted components: a user's claims are not checked by `settle`",
    "the pod network, kube-proxy, DNS; a node is Ready without them",
    "container runtime and image pulls",
    "crashes of components by themselves",
    "the revision-ordered watch of etcd's keys, reused connections, and the service-account token of the credential probe",
    "half-done tasks: an installer's task happens whole when it ends, or not at all",
];

#[cfg(test)]
mod tests {
    use terms::Nothing;

    use super::*;

    #[test]
    fn nothing_here_claims_to_be_exact() {
        let fault = Fault::KillInstaller(Nothing {});
        assert!(fidelity(&fault).starts_with("simulated: "));
        assert_ne!(fidelity(&fault), fault.fidelity());
    }
}
