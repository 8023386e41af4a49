//! What the tracker shows: a [`LineStatus`] in exact numbers, neither rounded nor worded.

use std::ops::Range;

use super::{Ledger, LineTracker, carry};
use crate::line::kpi::{Kpis, Policy};
use crate::line::minute::Tally;
use crate::line::rollup::{Period, PeriodKind, Rollup, asked};
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
        let shift = self.chronicle.books().shift_at(now.utc_us);
        let shift = shift.as_ref();
        LineStatus {
            line: self.model.id.clone(),
            at: now,
            state: self.line_state(),
            batch: self.chronicle.open_batch(),
            batch_told: self.batch_station().batch.clone().filter(|id| !id.is_empty()),
            shift: shift.map(|book| self.shift_status(book, now)),
            total: self.outputs().map(|ledger| self.whole(ledger, now)).sum(),
            unread: self.all_unread(now),
            speeds: self.speeds(now, shift),
            plc_speed: self.plc_speed(),
            target_per_minute: self.model.target_per_minute,
            rejects: shift.map_or_else(Vec::new, |book| self.rejects((book, now))),
            trend: self.trend(now),
            hours: shift.map_or_else(Vec::new, |book| self.hours(book, now)),
            stations: (0..self.stations.len())
                .map(|i| self.station_status(i, shift.map(|book| (book, now))))
                .collect(),
            contents: self.chronicle.contents(),
            polls: self.polls,
            missed_polls: self.missed_polls,
            events: self.recent.iter().cloned().collect(),
        }
    }

    /// Speed as the PLCs say, of all machines that count; none while one of them does not tell.
    fn plc_speed(&self) -> Option<f64> {
        let counting = self.stations[self.model.counting.clone()].iter();
        counting.map(|station| station.speed.filter(|_| station.is_current())).sum()
    }

    /// Sum over the counters of a station, or of several, that a test picks, with what of them is unread.
    fn sum(
        &self,
        stations: Range<usize>,
        (book, now): (&Period<'_>, Moment),
        picks: impl Fn(&Role) -> bool,
    ) -> Option<Count> {
        let of = |(i, ledger): (usize, &Ledger)| {
            (stations.contains(&ledger.station) && picks(self.role(ledger)))
                .then(|| book.counts[i] + self.unread(ledger, now))
        };
        self.ledgers.iter().enumerate().filter_map(of).reduce(|sum, count| sum + count)
    }

    fn rejected(&self, stations: Range<usize>, at: (&Period<'_>, Moment)) -> Count {
        self.sum(stations, at, |role| matches!(role, Role::Reject(_))).unwrap_or(Count::ZERO)
    }

    /// Whether a machine was read in a period: it was heard since, or what it counted is booked there.
    fn was_read(&self, station: usize, book: &Period<'_>) -> bool {
        let heard = self.stations[station].heard.is_some_and(|at| at.utc_us >= book.start_us);
        let counted =
            |(i, ledger): (usize, &Ledger)| ledger.station == station && book.counts[i].best() > 0;
        heard || self.ledgers.iter().enumerate().any(counted)
    }

    /// Whether the output of the line was read in a period.
    fn output_was_read(&self, book: &Period<'_>) -> bool {
        let counted = self.account.outputs.iter().any(|i| book.counts[*i].best() > 0);
        counted || book.spending.time.known() > 0
    }

    /// The KPIs of a shift as booked so far.
    fn kpis(&self, book: &Period<'_>) -> Kpis {
        let tally = |(ledger, count): (&Ledger, &Count)| {
            let (station, counted) = carry::key(&self.model, ledger);
            Tally { station, counted, count: *count }
        };
        let so_far = Rollup {
            kind: PeriodKind::Shift,
            name: book.name.clone(),
            start_us: book.start_us,
            end_us: Some(book.end_us),
            rev: 0,
            closed: false,
            remark: None,
            estimated: false,
            spending: *book.spending,
            counts: self.ledgers.iter().zip(book.counts).map(tally).collect(),
            gaps: Vec::new(),
        };
        let policy = Policy::per_minute(self.model.target_per_minute);
        Kpis::of(&so_far, &self.model.output(), &policy)
    }

    /// Sum of something over the counters that together are the output of the line.
    pub(super) fn of_outputs(&self, count: impl Fn(usize) -> Count) -> Count {
        self.account.outputs.iter().map(|position| count(*position)).sum()
    }

    fn shift_status(&self, book: &Period<'_>, now: Moment) -> ShiftStatus {
        let counting = || self.model.counting.clone();
        let at = (book, now);
        let good = self.sum(counting(), at, |role| *role == Role::Good).unwrap_or(Count::ZERO);
        let gap = self.of_outputs(|i| book.gaps[i]);
        // What was made meanwhile is not known: from there on nothing can be told.
        let is_read = self.output_unread(now).is_zero();
        let rate = self.speed(now, WINDOWS_US[2]).per_minute.filter(|_| is_read);
        let left_us = (book.end_us - now.utc_us).max(0);
        let forecast = rate
            .map(|rate| good.best() + (rate * left_us as f64 / MINUTE_US as f64).round() as u64);
        ShiftStatus {
            name: book.name.clone(),
            start_us: book.start_us,
            end_us: book.end_us,
            read: self.output_was_read(book),
            good,
            gap,
            rejected: self.rejected(counting(), at),
            target_now: book.spending.target(self.model.target_per_minute),
            plan: asked(self.model.target_per_minute, book.end_us - book.start_us),
            forecast,
            kpis: self.kpis(book),
            setup_known: true,
            time: book.spending.time,
            coverage: book.spending.known_share(now.utc_us.min(book.end_us) - book.start_us),
            watched_from_us: book.watched_from_us,
            unbalanced: self.chronicle.unbalanced(|i| self.count_read(i, at)),
        }
    }

    /// What a counter counted in a period, with what of it is unread; none of a machine that was not read in it.
    fn count_read(&self, counter: usize, (book, now): (&Period<'_>, Moment)) -> Option<Count> {
        let ledger = self.ledgers.get(counter)?;
        let is_read = self.output_was_read(book) && self.was_read(ledger.station, book);
        is_read.then(|| book.counts[counter] + self.unread(ledger, now))
    }

    fn speeds(&self, now: Moment, shift: Option<&Period<'_>>) -> Vec<SpeedStatus> {
        let mut speeds: Vec<SpeedStatus> =
            WINDOWS_US.iter().map(|window_us| self.speed(now, *window_us)).collect();
        // Of the shift as far as it is recorded, up to where the line is booked.
        speeds.extend(shift.map(|book| {
            let booked_us = now.utc_us - self.group.ahead_us(self.booked_to);
            let passed_us = (booked_us - book.watched_from_us).max(0);
            SpeedStatus { window_us: 0, ..self.speed(now, passed_us) }
        }));
        speeds
    }

    /// Throughput of the time before now, as far as it was watched.
    fn speed(&self, now: Moment, window_us: i64) -> SpeedStatus {
        // A window ends where the line is booked: of machines side by side one is read a little later than the other.
        let ahead_us = self.group.ahead_us(self.booked_to);
        let now = Moment { utc_us: now.utc_us - ahead_us, mono_us: now.mono_us - ahead_us };
        let (good, covered_us) = self.account.window(now, window_us);
        let counting = self.model.stations[self.model.counting.clone()].iter();
        let step = counting.map(|map| map.step).sum();
        SpeedStatus::of(window_us, good, covered_us, window_us, step)
    }

    fn rejects(&self, at: (&Period<'_>, Moment)) -> Vec<RejectStatus> {
        let (book, now) = at;
        let rejects = self.ledgers.iter().enumerate().filter_map(|(i, ledger)| {
            let Role::Reject(reason) = self.role(ledger) else { return None };
            let (station, rejected) = (ledger.station, book.counts[i] + self.unread(ledger, now));
            let here = || station..station + 1;
            let good = self.sum(here(), at, |role| *role == Role::Good);
            // Its own rejects are no whole for a machine that counts nothing else.
            let infeed = || self.sum(here(), at, |role| *role == Role::Infeed);
            let judged = good.map(|good| good + self.rejected(here(), at));
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
        let output = self.model.output();
        let mut points: Vec<TrendPoint> =
            (0..TREND_MINUTES).map(|i| TrendPoint::unwatched(first_us + i * MINUTE_US)).collect();
        for minute in self.account.closed.iter().rev().take(points.len()) {
            let Ok(i) = usize::try_from((minute.start_us - first_us).div_euclid(MINUTE_US)) else {
                continue;
            };
            if let Some(point) = points.get_mut(i) {
                *point = TrendPoint::of(minute, &output);
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
            return HourStatus::unwatched(start_us, end_us);
        };
        let gap = self.of_outputs(|i| hour.gaps[i]);
        let passed_us = now.utc_us.min(end_us) - start_us;
        let unread = match hour.closed {
            true => Count::ZERO,
            false => self.of_outputs(|i| self.unread_before(&self.ledgers[i], end_us, now)),
        };
        HourStatus {
            start_us,
            end_us,
            read: self.output_was_read(&hour),
            good: self.of_outputs(|i| hour.counts[i]).since(gap) + unread,
            gap,
            watched: true,
            target: hour.spending.target(self.model.target_per_minute),
            coverage: hour.spending.known_share(passed_us).unwrap_or(0.0),
        }
    }

    fn station_status(&self, index: usize, at: Option<(&Period<'_>, Moment)>) -> StationStatus {
        let station = &self.stations[index];
        let here = || index..index + 1;
        // Of a shift in which it was not read nothing is known of it, not even that it counted nothing.
        let at = at.filter(|(book, _)| self.was_read(index, book));
        let of = |role: Role| at.and_then(|at| self.sum(here(), at, |other| *other == role));
        StationStatus {
            id: station.map.station.clone(),
            title: station.map.title.clone(),
            protocol: station.map.protocol.word(),
            state: station.state_status(),
            link: station.link_status(),
            infeed: of(Role::Infeed),
            good: of(Role::Good),
            rejected: at.map(|at| self.rejected(here(), at)),
            speed: station.speed,
            bad_tags: station.bad_tags(),
            measures: station.measures(),
            readings: station.readings(),
        }
    }
}
