//! From readings to what is known of a machine: its state and pulse, its batch, and what is measured there.

use std::sync::Arc;

use super::Station;
use crate::line::counter::batch_key;
use crate::line::event::{Event, EventKind};
use crate::line::state::State;
use crate::line::status::LastReading;
use crate::line::transition::is_possible;
use crate::plc_map::Role;
use crate::reading::{Miss, Quality, Reading, Value};
use crate::units::Moment;

impl Station {
    /// Applies one reading to everything but the counters.
    pub(in crate::line::tracker) fn read(
        &mut self,
        reading: &Reading,
        at: Moment,
        events: &mut Vec<Event>,
    ) {
        let Some(tag) = self.map.tags.get(usize::from(reading.tag)) else { return };
        if let Some(last) = self.last.get_mut(usize::from(reading.tag)) {
            let Reading { ref value, quality, source_us, .. } = *reading;
            match last {
                Some(last) => {
                    value.put(&mut last.value);
                    (last.quality, last.at, last.source_us) = (quality, at, source_us);
                }
                None => *last = Some(LastReading { value: value.clone(), quality, at, source_us }),
            }
        }
        if reading.quality == Quality::Bad {
            self.bad.entry(reading.tag).or_insert(at);
            if tag.role == Role::State {
                self.turn(State::Unknown, None, at, events);
            }
            return;
        }
        self.bad.remove(&reading.tag);
        let scaled = || reading.value.as_f64().map(|raw| tag.scaled(raw));
        let whole = || reading.value.as_counter(tag.encoding.kind.bits());
        match tag.role {
            Role::State => {
                let raw = reading.value.as_code();
                let known = raw.and_then(|code| self.map.states.get(&code).copied());
                self.turn(known.unwrap_or(State::UnknownCode), raw, at, events);
            }
            Role::StopReason => self.stop_reason = reading.value.as_code(),
            Role::Speed => self.speed = scaled(),
            Role::Heartbeat => {
                let beat = reading.value.as_code();
                self.evidence.heartbeat = whole();
                if beat != self.heartbeat.map(|(beat, _)| beat) {
                    self.heartbeat = beat.map(|beat| (beat, at.mono_us));
                }
            }
            Role::Uptime => {
                let uptime_s = whole();
                self.read_uptime(uptime_s, at);
            }
            Role::Odometer { .. } => {
                self.odometers.extend(whole().map(|value| (reading.tag, value)));
            }
            Role::SinceReset => {
                let since_s = whole();
                self.evidence.since_reset_s =
                    since_s.and_then(|now_s| self.since_reset.feel(now_s, at));
            }
            Role::BatchId => self.read_batch(&reading.value, at, events),
            Role::Condition | Role::Weight | Role::WeightDeviation | Role::SpeedSetpoint => {
                if let Some(value) = scaled()
                    && let Some(measure) = self.measures.get_mut(usize::from(reading.tag))
                {
                    *measure = Some((value, at.utc_us));
                }
            }
            _ => {}
        }
    }

    /// An uptime that fell tells of a restart.
    fn read_uptime(&mut self, uptime_s: Option<u64>, at: Moment) {
        let before = self.uptime.told();
        self.evidence.uptime_s = uptime_s.and_then(|now_s| self.uptime.feel(now_s, at));
        if before.zip(self.evidence.uptime_s).is_some_and(|(before, now)| now < before) {
            self.suspect_restart();
        }
    }

    /// Looks at the heartbeat after a snapshot was applied.
    pub(in crate::line::tracker) fn feel_pulse(&mut self, at: Moment, events: &mut Vec<Event>) {
        let stands = self
            .heartbeat
            .is_some_and(|(_, changed_us)| at.mono_us - changed_us > self.frozen_after_us);
        if stands == self.frozen {
            return;
        }
        self.frozen = stands;
        let (word, detail) = match stands {
            true => ("frozen", "the heartbeat stands still: values are not refreshed"),
            false => ("up", "the heartbeat goes on"),
        };
        self.miss = if stands { Miss::Frozen.word() } else { "" };
        self.link_since = at;
        events.push(self.event(EventKind::Link, at.utc_us, word, detail.into()));
    }

    fn read_batch(&mut self, value: &Value, at: Moment, events: &mut Vec<Event>) {
        let id: Arc<str> = match value {
            Value::Text(text) => text.clone(),
            other => match other.as_code() {
                Some(code) => code.to_string().into(),
                None => return,
            },
        };
        self.evidence.batch = Some(batch_key(&id));
        if self.batch.as_ref() == Some(&id) {
            return;
        }
        let detail = match &self.batch {
            Some(old) => format!("after batch {old}"),
            None => "first batch seen".into(),
        };
        events.push(self.event(EventKind::Batch, at.utc_us, &id, detail));
        self.batch = Some(id);
    }

    fn turn(&mut self, state: State, raw: Option<i64>, at: Moment, events: &mut Vec<Event>) {
        if state == self.state && raw == self.raw {
            return;
        }
        let code = raw.map_or("no code".into(), |raw| format!("code {raw}"));
        let mut detail = format!("after {}, {code}", self.state.word());
        if self.up && !is_possible(self.state, state) {
            detail.push_str("; PackML knows no such change");
        }
        events.push(self.event(EventKind::State, at.utc_us, state.word(), detail));
        if state != State::Unknown {
            self.last_known = state;
        }
        (self.state, self.raw, self.since) = (state, raw, at);
    }
}
