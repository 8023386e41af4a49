//! A chart as it stood at a past moment: limits that were there, incidents as far as they had come, no point after it.
//!
//! Minutes are those of the record as it is now: a correction that came later is in them.

use domain::quality::limits::Limits;
use domain::quality::record::StoredIncident;
use domain::quality::signal::Incident;

/// Versions as they stood at a moment: those made later are not there, and what was decided later is open.
pub(super) fn limits_at(versions: Vec<Limits>, at_us: i64) -> Vec<Limits> {
    let then = |limits: Limits| {
        let decision = limits.decision.clone().filter(|decision| decision.at_us <= at_us);
        Limits { decision, ..limits }
    };
    versions.into_iter().filter(|limits| limits.made_us <= at_us).map(then).collect()
}

/// Incidents as they stood at a moment. `found` are those that the minutes until then give: of an incident that went on,
/// only they can tell how far it had come. One that began before them and had not ended is left out.
pub(super) fn incidents_at(
    stored: Vec<StoredIncident>,
    found: &[Incident],
    length_us: i64,
    at_us: i64,
) -> Vec<StoredIncident> {
    let then = |mut stored: StoredIncident| {
        let incident = &stored.incident;
        let same = |other: &&Incident| {
            (other.opened_us, other.version) == (incident.opened_us, incident.version)
        };
        match found.iter().find(same) {
            Some(found) => stored.incident = found.clone(),
            // Its last signal was seen by then, and the subgroup after it had shown that it is over.
            None if incident.over && incident.last_us + 2 * length_us <= at_us => {}
            None => return None,
        }
        stored.work.retain(|work| work.at_us <= at_us);
        Some(stored)
    };
    let begun = stored.into_iter().filter(|stored| stored.incident.opened_us + length_us <= at_us);
    begun.filter_map(then).collect()
}
