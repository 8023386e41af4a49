//! Limits of the panels of a chart, which together spend one budget of false alarms.
//!
//! Three-sigma limits on all of them would not: a moving range of independent values lies above `D4 MRbar` in one of 109
//! points, which is six false alarms a week at 15 minutes; the values add two more. Each panel gets the same share, and
//! only points beyond limits count on the companions: a moving range shares a value with the one
//! before it and lies below its mean more often than above, so that runs on one side are the rule there.
//!
//! Counts, of all rejects (p′) and of the reasons that machines tell (u′), are judged by their points and by an EWMA of their
//! scores. Laney's limits at three sigma, N2 and an EWMA of independent values gave four false alarms a week on a line whose
//! rate stands still, eleven where a quarter of an hour has less than one reject, and up to thirty where the rate wanders, as
//! it does with a powder or with short bursts: such a rate is skewed, and neighbours share it. So both spend one budget, and
//!
//! - the points are judged by quantiles of a law with Laney's variance and the skewness of such counts
//!   ([`crate::spc::count_limits`]); where counts are many and σz is near one they are `CL ± k σz √(CL / n)`;
//! - σz is the largest of Laney's, by moving ranges, that by the standard deviation, and the one under which the largest count
//!   of the baseline is not too rare ([`reaching`](crate::spc::count_limits::reaching));
//! - where σz is an estimate, `k` is a quantile of Student's law instead of the normal one, with as many degrees of freedom as
//!   the baseline has for it (the prediction limits of Whitmore 1986);
//! - the limits of the EWMA are wider by what the baseline does not know of the centre, and by
//!   `√((1 + ρ₁(1-λ)) / (1 - ρ₁(1-λ)))` for neighbours that resemble each other (VanBrackle & Reynolds 1997), with ρ₁ of the
//!   baseline freed from its bias of `-(1 + 4ρ₁) / m` (Kendall 1954) and not below zero.
//!
//! All of it follows from a record: `arl0`, `n_used`, σz, `lag1`, `sigma_df`, `ewma_l`. Records without `sigma_df` judge as they
//! did: by a normal `k`, and those without `arl0` by Laney's limits at three sigma.

use super::characteristic::{Characteristic, ChartKind};
use super::limits::{Evidence, Limits, LimitsLaw};
use crate::spc::arl;
use crate::spc::attribute::{Laney, Law};
use crate::spc::constants::Constants;
use crate::spc::count_limits::CountLaw;
use crate::spc::rules::{Pattern, Rule, RuleId, RuleSet};
use crate::stats::quantile::{normal, student_t};

/// Distances of limits from the centre lines, in sigma of what each panel plots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanelLimits {
    /// Of the values.
    pub values: f64,
    /// Of the moving ranges, above; `√2 Φ⁻¹(1 - α/2)` sigma of a value is the quantile of a difference of two.
    pub ranges: f64,
    /// Of the standard deviations within subgroups.
    pub within: f64,
    /// Of the values, if the spread were known.
    budgeted: f64,
    n_panels: u32,
    arl0: f64,
    /// Whether the values are counts, and the panel beside them is an EWMA.
    counts: bool,
}

/// The in-control run length that all panels of a chart together spend; none for an EWMA of measurements, whose limits spend it
/// by themselves.
pub fn panels_arl0(characteristic: &Characteristic) -> Option<f64> {
    let panels = characteristic.kind != ChartKind::Ewma;
    Some(characteristic.arl0()).filter(|arl0| panels && (2.0..=1e9).contains(arl0))
}

impl PanelLimits {
    /// Those that new limits of a characteristic get, of a spread that is known; none where they are three sigma.
    pub fn planned(characteristic: &Characteristic) -> Option<PanelLimits> {
        PanelLimits::spending(panels_arl0(characteristic)?, characteristic.kind)
    }

    /// The limits of a record; none where it says three sigma.
    pub fn of(limits: &Limits) -> Option<PanelLimits> {
        let panels = PanelLimits::spending(limits.arl0?, limits.kind)?;
        let LimitsLaw::Rate { sigma_z, .. } = limits.law else { return Some(panels) };
        match limits.evidence.sigma_df {
            // A σz of one is the law's own, and no estimate.
            Some(df) if sigma_z > 1.0 => {
                let values = -student_t(panels.alpha(), df)?;
                Some(PanelLimits { values, ..panels })
            }
            _ => Some(panels),
        }
    }

    /// The share of each side of each panel.
    fn alpha(&self) -> f64 {
        0.5 / (self.arl0 * f64::from(self.n_panels))
    }

    fn spending(arl0: f64, kind: ChartKind) -> Option<PanelLimits> {
        let n_panels = if kind == ChartKind::ThreeWay { 3 } else { 2 };
        let k = -normal(0.5 / (arl0 * f64::from(n_panels)))?;
        let (d2, d3) = Constants::Exact.d2(2).zip(Constants::Exact.d3(2))?;
        let ranges = (std::f64::consts::SQRT_2 * k - d2) / d3;
        let counts = kind.counts();
        Some(PanelLimits { values: k, ranges, within: k, budgeted: k, n_panels, arl0, counts })
    }

    /// The law of the points, if they are counts: of subgroups like the `n_used` that told the law of the chart.
    pub fn count_law(&self, law: &Law, n_used: usize) -> Option<CountLaw> {
        let sigma_z = match law.laney {
            Laney::On(sigma_z) => sigma_z.unwrap_or(1.0),
            Laney::Off => 1.0,
        };
        law.center.filter(|_| self.counts).map(|u| CountLaw::new(u, sigma_z, n_used, self.values))
    }

    /// In-control run length of the EWMA beside the points, if it is one of the panels.
    pub fn ewma_arl0(&self) -> Option<f64> {
        self.counts.then(|| self.arl0 * f64::from(self.n_panels))
    }

    /// By how much the limits of that EWMA are wider for a centre known from `n_used` subgroups only, and for neighbours that
    /// resemble each other. The centre's variance `σ²/m` adds to that of the EWMA, `σ² λ / (2 - λ)`; resemblance makes both
    /// larger by the same factor. Any other EWMA is not widened.
    pub fn ewma_widening(&self, lambda: f64, n_used: usize, evidence: &Evidence) -> f64 {
        if !self.counts {
            return 1.0;
        }
        let m = n_used.max(1) as f64;
        let unknown = (2.0 - lambda) / (lambda * m);
        let kept = evidence.sigma_df.and(evidence.lag1).map_or(0.0, |lag1| {
            let unbiased = lag1 + (1.0 + 4.0 * lag1.max(0.0)) / m;
            unbiased.clamp(0.0, 0.95) * (1.0 - lambda)
        });
        ((1.0 + unknown) * (1.0 + kept) / (1.0 - kept)).sqrt()
    }

    /// The rules of the values: those of the record, with N1 at this distance.
    pub fn rules(&self, rules: &[RuleId]) -> RuleSet {
        PanelLimits::rules_at(self.values, rules)
    }

    fn rules_at(k: f64, rules: &[RuleId]) -> RuleSet {
        let standard = RuleSet::standard(rules);
        RuleSet::custom(standard.rules().iter().map(|rule| match rule.pattern() {
            Pattern::Beyond { .. } => Rule::new(rule.id(), Pattern::Beyond { k }),
            _ => *rule,
        }))
    }

    /// The one rule of a companion.
    pub fn beyond(k: f64) -> RuleSet {
        RuleSet::custom([Rule::new(RuleId::N1, Pattern::Beyond { k })])
    }

    /// Mean number of points between two false alarms of the panels beside the EWMA; none for rules on trends. What widens the
    /// limits of a short baseline pays for a spread that is not known, not for rarer alarms.
    pub fn run_length(&self, rules: &[RuleId]) -> Option<f64> {
        let values = arl::run_rules(&PanelLimits::rules_at(self.budgeted, rules), 0.0)?;
        if self.counts {
            return Some(values);
        }
        let of_companion = 1.0 / (self.arl0 * f64::from(self.n_panels));
        Some(1.0 / (1.0 / values + of_companion * f64::from(self.n_panels - 1)))
    }
}
