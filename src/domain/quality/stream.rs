//! Subgroups judged one at a time under the limits in force, in constant memory.

use super::characteristic::{ChartKind, LAMBDA};
use super::limits::{Limits, LimitsLaw};
use super::subgroup::{Follows, Subgroup};
use crate::spc::attribute::{AttributeStream, Laney, Law, Subgroup as Counts};
use crate::spc::chart::{Point, Settings};
use crate::spc::individuals::{Individuals, IndividualsStream};
use crate::spc::memory::{Ewma, EwmaGap, EwmaLimits, EwmaStream};
use crate::spc::rules::RuleSet;

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
}

impl Judged {
    /// Whether any rule was completed here, on the chart or on its companion.
    pub fn signals(&self) -> bool {
        !(self.point.hits.is_empty() && self.companion.hits.is_empty())
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
    Counts { main: AttributeStream, plain: AttributeStream, ewma: EwmaStream },
    Values(IndividualsStream),
}

impl ChartStream {
    /// A chart under these limits that has seen nothing.
    pub fn new(limits: Option<&Limits>) -> ChartStream {
        let Some(limits) = limits else {
            return ChartStream { version: 0, judges: Judges::None };
        };
        let rules = RuleSet::standard(&limits.rules);
        let settings = Settings { rules, ..Settings::default() };
        ChartStream { version: limits.version, judges: Judges::of(limits, &settings) }
    }

    /// Where a subgroup that is still filling stands, with the limits of its present size; it is not judged.
    pub fn preview(&self, subgroup: &Subgroup) -> Point {
        match &self.judges {
            Judges::Counts { main, .. } => shown(subgroup, Some(main.law())),
            Judges::None | Judges::Values(_) => shown(subgroup, None),
        }
    }

    /// Judges the next subgroup.
    pub fn push(&mut self, subgroup: Subgroup) -> Judged {
        let judged = subgroup.is_whole();
        let broken = subgroup.follows != Follows::On;
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
                (
                    if judged { point } else { shown(&subgroup, Some(main.law())) },
                    companion,
                    Some(plain),
                )
            }
            Judges::Values(stream) => {
                if broken {
                    stream.push(None);
                }
                let [point, range] = stream.push(subgroup.value.filter(|_| judged));
                (if judged { point } else { shown(&subgroup, None) }, range, None)
            }
        };
        Judged { subgroup, version: self.version, point, companion, plain }
    }
}

impl Judges {
    fn of(limits: &Limits, settings: &Settings) -> Judges {
        match limits.law {
            LimitsLaw::Rate { .. } => {
                let Some(law) = limits.law.rate(limits.kind) else { return Judges::None };
                let plain = Law { laney: Laney::Off, ..law };
                let ewma = Ewma {
                    lambda: LAMBDA,
                    l: limits.ewma_l,
                    target: 0.0,
                    sigma: 1.0,
                    limits: EwmaLimits::Exact,
                    gap: EwmaGap::Carry,
                };
                Judges::Counts {
                    main: AttributeStream::new(law, settings),
                    plain: AttributeStream::new(plain, settings),
                    ewma: EwmaStream::new(ewma),
                }
            }
            LimitsLaw::Individuals { center, sigma } => Judges::Values(IndividualsStream::new(
                &Individuals::default(),
                Some(center),
                Some(sigma),
                settings,
            )),
        }
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
        ChartKind::Individuals => 1.0,
    }
}
