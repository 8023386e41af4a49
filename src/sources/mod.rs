//! Sources: what reads PLCs. They emit [`Snapshot`]s, also for polls that failed, and know nothing of counting.

use std::sync::Arc;

use domain::reading::Snapshot;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::config::DeviceConfig;

/// Where the snapshots of a line go. Full means that the line is behind: the snapshot is dropped and counted.
pub type SnapshotSender = mpsc::Sender<Snapshot>;

/// A device and where its snapshots go.
pub struct Feed {
    /// Position in the line, copied into each snapshot.
    pub device: u16,
    /// How to reach it and what it means.
    pub config: DeviceConfig,
    /// The line's queue.
    pub out: SnapshotSender,
}

/// Running sources.
pub struct Sources {
    _clock: Arc<Clock>,
}
