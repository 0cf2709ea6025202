//! `logs`, `exec`, `port-forward`: what the apiserver does through the kubelets.

use futures::future::try_join_all;
use kube::api::LogParams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::answering_pod::AnsweringPod;
use super::deadline::Deadline;
use super::manifests::{FIRST_WORDS, PORT};
use super::reason::reason;

/// The log of each pod tells its name. It said so before it became ready.
pub(super) async fn logs(pods: &[AnsweringPod], deadline: Deadline) -> Result<(), String> {
    let reading = pods.iter().map(|pod| async move {
        let what = format!("read the log of {} on {}", pod.name, pod.node);
        let read = async {
            let log = pod
                .pods
                .logs(&pod.name, &LogParams::default())
                .await
                .map_err(reason)?;
            expect(&log, &format!("{FIRST_WORDS} {}", pod.name))
        };
        deadline.once(&what, read).await
    });
    try_join_all(reading).await.map(|_| ())
}

/// A command in each pod tells its name.
pub(super) async fn exec(pods: &[AnsweringPod], deadline: Deadline) -> Result<(), String> {
    let running = pods.iter().map(|pod| async move {
        let what = format!("run a command in {} on {}", pod.name, pod.node);
        let run = async {
            let output = pod.run(&["/bin/sh", "-c", "echo \"$HOSTNAME\""]).await?;
            expect(&output, &pod.name)
        };
        deadline.once(&what, run).await
    });
    try_join_all(running).await.map(|_| ())
}

/// Each pod answers through a forwarded port with its name.
pub(super) async fn port_forward(pods: &[AnsweringPod], deadline: Deadline) -> Result<(), String> {
    let forwarding = pods.iter().map(|pod| async move {
        let what = format!("forward a port to {} on {}", pod.name, pod.node);
        deadline.once(&what, forward(pod)).await
    });
    try_join_all(forwarding).await.map(|_| ())
}

async fn forward(pod: &AnsweringPod) -> Result<(), String> {
    let mut forwarder = pod
        .pods
        .portforward(&pod.name, &[PORT])
        .await
        .map_err(reason)?;
    let error = forwarder
        .take_error(PORT)
        .ok_or("there is no error stream")?;
    let mut stream = forwarder.take_stream(PORT).ok_or("there is no stream")?;
    let exchange = async {
        stream
            .write_all(b"GET / HTTP/1.0\r\nHost: server\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = exchange.await.map_err(|error| error.to_string())?;
    if answer.is_empty() {
        // The error stream has ended once the connection has.
        drop(stream);
        forwarder.abort();
        return Err(error
            .await
            .unwrap_or_else(|| "the connection ended without an answer".to_owned()));
    }
    forwarder.abort();
    expect(&answer, &format!("\r\n\r\n{}", pod.name))
}

fn expect(text: &str, words: &str) -> Result<(), String> {
    if text.contains(words) {
        Ok(())
    } else {
        Err(format!("'{}' is not in '{}'", words.trim(), text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_told_when_it_is_not_what_was_expected() {
        assert_eq!(
            expect("answering as server-1\n", "answering as server-1"),
            Ok(())
        );
        assert_eq!(
            expect("nothing\n", "server-1").unwrap_err(),
            "'server-1' is not in 'nothing'"
        );
    }
}
