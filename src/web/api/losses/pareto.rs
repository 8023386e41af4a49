//! Lost time ranked: by reason and how long it took, by reason and how often it came, or by machine.

use std::collections::HashMap;

use domain::spc::pareto::{ParetoRow, pareto};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::LossStopView;
use crate::web::error::WebError;
use crate::web::view::TitleView;

/// How losses are ranked.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Ranking {
    /// `time` (default) and `count` rank reasons by how long and how often, `station` ranks machines by how long.
    by: Option<String>,
}

/// What ranks losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Time,
    Count,
    Station,
}

const WORDS: [(&str, By); 3] = [("time", By::Time), ("count", By::Count), ("station", By::Station)];

impl Ranking {
    pub(super) fn resolve(&self) -> Result<By, WebError> {
        let word = self.by.as_deref().unwrap_or("time");
        let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, by)| *by);
        known.ok_or_else(|| {
            WebError::unknown("ranking", word, &WORDS.map(|(word, _)| word).join(", "))
        })
    }
}

/// Time lost for one reason, or at one machine.
#[derive(Serialize, ToSchema)]
pub(crate) struct LossView {
    /// Cause; `micro` for short stops without a reason; empty for a machine.
    pub(crate) cause: &'static str,
    /// Reason; empty where nobody said any.
    pub(crate) reason: String,
    /// The same in both languages, where it is a known one.
    pub(crate) title: Option<TitleView>,
    /// Machine, or several where that is undecided; empty where none is known, and for a reason.
    pub(crate) station: String,
    /// How many stops.
    pub(crate) n: u64,
    /// Which, by their ids.
    pub(crate) stops: Vec<String>,
    /// Lost time within the span, milliseconds.
    pub(crate) ms: i64,
    /// Part of what is ranked, lost time or stops, percent.
    pub(crate) share_percent: Option<f64>,
    /// The same with all rows above.
    pub(crate) cumulative_percent: Option<f64>,
}

impl LossView {
    /// A loss of one stop.
    fn of(stop: &LossStopView, by: By) -> LossView {
        let micro = stop.micro && stop.reason.is_empty();
        let (cause, reason, title) = match by {
            By::Station => ("", String::new(), None),
            _ if micro => ("micro", String::new(), None),
            _ => (stop.cause, stop.reason.clone(), stop.title.clone()),
        };
        LossView {
            cause,
            reason,
            title,
            station: if by == By::Station { stop.stations.join(" / ") } else { String::new() },
            n: 1,
            stops: vec![stop.id.clone()],
            ms: stop.inside_ms,
            share_percent: None,
            cumulative_percent: None,
        }
    }
}

/// Lost time, the most first. Short stops without a reason are one loss; what was not seen is none.
pub(super) fn losses_of(stops: &[LossStopView], by: By) -> Vec<LossView> {
    let mut sums: HashMap<String, LossView> = HashMap::new();
    for stop in stops.iter().filter(|stop| !stop.is_unseen()) {
        let loss = LossView::of(stop, by);
        let key = format!("{}\u{1}{}\u{1}{}", loss.cause, loss.reason, loss.station);
        match sums.get_mut(&key) {
            Some(sum) => {
                (sum.n, sum.ms) = (sum.n + loss.n, sum.ms + loss.ms);
                sum.stops.extend(loss.stops);
            }
            None => drop(sums.insert(key, loss)),
        }
    }
    let weight = |loss: &LossView| match by {
        By::Count => loss.n,
        By::Time | By::Station => loss.ms.max(0).unsigned_abs(),
    };
    let weights: Vec<_> = sums.iter().map(|(key, loss)| (key.clone(), weight(loss))).collect();
    let percent = |share: Option<f64>| share.map(|share| (share * 1_000.0).round() / 10.0);
    let ranked = pareto(weights);
    let mut loss = |rank: &ParetoRow| {
        let loss = sums.remove(&rank.reason)?;
        let (share, cumulative) = (percent(rank.share), percent(rank.cumulative));
        Some(LossView { share_percent: share, cumulative_percent: cumulative, ..loss })
    };
    ranked.iter().filter_map(&mut loss).collect()
}
