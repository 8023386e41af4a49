//! Limits, judged subgroups and incidents are kept as they were said.

use domain::line::output::Output;
use domain::quality::characteristic::{Characteristic, Measure};
use domain::quality::limits::{Decision, Limits, Verdict, fit};
use domain::quality::monitor::{Monitor, Told};
use domain::quality::record::{Work, WorkKind};
use domain::quality::signal::Level;
use domain::quality::subgroup::subgroups;

use super::*;

fn station() -> StationId {
    StationId::new("CF01")
}

fn characteristic() -> Characteristic {
    Characteristic::new(Measure::RejectFraction { stations: Output::one(station()) })
}

fn running(i: i64, rejected: u64) -> Minute {
    let tally = |counted, n| Tally { station: station(), counted, count: Count::exact(n) };
    Minute {
        start_us: T0_US + i * MINUTE_US,
        rev: 1,
        closed: true,
        time: TimeSplit([MINUTE_US, 0, 0, 0, 0, 0]),
        polls: 600,
        missed: 0,
        weights: Vec::new(),
        tallies: vec![
            tally(Counted::Good, 6_500 - rejected),
            tally(Counted::Reject(Reason::new("dented")), rejected),
        ],
    }
}

fn minutes(n: i64) -> Vec<Minute> {
    (0..n).map(|i| running(i, 22 + (i as u64 * 7) % 13)).collect()
}

fn limits(version: u32) -> Limits {
    let characteristic = characteristic();
    let found = subgroups(&characteristic, &minutes(1_515), &[]);
    let fitted = fit(&characteristic, &found, (i64::MIN, i64::MAX), &[]);
    let limits = fitted.limits(&characteristic).unwrap();
    let (author, reason) = ("An".to_owned(), "first\nbaseline".to_owned());
    Limits { version, author, reason, made_us: T0_US, ..limits }
}

fn approval() -> Decision {
    let (by, reason) = ("Bo".to_owned(), "replayed over a week".to_owned());
    Decision { verdict: Verdict::Approved, by, reason, at_us: T0_US }
}

#[test]
fn limits_come_back_bit_for_bit_and_are_decided_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.add_limits(&l1(), limits(1), &by()).unwrap();
    assert_eq!(store.limits(&l1(), Some("reject_fraction")).unwrap(), [limits(1)]);
    assert!(store.add_limits(&l1(), limits(1), &by()).is_err(), "a version is never written over");
    let approved = limits(1).decide(approval()).unwrap();
    store.decide_limits(&l1(), approved.clone(), &by()).unwrap();
    assert!(store.decide_limits(&l1(), approved.clone(), &by()).is_err(), "decided once");
    assert_eq!(store.limits(&l1(), None).unwrap(), [approved]);
    assert!(store.limits(&l1(), Some("speed")).unwrap().is_empty());
}

/// Numbers with all their bits: a reader that is off by one in the last would find every record damaged.
#[test]
fn every_bit_of_a_number_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut all = Vec::new();
    for version in 1..=40 {
        let odd = f64::from(version).sqrt() / 977.0;
        let mut one = limits(version);
        one.law = domain::quality::limits::LimitsLaw::Rate { center: odd, sigma_z: 1.0 + odd };
        one.evidence.chi2_p = Some(odd.powi(90));
        one.evidence.lag1 = Some(-odd);
        store.add_limits(&l1(), one.clone(), &by()).unwrap();
        all.push(one);
    }
    assert_eq!(store.limits(&l1(), None).unwrap(), all);
}

#[test]
fn limits_that_were_altered_in_the_file_are_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.add_limits(&l1(), limits(1), &by()).unwrap();
    store.close().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute("update limits set author = 'Bo'", []).unwrap();
    drop(conn);
    let error = open(dir.path()).limits(&l1(), None).unwrap_err().to_string();
    assert!(error.contains("does not match its hash"), "{error}");
}

fn told(monitor: &mut Monitor, minutes: &[Minute]) -> Vec<Told> {
    let mut told = Vec::new();
    minutes.iter().for_each(|minute| monitor.push(minute, false, |one| told.push(one)));
    told
}

#[test]
fn a_correction_stands_beside_what_was_said_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut monitor = Monitor::new(characteristic(), Some(limits(1).decide(approval()).unwrap()));
    let mut wrong = minutes(60);
    wrong[40] = running(40, 2_000);
    let first = told(&mut monitor, &wrong);
    store.add_points(&l1(), "reject_fraction", first.clone(), 100).unwrap();
    store.add_points(&l1(), "reject_fraction", first, 110).unwrap();
    let from_us = monitor.rewind(wrong[40].start_us).unwrap();
    let right: Vec<Minute> = minutes(60).into_iter().filter(|m| m.start_us >= from_us).collect();
    let again = told(&mut monitor, &right);
    store.add_points(&l1(), "reject_fraction", again, 200).unwrap();
    let found = store.points(&l1(), "reject_fraction", (i64::MIN, i64::MAX)).unwrap();
    let third: Vec<_> = found.iter().filter(|point| point.start_us == from_us).collect();
    assert_eq!(third.iter().map(|p| (p.rev, p.told_us)).collect::<Vec<_>>(), [(0, 100), (1, 200)]);
    assert!(third[0].rules.contains("N1") && !third[1].rules.contains("N1"));
    assert_eq!(found.iter().filter(|point| point.rev == 0).count(), 4, "told twice, kept once");
}

#[test]
fn an_incident_grows_and_the_work_on_it_is_kept_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut monitor = Monitor::new(characteristic(), Some(limits(1).decide(approval()).unwrap()));
    let bad: Vec<Minute> = (0..60).map(|i| running(i, if i >= 30 { 80 } else { 28 })).collect();
    for one in told(&mut monitor, &bad) {
        store.add_points(&l1(), "reject_fraction", vec![one], 1).unwrap();
    }
    let found = store.incidents(&l1(), (0, i64::MAX), 10).unwrap();
    assert_eq!(found.len(), 1);
    let incident = &found[0].incident;
    assert_eq!((incident.opened_us, incident.n_points), (T0_US + 30 * MINUTE_US, 2));
    assert!(!incident.over && incident.level >= Level::Study);
    let work = |kind, text: &str| Work { at_us: 5, author: "An".into(), kind, text: text.into() };
    let done = [work(WorkKind::Acknowledge, ""), work(WorkKind::Cause, "vacuum lost")];
    for work in &done {
        assert!(store.add_work(&l1(), found[0].id, work.clone(), &by()).unwrap());
    }
    assert_eq!(store.incidents(&l1(), (0, i64::MAX), 10).unwrap()[0].work, done);
    assert!(!store.add_work(&l1(), 99, done[0].clone(), &by()).unwrap(), "no such incident");
    assert!(!store.add_work(&LineId::new("L2"), found[0].id, done[0].clone(), &by()).unwrap());
    assert!(store.incidents(&l1(), (0, 1), 10).unwrap().len() == 1, "an open one is always shown");
}
