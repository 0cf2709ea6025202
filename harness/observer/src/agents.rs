//! Processes of the checkpoint agent, and which of them acts.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use oracle::observation::AgentSeen;
use terms::Incarnation;

use crate::processes::{pod_uid, process_id};

/// Program and verb by which the agent is known.
const COMMAND: [&str; 2] = ["selfhost", "checkpoint"];

/// The agent's processes, those that wait for the lock too.
pub fn list(lock: &Path) -> Vec<AgentSeen> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let inode = fs::metadata(lock).map(|about| about.ino()).ok();
    let holder = inode.and_then(|inode| holder(&locks, inode));
    let mut agents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end while it is looked at: then it is not listed.
        let path = entry.path();
        let Ok(command) = fs::read(path.join("cmdline")) else {
            continue;
        };
        let (true, Some(id)) = (is_agent(&command), process_id(&path, pid)) else {
            continue;
        };
        let cgroup = fs::read_to_string(path.join("cgroup")).unwrap_or_default();
        agents.push(AgentSeen {
            id,
            incarnation: pod_uid(&cgroup).map(|uid| incarnation(&uid)),
            acting: holder == Some(pid),
        });
    }
    agents.sort_by_key(|agent| agent.id);
    agents
}

fn is_agent(command: &[u8]) -> bool {
    let mut words = command
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    program == COMMAND[0] && words.next().is_some_and(|verb| verb == COMMAND[1])
}

/// The API gives UUIDs with dashes, the kubelet gives static pods a hash without.
fn incarnation(uid: &str) -> Incarnation {
    if uid.contains('-') {
        Incarnation::SelfHosted
    } else {
        Incarnation::Checkpoint
    }
}

/// Who holds the lock on the file with this inode, by `/proc/locks`: lines such as
/// `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`; those who wait have `->` before the kind.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = words[..] else {
            return None;
        };
        let is_it = file.rsplit(':').next()?.parse() == Ok(inode);
        is_it.then(|| pid.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_known_by_program_and_verb() {
        assert!(is_agent(
            b"/usr/local/bin/selfhost\0checkpoint\0--node=cp-1\0"
        ));
        assert!(!is_agent(b"selfhost\0start\0"));
        assert!(!is_agent(b"sh\0selfhost\0checkpoint\0"));
        assert!(!is_agent(b""));
    }

    #[test]
    fn the_holder_of_a_lock_is_told_from_those_who_wait() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 08:01:42 0 EOF\n\
             2: FLOCK  ADVISORY  WRITE 1234 00:2f:42 0 EOF\n\
             2: -> FLOCK  ADVISORY  WRITE 99 00:2f:42 0 EOF\n";
        assert_eq!(holder(locks, 42), Some(1234));
        assert_eq!(holder(locks, 43), None);
    }
}
