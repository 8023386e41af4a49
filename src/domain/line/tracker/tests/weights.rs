//! Records of weights through the tracker: each taken once, whatever was polled, stored and restarted between.

use proptest::prelude::*;

use super::script::{Step, moment, play, read};
use crate::line::event::EventKind;
use crate::line::weight::{Account, Moments, Series};
use crate::units::StationId;

/// What all minutes of a case hold, and the alarms that were told.
fn held(script: &str) -> (Moments, Account, Vec<String>) {
    held_of(&read(script), |_| true)
}

fn held_of(steps: &[Step], stores: impl Fn(usize) -> bool) -> (Moments, Account, Vec<String>) {
    let (_, journal) = play(steps, stores);
    let station = StationId::new("CW04");
    let parts = journal.minutes.values().map(|minute| minute.weighed(&station, Series::Sample));
    let (moments, account) = parts
        .fold((Moments::ZERO, Account::default()), |(moments, account), (more, further)| {
            (moments + more, account + further)
        });
    let alarms = journal.events.iter().filter(|event| event.kind == EventKind::Alarm);
    (moments, account, alarms.map(|alarm| alarm.detail.clone()).collect())
}

fn of(tenths: &[u64]) -> Moments {
    tenths.iter().map(|tenth| Moments::one(tenth * 100)).sum()
}

const FIRST: &str = "
    0.0 CF01.fast state=execute good=0
    0.0 CW04.fast n=0 seq=7 tail=7 bore[0]=1 mg[0]=5000 bore[1]=2 mg[1]=5100 bore[2]=3 mg[2]=5200
    0.5 CW04.fast";

const SECOND: &str = "
    1.0 CW04.fast seq=8 tail=8 bore[0]=4 mg[0]=4900 bore[1]=5 mg[1]=5050 bore[2]=6 mg[2]=5150
    1.5 CW04.fast";

#[test]
fn the_record_that_stood_there_when_watching_began_is_not_taken() {
    let (moments, account, _) = held(FIRST);
    assert_eq!((moments, account.records), (Moments::ZERO, 0));
}

#[test]
fn a_record_is_taken_once_however_often_it_is_shown() {
    let again = "
    2.0 CW04.fast seq=8 tail=8 bore[0]=4 mg[0]=4900
    2.5 CW04.fast
    3.0 CW04.fast n=5";
    let (moments, account, alarms) = held(&format!("{FIRST}{SECOND}{again}"));
    assert_eq!(moments, of(&[4_900, 5_050, 5_150]));
    assert_eq!(account, Account { records: 1, ..Account::default() });
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[test]
fn the_minute_holds_each_bore() {
    let (_, journal) = play(&read(&format!("{FIRST}{SECOND}")), |_| true);
    let told = journal.told();
    let line = told.lines().find(|line| line.starts_with("minute 0")).unwrap();
    let wanted = "records 1, 0 missed, 0 refused bore 4: 1 of 490000 µg bore 5: 1 of 505000 µg \
                  bore 6: 1 of 515000 µg";
    assert!(line.contains(wanted), "{line}");
}

/// The values of a record come in two messages; between them the old weights stand under the new number.
#[test]
fn a_record_that_is_still_arriving_is_not_taken() {
    let torn = "
    1.0 CW04.fast seq=8 tail=8
    1.1 CW04.fast bore[0]=4 mg[0]=4900 bore[1]=5 mg[1]=5050
    1.2 CW04.fast bore[2]=6 mg[2]=5150
    1.7 CW04.fast";
    let (moments, ..) = held(&format!("{FIRST}{torn}"));
    assert_eq!(moments, of(&[4_900, 5_050, 5_150]));
}

#[test]
fn a_record_whose_tail_has_another_number_waits() {
    let waiting = "
    1.0 CW04.fast seq=8 bore[0]=4 mg[0]=4900
    1.5 CW04.fast
    2.0 CW04.fast";
    let (moments, account, _) = held(&format!("{FIRST}{waiting}"));
    assert_eq!((moments, account.records), (Moments::ZERO, 0));
}

#[test]
fn a_skipped_number_is_a_missed_record() {
    let skipped = "
    1.0 CW04.fast seq=11 tail=11 mg[0]=4900 mg[1]=5050 mg[2]=5150
    1.5 CW04.fast";
    let (moments, account, alarms) = held(&format!("{FIRST}{skipped}"));
    assert_eq!(moments, of(&[4_900, 5_050, 5_150]));
    assert_eq!(account, Account { records: 1, missed: 3, ..Account::default() });
    assert_eq!(alarms, ["sample records 8 to 10 were not seen"]);
}

#[test]
fn numbers_that_wrap_miss_nothing() {
    let wrap = "
    0.0 CF01.fast state=execute good=0
    0.0 CW04.fast seq=65535 tail=65535 bore[0]=1 mg[0]=5000
    1.0 CW04.fast seq=0 tail=0 mg[0]=5001
    1.5 CW04.fast
    2.0 CW04.fast seq=1 tail=1 mg[0]=5002
    2.5 CW04.fast";
    let (_, account, alarms) = held(wrap);
    assert_eq!(account.records, 2);
    assert_eq!(account.missed, 0, "{alarms:?}");
}

#[test]
fn numbers_that_begin_afresh_leave_it_open_what_was_missed() {
    let afresh = "
    1.0 CW04.fast seq=1 tail=1 mg[0]=4900
    1.5 CW04.fast";
    let (_, account, alarms) = held(&format!("{FIRST}{afresh}"));
    assert_eq!((account.records, account.missed), (1, 1));
    assert_eq!(alarms, ["sample records begin afresh at 1"]);
}

#[test]
fn a_bad_value_is_left_out_and_told_with_its_cause() {
    let bad = "
    1.0 CW04.fast seq=8 tail=8 bore[0]=4 mg[0]=bad bore[1]=5 mg[1]=0 bore[2]=6 mg[2]=5150
    1.5 CW04.fast";
    let (moments, account, alarms) = held(&format!("{FIRST}{bad}"));
    assert_eq!(moments, of(&[5_150]));
    assert_eq!((account.records, account.refused), (1, 2));
    let cause =
        "left out of sample record 8: weight of place 0: bad quality, weight of place 1: no weight";
    assert_eq!(alarms, [cause]);
}

#[test]
fn an_empty_place_is_a_smaller_sample() {
    let small = "
    1.0 CW04.fast seq=8 tail=8 bore[0]=4 mg[0]=4900 bore[1]=0 mg[1]=0 bore[2]=0 mg[2]=0
    1.5 CW04.fast";
    let (moments, account, _) = held(&format!("{FIRST}{small}"));
    assert_eq!((moments, account.refused), (of(&[4_900]), 0));
}

#[test]
fn silence_of_the_machine_is_seen_in_the_minute() {
    let silence = "
    1.0 CF01.fast state=execute good=50
    9.0 check
    9.0 CF01.fast state=execute good=100";
    let (_, account, _) = held(&format!("{FIRST}{silence}"));
    assert!(account.unheard && !account.is_complete());
}

#[test]
fn a_restart_neither_takes_a_record_twice_nor_forgets_one() {
    let after = "
    2.0 restart
    2.5 CW04.fast seq=8 tail=8 bore[0]=4 mg[0]=4900 bore[1]=5 mg[1]=5050 bore[2]=6 mg[2]=5150
    3.0 CW04.fast
    4.0 restart
    8.0 CW04.fast seq=10 tail=10 bore[0]=7 mg[0]=5000 bore[1]=0 mg[1]=0 bore[2]=0 mg[2]=0
    8.5 CW04.fast";
    let (moments, account, _) = held(&format!("{FIRST}{SECOND}{after}"));
    assert_eq!(moments, of(&[4_900, 5_050, 5_150, 5_000]));
    assert_eq!((account.records, account.missed), (2, 1));
}

/// Negative control: without the number that was kept, the same restart takes the record twice, or loses it.
#[test]
fn without_the_kept_number_a_restart_would_not_know() {
    let steps = read(&format!("{FIRST}{SECOND}"));
    let (_, journal) = play(&steps, |_| true);
    let mut carry = journal.carry();
    carry.weighings.clear();
    let mut tracker =
        crate::line::tracker::LineTracker::new(super::script::model(), moment(2.0), carry);
    for step in read("2.5 CW04.fast seq=9 tail=9 mg[0]=5000\n3.0 CW04.fast") {
        if let Step::Snapshot(snapshot) = step {
            tracker.advance(&snapshot);
        }
    }
    let minutes = tracker.take_changes().minutes;
    let weighed = minutes.iter().map(|m| m.weighed(&StationId::new("CW04"), Series::Sample));
    assert_eq!(weighed.map(|(_, account)| account.records).sum::<u32>(), 1, "record 9 was lost");
}

/// Lines of records that are shown several times each, with the places between two records; the last number.
fn shown(records: &[(u64, u64, u64)]) -> (Vec<String>, Vec<usize>, u64) {
    let (mut sequence, mut at, mut between) = (7, 1.0, Vec::new());
    let mut lines: Vec<String> = FIRST.lines().skip(1).map(str::to_owned).collect();
    for (step, times, tenths) in records {
        sequence += step;
        between.push(lines.len());
        for _ in 0..=*times {
            lines.push(format!(
                "{at} CW04.fast seq={sequence} tail={sequence} bore[0]=1 mg[0]={tenths} bore[1]=0 mg[1]=0 bore[2]=0 \
                 mg[2]=0"
            ));
            at += 0.25;
        }
        lines.push(format!("{at} CW04.fast"));
    }
    (lines, between, sequence)
}

/// Puts a restart before each of these lines.
fn restarted(lines: &[String], places: &[usize]) -> Vec<Step> {
    let mut script = String::new();
    for (i, line) in lines.iter().enumerate() {
        if places.contains(&i) {
            let time = line.split_whitespace().next().unwrap_or("0");
            script += &format!("{time} restart\n");
        }
        script += &format!("{line}\n");
    }
    read(&script)
}

proptest! {
    /// Records shown any number of times; the journal is written anywhere and the service restarted between any two
    /// records. What is held does not depend on it.
    #[test]
    fn neither_polls_nor_restarts_nor_ticks_matter(
        records in prop::collection::vec((1..4_u64, 1..4_u64, 4_000..6_000_u64), 1..40),
        restarts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        stored in 1..7_usize,
    ) {
        let (lines, between, _) = shown(&records);
        let places: Vec<usize> = restarts.iter().map(|place| *place.get(&between)).collect();
        let (moments, account, _) = held_of(&restarted(&lines, &places), |i| i % stored == 0);
        let wanted: Vec<u64> = records.iter().map(|(.., tenths)| *tenths).collect();
        let missed: u64 = records.iter().map(|(step, ..)| step - 1).sum();
        prop_assert_eq!(moments, of(&wanted));
        prop_assert_eq!(u64::from(account.missed), missed);
        prop_assert_eq!(account.records as usize, records.len());
    }

    /// Restarts at any moment, also while a record arrives: each number up to the last one taken is taken once or told
    /// as missed.
    /// Shows: SPC-06
    #[test]
    fn every_number_is_taken_once_or_told_as_missed(
        records in prop::collection::vec((1..4_u64, 1..4_u64, 4_000..6_000_u64), 1..40),
        restarts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (lines, _, _) = shown(&records);
        let places: Vec<usize> =
            restarts.iter().map(|place| place.index(lines.len()).max(3)).collect();
        let (tracker, journal) = play(&restarted(&lines, &places), |_| true);
        drop(tracker);
        let parts = journal.minutes.values().map(|m| m.weighed(&StationId::new("CW04"), Series::Sample));
        let (n, account) = parts.fold((0, Account::default()), |(n, account), (more, further)| {
            (n + more.n(), account + further)
        });
        let last = journal.weighings.iter().find(|(_, series, _)| *series == Series::Sample);
        let last = last.map_or(7, |(.., last)| *last);
        prop_assert_eq!(u64::from(account.records + account.missed), last - 7);
        prop_assert_eq!(n, u64::from(account.records));
    }
}
