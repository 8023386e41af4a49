//! What every chart shares: its settings, the points it plots and the one loop that draws limits and judges.

use std::ops::Range;

use super::constants::Constants;
use super::rules::{Hits, RuleEngine, RuleId, RuleSet};

/// How a chart is estimated and judged.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Distance of the drawn limits from the centre line, in sigma.
    pub k: f64,
    /// The rules that judge the points.
    pub rules: RuleSet,
    /// What a missing subgroup does to runs and moving ranges.
    pub gap: GapPolicy,
    /// The points that estimate; all when absent. Points outside are judged by the estimate (phase II).
    pub baseline: Option<Range<usize>>,
    /// Points that do not estimate but stay plotted and judged.
    pub excluded: Vec<Exclusion>,
    /// Parts with estimates, moving ranges and runs of their own; the whole series when empty.
    pub stages: Vec<Range<usize>>,
    /// Exact constants, or those of the printed tables.
    pub constants: Constants,
    /// Whether large moving ranges are left out of their own mean.
    pub screen: MrScreen,
}

impl Default for Settings {
    /// Three sigma, N1 and N2, gaps break, everything estimates, exact constants, no screening.
    fn default() -> Settings {
        Settings {
            k: 3.0,
            rules: RuleSet::alarm(),
            gap: GapPolicy::Break,
            baseline: None,
            excluded: Vec::new(),
            stages: Vec::new(),
            constants: Constants::Exact,
            screen: MrScreen::None,
        }
    }
}

/// A point left out of estimation, and why: an exclusion without a reason cannot be defended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// Position in the series.
    pub index: usize,
    /// The assignable cause.
    pub reason: String,
}

/// What a missing subgroup does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GapPolicy {
    /// It ends every run, and no moving range spans it.
    #[default]
    Break,
    /// The neighbours of the gap count as neighbours.
    Bridge,
}

/// Screening of moving ranges before they are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MrScreen {
    /// All count, as Laney and Wheeler have it.
    #[default]
    None,
    /// Ranges of at least `D4 · mean` are dropped once and the rest averaged again (Nelson 1982).
    Nelson,
}

/// How far a chart could be estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Centre and dispersion are known.
    Ok,
    /// The dispersion is zero: every value equals the centre line, or the fraction is 0 or 1.
    Degenerate,
    /// There is a centre but no dispersion: one point, or none adjacent.
    InsufficientData,
    /// No point estimates.
    NoData,
}

impl Status {
    /// `ok`, `degenerate`, `insufficient_data`, `no_data`.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Degenerate => "degenerate",
            Status::InsufficientData => "insufficient_data",
            Status::NoData => "no_data",
        }
    }

    /// The status of a chart with this centre and dispersion.
    pub(super) fn of(center: Option<f64>, dispersion: Option<f64>) -> Status {
        match (center, dispersion) {
            (None, _) => Status::NoData,
            (Some(_), None) => Status::InsufficientData,
            (Some(_), Some(s)) if s > 0.0 => Status::Ok,
            _ => Status::Degenerate,
        }
    }

    /// The status of several stages together: the worst.
    pub(super) fn worst(all: impl IntoIterator<Item = Status>) -> Status {
        all.into_iter().max().unwrap_or(Status::NoData)
    }
}

/// A plotted point with its limits. What could not be computed is `None`; a gap is all `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The plotted statistic.
    pub stat: Option<f64>,
    /// Centre line at this point.
    pub cl: Option<f64>,
    /// Lower limit, not below what the statistic can be.
    pub lcl: Option<f64>,
    /// Upper limit, not above what the statistic can be.
    pub ucl: Option<f64>,
    /// Standard deviation of the plotted statistic at this point.
    pub sigma: Option<f64>,
    /// Distance from the centre line in sigma; zones are drawn from this, never from a clamped limit.
    pub z: Option<f64>,
    /// The rules completed here.
    pub hits: Hits,
}

impl Point {
    /// A point of a chart whose limits are quantiles and not multiples of sigma: only [`RuleId::Limit`] judges it.
    /// A value within a few rounding errors of a limit is on it, not outside.
    pub(super) fn between(stat: f64, cl: Option<f64>, lcl: Option<f64>, ucl: Option<f64>) -> Point {
        let point = Point { stat: Some(stat), cl, lcl, ucl, ..Point::default() };
        let margin = |limit: f64| 1e-12 * limit.abs();
        let below = lcl.is_some_and(|limit| stat < limit - margin(limit));
        let above = ucl.is_some_and(|limit| stat > limit + margin(limit));
        Point {
            hits: if below || above { Hits::NONE.with(RuleId::Limit) } else { Hits::NONE },
            ..point
        }
    }
}

/// One of the diagrams of a chart, as `i` and `mr` of I-MR.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// `p_prime`, `i`, `mr`, `xbar`, …
    pub name: &'static str,
    /// One point for each position of the series.
    pub points: Vec<Point>,
}

/// A statistic and the law it is judged by, before limits are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Plotted {
    /// The value.
    pub stat: f64,
    /// Centre line, if there is one.
    pub cl: Option<f64>,
    /// Its standard deviation, if there is one.
    pub sigma: Option<f64>,
    /// The least and the most that the statistic can be.
    pub range: (f64, f64),
}

impl Plotted {
    /// A statistic that can be any number.
    pub fn unbounded(stat: f64, cl: Option<f64>, sigma: Option<f64>) -> Plotted {
        Plotted { stat, cl, sigma, range: (f64::NEG_INFINITY, f64::INFINITY) }
    }

    /// A statistic that cannot be negative.
    pub fn positive(stat: f64, cl: Option<f64>, sigma: Option<f64>) -> Plotted {
        Plotted { stat, cl, sigma, range: (0.0, f64::INFINITY) }
    }
}

/// Draws the limits and judges, one point at a time: the only place that does, whether points arrive from a
/// finished series or from a running line.
#[derive(Clone, Debug)]
pub struct Judge {
    k: f64,
    gap: GapPolicy,
    engine: RuleEngine,
}

impl Judge {
    /// A judge that has seen nothing.
    pub fn new(k: f64, gap: GapPolicy, rules: RuleSet) -> Judge {
        Judge { k, gap, engine: RuleEngine::new(rules) }
    }

    /// Judges the next point; `None`, or a statistic that is not finite, is a gap.
    pub fn push(&mut self, plotted: Option<Plotted>) -> Point {
        match plotted {
            Some(plotted) if plotted.stat.is_finite() => self.judge(plotted),
            _ => {
                if self.gap == GapPolicy::Break {
                    self.engine.gap();
                }
                Point::default()
            }
        }
    }

    /// Judges a point that has its limits and its normal score; without a score it is a gap.
    pub(super) fn push_scored(&mut self, point: Point) -> Point {
        let Some((stat, z)) = point.stat.zip(point.z) else { return self.push(None) };
        Point { hits: self.engine.push(stat, z), ..point }
    }

    /// Forgets the past, whatever the gap policy: a new stage begins.
    pub fn restart(&mut self) {
        self.engine.gap();
    }

    fn judge(&mut self, Plotted { stat, cl, sigma, range }: Plotted) -> Point {
        let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
        let (cl, sigma) = (finite(cl), finite(sigma).filter(|s| *s >= 0.0));
        let point = Point { stat: Some(stat), cl, sigma, ..Point::default() };
        let (Some(center), Some(s)) = (cl, sigma) else {
            self.engine.gap();
            return point;
        };
        let z = z(stat, center, s);
        let hits = match z {
            Some(z) => self.engine.push(stat, z),
            None => self.differs(),
        };
        let lcl = Some((center - self.k * s).clamp(range.0, range.1));
        let ucl = Some((center + self.k * s).clamp(range.0, range.1));
        Point { lcl, ucl, z, hits, ..point }
    }

    /// Without dispersion every other value is beyond any number of sigma.
    fn differs(&mut self) -> Hits {
        self.engine.gap();
        let beyond =
            [RuleId::N1, RuleId::We1].into_iter().filter(|&id| self.engine.rules().contains(id));
        beyond.fold(Hits::NONE, Hits::with)
    }
}

/// The distance from the centre line in sigma; without dispersion it is zero on the line and undefined off it.
fn z(stat: f64, center: f64, sigma: f64) -> Option<f64> {
    if sigma > 0.0 {
        return Some((stat - center) / sigma).filter(|z| z.is_finite());
    }
    (stat == center).then_some(0.0)
}

/// A stage: where it lies and which of its points estimate.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) range: Range<usize>,
    pub(super) estimates: Vec<bool>,
}

impl Settings {
    /// The same settings with other rules, for a panel that allows fewer.
    pub(super) fn judge(&self, rules: RuleSet) -> Judge {
        Judge::new(self.k, self.gap, rules)
    }

    /// The stages of a series of `n_points`, in order. Ranges that reach beyond the series are cut.
    pub(super) fn stages(&self, n_points: usize) -> Vec<Stage> {
        let cut = |range: &Range<usize>| range.start.min(n_points)..range.end.min(n_points);
        let whole = std::slice::from_ref(&(0..n_points)).to_vec();
        let ranges =
            if self.stages.is_empty() { whole } else { self.stages.iter().map(cut).collect() };
        let estimates = self.estimating(n_points);
        let stage = |range: Range<usize>| {
            let estimates = estimates.get(range.clone()).unwrap_or_default().to_vec();
            Stage { range: if estimates.is_empty() { 0..0 } else { range }, estimates }
        };
        ranges.into_iter().map(stage).collect()
    }

    /// For each position, whether it takes part in the estimation.
    pub(super) fn estimating(&self, n_points: usize) -> Vec<bool> {
        let mut estimates = match &self.baseline {
            None => vec![true; n_points],
            Some(baseline) => (0..n_points).map(|i| baseline.contains(&i)).collect(),
        };
        for exclusion in &self.excluded {
            if let Some(estimates) = estimates.get_mut(exclusion.index) {
                *estimates = false;
            }
        }
        estimates
    }
}

/// Runs a chart over a series: fits each stage, then pushes its subgroups one by one through the same stream that
/// judges a running line. `P` panels come back, each with one point for each subgroup; what lies in no stage is a gap.
pub(super) fn run_stages<T, F, S, const P: usize>(
    data: &[T],
    settings: &Settings,
    fit: impl Fn(&[T], &Stage) -> F,
    stream: impl Fn(&F) -> S,
) -> (Vec<F>, [Vec<Point>; P])
where
    S: FnMut(&T) -> [Point; P],
{
    let mut panels = [const { Vec::new() }; P];
    panels.iter_mut().for_each(|points| points.resize(data.len(), Point::default()));
    let mut fits = Vec::new();
    for stage in settings.stages(data.len()) {
        let fit = fit(&data[stage.range.clone()], &stage);
        let mut push = stream(&fit);
        for i in stage.range {
            let judged = push(&data[i]);
            panels.iter_mut().zip(judged).for_each(|(points, point)| points[i] = point);
        }
        fits.push(fit);
    }
    (fits, panels)
}

/// The values of a stage that estimate.
pub(super) fn estimating<'a, T>(
    data: &'a [Option<T>],
    stage: &'a Stage,
) -> impl Iterator<Item = &'a T> {
    data.iter()
        .zip(&stage.estimates)
        .filter(|(_, estimates)| **estimates)
        .filter_map(|(value, _)| value.as_ref())
}
