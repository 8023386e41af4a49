//! How often the charts of weights call for nothing, and how soon for something: means, their EWMA, the spread of all
//! capsules, and samples of twenty.
//!
//! The doses of the steady line follow a first-order autoregression from stroke to stroke (SD 0.6 %, 8 minutes), as those
//! of a powder do. The weigher's record of each minute is taken, about 6,480 capsules, and a sample each quarter of an hour.

use std::fmt;

use domain::line::minute::Minute;
use domain::line::weight::{Account, Moments, Series, WeightTally, book};
use domain::quality::characteristic::{Characteristic, ChartKind, Measure};
use domain::quality::limits::{Limits, PAGE_FROM, fit};
use domain::quality::stream::ChartStream;
use domain::quality::subgroup::subgroups;
use domain::units::{MINUTE_US, StationId};
use simulators::{Model, ModelConfig, WeightModel};

use super::spc::{
    CHANGE_MIN, Delay, Effort, LENGTH, WAIT_MIN, WEEK, another, begun, running, until,
};

/// The charts that are compared.
pub(super) const CHARTS: [&str; 4] = ["mean I-MR", "mean EWMA", "spread I-MR", "sample I-MR-S"];

/// Minutes of the longest subgroup of a chart of weights.
const LONGEST: i64 = 60;
/// Strokes of the machine in a minute.
const STROKES_PER_MINUTE: u64 = 130;

/// Figures of the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Runs of signals a week on lines on which nothing happens, by chart.
    pub per_week: [f64; 4],
    /// Weeks watched.
    pub weeks: usize,
    /// How soon changes are signalled.
    pub delays: Vec<Delay>,
}

/// Computes all figures; none if a baseline gave no limits.
pub(super) fn run(seed: u64, effort: Effort) -> Option<Weights> {
    // Another set of bores is another process, with a mean and a spread of its own.
    let steady = WeightModel { tooling: Some(seed), ..WeightModel::default() };
    let charts = charts(&line(seed, steady, PAGE_FROM as i64 * LONGEST))?;
    let mut runs = [0_usize; 4];
    for week in 0..effort.weeks {
        let points =
            judge(&charts, &line(another(seed, 20_000 + week), steady, WEEK as i64 * LENGTH));
        for (chart, n) in runs.iter_mut().enumerate() {
            *n += begun(points[chart].iter().copied());
        }
    }
    let at_us = CHANGE_MIN * MINUTE_US;
    let changes = [
        ("all doses 1 % low at once", WeightModel { shift: Some((at_us, -0.01)), ..steady }),
        ("doses wear by 0.2 % an hour", WeightModel { wear: Some((at_us, -0.002)), ..steady }),
        (
            "one bore of 50 doses 6 % low",
            WeightModel {
                worn_bore: Some((CHANGE_MIN as u64 * STROKES_PER_MINUTE, 17, -0.06)),
                ..steady
            },
        ),
    ];
    let delay = |(kind, weights)| delay(seed, kind, weights, &charts, effort.lines);
    Some(Weights {
        per_week: runs.map(|n| n as f64 / effort.weeks.max(1) as f64),
        weeks: effort.weeks,
        delays: changes.into_iter().map(delay).collect(),
    })
}

fn station() -> StationId {
    StationId::new("CW04")
}

/// Minutes of a line that has been running for so many.
fn line(seed: u64, weights: WeightModel, minutes: i64) -> Vec<Minute> {
    let config = ModelConfig { seed, weights, batch_size: u64::MAX / 2, ..ModelConfig::default() };
    let (mut model, mut sampled) = (Model::new(config), 0);
    let mut all = Vec::new();
    for i in 0..minutes {
        let mut minute = running(i);
        model.advance_to((i + 1) * MINUTE_US);
        let interval = model.interval().and_then(|record| {
            Moments::of_statistics(record.capsules.into(), record.mean_mg, record.std_dev_mg)
        });
        add(&mut minute, Series::Interval, interval);
        let sample = model.sample().filter(|record| record.sequence > sampled);
        sampled = sample.as_ref().map_or(sampled, |record| record.sequence);
        let single = |tenths: u16| Moments::one(u64::from(tenths) * 100);
        let sample = sample.map(|s| s.weights.iter().map(|(_, tenths)| single(*tenths)).sum());
        add(&mut minute, Series::Sample, sample);
        all.push(minute);
    }
    all
}

fn add(minute: &mut Minute, series: Series, moments: Option<Moments>) {
    if let Some(moments) = moments {
        let account = Account { records: 1, ..Account::default() };
        let nothing = WeightTally::nothing(station(), series, 0);
        book(&mut minute.weights, &WeightTally { moments, account, ..nothing });
    }
}

/// The charts with their limits from a baseline, in the order of [`CHARTS`].
fn charts(baseline: &[Minute]) -> Option<Vec<(Characteristic, Limits)>> {
    let measures = [
        (Measure::Weight { station: station(), series: Series::Interval }, ChartKind::Individuals),
        (Measure::Weight { station: station(), series: Series::Interval }, ChartKind::Ewma),
        (
            Measure::WeightDeviation { station: station(), series: Series::Interval },
            ChartKind::Individuals,
        ),
        (Measure::Weight { station: station(), series: Series::Sample }, ChartKind::ThreeWay),
    ];
    let chart = |(measure, kind)| {
        let characteristic = Characteristic { kind, ..Characteristic::new(measure) };
        let limits = limits(&characteristic, baseline)?;
        Some((characteristic, limits))
    };
    measures.into_iter().map(chart).collect()
}

fn limits(characteristic: &Characteristic, baseline: &[Minute]) -> Option<Limits> {
    let mut found = subgroups(characteristic, baseline, &[]);
    found.truncate(PAGE_FROM);
    fit(characteristic, &found, (i64::MIN, i64::MAX), &[]).limits(characteristic)
}

/// Whether each chart signals at each subgroup.
fn judge(charts: &[(Characteristic, Limits)], minutes: &[Minute]) -> Vec<Vec<bool>> {
    let judge = |(characteristic, limits): &(Characteristic, Limits)| {
        let mut stream = ChartStream::new(Some(limits));
        let found = subgroups(characteristic, minutes, &[]);
        found.into_iter().map(|subgroup| stream.push(subgroup).signals()).collect()
    };
    charts.iter().map(judge).collect()
}

fn delay(
    seed: u64,
    kind: &'static str,
    weights: WeightModel,
    charts: &[(Characteristic, Limits)],
    lines: usize,
) -> Delay {
    let mut delays: [Vec<i64>; 4] = Default::default();
    for i in 0..lines {
        let minutes = line(another(seed, 30_000 + i), weights, CHANGE_MIN + WAIT_MIN);
        let points = judge(charts, &minutes);
        for ((points, (characteristic, _)), delays) in
            points.iter().zip(charts).zip(delays.iter_mut())
        {
            let length = i64::from(characteristic.subgroup_minutes);
            delays.extend(until(points.iter().copied(), length));
        }
    }
    Delay::of(kind, delays, lines)
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = |first: &str| {
            write!(f, "{first:<30}")?;
            CHARTS.iter().try_for_each(|chart| write!(f, "{chart:>16}"))?;
            writeln!(f)
        };
        head("weights")?;
        write!(f, "{:<30}", "false alarms a week")?;
        self.per_week.iter().try_for_each(|seen| write!(f, "{seen:>16.2}"))?;
        writeln!(f)?;
        self.delays.iter().try_for_each(|row| write!(f, "{row}"))
    }
}
