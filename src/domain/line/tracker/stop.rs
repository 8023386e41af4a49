//! The stop of the line as it is told: one event when it is over, with its reason as the machine that decides it said.
//! The record of all stops is the [`StopLog`](crate::line::stop::StopLog).

use super::station::Station;
use super::{LineModel, LineTracker, group};
use crate::line::event::EventKind;
use crate::line::state::TimeClass;

/// A stop that has not ended.
pub(super) struct OpenStop {
    /// Position of the machine that decides it.
    pub(super) station: usize,
    from_us: i64,
    class: TimeClass,
    reason: String,
}

impl OpenStop {
    /// The stop that the machines were left in, if they stood, with its reason as it was written down.
    pub(super) fn resume(
        model: &LineModel,
        stations: &[Station],
        reason: Option<i64>,
    ) -> Option<OpenStop> {
        let (station, class, from_us) = group::standing(model, stations)?;
        let reason = reason.map_or_else(String::new, |code| stations[station].reason(code));
        Some(OpenStop { station, from_us, class, reason })
    }
}

impl LineTracker {
    /// Opens and ends the stop of the line as its class of time changes.
    pub(super) fn follow_stop(&mut self) {
        self.follow_group();
        let Some(standing) = self.standing() else { return };
        let station = standing.station;
        // As it was in the span that is booked, not as it is by now: of machines side by side that may be another reason.
        let code = standing.reason.filter(|code| *code != 0);
        let reason = || code.map_or_else(String::new, |code| self.stations[station].reason(code));
        match (&mut self.stop, standing.state.time_class()) {
            // While the state is unknown nothing is opened or ended: the stop may or may not go on.
            (_, TimeClass::Unknown) | (None, TimeClass::Run) => {}
            (None, class) => {
                // Of several machines it began when the last one stopped, and that may have been some readings ago.
                let from_us = match self.model.counting.len() {
                    1 => self.stations[station].since().utc_us,
                    _ => self.booked_to.utc_us,
                };
                self.stop = Some(OpenStop { station, from_us, class, reason: reason() });
            }
            (Some(_), TimeClass::Run) => self.end_stop(),
            (Some(stop), _) if stop.reason.is_empty() => stop.reason = reason(),
            (Some(_), _) => {}
        }
    }

    fn end_stop(&mut self) {
        let Some(stop) = self.stop.take() else { return };
        let (station, at_us) = (&self.stations[stop.station], self.booked_to.utc_us);
        let mut event = station.event(EventKind::Stop, at_us, stop.class.word(), stop.reason);
        event.from_us = Some(stop.from_us);
        self.events.push(event);
    }
}
