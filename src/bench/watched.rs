//! A chart of a bench with the incident that it is in, and charts of counts as they were.

use domain::quality::characteristic::Characteristic;
use domain::quality::limits::{Evidence, Limits, LimitsLaw};
use domain::quality::signal::Incidents;
use domain::quality::stream::{ChartStream, Judged};
use domain::quality::subgroup::Subgroup;
use domain::spc::arl;
use domain::spc::rules::RuleId;

/// A chart and the incident that it is in.
pub(super) struct Watched<'a> {
    characteristic: &'a Characteristic,
    limits: &'a Limits,
    stream: ChartStream,
    incidents: Incidents,
}

impl Watched<'_> {
    /// A chart that has seen nothing.
    pub(super) fn new<'a>(characteristic: &'a Characteristic, limits: &'a Limits) -> Watched<'a> {
        let stream = ChartStream::new(Some(limits));
        Watched { characteristic, limits, stream, incidents: Incidents::default() }
    }

    /// The judged subgroup, and whether there is an incident.
    pub(super) fn push(&mut self, subgroup: Subgroup) -> (Judged, bool) {
        let judged = self.stream.push(subgroup);
        self.incidents.push(self.characteristic, &judged, Some(self.limits));
        (judged, self.incidents.open().is_some())
    }
}

/// The same limits of counts at three sigma with N1 and N2, σz by moving ranges, and with an EWMA of independent values that has
/// a budget to itself. None for measurements.
pub(super) fn at_three_sigma(characteristic: &Characteristic, limits: &Limits) -> Option<Limits> {
    let LimitsLaw::Rate { center, .. } = limits.law else { return None };
    let sigma_z = limits.evidence.sigma_z_mr?.max(1.0);
    Some(Limits {
        law: LimitsLaw::Rate { center, sigma_z },
        evidence: Evidence { sigma_df: None, ..limits.evidence },
        arl0: None,
        ewma_l: alone_l(characteristic),
        rules: vec![RuleId::N1, RuleId::N2],
        ..limits.clone()
    })
}

/// The distance of the limits of an EWMA that spends the whole budget.
pub(super) fn alone_l(characteristic: &Characteristic) -> f64 {
    arl::ewma_limit(characteristic.arl0(), characteristic.lambda()).unwrap_or(f64::NAN)
}
