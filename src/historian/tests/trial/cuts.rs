//! Power cuts: only what was synced is there afterwards.

use super::*;

/// The library that stands in for the disk; none without a C compiler.
fn shim(dir: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/historian/tests/trial/powercut.c");
    let library = dir.join("powercut.so");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    match made {
        Ok(status) => {
            assert!(status.success(), "powercut.c does not compile");
            Some(library)
        }
        Err(_) => None,
    }
}

/// What a series of power cuts did.
#[derive(Debug, Default)]
struct Series {
    acked: u64,
    lost: u64,
    cuts_that_lost: u32,
}

fn cut(n: u32, settings: &[(&str, &str)]) -> Option<Series> {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = shim(dir.path()) else {
        skipped("power cuts", "there is no C compiler `cc`");
        return None;
    };
    let (live, disk) = (dir.path().join("live"), dir.path().join("disk"));
    let unnamed = dir.path().join("disk.unnamed");
    let mut moments = Moments(1_130);
    let mut series = Series::default();
    let mut seq = 0;
    for _ in 0..n {
        for folder in [&live, &disk, &unnamed] {
            fs::create_dir_all(folder).unwrap();
        }
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (library, live_text, disk_text) = (text(&library), text(&live), text(&disk));
        let mut all = vec![
            ("LD_PRELOAD", library.as_str()),
            ("POWERCUT_LIVE", live_text.as_str()),
            ("POWERCUT_DISK", disk_text.as_str()),
        ];
        all.extend(settings);
        let writer = Writer::start(&live, &all);
        let last = writer.kill_after(Duration::from_micros(moments.below(30_000)));
        // The power is back: what the disk kept is all there is.
        fs::remove_dir_all(&live).unwrap();
        fs::remove_dir_all(&unnamed).unwrap();
        fs::rename(&disk, &live).unwrap();
        let found = left(&live);
        let last = last.unwrap_or(seq);
        series.acked += last.saturating_sub(seq);
        series.lost += last.saturating_sub(found);
        series.cuts_that_lost += u32::from(found < last);
        seq = anew_beyond(&live, found);
        // What is there now was on the disk before the next life.
        fs::create_dir_all(&disk).unwrap();
        if live.exists() {
            for entry in fs::read_dir(&live).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), disk.join(entry.file_name())).unwrap();
            }
        }
    }
    println!("{n} power cuts {settings:?}: {series:?}");
    Some(series)
}

/// Shows: HIS-01
#[test]
fn no_power_cut_takes_a_tick_that_was_acknowledged() {
    let n = times("CAPLINE_POWER_CUTS", 100);
    // Half with the names of ext4, half with those of POSIX, where a file needs its directory synced.
    for settings in [&[][..], &[("POWERCUT_STRICT", "1")]] {
        let Some(series) = cut(n.div_ceil(2), settings) else { return };
        assert_eq!((series.lost, series.cuts_that_lost), (0, 0), "{series:?}");
        assert!(series.acked > u64::from(n), "the writer wrote: {series:?}");
    }
}

/// The control: with `synchronous = normal` the same trial must lose ticks, or it proves nothing.
#[test]
fn without_a_sync_for_each_commit_power_cuts_take_ticks() {
    let n = times("CAPLINE_POWER_CUTS", 100).div_ceil(5);
    let Some(series) = cut(n, &[("TRIAL_NORMAL", "1")]) else { return };
    assert!(series.cuts_that_lost > n / 4 && series.lost > u64::from(n), "{series:?}");
}

/// The control of the strict half: if the sync of the directory did nothing, the whole journal would be gone.
#[test]
fn without_a_sync_of_the_directory_power_cuts_take_the_journal() {
    let settings = [("POWERCUT_STRICT", "1"), ("POWERCUT_NO_NAMES", "1")];
    for _ in 0..3 {
        // One cut each: a second one would find the file of the first on the disk, with a name, and what a checkpoint
        // writes into that one is kept.
        let Some(series) = cut(1, &settings) else { return };
        assert!(series.acked > 0 && series.lost == series.acked, "{series:?}");
    }
}

/// A disk that fails for a while: ticks are refused, the file is opened anew, and nothing that was stored is lost.
#[test]
fn a_disk_that_fails_for_a_while_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = shim(dir.path()) else {
        skipped("a failing disk", "there is no C compiler `cc`");
        return;
    };
    let text = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (live, disk, fails) = (text("live"), text("disk"), text("fails"));
    fs::create_dir_all(&live).unwrap();
    fs::create_dir_all(&disk).unwrap();
    let mut writer = Writer::start(
        Path::new(&live),
        &[
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("POWERCUT_LIVE", &live),
            ("POWERCUT_DISK", &disk),
            ("POWERCUT_EIO", &fails),
        ],
    );
    let until = |writer: &mut Writer, start: &str| {
        for _ in 0..10_000 {
            let said = writer.says().expect("the writer is there");
            if said.starts_with(start) {
                return said;
            }
        }
        panic!("never said {start}");
    };
    for _ in 0..20 {
        until(&mut writer, "ack");
        fs::write(&fails, "").unwrap();
        let refused = until(&mut writer, "refused");
        assert!(refused.contains("the disk fails"), "{refused}");
        fs::remove_file(&fails).unwrap();
    }
    let last = until(&mut writer, "ack");
    let last: u64 = last.strip_prefix("ack ").unwrap().parse().unwrap();
    drop(writer);
    fs::remove_dir_all(&live).unwrap();
    let found = left(Path::new(&disk));
    assert!(found >= last, "{last} acknowledged, {found} found");
}
