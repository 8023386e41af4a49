//! How forwarding is doing: figures that the task moves and anyone reads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the task is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardState {
    /// Not connected yet.
    #[default]
    Connecting,
    /// Rows go.
    Forwarding,
    /// The database cannot be reached or does not answer; it is tried again.
    Waiting,
    /// A person has to do something; it is tried again each minute.
    Refused,
    /// Stopped.
    Stopped,
}

impl ForwardState {
    /// All of them.
    pub const ALL: [ForwardState; 5] = [
        ForwardState::Connecting,
        ForwardState::Forwarding,
        ForwardState::Waiting,
        ForwardState::Refused,
        ForwardState::Stopped,
    ];

    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            ForwardState::Connecting => "connecting",
            ForwardState::Forwarding => "forwarding",
            ForwardState::Waiting => "waiting",
            ForwardState::Refused => "refused",
            ForwardState::Stopped => "stopped",
        }
    }
}

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Its name.
    pub name: &'static str,
    /// Changes sent since the start.
    pub sent: u64,
    /// Rows sent since the start, those of all its tables.
    pub rows: u64,
    /// Changes that wait, without the backlog.
    pub pending: u64,
    /// Changes of an outage that come after the present.
    pub backlog: u64,
    /// Changes laid aside since the start, because the database did not take them.
    pub dead_letters: u64,
    /// The number up to which the stream is there, but for its backlog.
    pub last_seq: i64,
    /// Of when the last row of the present is that was acknowledged since the start, UTC microseconds; for minutes the
    /// start of the minute.
    pub acknowledged_us: Option<i64>,
    /// Why the last change was laid aside.
    pub last_error: Option<String>,
}

/// How forwarding is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardStats {
    /// What it is at.
    pub state: ForwardState,
    /// Why it does not go on; none while it does.
    pub trouble: Option<String>,
    /// Connections since the start.
    pub connections: u64,
    /// The streams.
    pub streams: Vec<StreamStats>,
}

/// A handle to the figures. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct ForwardStatus(Arc<Mutex<ForwardStats>>);

impl ForwardStatus {
    /// The figures as they stand.
    pub fn read(&self) -> ForwardStats {
        self.stats().clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut ForwardStats)) {
        change(&mut self.stats());
    }

    /// Changes the figures of one stream.
    pub(super) fn stream(&self, name: &'static str, change: impl FnOnce(&mut StreamStats)) {
        let mut stats = self.stats();
        match stats.streams.iter_mut().find(|stream| stream.name == name) {
            Some(stream) => change(stream),
            None => {
                let mut stream = StreamStats { name, ..StreamStats::default() };
                change(&mut stream);
                stats.streams.push(stream);
            }
        }
    }

    fn stats(&self) -> MutexGuard<'_, ForwardStats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
