//! The chart of individual values with their moving ranges (Montgomery 6.4).

use super::chart::{Judge, Panel, Plotted, Point, Settings, Stage, Status, estimating, run_stages};
use super::constants::{MEDIAN_RANGE_OF_TWO, c4};
use super::dispersion::{MAX_SPAN, MovingRange, mean_range, moving_ranges};
use crate::stats::quantile::median;
use crate::stats::summary;

/// A given centre and within-subgroup standard deviation: nothing is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frozen {
    /// Centre line of the values or means.
    pub center: f64,
    /// Standard deviation of a single value.
    pub sigma: f64,
}

/// A judged chart of measurements with what it was judged by, one estimate for each stage.
#[derive(Clone, Debug)]
pub struct VariablesChart<E> {
    /// The estimates of each stage.
    pub estimates: Vec<E>,
    /// The diagrams, the one of location first.
    pub panels: Vec<Panel>,
    /// The worst of its stages.
    pub status: Status,
}

/// How sigma is estimated from individual values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndividualSigma {
    /// Mean moving range over d2.
    #[default]
    MovingRange,
    /// Median moving range over its own constant; a few wild values do not move it. Spans of two only:
    /// a longer span is taken as two.
    MedianRange,
    /// Sample standard deviation over c4: long-term, drift included.
    StandardDeviation,
}

/// An I-MR chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Individuals {
    /// How many values a moving range spans.
    pub span: usize,
    /// How sigma is estimated.
    pub method: IndividualSigma,
    /// A given law.
    pub frozen: Option<Frozen>,
}

impl Default for Individuals {
    fn default() -> Individuals {
        Individuals { span: 2, method: IndividualSigma::MovingRange, frozen: None }
    }
}

/// What an I-MR chart estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IndividualsFit {
    /// Mean of the values.
    pub center: Option<f64>,
    /// Standard deviation of a value.
    pub sigma: Option<f64>,
    /// Mean (or, if so asked, median) moving range.
    pub mr_bar: Option<f64>,
    /// How many values estimate.
    pub n_used: usize,
}

impl Individuals {
    /// Estimates and judges a series; `None` is a gap. Panels `i` and `mr`.
    pub fn chart(
        &self,
        values: &[Option<f64>],
        settings: &Settings,
    ) -> VariablesChart<IndividualsFit> {
        let (estimates, [i, mr]) = run_stages(
            values,
            settings,
            |values, stage| self.fit(values, stage, settings),
            |fit| {
                let mut stream = IndividualsStream::new(self, fit.center, fit.sigma, settings);
                move |value| stream.push(*value)
            },
        );
        let status = Status::worst(estimates.iter().map(|fit| Status::of(fit.center, fit.sigma)));
        VariablesChart {
            estimates,
            panels: vec![Panel { name: "i", points: i }, Panel { name: "mr", points: mr }],
            status,
        }
    }

    pub(super) fn fit(
        &self,
        values: &[Option<f64>],
        stage: &Stage,
        settings: &Settings,
    ) -> IndividualsFit {
        let used: Vec<f64> = estimating(values, stage).copied().filter(|v| v.is_finite()).collect();
        let span = self.span();
        let ranges = moving_ranges(values, &stage.estimates, span, settings.gap);
        let mean = mean_range(&ranges, span, settings.screen, settings.constants);
        let (mr_bar, sigma) = match self.method {
            IndividualSigma::MovingRange => {
                (mean, mean.zip(settings.constants.d2(span)).map(|(mr, d2)| mr / d2))
            }
            IndividualSigma::MedianRange => {
                let sorted = ranges
                    .iter()
                    .flatten()
                    .filter(|range| range.estimates)
                    .map(|range| range.value);
                let middle = median(&sorted.collect::<Vec<_>>());
                (middle, middle.map(|mr| mr / MEDIAN_RANGE_OF_TWO))
            }
            IndividualSigma::StandardDeviation => {
                (mean, summary::sd(&used).zip(c4(used.len() as f64)).map(|(sd, c4)| sd / c4))
            }
        };
        IndividualsFit {
            center: self.frozen.map_or_else(|| summary::mean(&used), |frozen| Some(frozen.center)),
            sigma: self.frozen.map_or(sigma, |frozen| Some(frozen.sigma)),
            mr_bar,
            n_used: used.len(),
        }
    }

    fn span(&self) -> usize {
        if self.method == IndividualSigma::MedianRange { 2 } else { self.span.clamp(2, MAX_SPAN) }
    }
}

/// An I-MR chart with a known law, one value at a time.
#[derive(Clone, Debug)]
pub struct IndividualsStream {
    center: Option<f64>,
    sigma: Option<f64>,
    window: MovingRange,
    d2: Option<f64>,
    d3: Option<f64>,
    judges: [Judge; 2],
}

impl IndividualsStream {
    /// A chart that has seen nothing, judging by `center` and `sigma`.
    pub fn new(
        kind: &Individuals,
        center: Option<f64>,
        sigma: Option<f64>,
        settings: &Settings,
    ) -> IndividualsStream {
        let span = kind.span();
        IndividualsStream {
            center,
            sigma,
            window: MovingRange::new(span, settings.gap),
            d2: settings.constants.d2(span),
            d3: settings.constants.d3(span),
            judges: [
                settings.judge(settings.rules.clone()),
                settings.judge(settings.rules.for_dispersion()),
            ],
        }
    }

    /// The same with moving ranges that are judged in their own way.
    #[must_use]
    pub fn with_ranges(mut self, judge: Judge) -> IndividualsStream {
        self.judges[1] = judge;
        self
    }

    /// Judges the next value, `None` being a gap: the point of the value and that of the moving range it ends.
    pub fn push(&mut self, value: Option<f64>) -> [Point; 2] {
        let times_sigma =
            |factor: Option<f64>| self.sigma.zip(factor).map(|(sigma, factor)| factor * sigma);
        let individual = value.map(|value| Plotted::unbounded(value, self.center, self.sigma));
        let range = self.window.push(value, true);
        let range = range.map(|range| {
            Plotted::positive(range.value, times_sigma(self.d2), times_sigma(self.d3))
        });
        [self.judges[0].push(individual), self.judges[1].push(range)]
    }
}
