//! Polls that fall due by the clock: how many of them are done, what they cost, how late they begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Stop;
use super::load::{Kind, Server};
use super::setup::{Load, Seen, watch};
use crate::bench::machine::cores;
use crate::bench::table::{Aim, Row};

pub(super) const MANY: &str = "100 devices, 125 registers each 10 ms, stored";
pub(super) const ONE: &str = "one device, 125 registers each 10 ms, stored";
const LATE: &str = "lateness of a poll each 10 ms while every core is busy";
const LATE_FIRST: &str = "lateness of a poll each 10 ms while every core is busy, SCHED_FIFO";

/// Priority that is measured.
pub(super) const PRIORITY: u8 = 20;

/// Priority of the servers: they stand for PLCs, which have processors of their own.
const SERVER_PRIORITY: u8 = 30;

const PACED: Load = Load { lines: 1, devices: 1, period_ms: Some(10), priority: None };

pub(super) async fn many(each: Duration, stop: &Stop) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(Kind::Modbus, Some(SERVER_PRIORITY))?;
    let load = Load { lines: 10, devices: 10, ..PACED };
    let seen = watch(server.addr, load, each, stop).await?;
    let [planned, _, missed] = seen.sums;
    let row = polls(MANY, &seen)
        .figure("missed share", missed as f64 / planned as f64 * 100.0, "%")
        .aim(Aim::AtMost(1.0))
        .figure("polls", seen.stored_per_s(), "/s")
        .figure("processor", seen.cpu_percent(), "% of a core")
        .note(format!("ten lines of ten devices, one connection each; {}", scheduled(&server)));
    Ok(vec![row])
}

pub(super) async fn one(each: Duration, stop: &Stop) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(Kind::Modbus, Some(SERVER_PRIORITY))?;
    let seen = watch(server.addr, PACED, each, stop).await?;
    let row = polls(ONE, &seen)
        .figure("processor", seen.cpu_percent(), "% of a core")
        .aim(Aim::AtMost(3.0))
        .note(format!("the whole service, its web server included; {}", scheduled(&server)));
    Ok(vec![row])
}

fn polls(what: &str, seen: &Seen) -> Row {
    let [planned, done, missed] = seen.sums.map(|n| n as f64);
    Row::new(what, seen.time.as_secs_f64())
        .figure("planned", planned, "")
        .figure("done", done, "")
        .figure("missed", missed, "")
}

/// What the row of a priority is called.
pub(super) fn late_what(priority: Option<u8>) -> &'static str {
    if priority.is_some() { LATE_FIRST } else { LATE }
}

pub(super) async fn late(
    each: Duration,
    stop: &Stop,
    priority: Option<u8>,
) -> anyhow::Result<Vec<Row>> {
    let what = late_what(priority);
    let server = Server::start(Kind::Modbus, Some(SERVER_PRIORITY))?;
    let busy = Busy::start(cores());
    let seen = watch(server.addr, Load { priority, ..PACED }, each, stop).await;
    drop(busy);
    let seen = seen?;
    if seen.scheduling.is_refused() {
        let note = "SCHED_FIFO is not permitted here: LimitRTPRIO= or CAP_SYS_NICE";
        return Ok(vec![Row::new(what, 0.0).note(note)]);
    }
    let ms = |us: u64| us as f64 / 1e3;
    let aim = if priority.is_some() { 0.7 } else { 8.0 };
    let row = polls(what, &seen)
        .figure("p50", ms(seen.lateness.p50_us), "ms")
        .figure("p99", ms(seen.lateness.p99_us), "ms")
        .aim(Aim::AtMost(aim))
        .figure("worst", ms(seen.lateness.max_us), "ms")
        .note(format!("{} busy threads; {}", cores(), scheduled(&server)));
    Ok(vec![row])
}

/// How the server of a row is scheduled, for its note.
fn scheduled(server: &Server) -> String {
    match server.priority {
        0 => "the server is scheduled like any other process, which makes late replies".to_owned(),
        first => format!("the server has SCHED_FIFO {first}, as a PLC has a processor of its own"),
    }
}

/// Threads that do nothing, as fast as they can, until this is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn start(n: usize) -> Busy {
        let stop = Arc::new(AtomicBool::new(false));
        let spin = |stop: Arc<AtomicBool>| {
            move || {
                while !stop.load(Relaxed) {
                    std::hint::spin_loop();
                }
            }
        };
        let threads = (0..n).map(|_| std::thread::spawn(spin(stop.clone()))).collect();
        Busy { stop, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        // They cannot panic.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}
