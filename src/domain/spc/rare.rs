//! Charts of rare events: g counts good capsules between rejects, t the time between them.
//!
//! With less than about one reject a subgroup a fraction chart has nothing to plot; the distance to the next reject
//! has, and a *low* point is the bad news.

use super::chart::{Judge, Panel, Plotted, Point, Settings, Stage, Status, estimating, run_stages};
use crate::stats::distribution::normal_cdf;
use crate::stats::quantile::normal;
use crate::stats::summary;
use crate::stats::weibull::Weibull;

/// How the limits of a g chart are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GMethod {
    /// Quantiles of the geometric law at `Φ(-k)`, ½ and `Φ(k)` (Benneyan 2001; Minitab).
    #[default]
    Probability,
    /// `x̄ ± k √(x̄ (x̄ + 1))`.
    Sigma,
}

/// The law of a g chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GFit {
    /// Centre line: the median, or the mean for [`GMethod::Sigma`].
    pub center: Option<f64>,
    /// Probability that a capsule is the event.
    pub p: Option<f64>,
    /// `√(x̄ (x̄ + 1))`, for [`GMethod::Sigma`].
    pub sigma: Option<f64>,
    limits: Option<(f64, f64)>,
}

/// A judged g chart.
#[derive(Clone, Debug)]
pub struct GChart {
    /// The law of each stage.
    pub estimates: Vec<GFit>,
    /// One point for each event.
    pub panel: Panel,
    /// The worst of its stages.
    pub status: Status,
}

/// Estimates and judges the numbers of good units between events; `None` is a gap. Only the limits judge.
pub fn g_chart(between: &[Option<f64>], method: GMethod, settings: &Settings) -> GChart {
    let (estimates, [points]) = run_stages(
        between,
        settings,
        |between, stage| GFit::new(between, stage, method, settings.k),
        |fit| {
            let fit = *fit;
            move |count| [count.map_or_else(Point::default, |count| fit.judge(count))]
        },
    );
    let status = Status::worst(
        estimates.iter().map(|fit| Status::of(fit.center, fit.center.and(Some(1.0)))),
    );
    GChart { estimates, panel: Panel { name: "g", points }, status }
}

impl GFit {
    fn new(between: &[Option<f64>], stage: &Stage, method: GMethod, k: f64) -> GFit {
        let used: Vec<f64> =
            estimating(between, stage).copied().filter(|x| *x >= 0.0 && x.is_finite()).collect();
        let none = GFit { center: None, p: None, sigma: None, limits: None };
        let Some(mean) = summary::mean(&used) else { return none };
        match method {
            GMethod::Sigma => {
                let sigma = (mean * (mean + 1.0)).sqrt();
                let limits = Some(((mean - k * sigma).max(0.0), mean + k * sigma));
                GFit { center: Some(mean), p: Some(1.0 / (mean + 1.0)), sigma: Some(sigma), limits }
            }
            GMethod::Probability => {
                // (N-1)/N makes the estimate unbiased (Benneyan 2001, eq. 6).
                let n = used.len() as f64;
                let p = (n - 1.0) / n / (mean + 1.0);
                let limits =
                    geometric_quantile(p, normal_cdf(-k)).zip(geometric_quantile(p, normal_cdf(k)));
                GFit { center: geometric_quantile(p, 0.5), p: Some(p), sigma: None, limits }
            }
        }
    }

    /// The point of one event under this law.
    pub fn judge(&self, count: f64) -> Point {
        if !count.is_finite() {
            return Point::default();
        }
        Point::between(count, self.center, self.limits.map(|l| l.0), self.limits.map(|l| l.1))
    }
}

/// The quantile of the number of failures before a success, linear between the steps of its distribution function
/// and not below zero; `None` unless `0 < p < 1`.
fn geometric_quantile(p: f64, probability: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0 && probability > 0.0 && probability < 1.0) {
        return None;
    }
    let ln_q = (-p).ln_1p();
    // The first integer whose distribution function `1 - q^(j+1)` reaches the probability.
    let step = ((-probability).ln_1p() / ln_q).ceil() - 1.0;
    let cdf = |j: f64| -((j + 1.0) * ln_q).exp_m1();
    let (below, at) = (cdf(step - 1.0), cdf(step));
    Some((step - 1.0 + (probability - below) / (at - below)).max(0.0)).filter(|x| x.is_finite())
}

/// How times are made normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TMethod {
    /// A power, `1/3.6` by default (Nelson 1994: it makes exponential times nearly normal), on an individuals chart.
    Power(f64),
    /// The normal score of a fitted Weibull law (Minitab, JMP).
    Weibull,
    /// The same with the shape fixed at one.
    Exponential,
}

impl Default for TMethod {
    fn default() -> TMethod {
        TMethod::Power(1.0 / 3.6)
    }
}

/// The law of a t chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TFit {
    /// Mean and standard deviation of the powers.
    Power {
        /// The exponent.
        exponent: f64,
        /// Mean of the powers.
        center_y: Option<f64>,
        /// Their standard deviation by moving ranges.
        sigma_y: Option<f64>,
    },
    /// The fitted law; `None` when there was too little to fit.
    Law(Option<Weibull>),
}

/// A judged t chart; z is on the transformed scale, limits are times.
#[derive(Clone, Debug)]
pub struct TChart {
    /// The law of each stage.
    pub estimates: Vec<TFit>,
    /// One point for each time.
    pub panel: Panel,
    /// The worst of its stages.
    pub status: Status,
}

/// Estimates and judges times between events; `None`, or a negative time, is a gap.
pub fn t_chart(times: &[Option<f64>], method: TMethod, settings: &Settings) -> TChart {
    let times: Vec<Option<f64>> =
        times.iter().map(|t| t.filter(|t| *t >= 0.0 && t.is_finite())).collect();
    let (estimates, [points]) = run_stages(
        &times,
        settings,
        |times, stage| TFit::new(times, stage, method, settings),
        |fit| {
            let mut stream = TStream::new(*fit, settings);
            move |time| [stream.push(*time)]
        },
    );
    let status = Status::worst(estimates.iter().map(TFit::status));
    TChart { estimates, panel: Panel { name: "t", points }, status }
}

impl TFit {
    fn new(times: &[Option<f64>], stage: &Stage, method: TMethod, settings: &Settings) -> TFit {
        let used: Vec<f64> = estimating(times, stage).copied().collect();
        match method {
            TMethod::Power(exponent) => {
                let powers: Vec<_> = times.iter().map(|t| t.map(|t| t.powf(exponent))).collect();
                let fit = super::individuals::Individuals::default().fit(&powers, stage, settings);
                TFit::Power { exponent, center_y: fit.center, sigma_y: fit.sigma }
            }
            TMethod::Weibull => TFit::Law(Weibull::fit(&used)),
            TMethod::Exponential => TFit::Law(Weibull::exponential(&used)),
        }
    }

    /// Centre line as a time: the median of the law, or the back-transformed mean.
    pub fn center(&self) -> Option<f64> {
        match self {
            TFit::Power { center_y, .. } => center_y.and_then(|y| self.time(y)),
            TFit::Law(law) => law.and_then(|law| law.quantile(0.5)),
        }
    }

    fn status(&self) -> Status {
        match self {
            TFit::Power { center_y, sigma_y, .. } => Status::of(*center_y, *sigma_y),
            TFit::Law(law) => Status::of(law.map(|law| law.scale), law.map(|law| law.shape)),
        }
    }

    /// Mean and standard deviation on the transformed scale.
    fn scale(&self) -> (Option<f64>, Option<f64>) {
        match self {
            TFit::Power { center_y, sigma_y, .. } => (*center_y, *sigma_y),
            TFit::Law(law) => (law.map(|_| 0.0), law.map(|_| 1.0)),
        }
    }

    /// A time on the transformed scale.
    fn score(&self, time: f64) -> f64 {
        // Where Φ has no digits left; a time of zero is as low as this.
        const FARTHEST: f64 = 37.0;
        match self {
            TFit::Power { exponent, .. } => time.powf(*exponent),
            TFit::Law(None) => time,
            TFit::Law(Some(law)) => {
                let above = law.survival(time);
                // The score of the nearer tail: `1 - above` has no digits left for short times, but -ln(above) has.
                let below = -(-(time / law.scale).powf(law.shape)).exp_m1();
                let z = if above < 0.5 { normal(above).map(|z| -z) } else { normal(below) };
                z.unwrap_or(if above < 0.5 { FARTHEST } else { -FARTHEST })
            }
        }
    }

    /// The time at a place on the transformed scale.
    fn time(&self, y: f64) -> Option<f64> {
        match self {
            TFit::Power { exponent, .. } => {
                Some(y.max(0.0).powf(1.0 / exponent)).filter(|t| t.is_finite())
            }
            TFit::Law(law) => law.and_then(|law| law.quantile(normal_cdf(y))),
        }
    }
}

/// A t chart with a known law, one time at a time.
#[derive(Clone, Debug)]
pub struct TStream {
    fit: TFit,
    judge: Judge,
}

impl TStream {
    /// A chart that has seen nothing.
    pub fn new(fit: TFit, settings: &Settings) -> TStream {
        TStream { fit, judge: settings.judge(settings.rules.clone()) }
    }

    /// Judges the next time; `None` is a gap. The limits come back as times.
    pub fn push(&mut self, time: Option<f64>) -> Point {
        let (center, sigma) = self.fit.scale();
        let point = self
            .judge
            .push(time.map(|time| Plotted::unbounded(self.fit.score(time), center, sigma)));
        let as_time = |y: Option<f64>| y.and_then(|y| self.fit.time(y));
        Point {
            stat: time,
            cl: as_time(point.cl),
            lcl: as_time(point.lcl),
            ucl: as_time(point.ucl),
            sigma: None,
            ..point
        }
    }
}
