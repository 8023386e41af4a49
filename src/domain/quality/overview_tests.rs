//! What every screen shows of a characteristic: what the workbench judges, and nothing of its own.

use super::fixture::{T0_US, approved, minute, reject_fraction, steady, steady_subgroups};
use super::limits::{Limits, fit};
use super::overview;
use super::subgroup::{Subgroup, subgroups};
use super::workbench::{By, evaluate};
use crate::line::minute::Minute;
use crate::spc::rules::RuleId;
use crate::units::MINUTE_US;

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
