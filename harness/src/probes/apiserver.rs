//! Requests to apiservers, directly and through the load balancer, on new and on kept connections.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use oracle::observation::{Connection, Request, RequestKind, RequestOutcome, Served};
use oracle::{Sighting, Source};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::connection::{Identity, Session};
use super::{INTERVAL, REQUEST_DEADLINE, requests};
use crate::stream::Stream;

/// How many requests of one probe may be under way. A server that hangs holds each for the
/// deadline; at 5 Hz that makes ten, and then the probe waits, which the record shows.
const MOST_UNDER_WAY: usize = 12;

/// Asks one server: readiness on a new connection and a read on the kept one, in turn.
pub(super) async fn watch(stream: Stream, source: Source, target: SocketAddr, identity: Identity) {
    let kinds = |tick: u64| match tick % 2 {
        0 => vec![(RequestKind::Ready, Connection::New)],
        _ => vec![(RequestKind::Read, Connection::Reused)],
    };
    ask(stream, source, target, identity, kinds).await;
}

/// Asks through the load balancer: a write each time, on new and kept connections in turn, and a
/// read on a kept one each second time.
pub(super) async fn watch_balanced(stream: Stream, target: SocketAddr, identity: Identity) {
    let kinds = |tick: u64| match tick % 2 {
        0 => vec![(RequestKind::Write(tick), Connection::New)],
        _ => vec![
            (RequestKind::Write(tick), Connection::Reused),
            (RequestKind::Read, Connection::Reused),
        ],
    };
    ask(stream, Source::LoadBalancer, target, identity, kinds).await;
}

async fn ask(
    stream: Stream,
    source: Source,
    target: SocketAddr,
    identity: Identity,
    kinds: impl Fn(u64) -> Vec<(RequestKind, Connection)> + Send,
) {
    let asker = Arc::new(Asker {
        stream,
        source,
        target,
        identity,
        kept: Mutex::new(None),
    });
    let under_way = Arc::new(Semaphore::new(MOST_UNDER_WAY));
    let mut tasks = tokio::task::JoinSet::new();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0.. {
        ticks.tick().await;
        while tasks.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else {
            return;
        };
        let (asker, kinds) = (Arc::clone(&asker), kinds(tick));
        tasks.spawn(async move {
            for (kind, connection) in kinds {
                asker.ask_once(kind, connection).await;
            }
            drop(permit);
        });
    }
}

struct Asker {
    stream: Stream,
    source: Source,
    target: SocketAddr,
    identity: Identity,
    kept: Mutex<Option<Session>>,
}

impl Asker {
    async fn ask_once(&self, kind: RequestKind, connection: Connection) {
        let start_us = self.stream.clock.now_us();
        let mut connection = connection;
        let asked = timeout(REQUEST_DEADLINE, self.send(&kind, &mut connection)).await;
        let (outcome, served_by) = asked.unwrap_or((RequestOutcome::TimedOut, None));
        let request = Request {
            kind,
            connection,
            outcome,
            served_by,
        };
        self.stream
            .saw(self.source.clone(), start_us, Sighting::Request(request))
            .await;
    }

    /// A kept connection that another request uses, or that is gone, is replaced by a new one,
    /// and `connection` says so. A lost connection is never used again.
    async fn send(
        &self,
        kind: &RequestKind,
        connection: &mut Connection,
    ) -> (RequestOutcome, Option<Served>) {
        let mut slot = match connection {
            Connection::Reused => self.kept.try_lock().ok(),
            Connection::New => None,
        };
        let kept = slot.as_mut().and_then(|slot| slot.take());
        let mut session = match kept {
            Some(session) => session,
            None => {
                *connection = Connection::New;
                match Session::connect(self.target, &self.identity).await {
                    Ok(session) => session,
                    Err(error) => return (requests::unconnected(&error), None),
                }
            }
        };
        let served = session.served.clone();
        let outcome = match session.request(request_for(kind)).await {
            Ok((status, body)) => {
                if status == http::StatusCode::NOT_FOUND && matches!(kind, RequestKind::Write(_)) {
                    // The first write finds no namespace; it is a failed write all the same.
                    let _ = session.request(requests::namespace()).await;
                }
                let outcome = requests::answered(status, &body);
                if let Some(slot) = slot.as_mut() {
                    **slot = Some(session);
                }
                outcome
            }
            Err(error) => RequestOutcome::Broken(error),
        };
        (outcome, served)
    }
}

fn request_for(kind: &RequestKind) -> http::Request<Full<bytes::Bytes>> {
    match kind {
        RequestKind::Ready => requests::get("/readyz"),
        RequestKind::Read => requests::read(),
        RequestKind::Write(key) => requests::write(*key),
    }
}
