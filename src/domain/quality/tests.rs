//! Minutes in, subgroups, limits and signals out.

use std::sync::Arc;

use proptest::prelude::*;

use super::characteristic::{BatchPolicy, Characteristic, ChartKind, Measure};
use super::fixture::{
    T0_US, approved, at_three_sigma, decision, minute, proposed, reject_fraction, standing,
    station, steady, steady_subgroups, told,
};
use super::limits::{Excluded, Maturity, Refusal, Verdict, fit, in_force};
use super::monitor::Monitor;
use super::signal::{Budget, Level, compare};
use super::subgroup::{Fitness, Follows, Subgroup, subgroups};
use super::workbench::{By, evaluate, replay};
use crate::line::minute::{Minute, Tally};
use crate::line::output::Output;
use crate::spc::p_prime::{PrimeChart, PrimeOptions};
use crate::spc::rules::{Hits, RuleId};
use crate::stats::quantile;
use crate::units::{Count, MINUTE_US, Reason};

const ALL: (i64, i64) = (i64::MIN, i64::MAX);

fn running(n: i64) -> Vec<Minute> {
    (0..n).map(|i| minute(i, steady(i))).collect()
}

fn of(minutes: &[Minute]) -> Vec<Subgroup> {
    subgroups(&reject_fraction(), minutes, &[])
}

fn fitness(minutes: &[Minute]) -> Vec<Fitness> {
    of(minutes).iter().map(|s| s.fitness).collect()
}

// Subgroups -----------------------------------------------------------------------------------------------------

#[test]
fn a_subgroup_is_the_sum_of_its_minutes() {
    let minutes = running(45);
    let subgroups = of(&minutes);
    assert_eq!(subgroups.len(), 3);
    let rejected: u64 = minutes.iter().map(|m| m.rejected(&station()).best()).sum();
    assert_eq!(subgroups.iter().map(|s| s.count.best()).sum::<u64>(), rejected);
    assert_eq!(subgroups.iter().map(|s| s.size.best()).sum::<u64>(), 45 * 6_500);
    assert!(subgroups.iter().all(|s| s.is_whole() && s.coverage == 1.0));
}

/// Shows: SPC-04
#[test]
fn a_missing_unwatched_or_doubtful_minute_makes_a_subgroup_incomplete() {
    use Fitness::{Incomplete, Whole};
    let mut missing = running(45);
    missing.remove(20);
    assert_eq!(fitness(&missing), [Whole, Incomplete, Whole]);
    assert_eq!(of(&missing)[1].follows, Follows::Break, "a hole in time ends every run");
    assert!((of(&missing)[1].coverage - 14.0 / 15.0).abs() < 1e-12);
    let mut unwatched = running(45);
    unwatched[20].time.0 = [MINUTE_US - 2_000_000, 0, 0, 0, 0, 2_000_000];
    assert_eq!(fitness(&unwatched), [Whole, Incomplete, Whole]);
    let mut doubtful = running(45);
    doubtful[20].tallies[1].count = Count::between(27, 28, 40);
    assert_eq!(fitness(&doubtful), [Whole, Incomplete, Whole]);
    assert_eq!(of(&doubtful)[1].count.width(), 13, "the interval is told");
}

#[test]
fn a_subgroup_that_is_still_filling_is_not_told() {
    assert_eq!(of(&running(44)).len(), 2);
    let mut open = running(45);
    open[44].closed = false;
    assert_eq!(of(&open).len(), 2);
}

/// Thirty minutes of running round a stop of `n` minutes that begins with the second subgroup.
fn with_stop(n: i64) -> Vec<Minute> {
    (0..75).map(|i| if (15..15 + n).contains(&i) { standing(i) } else { minute(i, 28) }).collect()
}

#[test]
fn a_long_stop_is_a_break_and_what_follows_is_a_start_up() {
    let short = of(&with_stop(5));
    assert!(
        short.iter().all(|s| s.follows == Follows::On && s.is_whole()),
        "5 min is no long stop"
    );
    assert_eq!(short[1].size.best(), 10 * 6_500);
    let long = of(&with_stop(6));
    assert_eq!((long[1].follows, long[1].fitness), (Follows::Break, Fitness::StartUp));
    assert_eq!((long[2].follows, long[2].fitness), (Follows::On, Fitness::Whole));
    let whole = of(&with_stop(15));
    assert_eq!((whole[1].fitness, whole[2].fitness), (Fitness::Empty, Fitness::StartUp));
    assert_eq!(whole[2].follows, Follows::Break);
}

#[test]
fn a_change_of_batch_breaks_and_begins_a_stage_only_if_asked() {
    let batches = [T0_US + 20 * MINUTE_US];
    let follows = |batch| {
        let characteristic = Characteristic { batch, ..reject_fraction() };
        let subgroups = subgroups(&characteristic, &running(45), &batches);
        subgroups.iter().map(|s| s.follows).collect::<Vec<_>>()
    };
    assert_eq!(follows(BatchPolicy::Break), [Follows::On, Follows::Break, Follows::On]);
    assert_eq!(follows(BatchPolicy::Stage), [Follows::On, Follows::Stage, Follows::On]);
}

#[test]
fn a_speed_is_capsules_a_minute_of_running() {
    let speed = Characteristic::new(Measure::Speed { stations: Output::one(station()) });
    let found = subgroups(&speed, &with_stop(4), &[]);
    assert!(found.iter().all(|s| s.value == Some(6_500.0)), "a stop is not a slow machine");
    assert_eq!(subgroups(&speed, &with_stop(15), &[])[1].fitness, Fitness::Empty);
}

#[test]
fn what_is_ejected_after_a_start_is_no_reject_of_the_process() {
    let mut minutes = running(15);
    let reason = Reason::new(super::characteristic::STARTUP_DISCARD);
    let counted = crate::line::minute::Counted::Reject(reason);
    let discard = Tally { station: station(), counted, count: Count::exact(500) };
    minutes[7].tallies.push(discard);
    assert_eq!(of(&minutes), of(&running(15)));
    let all = Characteristic { startup_discards: true, ..reject_fraction() };
    assert_eq!(
        subgroups(&all, &minutes, &[])[0].count,
        of(&running(15))[0].count + Count::exact(500)
    );
}

#[test]
fn a_reason_is_charted_among_all_that_was_judged() {
    let reason = Reason::new("dented");
    let dented = Characteristic::new(Measure::Reject { station: station(), reason });
    let found = subgroups(&dented, &running(15), &[]);
    assert_eq!(found[0].count, of(&running(15))[0].count);
    assert_eq!(found[0].size.best(), 15 * 6_500);
    assert_eq!((&*dented.id, dented.kind), ("reject.CF01.dented", ChartKind::UPrime));
}

// Limits --------------------------------------------------------------------------------------------------------

#[test]
fn limits_without_a_budget_are_those_of_the_engine() {
    let subgroups = steady_subgroups(60);
    let fitted = fit(&reject_fraction(), &subgroups, ALL, &[]);
    let data: Vec<_> = subgroups.iter().map(|s| Some((s.count.best(), s.size.best()))).collect();
    let chart = PrimeChart::p(&data, &PrimeOptions { floor_at_one: true, ..Default::default() });
    let limits = at_three_sigma(&reject_fraction(), &proposed(1, &subgroups));
    let judged = evaluate(&reject_fraction(), &subgroups, By::Version(&limits)).judged;
    assert_eq!(fitted.evidence.sigma_z_mr, chart.estimates.sigma_z_mr);
    let same = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-15;
    assert!(judged.iter().zip(&chart.points).all(|(ours, engine)| {
        same(ours.point.ucl, engine.ucl) && same(ours.point.lcl, engine.lcl)
    }));
}

#[test]
fn an_excluded_subgroup_leaves_the_estimate_and_stays_on_the_chart() {
    let mut minutes = running(15 * 40);
    (150..165).for_each(|i| minutes[i] = minute(i as i64, 400));
    let subgroups = of(&minutes);
    let out = Excluded { start_us: subgroups[10].start_us, reason: "vacuum lost".to_owned() };
    let with = fit(&reject_fraction(), &subgroups, ALL, &[]);
    let without = fit(&reject_fraction(), &subgroups, ALL, std::slice::from_ref(&out));
    assert_eq!((with.baseline.n_used, without.baseline.n_used), (40, 39));
    assert!(without.evidence.sigma_z_mr < with.evidence.sigma_z_mr);
    assert_eq!(without.baseline.excluded, [out]);
    let limits = super::limits::Limits { law: without.law.unwrap(), ..proposed(1, &subgroups) };
    let judged = evaluate(&reject_fraction(), &subgroups, By::Version(&limits)).judged;
    assert!(judged[10].point.hits.contains(RuleId::N1), "it is still judged");
}

/// Shows: SPC-04
#[test]
fn incomplete_subgroups_neither_estimate_nor_signal() {
    let mut minutes = running(15 * 40);
    let clean = fit(&reject_fraction(), &of(&minutes), ALL, &[]);
    let limits = proposed(1, &of(&minutes));
    minutes[155].tallies[1].count = Count::between(28, 9_000, 9_000);
    let spoilt = of(&minutes);
    assert_eq!(fit(&reject_fraction(), &spoilt, ALL, &[]).baseline.n_used, 39);
    let point = &evaluate(&reject_fraction(), &spoilt, By::Version(&limits)).judged[10];
    assert!(!point.signals() && point.point.z.is_none());
    assert!(point.point.stat.unwrap() > 0.05 && point.point.ucl.is_some(), "but it is plotted");
    assert_eq!(clean.baseline.n_used, 40);
}

#[test]
fn maturity_follows_the_number_of_whole_subgroups() {
    let word = |n| Maturity::of(n).word();
    assert_eq!(
        [0, 24, 25, 99, 100, 299, 300].map(word),
        ["forming", "forming", "provisional", "provisional", "freezable", "freezable", "firm"]
    );
}

/// Shows: SPC-03
#[test]
fn limits_are_approved_by_a_second_person_from_a_hundred_on() {
    let long = proposed(1, &steady_subgroups(100));
    assert_eq!(long.decide(decision(Verdict::Approved, " AN ")), Err(Refusal::SamePerson));
    assert_eq!(long.decide(decision(Verdict::Approved, "")), Err(Refusal::Unnamed));
    let approved = long.decide(decision(Verdict::Approved, "bo")).unwrap();
    assert_eq!(approved.decide(decision(Verdict::Rejected, "cy")), Err(Refusal::Decided));
    assert!(long.decide(decision(Verdict::Rejected, "an")).is_ok(), "an author may withdraw");
    let short = proposed(1, &steady_subgroups(99));
    assert_eq!(short.decide(decision(Verdict::Approved, "bo")), Err(Refusal::TooFew));
}

#[test]
fn the_hash_covers_the_record_and_not_the_decision() {
    let limits = proposed(1, &steady_subgroups(100));
    let hash = limits.hash();
    assert_eq!(hash.len(), 64);
    assert_eq!(limits.decide(decision(Verdict::Approved, "bo")).unwrap().hash(), hash);
    let mut other = limits.clone();
    other.baseline.excluded.push(Excluded { start_us: T0_US, reason: "jam".to_owned() });
    assert_ne!(other.hash(), hash);
    let renamed = super::limits::Limits { author: "bo".to_owned(), ..limits };
    assert_ne!(renamed.hash(), hash);
}

/// Shows: SPC-03
#[test]
fn approved_limits_judge_from_their_approval_on() {
    let baseline = steady_subgroups(100);
    let at = |mut limits: super::limits::Limits, at_us| {
        limits.decision.as_mut().unwrap().at_us = at_us;
        limits
    };
    let provisional = proposed(1, &baseline).decide(decision(Verdict::Provisional, "capline"));
    let versions = [
        at(provisional.unwrap(), 10),
        at(approved(2, &baseline), 20),
        at(proposed(3, &baseline).decide(decision(Verdict::Rejected, "bo")).unwrap(), 25),
        at(approved(4, &baseline), 30),
        proposed(5, &baseline),
    ];
    let version = |at_us| in_force(&versions, at_us).map(|limits| limits.version);
    assert_eq!(
        [5, 10, 20, 25, 30, 99].map(version),
        [None, Some(1), Some(2), Some(2), Some(4), Some(4)]
    );
}

/// Shows: SPC-03
#[test]
fn old_signals_keep_the_limits_that_judged_them() {
    let mut minutes = running(15 * 200);
    (1_500..1_515).for_each(|i| minutes[i] = minute(i as i64, 60));
    let subgroups = of(&minutes);
    let mut first = approved(1, &subgroups[..100]);
    first.decision.as_mut().unwrap().at_us = T0_US;
    let before =
        evaluate(&reject_fraction(), &subgroups, By::InForce(std::slice::from_ref(&first)));
    let mut second = approved(2, &subgroups[..100]);
    second.law = super::limits::LimitsLaw::Rate { center: 0.009, sigma_z: 1.0 };
    second.decision.as_mut().unwrap().at_us = subgroups[150].start_us;
    let versions = [first, second];
    let after = evaluate(&reject_fraction(), &subgroups, By::InForce(&versions));
    assert!(before.judged[100].point.hits.contains(RuleId::N1));
    assert_eq!(after.judged[..149], before.judged[..149]);
    assert!(after.judged[149..].iter().all(|judged| judged.version == 2));
}

// Signals -------------------------------------------------------------------------------------------------------

/// A steady line on which one subgroup has far too many rejects.
fn with_burst(at: i64) -> Vec<Minute> {
    (0..15 * (at + 20)).map(|i| minute(i, if i / 15 == at { 60 } else { steady(i) })).collect()
}

fn level_with(n_baseline: usize, drifts: bool) -> Level {
    let baseline = steady_subgroups(n_baseline as i64);
    let mut limits = proposed(1, &baseline);
    limits.evidence.lag1 = Some(if drifts { 0.5 } else { 0.0 });
    limits.evidence.sigma_z_sd = limits.evidence.sigma_z_mr;
    let decision = match n_baseline {
        ..100 => decision(Verdict::Provisional, ""),
        _ => decision(Verdict::Approved, "bo"),
    };
    limits.decision = Some(decision);
    let found = evaluate(&reject_fraction(), &of(&with_burst(30)), By::Version(&limits));
    found.incidents.iter().find(|i| i.rules.contains(RuleId::N1)).unwrap().level
}

#[test]
fn only_approved_limits_from_300_subgroups_page_and_drift_never_does() {
    assert_eq!(level_with(50, false), Level::Study);
    assert_eq!(level_with(100, false), Level::Notice);
    assert_eq!(level_with(299, false), Level::Notice);
    assert_eq!(level_with(300, false), Level::Page);
    assert_eq!(level_with(300, true), Level::Study, "a chart in drift state does not page");
}

#[test]
fn signals_in_a_row_are_one_incident() {
    let limits = approved(1, &steady_subgroups(300));
    let minutes: Vec<Minute> = (0..15 * 60)
        .map(|i| minute(i, if (20..25).contains(&(i / 15)) { 60 } else { steady(i) }))
        .collect();
    let found = evaluate(&reject_fraction(), &of(&minutes), By::Version(&limits));
    let first = &found.incidents[0];
    assert_eq!(first.opened_us, T0_US + 20 * 15 * MINUTE_US);
    assert!(first.n_points >= 5 && first.over);
    assert_eq!(found.incidents.iter().filter(|i| i.rules.contains(RuleId::N1)).count(), 1);
}

/// One excursion of the EWMA is one incident, however often it crosses its limit.
#[test]
fn an_ewma_that_hovers_at_its_limit_is_one_incident() {
    let characteristic = reject_fraction();
    let subgroups = steady_subgroups(100);
    let limits = approved(1, &subgroups);
    let mut stream = super::stream::ChartStream::new(Some(&limits));
    let template = subgroups.iter().map(|s| stream.push(s.clone())).last().unwrap();
    let incidents = |standings: &[f64]| {
        let mut collapsing = super::signal::Incidents::default();
        let mut opened = std::collections::BTreeSet::new();
        let mut open = Vec::new();
        for (i, standing) in (0..).zip(standings) {
            let mut judged = template.clone();
            judged.subgroup.start_us = T0_US + i * characteristic.subgroup_us();
            (judged.point.hits, judged.companion.hits) = (Hits::NONE, Hits::NONE);
            let companion = &mut judged.companion;
            companion.stat = Some(standing * companion.ucl.unwrap());
            if *standing > 1.0 {
                companion.hits = Hits::NONE.with(RuleId::Limit);
            }
            let told = collapsing.push(&characteristic, &judged, Some(&limits));
            opened.extend(told.map(|incident| incident.opened_us));
            open.push(collapsing.open().is_some());
        }
        (opened.len(), open)
    };
    assert_eq!(
        incidents(&[0.2, 1.1, 0.9, 1.2, 0.6, 1.01, 0.4, 0.9]),
        (1, vec![false, true, true, true, true, true, false, false])
    );
    assert_eq!(incidents(&[1.1, 0.4, 1.1, 0.4]).0, 2, "what came back half the way is over");
}

#[test]
fn the_budget_is_that_of_the_rules() {
    let limits = approved(1, &steady_subgroups(100));
    let budget = Budget::of(&reject_fraction(), Some(&limits), 96 * 7, 3);
    assert!((budget.arl_rules.unwrap() - 2.0 * 672.0).abs() < 0.1, "{budget:?}");
    assert!((budget.arl_ewma.unwrap() - 2.0 * 672.0).abs() < 0.1);
    assert!((budget.expected.unwrap() - 1.0).abs() < 0.01);
    let limits = at_three_sigma(&reject_fraction(), &limits);
    let budget = Budget::of(&reject_fraction(), Some(&limits), 96 * 7, 3);
    // Champ & Woodall 1987 for nine in a row; the limit 2.92 at one alarm in 672 points from the study.
    assert!((budget.arl_rules.unwrap() - 216.7).abs() < 0.1, "{budget:?}");
    assert!((budget.arl_ewma.unwrap() - 672.0).abs() < 0.1);
    assert!((limits.ewma_l - 2.92).abs() < 0.01);
    assert!((budget.expected.unwrap() - (672.0 / 216.7 + 1.0)).abs() < 0.01);
}

/// Benjamini & Hochberg 1995 (J. R. Stat. Soc. B 57, p. 295): of these fifteen the first four stand out at 0.05.
#[test]
fn reasons_are_compared_as_in_the_paper() {
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];
    let reason = |(i, p): (usize, &f64)| {
        let z = if *p == 1.0 { 0.0 } else { quantile::normal(1.0 - p / 2.0).unwrap() };
        (Arc::from(i.to_string()), z)
    };
    let mut reasons: Vec<(Arc<str>, f64)> = p.iter().enumerate().map(reason).collect();
    reasons.reverse();
    let rows = compare(&reasons, 0.05);
    let out: Vec<&str> =
        rows.iter().filter(|row| row.stands_out).map(|row| &*row.characteristic).collect();
    assert_eq!(out, ["0", "1", "2", "3"]);
    // As R's p.adjust(method = "BH"): 15 · 0.0001 / 1 and 15 · 0.0095 / 4.
    assert!(
        (rows[0].adjusted - 0.0015).abs() < 1e-9 && (rows[3].adjusted - 0.035_625).abs() < 1e-9
    );
    assert!(rows.iter().all(|row| row.stands_out == (row.adjusted <= 0.05)));
}

#[test]
fn a_replay_says_what_would_appear_and_vanish() {
    let subgroups = of(&with_burst(120));
    let present = approved(1, &subgroups[..100]);
    let mut wide = proposed(2, &subgroups[..100]);
    wide.law = super::limits::LimitsLaw::Rate { center: 28.0 / 6_500.0, sigma_z: 30.0 };
    wide.rules = vec![RuleId::N1];
    let found = replay(&reject_fraction(), &subgroups, By::Version(&present), &wide);
    assert!(found.vanish.iter().any(|j| j.subgroup.start_us == subgroups[120].start_us));
    let same = replay(&reject_fraction(), &subgroups, By::Version(&present), &present);
    assert!(same.appear.is_empty() && same.vanish.is_empty() && same.n_stay > 0);
}

// Streaming -----------------------------------------------------------------------------------------------------

fn monitor() -> Monitor {
    Monitor::new(reject_fraction(), Some(approved(1, &steady_subgroups(100))))
}

#[test]
fn a_running_chart_says_what_the_finished_series_says() {
    let minutes = with_burst(40);
    let limits = approved(1, &steady_subgroups(100));
    let batch = evaluate(&reject_fraction(), &of(&minutes), By::Version(&limits)).judged;
    let told = told(&mut monitor(), &minutes);
    assert_eq!(told.iter().map(|t| t.judged.clone()).collect::<Vec<_>>(), batch);
}

#[test]
fn a_corrected_minute_is_judged_again_and_both_versions_are_told() {
    let right = with_burst(40);
    let mut wrong = right.clone();
    wrong[40 * 15 + 3] = minute(40 * 15 + 3, 900);
    let mut chart = monitor();
    let first = told(&mut chart, &wrong[..43 * 15]);
    let from_us = chart.rewind(wrong[40 * 15 + 3].start_us).unwrap();
    assert_eq!(from_us, T0_US + 40 * 15 * MINUTE_US);
    let again = told(&mut chart, &right[40 * 15..43 * 15]);
    assert_eq!(again[0].rev, 1);
    assert_eq!(again[0].judged.subgroup.start_us, from_us);
    assert_ne!(again[0].judged, first[40].judged);
    let straight = told(&mut monitor(), &right);
    let later = told(&mut chart, &right[43 * 15..]);
    assert_eq!(later, straight[43..], "from there on nothing remembers the wrong minute");
}

#[test]
fn a_chart_keeps_a_day_and_not_more() {
    let mut chart = monitor();
    told(&mut chart, &running(15 * 300));
    assert_eq!(chart.told().count(), 96);
    assert_eq!(chart.rewind(T0_US), None, "what is older is judged again from the record");
}

proptest! {
    /// Minutes that stand, run well or badly, are missing or doubtful; the chart is stored and loaded anywhere, and
    /// one minute comes late.
    #[test]
    fn chunks_and_late_minutes_do_not_matter(
        kinds in prop::collection::vec(0..20_u8, 30..400),
        cuts in prop::collection::vec(1..60_usize, 1..8),
        late in 0..400_usize,
    ) {
        let make = |(i, kind): (usize, &u8)| {
            let i = i as i64;
            match kind {
                0 => None,
                1..4 => Some(standing(i)),
                4 => Some(minute(i, 70)),
                5 => { let mut m = minute(i, 28); m.tallies[1].count = Count::between(20, 28, 30); Some(m) }
                _ => Some(minute(i, steady(i))),
            }
        };
        let minutes: Vec<Minute> = kinds.iter().enumerate().filter_map(make).collect();
        prop_assume!(minutes.len() > 3);
        let mut straight = monitor();
        told(&mut straight, &minutes);
        // In chunks, the chart copied between them.
        let mut chunked = monitor();
        let mut rest = &minutes[..];
        for cut in cuts.iter().cycle().take(minutes.len()) {
            let (chunk, later) = rest.split_at((*cut).min(rest.len()));
            chunked = chunked.clone();
            told(&mut chunked, chunk);
            rest = later;
        }
        prop_assert!(straight.told().eq(chunked.told()));
        // With one minute late.
        let late = late % minutes.len();
        let mut tardy = monitor();
        let without: Vec<Minute> =
            minutes.iter().enumerate().filter(|(i, _)| *i != late).map(|(_, m)| m.clone()).collect();
        told(&mut tardy, &without);
        let from_us = match tardy.rewind(minutes[late].start_us) {
            Some(from_us) => from_us,
            None => { tardy = monitor(); i64::MIN }
        };
        let again: Vec<Minute> = minutes.iter().filter(|m| m.start_us >= from_us).cloned().collect();
        told(&mut tardy, &again);
        let points = |monitor: &Monitor| monitor.told().map(|t| (t.judged.clone(), t.incident.clone())).collect::<Vec<_>>();
        prop_assert_eq!(points(&tardy), points(&straight));
    }
}
