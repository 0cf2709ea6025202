//! The kubelet of a node: its configuration, its unit's drop-in and its resolver file.

use serde_json::{Value, json};

use crate::cluster_file::{ClusterFile, Node, Role};

/// Directory that the kubelet watches for static pods.
pub(super) const MANIFESTS: &str = "/etc/kubernetes/manifests";
/// The cluster authority's certificate.
pub(super) const CLUSTER_AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";
/// The kubelet's credentials for the API.
pub(super) const KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";
/// The kubelet's configuration.
pub(super) const CONFIGURATION: &str = "/var/lib/kubelet/config.yaml";
/// The kubelet's serving pair, without its suffix.
pub(super) const SERVING: &str = "/etc/kubernetes/pki/kubelet";
/// The resolver file that pods with `dnsPolicy: Default` get.
pub(super) const RESOLVER: &str = "/etc/kubernetes/resolv.conf";
/// The drop-in that replaces the unit's command.
pub(super) const DROP_IN: &str = "/etc/systemd/system/kubelet.service.d/20-selfhost.conf";

/// The resolver file's content. It names no server: the engine's own, on a loopback address,
/// would send DNS pods into a loop, and nothing in the cluster may ask anybody outside.
pub(super) const RESOLVER_CONTENT: &str =
    "# No server: names outside the cluster are not resolved.\nsearch .\n";

/// The kubelet's configuration (JSON, which the kubelet reads as YAML).
pub(super) fn configuration(cluster: &ClusterFile, node: &Node) -> Value {
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "staticPodPath": MANIFESTS,
        "clusterDNS": [cluster.service_cidr.address(10)],
        "clusterDomain": "cluster.local",
        "resolvConf": RESOLVER,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/kubelet",
        "failCgroupV1": false,
        "failSwapOn": false,
        // There is no registry: an image that was collected never returns.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": { "memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%" },
        "serializeImagePulls": false,
        "rotateCertificates": false,
        "tlsCertFile": format!("{SERVING}.crt"),
        "tlsPrivateKeyFile": format!("{SERVING}.key"),
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": CLUSTER_AUTHORITY },
        },
        "authorization": { "mode": "Webhook" },
        "readOnlyPort": 0,
        // The defaults are 20 s for manifests and 60 s for pods: a whole pivot takes less.
        "fileCheckFrequency": "1s",
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "4s",
        "nodeStatusReportFrequency": "10s",
        // Renewed at a quarter of it: whoever trusts only a renewal that he saw himself, as the
        // gates do, waits 2 s for it instead of 10 s. Measured: 6 s of the pivot were that wait.
        "nodeLeaseDurationSeconds": 8,
        // A component that dies while its peers are down must not wait five minutes.
        "featureGates": { "KubeletCrashLoopBackOffMax": true },
        "crashLoopBackOff": { "maxContainerRestartPeriod": "5s" },
    });
    if node.role == Role::ControlPlane {
        // The taint is the kubelet's to set, the label is not: it comes through the API.
        configuration["registerWithTaints"] =
            json!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]);
    }
    configuration
}

/// What a kubelet would otherwise do with the volumes of the last boot: ask the API about each before
/// it mounts any for a static pod, again and again, ten seconds each time behind a load balancer
/// without servers. Measured: with them the first static pod started 20 s after its kubelet. What is
/// removed is filled anew from the API for every pod that starts. A kubelet that is merely restarted
/// touches nothing: it finds the mark, for `/run` is empty only after a boot, or volumes that are mounted.
const FORGET_VOLUMES: &str = "/bin/sh -c 'test -e /run/selfhost-volumes-forgotten || \
     grep -q /var/lib/kubelet/pods/ /proc/mounts || rm -rf /var/lib/kubelet/pods/*/volumes/kubernetes.io~secret \
     /var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap \
     /var/lib/kubelet/pods/*/volumes/kubernetes.io~projected \
     /var/lib/kubelet/pods/*/volumes/kubernetes.io~downward-api; \
     touch /run/selfhost-volumes-forgotten'";

/// The drop-in of kubelet.service.
pub(super) fn drop_in(cluster: &ClusterFile, node: &Node) -> String {
    format!(
        "# Written by selfhost: the kubelet of {name}.\n\
         [Unit]\n\
         Wants=containerd.service\n\
         After=containerd.service\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         # A process on the host's network cannot connect to a Service address without a route:\n\
         # connect() fails before any address translation.\n\
         ExecStartPre=/sbin/ip route replace {services} dev eth0\n\
         ExecStartPre={FORGET_VOLUMES}\n\
         ExecStart=\n\
         ExecStart=/usr/bin/kubelet --config={CONFIGURATION} --kubeconfig={KUBECONFIG} \
         --node-ip={address} --hostname-override={name}\n\
         Restart=always\n\
         RestartSec=1\n\
         KillMode=process\n",
        name = node.name,
        services = cluster.service_cidr,
        address = node.address,
    )
}
