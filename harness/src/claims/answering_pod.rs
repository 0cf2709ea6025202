//! One pod of the suite's Deployment.

use futures::future::join3;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::reason::reason;

/// A pod that has a place and an address.
#[derive(Clone)]
pub(super) struct AnsweringPod {
    pub(super) pods: Api<Pod>,
    pub(super) name: String,
    pub(super) node: String,
    pub(super) address: String,
}

impl AnsweringPod {
    /// `None` while it is not placed, has no address, or is going.
    pub(super) fn new(pods: &Api<Pod>, pod: &Pod) -> Option<Self> {
        if pod.metadata.deletion_timestamp.is_some() {
            return None;
        }
        Some(Self {
            pods: pods.clone(),
            name: pod.metadata.name.clone()?,
            node: pod.spec.as_ref()?.node_name.clone()?,
            address: pod.status.as_ref()?.pod_ip.clone()?,
        })
    }

    /// Runs a command in it and gives what the command wrote.
    pub(super) async fn run(&self, command: &[&str]) -> Result<String, String> {
        let parameters = AttachParams::default().stdout(true).stderr(true);
        let place = format!("{} on {}", self.name, self.node);
        let failed = |words: String| format!("exec in {place}: {words}");
        let process = self
            .pods
            .exec(&self.name, command.iter().copied(), &parameters)
            .await;
        let mut process = process.map_err(|error| failed(reason(error)))?;
        let (out, err) = (process.stdout(), process.stderr());
        let status = process
            .take_status()
            .ok_or_else(|| failed("there is no status".to_owned()))?;
        let (out, err, status) = join3(read(out), read(err), status).await;
        match status {
            Some(status) if status.status.as_deref() == Some("Success") => out.map_err(failed),
            Some(status) => {
                let message = status.message.unwrap_or_default();
                let complaint = err.unwrap_or_else(|error| error);
                Err(failed(format!("{message}: {}", complaint.trim())))
            }
            None => Err(failed("the connection ended before the command".to_owned())),
        }
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<String, String> {
    let mut text = String::new();
    if let Some(mut stream) = stream {
        stream
            .read_to_string(&mut text)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(text)
}
