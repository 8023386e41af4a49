//! Readings that were not taken when they say.

use super::*;

/// Readings that are dated up to two seconds from when they were taken, as slow answers are. Whether the ledger is told.
fn play_off(schedule: &Schedule, told: bool) -> Result<(), String> {
    play_dated(schedule, schedule.settings, |n, sample, last_us| {
        let off_us = (n as i64).wrapping_mul(7_919).rem_euclid(5) * 500_000;
        let later = off_us * if n % 2 == 0 { 1 } else { -1 };
        // Whoever asks one after the other dates one after the other.
        let mono_us = (sample.at.mono_us + later).max(last_us);
        let off_us = if told { (mono_us - sample.at.mono_us).abs() } else { 0 };
        Sample { at: Moment { mono_us, ..sample.at }, off_us, ..*sample }
    })
}

/// Plays a schedule whose samples `dated` gives other moments, from their number, the sample and the moment before. `settings`
/// are those that the ledger is told. Where the ledger has taken a sample, the truth must lie in its total.
pub(super) fn play_dated(
    schedule: &Schedule,
    settings: Settings,
    dated: impl Fn(usize, &Sample, i64) -> Sample,
) -> Result<(), String> {
    let mut counter = Counter::new(settings);
    let (mut deltas, mut last_us, mut hidden, mut set) = (Vec::new(), 0, false, false);
    for (n, step) in Plant::new(schedule).play().into_iter().enumerate() {
        deltas.clear();
        set |= step.set;
        let Arrival::Sample(sample) = &step.arrival else {
            counter.missed();
            continue;
        };
        let sample = dated(n, sample, last_us);
        last_us = sample.at.mono_us;
        counter.sample(&sample, &mut deltas);
        hidden |= set && deltas.iter().any(|delta| delta.flags.contains(Flags::UNVERIFIED));
        let current = counter.baseline().is_some_and(|base| {
            base.held.is_none() && base.at == sample.at && base.source_us == sample.source_us
        });
        if current {
            set = false;
            if !hidden && !counter.total().contains(step.made) {
                return Err(differs(&step, &counter));
            }
        }
    }
    Ok(())
}

/// Schedules without our own restart, over which it is not kept how far the last moment was off, and without evidence that
/// is measured in time.
fn undated() -> impl Strategy<Value = Schedule> {
    schedule().prop_map(|mut schedule| {
        schedule.columns = Columns {
            uptime: false,
            heartbeat: false,
            cleared: false,
            sourced: false,
            ..schedule.columns
        };
        for poll in &mut schedule.polls {
            poll.event = match poll.event {
                Event::OurRestart { .. } | Event::Late | Event::Duplicate => Event::Nothing,
                event => event,
            };
        }
        schedule
    })
}

#[test]
fn a_reading_that_is_dated_wrongly_within_its_round_trip_hides_nothing() {
    check(undated(), |schedule| play_off(schedule, true));
    // The negative control: whoever is not told takes a slow answer for a jump, and what it counted for nothing.
    assert!(search(undated(), |schedule| play_off(schedule, false)).is_some());
}
