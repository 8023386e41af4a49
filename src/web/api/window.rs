//! Spans that people ask for by name: this shift, the one before, the last day, the last week, a stored batch or shift.

use domain::line::calendar::Shift;
use domain::line::rollup::{PeriodKind, Rollup};
use domain::units::HOUR_US;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::read;
use crate::config::LineConfig;
use crate::web::App;
use crate::web::error::WebError;

/// How far back a period is sought by its name.
const SEARCH_US: i64 = 31 * 24 * HOUR_US;

/// How many batches are offered to choose from.
const BATCHES_OFFERED: usize = 8;

/// Which span.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WindowChoice {
    /// `shift` (default), `previous`, `day` or `week`; or a stored period as `batch:` or `shift:` with its start in UTC
    /// milliseconds or its name, of which the newest of the last month is taken.
    window: Option<String>,
}

/// A span as resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WindowView {
    /// What was asked for.
    pub(crate) window: &'static str,
    /// Name of the shift or the batch; empty for a day or a week.
    pub(crate) name: String,
    /// Whether the name is that of a batch.
    pub(crate) batch: bool,
    /// Start, UTC milliseconds.
    pub(crate) from_ms: i64,
    /// End, UTC milliseconds: never later than now.
    pub(crate) to_ms: i64,
    /// Whether it is going on.
    pub(crate) open: bool,
    /// The stored period that it is, where it was asked for as one: its counts are exact where those of clock hours are not.
    #[serde(skip)]
    pub(crate) period: Option<Box<Rollup>>,
}

const WORDS: [&str; 4] = ["shift", "previous", "day", "week"];

impl WindowChoice {
    /// A span as named elsewhere than in a query.
    pub(crate) fn named(window: Option<String>) -> WindowChoice {
        WindowChoice { window }
    }

    /// The span that is meant now.
    ///
    /// # Errors
    /// A word that names no span, a period of which nothing is stored, or a record that cannot be read.
    pub(crate) async fn resolve(
        &self,
        app: &App,
        config: &LineConfig,
        now_us: i64,
    ) -> Result<WindowView, WebError> {
        let word = self.window.as_deref().unwrap_or("shift");
        let of =
            |kind: PeriodKind| Some((kind, word.strip_prefix(kind.word())?.strip_prefix(':')?));
        match [PeriodKind::Batch, PeriodKind::Shift].into_iter().find_map(of) {
            Some((kind, named)) => {
                let period = stored(app, config, kind, (named, now_us)).await?;
                Ok(WindowView::of_period(kind.word(), period, now_us))
            }
            None => now(word, config, now_us),
        }
    }
}

/// The span of that word. Between shifts the last hours stand for the present shift.
fn now(word: &str, config: &LineConfig, now_us: i64) -> Result<WindowView, WebError> {
    let Some(window) = WORDS.into_iter().find(|known| *known == word) else {
        let known = format!("{}, batch:…, shift:…", WORDS.join(", "));
        return Err(WebError::unknown("window", word, &known));
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
        batch: false,
        from_ms: from_us / 1_000,
        to_ms: to_us.min(now_us) / 1_000,
        open: to_us >= now_us,
        period: None,
    })
}

/// The stored period of that start or that name which had begun by then.
async fn stored(
    app: &App,
    config: &LineConfig,
    kind: PeriodKind,
    (named, now_us): (&str, i64),
) -> Result<Rollup, WebError> {
    let start_us = named.parse::<i64>().ok().and_then(|ms| ms.checked_mul(1_000));
    let start_us = start_us.filter(|us| (0..now_us).contains(us));
    let (id, name) = (config.id.clone(), named.to_owned());
    let found = read(app, move |history| {
        if let Some(us) = start_us {
            let begun = history.rollups(&id, kind, us, us + 1_000)?;
            let begins = |period: &Rollup| period.start_us.div_euclid(1_000) == us / 1_000;
            if let Some(period) = begun.into_iter().find(begins) {
                return Ok(Some(period));
            }
        }
        let recent = history.rollups(&id, kind, now_us - SEARCH_US, now_us)?;
        Ok(recent.into_iter().rfind(|period| *period.name == *name && period.start_us < now_us))
    });
    found.await?.ok_or(WebError::NoPeriod)
}

/// The newest batches that had begun by then, newest first.
///
/// # Errors
/// A record that cannot be read.
pub(crate) async fn recent_batches(
    app: &App,
    config: &LineConfig,
    now_us: i64,
) -> Result<Vec<Rollup>, WebError> {
    let id = config.id.clone();
    let since_us = now_us - SEARCH_US;
    let found = read(app, move |history| history.rollups(&id, PeriodKind::Batch, since_us, now_us));
    let mut batches = found.await?;
    batches.retain(|batch| batch.start_us < now_us);
    Ok(batches.into_iter().rev().take(BATCHES_OFFERED).collect())
}

impl WindowView {
    /// Start and end in microseconds.
    pub(crate) fn us(&self) -> (i64, i64) {
        (self.from_ms * 1_000, self.to_ms * 1_000)
    }

    /// A stored period, as far as it has passed.
    fn of_period(window: &'static str, period: Rollup, now_us: i64) -> WindowView {
        let to_us = period.end_us.unwrap_or(now_us);
        WindowView {
            window,
            name: period.name.to_string(),
            batch: period.kind == PeriodKind::Batch,
            from_ms: period.start_us / 1_000,
            to_ms: to_us.min(now_us) / 1_000,
            open: to_us >= now_us,
            period: Some(Box::new(period)),
        }
    }

    /// Its stored period, unless that has counted what came after a past moment, as of which it is shown.
    pub(crate) fn whole(&self, past: bool) -> Option<&Rollup> {
        self.period.as_deref().filter(|_| !past || !self.open)
    }

    /// The word by which it is asked for again.
    pub(crate) fn word(&self) -> String {
        match self.period {
            Some(_) => format!("{}:{}", self.window, self.from_ms),
            None => self.window.to_owned(),
        }
    }

    /// The span that it is compared with: the shift before a shift, the batch before a batch, the same length before
    /// anything else.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub(crate) async fn before(
        &self,
        app: &App,
        config: &LineConfig,
    ) -> Result<WindowView, WebError> {
        let (from_us, to_us) = self.us();
        if self.batch
            && let Some(batch) = recent_batches(app, config, from_us).await?.into_iter().next()
        {
            return Ok(WindowView {
                open: false,
                ..WindowView::of_period("before", batch, from_us)
            });
        }
        let shift = match self.window {
            "shift" | "previous" => before(config, from_us),
            _ => None,
        };
        let (name, from_us, to_us) = match shift {
            Some(shift) => (shift.name, shift.start_us, shift.end_us),
            None => ("".into(), from_us - (to_us - from_us), from_us),
        };
        Ok(WindowView {
            window: "before",
            name: name.to_string(),
            batch: false,
            from_ms: from_us / 1_000,
            to_ms: to_us / 1_000,
            open: false,
            period: None,
        })
    }
}

/// The last shift that had ended at `utc_us` or at the start of the shift that goes on then.
fn before(config: &LineConfig, utc_us: i64) -> Option<Shift> {
    let start_us = config.calendar.shift_at(utc_us).map_or(utc_us, |shift| shift.start_us);
    // A day and an hour back is behind any pause between shifts; quarters of an hour miss no shift.
    (1..100).find_map(|quarter| config.calendar.shift_at(start_us - quarter * HOUR_US / 4))
}
