//! One minute of a line: what each counter counted, how the time was spent, how well it was watched.

use crate::line::output::Stations;
use crate::line::state::TimeClass;
use crate::line::weight::{Account, Moments, Series, WeightTally};
use crate::units::{Count, Reason, StationId};

/// What a counter of a line counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Capsules that entered the station.
    Infeed,
    /// Capsules that left it as good.
    Good,
    /// Capsules rejected for this reason.
    Reject(Reason),
    /// Capsules taken for inspection.
    Sample,
    /// No capsule: empty pockets, test pieces.
    Void,
}

impl Counted {
    /// Whether it is of rejects, whatever their reason.
    pub fn is_reject(&self) -> bool {
        matches!(self, Counted::Reject(_))
    }

    /// The word used in SQL and JSON; a reject's reason is kept beside it.
    pub fn word(&self) -> &'static str {
        match self {
            Counted::Infeed => "infeed",
            Counted::Good => "good",
            Counted::Reject(_) => "reject",
            Counted::Sample => "sample",
            Counted::Void => "void",
        }
    }

    /// The reason of a reject, else the empty text.
    pub fn reason(&self) -> &str {
        match self {
            Counted::Reject(reason) => reason.as_str(),
            _ => "",
        }
    }

    /// The inverse of [`Counted::word`] and [`Counted::reason`].
    pub fn from_words(word: &str, reason: &str) -> Option<Counted> {
        match word {
            "infeed" => Some(Counted::Infeed),
            "good" => Some(Counted::Good),
            "reject" => Some(Counted::Reject(Reason::new(reason))),
            "sample" => Some(Counted::Sample),
            "void" => Some(Counted::Void),
            _ => None,
        }
    }
}

/// What one counter counted in a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Where.
    pub station: StationId,
    /// What.
    pub counted: Counted,
    /// How many.
    pub count: Count,
}

/// Sum over some counters of a station, or of all that make the output of a line.
pub fn sum<'a>(
    tallies: impl IntoIterator<Item = &'a Tally>,
    stations: &impl Stations,
    takes: impl Fn(&Counted) -> bool,
) -> Count {
    let is_it = |tally: &&Tally| stations.has(&tally.station) && takes(&tally.counted);
    tallies.into_iter().filter(is_it).map(|tally| tally.count).sum()
}

/// Microseconds by class of time, in the order of [`TimeClass::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TimeSplit(pub [i64; 6]);

impl TimeSplit {
    /// Adds a span to a class.
    pub fn add(&mut self, class: TimeClass, us: i64) {
        self.0[class as usize] += us;
    }

    /// Adds all of another split.
    pub fn merge(&mut self, other: &TimeSplit) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// Time in a class, in microseconds.
    pub fn of(&self, class: TimeClass) -> i64 {
        self.0[class as usize]
    }

    /// Time in all classes, in microseconds.
    pub fn total(&self) -> i64 {
        self.0.iter().sum()
    }

    /// Time of which the state is known, in microseconds.
    pub fn known(&self) -> i64 {
        self.total() - self.of(TimeClass::Unknown)
    }
}

/// One wall-clock minute of a line. Counts of a gap longer than a few seconds are not in here: they are known for
/// the gap as a whole, booked as a `gap` event and never smeared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Start in UTC microseconds, a multiple of a minute.
    pub start_us: i64,
    /// Raised whenever a minute that was already stored changes.
    pub rev: u32,
    /// Whether the minute is over and will not change but for corrections.
    pub closed: bool,
    /// How the time was spent where the line counts. Sums to what has passed of the minute.
    pub time: TimeSplit,
    /// Polls that brought readings.
    pub polls: u64,
    /// Polls that brought none.
    pub missed: u64,
    /// Counts of all counters of the line, in the order of the configuration.
    pub tallies: Vec<Tally>,
    /// What was weighed, by station, series and bore. Empty where a reader asks for counts alone.
    pub weights: Vec<WeightTally>,
}

impl Minute {
    /// Share of the minute's passed time that is known, 0 to 1.
    pub fn coverage(&self) -> f64 {
        let total = self.time.total();
        if total == 0 { 0.0 } else { 1.0 - self.time.of(TimeClass::Unknown) as f64 / total as f64 }
    }

    /// What stations counted of a kind, zero where they have no such counter.
    pub fn count(&self, stations: &impl Stations, counted: &Counted) -> Count {
        sum(&self.tallies, stations, |one| one == counted)
    }

    /// All weights of a series of a station, and how far they are complete.
    pub fn weighed(&self, station: &StationId, series: Series) -> (Moments, Account) {
        let is_it = |t: &&WeightTally| t.series == series && t.station == *station;
        self.weights
            .iter()
            .filter(is_it)
            .fold((Moments::ZERO, Account::default()), |(moments, account), tally| {
                (moments + tally.moments, account + tally.account)
            })
    }

    /// All rejects of stations.
    pub fn rejected(&self, stations: &impl Stations) -> Count {
        sum(&self.tallies, stations, Counted::is_reject)
    }
}

/// Puts weights that were read apart into their minutes. Both are in order of time; what belongs to none of the minutes
/// is left out.
pub fn join_weights(minutes: &mut [Minute], weights: impl IntoIterator<Item = (i64, WeightTally)>) {
    let mut at = 0;
    for (start_us, tally) in weights {
        while minutes.get(at).is_some_and(|minute| minute.start_us < start_us) {
            at += 1;
        }
        if let Some(minute) = minutes.get_mut(at).filter(|minute| minute.start_us == start_us) {
            minute.weights.push(tally);
        }
    }
}
