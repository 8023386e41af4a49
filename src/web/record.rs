//! What the web asks of the record: minutes, events, stops and periods; limits and incidents; final reports. The service
//! answers from its journal, tests from memory.

use domain::audit::{Actor, NotSigned};
use domain::line::batch::hand::Entry;
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::{PeriodKind, Rollup};
use domain::line::second::Seconds;
use domain::line::stop::revision::{Refusal, Revision};
use domain::line::trend::TagTrend;
use domain::line::weight::WeightTally;
use domain::quality::limits::Limits;
use domain::quality::record::{StoredIncident, StoredPoint, Work};
use domain::reading::{Quality, Value};
use domain::units::{LineId, StationId, TagId};

use super::error::WebError;

/// What was read of a tag once.
#[derive(Clone, Debug, PartialEq)]
pub struct TagReading {
    /// The machine.
    pub station: StationId,
    /// Which tag.
    pub tag: TagId,
    /// When, UTC microseconds.
    pub at_us: i64,
    /// The value as read.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
}

/// A tag whose course is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendOf {
    /// The machine.
    pub station: StationId,
    /// Which tag.
    pub tag: TagId,
    /// Position of its group in the map of its machine.
    pub group: u16,
    /// Period of that group, and how long a silence may last beside some polls, on the line's clock in microseconds.
    pub rhythm_us: (i64, i64),
    /// Factor from the raw number to the unit.
    pub scale: f64,
    /// Added after the factor.
    pub offset: f64,
    /// The scaled value that was told last, and when, UTC microseconds, where one is known.
    pub held: Option<(i64, f64)>,
}

impl TrendOf {
    /// Its course over `[from_us, to_us)` in steps of so many microseconds, before any reading. A value that was told
    /// before what is looked at, and has not been told anew since, still stands: devices that tell changes only.
    pub fn course(&self, span: (i64, i64), step_us: i64) -> TagTrend {
        let stood = self.held.filter(|(told_us, _)| *told_us < span.0 - TagTrend::LEAD_US);
        TagTrend::new(span, step_us, self.rhythm_us, stood.map(|(_, value)| value))
    }
}

/// The stored record. All methods block and are called off the async threads; an error says why the record could not be
/// read or written and goes to the log, not to the reader.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait History: Send + Sync {
    /// Minutes that begin in `[from_us, to_us)`, oldest first.
    fn minutes(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Minute>, String>;

    /// The seconds of minutes that begin in `[from_us, to_us)`, oldest first, as far as they are kept.
    fn seconds(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Seconds>, String>;

    /// What was read in `[from_us, to_us)` of all tags, in order of arrival, as far as readings are kept; of spans up to
    /// some minutes.
    fn readings(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<TagReading>, String>;

    /// The courses of some tags in `[from_us, to_us)`, as far as readings are kept, in steps of so many microseconds.
    fn trends(
        &self,
        line: &LineId,
        of: &[TrendOf],
        span: (i64, i64),
        step_us: i64,
    ) -> Result<Vec<TagTrend>, String>;

    /// Weights of these minutes, each with the start of its minute, oldest first; [`History::minutes`] has none.
    fn weights(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String>;

    /// Events of these kinds in `[from_us, to_us)` with their numbers, oldest first.
    fn events(
        &self,
        line: &LineId,
        from_us: i64,
        to_us: i64,
        kinds: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String>;

    /// Stops that were going on in `[from_us, to_us)`, with what people said about them.
    fn stops(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<StopRecord, String>;

    /// One stop as recorded, its parts, and what people said about it; empty if there is none of that number.
    fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, String>;

    /// Adds what a person said about a stop; its number is given here. The stops as recorded stay as they are. `seen` is
    /// the last revision that the person knew of. The inner refusal says why it cannot be added, for people.
    fn revise(
        &self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
        by: &Actor,
    ) -> Result<Result<u64, Refusal>, String>;

    /// What people did by hand with batches that began in `[from_us, to_us)`, oldest first.
    fn batch_entries(&self, line: &LineId, from_us: i64, to_us: i64) -> Result<Vec<Entry>, String>;

    /// Hours, shifts or batches that overlap `[from_us, to_us)`, oldest first.
    fn rollups(
        &self,
        line: &LineId,
        kind: PeriodKind,
        from_us: i64,
        to_us: i64,
    ) -> Result<Vec<Rollup>, String>;

    /// A counter as last read, and its ledger entries of `[from_us, to_us)`; none if it was never read.
    fn counter(
        &self,
        line: &LineId,
        tag: &TagId,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<CounterRecord>, String>;
}

/// Limits, incidents and judged subgroups of the record. All methods block and are called off the async threads; an
/// error says why the record could not be read or written and goes to the log, not to the reader.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait QualityRecord: Send + Sync {
    /// All versions of the limits of a characteristic.
    fn limits(&self, line: &LineId, of: &str) -> Result<Vec<Limits>, String>;

    /// Keeps new limits.
    fn add_limits(&self, line: &LineId, limits: Limits, by: &Actor) -> Result<(), String>;

    /// Keeps what was decided about limits, signed where `by` signs.
    fn decide_limits(&self, line: &LineId, limits: Limits, by: &Actor) -> Result<(), String>;

    /// Incidents that began in a span or are open, newest first.
    fn incidents(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<StoredIncident>, String>;

    /// Keeps what a person did about an incident. Whether there is such an incident.
    fn add_work(
        &self,
        line: &LineId,
        incident: i64,
        work: Work,
        by: &Actor,
    ) -> Result<bool, String>;

    /// What a running chart told of a span, corrections after what they correct.
    fn points(&self, line: &LineId, of: &str, span: (i64, i64))
    -> Result<Vec<StoredPoint>, String>;
}

/// Final reports and what people said about gaps. All methods block and are called off the async threads; an error says
/// why the record could not be read or written and goes to the log, not to the reader.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait ReportRecord: Send + Sync {
    /// What was said about these gaps, oldest first.
    fn gap_notes(&self, line: &LineId, gaps: &[GapId]) -> Result<Vec<GapNote>, String>;

    /// Keeps what was said about gaps, signed where `by` signs.
    fn add_gap_notes(&self, line: &LineId, notes: Vec<GapNote>, by: &Actor) -> Result<(), String>;

    /// Final reports of periods that began in a span, newest first.
    fn final_reports(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<FinalReport>, String>;

    /// The page of a final report; none of that number.
    fn final_page(&self, line: &LineId, number: i64) -> Result<Option<Vec<u8>>, String>;

    /// Keeps a final report, signed where `by` signs, whose number is given here; none where that version is there already.
    fn add_final_report(
        &self,
        line: &LineId,
        report: FinalReport,
        page: Vec<u8>,
        by: &Actor,
    ) -> Result<Option<FinalReport>, String>;

    /// Signs a final report as its second person. The inner refusal is for people.
    fn sign_report(
        &self,
        line: &LineId,
        number: i64,
        by: &Actor,
    ) -> Result<Result<(), NotSigned>, String>;
}

/// Reads or writes what is kept, on a thread that may block.
///
/// # Errors
/// What the record says, which goes to the log.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, WebError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| error.to_string()).flatten().map_err(WebError::Store)
}

#[cfg(test)]
mod tests {
    use domain::reading::{Outcome, Snapshot};
    use domain::units::{Moment, SECOND_US};

    use super::*;

    /// A span begins with a whole point, which may be half an hour before what was asked for.
    #[test]
    fn a_value_told_within_the_span_did_not_stand_before_it() {
        let from_us = 1_795_507_200 * SECOND_US;
        let first = |told_us| {
            let of = TrendOf {
                station: StationId::new("CF01"),
                tag: TagId::new("CF01.Vacuum"),
                group: 0,
                rhythm_us: (SECOND_US, 2 * SECOND_US),
                scale: 1.0,
                offset: 0.0,
                held: Some((told_us, 7.0)),
            };
            let mut course = of.course((from_us, from_us + 600 * SECOND_US), 600 * SECOND_US);
            for second in 0..5 {
                let us = from_us + second * SECOND_US;
                let (taken_at, outcome) =
                    (Moment { utc_us: us, mono_us: us }, Outcome::Taken(Vec::new()));
                let heard =
                    Snapshot { device: 0, group: 0, taken_at, round_trip_us: 0, polls: 1, outcome };
                course.take(&heard, 0, |raw| raw);
            }
            course.steps().next().and_then(|step| step.mean)
        };
        assert_eq!(first(from_us + 300 * SECOND_US), None);
        // The negative control: told long before, it stands as long as the device is heard.
        assert_eq!(first(from_us - 300 * SECOND_US), Some(7.0));
    }
}
