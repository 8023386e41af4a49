//! What an odometer decides: a long silence of a 16-bit counter, a batch change, a restart of ours in it.

use super::line::{line_of, poll};
use super::script::{Journal, moment};
use crate::line::event::EventKind;
use crate::line::tracker::{Carry, LineTracker};
use crate::plc_map::filler_map;
use crate::units::{Count, TagId};

const MAP: &str = filler_map!(
    r#"step = 50
[modbus]
unit = 1
[groups]
fast = "1s"
[[tag]]
id = "strokes"
register = "holding 0"
type = "u32"
role = "odometer"
capsules = 50
[[tag]]
id = "infeed"
register = "holding 2"
type = "u16"
role = "infeed"
retentive = true
resets = "batch"
odometer = "strokes"
[[tag]]
id = "good"
register = "holding 3"
type = "u32"
role = "good"
retentive = true
odometer = "strokes"
[[tag]]
id = "bad"
register = "holding 5"
type = "u16"
role = "reject:no_dose"
retentive = true
resets = "batch"
odometer = "strokes"
"#
);

/// A line of one filler, and what its journal would hold.
struct Watch {
    tracker: LineTracker,
    journal: Journal,
    map: String,
}

impl Watch {
    fn new(map: &str) -> Watch {
        let tracker = LineTracker::new(line_of(&[map]), moment(0.0), Carry::default());
        Watch { tracker, journal: Journal::default(), map: map.into() }
    }

    /// A poll at a second: strokes, infeed, good, bad.
    fn poll(&mut self, seconds: f64, values: [u64; 4]) {
        self.tracker.advance(&poll(seconds, &values));
        self.tracker.check(moment(seconds));
        self.journal.store(self.tracker.take_changes());
    }

    fn restart(&mut self, seconds: f64) {
        self.tracker =
            LineTracker::new(line_of(&[&self.map]), moment(seconds), self.journal.carry());
    }

    fn total(&self, tag: &str) -> Count {
        self.tracker.total_of(&TagId::new(tag)).expect("a counter of the map")
    }

    /// Events of a kind about a tag, as words.
    fn words(&self, kind: EventKind, tag: &str) -> Vec<String> {
        let about = |id: &Option<TagId>| id.as_ref().is_some_and(|id| id.as_str() == tag);
        let events = self.journal.events.iter();
        let events = events.filter(|event| event.kind == kind && about(&event.tag));
        events.map(|event| event.word.clone()).collect()
    }
}

/// A map whose counters name no odometer.
fn without_odometer() -> String {
    MAP.replace("odometer = \"strokes\"\n", "")
}

#[test]
fn twelve_minutes_of_a_16_bit_counter_are_decided() {
    for ours in [false, true] {
        let mut watch = Watch::new(MAP);
        watch.poll(0.0, [100, 1_000, 0, 7]);
        if ours {
            watch.restart(700.0);
        }
        // 402 strokes, and not the 1,711 that 85,536 need.
        watch.poll(720.0, [502, 21_000, 19_900, 19]);
        assert_eq!(watch.total("infeed"), Count::exact(20_000), "restart: {ours}");
        assert_eq!(watch.total("bad"), Count::exact(12), "restart: {ours}");
    }
}

/// The negative control of the case before: from the tag alone nobody can know.
#[test]
fn without_an_odometer_one_more_wrap_fits() {
    let mut watch = Watch::new(&without_odometer());
    watch.poll(0.0, [100, 1_000, 0, 7]);
    watch.poll(720.0, [502, 21_000, 19_900, 19]);
    assert_eq!(watch.total("infeed"), Count::between(20_000, 20_000, 85_536));
    assert_eq!(watch.total("bad"), Count::between(12, 12, 65_548));
}

/// 1,560 strokes are room for a wrap of the rejects; but the good capsules have used it.
#[test]
fn what_the_siblings_counted_is_no_longer_there() {
    let mut watch = Watch::new(MAP);
    watch.poll(0.0, [100, 0, 0, 7]);
    watch.poll(720.0, [1_660, 12_464, 77_900, 107]);
    assert_eq!(watch.total("bad"), Count::exact(100));
    assert_eq!(watch.total("good"), Count::exact(77_900));
    // The infeed shares with nobody, and an odometer only says how many there were at most.
    assert_eq!(watch.total("infeed"), Count::between(12_464, 12_464, 78_000));
}

#[test]
fn a_reset_while_the_machine_stands_hides_nothing() {
    let change = |map: &str| {
        let mut watch = Watch::new(map);
        watch.poll(0.0, [100, 1_000, 0, 7]);
        watch.poll(1.0, [100, 0, 0, 0]);
        watch.poll(2.0, [100, 0, 0, 0]);
        watch
    };
    let watch = change(MAP);
    assert_eq!((watch.total("infeed"), watch.total("bad")), (Count::ZERO, Count::ZERO));
    for tag in ["infeed", "bad"] {
        assert_eq!(watch.words(EventKind::Count, tag), ["first", "reset"], "one row a reset");
    }
    assert_eq!(watch.words(EventKind::Count, "good"), ["first"]);
    // The negative control: a second of the machine and a stroke are in doubt without it.
    assert_eq!(change(&without_odometer()).total("bad"), Count::between(0, 0, 169));
}

#[test]
fn a_reading_that_waits_for_long_is_told() {
    let mut watch = Watch::new(MAP);
    watch.poll(0.0, [100, 1_000, 0, 7]);
    watch.poll(1.0, [100, 0, 0, 7]);
    assert_eq!(watch.words(EventKind::Count, "infeed"), ["first"]);
    watch.tracker.check(moment(3.1));
    watch.journal.store(watch.tracker.take_changes());
    assert_eq!(watch.words(EventKind::Count, "infeed"), ["first", "quarantined"]);
}

/// The negative control of all: a map that says 25 capsules where 50 fall is found out, and says so once.
#[test]
fn an_odometer_of_too_few_capsules_is_found_out() {
    let mut watch = Watch::new(&MAP.replace("capsules = 50", "capsules = 25"));
    for poll in 0..60 {
        let n = poll * 50;
        watch.poll(poll as f64, [poll, 1_000 + n, n, 7]);
    }
    assert_eq!(watch.total("infeed"), Count::exact(59 * 50), "it is not used where it cannot be");
    for tag in ["infeed", "good"] {
        assert_eq!(watch.words(EventKind::Alarm, tag), ["contradicted"]);
        assert_eq!(watch.words(EventKind::Count, tag), ["first", "step"]);
    }
}
