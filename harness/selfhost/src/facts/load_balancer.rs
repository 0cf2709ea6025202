//! What HAProxy says of its servers.

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

/// Whether the load balancer sends nothing to this server (it is down, or was never listed);
/// `None` when it did not say.
pub(super) async fn unlisted(address: SocketAddr, server: &str) -> Option<bool> {
    let table = tokio::time::timeout(DEADLINE, statistics(address))
        .await
        .ok()??;
    unlisted_in(&table, server)
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

fn unlisted_in(table: &str, server: &str) -> Option<bool> {
    let mut lines = table.lines();
    let names: Vec<_> = lines.next()?.trim_start_matches("# ").split(',').collect();
    let server_column = names.iter().position(|name| *name == "svname")?;
    let status_column = names.iter().position(|name| *name == "status")?;
    let status = lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|fields| fields.get(server_column) == Some(&server))
        .map(|fields| {
            fields
                .get(status_column)
                .copied()
                .unwrap_or_default()
                .to_owned()
        });
    // "UP 1/2" is a server that failed a check and still gets connections.
    Some(status.is_none_or(|status| !status.starts_with("UP")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# pxname,svname,qcur,status,weight\n\
        apiservers,cp-1-bootstrap,0,UP,1\n\
        apiservers,cp-2-bootstrap,0,DOWN,1\n\
        apiservers,cp-3-bootstrap,0,UP 1/2,1\n";

    #[test]
    fn only_a_server_without_connections_is_unlisted() {
        assert_eq!(unlisted_in(TABLE, "cp-1-bootstrap"), Some(false));
        assert_eq!(unlisted_in(TABLE, "cp-2-bootstrap"), Some(true));
        assert_eq!(unlisted_in(TABLE, "cp-3-bootstrap"), Some(false));
        assert_eq!(unlisted_in(TABLE, "cp-4-bootstrap"), Some(true));
        assert_eq!(unlisted_in("<html>", "cp-1-bootstrap"), None);
        assert_eq!(unlisted_in("", "cp-1-bootstrap"), None);
    }
}
