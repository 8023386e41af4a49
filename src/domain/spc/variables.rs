//! Charts of subgroups of measurements: Xbar-R, Xbar-S and the three-way chart (Montgomery, ch. 6; AIAG SPC).

use super::chart::{Judge, Panel, Plotted, Point, Settings, Stage, Status, estimating, run_stages};
use super::constants::{Constants, c4, c5};
use super::individuals::{Frozen, Individuals, IndividualsStream, VariablesChart};
use crate::stats::summary::{self, Summary};

/// How sigma is estimated within subgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Ranges over d2, weighted by `(d2/d3)²` (ASTM MNL 7; MVLUE-R).
    Range,
    /// Standard deviations over c4, weighted by `c4²/(1-c4²)`.
    StandardDeviation,
    /// Pooled variance over c4 of its degrees of freedom plus one (Minitab).
    Pooled,
}

/// The second diagram of an Xbar chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Ranges: for up to about ten values a subgroup.
    Range,
    /// Standard deviations: for larger subgroups.
    StandardDeviation,
}

/// An Xbar-R or Xbar-S chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// The second diagram.
    pub spread: Spread,
    /// How sigma is estimated.
    pub within: Within,
    /// A given law.
    pub frozen: Option<Frozen>,
}

/// What an Xbar chart estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeansFit {
    /// Mean of all values.
    pub center: Option<f64>,
    /// Standard deviation of a single value within its subgroup.
    pub sigma: Option<f64>,
    /// Mean range of the subgroups.
    pub r_bar: Option<f64>,
    /// Mean standard deviation of the subgroups.
    pub s_bar: Option<f64>,
}

impl Means {
    /// Estimates and judges a series of subgroups; `None` is a gap. Panels `xbar` and `r` or `s`.
    pub fn chart(
        &self,
        groups: &[Option<Summary>],
        settings: &Settings,
    ) -> VariablesChart<MeansFit> {
        let (estimates, [xbar, spread]) = run_stages(
            groups,
            settings,
            |groups, stage| self.fit(groups, stage, settings.constants),
            |fit| {
                let mut stream = MeansStream::new(self.spread, fit.center, fit.sigma, settings);
                move |group| stream.push(group.as_ref())
            },
        );
        let status = Status::worst(estimates.iter().map(|fit| Status::of(fit.center, fit.sigma)));
        let second = match self.spread {
            Spread::Range => "r",
            Spread::StandardDeviation => "s",
        };
        let panels =
            vec![Panel { name: "xbar", points: xbar }, Panel { name: second, points: spread }];
        VariablesChart { estimates, panels, status }
    }

    fn fit(&self, groups: &[Option<Summary>], stage: &Stage, constants: Constants) -> MeansFit {
        let used: Vec<Summary> = estimating(groups, stage).copied().collect();
        let whole = used.iter().filter_map(|group| Some((group.n() as f64, group.mean()?)));
        let center = weighted_mean(whole);
        let sigma = sigma_within(&used, self.within, constants);
        MeansFit {
            center: self.frozen.map_or(center, |frozen| Some(frozen.center)),
            sigma: self.frozen.map_or(sigma, |frozen| Some(frozen.sigma)),
            r_bar: weighted_mean(used.iter().filter_map(|group| Some((1.0, range(group)?)))),
            s_bar: weighted_mean(used.iter().filter_map(|group| Some((1.0, group.sd()?)))),
        }
    }
}

/// The standard deviation of a value within its subgroup; `None` without a subgroup of two or more.
pub fn sigma_within(groups: &[Summary], method: Within, constants: Constants) -> Option<f64> {
    match method {
        Within::Range => weighted_mean(groups.iter().filter_map(|group| {
            let (d2, d3) = (constants.d2(group.n() as usize)?, constants.d3(group.n() as usize)?);
            Some(((d2 / d3).powi(2), range(group)? / d2))
        })),
        Within::StandardDeviation => weighted_mean(groups.iter().filter_map(|group| {
            let (c4, c5) = (c4(group.n() as f64)?, c5(group.n() as f64)?);
            Some(((c4 / c5).powi(2), group.sd()? / c4))
        })),
        Within::Pooled => {
            let df = groups.iter().map(|group| group.n().saturating_sub(1)).sum::<u64>() as f64;
            let spread =
                |group: &Summary| Some((group.n().saturating_sub(1) as f64, group.variance()?));
            let variances = groups.iter().filter_map(spread);
            Some(weighted_mean(variances)?.sqrt() / c4(df + 1.0)?)
        }
    }
}

fn range(group: &Summary) -> Option<f64> {
    (group.n() > 1).then_some(group.max()? - group.min()?)
}

fn weighted_mean(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (weights, values): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let total = summary::sum(weights.iter().copied());
    let product = summary::sum(weights.iter().zip(&values).map(|(weight, value)| weight * value));
    (total > 0.0).then_some(product / total).filter(|mean| mean.is_finite())
}

/// An Xbar chart with a known law, one subgroup at a time.
#[derive(Clone, Debug)]
pub struct MeansStream {
    spread: Spread,
    center: Option<f64>,
    sigma: Option<f64>,
    constants: Constants,
    judges: [Judge; 2],
}

impl MeansStream {
    /// A chart that has seen nothing, judging by `center` and `sigma`.
    pub fn new(
        spread: Spread,
        center: Option<f64>,
        sigma: Option<f64>,
        settings: &Settings,
    ) -> MeansStream {
        let judges = [
            settings.judge(settings.rules.clone()),
            settings.judge(settings.rules.for_dispersion()),
        ];
        MeansStream { spread, center, sigma, constants: settings.constants, judges }
    }

    /// Judges the next subgroup, `None` being a gap: the point of its mean and that of its spread.
    pub fn push(&mut self, group: Option<&Summary>) -> [Point; 2] {
        let mean = group.and_then(|group| {
            let sigma = self.sigma.map(|sigma| sigma / (group.n() as f64).sqrt());
            Some(Plotted::unbounded(group.mean()?, self.center, sigma))
        });
        let spread =
            group.and_then(|group| plot_spread(group, self.spread, self.sigma, self.constants));
        [self.judges[0].push(mean), self.judges[1].push(spread)]
    }
}

/// The range or standard deviation of a subgroup with its law; `None` of fewer than two values.
fn plot_spread(
    group: &Summary,
    spread: Spread,
    sigma: Option<f64>,
    constants: Constants,
) -> Option<Plotted> {
    let n = group.n() as usize;
    let (stat, mean, sd) = match spread {
        Spread::Range => (range(group)?, constants.d2(n)?, constants.d3(n)?),
        Spread::StandardDeviation => (group.sd()?, c4(n as f64)?, c5(n as f64)?),
    };
    Some(Plotted::positive(stat, sigma.map(|sigma| mean * sigma), sigma.map(|sigma| sd * sigma)))
}

/// A three-way chart: the means as individuals with their moving ranges, beside the standard deviations within.
/// For samples of a moving process, where Xbar-S would call all normal wandering between samples a signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThreeWay {
    /// How sigma within is estimated.
    pub within: Within,
}

/// What a three-way chart estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThreeWayFit {
    /// Mean of the means.
    pub center: Option<f64>,
    /// Standard deviation of the means, from their moving ranges.
    pub sigma_means: Option<f64>,
    /// Mean moving range of the means.
    pub mr_bar: Option<f64>,
    /// Standard deviation of a value within its subgroup.
    pub sigma_within: Option<f64>,
    /// Standard deviation between subgroups, beyond what sampling explains: `√max(0, σ_means² - σ_within²/n)`.
    pub sigma_between: Option<f64>,
    /// Both together: the standard deviation of a value.
    pub sigma_between_within: Option<f64>,
}

impl ThreeWay {
    /// Estimates and judges a series of subgroups; `None` is a gap. Panels `i`, `mr` and `s`.
    pub fn chart(
        &self,
        groups: &[Option<Summary>],
        settings: &Settings,
    ) -> VariablesChart<ThreeWayFit> {
        let (estimates, [i, mr, s]) = run_stages(
            groups,
            settings,
            |groups, stage| self.fit(groups, stage, settings),
            |fit| {
                let means = Individuals::default();
                let mut means =
                    IndividualsStream::new(&means, fit.center, fit.sigma_means, settings);
                let (sigma, constants) = (fit.sigma_within, settings.constants);
                let mut judge = settings.judge(settings.rules.for_dispersion());
                move |group: &Option<Summary>| {
                    let [i, mr] = means.push(group.and_then(|group| group.mean()));
                    let spread =
                        |group| plot_spread(group, Spread::StandardDeviation, sigma, constants);
                    [i, mr, judge.push(group.as_ref().and_then(spread))]
                }
            },
        );
        let status =
            Status::worst(estimates.iter().map(|fit| Status::of(fit.center, fit.sigma_means)));
        let panel = |(name, points)| Panel { name, points };
        VariablesChart {
            estimates,
            panels: [("i", i), ("mr", mr), ("s", s)].map(panel).to_vec(),
            status,
        }
    }

    fn fit(&self, groups: &[Option<Summary>], stage: &Stage, settings: &Settings) -> ThreeWayFit {
        let means: Vec<Option<f64>> =
            groups.iter().map(|group| group.and_then(|group| group.mean())).collect();
        let fit = Individuals::default().fit(&means, stage, settings);
        let used: Vec<Summary> =
            estimating(groups, stage).copied().filter(|group| group.n() > 0).collect();
        let within = sigma_within(&used, self.within, settings.constants);
        // Subgroups of unequal size: what sampling adds to the variance of the means is the mean of σ²/n.
        let shares = weighted_mean(used.iter().map(|group| (1.0, 1.0 / group.n() as f64)));
        let sampling = within.zip(shares).map(|(within, share)| within * within * share);
        let between = fit
            .sigma
            .zip(sampling)
            .map(|(means, sampling)| (means * means - sampling).max(0.0).sqrt());
        ThreeWayFit {
            center: fit.center,
            sigma_means: fit.sigma,
            mr_bar: fit.mr_bar,
            sigma_within: within,
            sigma_between: between,
            sigma_between_within: between
                .zip(within)
                .map(|(between, within)| between.hypot(within)),
        }
    }
}
