//! Minutes as a line makes them, for tests.

use super::characteristic::{Characteristic, Measure};
use super::limits::{Decision, Evidence, Limits, LimitsLaw, Verdict, fit};
use super::monitor::{Monitor, Told};
use super::subgroup::{Subgroup, subgroups};
use crate::line::minute::{Counted, Minute, Tally, TimeSplit};
use crate::line::output::Output;
use crate::spc::arl;
use crate::spc::rules::RuleId;
use crate::units::{Count, MINUTE_US, Reason, StationId};

/// 2026-11-02T00:00:00Z, a whole multiple of every subgroup.
pub(super) const T0_US: i64 = 1_793_577_600_000_000;

pub(super) fn station() -> StationId {
    StationId::new("CF01")
}

pub(super) fn reject_fraction() -> Characteristic {
    Characteristic::new(Measure::RejectFraction { stations: Output::one(station()) })
}

/// A running minute with so many rejects among 6,500.
pub(super) fn minute(i: i64, rejected: u64) -> Minute {
    let tally = |counted, n| Tally { station: station(), counted, count: Count::exact(n) };
    Minute {
        start_us: T0_US + i * MINUTE_US,
        rev: 1,
        closed: true,
        time: TimeSplit([MINUTE_US, 0, 0, 0, 0, 0]),
        polls: 600,
        missed: 0,
        tallies: vec![
            tally(Counted::Good, 6_500 - rejected.min(6_500)),
            tally(Counted::Reject(Reason::new("dented")), rejected),
        ],
        weights: Vec::new(),
    }
}

/// A minute in which the machine stood.
pub(super) fn standing(i: i64) -> Minute {
    let mut minute = minute(i, 0);
    minute.time = TimeSplit([0, MINUTE_US, 0, 0, 0, 0]);
    minute.tallies.iter_mut().for_each(|tally| tally.count = Count::ZERO);
    minute
}

/// Rejects that wander a little round 28 a minute, the same for the same place.
pub(super) fn steady(i: i64) -> u64 {
    let mut z = (i as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let z = z ^ (z >> 31);
    // The sum of four bytes: bell-shaped, mean 510, standard deviation 148; 28 ± 5.3 as chance has it.
    let sum: u64 = (0..4).map(|byte| (z >> (8 * byte)) & 0xff).sum();
    (28 + (sum as i64 - 510) * 53 / 1_480).max(0) as u64
}

/// Subgroups of a steady line.
pub(super) fn steady_subgroups(n: i64) -> Vec<Subgroup> {
    let minutes: Vec<Minute> = (0..15 * n).map(|i| minute(i, steady(i))).collect();
    subgroups(&reject_fraction(), &minutes, &[])
}

/// Limits from these subgroups, proposed by `an`.
pub(super) fn proposed(version: u32, baseline: &[Subgroup]) -> Limits {
    let characteristic = reject_fraction();
    let fitted = fit(&characteristic, baseline, (i64::MIN, i64::MAX), &[]);
    let limits = fitted.limits(&characteristic).unwrap();
    let (author, reason) = ("an".to_owned(), "first baseline".to_owned());
    Limits { version, author, reason, made_us: T0_US, ..limits }
}

pub(super) fn decision(verdict: Verdict, by: &str) -> Decision {
    Decision { verdict, by: by.to_owned(), reason: "seen".to_owned(), at_us: T0_US }
}

pub(super) fn approved(version: u32, baseline: &[Subgroup]) -> Limits {
    proposed(version, baseline).decide(decision(Verdict::Approved, "bo")).unwrap()
}

/// Limits of counts as records have them from before charts of all rejects had a budget: Laney's at three sigma, N2 and an
/// EWMA of independent values about a known centre.
pub(super) fn at_three_sigma(characteristic: &Characteristic, limits: &Limits) -> Limits {
    let LimitsLaw::Rate { center, .. } = limits.law else { unreachable!("a chart of counts") };
    let sigma_z = limits.evidence.sigma_z_mr.unwrap().max(1.0);
    Limits {
        law: LimitsLaw::Rate { center, sigma_z },
        evidence: Evidence { sigma_df: None, ..limits.evidence },
        arl0: None,
        ewma_l: arl::ewma_limit(characteristic.arl0(), characteristic.lambda()).unwrap(),
        rules: vec![RuleId::N1, RuleId::N2],
        ..limits.clone()
    }
}

/// Random numbers, reproducible.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box & Muller 1958.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Knuth's product of uniform numbers, in parts that do not underflow.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        let (mut rest, mut n) = (mean, 0);
        while rest > 0.0 {
            let floor = (-rest.min(30.0)).exp();
            let mut product = self.uniform();
            while product > floor {
                n += 1;
                product *= self.uniform();
            }
            rest -= 30.0;
        }
        n
    }
}

/// Limits from a whole baseline.
pub(super) fn limits(characteristic: &Characteristic, baseline: &[Subgroup]) -> Limits {
    fit(characteristic, baseline, (i64::MIN, i64::MAX), &[]).limits(characteristic).unwrap()
}

/// What a running chart says of minutes, one after the other.
pub(super) fn told(monitor: &mut Monitor, minutes: &[Minute]) -> Vec<Told> {
    let mut told = Vec::new();
    minutes.iter().for_each(|minute| monitor.push(minute, false, |one| told.push(one)));
    told
}
