//! The configuration that runs, read again: what the web asks the service for, and the parts of the web that follow it.

use std::sync::{Arc, Weak};

use axum::extract::FromRef;
use domain::audit::Actor;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::{App, AppParts, Inner};

/// Reads the configuration again.
pub trait Reloads: Send + Sync {
    /// Reads it and applies what has changed, as a whole or not at all; `by` is who asked. An error is a fault of ours
    /// and goes to the log.
    fn reload(&self, by: Actor) -> BoxFuture<'static, Result<Reload, String>>;

    /// What came of the last time since the start; none before the first.
    fn last(&self) -> Option<Reload>;
}

/// What came of reading the configuration again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When it was done, UTC microseconds.
    pub at_us: i64,
    /// Who asked: an address, or a signal.
    pub by: String,
    /// SHA-256 of the configuration before.
    pub before: String,
    /// SHA-256 of the configuration that runs since; the same where nothing was taken or nothing differs.
    pub after: String,
    /// What came of it.
    pub outcome: ReloadOutcome,
}

/// What came of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// It runs; what has changed, one sentence each.
    Applied(Vec<String>),
    /// It has mistakes, or needs a restart; the texts as `capline check` prints them. The old one goes on.
    Refused(Vec<String>),
    /// It could not be applied and was taken back. The old one goes on.
    Failed(String),
}

/// What the web shows, and lets be exchanged while it is served: each request is answered from the parts of its moment.
#[derive(Clone)]
pub struct Shown(Arc<watch::Sender<App>>);

/// The same without keeping it: for the service, which is itself among the parts.
#[derive(Clone)]
pub struct Showing(Weak<watch::Sender<App>>);

impl From<App> for Shown {
    fn from(app: App) -> Shown {
        Shown(Arc::new(watch::Sender::new(app)))
    }
}

impl FromRef<Shown> for App {
    fn from_ref(shown: &Shown) -> App {
        shown.now()
    }
}

impl Shown {
    /// The app of this moment.
    pub(crate) fn now(&self) -> App {
        self.0.borrow().clone()
    }

    /// A hand on it that does not keep it.
    pub fn showing(&self) -> Showing {
        Showing(Arc::downgrade(&self.0))
    }
}

impl Showing {
    /// Shows other parts from now on. Live screens stay, and follow. Without effect once nothing is served any more.
    pub fn change(&self, change: impl FnOnce(&mut AppParts)) {
        let Some(shown) = self.0.upgrade() else { return };
        shown.send_modify(|app| {
            let mut parts = app.parts().clone();
            change(&mut parts);
            let Inner { streams, closing, displays, attempts, hashing, .. } = &*app.0;
            let (streams, closing) = (streams.clone(), closing.clone());
            let (displays, attempts) = (displays.clone(), attempts.clone());
            let hashing = hashing.clone();
            *app = App(Arc::new(Inner { parts, streams, closing, displays, attempts, hashing }));
        });
    }
}
