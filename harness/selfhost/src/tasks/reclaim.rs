//! Whether a cluster may be recovered here: it is there, it is ours, it is not alive, and nothing of
//! another one is left on the node.

use std::fs;
use std::time::Duration;

use futures::future::join_all;
use pivot::Why;
use terms::Incarnation;
use tokio::time::interval;

use super::{Answer, chain, local};
use crate::assets::{Assets, BOOTSTRAP_PORT, Machine, SELF_HOSTED_PORT};
use crate::claims::{self, Claim};
use crate::layout::Layout;

/// How often an apiserver is looked for, once a second: one that crashes and is restarted within
/// the kubelet's back-off of 5 s is seen in between.
const LOOKS: u32 = 10;

/// Looks at the node, at etcd, and at every place where an apiserver may serve; changes nothing.
pub(super) async fn reclaim(assets: &Assets, layout: &Layout) -> Answer {
    if let Some(remains) = remains(assets, layout) {
        return Answer::refused(Why::ForeignFile, remains);
    }
    if let Some(foreign) = local::foreign_files(layout) {
        return foreign;
    }
    let authority = fs::read_to_string(layout.assets.join("authorities/cluster-ca.crt"));
    match claims::existing(
        &assets.etcd,
        claims::local(),
        &assets.cluster_id,
        &authority.unwrap_or_default(),
    )
    .await
    {
        Ok(Claim::Ours) => {}
        Ok(Claim::Foreign(how)) => return Answer::refused(Why::ForeignCluster, how),
        Err(error) => return Answer::failed(Why::ApiUnreachable, chain(&error)),
    }
    let mut seconds = interval(Duration::from_secs(1));
    for _ in 0..LOOKS {
        seconds.tick().await;
        if let Some(alive) = anybody(assets).await {
            return Answer::refused(Why::ClusterAlive, alive);
        }
    }
    Answer::done()
}

/// What lies on the node and does not belong to the cluster of the escrow, or stands in the way.
fn remains(assets: &Assets, layout: &Layout) -> Option<String> {
    let kubernetes = layout.manifests.parent()?;
    for (file, ours) in [
        ("pki/ca.crt", "authorities/cluster-ca.crt"),
        ("pki/etcd/ca.crt", "authorities/etcd-ca.crt"),
    ] {
        let there = kubernetes.join(file);
        let (Ok(found), Ok(ours)) = (
            fs::read_to_string(&there),
            fs::read_to_string(layout.assets.join(ours)),
        ) else {
            continue;
        };
        if found.trim() != ours.trim() {
            return Some(format!(
                "{} is of another cluster than the escrow; unpack the escrow's nodes/{} onto this node, or take the escrow of this cluster",
                there.display(),
                assets.bootstrap_machine().name
            ));
        }
    }
    None
}

/// Names an apiserver that is ready, wherever it is. The one that an earlier attempt placed here is
/// what is to be done, and no sign of life.
async fn anybody(assets: &Assets) -> Option<String> {
    let places = assets
        .control_plane()
        .iter()
        .flat_map(|machine| [SELF_HOSTED_PORT, BOOTSTRAP_PORT].map(|port| (machine.clone(), port)));
    let looks = places.map(|(machine, port)| async move { serves(assets, &machine, port).await });
    join_all(looks).await.into_iter().flatten().next()
}

async fn serves(assets: &Assets, machine: &Machine, port: u16) -> Option<String> {
    let address = machine.port(port);
    let reply = assets.apiservers.get(address, "/readyz").await.ok()?;
    let own = reply.peer.incarnation == Some(Incarnation::Bootstrap)
        && reply.peer.node == assets.bootstrap_machine().name;
    (reply.status == 200 && !own).then(|| format!("the apiserver at {address} is ready"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::tests::assets;

    #[tokio::test]
    async fn remains_of_another_cluster_are_named() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::below(
            root.path(),
            &root.path().join("assets"),
            &root.path().join("state"),
        );
        let assets = assets(&layout.assets).await;
        assert_eq!(remains(&assets, &layout), None, "a bare node is clean");
        let pki = root.path().join("etc/kubernetes/pki");
        fs::create_dir_all(&pki).unwrap();
        fs::create_dir_all(&layout.manifests).unwrap();
        let own = layout.assets.join("authorities/cluster-ca.crt");
        fs::copy(&own, pki.join("ca.crt")).unwrap();
        assert_eq!(remains(&assets, &layout), None, "so is our own");
        let copy = layout.manifests.join("checkpoint-kube-scheduler.json");
        fs::write(copy, "{}").unwrap();
        assert_eq!(remains(&assets, &layout), None, "a copy gives way later");
        fs::write(pki.join("ca.crt"), "another").unwrap();
        let said = remains(&assets, &layout).unwrap();
        assert!(said.contains("another cluster"), "{said}");
    }
}
