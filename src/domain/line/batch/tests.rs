use super::*;

fn at(ms: i64) -> Moment {
    Moment { utc_us: 1_764_000_000_000_000 + ms * 1_000, mono_us: ms * 1_000 }
}

/// One word of a script for each poll of a second: the id, `!` for a reset, `_` for a missed poll.
fn follow(script: &str) -> Vec<String> {
    let mut follower = BatchFollower::new(Settings::default(), None);
    let mut said = Vec::new();
    for (n, word) in script.split_whitespace().enumerate() {
        let now = at(n as i64 * 1_000);
        let mut verdicts = Vec::new();
        if word != "_" {
            verdicts.push(follower.id(&word.trim_end_matches('!').into(), now));
            if word.ends_with('!') {
                verdicts.push(follower.reset(now));
            }
        }
        verdicts.push(follower.decide(now));
        for verdict in verdicts {
            match verdict {
                Verdict::Nothing => {}
                Verdict::Doubt => said.push(format!("{n}: doubt")),
                Verdict::Stay(remark) => said.push(format!("{n}: stay, {}", remark.word())),
                Verdict::Change(Change { id, at, remark }) => {
                    let (id, s) = (id.unwrap_or_default(), at.mono_us / 1_000_000);
                    said.push(format!("{n}: {id} since {s}, {}", remark.word()));
                }
            }
        }
    }
    said
}

#[test]
fn id_and_reset_in_one_poll() {
    assert_eq!(
        follow("A A B! B B B B B"),
        ["0: A since 0, first", "2: doubt", "2: doubt", "3: B since 2, matched"]
    );
}

#[test]
fn the_id_may_be_up_to_three_polls_early_and_the_reset_is_the_border() {
    for early in 1..=3 {
        let script = format!("A A {} B! B B B B", "B ".repeat(early));
        let reset = 2 + early;
        let said = follow(&script);
        let last = said.last().unwrap();
        assert!(last.ends_with(&format!("B since {reset}, matched")), "{script}: {said:?}");
    }
}

#[test]
fn the_id_may_be_up_to_three_polls_late_and_the_reset_is_the_border() {
    for late in 1..=3 {
        let script = format!("A A A! {} B B B B B", "A ".repeat(late - 1));
        let said = follow(&script);
        assert!(said.last().unwrap().ends_with("B since 2, matched"), "{script}: {said:?}");
    }
}

#[test]
fn an_id_that_flickers_changes_nothing() {
    let expected = ["0: A since 0, first", "2: doubt", "3: stay, flicker"];
    assert_eq!(follow("A A B A A A A A A"), expected);
    // A torn text is yet another id, and counts for neither.
    let torn = follow("A A A B! AB B B B B");
    assert_eq!(torn.last().unwrap(), "6: B since 3, matched");
}

#[test]
fn an_id_without_a_reset_changes_the_batch_after_the_window() {
    let expected = ["0: A since 0, first", "2: doubt", "6: B since 2, no_reset"];
    assert_eq!(follow("A A B B B B B B"), expected);
}

#[test]
fn a_reset_without_an_id_changes_nothing() {
    let expected = ["0: A since 0, first", "2: doubt", "6: stay, no_id"];
    assert_eq!(follow("A A A! A A A A A A"), expected);
}

#[test]
fn missed_polls_delay_the_decision_only() {
    let said = follow("A A _ _ B! _ B B");
    assert_eq!(said.last().unwrap(), "6: B since 4, matched");
}

#[test]
fn an_id_of_the_machine_ends_a_batch_that_was_opened_by_hand() {
    let mut follower = BatchFollower::new(Settings::default(), None);
    assert_eq!(follower.open("X".into(), at(0)).remark, Remark::ByHand);
    // A machine that tells no id leaves it alone; that it resets its counters says nothing of a batch.
    assert_eq!(follower.id(&"".into(), at(1_000)), Verdict::Nothing);
    assert_eq!(follower.reset(at(2_000)), Verdict::Doubt);
    assert_eq!(follower.decide(at(6_000)), Verdict::Stay(Remark::NoId));
    assert_eq!(follower.current(), Some(&"X".into()));
    // The same id from the machine changes nothing, another one does.
    assert_eq!(follower.id(&"X".into(), at(7_000)), Verdict::Nothing);
    assert_eq!(follower.id(&"B".into(), at(8_000)), Verdict::Doubt);
    assert_eq!(follower.id(&"B".into(), at(9_000)), Verdict::Nothing);
    let change = Change { id: Some("B".into()), at: at(8_000), remark: Remark::NoReset };
    assert_eq!(follower.decide(at(12_000)), Verdict::Change(change));
}

#[test]
fn after_a_close_by_hand_the_machine_opens_the_next_batch() {
    let mut follower = BatchFollower::new(Settings::default(), Some("A".into()));
    assert_eq!(follower.close(at(3_000)).id, None);
    let next = follower.id(&"B".into(), at(4_000));
    assert!(matches!(next, Verdict::Change(Change { remark: Remark::First, .. })), "{next:?}");
}

fn limits() -> Limits {
    let percent = |n: u128| Ratio::new(n, 100).unwrap();
    Limits { low: percent(98), high: percent(101) }
}

#[test]
fn the_balance_is_an_interval_that_is_judged_as_one() {
    let exact = Material {
        infeed: Count::exact(1_000_000),
        good: Count::exact(996_000),
        rejected: Count::exact(2_900),
        sampled: Count::exact(100),
    };
    let balance = exact.balance_ratio().unwrap();
    assert_eq!(balance.best, Ratio::new(999, 1_000).unwrap());
    assert_eq!(Some(balance.low), balance.high);
    assert_eq!(balance.keeps(&limits()), Kept::Yes);
    assert_eq!(exact.yield_ratio().unwrap().best, Ratio::new(996, 1_000).unwrap());
    let wide = Material { good: Count::between(950_000, 996_000, 996_000), ..exact };
    assert_eq!(wide.balance_ratio().unwrap().keeps(&limits()), Kept::Undecided);
    let lost = Material { good: Count::between(940_000, 960_000, 970_000), ..exact };
    assert_eq!(lost.balance_ratio().unwrap().keeps(&limits()), Kept::No);
}

#[test]
fn nothing_in_is_undefined_and_perhaps_nothing_in_has_no_upper_bound() {
    assert_eq!(Material::default().balance_ratio(), None);
    let doubtful = Material {
        infeed: Count::between(0, 10, 10),
        good: Count::exact(10),
        ..Material::default()
    };
    let balance = doubtful.balance_ratio().unwrap();
    assert_eq!((balance.low, balance.high), (Ratio::ONE, None));
    assert_eq!(balance.keeps(&limits()), Kept::Undecided);
}
