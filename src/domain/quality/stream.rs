//! Subgroups judged one at a time under the limits in force, in constant memory.

use super::characteristic::{ChartKind, LAMBDA, LAMBDA_OF_MEANS};
use super::limits::{Limits, LimitsLaw};
use super::panels::PanelLimits;
use super::subgroup::{Follows, Subgroup};
use crate::line::weight::Moments;
use crate::spc::attribute::{AttributeStream, Laney, Law, Subgroup as Counts};
use crate::spc::chart::{Judge, Plotted, Point, Settings};
use crate::spc::constants::{c4, c5};
use crate::spc::count_limits::CountStream;
use crate::spc::individuals::{Individuals, IndividualsStream};
use crate::spc::memory::{Ewma, EwmaGap, EwmaLimits, EwmaStream};
use crate::spc::rules::{Hits, RuleSet};

/// A judged subgroup.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The subgroup.
    pub subgroup: Subgroup,
    /// Version of the limits that judged; 0 without any.
    pub version: u32,
    /// The point. Without limits, or when the subgroup is not whole, it has no hits.
    pub point: Point,
    /// The point of the companion: EWMA of z of counts, moving range of measurements.
    pub companion: Point,
    /// The point under binomial or Poisson limits of the same centre, to compare; for counts only.
    pub plain: Option<Point>,
    /// The standard deviation within the subgroup, on a three-way chart.
    pub within: Option<Point>,
}

impl Judged {
    /// Whether any rule was completed here, on the chart or on its companion.
    pub fn signals(&self) -> bool {
        !(self.point.hits.is_empty() && self.beside().is_empty())
    }

    /// Rules that were completed on the charts beside.
    pub fn beside(&self) -> Hits {
        let within = self.within.map_or(Hits::NONE, |point| point.hits);
        within.iter().fold(self.companion.hits, Hits::with)
    }
}

/// A chart that judges.
#[derive(Clone, Debug)]
pub struct ChartStream {
    version: u32,
    judges: Judges,
}

#[derive(Clone, Debug)]
enum Judges {
    None,
    Counts { main: CountJudge, plain: AttributeStream, ewma: EwmaStream },
    Values { main: IndividualsStream, within: Option<WithinStream> },
    Ewma(EwmaStream),
}

/// How counts are judged.
#[derive(Clone, Debug)]
enum CountJudge {
    /// By Laney's limits at three sigma.
    Sigma(AttributeStream),
    /// By quantiles of the law of small counts.
    Quantiles(CountStream),
}

impl CountJudge {
    fn push(&mut self, counts: Option<Counts>) -> Point {
        match self {
            CountJudge::Sigma(stream) => stream.push(counts),
            CountJudge::Quantiles(stream) => stream.push(counts),
        }
    }

    fn restart(&mut self) {
        match self {
            CountJudge::Sigma(stream) => stream.restart(),
            CountJudge::Quantiles(stream) => stream.restart(),
        }
    }

    /// A point that is shown with the limits of its size but not judged.
    fn shown(&self, subgroup: &Subgroup) -> Point {
        match self {
            CountJudge::Sigma(stream) => shown(subgroup, Some(stream.law())),
            CountJudge::Quantiles(stream) => {
                let drawn = stream.law().draw(Some(counts(subgroup)));
                drawn.unwrap_or_else(|| shown(subgroup, None))
            }
        }
    }
}

impl ChartStream {
    /// A chart under these limits that has seen nothing.
    pub fn new(limits: Option<&Limits>) -> ChartStream {
        let Some(limits) = limits else {
            return ChartStream { version: 0, judges: Judges::None };
        };
        let panels = PanelLimits::of(limits);
        let three_sigma =
            Settings { rules: RuleSet::standard(&limits.rules), ..Settings::default() };
        let settings = match panels {
            Some(panels) => Settings {
                k: panels.values,
                rules: panels.rules(&limits.rules),
                ..Settings::default()
            },
            None => three_sigma.clone(),
        };
        let judges = Judges::of(limits, (&settings, &three_sigma), panels);
        ChartStream { version: limits.version, judges }
    }

    /// Where a subgroup that is still filling stands, with the limits of its present size; it is not judged.
    pub fn preview(&self, subgroup: &Subgroup) -> Point {
        match &self.judges {
            Judges::Counts { main, .. } => main.shown(subgroup),
            Judges::None | Judges::Values { .. } | Judges::Ewma(_) => shown(subgroup, None),
        }
    }

    /// Judges the next subgroup.
    pub fn push(&mut self, subgroup: Subgroup) -> Judged {
        let judged = subgroup.is_whole();
        let broken = subgroup.follows != Follows::On;
        let mut spread = None;
        let (point, companion, plain) = match &mut self.judges {
            Judges::None => (shown(&subgroup, None), Point::default(), None),
            Judges::Counts { main, plain, ewma } => {
                if broken {
                    main.restart();
                    plain.restart();
                }
                let counts = judged.then(|| counts(&subgroup));
                let point = main.push(counts);
                // The mean of z waits over a gap; a break does not make a process forget where it was.
                let companion = ewma.push(point.z.map(|z| (z, 1.0)));
                let plain = plain.push(counts);
                (if judged { point } else { main.shown(&subgroup) }, companion, Some(plain))
            }
            Judges::Ewma(stream) => {
                // It waits over a gap, as the mean of z does.
                let point =
                    stream.push(subgroup.value.filter(|_| judged).map(|value| (value, 1.0)));
                (if judged { point } else { shown(&subgroup, None) }, Point::default(), None)
            }
            Judges::Values { main, within } => {
                if broken {
                    main.push(None);
                }
                let [point, range] = main.push(subgroup.value.filter(|_| judged));
                spread = within
                    .as_mut()
                    .map(|within| within.push(Some(subgroup.moments).filter(|_| judged), broken));
                (if judged { point } else { shown(&subgroup, None) }, range, None)
            }
        };
        Judged { subgroup, version: self.version, point, companion, plain, within: spread }
    }
}

impl Judges {
    /// Those of a chart with these settings; a plain chart beside it always has those of three sigma.
    fn of(
        limits: &Limits,
        (settings, three_sigma): (&Settings, &Settings),
        panels: Option<PanelLimits>,
    ) -> Judges {
        match limits.law {
            LimitsLaw::Rate { .. } => {
                let Some(law) = limits.law.rate(limits.kind) else { return Judges::None };
                let plain = Law { laney: Laney::Off, ..law };
                let n_used = limits.baseline.n_used;
                let main = match panels.and_then(|panels| panels.count_law(&law, n_used)) {
                    Some(law) => CountJudge::Quantiles(CountStream::new(law, settings)),
                    None => CountJudge::Sigma(AttributeStream::new(law, settings)),
                };
                let ewma = Ewma {
                    lambda: LAMBDA,
                    l: limits.ewma_l,
                    target: 0.0,
                    sigma: 1.0,
                    limits: EwmaLimits::Exact,
                    gap: EwmaGap::Carry,
                };
                Judges::Counts {
                    main,
                    plain: AttributeStream::new(plain, three_sigma),
                    ewma: EwmaStream::new(ewma),
                }
            }
            LimitsLaw::Individuals { center, sigma } if limits.kind == ChartKind::Ewma => {
                Judges::Ewma(EwmaStream::new(Ewma {
                    lambda: LAMBDA_OF_MEANS,
                    l: limits.ewma_l,
                    target: center,
                    sigma,
                    limits: EwmaLimits::Exact,
                    gap: EwmaGap::Carry,
                }))
            }
            LimitsLaw::Individuals { center, sigma } => {
                Judges::Values { main: individuals(center, sigma, settings, panels), within: None }
            }
            LimitsLaw::ThreeWay { center, sigma, sigma_within } => Judges::Values {
                main: individuals(center, sigma, settings, panels),
                within: Some(WithinStream {
                    sigma: sigma_within,
                    judge: companion(settings, panels.map(|panels| panels.within)),
                }),
            },
        }
    }
}

fn individuals(
    center: f64,
    sigma: f64,
    settings: &Settings,
    panels: Option<PanelLimits>,
) -> IndividualsStream {
    let stream =
        IndividualsStream::new(&Individuals::default(), Some(center), Some(sigma), settings);
    match panels {
        Some(panels) => stream.with_ranges(companion(settings, Some(panels.ranges))),
        None => stream,
    }
}

/// Judges a companion by its share of the budget, or as the values at three sigma.
fn companion(settings: &Settings, k: Option<f64>) -> Judge {
    match k {
        Some(k) => Judge::new(k, settings.gap, PanelLimits::beyond(k)),
        None => Judge::new(settings.k, settings.gap, settings.rules.for_dispersion()),
    }
}

/// The S chart of a three-way chart: `c4 σ ± 3 c5 σ` for the size of each subgroup (Montgomery 6.3).
#[derive(Clone, Debug)]
struct WithinStream {
    sigma: f64,
    judge: Judge,
}

impl WithinStream {
    fn push(&mut self, moments: Option<Moments>, broken: bool) -> Point {
        if broken {
            self.judge.restart();
        }
        let plotted = moments.and_then(|moments| {
            let n = moments.n() as f64;
            let times_sigma = |factor: Option<f64>| factor.map(|factor| factor * self.sigma);
            Some(Plotted::positive(moments.sd_mg()?, times_sigma(c4(n)), times_sigma(c5(n))))
        });
        self.judge.push(plotted)
    }
}

fn counts(subgroup: &Subgroup) -> Counts {
    Counts { count: subgroup.count.best() as f64, size: subgroup.size.best() as f64 }
}

/// A point that is shown but not judged; with a law it still has the limits of its size.
fn shown(subgroup: &Subgroup, law: Option<&Law>) -> Point {
    let stat = subgroup.stat();
    let plotted = law.and_then(|law| law.plot(Some(counts(subgroup))));
    let Some((cl, sigma, range)) =
        plotted.and_then(|p| p.cl.zip(p.sigma).map(|(cl, sigma)| (cl, sigma, p.range)))
    else {
        return Point { stat, ..Point::default() };
    };
    Point {
        stat,
        cl: Some(cl),
        lcl: Some((cl - 3.0 * sigma).clamp(range.0, range.1)),
        ucl: Some((cl + 3.0 * sigma).clamp(range.0, range.1)),
        sigma: Some(sigma),
        ..Point::default()
    }
}

/// The unit in which a chart of this kind is read: percent, per thousand or as measured.
pub fn display_factor(kind: ChartKind) -> f64 {
    match kind {
        ChartKind::PPrime | ChartKind::P => 100.0,
        ChartKind::UPrime | ChartKind::U => 1000.0,
        ChartKind::Individuals | ChartKind::ThreeWay | ChartKind::Ewma => 1.0,
    }
}
