//! Modbus: one task for each connection and its groups.
//!
//! Groups that are due take turns request by request, the one whose next poll is due first before the others: a
//! fast group is served between two requests of a slow one, and a slow group cannot starve because its own
//! deadline comes nearer. TCP, TLS and serial lines are ways to make a [`Reader`]; the task does not know them.

mod job;
mod last;
mod reader;
mod tls;
mod track;

#[cfg(test)]
mod tests;

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use domain::plc_map::{ModbusOptions, PlcMap};
use domain::reading::Miss;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use self::job::Job;
pub(super) use self::reader::{ReadError, Reader, Reply};
pub(super) use self::track::{Track, Tracks};
use super::backoff::{Backoff, chance};
use super::outlet::Outlet;
use super::pace::{Due, Ticker, monotonic_us};
use super::plan::Plan;
use super::throttle::Throttle;
use super::{Command, Label};
use crate::clock::Clock;
use crate::config::DeviceConfig;

/// How long closing a connection in order may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(200);

/// A connection that answered for this long was a good one.
const WORKED: Duration = Duration::from_secs(1);

/// A Modbus device and everything that its task needs.
pub(super) struct Device {
    label: Label,
    config: DeviceConfig,
    options: ModbusOptions,
    track: Arc<Track>,
    clock: Clock,
    slots: Vec<Slot>,
    link: Link,
    backoff: Backoff,
    /// Since when there has been no connection that worked; none while there is one.
    absent: Option<Instant>,
    losses: Throttle,
    connections: Throttle,
    failures: Throttle,
    commands: mpsc::Receiver<Command>,
}

/// One poll group.
struct Slot {
    plan: Plan,
    /// 0 for a group that is polled again as soon as it was read. No map can ask for it; it is for measurements.
    period_us: i64,
    reply_timeout: Duration,
    /// None for a group without a period.
    ticker: Option<Ticker>,
    outlet: Outlet,
    job: Option<Job>,
}

/// The state of the connection.
enum Link {
    /// None; the next attempt is due at `retry`. `failed` until a poll was booked as the failed attempt.
    Down { retry: Instant, failed: bool },
    /// An attempt is under way in a task of its own, so that polls that fall due meanwhile are booked in time.
    Connecting(JoinHandle<io::Result<Reader>>),
    /// Connected; `proven` once it has given an answer.
    Up { reader: Reader, since: Instant, proven: bool },
}

/// What the task was woken by.
enum Wake {
    Command(Option<Command>),
    Due(usize, io::Result<Due>),
    Retry,
    Connected(io::Result<Reader>),
}

impl Device {
    /// Starts its timers; must be called inside the runtime. `phase` in `[0, 1)` staggers the devices.
    pub(super) fn new(
        config: DeviceConfig,
        options: ModbusOptions,
        groups: Vec<(Plan, Outlet)>,
        track: Arc<Track>,
        phase: f64,
        clock: Clock,
        commands: mpsc::Receiver<Command>,
    ) -> io::Result<Device> {
        let map = config.map.clone();
        let mut slots = Vec::new();
        for (plan, outlet) in groups {
            let period_us = map.groups[usize::from(outlet.group())].period_us;
            let ticker = match period_us {
                0 => None,
                _ => Some(Ticker::start(period_us, phase_of(&map, period_us, phase))?),
            };
            let reply_timeout = reply_timeout(&config, period_us);
            slots.push(Slot { plan, period_us, reply_timeout, ticker, outlet, job: None });
        }
        let (shortest, longest) = config.backoff;
        Ok(Device {
            label: Label::of(&config),
            backoff: Backoff::new(shortest, longest),
            absent: None,
            losses: Throttle::default(),
            connections: Throttle::default(),
            failures: Throttle::default(),
            // Many devices of one gateway do not knock at once at the start either.
            link: Link::Down {
                retry: Instant::now() + shortest.mul_f64(phase.clamp(0.0, 1.0) / 2.0),
                failed: false,
            },
            config,
            options,
            track,
            clock,
            slots,
            commands,
        })
    }

    /// Polls until told to stop.
    pub(super) async fn run(mut self) {
        loop {
            while let Some((slot, due)) = self.due_now() {
                self.fell_due(slot, due).await;
            }
            let command = match self.next_job() {
                Some(slot) => {
                    self.step(slot).await;
                    match self.commands.try_recv() {
                        Ok(command) => Some(command),
                        Err(mpsc::error::TryRecvError::Empty) => continue,
                        Err(mpsc::error::TryRecvError::Disconnected) => None,
                    }
                }
                None => match self.wait().await {
                    Wake::Command(command) => command,
                    Wake::Due(slot, due) => {
                        match due {
                            Ok(due) => self.fell_due(slot, due).await,
                            Err(e) => {
                                tracing::error!(label = %self.label, error = %e, "a poll timer cannot be read")
                            }
                        }
                        continue;
                    }
                    Wake::Retry => {
                        self.connect();
                        continue;
                    }
                    Wake::Connected(result) => {
                        self.connected(result);
                        continue;
                    }
                },
            };
            match command {
                Some(Command::FinalPoll { deadline, done }) => {
                    self.final_poll(deadline, done).await
                }
                Some(Command::Stop) | None => break,
            }
        }
        self.close().await;
    }

    /// Waits for whatever comes first. Only called when no poll is under way.
    async fn wait(&mut self) -> Wake {
        tokio::select! {
            biased;
            command = self.commands.recv() => Wake::Command(command),
            (slot, due) = next_due(&mut self.slots) => Wake::Due(slot, due),
            wake = next_change(&mut self.link) => wake,
        }
    }

    fn due_now(&mut self) -> Option<(usize, Due)> {
        let up = matches!(self.link, Link::Up { .. });
        self.slots.iter_mut().enumerate().find_map(|(i, slot)| {
            let due = match &mut slot.ticker {
                Some(ticker) => ticker.due_now()?,
                None if up && slot.job.is_none() => Due { at_us: monotonic_us(), skipped: 0 },
                None => return None,
            };
            Some((i, due))
        })
    }

    /// Books a poll that fell due: it becomes a job, or a miss if there is nothing to ask.
    async fn fell_due(&mut self, slot: usize, due: Due) {
        let slot = &mut self.slots[slot];
        slot.outlet.account().planned(due.skipped.saturating_add(1));
        slot.outlet.missed(Miss::Skipped, due.skipped).await;
        let miss = match &mut self.link {
            Link::Down { failed, .. } => match std::mem::take(failed) {
                true => Miss::ConnectFailed,
                false => Miss::Disconnected,
            },
            Link::Connecting(_) => Miss::Disconnected,
            Link::Up { .. } => match &mut slot.job {
                None => {
                    slot.job = Some(Job::new(due.at_us));
                    return;
                }
                // A poll under way goes on; one that has not begun makes room for the fresher one.
                Some(job) => {
                    if !job.has_begun() {
                        *job = Job::new(due.at_us);
                    }
                    Miss::Skipped
                }
            },
        };
        slot.outlet.missed(miss, 1).await;
    }

    /// The job whose group has to be polled again first.
    fn next_job(&self) -> Option<usize> {
        let deadlines = self.slots.iter().enumerate().filter_map(|(i, slot)| {
            slot.job.as_ref().map(|job| (job.due_us() + slot.period_us, i))
        });
        deadlines.min().map(|(_, slot)| slot)
    }

    /// Sends one request of a job and takes its reply.
    async fn step(&mut self, at: usize) {
        let Link::Up { reader, proven, .. } = &mut self.link else { return };
        let slot = &mut self.slots[at];
        let Some(job) = &mut slot.job else { return };
        if !job.has_begun() {
            slot.outlet.account().late(monotonic_us() - job.due_us());
            job.begin(self.clock.now());
        }
        let request = &slot.plan.requests[job.at()];
        let (miss, lost) = match reader.read(request, slot.reply_timeout).await {
            Ok(reply) => {
                *proven = true;
                job.take(reply);
                if job.at() < slot.plan.requests.len() {
                    return;
                }
                let reads = self.options.reads;
                match job.finish(&self.config.map, &slot.plan, reads, self.clock.now()) {
                    job::Finished::Taken { readings, taken_at, round_trip_us } => {
                        slot.job = None;
                        slot.outlet.taken(readings, taken_at, round_trip_us, 1).await;
                        return;
                    }
                    job::Finished::Again => {
                        slot.outlet.account().reread();
                        return;
                    }
                    job::Finished::Torn => (Miss::Torn, None),
                }
            }
            Err(e) if e.keeps_connection() => {
                *proven = true;
                (e.miss(), None)
            }
            Err(e) => (e.miss(), Some(e.to_string())),
        };
        slot.job = None;
        slot.outlet.missed(miss, 1).await;
        if let Some(why) = lost {
            self.lost(&why).await;
        }
    }

    /// Drops the connection, whatever state it is in, and with it all polls that wait for it.
    async fn lost(&mut self, why: &str) {
        if let Some(held) = self.losses.pass(std::time::Instant::now()) {
            tracing::warn!(label = %self.label, why, held, "connection lost");
        }
        let worked = match self.link {
            Link::Up { since, proven, .. } => proven && since.elapsed() >= WORKED,
            _ => false,
        };
        // A connection that worked is made anew nearly at once. One that did not waits, or a device that is slower
        // than its timeout would be connected to several times a second for ever.
        let wait = match worked {
            true => {
                self.absent = None;
                self.backoff.first(chance())
            }
            false => self.pause(),
        };
        self.link = Link::Down { retry: Instant::now() + wait, failed: false };
        for slot in &mut self.slots {
            if slot.job.take().is_some() {
                slot.outlet.missed(Miss::Disconnected, 1).await;
            }
        }
    }

    /// How long to wait after an attempt that was of no use.
    fn pause(&mut self) -> Duration {
        let absent = self.absent.get_or_insert_with(Instant::now).elapsed();
        self.backoff.next_after(absent, chance())
    }

    fn connect(&mut self) {
        let (track, unit) =
            (self.track.clone(), self.config.wire.unit.unwrap_or(self.options.unit));
        let limit = self.config.connect_timeout;
        self.link = Link::Connecting(tokio::spawn(async move {
            timeout(limit, Reader::connect(track, unit)).await.unwrap_or_else(|_| {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {limit:?}")))
            })
        }));
    }

    fn connected(&mut self, result: io::Result<Reader>) {
        match result {
            Ok(reader) => {
                if let Some(held) = self.connections.pass(std::time::Instant::now()) {
                    tracing::info!(label = %self.label, held, "connected");
                }
                self.link = Link::Up { reader, since: Instant::now(), proven: false };
            }
            Err(e) => {
                let wait = self.pause();
                if let Some(held) = self.failures.pass(std::time::Instant::now()) {
                    tracing::warn!(label = %self.label, error = %e, held, "cannot connect; check the device and its cable");
                }
                self.link = Link::Down { retry: Instant::now() + wait, failed: true };
            }
        }
    }

    async fn close(mut self) {
        for slot in &mut self.slots {
            // Due and not done: the account of the polls ends even.
            slot.outlet.missed(Miss::Disconnected, u32::from(slot.job.take().is_some())).await;
            slot.outlet.report().await;
        }
        if let Link::Up { reader, .. } = self.link {
            let _ = timeout(CLOSE_TIMEOUT, reader.close()).await;
        }
    }
}

/// The next poll that falls due in any group.
async fn next_due(slots: &mut [Slot]) -> (usize, io::Result<Due>) {
    poll_fn(|cx| {
        for (i, slot) in slots.iter_mut().enumerate() {
            if let Some(Poll::Ready(due)) = slot.ticker.as_mut().map(|ticker| ticker.poll_due(cx)) {
                return Poll::Ready((i, due));
            }
        }
        Poll::Pending
    })
    .await
}

/// The next thing that the connection does by itself.
async fn next_change(link: &mut Link) -> Wake {
    match link {
        Link::Down { retry, .. } => {
            sleep_until(*retry).await;
            Wake::Retry
        }
        Link::Connecting(attempt) => {
            Wake::Connected(attempt.await.unwrap_or_else(|e| Err(io::Error::other(e))))
        }
        Link::Up { .. } => pending().await,
    }
}

/// The fastest group of a device begins at the device's phase, slower ones half a fast period after it.
fn phase_of(map: &PlcMap, period_us: i64, phase: f64) -> i64 {
    let fastest = map.groups.iter().map(|group| group.period_us).min().unwrap_or(period_us);
    let own = (fastest as f64 * phase) as i64;
    if period_us == fastest { own } else { own + fastest / 2 }
}

fn reply_timeout(config: &DeviceConfig, period_us: i64) -> Duration {
    match config.reply_timeout {
        Duration::ZERO => Duration::from_micros((period_us.unsigned_abs() * 5).max(100_000)),
        set => set,
    }
}
