//! Cases with the whole story that the tracker tells.

use expect_test::{Expect, expect};

use super::script::{model_with, moment, play, play_on, read};
use crate::line::state::State;
use crate::line::tracker::LineTracker;
use crate::units::{Count, TagId};

pub(super) fn check(script: &str, expected: Expect) {
    let (tracker, journal) = play(&read(script), |_| false);
    for tag in ["good", "bad", "n", "under"] {
        let total = tracker.total_of(&TagId::new(tag)).unwrap_or_default();
        assert_eq!(
            journal.booked(tag),
            total,
            "minutes and gaps of {tag} must add up to its total"
        );
    }
    expected.assert_eq(&journal.told());
}

#[test]
fn a_steady_line_books_counts_and_time_by_the_minute() {
    check(
        "
        0    CF01.fast  state=execute good=100
        0.5  CF01.fast  state=execute good=150
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
            minute 0 (open): CF01.good 50 run 0.5s polls 2 missed 0
        "#]],
    );
}

#[test]
fn counts_and_time_are_split_at_the_minute() {
    check(
        "
        59.0 CF01.fast  state=execute good=100
        59.5 CF01.fast  state=execute good=150
        60.5 CF01.fast  state=execute good=250
        61.0 CF01.fast  state=execute good=300
        65.0 check
        ",
        expect![[r#"
                59 link up of CF01: heard for the first time
                59 state execute of CF01: after unknown, code 3
                59 count first of good: 0
                65 (since 61) link down of CF01: no answer: timeout
            minute 0: CF01.good 50 run 1s unknown 59s polls 2 missed 0
            minute 1 (open): CF01.good 150 run 1s unknown 4s polls 2 missed 0
        "#]],
    );
}

/// Shows: CNT-05
#[test]
fn counts_over_a_longer_silence_are_a_gap_and_in_no_minute() {
    check(
        "
        0.0  CF01.fast  state=execute good=100
        0.5  CF01.fast  state=execute good=150
        2.0  CF01.fast  miss timeout 3
        3.0  check
        10.0 CF01.fast  state=execute good=1150
        10.5 CF01.fast  state=execute good=1200
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
                 3 (since 0.5) link down of CF01: no answer: timeout
                10 link up of CF01: heard again after 9.500 s
                10 (since 0.5) count gap of good: 1000 [1000, 1182]: step 1000: the counter went on from 150 to 1150: 1000 more; reset 1150 [1150, 1182]: the counter was set back to 0 after 150 and has counted 1150 since: what it counted before that is not known, at most 1182 can be made in 9.5 s; after_miss
            minute 0 (open): CF01.good 100 run 1s unknown 9.5s polls 4 missed 3
        "#]],
    );
}

#[test]
fn a_short_miss_is_only_counted_as_missed() {
    check(
        "
        0.0  CF01.fast  state=execute good=100
        0.5  CF01.fast  miss skipped 1
        1.0  CF01.fast  state=execute good=200
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
            minute 0 (open): CF01.good 100 run 1s polls 2 missed 1
        "#]],
    );
}

#[test]
fn a_lost_station_is_unknown_and_its_time_neither_up_nor_down() {
    check(
        "
        0.0  CF01.fast  state=execute good=100
        1.0  CF01.fast  state=execute good=200
        2.5  check
        3.5  check
        6.0  check
        7.0  CF01.fast  state=held good=250
        8.0  CF01.fast  state=held good=250
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
               3.5 (since 1) link down of CF01: no answer: timeout
                 7 link up of CF01: heard again after 6.000 s
                 7 state held of CF01: after execute, code 5
                 7 (since 1) count gap of good: 50 [50, 765]: step 50: the counter went on from 200 to 250: 50 more; reset 250 [250, 765]: the counter was set back to 0 after 200 and has counted 250 since: what it counted before that is not known, at most 765 can be made in 6.0 s; after_miss
            minute 0 (open): CF01.good 100 run 1s internal 1s unknown 6s polls 4 missed 0
        "#]],
    );
}

#[test]
fn silence_is_noticed_by_the_next_reading_too() {
    check(
        "
        0.0  CF01.fast  state=execute good=100
        7.0  CF01.fast  state=execute good=200
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
                 7 (since 0) link down of CF01: no answer: timeout
                 7 link up of CF01: heard again after 7.000 s
                 7 (since 0) count gap of good: 100 [100, 884]: step 100: the counter went on from 100 to 200: 100 more; reset 200 [200, 884]: the counter was set back to 0 after 100 and has counted 200 since: what it counted before that is not known, at most 884 can be made in 7.0 s; after_miss
            minute 0 (open): unknown 7s polls 2 missed 0
        "#]],
    );
}

#[test]
fn a_stop_is_told_when_it_ends_with_its_first_reason() {
    check(
        "
        0.0  CF01.fast  state=execute reason=0 good=100
        1.0  CF01.fast  state=held reason=0 good=100
        1.5  CF01.fast  state=held reason=1 good=100
        2.0  CF01.fast  state=suspended reason=7 good=100
        3.0  CF01.fast  state=execute reason=0 good=100
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
                 1 state held of CF01: after execute, code 5
                 2 state suspended of CF01: after held, code 4; PackML knows no such change
                 3 state execute of CF01: after suspended, code 3
                 3 (since 1) stop internal of CF01: capsule jam
            minute 0 (open): run 1s internal 1s external 1s polls 5 missed 0
        "#]],
    );
}

/// The minutes of before stand in for the seconds that nobody remembers: in the long window, never in a short one.
#[test]
fn the_speed_of_a_quarter_of_an_hour_survives_a_restart() {
    let reads = (0..=9 * 60).map(|s| format!("{s} CF01.fast state=execute good={}\n", s * 100));
    let script = format!("{} 542 check\n 545 restart\n", reads.collect::<String>());
    let now = moment(546.0);
    let speeds = |tracker: &LineTracker| -> Vec<(i64, Count, i64)> {
        tracker.status(now).speeds.iter().map(|s| (s.window_us, s.count, s.covered_us)).collect()
    };
    let (tracker, _) = play(&read(&script), |_| false);
    // Closed minutes 1 to 8 hold 60 s each; minute 0 began within the window too, and lacks the first reading's 100.
    assert_eq!(
        speeds(&tracker)[..3],
        [
            (10_000_000, Count::ZERO, 0),
            (60_000_000, Count::ZERO, 0),
            (900_000_000, Count::exact(540 * 100 - 100), 540_000_000),
        ]
    );
}

#[test]
fn a_stop_goes_on_through_a_restart_of_the_service() {
    check(
        "
        0.0  CF01.fast  state=execute good=100
        1.0  CF01.fast  state=held good=100
        2.0  restart
        3.0  CF01.fast  state=held good=100
        4.0  restart
        5.0  CF01.fast  state=execute good=150
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
                 1 state held of CF01: after execute, code 5
                 3 link up of CF01: heard for the first time
                 3 count gap of good: 0 [0, 288]: step 0: the counter went on from 100 to 100: 0 more; reset 100 [100, 288]: the counter was set back to 0 after 100 and has counted 100 since: what it counted before that is not known, at most 288 can be made in 2.0 s; after_miss, resumed
                 5 link up of CF01: heard for the first time
                 5 state execute of CF01: after held, code 3
                 5 count gap of good: 50 [50, 288]: step 50: the counter went on from 100 to 150: 50 more; reset 150 [150, 288]: the counter was set back to 0 after 100 and has counted 150 since: what it counted before that is not known, at most 288 can be made in 2.0 s; after_miss, resumed
                 5 (since 1) stop internal of CF01
            minute 0 (open): CF01.good 50 [50, 576] run 1s unknown 2s polls 4 missed 0
        "#]],
    );
}

#[test]
fn an_unknown_code_and_a_bad_state_stay_visible() {
    check(
        "
        0.0  CF01.fast  state=execute good=100
        1.0  CF01.fast  state=99 good=150
        1.5  CF01.fast  state=bad good=200
        2.0  CF01.fast  state=execute good=250
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
                 1 state unknown_code of CF01: after execute, code 99
               1.5 state unknown of CF01: after unknown_code, no code
                 2 state execute of CF01: after unknown, code 3
            minute 0 (open): CF01.good 150 run 1s unknown 1s polls 4 missed 0
        "#]],
    );
}

/// Shows: ACQ-07
#[test]
fn values_that_are_not_refreshed_are_frozen() {
    check(
        "
        0.0  CF01.fast  state=execute beat=1 good=100
        2.0  CF01.fast  state=execute beat=1 good=100
        4.0  CF01.fast  state=execute beat=1 good=100
        5.5  CF01.fast  state=execute beat=1 good=100
        6.0  CF01.fast  state=execute beat=2 good=150
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
               5.5 link frozen of CF01: the heartbeat stands still: values are not refreshed
                 6 link up of CF01: the heartbeat goes on
                 6 (since 0) count gap of good: 50
            minute 0 (open): run 5.5s unknown 0.5s polls 5 missed 0
        "#]],
    );
}

/// Frozen values go on to be heard: how long they have been unknown grows all the same, and an old speed is none.
#[test]
fn frozen_values_are_unknown_since_they_froze_and_tell_no_speed() {
    // The machine says how fast it is where it else says how warm the hall is.
    let hall = "id = \"hall\"\nregister = \"holding 10\"\ntype = \"u16\"\nrole = ";
    let (was, is) = (format!("{hall}\"condition\""), format!("{hall}\"speed\""));
    let model = model_with(&[(&was, &is)]);
    let status = |beats: &dyn Fn(i32) -> i32| {
        let reading = |i: i32| {
            let (at, beat) = (f64::from(i) / 2.0, beats(i));
            format!("{at} CF01.slow hall=6000\n{at} CF01.fast state=execute beat={beat} good=100\n")
        };
        let script = (0..=80).map(reading).collect::<String>();
        play_on(&model, moment(0.0), &read(&script), |_| false).0.status(moment(40.5))
    };
    let frozen = status(&|_| 1);
    let since = (frozen.state.since_us, frozen.state.since_mono_us);
    let froze = moment(5.5);
    assert_eq!((frozen.state.state, since), (State::Unknown, (froze.utc_us, froze.mono_us)));
    assert_eq!(frozen.plc_speed, None);
    // The negative control: a heartbeat that goes on.
    let live = status(&|i| i);
    assert_eq!((live.state.state, live.plc_speed), (State::Execute, Some(6_000.0)));
}

#[test]
fn a_slow_group_after_a_silence_does_not_look_frozen() {
    check(
        "
        0.0  CF01.fast  state=execute beat=1 good=100
        60.0 CF01.slow  hall=20
        60.1 CF01.fast  state=execute beat=61 good=1100
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 state execute of CF01: after unknown, code 3
                 0 count first of good: 0
                60 (since 0) link down of CF01: no answer: timeout
                60 link up of CF01: heard again after 60.000 s
              60.1 (since 0) count gap of good: 1000: after_miss
            minute 0 (open): unknown 60s polls 1 missed 0
            minute 1 (open): run 0.1s polls 2 missed 0
        "#]],
    );
}

/// Shows: CNT-03
#[test]
fn a_drop_with_a_fallen_uptime_is_a_reset() {
    check(
        "
        0.0  CF01.fast  uptime=1000 good=65500
        1.0  CF01.fast  uptime=0 good=14
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 count first of good: 0
                 1 count reset of good: 14 [14, 169]: reset 14 [14, 169]: the counter was set back to 0 after 65500 and has counted 14 since: what it counted before that is not known, at most 169 can be made in 1.0 s
            minute 0 (open): CF01.good 14 [14, 169] unknown 1s polls 2 missed 0
        "#]],
    );
}

/// Shows: CNT-03
#[test]
fn a_drop_with_a_steady_uptime_is_a_wrap() {
    check(
        "
        0.0  CF01.fast  uptime=1000 good=65500
        1.0  CF01.fast  uptime=1001 good=14
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 count first of good: 0
                 1 count wrap of good: 50: wrap 50: the counter passed 65536 once: 65536 - 65500 + 14 = 50
            minute 0 (open): CF01.good 50 unknown 1s polls 2 missed 0
        "#]],
    );
}

#[test]
fn a_stale_uptime_does_not_hide_a_reset() {
    // The uptime is not read with the drop: neither wrap nor reset is excluded, and both are told.
    check(
        "
        0.0  CF01.fast  uptime=1000 good=65500
        1.0  CF01.fast  good=14
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 count first of good: 0
                 1 count wrap of good: 50 [14, 169]: wrap 50: the counter passed 65536 once: 65536 - 65500 + 14 = 50; reset 14 [14, 169]: the counter was set back to 0 after 65500 and has counted 14 since: what it counted before that is not known, at most 169 can be made in 1.0 s
            minute 0 (open): CF01.good 50 [14, 169] unknown 1s polls 2 missed 0
        "#]],
    );
}

#[test]
fn every_group_learns_that_the_session_was_lost() {
    // The slow group is heard first; the counters of the fast group must still know that the controller may have
    // restarted meanwhile.
    check(
        "
        0.0  CF01.fast  good=100
        9.0  CF01.slow  hall=20
        9.1  CF01.fast  good=900
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 count first of good: 0
                 9 (since 0) link down of CF01: no answer: timeout
                 9 link up of CF01: heard again after 9.000 s
               9.1 (since 0) count gap of good: 800 [800, 1134]: step 800: the counter went on from 100 to 900: 800 more; reset 900 [900, 1134]: the counter was set back to 0 after 100 and has counted 900 since: what it counted before that is not known, at most 1134 can be made in 9.1 s; after_miss
            minute 0 (open): unknown 9.1s polls 3 missed 0
        "#]],
    );
}

#[test]
fn a_batch_read_in_a_slow_group_explains_the_reset() {
    check(
        "
        0.0  CF01.slow  batch=7
        0.1  CF01.fast  uptime=100 bad=40
        0.6  CF01.fast  uptime=101 bad=41
        1.0  CF01.slow  batch=8
        1.1  CF01.fast  uptime=101 bad=0
        1.6  CF01.fast  uptime=102 bad=2
        ",
        expect![[r#"
                 0 link up of CF01: heard for the first time
                 0 batch 7 of CF01: first batch seen
               0.1 count first of bad: 0
                 1 batch 8 of CF01: after batch 7
               1.6 count reset of bad: 0 [0, 109]: reset 0 [0, 109]: the counter was set back to 0 after 41 and has counted 0 since: what it counted before that is not known, at most 109 can be made in 0.5 s
            minute 0 (open): CF01.no_dose 3 [3, 112] unknown 1.6s polls 6 missed 0
        "#]],
    );
}

#[test]
fn polls_that_stand_for_none_or_several_are_counted_as_they_are() {
    let mut steps = read(
        "
        0.0  CF01.fast  state=execute good=100
        0.5  CF01.fast  state=execute good=150
        1.0  CF01.fast  miss timeout 7
        ",
    );
    for (step, polls) in steps.iter_mut().zip([0, 5]) {
        if let super::script::Step::Snapshot(snapshot) = step {
            snapshot.polls = polls;
        }
    }
    let (tracker, journal) = play(&steps, |_| false);
    assert_eq!(tracker.polls(), (5, 7));
    let sums = journal.minutes.values().map(|minute| (minute.polls, minute.missed));
    assert_eq!(sums.collect::<Vec<_>>(), [(5, 7)]);
}
