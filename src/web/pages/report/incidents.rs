//! Signals of the period as work: what was noticed, who has it, its cause, and what was done.

use domain::quality::characteristic::Characteristic;
use domain::quality::record::{StoredIncident, Work, WorkKind};
use domain::units::HOUR_US;
use maud::{Markup, html};

use super::paper::Sheet;
use super::tables::head;
use crate::web::i18n::{Key, Lang};
use crate::web::pages::spc::name;
use crate::web::pages::words::day_hm;

/// How long before a period a signal may have begun that went on in it and is over.
pub(super) const BEFORE_US: i64 = 31 * 24 * HOUR_US;
/// Signals listed on paper. The file that is kept has all.
const LISTED: usize = 40;

/// Those that began in a period, or before and went on in it; oldest first.
pub(super) fn of_period(
    stored: Vec<StoredIncident>,
    (from_us, to_us): (i64, i64),
) -> Vec<StoredIncident> {
    let lies_in = |stored: &StoredIncident| {
        let incident = &stored.incident;
        incident.opened_us < to_us && (incident.last_us >= from_us || !incident.over)
    };
    let mut found: Vec<_> = stored.into_iter().filter(lies_in).collect();
    found.sort_by_key(|stored| (stored.incident.opened_us, stored.id));
    found
}

/// What was said of a kind, oldest first.
fn said(stored: &StoredIncident, kind: WorkKind) -> String {
    let of = stored.work.iter().filter(|work| work.kind == kind);
    of.map(|work| work.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// Who has it: the last one named.
fn owner(stored: &StoredIncident) -> &str {
    let named = |work: &&Work| work.kind == WorkKind::Owner;
    stored.work.iter().rev().find(named).map_or("–", |work| work.text.as_str())
}

/// The rules that it completed: their names, and what each of them says.
fn rules(lang: Lang, stored: &StoredIncident) -> String {
    let incident = &stored.incident;
    let all = incident.rules.iter().chain(incident.companion.iter()).map(|rule| rule.name());
    all.map(|rule| format!("{rule} {}", lang.say_word("rule", rule))).collect::<Vec<_>>().join("; ")
}

impl Sheet<'_> {
    /// The table of the signals of the period.
    pub(super) fn incidents(&self) -> Markup {
        let (lang, all) = (self.lang, &self.facts.incidents);
        let chart = |id: &str| {
            let found = |one: &&Characteristic| *one.id == *id;
            let known = self.config.characteristics.iter().find(found);
            known.map_or_else(|| id.to_owned(), |one| name(lang, one))
        };
        let words = |text: String| if text.is_empty() { "–".to_owned() } else { text };
        let shown = all.len().min(self.listed(LISTED));
        let has = |stored: &StoredIncident, kind| stored.work.iter().any(|work| work.kind == kind);
        html! {
            section aria-labelledby="incidents" {
                h2 #incidents { (lang.mark(Key::SpcSignals)) " · " (all.len()) }
                @if all.is_empty() { p { (lang.mark(Key::IncidentsNone)) } } @else {
                    table.rows.incidents {
                        (head(lang, &[Key::Time, Key::SpcCharacteristic, Key::IncidentSignal, Key::IncidentOwner, Key::IncidentCause, Key::IncidentAction, Key::Status]))
                        tbody {
                            // What goes on stands there whatever has to be left out.
                            @for stored in listed(all, shown) {
                                @let incident = &stored.incident;
                                tr {
                                    th scope="row" { (day_hm(self.zone, incident.opened_us)) }
                                    td.text { (chart(&incident.characteristic)) " v" (incident.version) }
                                    td.text { (rules(lang, stored)) " (" (incident.n_points) "×)" }
                                    td.text { (owner(stored)) }
                                    td.text { (words(said(stored, WorkKind::Cause))) }
                                    td.text { (words(said(stored, WorkKind::Action))) }
                                    td.text {
                                        @if incident.over { (lang.mark(Key::SpcOver)) } @else { b { "■ " (lang.mark(Key::SpcOpen)) } }
                                        ", "
                                        (lang.mark(if has(stored, WorkKind::Acknowledge) { Key::SpcAcknowledged } else { Key::SpcUnacknowledged }))
                                    }
                                }
                            }
                        }
                    }
                    @if shown < all.len() { p.small { (lang.say(Key::MoreIncidents).replace("{n}", &(all.len() - shown).to_string())) } }
                }
            }
        }
    }
}

/// So many of them, oldest first: those that go on before those that are over, and of each the newest.
fn listed(all: &[StoredIncident], n: usize) -> Vec<&StoredIncident> {
    let mut chosen: Vec<&StoredIncident> = all.iter().collect();
    chosen
        .sort_by_key(|stored| (stored.incident.over, std::cmp::Reverse(stored.incident.opened_us)));
    chosen.truncate(n);
    chosen.sort_by_key(|stored| (stored.incident.opened_us, stored.id));
    chosen
}

#[cfg(test)]
mod tests {
    use domain::quality::signal::{Incident, Level};
    use domain::spc::rules::Hits;

    use super::*;

    fn incident(id: i64, opened_us: i64, last_us: i64, over: bool) -> StoredIncident {
        StoredIncident {
            id,
            incident: Incident {
                characteristic: "speed".into(),
                version: 1,
                opened_us,
                last_us,
                rules: Hits::default(),
                companion: Hits::default(),
                n_points: 1,
                level: Level::Notice,
                over,
            },
            work: Vec::new(),
        }
    }

    #[test]
    fn signals_of_a_period_began_or_went_on_in_it() {
        let all = vec![
            incident(5, 100, 120, true),
            incident(4, 60, 70, false),
            incident(3, 40, 55, true),
            incident(2, 20, 30, true),
            incident(1, 10, 15, false),
        ];
        let ids = |found: &[StoredIncident]| found.iter().map(|s| s.id).collect::<Vec<_>>();
        // What ended before and what begins afterwards is of other reports; what is open is of this one too.
        assert_eq!(ids(&of_period(all.clone(), (50, 100))), [1, 3, 4]);
        let few = listed(&all, 3);
        assert_eq!(few.iter().map(|stored| stored.id).collect::<Vec<_>>(), [1, 4, 5]);
    }
}
