//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use crate::console::lines::tell;

/// A token that the first Ctrl-C or SIGTERM cancels: whatever works then removes what it has made
/// and returns. The second one ends the process at once and says who will remove the rest.
///
/// # Errors
/// When the process may not handle signals, which no system that can run containers does.
pub fn token() -> Result<CancellationToken, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Unavailable, error));
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        tell!("interrupted: removing what was made; once more leaves at once");
        cancelled.cancel();
        either(&mut interrupt, &mut terminate).await;
        tell!("left at once: `chrysalis reap` will remove the rest");
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(token)
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
