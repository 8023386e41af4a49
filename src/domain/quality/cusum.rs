//! The CUSUM of z beside a chart of counts: it adds up what the EWMA averages, and its slope tells when a shift began.
//! To look at only; the EWMA beside the chart is what alarms.

use super::characteristic::Characteristic;
use super::stream::Judged;
use crate::spc::arl;
use crate::spc::memory::{Cusum, CusumPoint, CusumStream};

/// Reference value in sigma: half of a shift of one sigma (Montgomery 9.1).
pub const REFERENCE: f64 = 0.5;

/// Both sums at each subgroup.
#[derive(Clone, Debug, PartialEq)]
pub struct CusumChart {
    /// Decision interval that spends the alarm budget.
    pub h: f64,
    /// A point for each subgroup; none for those that were not judged, which hold both sums.
    pub points: Vec<Option<CusumPoint>>,
}

/// The CUSUM of judged subgroups, oldest first. It starts again where other limits judge.
pub fn cusum(characteristic: &Characteristic, judged: &[Judged]) -> CusumChart {
    // A budget outside of what run lengths can be solved for gets the interval of one alarm in 465 points.
    let h = arl::cusum_limit(characteristic.arl0(), REFERENCE).unwrap_or(5.0);
    let settings =
        Cusum { k: REFERENCE, h, target: 0.0, sigma: 1.0, fir: 0.0, reset_after_signal: false };
    let mut stream = CusumStream::new(settings);
    let mut version = None;
    let mut point = |judged: &Judged| {
        if version.replace(judged.version).is_some_and(|before| before != judged.version) {
            stream = CusumStream::new(settings);
        }
        stream.push(judged.point.z.map(|z| (z, 1.0)))
    };
    CusumChart { h, points: judged.iter().map(&mut point).collect() }
}
