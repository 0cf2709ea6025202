//! A complete read of the probes' own keys, against which acknowledged writes are held.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use oracle::observation::ReadBack;
use serde::Deserialize;
use tokio::time::timeout;

use super::connection::{Identity, Session};
use super::requests::{self, NAMESPACE};

/// How long a complete read may take: some thousand small objects.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(15);
/// Objects a page.
const PAGE: u32 = 500;
/// The most pages: a day of writes at 5 Hz is 864.
const MOST_PAGES: u32 = 1000;

#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    continuation: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    metadata: ItemMetadata,
}

#[derive(Deserialize)]
struct ItemMetadata {
    name: String,
}

/// Reads all keys, in pages of one revision.
///
/// # Errors
/// When nobody answered completely within the deadline; then nothing is known, and nothing is lost.
pub async fn read_back(target: SocketAddr, identity: &Identity) -> Result<ReadBack, String> {
    timeout(DEADLINE, read_pages(target, identity))
        .await
        .map_err(|_| format!("no complete read within {} s", DEADLINE.as_secs()))?
}

async fn read_pages(target: SocketAddr, identity: &Identity) -> Result<ReadBack, String> {
    let mut session = Session::connect(target, identity)
        .await
        .map_err(|error| error.to_string())?;
    let mut keys = BTreeSet::new();
    let mut continuation = String::new();
    for _ in 0..MOST_PAGES {
        let path = format!(
            "/api/v1/namespaces/{NAMESPACE}/configmaps?limit={PAGE}&continue={continuation}"
        );
        let (status, body) = session.request(requests::get(&path)).await?;
        if !status.is_success() {
            return Err(format!(
                "the list of written keys was answered with {status}"
            ));
        }
        let page: Page = serde_json::from_slice(&body)
            .map_err(|error| format!("the list of written keys cannot be read: {error}"))?;
        keys.extend(
            page.items
                .iter()
                .filter_map(|item| requests::key_of(&item.metadata.name)),
        );
        match page.metadata.continuation.filter(|text| !text.is_empty()) {
            Some(next) => continuation = next,
            None => {
                let revision = page.metadata.resource_version.parse().unwrap_or_default();
                return Ok(ReadBack { keys, revision });
            }
        }
    }
    Err(format!("more than {MOST_PAGES} pages of written keys"))
}
