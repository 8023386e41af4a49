//! Counts of a machine that says it stands: told where it was watched, and not where it may have run meanwhile.

use super::line::{line_of, poll};
use super::script::{Journal, moment};
use crate::line::tracker::{Carry, LineTracker};
use crate::plc_map::filler_map;
use crate::reading::{Miss, Outcome, Quality, Reading, Snapshot, Value};

const HELD: u64 = 5;
const RUN: u64 = 3;

/// A filler whose counter is read every half second, and its state as often as `slow` says.
fn map(slow: &str) -> String {
    let map = filler_map!(
        r#"step = 50
[modbus]
unit = 1
[groups]
fast = "500ms"
slow = "@"
[states]
3 = "execute"
5 = "held"
[[tag]]
id = "good"
register = "holding 0"
type = "u32"
role = "good"
resets = "never"
[[tag]]
id = "state"
register = "holding 2"
type = "u16"
role = "state"
group = "slow"
"#
    );
    map.replace('@', slow)
}

struct Watch {
    map: String,
    tracker: LineTracker,
    journal: Journal,
}

impl Watch {
    fn new(slow: &str) -> Watch {
        let map = map(slow);
        let tracker = LineTracker::new(line_of(&[&map]), moment(0.0), Carry::default());
        Watch { map, tracker, journal: Journal::default() }
    }

    /// What the counter shows at a second, and what the state where it is asked for: none of a poll that fails.
    fn read(&mut self, at: f64, good: Option<u64>, state: Option<Option<u64>>) {
        let missed = Outcome::Missed(Miss::Broken);
        let counter = good.map_or(missed.clone(), |good| poll(at, &[good]).outcome);
        let of_state = |value| {
            Outcome::Taken(vec![Reading {
                tag: 1,
                value: Value::Unsigned(value),
                quality: Quality::Good,
                status: 0,
                source_us: None,
            }])
        };
        let state = state.map(|state| state.map_or(missed, of_state));
        for (group, outcome) in [(1, state), (0, Some(counter))] {
            let Some(outcome) = outcome else { continue };
            self.tracker.advance(&Snapshot { group, outcome, ..poll(at, &[]) });
        }
        self.tracker.check(moment(at));
        self.journal.store(self.tracker.take_changes());
    }

    fn restart(&mut self, at: f64) {
        self.tracker = LineTracker::new(line_of(&[&self.map]), moment(at), self.journal.carry());
    }

    fn told(&self) -> usize {
        self.journal.events.iter().filter(|event| event.word == "counts_at_rest").count()
    }
}

/// Held for a minute, and again after 200 s in which it made 20,000. `meanwhile` says what was read in between.
fn told_after(meanwhile: impl Fn(&mut Watch, f64, u64)) -> usize {
    let mut watch = Watch::new("500ms");
    for n in 0..600_u64 {
        let (at, made) = (n as f64 / 2.0, 50 * n.clamp(120, 520));
        match n {
            120..520 => meanwhile(&mut watch, at, made),
            _ => watch.read(at, Some(made), Some(Some(HELD))),
        }
    }
    watch.told()
}

/// Shows: CNT-07
#[test]
fn what_was_made_while_nobody_looked_is_no_count_at_rest() {
    let link = |watch: &mut Watch, at: f64, _: u64| watch.read(at, None, Some(None));
    assert_eq!(told_after(link), 0);
    let service = |watch: &mut Watch, at: f64, _: u64| watch.restart(at);
    assert_eq!(told_after(service), 0);
    // Negative control: the same counts of a machine that was seen standing all the time.
    let seen = |watch: &mut Watch, at: f64, made| watch.read(at, Some(made), Some(Some(HELD)));
    assert_eq!(told_after(seen), 1);
}

/// The counter goes on alone while the state cannot be read.
#[test]
fn a_state_that_is_not_read_any_more_is_no_rest() {
    let counter = |watch: &mut Watch, at: f64, made| watch.read(at, Some(made), Some(None));
    assert_eq!(told_after(counter), 0);
}

/// The state is read every ten seconds; the machine starts right after it was.
#[test]
fn a_machine_that_starts_between_two_readings_of_its_state_does_not_count_at_rest() {
    let told = |state: u64| {
        let mut watch = Watch::new("10s");
        for n in 0..400_u64 {
            let shown = (n % 20 == 0).then_some(Some(if n > 141 { state } else { HELD }));
            watch.read(n as f64 / 2.0, Some(50 * n.max(141)), shown);
        }
        watch.told()
    };
    assert_eq!(told(RUN), 0);
    // Negative control: it goes on saying that it stands.
    assert_eq!(told(HELD), 1);
}
