//! Requests of the probes, and who answered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use terms::{Incarnation, NodeId};

/// A request to an apiserver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What was asked.
    pub kind: RequestKind,
    /// Whether the connection was made for it.
    pub connection: Connection,
    /// How it ended.
    pub outcome: RequestOutcome,
    /// Who answered, as proven by the serving certificate at the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_by: Option<Served>,
}

/// What a request asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestKind {
    /// `GET /readyz`.
    Ready,
    /// A read of the probe's last own object.
    Read,
    /// A write of an object with this key, never used before.
    Write(u64),
}

/// New or reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Made for this request.
    New,
    /// Kept from an earlier one.
    Reused,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestOutcome {
    /// It was answered with success; `revision` is the resource version where there is one.
    Acknowledged {
        /// Resource version of the object or list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<u64>,
    },
    /// It was answered with an HTTP status that is no success.
    Status(u16),
    /// No connection could be made.
    Refused(String),
    /// The connection was lost before an answer: a write may have happened.
    Broken(String),
    /// The deadline passed: a write may have happened.
    TimedOut,
    /// The server did not accept the client's credential, or the client not the server's.
    Untrusted(String),
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Served {
    /// The node of the instance.
    pub node: NodeId,
    /// Who started the instance.
    pub incarnation: Incarnation,
}

/// A complete read of the probe's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// The keys found.
    pub keys: BTreeSet<u64>,
    /// Resource version of the list.
    pub revision: u64,
}

/// A credential that was valid before, tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it is, such as `client certificate from before the pivot`.
    pub name: String,
    /// Accepted, refused (with the server's words), or not known because nobody answered.
    pub accepted: Option<Result<(), String>>,
}
