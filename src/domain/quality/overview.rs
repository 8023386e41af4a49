//! A characteristic as every screen shows it: its last subgroups under the limits in force, judged as the workbench judges
//! them. No limits are made here.

use super::characteristic::{Characteristic, Measure};
use super::limits::{Limits, LimitsLaw, hold_for, in_force};
use super::signal::Incident;
use super::stream::Judged;
use super::subgroup::subgroups;
use super::workbench::{By, evaluate};
use crate::line::minute::Minute;
use crate::stats::comparison::Dispersion;
use crate::units::HOUR_US;

/// Most subgroups on a chart.
const POINTS: usize = 120;

/// How far back a chart begins: 120 subgroups of 15 minutes. The workbench begins as far back where it is asked for no span,
/// so that both judge the same runs.
pub const SPAN_US: i64 = 30 * HOUR_US;

/// What the control charts of a line say at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The chart of the reject fraction; none where the line charts none.
    pub reject_fraction: Option<Chart>,
    /// How much more than chance the rejects of a reason vary, by the limits in force; a reason without limits is not in it.
    pub spread: Vec<(Measure, Dispersion)>,
    /// Incidents of all characteristics that have not ended; none where that is not known, as of a past moment.
    pub open: Option<Vec<Incident>>,
}

/// A characteristic under its limits in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What is charted.
    pub characteristic: Characteristic,
    /// Its last subgroups, oldest first, each judged by the version in force when it closed. Without limits in force they are
    /// plotted and not judged.
    pub judged: Vec<Judged>,
    /// The limits in force now.
    pub limits: Option<Limits>,
}

/// Start of the span of a chart that ends at a moment, in UTC microseconds: a border of its subgroups.
pub fn span_from(characteristic: &Characteristic, at_us: i64) -> i64 {
    let length_us = characteristic.subgroup_us();
    (at_us - SPAN_US).div_euclid(length_us) * length_us
}

/// How much more than chance a reason varies, by the limits in force at a moment: Laney's σz² with the degrees of freedom of its
/// baseline. None for anything but a reason, and without limits.
pub fn spread(
    characteristic: &Characteristic,
    versions: &[Limits],
    at_us: i64,
) -> Option<(Measure, Dispersion)> {
    let own = versions.iter().filter(|limits| limits.characteristic == characteristic.id);
    let own: Vec<Limits> = own.cloned().collect();
    let limits = in_force(&own, at_us)?;
    let LimitsLaw::Rate { sigma_z, .. } = limits.law else { return None };
    let used = limits.baseline.n_used.saturating_sub(1) as f64;
    let df = limits.evidence.sigma_df.unwrap_or(used).clamp(1.0, used.max(1.0)) as u64;
    let measure = characteristic.measure.clone();
    matches!(measure, Measure::Reject { .. })
        .then(|| (measure, Dispersion { ratio: (sigma_z * sigma_z).max(1.0), df }))
}

/// The chart at a moment: of closed minutes since [`span_from`], oldest first, of when batches began, and of all versions of
/// the limits of this characteristic.
pub fn chart(
    characteristic: &Characteristic,
    minutes: &[Minute],
    batches_us: &[i64],
    versions: &[Limits],
    at_us: i64,
) -> Chart {
    let found = subgroups(characteristic, minutes, batches_us);
    let held = hold_for(versions, characteristic.subgroup_minutes);
    let by = if held { By::InForce(versions) } else { By::Nothing };
    let mut judged = evaluate(characteristic, &found, by).judged;
    judged.drain(..judged.len().saturating_sub(POINTS));
    let limits = in_force(versions, at_us).filter(|_| held).cloned();
    Chart { characteristic: characteristic.clone(), judged, limits }
}
