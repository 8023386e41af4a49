//! Limits of the panels of a chart of measurements or of a single reject reason, which together spend one budget of false alarms.
//!
//! Three-sigma limits on all of them would not: a moving range of independent values lies above `D4 MRbar` in one of 109
//! points, which is six false alarms a week at 15 minutes; the values add two more. Each panel gets the same share, and
//! only points beyond limits count on the companions: a moving range shares a value with the one
//! before it and lies below its mean more often than above, so that runs on one side are the rule there.
//!
//! A line has a chart for each reason that its machines tell, and most of their counts are small. Laney's limits at three
//! sigma, N2 and an EWMA gave four false alarms a week on each of them, eleven where a quarter of an hour has less than one
//! reject: their points and their EWMA spend one budget too, the points under the law of small counts
//! ([`crate::spc::count_limits`]), both widened by what a short baseline does not know of the centre.

use super::characteristic::{Characteristic, ChartKind, Measure};
use super::limits::Limits;
use crate::spc::arl;
use crate::spc::attribute::{Laney, Law};
use crate::spc::constants::Constants;
use crate::spc::count_limits::CountLaw;
use crate::spc::rules::{Pattern, Rule, RuleId, RuleSet};
use crate::stats::quantile::normal;

/// Distances of limits from the centre lines, in sigma of what each panel plots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanelLimits {
    /// Of the values.
    pub values: f64,
    /// Of the moving ranges, above; `√2 Φ⁻¹(1 - α/2)` sigma of a value is the quantile of a difference of two.
    pub ranges: f64,
    /// Of the standard deviations within subgroups.
    pub within: f64,
    n_panels: u32,
    arl0: f64,
    /// Whether the values are small counts, and the panel beside them is an EWMA.
    counts: bool,
}

/// The in-control run length that all panels of a chart of measurements or of a single reason together spend; none for
/// the chart of all rejects, which has Laney's limits at three sigma, and for an EWMA, whose limits spend it by themselves.
pub fn panels_arl0(characteristic: &Characteristic) -> Option<f64> {
    let panels = match characteristic.kind {
        ChartKind::Individuals | ChartKind::ThreeWay => true,
        ChartKind::Ewma => false,
        _ => matches!(characteristic.measure, Measure::Reject { .. }),
    };
    Some(characteristic.arl0()).filter(|arl0| panels && (2.0..=1e9).contains(arl0))
}

impl PanelLimits {
    /// Those that new limits of a characteristic get; none where they are three sigma.
    pub fn planned(characteristic: &Characteristic) -> Option<PanelLimits> {
        PanelLimits::spending(panels_arl0(characteristic)?, characteristic.kind)
    }

    /// The limits of a record; none where it says three sigma.
    pub fn of(limits: &Limits) -> Option<PanelLimits> {
        PanelLimits::spending(limits.arl0?, limits.kind)
    }

    fn spending(arl0: f64, kind: ChartKind) -> Option<PanelLimits> {
        let n_panels = if kind == ChartKind::ThreeWay { 3 } else { 2 };
        let k = -normal(0.5 / (arl0 * f64::from(n_panels)))?;
        let (d2, d3) = Constants::Exact.d2(2).zip(Constants::Exact.d3(2))?;
        let ranges = (std::f64::consts::SQRT_2 * k - d2) / d3;
        let counts = kind.counts();
        Some(PanelLimits { values: k, ranges, within: k, n_panels, arl0, counts })
    }

    /// The law of the points, if they are small counts: of subgroups like the `n_used` that told the law of the chart.
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

    /// By how much the limits of that EWMA are wider for a centre known from `n_used` subgroups only: the centre's variance
    /// `σ²/m` adds to that of the EWMA, `σ² λ / (2 - λ)`. Any other EWMA is not widened.
    pub fn ewma_widening(&self, lambda: f64, n_used: usize) -> f64 {
        let unknown = (2.0 - lambda) / (lambda * n_used.max(1) as f64);
        if self.counts { (1.0 + unknown).sqrt() } else { 1.0 }
    }

    /// The rules of the values: those of the record, with N1 at this distance.
    pub fn rules(&self, rules: &[RuleId]) -> RuleSet {
        let standard = RuleSet::standard(rules);
        RuleSet::custom(standard.rules().iter().map(|rule| match rule.pattern() {
            Pattern::Beyond { .. } => Rule::new(rule.id(), Pattern::Beyond { k: self.values }),
            _ => *rule,
        }))
    }

    /// The one rule of a companion.
    pub fn beyond(k: f64) -> RuleSet {
        RuleSet::custom([Rule::new(RuleId::N1, Pattern::Beyond { k })])
    }

    /// Mean number of points between two false alarms of the panels beside the EWMA; none for rules on trends.
    pub fn run_length(&self, rules: &[RuleId]) -> Option<f64> {
        let values = arl::run_rules(&self.rules(rules), 0.0)?;
        if self.counts {
            return Some(values);
        }
        let of_companion = 1.0 / (self.arl0 * f64::from(self.n_panels));
        Some(1.0 / (1.0 / values + of_companion * f64::from(self.n_panels - 1)))
    }
}
