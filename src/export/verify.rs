//! An export is proved: hashes, rows and sums are taken anew and compared with what it says of itself.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use serde::Serialize;

use super::manifest::{FORM, FileEntry, Manifest, NAME, SUMS};
use super::{ExportError, Format, Progress, Watch, parquet};
use crate::historian::digest_file;
use crate::table::{Cell, Figures, sheet};

/// Something that is not as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The file.
    pub file: String,
    /// What about it.
    pub what: String,
}

/// Looks through an export. Empty differences mean that it is what was written.
///
/// # Errors
/// There is no export in that directory, or a person gave it up.
pub fn verify(
    dir: &Path,
    watch: &Watch,
) -> Result<(Option<Manifest>, Vec<Difference>), ExportError> {
    let not = |finding: String| ExportError::NotAnExport { path: dir.to_owned(), finding };
    let bytes =
        fs::read(dir.join(NAME)).map_err(|error| not(format!("{NAME} cannot be read: {error}")))?;
    let mut found = Found::default();
    let list = fs::read_to_string(dir.join(SUMS));
    let listed = match &list {
        Ok(list) => hashes(list, &mut found),
        Err(error) => {
            found.add(SUMS, format!("cannot be read: {error}"));
            BTreeMap::new()
        }
    };
    if listed.get(NAME).is_some_and(|hash| *hash != domain::digest::sha256(&bytes)) {
        found.add(NAME, "its bytes are not those that were written".to_owned());
    }
    let told: Manifest = match serde_json::from_slice(&bytes) {
        Ok(told) => told,
        Err(error) => {
            found.add(NAME, format!("is no manifest: {error}"));
            return Ok((None, found.0));
        }
    };
    if told.form != FORM {
        let form = told.form;
        return Err(not(format!("{NAME} has form {form}, this version knows form {FORM}")));
    }
    let mut known: HashSet<&str> = HashSet::from([NAME, SUMS]);
    for (n, file) in told.files.iter().enumerate() {
        known.insert(&file.name);
        let progress = Progress {
            what: format!("checking {}", file.name),
            done: n as u64,
            of: told.files.len() as u64,
            rows: 0,
        };
        if !watch(progress) {
            return Err(ExportError::GivenUp);
        }
        if listed.get(file.name.as_str()).is_none_or(|hash| *hash != file.sha256) {
            found.add(SUMS, format!("its hash of {} is not that of {NAME}", file.name));
        }
        look(dir, file, told.format, &mut found);
    }
    if !listed.contains_key(NAME) {
        found.add(SUMS, format!("has no hash of {NAME}"));
    }
    for name in listed.keys().filter(|name| !known.contains(*name)) {
        found.add(SUMS, format!("names {name}, which is no file of this export"));
    }
    let entries = fs::read_dir(dir).map_err(|cause| ExportError::io(dir, cause))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known.contains(name.as_str()) {
            found.add(&name, format!("is no file of this export; {NAME} does not name it"));
        }
    }
    told.contradictions().into_iter().for_each(|(file, what)| found.add(&file, what));
    for line in told.lines.iter().filter(|line| !line.account.is_sound()) {
        let account = &line.account;
        let (minutes, gaps) = (account.within.minutes.best, account.within.gaps.best);
        let what = format!(
            "line {}: minutes hold {minutes} capsules and gaps {gaps}, the counter went on {}",
            line.line, account.counter.best
        );
        found.add(NAME, what);
    }
    Ok((Some(told), found.0))
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, file: &str, what: String) {
        self.0.push(Difference { file: file.to_owned(), what });
    }
}

/// Name → hash of the list, as `sha256sum` writes it.
fn hashes<'a>(list: &'a str, found: &mut Found) -> BTreeMap<&'a str, &'a str> {
    let mut listed = BTreeMap::new();
    for (n, line) in list.lines().enumerate() {
        match line.split_once("  ").filter(|(hash, _)| hash.len() == 64) {
            Some((hash, name)) => drop(listed.insert(name, hash)),
            None => found.add(SUMS, format!("line {} is no hash with a name", n + 1)),
        }
    }
    listed
}

/// Compares a file with what the manifest says of it.
fn look(dir: &Path, file: &FileEntry, format: Format, found: &mut Found) {
    // A manifest that somebody wrote must not lead out of its directory.
    if Path::new(&file.name).file_name().is_none_or(|name| name != file.name.as_str()) {
        found.add(NAME, format!("{:?} is no name of a file in this directory", file.name));
        return;
    }
    let path = dir.join(&file.name);
    match digest_file(&path, &|_| {}) {
        Err(error) => return found.add(&file.name, format!("cannot be read: {error}")),
        Ok((bytes, _)) if bytes != file.bytes => {
            found.add(&file.name, format!("has {bytes} bytes instead of {}", file.bytes));
        }
        Ok((_, sha256)) if sha256 != file.sha256 => {
            found.add(&file.name, "its bytes are not those that were written".to_owned());
        }
        Ok(_) => {}
    }
    let Some(told) = &file.figures else { return };
    let mut figures = Figures::new(&file.columns);
    let add = |cells: &[Cell]| {
        figures.add(&file.columns, cells);
        Ok(())
    };
    let read = match format {
        Format::Csv => match File::open(&path) {
            Ok(open) => sheet::read(BufReader::new(open), &file.columns, add),
            Err(error) => Err(error.to_string()),
        },
        Format::Parquet => parquet::read(&path, &file.columns, add),
    };
    match read {
        Err(what) => found.add(&file.name, what),
        Ok(()) => {
            told.differences(&figures).into_iter().for_each(|what| found.add(&file.name, what))
        }
    }
}
