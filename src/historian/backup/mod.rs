//! Backups: made while a service works on the journal, checked as a whole, restored into an empty directory.
//!
//! A backup is a directory: the journal and its files of raw readings, each packed by one reader's view, and a manifest
//! with their hashes and the account of each line. A journal that was restored is another one from then on: it has an
//! identity and numbers of its own, so that no receiver takes it for the one it was copied from.

mod account;
mod manifest;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

pub use account::LineAccount;
pub(super) use account::{booked, is_held};
pub use manifest::{FileEntry, Manifest};

use super::audit;
use super::copy::{self, Watch};
use super::error::StoreError;
use super::journal;
use super::place::{self, DATABASE, PART, Place};
use super::rebirth;
use super::schema;
use crate::clock::Clock;

/// How far a backup or a restore is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: &'static str,
    /// With which file.
    pub file: String,
    /// Bytes done of that file.
    pub bytes: u64,
    /// Bytes that there are, as far as is known.
    pub of: u64,
}

/// Hears how far it is.
pub type Report = Arc<dyn Fn(Progress) + Send + Sync>;

/// Backs up the journal in a directory, whether a service works on it or not, to a directory that is empty or not there.
///
/// # Errors
/// No journal, a directory that is not empty, a full disk, a damaged journal.
pub fn back_up(from: &Path, to: &Path, report: &Report) -> Result<Manifest, StoreError> {
    let source = from.join(DATABASE);
    if !source.is_file() {
        return Err(StoreError::NoJournal { path: from.to_owned() });
    }
    schema::recognised(&copy::open(&source)?, &source)?;
    place::make(to)?;
    if let Some(found) = place::content(to)? {
        return Err(StoreError::NotEmpty { path: to.to_owned(), found });
    }
    // The journal first: readings move from it into the files beside it and never back.
    let mut names = vec![DATABASE.to_owned()];
    pack(from, to, DATABASE, report)?;
    for name in super::raw::names(from) {
        match pack(from, to, &name, report) {
            Ok(()) => names.push(name),
            // Its time has come meanwhile.
            Err(_) if !from.join(&name).exists() => {}
            Err(error) => return Err(error),
        }
    }
    let manifest = describe(to, &names, report)?;
    manifest.write(to)?;
    Ok(manifest)
}

/// Looks through a backup: hashes, every page, identity, and the account of each line.
///
/// # Errors
/// What is wrong with it.
pub fn verify(backup: &Path, report: &Report) -> Result<Manifest, StoreError> {
    let told = Manifest::read(backup)?;
    let bad =
        |name: &str, finding: String| StoreError::BadBackup { path: backup.join(name), finding };
    for file in &told.files {
        if file.name != DATABASE && !super::raw::is_name(&file.name) {
            return Err(bad("manifest.json", format!("`{}` is no file of a journal", file.name)));
        }
    }
    for file in &told.files {
        let found = entry(backup, &file.name, "checking", file.bytes, report)?;
        if found != *file {
            let what = match found.bytes == file.bytes {
                true => "its bytes are not those that were written".to_owned(),
                false => format!("it has {} bytes instead of {}", found.bytes, file.bytes),
            };
            return Err(bad(&file.name, what));
        }
        let path = backup.join(&file.name);
        let conn = copy::open(&path)?;
        journal::check(&conn, &path).map_err(|error| bad(&file.name, error.to_string()))?;
    }
    let path = backup.join(DATABASE);
    let found = ask(&copy::open(&path)?, &path)?;
    if (found.0.as_str(), &found.2) != (told.journal.as_str(), &told.lines) {
        return Err(bad(DATABASE, "its account is not that of the manifest".to_owned()));
    }
    Ok(told)
}

/// Restores a backup into a directory that is empty or not there. The journal gets a new identity and goes on with
/// numbers that none of its ancestors has given; all lines are told by an alarm.
///
/// # Errors
/// A damaged backup, a directory that is not empty or in use, a full disk.
pub fn restore(backup: &Path, to: &Path, report: &Report) -> Result<Manifest, StoreError> {
    let place = Place::claim(to)?;
    if let Some(found) = place::content(to)? {
        return Err(StoreError::NotEmpty { path: to.to_owned(), found });
    }
    let manifest = verify(backup, report)?;
    for file in &manifest.files {
        let part = format!("{}{PART}", file.name);
        copy::file(&backup.join(&file.name), &to.join(&part))?;
        let written = entry(to, &part, "restoring", file.bytes, report)?;
        if written.sha256 != file.sha256 {
            let finding = "what was written is not what is read back; the disk is bad".to_owned();
            return Err(StoreError::Damaged { path: to.join(&part), finding });
        }
    }
    let path = to.join(format!("{DATABASE}{PART}"));
    let mut conn = Connection::open(&path).map_err(|e| StoreError::from_sqlite(&path, e))?;
    schema::migrate(&mut conn, &path)?;
    let made_us = manifest.made_us;
    rebirth::begin_anew(&mut conn, rebirth::Why::Restored { made_us }, Clock::real().now())
        .map_err(|e| StoreError::from_sqlite(&path, e))?;
    let head = audit::head(&conn).map_err(|e| StoreError::from_sqlite(&path, e))?;
    audit::Beside::in_place(&place).tell(&head);
    conn.close().map_err(|(_, e)| StoreError::from_sqlite(&path, e))?;
    // The journal last: without it the directory is no journal, and a restore that was broken off is none either.
    for file in manifest.files.iter().rev() {
        let part = to.join(format!("{}{PART}", file.name));
        std::fs::rename(&part, to.join(&file.name)).map_err(|e| StoreError::from_io(&part, e))?;
    }
    place.sync()?;
    Ok(manifest)
}

fn pack(from: &Path, to: &Path, name: &str, report: &Report) -> Result<(), StoreError> {
    let (source, of) = (from.join(name), journal::bytes(&from.join(name)));
    let (report, file) = (report.clone(), name.to_owned());
    let watch: Watch = Arc::new(move |bytes| {
        report(Progress { step: "copying", file: file.clone(), bytes, of });
        true
    });
    copy::pack(&source, &to.join(name), &watch)
}

fn describe(dir: &Path, names: &[String], report: &Report) -> Result<Manifest, StoreError> {
    let path = dir.join(DATABASE);
    let (uuid, schema, lines) = ask(&copy::open(&path)?, &path)?;
    let mut manifest = Manifest::new(uuid, schema, Clock::real().now().utc_us);
    manifest.lines = lines;
    for name in names {
        let path = dir.join(name);
        journal::check(&copy::open(&path)?, &path)?;
        manifest.files.push(entry(dir, name, "checking", journal::bytes(&path), report)?);
    }
    Ok(manifest)
}

/// Identity, schema and accounts of a journal.
fn ask(conn: &Connection, path: &Path) -> Result<(String, u32, Vec<LineAccount>), StoreError> {
    let schema = schema::recognised(conn, path)?;
    let uuid = conn
        .query_row("select value from meta where key = 'uuid'", [], |row| row.get(0))
        .map_err(|e| StoreError::from_sqlite(path, e))?;
    let lines = account::accounts(conn).map_err(|failure| failure.at(path))?;
    Ok((uuid, schema, lines))
}

fn entry(
    dir: &Path,
    name: &str,
    step: &'static str,
    of: u64,
    report: &Report,
) -> Result<FileEntry, StoreError> {
    let tell = |bytes| report(Progress { step, file: name.to_owned(), bytes, of });
    FileEntry::of(dir, name, &tell)
}
