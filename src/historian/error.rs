//! What can go wrong with the store, one variant for each thing that someone would do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::units::LineId;
use rusqlite::ErrorCode;

/// Why the store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made or written.
    #[error("{}: cannot be written ({cause}); name a directory of a local disk that this user owns", path.display())]
    Unwritable {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        cause: Arc<io::Error>,
    },
    /// The directory lies on a network file system, where locks and syncs are not to be trusted.
    #[error("{}: lies on {kind}; a journal needs a local disk", path.display())]
    Network {
        /// The directory.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// Another Capline works in this directory.
    #[error("{}: in use by another Capline (process {holder}); stop it or name another directory", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Its process number as it wrote it down.
        holder: String,
    },
    /// The file is something else than a Capline journal.
    #[error("{}: {found}; move it away or name another directory", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// The file was written by a newer version.
    #[error("{}: has schema {found}, this version knows up to {known}; install the newer Capline again", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that is known here.
        known: u32,
    },
    /// The file was made by other migrations than those of this version.
    #[error("{}: schema step {step} differs from the one of this version; install the Capline that wrote it", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The migration that differs.
        step: u32,
    },
    /// The file is damaged.
    #[error("{}: damaged ({finding}); move it away with its -wal file and restore a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        finding: String,
    },
    /// The directory that something is to be put into holds something already.
    #[error("{}: is not empty, it holds {found}; name a directory that is empty or not there", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// One thing that it holds.
        found: String,
    },
    /// There is no journal to be read.
    #[error("{}: holds no journal; name the directory of [store] dir or the configuration", path.display())]
    NoJournal {
        /// The directory.
        path: PathBuf,
    },
    /// The journal has no audit trail that could be read or written.
    #[error("{}: has no audit trail: {finding}", path.display())]
    NoTrail {
        /// The file.
        path: PathBuf,
        /// Why.
        finding: String,
    },
    /// A backup is not what its manifest says, or was never finished.
    #[error("{}: cannot be restored: {finding}; use an earlier backup", path.display())]
    BadBackup {
        /// The backup or the file in it.
        path: PathBuf,
        /// What was found.
        finding: String,
    },
    /// The disk did not do what it was told. What it holds is looked at again before anything else is written.
    #[error("{}: the disk fails ({cause}); storing goes on by itself if it recovers, replace it soon", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: Arc<rusqlite::Error>,
    },
    /// The disk is full. Going on later loses nothing as long as the ticks are kept.
    #[error("{}: no space left on the disk; free some, storing goes on by itself", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds the write lock of the database.
    #[error("{}: another program is writing in it, perhaps a database shell; close that, storing goes on by itself", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// A tick came out of its order. Storing it would lose or double what lies between.
    #[error(
        "line {line}: tick {found} came where {expected} was due; give the missing ticks first"
    )]
    OutOfOrder {
        /// The line.
        line: LineId,
        /// The number that is due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A read took longer than it may: it would keep the log from being checkpointed.
    #[error("the query took longer than {seconds} s; ask for a shorter time")]
    TooSlow {
        /// How long it may take.
        seconds: f32,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else that SQLite says.
    #[error("{}: {cause}", path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: Arc<rusqlite::Error>,
    },
}

impl StoreError {
    /// The one place that decides what an answer of SQLite means to us.
    pub(super) fn from_sqlite(path: &Path, cause: rusqlite::Error) -> StoreError {
        let path = path.to_owned();
        match cause.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Held { path },
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            Some(ErrorCode::NotADatabase) => {
                StoreError::NotAJournal { path, found: "not a database" }
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                StoreError::Damaged { path, finding: cause.to_string() }
            }
            Some(ErrorCode::SystemIoFailure) => StoreError::Disk { path, cause: Arc::new(cause) },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                let cause = Arc::new(io::Error::other(cause));
                StoreError::Unwritable { path, cause }
            }
            _ => StoreError::Sql { path, cause: Arc::new(cause) },
        }
    }

    /// The same for a file that we write ourselves.
    pub(super) fn from_io(path: &Path, cause: io::Error) -> StoreError {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StoreError::Full { path: path.to_owned() }
            }
            _ => StoreError::unwritable(path, cause),
        }
    }

    pub(super) fn unwritable(path: &Path, cause: io::Error) -> StoreError {
        StoreError::Unwritable { path: path.to_owned(), cause: Arc::new(cause) }
    }
}
