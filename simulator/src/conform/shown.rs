//! What a coarse state shows on a track, and whether that fits what was seen.

use pivot::Durable;
use terms::{Component, Incarnation, Moment};

use super::change::{Holder, Made, PodSeen, Track, Value};
use super::seen::is_fleeting;
use crate::coarse::{Action, Joined, Lease, Pod, Port, Power, Process, State, Status, World};

/// Whether a process is to be seen. The world starts one at once; a real one takes its time, and may
/// crash until it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Absent,
    Either,
    Present,
}

/// Whether the change to this value can have happened in this state. `lags` says that a component
/// may work before its pod is called ready, and that a container may run although its manifest is gone.
pub(super) fn fits_new(state: &State, track: Track, value: &Value, lags: bool) -> bool {
    match (track, value) {
        (_, Value::Unknown) => true,
        (Track::Pod(component, node), Value::Pod(seen)) => {
            let seat = &state.nodes[usize::from(node)];
            let pod = seat.pods[place(component)];
            match seen {
                PodSeen::Absent => !pod.is_bound(),
                // A bound pod of a node without power is called not ready once its node is.
                PodSeen::Bound => pod.is_bound() && (lags || !pod.is_ready() || !seat.is_on()),
                PodSeen::Ready => pod.is_ready(),
            }
        }
        // Whether what only starts was started anew is for [`may_restart`] to say.
        (Track::Process(component, incarnation, node), Value::Process(None)) => {
            presence(state, component, incarnation, node) == Presence::Absent
        }
        (Track::Lease(component), Value::Holder(None)) => lease(state, component).is_free(),
        // A holder needs an action that takes the lease; what comes from outside, and announcements, too.
        (Track::Lease(_) | Track::Outside(_) | Track::Steps | Track::Tasks | Track::Timers, _) => {
            false
        }
        (Track::Joined(node), Value::Joined(seen)) => {
            let joined = state.nodes[usize::from(node)].joined;
            // In the world a node registers as soon as it can; a real one takes its time.
            joined == *seen || joined == Joined::Registered && *seen == Joined::No
        }
        _ => shows(state, track, value, lags),
    }
}

/// Whether the state can go on showing this value; `lags` as for [`fits_new`].
pub(super) fn fits_still(state: &State, track: Track, value: &Value, lags: bool) -> bool {
    // It may come and go before the next look.
    if is_fleeting(track) && *value == Value::There(false) {
        return true;
    }
    shows(state, track, value, lags)
}

fn shows(state: &State, track: Track, value: &Value, lags: bool) -> bool {
    let disk = &state.disk;
    let bit = |bits: u8, component| bits >> place(component) & 1 == 1;
    match (track, value) {
        (Track::Manifest(component), Value::There(there)) => {
            bit(disk.manifests, component) == *there
        }
        (Track::Stashed(component), Value::There(there)) => bit(disk.stashed, component) == *there,
        (Track::Secrets, Value::There(there)) => disk.secrets == *there,
        (Track::StashedSecrets, Value::There(there)) => disk.stashed_secrets == *there,
        (Track::Assets, Value::There(there)) => disk.assets == *there,
        (Track::Applied, Value::There(there)) => state.applied == *there,
        (Track::Process(component, incarnation, node), Value::Process(seen)) => {
            match presence(state, component, incarnation, node) {
                Presence::Absent => {
                    seen.is_none() || lags && state.nodes[usize::from(node)].is_on()
                }
                Presence::Either => true,
                Presence::Present => seen.is_some(),
            }
        }
        (Track::Pod(component, node), Value::Pod(seen)) => {
            let seat = &state.nodes[usize::from(node)];
            let pod = seat.pods[place(component)];
            // The API shows an old status for a while, above all of a node without power.
            match seen {
                PodSeen::Ready => pod.is_bound(),
                PodSeen::Bound => pod.is_bound() && (lags || !seat.is_on() || !pod.is_ready()),
                // Whether it may still be unbound is for [`is_bound`] and the other nodes' pods to say.
                PodSeen::Absent => lags || !seat.is_on() || !pod.is_ready(),
            }
        }
        (Track::Lease(component), Value::Holder(Some(holder))) => {
            shows_holder(lease(state, component), holder)
        }
        _ => shows_inside(state, track, value),
    }
}

/// As [`shows`], for what only a timed run tells.
fn shows_inside(state: &State, track: Track, value: &Value) -> bool {
    match (track, value) {
        // Once it is done or holds, starting it again changes nothing.
        (Track::Installer, Value::There(true)) => state.status != Status::Down,
        (Track::Installer, Value::There(false)) => state.status != Status::Running,
        (Track::Marker, Value::Marker(marker)) => {
            // Drivers write at each end, of a policy without a marker too, that all is done; the stage of
            // such a marker is that of the process which wrote it.
            let is_done = |marker: Option<Durable>| marker.is_some_and(|marker| marker.done);
            let done = is_done(state.marker) || state.machine.is_done();
            state.marker == *marker || is_done(*marker) && done
        }
        (Track::Claimed, Value::There(there)) => state.disk.claimed == *there,
        (Track::Works(component, incarnation, node), Value::There(there)) => {
            works(state, component, incarnation, node) == *there
        }
        (Track::Made(component, node), Value::Made(made)) => {
            let pod = state.nodes[usize::from(node)].pods[place(component)];
            *made
                == match pod {
                    Pod::None => Made::No,
                    Pod::Created => Made::Created,
                    _ => Made::Bound,
                }
        }
        (Track::Joined(node), Value::Joined(seen)) => {
            let joined = state.nodes[usize::from(node)].joined;
            (joined == Joined::Labelled) == (*seen == Joined::Labelled) && joined >= *seen
        }
        (Track::Fresh(node), Value::There(fresh)) => {
            let power = state.nodes[usize::from(node)].power;
            power
                == if *fresh {
                    Power::OffFresh
                } else {
                    Power::OffStale
                }
        }
        (Track::Listed(incarnation, node), Value::There(there)) => {
            let port = match incarnation {
                Incarnation::SelfHosted => Port::SelfHosted,
                _ => Port::Bootstrap,
            };
            (state.nodes[usize::from(node)].listed & port.bit() != 0) == *there
        }
        _ => true,
    }
}

fn works(state: &State, component: Component, incarnation: Incarnation, node: u8) -> bool {
    let seat = &state.nodes[usize::from(node)];
    match incarnation {
        Incarnation::Bootstrap => node == 0 && state.bootstrap[place(component)].works(),
        Incarnation::SelfHosted => seat.is_on() && seat.pods[place(component)].is_ready(),
        Incarnation::Checkpoint => seat.runs_copy(place(component)),
    }
}

/// Whether the component's pod of this node is bound.
pub(super) fn is_bound(state: &State, component: Component, node: u8) -> bool {
    state.nodes[usize::from(node)].pods[place(component)].is_bound()
}

/// Whether a process that was seen may be gone or have been started anew, for all that the state says.
pub(super) fn may_restart(state: &State, track: Track) -> bool {
    matches!(track, Track::Process(component, incarnation, node)
        if presence(state, component, incarnation, node) == Presence::Either)
}

/// Whether an action that takes the lease explains this value.
pub(super) fn takes(state: &State, component: Component, value: &Value) -> bool {
    match value {
        Value::Unknown => true,
        Value::Holder(Some(holder)) => shows_holder(lease(state, component), holder),
        _ => false,
    }
}

/// Whether the self-hosted process of this node holds the component's lease.
pub(super) fn holds(state: &State, component: Component, node: u8) -> bool {
    lease(state, component).node() == Some(usize::from(node))
}

/// A lease goes on showing a holder that is gone.
fn shows_holder(lease: Lease, holder: &Holder) -> bool {
    let node = holder.node;
    let bootstraps = |is: bool| {
        holder
            .incarnation
            .is_none_or(|incarnation| (incarnation == Incarnation::Bootstrap) == is)
    };
    match lease {
        Lease::Never => false,
        Lease::Bootstrap | Lease::BootstrapGone => node == Some(0) && bootstraps(true),
        Lease::SelfHostedGone => node.is_some() && bootstraps(false),
        _ => lease.node() == node.map(usize::from) && bootstraps(false),
    }
}

fn lease(state: &State, component: Component) -> Lease {
    state.leases[place(component).saturating_sub(1).min(1)]
}

fn presence(state: &State, component: Component, incarnation: Incarnation, node: u8) -> Presence {
    let seat = &state.nodes[usize::from(node)];
    let pod = seat.pods[place(component)];
    match incarnation {
        _ if !seat.is_on() => Presence::Absent,
        Incarnation::Bootstrap if node != 0 => Presence::Absent,
        Incarnation::Bootstrap => match state.bootstrap[place(component)] {
            Process::Gone => Presence::Absent,
            Process::Starting => Presence::Either,
            Process::Ready | Process::Stopping => Presence::Present,
        },
        Incarnation::SelfHosted if pod.is_ready() => Presence::Present,
        Incarnation::SelfHosted if pod.is_running() => Presence::Either,
        Incarnation::Checkpoint if pod == Pod::Copy => Presence::Present,
        _ => Presence::Absent,
    }
}

/// What the installer's process announces in this state: the step and its side.
pub(super) fn announcement<'a>(world: &'a World, state: &State) -> Option<(&'a str, Moment)> {
    let machine = state.machine;
    if state.status != Status::Running {
        return None;
    }
    if let Some((stage, moment)) = machine.announced() {
        let stage = world.config().plan.stages.get(usize::from(stage))?;
        return Some((stage.step.as_str(), moment));
    }
    if machine.is_reinstating() {
        return Some((pivot::Plan::REINSTATING_STEP, Moment::Entered));
    }
    said_at_the_end(state)
}

/// What a procedure that is over announced at its end.
pub(super) fn said_at_the_end(state: &State) -> Option<(&'static str, Moment)> {
    if state.machine.is_holding() {
        return Some((pivot::Plan::HOLDING_STEP, Moment::Entered));
    }
    let done = state.machine.is_done();
    done.then_some((pivot::Plan::DONE_STEP, Moment::Completed))
}

/// Whether the installer's process does it, so that it waits while an announcement is not seen yet.
pub(super) const fn is_installers(action: Action) -> bool {
    matches!(
        action,
        Action::Done(_)
            | Action::Fails(_)
            | Action::Lands(_)
            | Action::AnswerLost(_)
            | Action::Look
            | Action::Retry
            | Action::Stable
            | Action::StableUnseen
            | Action::Overdue
            | Action::OverdueEarly
            | Action::Release
            | Action::End
    )
}

/// What the state shows on a track, in words.
pub(super) fn words(world: &World, state: &State, track: Track) -> String {
    let disk = &state.disk;
    let bit = |bits: u8, component| Value::There(bits >> place(component) & 1 == 1).to_string();
    match track {
        Track::Steps => procedure(world, state),
        Track::Manifest(component) => bit(disk.manifests, component),
        Track::Stashed(component) => bit(disk.stashed, component),
        Track::Secrets => Value::There(disk.secrets).to_string(),
        Track::StashedSecrets => Value::There(disk.stashed_secrets).to_string(),
        Track::Assets => Value::There(disk.assets).to_string(),
        Track::Applied => Value::There(state.applied).to_string(),
        Track::Process(component, Incarnation::Bootstrap, 0) => {
            format!("{:?}", state.bootstrap[place(component)])
        }
        Track::Process(component, _, node) | Track::Pod(component, node) => {
            let seat = &state.nodes[usize::from(node)];
            format!("{:?}, node {:?}", seat.pods[place(component)], seat.power)
        }
        Track::Lease(component) => format!("{:?}", lease(state, component)),
        Track::Outside(_) => "not done yet".to_owned(),
        Track::Installer => format!("{:?}", state.status),
        Track::Marker => Value::Marker(state.marker).to_string(),
        Track::Tasks | Track::Timers => procedure(world, state),
        Track::Claimed => Value::There(disk.claimed).to_string(),
        Track::Works(component, Incarnation::Bootstrap, _) => {
            format!("{:?}", state.bootstrap[place(component)])
        }
        Track::Works(component, _, node) | Track::Made(component, node) => {
            let seat = &state.nodes[usize::from(node)];
            format!("{:?}, node {:?}", seat.pods[place(component)], seat.power)
        }
        Track::Joined(node) | Track::Fresh(node) | Track::Listed(_, node) => {
            let seat = &state.nodes[usize::from(node)];
            format!(
                "{:?}, power {:?}, listed {:02b}",
                seat.joined, seat.power, seat.listed
            )
        }
    }
}

/// Where the procedure stands, in words.
pub(super) fn procedure(world: &World, state: &State) -> String {
    let step = world
        .config()
        .plan
        .stages
        .get(usize::from(state.machine.stage()));
    let step = step.map_or("?", |stage| stage.step.as_str());
    match announcement(world, state) {
        Some((step, moment)) => format!("{step} {moment}"),
        None => match state.status {
            Status::Running => format!("in {step}"),
            Status::Down => "its process is down".to_owned(),
            Status::Ended => "ended".to_owned(),
        },
    }
}

fn place(component: Component) -> usize {
    crate::coarse::index(component)
}
