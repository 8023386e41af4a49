//! What the way in of a machine decides about the counters of its way out: a long silence of a reject counter of four digits.

use proptest::prelude::*;

use super::line::{line_of, poll};
use super::script::moment;
use crate::line::tracker::{Carry, LineTracker, Onward};
use crate::plc_map::filler_map;
use crate::reading::Snapshot;
use crate::units::{Count, TagId};

/// A polisher: it keeps nothing, and shows its rejects in four digits.
const MAP: &str = filler_map!(
    r#"step = 50
inside = 3000
[modbus]
unit = 1
[groups]
fast = "1s"
[[tag]]
id = "bad"
register = "holding 0"
type = "u16"
modulus = 10000
role = "reject:no_dose"
resets = "never"
retentive = false
[[tag]]
id = "halves"
register = "holding 1"
type = "u16"
modulus = 10000
role = "reject:half_or_loose"
resets = "never"
retentive = false
[[tag]]
id = "good"
register = "holding 2"
type = "u32"
role = "good"
resets = "never"
retentive = false
[[tag]]
id = "infeed"
register = "holding 4"
type = "u32"
role = "infeed"
resets = "never"
retentive = false
"#
);

/// Counted long before: more than a restart could have caught up with.
const BEFORE: [u64; 4] = [1_045, 536, 5_349_723, 5_352_904];

struct Watch(LineTracker);

impl Watch {
    fn new(map: &str) -> Watch {
        Watch(LineTracker::new(line_of(&[map]), moment(0.0), Carry::default()))
    }

    /// A poll at a second: bad, halves, good, infeed.
    fn poll(&mut self, seconds: f64, values: [u64; 4]) {
        self.0.advance(&poll(seconds, &values));
        self.0.check(moment(seconds));
    }

    fn total(&self, tag: &str) -> Count {
        self.0.total_of(&TagId::new(tag)).expect("a counter of the map")
    }
}

/// The totals of both kinds of rejects after so many counts in twelve minutes of silence: bad, halves, good, infeed.
fn after_twelve_minutes(map: &str, counts: [u64; 4]) -> [Count; 2] {
    let mut watch = Watch::new(map);
    watch.poll(0.0, BEFORE);
    let shown = |i: usize| BEFORE[i] + counts[i];
    watch.poll(720.0, [shown(0) % 10_000, shown(1) % 10_000, shown(2), shown(3)]);
    [watch.total("bad"), watch.total("halves")]
}

/// Shows: CNT-02, CNT-03
#[test]
fn twelve_minutes_of_a_counter_of_four_digits_are_decided_by_what_came_in() {
    let counts = [230, 90, 77_400, 77_800];
    assert_eq!(after_twelve_minutes(MAP, counts), [Count::exact(230), Count::exact(90)]);
    // The negative control: without the way in nobody can know. 85,850 can be made in that time.
    let blind = MAP.replace("role = \"infeed\"", "role = \"condition\"\ngroup = \"fast\"");
    let blind = blind.rsplit_once("resets = ").map(|(head, _)| head).expect("a key of the infeed");
    let said = after_twelve_minutes(blind, counts);
    assert!(said.iter().all(|said| said.high() > 80_000), "{said:?}");
}

/// One of six is rejected: what came in leaves room for the wrap, and both are said.
#[test]
fn a_wrap_that_what_came_in_has_room_for_is_not_excluded() {
    let [bad, halves] = after_twelve_minutes(MAP, [13_000, 90, 64_600, 77_800]);
    assert_eq!(bad, Count::between(3_000, 3_000, 13_000));
    assert_eq!(halves, Count::between(90, 90, 10_090));
}

/// Where the controller was switched off meanwhile, what came in before that is as unknown as what left.
#[test]
fn a_way_in_that_was_set_back_itself_bounds_nothing() {
    let mut watch = Watch::new(MAP);
    watch.poll(0.0, BEFORE);
    watch.poll(720.0, [12, 8, 10_000, 10_050]);
    assert!(watch.total("bad").high() > 80_000, "{:?}", watch.total("bad"));
}

/// A young counter may have been set back and have caught up: then as much came in as can come in such a time, 85,850.
#[test]
fn a_way_in_that_may_have_been_set_back_unseen_is_no_more_certain_than_that() {
    let mut watch = Watch::new(MAP);
    watch.poll(0.0, [10, 5, 1_000, 1_100]);
    watch.poll(720.0, [240, 95, 78_400, 78_900]);
    let most = (85_850 + 3_000) * 51 / 50 - 77_400 - 90;
    let said = watch.total("bad");
    assert!((most..most + 500).contains(&said.high()), "{most}: {said:?}");
}

/// The same of a batch counter that keeps its value: its count alone is exact, and what is left out of it for the time before
/// this gap is what was counted, not what can have come.
#[test]
fn a_batch_that_may_have_begun_unseen_bounds_as_well() {
    let infeed = "role = \"infeed\"\nresets = \"never\"\nretentive = false";
    let of_batch = "role = \"infeed\"\nresets = \"batch\"\nretentive = true";
    assert!(MAP.contains(infeed), "the infeed of the map");
    let mut watch = Watch::new(&MAP.replace(infeed, of_batch));
    watch.poll(0.0, [10, 5, 1_000, 1_100]);
    watch.poll(720.0, [240, 95, 78_400, 78_900]);
    assert_eq!(watch.total("infeed"), Count::exact(77_800));
    let most = (85_850 + 3_000) * 51 / 50 - 77_400 - 90;
    let said = watch.total("bad");
    assert!((most..most + 500).contains(&said.high()), "{most}: {said:?}");
}

/// A sensor that counts 100 % too much shows that it does within minutes, and is not believed later.
#[test]
fn a_machine_whose_counts_contradict_each_other_bounds_nothing() {
    let mut watch = Watch::new(MAP);
    let mut shown = BEFORE;
    watch.poll(0.0, shown);
    for minute in 1..=10 {
        shown = [shown[0] + 20, shown[1] + 8, shown[2] + 7_000, shown[3] + 6_000];
        for part in 1..=60_u64 {
            let at = |i: usize, step: u64| shown[i] - step * (60 - part) / 60;
            let values = [at(0, 20), at(1, 8), at(2, 7_000), at(3, 6_000)];
            watch.poll(f64::from((minute - 1) * 60) + part as f64, values);
        }
    }
    shown = [shown[0] + 230, shown[1] + 90, shown[2] + 70_000, shown[3] + 77_800];
    watch.poll(1_320.0, shown);
    assert!(watch.total("bad").high() > 80_000, "{:?}", watch.total("bad"));
}

/// What stood in the machine when the gap began went out of it, too, and sensors miscount that as well.
#[test]
fn a_machine_that_was_emptied_let_out_what_was_inside() {
    // No restart is excluded by a way in that keeps its value, and the rejects may have been set back.
    let (head, tail) = MAP.rsplit_once("retentive = false").expect("a key of the infeed");
    let map = format!("{head}retentive = true{tail}");
    let mut watch = Watch::new(&map);
    watch.poll(0.0, [9_990, 536, 5_349_723, 5_352_904]);
    // 30 rejects pass the end of four digits; the sensor of good capsules saw 58 that were none.
    watch.poll(30.0, [20, 536, 5_349_723 + 3_028, 5_352_904]);
    let said = watch.total("bad");
    assert!(said.low() <= 30 && 30 <= said.high(), "{said:?}");
}

/// A poll of several requests may take long: what passes meanwhile is in one reading and not in the other.
#[test]
fn what_passes_between_two_requests_of_a_poll_is_left_room_for() {
    for (round_trip_us, decided) in [(1_000, true), (8_000_000, false)] {
        let mut watch = Watch::new(MAP);
        watch.poll(0.0, BEFORE);
        let counts = [383, 0, 3_150, 10_000];
        let values: Vec<u64> = (0..4).map(|i| BEFORE[i] + counts[i]).collect();
        let snapshot = Snapshot { round_trip_us, ..poll(120.0, &values) };
        watch.0.advance(&snapshot);
        let said = watch.total("bad");
        assert_eq!(said.high() < 10_383, decided, "{round_trip_us}: {said:?}");
    }
}

/// A sibling that shows what no machine can have made has taken no part of what came in.
#[test]
fn a_bad_reading_of_a_sibling_takes_nothing_away() {
    let mut watch = Watch::new(MAP);
    watch.poll(0.0, BEFORE);
    let [bad, halves, good, infeed] = BEFORE;
    // 10,050 were rejected and show as 50; the good ones were 2,900, and are shown as 15,000 once.
    watch.poll(120.0, [bad + 50, halves, good + 15_000, infeed + 13_000]);
    watch.poll(121.0, [bad + 50, halves, good + 2_900, infeed + 13_000]);
    assert_eq!(watch.total("good"), Count::exact(2_900));
    let said = watch.total("bad");
    assert!(said.low() <= 10_050 && 10_050 <= said.high(), "{said:?}");
}

/// What a sibling shows of the register that a new map reads is no part of what came in.
#[test]
fn a_sibling_of_another_register_takes_nothing_away() {
    let mut watch = Watch::new(MAP);
    watch.poll(0.0, [100, 50, 1_000, BEFORE[3]]);
    let onward = Onward { untouched: Vec::new(), baselines: Vec::new(), same_boot: true };
    let moved = MAP.replace("register = \"holding 2\"", "register = \"holding 20\"");
    watch.0.change(line_of(&[&moved]), &onward, moment(0.0));
    // 10,300 were rejected, and show as 300 more; the other register has 8,000.
    watch.poll(120.0, [400, 50, 8_000, BEFORE[3] + 13_000]);
    let said = watch.total("bad");
    assert!(said.low() <= 10_300 && 10_300 <= said.high(), "{said:?}");
}

/// A counter that shows 0 waits for the next reading, and what came in is remembered for it.
#[test]
fn a_reading_that_waits_is_bounded_too() {
    let mut watch = Watch::new(MAP);
    let before = [9_800, 536, 5_349_723, 5_352_904];
    watch.poll(0.0, before);
    let after = |bad: u64, more: u64| [bad, 626, 5_427_123 + more, 5_430_704 + more];
    watch.poll(720.0, after(0, 0));
    watch.poll(721.0, after(1, 100));
    watch.poll(722.0, after(2, 200));
    assert_eq!(watch.total("bad"), Count::exact(202));
}

/// A gap of a machine whose counters were `before`: how long it lasts, and what happens in it.
#[derive(Clone, Debug)]
struct Gap {
    before: [u64; 4],
    seconds: u64,
    /// Capsules that came in.
    came: u64,
    /// How full the machine was, and is.
    inside: [u64; 2],
    /// Of a thousand that left, those of either kind of reject.
    bad: [u64; 2],
    /// What the sensors of good capsules and of the way in miscount, of a thousand.
    miscounted: [i64; 2],
    /// The controller was switched off when so much of a thousand had passed.
    off: Option<u64>,
    /// The way in keeps its value then.
    keeps: bool,
}

fn gap() -> impl Strategy<Value = Gap> {
    let before = (0_u64..10_000, 0_u64..10_000, 0_u64..10_000_000, 0_u64..10_000_000);
    let happens = (1_u64..6_000, 0_u64..=1_000, [0_u64..=3_000, 0_u64..=3_000]);
    let bad = prop_oneof![[0_u64..=5, 0_u64..=5], [0_u64..=500, 0_u64..=500]];
    let off = (prop::option::weighted(0.2, 0_u64..=1_000), any::<bool>());
    let odd = ([-9_i64..=9, -9_i64..=9], off);
    (before, happens, bad, odd).prop_map(|(before, (seconds, share, inside), bad, odd)| Gap {
        before: [before.0, before.1, before.2, before.3],
        seconds,
        came: 6_500 * seconds / 60 * share / 1_000,
        inside,
        bad,
        miscounted: odd.0,
        off: odd.1.0,
        keeps: odd.1.1,
    })
}

impl Gap {
    /// What left as either kind of reject, and what the four registers show at its end.
    fn end(&self) -> ([u64; 2], [u64; 4]) {
        // No more leaves than the machine can pass.
        let most = 6_500 * self.seconds / 60;
        let left = (self.came + self.inside[0]).saturating_sub(self.inside[1]).min(most);
        let bad = self.bad.map(|share| left * share / 1_000);
        let good = left - bad[0] - bad[1];
        let shown = |n: u64, off: i64| (n as i64 + n as i64 * off / 1_000) as u64;
        let counts =
            [bad[0], bad[1], shown(good, self.miscounted[0]), shown(self.came, self.miscounted[1])];
        let values = [0, 1, 2, 3].map(|i| match self.off {
            Some(off) if i < 3 || !self.keeps => counts[i] - counts[i] * off / 1_000,
            _ => self.before[i] + counts[i],
        });
        (bad, [values[0] % 10_000, values[1] % 10_000, values[2], values[3]])
    }
}

proptest! {
    /// Whatever happens in a gap, what is said of the rejects holds the truth, though sensors miscount by almost a hundredth
    /// each and the controller may have been switched off.
    /// Shows: CNT-01
    #[test]
    fn what_is_said_of_rejects_holds_the_truth(gap in gap()) {
        let (bad, values) = gap.end();
        let (head, tail) = MAP.rsplit_once("retentive = false").expect("a key of the infeed");
        let mut watch = Watch::new(&format!("{head}retentive = {}{tail}", gap.keeps));
        watch.poll(0.0, gap.before);
        watch.poll(gap.seconds as f64, values);
        // A reading that does not fit by itself waits for the next.
        watch.poll(gap.seconds as f64 + 1.0, values);
        for (tag, truth) in [("bad", bad[0]), ("halves", bad[1])] {
            let said = watch.total(tag);
            prop_assert!(said.low() <= truth && truth <= said.high(), "{tag}: {truth}, said {said:?}");
        }
    }
}
