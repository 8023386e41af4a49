//! The directory of the journal: made, found to be local, locked for this process, synced.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// The journal in its directory.
pub(super) const DATABASE: &str = "journal.db";
/// Room that is kept back for a full disk.
pub(super) const RESERVE: &str = "reserve";
/// The lock in it.
const LOCK: &str = "capline.lock";
/// Ending of files that are not finished. They are nobody's and may be deleted.
pub(super) const PART: &str = ".part";

/// A directory that is ours as long as this value lives.
pub(super) struct Place {
    dir: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes the directory where it is missing and locks it.
    pub(super) fn claim(dir: &Path) -> Result<Place, StoreError> {
        Place::claim_on(dir, file_system)
    }

    /// The same with another way to tell the file system of a directory by its magic number.
    pub(super) fn claim_on(
        dir: &Path,
        magic: impl Fn(&Path) -> io::Result<u32>,
    ) -> Result<Place, StoreError> {
        make(dir)?;
        let found = magic(dir).map_err(|e| StoreError::unwritable(dir, e))?;
        if let Some(kind) = network_name(found) {
            return Err(StoreError::Network { path: dir.to_owned(), kind });
        }
        Ok(Place { dir: dir.to_owned(), _lock: lock(dir)? })
    }

    /// Where the database lies.
    pub(super) fn database(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// Another file in it.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Makes the names of new files durable. SQLite syncs contents; a file whose name was never synced can be gone
    /// after a power cut, and the journal with it.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        sync(&self.dir)
    }
}

pub(super) fn make(dir: &Path) -> Result<(), StoreError> {
    let missing: Vec<_> = dir.ancestors().take_while(|above| !above.exists()).collect();
    fs::create_dir_all(dir).map_err(|e| StoreError::unwritable(dir, e))?;
    for made in missing {
        match made.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync(Path::new("."))?,
            Some(parent) => sync(parent)?,
            None => {}
        }
    }
    Ok(())
}

/// Something in a directory beside the lock and what an earlier attempt left unfinished, which is deleted; the journal where
/// there is one.
pub(super) fn content(dir: &Path) -> Result<Option<String>, StoreError> {
    let fail = |e| StoreError::unwritable(dir, e);
    let mut found = None;
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(PART) {
            fs::remove_file(entry.path()).map_err(fail)?;
        } else if name != LOCK && found.as_deref() != Some(DATABASE) {
            found = Some(name);
        }
    }
    Ok(found)
}

/// Makes the names in a directory durable.
pub(super) fn sync(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| StoreError::unwritable(dir, e))
}

/// The lock lies on a file of its own: closing any handle of the database file would drop SQLite's own locks.
/// It goes with the process, however that ends.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let fail = |e| StoreError::unwritable(&path, e);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::Error(e)) => return Err(fail(e)),
        Err(fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who holds it is a help, not a must.
            let _ = file.take(20).read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "unknown".to_owned(),
                holder => holder.to_owned(),
            };
            return Err(StoreError::Locked { path: dir.to_owned(), holder });
        }
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(file)
}

fn file_system(dir: &Path) -> io::Result<u32> {
    Ok(rustix::fs::statfs(dir)?.f_type as u32)
}

/// Network and cluster file systems by their magic number (`linux/magic.h`, `statfs(2)`).
pub(super) fn network_name(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0bd0_0bd0 => "Lustre",
        0x7461_636f => "OCFS2",
        0x0116_1970 => "GFS2",
        _ => return None,
    })
}
