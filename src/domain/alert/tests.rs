//! Alerts open once and close once.

use proptest::prelude::*;

use super::*;
use crate::units::{Moment, SECOND_US};

fn rule(longer_s: i64, calm_s: i64) -> Rule {
    Rule {
        name: "stop".into(),
        condition: Condition::Stopped,
        longer_us: longer_s * SECOND_US,
        calm_us: calm_s * SECOND_US,
        lines: vec![LineId::new("L1")],
        hooks: vec!["maintenance".into()],
    }
}

fn fact(line: &str, held_s: i64) -> Fact {
    Fact {
        condition: Condition::Stopped,
        line: Some(LineId::new(line)),
        subject: line.into(),
        held_us: held_s * SECOND_US,
        detail: "held: capsule jam".into(),
    }
}

fn stands(held_s: i64) -> Facts {
    Facts { held: vec![fact("L1", held_s)], blind: vec![] }
}

fn blind() -> Facts {
    Facts { held: vec![], blind: vec![(Condition::Stopped, Some(LineId::new("L1")))] }
}

fn at(s: i64) -> Moment {
    Moment { utc_us: 1_000 + s * SECOND_US, mono_us: s * SECOND_US }
}

fn turns(changes: &[Change]) -> Vec<Turn> {
    changes.iter().map(|change| change.turn).collect()
}

#[test]
fn a_fact_that_lasts_opens_once_and_its_calm_end_closes_once() {
    let (mut watch, _) = Watch::new(vec![rule(10, 60)], vec![]);
    for s in 0..10 {
        assert_eq!(watch.look(at(s), &stands(0)), [], "{s}");
    }
    let opened = watch.look(at(10), &stands(0));
    assert_eq!(turns(&opened), [Turn::Opened]);
    assert_eq!((opened[0].alert.since_us, opened[0].at_us), (at(0).utc_us, at(10).utc_us));
    assert_eq!(watch.look(at(11), &stands(0)), []);
    // Away for a moment, and away for good.
    assert_eq!(watch.look(at(12), &Facts::default()), []);
    assert_eq!(watch.look(at(40), &stands(0)), []);
    assert_eq!(watch.look(at(50), &Facts::default()), []);
    assert_eq!(watch.look(at(109), &Facts::default()), []);
    assert_eq!(turns(&watch.look(at(110), &Facts::default())), [Turn::Closed]);
    assert_eq!(watch.look(at(111), &Facts::default()), []);
}

#[test]
fn what_began_before_it_was_seen_counts_from_its_begin() {
    let (mut watch, _) = Watch::new(vec![rule(600, 60)], vec![]);
    assert_eq!(watch.look(at(0), &stands(599)), []);
    let opened = watch.look(at(1), &stands(0));
    assert_eq!(turns(&opened), [Turn::Opened], "the state changed, the stop goes on");
    assert_eq!(opened[0].alert.since_us, at(-599).utc_us);
}

#[test]
fn a_wall_clock_that_steps_opens_and_closes_nothing() {
    let (mut watch, _) = Watch::new(vec![rule(10, 60)], vec![]);
    let stepped = |s: i64| Moment { utc_us: at(s).utc_us + 3_600 * SECOND_US, ..at(s) };
    assert_eq!(watch.look(at(0), &stands(0)), []);
    assert_eq!(watch.look(stepped(1), &stands(0)), []);
    assert_eq!(turns(&watch.look(stepped(10), &stands(0))), [Turn::Opened]);
    assert_eq!(watch.look(at(11), &Facts::default()), []);
    assert_eq!(watch.look(stepped(12), &Facts::default()), []);
}

#[test]
fn who_cannot_see_neither_opens_nor_closes() {
    let (mut watch, _) = Watch::new(vec![rule(10, 0)], vec![]);
    assert_eq!(watch.look(at(0), &stands(0)), []);
    assert_eq!(watch.look(at(30), &blind()), []);
    assert_eq!(turns(&watch.look(at(31), &stands(0))), [Turn::Opened], "it lasted all the while");
    assert_eq!(watch.look(at(600), &blind()), []);
    assert_eq!(turns(&watch.look(at(601), &Facts::default())), [Turn::Closed]);
}

#[test]
fn an_open_alert_outlives_a_restart_unless_its_rule_is_gone() {
    let (mut watch, _) = Watch::new(vec![rule(0, 60)], vec![]);
    let alert = watch.look(at(0), &stands(0))[0].alert.clone();
    let gone = Alert { rule: "other".into(), ..alert.clone() };
    let (mut again, orphans) = Watch::new(vec![rule(0, 60)], vec![alert.clone(), gone.clone()]);
    assert_eq!(orphans, [gone]);
    assert_eq!(again.look(at(5), &stands(0)), [], "it is open already");
    assert_eq!(again.look(at(6), &Facts::default()), []);
    let closed = again.look(at(66), &Facts::default());
    assert_eq!((turns(&closed), &closed[0].alert), (vec![Turn::Closed], &alert));
}

#[test]
fn a_rule_is_about_its_lines_and_its_condition() {
    let (mut watch, _) = Watch::new(vec![rule(0, 0)], vec![]);
    let unknown = Fact { condition: Condition::Unknown, ..fact("L1", 0) };
    let facts = Facts { held: vec![fact("L2", 99), unknown], blind: vec![] };
    assert_eq!(watch.look(at(0), &facts), []);
    let all = Rule { lines: vec![], ..rule(0, 0) };
    let (mut watch, _) = Watch::new(vec![all], vec![]);
    assert_eq!(turns(&watch.look(at(0), &facts)), [Turn::Opened]);
}

#[test]
fn what_was_not_told_to_the_end_is_told_again() {
    let (mut watch, _) = Watch::new(vec![rule(0, 0)], vec![]);
    let alert = watch.look(at(0), &stands(0))[0].alert.clone();
    let hooks: Vec<Arc<str>> = vec!["a".into(), "b".into()];
    let closed_us = Some(at(9).utc_us);
    let stored = StoredAlert { number: 7, id: "x".into(), alert, hooks, closed_us };
    let tried = |turn, hook: &str, attempt, ending| Delivery {
        alert: 7,
        turn,
        hook: hook.into(),
        attempt,
        at_us: at(1).utc_us,
        ending,
        status: None,
        error: String::new(),
    };
    let log = [
        tried(Turn::Opened, "a", 1, Ending::Failed),
        tried(Turn::Opened, "a", 2, Ending::Delivered),
        tried(Turn::Opened, "b", 1, Ending::Failed),
        tried(Turn::Closed, "b", 1, Ending::GivenUp),
    ];
    let alerts = [stored];
    let due = untold(&alerts, &log, 0);
    let expected = [(0, Turn::Opened, "b".into(), 1), (0, Turn::Closed, "a".into(), 0)];
    assert_eq!(due, expected);
    assert_eq!(untold(&alerts, &log, at(5).utc_us), expected[1..], "what is too old is left");
}

/// Openings and closings of a fact that comes and goes, one look a second.
fn flicker(rule: Rule, there: &[(bool, i64)]) -> Vec<Change> {
    let (mut watch, _) = Watch::new(vec![rule], vec![]);
    let looks = there.iter().enumerate().flat_map(|(s, (there, held_s))| {
        let facts = if *there { stands(*held_s) } else { Facts::default() };
        watch.look(at(s as i64), &facts)
    });
    looks.collect()
}

proptest! {
    /// Shows: SCR-12
    #[test]
    fn openings_and_closings_alternate_and_are_no_more_than_time_allows(
        there in prop::collection::vec((any::<bool>(), 0..40_i64), 0..400),
        longer_s in 0..20_i64,
        calm_s in 1..30_i64,
    ) {
        let changes = flicker(rule(longer_s, calm_s), &there);
        for (i, change) in changes.iter().enumerate() {
            prop_assert_eq!(change.turn, Turn::ALL[i % 2]);
        }
        let opened: Vec<i64> =
            changes.iter().filter(|c| c.turn == Turn::Opened).map(|c| c.at_us).collect();
        for pair in opened.windows(2) {
            prop_assert!(pair[1] - pair[0] > calm_s * SECOND_US, "{:?}", pair);
        }
        let most = 1 + there.len() as i64 / (calm_s + 1);
        prop_assert!(opened.len() as i64 <= most, "{} of {}", opened.len(), most);
    }
}

/// The negative control: without a calm time the same flicker floods.
#[test]
fn without_a_calm_time_a_flickering_fact_floods() {
    let flickers: Vec<(bool, i64)> = (0..600).map(|s| (s % 2 == 0, 0)).collect();
    assert_eq!(turns(&flicker(rule(0, 60), &flickers)), [Turn::Opened]);
    assert_eq!(flicker(rule(0, 0), &flickers).len(), 600);
}

#[test]
fn words_lead_back_to_what_they_mean() {
    for condition in Condition::ALL {
        assert_eq!(Condition::from_word(condition.word()), Some(condition));
    }
    for ending in Ending::ALL {
        assert_eq!(Ending::from_word(ending.word()), Some(ending));
    }
    for turn in Turn::ALL {
        assert_eq!(Turn::from_word(turn.word()), Some(turn));
    }
}
