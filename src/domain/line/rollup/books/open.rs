//! A period that is open: what is booked in it, and the row that is stored of it.

use std::sync::Arc;

use super::Booking;
use crate::line::batch::Remark;
use crate::line::minute::{Counted, Tally};
use crate::line::rollup::{PeriodKind, Rollup, Spending};
use crate::line::stop::Spent;
use crate::units::{Count, StationId};

/// A period as booked so far.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    /// Name of the shift; empty for an hour.
    pub name: &'a Arc<str>,
    /// Start in UTC microseconds.
    pub start_us: i64,
    /// End in UTC microseconds.
    pub end_us: i64,
    /// Whether it is closed: what may be missing is in its counts.
    pub closed: bool,
    /// From where on anything is recorded of it, in UTC microseconds.
    pub watched_from_us: i64,
    /// How its time was spent.
    pub spending: &'a Spending,
    /// All counts, gaps included, counter by counter.
    pub counts: &'a [Count],
    /// The part of them that is known for gaps only as a whole.
    pub gaps: &'a [Count],
}

/// A period as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) kind: PeriodKind,
    pub(super) name: Arc<str>,
    pub(super) start_us: i64,
    pub(super) end_us: Option<i64>,
    pub(super) rev: u32,
    pub(super) remark: Option<Remark>,
    /// From where on anything is recorded of it, in UTC microseconds.
    pub(super) watched_from_us: Option<i64>,
    pub(super) sums: Sums,
    pub(super) dirty: bool,
}

/// What adds up in a period; the counts counter by counter.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) spending: Spending,
    pub(super) counts: Vec<Count>,
    pub(super) gaps: Vec<Count>,
    pub(super) estimated: bool,
}

impl Sums {
    pub(super) fn zero(n_counters: usize) -> Sums {
        let zero = vec![Count::ZERO; n_counters];
        Sums { spending: Spending::default(), counts: zero.clone(), gaps: zero, estimated: false }
    }

    pub(super) fn book(&mut self, booking: &Booking, count: Count) {
        self.counts[booking.counter] += count;
        if booking.gap {
            self.gaps[booking.counter] += count;
        }
    }

    /// Notes what may have been counted besides, as a gap of which nothing else is known.
    pub(super) fn doubt(&mut self, counter: usize, count: Count) {
        self.counts[counter] += count;
        self.gaps[counter] += count;
        self.estimated |= !count.is_zero();
    }

    /// Puts the counts into the order of other counters. One that is not among the old ones has none.
    pub(super) fn rekey(&mut self, old: &[(StationId, Counted)], keys: &[(StationId, Counted)]) {
        let moved = |counts: &[Count]| -> Vec<Count> {
            let count = |key| old.iter().position(|old| old == key).map(|at| counts[at]);
            keys.iter().map(|key| count(key).unwrap_or(Count::ZERO)).collect()
        };
        (self.counts, self.gaps) = (moved(&self.counts), moved(&self.gaps));
    }

    pub(super) fn merge(&mut self, other: &Sums) {
        self.spending.merge(&other.spending);
        let add = |mine: &mut [Count], theirs: &[Count]| {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += *theirs);
        };
        add(&mut self.counts, &other.counts);
        add(&mut self.gaps, &other.gaps);
        self.estimated |= other.estimated;
    }
}

impl Open {
    /// A period in which nothing is booked yet.
    pub(super) fn new(
        kind: PeriodKind,
        name: Arc<str>,
        start_us: i64,
        end_us: Option<i64>,
        n_counters: usize,
    ) -> Open {
        Open {
            kind,
            name,
            start_us,
            end_us,
            rev: 0,
            remark: None,
            watched_from_us: None,
            sums: Sums::zero(n_counters),
            dirty: true,
        }
    }

    pub(super) fn spend(&mut self, spent: &Spent, (from_us, to_us): (i64, i64), order: bool) {
        self.sums.spending.add(spent, to_us - from_us, order);
        let first_us = from_us.max(self.start_us);
        self.watched_from_us = Some(self.watched_from_us.unwrap_or(first_us));
        self.dirty = true;
    }

    pub(super) fn period(&self, closed_until_us: i64) -> Option<Period<'_>> {
        let end_us = self.end_us?;
        Some(Period {
            name: &self.name,
            start_us: self.start_us,
            end_us,
            closed: end_us <= closed_until_us,
            watched_from_us: self.watched_from_us.unwrap_or(end_us),
            spending: &self.sums.spending,
            counts: &self.sums.counts,
            gaps: &self.sums.gaps,
        })
    }

    pub(super) fn rollup(
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
