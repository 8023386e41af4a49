//! kill -9 at any moment: in the middle of a start, a commit, a checkpoint.

use super::*;

/// Shows: HIS-01
#[test]
fn no_kill_loses_a_tick_that_was_acknowledged() {
    let n = times("CAPLINE_STORE_KILLS", 100);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("data");
    let mut moments = Moments(2_026);
    let (mut seq, mut acked, mut beyond) = (0, 0, 0_u64);
    for kill in 0..n {
        let writer = Writer::start(&dir, &[]);
        let last = writer.kill_after(Duration::from_micros(moments.below(20_000)));
        let found = left(&dir);
        let last = last.unwrap_or(seq);
        assert!(found >= last, "kill {kill}: {last} acknowledged, {found} found");
        assert!(found <= last + 1, "kill {kill}: at most the tick on its way is there too");
        acked += last - seq;
        beyond += found - last;
        seq = anew_beyond(&dir, found);
    }
    println!("{n} kills: {acked} ticks acknowledged, 0 lost; {beyond} more were stored than said");
    assert!(acked > u64::from(n), "the writer wrote: {acked}");
}
