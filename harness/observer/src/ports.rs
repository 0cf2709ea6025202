//! Listening TCP ports, from `/proc/net`.

use std::collections::BTreeMap;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Ports that something listens on, of IPv4 and IPv6. The owner is not looked up: the processes'
/// command lines name their ports.
pub fn listening() -> BTreeMap<u16, Option<u32>> {
    let mut ports = BTreeMap::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        ports.extend(parse(&text).map(|port| (port, None)));
    }
    ports
}

fn parse(table: &str) -> impl Iterator<Item = u16> + '_ {
    table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace();
        let local = columns.nth(1)?;
        let state = columns.nth(1)?;
        let port = local.rsplit(':').next()?;
        (state == LISTEN)
            .then(|| u16::from_str_radix(port, 16).ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_listening_sockets_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
             0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1\n\
             1: 0100007F:8AE2 0100007F:192B 01 00000000:00000000 00:00000000 00000000 0 0 2\n";
        assert_eq!(super::parse(table).collect::<Vec<_>>(), [6443]);
    }
}
