//! What HAProxy says of its servers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Port of the statistics.
pub(super) const STATISTICS_PORT: u16 = 8404;
/// How long asking may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// Servers to which the load balancer sends requests; `None` when it did not say. A server that is down,
/// or was never listed, is not among them.
pub(super) async fn listed(address: SocketAddr) -> Option<BTreeSet<String>> {
    let table = tokio::time::timeout(DEADLINE, statistics(address))
        .await
        .ok()??;
    listed_in(&table)
}

async fn statistics(address: SocketAddr) -> Option<String> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    let request = hyper::Request::get("/;csv")
        .header("host", address.to_string())
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .expect("path and headers are literals");
    let exchange = async {
        let response = sender.send_request(request).await.ok()?;
        response
            .into_body()
            .collect()
            .await
            .ok()
            .map(|body| body.to_bytes())
    };
    let (body, _) = tokio::join!(exchange, connection);
    String::from_utf8(body?.to_vec()).ok()
}

fn listed_in(table: &str) -> Option<BTreeSet<String>> {
    let mut lines = table.lines();
    let names: Vec<_> = lines.next()?.trim_start_matches("# ").split(',').collect();
    let server_column = names.iter().position(|name| *name == "svname")?;
    let status_column = names.iter().position(|name| *name == "status")?;
    let mut listed = BTreeSet::new();
    for fields in lines.map(|line| line.split(',').collect::<Vec<_>>()) {
        // "UP 1/2" is a server that failed a check and still gets connections.
        let gets = fields
            .get(status_column)
            .is_some_and(|status| status.starts_with("UP"));
        if let Some(server) = fields.get(server_column).filter(|_| gets) {
            listed.insert((*server).to_owned());
        }
    }
    Some(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# pxname,svname,qcur,status,weight\n\
        apiservers,cp-1-bootstrap,0,UP,1\n\
        apiservers,cp-1-self-hosted,0,UP,1\n\
        apiservers,cp-2-bootstrap,0,DOWN,1\n\
        apiservers,cp-2-self-hosted,0,DOWN 1/2,1\n\
        apiservers,cp-3-bootstrap,0,UP 1/2,1\n";

    #[test]
    fn only_a_server_with_connections_is_listed() {
        let listed = listed_in(TABLE).unwrap();
        let expected = ["cp-1-bootstrap", "cp-1-self-hosted", "cp-3-bootstrap"];
        assert_eq!(listed, BTreeSet::from(expected.map(ToOwned::to_owned)));
        assert_eq!(listed_in("<html>"), None);
        assert_eq!(listed_in(""), None);
    }
}
