//! What screens and JSON show of a line: numbers already rounded, with unit and doubt. Nothing is counted or judged
//! here, and the browser only formats and draws what it gets.

mod call;
mod chart;
mod line;
mod now;
mod oee;
mod record;
mod shift;
mod station;

use domain::plc_map::Title;
use domain::units::{Count, Moment};
use serde::Serialize;
use utoipa::ToSchema;

pub use call::{CallStepView, CallView};
pub(crate) use chart::trend_start_us;
pub use chart::{ChartView, ChartsView, InForceView, PointView, StopView, TrendView};
pub use line::{IncidentsView, LineEntry, LineView, SpeedView};
pub use now::{FlowView, NowView, ShiftNowView};
pub use oee::OeeView;
pub use record::{EventView, MinuteView, TallyView};
pub use shift::{HourView, RejectFractionView, RejectView, ShiftView};
pub use station::{BadTagView, FaultView, MeasureView, StateView, StationView};

/// A status older than this, in real milliseconds, no longer describes the line.
pub const STALE_MS: i64 = 4_000;

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

    /// Offset of the plant's time from UTC at a moment, in seconds.
    pub(crate) fn offset_s(&self, utc_us: i64) -> i32 {
        let moment = jiff::Timestamp::from_microsecond(utc_us).unwrap_or_default();
        self.zone.to_offset(moment).seconds()
    }
}

/// Microseconds as whole milliseconds.
pub(in crate::web) fn ms(us: i64) -> i64 {
    us.div_euclid(1_000)
}

/// A number with so many decimals; none when it is not a number, because JSON has no word for that.
pub(in crate::web) fn rounded(x: f64, decimals: i32) -> Option<f64> {
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
pub(crate) fn share(share: f64) -> f64 {
    let percent = rounded(share * 100.0, 1).unwrap_or(0.0);
    match percent {
        p if p >= 100.0 && share < 1.0 => 99.9,
        p if p <= 0.0 && share > 0.0 => 0.1,
        p => p.clamp(0.0, 100.0),
    }
}
