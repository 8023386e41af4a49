//! A damaged journal at the start: laid aside, never thrown away, and the copy beside it put in its place.

use std::fs;
use std::path::{Path, PathBuf};

use domain::units::Moment;
use rusqlite::Connection;

use super::error::StoreError;
use super::place::{self, PART, Place};
use super::{audit, copy, journal, rebirth};

/// The copy that is kept beside the journal.
pub(super) const COPY: &str = "journal-copy.db";

/// Ending of the mark beside a journal that was found damaged.
const SUSPECT: &str = ".suspect";

/// Puts the copy in the place of a damaged journal. Without a sound copy nothing is touched and the damage is returned:
/// an empty journal would say that nothing was ever counted.
pub(super) fn heal(
    place: &Place,
    damage: StoreError,
    now: Moment,
    open: impl Fn(&Path) -> Result<Connection, StoreError>,
) -> Result<Connection, StoreError> {
    let (path, copied) = (place.database(), place.beside(COPY));
    if !copied.is_file() {
        return Err(damage);
    }
    if let Err(error) = copy::open(&copied).and_then(|conn| journal::check(&conn, &copied)) {
        tracing::error!(%error, "the copy of the journal is damaged too");
        return Err(damage);
    }
    tracing::error!(error = %damage, "the journal is damaged; its copy takes its place");
    // First a whole file under another name, then the names: an end in between leaves one of the two.
    let part = place.beside(&format!("journal.db{PART}"));
    copy::file(&copied, &part)?;
    lay_aside(&path, now)?;
    fs::rename(&part, &path).map_err(|e| StoreError::from_io(&path, e))?;
    place.sync()?;
    let mut conn = open(&path)?;
    let finding = match damage {
        StoreError::Damaged { finding, .. } => finding,
        other => other.to_string(),
    };
    let head = audit::Beside::in_place(place).read().ok().flatten();
    rebirth::begin_anew(&mut conn, rebirth::Why::Healed { finding, head }, now)
        .map_err(|e| StoreError::from_sqlite(&path, e))?;
    Ok(conn)
}

/// Leaves word that the journal was found damaged while it was in use: the next start looks through it whatever its size.
pub(super) fn suspect(path: &Path) {
    // Without the mark the damage is found again beside the service, as this time.
    let _ = fs::write(with_ending(path, SUSPECT), "");
}

/// Whether an earlier run found damage.
pub(super) fn is_suspect(path: &Path) -> bool {
    with_ending(path, SUSPECT).exists()
}

/// Takes the mark back: the journal was looked through and nothing was found.
pub(super) fn is_sound(path: &Path) {
    // Mostly there is none.
    let _ = fs::remove_file(with_ending(path, SUSPECT));
}

/// Whether a copy may take the place of a journal that gives this error.
pub(super) fn is_damage(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Damaged { .. } | StoreError::NotAJournal { found: "not a database", .. }
    )
}

/// Renames the database and its log, so that a person can look at them.
fn lay_aside(path: &Path, now: Moment) -> Result<(), StoreError> {
    let stamp = now.utc_us / 1_000_000;
    for ending in ["", "-wal", "-shm", SUSPECT] {
        let from = with_ending(path, ending);
        let to = with_ending(path, &format!(".corrupt-{stamp}{ending}"));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::unwritable(&from, error));
            }
            _ => {}
        }
    }
    match path.parent() {
        Some(dir) => place::sync(dir),
        None => Ok(()),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
