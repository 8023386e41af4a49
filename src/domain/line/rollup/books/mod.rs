//! The books of the periods that are open.

mod carry;
mod open;

use std::collections::VecDeque;
use std::sync::Arc;

use super::{PeriodKind, Rollup};
use crate::line::batch::{Change, Remark, Verdict};
use crate::line::calendar::Calendar;
use crate::line::minute::Counted;
use crate::line::split::divide;
use crate::line::stop::Spent;
use crate::units::{Count, HOUR_US, Moment, StationId};
use open::{Open, Sums};

pub use open::Period;

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

    /// The shift at a moment as booked so far, if anything was booked in it.
    pub fn shift_at(&self, utc_us: i64) -> Option<Period<'_>> {
        // A clock that stepped back does not open a closed shift again.
        let utc_us = utc_us.max(self.closed_until_us);
        self.open.iter().filter(|open| open.kind == PeriodKind::Shift).rev().find_map(|open| {
            let period = open.period(self.closed_until_us)?;
            (period.start_us <= utc_us && utc_us < period.end_us).then_some(period)
        })
    }

    /// The clock hour that starts then as booked so far, if anything was booked in it.
    pub fn hour_from(&self, start_us: i64) -> Option<Period<'_>> {
        let open = self.open.iter().filter(|open| open.kind == PeriodKind::Hour);
        let hours = open.rev().chain(self.past_hours.iter().rev());
        let mut hours = hours.filter(|open| open.start_us == start_us);
        hours.find_map(|open| open.period(self.closed_until_us))
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
        let from_us = booking.to.utc_us - long_us;
        let mut spans = self.spans(kind, from_us, booking.to.utc_us);
        if spans.is_empty() {
            return;
        }
        // What lies before periods that are closed for good goes with the first one that is open.
        spans.dedup_by(|(i, _, to_us), (first, _, end_us)| {
            let same = i == first;
            *end_us = if same { *to_us } else { *end_us };
            same
        });
        // Where hours of it are closed, each part may have been made in them.
        let part_is_closed = self.closed_until_us.saturating_sub(from_us) > HOUR_US;
        spans.drain(..spans.len().saturating_sub(PERIODS_OF_A_GAP));
        let busy_us = |(_, from_us, to_us): &(usize, i64, i64)| {
            (to_us - from_us - self.calendar.planned_us(*from_us, *to_us)).max(0).unsigned_abs()
        };
        let weights: Vec<u64> = spans.iter().map(busy_us).collect();
        let parts = divide(booking.count, &weights);
        let n_parts = parts.iter().filter(|part| !part.is_zero()).count();
        for ((i, ..), part) in spans.into_iter().zip(parts) {
            if !part.is_zero() {
                let low = if part_is_closed { 0 } else { part.low() };
                let open = &mut self.open[i];
                open.sums.book(booking, Count::between(low, part.best(), part.high()));
                open.sums.estimated |= n_parts > 1 || part_is_closed;
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
        let (start_us, n_counters) = (change.at.utc_us, self.keys.len());
        self.batch = change.id.as_ref().map(|id| Open {
            remark: Some(change.remark),
            watched_from_us: Some(start_us),
            sums: tail.unwrap_or_else(|| Sums::zero(n_counters)),
            ..Open::new(PeriodKind::Batch, id.clone(), start_us, None, n_counters)
        });
    }

    /// Closes hours and shifts that ended by then: no reading of them can still be on its way. `unread` tells what a counter
    /// may have counted in a span besides what was read: what a silent machine made there is not known, and no zero.
    pub fn close_until(&mut self, utc_us: i64, unread: impl Fn(usize, (i64, i64)) -> Count) {
        self.closed_until_us = self.closed_until_us.max(utc_us);
        let is_over = |open: &Open| open.end_us.is_some_and(|end_us| end_us <= utc_us);
        let (over, open): (Vec<Open>, Vec<Open>) = self.open.drain(..).partition(is_over);
        self.open = open;
        for mut open in over {
            let span = (open.start_us, open.end_us.unwrap_or(utc_us));
            for counter in 0..open.sums.counts.len() {
                open.sums.doubt(counter, unread(counter, span));
            }
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
        Some(self.begin(Open::new(kind, name, start_us, Some(end_us), self.keys.len())))
    }

    /// Puts a period among the open ones; its position.
    fn begin(&mut self, open: Open) -> usize {
        let later = self.open.iter().position(|other| other.start_us > open.start_us);
        let i = later.unwrap_or(self.open.len());
        self.open.insert(i, open);
        i
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
