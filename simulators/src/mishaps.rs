//! A day on which much goes wrong: faults at random, from a seed.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;

use crate::{
    catalogue::{Fault, Happens},
    injections::Injection,
    random::{self, Stream},
    scenario::{Expect, Output, Scenario},
    stops::Preset,
};

/// Quiet time after each fault: never less, and on average so much more.
const QUIET_S: (f64, f64) = (90.0, 480.0);

/// What happens, and how long it lasts at least and at most, in seconds. A wrong word order and a sensor that counts
/// double are not among them: under those no count can be right.
const MISHAPS: [(Fault, f64, f64); 20] = [
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
];

impl Scenario {
    /// A plant that runs well for so long, in microseconds of plant time, with one fault after the other.
    pub fn random(seed: u64, length_us: i64, speed: f64) -> Scenario {
        let mut rng = random::stream(seed, Stream::Mishaps);
        let mut inject = Vec::new();
        let mut at_us = quiet_us(&mut rng);
        while at_us < length_us {
            let (fault, least_s, most_s) = MISHAPS[rng.random_range(0..MISHAPS.len())];
            let for_us = match fault.entry().happens {
                Happens::Switch => Some((rng.random_range(least_s..=most_s) * 1e6) as i64),
                _ => None,
            };
            let value = match fault {
                Fault::ClockStep if rng.random_bool(0.5) => Some(-90.0),
                Fault::Jam => Some(rng.random_range(5.0..120.0)),
                _ => None,
            };
            // The table keeps to the catalogue; a test looks at every entry.
            inject.extend(Injection::new(fault, at_us, for_us, value));
            at_us += for_us.unwrap_or(0) + quiet_us(&mut rng);
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
            batch_size: crate::PlantConfig::default().batch_size,
            start: crate::Counters::in_use(),
            output: Output::Lifetime,
            shift_change_us: None,
            inject,
            expect: Expect::default(),
        }
    }
}

fn quiet_us(rng: &mut ChaCha8Rng) -> i64 {
    let (least_s, more_s) = QUIET_S;
    ((least_s + rng.sample::<f64, _>(Exp1) * more_s) * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

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
