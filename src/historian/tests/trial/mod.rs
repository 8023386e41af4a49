//! Trials: the store under kill -9, power cuts, torn and flipped logs, a full disk and a failing one, on real files.
//!
//! The writer is this test binary again, started with `TRIAL_DIR`: it stores ticks as fast as it can and says so after
//! each. `CAPLINE_STORE_KILLS` sets the number of kills, `CAPLINE_POWER_CUTS` that of power cuts (100
//! each). Moments are seeded.

mod cuts;
mod disk;
mod kills;
mod logs;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;

use super::{at, l1, tick};
use crate::historian::journal::Journal;

/// Number of trials that a variable sets.
fn times(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Seeded moments (xorshift).
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// A writer in a process of its own.
struct Writer {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Writer {
    fn start(dir: &Path, settings: &[(&str, &str)]) -> Writer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["historian::tests::trial::writes_for_a_trial", "--exact", "--nocapture"])
            .env("TRIAL_DIR", dir)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Writer { child, out }
    }

    /// The next thing it says: `ack 17`, `refused …`.
    fn says(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.out.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // A line that the kill cut off was not said.
            let line = line.strip_suffix('\n')?;
            if line.starts_with("ack ") || line.starts_with("refused") {
                return Some(line.to_owned());
            }
        }
    }

    /// Lets it write for a while after its first tick, kills it, and returns the last tick that it said is stored.
    fn kill_after(mut self, life: Duration) -> Option<u64> {
        let first = self.says();
        if first.is_some() {
            std::thread::sleep(life);
        }
        self.child.kill().unwrap();
        let mut last = first;
        while let Some(line) = self.says() {
            last = Some(line);
        }
        self.child.wait().unwrap();
        last.and_then(|line| line.strip_prefix("ack ")?.parse().ok())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: what the process of a [`Writer`] does. Without `TRIAL_DIR` there is nothing to do.
#[test]
fn writes_for_a_trial() {
    let Some(dir) = std::env::var_os("TRIAL_DIR").map(PathBuf::from) else { return };
    let mut journal = Journal::open(&dir, Duration::from_secs(3_600), "boot", at(0)).unwrap();
    if std::env::var_os("TRIAL_NORMAL").is_some() {
        journal.conn().pragma_update(None, "synchronous", "normal").unwrap();
    }
    // Checkpoints come often, so that some are hit.
    journal.conn().pragma_update(None, "wal_autocheckpoint", 400).unwrap();
    let mut seq = stored(journal.conn()) + 1;
    let mut out = std::io::stdout();
    loop {
        let said = match journal.append(&[&tick(&l1(), seq)]).remove(0) {
            Ok(()) => format!("ack {seq}\n"),
            Err(error) => format!("refused {error}\n"),
        };
        if said.starts_with("ack") {
            seq += 1;
        } else {
            std::thread::sleep(Duration::from_millis(5));
        }
        out.write_all(said.as_bytes()).and_then(|()| out.flush()).unwrap();
    }
}

/// Number of the last tick in a journal, 0 for none.
fn stored(conn: &Connection) -> u64 {
    let sql = "select coalesce(max(tick_seq), 0) from line";
    conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

/// Opens what is left as a start of the service does, and returns the number of the last tick. All parts of it are there
/// and no other's, every tick before it left its event and its frame, and the file is sound.
fn left(dir: &Path) -> u64 {
    let journal = Journal::open(dir, Duration::from_secs(3_600), "boot", at(0)).unwrap();
    let conn = journal.conn();
    let seq = stored(conn);
    let ask = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap();
    for sql in [
        "select count(*) from frame",
        "select count(*) from event",
        "select max(raw) from baseline",
        "select max(rev) from minute",
        "select max(best) from line",
        "select max(best) from minute_count where counter = 1",
        "select max(rev) from rollup",
    ] {
        assert_eq!(ask(sql).unwrap_or(0) as u64, seq, "{sql}");
    }
    let sound: String = conn.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    journal.close().unwrap();
    seq
}

/// Begins again in an empty directory now and then: the checks read everything.
fn anew_beyond(dir: &Path, seq: u64) -> u64 {
    if seq < 3_000 {
        return seq;
    }
    fs::remove_dir_all(dir).unwrap();
    0
}

/// Whether a trial must be left out because of what is missing. With `CI` nothing may be.
fn skipped(trial: &str, missing: &str) -> bool {
    let line = format!("skipped: {trial}: {missing}");
    let ci = std::env::var("CI").unwrap_or_default();
    assert!(matches!(ci.as_str(), "" | "0" | "false"), "{line}");
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
    true
}
