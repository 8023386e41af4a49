//! What is charted of a line, with which chart and how it is judged; the defaults of a line that configures nothing.

use std::fmt;
use std::sync::Arc;

use super::counter_units::CounterUnits;
use crate::line::output::{Output, Stations};
use crate::line::weight::{Part, Series};
use crate::plc_map::{PlcMap, Role};
use crate::spc::capability::Tolerance;
use crate::spc::rules::RuleId;
use crate::units::{MINUTE_US, Reason, StationId};

/// Minutes of an alarm subgroup by default. About 97,500 capsules: at one minute neighbours resemble each other and
/// even p′ signals the drift.
pub const SUBGROUP_MINUTES: u32 = 15;

/// The same for weights of all capsules.
pub const WEIGHING_MINUTES: u32 = 60;

/// A stop longer than this breaks runs and moving ranges.
pub const BREAK_AFTER_US: i64 = 5 * MINUTE_US;

/// Running time after such a stop that neither estimates nor signals.
pub const STARTUP_US: i64 = 2 * MINUTE_US;

/// Weight of the newest point of the EWMA beside a chart of counts.
pub const LAMBDA: f64 = 0.1;

/// Weight of the newest mean of an EWMA of measurements.
pub const LAMBDA_OF_MEANS: f64 = 0.2;

/// One quantity under statistical control.
#[derive(Clone, Debug, PartialEq)]
pub struct Characteristic {
    /// Its name in addresses and in the journal: `reject_fraction`, `reject.CF01.dented`, `speed`.
    pub id: Arc<str>,
    /// What is measured.
    pub measure: Measure,
    /// Which chart.
    pub kind: ChartKind,
    /// Minutes of a subgroup that is judged.
    pub subgroup_minutes: u32,
    /// A stop longer than this, in microseconds, is a break.
    pub break_after_us: i64,
    /// Running time after a break that is a start-up, in microseconds.
    pub startup_us: i64,
    /// What a change of batch does.
    pub batch: BatchPolicy,
    /// Whether what a machine ejects after each start, whatever its quality, counts as rejected.
    pub startup_discards: bool,
    /// What its counters count, where that is no capsule; charts of counts are of that.
    pub units: CounterUnits,
    /// The rules that judge.
    pub rules: Vec<RuleId>,
    /// False alarms that are accepted, per chart and week.
    pub budget_per_week: f64,
    /// What single weights are allowed, in milligrams; nothing for anything else.
    pub tolerance: Tolerance,
}

/// What a characteristic measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// All rejects of the stations that make the output among all they judged.
    RejectFraction {
        /// The stations, together.
        stations: Output,
    },
    /// Rejects of one reason among all that the station judged.
    Reject {
        /// The station.
        station: StationId,
        /// Why.
        reason: Reason,
    },
    /// Capsules judged in a minute of running time.
    Speed {
        /// The stations that make the output, together.
        stations: Output,
    },
    /// Mean of the weights that a station published, in milligrams: gross or net as it tells them.
    Weight {
        /// The station.
        station: StationId,
        /// Of which records.
        series: Series,
    },
    /// Standard deviation of these weights within the minutes, in milligrams; what drifts from minute to minute is seen in
    /// the means. With many of them in a subgroup it is charted for itself:
    /// limits from the sampling error of a standard deviation would be as wrong as those of a p chart.
    WeightDeviation {
        /// The station.
        station: StationId,
        /// Of which records.
        series: Series,
    },
}

/// The chart of a characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartKind {
    /// Fraction under Laney's limits.
    PPrime,
    /// Fraction under binomial limits.
    P,
    /// Rejects a capsule under Laney's limits, shown per thousand.
    UPrime,
    /// Rejects a capsule under Poisson limits, shown per thousand.
    U,
    /// Individual values and their moving ranges.
    Individuals,
    /// Means as individual values with their moving ranges, for what changes between subgroups, and the standard
    /// deviation for what changes within.
    ThreeWay,
    /// Means weighted so that the newest counts for a fifth: for small lasting shifts.
    Ewma,
}

/// What a change of batch does to a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchPolicy {
    /// It ends runs and moving ranges, the limits stay.
    #[default]
    Break,
    /// A new stage begins: estimates start afresh too. Only if the engineer says so.
    Stage,
}

impl ChartKind {
    /// All kinds.
    pub const ALL: [ChartKind; 7] = [
        ChartKind::PPrime,
        ChartKind::P,
        ChartKind::UPrime,
        ChartKind::U,
        ChartKind::Individuals,
        ChartKind::ThreeWay,
        ChartKind::Ewma,
    ];

    /// The word used in files, SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            ChartKind::PPrime => "p_prime",
            ChartKind::P => "p",
            ChartKind::UPrime => "u_prime",
            ChartKind::U => "u",
            ChartKind::Individuals => "i_mr",
            ChartKind::ThreeWay => "i_mr_s",
            ChartKind::Ewma => "ewma",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<ChartKind> {
        ChartKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it charts counts.
    pub fn counts(self) -> bool {
        matches!(self, ChartKind::PPrime | ChartKind::P | ChartKind::UPrime | ChartKind::U)
    }

    /// Whether Laney's factor widens its limits.
    pub fn primed(self) -> bool {
        matches!(self, ChartKind::PPrime | ChartKind::UPrime)
    }
}

impl Measure {
    /// The station that is looked at; of several the first.
    pub fn station(&self) -> &StationId {
        match self {
            Measure::RejectFraction { stations } | Measure::Speed { stations } => stations.first(),
            Measure::Reject { station, .. }
            | Measure::Weight { station, .. }
            | Measure::WeightDeviation { station, .. } => station,
        }
    }

    /// The name of a characteristic of this measure.
    pub fn id(&self) -> Arc<str> {
        match self {
            Measure::RejectFraction { .. } => "reject_fraction".into(),
            Measure::Reject { station, reason } => format!("reject.{station}.{reason}").into(),
            Measure::Speed { .. } => "speed".into(),
            Measure::Weight { station, series: Series::Interval } => {
                format!("weight.{station}").into()
            }
            Measure::WeightDeviation { station, series: Series::Interval } => {
                format!("weight_sd.{station}").into()
            }
            Measure::Weight { station, series } => {
                format!("weight.{station}.{}", series.word()).into()
            }
            Measure::WeightDeviation { station, series } => {
                format!("weight_sd.{station}.{}", series.word()).into()
            }
        }
    }

    /// The chart that fits by default: p′ for a fraction, u′ for a reason, three-way for the means of samples, I-MR for
    /// any other measurement.
    pub fn default_kind(&self) -> ChartKind {
        match self {
            Measure::RejectFraction { .. } => ChartKind::PPrime,
            Measure::Reject { .. } => ChartKind::UPrime,
            Measure::Weight { series: Series::Sample, .. } => ChartKind::ThreeWay,
            _ => ChartKind::Individuals,
        }
    }

    /// Minutes of an alarm subgroup by default: an hour for weights of all that was made, which wander over minutes with
    /// the powder, so that quarters of an hour resemble each other and an hour hardly resembles the next.
    pub fn default_minutes(&self) -> u32 {
        if self.series() == Some(Series::Interval) { WEIGHING_MINUTES } else { SUBGROUP_MINUTES }
    }

    /// The rules that judge by default: points beyond their limits. Nine in a row on one side alone spend more than the budget
    /// of a chart that has companions, and the more so where neighbours resemble each other; lasting shifts of counts are found
    /// by the EWMA beside.
    pub fn default_rules(&self) -> Vec<RuleId> {
        vec![RuleId::N1]
    }

    /// Whether that chart can show this measure.
    pub fn fits(&self, kind: ChartKind) -> bool {
        match kind {
            ChartKind::ThreeWay => matches!(self, Measure::Weight { .. }),
            _ => kind.counts() == self.counts(),
        }
    }

    /// Whether it is a count among capsules.
    pub fn counts(&self) -> bool {
        matches!(self, Measure::RejectFraction { .. } | Measure::Reject { .. })
    }

    /// The series of records it is taken from, for weights.
    pub fn series(&self) -> Option<Series> {
        match self {
            Measure::Weight { series, .. } | Measure::WeightDeviation { series, .. } => {
                Some(*series)
            }
            _ => None,
        }
    }
}

impl Stations for Measure {
    fn has(&self, station: &StationId) -> bool {
        match self {
            Measure::RejectFraction { stations } | Measure::Speed { stations } => {
                stations.has(station)
            }
            _ => self.station() == station,
        }
    }
}

impl Characteristic {
    /// A characteristic with the default chart, subgroup, rules and budget.
    pub fn new(measure: Measure) -> Characteristic {
        Characteristic {
            id: measure.id(),
            kind: measure.default_kind(),
            subgroup_minutes: measure.default_minutes(),
            rules: measure.default_rules(),
            break_after_us: BREAK_AFTER_US,
            startup_us: STARTUP_US,
            batch: BatchPolicy::default(),
            startup_discards: false,
            units: CounterUnits::default(),
            budget_per_week: 1.0,
            tolerance: Tolerance::default(),
            measure,
        }
    }

    /// What a line charts that configures nothing: the reject fraction and the speed of its output, each
    /// reject reason that a map names, and the weights that a map publishes. Start-up discards are ejected on purpose and have no chart.
    pub fn defaults(output: &Output, maps: &[Arc<PlcMap>]) -> Vec<Characteristic> {
        let mut measures = vec![Measure::RejectFraction { stations: output.clone() }];
        for map in maps {
            let reasons = map.tags.iter().filter_map(|tag| match &tag.role {
                Role::Reject(reason) if reason.as_str() != STARTUP_DISCARD => Some(reason.clone()),
                _ => None,
            });
            let reject = |reason| Measure::Reject { station: map.station.clone(), reason };
            measures.extend(reasons.map(reject).filter(|_| map.position(&Role::Good).is_some()));
        }
        measures.push(Measure::Speed { stations: output.clone() });
        for map in maps {
            let publishes =
                |series| map.position(&Role::Published(series, Part::Sequence)).is_some();
            let station = || map.station.clone();
            if publishes(Series::Interval) {
                let series = Series::Interval;
                measures.push(Measure::Weight { station: station(), series });
                measures.push(Measure::WeightDeviation { station: station(), series });
            }
            if publishes(Series::Sample) {
                measures.push(Measure::Weight { station: station(), series: Series::Sample });
            }
        }
        measures.dedup();
        let charted = |measure: Measure| {
            let units = CounterUnits::of(&measure, maps);
            Characteristic { units, ..Characteristic::new(measure) }
        };
        measures.into_iter().map(charted).collect()
    }

    /// The unit in which its chart is read.
    pub fn unit(&self) -> &'static str {
        match (self.kind, &self.measure) {
            (ChartKind::PPrime | ChartKind::P, _) => "%",
            (ChartKind::UPrime | ChartKind::U, _) => "‰",
            (_, Measure::Speed { .. }) => "capsules/min",
            _ => "mg",
        }
    }

    /// Weight of the newest value of its EWMA.
    pub fn lambda(&self) -> f64 {
        if self.kind == ChartKind::Ewma { LAMBDA_OF_MEANS } else { LAMBDA }
    }

    /// Microseconds of a subgroup.
    pub fn subgroup_us(&self) -> i64 {
        i64::from(self.subgroup_minutes) * MINUTE_US
    }

    /// Points in a week without a stop.
    pub fn points_per_week(&self) -> f64 {
        7.0 * 24.0 * 60.0 / f64::from(self.subgroup_minutes)
    }

    /// In-control run length that spends the budget: one false alarm in so many points.
    pub fn arl0(&self) -> f64 {
        self.points_per_week() / self.budget_per_week
    }

    /// The same in subgroups of another length, for a closer look. Never for alarms.
    #[must_use]
    pub fn with_subgroup(&self, minutes: u32) -> Characteristic {
        Characteristic { subgroup_minutes: minutes, ..self.clone() }
    }
}

/// The reason under which a machine counts what it ejects after a start, whatever its quality.
pub const STARTUP_DISCARD: &str = "startup_discard";

impl fmt::Display for Characteristic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}
