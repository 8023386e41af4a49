//! How the time of a past span was spent: whole hours as they were booked, the rest by its minutes. A minute says how long
//! nothing was planned to be made, and not for what; whether that was set-up, the machines said in their states.

use domain::line::event::{Event, EventKind};
use domain::line::minute::Minute;
use domain::line::output::Stations;
use domain::line::rollup::{Rollup, Spending};
use domain::line::state::{State, TimeClass};
use domain::line::stop::{Cause, Flags, Stop};
use domain::units::{MINUTE_US, SECOND_US, StationId};

use crate::config::LineConfig;

/// What the record has of a time.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) config: &'a LineConfig,
    /// Clock hours.
    pub(super) hours: &'a [Rollup],
    /// Batches.
    pub(super) batches: &'a [Rollup],
    /// Events, oldest first, from well before it.
    pub(super) events: &'a [Event],
    /// Stops as they stood at its end.
    pub(super) stops: &'a [Stop],
}

/// How a span was spent.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    pub(super) spending: Spending,
    /// Whether it is known how much of its planned time was set-up.
    pub(super) setup_known: bool,
}

impl Told<'_> {
    /// Of a span whose minutes these are.
    pub(super) fn spent<'m>(
        &self,
        minutes: impl Iterator<Item = &'m Minute>,
        (from_us, to_us): (i64, i64),
    ) -> Spent {
        let ended = |hour: &Rollup| hour.end_us.filter(|end_us| *end_us <= to_us);
        let whole: Vec<(&Rollup, i64)> = self
            .hours
            .iter()
            .filter(|hour| hour.start_us >= from_us)
            .filter_map(|hour| Some((hour, ended(hour)?)))
            .collect();
        let (mut spending, mut setup_known) = (Spending::default(), true);
        for (hour, _) in &whole {
            spending.merge(&hour.spending);
        }
        let is_booked = |minute: &&Minute| {
            whole.iter().any(|(hour, end_us)| (hour.start_us..*end_us).contains(&minute.start_us))
        };
        for minute in minutes.filter(|minute| !is_booked(minute)) {
            let setup_us = self.setup_us(minute);
            setup_known &= setup_us.is_some();
            spending.time.merge(&minute.time);
            spending.setup_us += setup_us.unwrap_or(0);
            spending.order_us += self.order_us(minute);
        }
        // An hour may hold a failure that was over, and counted, only after the end of the span.
        let failed = |stop: &&Stop| {
            stop.cause == Cause::Internal
                && !stop.flags.contains(Flags::CUT_BEFORE)
                && (from_us..to_us).contains(&stop.from.utc_us)
                && stop.to.is_some_and(|to| to.utc_us <= to_us)
        };
        spending.failures = self.stops.iter().filter(failed).count() as u64;
        Spent { spending, setup_known }
    }

    /// Time of a minute in which a batch was open.
    fn order_us(&self, minute: &Minute) -> i64 {
        let (from_us, to_us) = (minute.start_us, minute.start_us + MINUTE_US);
        let inside = self.batches.iter().map(|batch| {
            let end_us = batch.end_us.unwrap_or(to_us).min(to_us);
            (end_us - batch.start_us.max(from_us)).max(0)
        });
        inside.sum::<i64>().min(minute.time.total())
    }

    /// Set-up in a minute; none where the record does not tell it from what else was planned.
    fn setup_us(&self, minute: &Minute) -> Option<i64> {
        let span = (minute.start_us, minute.start_us + MINUTE_US);
        let calendar_us = self.config.calendar.planned_us(span.0, span.1);
        // Under a break and between shifts set-up is planned as all else is.
        let open_us = minute.time.of(TimeClass::Planned) - calendar_us;
        if open_us <= 0 {
            return Some(0);
        }
        let counting = self.config.devices.iter().map(|device| &device.map.station);
        let counting: Vec<&StationId> = counting.filter(|id| self.config.output.has(id)).collect();
        let courses: Option<Vec<_>> = counting.iter().map(|id| self.course(id, minute)).collect();
        let courses = courses?;
        let planned = courses.iter().flatten().filter(|part| is_planned(part.0));
        let (setup, other): (Vec<_>, Vec<_>) = planned.partition(|part| part.0 == State::Setup);
        match (setup.is_empty(), other.is_empty()) {
            (false, true) => Some(open_us),
            (true, false) => Some(0),
            // The moments of state and time may be a reading apart.
            (true, true) => (open_us < SECOND_US).then_some(0),
            // Which of several machines decided is not told, nor what they did while they were not seen.
            (false, false) if counting.len() > 1 || minute.time.of(TimeClass::Unknown) > 0 => None,
            (false, false) => {
                let open = |part: &&(State, i64, i64)| {
                    part.2 - part.1 - self.config.calendar.planned_us(part.1, part.2)
                };
                Some(setup.iter().map(open).sum::<i64>().clamp(0, open_us))
            }
        }
    }

    /// The states of a machine in a minute, each with its begin and its end there; none where one that it was in is not told.
    fn course(&self, station: &StationId, minute: &Minute) -> Option<Vec<(State, i64, i64)>> {
        let (from_us, to_us) = (minute.start_us, minute.start_us + MINUTE_US);
        let told = self.events.iter().filter(|event| {
            event.kind == EventKind::State && event.station.as_ref() == Some(station)
        });
        let mut parts: Vec<(State, i64, i64)> = Vec::new();
        for event in told.take_while(|event| event.at_us < to_us) {
            let state = State::from_word(&event.word)?;
            if event.at_us <= from_us {
                parts.clear();
            }
            if let Some(last) = parts.last_mut() {
                last.2 = event.at_us;
            }
            parts.push((state, event.at_us.max(from_us), to_us));
        }
        // Before the first word of all nothing may be known, or that word told only what changed.
        let first_us = parts.first()?.1;
        (first_us == from_us || minute.time.known() <= to_us - first_us + SECOND_US)
            .then_some(parts)
    }
}

fn is_planned(state: State) -> bool {
    state.time_class() == TimeClass::Planned
}
