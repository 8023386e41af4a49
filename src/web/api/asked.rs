//! What requests ask for, read and refused in one way: spans, moments, kinds of events, stations.

use domain::line::event::EventKind;
use domain::units::{HOUR_US, SECOND_US, StationId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::config::LineConfig;
use crate::web::error::{WebError, short};
use crate::web::replay::{self, NoReplay};

/// A span of time as asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Span {
    /// Start, inclusive: RFC 3339 or UTC milliseconds. Default: an hour before the end; 30 hours for charts.
    from: Option<String>,
    /// End, exclusive: RFC 3339 or UTC milliseconds. Default: now.
    to: Option<String>,
}

/// A past moment, as which the record is shown.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOf {
    /// RFC 3339 or UTC milliseconds, down to the minute. Default: now.
    at: Option<String>,
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Kinds {
    /// Only events of these kinds, separated by commas. Default: all.
    kind: Option<String>,
}

impl Span {
    /// A span as asked for elsewhere than in a query.
    pub(crate) fn of(from: Option<String>, to: Option<String>) -> Span {
        Span { from, to }
    }

    /// Start and end in UTC microseconds; an hour when no start is given.
    pub(super) fn resolve(&self, now_us: i64, longest_us: i64) -> Result<(i64, i64), WebError> {
        self.resolve_from(now_us, HOUR_US, longest_us)
    }

    /// Start and end in UTC microseconds; `default_us` long when no start is given.
    pub(crate) fn resolve_from(
        &self,
        now_us: i64,
        default_us: i64,
        longest_us: i64,
    ) -> Result<(i64, i64), WebError> {
        let to = moment("to", self.to.as_deref(), now_us)?;
        let from = moment("from", self.from.as_deref(), to - default_us)?;
        if from >= to {
            return Err(WebError::Parameter("from does not lie before to; swap them".to_owned()));
        }
        if to - from > longest_us {
            let days = longest_us / (24 * HOUR_US);
            let message = format!("the span is longer than {days} days; ask for it in parts");
            return Err(WebError::Parameter(message));
        }
        Ok((from, to))
    }
}

impl AsOf {
    /// The moment, if one is asked for; now otherwise. UTC microseconds, and whether it is past.
    pub(super) fn resolve(&self, now_us: i64) -> Result<(i64, bool), WebError> {
        match self.at.as_deref() {
            None => Ok((now_us, false)),
            Some(text) => {
                replay::moment_of(text, now_us).map(|at| (at, true)).map_err(NoReplay::refusal)
            }
        }
    }
}

impl Kinds {
    pub(super) fn resolve(&self) -> Result<Vec<EventKind>, WebError> {
        let Some(kinds) = &self.kind else { return Ok(EventKind::ALL.to_vec()) };
        let kind = |word: &str| {
            EventKind::from_word(word).ok_or_else(|| {
                WebError::unknown("kind", word, &EventKind::ALL.map(EventKind::word).join(", "))
            })
        };
        kinds.split(',').map(str::trim).map(kind).collect()
    }
}

/// The station of that name.
pub(super) fn station_named(config: &LineConfig, name: &str) -> Result<StationId, WebError> {
    let stations = config.devices.iter().map(|device| &device.map.station);
    let found = stations.clone().find(|station| station.as_str() == name);
    found.cloned().ok_or_else(|| {
        let known = stations.map(StationId::to_string).collect::<Vec<_>>().join(", ");
        WebError::unknown("station", name, &known)
    })
}

/// A moment in UTC microseconds: RFC 3339, or UTC milliseconds as a number.
pub(crate) fn moment(name: &str, text: Option<&str>, default_us: i64) -> Result<i64, WebError> {
    let Some(text) = text else { return Ok(default_us) };
    // A plus sign of a query arrives as a blank: `+08:00` is often written so.
    let text = text.replace(' ', "+");
    let parsed = match text.parse::<i64>() {
        Ok(ms) => ms.checked_mul(1_000),
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(|moment| moment.as_microsecond()),
    };
    let parsed = parsed.filter(|us| (0..=9_999_999_999 * SECOND_US).contains(us));
    parsed.ok_or_else(|| {
        let text = short(&text);
        let ways = "write 2026-11-24T08:00:00+08:00, or UTC milliseconds";
        WebError::Parameter(format!("{name} {text:?} is no moment; {ways}"))
    })
}
