//! Who made an object, so that `reap` can tell a living maker from a dead one.

use std::fmt;
use std::fs;

use thiserror::Error;

/// Who made an object: a process of this or another machine.
///
/// A process id alone is reused, so the start time (clock ticks since boot) goes with it; the
/// boot, the PID namespace and the machine say whether the number means anything here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    pid: u32,
    start_ticks: u64,
    boot: String,
    namespace: String,
    machine: String,
}

/// What can be said about an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// The process is there.
    Alive,
    /// The process is certainly gone.
    Gone,
    /// It cannot be seen from here: another machine, or another PID namespace. Unknown is not gone.
    Unknown,
}

/// A label that names no owner.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not an owner; expected pid:start:boot:namespace:machine")]
pub struct OwnerError(String);

impl Owner {
    /// This process.
    pub fn this_process() -> Self {
        let pid = std::process::id();
        Self {
            pid,
            start_ticks: start_ticks(pid).unwrap_or(0),
            boot: short(fs::read_to_string("/proc/sys/kernel/random/boot_id")),
            namespace: namespace(),
            machine: short(fs::read_to_string("/etc/machine-id")),
        }
    }

    /// Reads an owner from a label.
    ///
    /// # Errors
    /// When the label was not written by [`Owner`]'s `Display`.
    pub fn parse(label: &str) -> Result<Self, OwnerError> {
        let wrong = || OwnerError(label.to_owned());
        let parts: Vec<&str> = label.split(':').collect();
        let [pid, start, boot, namespace, machine] = parts.as_slice() else {
            return Err(wrong());
        };
        Ok(Self {
            pid: pid.parse().map_err(|_| wrong())?,
            start_ticks: start.parse().map_err(|_| wrong())?,
            boot: (*boot).to_owned(),
            namespace: (*namespace).to_owned(),
            machine: (*machine).to_owned(),
        })
    }

    /// Whether the process still lives, as far as can be seen from this process.
    pub fn liveness(&self) -> Liveness {
        let here = Self::this_process();
        self.seen_from(&here, start_ticks(self.pid))
    }

    /// The pure part: `here` is who asks, `running` the start of the process that has the pid now.
    fn seen_from(&self, here: &Self, running: Option<u64>) -> Liveness {
        if self.machine != here.machine {
            Liveness::Unknown
        } else if self.boot != here.boot {
            Liveness::Gone
        } else if self.namespace != here.namespace {
            Liveness::Unknown
        } else if running == Some(self.start_ticks) {
            Liveness::Alive
        } else {
            Liveness::Gone
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            start_ticks,
            boot,
            namespace,
            machine,
        } = self;
        write!(out, "{pid}:{start_ticks}:{boot}:{namespace}:{machine}")
    }
}

/// Field 22 of `/proc/PID/stat`. The command name (field 2) may contain spaces and brackets, so
/// counting starts after its last bracket. A zombie is gone: it can remove nothing any more.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy()
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

fn short(text: std::io::Result<String>) -> String {
    text.unwrap_or_default()
        .trim()
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(12)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(pid: u32, start_ticks: u64, boot: &str, namespace: &str, machine: &str) -> Owner {
        let (boot, namespace, machine) =
            (boot.to_owned(), namespace.to_owned(), machine.to_owned());
        Owner {
            pid,
            start_ticks,
            boot,
            namespace,
            machine,
        }
    }

    #[test]
    fn a_label_reads_back() {
        let here = Owner::this_process();
        assert_eq!(Owner::parse(&here.to_string()), Ok(here.clone()));
        assert_eq!(here.liveness(), Liveness::Alive);
        assert!(Owner::parse("cluster").is_err());
        assert!(Owner::parse("1:2:3").is_err());
        assert!(Owner::parse("x:2:3:4:5").is_err());
    }

    #[test]
    fn a_reused_pid_is_gone_and_a_foreign_one_unknown() {
        let here = owner(9, 900, "b", "n", "m");
        let maker = owner(7, 700, "b", "n", "m");
        assert_eq!(maker.seen_from(&here, Some(700)), Liveness::Alive);
        assert_eq!(maker.seen_from(&here, Some(701)), Liveness::Gone);
        assert_eq!(maker.seen_from(&here, None), Liveness::Gone);
        assert_eq!(
            owner(7, 700, "other", "n", "m").seen_from(&here, None),
            Liveness::Gone
        );
        assert_eq!(
            owner(7, 700, "b", "other", "m").seen_from(&here, None),
            Liveness::Unknown
        );
        assert_eq!(
            owner(7, 700, "b", "n", "other").seen_from(&here, None),
            Liveness::Unknown
        );
    }
}
