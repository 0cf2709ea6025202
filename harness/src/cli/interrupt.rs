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
    token_that_says(
        "interrupted: removing what was made; once more leaves at once",
        "left at once: `chrysalis reap` will remove the rest",
    )
}

/// The same for a search, which leaves nothing behind but what it has found.
///
/// # Errors
/// As [`token`].
pub fn token_of_a_search() -> Result<CancellationToken, Failure> {
    token_that_says(
        "interrupted: reporting what was covered; once more leaves at once",
        "left at once",
    )
}

fn token_that_says(
    first: &'static str,
    second: &'static str,
) -> Result<CancellationToken, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Unavailable, error));
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        tell!("{first}");
        cancelled.cancel();
        either(&mut interrupt, &mut terminate).await;
        tell!("{second}");
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
