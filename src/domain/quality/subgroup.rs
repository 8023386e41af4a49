//! Minutes joined into subgroups, one minute at a time and with a bounded memory.
//!
//! Subgroups begin at whole multiples of their length. A subgroup of which a minute is missing, unwatched or doubtful
//! is incomplete: it is told, plotted hollow, and neither estimates nor is judged. A count that was inferred across a
//! gap must not move a limit.

use super::characteristic::{BatchPolicy, Characteristic, Measure, STARTUP_DISCARD};
use super::counter_units::CounterUnits;
use crate::line::minute::{Counted, Minute, Tally};
use crate::line::output::Stations;
use crate::line::state::TimeClass;
use crate::line::weight::{Account, Moments, Series};
use crate::units::{Count, MINUTE_US, SECOND_US};

/// A minute counts as watched when no more than this of it is unknown.
const UNWATCHED_US: i64 = SECOND_US / 10;

/// Running time of a subgroup below which a speed says nothing.
const LEAST_RUN_US: i64 = 30 * SECOND_US;

/// Weights of an interval below which their mean says nothing: those of a second or so at a start.
const LEAST_WEIGHED: u64 = 100;

/// One subgroup.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgroup {
    /// Start, UTC microseconds.
    pub start_us: i64,
    /// Rejects that are charted.
    pub count: Count,
    /// Capsules, or what the counters count instead, judged by the station; or capsules weighed.
    pub size: Count,
    /// The value of a chart of measurements.
    pub value: Option<f64>,
    /// Its weights, for a chart of weights.
    pub moments: Moments,
    /// Share of its time that is known, 0 to 1; a missing minute is unknown.
    pub coverage: f64,
    /// Time running, in microseconds.
    pub run_us: i64,
    /// Whether it may estimate and be judged.
    pub fitness: Fitness,
    /// How it follows on the one before.
    pub follows: Follows,
}

/// Whether a subgroup may estimate and be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// Watched throughout, with exact counts.
    Whole,
    /// Nothing was made: a stop. A gap of the chart.
    Empty,
    /// A minute is missing, unwatched or its counts are not exact; or weights are known to be missing.
    Incomplete,
    /// It holds the start after a break. Plotted, but neither estimating nor judged.
    StartUp,
}

/// How a subgroup follows on the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Follows {
    /// Runs and moving ranges go on.
    On,
    /// They end: a hole in time, a long stop, a change of batch.
    Break,
    /// Estimates start afresh too.
    Stage,
}

impl Fitness {
    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Fitness::Whole => "whole",
            Fitness::Empty => "empty",
            Fitness::Incomplete => "incomplete",
            Fitness::StartUp => "start_up",
        }
    }
}

impl Follows {
    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Follows::On => "on",
            Follows::Break => "break",
            Follows::Stage => "stage",
        }
    }
}

impl Subgroup {
    /// The fraction, or the value; none when nothing was judged.
    pub fn stat(&self) -> Option<f64> {
        let fraction = || {
            let size = self.size.best();
            // Weights that are too few for a mean are no fraction either.
            (size > 0 && self.moments.n() == 0).then(|| self.count.best() as f64 / size as f64)
        };
        self.value.or_else(fraction)
    }

    /// Whether it may estimate and be judged.
    pub fn is_whole(&self) -> bool {
        self.fitness == Fitness::Whole
    }
}

/// Makes subgroups from closed minutes that come in order.
#[derive(Clone, Debug)]
pub struct Subgrouper {
    measure: Measure,
    length_us: i64,
    break_after_us: i64,
    startup_us: i64,
    batch: BatchPolicy,
    startup_discards: bool,
    units: CounterUnits,
    open: Option<Open>,
    /// When the next minute is expected; none before the first.
    next_us: Option<i64>,
    /// Time the line has been standing without a whole minute of running.
    standing_us: i64,
    /// Running time that is still a start-up.
    startup_left_us: i64,
    follows: Follows,
}

/// A subgroup that is filling.
#[derive(Clone, Debug)]
struct Open {
    start_us: i64,
    count: Count,
    size: Count,
    moments: Moments,
    within: Within,
    account: Account,
    known_us: i64,
    run_us: i64,
    n_whole: i64,
    startup: bool,
    follows: Follows,
}

/// What varies within the minutes of a subgroup. What drifts from minute to minute moves the mean, has a chart of its own,
/// and would make the spread of an hour a skewed number of few degrees of freedom.
#[derive(Clone, Copy, Debug, Default)]
struct Within {
    degrees: f64,
    /// Sum of squares about the means of the minutes, in mg².
    squares: f64,
}

impl Within {
    fn add(&mut self, minute: Moments) {
        if let Some(sd) = minute.sd_mg() {
            let degrees = (minute.n() - 1) as f64;
            self.degrees += degrees;
            self.squares += degrees * sd * sd;
        }
    }

    /// `√(Σ (n-1) s² / Σ (n-1))` over the minutes, in milligrams.
    fn sd_mg(&self) -> Option<f64> {
        (self.degrees > 0.0).then(|| (self.squares / self.degrees).sqrt())
    }
}

impl Subgrouper {
    /// A subgrouper that has seen nothing.
    pub fn new(characteristic: &Characteristic) -> Subgrouper {
        Subgrouper {
            measure: characteristic.measure.clone(),
            length_us: characteristic.subgroup_us().max(MINUTE_US),
            break_after_us: characteristic.break_after_us,
            startup_us: characteristic.startup_us,
            batch: characteristic.batch,
            startup_discards: characteristic.startup_discards,
            units: characteristic.units.clone(),
            open: None,
            next_us: None,
            standing_us: 0,
            startup_left_us: 0,
            follows: Follows::On,
        }
    }

    /// When the subgroup of a moment begins.
    pub fn start_of(&self, at_us: i64) -> i64 {
        at_us.div_euclid(self.length_us) * self.length_us
    }

    /// Takes the next closed minute and hands out the subgroups that it ends: none, one, or two when it leaves a hole
    /// and is itself the last of its subgroup. `batch_changed` says whether a batch began within the minute. A minute
    /// that is not later than the one before changes nothing: corrections go through [`super::monitor`].
    pub fn push(&mut self, minute: &Minute, batch_changed: bool, mut out: impl FnMut(Subgroup)) {
        if self.next_us.is_some_and(|next_us| minute.start_us < next_us) {
            return;
        }
        if self.next_us.is_some_and(|next_us| minute.start_us > next_us) {
            self.follows = self.follows.max(Follows::Break);
            self.standing_us = 0;
        }
        let start_us = self.start_of(minute.start_us);
        if self.open.as_ref().is_some_and(|open| open.start_us != start_us) {
            self.close(&mut out);
        }
        if batch_changed {
            let follows =
                if self.batch == BatchPolicy::Stage { Follows::Stage } else { Follows::Break };
            self.follows = self.follows.max(follows);
        }
        self.follow_stop(minute);
        self.add(minute, start_us);
        self.next_us = Some(minute.start_us + MINUTE_US);
        if minute.start_us + MINUTE_US >= start_us + self.length_us {
            self.close(&mut out);
        }
    }

    /// Minutes tell how long the line stood, not in which order: a stop is taken to be as long as its whole minutes
    /// and the standing parts of the two at its ends allow.
    fn follow_stop(&mut self, minute: &Minute) {
        let run_us = minute.time.of(TimeClass::Run);
        let unknown_us = minute.time.of(TimeClass::Unknown);
        self.standing_us += (minute.time.total() - run_us - unknown_us).max(0);
        if run_us == 0 {
            return;
        }
        if self.standing_us > self.break_after_us {
            self.follows = self.follows.max(Follows::Break);
            self.startup_left_us = self.startup_us;
        }
        // A minute that ran and then stood may be the first of the next stop.
        self.standing_us = (minute.time.total() - run_us - unknown_us).max(0);
    }

    fn add(&mut self, minute: &Minute, start_us: i64) {
        let rejected = self.rejected(minute);
        let judged = rejected + self.counted(minute, |one| *one == Counted::Good);
        let count = match &self.measure {
            Measure::RejectFraction { .. } => rejected,
            Measure::Reject { reason, .. } => {
                self.counted(minute, |one| *one == Counted::Reject(reason.clone()))
            }
            Measure::Speed { .. } => judged,
            Measure::Weight { .. } | Measure::WeightDeviation { .. } => Count::ZERO,
        };
        let series = self.measure.series();
        let weighed = series.map(|series| minute.weighed(self.measure.station(), series));
        let run_us = minute.time.of(TimeClass::Run);
        let unknown_us = minute.time.of(TimeClass::Unknown);
        let known_us = minute.time.total() - unknown_us;
        let exact = weighed.is_some() || judged.is_exact() && count.is_exact();
        let whole = known_us >= MINUTE_US - UNWATCHED_US && exact;
        let follows = std::mem::replace(&mut self.follows, Follows::On);
        let startup = self.startup_left_us > 0 && run_us > 0;
        self.startup_left_us = (self.startup_left_us - run_us).max(0);
        let open = self.open.get_or_insert_with(|| Open::at(start_us));
        open.follows = open.follows.max(follows);
        open.count += count;
        match weighed {
            Some((moments, account)) => {
                open.size += Count::exact(moments.n());
                open.moments = open.moments + moments;
                open.within.add(moments);
                open.account = open.account + account;
            }
            None => open.size += judged,
        }
        open.known_us += known_us;
        open.run_us += run_us;
        open.n_whole += i64::from(whole);
        open.startup |= startup;
    }

    /// Rejects that say something of the process. What a machine ejects after each start, whatever its quality, says how
    /// often it was started: with it a chart of rejects would be one of stops.
    fn rejected(&self, minute: &Minute) -> Count {
        self.counted(minute, |counted| match counted {
            Counted::Reject(reason) => self.startup_discards || reason.as_str() != STARTUP_DISCARD,
            _ => false,
        })
    }

    /// What the counters of the stations counted of a kind, each in what it counts.
    fn counted(&self, minute: &Minute, takes: impl Fn(&Counted) -> bool) -> Count {
        let is_it = |t: &&Tally| self.measure.has(&t.station) && takes(&t.counted);
        minute.tallies.iter().filter(is_it).map(|t| self.units.own(&t.counted, t.count)).sum()
    }

    fn close(&mut self, out: &mut impl FnMut(Subgroup)) {
        let Some(open) = self.open.take() else { return };
        out(self.joined(&open));
    }

    /// What the subgroup that is filling holds so far: incomplete, for a look only.
    pub fn filling(&self) -> Option<Subgroup> {
        self.open.as_ref().map(|open| self.joined(open))
    }

    fn joined(&self, open: &Open) -> Subgroup {
        let rate = || {
            let minutes = open.run_us as f64 / MINUTE_US as f64;
            (open.run_us >= LEAST_RUN_US).then(|| open.count.best() as f64 / minutes)
        };
        let least = if self.measure.series() == Some(Series::Sample) { 2 } else { LEAST_WEIGHED };
        let weighed = Some(open.moments).filter(|moments| moments.n() >= least);
        let value = match self.measure {
            Measure::Speed { .. } => rate(),
            Measure::Weight { .. } => weighed.and_then(|moments| moments.mean_mg()),
            Measure::WeightDeviation { .. } => weighed.and_then(|_| open.within.sd_mg()),
            Measure::RejectFraction { .. } | Measure::Reject { .. } => None,
        };
        let nothing = if self.measure.counts() { open.size.is_zero() } else { value.is_none() };
        let fitness = match () {
            () if open.n_whole * MINUTE_US < self.length_us => Fitness::Incomplete,
            () if !open.account.is_complete() => Fitness::Incomplete,
            () if nothing => Fitness::Empty,
            () if open.startup => Fitness::StartUp,
            () => Fitness::Whole,
        };
        Subgroup {
            start_us: open.start_us,
            count: open.count,
            size: open.size,
            value,
            moments: open.moments,
            coverage: (open.known_us as f64 / self.length_us as f64).clamp(0.0, 1.0),
            run_us: open.run_us,
            fitness,
            follows: open.follows,
        }
    }
}

impl Open {
    fn at(start_us: i64) -> Open {
        Open {
            start_us,
            count: Count::ZERO,
            size: Count::ZERO,
            moments: Moments::ZERO,
            within: Within::default(),
            account: Account::default(),
            known_us: 0,
            run_us: 0,
            n_whole: 0,
            startup: false,
            follows: Follows::On,
        }
    }
}

/// All subgroups that closed minutes, oldest first, fill. `batches_us` are the moments at which batches began.
pub fn subgroups(
    characteristic: &Characteristic,
    minutes: &[Minute],
    batches_us: &[i64],
) -> Vec<Subgroup> {
    subgroups_and_filling(characteristic, minutes, batches_us).0
}

/// The same, and what the subgroup that is still filling holds.
pub fn subgroups_and_filling(
    characteristic: &Characteristic,
    minutes: &[Minute],
    batches_us: &[i64],
) -> (Vec<Subgroup>, Option<Subgroup>) {
    let mut subgrouper = Subgrouper::new(characteristic);
    let mut subgroups = Vec::new();
    let mut batches_us = batches_us.to_vec();
    batches_us.sort_unstable();
    for minute in minutes.iter().filter(|minute| minute.closed) {
        let changed = batch_within(&batches_us, minute);
        subgrouper.push(minute, changed, |subgroup| subgroups.push(subgroup));
    }
    (subgroups, subgrouper.filling())
}

/// Whether a batch began within a minute. `batches_us` in order of time.
pub fn batch_within(batches_us: &[i64], minute: &Minute) -> bool {
    let first = batches_us.partition_point(|at_us| *at_us < minute.start_us);
    batches_us.get(first).is_some_and(|at_us| *at_us < minute.start_us + MINUTE_US)
}
