//! What the host's own network needs while clusters live: a route that swallows stray packets, and
//! leave for pods of one cluster to talk to each other.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::subnet::{BRIDGE_PREFIX, POOL};
use super::{ClusterError, Subnet};

const LOCK_DIRECTORY: &str = "/run/chrysalis";
const LOCK_WAIT: Duration = Duration::from_secs(60);
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
const BRIDGE_FILTER: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// The right to change the host's routes and rules. Held from before a network is made until its
/// route stands, and while the last network and the route go, so that one run's end does not take
/// the route from another's beginning. Only root can change them, so only root takes the lock.
#[derive(Debug)]
pub(crate) struct HostNetwork {
    _lock: Option<File>,
}

impl HostNetwork {
    /// Takes the lock.
    pub(crate) async fn lock() -> Result<Self, ClusterError> {
        if !is_root() {
            return Ok(Self { _lock: None });
        }
        let path = format!("{LOCK_DIRECTORY}/network.lock");
        let failed = |doing| {
            let path = path.clone();
            move |source| ClusterError::File {
                doing,
                path,
                source,
            }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(LOCK_DIRECTORY)
            .map_err(failed("make the directory of"))?;
        let file = File::create(&path).map_err(failed("open"))?;
        let begun = tokio::time::Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _lock: Some(file) }),
                Err(fs::TryLockError::WouldBlock) if begun.elapsed() < LOCK_WAIT => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(fs::TryLockError::WouldBlock) => {
                    let waited_ms = u64::try_from(LOCK_WAIT.as_millis()).unwrap_or(u64::MAX);
                    return Err(ClusterError::PoolLocked { path, waited_ms });
                }
                Err(fs::TryLockError::Error(error)) => return Err(failed("lock")(error)),
            }
        }
    }

    /// Readies the host for a network; what cannot be done is returned as warnings.
    pub(crate) async fn admit(&self, subnet: Subnet) -> Vec<String> {
        let mut warnings = Vec::new();
        warnings.extend(self.swallow_strays().await);
        warnings.extend(self.let_pods_talk(subnet).await);
        warnings
    }

    /// While a run lives, packets to addresses of the pool that no bridge has must not follow the
    /// host's default route into the world: the bridges' own routes are more specific and win.
    async fn swallow_strays(&self) -> Option<String> {
        let advice =
            "a packet to a node that has just vanished may follow this host's default route";
        if !is_root() {
            return Some(format!(
                "no blackhole route for {POOL} (that takes root): {advice}"
            ));
        }
        match run("ip", &["-4", "route", "show", "exact", POOL]).await {
            Ok(routes) if routes.starts_with("blackhole") => None,
            Ok(routes) if !routes.trim().is_empty() => Some(format!(
                "this host has a route of its own for {POOL} ({}): {advice}",
                routes.trim()
            )),
            Ok(_) => match run("ip", &["route", "add", "blackhole", POOL]).await {
                Ok(_) => None,
                Err(why) => Some(format!("no blackhole route for {POOL} ({why}): {advice}")),
            },
            Err(why) => Some(format!("no blackhole route for {POOL} ({why}): {advice}")),
        }
    }

    /// Where bridged packets pass the host's packet filter, the engine's rules for internal networks
    /// drop everything that does not come from and go to addresses of the subnet: packets between
    /// pods. They are let through within this one bridge; nothing is opened to anywhere else.
    async fn let_pods_talk(&self, subnet: Subnet) -> Option<String> {
        if fs::read_to_string(BRIDGE_FILTER).ok()?.trim() != "1" {
            return None;
        }
        let advice = "pods on different nodes cannot reach each other unless the pod network encapsulates; `sysctl -w net.bridge.bridge-nf-call-iptables=0` helps too";
        if !is_root() {
            return Some(format!(
                "bridged packets are filtered (changing that takes root): {advice}"
            ));
        }
        let bridge = subnet.bridge();
        if rule("-C", &bridge).await.is_ok() {
            return None;
        }
        let why = rule("-I", &bridge).await.err()?;
        Some(format!("bridged packets are filtered ({why}): {advice}"))
    }

    /// Takes back what [`HostNetwork::admit`] gave to networks that are no more. Returns what was
    /// taken back.
    pub(crate) async fn release(&self, living: &[Subnet]) -> Vec<String> {
        let mut released = Vec::new();
        if !is_root() {
            return released;
        }
        let bridges: Vec<String> = living.iter().map(|subnet| subnet.bridge()).collect();
        let rules = run("iptables", &["-w", "5", "-S", "DOCKER-USER"])
            .await
            .unwrap_or_default();
        for bridge in bridges_of(&rules) {
            if !bridges.contains(&bridge) && rule("-D", &bridge).await.is_ok() {
                released.push(format!("packet filter rule of bridge {bridge}"));
            }
        }
        if living.is_empty() {
            let route = run("ip", &["-4", "route", "show", "exact", POOL]).await;
            if route.is_ok_and(|route| route.starts_with("blackhole"))
                && run("ip", &["route", "del", "blackhole", POOL])
                    .await
                    .is_ok()
            {
                released.push(format!("blackhole route {POOL}"));
            }
        }
        released
    }

    /// What [`HostNetwork::release`] would take back.
    pub(crate) async fn releasable(&self, living: &[Subnet]) -> Vec<String> {
        let bridges: Vec<String> = living.iter().map(|subnet| subnet.bridge()).collect();
        let rules = run("iptables", &["-w", "5", "-S", "DOCKER-USER"])
            .await
            .unwrap_or_default();
        let mut stale: Vec<String> = bridges_of(&rules)
            .into_iter()
            .filter(|bridge| !bridges.contains(bridge))
            .map(|bridge| format!("packet filter rule of bridge {bridge}"))
            .collect();
        let route = run("ip", &["-4", "route", "show", "exact", POOL])
            .await
            .unwrap_or_default();
        if living.is_empty() && route.starts_with("blackhole") {
            stale.push(format!("blackhole route {POOL}"));
        }
        stale
    }
}

/// Whether this process may change the host's network.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

async fn rule(verb: &str, bridge: &str) -> Result<String, String> {
    let arguments = [
        "-w",
        "5",
        verb,
        "DOCKER-USER",
        "-i",
        bridge,
        "-o",
        bridge,
        "-j",
        "ACCEPT",
    ];
    run("iptables", &arguments).await
}

/// The bridges of ours that rules of `iptables -S` name.
fn bridges_of(rules: &str) -> Vec<String> {
    let mut bridges: Vec<String> = rules
        .lines()
        .filter_map(|line| line.split_once(" -i ")?.1.split_whitespace().next())
        .filter(|bridge| bridge.starts_with(BRIDGE_PREFIX))
        .map(str::to_owned)
        .collect();
    bridges.sort();
    bridges.dedup();
    bridges
}

async fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let running = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(COMMAND_DEADLINE, running).await {
        Err(_) => Err(format!(
            "`{program}` did not end within {COMMAND_DEADLINE:?}"
        )),
        Ok(Err(error)) => Err(format!("cannot run `{program}`: {error}")),
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(output)) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bridges_of_ours_are_found_in_rules() {
        let rules = "-N DOCKER-USER\n\
            -A DOCKER-USER -i chrysalis-7 -o chrysalis-7 -j ACCEPT\n\
            -A DOCKER-USER -i br-cf2e -o br-cf2e -j ACCEPT\n\
            -A DOCKER-USER -j RETURN\n";
        assert_eq!(bridges_of(rules), ["chrysalis-7"]);
    }
}
