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
    stops::Preset,
};

/// Quiet time after each fault: never less, and on average so much more.
const QUIET_S: (f64, f64) = (90.0, 480.0);
/// A plant that is watched for less than this is given less quiet, and shorter faults, in proportion: enough of them
/// strike in a few minutes too.
const WHOLE_US: i64 = 2 * 3_600_000_000;
/// But never less quiet than this, for a reader must be able to come back from one fault before the next.
const LEAST_QUIET_S: f64 = 10.0;
/// And no fault is shorter than this.
const LEAST_FAULT_S: f64 = 5.0;

/// An answer comes so late, in milliseconds: half as long again as a reader with polls of 10 ms waits for it.
const LATE_MS: f64 = 150.0;
/// Capsules in a second at most: a tenth above the design rate.
const PER_SECOND: f64 = 6_500.0 * 1.1 / 60.0;
/// Real time in which a reader has found back to a machine that answers again, in seconds.
const BACK_S: f64 = 3.0;

/// What happens, and how long it lasts at least and at most, in seconds. A wrong word order and a sensor that counts
/// double are not among them: under those no count can be right. Nor are counters near their end, which a plant is
/// started with, and what strikes the service itself.
const MISHAPS: [(Fault, f64, f64); 24] = [
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
    (Fault::CounterReset, 0.0, 0.0),
    (Fault::QueueOverflow, 10.0, 60.0),
    (Fault::SessionLoss, 0.0, 0.0),
    (Fault::BadStatus, 10.0, 60.0),
    (Fault::EmptyCapsuleBurst, 300.0, 1_200.0),
    (Fault::Jam, 0.0, 0.0),
    (Fault::RejectDrift, 300.0, 1_200.0),
    (Fault::WornDosator, 300.0, 1_200.0),
    (Fault::BatchIdEarly, 0.0, 0.0),
    (Fault::BatchIdLate, 0.0, 0.0),
];

/// Faults after which the machine is set up for the next batch, for about an hour. Each round has one of them.
const CHANGEOVERS: [Fault; 2] = [Fault::BatchIdEarly, Fault::BatchIdLate];
/// A plant that is watched for minutes is spared them, and what wears and climbs so slowly that minutes show nothing.
const SLOW: [Fault; 4] =
    [Fault::BatchIdEarly, Fault::BatchIdLate, Fault::RejectDrift, Fault::WornDosator];

impl Scenario {
    /// A plant that runs well for so long, in microseconds of plant time, with one fault after the other: each kind once
    /// before any comes again.
    pub fn random(seed: u64, length_us: i64, speed: f64) -> Scenario {
        let mut rng = random::stream(seed, Stream::Mishaps);
        let share = (length_us as f64 / WHOLE_US as f64).min(1.0);
        let mut inject = Vec::new();
        let mut deck = Vec::new();
        let mut at_us = quiet_us(&mut rng, share);
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
            at_us += for_us.unwrap_or(0) + quiet_us(&mut rng, share);
        }
        // A plant is compared when it answers again.
        inject.retain(|one| one.until_us.is_some_and(|until_us| until_us < length_us));
        Scenario {
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
            expect: expect(&inject, speed),
            inject,
            service: Vec::new(),
        }
    }
}

/// What can be asked for, whatever strikes. Whether a chart signals a burst of some minutes is a matter of chance.
fn expect(inject: &[Injection], speed: f64) -> Expect {
    let unseen_s = |one: &Injection| {
        let for_us = one.until_us.map_or(0, |until_us| until_us - one.from_us);
        for_us as f64 / 1e6 + BACK_S * speed
    };
    // Of a silence no more can be in doubt than the line can make meanwhile.
    let most = inject.iter().map(unseen_s).sum::<f64>() * PER_SECOND;
    Expect {
        doubt: [("*".to_owned(), (0, most as u64))].into(),
        signals: None,
        // The number of a batch leads the reset of its counters by two seconds, in which it loads.
        batch_infeed_off: (3.0 * PER_SECOND) as u64,
        ..Expect::default()
    }
}

fn quiet_us(rng: &mut ChaCha8Rng, share: f64) -> i64 {
    let (least_s, more_s) = QUIET_S;
    let quiet_s = share * (least_s + rng.sample::<f64, _>(Exp1) * more_s);
    (quiet_s.max(LEAST_QUIET_S) * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

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
