//! The hash of the figures of a report: whoever has two sheets can tell whether they say the same.

use domain::digest::sha256;
use domain::line::event::Event;
use domain::line::report::GapNote;
use domain::quality::record::{StoredIncident, Work};
use serde_json::{Value, json};

use super::gather::Facts;
use crate::config::LineConfig;
use crate::web::api::periods::{BatchView, PeriodView};
use crate::web::view::EventView;

impl Facts {
    /// SHA-256 of all figures, as hexadecimal.
    pub(super) fn hash(&self, config: &LineConfig) -> String {
        sha256(self.figures(config).to_string())
    }

    fn figures(&self, config: &LineConfig) -> Value {
        let period = || PeriodView::of(&self.period, config, self.span.1);
        // A better translation must not look like other data.
        let told = |event: &Event| EventView {
            detail_zh: String::new(),
            lasted_ms: None,
            ..EventView::of(event)
        };
        let note = |note: &GapNote| [note.gap.to_string(), note.author.clone(), note.text.clone()];
        let hours = self.hours.iter().map(|hour| PeriodView::of(hour, config, self.span.1));
        let gaps = self.gaps.iter().map(|(_, event)| event).chain(&self.alarms);
        let mut figures = json!({
            "line": config.id.as_str(),
            "period": period(),
            "balance": BatchView::of(period(), &self.period, config),
            "hours": hours.collect::<Vec<_>>(),
            "stops": self.losses.stops,
            "rejects": self.rejects.rows,
            "gaps": gaps.map(told).collect::<Vec<_>>(),
            "notes": self.notes.iter().chain(&self.handover).map(note).collect::<Vec<_>>(),
            "limits": self.limits,
            "compared": self.compared,
        });
        // Whether a signal still goes on changes by itself and is no figure of the period. Reports of periods in which nobody
        // did anything about one keep their hash.
        let worked = self.incidents.iter().filter(|stored| !stored.work.is_empty());
        let worked: Vec<Value> = worked.map(work).collect();
        if !worked.is_empty() {
            figures["work"] = Value::Array(worked);
        }
        figures
    }
}

/// What people did about a signal.
fn work(stored: &StoredIncident) -> Value {
    let done = |work: &Work| json!([work.at_us, work.author, work.kind.word(), work.text]);
    json!({
        "characteristic": *stored.incident.characteristic,
        "opened_us": stored.incident.opened_us,
        "done": stored.work.iter().map(done).collect::<Vec<_>>(),
    })
}
