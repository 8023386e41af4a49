//! What may happen to a counter, at random: schedules of polls and events for the laws.

use proptest::prelude::*;

use super::super::plant::{Columns, Event, Poll, Schedule};
use super::super::*;

pub(super) fn columns() -> impl Strategy<Value = Columns> {
    any::<[bool; 6]>().prop_map(|[uptime, heartbeat, batch, cleared, sourced, odometer]| Columns {
        uptime,
        heartbeat,
        batch,
        cleared,
        sourced,
        odometer,
    })
}

pub(super) fn settings() -> impl Strategy<Value = Settings> {
    let modulus = prop_oneof![
        Just(Modulus::None),
        Just(Modulus::At(10_000)),
        Just(Modulus::At(1 << 16)),
        Just(Modulus::At(1 << 31)),
        Just(Modulus::At(1 << 32)),
        Just(Modulus::Full64),
    ];
    let retentive = prop_oneof![Just(Some(true)), Just(Some(false)), Just(None)];
    let step = prop_oneof![Just(50), Just(1)];
    (modulus, retentive, step, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(modulus, retentive, step, batch, manual)| Settings {
            modulus,
            retentive,
            step,
            resets: Resets { batch, manual },
            ..Settings::default()
        },
    )
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => Just(Event::Nothing),
        3 => Just(Event::Missed),
        1 => (1_000u32..20_000).prop_map(|boot_ms| Event::Restart { boot_ms }),
        1 => Just(Event::ManualReset),
        1 => (-3i8..=3).prop_map(|id_shift| Event::NewBatch { id_shift }),
        1 => any::<bool>().prop_map(|reboot| Event::OurRestart { reboot }),
        1 => any::<bool>().prop_map(|up| Event::Torn { up }),
        1 => Just(Event::Glitch),
        1 => Just(Event::Duplicate),
        1 => Just(Event::Late),
        1 => (-90i32..=90).prop_map(|s| Event::ClockStep { s }),
        1 => (1_000_000u32..50_000_000).prop_map(|up| Event::Preset { up }),
    ]
}

pub(super) fn poll() -> impl Strategy<Value = Poll> {
    let dt_ms = prop_oneof![
        6 => Just(1_000u32),
        3 => Just(20),
        1 => 1_000u32..60_000,
        1 => 60_000u32..1_800_000,
    ];
    (dt_ms, 0u8..=11, 0u8..=100, event(), prop::bool::weighted(0.1))
        .prop_map(|(dt_ms, speed, at, event, bare)| Poll { dt_ms, speed, at, event, bare })
}

pub(super) fn schedule() -> impl Strategy<Value = Schedule> {
    let start = prop_oneof![
        Just(0u64),
        0u64..200,
        Just(9_900),
        Just(65_400),
        Just((1 << 31) - 200),
        Just((1 << 32) - 300)
    ];
    (settings(), columns(), start, prop::collection::vec(poll(), 1..40)).prop_map(
        |(settings, columns, start, polls)| {
            let start = match settings.modulus {
                Modulus::At(states) => start % states,
                _ => start,
            };
            Schedule { settings, columns, start, polls }
        },
    )
}

/// Schedules in which everything can be decided: steady evidence, and no gap long enough for a
/// wrap to hide in.
pub(super) fn decidable() -> impl Strategy<Value = Schedule> {
    use Event::{ManualReset, Missed, NewBatch, Nothing, Preset, Restart};
    schedule().prop_map(|mut schedule| {
        schedule.settings.resets = Resets::default();
        schedule.columns.uptime = true;
        let longest_ms = match schedule.settings.modulus {
            Modulus::At(states) => (states / 8 * 60_000 / 7_150).min(u64::from(u32::MAX)) as u32,
            _ => u32::MAX,
        };
        let mut missed = 0;
        for poll in &mut schedule.polls {
            poll.bare = false;
            poll.dt_ms = poll.dt_ms.min(longest_ms);
            missed = if poll.event == Missed { missed + 1 } else { 0 };
            let kept = schedule.settings.retentive == Some(true);
            poll.event = match poll.event {
                ManualReset | NewBatch { .. } | Preset { .. } => Nothing,
                // Booting takes up to 20 s more.
                Restart { .. } if !kept || longest_ms < 40_000 => Nothing,
                Missed if missed > 2 => Nothing,
                event => event,
            };
        }
        schedule
    })
}

/// Schedules with all evidence there is: an uptime, known behaviour at a restart, and a clock that is cleared with the counter.
pub(super) fn well_equipped() -> impl Strategy<Value = Schedule> {
    schedule().prop_map(|mut schedule| {
        schedule.settings.resets.manual = false;
        schedule.settings.modulus = Modulus::Full64;
        schedule.settings.retentive = schedule.settings.retentive.or(Some(false));
        schedule.columns.uptime = true;
        schedule.columns.cleared = true;
        schedule.polls.iter_mut().for_each(|poll| poll.bare = false);
        schedule
    })
}

pub(super) fn not_by_batch() -> impl Strategy<Value = Schedule> {
    schedule().prop_map(|mut schedule| {
        schedule.settings.resets.batch = false;
        schedule
    })
}
