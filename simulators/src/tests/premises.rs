//! What scenario files rest on: the plants that they name are such that what they ask for is true of a right service.

use std::path::Path;

use super::score::ZERO_US;
use crate::{Fault, Model, RejectClass, Report, Scenario, State, Truth};

const QUARTER_US: i64 = 900_000_000;

/// The premise of `typical_14_h`, whose quarters of an hour begin at any time of the plant: once there are limits, and without its
/// burst, no quarter has a greater share of rejects of any class than one that the limits were made of. Its first seed, 11,
/// is the negative control: it has a spell three times as bad.
#[test]
fn a_typical_plant_has_no_spell_after_the_limits_that_is_worse_than_those_before() {
    const LEAST_US: i64 = 410_000_000;
    const QUARTERS: usize = 25;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenario = Scenario::load(&folder.join("typical_14_h.toml")).unwrap();
    let burst = scenario.inject.iter().find(|one| one.fault == Fault::EmptyCapsuleBurst).unwrap();
    let outside = |from_us: i64| {
        from_us + QUARTER_US <= burst.from_us || burst.until_us.is_some_and(|us| us <= from_us)
    };
    let worst = |seed: u64| {
        let scenario = Scenario { seed, ..scenario.clone() };
        let mut model = scenario.modelled();
        // By the minute: capsules made, time run, and rejects of each class and in all.
        let minutes: Vec<(u64, i64, Vec<u64>)> = (0..=scenario.length_us / 60_000_000)
            .map(|minute| {
                model.advance_to(minute * 60_000_000);
                let ledger = model.ledger();
                let run_us = ledger.state_us.get(&State::Running).copied().unwrap_or(0);
                let all =
                    ledger.rejects.values().sum::<u64>() - ledger.rejects[&RejectClass::Startup];
                let rejects =
                    ledger.rejects.iter().filter(|(class, _)| **class != RejectClass::Startup);
                (ledger.made, run_us, rejects.map(|(_, n)| *n).chain([all]).collect())
            })
            .collect();
        let mut worst = 0.0_f64;
        for phase in 0..15 {
            let starts = (phase..minutes.len().saturating_sub(15)).step_by(15);
            let whole = starts.filter_map(|n| {
                let (begin, end) = (&minutes[n], &minutes[n + 15]);
                let made = (end.0 - begin.0) as f64;
                let shares = begin.2.iter().zip(&end.2).map(|(old, new)| (new - old) as f64 / made);
                let shares: Vec<f64> = shares.collect();
                (end.1 - begin.1 >= LEAST_US).then_some((n as i64 * 60_000_000, shares))
            });
            let whole: Vec<(i64, Vec<f64>)> = whole.collect();
            let (before, after) = whole.split_at(QUARTERS);
            assert!(after[0].0 < burst.from_us, "the limits come before the burst");
            for (_, shares) in after.iter().filter(|(from_us, _)| outside(*from_us)) {
                for (class, share) in shares.iter().enumerate() {
                    let most = before.iter().map(|(_, shares)| shares[class]).fold(0.0, f64::max);
                    worst = worst.max(share / most);
                }
            }
        }
        worst
    };
    assert!(worst(scenario.seed) <= 1.0, "{}", worst(scenario.seed));
    assert!(worst(11) > 3.0, "{}", worst(11));
}

/// The premise of `typical_14_h`, which asks for every stop that no fault of the connection hides: each of them lasts for eight
/// readings at its speed. The negative control is ten times that speed.
#[test]
fn a_typical_plant_has_no_stop_that_is_too_short_to_be_seen_at_its_speed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenario = Scenario::load(&folder.join("typical_14_h.toml")).unwrap();
    let mut model = scenario.modelled();
    model.advance_to(scenario.length_us);
    let blind_us = (3e6 * scenario.speed) as i64;
    let truth = Truth::new(model.ledger(), scenario.inject.clone(), ZERO_US).blind_for(blind_us);
    let score = truth.of_machines(scenario.machines()).score(&Report::default());
    const EIGHT_READINGS_US: f64 = 8.0 * 10_000.0;
    let least_us = (EIGHT_READINGS_US * scenario.speed) as i64;
    let shortest_us = score.missed_stops().map(|stop| stop.lasted_us).min().unwrap();
    assert!(shortest_us >= least_us, "{shortest_us} of {least_us}");
    assert!(score.missed_stops().count() > 50, "{}", score.missed_stops().count());
    assert!(shortest_us < 10 * least_us, "ten times as fast some could not be");
}

/// Why a signal of overweight would be a false one in `reject_drift` and `typical_14_h`: without their faults the same quarters of
/// an hour have the most, and far more than an even chance would give.
#[test]
fn overweight_follows_the_powder_and_no_fault_of_the_filler() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for name in ["reject_drift", "typical_14_h"] {
        let scenario = Scenario::load(&folder.join(format!("{name}.toml"))).unwrap();
        let quarters = |with_faults: bool| {
            let config = scenario.plant().model();
            let mut model = if with_faults { scenario.modelled() } else { Model::new(config) };
            let totals = (0..=scenario.length_us / QUARTER_US).map(|n| {
                model.advance_to(n * QUARTER_US);
                let ledger = model.ledger();
                let filler: u64 = ledger.rejects.values().sum();
                [ledger.weigher.over, filler]
            });
            let totals: Vec<[u64; 2]> = totals.collect();
            let of = |which: usize| -> Vec<f64> {
                totals.windows(2).map(|two| (two[1][which] - two[0][which]) as f64).collect()
            };
            [of(0), of(1)]
        };
        let [[over, rejected], [over_alone, rejected_alone]] = [true, false].map(quarters);
        for over in [&over, &over_alone] {
            let mean = over.iter().sum::<f64>() / over.len() as f64;
            let variance = over.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / over.len() as f64;
            assert!(variance > 2.0 * mean, "{name}: {variance} of {mean} is an even chance");
        }
        let differ = |these: &[f64], those: &[f64]| -> f64 {
            let off = these.iter().zip(those).map(|(one, other)| (one - other).abs());
            off.fold(0.0, f64::max)
        };
        let off = differ(&over, &over_alone);
        // A stop moves what comes after it to another quarter: by no more than an even chance would change the worst one.
        let even = over.iter().copied().fold(0.0, f64::max).sqrt();
        assert!(off <= 2.0 * even, "{name}: the faults move overweight by {off} in a quarter");
        // The negative control: what the faults do move.
        let off = differ(&rejected, &rejected_alone);
        assert!(off > 100.0, "{name}: the faults move the filler by {off} only");
    }
}
