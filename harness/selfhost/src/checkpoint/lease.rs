//! The agent's own Lease: which components are armed on this node, told to whoever asks the API.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::api::NAMESPACE;
use crate::render::checkpoint_agent;

/// How often the Lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// How long a renewal may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long it is valid, in seconds.
const DURATION_S: u8 = 6;
/// The annotation that names the armed components.
pub(crate) const ARMED: &str = "selfhost.chrysalis/armed";
/// Who owns the Lease's fields.
const FIELD_MANAGER: &str = "checkpoint-agent";

/// Renews the Lease for ever, and at once when what is armed changes. A renewal that fails is left
/// alone: the Lease's age tells of it.
pub(super) async fn renew(client: Client, node: String, mut armed: watch::Receiver<String>) {
    let leases: Api<Lease> = Api::namespaced(client, NAMESPACE);
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let name = checkpoint_agent::lease(&node);
    let mut turns = interval(RENEW_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            changed = armed.changed() => if changed.is_err() { return },
        }
        let lease = lease(&name, &node, &armed.borrow_and_update());
        let patch = Patch::Apply(&lease);
        let _ = timeout(DEADLINE, leases.patch(&name, &parameters, &patch)).await;
    }
}

fn lease(name: &str, node: &str, armed: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": name, "namespace": NAMESPACE, "annotations": { ARMED: armed } },
        "spec": {
            "holderIdentity": node,
            "leaseDurationSeconds": DURATION_S,
            "renewTime": micro_time(OffsetDateTime::now_utc()),
        },
    })
}

/// A time in UTC as the API's type of that name has it.
fn micro_time(at: OffsetDateTime) -> String {
    let (hour, minute, second, microsecond) = at.to_hms_micro();
    format!(
        "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{microsecond:06}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
    )
}
