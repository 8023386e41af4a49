//! What the PLCs show of the plant: the register image of CF01 and the nodes of CW04.
//!
//! The encoder is written from the Modbus specification (big-endian words, the most significant
//! word of a long value first) and shares nothing with the service's decoder. If both used the
//! same code, a wrong word order would cancel out and every test would stay green.

use serde::Serialize;

use crate::{
    filler::BORES,
    ledger::{RejectClass, Totals},
    model::Model,
    stops::State,
    weigher::{FILL_MG, LIMIT_HI_MG, LIMIT_LO_MG, TARE_MG},
};

/// Number of holding registers of CF01: the block 0 to 47 between its two sequence words, the two
/// reject classes behind it, and the counter of the operator panel.
pub const FILLER_REGISTERS: usize = 51;

/// Number of holding registers of CW04 from address 0 on; the first that means anything is 200.
pub const WEIGHER_REGISTERS: usize = 288;

/// Places of a sample.
pub const SAMPLE_PLACES: usize = 20;

/// Holding register addresses of CW04, counted from 0. What the tag list does not have stands behind it: the numbers
/// under which the records are published, before and after them, and the statistics of a minute.
mod weigher_address {
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

/// Holding register addresses of CF01, counted from 0.
pub mod address {
    #![allow(missing_docs, reason = "the names are those of the tag list")]
    pub const SEQ_HEAD: usize = 0;
    pub const STATE_CURRENT: usize = 1;
    pub const UNIT_MODE_CURRENT: usize = 2;
    pub const STOP_REASON: usize = 3;
    pub const HEARTBEAT: usize = 4;
    pub const PLC_UPTIME: usize = 5;
    pub const STROKE_TOTAL: usize = 7;
    pub const CONSUMED_COUNT: usize = 9;
    pub const PROCESSED_COUNT: usize = 11;
    pub const PROCESSED_ACC_COUNT: usize = 13;
    pub const REJ_UNSEPARATED: usize = 15;
    pub const REJ_EMPTY_POCKET: usize = 16;
    pub const REJ_DENTED_TELESCOPED: usize = 17;
    pub const REJ_STARTUP: usize = 18;
    pub const SAMPLES: usize = 19;
    pub const CUR_MACH_SPEED: usize = 20;
    pub const MACH_SPEED: usize = 21;
    pub const STROKE_RATE: usize = 22;
    pub const BORES: usize = 23;
    pub const VACUUM: usize = 24;
    pub const POWDER_LEVEL: usize = 25;
    pub const MOTOR_CURRENT: usize = 26;
    pub const ROOM_TEMP: usize = 27;
    pub const ROOM_RH: usize = 28;
    pub const DOSE_SETPOINT: usize = 29;
    pub const BATCH_ID: usize = 31;
    pub const RECIPE_NO: usize = 39;
    pub const ACC_TIME_SINCE_RESET: usize = 40;
    pub const PLC_CLOCK: usize = 42;
    pub const ALARM: usize = 46;
    pub const SEQ_TAIL: usize = 47;
    pub const REJ_NO_DOSE: usize = 48;
    pub const REJ_DOUBLE_CAP: usize = 49;
    pub const PANEL_COUNT: usize = 50;
}

/// The value of an OPC UA node.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NodeValue {
    /// UInt16.
    U16(u16),
    /// UInt32.
    U32(u32),
    /// UInt64.
    U64(u64),
    /// Float.
    F32(f32),
    /// String.
    Text(String),
}

/// A block of registers, written value by value.
struct Image<const N: usize>([u16; N]);

impl<const N: usize> Image<N> {
    fn u16(&mut self, at: usize, value: u16) {
        self.0[at] = value;
    }

    fn i16(&mut self, at: usize, value: i16) {
        self.bytes(at, &value.to_be_bytes());
    }

    fn u32(&mut self, at: usize, value: u32) {
        self.bytes(at, &value.to_be_bytes());
    }

    fn u64(&mut self, at: usize, value: u64) {
        self.bytes(at, &value.to_be_bytes());
    }

    fn f32(&mut self, at: usize, value: f32) {
        self.bytes(at, &value.to_be_bytes());
    }

    /// Two characters a register, filled up with zero bytes.
    fn ascii16(&mut self, at: usize, text: &str) {
        let mut bytes = [0; 16];
        for (byte, c) in bytes.iter_mut().zip(text.bytes()) {
            *byte = c;
        }
        self.bytes(at, &bytes);
    }

    /// Bytes in the order in which they go over the wire.
    fn bytes(&mut self, at: usize, bytes: &[u8]) {
        for (register, pair) in self.0[at..].iter_mut().zip(bytes.chunks_exact(2)) {
            *register = u16::from(pair[0]) << 8 | u16::from(pair[1]);
        }
    }
}

/// Holding registers of CF01.
pub(crate) fn filler(model: &Model) -> Vec<u16> {
    let mut image = Image([0; FILLER_REGISTERS]);
    status(&mut image, model);
    counters(&mut image, model);
    conditions(&mut image, model);
    let sequence = model.filler.totals.strokes as u16;
    image.u16(address::SEQ_HEAD, sequence);
    image.u16(address::SEQ_TAIL, sequence);
    image.0.to_vec()
}

fn status(image: &mut Image<FILLER_REGISTERS>, model: &Model) {
    let filler = &model.filler;
    let uptime_s = model.filler_uptime_s();
    image.u16(address::STATE_CURRENT, filler.state as u16);
    image.u16(address::UNIT_MODE_CURRENT, unit_mode(filler.state));
    image.u16(address::STOP_REASON, filler.stop.map_or(0, |stop| stop.code));
    image.u16(address::HEARTBEAT, model.filler_heartbeat());
    image.u32(address::PLC_UPTIME, uptime_s);
    image.u16(address::CUR_MACH_SPEED, capsules_per_min(filler.rate));
    image.u16(address::MACH_SPEED, capsules_per_min(filler.setpoint));
    image.u16(address::STROKE_RATE, (filler.rate / 100) as u16);
    image.u16(address::BORES, BORES as u16);
    image.ascii16(address::BATCH_ID, &model.shown_batch_id());
    image.u16(address::RECIPE_NO, 12);
    let since_reset_us = model.plant_us - model.view.reset_us;
    image.u32(address::ACC_TIME_SINCE_RESET, (since_reset_us / 1_000_000) as u32);
    image.u64(address::PLC_CLOCK, (model.plc_utc_us() / 1_000) as u64);
    image.u16(address::ALARM, filler.stop.map_or(0, |stop| stop.alarm));
}

fn counters(image: &mut Image<FILLER_REGISTERS>, model: &Model) {
    let Totals { strokes, infeed, empty_pockets, made, samples, .. } = model.filler.totals;
    let (base, start) = (&model.view.base, &model.view.start);
    let rejects = |class| (model.filler.totals.of(class) - base.of(class)) as u16;
    // Casts to fewer bits are the roll-over of the counters.
    image.u32(address::STROKE_TOTAL, start.stroke_total.wrapping_add(strokes as u32));
    image.u32(address::CONSUMED_COUNT, start.consumed.wrapping_add((infeed - base.infeed) as u32));
    image.u32(address::PROCESSED_COUNT, start.processed.wrapping_add((made - base.made) as u32));
    // A sensor at the outlet that bounces sees some capsules twice.
    let seen = made + made * u64::from(model.config.double_count_percent) / 100;
    let acc_count = u64::from(start.processed_acc) + seen + model.disturbances.seen_twice();
    image.u32(address::PROCESSED_ACC_COUNT, (acc_count % (1 << 31)) as u32);
    // Four decimal digits.
    image.u16(address::PANEL_COUNT, (acc_count % 10_000) as u16);
    for (at, start, since) in [
        (address::REJ_UNSEPARATED, start.unseparated, rejects(RejectClass::Unseparated)),
        (
            address::REJ_EMPTY_POCKET,
            start.empty_pocket,
            (empty_pockets - base.empty_pockets) as u16,
        ),
        (address::REJ_DENTED_TELESCOPED, start.dented, rejects(RejectClass::Dented)),
        (address::REJ_STARTUP, start.startup, rejects(RejectClass::Startup)),
        (address::SAMPLES, start.samples, (samples - base.samples) as u16),
        (address::REJ_NO_DOSE, start.no_dose, rejects(RejectClass::NoDose)),
        (address::REJ_DOUBLE_CAP, start.double_cap, rejects(RejectClass::DoubleCap)),
    ] {
        image.u16(at, start.wrapping_add(since));
    }
}

/// Slow values that make the machine look alive; nothing else depends on them.
fn conditions(image: &mut Image<FILLER_REGISTERS>, model: &Model) {
    let filler = &model.filler;
    let hours = model.plant_us as f64 / 3.6e9;
    let wave = |period_h: f64| (hours * std::f64::consts::TAU / period_h).sin();
    let vacuum = model.disturbances.vacuum_lost(model.plant_us) - 450;
    image.i16(address::VACUUM, if filler.in_burst() { -380 } else { vacuum });
    image.u16(address::POWDER_LEVEL, (700.0 + 150.0 * wave(0.25)) as u16);
    image.u16(address::MOTOR_CURRENT, 80 + (filler.rate * 9 / 1_000) as u16);
    image.i16(address::ROOM_TEMP, (220.0 + 8.0 * wave(24.0)) as i16);
    image.u16(address::ROOM_RH, (450.0 + 20.0 * wave(11.0)) as u16);
    image.f32(address::DOSE_SETPOINT, FILL_MG as f32);
}

fn capsules_per_min(rate: u64) -> u16 {
    ((rate * u64::from(BORES) + 500) / 1_000) as u16
}

/// 1 produce, 4 clean, 5 setup.
fn unit_mode(state: State) -> u16 {
    match state {
        State::Manual => 3,
        State::Cleaning => 4,
        State::Setup => 5,
        _ => 1,
    }
}

/// Nodes of CW04. Its counters are not reset with the batch.
pub(crate) fn weigher(model: &Model) -> Vec<(&'static str, NodeValue)> {
    let start = &model.config.start_counters;
    let ledger = model.weigher.ledger(&model.filler.conveyor);
    let weights = model.weigher.weights();
    let uptime_s = start.uptime_s.wrapping_add((model.plant_us / 1_000_000) as u32);
    let heartbeat_us = model.disturbances.heartbeat_us(model.plant_us);
    let heartbeat_s = start.uptime_s.wrapping_add((heartbeat_us / 1_000_000) as u32);
    let count = |start: u32, since: u64| NodeValue::U32(start.wrapping_add(since as u32));
    let mut nodes = vec![
        ("CW04.StateCurrent", NodeValue::U16(model.weigher.state(model.plant_us) as u16)),
        ("CW04.Heartbeat", NodeValue::U16(heartbeat_s as u16)),
        ("CW04.PlcUptime", NodeValue::U32(uptime_s)),
        ("CW04.Statistic.TotalPackages.ItemCount", count(start.weigher_total, ledger.passed())),
        (
            "CW04.Statistic.TotalPackagesAccepted.ItemCount",
            count(start.weigher_accepted, ledger.good),
        ),
        ("CW04.Rej.Under", count(0, ledger.under)),
        ("CW04.Rej.Over", count(0, ledger.over)),
        ("CW04.Rej.DistanceFault", count(0, ledger.unweighed)),
        ("CW04.Mean", NodeValue::F32(weights.mean_mg)),
        ("CW04.StdDev", NodeValue::F32(weights.std_dev_mg)),
        ("CW04.LastWeight", NodeValue::F32(weights.last_mg)),
        ("CW04.TareShell", NodeValue::F32(TARE_MG as f32)),
        ("CW04.LimitLo", NodeValue::F32(LIMIT_LO_MG as f32)),
        ("CW04.LimitHi", NodeValue::F32(LIMIT_HI_MG as f32)),
        ("CW04.MasterTotal", NodeValue::U64(start.weigher_master.wrapping_add(ledger.passed()))),
        ("CW04.BatchId", NodeValue::Text(model.shown_batch_id())),
    ];
    nodes.extend(records(model));
    nodes
}

/// The records of CW04 as nodes: the last sample and the last minute, each under its number.
fn records(model: &Model) -> Vec<(&'static str, NodeValue)> {
    let (sample, interval) = (model.weigher.sample(), model.weigher.interval());
    let number = NodeValue::U16(sample.as_ref().map_or(0, |sample| sample.sequence as u16));
    let places = sample.map_or(Vec::new(), |sample| sample.weights);
    let mut nodes = vec![
        ("CW04.Sample.Sequence", number.clone()),
        (
            "CW04.Interval.Sequence",
            NodeValue::U16(interval.map_or(0, |interval| interval.sequence as u16)),
        ),
        ("CW04.Interval.ItemCount", NodeValue::U32(interval.map_or(0, |i| i.capsules))),
        ("CW04.Interval.Mean", NodeValue::F32(interval.map_or(0.0, |i| i.mean_mg as f32))),
        ("CW04.Interval.StdDev", NodeValue::F32(interval.map_or(0.0, |i| i.std_dev_mg as f32))),
    ];
    for (i, [bore, weight]) in SAMPLE_NODES.iter().enumerate() {
        let (number, tenths) = places.get(i).copied().unwrap_or_default();
        nodes.push((bore, NodeValue::U16(number)));
        nodes.push((weight, NodeValue::U16(tenths)));
    }
    nodes.push(("CW04.Sample.SequenceTail", number));
    nodes
}

macro_rules! sample_nodes {
    ($($i:literal)*) => {
        [$([concat!("CW04.Sample[", $i, "].Bore"), concat!("CW04.Sample[", $i, "].Weight")]),*]
    };
}

/// Names of the places of a sample.
const SAMPLE_NODES: [[&str; 2]; SAMPLE_PLACES] =
    sample_nodes!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

/// Holding registers of CW04, most significant word first.
pub(crate) fn weigher_block(model: &Model) -> Vec<u16> {
    use weigher_address as at;
    let mut image = Image([0; WEIGHER_REGISTERS]);
    for (name, value) in weigher(model) {
        let first = match name {
            "CW04.StateCurrent" => at::STATE_CURRENT,
            "CW04.Heartbeat" => at::HEARTBEAT,
            "CW04.PlcUptime" => at::PLC_UPTIME,
            "CW04.Statistic.TotalPackages.ItemCount" => at::TOTAL,
            "CW04.Statistic.TotalPackagesAccepted.ItemCount" => at::ACCEPTED,
            "CW04.Rej.Under" => at::REJ_UNDER,
            "CW04.Rej.Over" => at::REJ_OVER,
            "CW04.Rej.DistanceFault" => at::REJ_DISTANCE_FAULT,
            "CW04.Mean" => at::MEAN,
            "CW04.StdDev" => at::STD_DEV,
            "CW04.LastWeight" => at::LAST_WEIGHT,
            "CW04.TareShell" => at::TARE_SHELL,
            "CW04.LimitLo" => at::LIMIT_LO,
            "CW04.LimitHi" => at::LIMIT_HI,
            "CW04.MasterTotal" => at::MASTER_TOTAL,
            "CW04.Sample.Sequence" => at::SAMPLE_SEQUENCE,
            "CW04.Sample.SequenceTail" => at::SAMPLE_SEQUENCE_TAIL,
            "CW04.Interval.Sequence" => at::INTERVAL_SEQUENCE,
            "CW04.Interval.ItemCount" => at::INTERVAL_COUNT,
            "CW04.Interval.Mean" => at::INTERVAL_MEAN,
            "CW04.Interval.StdDev" => at::INTERVAL_STD_DEV,
            other => match SAMPLE_NODES.iter().flatten().position(|node| *node == other) {
                Some(place) => at::SAMPLE + place,
                None => continue,
            },
        };
        match value {
            NodeValue::U16(value) => image.u16(first, value),
            NodeValue::U32(value) => image.u32(first, value),
            NodeValue::U64(value) => image.u64(first, value),
            NodeValue::F32(value) => image.f32(first, value),
            NodeValue::Text(_) => {}
        }
    }
    image.0.to_vec()
}
