//! Nodes that lose their disks: an empty machine is left, with the same name and address.

use std::time::Duration;

use futures::future::join_all;

use super::Effect;
use super::power::together;
use crate::cluster::Node;

/// How long the files may take to go.
const DEADLINE: Duration = Duration::from_secs(60);

/// Ends what runs, as a loss of power does, and deletes what the cluster keeps on a node. The kubelet does not
/// start at the next boot: an empty machine knows of no cluster. What the machine itself consists of stays.
const SCRIPT: &str = "\
systemctl disable --now kubelet selfhost.service >/dev/null 2>&1
for turn in 1 2 3 4 5; do
  ctr -n k8s.io tasks ls -q | xargs -r -n1 ctr -n k8s.io tasks kill -s KILL >/dev/null 2>&1
  pgrep -x 'etcd|kube-apiserver|kube-controller|kube-scheduler|selfhost' >/dev/null || break
  sleep 1
done
lost='/var/lib/etcd /etc/kubernetes /var/lib/selfhost /etc/systemd/system/selfhost.service'
rm -rf $lost
find /var/lib/kubelet -mindepth 1 -xdev -delete 2>/dev/null
sync
for path in $lost; do [ ! -e $path ] || { echo \"$path is still there\"; exit 3; }; done
pgrep -x 'etcd|kube-apiserver' >/dev/null && { echo 'etcd or an apiserver still runs'; exit 4; }
echo \"$lost are gone\"";

/// Deletes what the nodes keep and cuts their power; proven by the files that are not there any more, and
/// by the engine's own state.
pub(super) async fn lose(nodes: &[&Node]) -> Effect {
    let results = join_all(nodes.iter().map(|node| async {
        let name = node.name();
        let wiped = node.exec(["sh", "-c", SCRIPT], DEADLINE).await;
        let wiped = wiped.map_err(|error| error.to_string())?;
        if !wiped.success() {
            return Err(format!("{name}: {} {}", wiped.text(), wiped.complaint()));
        }
        let effect = node.power_off().await.map_err(|error| error.to_string())?;
        Ok(format!("{name}: {}; {}", wiped.text(), effect.power()))
    }))
    .await;
    together(nodes, results)
}
