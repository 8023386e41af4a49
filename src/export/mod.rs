//! Reading out: what a journal holds as files of CSV or Parquet, with a manifest that proves them.
//!
//! An export is a directory: a file for each line and kind, for large kinds one for each day, the pages of final reports,
//! `manifest.json` and `SHA256SUMS`. It is written under another name and gets its own when all of it is on the disk, so
//! that a directory of that name is whole. Nothing in here counts.

mod manifest;
mod parquet;
mod verify;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use manifest::{FileEntry, LineEntry, Manifest};
pub use verify::{Difference, verify};
pub use write::write;

use crate::historian::StoreError;
use crate::historian::extract::What;

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text for spreadsheets.
    Csv,
    /// Columns for programs.
    Parquet,
}

impl Format {
    /// The end of the name of a file.
    pub fn word(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The directory of the journal.
    pub journal: PathBuf,
    /// Where the export is to lie; nothing may be there.
    pub out: PathBuf,
    /// Beginning, as it was written; the first moment of the journal without it.
    pub from: Option<String>,
    /// End, exclusive; the last moment of the journal without it.
    pub to: Option<String>,
    /// Lines; all of them when it is empty.
    pub lines: Vec<String>,
    /// Which tables.
    pub what: Vec<What>,
    /// In which form.
    pub format: Format,
    /// Site, zone and configuration, where a configuration is at hand; else what the journal says.
    pub plant: Option<Plant>,
}

/// What a configuration says of the plant.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Name of the site.
    pub site: String,
    /// Its time zone.
    pub zone: jiff::tz::TimeZone,
    /// SHA-256 of the configuration and its maps.
    pub config_sha256: String,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read, written or checked.
    pub what: String,
    /// Steps done.
    pub done: u64,
    /// Steps that there are.
    pub of: u64,
    /// Rows of this step so far.
    pub rows: u64,
}

/// Hears how far it is; false to give up.
pub type Watch = Arc<dyn Fn(Progress) -> bool + Send + Sync>;

/// Why there is no export, or why it cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Something is there already.
    #[error("{}: is there already; name a directory that is not there", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written or read.
    #[error("{}: {cause}; nothing is left of the export", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No such line.
    #[error("the journal has no line {line:?}; it has {}", known.join(", "))]
    NoLine {
        /// What was asked for.
        line: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A moment that is none.
    #[error("{0}")]
    NoMoment(String),
    /// The span is turned round or empty.
    #[error("--from does not lie before --to; swap them")]
    NoSpan,
    /// The journal holds nothing yet.
    #[error("{}: the journal holds nothing yet; let the service run first", .0.display())]
    Nothing(PathBuf),
    /// What was written is not what was read.
    #[error("{0}; this is a fault of Capline, tell its makers, nothing is left of the export")]
    Contradiction(String),
    /// There is no export.
    #[error("{}: is no export: {finding}", path.display())]
    NotAnExport {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        finding: String,
    },
    /// Somebody gave it up.
    #[error("given up; nothing is left of the export")]
    GivenUp,
}

impl ExportError {
    fn io(path: &std::path::Path, cause: impl Into<std::io::Error>) -> ExportError {
        ExportError::Unwritable { path: path.to_owned(), cause: cause.into() }
    }
}
