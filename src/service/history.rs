//! The stored record as the web asks for it.

use domain::audit::Actor;
use domain::line::batch::hand::Entry;
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::second::Seconds;
use domain::line::stop::revision::{Refusal, Revision};
use domain::line::trend::TagTrend;
use domain::line::weight::WeightTally;
use domain::quality::limits::Limits;
use domain::quality::record::{StoredIncident, StoredPoint, Work};
use domain::reading::{Outcome, Snapshot};
use domain::units::{LineId, MINUTE_US, TagId};

use crate::historian::Historian;
use crate::web::{History, QualityRecord, TagReading, TrendOf};

/// Most rows of one answer.
const ROWS: usize = 50_000;

/// Most snapshots of one answer: several minutes of a line that is polled ten times a second.
const SNAPSHOTS: usize = 50_000;

/// Readings of so long are taken at once, which are fewer snapshots than an answer may have.
const PIECE_US: i64 = 5 * MINUTE_US;

/// Incidents of one answer.
const INCIDENTS: usize = 500;

/// The historian as the web sees it.
pub(crate) struct StoredHistory(pub(crate) Historian);

impl History for StoredHistory {
    fn minutes(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Minute>, String> {
        self.0.minutes(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn seconds(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Seconds>, String> {
        self.0.seconds(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn readings(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<TagReading>, String> {
        let snapshots =
            self.0.raw(line, span.0, span.1, SNAPSHOTS).map_err(|error| error.to_string())?;
        let devices = self.0.described(line, span.1).map_err(|error| error.to_string())?;
        let mut readings = Vec::new();
        for snapshot in snapshots {
            let Outcome::Taken(taken) = snapshot.outcome else { continue };
            let Some(device) = devices.get(usize::from(snapshot.device)) else { continue };
            readings.extend(taken.into_iter().filter_map(|reading| {
                let tag = device.tags.get(usize::from(reading.tag))?.clone();
                let (station, at_us) = (device.station.clone(), snapshot.taken_at.utc_us);
                let (value, quality) = (reading.value, reading.quality);
                Some(TagReading { station, tag, at_us, value, quality })
            }));
        }
        Ok(readings)
    }

    fn trends(
        &self,
        line: &LineId,
        of: &[TrendOf],
        span: (i64, i64),
        step_us: i64,
    ) -> Result<Vec<TagTrend>, String> {
        let mut trends: Vec<TagTrend> = of.iter().map(|of| of.course(span, step_us)).collect();
        let mut from_us = span.0 - TagTrend::LEAD_US;
        // Piece by piece: hours of snapshots need not be in memory at once.
        while from_us < span.1 {
            let to_us = span.1.min(from_us + PIECE_US);
            let snapshots = self.0.raw(line, from_us, to_us, SNAPSHOTS);
            let snapshots = snapshots.map_err(|error| error.to_string())?;
            let devices = self.0.described(line, to_us).map_err(|error| error.to_string())?;
            for (trend, of) in trends.iter_mut().zip(of) {
                let places = (0u16..).zip(&devices).filter_map(|(device, known)| {
                    let tag = known.tags.iter().position(|tag| *tag == of.tag)?;
                    let tag = u16::try_from(tag).ok()?;
                    (known.station == of.station).then_some((device, tag))
                });
                // A machine that is read by two maps has the tag in one of them.
                let Some((device, tag)) = places.last() else { continue };
                let of_group = |s: &&Snapshot| s.device == device && s.group == of.group;
                for snapshot in snapshots.iter().filter(of_group) {
                    trend.take(snapshot, tag, |raw| raw * of.scale + of.offset);
                }
            }
            from_us = to_us;
        }
        Ok(trends)
    }

    fn weights(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String> {
        self.0.weights(line, span).map_err(|error| error.to_string())
    }

    fn events(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        kinds: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String> {
        let kinds = (!kinds.is_empty()).then_some(kinds);
        let mut events =
            self.0.events(line, from_us, to_us, kinds, ROWS).map_err(|error| error.to_string())?;
        events.reverse();
        Ok(events)
    }

    fn stops(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<StopRecord, String> {
        self.0.stops(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, String> {
        self.0.stop(line, number).map_err(|error| error.to_string())
    }

    fn revise(
        &self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
        by: &Actor,
    ) -> Result<Result<u64, Refusal>, String> {
        let made =
            self.0.revise_stops(line, revision, seen, by).map_err(|error| error.to_string())?;
        Ok(made.map(|revision| revision.number))
    }

    fn batch_entries(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Entry>, String> {
        self.0.batch_entries(line, (from_us, to_us), ROWS).map_err(|error| error.to_string())
    }

    fn rollups(
        &self,
        line: &LineId,
        kind: PeriodKind,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Rollup>, String> {
        self.0.rollups(line, kind, (from_us, to_us), ROWS).map_err(|error| error.to_string())
    }

    fn counter(
        &self,
        line: &LineId,
        tag: &TagId,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<CounterRecord>, String> {
        self.0.counter(line, tag, (from_us, to_us), ROWS).map_err(|error| error.to_string())
    }
}

impl QualityRecord for StoredHistory {
    fn limits(&self, line: &LineId, of: &str) -> Result<Vec<Limits>, String> {
        self.0.limits(line, Some(of)).map_err(|error| error.to_string())
    }

    fn add_limits(&self, line: &LineId, limits: Limits, by: &Actor) -> Result<(), String> {
        self.0.add_limits(line, limits, by).map_err(|error| error.to_string())
    }

    fn decide_limits(&self, line: &LineId, limits: Limits, by: &Actor) -> Result<(), String> {
        self.0.decide_limits(line, limits, by).map_err(|error| error.to_string())
    }

    fn incidents(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<StoredIncident>, String> {
        self.0.incidents(line, span, INCIDENTS).map_err(|error| error.to_string())
    }

    fn add_work(
        &self,
        line: &LineId,
        incident: i64,
        work: Work,
        by: &Actor,
    ) -> Result<bool, String> {
        self.0.add_work(line, incident, work, by).map_err(|error| error.to_string())
    }

    fn points(
        &self,
        line: &LineId,
        of: &str,
        span: (i64, i64),
    ) -> Result<Vec<StoredPoint>, String> {
        self.0.points(line, of, span).map_err(|error| error.to_string())
    }
}
