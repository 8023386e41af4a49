//! What is the case now, as far as alerts go: from the status of the lines, the store, the plant database and the calls.

use domain::alert::{Condition, Fact, Facts};
use domain::line::call::Call;
use domain::line::state::TimeClass;
use domain::line::status::LineStatus;
use domain::quality::record::StoredIncident;
use domain::quality::signal::{Incident, Level};
use domain::units::{LineId, Moment};

use crate::config::LineConfig;
use crate::historian::forward::{ForwardState, ForwardStats};
use crate::historian::{Rung, StoreStats};
use crate::web::view::STALE_MS;

/// The state of a line. A stop counts by the time in which the line should have run; in a break and between shifts nobody
/// waits for it, so that it neither begins nor ends anything.
pub(super) fn of_state(
    line: &LineConfig,
    status: Option<&LineStatus>,
    (now, speed): (Moment, f64),
    facts: &mut Facts,
) {
    let stale_us = (STALE_MS as f64 * 1_000.0 * speed) as i64;
    let current = status.filter(|status| now.mono_us - status.at.mono_us <= stale_us);
    let fact = |condition, held_us: i64, detail: String| Fact {
        condition,
        line: Some(line.id.clone()),
        subject: line.id.as_str().into(),
        held_us,
        detail: detail.into(),
    };
    let Some(status) = current else {
        facts.held.push(fact(Condition::Unknown, 0, "the line does not report".to_owned()));
        facts.blind.push((Condition::Stopped, Some(line.id.clone())));
        return;
    };
    let state = &status.state;
    let held_us = (now.mono_us - state.since_mono_us).max(0);
    match state.class {
        TimeClass::Unknown => {
            let detail =
                format!("{} is unknown, before {}", state.station, state.last_known.word());
            facts.held.push(fact(Condition::Unknown, held_us, detail));
            facts.blind.push((Condition::Stopped, Some(line.id.clone())));
        }
        TimeClass::Internal | TimeClass::External | TimeClass::Idle => {
            if line.calendar.planned(now.utc_us).0 {
                facts.blind.push((Condition::Stopped, Some(line.id.clone())));
                return;
            }
            let planned_us = line.calendar.planned_us(now.utc_us - held_us, now.utc_us);
            let why = match (&state.stop_title, state.stop_reason) {
                (Some(title), _) => format!(": {}", title.en),
                (None, Some(code)) => format!(": code {code}"),
                (None, None) => String::new(),
            };
            let detail = format!("{} is {}{why}", state.station, state.state.word());
            facts.held.push(fact(Condition::Stopped, (held_us - planned_us).max(0), detail));
        }
        TimeClass::Run | TimeClass::Planned => {}
    }
}

/// Charts that ask somebody to look now.
pub(super) fn of_charts(line: &LineId, incidents: &[StoredIncident], facts: &mut Facts) {
    let pages = |incident: &&Incident| !incident.over && incident.level == Level::Page;
    for incident in incidents.iter().map(|stored| &stored.incident).filter(pages) {
        let rules: Vec<String> = incident
            .rules
            .iter()
            .chain(incident.companion.iter())
            .map(|rule| rule.name().into())
            .collect();
        facts.held.push(Fact {
            condition: Condition::SpcPage,
            line: Some(line.clone()),
            subject: format!("{line} {}", incident.characteristic).into(),
            held_us: 0,
            detail: format!(
                "{}: {} by limits v{}",
                incident.characteristic,
                rules.join(", "),
                incident.version
            )
            .into(),
        });
    }
}

/// The journal.
pub(super) fn of_store(stats: &StoreStats, facts: &mut Facts) {
    let detail = match (&stats.last_error, stats.room.rung()) {
        (Some(error), _) => format!("the journal refuses to store: {error}"),
        (None, Rung::Plenty) => return,
        (None, _) => {
            let mb = |bytes: u64| bytes / 1_000_000;
            format!("{} MB free of {} MB", mb(stats.room.free), mb(stats.room.of))
        }
    };
    facts.held.push(of_the_service(Condition::Disk, "store", detail));
}

/// The plant database.
pub(super) fn of_database(stats: &ForwardStats, facts: &mut Facts) {
    let backlog: u64 = stats.streams.iter().map(|stream| stream.backlog).sum();
    let detail = match stats.state {
        ForwardState::Stopped => return,
        ForwardState::Forwarding if backlog == 0 => return,
        ForwardState::Forwarding => format!("{backlog} changes of an outage wait"),
        ForwardState::Connecting | ForwardState::Waiting | ForwardState::Refused => {
            let trouble = stats.trouble.as_deref().unwrap_or("not connected yet");
            format!("{}: {trouble}", stats.state.word())
        }
    };
    facts.held.push(of_the_service(Condition::Database, "plant database", detail));
}

/// Calls that nobody has taken, with how long they have waited.
pub(super) fn of_calls(line: &LineId, calls: &[(Call, i64)], facts: &mut Facts) {
    for (call, waited_us) in calls.iter().filter(|(call, _)| call.taken.is_none()) {
        let place = call.station.as_ref().map_or(line.as_str(), |station| station.as_str());
        let by = match &*call.opened.by {
            "" => String::new(),
            by => format!(", called by {by}"),
        };
        facts.held.push(Fact {
            condition: Condition::Call,
            line: Some(line.clone()),
            subject: format!("{line} call {}", call.number).into(),
            held_us: *waited_us,
            detail: format!("{} at {place} was not taken{by}", call.need.word()).into(),
        });
    }
}

fn of_the_service(condition: Condition, subject: &str, detail: String) -> Fact {
    Fact { condition, line: None, subject: subject.into(), held_us: 0, detail: detail.into() }
}
