//! What the kernel can do.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether the kernel has something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It is there, built in or loaded.
    Present,
    /// It can be loaded as a module.
    Loadable,
    /// The kernel was built without it.
    Absent,
    /// It could not be found out.
    #[default]
    Unknown,
}

/// What the kernel can do, as far as clusters need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// The overlay file system: container images, in the engine and in the nodes.
    pub overlay: Presence,
    /// Ethernet bridges: cluster networks.
    pub bridge: Presence,
    /// Pairs of virtual interfaces: containers and pods.
    pub veth: Presence,
    /// The classic packet filter.
    pub iptables: Presence,
    /// The new packet filter.
    pub nftables: Presence,
    /// The filter for bridged packets.
    pub bridge_filter: Presence,
    /// Encapsulation, for pod networks that use it.
    pub vxlan: Presence,
    /// Delay and loss of packets.
    pub netem: Presence,
}

/// One feature: the name of its build option and of its module.
const OVERLAY: (&str, &str) = ("CONFIG_OVERLAY_FS", "overlay");
const BRIDGE: (&str, &str) = ("CONFIG_BRIDGE", "bridge");
const VETH: (&str, &str) = ("CONFIG_VETH", "veth");
const IPTABLES: (&str, &str) = ("CONFIG_IP_NF_IPTABLES", "ip_tables");
const NFTABLES: (&str, &str) = ("CONFIG_NF_TABLES", "nf_tables");
const BRIDGE_FILTER: (&str, &str) = ("CONFIG_BRIDGE_NETFILTER", "br_netfilter");
const VXLAN: (&str, &str) = ("CONFIG_VXLAN", "vxlan");
const NETEM: (&str, &str) = ("CONFIG_NET_SCH_NETEM", "sch_netem");

impl Kernel {
    /// Looks at the running kernel: what is loaded, and what its build configuration says.
    pub(crate) fn look() -> Self {
        let configuration = configuration();
        let look = |(option, module): (&str, &str)| {
            let loaded = Path::new("/sys/module").join(module).is_dir();
            presence(configuration.as_deref(), option, loaded)
        };
        Self {
            overlay: look(OVERLAY),
            bridge: look(BRIDGE),
            veth: look(VETH),
            iptables: look(IPTABLES),
            nftables: look(NFTABLES),
            bridge_filter: look(BRIDGE_FILTER),
            vxlan: look(VXLAN),
            netem: look(NETEM),
        }
    }
}

/// The kernel's build configuration, where the distribution or the kernel itself offers it.
fn configuration() -> Option<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    if let Ok(text) = fs::read_to_string(format!("/boot/config-{}", release.trim())) {
        return Some(text);
    }
    let output = Command::new("gzip")
        .args(["-dc", "/proc/config.gz"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn presence(configuration: Option<&str>, option: &str, loaded: bool) -> Presence {
    if loaded {
        return Presence::Present;
    }
    let Some(configuration) = configuration else {
        return Presence::Unknown;
    };
    let built = configuration
        .lines()
        .find_map(|line| line.strip_prefix(option)?.strip_prefix('='));
    match built {
        Some("y") => Presence::Present,
        Some("m") => Presence::Loadable,
        _ => Presence::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_absent() {
        let text = "CONFIG_VXLAN=m\nCONFIG_BRIDGE=y\n# CONFIG_NET_SCH_NETEM is not set\n";
        assert_eq!(
            presence(Some(text), "CONFIG_BRIDGE", false),
            Presence::Present
        );
        assert_eq!(
            presence(Some(text), "CONFIG_VXLAN", false),
            Presence::Loadable
        );
        assert_eq!(
            presence(Some(text), "CONFIG_VXLAN", true),
            Presence::Present
        );
        assert_eq!(
            presence(Some(text), "CONFIG_NET_SCH_NETEM", false),
            Presence::Absent
        );
        assert_eq!(
            presence(None, "CONFIG_NET_SCH_NETEM", false),
            Presence::Unknown
        );
        // A longer option must not be taken for a shorter one.
        assert_eq!(
            presence(Some("CONFIG_BRIDGE_X=y"), "CONFIG_BRIDGE", false),
            Presence::Absent
        );
    }
}
