//! False alarms of the charts of weights on a steady line whose powder wanders, under the default charts and, as a negative
//! control, under three-sigma limits from moving ranges.

use super::characteristic::{Characteristic, Measure};
use super::fixture::{Chance, limits, minute};
use super::limits::{Limits, LimitsLaw, PAGE_FROM, SigmaMethod};
use super::stream::{ChartStream, Judged};
use super::subgroup::{Subgroup, subgroups};
use crate::line::minute::Minute;
use crate::line::weight::{Account, Moments, Series, WeightTally, book};
use crate::spc::rules::RuleId;
use crate::units::StationId;

const WEEK_MIN: i64 = 7 * 24 * 60;

/// Correlation of the doses of one minute with those of the next: 8 minutes of memory, as powders in simulators.
const RHO: f64 = 0.882_497;

/// Standard deviations in milligrams: of what all doses of a minute share, and of single doses.
const SHARED_MG: f64 = 3.6;
const SINGLE_MG: f64 = 9.0;

fn station() -> StationId {
    StationId::new("CW04")
}

/// Minutes of a line: a record of all weights each minute, a sample of twenty each quarter of an hour. From `low_from` on
/// every dose is 6 mg, one per cent, low.
fn line(seed: u64, minutes: i64, low_from: i64) -> Vec<Minute> {
    let mut chance = Chance(seed.wrapping_mul(0xD134_2543_DE82_EF95));
    let mut shared = SHARED_MG * chance.normal();
    let one = |i: i64| {
        shared = RHO * shared + SHARED_MG * (1.0 - RHO * RHO).sqrt() * chance.normal();
        let mean = 600.0 + shared - if i >= low_from { 6.0 } else { 0.0 };
        let mut minute = minute(i, 28);
        // The standard error of a standard deviation of 6,500 is 0.08 mg.
        let all = Moments::of_statistics(6_472, mean, SINGLE_MG + 0.08 * chance.normal());
        let mut add = |series, moments| {
            let account = Account { records: 1, ..Account::default() };
            let nothing = WeightTally::nothing(station(), series, 0);
            book(&mut minute.weights, &WeightTally { moments, account, ..nothing });
        };
        add(Series::Interval, all.unwrap());
        if i % 15 == 3 {
            let dose = |_| Moments::one(((mean + SINGLE_MG * chance.normal()) * 1e3) as u64);
            add(Series::Sample, (0..20).map(dose).sum());
        }
        minute
    };
    (0..minutes).map(one).collect()
}

/// The same limits as they were: sigma by moving ranges, three sigma and N2 on every panel.
fn three_sigma(limits: Limits) -> Limits {
    let short = 1.0 / limits.evidence.sigma_z_sd.unwrap();
    let short = if limits.evidence.sigma_method == Some(SigmaMethod::StandardDeviation) {
        short
    } else {
        1.0
    };
    let law = match limits.law {
        LimitsLaw::Individuals { center, sigma } => {
            LimitsLaw::Individuals { center, sigma: sigma * short }
        }
        LimitsLaw::ThreeWay { center, sigma, sigma_within } => {
            LimitsLaw::ThreeWay { center, sigma: sigma * short, sigma_within }
        }
        law => law,
    };
    Limits { law, arl0: None, rules: vec![RuleId::N1, RuleId::N2], ..limits }
}

fn judge(limits: &Limits, found: Vec<Subgroup>) -> Vec<Judged> {
    let mut stream = ChartStream::new(Some(limits));
    found.into_iter().map(|subgroup| stream.push(subgroup)).collect()
}

fn begun(signals: impl Iterator<Item = bool>) -> usize {
    let mut before = false;
    signals.filter(|now| *now & !std::mem::replace(&mut before, *now)).count()
}

const LINES: u64 = 6;
const WEEKS: i64 = 4;

/// Runs of signals a week: of all panels; of N1, N2 of the values; of N1, N2 of the moving ranges; of the spread within.
fn per_week(characteristic: &Characteristic, old: bool) -> [f64; 6] {
    let mut runs = [0; 6];
    for seed in 0..LINES {
        let n = PAGE_FROM as i64 * i64::from(characteristic.subgroup_minutes);
        let all = subgroups(characteristic, &line(seed, n + WEEKS * WEEK_MIN, i64::MAX), &[]);
        let (baseline, rest) = all.split_at(PAGE_FROM);
        let limits = limits(characteristic, baseline);
        let limits = if old { three_sigma(limits) } else { limits };
        let judged = judge(&limits, rest.to_vec());
        let of = |signals: fn(&Judged) -> bool| begun(judged.iter().map(signals));
        let found = [
            of(|j| j.signals()),
            of(|j| j.point.hits.contains(RuleId::N1)),
            of(|j| j.point.hits.contains(RuleId::N2)),
            of(|j| j.companion.hits.contains(RuleId::N1)),
            of(|j| j.companion.hits.contains(RuleId::N2)),
            of(|j| j.within.is_some_and(|within| !within.hits.is_empty())),
        ];
        runs.iter_mut().zip(found).for_each(|(sum, n)| *sum += n);
    }
    runs.map(|n| n as f64 / (LINES as i64 * WEEKS) as f64)
}

fn all_three() -> [Characteristic; 3] {
    let (station, series) = (station(), Series::Interval);
    [
        Measure::Weight { station: station.clone(), series },
        Measure::WeightDeviation { station: station.clone(), series },
        Measure::Weight { station, series: Series::Sample },
    ]
    .map(Characteristic::new)
}

/// Shows: SPC-05
#[test]
fn charts_of_weights_keep_their_budget_on_a_steady_line() {
    for characteristic in all_three() {
        let found = per_week(&characteristic, false);
        println!("{characteristic} {found:.2?}");
        assert!(found[0] <= 1.5 * characteristic.budget_per_week, "{characteristic} {found:.2?}");
    }
}

/// Negative control: quarters of an hour, three sigma by moving ranges, N1 and N2 on every panel.
/// Shows: SPC-05
#[test]
fn three_sigma_and_runs_on_every_panel_cry_wolf() {
    for characteristic in all_three() {
        let found = per_week(&characteristic.with_subgroup(15), true);
        println!("{characteristic} {found:.2?}");
        assert!(found[0] > 6.0 * characteristic.budget_per_week, "{characteristic} {found:.2?}");
    }
}

#[test]
fn one_per_cent_less_is_found_within_hours() {
    let characteristic = &all_three()[0];
    let n = PAGE_FROM as i64 * 60;
    let mut hours = Vec::new();
    for seed in 0..9 {
        let all = subgroups(characteristic, &line(100 + seed, n + 24 * 60, n), &[]);
        let (baseline, rest) = all.split_at(PAGE_FROM);
        let judged = judge(&limits(characteristic, baseline), rest.to_vec());
        hours.push(judged.iter().position(Judged::signals).map_or(99, |found| found + 1));
    }
    hours.sort_unstable();
    assert!(hours[4] <= 2, "{hours:?}");
}
