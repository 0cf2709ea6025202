//! What a container costs.

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures::StreamExt;
use serde::Serialize;

use super::owned::lacks;
use super::verb::{QUICK, verb};
use super::{Container, Engine, EngineError, Owned};

/// What a container has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Processor time of all its processes since its start, in nanoseconds.
    pub cpu_ns: u64,
    /// Memory that cannot be taken back without writing, in bytes: the page cache that the kernel
    /// would drop first is not counted.
    pub memory_bytes: u64,
}

impl Engine {
    /// Reads what a running container has used.
    ///
    /// # Errors
    /// When the container is gone or does not run, or the engine fails.
    pub async fn usage(&self, container: &Owned<Container>) -> Result<Usage, EngineError> {
        let options = StatsOptionsBuilder::new()
            .stream(false)
            .one_shot(true)
            .build();
        let mut answers = self.api.stats(&container.id, Some(options));
        let first = async { answers.next().await.transpose() };
        let doing = format!("read what container {} has used", container.name());
        let answer = verb(doing, QUICK, first).await?;
        answer
            .as_ref()
            .and_then(read)
            .ok_or_else(|| lacks(container.name(), "processor or memory figures"))
    }
}

fn read(answer: &ContainerStatsResponse) -> Option<Usage> {
    let cpu_ns = answer.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
    let memory = answer.memory_stats.as_ref()?;
    let droppable = memory.stats.as_ref().and_then(|stats| {
        stats
            .get("total_inactive_file")
            .or_else(|| stats.get("inactive_file"))
            .copied()
    });
    Some(Usage {
        cpu_ns,
        memory_bytes: memory.usage?.saturating_sub(droppable.unwrap_or(0)),
    })
}
