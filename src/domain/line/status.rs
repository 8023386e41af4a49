//! What a line looks like at one moment: everything a screen shows, in exact numbers, neither rounded nor worded.

use std::sync::Arc;

use crate::line::balance::Content;
use crate::line::event::Event;
use crate::line::kpi::Kpis;
use crate::line::minute::{Counted, Minute, sum};
use crate::line::output::Stations;
use crate::line::rollup::{OpenBatch, Unread};
use crate::line::state::{State, TimeClass};
use crate::plc_map::Title;
use crate::quality::characteristic::STARTUP_DISCARD;
use crate::reading::{Quality, Value};
use crate::units::{Count, LineId, MINUTE_US, Moment, Reason, StationId, TagId};

/// One line at one moment.
#[derive(Clone, Debug)]
pub struct LineStatus {
    /// Which line.
    pub line: LineId,
    /// When. The line's own clock: in an accelerated demo it runs faster than the wall clock.
    pub at: Moment,
    /// State of the line: that of the machine of its output that decides it, unknown while the readings of one of them are
    /// not current.
    pub state: StateStatus,
    /// Present batch.
    pub batch: Option<OpenBatch>,
    /// The batch that a tag of a machine of the output tells, as last read: while there is one, it decides.
    pub batch_told: Option<Arc<str>>,
    /// Present shift, none between shifts.
    pub shift: Option<ShiftStatus>,
    /// Good capsules since this journal began, gaps and [`LineStatus::unread`] included.
    pub total: Count,
    /// What counters that are not read at the moment may have counted since they were; none of those that are read. It is in
    /// the bounds of all counts of this status.
    pub unread: Vec<Unread>,
    /// Throughput over 10 s, 1 min, 15 min and the shift, in this order.
    pub speeds: Vec<SpeedStatus>,
    /// Speed as the PLC says, capsules a minute.
    pub plc_speed: Option<f64>,
    /// Target rate, capsules a minute.
    pub target_per_minute: u64,
    /// Rejects of the shift, station by station and reason by reason.
    pub rejects: Vec<RejectStatus>,
    /// The last 60 minutes of the wall clock that are over, oldest first; one of which nothing is known has `good: None`.
    pub trend: Vec<TrendPoint>,
    /// Clock hours of the shift so far, oldest first; the last one is still open.
    pub hours: Vec<HourStatus>,
    /// All stations in the order of the line.
    pub stations: Vec<StationStatus>,
    /// What can be inside each section of the balance, in the order of [`sections`](super::layout::sections); none
    /// where it was not judged yet.
    pub contents: Vec<Option<Content>>,
    /// Polls that brought readings since the service started.
    pub polls: u64,
    /// Polls that brought none since the service started.
    pub missed_polls: u64,
    /// The latest events, newest first, at most 20.
    pub events: Vec<Event>,
}

/// A state and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct StateStatus {
    /// The state.
    pub state: State,
    /// What its time counts as.
    pub class: TimeClass,
    /// The state before, shown while it is unknown.
    pub last_known: State,
    /// Since when, UTC microseconds.
    pub since_us: i64,
    /// Since when, boot clock microseconds.
    pub since_mono_us: i64,
    /// Code as read.
    pub raw: Option<i64>,
    /// Stop reason code as read, when it stands.
    pub stop_reason: Option<i64>,
    /// What the map calls that reason.
    pub stop_title: Option<Title>,
    /// The machine that decides.
    pub station: StationId,
}

/// A shift and how it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftStatus {
    /// Name: `A`.
    pub name: Arc<str>,
    /// Start, UTC microseconds.
    pub start_us: i64,
    /// End, UTC microseconds.
    pub end_us: i64,
    /// Whether anything of it was read of the output of the line. If not, its counts are not known: they are no zeros.
    pub read: bool,
    /// Good capsules of the shift, gaps and what is unread included.
    pub good: Count,
    /// Part of it that was made while nobody looked, known only as a whole.
    pub gap: Count,
    /// Rejects of the machines of the output in the shift, what is unread included.
    pub rejected: Count,
    /// What the target rate asks for in the time that is recorded, from when the shift began to be watched until now.
    pub target_now: u64,
    /// What it asks for until the end.
    pub plan: u64,
    /// Expected at the end if the speed of the last 15 minutes goes on; none without it, and none while the output is not
    /// read.
    pub forecast: Option<u64>,
    /// Its KPIs so far.
    pub kpis: Kpis,
    /// Whether it is known how much of its planned time was set-up. If not, KPIs that rest on that are none.
    pub setup_known: bool,
    /// Time of the shift so far, by class.
    pub time: crate::line::minute::TimeSplit,
    /// Share of its passed part that is known, 0 to 1; none before it has passed any.
    pub coverage: Option<f64>,
    /// Start of the time that was watched at all in this shift, UTC microseconds.
    pub watched_from_us: i64,
    /// Machines, and ways between two of them, at which the counts of the shift contradict each other: no content can explain
    /// them. In the order of the line; of what was not read nothing is said.
    pub unbalanced: Vec<Vec<String>>,
}

/// Throughput over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeedStatus {
    /// Length of the window in microseconds; 0 for the whole shift.
    pub window_us: i64,
    /// Good capsules in the covered part of it.
    pub count: Count,
    /// Length of the covered part in microseconds: whole seconds or minutes in which it was known all the time how the line
    /// was, and so what all machines of its output counted.
    pub covered_us: i64,
    /// Capsules a minute over the covered part; none when less than half is covered.
    pub per_minute: Option<f64>,
    /// Half width of what the step of the counts leaves open: one step over the covered time, in capsules a minute.
    pub plus_minus: f64,
}

impl SpeedStatus {
    /// Of so many good capsules in the covered part of a window. `asked_us` is the time of which half has to be covered,
    /// `step` by how many capsules the counter of the machine moves at once.
    pub fn of(
        window_us: i64,
        count: Count,
        covered_us: i64,
        asked_us: i64,
        step: u64,
    ) -> SpeedStatus {
        let minutes = covered_us as f64 / MINUTE_US as f64;
        let enough = covered_us > 0 && 2 * covered_us >= asked_us;
        SpeedStatus {
            window_us,
            count,
            covered_us,
            per_minute: enough.then(|| count.best() as f64 / minutes),
            plus_minus: if covered_us > 0 { step as f64 / minutes } else { 0.0 },
        }
    }
}

/// Rejects of one reason.
#[derive(Clone, Debug, PartialEq)]
pub struct RejectStatus {
    /// Where.
    pub station: StationId,
    /// Why.
    pub reason: Reason,
    /// How many in the shift.
    pub rejected: Count,
    /// Out of how many: good and rejects of that station, or what went in; zero where it counts neither.
    pub total: Count,
    /// 95 % Wilson interval of the fraction, none without capsules.
    pub wilson: Option<(f64, f64)>,
}

/// One minute of the trend.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendPoint {
    /// Start, UTC microseconds.
    pub start_us: i64,
    /// Good capsules, none if the minute was not watched.
    pub good: Option<Count>,
    /// Rejects without what is ejected after a start whatever its quality, none if the minute was not watched.
    pub rejected: Option<Count>,
    /// Share of the minute that is known, 0 to 1.
    pub coverage: f64,
}

impl TrendPoint {
    /// A minute of which nothing is known.
    pub fn unwatched(start_us: i64) -> TrendPoint {
        TrendPoint { start_us, good: None, rejected: None, coverage: 0.0 }
    }

    /// A minute as recorded, at the stations that count the line.
    pub fn of(minute: &Minute, stations: &impl Stations) -> TrendPoint {
        let coverage = minute.coverage();
        let judged = |counted: &Counted| match counted {
            Counted::Reject(reason) => reason.as_str() != STARTUP_DISCARD,
            _ => false,
        };
        let known = coverage > 0.0;
        TrendPoint {
            start_us: minute.start_us,
            good: known.then(|| minute.count(stations, &Counted::Good)),
            rejected: known.then(|| sum(&minute.tallies, stations, judged)),
            coverage,
        }
    }
}

/// One clock hour that a shift has a part in. Where a shift does not begin with an hour, its first one holds what the
/// shift before made in it too, as in the stored record.
#[derive(Clone, Debug, PartialEq)]
pub struct HourStatus {
    /// Start, UTC microseconds.
    pub start_us: i64,
    /// End, UTC microseconds: start of the next hour.
    pub end_us: i64,
    /// Whether anything of it was read of the output of the line. If not, its counts are not known: they are no zeros.
    pub read: bool,
    /// Good capsules, without those of gaps; what is unread included.
    pub good: Count,
    /// Its part of good capsules of gaps.
    pub gap: Count,
    /// Whether anything of it is recorded.
    pub watched: bool,
    /// What the target rate asks for in the part that is recorded.
    pub target: u64,
    /// Share of the passed part that is known, 0 to 1.
    pub coverage: f64,
}

impl HourStatus {
    /// An hour of which nothing is recorded.
    pub fn unwatched(start_us: i64, end_us: i64) -> HourStatus {
        let (good, gap) = (Count::ZERO, Count::ZERO);
        HourStatus {
            start_us,
            end_us,
            read: false,
            good,
            gap,
            watched: false,
            target: 0,
            coverage: 0.0,
        }
    }
}

/// One station.
#[derive(Clone, Debug, PartialEq)]
pub struct StationStatus {
    /// Which.
    pub id: StationId,
    /// What people call it.
    pub title: Title,
    /// `modbus` or `opcua`.
    pub protocol: &'static str,
    /// Its state.
    pub state: StateStatus,
    /// Its connection.
    pub link: LinkStatus,
    /// Capsules in during the shift; none where nothing counts them, or it was not read in the shift.
    pub infeed: Option<Count>,
    /// Good capsules out during the shift; none where nothing counts them, or it was not read in the shift.
    pub good: Option<Count>,
    /// Rejects during the shift; none where it was not read in the shift.
    pub rejected: Option<Count>,
    /// Speed as the PLC says.
    pub speed: Option<f64>,
    /// Tags whose last reading was not good.
    pub bad_tags: Vec<BadTag>,
    /// Conditions and weights with their last values.
    pub measures: Vec<MeasureStatus>,
    /// What was read last of each tag, in the order of the map; none of a tag that was not read yet.
    pub readings: Vec<Option<LastReading>>,
}

/// What was read last of a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct LastReading {
    /// The value as read, before scale and offset.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
    /// When it was taken.
    pub at: Moment,
    /// The device's own time of the value in UTC microseconds, if it gave one.
    pub source_us: Option<i64>,
}

impl LastReading {
    /// How far the device's clock is ahead of ours, in microseconds, as far as this reading tells: what it was late on its
    /// way makes it less.
    pub fn ahead_us(&self) -> Option<i64> {
        Some(self.source_us? - self.at.utc_us)
    }
}

/// A tag whose last reading was not good.
#[derive(Clone, Debug, PartialEq)]
pub struct BadTag {
    /// Tag.
    pub tag: TagId,
    /// Its first bad reading after the last good one.
    pub since: Moment,
}

/// A measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureStatus {
    /// Tag.
    pub tag: TagId,
    /// Scaled value, none while bad.
    pub value: Option<f64>,
    /// What its value is called, of an enumeration that has a word for it.
    pub word: Option<Arc<str>>,
    /// Unit.
    pub unit: Arc<str>,
    /// When it was last confirmed, UTC microseconds.
    pub at_us: i64,
}

/// How the connection of a station is.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkStatus {
    /// Whether its readings are current.
    pub up: bool,
    /// Since when, UTC microseconds.
    pub since_us: i64,
    /// When something was last heard, UTC microseconds; none if never.
    pub heard_us: Option<i64>,
    /// Same on the boot clock.
    pub heard_mono_us: Option<i64>,
    /// Why it is down, in the words of [`crate::reading::Miss::word`]; empty while up.
    pub reason: &'static str,
    /// Poll period in microseconds of its fastest group.
    pub period_us: i64,
}
