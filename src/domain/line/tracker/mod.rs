//! One line followed: snapshots in, events, minutes and a status out. The sole owner of the line's counters.

mod account;
mod at_rest;
mod carry;
mod change;
mod confirm;
mod count;
mod elapsed;
mod group;
mod hand;
mod inflow;
mod odometer;
mod rounds;
mod show;
mod station;
mod stop;
mod tell;
mod unread;
mod weigh;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::line::balance::SectionState;
use crate::line::batch::hand::Entry;
use crate::line::calendar::Calendar;
use crate::line::chronicle::{Alarm, Chronicle};
use crate::line::counter::{Baseline, Counter, Delta};
use crate::line::event::{Event, EventKind};
use crate::line::layout::Layout;
use crate::line::minute::Minute;
use crate::line::output::Output;
use crate::line::rollup::Rollup;
use crate::line::second::Seconds;
use crate::line::state::State;
use crate::line::stop::Stop;
use crate::line::weighing::Sequence;
use crate::line::weight::Series;
use crate::plc_map::{OdometerLink, PlcMap};
use crate::reading::{Outcome, Reading, Snapshot};
use crate::units::{LineId, Moment, SECOND_US, StationId, TagId};

use account::Account;
use group::Group;
use rounds::rounds;
use station::Station;
use stop::OpenStop;
use tell::Told;

pub use carry::Carry;
pub use change::Onward;

/// Counts over a longer span are not booked into minutes but as a gap, in microseconds of real time.
const GAP_AFTER_US: i64 = 2 * SECOND_US;

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
    /// A stop that is shorter is a micro-stop, in microseconds of the line's clock.
    pub micro_stop_us: i64,
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

/// A span of real time by the clock of a line that runs so much faster, in microseconds.
fn scaled(us: i64, time_scale: f64) -> i64 {
    (us as f64 * time_scale.max(1.0)) as i64
}

/// What the chronicle has to know of a line.
fn layout(model: &LineModel) -> Layout {
    Layout::new(model.calendar.clone(), model.stations.clone(), model.counting.clone())
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
        let layout = layout(&model);
        // The reason of the stop that lasts: the machine may have taken it back by the first reading.
        let told = carry.past.open_stop.as_ref().and_then(|stop| stop.reason);
        let last = carry.past.last.map_or(now.utc_us, |last| last.utc_us);
        let chronicle = Chronicle::new(layout, carry.past, now);
        let keys: Vec<_> = ledgers.iter().map(|ledger| carry::key(&model, ledger)).collect();
        debug_assert_eq!(keys, chronicle.keys(), "a count is booked by its position in both");
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
        let stop = OpenStop::resume(&model, &stations, told);
        LineTracker {
            group: Group::new(&model, &stations, (last, now)),
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
        // Of machines side by side, the reading of another one may bring what was waited for.
        let before = if is_counting { self.chronicle.open_batch() } else { None };
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
        self.close_periods(done_us.min(self.unread_since_us(now)), now);
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

    /// What the line is made of.
    pub fn model(&self) -> &LineModel {
        &self.model
    }

    /// Polls that brought readings, and polls that did not, since the service started.
    pub fn polls(&self) -> (u64, u64) {
        (self.polls, self.missed_polls)
    }

    /// Whether every device was heard and every counter has a value to count from. A device is heard with its first answer,
    /// which may be one of a poll group without counters.
    pub fn all_counting(&self) -> bool {
        self.stations.iter().all(|station| station.heard.is_some())
            && self.ledgers.iter().all(|ledger| ledger.counter.baseline().is_some())
    }
}
