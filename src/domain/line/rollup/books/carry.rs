//! How the books go on: with what was stored, after a restart of ours, and with other shifts and counters, after a change
//! of the configuration.

use super::Books;
use super::open::{Open, Sums};
use crate::line::calendar::Calendar;
use crate::line::minute::{Counted, Tally};
use crate::line::rollup::{PeriodKind, Rollup};
use crate::units::{Count, StationId};

impl Books {
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
            let (kind, n_counters) = (PeriodKind::Shift, self.keys.len());
            self.begin(Open::new(kind, now.name, at_us, Some(now.end_us), n_counters));
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
}
