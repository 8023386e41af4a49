//! A counter's baseline ↔ its row. The only place that knows what a [`Baseline`] is made of.

use domain::line::counter::Baseline;
use domain::units::{Count, Moment};

/// A baseline as it is stored.
pub(in crate::historian) struct BaselineRow {
    /// The register as last read.
    pub(in crate::historian) raw: Option<i64>,
    /// The total that never wraps.
    pub(in crate::historian) total: Count,
    /// When the register was read.
    pub(in crate::historian) at: Option<Moment>,
    /// The rest, JSON.
    pub(in crate::historian) detail: String,
}

impl BaselineRow {
    /// The row of a baseline.
    pub(in crate::historian) fn of(baseline: &Baseline) -> BaselineRow {
        BaselineRow { raw: None, total: baseline.total, at: None, detail: "{}".to_owned() }
    }
}

/// The baseline of a row; in words what is wrong where it cannot be one.
pub(in crate::historian) fn baseline(row: &BaselineRow) -> Result<Baseline, String> {
    Ok(Baseline { total: row.total })
}
