//! CF01 and the fillers beside it: the block 0 to 47 between two sequence words, and what stands behind it.

use super::{NodeValue, Point, unit_mode};
use crate::{
    ledger::{RejectClass, Totals},
    machines::{
        filler::{BORES, Filler},
        weigher::FILL_MG,
    },
    model::Model,
};

/// Number of holding registers of CF01: the block 0 to 47 between its two sequence words, the two
/// reject classes behind it, and the counter of the operator panel.
pub const FILLER_REGISTERS: usize = 51;

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

/// All tags of a filler.
pub(super) fn points(model: &Model, nth: usize) -> Vec<Point> {
    let sequence = model.line.fillers[nth].totals.strokes as u16;
    let mut points = Vec::with_capacity(48);
    points.push(Point::new(address::SEQ_HEAD, "CF01.SeqHead", NodeValue::U16(sequence)));
    points.extend(status(model, nth));
    points.extend(counters(model, nth));
    points.extend(conditions(model, &model.line.fillers[nth]));
    points.push(Point::new(address::SEQ_TAIL, "CF01.SeqTail", NodeValue::U16(sequence)));
    points
}

fn status(model: &Model, nth: usize) -> [Point; 14] {
    use NodeValue::{Text, U16, U32, U64};
    use address as at;
    let (filler, view) = (&model.line.fillers[nth], &model.views[nth]);
    let (start_s, boot_us) = (view.start.uptime_s, view.boot_us);
    let state = filler.state();
    let reason = filler.stop.map_or(0, |stop| stop.code);
    let since_reset_s = ((model.plant_us - view.reset_us) / 1_000_000) as u32;
    let alarm = filler.stop.map_or(0, |stop| stop.alarm);
    [
        Point::new(at::STATE_CURRENT, "CF01.Status.StateCurrent", U16(state as u16)),
        Point::new(at::UNIT_MODE_CURRENT, "CF01.Status.UnitModeCurrent", U16(unit_mode(state))),
        Point::new(at::STOP_REASON, "CF01.Admin.StopReason", U16(reason)),
        Point::new(at::HEARTBEAT, "CF01.Heartbeat", U16(model.heartbeat(start_s, boot_us))),
        Point::new(at::PLC_UPTIME, "CF01.PlcUptime", U32(model.uptime_s(start_s, boot_us))),
        Point::new(
            at::CUR_MACH_SPEED,
            "CF01.Status.CurMachSpeed",
            U16(capsules_per_min(filler.rate)),
        ),
        Point::new(at::MACH_SPEED, "CF01.Status.MachSpeed", U16(capsules_per_min(filler.setpoint))),
        Point::new(at::STROKE_RATE, "CF01.StrokeRate", U16((filler.rate / 100) as u16)),
        Point::new(at::BORES, "CF01.Bores", U16(BORES as u16)),
        Point::new(at::BATCH_ID, "CF01.BatchId", Text(model.shown_batch_id(nth))),
        Point::new(at::RECIPE_NO, "CF01.RecipeNo", U16(12)),
        Point::new(at::ACC_TIME_SINCE_RESET, "CF01.AccTimeSinceReset", U32(since_reset_s)),
        Point::new(at::PLC_CLOCK, "CF01.PlcClock", U64((model.plc_utc_us() / 1_000) as u64)),
        Point::new(at::ALARM, "CF01.Alarm", U16(alarm)),
    ]
}

fn counters(model: &Model, nth: usize) -> Vec<Point> {
    use NodeValue::{I32, U16, U32};
    use address as at;
    let totals = &model.line.fillers[nth].totals;
    let Totals { strokes, infeed, empty_pockets, made, samples, .. } = *totals;
    let (base, start) = (&model.views[nth].base, &model.views[nth].start);
    let rejects = |class| (totals.of(class) - base.of(class)) as u16;
    // A sensor at the outlet that bounces sees some capsules twice.
    let twice = if nth == 0 { model.disturbances.seen_twice() } else { 0 };
    let acc_count = u64::from(start.processed_acc) + made + twice;
    // Casts to fewer bits are the roll-over of the counters.
    let stroke_total = start.stroke_total.wrapping_add(strokes as u32);
    let consumed = start.consumed.wrapping_add((infeed - base.infeed) as u32);
    let processed = start.processed.wrapping_add((made - base.made) as u32);
    let long = [
        Point::new(at::STROKE_TOTAL, "CF01.StrokeTotal", U32(stroke_total)),
        Point::new(at::CONSUMED_COUNT, "CF01.Admin.ProdConsumedCount[0].Count", U32(consumed)),
        Point::new(at::PROCESSED_COUNT, "CF01.Admin.ProdProcessedCount[0].Count", U32(processed)),
        Point::new(
            at::PROCESSED_ACC_COUNT,
            "CF01.Admin.ProdProcessedCount[0].AccCount",
            I32((acc_count % (1 << 31)) as i32),
        ),
        // Four decimal digits.
        Point::new(at::PANEL_COUNT, "CF01.PanelCount", U16((acc_count % 10_000) as u16)),
    ];
    let voids = (empty_pockets - base.empty_pockets) as u16;
    let sampled = (samples - base.samples) as u16;
    let short = [
        (at::REJ_UNSEPARATED, "CF01.Rej.Unseparated", start.unseparated, RejectClass::Unseparated),
        (at::REJ_DENTED_TELESCOPED, "CF01.Rej.DentedTelescoped", start.dented, RejectClass::Dented),
        (at::REJ_STARTUP, "CF01.Rej.Startup", start.startup, RejectClass::Startup),
        (at::REJ_NO_DOSE, "CF01.Rej.NoDose", start.no_dose, RejectClass::NoDose),
        (at::REJ_DOUBLE_CAP, "CF01.Rej.DoubleCap", start.double_cap, RejectClass::DoubleCap),
    ]
    .map(|(at, name, start, class)| (at, name, start, rejects(class)));
    let others = [
        (at::REJ_EMPTY_POCKET, "CF01.Rej.EmptyPocket", start.empty_pocket, voids),
        (at::SAMPLES, "CF01.Samples", start.samples, sampled),
    ];
    let short = short.into_iter().chain(others);
    let short =
        short.map(|(at, name, start, since)| Point::new(at, name, U16(start.wrapping_add(since))));
    long.into_iter().chain(short).collect()
}

/// Slow values that make the machine look alive; nothing else depends on them.
fn conditions(model: &Model, filler: &Filler) -> [Point; 6] {
    use NodeValue::{F32, I16, U16};
    use address as at;
    let hours = model.plant_us as f64 / 3.6e9;
    let wave = |period_h: f64| (hours * std::f64::consts::TAU / period_h).sin();
    let vacuum = model.disturbances.vacuum_lost(model.plant_us) - 450;
    let vacuum = if filler.in_burst() { -380 } else { vacuum };
    let powder = (700.0 + 150.0 * wave(0.25)) as u16;
    let current = 80 + (filler.rate * 9 / 1_000) as u16;
    [
        Point::new(at::VACUUM, "CF01.Vacuum", I16(vacuum)),
        Point::new(at::POWDER_LEVEL, "CF01.PowderLevel", U16(powder)),
        Point::new(at::MOTOR_CURRENT, "CF01.MotorCurrent", U16(current)),
        Point::new(at::ROOM_TEMP, "CF01.RoomTemp", I16((220.0 + 8.0 * wave(24.0)) as i16)),
        Point::new(at::ROOM_RH, "CF01.RoomRH", U16((450.0 + 20.0 * wave(11.0)) as u16)),
        Point::new(at::DOSE_SETPOINT, "CF01.DoseSetpoint", F32(FILL_MG as f32)),
    ]
}

fn capsules_per_min(rate: u64) -> u16 {
    ((rate * u64::from(BORES) + 500) / 1_000) as u16
}
