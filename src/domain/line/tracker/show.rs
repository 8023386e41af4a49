//! What the tracker shows: a [`LineStatus`] in exact numbers, neither rounded nor worded.

use super::account::{HourBook, ShiftBook};
use super::{Ledger, LineTracker};
use crate::line::minute::Counted;
use crate::line::state::TimeClass;
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
        let shift = self.account.shift.as_ref().filter(|book| now.utc_us < book.shift.end_us);
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
        book: &ShiftBook,
        picks: impl Fn(&Role) -> bool,
    ) -> Option<Count> {
        let mut counts = self
            .ledgers
            .iter()
            .enumerate()
            .filter(|(_, l)| l.station == station && picks(self.role(l)));
        let (first, _) = counts.next()?;
        Some(counts.fold(book.of(first), |sum, (i, _)| sum + book.of(i)))
    }

    fn rejected(&self, station: usize, book: &ShiftBook) -> Count {
        self.sum(station, book, |role| matches!(role, Role::Reject(_))).unwrap_or(Count::ZERO)
    }

    fn target(&self, us: i64) -> u64 {
        let capsules = i128::from(us.max(0)) * i128::from(self.model.target_per_minute)
            / i128::from(MINUTE_US);
        u64::try_from(capsules).unwrap_or(u64::MAX)
    }

    fn shift_status(&self, book: &ShiftBook, now: Moment) -> ShiftStatus {
        let good =
            self.sum(self.model.counting, book, |role| *role == Role::Good).unwrap_or(Count::ZERO);
        let is_output =
            |l: &Ledger| l.station == self.model.counting && *self.role(l) == Role::Good;
        let gap = self.ledgers.iter().position(is_output).map_or(Count::ZERO, |i| book.gaps[i]);
        let rate = self.speed(now, WINDOWS_US[2]).per_minute;
        let left_us = (book.shift.end_us - now.utc_us).max(0);
        let forecast = rate
            .map(|rate| good.best() + (rate * left_us as f64 / MINUTE_US as f64).round() as u64);
        ShiftStatus {
            name: book.shift.name.clone(),
            start_us: book.shift.start_us,
            end_us: book.shift.end_us,
            good,
            gap,
            rejected: self.rejected(self.model.counting, book),
            target_now: self.target(now.utc_us.min(book.shift.end_us) - book.shift.start_us),
            plan: self.target(book.shift.end_us - book.shift.start_us),
            forecast,
            time: book.time,
            watched_from_us: book.watched_from_us.max(book.shift.start_us),
        }
    }

    fn speeds(&self, now: Moment, shift: Option<&ShiftBook>) -> Vec<SpeedStatus> {
        let mut speeds: Vec<SpeedStatus> =
            WINDOWS_US.iter().map(|window_us| self.speed(now, *window_us)).collect();
        speeds.extend(shift.map(|book| {
            let is_output =
                |l: &Ledger| l.station == self.model.counting && *self.role(l) == Role::Good;
            let good =
                self.ledgers.iter().position(is_output).map_or(Count::ZERO, |i| book.counts[i]);
            let known_us = book.time.total() - book.time.of(TimeClass::Unknown);
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
        let minutes = covered_us as f64 / MINUTE_US as f64;
        let enough = covered_us > 0 && 2 * covered_us >= asked_us;
        let step = self.model.stations[self.model.counting].step as f64;
        SpeedStatus {
            window_us,
            count,
            covered_us,
            per_minute: enough.then(|| count.best() as f64 / minutes),
            plus_minus: if covered_us > 0 { step / minutes } else { 0.0 },
        }
    }

    fn rejects(&self, book: &ShiftBook) -> Vec<RejectStatus> {
        let rejects = self.ledgers.iter().enumerate().filter_map(|(i, ledger)| {
            let Role::Reject(reason) = self.role(ledger) else { return None };
            let (station, rejected) = (ledger.station, book.of(i));
            let good = self.sum(station, book, |role| *role == Role::Good).unwrap_or(Count::ZERO);
            let total = good + self.rejected(station, book);
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

    fn hours(&self, book: &ShiftBook, now: Moment) -> Vec<HourStatus> {
        let begun = book.hours.iter().filter(|hour| hour.start_us <= now.utc_us);
        begun.map(|hour| self.hour(hour, now)).collect()
    }

    fn hour(&self, hour: &HourBook, now: Moment) -> HourStatus {
        let passed_us = (now.utc_us.min(hour.end_us) - hour.start_us).max(1);
        let known_us = hour.time.total() - hour.time.of(TimeClass::Unknown);
        HourStatus {
            start_us: hour.start_us,
            end_us: hour.end_us,
            good: hour.good,
            gap: hour.gap,
            target: self.target(passed_us),
            coverage: (known_us as f64 / passed_us as f64).clamp(0.0, 1.0),
        }
    }

    fn station_status(&self, index: usize, shift: Option<&ShiftBook>) -> StationStatus {
        let station = &self.stations[index];
        let of = |role: Role| shift.and_then(|book| self.sum(index, book, |other| *other == role));
        StationStatus {
            id: station.map.station.clone(),
            title: station.map.title.clone(),
            protocol: station.protocol(),
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
