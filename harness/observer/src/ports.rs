//! Listening TCP ports: the kernel is asked for listening sockets alone (`sock_diag(7)`).
//!
//! `/proc/net/tcp` says the same, but every read of it walks the whole host's table of connections,
//! 262,144 buckets on a host with 24 GiB, to find those of one network namespace. Two tables five times
//! a second on each of four nodes were a tenth of two processors. It is read only where the kernel
//! cannot be asked.

use std::collections::BTreeMap;
use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Listening ports, each with its owner's pid where known. The owner is not looked up: the processes'
/// command lines name their ports.
type Ports = BTreeMap<u16, Option<u32>>;

/// Asks for the ports of this network namespace, of IPv4 and IPv6.
pub struct Listening {
    kernel: Option<Socket>,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            kernel: connect().ok(),
        }
    }
}

impl Listening {
    /// The ports that something listens on now.
    pub fn look(&mut self) -> Ports {
        let asked = self.kernel.as_ref().map(ask);
        if let Some(Ok(ports)) = asked {
            return ports;
        }
        // An answer may be under way still: nobody may take it for that of the next question.
        self.kernel = None;
        read()
    }
}

fn connect() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    Ok(socket)
}

fn ask(kernel: &Socket) -> io::Result<Ports> {
    let mut ports = Ports::new();
    for (family, any) in [
        (AF_INET, SocketId::new_v4()),
        (AF_INET6, SocketId::new_v6()),
    ] {
        kernel.send(&question(family, any), 0)?;
        while !answer(&kernel.recv_from_full()?.0, &mut ports)? {}
    }
    Ok(ports)
}

fn question(family: u8, any: SocketId) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::LISTEN,
        socket_id: any,
    });
    let mut message = NetlinkMessage::new(header, request.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// Takes the ports from a datagram of an answer; whether it was the last.
fn answer(mut datagram: &[u8], ports: &mut Ports) -> io::Result<bool> {
    while !datagram.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(datagram)
            .map_err(|error| io::Error::other(error.to_string()))?;
        match message.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(socket)) => {
                ports.insert(socket.header.socket_id.source_port, None);
            }
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            _ => {}
        }
        // Messages begin at multiples of four bytes.
        let length = (message.header.length as usize).next_multiple_of(4);
        datagram = datagram.get(length.max(1)..).unwrap_or_default();
    }
    Ok(false)
}

fn read() -> Ports {
    let mut ports = Ports::new();
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
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_listening_sockets_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
             0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1\n\
             1: 0100007F:8AE2 0100007F:192B 01 00000000:00000000 00:00000000 00000000 0 0 2\n";
        assert_eq!(parse(table).collect::<Vec<_>>(), [6443]);
    }

    #[test]
    fn the_kernel_and_its_tables_name_the_same_listener_and_no_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let from = connection.local_addr().unwrap().port();
        let mut listening = Listening::default();
        assert!(listening.kernel.is_some(), "the kernel can be asked here");
        for ports in [listening.look(), listening.look(), read()] {
            assert!(ports.contains_key(&port), "{port} in {ports:?}");
            assert!(!ports.contains_key(&from), "{from} in {ports:?}");
        }
        assert!(listening.kernel.is_some(), "it answered both times");
    }

    #[test]
    fn listeners_of_both_families_are_seen() {
        let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
            return; // a host without IPv6 has nothing to show
        };
        let port = listener.local_addr().unwrap().port();
        assert!(Listening::default().look().contains_key(&port));
        assert!(Listening { kernel: None }.look().contains_key(&port));
    }
}
