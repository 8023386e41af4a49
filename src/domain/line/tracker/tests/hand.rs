//! Batches by hand: to which batch each capsule belongs, who may order what, and what a restart makes of it.

use std::collections::BTreeMap;

use super::line::{line_of, poll};
use super::script::moment;
use crate::line::batch::hand::{Act, Did, Order, Refusal};
use crate::line::chronicle::Past;
use crate::line::event::{Event, EventKind};
use crate::line::minute::Counted;
use crate::line::rollup::{OpenBatch, PeriodKind, Rollup};
use crate::line::tracker::{Carry, LineTracker};
use crate::plc_map::filler_map;
use crate::reading::{Miss, Outcome, Snapshot, Value};
use crate::units::{Count, StationId};

const MAP: &str = filler_map!(
    r#"step = 50
inside = 900
[modbus]
unit = 1
[groups]
fast = "1s"
[states]
3 = "execute"
5 = "held"
[stop_reasons]
1 = { en = "capsule jam", zh = "囊帽卡住" }
[[tag]]
id = "state"
register = "holding 0"
type = "u16"
role = "state"
[[tag]]
id = "in"
register = "holding 2"
type = "u32"
role = "infeed"
resets = "never"
[[tag]]
id = "good"
register = "holding 4"
type = "u32"
role = "good"
resets = "never"
[[tag]]
id = "reason"
register = "holding 8"
type = "u16"
role = "stop_reason"
"#
);

/// The tag of a machine that tells its batch.
const BATCH: &str =
    "[[tag]]\nid = \"batch\"\nregister = \"holding 6\"\ntype = \"u16\"\nrole = \"batch_id\"\n";

fn tracker(map: &str, carry: Carry, second: f64) -> LineTracker {
    LineTracker::new(line_of(&[map]), moment(second), carry)
}

/// A reading of the state, the infeed, the good count, the stop reason and perhaps the batch.
fn read(second: u64, values: &[u64]) -> Snapshot {
    poll(second as f64, values)
}

fn open(id: &str) -> Order {
    Order { act: Act::Open { id: id.into(), product: "".into() }, by: "li".into() }
}

fn close(id: Option<&str>) -> Order {
    Order { act: Act::Close { id: id.map(Into::into) }, by: "wang".into() }
}

/// All that was stored so far, and what a start would go on from.
#[derive(Default)]
struct Kept {
    carry: Carry,
    rollups: BTreeMap<(PeriodKind, i64), Rollup>,
    events: Vec<Event>,
    last_stop: u64,
}

impl Kept {
    fn store(&mut self, tracker: &mut LineTracker) {
        let changes = tracker.take_changes();
        self.carry.baselines = changes.baselines;
        self.carry.states = changes.states;
        self.events.extend(changes.events);
        for stop in changes.stops {
            self.last_stop = self.last_stop.max(stop.number);
            self.carry.past.open_stop = stop.to.is_none().then_some(stop);
        }
        for rollup in changes.rollups {
            self.rollups.insert((rollup.kind, rollup.start_us), rollup);
        }
        if let Some(balance) = changes.balance {
            self.carry.past.balance = balance;
        }
        self.carry.past.last = Some(changes.booked_to);
    }

    fn carry(&self) -> Carry {
        let open = self.rollups.values().filter(|rollup| !rollup.closed).cloned().collect();
        let (last_stop, past) = (self.last_stop, self.carry.past.clone());
        let past = Past { last_stop, rollups: open, same_boot: true, ..past };
        Carry { same_boot: true, past, ..self.carry.clone() }
    }

    /// Good capsules of each batch, oldest first.
    fn batches(&self) -> Vec<(String, Count)> {
        let batches = self.rollups.values().filter(|rollup| rollup.kind == PeriodKind::Batch);
        let good = |rollup: &Rollup| rollup.count(&StationId::new("CF01"), &Counted::Good);
        batches.map(|rollup| (rollup.name.to_string(), good(rollup))).collect()
    }

    fn said(&self) -> Vec<String> {
        let batch = self.events.iter().filter(|event| event.kind == EventKind::Batch);
        batch.map(|event| format!("{}: {}", event.word, event.detail)).collect()
    }
}

/// Shows: CNT-08
#[test]
fn each_capsule_belongs_to_the_batch_that_was_open_when_it_was_read_or_to_none() {
    let mut tracker = tracker(MAP, Carry::default(), 0.0);
    let mut kept = Kept::default();
    // Seconds at which something is ordered, right after the reading of that second.
    let orders = [(10, open("A")), (25, open("B")), (40, close(Some("B"))), (50, open("C"))];
    for second in 0..=60 {
        tracker.advance(&read(second, &[3, second * 100, second * 100, 0]));
        if let Some((_, order)) = orders.iter().find(|(at, _)| *at == second) {
            tracker.order(order).expect("nobody else says which batch it is");
        }
        tracker.check(moment(second as f64));
        kept.store(&mut tracker);
    }
    let exact = |id: &str, n| (id.to_owned(), Count::exact(n));
    let batches = kept.batches();
    assert_eq!(batches, [exact("A", 1_500), exact("B", 1_500), exact("C", 1_000)]);
    // What nobody claimed: before the first, and between the second and the third.
    let claimed: Count = batches.iter().map(|(_, good)| *good).sum();
    let unassigned = tracker.total().since(claimed);
    assert_eq!((tracker.total(), unassigned), (Count::exact(6_000), Count::exact(2_000)));
    let said = ["A: opened by hand by li", "B: opened by hand by li", "B: closed by hand by wang"];
    assert_eq!(kept.said()[..3], said);
}

#[test]
fn one_poll_later_the_same_order_gives_another_count() {
    // The negative control of the test above: were orders carried out a reading late, it would fail.
    let good_of_a = |late: u64| {
        let mut tracker = tracker(MAP, Carry::default(), 0.0);
        let mut kept = Kept::default();
        for second in 0..=30 {
            tracker.advance(&read(second, &[3, second * 100, second * 100, 0]));
            if second == 10 + late {
                tracker.order(&open("A")).unwrap();
            }
        }
        kept.store(&mut tracker);
        kept.batches()[0].1
    };
    assert_eq!((good_of_a(0), good_of_a(1)), (Count::exact(2_000), Count::exact(1_900)));
}

#[test]
fn an_order_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut tracker = tracker(MAP, Carry::default(), 0.0);
    let cf01 = || StationId::new("CF01");
    assert_eq!(tracker.order(&open("A")), Err(Refusal::NotRead(cf01())), "not heard yet");
    tracker.advance(&read(0, &[3, 0, 0, 0]));
    assert_eq!(tracker.order(&close(None)), Err(Refusal::NoneOpen));
    tracker.order(&open("A")).unwrap();
    assert_eq!(tracker.order(&open("A")), Err(Refusal::AlreadyOpen("A".into())));
    let other = Refusal::Other { asked: "B".into(), open: "A".into() };
    assert_eq!(tracker.order(&close(Some("B"))), Err(other));
    // A machine that is silent for longer than it may be.
    let missed = Snapshot { outcome: Outcome::Missed(Miss::Timeout), ..read(9, &[]) };
    tracker.advance(&missed);
    tracker.check(moment(9.0));
    assert_eq!(tracker.order(&close(Some("A"))), Err(Refusal::NotRead(cf01())));
    let mut kept = Kept::default();
    kept.store(&mut tracker);
    assert_eq!(kept.batches().len(), 1);
    assert_eq!(kept.said(), ["A: opened by hand by li"]);
}

#[test]
fn the_id_of_the_machine_wins() {
    let map = format!("{MAP}{BATCH}");
    let mut tracker = tracker(&map, Carry::default(), 0.0);
    tracker.advance(&read(0, &[3, 0, 0, 0, 77]));
    let (station, id) = (StationId::new("CF01"), "77".into());
    assert_eq!(tracker.order(&open("A")), Err(Refusal::Told { station, id }));
    let mut kept = Kept::default();
    kept.store(&mut tracker);
    assert_eq!(kept.batches().len(), 1, "the machine's own");
}

#[test]
fn a_machine_that_begins_to_tell_a_batch_ends_the_one_that_was_opened_by_hand() {
    let map = format!("{MAP}{BATCH}");
    // The window of a change is over at a reading, or between two of them.
    for last in [14, 20] {
        let mut tracker = tracker(&map, Carry::default(), 0.0);
        let mut kept = Kept::default();
        for second in 0..=last {
            let mut snapshot = read(second, &[3, second * 100, second * 100, 0, 0]);
            let Outcome::Taken(readings) = &mut snapshot.outcome else { unreachable!() };
            readings[4].value = Value::Text(if second < 10 { "" } else { "M7" }.into());
            tracker.advance(&snapshot);
            if second == 2 {
                tracker.order(&open("A")).expect("the machine tells no batch");
            }
            tracker.check(moment(second as f64 + 0.5));
        }
        kept.store(&mut tracker);
        let good = |n| Count::exact(n);
        // The border is the reading that shows the id first: what that reading brought was made before.
        let begun = [("A".to_owned(), good(800)), ("M7".to_owned(), good((last - 10) * 100))];
        assert_eq!(kept.batches(), begun);
        let told = "M7: told by the machine: ends batch A, opened by hand";
        assert_eq!(kept.said().iter().filter(|said| *said == told).count(), 1, "{:?}", kept.said());
    }
}

#[test]
fn two_orders_at_one_reading_make_two_batches() {
    let mut tracker = tracker(MAP, Carry::default(), 0.0);
    tracker.advance(&read(0, &[3, 0, 0, 0]));
    let first = tracker.order(&open("A")).unwrap();
    let second = tracker.order(&open("B")).unwrap();
    assert!(first.start_us < second.start_us && second.did == Did::Opened);
    let mut kept = Kept::default();
    kept.store(&mut tracker);
    assert_eq!(kept.batches().len(), 2);
}

#[test]
fn a_batch_opened_by_hand_goes_on_after_a_restart_with_what_was_made_unseen() {
    let mut kept = Kept::default();
    let mut before = tracker(MAP, Carry::default(), 0.0);
    before.advance(&read(0, &[3, 0, 0, 0]));
    before.advance(&read(1, &[3, 100, 100, 0]));
    before.order(&open("A")).unwrap();
    before.advance(&read(2, &[3, 200, 200, 0]));
    kept.store(&mut before);
    drop(before);
    let mut after = tracker(MAP, kept.carry(), 30.0);
    let open = OpenBatch { id: "A".into(), start_us: moment(1.0).utc_us, by_hand: true };
    assert_eq!(after.status(moment(30.0)).batch, Some(open));
    after.advance(&read(30, &[3, 3_000, 3_000, 0]));
    after.order(&close(Some("A"))).unwrap();
    after.advance(&read(31, &[3, 3_100, 3_100, 0]));
    kept.store(&mut after);
    // The map has no uptime: that the counter was reset unseen cannot be excluded, and the batch has that doubt.
    let batches = kept.batches();
    let (id, good) = &batches[0];
    assert_eq!((id.as_str(), good.best(), good.low()), ("A", 2_900, 2_900));
    assert_eq!(after.total().since(*good), Count::exact(200), "100 before it and 100 after it");
}

#[test]
fn the_reason_of_an_open_stop_outlives_a_restart_after_which_the_machine_tells_none() {
    let mut kept = Kept::default();
    let mut before = tracker(MAP, Carry::default(), 0.0);
    before.advance(&read(0, &[3, 0, 0, 0]));
    before.advance(&read(1, &[5, 0, 0, 1]));
    before.advance(&read(2, &[5, 0, 0, 1]));
    kept.store(&mut before);
    drop(before);
    let mut after = tracker(MAP, kept.carry(), 30.0);
    // It runs again by the first reading, and the code is gone.
    after.advance(&read(30, &[3, 0, 0, 0]));
    kept.store(&mut after);
    let stop = kept.events.iter().find(|event| event.kind == EventKind::Stop).expect("it ended");
    assert_eq!(stop.detail, "capsule jam");
}

#[test]
fn the_balance_goes_on_after_a_restart_and_a_new_one_would_not() {
    let run = |carry: Carry, seconds: std::ops::Range<u64>, kept: &mut Kept| {
        let mut tracker = tracker(MAP, carry, seconds.start as f64);
        for second in seconds.clone() {
            let went_in = second * 100;
            tracker.advance(&read(second, &[3, went_in, went_in.saturating_sub(600), 0]));
            tracker.check(moment(second as f64));
        }
        kept.store(&mut tracker);
        tracker.status(moment(seconds.end as f64)).contents[0].expect("it was judged")
    };
    let mut kept = Kept::default();
    let before = run(Carry::default(), 0..200, &mut kept);
    // 600 are inside and 900 have room: what went in before the first reading came out is in the interval too.
    assert!(before.low <= 600 && 600 <= before.high && before.low > 0, "{before:?}");
    let after = run(kept.carry(), 260..400, &mut kept);
    assert_eq!(after.since_us, before.since_us);
    assert!(after.at_us > before.at_us);
    assert!(after.low >= before.low && after.high <= before.high, "{after:?} is no wider");
    // The negative control: without what was kept, the test begins anew and says so.
    let mut carry = kept.carry();
    carry.past.balance.clear();
    let anew = run(carry, 460..470, &mut Kept::default());
    assert!(anew.since_us > after.since_us);
    assert_eq!((anew.low, anew.high), (0, 900));
}
