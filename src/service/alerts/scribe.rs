//! Writes down alerts and what was told of them, in order, and waits for a journal that cannot take them: that of all
//! things is worth an alert, which must go out nevertheless.

use std::sync::Arc;
use std::time::Duration;

use domain::alert::{Delivery, StoredAlert};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{error, warn};

use crate::historian::{Historian, StoreError};

/// How long to wait before the journal is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a stop waits for what is to be written.
const LAST: Duration = Duration::from_secs(5);

/// Something to be written down.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// An alert that opened.
    Opened(StoredAlert),
    /// An alert that closed, by its id.
    Closed { id: Arc<str>, closed_us: i64 },
    /// An attempt to tell.
    Told(Delivery),
}

/// The near end of the task.
#[derive(Clone)]
pub(super) struct Pen(mpsc::UnboundedSender<(Entry, oneshot::Sender<()>)>);

impl Pen {
    /// Hands an entry over and never waits; what comes back says when it is durable. Alerts and attempts are few: a day
    /// without a journal is some thousand entries.
    pub(super) fn write(&self, entry: Entry) -> oneshot::Receiver<()> {
        let (done, durable) = oneshot::channel();
        // The task outlives all pens but at the very end of the service.
        let _ = self.0.send((entry, done));
        durable
    }
}

#[cfg(test)]
impl Pen {
    /// A pen whose entries are never written.
    pub(super) fn deaf() -> (Pen, mpsc::UnboundedReceiver<(Entry, oneshot::Sender<()>)>) {
        let (pen, entries) = mpsc::unbounded_channel();
        (Pen(pen), entries)
    }
}

/// The task.
pub(super) struct Scribe(JoinHandle<()>);

impl Scribe {
    pub(super) fn start(historian: Historian) -> (Scribe, Pen) {
        let (pen, entries) = mpsc::unbounded_channel();
        (Scribe(tokio::spawn(run(historian, entries))), Pen(pen))
    }

    /// Waits a little until all is written; all pens must be gone.
    pub(super) async fn stop(mut self) {
        if tokio::time::timeout(LAST, &mut self.0).await.is_err() {
            self.0.abort();
            warn!(
                "the journal did not take the last entries about alerts; webhooks may hear of them twice"
            );
        }
    }
}

async fn run(
    historian: Historian,
    mut entries: mpsc::UnboundedReceiver<(Entry, oneshot::Sender<()>)>,
) {
    let mut failing = false;
    while let Some((entry, done)) = entries.recv().await {
        loop {
            let (journal, kept) = (historian.clone(), entry.clone());
            let kept = tokio::task::spawn_blocking(move || keep(&journal, kept)).await;
            match kept {
                Ok(Ok(())) => {
                    failing = false;
                    // Nobody may wait for it any more.
                    let _ = done.send(());
                    break;
                }
                Ok(Err(StoreError::Closed)) => return,
                Ok(Err(error)) if passes(&error) => {
                    if !failing {
                        failing = true;
                        warn!(%error, "the journal does not take entries about alerts; they are tried again");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                Ok(Err(error)) => {
                    error!(%error, ?entry, "an entry about an alert is lost");
                    break;
                }
                Err(error) => {
                    error!(%error, ?entry, "an entry about an alert is lost");
                    break;
                }
            }
        }
    }
}

/// Whether waiting may help.
fn passes(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Full { .. }
            | StoreError::Held { .. }
            | StoreError::Disk { .. }
            | StoreError::Unwritable { .. }
    )
}

fn keep(historian: &Historian, entry: Entry) -> Result<(), StoreError> {
    match entry {
        Entry::Opened(stored) => historian.add_alert(stored),
        Entry::Closed { id, closed_us } => historian.close_alert(&id, closed_us),
        Entry::Told(delivery) => historian.add_delivery(delivery),
    }
}
