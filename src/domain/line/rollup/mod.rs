//! Hours, shifts and batches: what was counted in a period and how its time was spent, added up as it happens.
//!
//! - A reading belongs to the period in which it was taken. What was made in one poll across a border is thereby at
//!   most one poll late; what was made in a longer gap is divided among the periods by their busy time, largest
//!   remainder first, so that the best values add up to the whole, and each part is `[0, all of it]`. A period that ends
//!   in a silence therefore stays open until the machine is heard again, but for a day at most. Then it is closed with what
//!   may have been made in its part of the silence as a doubt, and what comes later may be of it wholly or in part.
//! - Time is that of the boot clock, labelled at the end of each span: the classes of a period add up to the time that
//!   passed in it, also when the wall clock steps or the day has 23 or 25 hours.
//! - A period is a sum of plain numbers: sums of periods are sums of these, never means of their KPIs.

mod books;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::batch::Remark;
use super::minute::{Tally, TimeSplit, sum};
use super::state::TimeClass;
use super::stop::Spent;
use crate::line::minute::Counted;
use crate::line::output::Stations;
use crate::line::state::State;
use crate::units::{Count, MINUTE_US};

pub use books::{Booking, Books, OpenBatch, Period};

/// What a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodKind {
    /// A clock hour of the plant.
    Hour,
    /// A shift.
    Shift,
    /// A batch.
    Batch,
}

impl PeriodKind {
    /// All kinds.
    pub const ALL: [PeriodKind; 3] = [PeriodKind::Hour, PeriodKind::Shift, PeriodKind::Batch];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            PeriodKind::Hour => "hour",
            PeriodKind::Shift => "shift",
            PeriodKind::Batch => "batch",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<PeriodKind> {
        PeriodKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// How the time of a period was spent. All times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spending {
    /// By class; adds up to the time that passed.
    pub time: TimeSplit,
    /// Part of the planned time in which the machine was set up or changed over.
    pub setup_us: i64,
    /// Part of the planned time in which the machine did something else than was planned: ran, broke down, was not
    /// seen.
    pub overlap_us: i64,
    /// Time in which a batch was open.
    pub order_us: i64,
    /// Stops for a cause inside the machine that began.
    pub failures: u64,
}

impl Spending {
    /// Adds the length of a span; `order` says whether a batch was open.
    pub fn add(&mut self, spent: &Spent, us: i64, order: bool) {
        self.time.add(spent.class(), us);
        if spent.state == State::Setup && !spent.planned {
            self.setup_us += us;
        }
        if spent.overlaps() {
            self.overlap_us += us;
        }
        if order {
            self.order_us += us;
        }
    }

    /// Adds all of another period.
    pub fn merge(&mut self, other: &Spending) {
        self.time.merge(&other.time);
        self.setup_us += other.setup_us;
        self.overlap_us += other.overlap_us;
        self.order_us += other.order_us;
        self.failures += other.failures;
    }

    /// Time that is recorded at all, known or not. What is missing to the length of the period was before the service ran
    /// for the first time.
    pub fn recorded_us(&self) -> i64 {
        self.time.total()
    }

    /// What a target rate asks for in the recorded time: of the time before, nobody can ask anything.
    pub fn target(&self, per_minute: u64) -> u64 {
        asked(per_minute, self.recorded_us())
    }

    /// Share of a time that is known, 0 to 1; none of no time. What is not recorded is not known, and neither is what a
    /// step of the wall clock jumped over.
    pub fn known_share(&self, passed_us: i64) -> Option<f64> {
        let recorded_us = self.recorded_us();
        let known_us = self.time.known();
        let passed_us = passed_us.max(recorded_us);
        (passed_us > 0).then(|| known_us as f64 / passed_us as f64)
    }

    /// Time in which the machine was there to produce or to be set up: all but what was planned otherwise.
    pub fn busy_us(&self) -> i64 {
        self.time.total() - self.time.of(TimeClass::Planned) + self.setup_us
    }
}

/// What a counter that is not read at the moment may have counted since it was: from nothing to what its machine can make.
/// It is in no record yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Of which counter, and how many.
    pub tally: Tally,
    /// Up to when all that it counted is known, UTC microseconds.
    pub since_us: i64,
}

impl Unread {
    /// Whether part of it can have been made before a moment; always where there is no end.
    pub fn is_before(&self, end_us: Option<i64>) -> bool {
        end_us.is_none_or(|end_us| self.since_us < end_us)
    }
}

/// A period of a line, absolute. It is identified by its kind and its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// What it is.
    pub kind: PeriodKind,
    /// Name of the shift, id of the batch, empty for an hour.
    pub name: Arc<str>,
    /// Start in UTC microseconds.
    pub start_us: i64,
    /// End in UTC microseconds; none for a batch that is open.
    pub end_us: Option<i64>,
    /// Raised whenever a period that was already stored changes.
    pub rev: u32,
    /// Whether it is over and will not change.
    pub closed: bool,
    /// How the borders of a batch are known, none for other periods.
    pub remark: Option<Remark>,
    /// Whether part of a count was divided by estimate.
    pub estimated: bool,
    /// How its time was spent.
    pub spending: Spending,
    /// All counts, gaps included, of the counters that counted anything.
    pub counts: Vec<Tally>,
    /// The part of the counts that is known for gaps only as a whole.
    pub gaps: Vec<Tally>,
}

impl Rollup {
    /// Length of the part of it that lies before a moment, in microseconds of UTC.
    pub fn passed_us(&self, now_us: i64) -> i64 {
        (self.end_us.unwrap_or(now_us).min(now_us) - self.start_us).max(0)
    }

    /// Length of the passed part of which nothing was recorded, in microseconds.
    pub fn unrecorded_us(&self, now_us: i64) -> i64 {
        (self.passed_us(now_us) - self.spending.recorded_us()).max(0)
    }

    /// Whether anything of it was read at the station that counts the line. If not, its counts are not known: they are no
    /// zeros, and a doubt alone is no count.
    pub fn was_read(&self) -> bool {
        self.spending.time.known() > 0 || self.counts.iter().any(|tally| tally.count.best() > 0)
    }

    /// Whether something unread may belong to it: it is not closed, and was not over by the last reading.
    pub fn takes(&self, unread: &Unread) -> bool {
        !self.closed && unread.is_before(self.end_us)
    }

    /// The same counts with what of the unread may belong to it.
    #[must_use]
    pub fn with_unread(&self, unread: &[Unread]) -> Rollup {
        let mut with = self.clone();
        for Unread { tally: more, .. } in unread.iter().filter(|unread| self.takes(unread)) {
            let is_it =
                |tally: &&mut Tally| tally.station == more.station && tally.counted == more.counted;
            match with.counts.iter_mut().find(is_it) {
                Some(tally) => tally.count += more.count,
                None => with.counts.push(more.clone()),
            }
        }
        with
    }

    /// What stations counted of a kind, zero where they counted nothing.
    pub fn count(&self, stations: &impl Stations, counted: &Counted) -> Count {
        sum(&self.counts, stations, |one| one == counted)
    }

    /// All rejects of stations.
    pub fn rejected(&self, stations: &impl Stations) -> Count {
        sum(&self.counts, stations, Counted::is_reject)
    }
}

/// What a rate asks for in a time, in whole capsules. The time is that between readings and known to a tenth of a second: an
/// hour of 3,599.99 s asks for as much as any other.
pub fn asked(per_minute: u64, us: i64) -> u64 {
    let rounded = |x: i128, unit: i128| x.saturating_add(unit / 2).div_euclid(unit);
    let (minute_us, tenth_us) = (i128::from(MINUTE_US), i128::from(TENTH_US));
    let us = rounded(i128::from(us.max(0)), tenth_us) * tenth_us;
    let capsules = rounded(us.saturating_mul(i128::from(per_minute)), minute_us);
    u64::try_from(capsules).unwrap_or(u64::MAX)
}

/// A tenth of a second.
const TENTH_US: i64 = 100_000;
