//! What the engine says about a container's life.

use std::time::Duration;

use bollard::models::{ContainerState, ContainerStateStatusEnum};
use serde::Serialize;

use super::owned::lacks;
use super::verb::{QUICK, milliseconds, verb};
use super::{Container, Engine, EngineError, Owned};

/// Whether a container's processes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// They run.
    On,
    /// They exist, but their clock stands still.
    Frozen,
    /// There are none.
    Off,
}

/// A container's life at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// Whether its processes run.
    pub power: Power,
    /// When it was last started, as the engine writes it (RFC 3339 with nanoseconds).
    pub started_at: String,
    /// When it last ended, as the engine writes it; `0001-01-01T00:00:00Z` if it never did.
    pub finished_at: String,
    /// Its first process on the host; `None` when there is none.
    pub pid: Option<u32>,
    /// What its first process ended with: 137 after SIGKILL; meaningless while it runs.
    pub exit_code: i64,
    /// Whether the kernel killed it for want of memory.
    pub out_of_memory: bool,
}

/// How often a state is asked for while waiting for a change.
const POLL: Duration = Duration::from_millis(25);

impl Engine {
    /// Reads a container's state.
    ///
    /// # Errors
    /// When the container is gone, or the engine fails.
    pub async fn state(&self, container: &Owned<Container>) -> Result<State, EngineError> {
        let doing = format!("inspect container {}", container.name());
        let answer = verb(
            doing,
            QUICK,
            self.api.inspect_container(&container.id, None),
        )
        .await?;
        let state = answer
            .state
            .ok_or_else(|| lacks(container.name(), "a state"))?;
        Ok(read(state))
    }

    /// Waits until a container's power is `wanted`.
    ///
    /// # Errors
    /// [`EngineError::Deadline`] when that does not happen in time; otherwise as
    /// [`Engine::state`].
    pub async fn wait_for_power(
        &self,
        container: &Owned<Container>,
        wanted: Power,
        deadline: Duration,
    ) -> Result<State, EngineError> {
        let waiting = async {
            loop {
                let state = self.state(container).await?;
                if state.power == wanted {
                    return Ok(state);
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(deadline, waiting)
            .await
            .unwrap_or_else(|_| {
                Err(EngineError::Deadline {
                    doing: format!("see container {} {wanted:?}", container.name()),
                    deadline_ms: milliseconds(deadline),
                })
            })
    }
}

fn read(state: ContainerState) -> State {
    let power = match state.status {
        Some(ContainerStateStatusEnum::PAUSED) => Power::Frozen,
        _ if state.paused == Some(true) => Power::Frozen,
        _ if state.running == Some(true) => Power::On,
        _ => Power::Off,
    };
    State {
        power,
        started_at: state.started_at.unwrap_or_default(),
        finished_at: state.finished_at.unwrap_or_default(),
        pid: state
            .pid
            .and_then(|pid| u32::try_from(pid).ok())
            .filter(|pid| *pid != 0),
        exit_code: state.exit_code.unwrap_or_default(),
        out_of_memory: state.oom_killed.unwrap_or_default(),
    }
}
