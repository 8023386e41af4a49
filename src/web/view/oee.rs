//! OEE with what it can be, and how much of the time is known.

use domain::line::oee::{Elements, Ratio};
use domain::line::status::ShiftStatus;
use domain::units::MINUTE_US;
use serde::Serialize;
use utoipa::ToSchema;

use super::rounded;

/// OEE of a shift so far, all in percent, one decimal. `explain/oee` says how it is made.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OeeView {
    /// Unknown time counts as stopped.
    pub percent: f64,
    /// If all unknown time stood and all doubtful capsules were not made.
    pub low: f64,
    /// If all unknown time ran like the known time and all doubtful capsules were made.
    pub high: f64,
    /// Known part of the planned busy time and of what was never recorded.
    pub coverage_percent: f64,
}

impl OeeView {
    /// None where nothing of the shift was read, or nothing was planned: then there is no OEE, and no zero. None either before
    /// a minute of it is known: a stroke more or less is a tenth of what some seconds make.
    pub(super) fn of(shift: &ShiftStatus) -> Option<OeeView> {
        let kpis = &shift.kpis;
        let Elements { planned_busy_us, unknown_us, .. } = kpis.elements;
        if planned_busy_us.saturating_sub(unknown_us) < MINUTE_US.unsigned_abs() {
            return None;
        }
        let percent = |ratio: Ratio| rounded(ratio.value() * 100.0, 1);
        let (low, high) = kpis.oee_between.filter(|_| shift.read)?;
        Some(OeeView {
            percent: percent(kpis.oee?)?,
            low: percent(low)?,
            high: percent(high)?,
            coverage_percent: super::share(kpis.coverage?.value()),
        })
    }
}
