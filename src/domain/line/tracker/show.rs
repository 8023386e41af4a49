//! What the tracker shows: a [`LineStatus`] in exact numbers, neither rounded nor worded.

use super::{Ledger, LineTracker};
use crate::line::minute::Counted;
use crate::line::rollup::{Period, asked};
use crate::line::status::{
    HourStatus, LineStatus, RejectStatus, ShiftStatus, SpeedStatus, StationStatus, TrendPoint,
};
use crate::plc_map::Role;
use crate::stats::interval;
use crate::units::{Count, MINUTE_US, Moment, SECOND_US};

/// Windows of throughput: 10 s, 1 min, 15 min.
const WINDOWS_US: [i64; 3] = [10 * SECOND_US, MINUTE_US, 15 * MINUTE_US];

/// Minutes of the trend.
const TREND_MINUTES: i64 = 60;

impl LineTracker {
    /// The line at this moment.
    pub fn status(&self, now: Moment) -> LineStatus {
        let counting = &self.stations[self.model.counting];
        let shift = self.chronicle.books().shift_at(now.utc_us);
        let shift = shift.as_ref();
        LineStatus {
            line: self.model.id.clone(),
            at: now,
            state: counting.state_status(),
            batch: self.chronicle.open_batch(),
            batch_told: counting.batch.clone().filter(|id| !id.is_empty()),
            shift: shift.map(|book| self.shift_status(book, now)),
            total: self.total(),
            speeds: self.speeds(now, shift),
            plc_speed: counting.speed.filter(|_| counting.is_up()),
            target_per_minute: self.model.target_per_minute,
            rejects: shift.map_or_else(Vec::new, |book| self.rejects(book)),
            trend: self.trend(now),
            hours: shift.map_or_else(Vec::new, |book| self.hours(book, now)),
            stations: (0..self.stations.len()).map(|i| self.station_status(i, shift)).collect(),
            contents: self.chronicle.contents(),
            polls: self.polls,
            missed_polls: self.missed_polls,
            events: self.recent.iter().cloned().collect(),
            charts: self.charts.clone(),
        }
    }

    /// Sum over the counters of a station that a test picks.
    fn sum(
        &self,
        station: usize,
        book: &Period<'_>,
        picks: impl Fn(&Role) -> bool,
    ) -> Option<Count> {
        let mut counts = self
            .ledgers
            .iter()
            .enumerate()
            .filter(|(_, l)| l.station == station && picks(self.role(l)));
        let (first, _) = counts.next()?;
        Some(counts.fold(book.counts[first], |sum, (i, _)| sum + book.counts[i]))
    }

    fn rejected(&self, station: usize, book: &Period<'_>) -> Count {
        self.sum(station, book, |role| matches!(role, Role::Reject(_))).unwrap_or(Count::ZERO)
    }

    /// Position of the counter that is the output of the line.
    fn output_position(&self) -> Option<usize> {
        let is_output =
            |l: &Ledger| l.station == self.model.counting && *self.role(l) == Role::Good;
        self.ledgers.iter().position(is_output)
    }

    fn shift_status(&self, book: &Period<'_>, now: Moment) -> ShiftStatus {
        let good =
            self.sum(self.model.counting, book, |role| *role == Role::Good).unwrap_or(Count::ZERO);
        let gap = self.output_position().map_or(Count::ZERO, |i| book.gaps[i]);
        let rate = self.speed(now, WINDOWS_US[2]).per_minute;
        let left_us = (book.end_us - now.utc_us).max(0);
        let forecast = rate
            .map(|rate| good.best() + (rate * left_us as f64 / MINUTE_US as f64).round() as u64);
        ShiftStatus {
            name: book.name.clone(),
            start_us: book.start_us,
            end_us: book.end_us,
            good,
            gap,
            rejected: self.rejected(self.model.counting, book),
            target_now: book.spending.target(self.model.target_per_minute),
            plan: asked(self.model.target_per_minute, book.end_us - book.start_us),
            forecast,
            time: book.spending.time,
            coverage: book.spending.known_share(now.utc_us.min(book.end_us) - book.start_us),
            watched_from_us: book.watched_from_us,
        }
    }

    fn speeds(&self, now: Moment, shift: Option<&Period<'_>>) -> Vec<SpeedStatus> {
        let mut speeds: Vec<SpeedStatus> =
            WINDOWS_US.iter().map(|window_us| self.speed(now, *window_us)).collect();
        speeds.extend(shift.map(|book| {
            let watched = |i: usize| book.counts[i].since(book.gaps[i]);
            let good = self.output_position().map_or(Count::ZERO, watched);
            let known_us = book.spending.time.known();
            self.speed_of(0, good, known_us, known_us)
        }));
        speeds
    }

    fn speed(&self, now: Moment, window_us: i64) -> SpeedStatus {
        let (good, known_us) = self.account.window(now, window_us);
        self.speed_of(window_us, good, known_us, window_us)
    }

    fn speed_of(
        &self,
        window_us: i64,
        count: Count,
        covered_us: i64,
        asked_us: i64,
    ) -> SpeedStatus {
        let step = self.model.stations[self.model.counting].step;
        SpeedStatus::of(window_us, count, covered_us, asked_us, step)
    }

    fn rejects(&self, book: &Period<'_>) -> Vec<RejectStatus> {
        let rejects = self.ledgers.iter().enumerate().filter_map(|(i, ledger)| {
            let Role::Reject(reason) = self.role(ledger) else { return None };
            let (station, rejected) = (ledger.station, book.counts[i]);
            let good = self.sum(station, book, |role| *role == Role::Good);
            // Its own rejects are no whole for a machine that counts nothing else.
            let infeed = || self.sum(station, book, |role| *role == Role::Infeed);
            let judged = good.map(|good| good + self.rejected(station, book));
            let total = judged.or_else(infeed).unwrap_or(Count::ZERO);
            Some(RejectStatus {
                station: self.model.stations[station].station.clone(),
                reason: reason.clone(),
                rejected,
                total,
                wilson: interval::wilson(rejected.best(), total.best(), 0.95),
            })
        });
        rejects.collect()
    }

    /// The last 60 minutes of the wall clock, those that were not watched included.
    fn trend(&self, now: Moment) -> Vec<TrendPoint> {
        let newest_us =
            self.account.closed.back().map_or(now.utc_us, |minute| minute.start_us + MINUTE_US);
        let first_us = (newest_us.div_euclid(MINUTE_US) - TREND_MINUTES) * MINUTE_US;
        let station = &self.model.stations[self.model.counting].station;
        let mut points: Vec<TrendPoint> = (0..TREND_MINUTES)
            .map(|i| TrendPoint { start_us: first_us + i * MINUTE_US, good: None, coverage: 0.0 })
            .collect();
        for minute in self.account.closed.iter().rev().take(points.len()) {
            let Ok(i) = usize::try_from((minute.start_us - first_us).div_euclid(MINUTE_US)) else {
                continue;
            };
            if let Some(point) = points.get_mut(i) {
                point.coverage = minute.coverage();
                point.good = (point.coverage > 0.0).then(|| minute.count(station, &Counted::Good));
            }
        }
        points
    }

    /// The clock hours of a shift until now, those of which nothing is recorded included.
    fn hours(&self, shift: &Period<'_>, now: Moment) -> Vec<HourStatus> {
        let calendar = &self.model.calendar;
        let until_us = now.utc_us.min(shift.end_us - 1);
        let mut hours = Vec::new();
        let mut start_us = calendar.this_hour(shift.start_us);
        while start_us <= until_us {
            let end_us = calendar.next_hour(start_us);
            hours.push(self.hour(start_us, end_us, now));
            start_us = end_us;
        }
        hours
    }

    fn hour(&self, start_us: i64, end_us: i64, now: Moment) -> HourStatus {
        let Some(hour) = self.chronicle.books().hour_from(start_us) else {
            let zero = Count::ZERO;
            let (good, gap) = (zero, zero);
            return HourStatus {
                start_us,
                end_us,
                good,
                gap,
                watched: false,
                target: 0,
                coverage: 0.0,
            };
        };
        let output = self.output_position();
        let gap = output.map_or(Count::ZERO, |i| hour.gaps[i]);
        let passed_us = now.utc_us.min(end_us) - start_us;
        HourStatus {
            start_us,
            end_us,
            good: output.map_or(Count::ZERO, |i| hour.counts[i].since(gap)),
            gap,
            watched: true,
            target: hour.spending.target(self.model.target_per_minute),
            coverage: hour.spending.known_share(passed_us).unwrap_or(0.0),
        }
    }

    fn station_status(&self, index: usize, shift: Option<&Period<'_>>) -> StationStatus {
        let station = &self.stations[index];
        let of = |role: Role| shift.and_then(|book| self.sum(index, book, |other| *other == role));
        StationStatus {
            id: station.map.station.clone(),
            title: station.map.title.clone(),
            protocol: station.map.protocol.word(),
            state: station.state_status(),
            link: station.link_status(),
            infeed: of(Role::Infeed),
            good: of(Role::Good),
            rejected: shift.map_or(Count::ZERO, |book| self.rejected(index, book)),
            speed: station.speed,
            bad_tags: station.bad_tags(),
            measures: station.measures(),
        }
    }
}
