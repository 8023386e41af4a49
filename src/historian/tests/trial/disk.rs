//! A real disk that is really full: a small tmpfs, which takes the rights of root to make.

use super::*;
use crate::historian::tests::{assert_resumes, n_counted, open};
use crate::historian::{StoreError, Tick};

/// A file system of so many bytes; none without the right to mount.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, bytes: u64) -> Option<Small> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Small(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays", self.0.display());
    }
}

/// Shows: HIS-04
#[test]
fn a_full_disk_loses_nothing_and_storing_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(&dir.path().join("small"), 6 << 20) else {
        skipped("a full disk", "only root may mount a tmpfs");
        return;
    };
    let filler = small.0.join("filler");
    fs::write(&filler, vec![0; 2 << 20]).unwrap();
    let data = small.0.join("data");
    let historian = open(&data);
    // As the keeper does it on a disk with room.
    fs::write(data.join("reserve"), vec![0; 256 << 10]).unwrap();
    let mut seq = 0;
    let mut waiting: Tick = loop {
        match historian.append(tick(&l1(), seq + 1)).unwrap().wait() {
            Ok(()) => seq += 1,
            Err(refused) => {
                assert!(matches!(refused.error, StoreError::Full { .. }), "{}", refused.error);
                break *refused.tick;
            }
        }
        assert!(seq < 100_000, "the disk never filled");
    };
    assert!(!data.join("reserve").exists(), "what was kept back was used first");
    assert!(historian.stats().last_error.is_some());

    // A restart on the full disk finds everything; the line goes on meanwhile, in memory.
    historian.close().unwrap_or_default();
    let historian = open(&data);
    assert_resumes(&historian.resume(&l1(), 0).unwrap(), &l1(), seq);
    for later in seq + 2..seq + 50 {
        waiting.absorb(tick(&l1(), later));
    }
    fs::remove_file(filler).unwrap();
    historian.append(waiting).unwrap().wait().unwrap();
    let resume = historian.resume(&l1(), 0).unwrap();
    assert_eq!(resume.tick_seq, seq + 1);
    assert_eq!(n_counted(&historian), seq + 49, "every gap is there, once");
    assert_eq!(resume.total, tick(&l1(), seq + 49).total);
    assert_eq!(historian.stats().last_error, None);
    println!("full after {seq} ticks; all of them and 49 more are there");
    historian.close().unwrap();
}
