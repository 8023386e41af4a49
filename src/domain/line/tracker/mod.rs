//! One line followed: snapshots in, events, minutes and a status out. The sole owner of the line's counters.

mod account;
mod at_rest;
mod carry;
mod change;
mod elapsed;
mod group;
mod hand;
mod odometer;
mod rounds;
mod show;
mod station;
mod tell;
mod weigh;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::line::balance::SectionState;
use crate::line::batch::hand::Entry;
use crate::line::calendar::Calendar;
use crate::line::chronicle::{Alarm, Chronicle, Plan};
use crate::line::counter::{Baseline, Cause, Counter, Delta, Sample};
use crate::line::event::{Event, EventKind};
use crate::line::minute::Minute;
use crate::line::output::Output;
use crate::line::rollup::{Booking, Rollup};
use crate::line::second::Seconds;
use crate::line::state::{State, TimeClass};
use crate::line::stop::Stop;
use crate::line::weighing::Sequence;
use crate::line::weight::Series;
use crate::plc_map::{OdometerLink, PlcMap, Role};
use crate::reading::{Outcome, Quality, Reading, Snapshot};
use crate::units::{Count, HOUR_US, LineId, Moment, SECOND_US, StationId, TagId};

use account::Account;
use group::Group;
use odometer::Shares;
use rounds::rounds;
use station::Station;
use tell::Told;

pub use carry::Carry;
pub use change::Onward;

/// Counts over a longer span are not booked into minutes but as a gap, in microseconds of real time.
const GAP_AFTER_US: i64 = 2 * SECOND_US;

/// An hour or a shift that is over waits so long for what a silent machine has made meanwhile.
const WAITS_US: i64 = 24 * HOUR_US;

/// Events kept for the screen.
const RECENT_EVENTS: usize = 20;

/// What a line is made of.
#[derive(Clone, Debug)]
pub struct LineModel {
    /// Identifier.
    pub id: LineId,
    /// Its machines, in the order of its devices. Never empty.
    pub stations: Vec<Arc<PlcMap>>,
    /// Positions of the machines whose good counters together are the output of the line: one, or several side by side.
    /// Never empty.
    pub counting: Range<usize>,
    /// Target rate of the whole line, capsules a minute.
    pub target_per_minute: u64,
    /// Its shifts.
    pub calendar: Calendar,
    /// How much faster than real time the line's clock runs: 1 in a plant.
    pub time_scale: f64,
}

impl LineModel {
    /// The machines that make the output of the line.
    pub fn output(&self) -> Output {
        let names = self.stations[self.counting.clone()].iter().map(|map| map.station.clone());
        Output::of(names.collect()).unwrap_or_else(|| Output::one(self.stations[0].station.clone()))
    }
}

/// What changed since the last take. Everything but the events is absolute.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Baselines of all counters.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Minutes that changed.
    pub minutes: Vec<Minute>,
    /// Their seconds.
    pub seconds: Vec<Seconds>,
    /// What happened.
    pub events: Vec<Event>,
    /// States as last read: station, state, code, since when (UTC µs).
    pub states: Vec<(StationId, State, Option<i64>, i64)>,
    /// Stops that began, changed or ended.
    pub stops: Vec<Stop>,
    /// Hours, shifts and batches that changed.
    pub rollups: Vec<Rollup>,
    /// Batches that people opened and closed.
    pub orders: Vec<Entry>,
    /// The balance of material, if it was judged.
    pub balance: Option<Vec<SectionState>>,
    /// The last number taken of each series of weights.
    pub weighings: Vec<(StationId, Series, Sequence)>,
    /// Up to when the time of the line is booked.
    pub booked_to: Moment,
}

/// A counter of the line and where it belongs.
struct Ledger {
    station: usize,
    tag: u16,
    id: TagId,
    counter: Counter,
    /// The odometer that rises with it.
    odometer: Option<OdometerLink>,
    told: Told,
}

/// A stop that has not ended.
struct OpenStop {
    /// Position of the machine that decides it.
    station: usize,
    from_us: i64,
    class: TimeClass,
    reason: String,
}

/// One line followed.
pub struct LineTracker {
    model: LineModel,
    stations: Vec<Station>,
    ledgers: Vec<Ledger>,
    account: Account,
    chronicle: Chronicle,
    group: Group,
    /// Up to when the time of the line is booked.
    booked_to: Moment,
    stop: Option<OpenStop>,
    orders: Vec<Entry>,
    events: Vec<Event>,
    /// How many of the events are among the recent ones.
    noted: usize,
    recent: VecDeque<Event>,
    polls: u64,
    missed_polls: u64,
    deltas: Vec<Delta>,
    /// How far the moment of the snapshot at hand may be off, in microseconds.
    off_us: i64,
}

/// What the chronicle has to know of a line.
fn plan(model: &LineModel) -> Plan {
    Plan::new(model.calendar.clone(), model.stations.clone(), model.counting.clone())
}

impl LineTracker {
    /// Starts to follow a line, from nothing or from what was carried over.
    pub fn new(model: LineModel, now: Moment, carry: Carry) -> LineTracker {
        let mut stations: Vec<Station> = model
            .stations
            .iter()
            .map(|map| Station::new(map.clone(), now, model.time_scale))
            .collect();
        let ledgers = carry::ledgers(&model, &mut stations, &carry, now);
        let plan = plan(&model);
        // The reason of the stop that lasts: the machine may have taken it back by the first reading.
        let told = carry.past.open_stop.as_ref().and_then(|stop| stop.reason);
        let chronicle = Chronicle::new(plan, carry.past, now);
        let keys = ledgers.iter().map(|ledger| carry::key(&model, ledger)).collect();
        let outputs = carry::outputs(&model, &ledgers);
        let mut account = Account::new(keys, outputs);
        account.restore(carry.minutes, &carry.seconds);
        for (id, state, raw, since_us) in &carry.states {
            if let Some(station) = stations.iter_mut().find(|station| station.map.station == *id) {
                station.restore(*state, *raw, *since_us, now);
            }
        }
        for (id, series, last) in &carry.weighings {
            if let Some(station) = stations.iter_mut().find(|station| station.map.station == *id) {
                station.resume_weighing(*series, *last);
            }
        }
        let stop = group::standing(&model, &stations).map(|(station, class, from_us)| OpenStop {
            station,
            from_us,
            class,
            reason: told.map_or_else(String::new, |code| {
                let named = model.stations[station].stop_reasons.get(&code);
                named.map_or_else(|| format!("code {code}"), |title| title.en.to_string())
            }),
        });
        LineTracker {
            group: Group::new(model.counting.clone(), &stations, now),
            recent: carry.events.into_iter().take(RECENT_EVENTS).collect(),
            model,
            stations,
            ledgers,
            account,
            chronicle,
            booked_to: now,
            stop,
            orders: Vec::new(),
            events: Vec::new(),
            noted: 0,
            polls: 0,
            missed_polls: 0,
            deltas: Vec::new(),
            off_us: 0,
        }
    }

    /// Takes one snapshot, in the order of arrival.
    pub fn advance(&mut self, snapshot: &Snapshot) {
        let index = usize::from(snapshot.device);
        if index >= self.stations.len() {
            return;
        }
        let (polls, at) = (u64::from(snapshot.polls), snapshot.taken_at);
        let half_us = f64::from(snapshot.round_trip_us) / 2.0;
        self.off_us = (half_us * self.model.time_scale.max(1.0)).ceil() as i64;
        match &snapshot.outcome {
            Outcome::Missed(miss) => {
                self.missed_polls += polls;
                self.account.poll(at.utc_us, 0, polls);
                self.stations[index].miss(snapshot.group, *miss);
                self.miss_counters(index, snapshot.group);
            }
            Outcome::Taken(readings) => {
                self.polls += polls;
                self.account.poll(at.utc_us, polls, 0);
                self.take(index, snapshot.group, readings, at);
            }
        }
        self.note_events();
    }

    fn miss_counters(&mut self, station: usize, group: u16) {
        let map = self.stations[station].map.clone();
        let of_group = |ledger: &&mut Ledger| {
            ledger.station == station && map.tags[usize::from(ledger.tag)].group == group
        };
        self.ledgers.iter_mut().filter(of_group).for_each(|ledger| ledger.counter.missed());
    }

    fn take(&mut self, index: usize, group: u16, readings: &[Reading], at: Moment) {
        // Silence is noticed here too, so that nothing depends on how often the time is checked.
        self.stations[index].check(at, &mut self.events);
        let heard = self.stations[index].heard;
        if self.stations[index].hear(at, &mut self.events) {
            // Counts over the silence are a gap, whether or not polls were reported as missed in it.
            let of_station = |ledger: &&mut Ledger| ledger.station == index;
            self.ledgers.iter_mut().filter(of_station).for_each(|ledger| ledger.counter.missed());
        }
        let mut rounds = rounds(readings, heard, at).peekable();
        while let Some((round, at)) = rounds.next() {
            self.take_round(index, group, round, at, heard);
            if rounds.peek().is_none() && self.stations[index].brings_changes_only() {
                self.confirm(index, group, readings, at);
            }
        }
    }

    /// Takes readings of one moment: no tag is among them twice. `heard` is when the station was heard before.
    fn take_round(
        &mut self,
        index: usize,
        group: u16,
        readings: &[Reading],
        at: Moment,
        heard: Option<Moment>,
    ) {
        let is_counting = self.model.counting.contains(&index);
        let tells_batch = index == self.chronicle.batch_station();
        if is_counting {
            // The state before holds until this reading, unless it was not watched for too long to say so.
            let silence_us = heard.map_or(i64::MAX, |heard| at.mono_us - heard.mono_us);
            let watched = silence_us <= self.stations[index].stale_after_us;
            let state = if watched { self.stations[index].state() } else { State::Unknown };
            self.spend(index, state, at);
        }
        let station = &mut self.stations[index];
        station.begin_evidence(group, at);
        for reading in readings {
            station.read(reading, at, &mut self.events);
        }
        station.feel_pulse(at, &mut self.events);
        self.chronicle.state(index, station.state(), at);
        let before = if tells_batch { self.chronicle.open_batch() } else { None };
        if tells_batch && let Some(id) = station.batch_told(readings) {
            self.chronicle.batch(id, at);
        }
        self.count(index, readings, at);
        self.weigh(index, group, readings, at);
        if is_counting {
            self.chronicle.decide(at);
            self.tell_taken_over(before, at.utc_us);
            self.follow_stop();
        }
    }

    fn count(&mut self, index: usize, readings: &[Reading], at: Moment) {
        let shares = self.shares(index, readings);
        for reading in readings {
            let station = &mut self.stations[index];
            let tag = usize::from(reading.tag);
            let Some(Some(ledger)) = station.counter_of.get(tag).copied() else { continue };
            let bits = station.map.tags[tag].encoding.kind.bits();
            let value = reading.value.as_counter(bits).filter(|_| reading.quality != Quality::Bad);
            station.held[tag] = value;
            match value {
                Some(value) => self.sample(ledger, value, reading.source_us, at, shares),
                None => self.ledgers[ledger].counter.missed(),
            }
        }
    }

    /// A notification confirms the values it does not mention: they have not changed.
    fn confirm(&mut self, index: usize, group: u16, readings: &[Reading], at: Moment) {
        for position in 0..self.ledgers.len() {
            let ledger = &self.ledgers[position];
            let (station, tag) = (ledger.station, usize::from(ledger.tag));
            let mentioned = || readings.iter().any(|reading| usize::from(reading.tag) == tag);
            if station != index || self.stations[index].map.tags[tag].group != group || mentioned()
            {
                continue;
            }
            if let Some(value) = self.stations[index].held[tag] {
                self.sample(position, value, None, at, None);
            }
        }
    }

    fn sample(
        &mut self,
        position: usize,
        value: u64,
        source_us: Option<i64>,
        at: Moment,
        shares: Option<Shares>,
    ) {
        let mut evidence = self.stations[self.ledgers[position].station].evidence();
        (evidence.odometer, evidence.bounds) = self.bounds(position, value, at, shares);
        let mut deltas = std::mem::take(&mut self.deltas);
        let counter = &mut self.ledgers[position].counter;
        let off_us = self.off_us;
        counter.sample(&Sample { at, off_us, source_us, value, evidence }, &mut deltas);
        for delta in deltas.drain(..) {
            self.book(position, &delta, at);
        }
        self.deltas = deltas;
    }

    /// Books a delta into minutes, or as a gap, and says so where it was not an ordinary step.
    fn book(&mut self, position: usize, delta: &Delta, at: Moment) {
        let longest_us = (GAP_AFTER_US as f64 * self.model.time_scale.max(1.0)) as i64;
        let apart = delta.to.mono_us - delta.from.mono_us > longest_us && !delta.count.is_zero();
        let ledger = &self.ledgers[position];
        let count = self.model.stations[ledger.station].capsules(ledger.tag, delta.count);
        if !apart {
            self.account.book(position, delta.from, delta.to, count);
        }
        let resets = ledger.station == self.chronicle.batch_station()
            && ledger.counter.settings().resets.batch;
        let reset = resets && delta.cause == Cause::Reset;
        if reset {
            self.chronicle.reset(delta.to);
        }
        let (from, to) = (delta.from, delta.to);
        self.counted_at_rest(position, delta, count);
        self.chronicle.count(&Booking { counter: position, from, to, count, gap: apart, reset });
        self.tell(position, delta, apart, count, at);
    }

    /// Opens and ends the stop of the line as its class of time changes.
    pub(super) fn follow_stop(&mut self) {
        self.follow_group();
        let Some(standing) = self.standing() else { return };
        let station = standing.station;
        let status = self.stations[station].state_status();
        let named = status.stop_title.as_ref().map(|title| title.en.to_string());
        let reason =
            named.or(status.stop_reason.map(|code| format!("code {code}"))).unwrap_or_default();
        match (&mut self.stop, standing.state.time_class()) {
            // While the state is unknown nothing is opened or ended: the stop may or may not go on.
            (_, TimeClass::Unknown) | (None, TimeClass::Run) => {}
            (None, class) => {
                // Of several machines it began when the last one stopped, and that may have been some readings ago.
                let from_us = match self.model.counting.len() {
                    1 => status.since_us,
                    _ => self.booked_to.utc_us,
                };
                self.stop = Some(OpenStop { station, from_us, class, reason });
            }
            (Some(_), TimeClass::Run) => self.end_stop(),
            (Some(stop), _) if stop.reason.is_empty() => stop.reason = reason,
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

    /// Notes that time has passed: silence is noticed and minutes are closed. Call it a few times a second.
    pub fn check(&mut self, now: Moment) {
        for station in &mut self.stations {
            station.check(now, &mut self.events);
        }
        for index in self.model.counting.clone() {
            if !self.stations[index].is_up() {
                self.spend(index, State::Unknown, now);
            }
        }
        self.follow_group();
        self.weigh_nothing(now);
        // A minute closes when the time in it is booked and no reading of it can still be on its way.
        let lateness_us =
            self.stations.iter().map(|station| station.stale_after_us).max().unwrap_or(0);
        let done_us = (now.utc_us - lateness_us).min(self.booked_to.utc_us);
        self.account.close_until(done_us);
        // What a silent machine makes is known when it is heard again, and may be of an hour or a shift that is over.
        self.chronicle.close_until(done_us.min(self.unread_since_us(now)));
        let before = self.chronicle.open_batch();
        self.chronicle.decide(now);
        self.tell_taken_over(before, now.utc_us);
        for (index, station) in self.stations.iter().enumerate() {
            self.chronicle.state(index, station.state(), now);
        }
        self.judge_balance(now);
        self.tell_waiting(now);
        self.note_events();
    }

    /// Since when it is not known what a counter that is not read has counted, in UTC microseconds; now where there is none. Nobody waits longer than [`WAITS_US`] for a machine that may be gone for
    /// good.
    fn unread_since_us(&self, now: Moment) -> i64 {
        let silent =
            self.ledgers.iter().filter(|ledger| !self.stations[ledger.station].reads(ledger, now));
        let unread = silent
            .filter_map(|ledger| Some(now.mono_us - ledger.counter.known_to()?.mono_us))
            .filter(|us| *us <= WAITS_US);
        now.utc_us - unread.max().unwrap_or(0)
    }

    /// Judges the balance of material and says which sensor contradicts it.
    fn judge_balance(&mut self, now: Moment) {
        let (ledgers, stations) = (&self.ledgers, &self.stations);
        let totals = || ledgers.iter().map(|l| stations[l.station].current_total(l, now)).collect();
        for Alarm { station, tag, detail } in self.chronicle.judge(now, totals) {
            self.events.push(Event {
                at_us: now.utc_us,
                from_us: None,
                kind: EventKind::Alarm,
                station: Some(station),
                tag,
                word: "miscount".into(),
                count: None,
                detail,
            });
        }
    }

    /// Keeps the new events for the screen too.
    fn note_events(&mut self) {
        for event in &self.events[self.noted..] {
            self.recent.push_front(event.clone());
        }
        self.noted = self.events.len();
        self.recent.truncate(RECENT_EVENTS);
    }

    /// Adds an event that the service noticed.
    pub fn note(&mut self, event: Event) {
        self.events.push(event);
        self.note_events();
    }

    /// All that must be stored now.
    pub fn take_changes(&mut self) -> Changes {
        let baseline = |ledger: &Ledger| Some((ledger.id.clone(), ledger.counter.baseline()?));
        self.noted = 0;
        let state = |station: &Station| {
            let (state, raw, since_us) = station.stored();
            (station.map.station.clone(), state, raw, since_us)
        };
        let (stops, rollups) = self.chronicle.take();
        let (minutes, seconds) = self.account.take_minutes();
        Changes {
            stops,
            rollups,
            weighings: self.weighings(),
            booked_to: self.booked_to,
            orders: std::mem::take(&mut self.orders),
            balance: self.chronicle.take_balance(),
            baselines: self.ledgers.iter().filter_map(baseline).collect(),
            minutes,
            seconds,
            events: std::mem::take(&mut self.events),
            states: self.stations.iter().map(state).collect(),
        }
    }

    /// Good capsules counted since the journal began, with what an undecided reading may still add.
    pub fn total(&self) -> Count {
        let total = |ledger: &Ledger| {
            let counts = ledger.counter.total() + ledger.counter.undecided();
            self.model.stations[ledger.station].capsules(ledger.tag, counts)
        };
        self.outputs().map(total).sum()
    }

    /// Good capsules that the counting machines among `silent` may have made from their last reading until `now` and that
    /// are in no count yet.
    pub fn unseen(&self, silent: &[StationId], now: Moment) -> Count {
        let is_silent =
            |ledger: &&Ledger| silent.contains(&self.model.stations[ledger.station].station);
        let unseen = |ledger: &Ledger| {
            let map = &self.model.stations[ledger.station];
            map.capsules(ledger.tag, ledger.counter.unseen(now))
        };
        self.outputs().filter(is_silent).map(unseen).sum()
    }

    /// The counters that together are the output of the line.
    fn outputs(&self) -> impl Iterator<Item = &Ledger> {
        self.account.outputs.iter().filter_map(|position| self.ledgers.get(*position))
    }

    fn role(&self, ledger: &Ledger) -> &Role {
        &self.model.stations[ledger.station].tags[usize::from(ledger.tag)].role
    }

    /// Total of any counter of the line since the journal began.
    pub fn total_of(&self, tag: &TagId) -> Option<Count> {
        self.ledgers.iter().find(|ledger| ledger.id == *tag).map(|ledger| ledger.counter.total())
    }

    /// What the line is made of.
    pub fn model(&self) -> &LineModel {
        &self.model
    }

    /// Polls that brought readings, and polls that did not, since the service started.
    pub fn polls(&self) -> (u64, u64) {
        (self.polls, self.missed_polls)
    }

    /// Whether every device was heard at least once.
    pub fn all_heard(&self) -> bool {
        self.stations.iter().all(|station| station.heard.is_some())
    }
}
