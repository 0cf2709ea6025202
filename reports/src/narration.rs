//! Observations in words: the ones that tell the story of a case.

use oracle::observation::{
    CaseClosed, Credential, FaultRecord, Gap, HealRecord, OperationEnd, OperationEnded, Settled,
    Step,
};
use oracle::{Observation, Sighting};
use terms::NodeId;

use crate::duration;

/// What kind of event a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The procedure or the timeline went on.
    Step,
    /// Something was broken on purpose.
    Fault,
    /// Something was mended.
    Heal,
    /// Something went wrong, or was not seen.
    Trouble,
    /// Anything else worth a line.
    Note,
}

/// An observation in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What kind of event it is.
    pub tone: Tone,
    /// What happened, in one line.
    pub text: String,
}

/// Tells an observation in one line; none for the samples that only make sense together.
pub fn narrate(observation: &Observation) -> Option<Told> {
    let (tone, text) = match &observation.saw {
        Sighting::Step(step) => tell_step(step),
        Sighting::OperationStarted(operation) => {
            let whose = if operation.foreign {
                " of another cluster"
            } else {
                ""
            };
            (
                Tone::Step,
                format!("{}{whose} started", operation.operation),
            )
        }
        Sighting::OperationEnded(ended) => tell_end(ended),
        Sighting::Fault(fault) => tell_fault(fault),
        Sighting::Heal(heal) => tell_heal(heal),
        Sighting::Entry(entry) if entry.begins => (Tone::Note, entry.what.clone()),
        Sighting::Settled(settled) => tell_settled(settled),
        Sighting::Credential(credential) => tell_credential(credential)?,
        Sighting::Gap(gap) => tell_gap(observation, gap),
        Sighting::RecordingDegraded(why) => (
            Tone::Trouble,
            format!("recording degraded, what follows may be incomplete: {why}"),
        ),
        Sighting::NotApplicable(reason) => (Tone::Note, format!("not applicable: {reason}")),
        Sighting::CaseClosed(closed) => tell_close(closed),
        // Samples: what they show, invariants and the timeline show together.
        _ => return None,
    };
    Some(Told {
        tone,
        text: one_line(&text),
    })
}

/// A text without line breaks and other control characters.
fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_control())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn tell_step(step: &Step) -> (Tone, String) {
    let mut text = format!("step {} {}", step.step, step.moment);
    if step.occurrence > 1 {
        text += &format!(" (occurrence {})", step.occurrence);
    }
    if step.actor.0 != "installer" {
        text += &format!(" by {}", step.actor);
    }
    if step.held {
        text += ", held";
    }
    if let Some(reason) = &step.reason {
        text += &format!(": {reason}");
    }
    (Tone::Step, text)
}

fn tell_end(ended: &OperationEnded) -> (Tone, String) {
    let (tone, how) = match ended.end {
        OperationEnd::Done => (Tone::Step, "is done"),
        OperationEnd::Holding => (Tone::Trouble, "holds and waits for a person"),
        OperationEnd::Refused => (Tone::Trouble, "refused to begin"),
        OperationEnd::Failed => (Tone::Trouble, "failed"),
        OperationEnd::Killed => (Tone::Trouble, "was killed"),
        OperationEnd::Overdue => (Tone::Trouble, "did not end within its deadline"),
    };
    let detail = ended
        .detail
        .as_deref()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    (tone, format!("{} {how}{detail}", ended.operation))
}

fn tell_fault(fault: &FaultRecord) -> (Tone, String) {
    let mut text = fault.fault.key().replace('_', " ");
    if !fault.targets.is_empty() {
        text += &format!(" {}", nodes(&fault.targets));
    }
    if !fault.objects.is_empty() {
        text += &format!(" [{}]", fault.objects.join(", "));
    }
    match &fault.effect {
        Ok(proof) => (Tone::Fault, format!("{text}, proven: {proof}")),
        Err(why) => (Tone::Trouble, format!("{text} had no proven effect: {why}")),
    }
}

fn tell_heal(heal: &HealRecord) -> (Tone, String) {
    let text = format!("heal {}", nodes(&heal.nodes));
    match &heal.effect {
        Ok(proof) => (Tone::Heal, format!("{text}, proven: {proof}")),
        Err(why) => (Tone::Trouble, format!("{text} was not proven: {why}")),
    }
}

fn tell_settled(settled: &Settled) -> (Tone, String) {
    let took = duration(settled.took_ms);
    if settled.missing.is_empty() && settled.failed_claims.is_empty() {
        return (Tone::Step, format!("settled after {took}"));
    }
    let claims = settled
        .failed_claims
        .iter()
        .map(|(name, error)| format!("claim {name} failed: {error}"));
    let parts: Vec<String> = settled.missing.iter().cloned().chain(claims).collect();
    (
        Tone::Trouble,
        format!("not settled after {took}: {}", parts.join("; ")),
    )
}

fn tell_credential(credential: &Credential) -> Option<(Tone, String)> {
    match &credential.accepted {
        Some(Ok(())) => None,
        Some(Err(words)) => Some((
            Tone::Trouble,
            format!("{} was refused: {words}", credential.name),
        )),
        None => Some((
            Tone::Trouble,
            format!("{} could not be tried: nobody answered", credential.name),
        )),
    }
}

fn tell_gap(observation: &Observation, gap: &Gap) -> (Tone, String) {
    let silent_ms = observation.end_us.saturating_sub(gap.since_us) / 1_000;
    let source = source_name(&observation.source);
    (
        Tone::Trouble,
        format!(
            "{source} was silent for {}: {}",
            duration(silent_ms),
            gap.reason
        ),
    )
}

fn tell_close(closed: &CaseClosed) -> (Tone, String) {
    match &closed.trouble {
        None => (
            Tone::Note,
            format!("case closed, the procedure is `{}`", closed.end),
        ),
        Some(trouble) => (
            Tone::Trouble,
            format!(
                "case closed early, the procedure is `{}`: {}",
                closed.end, trouble.detail
            ),
        ),
    }
}

fn nodes(nodes: &[NodeId]) -> String {
    nodes
        .iter()
        .map(NodeId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A source as people name it, such as `apiserver cp-1`.
pub fn source_name(source: &oracle::Source) -> String {
    use oracle::Source;
    match source {
        Source::Runner => "runner".to_owned(),
        Source::Steps => "step stream".to_owned(),
        Source::Apiserver(node) => format!("apiserver {node}"),
        Source::BootstrapApiserver(node) => format!("bootstrap apiserver {node}"),
        Source::LoadBalancer => "load balancer".to_owned(),
        Source::Cluster => "cluster".to_owned(),
        Source::EtcdMember(node) => format!("etcd {node}"),
        Source::EtcdKeys => "etcd keys".to_owned(),
        Source::Node(node) => format!("node {node}"),
        Source::Host => "host".to_owned(),
    }
}
