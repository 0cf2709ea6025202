//! A user's workload on a node: how often its containers were started, and whether its Service answers.
//!
//! The kubelet keeps the log of each container's start under `<namespace>_<pod>_<uid>/<container>/<number>.log`,
//! numbered from 0. The Service is asked by a thread of its own, for an answer may take its time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use oracle::observation::{Answering, ContainerSeen, WorkloadSeen};

/// Where the kubelet keeps logs.
const LOGS: &str = "/var/log/pods";
/// How often the Service is asked, and how long each part of an answer may take.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long no answer may come before the Service counts as silent: what is shorter may be the host's.
const SILENT_AFTER: Duration = Duration::from_secs(5);

/// Watches the pods of a namespace, and their Service.
#[derive(Debug)]
pub struct Workload {
    logs: PathBuf,
    namespace: String,
    service: Arc<Mutex<Answering>>,
}

impl Workload {
    /// Watches this namespace, and asks this address for an HTTP answer from now on.
    pub fn watch(namespace: &str, service: SocketAddr) -> Self {
        let answering = Arc::new(Mutex::new(Answering::NotYet));
        let told = Arc::clone(&answering);
        thread::spawn(move || ask_for_ever(service, &told));
        Self {
            logs: LOGS.into(),
            namespace: namespace.to_owned(),
            service: answering,
        }
    }

    /// The workload as it is now.
    pub fn look(&self) -> WorkloadSeen {
        WorkloadSeen {
            containers: containers(&self.logs, &self.namespace),
            service: *self.service.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

fn ask_for_ever(service: SocketAddr, told: &Mutex<Answering>) {
    let mut last: Option<Instant> = None;
    loop {
        if answers(service).unwrap_or(false) {
            last = Some(Instant::now());
        }
        let now = told_of(last.map(|last| last.elapsed()));
        *told.lock().unwrap_or_else(PoisonError::into_inner) = now;
        thread::sleep(ASK_EVERY);
    }
}

/// What is to be told when the last answer is this old.
fn told_of(age: Option<Duration>) -> Answering {
    match age {
        None => Answering::NotYet,
        Some(age) if age < SILENT_AFTER => Answering::Answers,
        Some(_) => Answering::Silent,
    }
}

/// Asks once, over a new connection.
fn answers(service: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&service, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut first = [0; 12];
    stream.read_exact(&mut first)?;
    Ok(first.ends_with(b" 200"))
}

/// The containers of a namespace's pods, by what the kubelet logged.
fn containers(logs: &Path, namespace: &str) -> Vec<ContainerSeen> {
    let mut starts: BTreeMap<(String, String), u32> = BTreeMap::new();
    for pod in names(logs) {
        let Some((of, uid)) = pod
            .split_once('_')
            .and_then(|(of, rest)| Some((of, rest.rsplit_once('_')?.1)))
        else {
            continue;
        };
        if of != namespace {
            continue;
        }
        for container in names(&logs.join(&pod)) {
            let files = names(&logs.join(&pod).join(&container));
            let numbers = files
                .iter()
                .filter_map(|file| file.split('.').next()?.parse::<u32>().ok());
            if let Some(last) = numbers.max() {
                starts.insert((uid.to_owned(), container), last.saturating_add(1));
            }
        }
    }
    let seen = |((pod, name), starts)| ContainerSeen { pod, name, starts };
    starts.into_iter().map(seen).collect()
}

/// The names in a directory; none when it is not there.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn starts_are_counted_by_logs_of_the_namespace() {
        let logs = tempfile::tempdir().unwrap();
        for path in [
            "users_server-x_uid-1/server",
            "users_server-y_uid-2/server",
            "kube-system_a_uid-3/a",
        ] {
            fs::create_dir_all(logs.path().join(path)).unwrap();
            fs::write(logs.path().join(path).join("0.log"), "").unwrap();
        }
        let again = logs.path().join("users_server-x_uid-1/server");
        for file in ["1.log", "1.log.20260101-000000.gz"] {
            fs::write(again.join(file), "").unwrap();
        }
        let container = |pod: &str, starts| ContainerSeen {
            pod: pod.to_owned(),
            name: "server".to_owned(),
            starts,
        };
        let seen = containers(logs.path(), "users");
        assert_eq!(seen, [container("uid-1", 2), container("uid-2", 1)]);
        assert!(containers(&logs.path().join("nothing"), "users").is_empty());
    }

    #[test]
    fn only_a_good_answer_is_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for answer in ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.0 503 No\r\n\r\n", ""] {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 64]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert!(answers(address).unwrap());
        assert!(!answers(address).unwrap());
        assert!(answers(address).is_err());
        server.join().unwrap();
        assert!(answers(address).is_err(), "nobody listens any more");
    }

    #[test]
    fn silence_is_told_of_who_has_answered() {
        assert_eq!(told_of(None), Answering::NotYet);
        assert_eq!(told_of(Some(Duration::from_secs(1))), Answering::Answers);
        assert_eq!(told_of(Some(Duration::from_secs(6))), Answering::Silent);
    }
}
