//! Bookkeeping by time: seconds for the speed windows, minutes for the store. Hours, shifts and batches are the business
//! of [`Books`](crate::line::rollup::Books).
//!
//! Counts are booked at the wall-clock time of the reading that showed them. Time is spent from reading to reading,
//! split at minute borders, and belongs to exactly one class.
//!
//! A speed is of time in which it was known all the time how the line was. Counts go on where only the state is not known,
//! or where one of several machines is not read: over the known time alone they would be too many, so that a second and a
//! minute with unknown time in it are in no speed, neither with their counts nor with their time.

use std::collections::VecDeque;

use crate::line::minute::{Counted, Minute, Tally, TimeSplit};
use crate::line::second::{OpenSeconds, Seconds};
use crate::line::state::TimeClass;
use crate::line::weight::{self, WeightTally};
use crate::units::{Count, MINUTE_US, Moment, SECOND_US, StationId};

/// Seconds kept for the longest speed window, 15 minutes.
const SECONDS_KEPT: i64 = 15 * 60 + 2;

/// Minutes kept for the trend.
const MINUTES_KEPT: usize = 120;

/// Minutes kept for the speed of the shift: those of the longest one, on a day of 25 hours.
const WATCHED_KEPT: usize = 25 * 60;

/// Which counter a tally belongs to.
pub(super) type Key = (StationId, Counted);

/// The books of one line.
pub(super) struct Account {
    keys: Vec<Key>,
    /// Positions of the counters that together are the output of the line.
    pub(super) outputs: Vec<usize>,
    /// Minutes that may still change, oldest first.
    open: VecDeque<OpenMinute>,
    /// Minutes closed since the last take, with their seconds.
    fresh: Vec<(Minute, Seconds)>,
    /// Closed minutes, oldest first.
    pub(super) closed: VecDeque<Minute>,
    /// Those of them that were watched without a break, oldest first.
    watched: VecDeque<Watched>,
    seconds: VecDeque<Second>,
}

/// A closed minute without unknown time.
struct Watched {
    start_us: i64,
    good: Count,
    known_us: i64,
}

struct OpenMinute {
    start_us: i64,
    rev: u32,
    time: TimeSplit,
    polls: u64,
    missed: u64,
    counts: Vec<Count>,
    seconds: OpenSeconds,
    weights: Vec<WeightTally>,
    dirty: bool,
}

struct Second {
    /// Number of the second on the boot clock.
    n: i64,
    good: Count,
    known_us: i64,
    unknown_us: i64,
}

impl Account {
    pub(super) fn new(keys: Vec<Key>, outputs: Vec<usize>) -> Account {
        Account {
            keys,
            outputs,
            open: VecDeque::new(),
            fresh: Vec::new(),
            closed: VecDeque::new(),
            watched: VecDeque::new(),
            seconds: VecDeque::new(),
        }
    }

    /// Takes over minutes that were stored before, oldest first; the last ones may be open, and `seconds` are theirs.
    pub(super) fn restore(&mut self, minutes: Vec<Minute>, seconds: &[Seconds]) {
        for minute in minutes {
            let counts = self.counts_of(&minute);
            let seconds = seconds.iter().find(|seconds| seconds.start_us == minute.start_us);
            let seconds = seconds.map(|seconds| OpenSeconds::restore(seconds, &self.keys));
            match minute.closed {
                true => self.push_closed(minute),
                false => self.open.push_back(OpenMinute {
                    start_us: minute.start_us,
                    rev: minute.rev,
                    time: minute.time,
                    polls: minute.polls,
                    missed: minute.missed,
                    counts,
                    seconds: seconds.unwrap_or_else(|| OpenSeconds::new(self.keys.len())),
                    weights: minute.weights,
                    dirty: true,
                }),
            }
        }
    }

    /// Goes on with other counters. What is booked in open minutes of one that is gone stays in them.
    pub(super) fn change(&mut self, mut keys: Vec<Key>, outputs: Vec<usize>) {
        let before = self.outputs.iter().map(|output| self.keys.get(*output));
        let same_output = before.eq(outputs.iter().map(|output| keys.get(*output)));
        for (at, key) in self.keys.iter().enumerate() {
            let counted = self.open.iter().any(|minute| !minute.counts[at].is_zero());
            if counted && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        for minute in &mut self.open {
            let (whole, seconds) = minute.finish(&self.keys, false);
            let count = |(station, counted): &Key| whole.count(station, counted);
            minute.counts = keys.iter().map(count).collect();
            minute.seconds = OpenSeconds::restore(&seconds, &keys);
            minute.dirty = true;
        }
        if !same_output {
            self.seconds.clear();
            self.watched.clear();
        }
        (self.keys, self.outputs) = (keys, outputs);
    }

    fn counts_of(&self, minute: &Minute) -> Vec<Count> {
        self.keys.iter().map(|(station, counted)| minute.count(station, counted)).collect()
    }

    /// Books an ordinary count, which a reading showed `at` and the one before it, at `from`, did not.
    pub(super) fn book(&mut self, counter: usize, from: Moment, at: Moment, count: Count) {
        if count.is_zero() {
            return;
        }
        let minute = self.minute_at(at.utc_us);
        minute.counts[counter] += count;
        minute.seconds.book(minute.start_us, counter, from, at, count);
        minute.dirty = true;
        if self.outputs.contains(&counter)
            && let Some(second) = self.second_at(at.mono_us)
        {
            second.good += count;
        }
    }

    /// Books weights.
    pub(super) fn weigh(&mut self, utc_us: i64, tallies: &[WeightTally]) {
        let minute = self.minute_at(utc_us);
        tallies.iter().for_each(|tally| weight::book(&mut minute.weights, tally));
        minute.dirty = true;
    }

    /// Books polls of a device.
    pub(super) fn poll(&mut self, utc_us: i64, done: u64, missed: u64) {
        let minute = self.minute_at(utc_us);
        minute.polls += done;
        minute.missed += missed;
        minute.dirty = true;
    }

    /// Books the time between two moments to a class.
    pub(super) fn spend(&mut self, class: TimeClass, from: Moment, to: Moment) {
        let us = to.mono_us - from.mono_us;
        if us <= 0 {
            return;
        }
        // The wall-clock label of the span is its end, so that a clock that stepped meanwhile labels it once.
        let mut from_us = to.utc_us - us;
        while from_us < to.utc_us {
            let border = from_us.div_euclid(MINUTE_US) * MINUTE_US + MINUTE_US;
            let part_us = border.min(to.utc_us) - from_us;
            let minute = self.minute_at(from_us);
            minute.time.add(class, part_us);
            minute.seconds.spend(minute.start_us, from_us, part_us, class);
            minute.dirty = true;
            from_us += part_us;
        }
        self.spend_seconds(class, from.mono_us, to.mono_us);
    }

    fn spend_seconds(&mut self, class: TimeClass, mut from_us: i64, to_us: i64) {
        // Only what the windows can still see: a long span is not walked second by second from its beginning.
        from_us = from_us.max(to_us - SECONDS_KEPT * SECOND_US);
        while from_us < to_us {
            let border = from_us.div_euclid(SECOND_US) * SECOND_US + SECOND_US;
            let part_us = border.min(to_us) - from_us;
            if let Some(second) = self.second_at(from_us) {
                match class {
                    TimeClass::Unknown => second.unknown_us += part_us,
                    _ => second.known_us += part_us,
                }
            }
            from_us += part_us;
        }
    }

    /// The minute a moment belongs to. A moment before the oldest open minute is booked into that one: a closed
    /// minute is never changed behind the reader's back, and no count is lost.
    fn minute_at(&mut self, utc_us: i64) -> &mut OpenMinute {
        let start_us = utc_us.div_euclid(MINUTE_US) * MINUTE_US;
        let after_closed =
            self.closed.back().map_or(i64::MIN, |minute| minute.start_us + MINUTE_US);
        let start_us = start_us.max(after_closed);
        let position = match self.open.iter().rposition(|minute| minute.start_us <= start_us) {
            Some(i) if self.open[i].start_us == start_us => i,
            found => {
                let i = found.map_or(0, |i| i + 1);
                self.open.insert(i, OpenMinute::new(start_us, self.keys.len()));
                i
            }
        };
        &mut self.open[position]
    }

    fn second_at(&mut self, mono_us: i64) -> Option<&mut Second> {
        let n = mono_us.div_euclid(SECOND_US);
        let last = self.seconds.back().map(|second| second.n);
        match last {
            Some(last) if last >= n => {
                let back = usize::try_from(last - n).ok()?;
                let i = self.seconds.len().checked_sub(1 + back)?;
                return self.seconds.get_mut(i);
            }
            Some(last) if n - last <= SECONDS_KEPT => {
                self.seconds.extend((last + 1..=n).map(Second::new));
            }
            _ => {
                self.seconds.clear();
                self.seconds.push_back(Second::new(n));
            }
        }
        while self.seconds.len() as i64 > SECONDS_KEPT {
            self.seconds.pop_front();
        }
        self.seconds.back_mut()
    }

    /// Good capsules and watched time of the `window_us` before the present second.
    ///
    /// What lies before the first second that was watched comes from whole minutes: after a restart a window of some
    /// minutes is not empty.
    pub(super) fn window(&self, now: Moment, window_us: i64) -> (Count, i64) {
        let end = now.mono_us.div_euclid(SECOND_US);
        let start = end - window_us / SECOND_US;
        let inside = self.seconds.iter().filter(|second| second.n >= start && second.n < end);
        let whole = inside.filter(|second| second.unknown_us == 0);
        let watched = whole.fold((Count::ZERO, 0), |(good, known_us), second| {
            (good + second.good, known_us + second.known_us)
        });
        let first_us = self.seconds.front().map_or(end, |second| second.n.max(start)) * SECOND_US;
        let utc_us = |mono_us: i64| now.utc_us - (now.mono_us - mono_us);
        self.minutes_between(utc_us(start * SECOND_US), utc_us(first_us))
            .fold(watched, |(good, known_us), (more, known)| (good + more, known_us + known))
    }

    /// Good capsules and time of each watched minute that lies wholly in a span of UTC.
    fn minutes_between(&self, from_us: i64, to_us: i64) -> impl Iterator<Item = (Count, i64)> {
        self.watched
            .iter()
            .rev()
            .skip_while(move |minute| minute.start_us + MINUTE_US > to_us)
            .take_while(move |minute| minute.start_us >= from_us)
            .map(|minute| (minute.good, minute.known_us))
    }

    /// Closes every minute that ended at least `lateness_us` ago.
    pub(super) fn close_until(&mut self, utc_us: i64) {
        while let Some(minute) = self.open.front() {
            if minute.start_us + MINUTE_US > utc_us {
                return;
            }
            let Some(minute) = self.open.pop_front() else { return };
            let (closed, seconds) = minute.finish(&self.keys, true);
            self.fresh.push((closed.clone(), seconds));
            self.push_closed(closed);
        }
    }

    fn push_closed(&mut self, minute: Minute) {
        if minute.time.of(TimeClass::Unknown) == 0 {
            let outputs = self.outputs.iter().filter_map(|output| self.keys.get(*output));
            let good = outputs.map(|(station, counted)| minute.count(station, counted)).sum();
            let (start_us, known_us) = (minute.start_us, minute.time.known());
            self.watched.push_back(Watched { start_us, good, known_us });
        }
        if self.watched.len() > WATCHED_KEPT {
            self.watched.pop_front();
        }
        self.closed.push_back(minute);
        if self.closed.len() > MINUTES_KEPT {
            self.closed.pop_front();
        }
    }

    /// Minutes that changed since the last call and their seconds, absolute.
    pub(super) fn take_minutes(&mut self) -> (Vec<Minute>, Vec<Seconds>) {
        let mut minutes = std::mem::take(&mut self.fresh);
        for minute in self.open.iter_mut().filter(|minute| minute.dirty) {
            minute.dirty = false;
            minute.rev += 1;
            minutes.push(minute.finish(&self.keys, false));
        }
        minutes.into_iter().unzip()
    }
}

impl OpenMinute {
    fn new(start_us: i64, n_counters: usize) -> OpenMinute {
        let counts = vec![Count::ZERO; n_counters];
        OpenMinute {
            start_us,
            rev: 0,
            time: TimeSplit::default(),
            polls: 0,
            missed: 0,
            counts,
            seconds: OpenSeconds::new(n_counters),
            weights: Vec::new(),
            dirty: true,
        }
    }

    fn finish(&self, keys: &[Key], closed: bool) -> (Minute, Seconds) {
        let tally = |((station, counted), count): (&Key, &Count)| Tally {
            station: station.clone(),
            counted: counted.clone(),
            count: *count,
        };
        let rev = self.rev + u32::from(closed);
        let minute = Minute {
            start_us: self.start_us,
            rev,
            closed,
            time: self.time,
            polls: self.polls,
            missed: self.missed,
            tallies: keys.iter().zip(&self.counts).map(tally).collect(),
            weights: self.weights.clone(),
        };
        (minute, self.seconds.finish(keys, (self.start_us, rev, closed)))
    }
}

impl Second {
    fn new(n: i64) -> Second {
        Second { n, good: Count::ZERO, known_us: 0, unknown_us: 0 }
    }
}
