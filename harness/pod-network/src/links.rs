//! The links of the own node: a tunnel, one route for each peer, one masquerading rule.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::command::{CommandError, run};
use crate::node_map::{Place, Wanted};

/// Name of the tunnel's device.
const TUNNEL: &str = "chrysalis0";
/// Largest packet through the tunnel, in bytes: Ethernet's 1500 less 50 for vxlan's headers.
pub(crate) const TUNNEL_MTU: u32 = 1450;
/// UDP port of the tunnel (the one assigned to vxlan).
const TUNNEL_PORT: u16 = 4789;
/// Mark of the routes made here, so that stale ones are told from everybody else's.
const ROUTE_PROTOCOL: u8 = 147;
/// Chain of the masquerading rule.
const CHAIN: &str = "CHRYSALIS-POD-NETWORK";

/// Why the links are not as they should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// A program failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A program printed something else than expected.
    #[error("`{line}` printed something unexpected; is it iproute2 4.14 or later?")]
    Unreadable {
        /// The program and its arguments.
        line: &'static str,
        /// Where the text stops making sense.
        #[source]
        source: serde_json::Error,
    },
    /// No device has the own node's address.
    #[error("no device of this node has its internal address {0}; check the kubelet's --node-ip")]
    NoUplink(Ipv4Addr),
    /// The node does not forward and may not be told to.
    #[error(
        "cannot let the node forward packets (net.ipv4.ip_forward); the pod must be privileged"
    )]
    Forwarding(#[source] std::io::Error),
}

/// Makes the own node's links what is wanted. Doing it again changes nothing.
///
/// # Errors
/// Stops at the first thing that cannot be done; the rest is done at the next attempt.
pub(crate) async fn establish(wanted: &Wanted) -> Result<(), LinkError> {
    allow_forwarding()?;
    let uplink = uplink(wanted.own.address).await?;
    make_tunnel(wanted.own).await?;
    masquerade(wanted.own, &uplink).await?;
    for peer in &wanted.peers {
        let (network, address, mac) = (peer.range.network, peer.address, tunnel_mac(peer.address));
        run(&format!(
            "bridge fdb replace {mac} dev {TUNNEL} dst {address} self permanent"
        ))
        .await?;
        run(&format!(
            "ip neigh replace {network} lladdr {mac} dev {TUNNEL} nud permanent"
        ))
        .await?;
        // The peer's first address stands for its end of the tunnel.
        run(&format!(
            "ip route replace {} via {network} dev {TUNNEL} onlink proto {ROUTE_PROTOCOL}",
            peer.range
        ))
        .await?;
    }
    remove_stale_routes(wanted).await
}

/// The tunnel's device, with the first address of the own range: what a process of the node
/// sends to a remote pod then comes from an address whose answers come back through the tunnel.
async fn make_tunnel(own: Place) -> Result<(), LinkError> {
    let mac = tunnel_mac(own.address);
    let present = run(&format!("ip -d -j link show dev {TUNNEL}"))
        .await
        .unwrap_or_default();
    let described = present.contains(&format!("\"local\":\"{}\"", own.address))
        && present.contains(&format!("\"address\":\"{mac}\""));
    if !described {
        if !present.is_empty() {
            run(&format!("ip link delete {TUNNEL}")).await?;
        }
        run(&format!(
            "ip link add {TUNNEL} address {mac} mtu {TUNNEL_MTU} type vxlan id 1 local {} dstport {TUNNEL_PORT} nolearning",
            own.address
        ))
        .await?;
    }
    let wanted_address = format!("{}/32", own.range.network);
    let shown = run(&format!("ip -o -4 address show dev {TUNNEL}")).await?;
    let addresses: Vec<&str> = shown
        .split_whitespace()
        .skip_while(|word| *word != "inet")
        .skip(1)
        .take(1)
        .collect();
    // `ip` leaves the length of a single address out.
    let has = addresses
        .iter()
        .any(|found| *found == wanted_address || **found == own.range.network.to_string());
    if !has {
        run(&format!("ip address flush dev {TUNNEL}")).await?;
        run(&format!("ip address add {wanted_address} dev {TUNNEL}")).await?;
    }
    run(&format!("ip link set {TUNNEL} up")).await?;
    Ok(())
}

/// Hides pod addresses from everything that is neither on this node nor behind the tunnel.
async fn masquerade(own: Place, uplink: &str) -> Result<(), LinkError> {
    const TABLE: &str = "iptables -w 5 -t nat";
    let rule = format!("-A {CHAIN} -s {} -o {uplink} -j MASQUERADE", own.range);
    let present = run(&format!("{TABLE} -S {CHAIN}")).await;
    if !present.as_ref().is_ok_and(|rules| {
        rules
            .lines()
            .filter(|line| line.starts_with("-A"))
            .eq([rule.as_str()])
    }) {
        if present.is_err() {
            run(&format!("{TABLE} -N {CHAIN}")).await?;
        }
        run(&format!("{TABLE} -F {CHAIN}")).await?;
        run(&format!("{TABLE} {rule}")).await?;
    }
    if run(&format!("{TABLE} -C POSTROUTING -j {CHAIN}"))
        .await
        .is_err()
    {
        run(&format!("{TABLE} -A POSTROUTING -j {CHAIN}")).await?;
    }
    Ok(())
}

async fn remove_stale_routes(wanted: &Wanted) -> Result<(), LinkError> {
    const LIST: &str = "ip -j -4 route show proto 147";
    let listed = run(LIST).await?;
    for stale in stale_routes(&listed, wanted)
        .map_err(|source| LinkError::Unreadable { line: LIST, source })?
    {
        run(&format!("ip route del {stale} proto {ROUTE_PROTOCOL}")).await?;
        println!("pod-network: removed the route to {stale}, whose node is gone");
    }
    Ok(())
}

/// Routes of ours, in the output of `ip -j route`, that lead to no peer.
fn stale_routes(listed: &str, wanted: &Wanted) -> Result<Vec<String>, serde_json::Error> {
    if listed.trim().is_empty() {
        return Ok(Vec::new());
    }
    let routes: Vec<Value> = serde_json::from_str(listed)?;
    let leads_to_peer = |range: &str| {
        wanted
            .peers
            .iter()
            .any(|peer| peer.range.to_string() == range)
    };
    Ok(routes
        .iter()
        .filter_map(|route| route["dst"].as_str())
        .filter(|range| !leads_to_peer(range))
        .map(str::to_owned)
        .collect())
}

/// The device with this address.
async fn uplink(address: Ipv4Addr) -> Result<String, LinkError> {
    let shown = run("ip -o -4 address show").await?;
    device_with(&shown, address).ok_or(LinkError::NoUplink(address))
}

/// Finds `address` in lines such as `5: eth0    inet 10.0.0.2/24 brd …`.
fn device_with(shown: &str, address: Ipv4Addr) -> Option<String> {
    let address = address.to_string();
    shown.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let given = words
            .iter()
            .position(|word| *word == "inet")
            .and_then(|at| words.get(at + 1))?;
        (given.split('/').next() == Some(address.as_str()))
            .then(|| words.get(1).map(|name| (*name).to_owned()))?
    })
}

/// The hardware address of a node's end of the tunnel. It follows from the node's address, so
/// that peers need not tell each other; the second digit marks it as locally administered.
fn tunnel_mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("0e:c5:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

fn allow_forwarding() -> Result<(), LinkError> {
    const SETTING: &str = "/proc/sys/net/ipv4/ip_forward";
    let set = std::fs::read_to_string(SETTING).map_err(LinkError::Forwarding)?;
    if set.trim() == "1" {
        return Ok(());
    }
    std::fs::write(SETTING, "1").map_err(LinkError::Forwarding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_map::PodRange;

    fn place(address: &str, range: &str) -> Place {
        Place {
            address: address.parse().unwrap(),
            range: PodRange::parse(range).unwrap(),
        }
    }

    #[test]
    fn only_routes_without_a_peer_are_stale() {
        let wanted = Wanted {
            own: place("10.0.0.1", "10.244.0.0/24"),
            peers: vec![place("10.0.0.2", "10.244.1.0/24")],
        };
        let listed = r#"[{"dst":"10.244.1.0/24","gateway":"10.244.1.0"},{"dst":"10.244.9.0/24"}]"#;
        assert_eq!(
            stale_routes(listed, &wanted).unwrap(),
            vec!["10.244.9.0/24"]
        );
        assert_eq!(stale_routes("", &wanted).unwrap(), Vec::<String>::new());
        assert!(stale_routes("10.244.1.0/24 via …", &wanted).is_err());
    }

    #[test]
    fn the_uplink_is_the_device_with_the_address() {
        let shown = "1: lo    inet 127.0.0.1/8 scope host lo\n5: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\n";
        assert_eq!(
            device_with(shown, Ipv4Addr::new(10, 0, 0, 1)).as_deref(),
            Some("eth0")
        );
        assert_eq!(device_with(shown, Ipv4Addr::new(10, 0, 0, 2)), None);
    }

    #[test]
    fn hardware_addresses_follow_from_addresses() {
        assert_eq!(
            tunnel_mac(Ipv4Addr::new(10, 231, 7, 11)),
            "0e:c5:0a:e7:07:0b"
        );
    }
}
