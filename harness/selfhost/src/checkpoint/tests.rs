//! From a parent to a version on the disk and into the kubelet's directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use pivot::checkpoint::{Facts, Known, OrderRule, Saved, Step, Task, bootkube_agent, modern_agent};
use serde_json::{Value, json};
use terms::{Component, Moment, StepName};
use tokio::time::Instant;

use super::disk;
use super::holds::Holds;
use super::manifest::{of_parent, sources, user};
use super::places::Places;
use super::protection::Protection;
use super::sources::{Seen, Sight};
use super::tasks::{TaskError, perform};
use super::version::{MANIFEST, Version};
use crate::fence::Fence;

const COMPONENT: Component = Component::KubeApiserver;

/// An apiserver's pod as the API gives it.
fn parent() -> Value {
    let probe = json!({ "httpGet": { "host": "127.0.0.1", "port": 6443, "path": "/livez", "scheme": "HTTPS" } });
    json!({
        "metadata": { "name": "kube-apiserver-x7kq2", "uid": "1", "labels": { "k8s-app": "kube-apiserver" } },
        "spec": {
            "nodeName": "cp-2",
            "hostNetwork": true,
            "serviceAccountName": "kube-apiserver",
            "automountServiceAccountToken": false,
            "priorityClassName": "system-node-critical",
            "nodeSelector": { "node-role.kubernetes.io/control-plane": "" },
            "affinity": { "nodeAffinity": {} },
            "tolerations": [{ "operator": "Exists" }],
            "containers": [{
                "name": "kube-apiserver",
                "image": "registry.k8s.io/kube-apiserver:v1.34.4",
                "command": [
                    "kube-apiserver",
                    "--secure-port=6443",
                    "--advertise-address=$(NODE_ADDRESS)",
                    "--tls-cert-file=/etc/kubernetes/serving/self-hosted.crt",
                    "--tls-private-key-file=/etc/kubernetes/serving/self-hosted.key",
                ],
                "env": [{ "name": "NODE_ADDRESS", "valueFrom": { "fieldRef": { "fieldPath": "status.hostIP" } } }],
                "livenessProbe": probe,
                "readinessProbe": probe,
                "volumeMounts": [{ "name": "credentials", "mountPath": "/etc/kubernetes/credentials" }],
            }],
            "volumes": [
                { "name": "credentials", "secret": { "secretName": "kube-apiserver" } },
                { "name": "configuration", "configMap": { "name": "kube-apiserver" } },
                { "name": "serving", "hostPath": { "path": "/etc/kubernetes/pki/apiserver", "type": "Directory" } },
            ],
        },
        "status": { "hostIP": "10.231.7.12" },
    })
}

fn contents(key: &str) -> BTreeMap<String, Vec<u8>> {
    let files = [
        ("secrets/kube-apiserver/ca.crt", "ca"),
        ("secrets/kube-apiserver/key", key),
    ];
    let files = files.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()));
    files.into_iter().collect()
}

fn version(places: &Places, key: &str) -> Version {
    Version::of(
        COMPONENT,
        &parent(),
        contents(key),
        &places.versions(COMPONENT),
    )
    .unwrap()
}

fn node(root: &Path) -> Places {
    let places = Places::below(root);
    fs::create_dir_all(&places.manifests).unwrap();
    places
}

fn save(places: &Places, version: &Version) {
    for task in [Task::Write, Task::Commit] {
        perform(
            places,
            COMPONENT,
            task,
            OrderRule::FilesFirst,
            Some(version),
        )
        .unwrap();
    }
}

fn complete(places: &Places) -> Vec<String> {
    let found = disk::versions(places, COMPONENT).unwrap().into_iter();
    found
        .filter(|found| found.complete)
        .map(|found| found.generation)
        .collect()
}

#[test]
fn a_copy_refers_to_nothing_that_an_api_would_have_to_tell() {
    let copy = of_parent(COMPONENT, &parent(), "/versions/1").unwrap();
    let text = copy.to_string();
    for reference in [
        "secretName",
        "configMap",
        "serviceAccountName",
        "fieldRef",
        "nodeSelector",
        "nodeName",
        "affinity",
        "tolerations",
        "priorityClassName",
        "$(",
        "6443",
        "self-hosted",
        "x7kq2",
    ] {
        assert!(!text.contains(reference), "{reference} in {text}");
    }
    for needed in [
        "--secure-port=6444",
        "--advertise-address=10.231.7.12",
        "/serving/checkpoint.crt",
        "/serving/checkpoint.key",
        "--endpoint-reconciler-type=none",
        "\"port\":6444",
        "/versions/1/secrets/kube-apiserver",
        "/versions/1/configuration/kube-apiserver",
    ] {
        assert!(text.contains(needed), "no {needed} in {text}");
    }
    assert_eq!(
        copy["metadata"]["labels"]["k8s-app"],
        "checkpoint-kube-apiserver"
    );
    let expected = [
        (0, "kube-apiserver".to_owned()),
        (1, "kube-apiserver".to_owned()),
    ];
    assert_eq!(sources(COMPONENT, &parent()).unwrap(), expected);
}

#[test]
fn what_only_the_api_can_fill_is_refused_and_not_left_out() {
    let refused = |pointer: &str, value: Value| {
        let mut pod = parent();
        *pod.pointer_mut(pointer).unwrap() = value;
        of_parent(COMPONENT, &pod, "/versions/1")
            .unwrap_err()
            .to_string()
    };
    let projected = json!({ "name": "token", "projected": { "sources": [] } });
    assert!(refused("/spec/volumes/0", projected).contains("the volume \"token\""));
    let from_secret =
        json!([{ "name": "PASSWORD", "valueFrom": { "secretKeyRef": { "name": "x" } } }]);
    assert!(refused("/spec/containers/0/env", from_secret).contains("the variable PASSWORD"));
}

#[test]
fn what_a_copy_mounts_belongs_to_the_user_as_whom_it_runs() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    // Nobody but the system's own user may give files away; to itself anybody may.
    let own = rustix::process::geteuid();
    let user = if own.is_root() { 65_534 } else { own.as_raw() };
    let mut parent = parent();
    parent["spec"]["securityContext"] = json!({ "runAsUser": user });
    let place = places.versions(COMPONENT);
    let version = Version::of(COMPONENT, &parent, contents("k"), &place).unwrap();
    assert_eq!(version.user, Some(user));
    save(&places, &version);
    let directory = place.join(&version.generation);
    let owner = |name: &str| fs::metadata(directory.join(name)).unwrap().uid();
    for mounted in ["secrets/kube-apiserver", "secrets/kube-apiserver/key"] {
        assert_eq!(owner(mounted), user, "{mounted}");
    }
    for of_the_agent in ["", "secrets", MANIFEST, "sums"] {
        assert_eq!(owner(of_the_agent), own.as_raw(), "{of_the_agent}");
    }
}

#[test]
fn a_containers_own_user_counts_and_two_users_are_refused() {
    let mut parent = parent();
    assert_eq!(user(COMPONENT, &parent), Ok(None));
    parent["spec"]["securityContext"] = json!({ "runAsUser": 1 });
    let mut other = parent["spec"]["containers"][0].clone();
    other["securityContext"] = json!({ "runAsUser": 2 });
    parent["spec"]["containers"] = json!([other]);
    assert_eq!(user(COMPONENT, &parent), Ok(Some(2)));
    let mut third = other;
    third["securityContext"] = json!({});
    parent["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(third);
    let refused = user(COMPONENT, &parent).unwrap_err().to_string();
    assert!(refused.contains("different users"), "{refused}");
}

#[test]
fn a_version_is_named_after_what_it_consists_of() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    let one = version(&places, "one");
    let mut other_pod = parent();
    other_pod["metadata"]["name"] = json!("kube-apiserver-another");
    other_pod["metadata"]["uid"] = json!("2");
    let again = Version::of(
        COMPONENT,
        &other_pod,
        contents("one"),
        &places.versions(COMPONENT),
    );
    assert_eq!(
        again.unwrap(),
        one,
        "a pod's name says nothing of its content"
    );
    assert_ne!(version(&places, "two").generation, one.generation);
    other_pod["spec"]["containers"][0]["command"][0] = json!("another");
    let changed = Version::of(
        COMPONENT,
        &other_pod,
        contents("one"),
        &places.versions(COMPONENT),
    );
    assert_ne!(changed.unwrap().generation, one.generation);
}

#[test]
fn a_version_counts_once_it_is_committed_and_only_while_it_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    let wanted = version(&places, "one");
    let run = |task, order| perform(&places, COMPONENT, task, order, Some(&wanted));
    run(Task::Write, OrderRule::FilesFirst).unwrap();
    assert!(complete(&places).is_empty());
    assert!(matches!(
        run(Task::Activate, OrderRule::FilesFirst),
        Err(TaskError::NoVersion(COMPONENT))
    ));
    let key = places
        .versions(COMPONENT)
        .join(&wanted.generation)
        .join("secrets/kube-apiserver/key");
    fs::write(&key, "o").unwrap();
    assert!(matches!(
        run(Task::Commit, OrderRule::FilesFirst),
        Err(TaskError::Differs(_))
    ));
    save(&places, &wanted);
    assert_eq!(complete(&places), [wanted.generation.as_str()]);
    fs::write(&key, "o").unwrap();
    assert!(complete(&places).is_empty(), "torn after it was committed");
    // History started what it found.
    run(Task::Activate, OrderRule::ManifestFirst).unwrap();
    assert!(places.active(COMPONENT).exists());
}

#[test]
fn a_copy_comes_and_goes_however_often_it_is_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    let wanted = version(&places, "one");
    save(&places, &wanted);
    let run = |task| perform(&places, COMPONENT, task, OrderRule::FilesFirst, None).unwrap();
    for _ in 0..2 {
        run(Task::Activate);
        run(Task::Activate);
        let active = fs::read(places.active(COMPONENT)).unwrap();
        assert_eq!(active, wanted.files["manifest.json"]);
        run(Task::Retire);
        run(Task::Retire);
        assert!(!places.active(COMPONENT).exists());
        assert!(places.prepared(COMPONENT).exists());
    }
    run(Task::Remove);
    run(Task::Remove);
    assert!(!places.versions(COMPONENT).exists() && !places.prepared(COMPONENT).exists());
}

fn activate(places: &Places) -> Result<(), TaskError> {
    let order = OrderRule::FilesFirst;
    perform(places, COMPONENT, Task::Activate, order, None)
}

#[test]
fn a_copy_is_not_activated_beside_a_temporary_instance() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    save(&places, &version(&places, "one"));
    let activate = || activate(&places);
    let manifest = places.manifests.join("bootstrap-kube-apiserver.yaml");
    fs::create_dir_all(&places.temporary_secrets).unwrap();
    fs::write(&manifest, "{}").unwrap();
    assert!(matches!(activate(), Err(TaskError::Fenced(_))));
    assert!(!places.active(COMPONENT).exists());
    fs::remove_file(manifest).unwrap();
    let operator = Fence::enter(&places.fence).unwrap();
    assert!(matches!(activate(), Err(TaskError::Fenced(_))));
    drop(operator);
    activate().unwrap();
    assert!(places.active(COMPONENT).exists());
}

#[test]
fn two_versions_are_kept_and_the_one_that_runs() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    let versions = ["one", "two", "three", "four"].map(|key| version(&places, key));
    let [one, two, three, four] = &versions;
    save(&places, one);
    activate(&places).unwrap();
    for next in [two, three, four] {
        save(&places, next);
    }
    let kept = [four, three, one].map(|version| version.generation.clone());
    assert_eq!(complete(&places), kept);
    // What was current before becomes so again, without being written again.
    save(&places, three);
    assert_eq!(complete(&places)[0], three.generation);
}

fn sight(facts: Facts, agents: Option<&[&str]>) -> Sight {
    let seen = Seen {
        facts,
        ..Seen::default()
    };
    Sight {
        asked: Instant::now(),
        looked: Instant::now(),
        components: [seen.clone(), seen.clone(), seen],
        agents: agents.map(|agents| agents.iter().map(|uid| (*uid).to_owned()).collect()),
    }
}

#[tokio::test(start_paused = true)]
async fn the_agent_protects_itself_until_the_api_has_said_for_long_that_nothing_is_left() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    let plan = modern_agent();
    let own = places.manifests.join("checkpoint-agent.json");
    let mut protection = Protection::of("cp-1");
    protection.renew(&places).unwrap();
    assert!(!own.exists(), "one that waits places nothing");
    fs::write(&own, "of an older program").unwrap();
    protection.renew(&places).unwrap();
    assert!(
        fs::read_to_string(&own)
            .unwrap()
            .contains("chrysalis/selfhost")
    );
    let idle = Facts {
        api: true,
        bound: Known::No,
        ..Facts::default()
    };
    let mut follow = |facts| {
        protection
            .follow(&places, &plan, &sight(facts, None))
            .unwrap();
    };
    follow(Facts {
        saved: Saved::Complete,
        ..Facts::default()
    });
    assert!(fs::read_to_string(&own).unwrap().contains("--node=cp-1"));
    fs::remove_file(&own).unwrap();
    follow(Facts {
        saved: Saved::Complete,
        ..Facts::default()
    });
    assert!(own.exists(), "somebody else took it away");
    follow(idle);
    tokio::time::advance(Duration::from_secs(200)).await;
    follow(Facts::default());
    tokio::time::advance(Duration::from_secs(200)).await;
    follow(idle);
    assert!(own.exists(), "the API was silent in between");
    tokio::time::advance(Duration::from_secs(301)).await;
    follow(idle);
    assert!(!own.exists());
}

#[tokio::test(start_paused = true)]
async fn historys_protection_goes_with_the_pod_and_does_not_return() {
    let root = tempfile::tempdir().unwrap();
    let places = node(root.path());
    let own = places.manifests.join("checkpoint-agent.json");
    let mut protection = Protection::of("cp-1");
    let saved = Facts {
        saved: Saved::Complete,
        ..Facts::default()
    };
    let mut follow = |agents: Option<&[&str]>| {
        protection
            .follow(&places, &bootkube_agent(), &sight(saved, agents))
            .unwrap();
        own.exists()
    };
    assert!(follow(Some(&["first"])));
    assert!(follow(None));
    assert!(!follow(Some(&["second"])));
    assert!(!follow(Some(&["first"])));
}

#[tokio::test(start_paused = true)]
async fn hold_points_may_be_written_while_the_agent_runs() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("holds");
    let mut holds = Holds::new(Vec::new(), file.clone(), Duration::from_secs(300));
    let announced = (Step::Saved, Moment::Entered);
    assert!(!holds.hold(COMPONENT, announced, 1).unwrap());
    fs::write(&file, "kube-apiserver-saved:entered:2\nnonsense\n").unwrap();
    assert!(!holds.hold(COMPONENT, announced, 1).unwrap());
    assert!(holds.hold(COMPONENT, announced, 2).unwrap());
    let name = StepName::new("kube-apiserver-saved");
    assert_eq!(holds.release(&name, Moment::Completed), None);
    assert_eq!(
        holds.release(&name, Moment::Entered),
        Some((COMPONENT, Step::Saved))
    );
    assert!(holds.hold(COMPONENT, announced, 2).unwrap());
    tokio::time::advance(Duration::from_secs(301)).await;
    assert_eq!(
        holds.release_overdue(),
        [(COMPONENT, Step::Saved, Moment::Entered)]
    );
}
