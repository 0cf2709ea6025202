//! What the simulator cannot do truthfully: such a case is not applicable here, with the reason.

use scenarios::{Case, Entry, Installer, OperationKind};
use terms::{Component, Delete, Fault, Kill, Resource, Tear, Unit};

use crate::thin::Part;
use crate::timers::{MINORS, Timers};

/// Nodes that the machine's facts can name, and so the most that are simulated.
const MOST_NODES: u32 = 16;
/// Where the self-hosted control plane lives.
pub(super) const NAMESPACE: &str = "kube-system";

/// Why a case cannot be run here; nothing when it can.
pub fn why_not_applicable(case: &Case) -> Option<String> {
    let nodes = case.cluster.control_plane + case.cluster.workers;
    if nodes > MOST_NODES {
        return Some(format!(
            "{nodes} nodes: the simulator has at most {MOST_NODES}"
        ));
    }
    if Timers::of(&case.cluster.kubernetes).is_none() {
        let (first, last) = MINORS;
        let version = &case.cluster.kubernetes;
        return Some(format!(
            "Kubernetes {version}: the table of timers knows 1.{first} to 1.{last}"
        ));
    }
    let Installer::Selfhost(selfhost) = &case.installer;
    let known = |switch: &&String| switch.as_str() != NODE_SELECTOR;
    if let Some(switch) = selfhost.switches.keys().find(known) {
        return Some(format!("the switch `{switch}` is not simulated"));
    }
    let operation = case.timeline.iter().find_map(why_not_carried_out);
    operation.or_else(|| {
        let mut faults = case.timeline.iter().flat_map(faults);
        faults.find_map(why_not_simulated)
    })
}

/// Recovery's procedure is explored in the coarse world; the timed one has nobody who begins it.
fn why_not_carried_out(entry: &Entry) -> Option<String> {
    let Entry::Operation(operation) = entry else {
        return None;
    };
    let why = match operation.kind {
        OperationKind::Bootstrap | OperationKind::Resume => return None,
        OperationKind::Snapshot => "etcd is a register here, of which no snapshot can be taken",
        OperationKind::Recover { .. } => {
            "nobody begins a recovery here, and etcd's membership does not change"
        }
        OperationKind::ForeignBootstrap => "there is no installer of another cluster here",
    };
    Some(format!("`{}`: {why}", operation.kind.written()))
}

/// The switch that makes self-hosted apiservers impossible to schedule.
pub(super) const NODE_SELECTOR: &str = "apiserver-node-selector";

fn faults(entry: &Entry) -> &[Fault] {
    match entry {
        Entry::At(at) => &at.inject,
        Entry::Inject(faults) => faults,
        Entry::Operation(_) | Entry::Wait(_) | Entry::Heal(_) | Entry::Settle(_) => &[],
    }
}

fn why_not_simulated(fault: &Fault) -> Option<String> {
    match fault {
        Fault::PowerOff(_) | Fault::Reboot(_) | Fault::KillInstaller(_) => None,
        Fault::Kill(Kill { component, .. }) => match component {
            Component::Etcd
            | Component::KubeApiserver
            | Component::KubeControllerManager
            | Component::KubeScheduler
            | Component::CheckpointAgent
            | Component::Kubelet => None,
            other => Some(format!("`kill`: {other} is not simulated")),
        },
        Fault::Delete(delete) => deleted_component(delete).err(),
        Fault::LoseDisk(_) => {
            Some("`lose_disk`: files of a node survive everything in the simulator".to_owned())
        }
        Fault::Freeze(_) => Some(
            "`freeze`: processes that stand still while clocks go on are not simulated".to_owned(),
        ),
        Fault::Restart(restart) if restart.unit == Unit::Containerd => Some(
            "`restart`: what a container runtime forgets when it starts anew is not simulated"
                .to_owned(),
        ),
        Fault::Stop(_) | Fault::Restart(_) => None,
        Fault::Tear(tear) => torn_part(tear).err(),
        Fault::Change(_) => Some(
            "`change`: Secrets and ConfigMaps have no content in the simulator that could be another"
                .to_owned(),
        ),
        Fault::RemoveImage(_) => {
            Some("`remove_image`: containers need no image in the simulator".to_owned())
        }
        Fault::Roll(_) => Some(
            "`roll`: pods of one component are all alike in the simulator, and a DaemonSet has no revisions"
                .to_owned(),
        ),
    }
}

/// Where checkpoints lie.
const CHECKPOINTS: &str = "/var/lib/selfhost/checkpoints/";

/// The component whose newest version is torn, and in which part.
///
/// # Errors
/// Why such a file is not simulated.
pub(super) fn torn_part(tear: &Tear) -> Result<(Component, Part), String> {
    let path = tear.path.as_str();
    let unknown = || {
        format!(
            "`tear`: only files of checkpoints are simulated, as {CHECKPOINTS}COMPONENT/*/FILE; not `{path}`"
        )
    };
    let below = path.strip_prefix(CHECKPOINTS).ok_or_else(unknown)?;
    let mut names = below.splitn(3, '/');
    let component = names.next().and_then(Component::from_name);
    let component = component.filter(|component| Component::SELF_HOSTED.contains(component));
    match (component, names.next(), names.next()) {
        (Some(component), Some("*"), Some("sums")) => Ok((component, Part::Mark)),
        (Some(component), Some("*"), Some(_)) => Ok((component, Part::Files)),
        _ => Err(unknown()),
    }
}

/// The component whose pods are deleted.
///
/// # Errors
/// Why such a deletion is not simulated.
pub(super) fn deleted_component(delete: &Delete) -> Result<Component, String> {
    let Delete {
        kind,
        namespace,
        name,
        selector,
        limit: _,
    } = delete;
    if matches!(kind, Resource::RoleBinding | Resource::ClusterRoleBinding) {
        return Err(format!(
            "`delete`: everybody may do everything in the simulator, with a {kind:?} or without"
        ));
    }
    if *kind != Resource::Pod {
        return Err(format!(
            "`delete`: what follows the loss of a {kind:?} is not simulated"
        ));
    }
    if let Some(name) = name {
        return Err(format!(
            "`delete`: the simulator does not know the names of pods, such as `{name}`"
        ));
    }
    let selector = selector.as_deref().unwrap_or_default();
    selector
        .strip_prefix("k8s-app=")
        .and_then(Component::from_name)
        .filter(|component| Component::SELF_HOSTED.contains(component))
        .filter(|_| namespace.as_deref() == Some(NAMESPACE))
        .ok_or_else(|| {
            format!("`delete`: only pods of the control plane are simulated, by k8s-app=…; not `{selector}`")
        })
}
