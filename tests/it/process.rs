//! The binary as a process of its own, so that it can be killed: it dies with the value that holds it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::harness::{Api, PATIENCE, until};

/// Lines that a process has written so far.
type Lines = Arc<Mutex<Vec<String>>>;

/// Runs the binary under test to its end: exit code, stdout, stderr.
pub(crate) async fn capline(args: &[&str]) -> (Option<i32>, String, String) {
    let mut process = Process::capline(args);
    let status = process.exit(PATIENCE * 3).await;
    (status.code(), process.stdout().join("\n"), process.stderr().join("\n"))
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// A running process.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Lines,
    err: Lines,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Process {
    /// The binary under test.
    pub(crate) fn capline(args: &[&str]) -> Process {
        Process::start(Command::new(env!("CARGO_BIN_EXE_capline")).args(args))
    }

    /// The service of a configuration.
    pub(crate) fn run(config: &Path) -> Process {
        Process::capline(&["run", "--config", &config.display().to_string()])
    }

    /// Starts any command with all three streams in our hands.
    pub(crate) fn start(command: &mut Command) -> Process {
        let piped = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (out, err) = (Lines::default(), Lines::default());
        let readers = vec![
            read(child.stdout.take().expect("stdout is piped"), out.clone()),
            read(child.stderr.take().expect("stderr is piped"), err.clone()),
        ];
        Process { stdin: child.stdin.take(), child, out, err, readers }
    }

    /// Where it serves its screens, once it says so.
    pub(crate) async fn api(&mut self) -> Api {
        let address = |line: &String| -> Option<SocketAddr> {
            let (_, rest) = line.split_once("http://")?;
            rest.split([' ', '/']).next()?.parse().ok()
        };
        until("the address of the screens", PATIENCE, async || {
            let err = self.stderr();
            if let Some(address) = err.iter().find_map(address) {
                return Ok(Api(address));
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("ended with {status} before it served anything: {err:#?}");
            }
            Err(format!("{err:#?}"))
        })
        .await
    }

    /// The first line of stdout that fits.
    pub(crate) async fn line<T>(&self, what: &str, fits: impl Fn(&str) -> Option<T>) -> T {
        until(what, PATIENCE, async || {
            let out = locked(&self.out);
            let found = out.iter().find_map(|line| fits(line));
            found.ok_or_else(|| format!("{out:#?}, stderr {:#?}", self.stderr()))
        })
        .await
    }

    /// Writes a line to its stdin.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is piped");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the process listens");
    }

    /// Leaves it so many descriptors beyond those that it has open, give or take those that come and go; without a
    /// number, 1,024 in all.
    pub(crate) fn spare_descriptors(&self, spare: Option<u64>) {
        let pid = Pid::from_child(&self.child);
        let open = std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
        let open: std::collections::BTreeSet<u64> = open
            .expect("a process has descriptors")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        let free = |spare: u64| (0..).filter(|n| !open.contains(n)).nth(spare as usize);
        let wanted = Rlimit { current: spare.and_then(free).or(Some(1_024)), maximum: Some(1_024) };
        prlimit(Some(pid), Resource::Nofile, wanted).expect("our own child can be limited");
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is there");
    }

    /// kill -9, and no trace of the process is left when this returns.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Waits for its end, and for the last line it wrote.
    pub(crate) async fn exit(&mut self, limit: Duration) -> ExitStatus {
        let status = until("the end of the process", limit, async || {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => Ok(status),
                None => Err(format!("{:#?}", locked(&self.err))),
            }
        })
        .await;
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        status
    }

    /// What it wrote to stdout.
    pub(crate) fn stdout(&self) -> Vec<String> {
        locked(&self.out)
    }

    /// What it wrote to stderr.
    pub(crate) fn stderr(&self) -> Vec<String> {
        locked(&self.err)
    }

    fn end(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn locked(lines: &Lines) -> Vec<String> {
    lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn read(stream: impl Read + Send + 'static, lines: Lines) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}
