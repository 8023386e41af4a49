//! Charts for short campaigns (Z-MR by product) and for people (the zone chart).

use std::collections::BTreeMap;

use super::chart::{Panel, Settings, Status};
use super::dispersion::{mean_range, moving_ranges};
use super::individuals::{Individuals, IndividualsStream};
use crate::stats::summary;

/// Settings of a zone chart (Jaehn 1989): points are added up by zone, and start again when the centre is crossed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// Points for a value within one sigma, between one and two, two and three, and beyond.
    pub weights: [f64; 4],
    /// The score that signals.
    pub signal: f64,
    /// Whether the score starts again after a signal.
    pub reset_after_signal: bool,
}

impl Default for Zone {
    fn default() -> Zone {
        Zone { weights: [0.0, 2.0, 4.0, 8.0], signal: 8.0, reset_after_signal: false }
    }
}

/// A zone chart, one standardised value at a time.
#[derive(Clone, Debug)]
pub struct ZoneStream {
    settings: Zone,
    score: f64,
    side: i8,
}

impl ZoneStream {
    /// A chart that has seen nothing.
    pub fn new(settings: Zone) -> ZoneStream {
        ZoneStream { settings, score: 0.0, side: 0 }
    }

    /// The score at the next value and whether it signals. A gap (`None`) starts again.
    pub fn push(&mut self, z: Option<f64>) -> Option<(f64, bool)> {
        let Some(z) = z.filter(|z| z.is_finite()) else {
            (self.score, self.side) = (0.0, 0);
            return None;
        };
        let side = i8::from(z > 0.0) - i8::from(z < 0.0);
        if side != self.side {
            self.score = 0.0;
        }
        self.side = side;
        self.score += self.settings.weights[(z.abs() as usize).min(3)];
        let (score, signals) = (self.score, self.score >= self.settings.signal);
        if signals && self.settings.reset_after_signal {
            self.score = 0.0;
        }
        Some((score, signals))
    }
}

/// How sigma is estimated for a Z-MR chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartSigma {
    /// For each product, from moving ranges within its campaigns.
    #[default]
    ByParts,
    /// One for all products, from the moving ranges of all campaigns.
    Constant,
}

/// A judged Z-MR chart.
#[derive(Clone, Debug)]
pub struct ZmrChart {
    /// Mean of each product.
    pub mean: BTreeMap<String, Option<f64>>,
    /// Standard deviation of each product.
    pub sigma: BTreeMap<String, Option<f64>>,
    /// `z` and `mr`.
    pub panels: Vec<Panel>,
    /// The worst of its products.
    pub status: Status,
}

/// Estimates and judges values of several products run one after the other, each standardised by its own product.
pub fn z_mr(
    values: &[Option<f64>],
    parts: &[String],
    sigma: PartSigma,
    settings: &Settings,
) -> ZmrChart {
    let values = &values[..values.len().min(parts.len())];
    let estimates = settings.estimating(values.len());
    let names: std::collections::BTreeSet<&String> = parts.iter().take(values.len()).collect();
    let of = |name: &str, within: &str| name == within;
    let mut mean = BTreeMap::new();
    let mut sigmas = BTreeMap::new();
    let pooled = sigma_of(values, parts, &estimates, |_| true, settings);
    for name in names {
        let own =
            values.iter().zip(parts).zip(&estimates).filter(|((_, part), e)| of(part, name) && **e);
        let own: Vec<f64> =
            own.filter_map(|((value, _), _)| *value).filter(|v| v.is_finite()).collect();
        mean.insert(name.clone(), summary::mean(&own));
        let by_part = || sigma_of(values, parts, &estimates, |part| of(part, name), settings);
        sigmas.insert(name.clone(), if sigma == PartSigma::ByParts { by_part() } else { pooled });
    }
    let standard = |(value, part): (&Option<f64>, &String)| {
        let (m, s) = (mean.get(part).copied().flatten()?, sigmas.get(part).copied().flatten()?);
        Some(((*value)? - m) / s).filter(|z| z.is_finite())
    };
    let zs: Vec<Option<f64>> = values.iter().zip(parts).map(standard).collect();
    let mut stream =
        IndividualsStream::new(&Individuals::default(), Some(0.0), Some(1.0), settings);
    let (z, mr) = zs.iter().map(|z| stream.push(*z)).map(|[z, mr]| (z, mr)).unzip();
    let status = Status::worst(mean.iter().map(|(part, mean)| Status::of(*mean, sigmas[part])));
    ZmrChart {
        mean,
        sigma: sigmas,
        panels: vec![Panel { name: "z", points: z }, Panel { name: "mr", points: mr }],
        status,
    }
}

/// Sigma from the moving ranges within campaigns of the chosen products: a range never spans a change of product.
fn sigma_of(
    values: &[Option<f64>],
    parts: &[String],
    estimates: &[bool],
    chosen: impl Fn(&str) -> bool,
    settings: &Settings,
) -> Option<f64> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < values.len() {
        let campaign = parts[start..].iter().take_while(|part| **part == parts[start]).count();
        let end = (start + campaign).min(values.len());
        if chosen(&parts[start]) {
            ranges.extend(moving_ranges(
                &values[start..end],
                &estimates[start..end],
                2,
                settings.gap,
            ));
        }
        start = end;
    }
    Some(mean_range(&ranges, 2, settings.screen, settings.constants)? / settings.constants.d2(2)?)
}
