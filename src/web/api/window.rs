//! Spans that people ask for by name: this shift, the one before, the last day, the last week.

use domain::line::calendar::Shift;
use domain::units::HOUR_US;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::config::LineConfig;
use crate::web::error::WebError;

/// Which span.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WindowChoice {
    /// `shift` (default), `previous`, `day` or `week`.
    window: Option<String>,
}

/// A span as resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WindowView {
    /// What was asked for.
    pub(crate) window: &'static str,
    /// Name of the shift; empty for a day or a week.
    pub(crate) name: String,
    /// Start, UTC milliseconds.
    pub(crate) from_ms: i64,
    /// End, UTC milliseconds: never later than now.
    pub(crate) to_ms: i64,
    /// Whether it is going on.
    pub(crate) open: bool,
}

const WORDS: [&str; 4] = ["shift", "previous", "day", "week"];

impl WindowChoice {
    /// A span as named elsewhere than in a query.
    pub(crate) fn named(window: Option<String>) -> WindowChoice {
        WindowChoice { window }
    }

    /// The span that is meant now. Between shifts the last hours stand for the present shift.
    pub(crate) fn resolve(&self, config: &LineConfig, now_us: i64) -> Result<WindowView, WebError> {
        let word = self.window.as_deref().unwrap_or("shift");
        let Some(window) = WORDS.into_iter().find(|known| *known == word) else {
            return Err(WebError::unknown("window", word, &WORDS.join(", ")));
        };
        let last = |hours: i64| ("".into(), now_us - hours * HOUR_US, now_us);
        let of = |shift: Shift| (shift.name, shift.start_us, shift.end_us);
        let present = config.calendar.shift_at(now_us);
        let (name, from_us, to_us) = match window {
            "shift" => present.map_or_else(|| last(8), of),
            "previous" => before(config, now_us).map_or_else(|| last(8), of),
            "day" => last(24),
            _ => last(7 * 24),
        };
        Ok(WindowView {
            window,
            name: name.to_string(),
            from_ms: from_us / 1_000,
            to_ms: to_us.min(now_us) / 1_000,
            open: to_us >= now_us,
        })
    }
}

impl WindowView {
    /// Start and end in microseconds.
    pub(crate) fn us(&self) -> (i64, i64) {
        (self.from_ms * 1_000, self.to_ms * 1_000)
    }

    /// The span that it is compared with: the shift before a shift, the same length before a day or a week.
    pub(crate) fn before(&self, config: &LineConfig) -> WindowView {
        let (from_us, to_us) = self.us();
        let shift = match self.window {
            "shift" | "previous" => before(config, from_us),
            _ => None,
        };
        let (name, from_us, to_us) = match shift {
            Some(shift) => (shift.name, shift.start_us, shift.end_us),
            None => ("".into(), from_us - (to_us - from_us), from_us),
        };
        WindowView {
            window: "before",
            name: name.to_string(),
            from_ms: from_us / 1_000,
            to_ms: to_us / 1_000,
            open: false,
        }
    }
}

/// The last shift that had ended at `utc_us` or at the start of the shift that goes on then.
fn before(config: &LineConfig, utc_us: i64) -> Option<Shift> {
    let start_us = config.calendar.shift_at(utc_us).map_or(utc_us, |shift| shift.start_us);
    // A day and an hour back is behind any pause between shifts; quarters of an hour miss no shift.
    (1..100).find_map(|quarter| config.calendar.shift_at(start_us - quarter * HOUR_US / 4))
}
