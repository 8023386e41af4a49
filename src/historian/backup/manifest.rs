//! What a backup says of itself: written last, so that a backup without it was never finished.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::account::LineAccount;
use crate::historian::digest_file;
use crate::historian::error::StoreError;
use crate::historian::place::{self, PART};

/// The form of manifest that this version writes.
const FORM: u32 = 1;
const NAME: &str = "manifest.json";

/// A finished backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this text.
    pub form: u32,
    /// Version of Capline that made the backup.
    pub capline: String,
    /// When, UTC microseconds.
    pub made_us: i64,
    /// Identity of the journal.
    pub journal: String,
    /// Last step of its schema.
    pub schema: u32,
    /// Its files.
    pub files: Vec<FileEntry>,
    /// What it holds of each line.
    pub lines: Vec<LineAccount>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the directory of the backup.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(super) fn new(journal: String, schema: u32, made_us: i64) -> Manifest {
        Manifest {
            form: FORM,
            capline: env!("CARGO_PKG_VERSION").to_owned(),
            made_us,
            journal,
            schema,
            files: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Puts it into the directory of the backup, which is finished with that.
    pub(super) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let (path, part) = (dir.join(NAME), dir.join(format!("{NAME}{PART}")));
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other);
        text.and_then(|text| {
            let mut file = File::create(&part)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, &path)
        })
        .map_err(|e| StoreError::from_io(&path, e))?;
        place::sync(dir)
    }

    /// That of a backup.
    pub(super) fn read(dir: &Path) -> Result<Manifest, StoreError> {
        let path = dir.join(NAME);
        let bad = |finding: String| StoreError::BadBackup { path: dir.to_owned(), finding };
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => bad(format!("it has no {NAME}, it was never finished")),
            _ => bad(format!("{NAME} cannot be read: {error}")),
        })?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| bad(format!("{NAME}: {error}")))?;
        if manifest.form != FORM {
            return Err(bad(format!(
                "{NAME} has form {}, this version knows form {FORM}",
                manifest.form
            )));
        }
        Ok(manifest)
    }
}

impl FileEntry {
    /// Describes a file.
    pub(super) fn of(dir: &Path, name: &str, done: &dyn Fn(u64)) -> Result<FileEntry, StoreError> {
        let path = dir.join(name);
        match digest_file(&path, done) {
            Ok((bytes, sha256)) => Ok(FileEntry { name: name.to_owned(), bytes, sha256 }),
            Err(error) => Err(StoreError::BadBackup {
                path: path.clone(),
                finding: format!("it cannot be read: {error}"),
            }),
        }
    }
}
