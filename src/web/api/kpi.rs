//! KPIs as JSON: percent with two decimals, null where a KPI is undefined.

use domain::line::kpi::Kpis;
use domain::line::oee::Ratio;
use serde::Serialize;
use utoipa::ToSchema;

/// KPIs of ISO 22400-2. Null is undefined: nothing was planned, or nothing was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct KpiView {
    /// Production time / planned busy time.
    availability_percent: Option<f64>,
    /// Ideal time of what was made / production time; never capped.
    effectiveness_percent: Option<f64>,
    /// Effectiveness is above 100 %: the ideal rate is too low.
    above_ideal: bool,
    /// Good / produced.
    quality_ratio_percent: Option<f64>,
    /// Ideal time of what was good / planned busy time. Unknown time counts as stopped.
    oee_percent: Option<f64>,
    /// OEE if all unknown time stood and all doubtful capsules were not made.
    oee_low_percent: Option<f64>,
    /// OEE if all unknown time ran like the known time and all doubtful capsules were made.
    oee_high_percent: Option<f64>,
    /// Known part of the planned busy time and of what was never recorded.
    coverage_percent: Option<f64>,
    /// OEE with set-up as no loss.
    nee_percent: Option<f64>,
    /// Produced / order time, capsules a minute.
    throughput_per_minute: Option<f64>,
    /// Busy time of the unit / planned busy time.
    allocation_efficiency_percent: Option<f64>,
    /// Production time / busy time of the unit.
    utilisation_efficiency_percent: Option<f64>,
    /// Production time / (production time + delays).
    technical_efficiency_percent: Option<f64>,
    /// Set-up time / (set-up time + production time).
    setup_ratio_percent: Option<f64>,
    /// Rejected / produced.
    scrap_ratio_percent: Option<f64>,
    /// Good at the first pass / inspected.
    first_pass_yield_percent: Option<f64>,
    /// Mean time between failures, seconds.
    mtbf_s: Option<f64>,
    /// Mean time to repair, seconds.
    mttr_s: Option<f64>,
    /// Stops for a cause inside the machine.
    failures: u64,
}

impl KpiView {
    pub(super) fn of(kpis: &Kpis) -> KpiView {
        let between = kpis.oee_between;
        KpiView {
            availability_percent: percent(kpis.availability),
            effectiveness_percent: percent(kpis.effectiveness),
            above_ideal: kpis.above_ideal,
            quality_ratio_percent: percent(kpis.quality_ratio),
            oee_percent: percent(kpis.oee),
            oee_low_percent: percent(between.map(|(low, _)| low)),
            oee_high_percent: percent(between.map(|(_, high)| high)),
            coverage_percent: percent(kpis.coverage),
            nee_percent: percent(kpis.nee),
            throughput_per_minute: kpis.throughput_per_minute.map(|ratio| tenths(ratio.value())),
            allocation_efficiency_percent: percent(kpis.allocation_efficiency),
            utilisation_efficiency_percent: percent(kpis.utilisation_efficiency),
            technical_efficiency_percent: percent(kpis.technical_efficiency),
            setup_ratio_percent: percent(kpis.setup_ratio),
            scrap_ratio_percent: percent(kpis.scrap_ratio),
            first_pass_yield_percent: percent(kpis.first_pass_yield),
            mtbf_s: kpis.mtbf_us.map(|us| tenths(us.value() / 1e6)),
            mttr_s: kpis.mttr_us.map(|us| tenths(us.value() / 1e6)),
            failures: kpis.elements.failures,
        }
    }

    /// Of a period of which nothing was read, only that nothing is known.
    pub(super) fn known(self, read: bool) -> KpiView {
        if read {
            return self;
        }
        let nothing = KpiView::of(&Kpis::default());
        KpiView { coverage_percent: self.coverage_percent, ..nothing }
    }
}

/// A fraction in percent with two decimals.
pub(super) fn percent(ratio: Option<Ratio>) -> Option<f64> {
    ratio.map(|ratio| (ratio.value() * 10_000.0).round() / 100.0)
}

fn tenths(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
