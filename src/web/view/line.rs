//! A line at one moment.

use domain::line::call::Call;
use domain::line::event::{Event, EventKind};
use domain::line::state::{State, TimeClass};
use domain::line::status::{LineStatus, SpeedStatus};
use domain::quality::Overview;
use domain::quality::signal::Incident;
use domain::units::Count;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::CallView;
use super::record::EventView;
use super::shift::{
    HourView, RejectFractionView, RejectView, ShiftView, last_hours, sorted_rejects,
};
use super::station::{FaultView, StateView, StationView, faults};
use super::{CountView, Present, STALE_MS, TitleView, ms, rounded};
use crate::config::LineConfig;

/// Events shown on the overview; the rest is one request away.
const EVENTS_SHOWN: usize = 6;

/// One line at one moment: event `view` of the stream and answer of the snapshot route.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineView {
    /// Which line.
    pub line: String,
    /// The line's clock, UTC milliseconds.
    pub at_ms: i64,
    /// Offset of the plant's time from UTC at that moment, in seconds.
    pub offset_s: i32,
    /// How old this status was when it was sent, real milliseconds.
    pub age_ms: i64,
    /// `current`; `waiting` before the first status; `stalled` when the line stopped reporting.
    pub feed: &'static str,
    /// State of the line, `unknown` unless the feed is current.
    pub state: StateView,
    /// Open batch.
    pub batch: Option<String>,
    /// Since when it is open, UTC milliseconds.
    pub batch_since_ms: Option<i64>,
    /// Whether a person opened it; else the machine told it.
    pub batch_by_hand: bool,
    /// The batch that a counting station tells itself: while it tells one, nobody can open or close one by hand.
    pub batch_told: Option<String>,
    /// Shift, none between shifts.
    pub shift: Option<ShiftView>,
    /// Good capsules since the journal began.
    pub total: CountView,
    /// Target rate, capsules a minute.
    pub target_per_minute: u64,
    /// The same for a whole hour.
    pub target_per_hour: u64,
    /// Throughput over 10 s, 1 min, 15 min and the shift.
    pub speeds: Vec<SpeedView>,
    /// Speed as the PLC says, capsules a minute.
    pub plc_speed: Option<f64>,
    /// Reject fraction of the counting stations together.
    pub reject: RejectFractionView,
    /// Incidents of all control charts that have not ended; null where that is not known.
    pub incidents: Option<IncidentsView>,
    /// Rejects of the shift by station and reason, most frequent first.
    pub rejects: Vec<RejectView>,
    /// The last twelve hours of the shift so far, oldest first; the last is open.
    pub hours: Vec<HourView>,
    /// Stations in the order of the line.
    pub stations: Vec<StationView>,
    /// Links to them.
    pub links: LinksView,
    /// Calls for help that nobody has closed, oldest first.
    pub calls: Vec<CallView>,
    /// What is wrong with the data, worst first.
    pub faults: Vec<FaultView>,
    /// Polls that brought readings since the service started.
    pub polls: u64,
    /// Polls that brought none since the service started.
    pub missed_polls: u64,
    /// The latest events, newest first, without counts of nothing.
    pub events: Vec<EventView>,
    /// Start of the last closed minute, UTC milliseconds: when it moves, charts have a new point.
    pub minute_ms: Option<i64>,
}

impl LineView {
    /// The same with the calls for help that are open, which people make and the line knows nothing of.
    #[must_use]
    pub fn with_calls(self, calls: Vec<CallView>) -> LineView {
        LineView { calls, ..self }
    }

    /// The same with what its control charts say.
    #[must_use]
    pub fn with_charts(self, charts: Option<&Overview>) -> LineView {
        let chart = charts.and_then(|charts| charts.reject_fraction.as_ref());
        let open = charts.and_then(|charts| charts.open.as_deref());
        LineView {
            rejects: charts.map_or(self.rejects.clone(), |charts| {
                self.rejects.iter().map(|reject| reject.spread(&charts.spread)).collect()
            }),
            reject: self.reject.charted(chart),
            incidents: open.map(IncidentsView::of),
            ..self
        }
    }

    /// The view of a line of which a status may have been heard.
    pub fn new(config: &LineConfig, status: Option<&LineStatus>, present: &Present) -> LineView {
        match status {
            Some(status) => LineView::of(config, status, present),
            None => LineView::waiting(config, present),
        }
    }

    fn waiting(config: &LineConfig, present: &Present) -> LineView {
        LineView {
            line: config.id.to_string(),
            at_ms: ms(present.now.utc_us),
            offset_s: present.offset_s(present.now.utc_us),
            age_ms: 0,
            feed: "waiting",
            state: StateView::none(),
            batch: None,
            batch_since_ms: None,
            batch_by_hand: false,
            batch_told: None,
            shift: None,
            total: Count::ZERO.into(),
            target_per_minute: config.target_per_minute,
            target_per_hour: per_hour(config.target_per_minute),
            speeds: Vec::new(),
            plc_speed: None,
            reject: RejectFractionView::of(config, None),
            incidents: None,
            rejects: Vec::new(),
            hours: Vec::new(),
            stations: Vec::new(),
            links: LinksView { up: 0, of: 0 },
            calls: Vec::new(),
            faults: Vec::new(),
            polls: 0,
            missed_polls: 0,
            events: Vec::new(),
            minute_ms: None,
        }
    }

    fn of(config: &LineConfig, status: &LineStatus, present: &Present) -> LineView {
        let age_ms = present.age_ms(status.at);
        let stalled = age_ms > STALE_MS;
        let mut state = StateView::of(&status.state, status.at);
        if stalled {
            state.become_unknown();
        }
        LineView {
            line: status.line.to_string(),
            at_ms: ms(status.at.utc_us),
            offset_s: present.offset_s(status.at.utc_us),
            age_ms,
            feed: if stalled { "stalled" } else { "current" },
            state,
            batch: status.batch.as_ref().map(|batch| batch.id.to_string()),
            batch_since_ms: status.batch.as_ref().map(|batch| ms(batch.start_us)),
            batch_by_hand: status.batch.as_ref().is_some_and(|batch| batch.by_hand),
            batch_told: status.batch_told.as_ref().map(|id| id.to_string()),
            shift: status.shift.as_ref().map(ShiftView::of),
            total: status.total.into(),
            target_per_minute: status.target_per_minute,
            target_per_hour: per_hour(status.target_per_minute),
            speeds: status.speeds.iter().map(SpeedView::of).collect(),
            plc_speed: status.plc_speed.and_then(|speed| rounded(speed, 1)),
            reject: RejectFractionView::of(config, status.shift.as_ref()),
            incidents: None,
            rejects: sorted_rejects(&status.rejects),
            hours: last_hours(status),
            stations: status
                .stations
                .iter()
                .map(|s| StationView::of(s, config, status, stalled))
                .collect(),
            links: LinksView::of(status),
            calls: Vec::new(),
            faults: faults(config, status),
            polls: status.polls,
            missed_polls: status.missed_polls,
            events: told(&status.events)
                .take(EVENTS_SHOWN)
                .map(|event| EventView::of(event).named(config))
                .collect(),
            minute_ms: status.trend.last().map(|point| ms(point.start_us)),
        }
    }
}

/// What a rate asks for in an hour.
fn per_hour(per_minute: u64) -> u64 {
    per_minute.saturating_mul(60)
}

/// Links to the stations of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinksView {
    /// Stations that are read.
    pub up: usize,
    /// All stations.
    pub of: usize,
}

impl LinksView {
    fn of(status: &LineStatus) -> LinksView {
        let up = status.stations.iter().filter(|station| station.link.up).count();
        LinksView { up, of: status.stations.len() }
    }
}

/// Throughput over a window.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SpeedView {
    /// `10s`, `1m`, `15m` or `shift`.
    pub window: &'static str,
    /// Capsules a minute, whole; none when less than half of the window is known.
    pub per_minute: Option<u64>,
    /// What the step of the counts leaves open, capsules a minute, rounded up.
    pub plus_minus: u64,
    /// Seconds of the window that are known.
    pub covered_s: f64,
}

impl SpeedView {
    fn of(speed: &SpeedStatus) -> SpeedView {
        let whole = |x: f64| if x.is_finite() { x.clamp(0.0, 1e12) as u64 } else { 0 };
        SpeedView {
            window: match speed.window_us / 1_000_000 {
                0 => "shift",
                10 => "10s",
                60 => "1m",
                _ => "15m",
            },
            per_minute: speed.per_minute.map(|rate| whole(rate.round())),
            plus_minus: whole(speed.plus_minus.ceil()),
            covered_s: rounded(speed.covered_us as f64 / 1e6, 1).unwrap_or(0.0),
        }
    }
}

/// Incidents that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentsView {
    /// With a point outside the limits of a chart.
    pub beyond: usize,
    /// By another rule, or on a companion only.
    pub others: usize,
}

impl IncidentsView {
    fn of(open: &[Incident]) -> IncidentsView {
        let beyond = open.iter().filter(|incident| incident.is_beyond()).count();
        IncidentsView { beyond, others: open.len() - beyond }
    }
}

/// A line in the list of lines.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineEntry {
    /// Identifier, used in addresses.
    pub id: String,
    /// What people call it.
    pub title: TitleView,
    /// The station that counts it; of several side by side all, `CF01 + CF02`.
    pub counting_station: String,
    /// Target rate, capsules a minute.
    pub target_per_minute: u64,
    /// Present state, `unknown` unless its status is current.
    pub state: &'static str,
    /// What the time of that state counts as.
    pub class: &'static str,
    /// Calls for help that nobody has taken yet.
    pub untaken_calls: usize,
    /// Calls for help that somebody has taken and nobody has closed.
    pub taken_calls: usize,
}

impl LineEntry {
    /// The entry of a line in the list of lines, with its open calls for help.
    pub fn new(
        config: &LineConfig,
        status: Option<&LineStatus>,
        calls: &[Call],
        present: &Present,
    ) -> LineEntry {
        let current = status.filter(|status| present.age_ms(status.at) <= STALE_MS);
        let untaken_calls = calls.iter().filter(|call| call.taken.is_none()).count();
        LineEntry {
            id: config.id.to_string(),
            title: (&config.title).into(),
            counting_station: config.output.to_string(),
            target_per_minute: config.target_per_minute,
            state: current.map_or(State::Unknown, |status| status.state.state).word(),
            class: current.map_or(TimeClass::Unknown, |status| status.state.class).word(),
            untaken_calls,
            taken_calls: calls.len() - untaken_calls,
        }
    }
}

/// Events worth a row on the overview: not the first readings and the steps in doubt that stand for no capsule.
fn told(events: &[Event]) -> impl Iterator<Item = &Event> {
    let empty = |event: &Event| event.count.is_none_or(|count| count.high() == 0);
    events.iter().filter(move |event| event.kind != EventKind::Count || !empty(event))
}
