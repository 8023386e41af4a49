//! What is the case now, as far as alerts go: from the status of the lines, the store, the plant database and the calls.

use domain::alert::{Condition, Fact, Facts};
use domain::line::call::Call;
use domain::line::state::TimeClass;
use domain::line::status::{LineStatus, StateStatus};
use domain::quality::record::StoredIncident;
use domain::quality::signal::{Incident, Level};
use domain::units::{LineId, Moment};

use crate::config::LineConfig;
use crate::historian::forward::{ForwardState, ForwardStats};
use crate::historian::{Rung, StoreStats};
use crate::web::view::STALE_MS;

/// The state of a line while its status is current.
pub(super) fn current(status: &LineStatus, (now, speed): (Moment, f64)) -> Option<&StateStatus> {
    let stale_us = (STALE_MS as f64 * 1_000.0 * speed) as i64;
    (now.mono_us - status.at.mono_us <= stale_us).then_some(&status.state)
}

/// The state of a line, none where it does not report. A stop counts by the time in which the line should have run; in a
/// break and between shifts nobody waits for it, so that it neither begins nor ends anything.
///
/// `watched_us` is how long the alerts have been watched. A line is unknown at every start, until it was read once, and its
/// state is then still the one of the journal, with its beginning: nobody could have read it before.
pub(super) fn of_state(
    line: &LineConfig,
    state: Option<&StateStatus>,
    (now, watched_us): (Moment, i64),
    facts: &mut Facts,
) {
    let fact = |condition, held_us: i64, detail: String| Fact {
        condition,
        line: Some(line.id.clone()),
        subject: line.id.as_str().into(),
        held_us,
        detail: detail.into(),
    };
    let Some(state) = state else {
        facts.held.push(fact(Condition::Unknown, 0, "the line does not report".to_owned()));
        facts.blind.push((Condition::Stopped, Some(line.id.clone())));
        return;
    };
    let held_us = (now.mono_us - state.since_mono_us).max(0);
    match state.class {
        TimeClass::Unknown => {
            let detail =
                format!("{} is unknown, before {}", state.station, state.last_known.word());
            facts.held.push(fact(Condition::Unknown, held_us.min(watched_us), detail));
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::line::call::{Done, Need};
    use domain::line::state::State;
    use domain::units::{MINUTE_US, StationId};

    use super::*;
    use crate::config::Config;
    use crate::historian::Room;
    use crate::historian::forward::StreamStats;

    /// A line in shifts around the clock, with a break from 12:00 to 12:30 of the plant's day.
    fn line() -> LineConfig {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(root.join("config/demo.toml")).unwrap();
        let pause = "[[line.break]]\nname = \"lunch\"\nstart = \"12:00\"\nend = \"12:30\"\n\n";
        let at = text.find("[[line.characteristic]]").unwrap();
        let text = format!("{}{pause}{}", &text[..at], &text[at..]);
        let read = |map: &Path| std::fs::read_to_string(map);
        let config = Config::parse("demo.toml", &text, &root.join("config"), &read);
        config.unwrap_or_else(|error| panic!("{error}")).lines.remove(0)
    }

    /// Minutes after 11:00 in Shanghai on 2026-11-24.
    fn at(minutes: i64) -> Moment {
        let utc_us = 1_795_489_200_000_000 + minutes * MINUTE_US;
        Moment { utc_us, mono_us: (1_000 + minutes) * MINUTE_US }
    }

    fn state(state: State, since: i64) -> StateStatus {
        StateStatus {
            state,
            class: state.time_class(),
            last_known: State::Execute,
            since_us: at(since).utc_us,
            since_mono_us: at(since).mono_us,
            raw: None,
            stop_reason: Some(7),
            stop_title: None,
            station: StationId::new("CF01"),
        }
    }

    fn facts(status: Option<StateStatus>, minutes: i64) -> Facts {
        watched(status, minutes, i64::MAX)
    }

    fn watched(status: Option<StateStatus>, minutes: i64, watched_us: i64) -> Facts {
        let mut facts = Facts::default();
        of_state(&line(), status.as_ref(), (at(minutes), watched_us), &mut facts);
        facts
    }

    #[test]
    fn a_stop_is_one_only_while_the_line_should_run() {
        for stands in [State::Held, State::Suspended, State::Stopped] {
            let stopped = facts(Some(state(stands, 10)), 25);
            let [fact] = &stopped.held[..] else { panic!("{stopped:?}") };
            assert_eq!((fact.condition, fact.held_us), (Condition::Stopped, 15 * MINUTE_US));
            assert_eq!(&*fact.detail, format!("CF01 is {}: code 7", stands.word()));
            assert_eq!(stopped.blind, []);
        }
        for fine in [State::Execute, State::Cleaning] {
            assert_eq!(facts(Some(state(fine, 10)), 25), Facts::default());
        }
        // In the break nobody waits for it, and afterwards the break does not count.
        let paused = facts(Some(state(State::Held, 55)), 70);
        assert_eq!((paused.held.len(), paused.blind.len()), (0, 1), "{paused:?}");
        let after = facts(Some(state(State::Held, 55)), 95);
        assert_eq!(after.held[0].held_us, 10 * MINUTE_US, "55 to 60 and 90 to 95");
    }

    #[test]
    fn what_is_unknown_is_no_stop_and_no_end_of_one() {
        for (status, held_us) in [(Some(state(State::Unknown, 20)), 5 * MINUTE_US), (None, 0)] {
            let unknown = facts(status, 25);
            let [fact] = &unknown.held[..] else { panic!("{unknown:?}") };
            assert_eq!((fact.condition, fact.held_us), (Condition::Unknown, held_us));
            assert_eq!(unknown.blind, [(Condition::Stopped, Some(LineId::new("L1")))]);
        }
    }

    /// At a start the state is that of the journal: it counts from when somebody could have read the line. A stop, which is
    /// read, counts from its beginning whenever the watching began.
    #[test]
    fn a_line_that_nobody_could_read_yet_is_not_unknown_for_long() {
        for (watched_us, held_us) in [(0, 0), (MINUTE_US, MINUTE_US), (i64::MAX, 600 * MINUTE_US)] {
            let unknown = watched(Some(state(State::Unknown, -600)), 0, watched_us);
            assert_eq!(unknown.held[0].held_us, held_us, "{watched_us}");
        }
        assert_eq!(watched(Some(state(State::Held, 10)), 25, 0).held[0].held_us, 15 * MINUTE_US);
    }

    fn details(of: impl Fn(&mut Facts)) -> Vec<String> {
        let mut facts = Facts::default();
        of(&mut facts);
        facts.held.iter().map(|fact| fact.detail.to_string()).collect()
    }

    #[test]
    fn a_disk_that_fills_and_a_database_that_is_behind_are_facts() {
        let store = |free, error: Option<&str>| StoreStats {
            room: Room { free, of: 1_000_000_000 },
            last_error: error.map(str::to_owned),
            ..StoreStats::default()
        };
        assert_eq!(details(|f| of_store(&store(200_000_000, None), f)), Vec::<String>::new());
        assert_eq!(details(|f| of_store(&store(199_000_000, None), f)), ["199 MB free of 1000 MB"]);
        let refused = details(|f| of_store(&store(900_000_000, Some("no space left")), f));
        assert_eq!(refused, ["the journal refuses to store: no space left"]);
        let plant = |state, backlog| ForwardStats {
            state,
            streams: vec![StreamStats { backlog, ..StreamStats::default() }],
            ..ForwardStats::default()
        };
        for (stats, expected) in [
            (plant(ForwardState::Forwarding, 0), None),
            (plant(ForwardState::Stopped, 9), None),
            (plant(ForwardState::Forwarding, 9), Some("9 changes of an outage wait")),
            (plant(ForwardState::Waiting, 0), Some("waiting: not connected yet")),
        ] {
            let found = details(|facts| of_database(&stats, facts));
            assert_eq!(found.first().map(String::as_str), expected, "{stats:?}");
        }
    }

    #[test]
    fn a_call_that_somebody_took_waits_no_more() {
        let done = |by: &str| Done { at_us: 0, by: by.into(), text: "".into() };
        let call = Call {
            number: 3,
            need: Need::Quality,
            station: None,
            opened: done(""),
            taken: None,
            closed: None,
        };
        let of =
            |call: Call| details(|facts| of_calls(&LineId::new("L1"), &[(call.clone(), 5)], facts));
        assert_eq!(of(call.clone()), ["quality at L1 was not taken"]);
        assert_eq!(of(Call { taken: Some(done("Li")), ..call }), Vec::<String>::new());
    }
}
