//! Which apiservers the load balancer sends requests to, as it says itself.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Cluster, ClusterError, STATISTICS_PORT};

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
        let asking = async {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(b"GET /;csv HTTP/1.0\r\n\r\n").await?;
            let mut answer = String::new();
            stream.take(1 << 20).read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        match tokio::time::timeout(deadline, asking).await {
            Err(_) => Err(wrong(format!(
                "no answer within {} ms",
                deadline.as_millis()
            ))),
            Ok(Err(error)) => Err(wrong(error.to_string())),
            Ok(Ok(answer)) => {
                parse(&answer).ok_or_else(|| wrong("the answer is not CSV".to_owned()))
            }
        }
    }
}

fn parse(answer: &str) -> Option<Vec<Backend>> {
    let (_, table) = answer.split_once("\r\n\r\n")?;
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
        let answer = "HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\n\
            # pxname,svname,qcur,qmax,scur,smax,status,\n\
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
        assert_eq!(
            parse("HTTP/1.0 503 Service Unavailable\r\n\r\n<html>"),
            None
        );
    }
}
