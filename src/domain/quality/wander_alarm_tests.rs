//! False alarms of the charts of counts on a line whose rate wanders by itself, as that of overweight does with the density of
//! a powder: an autoregression over eight minutes, inside the subgroups and between neighbours. And as negative controls the
//! charts as they were: Laney's limits at three sigma, N2 and an EWMA of independent values for all rejects; σz by moving
//! ranges and an EWMA of independent values for single reasons.

use super::characteristic::{Characteristic, Measure};
use super::fixture::{
    Chance, at_three_sigma, limits, minute, proposed, reject_fraction, station, steady_subgroups,
};
use super::limits::{Limits, LimitsLaw, PAGE_FROM, PROVISIONAL_FROM};
use super::panels::PanelLimits;
use super::signal::Incidents;
use super::stream::{ChartStream, Judged};
use super::subgroup::{Subgroup, subgroups};
use crate::spc::arl;
use crate::units::{Count, Reason};

/// A rate with a lognormal factor of mean one: relative standard deviation from minute to minute, and minutes of memory.
#[derive(Clone, Copy)]
struct Wander {
    cv: f64,
    memory: f64,
}

const STILL: Wander = Wander { cv: 0.0, memory: 1.0 };

/// Each minute by itself.
const VARIES: Wander = Wander { cv: 0.2, memory: 0.01 };

const POWDER: Wander = Wander { cv: 0.3, memory: 8.0 };

fn overweight() -> Characteristic {
    Characteristic::new(Measure::Reject { station: station(), reason: Reason::new("overweight") })
}

/// Subgroups of 97,500 capsules with `mean` rejects on average, and from one of them on for some of them several times as many.
fn line(
    characteristic: &Characteristic,
    seed: u64,
    mean: f64,
    wander: Wander,
    n: usize,
    (from, length, factor): (usize, usize, f64),
) -> Vec<Subgroup> {
    let minutes: Vec<_> = (0..45).map(|i| minute(i, 1)).collect();
    let reason =
        Characteristic::new(Measure::Reject { station: station(), reason: Reason::new("dented") });
    let template = subgroups(&reason, &minutes, &[]).into_iter().nth(1).unwrap();
    let mut chance = Chance(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(11));
    let keep = (-1.0 / wander.memory).exp();
    let sd = (1.0 + wander.cv * wander.cv).ln().sqrt();
    let mut state = chance.normal();
    let one = |i: usize| {
        let mut rate = 0.0;
        for _ in 0..15 {
            state = keep * state + (1.0 - keep * keep).sqrt() * chance.normal();
            rate += (sd * state - 0.5 * sd * sd).exp() / 15.0;
        }
        let factor = if (from..from + length).contains(&i) { factor } else { 1.0 };
        let start_us = template.start_us + i as i64 * characteristic.subgroup_us();
        let count = Count::exact(chance.poisson(mean * rate * factor));
        Subgroup { start_us, count, ..template.clone() }
    };
    (0..n).map(one).collect()
}

const NOTHING: (usize, usize, f64) = (0, 0, 1.0);

/// The same limits as they were.
fn as_before(characteristic: &Characteristic, limits: &Limits) -> Limits {
    let three_sigma = at_three_sigma(characteristic, limits);
    if matches!(characteristic.measure, Measure::RejectFraction { .. }) {
        return three_sigma;
    }
    let lambda = characteristic.lambda();
    let known = arl::ewma_limit(2.0 * characteristic.arl0(), lambda).unwrap();
    let unknown = (2.0 - lambda) / (lambda * limits.baseline.n_used as f64);
    let ewma_l = known * (1.0 + unknown).sqrt();
    let (arl0, rules) = (limits.arl0, limits.rules.clone());
    Limits { arl0, rules, ewma_l, ..three_sigma }
}

fn incidents(characteristic: &Characteristic, limits: &Limits, found: &[Subgroup]) -> usize {
    let mut stream = ChartStream::new(Some(limits));
    let (mut collapsing, mut opened) = (Incidents::default(), 0);
    for subgroup in found {
        let judged = stream.push(subgroup.clone());
        let before = collapsing.open().is_some();
        collapsing.push(characteristic, &judged, Some(limits));
        opened += usize::from(!before && collapsing.open().is_some());
    }
    opened
}

/// Incidents a week, now and as it was, under limits of `n_used` subgroups.
fn per_week(
    characteristic: &Characteristic,
    (mean, wander): (f64, Wander),
    (n_used, n_judged, lines): (usize, usize, u64),
) -> [f64; 2] {
    let mut found = [0; 2];
    for seed in 0..lines {
        let all = line(characteristic, seed, mean, wander, n_used + n_judged, NOTHING);
        let (baseline, rest) = all.split_at(n_used);
        let now = limits(characteristic, baseline);
        found[0] += incidents(characteristic, &now, rest);
        found[1] += incidents(characteristic, &as_before(characteristic, &now), rest);
    }
    let weeks = (lines * n_judged as u64) as f64 / characteristic.points_per_week();
    found.map(|n| f64::from(n as u32) / weeks)
}

/// Shows: SPC-05
#[test]
fn charts_of_counts_keep_their_budget_whether_the_rate_stands_still_or_wanders() {
    let charts = [
        (reject_fraction(), 290.0, STILL, 2.5),
        (reject_fraction(), 290.0, VARIES, 2.5),
        (reject_fraction(), 290.0, POWDER, 6.0),
        (overweight(), 50.0, POWDER, 3.0),
        (overweight(), 12.0, Wander { cv: 0.5, ..POWDER }, 3.0),
    ];
    for (characteristic, mean, wander, least_before) in charts {
        for (n_used, n_judged, lines, budgets) in
            [(PROVISIONAL_FROM, 25, 150, 3.0), (100, 200, 40, 1.2), (PAGE_FROM, 672, 24, 1.2)]
        {
            // Limits of 25 subgroups judge the next 25 only: a tenth of an incident at three times the budget.
            let [now, before] =
                per_week(&characteristic, (mean, wander), (n_used, n_judged, lines));
            let what = format!("{characteristic}, {mean} rejects ± {}, {n_used}", wander.cv);
            println!("{what}: {now:.2} a week, {before:.2} as it was");
            assert!(now <= budgets * characteristic.budget_per_week, "{what}: {now:.2}");
            assert!(before > least_before, "{what}: {before:.2}");
        }
    }
}

/// A rate that is twice as high for an hour is found in that hour or the quarter after it.
#[test]
fn an_hour_of_twice_as_many_is_found_although_the_rate_wanders() {
    let quiet = Wander { cv: 0.2, ..POWDER };
    for (characteristic, mean, wander, least) in [
        (reject_fraction(), 290.0, STILL, 1.0),
        (reject_fraction(), 290.0, quiet, 0.95),
        (overweight(), 50.0, STILL, 0.95),
        (overweight(), 50.0, quiet, 0.8),
    ] {
        for n_used in [100, PAGE_FROM] {
            let lines = 100;
            let found = (0..lines).filter(|seed| {
                let at = n_used + 20;
                let all = line(&characteristic, 1_000 + seed, mean, wander, at + 5, (at, 4, 2.0));
                let (baseline, rest) = all.split_at(n_used);
                let mut stream = ChartStream::new(Some(&limits(&characteristic, baseline)));
                let signals = rest.iter().map(|subgroup| stream.push(subgroup.clone()).signals());
                signals.skip(20).any(|signals| signals)
            });
            let share = found.count() as f64 / lines as f64;
            println!("{characteristic}, {mean} ± {}, {n_used}: {share:.2}", wander.cv);
            assert!(share >= least, "{characteristic}, {mean} ± {}: {share}", wander.cv);
        }
    }
}

/// Of many counts that vary as chance lets them the limits with a budget are Laney's too, at the distance of the budget.
#[test]
fn limits_with_a_budget_are_those_of_laney_where_counts_are_many() {
    let subgroups = steady_subgroups(300);
    let limits = proposed(1, &subgroups);
    let mut stream = ChartStream::new(Some(&limits));
    let judged: Vec<Judged> = subgroups.into_iter().map(|found| stream.push(found)).collect();
    let LimitsLaw::Rate { center, sigma_z } = limits.law else { unreachable!("a chart of counts") };
    let k = PanelLimits::of(&limits).unwrap().values;
    assert!(k > 3.0 && sigma_z >= limits.evidence.sigma_z_mr.unwrap());
    for judged in judged {
        let size = judged.subgroup.size.best() as f64;
        let sigma = sigma_z * (center * (1.0 - center) / size).sqrt();
        let [off_above, off_below] = [judged.point.ucl, judged.point.lcl]
            .map(|limit| ((limit.unwrap() - center).abs() / sigma - k).abs());
        assert!(off_above < 0.15 && off_below < 0.15, "{k}: {off_above} {off_below}");
    }
}

/// What stands out in a baseline is seen in a look at it, so that somebody can say why and leave it out. The limits that the
/// baseline would give allow for it.
#[test]
fn a_look_at_a_baseline_shows_what_its_own_limits_would_hide() {
    let mut found = line(&overweight(), 5, 50.0, STILL, 60, NOTHING);
    found[30].count = Count::exact(120);
    let wide = limits(&overweight(), &found);
    let look = wide.clone().of_neighbours(&overweight());
    let signals = |limits: &Limits| {
        let mut stream = ChartStream::new(Some(limits));
        let judged = found.iter().map(|subgroup| stream.push(subgroup.clone()));
        let out = judged.enumerate().filter(|(_, judged)| !judged.point.hits.is_empty());
        out.map(|(i, _)| i).collect::<Vec<_>>()
    };
    assert_eq!((signals(&look), signals(&wide)), (vec![30], vec![]));
}

/// A record judges by what stands in it: those from before limits allowed for a rate that wanders are not widened.
#[test]
fn a_record_without_degrees_of_freedom_judges_as_it_did() {
    let found = line(&overweight(), 6, 12.0, Wander { cv: 0.5, ..POWDER }, 100, NOTHING);
    let (now, before) = {
        let now = limits(&overweight(), &found);
        (now.clone(), as_before(&overweight(), &now))
    };
    let k = |limits: &Limits| PanelLimits::of(limits).unwrap().values;
    let of_budget = -crate::stats::quantile::normal(0.5 / (2.0 * 672.0)).unwrap();
    assert!((k(&before) - of_budget).abs() < 1e-12 && k(&now) > 1.02 * of_budget);
    assert!(!before.canonical().contains("sigma_df") && now.canonical().contains("sigma_df"));
    assert!(now.ewma_l > 1.05 * before.ewma_l, "neighbours resemble each other");
}
