//! A day on which much goes wrong: faults at random, from a seed.

use rand::{Rng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;

use crate::{
    catalogue::{Fault, Happens},
    expect::Expect,
    injections::Injection,
    random::{self, Stream},
    scenario::{Output, Scenario},
    score::OUTPUT,
    stop_score::blinds,
    stops::Preset,
};

/// Quiet time after each fault, in seconds: never less, and on average so much more.
const QUIET_S: (f64, f64) = (90.0, 480.0);
/// A plant that is watched for less than this is given less quiet, and shorter faults, in proportion: enough of them
/// strike in a few minutes too.
const WHOLE_US: i64 = 2 * 3_600_000_000;
/// But never less quiet than this, and never less than a reader needs to come back from one fault before the next.
const LEAST_QUIET_S: f64 = 10.0;
/// And no fault is shorter than this.
const LEAST_FAULT_S: f64 = 5.0;

/// An answer comes so late, in milliseconds: half as long again as a reader with polls of 10 ms waits for it.
const LATE_MS: f64 = 150.0;
/// Capsules in a second at most: a tenth above the design rate.
const PER_SECOND: f64 = 6_500.0 * 1.1 / 60.0;
/// Real time in which a reader has found back to a machine that answers again, in seconds.
const BACK_S: f64 = 3.0;

/// What happens, and how long it lasts at least and at most, in seconds: all faults of a plant but three that change
/// what counts mean: a wrong word order, a double count and the wrap of a counter.
const MISHAPS: [(Fault, f64, f64); 26] = [
    (Fault::CommsLoss, 5.0, 720.0),
    (Fault::Mute, 5.0, 60.0),
    (Fault::LateReplies, 10.0, 120.0),
    (Fault::Exception, 5.0, 30.0),
    (Fault::Freeze, 5.0, 60.0),
    (Fault::TornReplies, 10.0, 60.0),
    (Fault::DuplicateReplies, 5.0, 30.0),
    (Fault::ReorderedReplies, 5.0, 30.0),
    (Fault::WrongTransaction, 5.0, 30.0),
    (Fault::WrongUnit, 5.0, 30.0),
    (Fault::ZeroGlitch, 0.0, 0.0),
    (Fault::HeartbeatStuck, 10.0, 60.0),
    (Fault::ClockStep, 60.0, 600.0),
    (Fault::PlcRestart, 0.0, 0.0),
    (Fault::PolisherRestart, 0.0, 0.0),
    (Fault::CounterReset, 0.0, 0.0),
    (Fault::OpcuaLoss, 5.0, 120.0),
    (Fault::QueueOverflow, 10.0, 60.0),
    (Fault::SessionLoss, 0.0, 0.0),
    (Fault::BadStatus, 10.0, 60.0),
    (Fault::EmptyCapsuleBurst, 300.0, 1_200.0),
    (Fault::Jam, 0.0, 0.0),
    (Fault::RejectDrift, 1_800.0, 3_600.0),
    (Fault::WornDosator, 3_600.0, 7_200.0),
    (Fault::BatchIdEarly, 0.0, 0.0),
    (Fault::BatchIdLate, 0.0, 0.0),
];

/// Under a wrong word order and a sensor that counts double no count can be right, and with counters near their end a
/// plant is started.
#[cfg(test)]
const NOT_AT_RANDOM: [Fault; 3] = [Fault::WrongWordOrder, Fault::DoubleCount, Fault::CounterWrap];

/// Faults after which the machine is set up for the next batch, for about an hour. Each round has one of them.
const CHANGEOVERS: [Fault; 2] = [Fault::BatchIdEarly, Fault::BatchIdLate];
/// A plant that is watched for minutes is spared them, and what wears and climbs so slowly that minutes show nothing.
const SLOW: [Fault; 4] =
    [Fault::BatchIdEarly, Fault::BatchIdLate, Fault::RejectDrift, Fault::WornDosator];

/// What charts are to find. Over a day it waits until they have limits, which take 25 quarters of an hour that were watched
/// without a break: a plant learns its limits while it makes good capsules.
const FOR_CHARTS: [Fault; 3] = [Fault::EmptyCapsuleBurst, Fault::RejectDrift, Fault::WornDosator];
const LEARNING_US: i64 = 10 * 3_600_000_000;
/// A plant that is watched for less than this has no time to learn.
const DAY_US: i64 = 20 * 3_600_000_000;

impl Scenario {
    /// A plant that runs well for so long, in microseconds of plant time, with one fault after the other: each kind once
    /// before any comes again.
    pub fn random(seed: u64, length_us: i64, speed: f64) -> Scenario {
        let mut rng = random::stream(seed, Stream::Mishaps);
        let share = (length_us as f64 / WHOLE_US as f64).min(1.0);
        let mut inject = Vec::new();
        let mut deck = Vec::new();
        let mut at_us = quiet_us(&mut rng, share, speed);
        while at_us < length_us {
            if deck.is_empty() {
                let spared = match share < 1.0 {
                    true => &SLOW[..],
                    false => std::slice::from_ref(&CHANGEOVERS[rng.random_range(0..2)]),
                };
                let is_spared = |fault| spared.contains(&fault);
                deck.extend(MISHAPS.into_iter().filter(|(fault, ..)| !is_spared(*fault)));
                deck.shuffle(&mut rng);
            }
            let Some((fault, least_s, most_s)) = deck.pop() else { break };
            if length_us >= DAY_US && at_us < LEARNING_US && FOR_CHARTS.contains(&fault) {
                continue;
            }
            let mut lasts_s = |least_s: f64, most_s: f64| {
                (share * rng.random_range(least_s..=most_s)).max(LEAST_FAULT_S)
            };
            let for_us = match fault.entry().happens {
                Happens::Switch => Some((lasts_s(least_s, most_s) * 1e6) as i64),
                _ => None,
            };
            let value = match fault {
                Fault::Jam => Some(lasts_s(5.0, 120.0)),
                Fault::LateReplies => Some(LATE_MS),
                Fault::ClockStep if rng.random_bool(0.5) => Some(-90.0),
                _ => None,
            };
            // The table keeps to the catalogue; a test looks at every entry.
            inject.extend(Injection::new(fault, at_us, for_us, value));
            at_us += for_us.unwrap_or(0) + quiet_us(&mut rng, share, speed);
        }
        // A plant is compared when it answers again.
        inject.retain(|one| one.until_us.is_some_and(|until_us| until_us < length_us));
        let mut scenario = Scenario {
            name: format!("random_{seed}"),
            title: "One fault after the other, at random.".to_owned(),
            seed,
            preset: Preset::Good,
            length_us,
            speed,
            long: true,
            fillers: 1,
            batch_size: crate::PlantConfig::default().batch_size,
            start: crate::Counters::in_use(),
            output: Output::Lifetime,
            whole_line: true,
            shift_change_us: None,
            expect: Expect::default(),
            inject,
            service: Vec::new(),
        };
        scenario.expect = scenario.what_is_asked();
        scenario
    }

    /// What can be asked for, whatever strikes. Whether a chart signals a burst of some minutes is a matter of chance.
    fn what_is_asked(&self) -> Expect {
        let once = self.inject.iter().filter(|one| FORGETS.contains(&one.fault));
        let mut forgot_us: Vec<i64> = once.map(|one| one.from_us).collect();
        let mut model = self.modelled();
        model.advance_to(self.length_us);
        // Batches that a fault ends, and those that are full.
        let batches = model.ledger().batches.into_iter().skip(1);
        forgot_us.extend(batches.map(|batch| batch.from_us));
        let in_doubt =
            forgot_us.iter().map(|at_us| most_in_doubt(&self.inject, *at_us, self.speed));
        Expect {
            doubt: [(OUTPUT.to_owned(), (0, 0)), ("*".to_owned(), (0, in_doubt.sum()))].into(),
            signals: None,
            // Weights that the weigher keeps are overwritten where it cannot be read for long, which is to be told.
            may_alarm: [("weights_missed".to_owned(), ["CW04".to_owned()].into())].into(),
            keys_may_differ: true,
            // The number of a batch leads the reset of its counters by two seconds, in which it loads.
            batch_infeed_off: (3.0 * PER_SECOND) as u64,
            ..Expect::default()
        }
    }
}

/// Faults in which counters lose their values.
const FORGETS: [Fault; 2] = [Fault::CounterReset, Fault::PolisherRestart];

/// The most that can be in doubt of a counter that lost its value at a plant time: what the line made since it could be read
/// last, which is a way back at the most, or before the silence that this fell into.
fn most_in_doubt(inject: &[Injection], at_us: i64, speed: f64) -> u64 {
    let back_us = (BACK_S * speed * 1e6) as i64;
    let silences = inject.iter().filter(|one| blinds(one.fault)).filter_map(|one| {
        let until_us = one.until_us? + back_us;
        (one.from_us..=until_us).contains(&at_us).then_some(until_us - one.from_us)
    });
    let unseen_us = silences.max().unwrap_or(0).max(back_us);
    (unseen_us as f64 / 1e6 * PER_SECOND) as u64
}

fn quiet_us(rng: &mut ChaCha8Rng, share: f64, speed: f64) -> i64 {
    let (least_s, more_s) = QUIET_S;
    let quiet_s = share * (least_s + rng.sample::<f64, _>(Exp1) * more_s);
    (quiet_s.max(LEAST_QUIET_S).max(BACK_S * speed) * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalogue::Side;

    #[test]
    fn a_few_minutes_see_many_kinds_of_faults_and_a_day_sees_all() {
        let kinds = |hours: f64, seed| {
            let inject = Scenario::random(seed, (hours * 3.6e9) as i64, 6.0).inject;
            inject.into_iter().map(|one| one.fault).collect::<BTreeSet<_>>().len()
        };
        for seed in 0..100 {
            let n = kinds(0.1, seed);
            assert!(n >= 5, "seed {seed}: {n} kinds in six minutes");
        }
        assert_eq!(kinds(24.0, 5), MISHAPS.len());
        let changes = |hours: f64| {
            let inject = Scenario::random(5, (hours * 3.6e9) as i64, 6.0).inject;
            inject.iter().filter(|one| CHANGEOVERS.contains(&one.fault)).count()
        };
        assert_eq!(changes(1.0), 0, "an hour would see nothing else");
    }

    #[test]
    fn a_day_learns_its_limits_before_anything_befalls_its_capsules() {
        for seed in 0..20 {
            let inject = Scenario::random(seed, 24 * 3_600_000_000, 60.0).inject;
            let mut of_charts = inject.iter().filter(|one| FOR_CHARTS.contains(&one.fault));
            assert!(of_charts.all(|one| one.from_us >= LEARNING_US), "seed {seed}");
        }
        // A few hours see them all the same.
        let inject = Scenario::random(1, 4 * 3_600_000_000, 60.0).inject;
        assert!(inject.iter().any(|one| FOR_CHARTS.contains(&one.fault)));
    }

    #[test]
    fn every_fault_of_a_plant_is_a_mishap_or_named_as_none() {
        let known: BTreeSet<Fault> =
            MISHAPS.iter().map(|(fault, ..)| *fault).chain(NOT_AT_RANDOM).collect();
        let of_a_plant = Fault::ALL.into_iter().filter(|fault| fault.entry().side != Side::Service);
        assert_eq!(known, of_a_plant.collect());
        assert_eq!(known.len(), MISHAPS.len() + NOT_AT_RANDOM.len(), "none is in both");
    }

    #[test]
    fn a_reader_comes_back_from_one_fault_before_the_next() {
        for (hours, speed) in [(0.1, 6.0), (24.0, 60.0)] {
            let day = Scenario::random(5, (hours * 3.6e9) as i64, speed);
            let back_us = (BACK_S * speed * 1e6) as i64;
            for pair in day.inject.windows(2) {
                let until_us = pair[0].until_us.unwrap_or(i64::MAX);
                assert!(until_us + back_us <= pair[1].from_us, "x{speed}: {pair:?}");
            }
        }
    }

    /// The negative control of the bound: where no counter loses its value nothing is in doubt, however much strikes.
    #[test]
    fn only_what_makes_counters_forget_leaves_doubt_and_the_output_has_none() {
        let mut day = Scenario::random(5, 12 * 3_600_000_000, 60.0);
        day.batch_size = u64::MAX / 2;
        let bound = |day: &Scenario| {
            let doubt = day.what_is_asked().doubt;
            assert_eq!(doubt[OUTPUT], (0, 0));
            doubt["*"].1
        };
        let whole = bound(&day);
        let n = |fault| day.inject.iter().filter(|one| one.fault == fault).count();
        let batches = n(Fault::BatchIdEarly) + n(Fault::BatchIdLate);
        let forgot = batches + n(Fault::CounterReset) + n(Fault::PolisherRestart);
        // Each what a line makes in three real seconds, and none in a silence.
        let each = (BACK_S * 60.0 * PER_SECOND) as u64;
        assert!(forgot > 2 && whole > 0, "{forgot}");
        assert!(whole <= forgot as u64 * each, "{whole} of {forgot}");
        day.inject.retain(|one| !FORGETS.contains(&one.fault) && !CHANGEOVERS.contains(&one.fault));
        assert!(day.inject.len() > 20, "{}", day.inject.len());
        assert_eq!(bound(&day), 0);
        // In a silence it is the silence too.
        let lost = Injection::new(Fault::CommsLoss, 1_000_000, Some(600_000_000), None).unwrap();
        let in_it = most_in_doubt(&[lost], 300_000_000, 60.0);
        assert_eq!(in_it, (780.0 * PER_SECOND) as u64);
        assert_eq!(most_in_doubt(&[lost], 900_000_000, 60.0), each);
    }

    #[test]
    fn every_mishap_can_be_injected_and_the_same_seed_is_the_same_day() {
        for (fault, least_s, most_s) in MISHAPS {
            let lasts = fault.entry().happens == Happens::Switch;
            for seconds in [least_s, most_s] {
                let for_us = lasts.then_some((seconds * 1e6) as i64);
                assert!(Injection::new(fault, 0, for_us, None).is_ok(), "{fault:?} for {seconds}");
            }
        }
        let day = || Scenario::random(5, 24 * 3_600_000_000, 60.0).inject;
        assert_eq!(day(), day());
        assert_ne!(day(), Scenario::random(6, 24 * 3_600_000_000, 60.0).inject);
        assert!((60..240).contains(&day().len()), "{}", day().len());
    }
}
