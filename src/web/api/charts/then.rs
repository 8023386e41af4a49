//! A chart as it stood at a past moment: limits that were there, incidents as far as they had come, no point after it.
//!
//! Minutes are those of the record as it is now: a correction that came later is in them.

use domain::quality::limits::Limits;
use domain::quality::record::StoredIncident;
use domain::quality::signal::Incident;

/// Versions as they stood at a moment: those made later are not there, and what was decided later is open.
pub(crate) fn limits_at(versions: Vec<Limits>, at_us: i64) -> Vec<Limits> {
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

#[cfg(test)]
mod tests {
    use domain::quality::characteristic::ChartKind;
    use domain::quality::limits::{Baseline, Decision, Evidence, LimitsLaw, Verdict};
    use domain::quality::record::{Work, WorkKind};
    use domain::quality::signal::Level;
    use domain::spc::rules::Hits;
    use domain::units::MINUTE_US;

    use super::*;

    const LENGTH_US: i64 = 15 * MINUTE_US;

    fn stored(opened: i64, last: i64, over: bool) -> StoredIncident {
        let work = |at_us| Work {
            at_us,
            author: "Li Wei".to_owned(),
            kind: WorkKind::Acknowledge,
            text: String::new(),
        };
        StoredIncident {
            id: 1,
            incident: Incident {
                characteristic: "reject_fraction".into(),
                version: 3,
                opened_us: opened * LENGTH_US,
                last_us: last * LENGTH_US,
                rules: Hits::default(),
                companion: Hits::default(),
                n_points: (last - opened + 1) as u32,
                level: Level::Notice,
                over,
            },
            work: vec![work(4 * LENGTH_US), work(20 * LENGTH_US)],
        }
    }

    #[test]
    fn an_incident_is_told_as_far_as_it_had_come() {
        let found = Incident { n_points: 2, over: false, ..stored(3, 4, false).incident };
        let whole = stored(3, 9, true);
        let then = incidents_at(
            vec![whole.clone()],
            std::slice::from_ref(&found),
            LENGTH_US,
            6 * LENGTH_US,
        );
        assert_eq!((then[0].incident.n_points, then[0].incident.over), (2, false));
        assert_eq!(then[0].work.len(), 1, "what was done later is not known yet");
        // Before its first subgroup was over nobody knew of it.
        assert!(incidents_at(vec![whole.clone()], &[], LENGTH_US, 4 * LENGTH_US - 1).is_empty());
        // Of one that went on and is not among the minutes that were read, nobody can tell how far it had come.
        assert!(incidents_at(vec![whole.clone()], &[], LENGTH_US, 6 * LENGTH_US).is_empty());
        let ended = incidents_at(vec![whole], &[], LENGTH_US, 12 * LENGTH_US);
        assert_eq!((ended[0].incident.n_points, ended[0].incident.over), (7, true));
    }

    #[test]
    fn what_was_decided_later_is_open() {
        let limits = Limits {
            version: 1,
            characteristic: "reject_fraction".into(),
            kind: ChartKind::PPrime,
            subgroup_minutes: 15,
            law: LimitsLaw::Rate { center: 0.004, sigma_z: 1.1 },
            ewma_l: 2.7,
            arl0: None,
            rules: Vec::new(),
            baseline: Baseline::default(),
            evidence: Evidence::default(),
            author: "capline".to_owned(),
            reason: "first".to_owned(),
            made_us: 0,
            decision: None,
        };
        let decision = |at_us| Decision {
            verdict: Verdict::Approved,
            by: "QA".to_owned(),
            reason: "studied".to_owned(),
            at_us,
        };
        let version = |version, made_us, decided_us| Limits {
            version,
            made_us,
            decision: Some(decision(decided_us)),
            ..limits.clone()
        };
        let all = vec![version(1, 10, 20), version(2, 30, 60), version(3, 70, 80)];
        let then = limits_at(all, 50);
        let told: Vec<_> = then.iter().map(|l| (l.version, l.decision.is_some())).collect();
        assert_eq!(told, [(1, true), (2, false)]);
        assert!(!then[1].judges_at(i64::MAX), "it did not judge then");
    }
}
