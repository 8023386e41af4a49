//! The status of a line at a past moment, made of what is stored.

use std::sync::Arc;

use domain::line::event::{Event, EventKind};
use domain::line::kpi::{Kpis, Policy};
use domain::line::layout::{sections, unbalanced};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit, sum};
use domain::line::output::Stations;
use domain::line::rollup::{OpenBatch, PeriodKind, Rollup, Spending, asked};
use domain::line::state::{State, TimeClass};
use domain::line::status::{
    HourStatus, LineStatus, LinkStatus, RejectStatus, ShiftStatus, SpeedStatus, StateStatus,
    StationStatus, TrendPoint,
};
use domain::line::stop::Stop;
use domain::plc_map::PlcMap;
use domain::quality::Overview;
use domain::quality::characteristic::Measure;
use domain::quality::overview::{chart, span_from, spread};
use domain::stats::interval::wilson;
use domain::units::{Count, MINUTE_US, Moment, SECOND_US, StationId};

use super::{Past, SEARCH_US, period};
use crate::config::LineConfig;
use crate::web::api::balance::layout;
use crate::web::api::charts::limits_at;
use crate::web::api::flow::Flow;
use crate::web::{History, QualityRecord};

/// Events kept, as in the live status.
const EVENTS: usize = 20;
/// Minutes of the trend.
const TREND_MINUTES: i64 = 60;

/// The status of a line at a past moment; none where nothing is recorded of the time before.
///
/// # Errors
/// The record could not be read.
pub(crate) fn present_at(
    history: &dyn History,
    config: &LineConfig,
    at_us: i64,
) -> Result<Option<LineStatus>, String> {
    let past = Past::read(history, config, at_us)?;
    if past.minutes.is_empty() {
        let before = (at_us - SEARCH_US, at_us);
        if history.rollups(&config.id, PeriodKind::Hour, before.0, before.1)?.is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(past.status()))
}

/// What the control charts of a line said at a past moment, by the limits that were there then. Which incidents were open is
/// left out: that is on the page of the charts.
///
/// # Errors
/// The record could not be read.
pub(crate) fn charts_at(
    history: &dyn History,
    quality: &dyn QualityRecord,
    config: &LineConfig,
    at_us: i64,
) -> Result<Overview, String> {
    let mut charted = config.characteristics.iter();
    let fraction = charted.find(|of| matches!(of.measure, Measure::RejectFraction { .. }));
    let reject_fraction = match fraction {
        None => None,
        Some(fraction) => {
            let from_us = span_from(fraction, at_us);
            let mut minutes = history.minutes(&config.id, from_us, at_us)?;
            minutes.retain(|minute| minute.start_us + MINUTE_US <= at_us);
            let batches = history.events(&config.id, from_us, at_us, &[EventKind::Batch])?;
            let batches: Vec<i64> = batches.iter().map(|(_, event)| event.at_us).collect();
            let limits = limits_at(quality.limits(&config.id, &fraction.id)?, at_us);
            Some(chart(fraction, &minutes, &batches, &limits, at_us))
        }
    };
    let mut spreads = Vec::new();
    for characteristic in &config.characteristics {
        if matches!(characteristic.measure, Measure::Reject { .. }) {
            let limits = limits_at(quality.limits(&config.id, &characteristic.id)?, at_us);
            spreads.extend(spread(characteristic, &limits, at_us));
        }
    }
    Ok(Overview { reject_fraction, spread: spreads, open: None })
}

/// Both clocks at a moment of the record: durations are those of its labels.
fn moment(utc_us: i64) -> Moment {
    Moment { utc_us, mono_us: utc_us }
}

fn is_good(counted: &Counted) -> bool {
    *counted == Counted::Good
}

fn time_of<'a>(minutes: impl Iterator<Item = &'a Minute>) -> TimeSplit {
    minutes.fold(TimeSplit::default(), |mut all, minute| {
        all.merge(&minute.time);
        all
    })
}

impl Past<'_> {
    fn status(&self) -> LineStatus {
        let shift = self.config.calendar.shift_at(self.at_us);
        let span = shift.as_ref().map_or((self.at_us, self.at_us), |s| (s.start_us, self.at_us));
        let gaps = self.gaps(span);
        let minutes = || self.minutes_in(span).flat_map(|minute| &minute.tallies);
        let made: Vec<Tally> = minutes().chain(&gaps).cloned().collect();
        let shift = shift.map(|shift| self.shift(&shift, &made, &gaps));
        LineStatus {
            line: self.config.id.clone(),
            at: moment(self.at_us),
            state: self.line_state(),
            batch: self.batch().map(|batch| OpenBatch {
                id: batch.name.clone(),
                start_us: batch.start_us,
                by_hand: false,
            }),
            batch_told: None,
            hours: shift.as_ref().map_or_else(Vec::new, |shift| self.hours(shift.start_us)),
            shift,
            // The record holds it from its beginning only, which is too far back to be added up.
            total: Count::ZERO,
            unread: Vec::new(),
            speeds: self.speeds(span),
            plc_speed: None,
            target_per_minute: self.config.target_per_minute,
            rejects: self.rejects(&made),
            trend: self.trend(),
            stations: self
                .config
                .devices
                .iter()
                .map(|device| self.station(&device.map, &made))
                .collect(),
            contents: Vec::new(),
            polls: 0,
            missed_polls: 0,
            events: self
                .events
                .iter()
                .rev()
                .filter(|event| event.at_us <= self.at_us)
                .take(EVENTS)
                .cloned()
                .collect(),
        }
    }

    /// The last event of a kind at a station.
    fn last(&self, kind: EventKind, station: &StationId) -> Option<&Event> {
        let is_it = |event: &&Event| event.kind == kind && event.station.as_ref() == Some(station);
        self.events.iter().rev().find(is_it)
    }

    /// The stop that went on at the moment.
    fn stop(&self) -> Option<&Stop> {
        self.stops.iter().rev().find(|stop| stop.to.is_none())
    }

    /// Whether the minute before the moment was watched, at least in part.
    fn is_watched(&self) -> bool {
        let last = self.minutes.last().filter(|minute| minute.start_us + MINUTE_US == self.at_us);
        last.is_some_and(|minute| minute.time.known() > 0)
    }

    /// How the line was: as its one machine, or as the stop that went on said, else as the first that ran.
    fn line_state(&self) -> StateStatus {
        let output = &self.config.output;
        if !output.is_group() {
            return self.state(output.first());
        }
        let all: Vec<StateStatus> = output.stations().iter().map(|one| self.state(one)).collect();
        let of = |class| all.iter().find(|status| status.class == class);
        let unknown = || of(TimeClass::Unknown).unwrap_or(&all[0]).clone();
        match self.stop() {
            Some(stop) => {
                let decides = all.iter().find(|status| status.last_known == stop.state);
                StateStatus {
                    state: stop.state,
                    class: stop.state.time_class(),
                    since_us: stop.from.utc_us,
                    since_mono_us: stop.from.utc_us,
                    stop_reason: stop.reason,
                    stop_title: stop.reason.and_then(|code| self.config.stop_title(code).cloned()),
                    ..decides.unwrap_or(&all[0]).clone()
                }
            }
            None => {
                of(TimeClass::Run).filter(|_| self.is_watched()).cloned().unwrap_or_else(unknown)
            }
        }
    }

    fn state(&self, station: &StationId) -> StateStatus {
        let told = self.last(EventKind::State, station);
        let state = told.and_then(|event| State::from_word(&event.word));
        let mut status = StateStatus {
            state: State::Unknown,
            class: TimeClass::Unknown,
            last_known: state.unwrap_or(State::Unknown),
            since_us: told.map_or(self.at_us, |event| event.at_us),
            since_mono_us: 0,
            raw: None,
            stop_reason: None,
            stop_title: None,
            station: station.clone(),
        };
        let is_counting = *station == *self.config.output.first() && !self.config.output.is_group();
        match self.stop().filter(|_| is_counting) {
            Some(stop) => {
                status.state = stop.state;
                status.since_us = stop.from.utc_us;
                status.stop_reason = stop.reason;
                let map = self.config.devices.iter().find(|device| device.map.station == *station);
                let reasons = map.map(|device| &device.map.stop_reasons);
                status.stop_title =
                    reasons.zip(stop.reason).and_then(|(of, code)| of.get(&code).cloned());
            }
            // No stop went on and the line was watched: it ran, or it is the state that was told last.
            None if self.is_watched() && (is_counting || self.is_up(station)) => {
                status.state = state.unwrap_or(State::Unknown);
                let ended = self.stops.iter().filter_map(|stop| stop.to).map(|to| to.utc_us).max();
                if let Some(ended_us) = ended.filter(|_| is_counting) {
                    status.since_us = status.since_us.max(ended_us);
                }
            }
            None => {}
        }
        status.class = status.state.time_class();
        status.since_mono_us = status.since_us;
        status
    }

    /// Whether the last word of a link was that it is up.
    fn is_up(&self, station: &StationId) -> bool {
        self.last(EventKind::Link, station).is_none_or(|event| event.word == "up")
    }

    fn shift(
        &self,
        shift: &domain::line::calendar::Shift,
        made: &[Tally],
        gaps: &[Tally],
    ) -> ShiftStatus {
        let (output, rate) = (&self.config.output, self.config.target_per_minute);
        let good = sum(made, output, is_good);
        let time = time_of(self.minutes_in((shift.start_us, self.at_us)));
        let passed_us = (self.at_us - shift.start_us).max(time.total());
        let pace = self.speed(15 * MINUTE_US).per_minute;
        let left_us = shift.end_us - self.at_us;
        let forecast = pace
            .map(|pace| good.best() + (pace * left_us as f64 / MINUTE_US as f64).round() as u64);
        let first = self.minutes_in((shift.start_us, self.at_us)).next();
        let of_shift = Rollup {
            kind: PeriodKind::Shift,
            name: shift.name.clone(),
            start_us: shift.start_us,
            end_us: Some(shift.end_us),
            rev: 0,
            closed: false,
            remark: None,
            estimated: false,
            spending: Spending::default(),
            counts: Vec::new(),
            gaps: Vec::new(),
        };
        let span = (shift.start_us, self.at_us);
        let minutes = self.minutes_in(span);
        let spent = self.spent(span);
        let of_shift = period(&of_shift, minutes, gaps.to_vec(), &spent);
        let kpis = Kpis::of(&of_shift, output, &Policy::per_minute(rate));
        ShiftStatus {
            name: shift.name.clone(),
            start_us: shift.start_us,
            end_us: shift.end_us,
            read: !good.is_zero() || time.known() > 0,
            kpis: if spent.setup_known { kpis } else { kpis.without_setup() },
            setup_known: spent.setup_known,
            good,
            gap: sum(gaps, output, is_good),
            rejected: sum(made, output, Counted::is_reject),
            target_now: asked(rate, time.total()),
            plan: asked(rate, shift.end_us - shift.start_us),
            forecast,
            time,
            coverage: (passed_us > 0).then(|| time.known() as f64 / passed_us as f64),
            watched_from_us: first.map_or(self.at_us, |minute| minute.start_us),
            unbalanced: self.unbalanced(made),
        }
    }

    /// Where what was made contradicts itself; of a machine that counted nothing, nothing is said.
    fn unbalanced(&self, made: &[Tally]) -> Vec<Vec<String>> {
        let layout = layout(self.config);
        unbalanced(&layout, &sections(&layout), |counter| {
            let key = &layout.counters[counter];
            let station = &layout.stations[key.station].station;
            let is_read = made.iter().any(|tally| tally.station == *station);
            is_read.then(|| sum(made, station, |counted| *counted == key.counted))
        })
    }

    /// Clock hours of the shift until the moment.
    fn hours(&self, shift_us: i64) -> Vec<HourStatus> {
        let (calendar, output) = (&self.config.calendar, &self.config.output);
        let mut hours = Vec::new();
        let mut start_us = calendar.this_hour(shift_us);
        while start_us < self.at_us {
            let end_us = calendar.next_hour(start_us);
            let span = (start_us, end_us.min(self.at_us));
            let time = time_of(self.minutes_in(span));
            let tallies = self.minutes_in(span).flat_map(|minute| &minute.tallies);
            let passed_us = (span.1 - span.0).max(1);
            let good = sum(tallies, output, is_good);
            let gap = sum(&self.gaps(span), output, is_good);
            hours.push(HourStatus {
                start_us,
                end_us,
                read: time.known() > 0 || !(good + gap).is_zero(),
                good,
                gap,
                watched: time.total() > 0,
                target: asked(self.config.target_per_minute, time.total()),
                coverage: (time.known() as f64 / passed_us as f64).clamp(0.0, 1.0),
            });
            start_us = end_us;
        }
        hours
    }

    /// Throughput of the last seconds is not recorded; that of minutes is.
    fn speeds(&self, shift: (i64, i64)) -> Vec<SpeedStatus> {
        let seconds = SpeedStatus {
            window_us: 10 * SECOND_US,
            count: Count::ZERO,
            covered_us: 0,
            per_minute: None,
            plus_minus: 0.0,
        };
        let of_shift = SpeedStatus { window_us: 0, ..self.speed(shift.1 - shift.0) };
        vec![seconds, self.speed(MINUTE_US), self.speed(15 * MINUTE_US), of_shift]
    }

    fn speed(&self, window_us: i64) -> SpeedStatus {
        let span = (self.at_us - window_us, self.at_us);
        let output = &self.config.output;
        // In a minute that is not known as a whole one of several machines may have counted alone.
        let is_whole = |minute: &&Minute| minute.time.of(TimeClass::Unknown) == 0;
        let whole = || self.minutes_in(span).filter(is_whole);
        let covered_us = time_of(whole()).known();
        let count = sum(whole().flat_map(|minute| &minute.tallies), output, is_good);
        let counting = self.config.devices.iter().filter(|d| output.has(&d.map.station));
        let step = counting.map(|device| device.map.step).sum();
        SpeedStatus::of(window_us, count, covered_us, window_us, step)
    }

    fn rejects(&self, made: &[Tally]) -> Vec<RejectStatus> {
        let mut rejects: Vec<RejectStatus> = Vec::new();
        for tally in made {
            let Counted::Reject(reason) = &tally.counted else { continue };
            let is_it = |reject: &&mut RejectStatus| {
                reject.station == tally.station && reject.reason == *reason
            };
            match rejects.iter_mut().find(is_it) {
                Some(reject) => reject.rejected += tally.count,
                None => rejects.push(RejectStatus {
                    station: tally.station.clone(),
                    reason: reason.clone(),
                    rejected: tally.count,
                    total: self.judged(&tally.station, made).unwrap_or(Count::ZERO),
                    wilson: None,
                }),
            }
        }
        for reject in &mut rejects {
            reject.wilson = wilson(reject.rejected.best(), reject.total.best(), 0.95);
        }
        rejects
    }

    /// What the rejects of a station are a part of; none where that is not known.
    fn judged(&self, station: &StationId, made: &[Tally]) -> Option<Count> {
        let flow = Flow::of(self.config, made.iter(), |other| other == station);
        let rejected = sum(made, station, Counted::is_reject);
        flow.whole(rejected, |counted| sum(made, station, |other| other == counted))
    }

    fn trend(&self) -> Vec<TrendPoint> {
        let point = |i: i64| {
            let start_us = self.at_us - (TREND_MINUTES - i) * MINUTE_US;
            let minute = self.minutes_in((start_us, start_us + MINUTE_US)).next();
            minute.map_or_else(
                || TrendPoint::unwatched(start_us),
                |minute| TrendPoint::of(minute, &self.config.output),
            )
        };
        (0..TREND_MINUTES).map(point).collect()
    }

    fn station(&self, map: &Arc<PlcMap>, made: &[Tally]) -> StationStatus {
        let station = &map.station;
        let counts = |takes: fn(&Counted) -> bool| {
            let has = made.iter().any(|tally| tally.station == *station && takes(&tally.counted));
            has.then(|| sum(made, station, takes))
        };
        let up = self.is_up(station) && self.is_watched();
        let counted = made.iter().any(|tally| tally.station == *station);
        let told = self.last(EventKind::Link, station);
        StationStatus {
            id: station.clone(),
            title: map.title.clone(),
            protocol: map.protocol.word(),
            state: self.state(station),
            link: LinkStatus {
                up,
                since_us: told.map_or(self.at_us, |event| event.at_us),
                // The record has no word of it: shown as heard, or as lost without an age.
                heard_us: up.then_some(self.at_us),
                heard_mono_us: up.then_some(self.at_us),
                reason: "",
                period_us: 0,
            },
            infeed: counts(|counted| *counted == Counted::Infeed),
            good: counts(is_good),
            rejected: counted.then(|| sum(made, station, Counted::is_reject)),
            speed: None,
            bad_tags: Vec::new(),
            measures: Vec::new(),
            readings: Vec::new(),
        }
    }
}
