//! Limits estimated from subgroups.

use super::{Baseline, Evidence, Excluded, Limits, LimitsLaw, Maturity, SigmaMethod};
use crate::line::weight::Moments;
use crate::quality::characteristic::{Characteristic, ChartKind};
use crate::quality::panels::{PanelLimits, panels_arl0};
use crate::quality::subgroup::{Follows, Subgroup};
use crate::spc::arl;
use crate::spc::attribute::{Attribute, Family, Laney, Law, Prime, Subgroup as Counts, chart};
use crate::spc::chart::{Exclusion, Settings};
use crate::spc::constants::{c4, c5};
use crate::spc::count_limits::reaching;
use crate::spc::individuals::Individuals;
use crate::stats::summary::Summary;
use crate::stats::{overdispersion, summary};

/// Standard errors `1/√n` (Bartlett 1946) above which a lag-1 correlation is taken for one: 5 %, one-sided.
const LAG1_SIGNIFICANT: f64 = 1.645;

/// What a baseline gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The law, none without dispersion.
    pub law: Option<LimitsLaw>,
    /// How it varied.
    pub evidence: Evidence,
    /// What it rests on.
    pub baseline: Baseline,
}

impl Fitted {
    /// How far it carries.
    pub fn maturity(&self) -> Maturity {
        Maturity::of(self.baseline.n_used)
    }

    /// The first version of the limits that this gives, made at the end of the baseline by nobody yet; none without a law.
    pub fn limits(self, characteristic: &Characteristic) -> Option<Limits> {
        let (lambda, n_used) = (characteristic.lambda(), self.baseline.n_used);
        let widening = PanelLimits::planned(characteristic)
            .map_or(1.0, |panels| panels.ewma_widening(lambda, n_used, &self.evidence));
        Some(Limits {
            version: 1,
            characteristic: characteristic.id.clone(),
            kind: characteristic.kind,
            subgroup_minutes: characteristic.subgroup_minutes,
            law: self.law?,
            ewma_l: ewma_l(characteristic) * widening,
            arl0: panels_arl0(characteristic),
            rules: characteristic.rules.clone(),
            made_us: self.baseline.to_us,
            baseline: self.baseline,
            evidence: self.evidence,
            author: String::new(),
            reason: String::new(),
            decision: None,
        })
    }
}

impl Limits {
    /// The same for a look at the baseline itself: counts by what varies from one subgroup to the next, as Laney has it. Limits
    /// that keep a budget allow for all that the baseline has, so that what stands out in it would hide itself, and nobody would
    /// ask for its cause.
    #[must_use]
    pub fn of_neighbours(self, characteristic: &Characteristic) -> Limits {
        let (LimitsLaw::Rate { center, .. }, Some(sigma_z), true) =
            (self.law, self.evidence.sigma_z_mr, self.kind.primed())
        else {
            return self;
        };
        let evidence = Evidence { sigma_df: None, ..self.evidence };
        let widening = PanelLimits::planned(characteristic).map_or(1.0, |panels| {
            panels.ewma_widening(characteristic.lambda(), self.baseline.n_used, &evidence)
        });
        Limits {
            law: LimitsLaw::Rate { center, sigma_z: sigma_z.max(1.0) },
            ewma_l: ewma_l(characteristic) * widening,
            evidence,
            ..self
        }
    }
}

/// Estimates the law of a characteristic from the whole subgroups that begin in `[from_us, to_us)`. No moving range
/// spans a break, an excluded subgroup or one that is not whole. An estimated σz below one is taken as one.
pub fn fit(
    characteristic: &Characteristic,
    subgroups: &[Subgroup],
    (from_us, to_us): (i64, i64),
    excluded: &[Excluded],
) -> Fitted {
    let within: Vec<&Subgroup> =
        subgroups.iter().filter(|s| (from_us..to_us).contains(&s.start_us)).collect();
    let excluded: Vec<Excluded> = excluded
        .iter()
        .filter(|out| within.iter().any(|s| s.start_us == out.start_us && s.is_whole()))
        .cloned()
        .collect();
    let series = Series::of(&within, &excluded);
    let (law, evidence, n_used) = match family(characteristic.kind) {
        Some(family) => fit_rate(characteristic.kind, family, &series),
        None => fit_individuals(&series),
    };
    let law = match law {
        Some(LimitsLaw::Individuals { center, sigma })
            if characteristic.kind == ChartKind::ThreeWay =>
        {
            let within = mean_sd(series.estimating()).filter(|within| *within > 0.0);
            within.map(|sigma_within| LimitsLaw::ThreeWay { center, sigma, sigma_within })
        }
        // An EWMA of values that resemble their neighbours varies by `√((1 + ρ₁(1-λ)) / (1 - ρ₁(1-λ)))` more than one of
        // independent values (first-order autoregression; VanBrackle & Reynolds 1997).
        Some(LimitsLaw::Individuals { center, sigma })
            if characteristic.kind == ChartKind::Ewma
                && evidence.sigma_method == Some(SigmaMethod::StandardDeviation) =>
        {
            let kept = evidence.lag1.unwrap_or(0.0) * (1.0 - characteristic.lambda());
            let factor = ((1.0 + kept) / (1.0 - kept)).sqrt();
            Some(LimitsLaw::Individuals { center, sigma: sigma * factor })
        }
        law => law,
    };
    Fitted { law, evidence, baseline: Baseline { from_us, to_us, n_used, excluded } }
}

/// The law family of a chart of counts.
pub(in crate::quality) fn family(kind: ChartKind) -> Option<Family> {
    match kind {
        ChartKind::PPrime | ChartKind::P => Some(Family::P),
        ChartKind::UPrime | ChartKind::U => Some(Family::U),
        ChartKind::Individuals | ChartKind::ThreeWay | ChartKind::Ewma => None,
    }
}

impl LimitsLaw {
    /// The law of a chart of counts as the engine takes it.
    pub(in crate::quality) fn rate(self, kind: ChartKind) -> Option<Law> {
        let LimitsLaw::Rate { center, sigma_z } = self else { return None };
        let laney = if kind.primed() { Laney::On(Some(sigma_z)) } else { Laney::Off };
        Some(Law { family: family(kind)?, center: Some(center), laney })
    }
}

/// The distance of the EWMA's limits that spends the alarm budget, or its share of it beside points that spend the rest, of a
/// centre that is known.
pub fn ewma_l(characteristic: &Characteristic) -> f64 {
    let share = PanelLimits::planned(characteristic).and_then(|panels| panels.ewma_arl0());
    let arl0 = share.unwrap_or(characteristic.arl0());
    // A budget outside of what run lengths can be solved for gets the limit of one alarm in 500 points.
    arl::ewma_limit(arl0, characteristic.lambda()).unwrap_or(2.814)
}

/// Subgroups as the engine takes them: a break is an empty place.
struct Series {
    counts: Vec<Option<Counts>>,
    values: Vec<Option<f64>>,
    moments: Vec<Moments>,
    excluded: Vec<Exclusion>,
}

impl Series {
    fn of(within: &[&Subgroup], excluded: &[Excluded]) -> Series {
        let mut series =
            Series { counts: vec![], values: vec![], moments: vec![], excluded: vec![] };
        for subgroup in within {
            if subgroup.follows != Follows::On {
                series.push(None);
            }
            if let Some(out) = excluded.iter().find(|out| out.start_us == subgroup.start_us) {
                let (index, reason) = (series.counts.len(), out.reason.clone());
                series.excluded.push(Exclusion { index, reason });
            }
            series.push(Some(subgroup).filter(|s| s.is_whole()));
        }
        series
    }

    fn push(&mut self, subgroup: Option<&&Subgroup>) {
        let counts =
            |s: &&&Subgroup| Counts { count: s.count.best() as f64, size: s.size.best() as f64 };
        self.counts.push(subgroup.as_ref().map(counts));
        self.values.push(subgroup.and_then(|s| s.stat()));
        self.moments.push(subgroup.map_or(Moments::ZERO, |s| s.moments));
    }

    fn settings(&self) -> Settings {
        Settings { excluded: self.excluded.clone(), ..Settings::default() }
    }

    /// Weights of the subgroups that estimate.
    fn estimating(&self) -> impl Iterator<Item = Moments> {
        let moments = self.moments.iter().enumerate();
        moments.filter(|(i, _)| self.estimates(*i)).map(|(_, moments)| *moments)
    }

    fn estimates(&self, index: usize) -> bool {
        self.excluded.iter().all(|out| out.index != index)
    }
}

/// The standard deviation within subgroups by their standard deviations, in milligrams: `s / c4` weighted by
/// `c4² / (1 - c4²)`, for the chart beside. None without a subgroup of two.
fn mean_sd(groups: impl Iterator<Item = Moments>) -> Option<f64> {
    let weighted = groups.filter_map(|group| {
        let n = group.n() as f64;
        let (c4, c5) = (c4(n)?, c5(n)?);
        Some(((c4 / c5).powi(2), group.sd_mg()? / c4))
    });
    let (total, sum) =
        weighted.fold((0.0, 0.0), |(total, sum), (weight, sd)| (total + weight, sum + weight * sd));
    (total > 0.0).then(|| sum / total)
}

/// The pooled standard deviation within subgroups, in milligrams, `√(Σ (n-1) s² / Σ (n-1)) / c4(Σ (n-1) + 1)`. None
/// without a subgroup of two.
pub(in crate::quality) fn pooled_sd(groups: impl Iterator<Item = Moments>) -> Option<f64> {
    let (mut df, mut squares) = (0.0, 0.0);
    for group in groups {
        if let Some(sd) = group.sd_mg() {
            let own = (group.n() - 1) as f64;
            df += own;
            squares += own * sd * sd;
        }
    }
    (df > 0.0).then(|| (squares / df).sqrt() / c4(df + 1.0).unwrap_or(1.0))
}

type Estimate = (Option<LimitsLaw>, Evidence, usize);

fn fit_rate(kind: ChartKind, family: Family, series: &Series) -> Estimate {
    let prime = Prime { floor_at_one: true, ..Prime::default() };
    let attribute = Attribute { family, prime: Some(prime), frozen: None };
    let chart = chart(&series.counts, attribute, &series.settings());
    let Some(fit) = chart.fits.last() else { return (None, Evidence::default(), 0) };
    let used: Vec<(f64, f64)> = series
        .counts
        .iter()
        .enumerate()
        .filter(|(i, _)| series.estimates(*i))
        .filter_map(|(_, s)| s.map(|s| (s.count, s.size)))
        .collect();
    let test = match family {
        Family::U | Family::C => overdispersion::poisson(&used),
        Family::P | Family::Np => overdispersion::binomial(&used),
    };
    let dispersion = fit.dispersion;
    let sigma_z = match (fit.law.laney, fit.law.center) {
        (Laney::On(sigma_z), Some(center)) if kind.primed() => {
            // Moving ranges miss what neighbours share, and of a skewed law most of its spread.
            let wide = sigma_z.map(|short| short.max(dispersion.sigma_z_sd.unwrap_or(short)));
            wide.map(|wide| reaching(center, wide, &used))
        }
        (Laney::On(_), None) if kind.primed() => None,
        _ => Some(1.0),
    };
    let degenerate = fit.law.center.is_none_or(|center| center <= 0.0 || center >= 1.0);
    let law = match (fit.law.center, sigma_z) {
        (Some(center), Some(sigma_z)) if !degenerate => Some(LimitsLaw::Rate { center, sigma_z }),
        _ => None,
    };
    let sigma_df = law.map(|_| degrees_of_freedom(fit.law.center, &used));
    let evidence = Evidence {
        sigma_z_mr: dispersion.sigma_z_mr,
        sigma_z_sd: dispersion.sigma_z_sd,
        lag1: dispersion.lag1_r,
        sigma_method: None,
        sigma_df,
        chi2_ratio: test.map(|test| test.ratio),
        chi2_p: test.map(|test| test.p_value),
    };
    (law, evidence, used.len())
}

/// Degrees of freedom of a standard deviation of such counts: `2 m / (κ - 1)` of `m` values with kurtosis κ (Box 1953), never
/// more than the `m - 1` of a normal law.
fn degrees_of_freedom(center: Option<f64>, used: &[(f64, f64)]) -> f64 {
    let m = used.len() as f64;
    let center = center.unwrap_or(f64::NAN);
    let z = |(count, size): &(f64, f64)| (count - center * size) / (center * size).sqrt();
    let excess = Summary::of(&used.iter().map(z).collect::<Vec<_>>()).excess_kurtosis();
    // Below three a Student law has no variance to compare with a sigma.
    excess.map_or(m - 1.0, |excess| (2.0 * m / (excess + 2.0)).min(m - 1.0)).max(3.0)
}

fn fit_individuals(series: &Series) -> Estimate {
    let chart = Individuals::default().chart(&series.values, &series.settings());
    let Some(fit) = chart.estimates.last() else { return (None, Evidence::default(), 0) };
    let used: Vec<f64> = series
        .values
        .iter()
        .enumerate()
        .filter(|(i, _)| series.estimates(*i))
        .filter_map(|(_, value)| *value)
        .collect();
    let lag1 = summary::lag1(&used);
    let short = fit.sigma.filter(|sigma| *sigma > 0.0);
    let resemble = lag1.is_some_and(|r| r > LAG1_SIGNIFICANT / (used.len() as f64).sqrt());
    // The standard deviation is never taken where it is the smaller of the two: its sigma is that of drift as well.
    let long = summary::sd(&used).zip(c4(used.len() as f64)).map(|(sd, c4)| sd / c4);
    let long = long.zip(short).and_then(|(long, short)| (resemble && long > short).then_some(long));
    let law = match (fit.center, long.or(short)) {
        (Some(center), Some(sigma)) => Some(LimitsLaw::Individuals { center, sigma }),
        _ => None,
    };
    let method = match long {
        Some(_) => SigmaMethod::StandardDeviation,
        None => SigmaMethod::MovingRange,
    };
    // In units of the short-term sigma, so that the thresholds of counts hold for measurements too.
    let evidence = Evidence {
        sigma_z_mr: law.map(|_| 1.0),
        sigma_z_sd: summary::sd(&used).zip(fit.sigma).map(|(sd, sigma)| sd / sigma),
        lag1,
        sigma_method: law.map(|_| method),
        sigma_df: None,
        chi2_ratio: None,
        chi2_p: None,
    };
    (law, evidence, fit.n_used)
}
