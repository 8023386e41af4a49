//! The directory of the journal: made, found to be local, locked for this process, synced.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// A directory that is ours as long as this value lives.
pub(super) struct Place {
    dir: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes the directory where it is missing and locks it.
    pub(super) fn claim(dir: &Path) -> Result<Place, StoreError> {
        make(dir)?;
        if let Some(kind) = network_kind(dir)? {
            return Err(StoreError::Network { path: dir.to_owned(), kind });
        }
        Ok(Place { dir: dir.to_owned(), _lock: lock(dir)? })
    }

    /// Where the database lies.
    pub(super) fn database(&self) -> PathBuf {
        self.dir.join("journal.db")
    }

    /// Makes the names of new files durable. SQLite syncs contents; a file whose name was never synced can be gone
    /// after a power cut, and the journal with it.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        sync(&self.dir)
    }
}

fn make(dir: &Path) -> Result<(), StoreError> {
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

fn sync(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| StoreError::unwritable(dir, e))
}

/// The lock lies on a file of its own: closing any handle of the database file would drop SQLite's own locks.
/// It goes with the process, however that ends.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("capline.lock");
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

fn network_kind(dir: &Path) -> Result<Option<&'static str>, StoreError> {
    let stat = rustix::fs::statfs(dir).map_err(|e| StoreError::unwritable(dir, e.into()))?;
    Ok(network_name(stat.f_type as u32))
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
