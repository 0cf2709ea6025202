//! One node that runs, and what can be done to it.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Boot, ClusterError, Effect};
use crate::docker::{
    Container, Engine, EngineError, ExecLines, ExecOutput, NodeFile, Owned, Power, Role, State,
    Usage,
};

/// How long a node may take to lose or regain power, in the engine's eyes.
const POWER_DEADLINE: Duration = Duration::from_secs(30);
/// How long files may take into or out of a node.
const FILES_DEADLINE: Duration = Duration::from_secs(60);
/// The most bytes of one download: 256 MiB.
pub const DOWNLOAD_BYTES_MAX: usize = 256 << 20;
/// Where a node's file systems are in memory, out of the engine's reach.
const IN_MEMORY: [&str; 5] = ["/run/", "/tmp/", "/dev/", "/sys/", "/proc/"];

/// One node of a cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) engine: Engine,
    pub(crate) container: Owned<Container>,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) address: Ipv4Addr,
}

impl Node {
    /// Such as `cp-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the node is for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The node's only address; it survives kill and start.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The name of the node's container, for messages that tell people how to look inside.
    pub fn container_name(&self) -> &str {
        self.container.name()
    }

    // === Power ===

    /// Kills every process of the node at once. In-memory files are gone, `/var` stays; what the
    /// node's processes had written but not synced survives too, because the host's page cache does.
    ///
    /// # Errors
    /// [`ClusterError::NoEffect`] when the node is off already; otherwise when the engine fails or
    /// the node is not off after 30 s.
    pub async fn power_off(&self) -> Result<Effect, ClusterError> {
        let before = self.state().await?;
        if before.power == Power::Off {
            return Err(self.no_effect("powered off", before.power));
        }
        // A frozen container cannot be killed by every engine; thawed, it does not live to act.
        let killed = self.engine.kill(&self.container, "SIGKILL").await;
        if let Err(error) = killed
            && !error.is_conflict()
        {
            return Err(self.failed("power it off")(error));
        }
        let after = self.reach(Power::Off, "power it off").await?;
        Ok(Effect { before, after })
    }

    /// Starts the node. It is not waited for its services: see [`Node::wait_booted`]. On a node
    /// that is on, nothing happens and [`Effect::changed`] says so.
    ///
    /// # Errors
    /// When the engine fails, or the node is not on after 30 s.
    pub async fn power_on(&self) -> Result<Effect, ClusterError> {
        let before = self.state().await?;
        if before.power == Power::Frozen {
            return Err(self.no_effect("powered on", before.power));
        }
        self.engine
            .start(&self.container)
            .await
            .map_err(self.failed("power it on"))?;
        let after = self.reach(Power::On, "power it on").await?;
        Ok(Effect { before, after })
    }

    /// Kills every process of the node and starts it again.
    ///
    /// # Errors
    /// As [`Node::power_off`] and [`Node::power_on`].
    pub async fn reboot(&self) -> Result<Effect, ClusterError> {
        let off = self.power_off().await?;
        let on = self.power_on().await?;
        Ok(Effect {
            before: off.before,
            after: on.after,
        })
    }

    /// Stops the clock of every process of the node.
    ///
    /// # Errors
    /// [`ClusterError::NoEffect`] when the node is off or frozen; otherwise when the engine fails.
    pub async fn freeze(&self) -> Result<Effect, ClusterError> {
        let before = self.state().await?;
        if before.power != Power::On {
            return Err(self.no_effect("frozen", before.power));
        }
        self.engine
            .pause(&self.container)
            .await
            .map_err(self.failed("freeze it"))?;
        let after = self.reach(Power::Frozen, "freeze it").await?;
        Ok(Effect { before, after })
    }

    /// Undoes [`Node::freeze`].
    ///
    /// # Errors
    /// [`ClusterError::NoEffect`] when the node is not frozen; otherwise when the engine fails.
    pub async fn thaw(&self) -> Result<Effect, ClusterError> {
        let before = self.state().await?;
        if before.power != Power::Frozen {
            return Err(self.no_effect("thawed", before.power));
        }
        self.engine
            .unpause(&self.container)
            .await
            .map_err(self.failed("thaw it"))?;
        let after = self.reach(Power::On, "thaw it").await?;
        Ok(Effect { before, after })
    }

    /// Waits until systemd has started everything that it starts at boot.
    ///
    /// # Errors
    /// [`ClusterError::NotBooted`] with the end of the console when that does not happen within
    /// `deadline`.
    pub async fn wait_booted(&self, deadline: Duration) -> Result<Boot, ClusterError> {
        super::boot::wait(self, deadline).await
    }

    // === Looking ===

    /// The node's state, from the engine.
    ///
    /// # Errors
    /// When the engine fails, or the node has been removed.
    pub async fn state(&self) -> Result<State, ClusterError> {
        self.engine
            .state(&self.container)
            .await
            .map_err(self.failed("read its state"))
    }

    /// Whether the node's processes run.
    ///
    /// # Errors
    /// As [`Node::state`].
    pub async fn is_running(&self) -> Result<bool, ClusterError> {
        Ok(self.state().await?.power == Power::On)
    }

    /// When the node was last started, as the engine writes it (RFC 3339 with nanoseconds). It
    /// differs after every start, so it tells one life of the node from another.
    ///
    /// # Errors
    /// As [`Node::state`].
    pub async fn started_at(&self) -> Result<String, ClusterError> {
        Ok(self.state().await?.started_at)
    }

    /// What the node has used since its start.
    ///
    /// # Errors
    /// When the node does not run, or the engine fails.
    pub async fn usage(&self) -> Result<Usage, ClusterError> {
        self.engine
            .usage(&self.container)
            .await
            .map_err(self.failed("read what it has used"))
    }

    /// The last lines of the node's console, dead nodes included.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn logs(&self, lines_max: u32) -> Result<String, ClusterError> {
        let logs = self.engine.logs(&self.container, lines_max).await;
        let logs = logs.map_err(self.failed("read its console"))?;
        Ok(String::from_utf8_lossy(&logs).into_owned())
    }

    // === Commands ===

    /// Runs a command and collects what it says. A code other than 0 is not an error here.
    ///
    /// # Errors
    /// When the command does not end within `deadline` (it goes on inside), the node does not run,
    /// or the engine fails.
    pub async fn exec<Word: Into<String>>(
        &self,
        command: impl IntoIterator<Item = Word>,
        deadline: Duration,
    ) -> Result<ExecOutput, ClusterError> {
        self.run(command, None, deadline).await
    }

    /// Runs a command with this standard input; otherwise as [`Node::exec`].
    ///
    /// # Errors
    /// As [`Node::exec`].
    pub async fn exec_with_input<Word: Into<String>>(
        &self,
        command: impl IntoIterator<Item = Word>,
        input: &[u8],
        deadline: Duration,
    ) -> Result<ExecOutput, ClusterError> {
        self.run(command, Some(input), deadline).await
    }

    /// Runs a command that must end with code 0, and returns its standard output as text.
    ///
    /// # Errors
    /// [`ClusterError::Command`] with its standard error for any other code; otherwise as
    /// [`Node::exec`].
    pub async fn exec_ok<Word: Into<String>>(
        &self,
        command: impl IntoIterator<Item = Word>,
        deadline: Duration,
    ) -> Result<String, ClusterError> {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let output = self.run(command.clone(), None, deadline).await?;
        if output.success() {
            return Ok(output.text());
        }
        Err(ClusterError::Command {
            node: self.name.clone(),
            command: command.join(" "),
            exit_code: output.exit_code,
            complaint: output.complaint(),
        })
    }

    /// Starts a long-lived command and returns its lines as they come.
    ///
    /// # Errors
    /// When the node does not run, or the engine fails.
    pub async fn exec_lines<Word: Into<String>>(
        &self,
        command: impl IntoIterator<Item = Word>,
    ) -> Result<ExecLines, ClusterError> {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let doing = format!("run `{}`", command.join(" "));
        self.engine
            .exec_lines(&self.container, &command)
            .await
            .map_err(self.failed(&doing))
    }

    async fn run<Word: Into<String>>(
        &self,
        command: impl IntoIterator<Item = Word>,
        input: Option<&[u8]>,
        deadline: Duration,
    ) -> Result<ExecOutput, ClusterError> {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let doing = format!("run `{}`", command.join(" "));
        let running = self.engine.exec(&self.container, &command, input, deadline);
        running.await.map_err(self.failed(&doing))
    }

    // === Files ===

    /// Puts files into the node, running or not. Below `/run` and `/tmp`, which are in memory, the
    /// node must run.
    ///
    /// # Errors
    /// When the engine fails, or the node does not run where it must.
    pub async fn upload(&self, files: &[NodeFile]) -> Result<(), ClusterError> {
        let (volatile, lasting): (Vec<_>, Vec<_>) = files
            .iter()
            .cloned()
            .partition(|file| in_memory(&file.path));
        if !lasting.is_empty() {
            let archive = NodeFile::archive(&lasting);
            let copying = self
                .engine
                .upload(&self.container, "/", archive, FILES_DEADLINE);
            copying.await.map_err(self.failed("copy files into it"))?;
        }
        if !volatile.is_empty() {
            let archive = NodeFile::archive(&volatile);
            let command = [
                "tar",
                "--extract",
                "--file=-",
                "--directory=/",
                "--no-same-owner",
            ];
            let output = self
                .exec_with_input(command, &archive, FILES_DEADLINE)
                .await?;
            if !output.success() {
                return Err(ClusterError::Command {
                    node: self.name.clone(),
                    command: command.join(" "),
                    exit_code: output.exit_code,
                    complaint: output.complaint(),
                });
            }
        }
        Ok(())
    }

    /// Packs a file or directory of the node, running or not, into a tar archive. What is in
    /// memory (`/run`, `/tmp`) is read from inside, so the node must run for that.
    ///
    /// # Errors
    /// When the path does not exist, the archive is larger than [`DOWNLOAD_BYTES_MAX`], or the
    /// engine fails.
    pub async fn download(&self, path: &str) -> Result<Vec<u8>, ClusterError> {
        let doing = format!("copy {path} out of it");
        if !in_memory(path) {
            let copying =
                self.engine
                    .download(&self.container, path, DOWNLOAD_BYTES_MAX, FILES_DEADLINE);
            return copying.await.map_err(self.failed(&doing));
        }
        let relative = path.trim_start_matches('/');
        let command = ["tar", "--create", "--file=-", "--directory=/", relative];
        let output = self.exec(command, FILES_DEADLINE).await?;
        if output.success() {
            return Ok(output.stdout);
        }
        Err(ClusterError::Command {
            node: self.name.clone(),
            command: command.join(" "),
            exit_code: output.exit_code,
            complaint: output.complaint(),
        })
    }

    // === Inside ===

    async fn reach(&self, power: Power, doing: &str) -> Result<State, ClusterError> {
        let waiting = self
            .engine
            .wait_for_power(&self.container, power, POWER_DEADLINE);
        waiting.await.map_err(self.failed(doing))
    }

    fn no_effect(&self, verb: &'static str, power: Power) -> ClusterError {
        ClusterError::NoEffect {
            node: self.name.clone(),
            verb,
            power,
        }
    }

    fn failed(&self, doing: &str) -> impl FnOnce(EngineError) -> ClusterError + use<> {
        let cluster = self
            .container
            .labels()
            .cluster
            .as_deref()
            .unwrap_or_default();
        ClusterError::engine(cluster, &format!("{doing} (node {})", self.name))
    }
}

fn in_memory(path: &str) -> bool {
    IN_MEMORY
        .iter()
        .any(|directory| format!("{path}/").starts_with(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_memory_are_told_from_their_neighbours() {
        assert!(in_memory("/run/a") && in_memory("/run") && in_memory("/tmp/x/y"));
        assert!(!in_memory("/runs/a") && !in_memory("/var/run/a") && !in_memory("/etc/tmp"));
    }
}
