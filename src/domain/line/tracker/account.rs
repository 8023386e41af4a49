//! Bookkeeping by time: seconds for the speed windows, minutes for the store, hours and the shift for the screen.
//!
//! Counts are booked at the wall-clock time of the reading that showed them. Time is spent from reading to reading,
//! split at minute and hour borders, and belongs to exactly one class.

use std::collections::VecDeque;

use crate::line::calendar::{Calendar, Shift};
use crate::line::minute::{Counted, Minute, Tally, TimeSplit};
use crate::line::state::TimeClass;
use crate::line::weight::{self, WeightTally};
use crate::units::{Count, MINUTE_US, Moment, SECOND_US, StationId};

/// Seconds kept for the longest speed window, 15 minutes.
const SECONDS_KEPT: i64 = 15 * 60 + 2;

/// Minutes kept for trends and charts: 120 subgroups of 15 minutes.
const MINUTES_KEPT: usize = 120 * 15;

/// Which counter a tally belongs to.
pub(super) type Key = (StationId, Counted);

/// The books of one line.
pub(super) struct Account {
    calendar: Calendar,
    keys: Vec<Key>,
    /// Position of the counter that is the output of the line.
    pub(super) output: usize,
    /// Minutes that may still change, oldest first.
    open: VecDeque<OpenMinute>,
    /// Minutes closed since the last take.
    fresh: Vec<Minute>,
    /// Closed minutes, oldest first.
    pub(super) closed: VecDeque<Minute>,
    seconds: VecDeque<Second>,
    /// The present shift.
    pub(super) shift: Option<ShiftBook>,
    /// Raised at each minute that closes.
    pub(super) n_closed: u64,
}

struct OpenMinute {
    start_us: i64,
    rev: u32,
    time: TimeSplit,
    polls: u64,
    missed: u64,
    counts: Vec<Count>,
    weights: Vec<WeightTally>,
    dirty: bool,
}

struct Second {
    /// Number of the second on the boot clock.
    n: i64,
    good: Count,
    known_us: i64,
}

/// A shift as booked so far.
pub(super) struct ShiftBook {
    /// Which.
    pub(super) shift: Shift,
    /// Counts of minutes, counter by counter.
    pub(super) counts: Vec<Count>,
    /// Counts of gaps, counter by counter.
    pub(super) gaps: Vec<Count>,
    /// How the time was spent.
    pub(super) time: TimeSplit,
    /// When watching began in this shift, UTC microseconds.
    pub(super) watched_from_us: i64,
    /// Its clock hours, oldest first.
    pub(super) hours: Vec<HourBook>,
}

/// An hour of a shift as booked so far.
pub(super) struct HourBook {
    pub(super) start_us: i64,
    pub(super) end_us: i64,
    pub(super) good: Count,
    pub(super) gap: Count,
    pub(super) time: TimeSplit,
}

impl Account {
    pub(super) fn new(calendar: Calendar, keys: Vec<Key>, output: usize) -> Account {
        Account {
            calendar,
            keys,
            output,
            open: VecDeque::new(),
            fresh: Vec::new(),
            closed: VecDeque::new(),
            seconds: VecDeque::new(),
            shift: None,
            n_closed: 0,
        }
    }

    /// Takes over minutes that were stored before, oldest first; the last ones may be open.
    pub(super) fn restore(&mut self, minutes: Vec<Minute>) {
        for minute in minutes {
            let counts = self.counts_of(&minute);
            self.turn_to(minute.start_us);
            self.spend_in_shift(minute.start_us, &minute.time);
            for (i, count) in counts.iter().enumerate() {
                self.book_in_shift(i, minute.start_us, *count);
            }
            match minute.closed {
                true => self.push_closed(minute),
                false => self.open.push_back(OpenMinute {
                    start_us: minute.start_us,
                    rev: minute.rev,
                    time: minute.time,
                    polls: minute.polls,
                    missed: minute.missed,
                    counts,
                    weights: minute.weights,
                    dirty: true,
                }),
            }
        }
    }

    fn counts_of(&self, minute: &Minute) -> Vec<Count> {
        self.keys.iter().map(|(station, counted)| minute.count(station, counted)).collect()
    }

    /// Books an ordinary count.
    pub(super) fn book(&mut self, counter: usize, at: Moment, count: Count) {
        if count.is_zero() {
            return;
        }
        let minute = self.minute_at(at.utc_us);
        minute.counts[counter] += count;
        minute.dirty = true;
        self.book_in_shift(counter, at.utc_us, count);
        if counter == self.output
            && let Some(second) = self.second_at(at.mono_us)
        {
            second.good += count;
        }
    }

    fn book_in_shift(&mut self, counter: usize, utc_us: i64, count: Count) {
        let is_output = counter == self.output;
        let Some(book) = self.shift_book(utc_us) else { return };
        book.counts[counter] += count;
        if is_output && let Some(hour) = book.hour_at(utc_us) {
            hour.good += count;
        }
    }

    /// Books a count that is known only for a gap as a whole: into the shift in which the gap ended, into no minute.
    pub(super) fn book_gap(&mut self, counter: usize, utc_us: i64, count: Count) {
        let is_output = counter == self.output;
        self.turn_to(utc_us);
        let Some(book) = self.shift_book(utc_us) else { return };
        book.gaps[counter] += count;
        if is_output && let Some(hour) = book.hour_at(utc_us) {
            hour.gap += count;
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
            minute.dirty = true;
            let mut split = TimeSplit::default();
            split.add(class, part_us);
            self.spend_in_shift(from_us, &split);
            from_us += part_us;
        }
        if class != TimeClass::Unknown {
            self.spend_seconds(from.mono_us, to.mono_us);
        }
    }

    fn spend_in_shift(&mut self, utc_us: i64, split: &TimeSplit) {
        self.turn_to(utc_us);
        let Some(book) = self.shift_book(utc_us) else { return };
        book.watched_from_us = book.watched_from_us.min(utc_us);
        if let Some(hour) = book.hour_at(utc_us) {
            hour.time.merge(split);
        }
        book.time.merge(split);
    }

    fn spend_seconds(&mut self, mut from_us: i64, to_us: i64) {
        // Only what the windows can still see: a long span is not walked second by second from its beginning.
        from_us = from_us.max(to_us - SECONDS_KEPT * SECOND_US);
        while from_us < to_us {
            let border = from_us.div_euclid(SECOND_US) * SECOND_US + SECOND_US;
            let part_us = border.min(to_us) - from_us;
            if let Some(second) = self.second_at(from_us) {
                second.known_us += part_us;
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

    /// Good capsules and known time of the `window_us` before the present second.
    ///
    /// What lies before the first second that was watched comes from whole minutes: after a restart a window of some
    /// minutes is not empty.
    pub(super) fn window(&self, now: Moment, window_us: i64) -> (Count, i64) {
        let end = now.mono_us.div_euclid(SECOND_US);
        let start = end - window_us / SECOND_US;
        let inside = self.seconds.iter().filter(|second| second.n >= start && second.n < end);
        let watched = inside.fold((Count::ZERO, 0), |(good, known_us), second| {
            (good + second.good, known_us + second.known_us)
        });
        let first_us = self.seconds.front().map_or(end, |second| second.n.max(start)) * SECOND_US;
        let utc_us = |mono_us: i64| now.utc_us - (now.mono_us - mono_us);
        self.minutes_between(utc_us(start * SECOND_US), utc_us(first_us))
            .fold(watched, |(good, known_us), (more, known)| (good + more, known_us + known))
    }

    /// Good capsules and known time of each closed minute that lies wholly in a span of UTC.
    fn minutes_between(&self, from_us: i64, to_us: i64) -> impl Iterator<Item = (Count, i64)> {
        let output = self.keys.get(self.output);
        self.closed
            .iter()
            .rev()
            .skip_while(move |minute| minute.start_us + MINUTE_US > to_us)
            .take_while(move |minute| minute.start_us >= from_us)
            .map(move |minute| {
                let known_us = minute.time.total() - minute.time.of(TimeClass::Unknown);
                let good =
                    output.map_or(Count::ZERO, |(station, counted)| minute.count(station, counted));
                (good, known_us)
            })
    }

    /// Moves on to the shift of a moment, if another one has begun.
    fn turn_to(&mut self, utc_us: i64) {
        let ended = self.shift.as_ref().is_none_or(|book| utc_us >= book.shift.end_us);
        if !ended {
            return;
        }
        if let Some(shift) = self.calendar.shift_at(utc_us) {
            self.shift = Some(ShiftBook::new(shift, utc_us, self.keys.len(), &self.calendar));
        } else if self.shift.is_some() {
            self.shift = None;
        }
    }

    /// The book of the present shift, for a moment in it. A late reading of the shift before stays in that shift's
    /// minutes and does not change this book.
    fn shift_book(&mut self, utc_us: i64) -> Option<&mut ShiftBook> {
        self.turn_to(utc_us);
        self.shift.as_mut().filter(|book| book.shift.start_us <= utc_us)
    }

    /// Closes every minute that ended at least `lateness_us` ago.
    pub(super) fn close_until(&mut self, utc_us: i64) {
        while let Some(minute) = self.open.front() {
            if minute.start_us + MINUTE_US > utc_us {
                return;
            }
            let Some(minute) = self.open.pop_front() else { return };
            let closed = minute.finish(&self.keys, true);
            self.fresh.push(closed.clone());
            self.push_closed(closed);
        }
    }

    fn push_closed(&mut self, minute: Minute) {
        self.n_closed += 1;
        self.closed.push_back(minute);
        if self.closed.len() > MINUTES_KEPT {
            self.closed.pop_front();
        }
    }

    /// Minutes that changed since the last call, absolute.
    pub(super) fn take_minutes(&mut self) -> Vec<Minute> {
        let mut minutes = std::mem::take(&mut self.fresh);
        for minute in self.open.iter_mut().filter(|minute| minute.dirty) {
            minute.dirty = false;
            minute.rev += 1;
            minutes.push(minute.finish(&self.keys, false));
        }
        minutes
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
            weights: Vec::new(),
            dirty: true,
        }
    }

    fn finish(&self, keys: &[Key], closed: bool) -> Minute {
        let tally = |((station, counted), count): (&Key, &Count)| Tally {
            station: station.clone(),
            counted: counted.clone(),
            count: *count,
        };
        Minute {
            start_us: self.start_us,
            rev: self.rev + u32::from(closed),
            closed,
            time: self.time,
            polls: self.polls,
            missed: self.missed,
            tallies: keys.iter().zip(&self.counts).map(tally).collect(),
            weights: self.weights.clone(),
        }
    }
}

impl Second {
    fn new(n: i64) -> Second {
        Second { n, good: Count::ZERO, known_us: 0 }
    }
}

impl ShiftBook {
    fn new(shift: Shift, utc_us: i64, n_counters: usize, calendar: &Calendar) -> ShiftBook {
        let mut hours = Vec::new();
        let mut start_us = shift.start_us;
        while start_us < shift.end_us && hours.len() < 48 {
            let end_us = calendar.next_hour(start_us).min(shift.end_us);
            hours.push(HourBook {
                start_us,
                end_us,
                good: Count::ZERO,
                gap: Count::ZERO,
                time: TimeSplit::default(),
            });
            start_us = end_us;
        }
        let zero = vec![Count::ZERO; n_counters];
        ShiftBook {
            shift,
            counts: zero.clone(),
            gaps: zero,
            time: TimeSplit::default(),
            watched_from_us: utc_us,
            hours,
        }
    }

    fn hour_at(&mut self, utc_us: i64) -> Option<&mut HourBook> {
        self.hours.iter_mut().rev().find(|hour| hour.start_us <= utc_us)
    }

    /// All of a counter in this shift: minutes and gaps.
    pub(super) fn of(&self, counter: usize) -> Count {
        self.counts[counter] + self.gaps[counter]
    }
}
