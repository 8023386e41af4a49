//! The thread that owns the journal, and the bounded queue to it.
//!
//! A tick that went into the queue is answered, always: stored, or given back with the reason. The queue is short on
//! purpose. When the disk is slow it fills, the lines keep their ticks and merge them, and nothing is dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use super::Tick;
use super::error::StoreError;
use super::gauge::Gauge;
use super::journal::Journal;

/// Ticks that wait at most: a few for each of twenty lines.
const QUEUE: usize = 64;

/// The queue was full. The tick comes back, to be merged into the line's next one ([`Tick::absorb`]).
#[derive(Debug)]
pub struct Busy(pub Box<Tick>);

/// A tick that could not be stored, and why. Nothing of it is in the journal.
#[derive(Debug)]
pub struct NotStored {
    /// The tick, to be given again under the same number.
    pub tick: Box<Tick>,
    /// Why.
    pub error: StoreError,
}

/// A tick on its way. Await it, or [`Pending::wait`] outside of the runtime.
#[must_use = "a tick is durable when this says so"]
pub struct Pending(oneshot::Receiver<Answer>);

type Answer = Result<(), NotStored>;

impl Pending {
    /// Blocks until the tick is durable or refused.
    pub fn wait(self) -> Result<(), NotStored> {
        self.0.blocking_recv().expect(ANSWERED)
    }
}

impl Future for Pending {
    type Output = Answer;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.expect(ANSWERED))
    }
}

/// A job answers when it is dropped, if not before.
const ANSWERED: &str = "a job always answers";

/// A tick in the queue.
struct Job {
    tick: Option<Box<Tick>>,
    answer: Option<oneshot::Sender<Answer>>,
}

impl Job {
    fn answer(mut self, stored: Result<(), StoreError>) {
        self.send(stored);
    }

    fn send(&mut self, stored: Result<(), StoreError>) {
        let (Some(tick), Some(answer)) = (self.tick.take(), self.answer.take()) else { return };
        // A line that stopped listening is of no matter to the journal.
        let _ = answer.send(stored.map_err(|error| NotStored { tick, error }));
    }
}

/// Whatever becomes of the thread or the queue, the line gets its tick back.
impl Drop for Job {
    fn drop(&mut self) {
        self.send(Err(StoreError::Closed));
    }
}

/// Something else than a tick that is written now and then.
type Work = Box<dyn FnOnce(&mut Journal) -> Result<(), StoreError> + Send>;

enum Command {
    Store(Job),
    Do { work: Work, done: SyncSender<Result<(), StoreError>> },
    Close,
}

/// A hand on the writer for others than lines.
#[derive(Clone)]
pub(super) struct Hand(SyncSender<Command>);

impl Hand {
    /// Lets the thread do something with the journal and waits until it is done.
    pub(super) fn perform(
        &self,
        work: impl FnOnce(&mut Journal) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (done, result) = sync_channel(1);
        let command = Command::Do { work: Box::new(work), done };
        self.0.send(command).map_err(|_| StoreError::Closed)?;
        result.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// The near end of the queue.
pub(super) struct Writer {
    queue: SyncSender<Command>,
    depth: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(journal: Journal, gauge: Arc<Gauge>) -> Result<Writer, StoreError> {
        let (queue, commands) = sync_channel(QUEUE);
        let depth = Arc::new(AtomicUsize::new(0));
        let path = journal.path().to_owned();
        let worker = Worker { journal, gauge, commands, depth: depth.clone() };
        let thread = std::thread::Builder::new()
            .name("historian".to_owned())
            .spawn(move || worker.run())
            .map_err(|e| StoreError::unwritable(&path, e))?;
        Ok(Writer { queue, depth, thread: Mutex::new(Some(thread)) })
    }

    /// Puts a tick into the queue. Never blocks.
    pub(super) fn append(&self, tick: Tick) -> Result<Pending, Busy> {
        let (answer, pending) = oneshot::channel();
        let job = Job { tick: Some(Box::new(tick)), answer: Some(answer) };
        self.depth.fetch_add(1, Ordering::Relaxed);
        let Err(refused) = self.queue.try_send(Command::Store(job)) else {
            return Ok(Pending(pending));
        };
        self.depth.fetch_sub(1, Ordering::Relaxed);
        if let TrySendError::Full(Command::Store(mut job)) = refused
            && let Some(tick) = job.tick.take()
        {
            return Err(Busy(tick));
        }
        // The thread has ended: the job was dropped and answered that.
        Ok(Pending(pending))
    }

    /// Ticks in the queue.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Lets the thread do something with the journal and waits until it is done.
    pub(super) fn perform(
        &self,
        work: impl FnOnce(&mut Journal) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.hand().perform(work)
    }

    /// A hand on the thread for others.
    pub(super) fn hand(&self) -> Hand {
        Hand(self.queue.clone())
    }

    /// Lets the thread store what is queued, close the journal and end. The second caller finds nothing to do.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        // An error means that the thread has ended already; joining tells how.
        let _ = self.queue.send(Command::Close);
        thread.join().unwrap_or(Err(StoreError::Closed))
    }
}

/// The last handle closes the journal too, so that a forgotten `close` costs a checkpoint's error, not a tick.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the journal was not closed in good order");
        }
    }
}

/// The far end: the thread.
struct Worker {
    journal: Journal,
    gauge: Arc<Gauge>,
    commands: Receiver<Command>,
    depth: Arc<AtomicUsize>,
}

impl Worker {
    fn run(mut self) -> Result<(), StoreError> {
        while let Ok(command) = self.commands.recv() {
            if self.obey(command) {
                break;
            }
        }
        self.journal.close()
    }

    /// Takes all that is ready: twenty lines that tick together share one sync of the disk. True to end.
    fn obey(&mut self, command: Command) -> bool {
        let mut jobs = Vec::new();
        let mut next = Some(command);
        while let Some(Command::Store(job)) = next {
            self.depth.fetch_sub(1, Ordering::Relaxed);
            jobs.push(job);
            let room = jobs.len() < QUEUE;
            next = if room { self.commands.try_recv().ok() } else { None };
        }
        self.store(jobs);
        match next {
            Some(Command::Do { work, done }) => {
                // Whoever asked waits for it; if not, nobody wants the answer.
                let _ = done.send(work(&mut self.journal));
                false
            }
            Some(Command::Close) => true,
            Some(Command::Store(_)) | None => false,
        }
    }

    fn store(&mut self, jobs: Vec<Job>) {
        let Some(now_us) = latest_us(&jobs) else { return };
        let ticks: Vec<&Tick> = jobs.iter().filter_map(|job| job.tick.as_deref()).collect();
        let started = Instant::now();
        let answers = self.journal.append(&ticks);
        let took = started.elapsed();
        self.gauge.reached(now_us);
        let error = answers.iter().find_map(|answer| answer.as_ref().err().cloned());
        self.gauge.commit(took, ticks.len(), error);
        for (job, answer) in jobs.into_iter().zip(answers) {
            job.answer(answer);
        }
        if let Err(error) = self.journal.tend(now_us) {
            self.gauge.fail(error);
        }
    }
}

fn latest_us(jobs: &[Job]) -> Option<i64> {
    jobs.iter().filter_map(|job| job.tick.as_ref().map(|tick| tick.at.utc_us)).max()
}
