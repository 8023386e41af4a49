//! What a machine shows.

use super::Station;
use crate::line::state::{State, TimeClass};
use crate::line::status::{BadTag, LastReading, LinkStatus, MeasureStatus, StateStatus};
use crate::plc_map::Role;
use crate::units::{Moment, SECOND_US};

impl Station {
    /// State for the screen.
    pub(in crate::line::tracker) fn state_status(&self) -> StateStatus {
        let state = self.state();
        let class = state.time_class();
        let stop_reason =
            self.stop_reason.filter(|code| *code != 0 && class != TimeClass::Run && self.up);
        // An unknown state lasts since the station was last heard or began to freeze, not since the state before it began.
        let since = match state == State::Unknown && self.state != State::Unknown {
            true => self.link_since,
            false => self.since,
        };
        StateStatus {
            state,
            class,
            last_known: self.last_known,
            since_us: since.utc_us,
            since_mono_us: since.mono_us,
            raw: self.raw,
            stop_reason,
            stop_title: stop_reason.and_then(|code| self.map.stop_reasons.get(&code).cloned()),
            station: self.map.station.clone(),
        }
    }

    /// Connection for the screen.
    pub(in crate::line::tracker) fn link_status(&self) -> LinkStatus {
        LinkStatus {
            up: self.is_current(),
            since_us: self.link_since.utc_us,
            heard_us: self.heard.map(|heard| heard.utc_us),
            heard_mono_us: self.heard.map(|heard| heard.mono_us),
            reason: self.miss,
            period_us: self.map.groups.first().map_or(SECOND_US, |group| group.period_us),
        }
    }

    /// Measured values for the screen.
    pub(in crate::line::tracker) fn measures(&self) -> Vec<MeasureStatus> {
        let is_measure = |role: &Role| {
            matches!(
                role,
                Role::Condition | Role::Weight | Role::WeightDeviation | Role::SpeedSetpoint
            )
        };
        let tags = self.map.tags.iter().enumerate().filter(|(_, tag)| is_measure(&tag.role));
        tags.map(|(i, tag)| {
            let last = self.measures[i];
            let value =
                last.map(|(value, _)| value).filter(|_| !self.bad.contains_key(&(i as u16)));
            MeasureStatus {
                tag: tag.id.clone(),
                value,
                word: value.and_then(|value| tag.word(value)).cloned(),
                unit: tag.unit.clone(),
                at_us: last.map_or(0, |(_, at_us)| at_us),
            }
        })
        .collect()
    }

    /// What was read last of each tag.
    pub(in crate::line::tracker) fn readings(&self) -> Vec<Option<LastReading>> {
        self.last.clone()
    }

    /// Tags whose last reading was bad.
    pub(in crate::line::tracker) fn bad_tags(&self) -> Vec<BadTag> {
        let of = |(i, since): (&u16, &Moment)| {
            let tag = self.map.tags.get(usize::from(*i))?.id.clone();
            Some(BadTag { tag, since: *since })
        };
        self.bad.iter().filter_map(of).collect()
    }
}
