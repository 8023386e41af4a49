//! The real service of a configuration, as a process of its own. Killed when dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A service and what it writes to its terminal.
pub(crate) struct Served {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Served {
    /// Starts it.
    pub(crate) fn start(config: &Path) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_capline"))
            .arg("run")
            .arg("--config")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("the log is piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // Read to the end, whether anybody listens or not: a full pipe would hold the service up.
            log.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Served { child, lines }
    }

    /// The word that follows these in what it says next.
    pub(crate) fn told(&self, before: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).expect("it says so");
            if let Some((_, rest)) = line.split_once(before) {
                return rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
        }
    }

    /// Freezes the service, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the service runs");
    }

    /// Where its screens are, said at its start.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.told("open http://").trim_end_matches('/'))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
