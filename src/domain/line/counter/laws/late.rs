//! Readings that are delivered late, whatever else happens to the register and to the clock of its device meanwhile.

use super::dated::play_dated;
use super::*;

/// Plays a schedule of which some readings come up to two seconds after they were taken, and none before the one before it
/// or together with it. `settings` are those that the ledger is told.
fn play_late(schedule: &Schedule, settings: Settings) -> Result<(), String> {
    play_dated(schedule, settings, |n, sample, last_us| {
        let mono_us = (sample.at.mono_us + late_us(schedule, n)).max(last_us + 1);
        Sample { at: Moment { mono_us, ..sample.at }, ..*sample }
    })
}

/// How late a reading comes: one of four is late, but none of the first, with which the clock of the device is learnt.
fn late_us(schedule: &Schedule, n: usize) -> i64 {
    let salt = schedule.polls.get(n).map_or(0, |poll| u64::from(poll.at) * 40_503);
    let draw = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt) >> 7;
    match draw % 4 {
        0 if n > 2 => (draw / 4 % 2_000_000) as i64,
        _ => 0,
    }
}

/// Schedules with a clock of the device that is often set, but not twice within some readings, and without our own restart,
/// over which it is not kept how late the last reading came.
fn sourced() -> impl Strategy<Value = Schedule> {
    (schedule(), prop::collection::vec(-3_000i32..3_000, 40)).prop_map(|(mut schedule, by)| {
        schedule.columns.sourced = true;
        let mut set_at = None;
        for (n, (poll, ms)) in schedule.polls.iter_mut().zip(by).enumerate() {
            let learning = set_at.is_some_and(|at| n < at + 16);
            poll.event = match poll.event {
                Event::OurRestart { .. } => Event::Nothing,
                // What is dropped as late meanwhile hides a bad reading, too.
                event if learning && (event.disturbs() || steps(event)) => Event::Nothing,
                Event::Preset { up } => Event::Loaded { up, ms },
                event => event,
            };
            set_at = if steps(poll.event) { Some(n) } else { set_at };
        }
        schedule
    })
}

fn steps(event: Event) -> bool {
    matches!(event, Event::ClockStep { .. } | Event::Loaded { .. })
}

/// Shows: CNT-01
#[test]
fn a_reading_that_came_late_hides_nothing_when_register_and_clock_are_set_together() {
    check(sourced(), |schedule| play_late(schedule, schedule.settings));
    // The negative control: whoever takes each reading for as old as it came leaves out what was made before it came.
    let strict = |schedule: &Schedule| Settings { latest_us: 0, ..schedule.settings };
    assert!(search(sourced(), |schedule| play_late(schedule, strict(schedule))).is_some());
}
