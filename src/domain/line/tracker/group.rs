//! The machines that make the output of a line, as far as each of them is known: time is booked up to where all are.
//!
//! A machine is known up to its last reading, and one that is silent for too long is unknown since then. So the time of a
//! line of several is booked a poll later than that of each, and by what was true of all of them at the time.

use std::collections::VecDeque;

use super::station::Station;
use super::{LineModel, LineTracker};
use crate::line::event::{Event, EventKind};
use crate::line::output::{LineState, Seen, decide};
use crate::line::state::{State, TimeClass};
use crate::line::status::StateStatus;
use crate::units::{HOUR_US, Moment};

/// That a machine stands while another runs is told of it once in so long, in microseconds of the line's clock.
const PART_STOP_EVERY_US: i64 = HOUR_US;

/// The word of the event of one machine that stands while another runs.
const PART_STOP: &str = "part_stop";

/// The counting machines of a line.
pub(super) struct Group {
    members: Vec<Member>,
    /// State of the line as it was known last, and since when: it goes on if it is the same after a silence.
    state: (State, Moment),
}

/// A counting machine.
struct Member {
    station: usize,
    /// Up to when it is known.
    known_to: Moment,
    /// How it was from where the line is booked up to there, each with its end, oldest first.
    spans: VecDeque<(Moment, Seen)>,
    /// Since when it stands, none while it runs.
    stood: Option<Moment>,
    /// It stands while another runs: since when, and whether that was told.
    alone: Option<(Moment, bool)>,
    /// When that was told last.
    told: Option<Moment>,
}

impl Group {
    /// The counting machines as they were left, all known up to now. They were followed until `last_us`.
    pub(super) fn new(
        model: &LineModel,
        stations: &[Station],
        (last_us, now): (i64, Moment),
    ) -> Group {
        let at = |utc_us: i64| Moment {
            utc_us,
            mono_us: now.mono_us.saturating_sub((now.utc_us - utc_us).max(0)),
        };
        let member = |station: usize| {
            let stood = stations[station].standing_since().map(|(_, from_us)| at(from_us));
            let spans = VecDeque::new();
            Member { station, known_to: now, spans, stood, alone: None, told: None }
        };
        let mut members: Vec<Member> = model.counting.clone().map(member).collect();
        let runs = |member: &&Member| member.stood.is_none();
        // It runs at least as long as one of them does.
        let stored = |member: &Member| stations[member.station].stored();
        let first = members.iter().filter(runs).map(stored).min_by_key(|(_, _, us)| *us);
        let last = members.iter().map(stored).max_by_key(|(_, _, us)| *us);
        // One that had stood long enough while another ran was told of by then.
        let is_run = |(state, ..): &(State, _, i64)| state.time_class() == TimeClass::Run;
        let ran_us = members.iter().map(stored).filter(is_run).map(|(.., us)| us).min();
        for member in &mut members {
            let standing = stations[member.station].standing_since();
            let unplanned = standing.filter(|(class, _)| *class != TimeClass::Planned);
            if let Some((ran_us, (_, from_us))) = ran_us.zip(unplanned) {
                let Some(from_us) = unplanned_since(model, from_us.max(ran_us), last_us) else {
                    continue;
                };
                let told = last_us - from_us >= model.micro_stop_us;
                member.alone = Some((at(from_us), told));
                member.told = told.then(|| at(last_us));
            }
        }
        let (state, since_us) = match first.or(last) {
            Some((state, _, since_us)) => (state, since_us),
            None => (State::Unknown, now.utc_us),
        };
        Group { members, state: (state, at(since_us)) }
    }

    /// Notes how a machine was up to a moment.
    pub(super) fn note(&mut self, station: usize, to: Moment, state: State, reason: Option<i64>) {
        let Some(member) = self.members.iter_mut().find(|member| member.station == station) else {
            return;
        };
        if to.mono_us <= member.known_to.mono_us {
            return;
        }
        match state.time_class() {
            TimeClass::Run => member.stood = None,
            TimeClass::Unknown => {}
            _ => {
                member.stood.get_or_insert(member.known_to);
            }
        }
        member.known_to = to;
        let seen = Seen { station, state, reason, stood: member.stood };
        match member.spans.back_mut() {
            Some((end, last)) if *last == seen => *end = to,
            _ => member.spans.push_back((to, seen)),
        }
    }

    /// Whether every machine is known for a time that the line is not booked for.
    fn has_next(&self) -> bool {
        self.members.iter().all(|member| !member.spans.is_empty())
    }

    /// How the line was next, and up to when; none where one of the machines is not known any further.
    fn next(&mut self) -> Option<(LineState, Moment)> {
        let ends = self.members.iter().map(|member| member.spans.front().map(|(end, _)| *end));
        let to = ends.collect::<Option<Vec<Moment>>>()?.into_iter().min_by_key(|to| to.mono_us)?;
        let standing = decide(self.members.iter().filter_map(|m| Some(m.spans.front()?.1)))?;
        for member in &mut self.members {
            if member.spans.front().is_some_and(|(end, _)| end.mono_us <= to.mono_us) {
                member.spans.pop_front();
            }
        }
        Some((standing, to))
    }

    /// How much further than the line the machine that was read last is known, in microseconds.
    pub(super) fn ahead_us(&self, booked_to: Moment) -> i64 {
        let known = self.members.iter().map(|member| member.known_to.mono_us);
        (known.max().unwrap_or(0) - booked_to.mono_us).max(0)
    }

    /// Each machine at the moment up to which the line is booked.
    fn seen<'g>(&'g self, stations: &'g [Station]) -> impl Iterator<Item = Seen> + Clone + 'g {
        self.members.iter().map(|member| match member.spans.front() {
            Some((_, seen)) => *seen,
            None => member.latest(stations),
        })
    }

    /// Which machine decides how the line is at its last readings.
    pub(super) fn latest(&self, stations: &[Station]) -> Option<LineState> {
        decide(self.members.iter().map(|member| member.latest(stations)))
    }
}

/// Since when no planned stop of the calendar lies over what began at `from_us` and went on until `to_us`; none where one does
/// at its end. Nobody asks for more than the last day.
fn unplanned_since(model: &LineModel, from_us: i64, to_us: i64) -> Option<i64> {
    let (mut since_us, mut at_us) = (from_us, from_us.max(to_us - 24 * HOUR_US));
    loop {
        match model.calendar.planned(at_us) {
            (true, until_us) if until_us > to_us => return None,
            (true, until_us) => (since_us, at_us) = (until_us, until_us),
            (false, until_us) if until_us > to_us => return Some(since_us),
            (false, until_us) => at_us = until_us,
        }
    }
}

/// Which machine's standstill was that of the line as last read, its class and since when: none if one of them ran.
pub(super) fn standing(model: &LineModel, stations: &[Station]) -> Option<(usize, TimeClass, i64)> {
    let stands = |station: usize| {
        stations[station].standing_since().map(|(class, from_us)| (station, class, from_us))
    };
    let all: Option<Vec<_>> = model.counting.clone().map(stands).collect();
    let later = |best: (usize, TimeClass, i64), next: (usize, TimeClass, i64)| {
        if next.2 > best.2 { next } else { best }
    };
    all?.into_iter().reduce(later)
}

impl Member {
    fn latest(&self, stations: &[Station]) -> Seen {
        let station = &stations[self.station];
        let state = station.state();
        let stands = !matches!(state.time_class(), TimeClass::Run);
        let stood = stands.then(|| self.stood.unwrap_or(self.known_to));
        Seen { station: self.station, state, reason: station.told_reason(), stood }
    }
}

impl LineTracker {
    /// Notes how a counting machine was up to a moment, and books the time of the line as far as all of them are known.
    pub(super) fn spend(&mut self, station: usize, state: State, to: Moment) {
        let reason = self.stations[station].told_reason();
        self.group.note(station, to, state, reason);
        let mut goes_on = false;
        while self.group.has_next() {
            // What follows now was known already: a line that stood for a moment meanwhile stood.
            if std::mem::replace(&mut goes_on, true) {
                self.follow_stop();
            }
            let Some((standing, to)) = self.group.next() else { break };
            if to.mono_us <= self.booked_to.mono_us {
                continue;
            }
            let account = &mut self.account;
            self.chronicle.spend(self.booked_to, to, &standing, |spent| {
                account.spend(spent.class(), spent.from, spent.to);
            });
            self.booked_to = to;
        }
    }

    /// How the line is at the moment up to which it is booked.
    pub(super) fn standing(&self) -> Option<LineState> {
        decide(self.group.seen(&self.stations))
    }

    /// Follows since when the line is as it is, and which of its machines stands while another runs.
    pub(super) fn follow_group(&mut self) {
        // One machine alone is the line.
        let Some(standing) = self.standing().filter(|_| self.group.members.len() > 1) else {
            return;
        };
        if !matches!(standing.state, State::Unknown) && standing.state != self.group.state.0 {
            self.group.state = (standing.state, self.booked_to);
        }
        self.follow_parts(&standing);
    }

    /// Follows which machine stands while another runs. While one of them is not seen, nothing begins and nothing is over.
    fn follow_parts(&mut self, standing: &LineState) {
        let class = standing.state.time_class();
        if class == TimeClass::Unknown {
            return;
        }
        let (now, after_us) = (self.booked_to, self.model.micro_stop_us);
        let planned = self.chronicle.is_planned(now.utc_us);
        let seen: Vec<Seen> = self.group.seen(&self.stations).collect();
        for (member, seen) in self.group.members.iter_mut().zip(seen) {
            let event = |from: Moment, detail: String| {
                let station = &self.stations[seen.station];
                let mut event = station.event(EventKind::Alarm, now.utc_us, PART_STOP, detail);
                event.from_us = Some(from.utc_us);
                event
            };
            let over = match (seen.state.time_class(), class) {
                (TimeClass::Run, _) => Some("it runs again"),
                (_, TimeClass::Run) if planned => Some("it is planned"),
                (TimeClass::Planned, TimeClass::Run) => Some("it is planned"),
                (_, TimeClass::Run) => None,
                _ => Some("the whole line stands"),
            };
            let is_new =
                member.told.is_none_or(|told| now.mono_us - told.mono_us >= PART_STOP_EVERY_US);
            let told: Option<Event> = match (member.alone, over) {
                (None, None) => {
                    member.alone = Some((now, false));
                    None
                }
                (Some((from, false)), None) if now.mono_us - from.mono_us >= after_us && is_new => {
                    (member.alone, member.told) = (Some((from, true)), Some(now));
                    let runs = &self.stations[standing.station].map.station;
                    let word = seen.state.word();
                    Some(event(from, format!("{word} while {runs} runs: the line is slower")))
                }
                (Some((from, told)), Some(over)) => {
                    member.alone = None;
                    let s = (now.mono_us - from.mono_us) as f64 / 1e6;
                    told.then(|| event(from, format!("over after {s:.1} s: {over}")))
                }
                _ => None,
            };
            self.events.extend(told);
        }
    }

    /// How the line is, for the screen: as the machine that decides, and since when the line is so.
    pub(super) fn line_state(&self) -> StateStatus {
        let latest = self.group.latest(&self.stations);
        let decider = latest.map_or(self.model.counting.start, |standing| standing.station);
        let status = self.stations[decider].state_status();
        let (state, since) = self.group.state;
        match self.group.members.len() > 1 && state == status.state {
            true => StateStatus { since_us: since.utc_us, since_mono_us: since.mono_us, ..status },
            false => status,
        }
    }
}
