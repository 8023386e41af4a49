//! How often the chart of all rejects calls for nothing, and how soon for something: as a p chart, as p′ at three sigma with
//! runs and an EWMA, and as it is judged by default, by its points alone and with the EWMA beside them.
//!
//! The plant is the simulator's model at 6,500 capsules a minute without stops. Its minutes go through the subgroups,
//! limits and charts of the service. Limits rest on 300 subgroups of 15 minutes of a line of the same kind and are then
//! frozen, as approved limits are; each line has a seed of its own.

use std::fmt;

use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::output::Output;
use domain::quality::characteristic::{Characteristic, LAMBDA, Measure};
use domain::quality::limits::{Limits, PAGE_FROM, fit};
use domain::quality::subgroup::{Subgroup, subgroups};
use domain::spc::arl;
use domain::spc::rules::{Pattern, Rule, RuleId, RuleSet};
use domain::units::{Count, MINUTE_US, Reason, StationId};
use simulators::{Model, ModelConfig, RejectModel};

use super::reasons::{self, Reasons};
use super::watched::{Watched, alone_l, at_three_sigma};
use super::weights::{self, Weights};

/// Chance of a reject of the steady line.
const P: f64 = 0.003;
/// Minutes of a subgroup.
pub(super) const LENGTH: i64 = 15;
/// Subgroups of a week.
pub(super) const WEEK: usize = 7 * 24 * 4;
/// When something happens to a line, in minutes: between two subgroups, after five hours.
pub(super) const CHANGE_MIN: i64 = 300;
/// How long is waited for a signal, in minutes.
pub(super) const WAIT_MIN: i64 = 24 * 60;

/// How much is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Weeks of each kind of steady line.
    pub weeks: usize,
    /// Lines of each kind of change.
    pub lines: usize,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { weeks: 40, lines: 100 }
    }
}

/// The charts that are compared: points outside the limits of p; p′ at three sigma with N1, N2 and an EWMA of independent
/// values; and p′ within its budget, its points and all of it.
pub const CHARTS: [&str; 4] = ["p N1", "3σ, N2, EWMA", "points", "chart"];

/// All figures of one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The seed.
    pub seed: u64,
    /// False alarms of steady lines.
    pub steady: Vec<Steady>,
    /// Delays after a change.
    pub delays: Vec<Delay>,
    /// False alarms of the charts of single reasons on the simulated plant.
    pub reasons: Vec<Reasons>,
    /// The same figures of the weights.
    pub weights: Option<Weights>,
}

/// False alarms of one kind of steady line.
#[derive(Clone, Debug, PartialEq)]
pub struct Steady {
    /// What kind.
    pub kind: &'static str,
    /// Weeks watched.
    pub weeks: usize,
    /// Means over the baselines: σz by moving ranges and by the standard deviation, lag-1 correlation.
    pub evidence: [f64; 3],
    /// Share of the baselines of which the chart says that it drifts, and therefore does not page.
    pub drifts: f64,
    /// Incidents a week, by chart.
    pub per_week: [f64; 4],
    /// What the run lengths of independent points give under limits that know the process, by chart.
    pub expected: [f64; 4],
    /// The same under limits that are estimates from 300 subgroups, over all that such estimates can be; limits with a budget
    /// are wider by what an estimate does not know.
    pub estimated: [f64; 4],
}

/// How soon one kind of change is signalled.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    /// What kind.
    pub kind: &'static str,
    /// Median minutes from the change to the end of the first subgroup that signals, by chart; none where more than
    /// half of the lines gave no signal.
    pub median_min: [Option<i64>; 4],
    /// Share of lines that gave a signal within a day.
    pub found: [f64; 4],
    /// Lines watched.
    pub lines: usize,
}

impl Delay {
    /// The figures of changes of a kind, from the minutes to each signal, by chart.
    pub(super) fn of(kind: &'static str, mut minutes: [Vec<i64>; 4], lines: usize) -> Delay {
        minutes.iter_mut().for_each(|minutes| minutes.sort_unstable());
        Delay {
            kind,
            median_min: [0, 1, 2, 3].map(|chart| minutes[chart].get(lines / 2).copied()),
            found: [0, 1, 2, 3].map(|chart| minutes[chart].len() as f64 / lines.max(1) as f64),
            lines,
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<30}", self.kind)?;
        for (median, found) in self.median_min.iter().zip(self.found) {
            let median = median.map_or("–".to_owned(), |minutes| minutes.to_string());
            write!(f, "{:>16}", format!("{median} ({:.0} %)", found * 100.0))?;
        }
        writeln!(f)
    }
}

/// Minutes from the change to the end of the first subgroup that signals, of a chart whose subgroups are `length` minutes
/// long.
pub(super) fn until(signals: impl Iterator<Item = bool>, length: i64) -> Option<i64> {
    let after = signals.skip((CHANGE_MIN / length) as usize).position(|signals| signals);
    after.map(|n| (n as i64 + 1) * length)
}

/// Computes all figures.
///
/// # Panics
/// Never for the models above: their baselines have rejects in every subgroup.
pub fn run(seed: u64, effort: Effort) -> Figures {
    let (reasons, weights) = (reasons::run(seed, effort), weights::run(seed, effort));
    Figures { reasons, weights, ..without_weights(seed, effort) }
}

/// The same without the charts of single reasons and of weights.
pub(super) fn without_weights(seed: u64, effort: Effort) -> Figures {
    let chance = RejectModel::steady(P);
    let kinds = [
        ("chance alone", chance),
        ("minutes vary by 20 %", RejectModel { wander_cv: 0.2, wander_minutes: 1.0, ..chance }),
        (
            "20 % with 8 min of memory",
            RejectModel { wander_cv: 0.2, wander_minutes: 8.0, ..chance },
        ),
        ("short bursts, one in 20 min", RejectModel::default()),
        (
            "slow drift of 20 % over 8 h",
            RejectModel { wander_cv: 0.2, wander_minutes: 480.0, ..chance },
        ),
    ];
    let [chance, varied, powder] = [0, 1, 2].map(|kind| kinds[kind].1);
    let steady =
        kinds.iter().filter_map(|(kind, rejects)| steady(seed, kind, *rejects, effort.weeks));
    let at_us = CHANGE_MIN * MINUTE_US;
    let times = |rejects, factor| RejectModel { shift: Some((at_us, factor * P)), ..rejects };
    let changes = [
        ("chance alone, × 1.25", chance, times(chance, 1.25)),
        ("chance alone, × 1.5", chance, times(chance, 1.5)),
        ("chance alone, × 2", chance, times(chance, 2.0)),
        ("minutes vary, × 1.25", varied, times(varied, 1.25)),
        ("minutes vary, × 1.5", varied, times(varied, 1.5)),
        ("minutes vary, × 2", varied, times(varied, 2.0)),
        ("8 min of memory, × 1.25", powder, times(powder, 1.25)),
        ("8 min of memory, × 1.5", powder, times(powder, 1.5)),
        ("8 min of memory, × 2", powder, times(powder, 2.0)),
        ("8 min of memory, × 3", powder, times(powder, 3.0)),
        (
            "burst of 3 % for 5 min",
            varied,
            RejectModel { burst: Some((at_us, 5 * MINUTE_US, 0.03)), ..varied },
        ),
        (
            "one bore of 50 spoils 5 %",
            varied,
            RejectModel { worn_bore: Some((at_us, 0.05)), ..varied },
        ),
    ];
    let delays = changes.iter().filter_map(|(kind, steady, rejects)| {
        let limits = limits(&line(seed, *steady, PAGE_FROM as i64 * LENGTH))?;
        Some(delay(seed, kind, *rejects, &limits, effort.lines))
    });
    let delays = delays.collect();
    Figures { seed, steady: steady.collect(), delays, reasons: Vec::new(), weights: None }
}

/// Subgroups of a line that has been running for so many minutes.
fn line(seed: u64, rejects: RejectModel, minutes: i64) -> Vec<Subgroup> {
    let config = ModelConfig { seed, rejects, batch_size: u64::MAX / 2, ..ModelConfig::default() };
    let mut model = Model::new(config);
    let (mut made, mut rejected) = (0, 0);
    let mut all = Vec::new();
    for i in 0..minutes {
        model.advance_to((i + 1) * MINUTE_US);
        let ledger = model.ledger();
        let total: u64 = ledger.rejects.values().sum();
        all.push(minute(i, ledger.made - made, total - rejected));
        (made, rejected) = (ledger.made, total);
    }
    subgroups(&characteristic(), &all, &[])
}

fn station() -> StationId {
    StationId::new("CF01")
}

fn characteristic() -> Characteristic {
    Characteristic::new(Measure::RejectFraction { stations: Output::one(station()) })
}

/// A minute in which the line ran and nothing was counted.
pub(super) fn running(i: i64) -> Minute {
    Minute {
        start_us: i * MINUTE_US,
        rev: 0,
        closed: true,
        time: TimeSplit([MINUTE_US, 0, 0, 0, 0, 0]),
        polls: 1,
        missed: 0,
        tallies: Vec::new(),
        weights: Vec::new(),
    }
}

fn minute(i: i64, good: u64, rejected: u64) -> Minute {
    let tally = |counted, n| Tally { station: station(), counted, count: Count::exact(n) };
    let tallies =
        vec![tally(Counted::Good, good), tally(Counted::Reject(Reason::new("all")), rejected)];
    Minute { tallies, ..running(i) }
}

fn limits(baseline: &[Subgroup]) -> Option<Limits> {
    let characteristic = characteristic();
    fit(&characteristic, baseline, (i64::MIN, i64::MAX), &[]).limits(&characteristic)
}

/// Whether each chart calls, at each subgroup.
fn judge(limits: &Limits, subgroups: Vec<Subgroup>) -> Vec<[bool; 4]> {
    let characteristic = characteristic();
    let Some(three_sigma) = at_three_sigma(&characteristic, limits) else { return Vec::new() };
    let (mut before, mut now) =
        (Watched::new(&characteristic, &three_sigma), Watched::new(&characteristic, limits));
    let calls = subgroups.into_iter().map(|subgroup| {
        let (_, was) = before.push(subgroup.clone());
        let (judged, is) = now.push(subgroup);
        let plain = judged.plain.is_some_and(|plain| plain.hits.contains(RuleId::N1));
        [plain, was, judged.point.hits.contains(RuleId::N1), is]
    });
    calls.collect()
}

/// A week of a steady line under limits from a baseline of its own: one baseline for all weeks would tell of that
/// baseline.
fn steady(seed: u64, kind: &'static str, rejects: RejectModel, weeks: usize) -> Option<Steady> {
    let (mut runs, mut evidence, mut n_drifts) = ([0_usize; 4], [0.0; 3], 0);
    for week in 0..weeks {
        let baseline = line(another(seed, 500_000 + week), rejects, PAGE_FROM as i64 * LENGTH);
        let limits = limits(&baseline)?;
        let calls = judge(&limits, line(another(seed, week), rejects, WEEK as i64 * LENGTH));
        for (chart, n) in runs.iter_mut().enumerate() {
            *n += begun(calls.iter().map(|calls| calls[chart]));
        }
        let found = limits.evidence;
        for (sum, x) in evidence.iter_mut().zip([found.sigma_z_mr, found.sigma_z_sd, found.lag1]) {
            *sum += x.unwrap_or(f64::NAN) / weeks as f64;
        }
        n_drifts += usize::from(found.drifts());
    }
    Some(Steady {
        kind,
        weeks,
        evidence,
        drifts: n_drifts as f64 / weeks.max(1) as f64,
        per_week: runs.map(|n| n as f64 / weeks.max(1) as f64),
        expected: false_alarms(0.0, 1.0),
        // Plain binomial limits have no σz to estimate; a σz of one that is estimated is never taken below one.
        estimated: over_estimates(rejects.wander_cv == 0.0),
    })
}

/// False alarms a week by chart when the centre of the limits lies `off` sigma from the process and their sigma is
/// `ratio` times too small: z / ratio beyond k is z beyond k · ratio.
fn false_alarms(off: f64, ratio: f64) -> [f64; 4] {
    let per_week = |arl: Option<f64>| arl.map_or(f64::NAN, |arl| WEEK as f64 / arl);
    let beyond = Rule::new(RuleId::N1, Pattern::Beyond { k: 3.0 / ratio });
    let both = RuleSet::custom(std::iter::once(beyond).chain(Rule::standard(RuleId::N2)));
    let budget = characteristic().budget_per_week;
    [
        per_week(Some(arl::shewhart(3.0, off))),
        per_week(arl::run_rules(&both, off))
            + per_week(arl::ewma(LAMBDA, alone_l(&characteristic()) / ratio, off)),
        budget / 2.0,
        budget,
    ]
}

/// The same over what estimates from 300 subgroups can be: the centre with a standard error of σ/√300, σz by moving
/// ranges with one of √(0.826/300) (Cryer & Ryan 1990), both about normal; Gauss-Hermite quadrature in five points.
fn over_estimates(floored: bool) -> [f64; 4] {
    const NODES: [(f64, f64); 5] = [
        (-2.856_970, 0.011_257_4),
        (-1.355_626, 0.222_075_9),
        (0.0, 0.533_333_3),
        (1.355_626, 0.222_075_9),
        (2.856_970, 0.011_257_4),
    ];
    let n = PAGE_FROM as f64;
    let mut sums = [0.0; 4];
    for (x, weight) in NODES {
        for (y, other) in NODES {
            let sigma = 1.0 + y * (0.826 / n).sqrt();
            let sigma = if floored { sigma.max(1.0) } else { sigma };
            let rates = false_alarms(x / n.sqrt(), 1.0 / sigma);
            sums.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += weight * other * rate);
        }
    }
    sums
}

/// How many runs of signals begin: as a person sees them, and as an incident counts them.
pub(super) fn begun(signals: impl Iterator<Item = bool>) -> usize {
    let mut before = false;
    signals.filter(|now| *now & !std::mem::replace(&mut before, *now)).count()
}

fn delay(
    seed: u64,
    kind: &'static str,
    rejects: RejectModel,
    limits: &Limits,
    lines: usize,
) -> Delay {
    let mut delays: [Vec<i64>; 4] = Default::default();
    for i in 0..lines {
        let points = judge(limits, line(another(seed, 10_000 + i), rejects, CHANGE_MIN + WAIT_MIN));
        for (chart, delays) in delays.iter_mut().enumerate() {
            delays.extend(until(points.iter().map(|calls| calls[chart]), LENGTH));
        }
    }
    Delay::of(kind, delays, lines)
}

/// A seed of its own for each line.
pub(super) fn another(seed: u64, i: usize) -> u64 {
    seed.wrapping_mul(1_000_003).wrapping_add(i as u64 + 1)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, 15-minute subgroups of 97,500 capsules, limits from 300 subgroups",
            self.seed
        )?;
        writeln!(
            f,
            "\nfalse alarms a week: seen (expected of independent points: under exact limits, under limits from 300)"
        )?;
        writeln!(
            f,
            "{:<30}{:>8}{:>8}{:>7}  {:>20}{:>20}{:>20}{:>20}",
            "line", "σz MR", "σz SD", "ρ₁", CHARTS[0], CHARTS[1], CHARTS[2], CHARTS[3]
        )?;
        for row in &self.steady {
            let [mr, sd, lag1] = row.evidence;
            write!(f, "{:<30}{mr:>8.2}{sd:>8.2}{lag1:>7.2}  ", row.kind)?;
            let expected = row.expected.iter().zip(row.estimated);
            for (seen, (exact, estimated)) in row.per_week.iter().zip(expected) {
                write!(f, "{:>20}", format!("{seen:.2} ({exact:.2}, {estimated:.2})"))?;
            }
            let drifts = format!("  drift, does not page: {:.0} %", row.drifts * 100.0);
            writeln!(f, "{}", if row.drifts > 0.0 { drifts.as_str() } else { "" })?;
        }
        if let Some(weeks) = self.steady.first().map(|row| row.weeks) {
            writeln!(
                f,
                "{weeks} weeks of each, each under limits of its own; what is seen is ± {:.2} where one is expected",
                (1.0 / weeks.max(1) as f64).sqrt()
            )?;
        }
        writeln!(
            f,
            "\nmedian minutes to a signal (lines of {} with one in a day)",
            self.delays.first().map_or(0, |row| row.lines)
        )?;
        writeln!(
            f,
            "{:<30}{:>16}{:>16}{:>16}{:>16}",
            "change", CHARTS[0], CHARTS[1], CHARTS[2], CHARTS[3]
        )?;
        self.delays.iter().try_for_each(|row| write!(f, "{row}"))?;
        if !self.reasons.is_empty() {
            writeln!(f)?;
            reasons::head(f, &self.reasons)?;
            self.reasons.iter().try_for_each(|row| write!(f, "{row}"))?;
        }
        self.weights.iter().try_for_each(|weights| write!(f, "\n{weights}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_figures_and_a_shift_is_found() {
        let effort = Effort { weeks: 1, lines: 3 };
        let figures = run(7, effort);
        assert_eq!(figures, run(7, effort));
        let shift = &figures.delays[4];
        assert!(shift.found.iter().all(|found| *found == 1.0), "{figures}");
        assert_eq!(
            [shift.median_min[1], shift.median_min[3]],
            [Some(15), Some(15)],
            "half as many rejects again stand out at once"
        );
        let weights = figures.weights.as_ref().unwrap();
        let bore = &weights.delays[2];
        assert_eq!(
            (bore.found[2], bore.median_min[2]),
            (1.0, Some(60)),
            "one bore widens the spread, seen by the first subgroup of an hour"
        );
        assert!(bore.found[0] < 1.0, "and does not move the mean: {figures}");
    }
}
