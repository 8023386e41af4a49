//! Delays, misses and false alarms of made-up faults.

use super::*;
use crate::units::SECOND_US;

const FREEZE: usize = 0;
const MUTE: usize = 1;
const SHIFT: usize = 2;
const NOTHING: usize = 3;
const RESTART: usize = 4;

fn sign(kind: &str, word: &str, station: &str) -> Sign {
    let station = (!station.is_empty()).then(|| StationId::new(station));
    Sign { kind: kind.into(), word: word.into(), station }
}

fn frozen() -> Sign {
    sign("link", "frozen", "CF01")
}

fn down() -> Sign {
    sign("link", "down", "CF01")
}

fn reset() -> Sign {
    sign("count", "reset", "CF01")
}

fn kinds() -> Vec<Expected> {
    let of = |sign, also, within_s: i64| Expected { sign, also, within_us: within_s * SECOND_US };
    vec![
        of(Some(frozen()), vec![down()], 10),
        of(Some(down()), vec![], 5),
        of(Some(sign("incident", "reject_fraction", "")), vec![], 3_600),
        of(None, vec![], 0),
        of(Some(reset()), vec![down()], 5),
    ]
}

/// Faults as kind, begin and end in seconds; what was said as sign and second.
fn judged(faults: &[(usize, i64, Option<i64>)], said: &[(Sign, i64)], now_s: i64) -> Score {
    let us = |s: i64| s * SECOND_US;
    let injected: Vec<Injected> = faults
        .iter()
        .map(|(fault, from, to)| Injected { fault: *fault, from_us: us(*from), to_us: to.map(us) })
        .collect();
    let said: Vec<(Sign, i64)> = said.iter().map(|(sign, at)| (sign.clone(), us(*at))).collect();
    score(&kinds(), &[reset()], &injected, &said, us(now_s))
}

fn tally_of(score: &Score, sign: &Sign) -> Tally {
    score.tallies.iter().find(|tally| tally.sign == *sign).expect("a kind must give it").clone()
}

/// Shows: SIM-06
#[test]
fn a_fault_is_noticed_at_its_first_sign_and_the_delay_is_counted_from_its_begin() {
    let said = [(frozen(), 99), (frozen(), 107), (frozen(), 111)];
    let score = judged(&[(FREEZE, 100, Some(130))], &said, 200);
    assert_eq!(score.verdicts, [Verdict::Noticed(107 * SECOND_US)]);
    let tally = tally_of(&score, &frozen());
    assert_eq!((tally.injected, tally.noticed, tally.missed), (1, 1, 0));
    assert_eq!((tally.median_us, tally.longest_us), (Some(7 * SECOND_US), Some(7 * SECOND_US)));
    // What was said before it began was of nothing.
    assert_eq!((score.false_alarms, tally.false_alarms), (vec![0], Some(1)));
}

/// Shows: SIM-06
#[test]
fn a_fault_is_missed_only_when_its_time_is_over() {
    let fault = [(FREEZE, 100, Some(101))];
    assert_eq!(judged(&fault, &[], 110).verdicts, [Verdict::Waiting]);
    let over = judged(&fault, &[], 111);
    assert_eq!(over.verdicts, [Verdict::Missed]);
    assert_eq!(tally_of(&over, &frozen()).missed, 1);
    // One that lasts can still be noticed late, one that is long gone cannot.
    let late = [(frozen(), 150)];
    let lasts = judged(&[(FREEZE, 100, None)], &late, 160);
    assert_eq!(lasts.verdicts, [Verdict::Noticed(150 * SECOND_US)]);
    assert_eq!(judged(&fault, &late, 160).verdicts, [Verdict::Missed]);
}

#[test]
fn a_sign_of_another_machine_is_not_its_sign() {
    let elsewhere = [(sign("link", "frozen", "CW04"), 105)];
    let score = judged(&[(FREEZE, 100, Some(130))], &elsewhere, 200);
    assert_eq!(score.verdicts, [Verdict::Missed]);
    // No kind of fault must give that sign: it is not watched, so that it is no false alarm either.
    assert!(score.false_alarms.is_empty());
}

/// Shows: SIM-06
#[test]
fn what_a_fault_may_also_say_and_what_it_leaves_behind_is_no_false_alarm() {
    let fault = [(FREEZE, 100, Some(130))];
    let said = [(frozen(), 105), (down(), 120), (down(), 139), (down(), 141)];
    let score = judged(&fault, &said, 200);
    assert_eq!(score.false_alarms, [3]);
    assert_eq!(tally_of(&score, &down()).false_alarms, Some(1));
    assert_eq!(tally_of(&score, &down()).injected, 0);
}

#[test]
fn a_sign_that_a_healthy_plant_gives_too_is_never_a_false_alarm() {
    let score = judged(&[(RESTART, 100, Some(100))], &[(reset(), 50), (reset(), 102)], 200);
    assert_eq!(score.verdicts, [Verdict::Noticed(102 * SECOND_US)]);
    assert_eq!(tally_of(&score, &reset()).false_alarms, None);
    assert!(score.false_alarms.is_empty());
    // The negative control: unless it is said to be natural, it is one.
    let injected = Injected { fault: RESTART, from_us: 100, to_us: Some(100) };
    let said = [(reset(), 50)];
    assert_eq!(score_of_all(&injected, &said).false_alarms, [0]);
}

fn score_of_all(injected: &Injected, said: &[(Sign, i64)]) -> Score {
    score(&kinds(), &[], std::slice::from_ref(injected), said, SECOND_US)
}

#[test]
fn of_two_faults_with_one_sign_at_a_time_the_later_is_not_scored() {
    let faults = [(MUTE, 100, Some(200)), (MUTE, 150, Some(250)), (MUTE, 300, Some(310))];
    let score = judged(&faults, &[(down(), 102), (down(), 303)], 400);
    let [first, second, third] = score.verdicts[..] else { panic!("{score:?}") };
    assert_eq!(first, Verdict::Noticed(102 * SECOND_US));
    assert_eq!((second, third), (Verdict::Covered, Verdict::Noticed(303 * SECOND_US)));
    let tally = tally_of(&score, &down());
    assert_eq!((tally.injected, tally.noticed), (2, 2));
    assert_eq!((tally.median_us, tally.longest_us), (Some(2 * SECOND_US), Some(3 * SECOND_US)));
}

#[test]
fn of_what_needs_no_notice_nothing_is_expected() {
    let score = judged(&[(NOTHING, 100, Some(130)), (SHIFT, 100, None)], &[], 200);
    assert_eq!(score.verdicts, [Verdict::Silent, Verdict::Waiting]);
    assert!(score.tallies.iter().all(|tally| tally.noticed + tally.missed == 0));
    assert_eq!(score.tallies.len(), 4);
}

/// Shows: SIM-08
#[test]
fn a_count_agrees_where_it_and_the_truth_overlap() {
    let count = Count::between(100, 104, 110);
    for (truth, expected) in [
        ((104, 104), true),
        ((90, 100), true),
        ((110, 120), true),
        ((90, 99), false),
        ((111, 120), false),
    ] {
        assert_eq!(agrees(count, truth), expected, "{truth:?}");
    }
}
