//! Waiting until a node has booted.

use std::time::Duration;

use super::{ClusterError, Node};
use crate::docker::{Power, State};

/// How many lines of a console are shown when a node does not boot.
const CONSOLE_LINES: u32 = 30;

/// Asks systemd until it says that everything has been started. The first answers are errors,
/// because systemd does not listen yet. One command does the asking, since starting a command from
/// outside costs more than asking inside.
const ASK: &str = "\
while :; do
  said=$(systemctl is-system-running --wait 2>/dev/null)
  case $said in
    running) echo running; exit 0 ;;
    degraded) echo degraded; systemctl list-units --failed --plain --no-legend --no-pager; exit 0 ;;
  esac
  sleep 0.1
done";

/// How a node booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The units that could not be started. A node without some of them may still do; whoever
    /// needs one of them finds out.
    pub failed_units: Vec<String>,
}

pub(crate) async fn wait(node: &Node, deadline: Duration) -> Result<Boot, ClusterError> {
    let why = match node.exec(["/bin/sh", "-c", ASK], deadline).await {
        Ok(output) if output.success() => return Ok(read(&output.text())),
        Ok(output) => format!(
            "asking systemd ended with code {}: {}",
            output.exit_code,
            output.complaint()
        ),
        Err(ClusterError::Engine { source, .. }) => source.to_string(),
        Err(other) => other.to_string(),
    };
    let why = match node.state().await {
        Ok(State {
            power: Power::Off,
            exit_code,
            ..
        }) => {
            format!("its first process ended with code {exit_code}")
        }
        _ => why,
    };
    let console = node
        .logs(CONSOLE_LINES)
        .await
        .unwrap_or_else(|error| error.to_string());
    Err(ClusterError::NotBooted {
        node: node.name().to_owned(),
        why,
        console,
    })
}

fn read(answer: &str) -> Boot {
    let units = answer
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next());
    Boot {
        failed_units: units.map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_are_named() {
        assert_eq!(
            read("running"),
            Boot {
                failed_units: Vec::new()
            }
        );
        let degraded = "degraded\nkubelet.service loaded failed failed kubelet\nx.mount loaded failed failed x";
        assert_eq!(read(degraded).failed_units, ["kubelet.service", "x.mount"]);
    }
}
