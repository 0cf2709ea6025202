//! Which apiservers the load balancer sends requests to, as it says itself.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::{Cluster, ClusterError, Node, STATISTICS_PORT};
use crate::docker::Power;

/// How long one attempt to connect may take. An address that is not there yet answers nothing.
const DIAL_DEADLINE: Duration = Duration::from_secs(1);
/// Between two attempts.
const DIAL_PAUSE: Duration = Duration::from_millis(30);

/// One apiserver as the load balancer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Such as `cp-1-self-hosted`.
    pub server: String,
    /// HAProxy's word: `UP`, `DOWN`, `UP 1/2` and so on.
    pub status: String,
    /// Connections at the moment.
    pub sessions: u64,
}

impl Backend {
    /// Whether requests are sent to it.
    pub fn is_up(&self) -> bool {
        self.status.starts_with("UP")
    }
}

impl Cluster {
    /// Asks the load balancer which apiservers it sends requests to.
    ///
    /// # Errors
    /// When it does not answer within `deadline`, or not in CSV.
    pub async fn backends(&self, deadline: Duration) -> Result<Vec<Backend>, ClusterError> {
        let wrong = |why: String| ClusterError::LoadBalancer {
            cluster: self.topology().name.clone(),
            why,
        };
        let address = (self.topology().load_balancer, STATISTICS_PORT);
        let asking = fetch(address.into());
        match timeout(deadline, asking).await {
            Err(_) => Err(wrong(format!(
                "no answer within {} ms",
                deadline.as_millis()
            ))),
            Ok(Err(why)) => Err(wrong(why)),
            Ok(Ok(answer)) => {
                parse(&answer).ok_or_else(|| wrong("the answer is not CSV".to_owned()))
            }
        }
    }
}

/// The most bytes of statistics that are read: a thousand times what nine nodes give.
const STATISTICS_BYTES_MAX: usize = 4 << 20;

/// Fetches the statistics over a connection of their own.
async fn fetch(address: SocketAddr) -> Result<String, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| error.to_string())?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    let request = hyper::Request::get("/;csv")
        .header(hyper::header::HOST, address.to_string())
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|error| error.to_string())?;
    // Owning the sender, this ends the connection, which is driven beside it.
    let asking = async move {
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let body = Limited::new(answer.into_body(), STATISTICS_BYTES_MAX);
        let body = body
            .collect()
            .await
            .map_err(|error| error.to_string())?
            .to_bytes();
        Ok(String::from_utf8_lossy(&body).into_owned())
    };
    let (answer, _) = tokio::join!(asking, connection);
    answer
}

/// Waits until a load balancer that has just been started answers.
///
/// # Errors
/// [`ClusterError::NotBooted`] with its console when it ends or does not answer within `deadline`.
pub(super) async fn wait_serving(node: &Node, deadline: Duration) -> Result<(), ClusterError> {
    let address = (node.address(), STATISTICS_PORT);
    let begun = Instant::now();
    let why = loop {
        let dialling = timeout(DIAL_DEADLINE, TcpStream::connect(address)).await;
        if matches!(dialling, Ok(Ok(_))) {
            return Ok(());
        }
        let state = node.state().await?;
        if state.power != Power::On {
            break format!("its process ended with code {}", state.exit_code);
        }
        if begun.elapsed() >= deadline {
            break format!("nothing answers at {}:{STATISTICS_PORT}", node.address());
        }
        sleep(DIAL_PAUSE).await;
    };
    let console = node
        .logs(30)
        .await
        .unwrap_or_else(|error| error.to_string());
    Err(ClusterError::NotBooted {
        node: node.name().to_owned(),
        why,
        console,
    })
}

fn parse(table: &str) -> Option<Vec<Backend>> {
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next()?.trim_start_matches("# ").split(',').collect();
    let column = |name: &str| header.iter().position(|field| *field == name);
    let (proxy, server) = (column("pxname")?, column("svname")?);
    let (status, sessions) = (column("status")?, column("scur")?);
    let rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let ours = rows.filter(|row| {
        row.get(proxy) == Some(&"apiservers")
            && !matches!(row.get(server), None | Some(&"FRONTEND" | &"BACKEND"))
    });
    ours.map(|row| {
        Some(Backend {
            server: (*row.get(server)?).to_owned(),
            status: (*row.get(status)?).to_owned(),
            sessions: row.get(sessions)?.parse().ok()?,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_by_column_name() {
        let answer = "# pxname,svname,qcur,qmax,scur,smax,status,\n\
            apiservers,FRONTEND,,,3,9,OPEN,\n\
            apiservers,cp-1-self-hosted,0,0,2,5,UP,\n\
            apiservers,cp-1-bootstrap,0,0,0,5,DOWN,\n\
            apiservers,BACKEND,0,0,2,5,UP,\n";
        let backends = parse(answer).unwrap();
        let seen: Vec<_> = backends
            .iter()
            .map(|b| (b.server.as_str(), b.is_up(), b.sessions))
            .collect();
        assert_eq!(
            seen,
            [("cp-1-self-hosted", true, 2), ("cp-1-bootstrap", false, 0)]
        );
        assert_eq!(parse("<html><body>503</body></html>"), None);
    }
}
