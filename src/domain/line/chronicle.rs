//! What is written down of a line beside its minutes and events: stops, hours, shifts, batches, and the balance of its
//! material. Ties [`stop`](super::stop), [`batch`](super::batch), [`rollup`](super::rollup) and
//! [`balance`](super::balance) together; the tracker tells it what it reads.

use std::sync::Arc;

use super::balance::{Balance, Content, Miscount, SectionState, Sign, Suspect, Total};
use super::batch::hand::{Act, Did, Entry, Order, Refusal};
use super::batch::{BatchFollower, Settings, Verdict};
use super::counter::Baseline;
use super::event::Event;
use super::layout::{Layout, chain, sections, unbalanced};
use super::minute::Counted;
use super::output::LineState;
use super::rollup::{Booking, Books, OpenBatch, Rollup};
use super::state::{State, TimeClass};
use super::stop::key_cause::{KeyCause, Watch};
use super::stop::revision::{Part, Revision};
use super::stop::{Cause, Spent, Stop, StopLog};
use crate::units::{Count, HOUR_US, MINUTE_US, Moment, StationId, TagId};

/// The time in which the service was down is booked as unseen for at most so long.
const UNSEEN_AT_MOST_US: i64 = 31 * 24 * HOUR_US;

/// What an earlier run of the service had written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Number of the last stop, 0 for none.
    pub last_stop: u64,
    /// The stop that had not ended.
    pub open_stop: Option<Stop>,
    /// Periods that had not ended, and the hours of the last day and a half that had.
    pub rollups: Vec<Rollup>,
    /// The balance of material as it stood.
    pub balance: Vec<SectionState>,
    /// Up to when time was booked; none in a new journal.
    pub last: Option<Moment>,
    /// Whether that moment is of the present boot clock.
    pub same_boot: bool,
}

/// Stops of a span as recorded, and as people see them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StopRecord {
    /// As recorded, oldest first.
    pub stops: Vec<Stop>,
    /// With all revisions applied, oldest first.
    pub parts: Vec<Part>,
    /// The revisions that were applied, oldest first.
    pub revisions: Vec<Revision>,
}

/// A counter as last read, and what its ledger wrote down in a span.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterRecord {
    /// As last read.
    pub baseline: Baseline,
    /// Entries that were more than an ordinary step, with their numbers, oldest first.
    pub entries: Vec<(i64, Event)>,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Where.
    pub station: StationId,
    /// The counter, if it is one alone.
    pub tag: Option<TagId>,
    /// What, in a sentence.
    pub detail: String,
}

/// The chronicle of one line.
#[derive(Clone, Debug)]
pub struct Chronicle {
    layout: Layout,
    planned: Planned,
    log: StopLog,
    watch: Watch,
    /// Position of the machine that decides how the line is.
    decider: usize,
    batch_station: usize,
    follower: BatchFollower,
    books: Books,
    balance: Balance,
    judged: Option<Moment>,
    /// Whether the balance has to be kept anew.
    balance_changed: bool,
}

/// What the calendar says from one moment to another.
#[derive(Clone, Copy, Debug)]
struct Planned {
    from_us: i64,
    until_us: i64,
    planned: bool,
}

impl Chronicle {
    /// Begins, or goes on where an earlier run ended; the time between is unseen.
    pub fn new(layout: Layout, past: Past, now: Moment) -> Chronicle {
        let mut books = Books::new(layout.calendar.clone(), layout.keys());
        books.restore(&past.rollups, past.last.map(|last| last.utc_us));
        let log = match past.open_stop.clone() {
            Some(open) => StopLog::resume(open),
            None => StopLog::after(past.last_stop),
        };
        let mut chronicle = Chronicle {
            planned: Planned { from_us: 0, until_us: 0, planned: false },
            log,
            watch: Watch::new(chain(&layout)),
            decider: layout.counting.start,
            batch_station: layout.batch_station(),
            follower: BatchFollower::new(Settings::default(), books.batch().map(|open| open.id)),
            books,
            balance: Balance::new(sections(&layout)),
            judged: None,
            balance_changed: false,
            layout,
        };
        let counters = &chronicle.layout.counters;
        chronicle.balance.restore(&past.balance, |counter| counters[counter].tag.clone());
        if let Some(last) = past.last {
            chronicle.resume(last, past.same_boot, now);
        }
        chronicle
    }

    /// Goes on under another layout; `now` is up to when the line was followed. Stops, periods and the batch that are open stay
    /// so, and nothing is unseen.
    pub fn change(&mut self, layout: Layout, now: Moment) {
        let balance = self.balance.save(|counter| self.layout.counters[counter].tag.clone());
        let keys = layout.keys();
        self.books.rearrange(layout.calendar.clone(), keys, now.utc_us);
        self.watch.change(chain(&layout));
        let tells = |layout: &Layout| layout.stations[layout.batch_station()].station.clone();
        if tells(&layout) != tells(&self.layout) {
            let open = self.books.batch().map(|open| open.id);
            self.follower = BatchFollower::new(Settings::default(), open);
        }
        self.balance = Balance::new(sections(&layout));
        self.balance.restore(&balance, |counter| layout.counters[counter].tag.clone());
        self.planned = Planned { from_us: 0, until_us: 0, planned: false };
        (self.decider, self.batch_station) = (layout.counting.start, layout.batch_station());
        self.layout = layout;
    }

    /// Cuts the open stop where the record ends, and books the time since then as unseen.
    fn resume(&mut self, last: Moment, same_boot: bool, now: Moment) {
        if let Some(began) = self.log.cut(last) {
            self.books.fail(began);
        }
        let away_us = match same_boot {
            true => now.mono_us - last.mono_us,
            false => now.utc_us - last.utc_us,
        };
        let away_us = away_us.clamp(0, UNSEEN_AT_MOST_US);
        let from = Moment { utc_us: now.utc_us - away_us, mono_us: now.mono_us - away_us };
        let standing = LineState { station: self.decider, state: State::Unknown, reason: None };
        self.spend(from, now, &standing, |_| ());
    }

    /// Books how the line spent the time between two moments; spans follow each other without a hole.
    /// `each` gets it cut where the calendar begins or ends a planned stop.
    pub fn spend(
        &mut self,
        mut from: Moment,
        to: Moment,
        standing: &LineState,
        mut each: impl FnMut(&Spent),
    ) {
        let LineState { station, state, reason } = *standing;
        // What was read before the silence is the reason of an earlier stop, not of the silence.
        let reason = reason.filter(|_| state.time_class() != TimeClass::Unknown);
        self.decider = station;
        let map = &self.layout.stations[station];
        let side = reason.and_then(|code| map.flow.causes.get(&code).copied());
        let side = side.filter(|cause| cause.is_external());
        while from.mono_us < to.mono_us {
            let label_us = to.utc_us - (to.mono_us - from.mono_us);
            let planned = self.planned(label_us);
            let part_us = (to.utc_us - label_us).min(planned.until_us - label_us);
            let until = Moment { utc_us: label_us + part_us, mono_us: from.mono_us + part_us };
            let until = if until.mono_us == to.mono_us { to } else { until };
            let spent = Spent { from, to: until, state, side, reason, planned: planned.planned };
            if let Some(began) = self.log.follow(&spent) {
                self.books.fail(began);
            }
            self.books.spend(&spent);
            each(&spent);
            from = until;
        }
        self.blame(to);
    }

    fn planned(&mut self, utc_us: i64) -> Planned {
        if utc_us < self.planned.from_us || utc_us >= self.planned.until_us {
            let (planned, until_us) = self.layout.calendar.planned(utc_us);
            self.planned = Planned { from_us: utc_us, until_us, planned };
        }
        self.planned
    }

    /// Looks for the machine that the open stop comes from, as long as one may still be seen.
    fn blame(&mut self, now: Moment) {
        let Some(open) = self.log.open() else { return };
        let found = matches!(open.key, KeyCause::Station(_)) && open.cause != Cause::Unknown;
        if !found && self.watch.is_open(open.from, now) {
            let key = self.watch.key(self.decider, open.cause, open.from);
            self.log.blame(key);
        }
    }

    /// Notes the state of any station.
    pub fn state(&mut self, station: usize, state: State, at: Moment) {
        self.watch.note(station, state, at);
    }

    /// Notes the batch id of the line.
    pub fn batch(&mut self, id: &Arc<str>, at: Moment) {
        let verdict = self.follower.id(id, at);
        self.books.follow(&verdict, at);
    }

    /// Notes that a counter was reset which is reset with the batch of the line.
    pub fn reset(&mut self, at: Moment) {
        let verdict = self.follower.reset(at);
        self.books.follow(&verdict, at);
    }

    /// Books a count.
    pub fn count(&mut self, booking: &Booking) {
        self.books.count(booking);
    }

    /// Decides about batches after all of a reading were told.
    pub fn decide(&mut self, now: Moment) {
        let verdict = self.follower.decide(now);
        self.books.follow(&verdict, now);
    }

    /// Position of the machine whose batches are those of the line.
    pub fn batch_station(&self) -> usize {
        self.batch_station
    }

    /// Its counters by the names of their stations, in the order in which their counts are told.
    pub fn keys(&self) -> Vec<(StationId, Counted)> {
        self.layout.keys()
    }

    /// Whether the calendar plans that nothing is made at a moment.
    pub fn is_planned(&mut self, utc_us: i64) -> bool {
        self.planned(utc_us).planned
    }

    /// The batch that is open.
    pub fn open_batch(&self) -> Option<OpenBatch> {
        self.books.batch()
    }

    /// Carries out an order of a person; `at` is a reading up to which everything is booked. Whether the machine lets
    /// people decide is for the caller to know.
    ///
    /// # Errors
    /// The batch is open already, or none is, or another one.
    pub fn order(&mut self, order: &Order, at: Moment) -> Result<Entry, Refusal> {
        let open = self.books.batch();
        // Two periods must not begin in the same moment: they are known by it.
        let after_us = open.as_ref().map_or(0, |open| open.start_us + 1 - at.utc_us).max(0);
        let at = Moment { utc_us: at.utc_us + after_us, ..at };
        let (did, id, start_us, product, change) = match (&order.act, open) {
            (Act::Open { id, .. }, Some(open)) if open.id == *id => {
                return Err(Refusal::AlreadyOpen(open.id));
            }
            (Act::Open { id, product }, _) => {
                let change = self.follower.open(id.clone(), at);
                (Did::Opened, id.clone(), at.utc_us, product.clone(), change)
            }
            (Act::Close { .. }, None) => return Err(Refusal::NoneOpen),
            (Act::Close { id: Some(asked) }, Some(open)) if open.id != *asked => {
                return Err(Refusal::Other { asked: asked.clone(), open: open.id });
            }
            (Act::Close { .. }, Some(open)) => {
                (Did::Closed, open.id, open.start_us, "".into(), self.follower.close(at))
            }
        };
        self.books.follow(&Verdict::Change(change), at);
        Ok(Entry { did, id, start_us, at_us: at.utc_us, product, by: order.by.clone() })
    }

    /// Closes periods that ended by then. `unread` tells what a counter may have counted in a span besides what was read.
    pub fn close_until(&mut self, utc_us: i64, unread: impl Fn(usize, (i64, i64)) -> Count) {
        if self.books.is_due(utc_us) {
            self.books.close_until(utc_us, unread);
        }
    }

    /// Judges the balance of the line, once a minute of its clock. `totals` gives the total of each counter in capsules
    /// and when it was read, none where it is not current.
    pub fn judge(
        &mut self,
        now: Moment,
        totals: impl FnOnce() -> Vec<Option<Total>>,
    ) -> Vec<Alarm> {
        let due = self.judged.is_none_or(|judged| now.mono_us - judged.mono_us >= MINUTE_US);
        if !due {
            return Vec::new();
        }
        let found = self.balance.judge(&totals(), now.utc_us);
        if self.balance.is_judged(now.utc_us) {
            (self.judged, self.balance_changed) = (Some(now), true);
        }
        let suspects = self.balance.suspects();
        found.iter().map(|miscount| self.alarm(miscount, &suspects)).collect()
    }

    fn alarm(&self, miscount: &Miscount, suspects: &[Suspect]) -> Alarm {
        let (at_least, minutes) = (miscount.at_least, miscount.after_minutes);
        let section = self.balance.sections().nth(miscount.section);
        let of_section = |suspect: &&Suspect| {
            section.is_some_and(|section| {
                section.inlets.contains(&suspect.counter)
                    || section.outlets.iter().any(|outlet| outlet.counter == suspect.counter)
            })
        };
        let suspects: Vec<&Suspect> = suspects.iter().filter(of_section).collect();
        let words: Vec<String> = suspects
            .iter()
            .map(|suspect| {
                let way = if suspect.over { "too much" } else { "too little" };
                format!("{} counts {way}", self.layout.counters[suspect.counter].tag)
            })
            .collect();
        let place = section.map_or(0, |section| section.stations.0);
        let way = match miscount.sign {
            Sign::TooFull => "more went in than came out and has room",
            Sign::TooEmpty => "more came out than went in and was inside",
        };
        let station = match suspects[..] {
            [one] => self.layout.counters[one.counter].station,
            _ => place,
        };
        Alarm {
            station: self.layout.stations[station].station.clone(),
            tag: match suspects[..] {
                [one] => Some(self.layout.counters[one.counter].tag.clone()),
                _ => None,
            },
            detail: format!(
                "{way}, by at least {at_least} capsules within {minutes} min: {}",
                words.join(" or ")
            ),
        }
    }

    /// Hours, shifts and the batch as booked so far.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// What can be inside each section of [`sections`], none where it was not judged yet.
    pub fn contents(&self) -> Vec<Option<Content>> {
        (0..self.balance.sections().count()).map(|i| self.balance.content(i)).collect()
    }

    /// The sections of [`sections`] whose counts contradict each other, see [`unbalanced`].
    pub fn unbalanced(&self, count: impl Fn(usize) -> Option<Count>) -> Vec<Vec<String>> {
        unbalanced(&self.layout, self.balance.sections(), count)
    }

    /// The balance as it is to be kept, if it was judged since the last call.
    pub fn take_balance(&mut self) -> Option<Vec<SectionState>> {
        let name = |counter: usize| self.layout.counters[counter].tag.clone();
        let states = std::mem::take(&mut self.balance_changed).then(|| self.balance.save(name));
        states.filter(|states| !states.is_empty())
    }

    /// Stops and periods that changed since the last call, absolute.
    pub fn take(&mut self) -> (Vec<Stop>, Vec<Rollup>) {
        (self.log.take(), self.books.take())
    }
}
