//! What the host's facts mean.

use super::{Check, FsyncLatency, HostFacts, Kernel, Presence};

/// Every kubelet and every containerd takes some; below this, the third node's kubelet fails.
const INOTIFY_INSTANCES_MIN: u64 = 512;
/// One per watched file, of all nodes together.
const INOTIFY_WATCHES_MIN: u64 = 524_288;
const GIB: u64 = 1 << 30;
const FREE_DISK_MIN: u64 = 10 * GIB;
const MEMORY_MIN: u64 = 4 * GIB;
/// Measured: 310 to 335 MiB per control-plane node.
const MEMORY_PER_CONTROL_PLANE_NODE: u64 = 350 << 20;
/// Above this, etcd warns about slow fsyncs and elections become likely under load.
const FSYNC_P99_MAX_US: u64 = 20_000;

pub(super) fn host_checks(host: &HostFacts) -> Vec<Check> {
    let mut checks = kernel(&host.kernel);
    checks.push(host_network(host));
    checks.push(inotify(
        "inotify-instances",
        "fs.inotify.max_user_instances",
        host.inotify_instances,
        INOTIFY_INSTANCES_MIN,
    ));
    checks.push(inotify(
        "inotify-watches",
        "fs.inotify.max_user_watches",
        host.inotify_watches,
        INOTIFY_WATCHES_MIN,
    ));
    checks.push(disk(host.free_disk_bytes));
    checks.push(memory(host.available_memory_bytes));
    checks.push(fsync(host.fsync.as_ref()));
    checks
}

fn kernel(kernel: &Kernel) -> Vec<Check> {
    let Kernel {
        overlay,
        bridge,
        veth,
        iptables,
        nftables,
        bridge_filter: _,
        vxlan,
        netem,
    } = *kernel;
    let needed = |name, feature: &str, presence| match presence {
        Presence::Present | Presence::Loadable => Check::ok(name, feature),
        Presence::Absent => Check::problem(
            name,
            format!("the kernel was built without {feature}"),
            "use a kernel that has it, such as a distribution's",
        ),
        Presence::Unknown => Check::warning(
            name,
            format!("it cannot be seen whether the kernel has {feature}"),
            "nothing to do if the engine itself works",
        ),
    };
    let filter = match (iptables, nftables) {
        (Presence::Present | Presence::Loadable, _) => iptables,
        (_, Presence::Present | Presence::Loadable) => nftables,
        (Presence::Absent, Presence::Absent) => Presence::Absent,
        _ => Presence::Unknown,
    };
    vec![
        needed("kernel-overlay", "the overlay file system", overlay),
        needed("kernel-bridge", "bridges", bridge),
        needed("kernel-veth", "virtual interface pairs", veth),
        needed(
            "kernel-filter",
            "a packet filter (iptables or nftables)",
            filter,
        ),
        match vxlan {
            Presence::Absent => Check::warning(
                "kernel-vxlan",
                "the kernel was built without vxlan",
                "pod networks that encapsulate cannot be used",
            ),
            Presence::Unknown => Check::ok("kernel-vxlan", "vxlan: cannot be seen"),
            _ => Check::ok("kernel-vxlan", "vxlan"),
        },
        match netem {
            // No way out is needed: nothing asks for it.
            Presence::Absent => Check::ok(
                "kernel-netem",
                "netem is missing; delay and loss are made without it",
            ),
            Presence::Unknown => Check::ok("kernel-netem", "netem: cannot be seen, not needed"),
            _ => Check::ok("kernel-netem", "netem"),
        },
    ]
}

/// Stray packets and packets between pods, see `cluster/host_network.rs`.
fn host_network(host: &HostFacts) -> Check {
    let name = "host-network";
    match (host.root, host.bridged_packets_are_filtered) {
        (true, Some(true)) => Check::ok(
            name,
            "bridged packets are filtered; a rule per cluster lets pods talk, and a route swallows strays",
        ),
        (true, _) => Check::ok(name, "a route swallows stray packets while clusters live"),
        (false, Some(true)) => Check::warning(
            name,
            "not root, and bridged packets are filtered: pods on different nodes cannot reach each other unless their network encapsulates",
            "run as root, or: sudo sysctl -w net.bridge.bridge-nf-call-iptables=0",
        ),
        (false, _) => Check::warning(
            name,
            "not root: packets to nodes that have just vanished may follow this host's default route",
            "run as root, or, while clusters live: sudo ip route add blackhole 10.231.0.0/16",
        ),
    }
}

fn inotify(name: &'static str, key: &str, value: Option<u64>, least: u64) -> Check {
    match value {
        Some(value) if value >= least => Check::ok(name, format!("{key} = {value}")),
        Some(value) => Check::warning(
            name,
            format!("{key} = {value}, below {least}: several nodes together may run out"),
            format!("sudo sysctl -w {key}={least}"),
        ),
        None => Check::warning(
            name,
            format!("{key} cannot be read"),
            format!("make sure that it is {least} or more"),
        ),
    }
}

fn disk(free: Option<u64>) -> Check {
    let name = "free-disk";
    match free {
        Some(free) if free >= FREE_DISK_MIN => Check::ok(name, format!("{} GiB", free / GIB)),
        Some(free) => Check::problem(
            name,
            format!(
                "{:.1} GiB where the engine keeps its data",
                free as f64 / GIB as f64
            ),
            "free 10 GiB: the node image takes about 1 GiB, and each node copies its /var",
        ),
        None => Check::warning(name, "cannot be read", "make sure that 10 GiB are free"),
    }
}

fn memory(available: Option<u64>) -> Check {
    let name = "memory";
    match available {
        Some(available) if available >= MEMORY_MIN => {
            let nodes = available / MEMORY_PER_CONTROL_PLANE_NODE;
            let seen = format!(
                "{} GiB available, enough for about {nodes} control-plane nodes of 350 MiB",
                available / GIB
            );
            Check::ok(name, seen)
        }
        Some(available) => Check::problem(
            name,
            format!("{:.1} GiB available", available as f64 / GIB as f64),
            "free 4 GiB: a control-plane node takes about 350 MiB, building the image more",
        ),
        None => Check::warning(name, "cannot be read", "make sure that 4 GiB are available"),
    }
}

fn fsync(latency: Option<&Result<FsyncLatency, String>>) -> Check {
    let name = "fsync-latency";
    let way_out = "put the engine's data on a local solid-state disk; verdicts on a slow one may be inconclusive";
    match latency {
        Some(Ok(FsyncLatency { median_us, p99_us })) => {
            let seen = format!(
                "median {:.2} ms, p99 {:.2} ms (20 writes of 4 KiB)",
                *median_us as f64 / 1000.0,
                *p99_us as f64 / 1000.0
            );
            if *p99_us > FSYNC_P99_MAX_US {
                Check::warning(name, seen, way_out)
            } else {
                Check::ok(name, seen)
            }
        }
        Some(Err(why)) => Check::warning(name, format!("cannot be measured: {why}"), way_out),
        None => Check::warning(name, "was not measured", way_out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    fn host() -> HostFacts {
        let there = Presence::Present;
        HostFacts {
            kernel: Kernel {
                overlay: there,
                bridge: there,
                veth: Presence::Loadable,
                iptables: Presence::Absent,
                nftables: there,
                bridge_filter: there,
                vxlan: there,
                netem: Presence::Absent,
            },
            root: true,
            bridged_packets_are_filtered: Some(true),
            inotify_instances: Some(512),
            inotify_watches: Some(524_288),
            free_disk_bytes: Some(FREE_DISK_MIN),
            available_memory_bytes: Some(MEMORY_MIN),
            fsync: Some(Ok(FsyncLatency {
                median_us: 900,
                p99_us: 20_000,
            })),
        }
    }

    fn check(host: &HostFacts, name: &str) -> Check {
        host_checks(host)
            .into_iter()
            .find(|check| check.name == name)
            .unwrap()
    }

    #[test]
    fn a_good_host_is_ok_down_to_the_limits() {
        for check in host_checks(&host()) {
            assert_eq!((check.level, &check.way_out), (Level::Ok, &None), "{check}");
        }
    }

    #[test]
    fn each_trouble_is_named_with_its_way_out() {
        let mut small = host();
        small.inotify_instances = Some(128);
        let seen = check(&small, "inotify-instances");
        assert_eq!(seen.level, Level::Warning);
        assert_eq!(
            seen.way_out.unwrap(),
            "sudo sysctl -w fs.inotify.max_user_instances=512"
        );
        small.free_disk_bytes = Some(FREE_DISK_MIN - 1);
        small.available_memory_bytes = Some(MEMORY_MIN - 1);
        small.fsync = Some(Ok(FsyncLatency {
            median_us: 900,
            p99_us: 20_001,
        }));
        small.kernel.overlay = Presence::Absent;
        small.kernel.nftables = Presence::Absent;
        small.root = false;
        assert_eq!(check(&small, "free-disk").level, Level::Problem);
        assert_eq!(check(&small, "memory").level, Level::Problem);
        assert_eq!(check(&small, "fsync-latency").level, Level::Warning);
        assert_eq!(check(&small, "kernel-overlay").level, Level::Problem);
        assert_eq!(check(&small, "kernel-filter").level, Level::Problem);
        assert_eq!(check(&small, "host-network").level, Level::Warning);
    }

    #[test]
    fn what_cannot_be_seen_is_a_warning_not_a_problem() {
        let levels: Vec<_> = host_checks(&HostFacts::default())
            .into_iter()
            .map(|check| check.level)
            .collect();
        assert!(
            levels.iter().all(|level| *level != Level::Problem),
            "{levels:?}"
        );
    }
}
