//! One machine as last heard: its connection, its state, and what was read beside its counters.

mod read;
mod show;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::line::balance::Total;
use crate::line::counter::Evidence;
use crate::line::event::{Event, EventKind};
use crate::line::state::{State, TimeClass};
use crate::line::status::LastReading;
use crate::line::weighing::{Reader, Sequence};
use crate::line::weight::Series;
use crate::plc_map::{PlcMap, Protocol, Role};
use crate::reading::{Miss, Quality, Reading};
use crate::units::{Count, Moment, SECOND_US};

use super::at_rest::AtRest;
use super::confirm::Arrival;
use super::elapsed::Elapsed;
use super::{Ledger, scaled};

/// A station is stale after three periods of its fastest group, but not before two seconds.
const STALE_PERIODS: i64 = 3;
const STALE_AT_LEAST_US: i64 = 2 * SECOND_US;

/// A heartbeat that stands still for so long means that the values are frozen.
const FROZEN_AFTER_US: i64 = 5 * SECOND_US;

/// How a group of tags is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Period in microseconds of the line's clock.
    pub(super) period_us: i64,
    /// A reading is current for so long, in microseconds of the line's clock.
    pub(super) current_us: i64,
    /// From when to when it was read without a poll that failed; none if it never was, or the last one failed.
    pub(super) read: Option<(Moment, Moment)>,
}

/// One machine of a line.
pub(super) struct Station {
    pub(super) map: Arc<PlcMap>,
    /// Position of the counter of each tag, for the tags that count.
    pub(super) counter_of: Vec<Option<usize>>,
    /// Longest silence before its readings are no longer current, in microseconds of the line's clock.
    pub(super) stale_after_us: i64,
    frozen_after_us: i64,
    /// How the groups of its tags are read.
    groups: Vec<Group>,
    batch_tag: Option<usize>,
    state: State,
    last_known: State,
    raw: Option<i64>,
    since: Moment,
    up: bool,
    link_since: Moment,
    pub(super) heard: Option<Moment>,
    miss: &'static str,
    heartbeat: Option<(i64, i64)>,
    frozen: bool,
    stop_reason: Option<i64>,
    pub(super) speed: Option<f64>,
    pub(super) batch: Option<Arc<str>>,
    evidence: Evidence,
    /// Odometers among the readings of this moment.
    odometers: Vec<(u16, u64)>,
    uptime: Elapsed,
    since_reset: Elapsed,
    /// Groups that have not been read since the controller may have restarted.
    session_lost: Vec<bool>,
    /// What came in was last read after a gap.
    pub(super) came_after_gap: bool,
    /// How late the notifications of each group come.
    pub(super) arrivals: Vec<Arrival>,
    /// Last good value of each counting tag, for notifications that bring only changes.
    pub(super) held: Vec<Option<u64>>,
    /// Tags whose last reading was bad, and since when.
    bad: BTreeMap<u16, Moment>,
    measures: Vec<Option<(f64, i64)>>,
    /// What was read last of each tag.
    last: Vec<Option<LastReading>>,
    /// What it counted while it said that it stands.
    pub(super) at_rest: AtRest,
    /// Its published records of weights.
    pub(super) weighings: Vec<Reader>,
}

impl Station {
    /// A station that has not been heard yet. `time_scale` is how much faster than real time the line's clock runs:
    /// silence is judged in real time.
    pub(super) fn new(map: Arc<PlcMap>, now: Moment, time_scale: f64) -> Station {
        let period_us = map.groups.first().map_or(SECOND_US, |group| group.period_us);
        let scaled = |us: i64| scaled(us, time_scale);
        let stale_after_us = scaled((STALE_PERIODS * period_us).max(STALE_AT_LEAST_US));
        let group = |period_us: i64| Group {
            period_us: scaled(period_us),
            current_us: stale_after_us + scaled(STALE_PERIODS * period_us),
            read: None,
        };
        Station {
            counter_of: vec![None; map.tags.len()],
            held: vec![None; map.tags.len()],
            measures: vec![None; map.tags.len()],
            last: vec![None; map.tags.len()],
            session_lost: vec![false; map.groups.len()],
            came_after_gap: false,
            arrivals: vec![Arrival::default(); map.groups.len()],
            uptime: Elapsed::default(),
            since_reset: Elapsed::default(),
            at_rest: AtRest::default(),
            stale_after_us,
            groups: map.groups.iter().map(|entry| group(entry.period_us)).collect(),
            frozen_after_us: scaled(FROZEN_AFTER_US),
            weighings: Reader::all(&map),
            batch_tag: map.position(&Role::BatchId).map(usize::from),
            map,
            state: State::Unknown,
            last_known: State::Unknown,
            raw: None,
            since: now,
            up: false,
            link_since: now,
            heard: None,
            miss: "",
            heartbeat: None,
            frozen: false,
            stop_reason: None,
            speed: None,
            batch: None,
            evidence: Evidence::default(),
            odometers: Vec::new(),
            bad: BTreeMap::new(),
        }
    }

    /// Takes over the state of before a restart, so that its duration goes on if the first reading confirms it.
    pub(super) fn restore(&mut self, state: State, raw: Option<i64>, since_us: i64, now: Moment) {
        self.last_known = state;
        self.raw = raw;
        self.since =
            Moment { utc_us: since_us, mono_us: now.mono_us - (now.utc_us - since_us).max(0) };
        self.state = state;
    }

    /// Goes on after the record that was taken last before a restart.
    pub(super) fn resume_weighing(&mut self, series: Series, last: Sequence) {
        let of_series = |reader: &&mut Reader| reader.series() == series;
        self.weighings.iter_mut().filter(of_series).for_each(|reader| reader.resume(last));
    }

    /// Takes over what was heard of the machine before its device was read anew: a silence that is short enough is none.
    /// What the map has no tag for any more is let go.
    pub(super) fn go_on_from(&mut self, old: &Station) {
        (self.state, self.last_known, self.raw, self.since) =
            (old.state, old.last_known, old.raw, old.since);
        (self.up, self.link_since, self.heard, self.miss) =
            (old.up, old.link_since, old.heard, old.miss);
        let has = |role: Role| self.map.position(&role).is_some();
        if has(Role::StopReason) {
            self.stop_reason = old.stop_reason;
        }
        if has(Role::Speed) {
            self.speed = old.speed;
        }
        if has(Role::BatchId) {
            self.batch = old.batch.clone();
            self.evidence.batch = old.evidence.batch;
        }
        for reader in &old.weighings {
            if let Some(last) = reader.last() {
                self.resume_weighing(reader.series(), last);
            }
        }
        // Nobody knows whether the controller was loaded anew meanwhile.
        self.suspect_restart();
    }

    /// Since when it is in the state that was read last.
    pub(super) fn since(&self) -> Moment {
        self.since
    }

    /// Class and start of a standstill as last read, whether current or not.
    pub(super) fn standing_since(&self) -> Option<(TimeClass, i64)> {
        let class = self.state.time_class();
        let stands = !matches!(class, TimeClass::Run | TimeClass::Unknown);
        stands.then_some((class, self.since.utc_us))
    }

    /// The state as far as it is current.
    pub(super) fn state(&self) -> State {
        if self.is_current() { self.state } else { State::Unknown }
    }

    /// Stop reason as last read; none while the code is 0.
    pub(super) fn told_reason(&self) -> Option<i64> {
        self.stop_reason.filter(|code| *code != 0)
    }

    /// What a stop reason code is called.
    pub(super) fn reason(&self, code: i64) -> String {
        let named = self.map.stop_reasons.get(&code);
        named.map_or_else(|| format!("code {code}"), |title| title.en.to_string())
    }

    /// Whether it has a tag for its batch.
    pub(super) fn tells_batches(&self) -> bool {
        self.batch_tag.is_some()
    }

    /// The batch id, if these readings tell it. A device that reports only changes confirms it with every message.
    pub(super) fn batch_told(&self, readings: &[Reading]) -> Option<&Arc<str>> {
        let tag = self.batch_tag?;
        let told =
            || readings.iter().any(|r| usize::from(r.tag) == tag && r.quality != Quality::Bad);
        self.batch.as_ref().filter(|_| self.brings_changes_only() || told())
    }

    /// The group of a tag.
    pub(super) fn group(&self, tag: u16) -> Option<&Group> {
        self.groups.get(usize::from(self.map.tags.get(usize::from(tag))?.group))
    }

    /// Whether one of its counters is read: the machine is heard, the last value was good, it is not older than a few
    /// periods, as where its group alone is refused, and its registers do not stand still.
    pub(super) fn reads(&self, ledger: &Ledger, now: Moment) -> bool {
        let current_us = self.group(ledger.tag).map_or(0, |group| group.current_us);
        let is_current = |at: Moment| now.mono_us - at.mono_us <= current_us;
        self.up
            && self.held[usize::from(ledger.tag)].is_some()
            && !ledger.counter.stands_still()
            && ledger.counter.newest().is_some_and(|newest| is_current(newest.at))
    }

    /// Total of one of its counters in capsules and when it was read, if it is read and nothing in it waits to be decided.
    pub(super) fn current_total(&self, ledger: &Ledger, now: Moment) -> Option<Total> {
        let base = ledger.counter.baseline()?;
        let current = !self.frozen && self.reads(ledger, now);
        let decided = ledger.counter.undecided().is_zero();
        // What its readings are off together is no difference between counters of one reading.
        let settings = self.map.tags[usize::from(ledger.tag)].counter?;
        let dating_us = ledger.counter.settings().lag_us.saturating_sub(settings.lag_us).max(0);
        (current && decided).then(|| Total {
            count: self.map.capsules(ledger.tag, base.total),
            each: self.map.capsules(ledger.tag, Count::exact(1)).high(),
            at_us: base.at.mono_us,
            off_us: ledger.counter.off_us().saturating_add(dating_us),
            settings,
        })
    }

    /// Whether it is heard; what it says may stand still all the same.
    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// Whether its readings are those of now: it is heard, and its heartbeat goes on.
    pub(in crate::line::tracker) fn is_current(&self) -> bool {
        self.up && !self.frozen
    }

    /// Notes that something was heard. True if that ends a silence.
    pub(super) fn hear(&mut self, at: Moment, events: &mut Vec<Event>) -> bool {
        let returned = !self.up;
        if returned {
            let silence = self.heard.map(|heard| at.mono_us - heard.mono_us);
            let detail = match silence {
                Some(us) => format!("heard again after {:.3} s", us as f64 / 1e6),
                None => "heard for the first time".into(),
            };
            events.push(self.event(EventKind::Link, at.utc_us, "up", detail));
            self.up = true;
            self.link_since = at;
            self.miss = "";
            self.suspect_restart();
            self.groups.iter_mut().for_each(|group| group.read = None);
            // A heartbeat that nobody could hear did not stand still.
            self.heartbeat = self.heartbeat.map(|(beat, _)| (beat, at.mono_us));
            self.frozen = false;
        }
        self.heard = Some(at);
        returned
    }

    /// Counters of every group learn once that the controller may have restarted since they were read.
    fn suspect_restart(&mut self) {
        self.session_lost.fill(true);
    }

    /// Begins a round of readings of a group. Evidence counts only with the readings it came with: a stale uptime
    /// looks steady and would hide a reset. Only the batch id stays, because an unchanged one proves nothing.
    pub(super) fn begin_evidence(&mut self, group: u16, at: Moment) {
        if let Some(group) = self.groups.get_mut(usize::from(group)) {
            let goes_on = |(_, to): &(Moment, Moment)| at.mono_us - to.mono_us <= group.current_us;
            group.read = Some((group.read.filter(goes_on).map_or(at, |(from, _)| from), at));
        }
        let lost = self.session_lost.get_mut(usize::from(group)).map(std::mem::take);
        self.evidence = Evidence {
            session_lost: lost.unwrap_or(false),
            batch: self.evidence.batch,
            ..Evidence::default()
        };
        self.odometers.clear();
    }

    /// Notes that a poll of a group brought nothing.
    pub(super) fn miss(&mut self, group: u16, miss: Miss) {
        if let Some(group) = self.groups.get_mut(usize::from(group)) {
            group.read = None;
        }
        if !matches!(miss, Miss::Skipped) {
            self.miss = miss.word();
        }
    }

    /// Notes the time: after too long a silence its readings are not current any more, which is told.
    pub(super) fn check(&mut self, now: Moment, events: &mut Vec<Event>) {
        let silent =
            self.heard.is_some_and(|heard| now.mono_us - heard.mono_us > self.stale_after_us);
        if self.up && silent {
            self.up = false;
            if self.miss.is_empty() {
                self.miss = Miss::Timeout.word();
            }
            let since = self.heard.unwrap_or(now);
            self.link_since = since;
            let mut event = self.event(
                EventKind::Link,
                now.utc_us,
                "down",
                format!("no answer: {}", self.miss),
            );
            event.from_us = Some(since.utc_us);
            events.push(event);
        }
    }

    /// What was read beside a counter of this station.
    pub(super) fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// An odometer, if it is among the readings of this moment.
    pub(super) fn odometer(&self, tag: u16) -> Option<u64> {
        let found = self.odometers.iter().find(|(position, _)| *position == tag);
        found.map(|(_, value)| *value)
    }

    /// An event of this station.
    pub(super) fn event(&self, kind: EventKind, at_us: i64, word: &str, detail: String) -> Event {
        let station = Some(self.map.station.clone());
        Event {
            at_us,
            from_us: None,
            kind,
            station,
            tag: None,
            word: word.into(),
            count: None,
            detail,
        }
    }

    /// State to be stored: as last read, whether current or not.
    pub(super) fn stored(&self) -> (State, Option<i64>, i64) {
        (self.last_known, self.raw, self.since.utc_us)
    }

    /// Whether its notifications bring only what changed.
    pub(super) fn brings_changes_only(&self) -> bool {
        matches!(self.map.protocol, Protocol::OpcUa(_))
    }
}
