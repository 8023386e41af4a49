//! Readings that contradict each other or are no counter at all: a map that does not fit, words that are turned round, counts of
//! a machine that stands, a counter that its odometer contradicts.

use super::line::{line_of, poll};
use super::script::{Journal, moment};
use crate::line::event::EventKind;
use crate::line::tracker::elapsed::Elapsed;
use crate::line::tracker::{Carry, LineTracker};
use crate::plc_map::filler_map;
use crate::units::{Count, TagId};

const MAP: &str = filler_map!(
    r#"step = 50
[modbus]
unit = 1
[groups]
fast = "500ms"
[states]
3 = "execute"
5 = "held"
7 = "manual"
[[tag]]
id = "state"
register = "holding 0"
type = "u16"
role = "state"
[[tag]]
id = "uptime"
register = "holding 1"
type = "u32"
role = "uptime"
[[tag]]
id = "cleared"
register = "holding 9"
type = "u32"
role = "since_reset"
[[tag]]
id = "strokes"
register = "holding 3"
type = "u32"
role = "odometer"
capsules = 50
[[tag]]
id = "bad"
register = "holding 5"
type = "u16"
role = "reject:no_dose"
retentive = false
odometer = "strokes"
[[tag]]
id = "good"
register = "holding 7"
type = "u32"
modulus = "2^31"
role = "good"
retentive = true
odometer = "strokes"
"#
);

/// What a poll of the machine shows.
#[derive(Clone, Copy)]
struct Shown {
    state: u64,
    uptime: u64,
    cleared: u64,
    strokes: u64,
    bad: u64,
    good: u64,
}

struct Watch {
    tracker: LineTracker,
    journal: Journal,
    polls: u64,
}

impl Watch {
    fn new() -> Watch {
        let tracker = LineTracker::new(line_of(&[MAP]), moment(0.0), Carry::default());
        Watch { tracker, journal: Journal::default(), polls: 0 }
    }

    /// So many polls, two a second.
    fn poll(&mut self, polls: u64, shown: impl Fn(u64) -> Shown) {
        for n in self.polls..self.polls + polls {
            let Shown { state, uptime, cleared, strokes, bad, good } = shown(n);
            let seconds = n as f64 / 2.0;
            self.tracker.advance(&poll(seconds, &[state, uptime, cleared, strokes, bad, good]));
            self.tracker.check(moment(seconds));
            self.journal.store(self.tracker.take_changes());
        }
        self.polls += polls;
    }

    fn total(&self, tag: &str) -> Count {
        self.tracker.total_of(&TagId::new(tag)).expect("a counter of the map")
    }

    fn alarms(&self) -> Vec<(String, String)> {
        let alarms = self.journal.events.iter().filter(|event| event.kind == EventKind::Alarm);
        let named = alarms.map(|event| {
            let tag = event.tag.as_ref().map_or_else(String::new, |tag| tag.as_str().to_owned());
            (event.word.clone(), tag)
        });
        named.collect()
    }

    fn rows(&self) -> usize {
        self.journal.events.iter().filter(|event| event.kind == EventKind::Count).count()
    }
}

/// A machine that makes a stroke at each poll, one capsule of 50 rejected at every tenth.
fn runs(n: u64) -> Shown {
    let bad = n / 10;
    let (uptime, cleared) = (1_000 + n / 2, 500 + n / 2);
    Shown { state: 3, uptime, cleared, strokes: 70 + n, bad, good: 400 + 50 * n - bad }
}

/// Two words as somebody reads them who takes the other for the first.
fn turned(value: u64) -> u64 {
    (value & 0xFFFF) << 16 | value >> 16
}

fn said(alarms: &[(&str, &str)]) -> Vec<(String, String)> {
    alarms.iter().map(|(word, tag)| ((*word).to_owned(), (*tag).to_owned())).collect()
}

/// Shows: ACQ-09
#[test]
fn a_map_with_turned_words_is_told_once_and_floods_nothing() {
    let mut watch = Watch::new();
    let turn = |n| {
        let shown = runs(n);
        Shown { good: turned(shown.good), ..shown }
    };
    watch.poll(2_000, turn);
    let alarms = watch.alarms();
    assert!(alarms.contains(&("misfit".into(), "good".into())), "{alarms:?}");
    let of_good = alarms.iter().filter(|(_, tag)| tag == "good").count();
    assert!(of_good <= 2, "{alarms:?}");
    assert!(watch.rows() < 40, "{} rows in 1,000 s", watch.rows());
    // The negative control: with the words in order there is nothing to tell.
    let mut watch = Watch::new();
    watch.poll(2_000, runs);
    assert_eq!((watch.alarms(), watch.rows()), (vec![], 2));
}

#[test]
fn a_time_that_leaps_is_not_believed_unless_it_stays() {
    let at = |seconds| moment(seconds);
    let mut elapsed = Elapsed::default();
    assert_eq!(elapsed.feel(1_000, at(0.0)), Some(1_000));
    assert_eq!(elapsed.feel(turned(1_001), at(1.0)), None);
    assert_eq!((elapsed.feel(1_002, at(2.0)), elapsed.told()), (Some(1_002), Some(1_002)));
    // Begun anew; in milliseconds; another clock.
    assert_eq!(elapsed.feel(0, at(3.0)), Some(0));
    assert_eq!(elapsed.feel(20_000, at(23.0)), Some(20_000));
    assert_eq!(elapsed.feel(9_000_000, at(24.0)), None);
    assert_eq!(elapsed.feel(9_000_060, at(84.0)), Some(9_000_060));
}

/// Twenty seconds of turned words in between: single words are read as they are, and are counted once.
/// Shows: CNT-01
#[test]
fn an_uptime_that_was_turned_round_is_no_restart() {
    let mut watch = Watch::new();
    watch.poll(40, runs);
    watch.poll(40, |n| {
        let shown = runs(n);
        Shown {
            uptime: turned(shown.uptime),
            cleared: turned(shown.cleared),
            strokes: turned(shown.strokes),
            good: turned(shown.good),
            ..shown
        }
    });
    watch.poll(40, runs);
    assert_eq!(watch.total("bad"), Count::exact(runs(119).bad - runs(0).bad));
    assert!(watch.total("good").contains(runs(119).good - runs(0).good), "{}", watch.total("good"));
}

/// The control of the one before: an uptime that falls is a restart, and what it may have hidden is in doubt.
#[test]
fn an_uptime_that_fell_is_a_restart() {
    let mut watch = Watch::new();
    watch.poll(40, runs);
    let shown = |n| Shown { uptime: (n - 40) / 2, bad: (n - 40) / 10, ..runs(n) };
    watch.poll(40, shown);
    let bad = watch.total("bad");
    assert!(bad.width() > 0 && bad.contains(runs(39).bad + shown(79).bad), "{bad}");
}

/// Shows: CNT-07
#[test]
fn the_counter_that_counts_most_is_accused_and_no_other() {
    let mut watch = Watch::new();
    // Of each stroke one capsule is counted twice at the outlet.
    watch.poll(400, |n| Shown { good: 400 + 51 * n, ..runs(n) });
    assert_eq!(watch.alarms(), said(&[("contradicted", "good")]));
}

/// A step that has something else to tell is written down, and the alarm is not said again.
#[test]
fn a_contradiction_is_an_alarm_once_an_hour_whatever_else_a_step_says() {
    let alarms = |minutes: u64| {
        let mut watch = Watch::new();
        // Of each stroke one capsule is counted twice, and every two minutes nobody can read for five seconds.
        for _ in 0..minutes / 2 {
            let more = |n| Shown { good: 400 + 51 * n, ..runs(n) };
            watch.poll(230, more);
            watch.polls += 10;
        }
        let alarms = watch.alarms();
        assert!(alarms.iter().all(|(word, _)| word == "contradicted"), "{alarms:?}");
        (alarms.len(), watch.rows())
    };
    let (n, rows) = alarms(30);
    assert_eq!(n, 1);
    assert!(rows > 10, "the gaps are told: {rows}");
    // It is said again while it lasts.
    assert_eq!(alarms(100).0, 2);
}

/// Shows: ACQ-09
#[test]
fn jumps_far_apart_are_no_misfit_and_one_ordinary_step_ends_one() {
    // A counter that is set to another value every `polls`, and counts nothing meanwhile.
    let presets = |polls: u64| {
        let mut watch = Watch::new();
        watch.poll(40, runs);
        let preset = |n: u64| 1_000_000 * (1 + (n - 40) / polls % 2);
        watch.poll(12 * polls, |n| Shown { good: preset(n), strokes: 110, ..runs(40) });
        (watch.alarms(), watch.rows(), watch)
    };
    let (alarms, rows_of_all, _) = presets(130);
    assert_eq!(alarms, vec![], "once in 65 s");
    let (alarms, rows, mut watch) = presets(4);
    assert_eq!(alarms, said(&[("misfit", "good")]));
    assert!(rows < rows_of_all, "{rows} of {rows_of_all} are told");
    // It is a counter again: what it jumps now is told, and the alarm is not said twice an hour.
    let from = watch.polls;
    watch.poll(40, |n| Shown { good: 1_000_000 + 50 * (n - from), ..runs(n) });
    let before = watch.rows();
    watch.poll(20, |n| Shown { good: 77_000_000, ..runs(n) });
    assert!(watch.rows() > before, "a jump after ordinary steps is told");
    assert_eq!(watch.alarms().iter().filter(|(word, _)| word == "misfit").count(), 1);
}

#[test]
fn counts_of_a_machine_that_stands_are_kept_and_told_once() {
    let held = |state| {
        let mut watch = Watch::new();
        watch.poll(40, runs);
        watch.poll(400, move |n| Shown { state, ..runs(n) });
        assert_eq!(watch.total("good"), Count::exact(runs(439).good - runs(0).good));
        watch.alarms()
    };
    assert_eq!(held(5), said(&[("counts_at_rest", "good")]));
    // Driven by hand, or coasting to rest, it may count.
    assert_eq!(held(7), vec![]);
    let mut watch = Watch::new();
    watch.poll(40, runs);
    watch.poll(50, |n| Shown { state: 5, ..runs(n) });
    watch.poll(400, |n| Shown { state: 5, uptime: 1_000 + n / 2, ..runs(89) });
    assert_eq!(watch.alarms(), vec![]);
}
