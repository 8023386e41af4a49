//! One stop as people see it: cause and reason as assigned, what lies in the span, and what was said about it.

use domain::line::chronicle::StopRecord;
use domain::line::stop::Stop;
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::revision::{Act, Part, Revision};

use super::{LossStopView, ReasonView, SaidView};
use crate::config::LineConfig;
use crate::web::api::stops::act_word;
use crate::web::api::window::WindowView;
use crate::web::view::TitleView;

/// What is needed to show one stop.
pub(super) struct Shower<'a> {
    pub(super) config: &'a LineConfig,
    pub(super) choices: &'a [ReasonView],
    pub(super) window: &'a WindowView,
    pub(super) record: &'a StopRecord,
    pub(super) limit_us: i64,
    pub(super) now_us: i64,
}

impl Shower<'_> {
    pub(super) fn stop(&self, part: &Part) -> LossStopView {
        let recorded: Vec<&Stop> =
            self.record.stops.iter().filter(|stop| part.of.contains(&stop.number)).collect();
        let first = recorded.first();
        let recorded_title = first.and_then(|stop| self.told(stop));
        let (reason, title) = match (part.reason.is_empty(), &recorded_title) {
            (false, _) => (part.reason.to_string(), self.title(&part.reason)),
            // What the machine told belongs to the cause that it told.
            (true, Some(title)) if first.is_some_and(|stop| stop.cause == part.cause) => {
                (title.en.clone(), Some(title.clone()))
            }
            (true, _) => (String::new(), None),
        };
        let (from_us, until_us) = (part.from.utc_us, part.to.map_or(self.now_us, |to| to.utc_us));
        let lasted_us = part.duration_us().unwrap_or((until_us - from_us).max(0));
        let (start_us, end_us) = self.window.us();
        let (cut_before, cut_after) = (from_us < start_us, until_us > end_us);
        let inside_us = match cut_before || cut_after {
            true => (until_us.min(end_us) - from_us.max(start_us)).max(0),
            false => lasted_us,
        };
        let short = part.cause.is_unplanned() && part.to.is_some() && lasted_us < self.limit_us;
        LossStopView {
            id: part.id.to_string(),
            from_ms: from_us / 1_000,
            to_ms: part.to.map(|to| to.utc_us / 1_000),
            lasted_ms: lasted_us / 1_000,
            inside_ms: inside_us / 1_000,
            cause: part.cause.word(),
            reason,
            title,
            recorded_cause: first.map_or(part.cause, |stop| stop.cause).word(),
            recorded_title,
            stations: first.map_or_else(Vec::new, |stop| stations(stop)),
            micro: short,
            cut_before,
            cut_after,
            revision: part.revision,
            said: self.said(part),
        }
    }

    /// What the map calls the reason that the machine told.
    fn told(&self, stop: &Stop) -> Option<TitleView> {
        self.config.stop_title(stop.reason?).map(TitleView::from)
    }

    fn title(&self, reason: &str) -> Option<TitleView> {
        let known = self.choices.iter().find(|choice| choice.reason == reason);
        known.map(|choice| choice.title.clone())
    }

    /// Revisions of the recorded stops that a part covers.
    fn said(&self, part: &Part) -> Vec<SaidView> {
        let touches =
            |revision: &&Revision| revision.act.parts().any(|named| part.of.contains(&named.stop));
        let said = |revision: &Revision| {
            let (cause, reason) = match &revision.act {
                Act::Assign { cause, reason, .. } => (cause.word(), reason.to_string()),
                _ => ("", String::new()),
            };
            SaidView {
                act: act_word(&revision.act),
                parts: revision.act.parts().map(|part| part.to_string()).collect(),
                after_ms: match &revision.act {
                    Act::Split { after_us, .. } => Some(after_us / 1_000),
                    _ => None,
                },
                number: revision.number,
                at_ms: revision.at_us / 1_000,
                by: revision.by.to_string(),
                why: revision.why.to_string(),
                cause,
                title: self.title(&reason),
                reason,
            }
        };
        self.record.revisions.iter().filter(touches).map(said).collect()
    }
}

fn stations(stop: &Stop) -> Vec<String> {
    match &stop.key {
        KeyCause::None => Vec::new(),
        KeyCause::Station(station) => vec![station.to_string()],
        KeyCause::Undecided(stations) => {
            stations.iter().map(|station| station.to_string()).collect()
        }
    }
}
