//! Journal → plant database: what is stored is sent on, each change once, by a task that nobody waits for.
//!
//! The outbox is a cursor over stored rows and the cursor lies in the plant database, where a transaction moves it
//! together with the rows it stands for. After any doubt the watermark is read again, so that nothing is sent twice
//! and nothing is left out. A long outage is left behind as a backlog: the present is sent first.

mod adopt;
mod cursor;
mod identity;
mod names;
mod outbox;
mod record;
mod session;
mod status;
mod stream;

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::archive::{Reaction, Settings, Trouble};
use super::error::StoreError;
use super::gauge::Gauge;
use cursor::{Ahead, Cursor};
use identity::Identity;
use outbox::{Batch, Outbox};
use session::{Backlog, Part, Session};
use stream::{MINUTES, PRESENT, STREAMS, Stream};

pub(super) use outbox::{instant, micros};
pub(super) use session::within;

pub use adopt::Adopted;
pub(super) use adopt::Requeue;
pub use status::{ForwardState, ForwardStats, ForwardStatus, StreamStats};

/// Time between two looks at the journal.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Time between two pictures of the open minutes.
const SHOW_EVERY: Duration = Duration::from_secs(1);
/// Time between two looks at the partitions of the plant database, and between two heads of the audit trail that it is
/// told.
const TEND_EVERY: Duration = Duration::from_secs(3_600);
/// First and longest wait before a new connection; each is drawn between nothing and the bound (full jitter).
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// How long the last changes may take when the service stops. What does not get through is sent after the next start.
const LAST_WITHIN: Duration = Duration::from_secs(3);
/// So many refused changes one after the other are no bad rows but a database that does not fit.
const REFUSED_IN_A_ROW: u32 = 100;
/// Alarms that may wait for the line.
const ALARMS: usize = 16;

/// The tables of the journal whose numbers a plant database follows.
pub(super) fn sources() -> impl Iterator<Item = &'static str> {
    STREAMS.into_iter().map(|stream| stream.source)
}

/// The task that forwards. It ends with this handle.
pub struct Forwarder {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    status: ForwardStatus,
}

impl Forwarder {
    /// Starts to forward the journal at a path; `uuid` is its identity. What a person should hear of comes through
    /// the receiver.
    ///
    /// # Errors
    /// The identity is no UUID: damage.
    pub(super) fn start(
        path: &Path,
        uuid: &str,
        settings: Settings,
        gauge: Arc<Gauge>,
    ) -> Result<(Forwarder, mpsc::Receiver<String>), StoreError> {
        let journal = Uuid::parse_str(uuid).map_err(|error| StoreError::Damaged {
            path: path.to_owned(),
            finding: format!("its identity `{uuid}` is none: {error}"),
        })?;
        let identity =
            Identity { settings, journal, sessions: VecDeque::new(), had: HashSet::new() };
        let (stop, stopped) = watch::channel(false);
        let (alarm, alarms) = mpsc::channel(ALARMS);
        let status = ForwardStatus::default();
        let outbox = Arc::new(Outbox::new(path));
        let status_too = status.clone();
        let work = Work { identity, outbox, gauge, status: status_too, stopped, alarm, refused: 0 };
        let task = tokio::spawn(work.run());
        Ok((Forwarder { task, stop, status }, alarms))
    }

    /// Lets the journal at a path take over from the one that it was restored from.
    pub(super) async fn adopt(
        path: &Path,
        requeue: &Requeue,
        uuid: &str,
        settings: &Settings,
    ) -> Result<Vec<Adopted>, String> {
        let journal = Uuid::parse_str(uuid).map_err(|error| error.to_string())?;
        let outbox = Arc::new(Outbox::new(path));
        adopt::adopt(&outbox, requeue, journal, settings).await.map_err(|trouble| trouble.words())
    }

    /// How it is doing.
    pub fn status(&self) -> ForwardStatus {
        self.status.clone()
    }

    /// Sends what is stored by now, if the database is there, and ends.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(LAST_WITHIN, &mut self.task).await.is_err() {
            self.task.abort();
        }
        self.status.change(|stats| stats.state = ForwardState::Stopped);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task.
struct Work {
    identity: Identity,
    outbox: Arc<Outbox>,
    /// Told how far the minutes are, so that the readings behind them may go first when there is no room.
    gauge: Arc<Gauge>,
    status: ForwardStatus,
    stopped: watch::Receiver<bool>,
    alarm: mpsc::Sender<String>,
    /// Changes refused since one was taken.
    refused: u32,
}

impl Work {
    async fn run(mut self) {
        let mut wait = BACKOFF.0;
        loop {
            let connections = self.status.read().connections;
            let Err(trouble) = self.forward().await else { return };
            let mend = trouble.reaction() == Reaction::Mend;
            if mend {
                wait = BACKOFF.1;
            } else if self.status.read().connections > connections {
                wait = BACKOFF.0;
            }
            self.tell(&trouble);
            self.look().await;
            if self.stops_within(jitter(wait)).await {
                return;
            }
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    /// Forwards over one connection until there is trouble or the end.
    async fn forward(&mut self) -> Result<(), Trouble> {
        let mut session = Session::open(&mut self.identity, &self.outbox).await?;
        let mut cursors = Vec::new();
        for stream in STREAMS {
            let (last, backlogs) = session.claim(stream, &mut self.identity).await?;
            cursors.push(Cursor::new(stream, last, backlogs));
        }
        self.status.change(|stats| {
            stats.state = ForwardState::Forwarding;
            stats.trouble = None;
            stats.connections += 1;
        });
        tracing::info!("rows go to the plant database");
        let mut shown: Option<Instant> = None;
        let mut tended = Instant::now();
        let mut anchored: Option<Instant> = None;
        loop {
            let stopping = *self.stopped.borrow();
            for cursor in &mut cursors {
                self.catch_up(&mut session, cursor).await?;
            }
            if stopping || shown.is_none_or(|at| at.elapsed() >= SHOW_EVERY) {
                shown = Some(Instant::now());
                let rows = self.outbox.ask(|outbox| outbox.present(&PRESENT)).await?;
                match session.show(&PRESENT, &rows).await {
                    // It is laid aside when its minute has closed; until then the others are not held up by it.
                    Err(trouble) if trouble.reaction() == Reaction::Row => {
                        tracing::debug!("the open minutes are refused: {}", trouble.words());
                    }
                    shown => shown?,
                }
            }
            if anchored.is_none_or(|at| at.elapsed() >= TEND_EVERY) || stopping {
                anchored = Some(Instant::now());
                let head = self.outbox.ask(Outbox::audit_head).await?;
                session.anchor(&head).await?;
            }
            if stopping {
                return Ok(());
            }
            if tended.elapsed() >= TEND_EVERY {
                tended = Instant::now();
                session.tend().await?;
            }
            let behind = cursors.iter_mut().find(|cursor| !cursor.backlogs.is_empty());
            match behind {
                Some(cursor) => self.work_off(&mut session, cursor).await?,
                None => drop(self.stops_within(LOOK_EVERY).await),
            }
        }
    }

    /// Brings a stream to the present: by sending if little waits, by leaving it behind if much does.
    async fn catch_up(
        &mut self,
        session: &mut Session,
        cursor: &mut Cursor,
    ) -> Result<(), Trouble> {
        let stream = cursor.stream;
        let head = self.outbox.ask(|outbox| outbox.head(stream)).await?;
        let pending = head - cursor.last;
        self.status.stream(stream.name, |stats| stats.pending = pending.max(0) as u64);
        if pending > 0 && stream.moves {
            // A row of the batch that was read ahead may be among them, and newer.
            cursor.ahead = None;
        }
        if pending > stream.most {
            let mark = self.outbox.ask(move |outbox| outbox.mark(stream, head)).await?;
            session.leave_behind(stream, cursor.last, head, mark).await?;
            cursor.backlogs.push_back(Backlog { upto: head, last: cursor.last });
            cursor.last = head;
        }
        while cursor.last < head {
            let batch = self.read(cursor, cursor.last, head).await?;
            self.send(session, cursor, Part::Live, &batch).await?;
        }
        if std::ptr::eq(stream, &MINUTES) && cursor.backlogs.is_empty() {
            let last = cursor.last;
            let mark = self.outbox.ask(move |outbox| outbox.mark(stream, last)).await?;
            mark.into_iter().for_each(|start_us| self.gauge.sent(start_us));
        }
        self.status.stream(stream.name, |stats| {
            stats.pending = 0;
            stats.last_seq = cursor.last;
            stats.backlog =
                cursor.backlogs.iter().map(|backlog| (backlog.upto - backlog.last) as u64).sum();
        });
        Ok(())
    }

    /// One batch of the oldest backlog.
    async fn work_off(
        &mut self,
        session: &mut Session,
        cursor: &mut Cursor,
    ) -> Result<(), Trouble> {
        let Some(&Backlog { upto, last }) = cursor.backlogs.front() else { return Ok(()) };
        let batch = match cursor.ahead.take() {
            Some(Ahead { after, upto: end, task }) if (after, end) == (last, upto) => {
                task.await.map_err(|_| StoreError::Closed)??
            }
            _ => self.read(cursor, last, upto).await?,
        };
        if batch.upto < upto {
            cursor.ahead = Some(self.read_ahead(cursor, batch.upto, upto));
        }
        self.send(session, cursor, Part::Backlog(upto), &batch).await
    }

    fn read_ahead(&self, cursor: &Cursor, after: i64, upto: i64) -> Ahead {
        let (outbox, stream, limit) = (self.outbox.clone(), cursor.stream, cursor.limit);
        let read =
            async move { outbox.ask(move |outbox| outbox.batch(stream, after, upto, limit)).await };
        Ahead { after, upto, task: tokio::spawn(read) }
    }

    async fn read(&self, cursor: &Cursor, after: i64, upto: i64) -> Result<Batch, Trouble> {
        let (stream, limit) = (cursor.stream, cursor.limit);
        Ok(self.outbox.ask(move |outbox| outbox.batch(stream, after, upto, limit)).await?)
    }

    /// Sends a batch. A batch that is refused is halved until the change is found that is to blame; that one is laid
    /// aside, and the others go on.
    async fn send(
        &mut self,
        session: &mut Session,
        cursor: &mut Cursor,
        part: Part,
        batch: &Batch,
    ) -> Result<(), Trouble> {
        let stream = cursor.stream;
        let began = Instant::now();
        match session.send(stream, part, batch).await {
            Ok(()) => {
                self.refused = 0;
                cursor.took(batch, began.elapsed());
                let rows: usize = batch.rows.iter().map(|rows| rows.n).sum();
                self.status.stream(stream.name, |stats| {
                    stats.sent += batch.n as u64;
                    stats.rows += rows as u64;
                    if let (Part::Live, Some(mark)) = (part, batch.mark) {
                        stats.acknowledged_us = Some(mark);
                    }
                });
            }
            Err(trouble) if trouble.reaction() == Reaction::Row && batch.n > 1 => {
                cursor.limit = (batch.n / 2).max(1);
                return Ok(());
            }
            Err(trouble) if trouble.reaction() == Reaction::Row => {
                self.lay_aside(session, stream, part, batch, &trouble).await?;
            }
            Err(trouble) => return Err(trouble),
        }
        cursor.moved(part, batch.upto);
        Ok(())
    }

    async fn lay_aside(
        &mut self,
        session: &mut Session,
        stream: &'static Stream,
        part: Part,
        batch: &Batch,
        trouble: &Trouble,
    ) -> Result<(), Trouble> {
        let (name, seq, why) = (stream.name, batch.upto, trouble.words());
        self.refused += 1;
        if self.refused > REFUSED_IN_A_ROW {
            return Err(Trouble::Schema(format!("refuses every {name}, the last time: {why}")));
        }
        session.lay_aside(stream, part, batch, &why).await?;
        self.status.stream(name, |stats| {
            stats.dead_letters += 1;
            stats.last_error = Some(why.clone());
        });
        let text = format!("{name} {seq} is laid aside in capline.dead_letter: {why}");
        tracing::error!("the plant database refuses a row; {text}");
        // A full queue has enough to be alarmed by.
        let _ = self.alarm.try_send(text);
        Ok(())
    }

    /// How much waits while nothing goes; not known before the first connection.
    async fn look(&self) {
        for StreamStats { name, last_seq, .. } in self.status.read().streams {
            let Some(stream) = STREAMS.into_iter().find(|stream| stream.name == name) else {
                continue;
            };
            // The trouble of a journal that cannot be read is told by the next attempt.
            if let Ok(head) = self.outbox.ask(|outbox| outbox.head(stream)).await {
                self.status.stream(name, |stats| stats.pending = (head - last_seq).max(0) as u64);
            }
        }
    }

    fn tell(&self, trouble: &Trouble) {
        let (words, mend) = (trouble.words(), trouble.reaction() == Reaction::Mend);
        let state = if mend { ForwardState::Refused } else { ForwardState::Waiting };
        let before = self.status.read();
        let is_new = (before.state, before.trouble.as_deref()) != (state, Some(words.as_str()));
        self.status.change(|stats| {
            stats.state = state;
            stats.trouble = Some(words.clone());
        });
        if is_new && mend {
            tracing::error!("the plant database: {words}; rows are kept and sent later");
            let _ = self.alarm.try_send(words);
        } else if is_new {
            tracing::warn!("the plant database: {words}; rows are kept and sent later");
        }
    }

    /// Waits, or hears earlier that this is the end.
    async fn stops_within(&mut self, wait: Duration) -> bool {
        let heard = tokio::time::timeout(wait, self.stopped.wait_for(|stop| *stop)).await;
        heard.is_ok()
    }
}

/// A random part of a span. An identifier is as random as anything.
fn jitter(most: Duration) -> Duration {
    let part = (Uuid::new_v4().as_u64_pair().1 & 0xffff) as f64 / 65_536.0;
    most.mul_f64(part)
}
