//! Charts of counts: p, np, c and u (Montgomery, ch. 7), and Laney's p′ and u′ (Qual. Eng. 14(4), 2002).
//!
//! All six are one chart: a rate `Σ count / Σ size` with the sampling error of its law at each subgroup's own size.
//! np plots the same thing times the size, c has size one, and the primes widen the error by the part `σz` of the
//! variation that the law does not explain.

use super::chart::{Judge, Plotted, Point, Settings, Stage, Status, estimating, run_stages};
use super::dispersion::{mean_range, moving_ranges};
use crate::stats::summary;

/// A subgroup: how many were found among how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subgroup {
    /// Rejects, or faults.
    pub count: f64,
    /// Capsules inspected, or units of opportunity; one for a c chart.
    pub size: f64,
}

/// Which law the counts follow and what is plotted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Fraction rejected, binomial.
    P,
    /// Number rejected, binomial.
    Np,
    /// Number of faults in equal units, Poisson.
    C,
    /// Faults per unit, Poisson.
    U,
}

/// The law of a stage: all that judging a new subgroup needs. This is what a frozen chart stores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// What is plotted.
    pub family: Family,
    /// The rate: Σ count / Σ size.
    pub center: Option<f64>,
    /// Laney's factor on the sampling error.
    pub laney: Laney,
}

/// Whether and how the sampling error is widened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Laney {
    /// A plain chart.
    Off,
    /// A primed chart with this σz; `None` when it could not be estimated.
    On(Option<f64>),
}

/// Which of the two estimates of σz widens the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigmaZ {
    /// From moving ranges: short-term, as Laney has it. Blind to slow drift, which neighbours share.
    #[default]
    MovingRange,
    /// From the standard deviation of z: for groups without an order.
    StandardDeviation,
}

/// What is charted, and with which law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attribute {
    /// What is plotted.
    pub family: Family,
    /// Laney's widening; a plain chart without.
    pub prime: Option<Prime>,
    /// A given law: nothing is estimated.
    pub frozen: Option<Frozen>,
}

/// How the sampling error is widened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prime {
    /// Which σz widens the limits.
    pub method: SigmaZ,
    /// Whether an estimated σz below one is taken as one, so that p′ is never narrower than p.
    pub floor_at_one: bool,
}

/// The law of an earlier baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frozen {
    /// The rate.
    pub center: f64,
    /// Laney's factor; a plain chart ignores it.
    pub sigma_z: f64,
}

/// A judged series of counts.
#[derive(Clone, Debug)]
pub struct AttributeChart {
    /// The law of each stage with the dispersion it was chosen by.
    pub fits: Vec<Fit>,
    /// One point for each subgroup.
    pub points: Vec<Point>,
    /// The worst of its stages.
    pub status: Status,
}

/// The law of a stage and how the z about its centre vary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The law in force.
    pub law: Law,
    /// What was seen in the subgroups that estimate, whether or not the law is frozen.
    pub dispersion: Dispersion,
}

/// How the z of a baseline vary: 1 means as the law says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dispersion {
    /// σz from moving ranges.
    pub sigma_z_mr: Option<f64>,
    /// σz from the standard deviation. Clearly more than the one above means drift.
    pub sigma_z_sd: Option<f64>,
    /// Correlation of neighbouring z; above 0.25 the subgroups are too short.
    pub lag1_r: Option<f64>,
    /// How many subgroups estimate.
    pub n_used: usize,
}

impl Family {
    /// Standard deviation of the rate at a subgroup of this size.
    fn error(self, center: f64, size: f64) -> f64 {
        let variance = match self {
            Family::P | Family::Np => center * (1.0 - center),
            Family::C | Family::U => center,
        };
        (variance.max(0.0) / size).sqrt()
    }

    /// The subgroup as this family sees it; `None` when it is missing, empty or not a number.
    pub(super) fn usable(self, subgroup: Option<Subgroup>) -> Option<Subgroup> {
        let Subgroup { count, size } = subgroup?;
        let size = if self == Family::C { 1.0 } else { size };
        let usable = count >= 0.0 && count.is_finite() && size > 0.0 && size.is_finite();
        usable.then_some(Subgroup { count, size })
    }
}

impl Law {
    /// The statistic of a subgroup with its centre line and error.
    pub fn plot(&self, subgroup: Option<Subgroup>) -> Option<Plotted> {
        let Subgroup { count, size } = self.family.usable(subgroup)?;
        let scale = if self.family == Family::Np { size } else { 1.0 };
        let ceiling = match self.family {
            Family::P => 1.0,
            Family::Np => size,
            Family::C | Family::U => f64::INFINITY,
        };
        Some(Plotted {
            stat: if self.family == Family::Np { count } else { count / size },
            cl: self.center.map(|center| center * scale),
            sigma: self
                .center
                .and_then(|center| self.sigma(center, size))
                .map(|sigma| sigma * scale),
            range: (0.0, ceiling),
        })
    }

    fn sigma(&self, center: f64, size: f64) -> Option<f64> {
        let error = self.family.error(center, size);
        match self.laney {
            Laney::Off => Some(error),
            // A baseline without a single reject has no z at all: any reject then differs from the centre line.
            Laney::On(_) if error == 0.0 => Some(0.0),
            // σz = 0 says that the z of the baseline were equal, not that the next one must be.
            Laney::On(sigma_z) => sigma_z.filter(|s| *s > 0.0).map(|s| s * error),
        }
    }

    /// Whether the law can judge.
    pub fn status(&self) -> Status {
        let error = self.center.map(|center| self.family.error(center, 1.0));
        match self.laney {
            Laney::On(sigma_z) if error != Some(0.0) => Status::of(self.center, sigma_z),
            _ => Status::of(self.center, error),
        }
    }
}

/// A chart of counts with a known law, one subgroup at a time.
#[derive(Clone, Debug)]
pub struct AttributeStream {
    law: Law,
    judge: Judge,
}

impl AttributeStream {
    /// A chart that has seen nothing; of `settings` the limits, rules and gap policy count.
    pub fn new(law: Law, settings: &Settings) -> AttributeStream {
        AttributeStream { law, judge: settings.judge(settings.rules.clone()) }
    }

    /// Judges the next subgroup; `None` is a gap.
    pub fn push(&mut self, subgroup: Option<Subgroup>) -> Point {
        self.judge.push(self.law.plot(subgroup))
    }

    /// What it judges by.
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// Forgets runs, whatever the gap policy.
    pub fn restart(&mut self) {
        self.judge.restart();
    }
}

/// Estimates and judges a series of subgroups; `None` is a gap.
pub fn chart(
    data: &[Option<Subgroup>],
    attribute: Attribute,
    settings: &Settings,
) -> AttributeChart {
    let (fits, [points]) = run_stages(
        data,
        settings,
        |data, stage| fit(data, attribute, stage, settings),
        |fit| {
            let mut stream = AttributeStream::new(fit.law, settings);
            move |subgroup| [stream.push(*subgroup)]
        },
    );
    let status = Status::worst(fits.iter().map(|fit| fit.law.status()));
    AttributeChart { fits, points, status }
}

fn fit(data: &[Option<Subgroup>], attribute: Attribute, stage: &Stage, settings: &Settings) -> Fit {
    let Attribute { family, prime, frozen } = attribute;
    let center = frozen.map_or_else(|| center(family, data, stage), |frozen| Some(frozen.center));
    let dispersion = dispersion(family, center, data, stage, settings);
    let laney = match (prime, frozen) {
        (None, _) => Laney::Off,
        (Some(_), Some(frozen)) => Laney::On(Some(frozen.sigma_z)),
        (Some(prime), None) => Laney::On(prime.sigma_z(&dispersion)),
    };
    Fit { law: Law { family, center, laney }, dispersion }
}

impl Prime {
    fn sigma_z(self, dispersion: &Dispersion) -> Option<f64> {
        let sigma_z = match self.method {
            SigmaZ::MovingRange => dispersion.sigma_z_mr,
            SigmaZ::StandardDeviation => dispersion.sigma_z_sd,
        };
        sigma_z.map(|s| if self.floor_at_one { s.max(1.0) } else { s })
    }
}

/// The centre of the subgroups that estimate; `None` without any.
pub(super) fn center(family: Family, data: &[Option<Subgroup>], stage: &Stage) -> Option<f64> {
    let used = || estimating(data, stage).filter_map(|subgroup| family.usable(Some(*subgroup)));
    let size = summary::sum(used().map(|subgroup| subgroup.size));
    (size > 0.0).then(|| summary::sum(used().map(|subgroup| subgroup.count)) / size)
}

/// The dispersion of the subgroups that estimate, about `center`.
pub(super) fn dispersion(
    family: Family,
    center: Option<f64>,
    data: &[Option<Subgroup>],
    stage: &Stage,
    settings: &Settings,
) -> Dispersion {
    let z = |subgroup: &Option<Subgroup>| {
        let Subgroup { count, size } = family.usable(*subgroup)?;
        let error = family.error(center?, size);
        let z = (count / size - center?) / error;
        z.is_finite().then_some(z)
    };
    let zs: Vec<Option<f64>> = data.iter().map(z).collect();
    let used: Vec<f64> = estimating(&zs, stage).copied().collect();
    Dispersion {
        sigma_z_mr: sigma_z(&zs, stage, settings),
        sigma_z_sd: summary::sd(&used),
        lag1_r: summary::lag1(&used),
        n_used: used.len(),
    }
}

fn sigma_z(zs: &[Option<f64>], stage: &Stage, settings: &Settings) -> Option<f64> {
    let ranges = moving_ranges(zs, &stage.estimates, 2, settings.gap);
    Some(mean_range(&ranges, 2, settings.screen, settings.constants)? / settings.constants.d2(2)?)
}
