//! The task of one line: takes all snapshots that are ready, ticks, and lets one tick at a time be stored.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use domain::audit::Actor;
use domain::line::batch::hand::Order;
use domain::line::event::{Event, EventKind};
use domain::line::status::LineStatus;
use domain::line::tracker::{LineModel, LineTracker, Onward};
use domain::reading::Snapshot;
use domain::units::{Count, LineId, Moment, StationId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tracing::{error, info, warn};

use super::LineSummary;
use super::orders::{Orders, Reply};
use crate::clock::Clock;
use crate::historian::{DeviceTags, Historian, NotStored, Pending, Tick};
use crate::web::Followers;

/// Snapshots taken from the queue at once.
const BATCH: usize = 1_024;

/// Two takings from the queue that follow each other faster than this are too many: each costs a switch to this task.
const CLOSE: Duration = Duration::from_millis(1);

/// For so long nothing is taken after them: time for a hundred snapshots of a device that is polled as fast as it goes.
const REST: Duration = Duration::from_millis(5);

/// Raw readings kept in memory while the journal cannot take them. Beyond, the oldest are dropped and said so;
/// counts are never dropped, because baselines and minutes are absolute.
const RAW_IN_MEMORY: usize = 200_000;

/// Time between two looks of a screen that follows a line closely.
const CLOSELY: Duration = Duration::from_millis(100);

/// How often the last tick is tried before the service gives up on it.
const LAST_TRIES: u32 = 20;

/// How often it is tried before a change of the configuration is given up.
const CHANGE_TRIES: u32 = 4;

/// The wall clock stepped when it and the boot clock differ by more than this between two ticks.
const STEP_US: i64 = 250_000;

/// What a line can be told.
pub(super) enum Command {
    /// Take what is queued, store everything, answer and end.
    Finish {
        /// Stations of the line that did not answer the last poll.
        silent: Vec<StationId>,
        reply: oneshot::Sender<anyhow::Result<LineSummary>>,
    },
    /// Open or close a batch; answered when it is durable.
    Order { order: Order, by: Actor, reply: Reply },
    /// Go on under another configuration; answered when the line does. With an error it goes on as before.
    Change { change: Box<LineChange>, reply: oneshot::Sender<anyhow::Result<()>> },
    /// Note something that happened beside the line.
    Note { kind: EventKind, word: &'static str, detail: String },
}

/// Another configuration of a line that runs.
pub(super) struct LineChange {
    pub(super) model: LineModel,
    /// What the positions in its snapshots mean from then on.
    pub(super) tags: Vec<DeviceTags>,
    /// See [`LineTask::slots`].
    pub(super) slots: Vec<u16>,
    /// Stations that were read on without a break.
    pub(super) untouched: Vec<StationId>,
}

/// Tells that a line is followed no more, unless it was told to end.
pub(super) struct Alive {
    pub(super) id: LineId,
    pub(super) failed: mpsc::UnboundedSender<LineId>,
    pub(super) finished: bool,
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.finished {
            // Nobody listens only when the service is being torn down anyway.
            let _ = self.failed.send(self.id.clone());
        }
    }
}

/// The task of one line.
pub(super) struct LineTask {
    pub(super) id: LineId,
    pub(super) tracker: LineTracker,
    /// Number of the next tick.
    pub(super) next_seq: u64,
    pub(super) clock: Clock,
    pub(super) historian: Historian,
    pub(super) snapshots: mpsc::Receiver<Snapshot>,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) publish: watch::Sender<Option<Arc<LineStatus>>>,
    /// Screens that follow it closely.
    pub(super) followers: Followers,
    /// Set once every counter has a value to count from.
    pub(super) count: watch::Sender<bool>,
    /// Time between two ticks.
    pub(super) every: Duration,
    /// The numbers under which its devices send, in the order of the devices. Positions change with the configuration;
    /// a number is never given twice, so that what a device that is gone still sent is nobody else's.
    pub(super) slots: Vec<u16>,
    pub(super) alive: Alive,
}

/// What is between the tracker and the journal.
#[derive(Default)]
struct Outbox {
    raw: Vec<Snapshot>,
    /// A tick on its way. There is never a second one, so that a slow disk makes ticks larger and not more.
    on_its_way: Option<Pending>,
    /// A tick that came back.
    returned: Option<Box<Tick>>,
    orders: Orders,
    /// Whether the journal refused the last tick, so that an outage of the disk is said once.
    refused: bool,
}

impl LineTask {
    /// Runs until it is told to finish.
    pub(super) async fn run(mut self) {
        let mut outbox = Outbox::default();
        let mut batch = Vec::with_capacity(BATCH);
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut rest = Rest::default();
        let mut last = self.clock.now();
        let mut shown = Instant::now();
        self.note(last, "started", format!("capline {}", env!("CARGO_PKG_VERSION")));
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    let now = self.clock.now();
                    self.watch_clock(last, now);
                    last = now;
                    self.tick(now, &mut outbox);
                    shown = Instant::now();
                }
                answer = wait(&mut outbox.on_its_way) => self.stored(answer, &mut outbox),
                Some(command) = self.inbox.recv() => match command {
                    Command::Finish { silent, reply } => {
                        let summary = self.finish(outbox, &silent).await;
                        // Nobody listens only when the service is being torn down anyway.
                        let _ = reply.send(summary);
                        self.alive.finished = true;
                        return;
                    }
                    Command::Order { order, by, reply } => {
                        outbox.orders.give((order, by), self.clock.now(), reply);
                    }
                    Command::Change { change, reply } => {
                        let changed = self.change(*change, &mut outbox).await;
                        // Whoever asked has gone with the service.
                        let _ = reply.send(changed);
                    }
                    Command::Note { kind, word, detail } => {
                        self.tracker.note(event(self.clock.now(), kind, word, detail));
                    }
                },
                n = rest.before(self.snapshots.recv_many(&mut batch, BATCH)) => {
                    if n == 0 {
                        return;
                    }
                    self.take(&mut batch, &mut outbox);
                    if self.followers.any() && shown.elapsed() >= CLOSELY {
                        self.show(self.clock.now());
                        shown = Instant::now();
                    }
                    rest.taken(n, Instant::now());
                }
            }
        }
    }

    fn take(&mut self, batch: &mut Vec<Snapshot>, outbox: &mut Outbox) {
        for mut snapshot in batch.drain(..) {
            let Some(device) = self.position(&snapshot) else { continue };
            snapshot.device = device;
            self.tracker.advance(&snapshot);
            if self.tracker.is_output(&snapshot) {
                outbox.orders.read(&mut self.tracker, snapshot.taken_at);
            }
            outbox.raw.push(snapshot);
        }
        if !*self.count.borrow() && self.tracker.all_counting() {
            self.count.send_replace(true);
        }
    }

    fn tick(&mut self, now: Moment, outbox: &mut Outbox) {
        self.tracker.check(now);
        outbox.orders.check(&mut self.tracker);
        self.show(now);
        if outbox.on_its_way.is_none() {
            self.commit(now, outbox);
        }
    }

    /// Lets the screens see the line as it is.
    fn show(&self, now: Moment) {
        self.publish.send_replace(Some(Arc::new(self.tracker.status(now))));
    }

    /// Hands everything that changed to the journal as one tick.
    fn commit(&mut self, now: Moment, outbox: &mut Outbox) {
        let changes = self.tracker.take_changes();
        let notes = outbox.orders.sail(&self.id);
        let head = (self.id.clone(), self.next_seq, now);
        let raw = std::mem::take(&mut outbox.raw);
        let mut tick = Box::new(Tick::new(head, changes, raw, self.tracker.total()));
        tick.notes = notes;
        if let Some(mut earlier) = outbox.returned.take() {
            earlier.absorb(*tick);
            tick = earlier;
        }
        if tick.snapshots.len() > RAW_IN_MEMORY {
            let n_dropped = tick.snapshots.len() - RAW_IN_MEMORY;
            tick.snapshots.drain(..n_dropped);
            error!(line = %self.id, n_dropped, "raw readings are lost, because the journal cannot take them; no count is");
        }
        match self.historian.append(*tick) {
            Ok(pending) => outbox.on_its_way = Some(pending),
            Err(busy) => outbox.returned = Some(busy.0),
        }
    }

    fn stored(&mut self, answer: Result<(), NotStored>, outbox: &mut Outbox) {
        outbox.on_its_way = None;
        match answer {
            Ok(()) => {
                self.next_seq += 1;
                outbox.orders.stored();
                if outbox.refused {
                    outbox.refused = false;
                    info!(line = %self.id, "the journal takes ticks again");
                }
            }
            Err(NotStored { tick, error }) => {
                outbox.returned = Some(tick);
                if !outbox.refused {
                    outbox.refused = true;
                    error!(line = %self.id, %error, "the journal refuses; readings are kept in memory and tried again");
                }
            }
        }
    }

    async fn finish(
        &mut self,
        mut outbox: Outbox,
        silent: &[StationId],
    ) -> anyhow::Result<LineSummary> {
        outbox.orders.end();
        self.take_queued(&mut outbox);
        let now = self.clock.now();
        self.tracker.check(now);
        // An end in the middle of an outage is an open one: the capsules made since the last reading are counted by the
        // first reading after the next start.
        let unseen = self.tracker.unseen(silent, now);
        self.note(now, "stopped", not_answered(silent, unseen));
        if !self.store_all(now, &mut outbox, LAST_TRIES).await {
            return Err(anyhow!(
                "line {}: the journal did not take the last tick; counts go on from the one before",
                self.id
            ));
        }
        let (polls, missed_polls) = self.tracker.polls();
        let (line, counted) = (self.id.clone(), self.tracker.total());
        Ok(LineSummary { line, counted, unseen, polls, missed_polls })
    }

    /// Goes on under another configuration. All that was read before belongs to the one before, in the record too.
    async fn change(&mut self, change: LineChange, outbox: &mut Outbox) -> anyhow::Result<()> {
        let LineChange { model, tags, slots, untouched } = change;
        self.take_queued(outbox);
        let now = self.clock.now();
        self.tracker.check(now);
        if !self.store_all(now, outbox, CHANGE_TRIES).await {
            return Err(anyhow!(
                "line {}: the journal does not take what was read so far; the log has the cause",
                self.id
            ));
        }
        let (historian, line) = (self.historian.clone(), self.id.clone());
        let known = tokio::task::spawn_blocking(move || {
            let known = historian.resume(&line, now.utc_us)?;
            historian.describe_anew(&line, &tags)?;
            anyhow::Ok(known)
        });
        let known = known.await??;
        let onward = Onward { untouched, baselines: known.baselines, same_boot: known.same_boot };
        let followed_to = self.tracker.followed_to();
        self.tracker.change(model, &onward, followed_to);
        self.slots = slots;
        self.count.send_replace(self.tracker.all_counting());
        // Whoever is told that it is done must not see the line of before.
        self.show(self.clock.now());
        Ok(())
    }

    /// Takes what is in the queue.
    fn take_queued(&mut self, outbox: &mut Outbox) {
        let mut batch = Vec::new();
        while let Ok(snapshot) = self.snapshots.try_recv() {
            batch.push(snapshot);
        }
        self.take(&mut batch, outbox);
    }

    /// Position of the device that a snapshot came from; none for one that is gone.
    fn position(&self, snapshot: &Snapshot) -> Option<u16> {
        let position = self.slots.iter().position(|slot| *slot == snapshot.device)?;
        u16::try_from(position).ok()
    }

    /// Lets the journal take everything, whatever is on its way, and waits for it. Whether it did.
    async fn store_all(&mut self, now: Moment, outbox: &mut Outbox, tries: u32) -> bool {
        if let Some(pending) = outbox.on_its_way.take() {
            let answer = pending.await;
            self.stored(answer, outbox);
        }
        for n in 1..=tries {
            self.commit(now, outbox);
            if let Some(pending) = outbox.on_its_way.take() {
                let answer = pending.await;
                self.stored(answer, outbox);
            }
            if outbox.returned.is_none() {
                return true;
            }
            if n < tries {
                tokio::time::sleep(self.every).await;
            }
        }
        false
    }

    fn watch_clock(&mut self, last: Moment, now: Moment) {
        let step_us = (now.utc_us - last.utc_us) - (now.mono_us - last.mono_us);
        if step_us.abs() > STEP_US {
            warn!(line = %self.id, step_us, "the wall clock stepped; durations are not affected");
            let detail = format!("the wall clock stepped by {:.3} s", step_us as f64 / 1e6);
            self.tracker.note(event(now, EventKind::Clock, "step", detail));
        }
    }

    fn note(&mut self, at: Moment, word: &str, detail: String) {
        self.tracker.note(event(at, EventKind::Service, word, detail));
    }
}

/// What the end of the service says of stations that did not answer the last poll.
fn not_answered(silent: &[StationId], unseen: Count) -> String {
    if silent.is_empty() {
        return String::new();
    }
    let silent: Vec<&str> = silent.iter().map(StationId::as_str).collect();
    let counted = match unseen.high() {
        0 => String::new(),
        most => format!(
            "; up to {most} capsules made since it was read are counted after the next start"
        ),
    };
    format!("no answer to the last poll: {}{counted}", silent.join(", "))
}

fn event(at: Moment, kind: EventKind, word: &str, detail: String) -> Event {
    let word = word.to_owned();
    Event {
        at_us: at.utc_us,
        from_us: None,
        kind,
        station: None,
        tag: None,
        word,
        count: None,
        detail,
    }
}

/// Lets a stream of snapshots gather, so that they are taken by the hundred and not one by one. A line that is polled a
/// hundred times a second never rests.
#[derive(Default)]
struct Rest {
    taken: Option<Instant>,
    until: Option<Instant>,
}

impl Rest {
    /// Waits for the end of the rest, then for `next`.
    async fn before<T>(&self, next: impl Future<Output = T>) -> T {
        if let Some(until) = self.until {
            tokio::time::sleep_until(until).await;
        }
        next.await
    }

    /// So many were taken now. A full batch is followed by the next one at once.
    fn taken(&mut self, n: usize, now: Instant) {
        let since = self.until.max(self.taken).map(|at| now.saturating_duration_since(at));
        let close = since.is_some_and(|since| since < CLOSE) && n < BATCH;
        self.until = close.then(|| now + REST);
        self.taken = Some(now);
    }
}

/// Waits for a tick on its way; for ever if there is none.
async fn wait(on_its_way: &mut Option<Pending>) -> Result<(), NotStored> {
    match on_its_way {
        Some(pending) => pending.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the takings begin whose snapshots come every `apart`, as far as the rests decide it.
    fn rests(apart: Duration, n: u32) -> usize {
        let (mut rest, start, mut rested) = (Rest::default(), Instant::now(), 0);
        for i in 0..n {
            let came = start + apart * i;
            let now = rest.until.map_or(came, |until| until.max(came));
            rest.taken(1, now);
            rested += usize::from(rest.until.is_some());
        }
        rested
    }

    #[test]
    fn only_a_stream_of_snapshots_gathers() {
        assert_eq!(rests(Duration::from_millis(10), 100), 0, "100 Hz is taken as it comes");
        assert_eq!(rests(Duration::from_micros(50), 100), 99, "all but the first");
    }

    #[test]
    fn a_full_batch_is_followed_at_once() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        rest.taken(1, now);
        rest.taken(BATCH, now);
        assert_eq!(rest.until, None);
        rest.taken(BATCH - 1, now);
        assert_eq!(rest.until, Some(now + REST));
    }

    #[tokio::test]
    async fn a_rest_is_waited_for_and_loses_nothing() {
        let (out, mut queue) = mpsc::channel(10);
        let (mut rest, mut batch, began) = (Rest::default(), Vec::new(), Instant::now());
        rest.until = Some(began + Duration::from_millis(30));
        out.try_send(1).expect("room");
        out.try_send(2).expect("room");
        assert_eq!(rest.before(queue.recv_many(&mut batch, BATCH)).await, 2);
        assert!(began.elapsed() >= Duration::from_millis(30));
        assert_eq!(batch, [1, 2]);
    }
}
