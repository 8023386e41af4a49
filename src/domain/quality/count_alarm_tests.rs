//! False alarms of the charts of single reasons on a line on which nothing changes, from few rejects in a subgroup to many,
//! and, as a negative control, under Laney's limits at three sigma with N2 and an EWMA of a centre taken as known.

use super::characteristic::{Characteristic, Measure};
use super::fixture::{Chance, at_three_sigma, minute, station};
use super::limits::{Limits, PAGE_FROM, PROVISIONAL_FROM, ewma_l, fit};
use super::signal::{Budget, Incidents};
use super::stream::{ChartStream, Judged};
use super::subgroup::{Subgroup, subgroups};
use crate::spc::rules::RuleId;
use crate::units::{Count, Reason};

fn dented() -> Characteristic {
    Characteristic::new(Measure::Reject { station: station(), reason: Reason::new("dented") })
}

/// Subgroups of 97,500 capsules with these rejects.
fn with(template: &Subgroup, counts: impl Iterator<Item = u64>) -> Vec<Subgroup> {
    let length_us = dented().subgroup_us();
    let one = |(i, count)| {
        let (start_us, count) = (template.start_us + i * length_us, Count::exact(count));
        Subgroup { start_us, count, ..template.clone() }
    };
    (1_i64..).zip(counts).map(one).collect()
}

fn template() -> Subgroup {
    let minutes: Vec<_> = (0..45).map(|i| minute(i, 1)).collect();
    let whole = subgroups(&dented(), &minutes, &[]).into_iter().nth(1).unwrap();
    assert!(whole.is_whole());
    whole
}

fn limits(baseline: &[Subgroup]) -> Limits {
    fit(&dented(), baseline, (i64::MIN, i64::MAX), &[]).limits(&dented()).unwrap()
}

fn judge<'a>(limits: &Limits, found: &'a [Subgroup]) -> impl Iterator<Item = Judged> + use<'a> {
    let mut stream = ChartStream::new(Some(limits));
    found.iter().map(move |subgroup| stream.push(subgroup.clone()))
}

fn incidents(limits: &Limits, found: &[Subgroup]) -> usize {
    let mut collapsing = Incidents::default();
    let mut opened = 0;
    for judged in judge(limits, found) {
        let before = collapsing.open().is_some();
        collapsing.push(&dented(), &judged, Some(limits));
        opened += usize::from(!before && collapsing.open().is_some());
    }
    opened
}

/// Incidents a week, now and as it was, of charts with such a baseline that judge as many subgroups as the service lets
/// them before it makes the limits anew.
fn per_week(mean: f64, n_used: usize, n_judged: usize, lines: u64) -> [f64; 2] {
    let template = template();
    let mut found = [0; 2];
    for seed in 0..lines {
        let mut chance = Chance(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(7));
        let counts = (0..n_used + n_judged).map(|_| chance.poisson(mean));
        let all = with(&template, counts);
        let (baseline, rest) = all.split_at(n_used);
        let now = limits(baseline);
        found[0] += incidents(&now, rest);
        found[1] += incidents(&at_three_sigma(&dented(), &now), rest);
    }
    let weeks = (lines * n_judged as u64) as f64 / dented().points_per_week();
    found.map(|n| f64::from(n as u32) / weeks)
}

/// Shows: SPC-05
#[test]
fn a_chart_of_a_single_reason_spends_its_budget_of_false_alarms() {
    let budget = dented().budget_per_week;
    for mean in [0.7, 5.6, 50.0] {
        for (n_used, n_judged, lines) in
            [(PROVISIONAL_FROM, 25, 150), (50, 50, 60), (PAGE_FROM, 300, 20)]
        {
            let [now, before] = per_week(mean, n_used, n_judged, lines);
            println!("{mean} {n_used}: {now:.2} {before:.2}");
            assert!(now <= budget, "{mean} rejects, {n_used} subgroups: {now:.2} a week");
            assert!(
                before > 2.0 * budget,
                "{mean} rejects, {n_used} subgroups: {before:.2} a week"
            );
        }
    }
}

/// Three times as many rejects are found, and no more than a few subgroups later than by limits that cry wolf.
#[test]
fn a_real_shift_is_found_as_soon_as_its_counts_allow() {
    let template = template();
    for (mean, later) in [(0.7, 8.0), (2.0, 3.0), (5.6, 1.0), (20.0, 0.1)] {
        let mut delays = [0.0; 2];
        let lines = 100;
        for seed in 0..lines {
            let mut chance = Chance(seed + 1);
            let counts = (0..400).map(|i| chance.poisson(if i < 100 { mean } else { 3.0 * mean }));
            let all = with(&template, counts);
            let (baseline, shifted) = all.split_at(100);
            let now = limits(baseline);
            for (limits, sum) in
                [now.clone(), at_three_sigma(&dented(), &now)].iter().zip(&mut delays)
            {
                let first = judge(limits, shifted).position(|judged| judged.signals());
                *sum += (first.expect("a shift for three days is found") + 1) as f64;
            }
        }
        let [now, before] = delays.map(|sum| sum / lines as f64);
        println!("{mean}: {now:.2} {before:.2}");
        assert!(now - before <= later, "{mean}: {now:.2} subgroups, {before:.2} before");
    }
}

#[test]
fn the_drawn_limits_of_a_single_reason_judge_it_and_its_budget_says_so() {
    let mut chance = Chance(3);
    let all = with(&template(), (0..300).map(|_| chance.poisson(5.6)));
    let limits = limits(&all);
    let judged: Vec<Judged> = judge(&limits, &with(&template(), 0..40)).collect();
    for judged in &judged {
        let point = judged.point;
        let outside = point.stat > point.ucl || point.stat < point.lcl;
        assert_eq!(point.hits.contains(RuleId::N1), outside, "{point:?}");
    }
    assert!(judged.iter().any(|judged| judged.point.hits.contains(RuleId::N1)));
    // A subgroup that is filling is shown with the limits of its size.
    let shown = ChartStream::new(Some(&limits)).preview(&judged[0].subgroup);
    assert_eq!((shown.lcl, shown.ucl), (judged[0].point.lcl, judged[0].point.ucl));
    let budget = Budget::of(&dented(), Some(&limits), 672, 0);
    assert!((budget.expected.unwrap() - 1.0).abs() < 0.02, "{budget:?}");
    assert!(limits.ewma_l > ewma_l(&dented()), "a centre that is not known widens the EWMA too");
}
