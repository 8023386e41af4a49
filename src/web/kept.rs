//! A record whose parts belong together: minutes, gaps, stops and periods of one morning, for tests of what adds up.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use domain::line::batch::hand::Entry;
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::rollup::{PeriodKind, Rollup, Spending};
use domain::line::second::Seconds;
use domain::line::state::{State, TimeClass};
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::revision::{Refusal, Revision, apply};
use domain::line::stop::{Cause, Flags, Stop};
use domain::line::weight::WeightTally;
use domain::plc_map::PlcMap;
use domain::units::{
    Count, HOUR_US, LineId, MINUTE_US, Moment, Reason, SECOND_US, StationId, TagId,
};
use tower::ServiceExt;

use super::fixture::{self, Case, Memory};
use super::{App, History, router};
use crate::clock::Clock;
use crate::config::LineConfig;

/// Start of the day, which is the shift: 2026-11-24T00:00:00Z.
pub(super) const DAY_US: i64 = 1_795_478_400 * SECOND_US;
/// Where the record begins.
pub(super) const BEGIN_US: i64 = DAY_US + 6 * HOUR_US;
/// Minutes of it; the last one goes on.
pub(super) const MINUTES: i64 = 181;
/// Half a minute into the last one.
pub(super) const NOW_US: i64 = BEGIN_US + (MINUTES - 1) * MINUTE_US + 30 * SECOND_US;
/// Minutes in which nothing was read.
pub(super) const GAP: std::ops::Range<i64> = 70..73;
/// Minutes in which the machine was held.
pub(super) const HELD: std::ops::Range<i64> = 100..107;

/// The tag that counts good capsules in the shipped map.
const GOOD: &str = "CF01.Admin.ProdProcessedCount[0].AccCount";

/// A record in memory.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) minutes: Vec<Minute>,
    pub(super) periods: Vec<Rollup>,
    pub(super) stops: Vec<Stop>,
    pub(super) events: Vec<Event>,
}

/// The made-up line with the shipped map of its filler.
pub(super) fn line() -> LineConfig {
    let mut config = fixture::line();
    let text = include_str!("../../plc-maps/cf01-modbus.toml");
    let map = PlcMap::parse("plc-maps/cf01-modbus.toml", text).expect("the shipped map is whole");
    config.devices[0].map = Arc::new(map);
    config
}

/// A clock that shows half a minute into the last minute now.
pub(super) fn clock() -> Clock {
    Clock::accelerated(NOW_US - Clock::real().now().utc_us, 1.0)
}

/// An app around a record, whose line runs.
pub(super) fn app(record: Kept) -> App {
    let (clock, memory) = (clock(), Arc::new(Memory::default()));
    let (app, sender) = fixture::app_of(line(), clock, Arc::new(record), memory, true);
    sender.send_replace(Some(Arc::new(fixture::status(clock.now(), Case::Running))));
    app
}

/// What a path is answered.
pub(super) async fn get(app: &App, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = router(app.clone(), true).oneshot(request).await.expect("an answer");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("a text"))
}

fn cf01() -> StationId {
    StationId::new("CF01")
}

pub(super) fn at(utc_us: i64) -> Moment {
    Moment { utc_us, mono_us: utc_us - DAY_US }
}

fn tally(counted: Counted, count: Count) -> Tally {
    Tally { station: cf01(), counted, count }
}

fn minute(i: i64) -> Minute {
    let n = 6_400 + (i as u64 * 37) % 90;
    let (good, class) = match i {
        _ if GAP.contains(&i) => (Count::ZERO, TimeClass::Unknown),
        _ if HELD.contains(&i) => (Count::ZERO, TimeClass::Internal),
        180 => (Count::exact(3_200), TimeClass::Run),
        50 => (Count::between(n - 40, n, n + 60), TimeClass::Run),
        _ => (Count::exact(n), TimeClass::Run),
    };
    let passed_us = if i == MINUTES - 1 { 30 * SECOND_US } else { MINUTE_US };
    let mut time = TimeSplit::default();
    time.add(class, passed_us);
    let of = |one_in: u64| Count::exact(good.best() / one_in);
    Minute {
        start_us: BEGIN_US + i * MINUTE_US,
        rev: 1,
        closed: i != MINUTES - 1,
        time,
        polls: 600,
        missed: if class == TimeClass::Unknown { 600 } else { 0 },
        tallies: vec![
            tally(Counted::Infeed, good + of(200)),
            tally(Counted::Good, good),
            tally(Counted::Reject(Reason::new("dented")), of(400)),
            tally(Counted::Reject(Reason::new("unseparated")), of(1_000)),
            tally(Counted::Sample, of(3_000)),
        ],
        weights: Vec::new(),
    }
}

impl Kept {
    pub(super) fn morning() -> Kept {
        let minutes: Vec<Minute> = (0..MINUTES).map(minute).collect();
        let gap = Tally {
            count: Count::between(18_000, 19_300, 20_000),
            ..tally(Counted::Good, Count::ZERO)
        };
        let time = |i: i64| BEGIN_US + i * MINUTE_US;
        let stop = |number, span: std::ops::Range<i64>, cause, state| Stop {
            number,
            from: at(time(span.start)),
            to: Some(at(time(span.end))),
            cause,
            state,
            reason: (cause == Cause::Internal).then_some(1),
            key: KeyCause::Station(cf01()),
            flags: Flags::none(),
        };
        let event = |kind, i: i64, from: Option<i64>, word: &str, count| Event {
            at_us: time(i),
            from_us: from.map(time),
            kind,
            station: Some(cf01()),
            tag: None,
            word: word.to_owned(),
            count,
            detail: String::new(),
        };
        let mut kept = Kept {
            minutes,
            periods: Vec::new(),
            stops: vec![
                stop(1, GAP, Cause::NoSignal, State::Unknown),
                stop(2, HELD, Cause::Internal, State::Held),
            ],
            events: vec![
                event(EventKind::State, 0, None, "execute", None),
                event(EventKind::Link, 0, None, "up", None),
                event(EventKind::Count, 50, None, "wrap", Some(Count::between(40, 80, 140))),
                event(EventKind::Link, GAP.start, None, "down", None),
                Event {
                    tag: Some(TagId::new(GOOD)),
                    ..event(EventKind::Count, GAP.end, Some(GAP.start), "gap", Some(gap.count))
                },
                event(EventKind::Link, GAP.end, Some(GAP.start), "up", None),
                event(EventKind::State, HELD.start, None, "held", None),
                event(EventKind::State, HELD.end, None, "execute", None),
                event(EventKind::Stop, HELD.end, Some(HELD.start), "internal", None),
            ],
        };
        kept.periods = (6..10)
            .map(|hour| {
                kept.period(
                    PeriodKind::Hour,
                    (DAY_US + hour * HOUR_US, DAY_US + (hour + 1) * HOUR_US),
                    &gap,
                )
            })
            .chain([kept.period(PeriodKind::Shift, (DAY_US, DAY_US + 24 * HOUR_US), &gap)])
            .chain([kept.period(PeriodKind::Batch, (BEGIN_US + HOUR_US, NOW_US), &gap)])
            .collect();
        kept
    }

    /// A period as the books would have it: the sums of its minutes, and the gap where that lies in it.
    fn period(&self, kind: PeriodKind, (start_us, end_us): (i64, i64), gap: &Tally) -> Rollup {
        let inside = |us: i64| (start_us..end_us).contains(&us);
        let mut spending = Spending::default();
        let mut counts: Vec<Tally> = Vec::new();
        let gaps = Vec::from_iter(inside(BEGIN_US + GAP.start * MINUTE_US).then(|| gap.clone()));
        let minutes = self.minutes.iter().filter(|minute| inside(minute.start_us));
        for minute in minutes {
            spending.time.merge(&minute.time);
        }
        let minutes = self.minutes.iter().filter(|minute| inside(minute.start_us));
        for tally in minutes.flat_map(|minute| &minute.tallies).chain(&gaps) {
            match counts.iter_mut().find(|sum| sum.counted == tally.counted) {
                Some(sum) => sum.count += tally.count,
                None => counts.push(tally.clone()),
            }
        }
        spending.failures = u64::from(inside(BEGIN_US + HELD.end * MINUTE_US));
        spending.order_us = spending.time.total();
        Rollup {
            kind,
            name: match kind {
                PeriodKind::Hour => "".into(),
                PeriodKind::Shift => "day".into(),
                PeriodKind::Batch => "B1".into(),
            },
            start_us,
            end_us: (kind != PeriodKind::Batch).then_some(end_us),
            rev: 1,
            closed: end_us <= NOW_US && kind != PeriodKind::Batch,
            remark: None,
            estimated: false,
            spending,
            counts,
            gaps,
        }
    }
}

impl History for Kept {
    fn minutes(&self, _: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Minute>, String> {
        let inside = |minute: &&Minute| (from_us..to_us).contains(&minute.start_us);
        Ok(self.minutes.iter().filter(inside).cloned().collect())
    }

    fn seconds(&self, _: &LineId, _: i64, _: i64) -> Result<Vec<Seconds>, String> {
        Ok(Vec::new())
    }

    fn weights(&self, _: &LineId, _: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String> {
        Ok(Vec::new())
    }

    fn events(
        &self,
        _: &LineId,
        from_us: i64,
        to_us: i64,
        kinds: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String> {
        let inside =
            |event: &&Event| (from_us..to_us).contains(&event.at_us) && kinds.contains(&event.kind);
        Ok((1..).zip(self.events.iter().filter(inside).cloned()).collect())
    }

    fn stops(&self, _: &LineId, from_us: i64, to_us: i64) -> Result<StopRecord, String> {
        let overlaps =
            |stop: &&Stop| stop.from.utc_us < to_us && stop.to.is_none_or(|to| to.utc_us > from_us);
        let stops: Vec<Stop> = self.stops.iter().filter(overlaps).cloned().collect();
        let parts = apply(&stops, &[]).map_err(|(_, refusal)| refusal.to_string())?;
        Ok(StopRecord { stops, parts, revisions: Vec::new() })
    }

    fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, String> {
        let mut record = self.stops(line, 0, i64::MAX)?;
        record.stops.retain(|stop| stop.number == number);
        Ok(record)
    }

    fn revise(
        &self,
        _: &LineId,
        _: Revision,
        _: Option<u64>,
    ) -> Result<Result<u64, Refusal>, String> {
        Err("this record is only read".to_owned())
    }

    fn batch_entries(&self, _: &LineId, _: i64, _: i64) -> Result<Vec<Entry>, String> {
        Ok(Vec::new())
    }

    fn rollups(
        &self,
        _: &LineId,
        kind: PeriodKind,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Rollup>, String> {
        let overlaps = |period: &&Rollup| {
            period.kind == kind
                && period.start_us < to_us
                && period.end_us.is_none_or(|end| end > from_us)
        };
        Ok(self.periods.iter().filter(overlaps).cloned().collect())
    }

    fn counter(
        &self,
        _: &LineId,
        _: &TagId,
        _: i64,
        _: i64,
    ) -> Result<Option<CounterRecord>, String> {
        Ok(None)
    }
}
