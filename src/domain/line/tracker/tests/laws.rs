//! Laws over random schedules: polls, messages, misses, silences, restarts of the controller and of us, clock steps.

use proptest::prelude::*;

use super::script::{Step, model, moment, play};
use crate::line::minute::{Counted, TimeSplit};
use crate::line::rollup::PeriodKind;
use crate::line::state::TimeClass;
use crate::line::stop::Stop;
use crate::line::tracker::LineTracker;
use crate::reading::{Miss, Outcome, Quality, Reading, Snapshot, Value};
use crate::units::{Count, Moment, StationId, TagId};

/// What happens next on the plant.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Poll of the filler's fast group.
    Poll,
    /// Poll of the filler's slow group.
    SlowPoll,
    /// A message of the weigher with so many values.
    Message(u8),
    /// Polls of the filler that brought nothing.
    Miss(u32),
    /// A poll whose counter is of bad quality.
    Bad,
    /// Time is checked.
    Check,
    /// Our service is restarted.
    Restart,
    /// The controller of the filler restarts and its counters begin at 0.
    PlcRestart,
    /// The wall clock steps by so many seconds.
    ClockStep(i8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => Just(Act::Poll),
        4 => Just(Act::SlowPoll),
        6 => (0..4_u8).prop_map(Act::Message),
        2 => (0..9_u32).prop_map(Act::Miss),
        1 => Just(Act::Bad),
        4 => Just(Act::Check),
        1 => Just(Act::Restart),
        1 => Just(Act::PlcRestart),
        1 => (-90..=90_i8).prop_map(Act::ClockStep),
    ]
}

/// Acts, each so many milliseconds after the one before.
fn schedule() -> impl Strategy<Value = Vec<(u32, Act)>> {
    let pause = prop_oneof![10 => 1..800_u32, 2 => 800..9_000_u32, 1 => 9_000..90_000_u32];
    proptest::collection::vec((pause, act()), 1..120)
}

/// A plant that keeps the truth: 50 capsules every 500 ms while it runs.
#[derive(Default)]
struct Plant {
    now_ms: i64,
    clock_step_s: i64,
    filler_up_ms: i64,
    filler_start_ms: i64,
    /// Capsules made since the first reading, and the register.
    made: u64,
    register: u16,
    weighed: u64,
    stroke_due_ms: i64,
    /// Values of the weigher since its last message.
    queue: Vec<(i64, u64)>,
    /// What was made before the first reading and until the last.
    counted: Option<(u64, u64)>,
    weighed_seen: Option<(u64, u64)>,
    polls: u64,
    missed: u64,
}

impl Plant {
    fn run_to(&mut self, ms: i64) {
        while self.stroke_due_ms <= ms {
            if self.stroke_due_ms >= self.filler_up_ms {
                self.made += 50;
                self.register = self.register.wrapping_add(50);
                // As much as the map of the weigher allows at once.
                self.weighed += 5;
                self.queue.push((self.stroke_due_ms, self.weighed));
            }
            self.stroke_due_ms += 500;
        }
        self.now_ms = ms;
    }

    fn uptime_s(&self) -> u64 {
        ((self.now_ms - self.filler_start_ms) / 1_000).unsigned_abs()
    }

    fn step(&mut self, pause_ms: u32, act: Act) -> Option<Step> {
        self.run_to(self.now_ms + i64::from(pause_ms));
        let mut at = moment(self.now_ms as f64 / 1e3);
        let stepped_us = self.clock_step_s * 1_000_000;
        at.utc_us += stepped_us;
        let missed = Snapshot {
            device: 0,
            group: 0,
            taken_at: at,
            round_trip_us: 1_000,
            polls: 1,
            outcome: Outcome::Missed(Miss::Timeout),
        };
        let snapshot = |device, group, outcome| {
            Some(Step::Snapshot(Snapshot { device, group, outcome, ..missed.clone() }))
        };
        match act {
            Act::Poll | Act::Bad => {
                self.polls += 1;
                let mut count = reading(4, u64::from(self.register));
                match act {
                    Act::Bad => count.quality = Quality::Bad,
                    _ => self.counted.get_or_insert((self.made, 0)).1 = self.made,
                }
                let state = reading(0, if self.made % 1_000 < 700 { 3 } else { 5 });
                snapshot(0, 0, Outcome::Taken(vec![state, reading(3, self.uptime_s()), count]))
            }
            Act::SlowPoll => {
                self.polls += 1;
                snapshot(0, 1, Outcome::Taken(vec![reading(7, 20)]))
            }
            Act::Message(most) => {
                self.polls += 1;
                if self.weighed_seen.is_none() {
                    // A new subscription begins with the present value.
                    self.queue = vec![(self.now_ms, self.weighed)];
                }
                self.weighed_seen.get_or_insert((self.weighed, 0)).1 = self.weighed;
                // The queue of the server holds so many values and discards the oldest.
                let n = self.queue.len().min(usize::from(most) + 1);
                let queue = self.queue.split_off(self.queue.len() - n);
                self.queue.clear();
                let queued = |(ms, weighed): (i64, u64)| {
                    let source_us = Some(moment(ms as f64 / 1e3).utc_us + stepped_us);
                    Reading { source_us, ..reading(0, weighed) }
                };
                snapshot(1, 0, Outcome::Taken(queue.into_iter().map(queued).collect()))
            }
            Act::Miss(polls) => {
                self.missed += u64::from(polls);
                Some(Step::Snapshot(Snapshot { polls, ..missed }))
            }
            Act::Check => Some(Step::Check(at)),
            Act::Restart => Some(Step::Restart(at)),
            Act::PlcRestart => {
                self.register = 0;
                self.filler_start_ms = self.now_ms + 3_000;
                self.filler_up_ms = self.now_ms + 4_000;
                self.run_to(self.now_ms + 4_500);
                None
            }
            Act::ClockStep(seconds) => {
                self.clock_step_s += i64::from(seconds);
                None
            }
        }
    }
}

fn reading(tag: u16, value: u64) -> Reading {
    Reading {
        tag,
        value: Value::Unsigned(value),
        quality: Quality::Good,
        status: 0,
        source_us: None,
    }
}

/// A schedule played on the plant, up to a long silence at its end.
fn stage(schedule: &[(u32, Act)]) -> (Plant, Vec<Step>) {
    let mut plant = Plant { filler_start_ms: -1_000_000_000, ..Plant::default() };
    let mut steps: Vec<Step> =
        schedule.iter().filter_map(|(ms, act)| plant.step(*ms, *act)).collect();
    // The last values of both machines, and a second look at them, so that nothing waits for confirmation.
    for act in [Act::Poll, Act::Message(3), Act::Poll, Act::Message(3), Act::Poll, Act::Message(3)]
    {
        steps.extend(plant.step(700, act));
    }
    let last = moment((plant.now_ms + 60_000) as f64 / 1e3);
    let utc_us = last.utc_us + plant.clock_step_s * 1_000_000;
    steps.push(Step::Check(Moment { utc_us, ..last }));
    (plant, steps)
}

fn total(tracker: &LineTracker, tag: &str) -> Count {
    tracker.total_of(&TagId::new(tag)).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Shows: CNT-01, CNT-06
    #[test]
    fn the_books_add_up_and_contain_the_truth(schedule in schedule()) {
        let (plant, steps) = stage(&schedule);
        let (tracker, journal) = play(&steps, |_| false);
        for tag in ["good", "bad", "n", "under"] {
            prop_assert_eq!(journal.booked(tag), total(&tracker, tag), "{}", tag);
        }
        let made = plant.counted.map_or(0, |(from, to)| to - from);
        prop_assert!(total(&tracker, "good").contains(made), "{} made, {} counted", made, total(&tracker, "good"));
        let weighed = plant.weighed_seen.map_or(0, |(from, to)| to - from);
        prop_assert!(total(&tracker, "n").contains(weighed), "{} weighed, {} counted", weighed, total(&tracker, "n"));

        let mut time = TimeSplit::default();
        let mut polls = (0, 0);
        for minute in journal.minutes.values() {
            time.merge(&minute.time);
            polls = (polls.0 + minute.polls, polls.1 + minute.missed);
        }
        // Until the service restarted nobody watched between its last reading and its start.
        if !steps.iter().any(|step| matches!(step, Step::Restart(_))) {
            prop_assert_eq!(time.total(), (plant.now_ms + 60_000) * 1_000);
        }
        prop_assert_eq!(polls, (plant.polls, plant.missed));
    }

    /// Hours, shifts and stops hold all time since the first start, also while nobody watched, and all counts.
    #[test]
    fn hours_shifts_and_stops_add_up_over_restarts(
        schedule in schedule(),
        taken in proptest::collection::vec(any::<bool>(), 130),
    ) {
        let (plant, steps) = stage(&schedule);
        let (tracker, journal) = play(&steps, |i| taken[i]);
        let passed_us = (plant.now_ms + 60_000) * 1_000;
        for kind in [PeriodKind::Hour, PeriodKind::Shift] {
            let of_kind = || journal.rollups.values().filter(|rollup| rollup.kind == kind);
            let us: i64 = of_kind().map(|rollup| rollup.spending.time.total()).sum();
            prop_assert_eq!(us, passed_us, "{:?}", kind);
            for (station, counted, tag) in [
                ("CF01", Counted::Good, "good"),
                ("CW04", Counted::Good, "n"),
            ] {
                let station = StationId::new(station);
                let count: Count = of_kind().map(|rollup| rollup.count(&station, &counted)).sum();
                let whole = total(&tracker, tag);
                prop_assert_eq!(count.best(), whole.best(), "{:?} {}", kind, tag);
                prop_assert!(count.low() <= whole.low() && whole.high() <= count.high());
            }
            let run_us: i64 = of_kind().map(|rollup| rollup.spending.time.of(TimeClass::Run)).sum();
            let ended = journal.stops.values().filter_map(Stop::duration_us);
            let open = journal.stops.values().filter(|stop| stop.to.is_none());
            let booked_us = journal.booked_to.map_or(0, |moment| moment.mono_us);
            let stopped_us =
                ended.sum::<i64>() + open.map(|stop| booked_us - stop.from.mono_us).sum::<i64>();
            prop_assert_eq!(run_us + stopped_us, passed_us, "{:?}", journal.stops);
        }
    }

    /// 60 seconds are their minute: in time to the microsecond, in counts to the capsule; whatever the clocks, the polls and
    /// the restarts did, and however often it was stored.
    #[test]
    fn seconds_add_up_to_their_minutes(
        schedule in schedule(),
        taken in proptest::collection::vec(any::<bool>(), 130),
    ) {
        let (_, mut steps) = stage(&schedule);
        for step in &mut steps {
            if let Step::Restart(at) = *step && at.mono_us % 2 == 0 {
                *step = Step::Kill(at);
            }
        }
        let (_, journal) = play(&steps, |i| taken[i]);
        let starts = |minutes: Vec<&i64>| minutes.into_iter().copied().collect::<Vec<i64>>();
        prop_assert_eq!(starts(journal.seconds.keys().collect()), starts(journal.minutes.keys().collect()));
        for (minute, seconds) in journal.minutes.values().zip(journal.seconds.values()) {
            prop_assert!(seconds.add_up_to(minute), "{:?}\n{:?}", minute, seconds);
            prop_assert_eq!((seconds.rev, seconds.closed), (minute.rev, minute.closed));
            let mut wrong = seconds.clone();
            if let Some(spell) = wrong.spells.last_mut() {
                spell.us += 1;
                prop_assert!(!wrong.add_up_to(minute), "one microsecond more would be noticed");
            }
        }
    }

    #[test]
    fn how_often_changes_are_taken_changes_nothing(
        schedule in schedule(),
        taken in proptest::collection::vec(any::<bool>(), 130),
    ) {
        let (_, steps) = stage(&schedule);
        let (whole_tracker, whole) = play(&steps, |_| false);
        let (tracker, chunked) = play(&steps, |i| taken[i]);
        prop_assert_eq!(&chunked.events, &whole.events);
        prop_assert_eq!(&chunked.baselines, &whole.baselines);
        prop_assert_eq!(&chunked.states, &whole.states);
        prop_assert_eq!(tracker.total(), whole_tracker.total());
        prop_assert_eq!(&chunked.stops, &whole.stops);
        prop_assert_eq!(chunked.rollups.len(), whole.rollups.len());
        for (mut rollup, other) in chunked.rollups.into_values().zip(whole.rollups.into_values()) {
            rollup.rev = other.rev;
            prop_assert_eq!(rollup, other);
        }
        prop_assert_eq!(chunked.minutes.len(), whole.minutes.len());
        for (mut minute, other) in chunked.minutes.into_values().zip(whole.minutes.into_values()) {
            minute.rev = other.rev;
            prop_assert_eq!(minute, other);
        }
    }

    /// Shows: HIS-02
    #[test]
    fn a_restart_of_ours_loses_and_invents_nothing(schedule in schedule()) {
        let is_plc_restart = |(_, act): &(u32, Act)| matches!(act, Act::PlcRestart);
        let schedule: Vec<(u32, Act)> =
            schedule.into_iter().filter(|entry| !is_plc_restart(entry)).collect();
        let (_, steps) = stage(&schedule);
        let unbroken: Vec<Step> =
            steps.iter().filter(|step| !matches!(step, Step::Restart(_))).cloned().collect();
        let (restarted, _) = play(&steps, |_| false);
        let (unbroken, _) = play(&unbroken, |_| false);
        for tag in ["good", "n"] {
            let (broken, whole) = (total(&restarted, tag), total(&unbroken, tag));
            prop_assert_eq!(broken.best(), whole.best(), "{}", tag);
            prop_assert!(broken.low() <= whole.low() && whole.high() <= broken.high(), "{} {} {}", tag, broken, whole);
        }
    }
}

/// The negative control of the law of restarts.
#[test]
fn a_restart_that_forgot_its_baselines_would_be_noticed() {
    let polls: Vec<(u32, Act)> = (0..8).map(|_| (400, Act::Poll)).collect();
    let (_, steps) = stage(&polls);
    let (before, journal) = play(&steps[..5], |_| false);
    let mut carry = journal.carry();
    carry.baselines.clear();
    let mut forgetful = LineTracker::new(model(), moment(2.5), carry);
    for step in &steps[5..] {
        if let Step::Snapshot(snapshot) = step {
            forgetful.advance(snapshot);
        }
    }
    let (whole, _) = play(&steps, |_| false);
    assert!(before.total().best() > 0);
    assert!(forgetful.total().best() < whole.total().best());
}
