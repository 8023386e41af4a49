//! The service under test: the real binary with its simulated line, in a process that can be stopped and continued.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long the demo may take to say where it is served.
const SERVED_WITHIN: Duration = Duration::from_secs(180);

/// A running `capline demo`. Killed when dropped.
pub(crate) struct Demo {
    child: Child,
    /// Address of its first page, without a slash at the end.
    pub(crate) origin: String,
    data: tempfile::TempDir,
}

impl Demo {
    /// Starts a demo on a free port with a fresh journal.
    pub(crate) fn start() -> Demo {
        Demo::with(&["--speed", "10"])
    }

    /// The same with arguments of its own.
    pub(crate) fn with(arguments: &[&str]) -> Demo {
        let data = tempfile::tempdir().expect("a directory for the journal");
        let kept = data.path().to_str().expect("a name").to_owned();
        Demo::run(&[&["--data", &kept], arguments].concat(), data)
    }

    /// A demo whose journal goes with it, so that another run can take its place.
    pub(crate) fn without_data(arguments: &[&str]) -> Demo {
        Demo::run(arguments, tempfile::tempdir().expect("a directory"))
    }

    fn run(arguments: &[&str], data: tempfile::TempDir) -> Demo {
        let mut child = Command::new(env!("CARGO_BIN_EXE_capline"))
            .args(["demo", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("the log is piped"));
        let (sender, receiver) = mpsc::channel();
        // Reads to the end, so that a chatty log never fills the pipe.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let found = line.find("http://").filter(|_| line.starts_with("Capline demo"));
                if let Some(start) = found {
                    let origin = line[start..].split_whitespace().next().unwrap_or_default();
                    let _ = sender.send(origin.to_owned());
                }
            }
        });
        let origin =
            receiver.recv_timeout(SERVED_WITHIN).expect("the demo says where it is served");
        Demo { child, origin, data }
    }

    /// Its journal.
    pub(crate) fn journal(&self) -> std::path::PathBuf {
        self.data.path().join("journal.db")
    }

    /// Freezes the process: its connections stay open and say nothing, as those of a hung service do.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the demo runs");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A frozen process dies too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
