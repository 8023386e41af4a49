//! What every screen shows of a characteristic: what the workbench judges, and nothing of its own.

use super::characteristic::{Characteristic, Measure};
use super::fixture::{T0_US, approved, minute, reject_fraction, steady, steady_subgroups};
use super::limits::{Limits, LimitsLaw, fit};
use super::overview;
use super::subgroup::{Subgroup, subgroups};
use super::workbench::{By, evaluate, outside};
use crate::line::minute::Minute;
use crate::spc::rules::RuleId;
use crate::units::{MINUTE_US, Reason};

const ALL: (i64, i64) = (i64::MIN, i64::MAX);

fn running(n: i64) -> Vec<Minute> {
    (0..n).map(|i| minute(i, steady(i))).collect()
}

fn of(minutes: &[Minute]) -> Vec<Subgroup> {
    subgroups(&reject_fraction(), minutes, &[])
}

/// Shows: SPC-04
#[test]
fn every_screen_shows_the_chart_of_the_workbench() {
    let baseline = steady_subgroups(120);
    let limits = [approved(1, &baseline)];
    let mut minutes = running(15 * 120);
    // Something happens in the last but two, and one is not whole.
    for (i, one) in (0..).zip(&mut minutes).skip(15 * 117).take(15) {
        *one = minute(i, steady(i) + 30);
    }
    minutes.remove(15 * 60);
    let at_us = T0_US + 15 * 120 * MINUTE_US;
    let shown = overview::chart(&reject_fraction(), &minutes, &[], &limits, at_us);
    let worked = evaluate(&reject_fraction(), &of(&minutes), By::InForce(&limits)).judged;
    assert_eq!(shown.judged, worked[worked.len() - shown.judged.len()..]);
    assert_eq!(shown.limits.as_ref().map(|limits| limits.version), Some(1));
    assert!(shown.judged[117].point.hits.contains(RuleId::N1));
    assert!(shown.judged[60].point.z.is_none(), "what is not whole is plotted and not judged");
    assert!(shown.judged.iter().all(|judged| judged.version == 1));
}

/// However many subgroups there are: only a version that somebody or the service has written down judges.
#[test]
fn no_screen_makes_limits_or_makes_them_anew() {
    let at_us = T0_US + 15 * 120 * MINUTE_US;
    let mut minutes = running(15 * 120);
    let bare = overview::chart(&reject_fraction(), &minutes, &[], &[], at_us);
    assert_eq!((bare.judged.len(), bare.limits.clone()), (120, None));
    assert!(bare.judged.iter().all(|judged| judged.point.ucl.is_none() && !judged.signals()));
    // Twice as many rejects throughout: the limits stay, and all of it signals. Limits of the span itself would hide it.
    for (i, one) in (0..).zip(&mut minutes) {
        *one = minute(i, 2 * steady(i));
    }
    let limits = [approved(1, &steady_subgroups(120))];
    let shown = overview::chart(&reject_fraction(), &minutes, &[], &limits, at_us);
    assert!(shown.judged.iter().all(|judged| judged.point.hits.contains(RuleId::N1)));
    let own = fit(&reject_fraction(), &of(&minutes), ALL, &[]).limits(&reject_fraction()).unwrap();
    let refit = evaluate(&reject_fraction(), &of(&minutes), By::Version(&own)).judged;
    let signals = refit.iter().filter(|judged| judged.point.hits.contains(RuleId::N1)).count();
    assert!(signals < 5, "the negative control: {signals}");
    // Limits of other subgroups do not judge these.
    let hourly = [Limits { subgroup_minutes: 60, ..limits[0].clone() }];
    let other = overview::chart(&reject_fraction(), &minutes, &[], &hourly, at_us);
    assert!(other.limits.is_none() && other.judged.iter().all(|judged| !judged.signals()));
}

/// Points far below a plain chart are as much outside of it as those above.
#[test]
fn both_sides_of_a_plain_chart_count() {
    let baseline = steady_subgroups(120);
    let limits = approved(1, &baseline);
    let mut minutes = running(15 * 120);
    for (at, rejected) in [(30, 4), (31, 4), (60, 90)] {
        for (i, one) in (0..).zip(&mut minutes).skip(15 * at).take(15) {
            *one = minute(i, rejected);
        }
    }
    let before = outside(&evaluate(&reject_fraction(), &baseline, By::Version(&limits)).judged);
    let judged = evaluate(&reject_fraction(), &of(&minutes), By::Version(&limits)).judged;
    let after = outside(&judged);
    assert_eq!((before.n_judged, after.n_judged), (120, 120));
    assert_eq!((after.plain - before.plain, after.ours - before.ours), (3, 3));
    // A subgroup that is not judged is not outside, wherever it lies.
    minutes.remove(15 * 30);
    let fewer = evaluate(&reject_fraction(), &of(&minutes), By::Version(&limits)).judged;
    assert_eq!(outside(&fewer).plain, after.plain - 1);
}

/// Shows: SPC-04
#[test]
fn a_gate_does_not_pass_what_it_has_not_tested() {
    let gate = evaluate(&reject_fraction(), &[], By::Nothing).gate();
    assert_eq!((gate.n_recent, gate.n_signals, gate.drifts), (0, None, None));
    assert!(!gate.is_open());
    // Plotted and not judged: there is a drift to tell of, and no signal.
    let baseline = steady_subgroups(120);
    let plotted = evaluate(&reject_fraction(), &baseline, By::Nothing).gate();
    assert_eq!((plotted.n_signals, plotted.drifts), (None, Some(false)));
    assert!(!plotted.is_open());
    let limits = approved(1, &baseline);
    let judged = evaluate(&reject_fraction(), &baseline, By::Version(&limits)).gate();
    assert_eq!((judged.n_recent, judged.n_signals), (100, Some(0)));
    assert!(judged.is_open());
}

/// Shows: SPC-04
#[test]
fn the_spread_of_a_reason_is_that_of_its_limits() {
    let measure =
        Measure::Reject { station: super::fixture::station(), reason: Reason::new("dented") };
    let dented = Characteristic::new(measure.clone());
    let law = LimitsLaw::Rate { center: 0.004, sigma_z: 3.0 };
    let limits = approved(1, &steady_subgroups(120));
    let limits = Limits { characteristic: dented.id.clone(), kind: dented.kind, law, ..limits };
    let at_us = i64::MAX;
    let (of, found) = overview::spread(&dented, std::slice::from_ref(&limits), at_us).unwrap();
    assert_eq!((of, found.ratio), (measure, 9.0));
    assert!((1..=119).contains(&found.df));
    assert!(overview::spread(&dented, &[], at_us).is_none(), "without limits nothing is known");
    assert!(overview::spread(&reject_fraction(), &[limits], at_us).is_none());
}
