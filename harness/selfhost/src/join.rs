//! `selfhost recover --join`: a control-plane node whose disk was lost becomes one again, while the cluster
//! lives on others: its etcd a member, its kubelet a labelled node, its control plane self-hosted.
//!
//! It is no procedure of the machine: nothing temporary is put up or torn down. Each step looks first what
//! is there, so that it can be killed anywhere and typed again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::assets::{Assets, ETCD_PORT};
use crate::claims::{self, Claim, ClaimError};
use crate::durable_file::{self, FileError};
use crate::layout::Layout;
use crate::members::{Member, Members, MembersError, Membership};
use crate::restore::{self, MANIFEST, RestoreError};

/// Port on which members talk to each other.
const PEER_PORT: u16 = 2380;
/// How long the members may take to accept one more: for a while after every change they are not sure that
/// all are healthy.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(60);
/// How long the new member may take to start and to have what the others have.
const IN_STEP_WITHIN: Duration = Duration::from_secs(180);
/// How often is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// The node did not join.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    /// Nobody is there.
    #[error(
        "no other control-plane node's etcd answers with a majority, and nothing was changed: there is nothing to join; recover one node with --snapshot first"
    )]
    Nobody,
    /// The etcd that answers is another cluster's.
    #[error("nothing was changed: {0}")]
    Foreign(String),
    /// This node's own etcd must not be wiped, or cannot.
    #[error("this node's etcd cannot join")]
    Data(#[from] RestoreError),
    /// The other members refuse.
    #[error("the other members of etcd did not {doing} within {within:?}")]
    Members {
        /// What they were asked for.
        doing: &'static str,
        /// For how long.
        within: Duration,
        /// What they said last.
        source: MembersError,
    },
    /// A file cannot be used.
    #[error("a file cannot be used")]
    File(#[from] FileError),
    /// The manifest of the escrow is not etcd's.
    #[error("{} is no static pod of etcd; take the escrow that `selfhost render` made", .0.display())]
    Manifest(PathBuf),
}

impl JoinError {
    /// Whether something that is there forbids it (exit code 4).
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Foreign(_) => true,
            Self::Data(error) => error.is_refusal(),
            _ => false,
        }
    }
}

/// What a joining works with.
pub(crate) struct Joining<'a> {
    /// The working copy of the escrow, this node first.
    pub(crate) assets: &'a Assets,
    /// The etcd manifest that was rendered for this node.
    pub(crate) manifest: PathBuf,
    /// Where everything lies here.
    pub(crate) layout: &'a Layout,
}

/// A member that lives: where it is, and whom it knows.
pub(crate) struct Living {
    /// Where it answers.
    pub(crate) address: SocketAddr,
    membership: Membership,
}

impl Joining<'_> {
    /// Looks for a member of the cluster's etcd on the other control-plane nodes.
    ///
    /// # Errors
    /// When there is none, or it is another cluster's.
    pub(crate) async fn find(&self) -> Result<Living, JoinError> {
        let authority = self.layout.assets.join("authorities/cluster-ca.crt");
        let authority = durable_file::read_if_present(&authority)?.unwrap_or_default();
        let authority = String::from_utf8_lossy(&authority).into_owned();
        let assets = self.assets;
        for machine in &assets.control_plane()[1..] {
            let address = machine.port(ETCD_PORT);
            let Ok(membership) = self.members(address).list().await else {
                continue;
            };
            match claims::existing(&assets.etcd, address, &assets.cluster_id, &authority).await {
                Ok(Claim::Ours) => {
                    return Ok(Living {
                        address,
                        membership,
                    });
                }
                Ok(Claim::Foreign(how)) => return Err(JoinError::Foreign(how)),
                Err(ClaimError::Unreachable(_) | ClaimError::NotDone { .. }) => {}
            }
        }
        Err(JoinError::Nobody)
    }

    /// Makes this node's etcd a member with a vote.
    ///
    /// # Errors
    /// When its own data must not be wiped, or the other members refuse.
    pub(crate) async fn become_member(&self, living: &Living) -> Result<(), JoinError> {
        let members = self.members(living.address);
        let own_url = self.own_url();
        let known = &living.membership;
        if !self.belongs_already(known).await? {
            let data = self.layout.etcd_data.join("member");
            restore::clean(self.assets, self.layout).await?;
            restore::stop_etcd(self.layout).await?;
            durable_file::remove_tree_if_present(&data)?;
            // Whoever had a vote under this address has lost its memory, and must not come back with it.
            if let Some(stale) = known.with_url(&own_url).filter(|own| !own.name.is_empty()) {
                let removal = async || members.remove(&stale.id).await;
                until("let go of the lost member", ACCEPTED_WITHIN, removal).await?;
                eprintln!("the lost member of this node was taken out of etcd");
            }
            self.leave_breadcrumb(&known.cluster)?;
        }
        let listed = until("tell who they are", ACCEPTED_WITHIN, async || {
            members.list().await
        })
        .await?;
        let listed = if listed.with_url(&own_url).is_some() {
            listed
        } else {
            let added = async || members.add_learner(&own_url).await;
            let added = until("accept one more", ACCEPTED_WITHIN, added).await?;
            eprintln!("etcd knows this node as a learner");
            added
        };
        self.place_manifest(&listed)?;
        let promoted = async || promote(&members, &own_url).await;
        until("give this node its vote", IN_STEP_WITHIN, promoted).await?;
        let own = self.members(claims::local());
        until("answer on this node", IN_STEP_WITHIN, async || {
            own.list().await
        })
        .await?;
        eprintln!("etcd of this node is a member");
        Ok(())
    }

    /// Whether the data that lies here is of this very etcd cluster: by what an earlier attempt left, or by
    /// the word of the member that runs here.
    async fn belongs_already(&self, known: &Membership) -> Result<bool, JoinError> {
        if !self.layout.etcd_data.join("member").exists() {
            // Data that is not there any more is no data, whatever was left beside it.
            let started = known.with_url(&self.own_url());
            let lost = started.is_some_and(|own| !own.name.is_empty());
            return Ok(!lost && self.breadcrumb()?.as_deref() == Some(known.cluster.as_str()));
        }
        if self.breadcrumb()?.as_deref() == Some(known.cluster.as_str()) {
            return Ok(true);
        }
        let own = self.members(claims::local()).list().await;
        Ok(own.is_ok_and(|own| own.cluster == known.cluster))
    }

    fn place_manifest(&self, listed: &Membership) -> Result<(), JoinError> {
        let Self {
            manifest, layout, ..
        } = self;
        let rendered = durable_file::read_if_present(manifest)?.unwrap_or_default();
        let ours = joining_manifest(&rendered, &self.names(listed))
            .ok_or_else(|| JoinError::Manifest(manifest.clone()))?;
        let there = durable_file::read_if_present(&layout.manifests.join(MANIFEST))?;
        // A member that has joined keeps what it was started with: it is not restarted for a list that
        // nobody reads any more.
        let is_joining = |there: &[u8]| String::from_utf8_lossy(there).contains(EXISTING);
        if there.as_deref().is_some_and(is_joining) {
            return Ok(());
        }
        if there.is_some() && self.layout.etcd_data.join("member").exists() {
            return Ok(());
        }
        durable_file::private_directory(&layout.staging)?;
        durable_file::remove_if_present(&layout.staging.join(MANIFEST))?;
        durable_file::place(&layout.staging, &layout.manifests, MANIFEST, &ours)?;
        Ok(())
    }

    /// The members by name, as a new one must be told; one that has not started has the name of its node.
    fn names(&self, listed: &Membership) -> String {
        let machines = self.assets.control_plane();
        let name = |member: &Member, url: &str| {
            let machine = machines
                .iter()
                .find(|machine| peer_url(machine.port(PEER_PORT)) == url);
            match machine {
                Some(machine) => machine.name.clone(),
                None => member.name.clone(),
            }
        };
        let pairs = listed.members.iter().flat_map(|member| {
            let urls = member.peer_urls.iter();
            urls.map(move |url| format!("{}={url}", name(member, url)))
        });
        pairs.collect::<Vec<_>>().join(",")
    }

    fn members(&self, address: SocketAddr) -> Members {
        Members::at(self.assets.etcd.clone(), address)
    }

    fn own_url(&self) -> String {
        peer_url(self.assets.bootstrap_machine().port(PEER_PORT))
    }

    /// Says that the data of this node is wiped and of which etcd cluster it will be.
    fn leave_breadcrumb(&self, cluster: &str) -> Result<(), FileError> {
        let state = &self.layout.state;
        durable_file::place(state, state, BREADCRUMB, cluster.as_bytes())
    }

    fn breadcrumb(&self) -> Result<Option<String>, FileError> {
        let found = durable_file::read_if_present(&self.layout.state.join(BREADCRUMB))?;
        Ok(found.map(|found| String::from_utf8_lossy(&found).into_owned()))
    }
}

/// Beside the marker: the etcd cluster that this node is joining.
const BREADCRUMB: &str = "joining";
/// By which a manifest of a joining is known.
const EXISTING: &str = "--initial-cluster-state=existing";

/// Forgets that this node joined, once it has.
///
/// # Errors
/// Names the file.
pub(crate) fn forget(layout: &Layout) -> Result<(), FileError> {
    durable_file::remove_if_present(&layout.state.join(BREADCRUMB))
}

/// Gives this node's member its vote, unless it has one.
async fn promote(members: &Members, own_url: &str) -> Result<(), MembersError> {
    let listed = members.list().await?;
    match listed.with_url(own_url) {
        Some(own) if own.is_learner => members.promote(&own.id).await,
        Some(own) if !own.name.is_empty() => Ok(()),
        Some(_) => Err(MembersError::Answer("it has not started".to_owned())),
        None => Err(MembersError::Answer("it is no member".to_owned())),
    }
}

/// Asks again each second until it is done or the time is over.
async fn until<T>(
    doing: &'static str,
    within: Duration,
    ask: impl AsyncFn() -> Result<T, MembersError>,
) -> Result<T, JoinError> {
    let deadline = Instant::now() + within;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(_) if Instant::now() < deadline => sleep(AGAIN).await,
            Err(source) => {
                return Err(JoinError::Members {
                    doing,
                    within,
                    source,
                });
            }
        }
    }
}

fn peer_url(address: SocketAddr) -> String {
    format!("https://{address}")
}

/// The rendered manifest of etcd, changed so that it joins these members instead of founding a cluster.
fn joining_manifest(rendered: &[u8], members: &str) -> Option<Vec<u8>> {
    let mut pod: Value = serde_json::from_slice(rendered).ok()?;
    let command = pod
        .pointer_mut("/spec/containers/0/command")?
        .as_array_mut()?;
    let mut changed = 0;
    for word in command {
        let text = word.as_str()?;
        let new = if text.starts_with("--initial-cluster=") {
            format!("--initial-cluster={members}")
        } else if text.starts_with("--initial-cluster-state=") {
            EXISTING.to_owned()
        } else {
            continue;
        };
        *word = Value::String(new);
        changed += 1;
    }
    (changed == 2).then(|| format!("{pod:#}\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::tests::assets;
    use crate::members::tests::three;

    fn node(root: &std::path::Path) -> Layout {
        let layout = Layout::below(root, &root.join("assets"), &root.join("state"));
        durable_file::private_directory(&layout.state).unwrap();
        layout
    }

    #[tokio::test]
    async fn the_manifest_joins_the_members_that_there_are() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        let assets = assets(&layout.assets).await;
        let manifest = root.path().join("etcd.yaml");
        let rendered = r#"{"spec":{"containers":[{"command":["etcd","--initial-cluster=cp-1=a,cp-2=b",
            "--initial-cluster-token=sample","--initial-cluster-state=new"]}]}}"#;
        std::fs::write(&manifest, rendered).unwrap();
        std::fs::create_dir_all(&layout.manifests).unwrap();
        let joining = Joining {
            assets: &assets,
            manifest: manifest.clone(),
            layout: &layout,
        };
        joining.place_manifest(&three()).unwrap();
        let placed = std::fs::read_to_string(layout.manifests.join(MANIFEST)).unwrap();
        let members = "cp-1=https://10.231.7.11:2380,cp-2=https://10.231.7.12:2380";
        assert!(
            placed.contains(&format!("--initial-cluster={members}\"")),
            "{placed}"
        );
        assert!(
            placed.contains("--initial-cluster-token=sample"),
            "{placed}"
        );
        assert!(
            placed.contains(EXISTING) && !placed.contains("state=new"),
            "{placed}"
        );
        // Typed again when there are more members, it does not restart the one that runs.
        let mut more = three();
        more.members.pop();
        joining.place_manifest(&more).unwrap();
        let again = std::fs::read_to_string(layout.manifests.join(MANIFEST)).unwrap();
        assert_eq!(again, placed);
        std::fs::write(&manifest, "no pod").unwrap();
        std::fs::remove_file(layout.manifests.join(MANIFEST)).unwrap();
        let refused = joining.place_manifest(&three()).unwrap_err().to_string();
        assert!(refused.contains("etcd.yaml"), "{refused}");
    }

    #[tokio::test]
    async fn only_data_of_this_very_cluster_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        let assets = assets(&layout.assets).await;
        let joining = Joining {
            assets: &assets,
            manifest: PathBuf::new(),
            layout: &layout,
        };
        let known = three();
        let belongs = async || joining.belongs_already(&known).await.unwrap();
        assert!(!belongs().await, "nothing is there");
        joining.leave_breadcrumb("another").unwrap();
        std::fs::create_dir_all(layout.etcd_data.join("member")).unwrap();
        assert!(!belongs().await, "a joining of another cluster");
        joining.leave_breadcrumb(&known.cluster).unwrap();
        assert!(belongs().await, "this joining, begun before");
        // cp-1 is a member that has started: without its data it is a lost one.
        std::fs::remove_dir_all(&layout.etcd_data).unwrap();
        assert!(!belongs().await, "a member that lost its disk");
        forget(&layout).unwrap();
        assert_eq!(joining.breadcrumb().unwrap(), None);
    }

    #[tokio::test]
    async fn without_a_living_member_nothing_is_changed() {
        let root = tempfile::tempdir().unwrap();
        let layout = node(root.path());
        let assets = assets(&layout.assets).await;
        let error = restore::clean(&assets, &layout).await;
        assert!(error.is_ok());
        std::fs::create_dir_all(layout.etcd_data.join("member")).unwrap();
        let dirty: JoinError = restore::clean(&assets, &layout).await.unwrap_err().into();
        assert!(dirty.is_refusal());
        assert!(!JoinError::Nobody.is_refusal());
    }
}
