//! The books of the periods that are open.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{PeriodKind, Rollup, Spending};
use crate::line::batch::{Change, Remark, Verdict};
use crate::line::calendar::Calendar;
use crate::line::minute::{Counted, Tally};
use crate::line::split::divide;
use crate::line::stop::Spent;
use crate::units::{Count, Moment, StationId};

/// Hours that have ended are kept for the screen: those of the longest day, twice.
const HOURS_KEPT: usize = 50;

/// A gap is divided among at most so many periods, a month of hours; a longer one goes into its last ones.
const PERIODS_OF_A_GAP: usize = 31 * 24;

/// A count to be booked.
#[derive(Clone, Copy, Debug)]
pub struct Booking {
    /// Position of the counter.
    pub counter: usize,
    /// The reading it starts from.
    pub from: Moment,
    /// The reading that showed it.
    pub to: Moment,
    /// How many.
    pub count: Count,
    /// Whether it is known only for a gap as a whole.
    pub gap: bool,
    /// Whether the counter was reset with the batch: what it shows was made after the border.
    pub reset: bool,
}

/// A batch that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenBatch {
    /// Its id.
    pub id: Arc<str>,
    /// Since when, UTC microseconds.
    pub start_us: i64,
    /// Whether a person opened it; else the machine told it.
    pub by_hand: bool,
}

/// The open periods of a line.
#[derive(Clone, Debug)]
pub struct Books {
    calendar: Calendar,
    keys: Vec<(StationId, Counted)>,
    /// Hours and shifts, each kind oldest first.
    open: Vec<Open>,
    batch: Option<Open>,
    /// What was counted since a border that is in doubt, and since when.
    tail: Option<(Moment, Sums)>,
    closed: Vec<Rollup>,
    /// The last hours that have ended, oldest first.
    past_hours: VecDeque<Open>,
    /// Periods that ended by then are closed for good: what is labelled earlier goes into the period of that moment.
    closed_until_us: i64,
}

#[derive(Clone, Debug)]
struct Open {
    kind: PeriodKind,
    name: Arc<str>,
    start_us: i64,
    end_us: Option<i64>,
    rev: u32,
    remark: Option<Remark>,
    /// From where on anything is recorded of it, in UTC microseconds.
    watched_from_us: Option<i64>,
    sums: Sums,
    dirty: bool,
}

/// A period as booked so far.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    /// Name of the shift; empty for an hour.
    pub name: &'a Arc<str>,
    /// Start in UTC microseconds.
    pub start_us: i64,
    /// End in UTC microseconds.
    pub end_us: i64,
    /// From where on anything is recorded of it, in UTC microseconds.
    pub watched_from_us: i64,
    /// How its time was spent.
    pub spending: &'a Spending,
    /// All counts, gaps included, counter by counter.
    pub counts: &'a [Count],
    /// The part of them that is known for gaps only as a whole.
    pub gaps: &'a [Count],
}

#[derive(Clone, Debug)]
struct Sums {
    spending: Spending,
    counts: Vec<Count>,
    gaps: Vec<Count>,
    estimated: bool,
}

impl Sums {
    fn zero(n_counters: usize) -> Sums {
        let zero = vec![Count::ZERO; n_counters];
        Sums { spending: Spending::default(), counts: zero.clone(), gaps: zero, estimated: false }
    }

    fn book(&mut self, booking: &Booking, count: Count) {
        self.counts[booking.counter] += count;
        if booking.gap {
            self.gaps[booking.counter] += count;
        }
    }

    /// Puts the counts into the order of other counters. One that is not among the old ones has none.
    fn rekey(&mut self, old: &[(StationId, Counted)], keys: &[(StationId, Counted)]) {
        let moved = |counts: &[Count]| -> Vec<Count> {
            let count = |key| old.iter().position(|old| old == key).map(|at| counts[at]);
            keys.iter().map(|key| count(key).unwrap_or(Count::ZERO)).collect()
        };
        (self.counts, self.gaps) = (moved(&self.counts), moved(&self.gaps));
    }

    fn merge(&mut self, other: &Sums) {
        self.spending.merge(&other.spending);
        let add = |mine: &mut [Count], theirs: &[Count]| {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += *theirs);
        };
        add(&mut self.counts, &other.counts);
        add(&mut self.gaps, &other.gaps);
        self.estimated |= other.estimated;
    }
}

impl Books {
    /// Books of counters in this order.
    pub fn new(calendar: Calendar, keys: Vec<(StationId, Counted)>) -> Books {
        Books {
            calendar,
            keys,
            open: Vec::new(),
            batch: None,
            tail: None,
            closed: Vec::new(),
            past_hours: VecDeque::new(),
            closed_until_us: i64::MIN,
        }
    }

    /// Goes on with other shifts and other counters from `at_us` on. What is booked in open periods of a counter that is
    /// gone stays in them; a shift that the calendar has no more ends here, and the one that it has instead begins.
    pub fn rearrange(
        &mut self,
        calendar: Calendar,
        mut keys: Vec<(StationId, Counted)>,
        at_us: i64,
    ) {
        let open = || self.open.iter().chain(&self.batch);
        for (at, key) in self.keys.iter().enumerate() {
            let counted = open().any(|open| !open.sums.counts[at].is_zero());
            if counted && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        let old = std::mem::replace(&mut self.keys, keys);
        let periods = self.open.iter_mut().chain(&mut self.batch).chain(&mut self.past_hours);
        let tail = self.tail.iter_mut().map(|(_, tail)| tail);
        for sums in periods.map(|open| &mut open.sums).chain(tail) {
            sums.rekey(&old, &self.keys);
        }
        self.calendar = calendar;
        self.follow_calendar(at_us);
    }

    /// Lets the open shift be the one of the calendar.
    fn follow_calendar(&mut self, at_us: i64) {
        let is_open = |open: &&mut Open| {
            let lasts = open.start_us <= at_us && open.end_us.is_none_or(|end_us| at_us < end_us);
            open.kind == PeriodKind::Shift && lasts
        };
        let Some(open) = self.open.iter_mut().find(is_open) else { return };
        let now = self.calendar.shift_at(at_us);
        match &now {
            Some(now) if now.start_us == open.start_us => {
                open.dirty |= open.end_us != Some(now.end_us) || open.name != now.name;
                (open.name, open.end_us) = (now.name.clone(), Some(now.end_us));
                return;
            }
            // It began at the change before this one.
            Some(now) if open.end_us == Some(now.end_us) && open.name == now.name => return,
            _ => (open.end_us, open.dirty) = (Some(at_us), true),
        }
        if let Some(now) = now {
            let i = self.open.iter().position(|open| open.start_us > at_us);
            let sums = Sums::zero(self.keys.len());
            let (name, end_us) = (now.name, Some(now.end_us));
            self.open.insert(
                i.unwrap_or(self.open.len()),
                Open {
                    kind: PeriodKind::Shift,
                    name,
                    start_us: at_us,
                    end_us,
                    rev: 0,
                    remark: None,
                    watched_from_us: None,
                    sums,
                    dirty: true,
                },
            );
        }
    }

    /// Goes on with periods that were stored: those that had not ended, and the last hours that had. `booked_us` is up
    /// to when time had been booked.
    pub fn restore(&mut self, rollups: &[Rollup], booked_us: Option<i64>) {
        // An open period is written whole, so that a counter which the maps have no more must stay in it.
        for tally in rollups.iter().filter(|rollup| !rollup.closed).flat_map(|r| &r.counts) {
            let key = (tally.station.clone(), tally.counted.clone());
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        for rollup in rollups {
            let mut sums = Sums::zero(self.keys.len());
            sums.spending = rollup.spending;
            sums.estimated = rollup.estimated;
            for (i, (station, counted)) in self.keys.iter().enumerate() {
                let of = |tallies: &[Tally]| -> Count {
                    let is_it = |t: &&Tally| t.station == *station && t.counted == *counted;
                    tallies.iter().filter(is_it).map(|t| t.count).sum()
                };
                (sums.counts[i], sums.gaps[i]) = (of(&rollup.counts), of(&rollup.gaps));
            }
            let until_us = rollup.end_us.into_iter().chain(booked_us).min();
            let recorded_us = rollup.spending.time.total();
            let watched_from_us =
                until_us.map(|until_us| (until_us - recorded_us).max(rollup.start_us));
            let open = Open {
                kind: rollup.kind,
                name: rollup.name.clone(),
                start_us: rollup.start_us,
                end_us: rollup.end_us,
                rev: rollup.rev,
                remark: rollup.remark,
                watched_from_us,
                sums,
                dirty: false,
            };
            match (rollup.kind, rollup.closed) {
                (PeriodKind::Hour, true) => self.past_hours.push_back(open),
                (_, true) => {}
                (PeriodKind::Batch, false) => self.batch = Some(open),
                (_, false) => self.open.push(open),
            }
        }
        self.open.sort_by_key(|open| open.start_us);
        self.past_hours.make_contiguous().sort_by_key(|open| open.start_us);
        let hours = self.open.iter().filter(|open| open.kind == PeriodKind::Hour);
        self.closed_until_us = hours.map(|open| open.start_us).min().unwrap_or(i64::MIN);
    }

    /// The shift at a moment as booked so far, if anything was booked in it.
    pub fn shift_at(&self, utc_us: i64) -> Option<Period<'_>> {
        // A clock that stepped back does not open a closed shift again.
        let utc_us = utc_us.max(self.closed_until_us);
        self.open.iter().filter(|open| open.kind == PeriodKind::Shift).rev().find_map(|open| {
            let period = open.period()?;
            (period.start_us <= utc_us && utc_us < period.end_us).then_some(period)
        })
    }

    /// The clock hour that starts then as booked so far, if anything was booked in it.
    pub fn hour_from(&self, start_us: i64) -> Option<Period<'_>> {
        let open = self.open.iter().filter(|open| open.kind == PeriodKind::Hour);
        let hours = open.rev().chain(self.past_hours.iter().rev());
        hours.filter(|open| open.start_us == start_us).find_map(Open::period)
    }

    /// The open batch.
    pub fn batch(&self) -> Option<OpenBatch> {
        self.batch.as_ref().map(|batch| OpenBatch {
            id: batch.name.clone(),
            start_us: batch.start_us,
            by_hand: batch.remark == Some(Remark::ByHand),
        })
    }

    /// Books a count.
    pub fn count(&mut self, booking: &Booking) {
        if booking.count.is_zero() {
            return;
        }
        for kind in [PeriodKind::Hour, PeriodKind::Shift] {
            match booking.gap {
                true => self.divide(kind, booking),
                false => {
                    if let Some(i) = self.position(kind, booking.to.utc_us) {
                        self.open[i].sums.book(booking, booking.count);
                        self.open[i].dirty = true;
                    }
                }
            }
        }
        self.count_in_batch(booking);
    }

    fn count_in_batch(&mut self, booking: &Booking) {
        let Some(batch) = &mut self.batch else { return };
        batch.dirty = true;
        let Some((since, tail)) = &mut self.tail else {
            batch.sums.book(booking, booking.count);
            return;
        };
        if booking.reset {
            // What the counter shows was made after it was reset; the rest, before.
            let after = Count::exact(booking.count.low());
            tail.book(booking, after);
            batch.sums.book(booking, booking.count.since(after));
        } else if booking.to.mono_us > since.mono_us {
            tail.book(booking, booking.count);
        } else if booking.gap {
            // The border lies anywhere in the gap.
            let parts = divide(booking.count, &[1, 1]);
            batch.sums.book(booking, parts[0]);
            tail.book(booking, parts[1]);
            (batch.sums.estimated, tail.estimated) = (true, true);
        } else {
            batch.sums.book(booking, booking.count);
        }
    }

    /// Divides the count of a gap among the periods of a kind by their busy time.
    fn divide(&mut self, kind: PeriodKind, booking: &Booking) {
        let long_us = (booking.to.mono_us - booking.from.mono_us).max(0);
        let mut spans = self.spans(kind, booking.to.utc_us - long_us, booking.to.utc_us);
        if spans.is_empty() {
            return;
        }
        spans.drain(..spans.len().saturating_sub(PERIODS_OF_A_GAP));
        let busy_us = |(_, from_us, to_us): &(usize, i64, i64)| {
            (to_us - from_us - self.calendar.planned_us(*from_us, *to_us)).max(0).unsigned_abs()
        };
        let weights: Vec<u64> = spans.iter().map(busy_us).collect();
        let parts = divide(booking.count, &weights);
        let n_parts = parts.iter().filter(|part| !part.is_zero()).count();
        for ((i, ..), part) in spans.into_iter().zip(parts) {
            if !part.is_zero() {
                let open = &mut self.open[i];
                open.sums.book(booking, part);
                open.sums.estimated |= n_parts > 1;
                open.dirty = true;
            }
        }
    }

    /// Books how time was spent.
    pub fn spend(&mut self, spent: &Spent) {
        let us = spent.to.mono_us - spent.from.mono_us;
        if us <= 0 {
            return;
        }
        let order = self.batch.is_some();
        for kind in [PeriodKind::Hour, PeriodKind::Shift] {
            // Nearly always the span lies in the period that is open.
            if let Some(open) = self.around(kind, spent.to.utc_us - us, spent.to.utc_us) {
                open.spend(spent, (spent.to.utc_us - us, spent.to.utc_us), order);
                continue;
            }
            for (i, from_us, to_us) in self.spans(kind, spent.to.utc_us - us, spent.to.utc_us) {
                self.open[i].spend(spent, (from_us, to_us), order);
            }
        }
        match (&mut self.tail, &mut self.batch) {
            (Some((_, tail)), Some(_)) => tail.spending.add(spent, us, true),
            (_, Some(batch)) => batch.sums.spending.add(spent, us, true),
            _ => {}
        }
        if let Some(batch) = &mut self.batch {
            batch.dirty = true;
        }
    }

    /// Notes that the machine failed.
    pub fn fail(&mut self, at: Moment) {
        for kind in [PeriodKind::Hour, PeriodKind::Shift] {
            if let Some(i) = self.position(kind, at.utc_us) {
                self.open[i].sums.spending.failures += 1;
                self.open[i].dirty = true;
            }
        }
        match (&mut self.tail, &mut self.batch) {
            (Some((_, tail)), Some(_)) => tail.spending.failures += 1,
            (_, Some(batch)) => batch.sums.spending.failures += 1,
            _ => {}
        }
    }

    /// Follows what is known about the batch.
    pub fn follow(&mut self, verdict: &Verdict, at: Moment) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::Doubt => {
                self.give_back();
                self.tail = Some((at, Sums::zero(self.keys.len())));
            }
            Verdict::Stay(_) => self.give_back(),
            Verdict::Change(change) => self.change(change),
        }
    }

    /// Gives what was kept apart to the open batch.
    fn give_back(&mut self) {
        if let (Some((_, tail)), Some(batch)) = (self.tail.take(), &mut self.batch) {
            batch.sums.merge(&tail);
            batch.dirty = true;
        }
    }

    fn change(&mut self, change: &Change) {
        if change.remark == Remark::ByHand {
            self.give_back();
        }
        let tail = self.tail.take().map(|(_, tail)| tail);
        if let Some(mut batch) = self.batch.take() {
            batch.end_us = Some(change.at.utc_us.max(batch.start_us));
            self.closed.push(batch.rollup(&self.keys, None, true));
        }
        self.batch = change.id.as_ref().map(|id| Open {
            kind: PeriodKind::Batch,
            name: id.clone(),
            start_us: change.at.utc_us,
            end_us: None,
            rev: 0,
            remark: Some(change.remark),
            watched_from_us: Some(change.at.utc_us),
            sums: tail.unwrap_or_else(|| Sums::zero(self.keys.len())),
            dirty: true,
        });
    }

    /// Closes hours and shifts that ended by then: no reading of them can still be on its way.
    pub fn close_until(&mut self, utc_us: i64) {
        self.closed_until_us = self.closed_until_us.max(utc_us);
        let is_over = |open: &Open| open.end_us.is_some_and(|end_us| end_us <= utc_us);
        let (over, open): (Vec<Open>, Vec<Open>) = self.open.drain(..).partition(is_over);
        self.open = open;
        for mut open in over {
            self.closed.push(open.rollup(&self.keys, None, true));
            if open.kind == PeriodKind::Hour {
                self.past_hours.push_back(open);
            }
        }
        self.past_hours.drain(..self.past_hours.len().saturating_sub(HOURS_KEPT));
    }

    /// Whether a period has ended by then.
    pub fn is_due(&self, utc_us: i64) -> bool {
        self.open.iter().any(|open| open.end_us.is_some_and(|end_us| end_us <= utc_us))
    }

    /// Periods that changed since the last call, absolute.
    pub fn take(&mut self) -> Vec<Rollup> {
        let mut rollups = std::mem::take(&mut self.closed);
        let tail = self.tail.as_ref().map(|(_, tail)| tail);
        for open in self.open.iter_mut().filter(|open| open.dirty) {
            rollups.push(open.rollup(&self.keys, None, false));
        }
        if let Some(batch) = self.batch.as_mut().filter(|batch| batch.dirty) {
            rollups.push(batch.rollup(&self.keys, tail, false));
        }
        rollups
    }

    /// The period of a kind at a moment; opened if it is not yet. None where there is no shift.
    fn position(&mut self, kind: PeriodKind, utc_us: i64) -> Option<usize> {
        let utc_us = utc_us.max(self.closed_until_us);
        let contains = |open: &Open| {
            open.kind == kind && open.start_us <= utc_us && open.end_us.is_none_or(|e| utc_us < e)
        };
        if let Some(i) = self.open.iter().rposition(contains) {
            return Some(i);
        }
        let (name, start_us, end_us) = match kind {
            PeriodKind::Hour => {
                let end_us = self.calendar.next_hour(utc_us);
                ("".into(), self.calendar.this_hour(utc_us), end_us)
            }
            _ => {
                let shift = self.calendar.shift_at(utc_us)?;
                (shift.name, shift.start_us, shift.end_us)
            }
        };
        let i = self.open.iter().position(|open| open.start_us > start_us);
        let i = i.unwrap_or(self.open.len());
        let sums = Sums::zero(self.keys.len());
        let end_us = Some(end_us);
        let open = Open {
            kind,
            name,
            start_us,
            end_us,
            rev: 0,
            remark: None,
            watched_from_us: None,
            sums,
            dirty: true,
        };
        self.open.insert(i, open);
        Some(i)
    }

    /// The open period of a kind that holds a whole span.
    fn around(&mut self, kind: PeriodKind, from_us: i64, to_us: i64) -> Option<&mut Open> {
        let contains = |open: &&mut Open| {
            open.kind == kind
                && open.start_us <= from_us
                && open.end_us.is_none_or(|end_us| to_us <= end_us)
        };
        self.open.iter_mut().rev().find(contains)
    }

    /// Cuts a span at the borders of the periods of a kind. What lies between shifts belongs to none.
    fn spans(&mut self, kind: PeriodKind, mut from_us: i64, to_us: i64) -> Vec<(usize, i64, i64)> {
        // Opening a period moves the positions of later ones, so that all are opened first.
        let mut borders = Vec::new();
        while from_us < to_us {
            let end_us = match self.position(kind, from_us) {
                Some(i) if self.open[i].start_us <= from_us => self.open[i].end_us,
                Some(i) => Some(self.open[i].start_us),
                None => Some(self.calendar.next_hour(from_us)),
            };
            let end_us = end_us.unwrap_or(to_us).min(to_us);
            borders.push((from_us, end_us));
            from_us = end_us;
        }
        let spans = borders
            .into_iter()
            .filter_map(|(from_us, end_us)| Some((self.position(kind, from_us)?, from_us, end_us)));
        spans.collect()
    }
}

impl Open {
    fn spend(&mut self, spent: &Spent, (from_us, to_us): (i64, i64), order: bool) {
        self.sums.spending.add(spent, to_us - from_us, order);
        let first_us = from_us.max(self.start_us);
        self.watched_from_us = Some(self.watched_from_us.unwrap_or(first_us));
        self.dirty = true;
    }

    fn period(&self) -> Option<Period<'_>> {
        let end_us = self.end_us?;
        Some(Period {
            name: &self.name,
            start_us: self.start_us,
            end_us,
            watched_from_us: self.watched_from_us.unwrap_or(end_us),
            spending: &self.sums.spending,
            counts: &self.sums.counts,
            gaps: &self.sums.gaps,
        })
    }

    fn rollup(
        &mut self,
        keys: &[(StationId, Counted)],
        tail: Option<&Sums>,
        closed: bool,
    ) -> Rollup {
        self.dirty = false;
        self.rev += 1;
        let mut sums = self.sums.clone();
        if let Some(tail) = tail {
            sums.merge(tail);
        }
        let tallies = |counts: &[Count]| -> Vec<Tally> {
            let counted = keys.iter().zip(counts).filter(|(_, count)| !count.is_zero());
            counted
                .map(|((station, counted), count)| Tally {
                    station: station.clone(),
                    counted: counted.clone(),
                    count: *count,
                })
                .collect()
        };
        Rollup {
            kind: self.kind,
            name: self.name.clone(),
            start_us: self.start_us,
            end_us: self.end_us,
            rev: self.rev,
            closed,
            remark: self.remark,
            estimated: sums.estimated,
            spending: sums.spending,
            counts: tallies(&sums.counts),
            gaps: tallies(&sums.gaps),
        }
    }
}
