//! Charts with a memory: EWMA, CUSUM and the moving average (Montgomery, ch. 9). They find small lasting shifts.
//!
//! Their points are not independent, so only the limits judge them: run rules would count the same news twice.
//! Target and sigma are given; each chart takes one value at a time and its memory does not grow.

use std::collections::VecDeque;

use super::chart::{GapPolicy, Judge, Plotted, Point};
use super::rules::{Hits, Pattern, Rule, RuleId, RuleSet};

/// A mean of some values with the number of values, or a gap.
pub type Sample = Option<(f64, f64)>;

/// The value and size of a sample that can be used: finite, and of at least one value's weight.
fn usable(sample: Sample) -> Sample {
    sample.filter(|(value, n)| value.is_finite() && *n > 0.0 && n.is_finite())
}

/// A judge whose only rule is the drawn limit, reported as `id`.
fn limit_judge(k: f64, id: RuleId) -> Judge {
    Judge::new(k, GapPolicy::Break, RuleSet::custom([Rule::new(id, Pattern::Beyond { k })]))
}

/// Which limits an EWMA chart draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EwmaLimits {
    /// From the variance at each point, which starts narrow.
    #[default]
    Exact,
    /// Those reached after many points.
    Asymptotic,
}

/// What a gap does to the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EwmaGap {
    /// It waits.
    #[default]
    Carry,
    /// It starts again at the target.
    Restart,
}

/// Settings of an EWMA chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ewma {
    /// Weight of the newest value, in `(0, 1]`.
    pub lambda: f64,
    /// Distance of the limits in standard deviations of the mean.
    pub l: f64,
    /// Centre line and start.
    pub target: f64,
    /// Standard deviation of a single value.
    pub sigma: f64,
    /// Which limits.
    pub limits: EwmaLimits,
    /// What a gap does.
    pub gap: EwmaGap,
}

/// An EWMA chart, one sample at a time.
#[derive(Clone, Debug)]
pub struct EwmaStream {
    settings: Ewma,
    mean: f64,
    /// Variance of `mean` in units of `sigma²`.
    variance: f64,
    judge: Judge,
}

impl EwmaStream {
    /// A chart that has seen nothing.
    pub fn new(settings: Ewma) -> EwmaStream {
        let judge = limit_judge(settings.l, RuleId::Limit);
        EwmaStream { settings, mean: settings.target, variance: 0.0, judge }
    }

    /// Judges the next sample. With samples of unequal size the variance follows the same recursion as the mean,
    /// `V = λ²/n + (1-λ)² V`; the closed form with the last size, as in qcc, is wrong.
    pub fn push(&mut self, sample: Sample) -> Point {
        let Ewma { lambda, target, sigma, limits, gap, .. } = self.settings;
        let Some((value, n)) = usable(sample) else {
            if gap == EwmaGap::Restart {
                (self.mean, self.variance) = (target, 0.0);
            }
            return self.judge.push(None);
        };
        let rest = 1.0 - lambda;
        self.mean = lambda * value + rest * self.mean;
        self.variance = lambda * lambda / n + rest * rest * self.variance;
        let variance = match limits {
            EwmaLimits::Exact => self.variance,
            EwmaLimits::Asymptotic => lambda / (2.0 - lambda) / n,
        };
        self.judge.push(Some(Plotted::unbounded(
            self.mean,
            Some(target),
            Some(sigma * variance.max(0.0).sqrt()),
        )))
    }
}

/// Settings of a tabular CUSUM chart, in units of the standard deviation of a plotted mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    /// Reference value: half the shift to be found.
    pub k: f64,
    /// Decision interval.
    pub h: f64,
    /// Target of the values.
    pub target: f64,
    /// Standard deviation of a single value.
    pub sigma: f64,
    /// Head start as a fraction of `h`: a half is the fast initial response of Lucas & Crosier 1982.
    pub fir: f64,
    /// Whether both sums start again after a signal.
    pub reset_after_signal: bool,
}

/// A point of a CUSUM chart; both sums are positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CusumPoint {
    /// Sum of what exceeds the target by more than `k`.
    pub c_plus: f64,
    /// Sum of what falls short of the target by more than `k`.
    pub c_minus: f64,
    /// How many points `c_plus` has been above zero.
    pub n_plus: u32,
    /// How many points `c_minus` has been above zero.
    pub n_minus: u32,
    /// [`RuleId::Upper`], [`RuleId::Lower`].
    pub hits: Hits,
}

/// A CUSUM chart, one sample at a time. A gap holds both sums.
#[derive(Clone, Debug)]
pub struct CusumStream {
    settings: Cusum,
    up: Side,
    down: Side,
}

#[derive(Clone, Copy, Debug)]
struct Side {
    sum: f64,
    n: u32,
}

impl Side {
    fn advance(&mut self, deviation: f64) {
        self.sum = (self.sum + deviation).max(0.0);
        self.n = if self.sum > 0.0 { self.n.saturating_add(1) } else { 0 };
    }
}

impl CusumStream {
    /// A chart that has seen nothing.
    pub fn new(settings: Cusum) -> CusumStream {
        let start = CusumStream::head_start(&settings);
        CusumStream { settings, up: start, down: start }
    }

    /// Judges the next sample; `None` at a gap.
    pub fn push(&mut self, sample: Sample) -> Option<CusumPoint> {
        let Cusum { k, h, target, sigma, reset_after_signal, .. } = self.settings;
        let (value, n) = usable(sample)?;
        let y = (value - target) / (sigma / n.sqrt());
        if !y.is_finite() {
            return None;
        }
        self.up.advance(y - k);
        self.down.advance(-y - k);
        let mut hits = Hits::NONE;
        for (side, id) in [(self.up, RuleId::Upper), (self.down, RuleId::Lower)] {
            // Strict, with the guard of the run rules: a sum that meets h after rounding is not above it.
            hits = if side.sum > h + 1e-9 { hits.with(id) } else { hits };
        }
        let point = CusumPoint {
            c_plus: self.up.sum,
            c_minus: self.down.sum,
            n_plus: self.up.n,
            n_minus: self.down.n,
            hits,
        };
        if reset_after_signal && !hits.is_empty() {
            (self.up, self.down) =
                (CusumStream::head_start(&self.settings), CusumStream::head_start(&self.settings));
        }
        Some(point)
    }

    fn head_start(settings: &Cusum) -> Side {
        Side { sum: (settings.fir * settings.h).max(0.0), n: 0 }
    }
}

impl Cusum {
    /// The mean that the process seems to have moved to, from a point whose upper or lower sum signals
    /// (Montgomery 9.1): `target ± σ/√n · (k + C/N)`. `None` for a point that does not signal.
    pub fn shifted_mean(&self, point: &CusumPoint, n: f64) -> Option<f64> {
        let scale = self.sigma / n.sqrt();
        let size = |sum: f64, n: u32| (n > 0).then(|| scale * (self.k + sum / f64::from(n)));
        if point.hits.contains(RuleId::Upper) {
            return Some(self.target + size(point.c_plus, point.n_plus)?);
        }
        let down = size(point.c_minus, point.n_minus)?;
        point.hits.contains(RuleId::Lower).then_some(self.target - down)
    }
}

/// Settings of a moving average chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovingAverage {
    /// How many samples are averaged; fewer at the start.
    pub span: usize,
    /// Distance of the limits in standard deviations of the average.
    pub k: f64,
    /// Centre line.
    pub center: f64,
    /// Standard deviation of a single value.
    pub sigma: f64,
    /// Whether the samples before a gap still count after it.
    pub gap: GapPolicy,
}

/// A moving average chart, one sample at a time.
#[derive(Clone, Debug)]
pub struct MovingAverageStream {
    settings: MovingAverage,
    last: VecDeque<(f64, f64)>,
    judge: Judge,
}

impl MovingAverageStream {
    /// The longest average; a longer one is cut.
    pub const MAX_SPAN: usize = 1000;

    /// A chart that has seen nothing.
    pub fn new(settings: MovingAverage) -> MovingAverageStream {
        let judge = limit_judge(settings.k, RuleId::N1);
        MovingAverageStream { settings, last: VecDeque::new(), judge }
    }

    /// Judges the next sample by the mean of the last ones, `sd = σ/m √Σ 1/n` of the `m` there are.
    pub fn push(&mut self, sample: Sample) -> Point {
        let MovingAverage { span, center, sigma, gap, .. } = self.settings;
        let Some(sample) = usable(sample) else {
            if gap == GapPolicy::Break {
                self.last.clear();
            }
            return self.judge.push(None);
        };
        if self.last.len() == span.clamp(1, MovingAverageStream::MAX_SPAN) {
            self.last.pop_front();
        }
        self.last.push_back(sample);
        let m = self.last.len() as f64;
        let mean = self.last.iter().map(|(value, _)| value).sum::<f64>() / m;
        let error = sigma / m * self.last.iter().map(|(_, n)| 1.0 / n).sum::<f64>().sqrt();
        self.judge.push(Some(Plotted::unbounded(mean, Some(center), Some(error))))
    }
}
