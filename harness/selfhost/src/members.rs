//! The membership of etcd, as one of its members tells and changes it.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::https::{HttpsClient, HttpsError};

/// The members of one etcd cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The id of the etcd cluster.
    pub(crate) cluster: String,
    /// All members, learners too.
    pub(crate) members: Vec<Member>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Member {
    /// Its id, as the gateway writes it: a number in a string.
    #[serde(rename = "ID")]
    pub(crate) id: String,
    /// Its name; empty until it has started once.
    #[serde(default)]
    pub(crate) name: String,
    /// Where the others reach it.
    #[serde(default, rename = "peerURLs")]
    pub(crate) peer_urls: Vec<String>,
    /// Whether it has no vote yet.
    #[serde(default, rename = "isLearner")]
    pub(crate) is_learner: bool,
}

/// The members did not do what they were asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MembersError {
    /// No answer.
    #[error("etcd does not answer")]
    Unreachable(#[from] HttpsError),
    /// An answer that says no, or that cannot be read.
    #[error("etcd said: {0}")]
    Answer(String),
}

/// The way to one member.
#[derive(Clone)]
pub(crate) struct Members {
    etcd: HttpsClient,
    address: SocketAddr,
}

impl Members {
    /// Asks and changes through the member at `address`.
    pub(crate) const fn at(etcd: HttpsClient, address: SocketAddr) -> Self {
        Self { etcd, address }
    }

    /// Who belongs to it, by a majority's word.
    ///
    /// # Errors
    /// When no majority answers.
    pub(crate) async fn list(&self) -> Result<Membership, MembersError> {
        let answer = self.ask("list", &json!({ "linearizable": true })).await?;
        membership(&answer).ok_or_else(|| MembersError::Answer(answer.to_string()))
    }

    /// Adds a member that has no vote yet.
    ///
    /// # Errors
    /// When a majority does not answer, or refuses: one learner at a time, and only while all are healthy.
    pub(crate) async fn add_learner(&self, peer_url: &str) -> Result<Membership, MembersError> {
        let asked = json!({ "peerURLs": [peer_url], "isLearner": true });
        let answer = self.ask("add", &asked).await?;
        membership(&answer).ok_or_else(|| MembersError::Answer(answer.to_string()))
    }

    /// Gives a learner its vote.
    ///
    /// # Errors
    /// As long as it lags behind the leader.
    pub(crate) async fn promote(&self, id: &str) -> Result<(), MembersError> {
        self.ask("promote", &json!({ "ID": id })).await?;
        Ok(())
    }

    /// Takes a member out.
    ///
    /// # Errors
    /// When a majority does not answer.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), MembersError> {
        self.ask("remove", &json!({ "ID": id })).await?;
        Ok(())
    }

    async fn ask(&self, what: &str, body: &Value) -> Result<Value, MembersError> {
        let path = format!("/v3/cluster/member/{what}");
        let reply = self.etcd.post(self.address, &path, body).await?;
        let answer: Option<Value> = serde_json::from_slice(&reply.body).ok();
        match answer {
            Some(answer) if reply.status == 200 => Ok(answer),
            Some(Value::Object(said)) if said.get("message").is_some_and(Value::is_string) => {
                let said = said["message"].as_str().unwrap_or_default();
                Err(MembersError::Answer(said.to_owned()))
            }
            _ => {
                let said = String::from_utf8_lossy(&reply.body);
                Err(MembersError::Answer(said.chars().take(300).collect()))
            }
        }
    }
}

fn membership(answer: &Value) -> Option<Membership> {
    Some(Membership {
        cluster: answer.pointer("/header/cluster_id")?.as_str()?.to_owned(),
        members: serde_json::from_value(answer.get("members")?.clone()).ok()?,
    })
}

impl Membership {
    /// The member that the others reach at this URL.
    pub(crate) fn with_url(&self, peer_url: &str) -> Option<&Member> {
        let is_it = |member: &&Member| member.peer_urls.iter().any(|url| url == peer_url);
        self.members.iter().find(is_it)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As etcd 3.6 writes it: false and empty values are left out.
    pub(crate) fn three() -> Membership {
        membership(&json!({
            "header": { "cluster_id": "14841639068965178418", "member_id": "1" },
            "members": [
                { "ID": "1", "name": "cp-1", "peerURLs": ["https://10.231.7.11:2380"] },
                { "ID": "2", "peerURLs": ["https://10.231.7.12:2380"], "isLearner": true },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn a_member_is_known_by_its_address() {
        let known = three();
        let member = known.with_url("https://10.231.7.12:2380").unwrap();
        assert!(member.is_learner && member.name.is_empty());
        assert!(!known.members[0].is_learner);
        assert_eq!(known.with_url("https://10.231.7.13:2380"), None);
        assert_eq!(membership(&json!({ "members": [] })), None);
    }
}
