//! A past moment as a real journal has it, against what the line itself said at that moment.

use domain::line::status::ShiftStatus;
use domain::units::HOUR_US;

use super::filler::Filler;
use super::fixture::kept;
use super::*;
use crate::historian::{Historian, Options};
use crate::service::StoredHistory;
use crate::web::replay::present_at;
use crate::web::view::ShiftNowView;

/// What the filler does from which minute on.
const DAY: [(i64, State); 8] = [
    (0, State::Setup),
    (10, State::Execute),
    (70, State::Held),
    (75, State::Cleaning),
    (80, State::Setup),
    (90, State::Execute),
    (100, State::Held),
    (103, State::Execute),
];

/// Two hours and a minute of it in a journal: 100 capsules a second while it runs. Returns with what the line said at each of
/// these minutes.
fn lived(historian: &Historian, first_us: i64, asked: &[i64]) -> Vec<ShiftStatus> {
    let mut filler = Filler::new(first_us);
    let (mut made, mut said) = (1_000, Vec::new());
    for second in 0..121 * 60 {
        // Between two seconds, so that none of them is that of a border.
        let at = kept::at(first_us + second * SECOND_US + SECOND_US / 2);
        let doing = DAY.iter().rfind(|(from, _)| *from * 60 <= second).expect("a beginning").1;
        made += if doing == State::Execute { 100 } else { 0 };
        if asked.iter().any(|minute| minute * 60 == second) {
            let status = filler.status(kept::at(first_us + second * SECOND_US));
            said.push(status.shift.expect("it is a shift"));
        }
        filler.poll(at, Some((doing, made)));
        if second % 60 == 59 {
            historian.append(filler.tick(at)).unwrap().wait().unwrap();
        }
    }
    said
}

/// Shows: SCR-06
#[test]
fn a_past_moment_has_the_oee_that_the_line_had_then() {
    let dir = tempfile::tempdir().unwrap();
    let historian = Historian::open(dir.path(), Options::default()).unwrap();
    let first_us = (NOW_US.div_euclid(HOUR_US) - 3) * HOUR_US;
    // In the first hour; at its end; in the second one after cleaning and after set-up; and at its end.
    let asked = [15, 60, 78, 85, 95, 120];
    let said = lived(&historian, first_us, &asked);
    let history = StoredHistory(historian);
    assert_eq!(said.len(), asked.len());
    for (minute, then) in asked.into_iter().zip(said) {
        let at_us = first_us + minute * MINUTE_US;
        let past = present_at(&history, &kept::line(), at_us).expect("it can be read");
        let now = past.and_then(|status| status.shift).expect("it is recorded");
        assert!(now.setup_known, "minute {minute}");
        let of = |shift: &ShiftStatus| {
            let kpis = &shift.kpis;
            let (low, high) = kpis.oee_between.expect("it is between");
            let all = [kpis.oee, kpis.availability, Some(low), Some(high), kpis.coverage];
            all.map(|ratio| (ratio.expect("it is known").value() * 1_000.0).round())
        };
        // A second of the minute that was going on then may be told by its end only: 1 in 900.
        let off = of(&now).into_iter().zip(of(&then)).map(|(now, then)| (now - then).abs());
        assert!(off.fold(0.0, f64::max) <= 1.0, "{minute}: {:?} {:?}", of(&now), of(&then));
        let failures = |shift: &ShiftStatus| shift.kpis.elements.failures;
        assert_eq!(failures(&now), failures(&then), "minute {minute}");
        let seconds = |shift: &ShiftStatus| {
            shift.kpis.mtbf_us.map(|us| (us.value() / SECOND_US as f64).round() as i64)
        };
        let off = seconds(&now).zip(seconds(&then)).map_or(0, |(now, then)| (now - then).abs());
        assert!(off <= 1 && seconds(&now).is_some() == seconds(&then).is_some(), "{minute}: {off}");
        // The negative control: with set-up as any planned stop it would be another number.
        let elements = &then.kpis.elements;
        assert!(
            elements.setup_us > 500_000_000 && elements.production_us < elements.planned_busy_us
        );
    }
}

/// Output, target and what lies between them are of one moment, in the view and between two of them.
/// Shows: SCR-01
#[test]
fn what_moves_between_two_views_fits_together() {
    let clock = kept::clock();
    let status = fixture::status(clock.now(), Case::Running);
    let now = crate::web::view::NowView::of(&status);
    let ShiftNowView { target_now, difference, side, behind, plan_percent } =
        now.shift.expect("it is a shift");
    assert!(side.is_some(), "what was read lies on a side");
    let (good, difference) = (now.good.expect("it is read"), difference.expect("it is read"));
    for (good, difference) in
        [(good.best, difference.best), (good.low, difference.low), (good.high, difference.high)]
    {
        assert_eq!(good as i64 - target_now as i64, difference);
    }
    assert!(plan_percent.is_some_and(|percent| percent > 0.0) && !behind);
    let between = LineStatus { shift: None, ..status };
    assert!(crate::web::view::NowView::of(&between).shift.is_none());
}
