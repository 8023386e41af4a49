//! A characteristic as every screen shows it: its last subgroups under the limits in force, judged as the workbench judges
//! them. No limits are made here.

use super::characteristic::Characteristic;
use super::limits::{Limits, hold_for, in_force};
use super::signal::Incident;
use super::stream::Judged;
use super::subgroup::subgroups;
use super::workbench::{By, evaluate};
use crate::line::minute::Minute;
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
