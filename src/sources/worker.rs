//! A thread with a small runtime of its own, on which tasks begin and end while it runs.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread::JoinHandle;

use tokio::runtime::{EnterGuard, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, LocalSet};

use super::{StartError, realtime, system};

/// Makes a task on the thread where it will run.
type Start = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// A running thread.
pub(super) struct Worker {
    name: &'static str,
    what: &'static str,
    runtime: Handle,
    starts: mpsc::UnboundedSender<Start>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread, which does `first` before anything else; `what` is said when the system has none.
    pub(super) fn begin(
        name: &'static str,
        what: &'static str,
        first: impl FnOnce() + Send + 'static,
    ) -> Result<Worker, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_start(realtime::leave)
            .build()
            .map_err(system(what))?;
        let (starts, inbox) = mpsc::unbounded_channel();
        let handle = runtime.handle().clone();
        let run = move || {
            first();
            LocalSet::new().block_on(&runtime, serve(name, inbox));
            // A name that is still being looked up must not hold up the end of the service.
            runtime.shutdown_background();
        };
        let thread =
            std::thread::Builder::new().name(name.into()).spawn(run).map_err(system(what))?;
        Ok(Worker { name, what, runtime: handle, starts, thread })
    }

    /// Lets timers and sockets be made for this thread.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Runs a task. The receiver is closed when the task has ended, in whatever way.
    pub(super) fn run<F: Future<Output = ()> + 'static>(
        &self,
        task: impl FnOnce() -> F + Send + 'static,
    ) -> Result<oneshot::Receiver<()>, StartError> {
        let (running, ended) = oneshot::channel();
        let start: Start = Box::new(move || {
            Box::pin(async move {
                let _running: oneshot::Sender<()> = running;
                task().await;
            })
        });
        let gone = |_| system(self.what)(io::Error::other("it has ended; restart the service"));
        self.starts.send(start).map_err(gone)?;
        Ok(ended)
    }

    /// Waits until all tasks have ended, and ends the thread.
    pub(super) async fn end(self) {
        let Worker { name, starts, thread, .. } = self;
        drop(starts);
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!(name, "a thread that reads devices had died");
        }
    }
}

/// Runs what comes until nothing can come any more and all has ended.
async fn serve(name: &'static str, mut inbox: mpsc::UnboundedReceiver<Start>) {
    let mut tasks = JoinSet::new();
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            start = inbox.recv(), if open => match start {
                Some(start) => drop(tasks.spawn_local(start())),
                None => open = false,
            },
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(name, %error, "a device is no longer read; restart the service");
                }
            }
            else => break,
        }
    }
}
