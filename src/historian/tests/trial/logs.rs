//! Logs that a crash tore or a disk spoilt: what lies before the damage is there, whole, and nothing of what lies after.

use super::*;
use crate::historian::tests::{assert_resumes, open};

const N: u64 = 60;

/// A journal with its log as a power cut leaves it, and the size of the log after each tick.
fn with_log(dir: &Path) -> Vec<u64> {
    let live = dir.join("live");
    let mut journal = Journal::open(&live, Duration::MAX, "boot", at(0)).unwrap();
    let wal = live.join("journal.db-wal");
    let mut ends = vec![fs::metadata(&wal).unwrap().len()];
    for seq in 1..=N {
        journal.append(&[&tick(&l1(), seq)]).remove(0).unwrap();
        ends.push(fs::metadata(&wal).unwrap().len());
    }
    fs::create_dir(dir.join("cut")).unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        fs::copy(live.join(name), dir.join("cut").join(name)).unwrap();
    }
    ends
}

/// Spoils the log at a byte and returns the last tick that must be there and the one that is.
fn spoilt(dir: &Path, ends: &[u64], at: u64, spoil: impl Fn(&mut Vec<u8>)) -> (u64, u64) {
    let there = dir.join("there");
    fs::create_dir(&there).unwrap();
    fs::copy(dir.join("cut/journal.db"), there.join("journal.db")).unwrap();
    let mut log = fs::read(dir.join("cut/journal.db-wal")).unwrap();
    spoil(&mut log);
    fs::write(there.join("journal.db-wal"), log).unwrap();
    let whole = ends.iter().rposition(|end| *end <= at).unwrap() as u64;
    let historian = open(&there);
    let resume = historian.resume(&l1(), 0).unwrap();
    let found = resume.tick_seq;
    if found > 0 {
        assert_resumes(&resume, &l1(), found);
    }
    historian.close().unwrap();
    fs::remove_dir_all(&there).unwrap();
    (whole, found)
}

#[test]
fn a_torn_log_keeps_every_tick_before_the_tear() {
    let dir = tempfile::tempdir().unwrap();
    let ends = with_log(dir.path());
    let mut moments = Moments(7);
    for _ in 0..100 {
        let at = ends[1] + moments.below(ends[N as usize] - ends[1]);
        let (whole, found) = spoilt(dir.path(), &ends, at, |log| log.truncate(at as usize));
        assert_eq!(found, whole, "torn at {at} of {}", ends[N as usize]);
    }
}

#[test]
fn a_flipped_bit_in_the_log_keeps_every_tick_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let ends = with_log(dir.path());
    let mut moments = Moments(8);
    for _ in 0..100 {
        let at = ends[1] + moments.below(ends[N as usize] - ends[1]);
        let bit = moments.below(8);
        let flip = |log: &mut Vec<u8>| log[at as usize] ^= 1 << bit;
        let (whole, found) = spoilt(dir.path(), &ends, at, flip);
        assert_eq!(found, whole, "flipped at {at} of {}", ends[N as usize]);
    }
}

/// The control: an untouched log has all of them.
#[test]
fn an_untouched_log_has_every_tick() {
    let dir = tempfile::tempdir().unwrap();
    let ends = with_log(dir.path());
    assert_eq!(spoilt(dir.path(), &ends, ends[N as usize], |_| {}), (N, N));
}
