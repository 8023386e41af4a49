//! What screens and JSON show of a line: numbers already rounded, with unit and doubt. Nothing is counted or judged
//! here, and the browser only formats and draws what it gets.

use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute};
use domain::line::state::{State, TimeClass};
use domain::line::status::{
    HourStatus, LineStatus, RejectStatus, ShiftStatus, SpeedStatus, StateStatus, StationStatus,
    TrendPoint,
};
use domain::plc_map::Title;
use domain::quality::{Chart, Point};
use domain::units::{Count, Moment};
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::LineConfig;

/// A status older than this, in real milliseconds, no longer describes the line.
pub const STALE_MS: i64 = 4_000;

/// A count is clearly behind when it lies more than this many percent below its target.
const BEHIND_PERCENT: u64 = 5;

/// Hours shown on the overview: a long shift of a plant without shift rules would push everything else away.
const HOURS_SHOWN: usize = 12;
/// Events shown on the overview; the rest is one request away.
const EVENTS_SHOWN: usize = 6;

/// A count whose true value lies in `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountView {
    /// Best supported value.
    pub best: u64,
    /// Least that the truth can be.
    pub low: u64,
    /// Most that the truth can be.
    pub high: u64,
}

impl From<Count> for CountView {
    fn from(count: Count) -> CountView {
        CountView { best: count.best(), low: count.low(), high: count.high() }
    }
}

/// A difference whose true value lies in `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferenceView {
    /// Best supported value.
    pub best: i64,
    /// Least that the truth can be.
    pub low: i64,
    /// Most that the truth can be.
    pub high: i64,
}

impl DifferenceView {
    fn of(count: Count, target: u64) -> DifferenceView {
        let less = |n: u64| n as i64 - target as i64;
        DifferenceView {
            best: less(count.best()),
            low: less(count.low()),
            high: less(count.high()),
        }
    }
}

/// A text of the plant in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TitleView {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl From<&Title> for TitleView {
    fn from(title: &Title) -> TitleView {
        TitleView { en: title.en.to_string(), zh: title.zh.to_string() }
    }
}

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
    /// Batch, if a tag tells it.
    pub batch: Option<String>,
    /// Shift, none between shifts.
    pub shift: Option<ShiftView>,
    /// Good capsules since the journal began.
    pub total: CountView,
    /// Target rate, capsules a minute.
    pub target_per_minute: u64,
    /// Throughput over 10 s, 1 min, 15 min and the shift.
    pub speeds: Vec<SpeedView>,
    /// Speed as the PLC says, capsules a minute.
    pub plc_speed: Option<f64>,
    /// Reject fraction of the counting station.
    pub reject: RejectFractionView,
    /// Rejects of the shift by station and reason, most frequent first.
    pub rejects: Vec<RejectView>,
    /// The last twelve hours of the shift so far, oldest first; the last is open.
    pub hours: Vec<HourView>,
    /// Stations in the order of the line.
    pub stations: Vec<StationView>,
    /// What is wrong with the data, worst first.
    pub faults: Vec<FaultView>,
    /// Polls that brought readings since the service started.
    pub polls: u64,
    /// Polls that brought none since the service started.
    pub missed_polls: u64,
    /// The latest events, newest first.
    pub events: Vec<EventView>,
    /// Start of the last closed minute, UTC milliseconds: when it moves, charts have a new point.
    pub minute_ms: Option<i64>,
}

/// A state and how long it has lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateView {
    /// PackML word: `execute`, `held`, …, or `unknown`.
    pub word: &'static str,
    /// What its time counts as.
    pub class: &'static str,
    /// The state before, shown while it is unknown.
    pub last: &'static str,
    /// Since when, UTC milliseconds; none before the first reading.
    pub since_ms: Option<i64>,
    /// How long, in milliseconds of the line's clock.
    pub for_ms: i64,
    /// Code as read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<i64>,
    /// Stop reason code as read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<i64>,
    /// What the map calls that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_title: Option<TitleView>,
}

/// A shift and how it goes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShiftView {
    /// Name.
    pub name: String,
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// End, UTC milliseconds.
    pub end_ms: i64,
    /// Good capsules, gaps included.
    pub good: CountView,
    /// Part of it made while nobody looked, known only as a whole.
    pub gap: CountView,
    /// Rejects of the counting station.
    pub rejected: CountView,
    /// What the target rate asks for until now.
    pub target_now: u64,
    /// Good less target until now.
    pub difference: DifferenceView,
    /// Whether even the most that the truth can be lies clearly below the target.
    pub behind: bool,
    /// What the target rate asks for until the end.
    pub plan: u64,
    /// Good in percent of the plan, one decimal.
    pub plan_percent: Option<f64>,
    /// Expected at the end if the last 15 minutes go on.
    pub forecast: Option<u64>,
    /// Milliseconds of the shift so far by class, in the order run, internal, external, planned, idle, unknown.
    pub time_ms: [i64; 6],
    /// Share of the passed shift that is known, percent, one decimal.
    pub known_percent: Option<f64>,
    /// Since when the shift is watched, UTC milliseconds.
    pub watched_from_ms: i64,
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

/// Reject fraction of the counting station.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectFractionView {
    /// Rejects of the shift.
    pub rejected: CountView,
    /// Judged capsules of the shift: good and rejected.
    pub total: CountView,
    /// Percent of the shift, three decimals.
    pub percent: Option<f64>,
    /// The latest complete 15-minute subgroup against its limits.
    pub recent: Option<PointView>,
    /// Centre line of that chart, percent.
    pub center: Option<f64>,
}

/// Rejects of one reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectView {
    /// Where.
    pub station: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub rejected: CountView,
    /// Out of how many.
    pub total: CountView,
    /// Percent, three decimals.
    pub percent: Option<f64>,
    /// 95 % Wilson interval in percent, three decimals.
    pub wilson: Option<[f64; 2]>,
}

/// One hour of the hour board.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HourView {
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// Good capsules, those of gaps that ended in this hour included.
    pub good: CountView,
    /// Those of gaps alone; none in an hour without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<CountView>,
    /// What the target rate asks for in the passed part.
    pub target: u64,
    /// Good less target.
    pub difference: DifferenceView,
    /// Whether even the most that the truth can be lies clearly below the target.
    pub behind: bool,
    /// Share of the passed part that is known, percent.
    pub known_percent: f64,
}

/// One station.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StationView {
    /// Which.
    pub id: String,
    /// What people call it.
    pub title: TitleView,
    /// `modbus` or `opcua`.
    pub protocol: &'static str,
    /// Whether its good counter is the output of the line.
    pub counts: bool,
    /// Its state.
    pub state: StateView,
    /// Whether its readings are current.
    pub up: bool,
    /// Milliseconds since something was heard, none if never.
    pub heard_ago_ms: Option<i64>,
    /// Why it is down: `timeout`, `connect_failed`, …; empty while up.
    pub reason: &'static str,
    /// Capsules in during the shift.
    pub infeed: Option<CountView>,
    /// Good capsules out during the shift.
    pub good: Option<CountView>,
    /// Rejects during the shift.
    pub rejected: CountView,
    /// Speed as the PLC says, capsules a minute, one decimal.
    pub speed: Option<f64>,
    /// Tags whose last reading was not good.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bad_tags: Vec<String>,
    /// Conditions and weights.
    pub measures: Vec<MeasureView>,
}

/// A measured value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeasureView {
    /// Tag.
    pub tag: String,
    /// Value, two decimals; none while bad.
    pub value: Option<f64>,
    /// Unit.
    pub unit: String,
}

/// Something that is wrong with the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultView {
    /// `plc_offline` or `bad_data`.
    pub kind: &'static str,
    /// Where.
    pub station: String,
    /// What people call it.
    pub title: TitleView,
    /// Where it is spoken to.
    pub address: String,
    /// Whether it makes the state of the line unknown.
    pub counts: bool,
    /// Whether it was heard before in this run of the service.
    pub heard: bool,
    /// Since when, UTC milliseconds.
    pub since_ms: i64,
    /// Why, for a device that is down.
    pub reason: &'static str,
    /// Which tags, for bad data.
    pub tags: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventView {
    /// When, UTC milliseconds; for a span, its end.
    pub at_ms: i64,
    /// Where a span began, UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// Kind of event.
    pub kind: &'static str,
    /// The machine, where it belongs to one.
    pub station: Option<String>,
    /// The tag, where it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What of that kind, in one word.
    pub word: String,
    /// Capsules that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<CountView>,
    /// The rest in one English sentence.
    pub detail: String,
}

/// What changes once a minute: event `charts` of the stream and answer of the charts route.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChartsView {
    /// Which line.
    pub line: String,
    /// The last 60 closed minutes.
    pub trend: TrendView,
    /// Stops that ended within the trend, oldest first: start and end, UTC milliseconds.
    pub stops: Vec<[i64; 2]>,
    /// The p′ chart in 1-minute and in 15-minute subgroups.
    pub reject_fraction: Vec<ChartView>,
}

/// Minutes of the trend in columns, oldest first.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct TrendView {
    /// Starts, UTC milliseconds.
    pub start_ms: Vec<i64>,
    /// Good capsules, none if the minute was not watched.
    pub best: Vec<Option<u64>>,
    /// Least that the truth can be.
    pub low: Vec<Option<u64>>,
    /// Most that the truth can be.
    pub high: Vec<Option<u64>>,
    /// Known share of the minute, percent.
    pub known_percent: Vec<f64>,
}

/// A p′ chart. All fractions are percent, four decimals.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChartView {
    /// What is charted.
    pub characteristic: &'static str,
    /// Minutes in a subgroup.
    pub subgroup_minutes: u32,
    /// Subgroups, oldest first.
    pub points: Vec<PointView>,
    /// Centre line.
    pub center: Option<f64>,
    /// Laney's σz from moving ranges, two decimals.
    pub sigma_z: Option<f64>,
    /// σz from the standard deviation, two decimals.
    pub sigma_z_sd: Option<f64>,
    /// Lag-1 autocorrelation of z, two decimals.
    pub lag1: Option<f64>,
    /// `ok`, `degenerate`, `insufficient_data` or `no_data`.
    pub status: &'static str,
    /// Complete subgroups the limits rest on.
    pub baseline_points: usize,
    /// Whether the limits are provisional.
    pub provisional: bool,
    /// Points at which a rule is complete.
    pub signals: usize,
    /// Points above the upper limit of a plain p chart, to compare.
    pub plain_signals: usize,
}

/// One subgroup of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PointView {
    /// Start, UTC milliseconds.
    pub t: i64,
    /// Rejected.
    pub x: u64,
    /// Judged.
    pub n: u64,
    /// Whether it was watched throughout with exact counts.
    pub complete: bool,
    /// Fraction.
    pub p: Option<f64>,
    /// Lower limit.
    pub lcl: Option<f64>,
    /// Upper limit.
    pub ucl: Option<f64>,
    /// Upper limit of the plain p chart.
    pub ucl_p: Option<f64>,
    /// Rules that are complete here.
    pub rules: Vec<&'static str>,
}

/// A stored minute.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MinuteView {
    /// Start, UTC milliseconds.
    pub start_ms: i64,
    /// Raised whenever the stored minute changed.
    pub rev: u32,
    /// Whether it is over.
    pub closed: bool,
    /// Share of its passed time that is known, percent, one decimal.
    pub known_percent: f64,
    /// Good capsules of the counting station.
    pub good: CountView,
    /// Rejects of the counting station.
    pub rejected: CountView,
    /// Milliseconds by class, in the order run, internal, external, planned, idle, unknown.
    pub time_ms: [i64; 6],
    /// Polls that brought readings.
    pub polls: u64,
    /// Polls that brought none.
    pub missed: u64,
    /// All counters of the line.
    pub tallies: Vec<TallyView>,
}

/// What one counter counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TallyView {
    /// Where.
    pub station: String,
    /// `infeed`, `good`, `reject`, `sample` or `void`.
    pub counted: &'static str,
    /// Reason of a reject.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How many.
    pub count: CountView,
}

/// A line in the list of lines.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineEntry {
    /// Identifier, used in addresses.
    pub id: String,
    /// What people call it.
    pub title: TitleView,
    /// The station that counts it.
    pub counting_station: String,
    /// Target rate, capsules a minute.
    pub target_per_minute: u64,
    /// Present state, `unknown` unless its status is current.
    pub state: &'static str,
}

/// When a view is made: the line's present, how fast its clock runs and where the plant lies.
pub struct Present<'a> {
    /// The line's clock now.
    pub now: Moment,
    /// How many times faster than real time that clock runs.
    pub speed: f64,
    /// Time zone of the plant.
    pub zone: &'a jiff::tz::TimeZone,
}

impl Present<'_> {
    /// Age of something of `at`, in real milliseconds.
    pub fn age_ms(&self, at: Moment) -> i64 {
        ((self.now.mono_us - at.mono_us).max(0) as f64 / self.speed / 1_000.0) as i64
    }

    fn offset_s(&self, utc_us: i64) -> i32 {
        let moment = jiff::Timestamp::from_microsecond(utc_us).unwrap_or_default();
        self.zone.to_offset(moment).seconds()
    }
}

impl LineView {
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
            shift: None,
            total: Count::ZERO.into(),
            target_per_minute: config.target_per_minute,
            speeds: Vec::new(),
            plc_speed: None,
            reject: RejectFractionView::of(None, None),
            rejects: Vec::new(),
            hours: Vec::new(),
            stations: Vec::new(),
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
            batch: status.batch.as_ref().map(|batch| batch.to_string()),
            shift: status.shift.as_ref().map(ShiftView::of),
            total: status.total.into(),
            target_per_minute: status.target_per_minute,
            speeds: status.speeds.iter().map(SpeedView::of).collect(),
            plc_speed: status.plc_speed.and_then(|speed| rounded(speed, 1)),
            reject: RejectFractionView::of(status.shift.as_ref(), Some(&status.charts[1])),
            rejects: sorted_rejects(&status.rejects),
            hours: last_hours(&status.hours).iter().map(HourView::of).collect(),
            stations: status
                .stations
                .iter()
                .map(|s| StationView::of(s, config, status, stalled))
                .collect(),
            faults: faults(config, status),
            polls: status.polls,
            missed_polls: status.missed_polls,
            events: status.events.iter().take(EVENTS_SHOWN).map(EventView::of).collect(),
            minute_ms: status.trend.last().map(|point| ms(point.start_us)),
        }
    }
}

impl StateView {
    fn of(status: &StateStatus, at: Moment) -> StateView {
        StateView {
            word: status.state.word(),
            class: status.class.word(),
            last: status.last_known.word(),
            since_ms: Some(ms(status.since_us)),
            for_ms: ms((at.mono_us - status.since_mono_us).max(0)),
            raw: status.raw,
            stop_reason: status.stop_reason,
            stop_title: status.stop_title.as_ref().map(TitleView::from),
        }
    }

    fn none() -> StateView {
        StateView {
            word: State::Unknown.word(),
            class: TimeClass::Unknown.word(),
            last: State::Unknown.word(),
            since_ms: None,
            for_ms: 0,
            raw: None,
            stop_reason: None,
            stop_title: None,
        }
    }

    /// Unknown beats every other state; what it was before stays readable as such.
    fn become_unknown(&mut self) {
        if self.word != State::Unknown.word() {
            self.last = self.word;
        }
        self.word = State::Unknown.word();
        self.class = TimeClass::Unknown.word();
    }
}

impl ShiftView {
    fn of(shift: &ShiftStatus) -> ShiftView {
        let passed = shift.time.total();
        let known = passed - shift.time.of(TimeClass::Unknown);
        ShiftView {
            name: shift.name.to_string(),
            start_ms: ms(shift.start_us),
            end_ms: ms(shift.end_us),
            good: shift.good.into(),
            gap: shift.gap.into(),
            rejected: shift.rejected.into(),
            target_now: shift.target_now,
            difference: DifferenceView::of(shift.good, shift.target_now),
            behind: behind(shift.good, shift.target_now),
            plan: shift.plan,
            plan_percent: percent(shift.good.best(), shift.plan, 1),
            forecast: shift.forecast,
            time_ms: shift.time.0.map(ms),
            known_percent: (passed > 0).then(|| share(known as f64 / passed as f64)),
            watched_from_ms: ms(shift.watched_from_us),
        }
    }
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

impl RejectFractionView {
    fn of(shift: Option<&ShiftStatus>, chart: Option<&Chart>) -> RejectFractionView {
        let rejected = shift.map_or(Count::ZERO, |shift| shift.rejected);
        let total = rejected + shift.map_or(Count::ZERO, |shift| shift.good);
        let recent = chart.and_then(|chart| chart.points.iter().rev().find(|p| p.complete));
        RejectFractionView {
            rejected: rejected.into(),
            total: total.into(),
            percent: percent(rejected.best(), total.best(), 3),
            recent: recent.map(PointView::of),
            center: chart.and_then(|chart| chart.center).and_then(hundredfold),
        }
    }
}

impl RejectView {
    fn of(reject: &RejectStatus) -> RejectView {
        let bound = |p: f64| rounded(p * 100.0, 3).unwrap_or(0.0);
        RejectView {
            station: reject.station.to_string(),
            reason: reject.reason.to_string(),
            rejected: reject.rejected.into(),
            total: reject.total.into(),
            percent: percent(reject.rejected.best(), reject.total.best(), 3),
            wilson: reject.wilson.map(|(low, high)| [bound(low), bound(high)]),
        }
    }
}

impl HourView {
    fn of(hour: &HourStatus) -> HourView {
        HourView {
            start_ms: ms(hour.start_us),
            good: (hour.good + hour.gap).into(),
            gap: (!hour.gap.is_zero()).then(|| hour.gap.into()),
            target: hour.target,
            difference: DifferenceView::of(hour.good + hour.gap, hour.target),
            behind: behind(hour.good + hour.gap, hour.target),
            known_percent: share(hour.coverage),
        }
    }
}

impl StationView {
    fn of(
        station: &StationStatus,
        config: &LineConfig,
        status: &LineStatus,
        stalled: bool,
    ) -> StationView {
        let at = status.at;
        let mut state = StateView::of(&station.state, at);
        if stalled || !station.link.up {
            state.become_unknown();
        }
        StationView {
            id: station.id.to_string(),
            title: (&station.title).into(),
            protocol: station.protocol,
            counts: station.id == config.counting_station,
            state,
            up: station.link.up,
            heard_ago_ms: station.link.heard_mono_us.map(|heard| ms((at.mono_us - heard).max(0))),
            reason: station.link.reason,
            infeed: station.infeed.map(CountView::from),
            good: station.good.map(CountView::from),
            rejected: station.rejected.into(),
            speed: station.speed.and_then(|speed| rounded(speed, 1)),
            bad_tags: station.bad_tags.iter().map(|tag| tag.to_string()).collect(),
            measures: station.measures.iter().map(MeasureView::of).collect(),
        }
    }
}

impl MeasureView {
    fn of(measure: &domain::line::status::MeasureStatus) -> MeasureView {
        MeasureView {
            tag: measure.tag.to_string(),
            value: measure.value.and_then(|value| rounded(value, 2)),
            unit: measure.unit.to_string(),
        }
    }
}

impl EventView {
    /// The view of an event.
    pub fn of(event: &Event) -> EventView {
        EventView {
            at_ms: ms(event.at_us),
            from_ms: event.from_us.map(ms),
            kind: event.kind.word(),
            station: event.station.as_ref().map(|station| station.to_string()),
            tag: event.tag.as_ref().map(|tag| tag.to_string()),
            word: event.word.clone(),
            count: event.count.map(CountView::from),
            detail: event.detail.clone(),
        }
    }
}

impl ChartsView {
    /// What changes once a minute, empty before the first status.
    pub fn new(config: &LineConfig, status: Option<&LineStatus>) -> ChartsView {
        let Some(status) = status else {
            let (line, trend) = (config.id.to_string(), TrendView::default());
            return ChartsView { line, trend, stops: Vec::new(), reject_fraction: Vec::new() };
        };
        ChartsView {
            line: status.line.to_string(),
            trend: TrendView::of(&status.trend),
            stops: stops(&status.events),
            reject_fraction: status.charts.iter().map(ChartView::of).collect(),
        }
    }
}

impl TrendView {
    fn of(trend: &[TrendPoint]) -> TrendView {
        let good = |pick: fn(Count) -> u64| trend.iter().map(|p| p.good.map(pick)).collect();
        TrendView {
            start_ms: trend.iter().map(|point| ms(point.start_us)).collect(),
            best: good(Count::best),
            low: good(Count::low),
            high: good(Count::high),
            known_percent: trend.iter().map(|point| share(point.coverage)).collect(),
        }
    }
}

impl ChartView {
    /// The view of a chart.
    pub fn of(chart: &Chart) -> ChartView {
        let above_plain = |point: &&Point| matches!((point.p, point.ucl_p), (Some(p), Some(limit)) if point.complete && p > limit);
        ChartView {
            characteristic: chart.characteristic,
            subgroup_minutes: chart.subgroup_minutes,
            points: chart.points.iter().map(PointView::of).collect(),
            center: chart.center.and_then(hundredfold),
            sigma_z: chart.sigma_z.and_then(|x| rounded(x, 2)),
            sigma_z_sd: chart.sigma_z_sd.and_then(|x| rounded(x, 2)),
            lag1: chart.lag1.and_then(|x| rounded(x, 2)),
            status: chart.status,
            baseline_points: chart.baseline_points,
            provisional: chart.provisional,
            signals: chart.points.iter().filter(|point| !point.rules.is_empty()).count(),
            plain_signals: chart.points.iter().filter(above_plain).count(),
        }
    }
}

impl PointView {
    fn of(point: &Point) -> PointView {
        PointView {
            t: ms(point.start_us),
            x: point.rejected,
            n: point.total,
            complete: point.complete,
            p: point.p.and_then(hundredfold),
            lcl: point.lcl.and_then(hundredfold),
            ucl: point.ucl.and_then(hundredfold),
            ucl_p: point.ucl_p.and_then(hundredfold),
            rules: point.rules.clone(),
        }
    }
}

impl MinuteView {
    /// The view of a stored minute of a line.
    pub fn of(minute: &Minute, config: &LineConfig) -> MinuteView {
        let station = &config.counting_station;
        MinuteView {
            start_ms: ms(minute.start_us),
            rev: minute.rev,
            closed: minute.closed,
            known_percent: share(minute.coverage()),
            good: minute.count(station, &Counted::Good).into(),
            rejected: minute.rejected(station).into(),
            time_ms: minute.time.0.map(ms),
            polls: minute.polls,
            missed: minute.missed,
            tallies: minute.tallies.iter().map(TallyView::of).collect(),
        }
    }
}

impl TallyView {
    fn of(tally: &domain::line::minute::Tally) -> TallyView {
        TallyView {
            station: tally.station.to_string(),
            counted: tally.counted.word(),
            reason: tally.counted.reason().to_owned(),
            count: tally.count.into(),
        }
    }
}

impl LineEntry {
    /// The entry of a line in the list of lines.
    pub fn new(config: &LineConfig, status: Option<&LineStatus>, present: &Present) -> LineEntry {
        LineEntry {
            id: config.id.to_string(),
            title: (&config.title).into(),
            counting_station: config.counting_station.to_string(),
            target_per_minute: config.target_per_minute,
            state: match status {
                Some(status) if present.age_ms(status.at) <= STALE_MS => status.state.state.word(),
                _ => State::Unknown.word(),
            },
        }
    }
}

/// What is wrong with the data of a line: the counting station first, then devices that are down, then bad tags.
fn faults(config: &LineConfig, status: &LineStatus) -> Vec<FaultView> {
    let mut faults: Vec<FaultView> = Vec::new();
    for station in &status.stations {
        let device = config.devices.iter().find(|device| device.map.station == station.id);
        let fault = FaultView {
            kind: "plc_offline",
            station: station.id.to_string(),
            title: (&station.title).into(),
            address: device.map(|device| device.address.clone()).unwrap_or_default(),
            counts: station.id == config.counting_station,
            heard: station.link.heard_us.is_some(),
            since_ms: ms(station.link.since_us),
            reason: station.link.reason,
            tags: Vec::new(),
        };
        if !station.link.up {
            faults.push(fault);
        } else if !station.bad_tags.is_empty() {
            let tags = station.bad_tags.iter().map(|tag| tag.to_string()).collect();
            faults.push(FaultView { kind: "bad_data", tags, ..fault });
        }
    }
    faults.sort_by_key(|fault| {
        (!(fault.counts && fault.kind == "plc_offline"), fault.kind != "plc_offline")
    });
    faults
}

/// Spans of the stops among the latest events, oldest first.
fn stops(events: &[Event]) -> Vec<[i64; 2]> {
    let stops = events.iter().filter(|event| event.kind == EventKind::Stop);
    stops.filter_map(|stop| Some([ms(stop.from_us?), ms(stop.at_us)])).rev().collect()
}

fn last_hours(hours: &[HourStatus]) -> &[HourStatus] {
    &hours[hours.len().saturating_sub(HOURS_SHOWN)..]
}

fn sorted_rejects(rejects: &[RejectStatus]) -> Vec<RejectView> {
    let mut views: Vec<RejectView> = rejects.iter().map(RejectView::of).collect();
    views.sort_by_key(|view| std::cmp::Reverse(view.rejected.best));
    views
}

/// Whether a count cannot reach its target by more than the usual play, whatever the truth is.
fn behind(count: Count, target: u64) -> bool {
    count.high().saturating_mul(100) < target.saturating_mul(100 - BEHIND_PERCENT)
}

/// Microseconds as whole milliseconds.
fn ms(us: i64) -> i64 {
    us.div_euclid(1_000)
}

/// A number with so many decimals; none when it is not a number, because JSON has no word for that.
fn rounded(x: f64, decimals: i32) -> Option<f64> {
    let scale = 10f64.powi(decimals);
    x.is_finite().then(|| (x * scale).round() / scale)
}

/// A part in percent of a whole, none of an empty one.
fn percent(part: u64, whole: u64, decimals: i32) -> Option<f64> {
    if whole == 0 { None } else { rounded(part as f64 / whole as f64 * 100.0, decimals) }
}

/// A fraction as percent with four decimals, enough for one capsule in a million.
fn hundredfold(fraction: f64) -> Option<f64> {
    rounded(fraction * 100.0, 4)
}

/// A share of time as percent with one decimal. Only a share of one is shown as 100 and only zero as 0, so that
/// rounding never hides a gap.
fn share(share: f64) -> f64 {
    let percent = rounded(share * 100.0, 1).unwrap_or(0.0);
    match percent {
        p if p >= 100.0 && share < 1.0 => 99.9,
        p if p <= 0.0 && share > 0.0 => 0.1,
        p => p.clamp(0.0, 100.0),
    }
}
