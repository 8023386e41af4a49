//! The end of the trail, kept a second time in a file beside the journal: what is cut off in the database is missed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use domain::audit::{Actor, Head, Note, What};
use rusqlite::{Connection, OptionalExtension, Result};

use crate::historian::place::{PART, Place};

/// Name of the file.
const HEAD_FILE: &str = "audit.head";

/// What is said where the file is not there.
pub(super) const MISSING: &str =
    "the file audit.head is not beside the journal: what was cut off the end would not be missed";

/// The file beside the journal.
pub(in crate::historian) struct Beside {
    path: PathBuf,
    told: Head,
}

impl Beside {
    /// That in a directory.
    pub(in crate::historian) fn new(dir: &Path) -> Beside {
        Beside { path: dir.join(HEAD_FILE), told: Head::default() }
    }

    /// The same in a directory that is claimed.
    pub(in crate::historian) fn in_place(place: &Place) -> Beside {
        Beside { path: place.beside(HEAD_FILE), told: Head::default() }
    }

    /// What it holds; none where there is none, an error where it cannot be read.
    pub(in crate::historian) fn read(&self) -> std::result::Result<Option<Head>, String> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Head::parse(&text).map(Some).ok_or_else(|| {
                format!("{}: `{}` is no head of a trail", self.path.display(), text.trim())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: cannot be read: {error}", self.path.display())),
        }
    }

    /// What is wrong with a trail at a start, as an entry; none where it holds what the file tells. It is asked before the
    /// file is written again: what was cut off would be missed by nobody afterwards.
    pub(in crate::historian) fn doubt(&self, conn: &Connection) -> Result<Option<Note>> {
        let found = super::head(conn)?;
        let (told, why) = match self.read() {
            // A journal that has just begun has no file yet.
            Ok(None) if found.number <= 1 => return Ok(None),
            Ok(None) => (String::new(), MISSING.to_owned()),
            Err(why) => (String::new(), why),
            Ok(Some(told)) => {
                let sql = "select hash from audit where number = ?1";
                let hash: Option<String> =
                    conn.query_row(sql, [told.number], |row| row.get(0)).optional()?;
                let why = match hash {
                    Some(hash) if hash == told.hash => return Ok(None),
                    Some(_) => format!("entry {} was written anew", told.number),
                    None => format!("entry {} is not there any more", told.number),
                };
                (told.to_string(), why)
            }
        };
        let note = Note::new(&Actor::system(), What::TrailDoubted, "journal");
        Ok(Some(note.change(told, found.to_string()).why(why)))
    }

    /// Writes a head that is durable in the journal. It may lag behind after a crash and is never ahead. One that
    /// cannot be written is said in the log: the journal itself still holds the trail.
    pub(in crate::historian) fn tell(&mut self, head: &Head) {
        if head.number == 0 || *head == self.told {
            return;
        }
        match write(&self.path, head) {
            Ok(()) => self.told = head.clone(),
            Err(error) => tracing::error!(
                path = %self.path.display(), %error, "the head of the audit trail cannot be kept beside the journal"
            ),
        }
    }
}

fn write(path: &Path, head: &Head) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    // A command beside a service writes it too.
    part.push(format!(".{}{PART}", std::process::id()));
    let mut file = fs::File::create(&part)?;
    writeln!(file, "{head}")?;
    file.sync_all()?;
    fs::rename(&part, path)
}
