//! The stored record as the web asks for it.

use std::sync::Arc;

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

use crate::historian::{DeviceTags, Historian, Readings};
use crate::web::{History, QualityRecord, TagReading, TrendOf};

/// Most rows of one answer.
const ROWS: usize = 50_000;

/// Most snapshots of one answer: some minutes of a line of several machines.
const SNAPSHOTS: usize = 50_000;

/// Readings of so long are taken at once, or of less where there are more snapshots than an answer may have.
const PIECE_US: i64 = 5 * MINUTE_US;

/// Incidents of one answer.
const INCIDENTS: usize = 500;

/// The historian as the web sees it.
pub(crate) struct StoredHistory(pub(crate) Historian);

/// Where a tag was read, as its map was when it was.
#[derive(Default)]
struct Place {
    devices: Arc<[DeviceTags]>,
    /// The group in which a reading of it came under that map.
    group: Option<u16>,
}

impl Place {
    /// The positions of device, group and tag in these readings; none where no map of their time had the tag.
    fn among(&mut self, readings: &Readings, of: &TrendOf) -> Option<(u16, u16, u16)> {
        if self.devices != readings.devices {
            *self = Place { devices: readings.devices.clone(), group: None };
        }
        let places = (0u16..).zip(&*self.devices).filter_map(|(device, known)| {
            let tag = known.tags.iter().position(|tag| *tag == of.tag)?;
            (known.station == of.station).then_some((device, u16::try_from(tag).ok()?))
        });
        // A machine that is read by two maps has the tag in one of them.
        let (device, tag) = places.last()?;
        let brings = |snapshot: &&Snapshot| match &snapshot.outcome {
            Outcome::Taken(taken) => {
                snapshot.device == device && taken.iter().any(|reading| reading.tag == tag)
            }
            Outcome::Missed(_) => false,
        };
        // What a group was called by then is not kept, but its snapshots tell.
        let found = || readings.snapshots.iter().find(brings).map(|snapshot| snapshot.group);
        self.group = self.group.or_else(found);
        Some((device, self.group.unwrap_or(of.group), tag))
    }
}

impl StoredHistory {
    /// Readings of a span in their order, piece by piece: hours of snapshots need not be in memory at once. The store answers
    /// with no more than `most` snapshots; an answer that is full may be cut, and what it lacks would look like time in which
    /// nothing was read, so that its piece is halved until it is whole.
    fn each_piece(
        &self,
        line: &LineId,
        (mut from_us, end_us): (i64, i64),
        most: usize,
        mut each: impl FnMut(Readings),
    ) -> Result<(), String> {
        let mut piece_us = PIECE_US;
        while from_us < end_us {
            let to_us = end_us.min(from_us.saturating_add(piece_us));
            let parts = self.0.readings(line, from_us, to_us, most);
            let parts = parts.map_err(|error| error.to_string())?;
            if parts.iter().map(|part| part.snapshots.len()).sum::<usize>() >= most {
                piece_us = (to_us - from_us) / 2;
                if piece_us == 0 {
                    return Err(format!("{most} snapshots and more of one moment"));
                }
                continue;
            }
            parts.into_iter().for_each(&mut each);
            from_us = to_us;
        }
        Ok(())
    }

    fn readings_of(
        &self,
        line: &LineId,
        span: (i64, i64),
        most: usize,
    ) -> Result<Vec<TagReading>, String> {
        let mut readings = Vec::new();
        self.each_piece(line, span, most, |Readings { devices, snapshots }| {
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
        })?;
        Ok(readings)
    }

    fn trends_of(
        &self,
        line: &LineId,
        of: &[TrendOf],
        span: (i64, i64),
        step_us: i64,
        most: usize,
    ) -> Result<Vec<TagTrend>, String> {
        let mut trends: Vec<(TagTrend, Place)> =
            of.iter().map(|of| (of.course(span, step_us), Place::default())).collect();
        self.each_piece(line, (span.0 - TagTrend::LEAD_US, span.1), most, |readings| {
            for ((trend, place), of) in trends.iter_mut().zip(of) {
                let Some((device, group, tag)) = place.among(&readings, of) else { continue };
                let of_group = |s: &&Snapshot| s.device == device && s.group == group;
                for snapshot in readings.snapshots.iter().filter(of_group) {
                    trend.take(snapshot, tag, |raw| raw * of.scale + of.offset);
                }
            }
        })?;
        Ok(trends.into_iter().map(|(trend, _)| trend).collect())
    }
}

impl History for StoredHistory {
    fn minutes(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Minute>, String> {
        self.0.minutes(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn seconds(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Seconds>, String> {
        self.0.seconds(line, from_us, to_us, ROWS).map_err(|error| error.to_string())
    }

    fn readings(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<TagReading>, String> {
        self.readings_of(line, span, SNAPSHOTS)
    }

    fn trends(
        &self,
        line: &LineId,
        of: &[TrendOf],
        span: (i64, i64),
        step_us: i64,
    ) -> Result<Vec<TagTrend>, String> {
        self.trends_of(line, of, span, step_us, SNAPSHOTS)
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

#[cfg(test)]
mod tests {
    use domain::line::tracker::Changes;
    use domain::reading::{Quality, Reading, Value};
    use domain::units::{Count, Moment, SECOND_US, StationId};

    use super::*;
    use crate::historian::{Options, Tick};

    /// 2026-01-05T06:00:00Z.
    const T0_US: i64 = 1_767_592_800_000_000;

    /// A map of the one machine: its tags in order, and the group in which they are read.
    struct Map(&'static [&'static str], u16);

    const OLD: Map = Map(&["CF01.Good", "CF01.Vacuum"], 0);
    const NEW: Map = Map(&["CF01.Vacuum", "CF01.Speed", "CF01.Good"], 1);

    fn at_us(second: u64) -> i64 {
        T0_US + second as i64 * SECOND_US
    }

    /// A journal of a minute under each of these maps, read once a second. The vacuum is 20 and more with each map, the speed
    /// 130, and the counter stands at thousands.
    fn journal(dir: &std::path::Path, maps: &[&Map]) -> StoredHistory {
        let historian = Historian::open(dir, Options::default()).expect("a journal");
        let line = LineId::new("L1");
        for (n, Map(tags, group)) in maps.iter().enumerate() {
            let tags_of = tags.iter().map(|tag| TagId::new(*tag)).collect();
            let layout =
                [DeviceTags { station: StationId::new("CF01"), tags: tags_of, beside: false }];
            historian.describe_anew(&line, &layout).expect("described");
            for second in n as u64 * 60..(n as u64 + 1) * 60 {
                let value = |tag: &str| match tag {
                    "CF01.Vacuum" => 20.0 + n as f64,
                    "CF01.Speed" => 130.0,
                    _ => 4_000.0 + second as f64,
                };
                let readings = (0u16..).zip(*tags).map(|(tag, name)| Reading {
                    tag,
                    value: Value::Float(value(name)),
                    quality: Quality::Good,
                    status: 0,
                    source_us: None,
                });
                let at = Moment { utc_us: at_us(second), mono_us: at_us(second) };
                let snapshot = Snapshot {
                    device: 0,
                    group: *group,
                    taken_at: at,
                    round_trip_us: 0,
                    polls: 1,
                    outcome: Outcome::Taken(readings.collect()),
                };
                let changes = Changes { booked_to: at, ..Changes::default() };
                let (of, read) = ((line.clone(), second + 1, at), vec![snapshot]);
                let tick = Tick::new(of, changes, read, Count::ZERO);
                historian.append(tick).expect("room").wait().expect("stored");
            }
        }
        StoredHistory(historian)
    }

    fn vacuum(group: u16) -> TrendOf {
        TrendOf {
            station: StationId::new("CF01"),
            tag: TagId::new("CF01.Vacuum"),
            group,
            rhythm_us: (SECOND_US, 2 * SECOND_US),
            scale: 1.0,
            offset: 0.0,
            held: None,
        }
    }

    /// Least, mean and greatest of each half minute, and the gaps.
    fn course(history: &StoredHistory, of: TrendOf, seconds: u64) -> Vec<[f64; 3]> {
        let span = (at_us(0), at_us(seconds));
        let trends = history.trends(&LineId::new("L1"), &[of], span, 30 * SECOND_US);
        let trend = trends.expect("a trend").remove(0);
        // What was read last in the span holds to the reading after it, which is not asked for.
        let last = (span.1 - SECOND_US, span.1);
        assert_eq!(trend.gaps(), [last], "it was read all the time");
        let of = |x: Option<f64>| x.expect("it was read");
        trend.steps().map(|step| [of(step.low), of(step.mean), of(step.high)]).collect()
    }

    #[test]
    fn a_trend_reads_each_part_of_its_span_by_the_map_of_that_time() {
        let dir = tempfile::tempdir().expect("a folder");
        let history = journal(dir.path(), &[&OLD, &NEW]);
        // The positions of before meant the counter where the vacuum is now, and nothing where it is read in another group.
        let halves = course(&history, vacuum(NEW.1), 118);
        assert_eq!(halves, [[20.0; 3], [20.0; 3], [21.0; 3], [21.0; 3]]);
        let readings = history.readings(&LineId::new("L1"), (at_us(50), at_us(70)));
        let readings = readings.expect("readings");
        let vacuum: Vec<_> = readings.iter().filter(|r| r.tag.as_str() == "CF01.Vacuum").collect();
        assert_eq!(vacuum.len(), 20);
        for reading in vacuum {
            let expected = if reading.at_us < at_us(60) { 20.0 } else { 21.0 };
            assert_eq!(reading.value, Value::Float(expected), "{reading:?}");
        }
    }

    /// More snapshots than one answer of the store may have are no gap: nothing of the span is lost, and nothing comes twice.
    #[test]
    fn an_answer_that_is_full_is_asked_for_in_smaller_parts() {
        let dir = tempfile::tempdir().expect("a folder");
        let history = journal(dir.path(), &[&OLD, &NEW]);
        let (line, span) = (LineId::new("L1"), (at_us(0), at_us(118)));
        let step_us = 30 * SECOND_US;
        let trend = |most| {
            let of = [vacuum(NEW.1)];
            let trends = history.trends_of(&line, &of, span, step_us, most).expect("a trend");
            (trends[0].gaps(), trends[0].steps().collect::<Vec<_>>())
        };
        let readings = |most| history.readings_of(&line, span, most).expect("readings");
        assert_eq!(readings(SNAPSHOTS).len(), 60 * OLD.0.len() + 58 * NEW.0.len());
        for most in [2, 7, 60, 118, 119] {
            assert_eq!(trend(most), trend(SNAPSHOTS), "{most}");
            assert_eq!(readings(most), readings(SNAPSHOTS), "{most}");
        }
        // What no division makes small enough is refused.
        assert!(history.readings_of(&line, span, 1).is_err());
    }

    /// A wrong map that is taken back within minutes is at neither end of what is read at once.
    #[test]
    fn a_map_that_was_wrong_for_a_minute_is_read_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let history = journal(dir.path(), &[&OLD, &NEW, &OLD]);
        let halves = course(&history, vacuum(OLD.1), 178);
        let highs: Vec<f64> = halves.iter().map(|half| half[2]).collect();
        assert_eq!(highs, [20.0, 20.0, 21.0, 21.0, 22.0, 22.0]);
    }
}
