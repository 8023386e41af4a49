//! CW04: holding registers 200 to 287. Its counters are not reset with the batch.

use super::{NodeValue, Point};
use crate::{
    machines::weigher::{LIMIT_HI_MG, LIMIT_LO_MG, TARE_MG},
    model::Model,
};

/// Number of holding registers of CW04 from address 0 on, those before the first that exists among them.
pub(super) const REGISTERS: usize = 288;
pub(super) const FIRST: usize = at::STATE_CURRENT;

/// Places of a sample.
pub const SAMPLE_PLACES: usize = 20;

/// Holding register addresses of CW04, counted from 0. What the tag list does not have stands behind it: the numbers
/// under which the records are published, before and after them, and the statistics of a minute.
mod at {
    pub(super) const STATE_CURRENT: usize = 200;
    pub(super) const HEARTBEAT: usize = 201;
    pub(super) const TOTAL: usize = 202;
    pub(super) const ACCEPTED: usize = 204;
    pub(super) const REJ_UNDER: usize = 206;
    pub(super) const REJ_OVER: usize = 208;
    pub(super) const REJ_DISTANCE_FAULT: usize = 210;
    pub(super) const MEAN: usize = 212;
    pub(super) const STD_DEV: usize = 214;
    pub(super) const LAST_WEIGHT: usize = 216;
    pub(super) const TARE_SHELL: usize = 218;
    pub(super) const LIMIT_LO: usize = 220;
    pub(super) const LIMIT_HI: usize = 222;
    pub(super) const MASTER_TOTAL: usize = 224;
    pub(super) const PLC_UPTIME: usize = 228;
    pub(super) const SAMPLE_SEQUENCE: usize = 239;
    pub(super) const SAMPLE: usize = 240;
    pub(super) const SAMPLE_SEQUENCE_TAIL: usize = 280;
    pub(super) const INTERVAL_SEQUENCE: usize = 281;
    pub(super) const INTERVAL_COUNT: usize = 282;
    pub(super) const INTERVAL_MEAN: usize = 284;
    pub(super) const INTERVAL_STD_DEV: usize = 286;
}

/// All tags.
pub(super) fn points(model: &Model) -> Vec<Point> {
    use NodeValue::{F32, Text, U16, U32, U64};
    let start = &model.config.start_counters;
    let weigher = &model.line.weigher;
    let (ledger, weights) = (weigher.ledger(), weigher.weights());
    let state = weigher.transit.state(model.plant_us);
    let count = |start: u32, since: u64| U32(start.wrapping_add(since as u32));
    let mut points = vec![
        Point::new(at::STATE_CURRENT, "CW04.StateCurrent", U16(state as u16)),
        Point::new(at::HEARTBEAT, "CW04.Heartbeat", U16(model.heartbeat(start.uptime_s, 0))),
        Point::new(at::PLC_UPTIME, "CW04.PlcUptime", U32(model.uptime_s(start.uptime_s, 0))),
        Point::new(
            at::TOTAL,
            "CW04.Statistic.TotalPackages.ItemCount",
            count(start.weigher_total, ledger.passed()),
        ),
        Point::new(
            at::ACCEPTED,
            "CW04.Statistic.TotalPackagesAccepted.ItemCount",
            count(start.weigher_accepted, ledger.good),
        ),
        Point::new(at::REJ_UNDER, "CW04.Rej.Under", count(0, ledger.under)),
        Point::new(at::REJ_OVER, "CW04.Rej.Over", count(0, ledger.over)),
        Point::new(at::REJ_DISTANCE_FAULT, "CW04.Rej.DistanceFault", count(0, ledger.unweighed)),
        Point::new(at::MEAN, "CW04.Mean", F32(weights.mean_mg)),
        Point::new(at::STD_DEV, "CW04.StdDev", F32(weights.std_dev_mg)),
        Point::new(at::LAST_WEIGHT, "CW04.LastWeight", F32(weights.last_mg)),
        Point::new(at::TARE_SHELL, "CW04.TareShell", F32(TARE_MG as f32)),
        Point::new(at::LIMIT_LO, "CW04.LimitLo", F32(LIMIT_LO_MG as f32)),
        Point::new(at::LIMIT_HI, "CW04.LimitHi", F32(LIMIT_HI_MG as f32)),
        Point::new(
            at::MASTER_TOTAL,
            "CW04.MasterTotal",
            U64(start.weigher_master.wrapping_add(ledger.passed())),
        ),
        Point::node("CW04.BatchId", Text(model.shown_batch_id(0))),
    ];
    records(model, &mut points);
    points
}

/// The records: the last sample and the last minute, each under its number.
fn records(model: &Model, points: &mut Vec<Point>) {
    use NodeValue::{F32, U16, U32};
    let (sample, interval) = (model.sample(), model.interval());
    let number = sample.as_ref().map_or(0, |sample| sample.sequence as u16);
    let places = sample.map_or(Vec::new(), |sample| sample.weights);
    let minute = interval.map_or(0, |interval| interval.sequence as u16);
    let count = interval.map_or(0, |interval| interval.capsules);
    let mean_mg = interval.map_or(0.0, |interval| interval.mean_mg);
    let std_dev_mg = interval.map_or(0.0, |interval| interval.std_dev_mg);
    points.extend([
        Point::new(at::SAMPLE_SEQUENCE, "CW04.Sample.Sequence", U16(number)),
        Point::new(at::INTERVAL_SEQUENCE, "CW04.Interval.Sequence", U16(minute)),
        Point::new(at::INTERVAL_COUNT, "CW04.Interval.ItemCount", U32(count)),
        Point::new(at::INTERVAL_MEAN, "CW04.Interval.Mean", F32(mean_mg as f32)),
        Point::new(at::INTERVAL_STD_DEV, "CW04.Interval.StdDev", F32(std_dev_mg as f32)),
    ]);
    for (i, [bore, weight]) in SAMPLE_NODES.iter().enumerate() {
        let (number, tenths) = places.get(i).copied().unwrap_or_default();
        points.push(Point::new(at::SAMPLE + 2 * i, bore, U16(number)));
        points.push(Point::new(at::SAMPLE + 2 * i + 1, weight, U16(tenths)));
    }
    points.push(Point::new(at::SAMPLE_SEQUENCE_TAIL, "CW04.Sample.SequenceTail", U16(number)));
}

macro_rules! sample_nodes {
    ($($i:literal)*) => {
        [$([concat!("CW04.Sample[", $i, "].Bore"), concat!("CW04.Sample[", $i, "].Weight")]),*]
    };
}

/// Names of the places of a sample.
const SAMPLE_NODES: [[&str; 2]; SAMPLE_PLACES] =
    sample_nodes!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
