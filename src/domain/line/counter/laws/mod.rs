//! Laws over random schedules: what must hold whatever happens to a counter.
//!
//! 1. The truth is inside the published interval after every sample.
//! 2. It equals the best value if nothing undecidable happened.
//! 3. The doubt is never wider than what the machine could make since the last believed reading and a
//!    stroke for each reading that waited, however little evidence there is; and where there is all evidence, it is exact unless the register was set, or
//!    read as a bad 0, around it. Where the clock of the device was set, a reading may have come late, and that is in the
//!    doubt too. No narrower bound can be asked for: a register that was set to 0 in an
//!    interval shows nothing of what was made before, and that is anything from none to the most.
//!
//! `CAPLINE_SCHEDULES` sets the number of schedules (20,000), `CAPLINE_SEED` the seed.

mod dated;
mod late;
mod schedules;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use schedules::{decidable, not_by_batch, schedule, settings, well_equipped};

use super::plant::{Arrival, Columns, Event, Plant, Poll, Schedule, Step, kinds};
use super::*;

/// Runs `law` over many random schedules; a failure is shrunk to the smallest schedule.
fn check(
    schedules: impl Strategy<Value = Schedule>,
    law: impl Fn(&Schedule) -> Result<(), String>,
) {
    if let Some((why, schedule)) = search(schedules, law) {
        panic!("CAPLINE_SEED={}: {why}\n{schedule:?}", number("CAPLINE_SEED", 1));
    }
}

fn search(
    schedules: impl Strategy<Value = Schedule>,
    law: impl Fn(&Schedule) -> Result<(), String>,
) -> Option<(String, Schedule)> {
    let found = runner().run(&schedules, |schedule| law(&schedule).map_err(TestCaseError::fail));
    match found {
        Ok(()) => None,
        Err(TestError::Fail(why, schedule)) => Some((why.to_string(), schedule)),
        Err(TestError::Abort(why)) => panic!("the search stopped: {why}"),
    }
}

fn runner() -> TestRunner {
    let cases = number("CAPLINE_SCHEDULES", 20_000);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("CAPLINE_SEED", 1).to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        failure_persistence: None,
        max_shrink_iters: 200_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    TestRunner::new_with_rng(config, rng)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Plays a schedule against the ledger. `judge` sees each arrival, the ledger after it and its deltas.
fn play(
    schedule: &Schedule,
    judge: impl FnMut(&Step, &Counter, &[Delta]) -> Result<(), String>,
) -> Result<(), String> {
    play_with(schedule, schedule.settings.step, judge)
}

/// The same with an odometer of which one count is said to be so many capsules at most.
fn play_with(
    schedule: &Schedule,
    capsules: u64,
    mut judge: impl FnMut(&Step, &Counter, &[Delta]) -> Result<(), String>,
) -> Result<(), String> {
    let odometer = Odometer { capsules, modulus: Modulus::At(1 << 16) };
    let mut counter = Counter::new(schedule.settings);
    let mut deltas = Vec::new();
    for step in Plant::new(schedule).play() {
        deltas.clear();
        match &step.arrival {
            Arrival::Missed => counter.missed(),
            Arrival::OurRestart(rebooted) => {
                let mut baseline = counter.baseline().ok_or("no baseline")?;
                if let Some(now) = rebooted {
                    baseline.rebase(*now);
                }
                counter = Counter::resume(schedule.settings, baseline);
            }
            Arrival::Sample(sample) => {
                let mut sample = *sample;
                sample.evidence.bounds = bounds(odometer, &counter, &sample);
                counter.sample(&sample, &mut deltas);
            }
        }
        judge(&step, &counter, &deltas)?;
    }
    Ok(())
}

/// What the odometer leaves for a sample, as whoever owns the counter works it out.
fn bounds(odometer: Odometer, counter: &Counter, sample: &Sample) -> Option<(u64, u64)> {
    let newest = counter.newest()?;
    let t_us = sample.at.mono_us.saturating_sub(newest.at.mono_us);
    let (then, now) = (newest.odometer?, sample.evidence.odometer?);
    odometer.most(counter.settings(), then, now, t_us).map(|most| (0, most))
}

/// Whether the ledger believes this very arrival, so that its total is that of now.
fn is_current(step: &Step, counter: &Counter) -> bool {
    let Arrival::Sample(sample) = &step.arrival else { return false };
    counter.baseline().is_some_and(|base| base.held.is_none() && base.at == sample.at)
}

/// Shows: CNT-01
#[test]
fn the_truth_is_never_outside_the_interval() {
    check(schedule(), |schedule| {
        // A reset that left no trace and was flagged: from here on the law cannot hold.
        let (mut hidden, mut set) = (false, false);
        play(schedule, |step, counter, deltas| {
            set |= step.set;
            let flagged = |flag| deltas.iter().any(|delta| delta.flags.contains(flag));
            if flagged(Flags::VIOLATION) {
                return Err("conservation is broken".to_owned());
            }
            hidden |= set && flagged(Flags::UNVERIFIED);
            if is_current(step, counter) {
                set = false;
                if !hidden && !counter.total().contains(step.made) {
                    return Err(differs(step, counter));
                }
            }
            Ok(())
        })
    });
}

/// Shows: CNT-02
#[test]
fn the_count_is_exact_where_everything_can_be_decided() {
    check(decidable(), |schedule| {
        play(schedule, |step, counter, _| {
            match is_current(step, counter) && counter.total() != Count::exact(step.made) {
                true => Err(differs(step, counter)),
                false => Ok(()),
            }
        })
    });
}

/// With all evidence, only an interval in which the register was set, or read as a bad 0 right after
/// it was, is inexact, and the one after it, if a fall to 0 came seconds after an earlier reset, so
/// that clocks of whole seconds cannot tell it from a bad reading. The width of each delta is at most
/// what can be made in its time and one stroke, because a doubtful 0 parts the time in two and each
/// part may gain a stroke.
#[test]
fn the_width_is_what_the_resets_force() {
    check(well_equipped(), |schedule| {
        let (mut inexact, mut forced) = (0, 0);
        let glitches = schedule.polls.iter().filter(|poll| poll.event == Event::Glitch).count();
        play(schedule, |step, _, deltas| {
            forced += usize::from(step.set);
            for delta in deltas.iter().filter(|delta| !delta.count.is_exact()) {
                inexact += 1;
                let passed_us = delta.to.mono_us - delta.from.mono_us + may_be_late_us(schedule);
                let most = schedule.settings.most_in(passed_us) + schedule.settings.step;
                if delta.count.width() > most {
                    return Err(format!("{delta:?} is wider than {most}"));
                }
            }
            Ok(())
        })?;
        match inexact > 2 * forced + glitches {
            true => Err(format!("{inexact} inexact deltas, {forced} resets, {glitches} glitches")),
            false => Ok(()),
        }
    });
}

/// Without any evidence too: what is left open since the last believed reading is at most what can be made in that time,
/// and a stroke for each reading that waited in between. A reading that waits is decided with the next one, so that the
/// doubt about both intervals may stand in one delta. A counter that is set back with the batch is left out: its id may
/// come some polls later and open what these polls left.
#[test]
fn no_width_exceeds_what_can_be_made() {
    check(not_by_batch(), |schedule| keeps_width(schedule, 2 * schedule.settings.step));
    // The negative control, and the reason of the strokes: without them the bound does not hold.
    assert!(search(not_by_batch(), |schedule| keeps_width(schedule, 0)).is_some());
}

/// How late the base and a reading that waits may have come together without that anybody can tell: not at all, unless the
/// clock of their device is set.
fn may_be_late_us(schedule: &Schedule) -> i64 {
    let steps = |poll: &Poll| matches!(poll.event, Event::ClockStep { .. });
    match schedule.columns.sourced && schedule.polls.iter().any(steps) {
        true => 2 * schedule.settings.latest_us,
        false => 0,
    }
}

/// Whether the doubt since the last believed reading keeps to what can be made in that time and `more`.
fn keeps_width(schedule: &Schedule, more: u64) -> Result<(), String> {
    let mut believed_us = None;
    play(schedule, |_, counter, deltas| {
        let Some(base) = counter.baseline() else { return Ok(()) };
        let from_us = deltas.iter().map(|delta| delta.from.mono_us).min();
        let since_us = believed_us.into_iter().chain(from_us).min().unwrap_or(base.at.mono_us);
        let passed_us = base.at.mono_us - since_us + may_be_late_us(schedule);
        let most = schedule.settings.most_in(passed_us).saturating_add(more);
        let width: u64 = deltas.iter().map(|delta| delta.count.width()).sum();
        believed_us = Some(base.at.mono_us);
        match width > most {
            true => Err(format!("{deltas:?} are wider than {most}")),
            false => Ok(()),
        }
    })
}

/// The laws are worth what their schedules hold: of each kind of event there is enough.
#[test]
fn the_schedules_hold_every_kind_of_event() {
    const N: u32 = 4_000;
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    let mut runner = runner();
    for _ in 0..N {
        let tree = schedule().new_tree(&mut runner).expect("a schedule");
        for kind in kinds(&tree.current()) {
            *counted.entry(kind).or_default() += 1;
        }
    }
    let every = [
        "batch change",
        "batch change, early id",
        "batch change, late id",
        "clock step ahead",
        "clock step back",
        "duplicate",
        "late read",
        "missed poll",
        "our restart",
        "our restart with a reboot",
        "plc restart, count kept",
        "plc restart, count lost",
        "preset",
        "reset by hand",
        "several wraps in one gap",
        "torn read",
        "wrap",
        "zero glitch",
    ];
    assert_eq!(counted.keys().copied().collect::<Vec<_>>(), every, "{counted:?}");
    assert!(counted.values().all(|n| *n >= N / 100), "in one of a hundred at least: {counted:?}");
}

/// Schedules with an odometer and a reset that nothing else tells from a wrap.
fn measured() -> impl Strategy<Value = Schedule> {
    schedule().prop_map(|mut schedule| {
        schedule.columns.odometer = true;
        // With strokes of one capsule an odometer of 16 bits can wrap unseen, and leaves nothing.
        schedule.settings.step = 50;
        schedule.polls.iter_mut().for_each(|poll| poll.bare = false);
        schedule
    })
}

/// What an odometer leaves bounds a reset: where the machine stood, nothing is in doubt.
#[test]
fn no_reset_hides_more_than_its_strokes_allow() {
    let rebooted = |poll: &Poll| poll.event == Event::OurRestart { reboot: true };
    check(measured(), |schedule| {
        let mut made = BTreeMap::new();
        play(schedule, |step, _, deltas| {
            made.insert(step.at_us, step.made);
            // After a reboot of ours the moments of the plant begin anew.
            let resets = deltas.iter().filter(|delta| delta.cause == Cause::Reset);
            for delta in resets.filter(|_| !schedule.polls.iter().any(rebooted)) {
                let between = made[&delta.to.mono_us] - made[&delta.from.mono_us];
                if delta.count.high() > between {
                    return Err(format!("{between} made, and {delta:?}"));
                }
            }
            Ok(())
        })
    });
}

/// The negative control: an odometer of which a count is more capsules than its map says is contradicted by the counter.
#[test]
fn a_wrong_odometer_is_caught() {
    let found = search(measured(), |schedule| {
        play_with(schedule, schedule.settings.step.div_ceil(2), |_, _, deltas| {
            match deltas.iter().any(|delta| delta.flags.contains(Flags::CONTRADICTED)) {
                true => Err("contradicted".into()),
                false => Ok(()),
            }
        })
    });
    assert!(found.is_some(), "an odometer of half the capsules was believed");
    check(measured(), |schedule| {
        play(schedule, |step, _, deltas| {
            match !step.set
                && !schedule.polls.iter().any(|poll| poll.event.disturbs())
                && deltas.iter().any(|delta| delta.flags.contains(Flags::CONTRADICTED))
            {
                true => Err(format!("the right odometer is contradicted: {deltas:?}")),
                false => Ok(()),
            }
        })
    });
}

/// The negative control: the rule of most tools (a drop is a restart at 0) breaks the law.
/// Shows: CNT-01
#[test]
fn a_naive_counter_is_caught() {
    let found = search(decidable(), |schedule| {
        let (mut last, mut total) = (None, 0u64);
        for step in Plant::new(schedule).play() {
            let Arrival::Sample(sample) = step.arrival else { continue };
            let naive =
                last.map_or(0, |last| sample.value.checked_sub(last).unwrap_or(sample.value));
            last = Some(sample.value);
            total = total.saturating_add(naive);
            if total != step.made {
                return Err(format!("{total} instead of {}", step.made));
            }
        }
        Ok(())
    });
    assert!(found.is_some(), "the naive counter passed");
}

#[derive(Clone, Debug)]
struct Nonsense {
    settings: Settings,
    samples: Vec<(Sample, u8)>,
}

fn nonsense() -> impl Strategy<Value = Nonsense> {
    let number = || prop_oneof![0u64..300, 65_400u64..65_700, any::<u64>(), Just(u64::MAX)];
    let time = || prop_oneof![0i64..90_000_000, any::<i64>()];
    let evidence =
        (any::<[Option<u32>; 4]>(), any::<bool>(), prop::option::of((number(), number())));
    let evidence =
        evidence.prop_map(|([uptime, batch, cleared, beat], session_lost, bounds)| Evidence {
            uptime_s: uptime.map(u64::from),
            batch: batch.map(|batch| u64::from(batch % 2)),
            batch_settled: session_lost,
            since_reset_s: cleared.map(u64::from),
            heartbeat: beat.map(u64::from),
            session_lost,
            ran_on: batch.is_some(),
            bounds,
            odometer: uptime.map(u64::from),
        });
    let sample = (time(), time(), prop::option::of(time()), number(), evidence, any::<u8>())
        .prop_map(|(utc_us, mono_us, source_us, value, evidence, act)| {
            (Sample { at: Moment { utc_us, mono_us }, off_us: 0, source_us, value, evidence }, act)
        });
    let odd = (number(), number(), any::<[u32; 2]>(), number(), time(), any::<[u8; 2]>());
    let settings = (settings(), any::<bool>(), odd).prop_map(|(base, kept, odd)| {
        let (states, doubt, [num, den], most, lag_us, [early, late]) = odd;
        Settings {
            modulus: if kept { base.modulus } else { Modulus::At(states) },
            doubt,
            max_per_minute: most,
            tolerance: Fraction { num, den },
            lag_us,
            gap_after_us: lag_us,
            batch_early: early,
            batch_late: late,
            ..base
        }
    });
    (settings, prop::collection::vec(sample, 1..20))
        .prop_map(|(settings, samples)| Nonsense { settings, samples })
}

/// Whatever arrives in whatever order, with whatever settings: no panic, at most two deltas.
#[test]
fn nonsense_never_panics() {
    let found = runner().run(&nonsense(), |Nonsense { settings, samples }| {
        let mut counter = Counter::new(settings);
        let mut deltas = Vec::new();
        for (sample, act) in &samples {
            deltas.clear();
            match (act % 8, counter.baseline()) {
                (0, _) => counter.missed(),
                (1, Some(baseline)) => counter = Counter::resume(settings, baseline),
                (2, Some(mut baseline)) => {
                    baseline.rebase(sample.at);
                    counter = Counter::resume(settings, baseline);
                }
                _ => {}
            }
            counter.sample(sample, &mut deltas);
            let _ = counter.undecided();
            prop_assert!((1..=2).contains(&deltas.len()));
        }
        Ok(())
    });
    assert!(found.is_ok(), "{found:?}");
}

fn differs(step: &Step, counter: &Counter) -> String {
    format!("{} does not hold {} at {}", counter.total(), step.made, step.at_us)
}
