//! `final = initial + Σ deltas (mod M)` is checked at each reading: a ledger that was damaged in the store is found.

use super::script::{moment, play, read};
use crate::line::event::EventKind;
use crate::line::tracker::{Carry, LineTracker};
use crate::reading::Snapshot;
use crate::units::Count;

use super::script::{Step, model};

const BEFORE: &str = "
    0.0  CF01.fast  state=execute uptime=100 good=65450
    0.5  CF01.fast  state=execute uptime=100 good=65500
    1.0  CF01.fast  state=execute uptime=101 good=14
";

/// Alarms after a restart from what was carried over, and the total then.
fn resume(carry: Carry) -> (Vec<String>, Count) {
    let mut tracker = LineTracker::new(model(), moment(1.2), carry);
    for step in read("1.5 CF01.fast state=execute uptime=101 good=64") {
        if let Step::Snapshot(snapshot) = step {
            let snapshot: Snapshot = snapshot;
            tracker.advance(&snapshot);
        }
    }
    let events = tracker.take_changes().events;
    let alarms = events.into_iter().filter(|event| event.kind == EventKind::Alarm);
    (alarms.map(|event| event.word).collect(), tracker.total())
}

#[test]
fn a_sound_ledger_adds_up_over_a_wrap_and_a_restart() {
    let (_, journal) = play(&read(BEFORE), |_| false);
    assert_eq!(resume(journal.carry()), (vec![], Count::exact(150)));
}

#[test]
fn a_damaged_ledger_is_an_alarm_and_no_panic() {
    type Damage = fn(&mut crate::line::counter::Baseline);
    let damages: [Damage; 3] = [
        |baseline| baseline.segment_sum += 1,
        |baseline| baseline.segment_start = baseline.segment_start.wrapping_sub(50),
        |baseline| baseline.segment_sum = u64::MAX,
    ];
    for damage in damages {
        let (_, journal) = play(&read(BEFORE), |_| false);
        let mut carry = journal.carry();
        let good = carry.baselines.iter_mut().find(|(tag, _)| tag.as_str() == "good");
        damage(&mut good.unwrap().1);
        let (alarms, total) = resume(carry);
        assert_eq!(alarms, ["conservation"]);
        // What was counted before stays, and counting goes on.
        assert_eq!(total, Count::exact(150));
    }
}
