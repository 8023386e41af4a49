//! BC05: holding registers 300 to 317, with the names and the state numbers of PackML.

use super::{NodeValue, Point, unit_mode};
use crate::{
    machines::counter::{CAPACITY, PER_BOTTLE},
    model::Model,
    stops::State,
};

pub(super) const REGISTERS: usize = 318;
pub(super) const FIRST: usize = STATE_CURRENT;

const STATE_CURRENT: usize = 300;
/// Bit 0 is blocked, bit 1 starved.
const INTERLOCK: usize = 301;
const CONSUMED_ACC_COUNT: usize = 302;
const PROCESSED_ACC_COUNT: usize = 304;
const DEFECTIVE_ACC_COUNT: usize = 306;
const CAPS_PER_BOTTLE: usize = 308;
const CUR_MACH_SPEED: usize = 309;
const HEARTBEAT: usize = 310;
const STOP_REASON: usize = 311;
const BUFFER_LEVEL: usize = 312;
/// What the tag list does not have stands behind it: the bottles that passed the check.
const GOOD_BOTTLES: usize = 314;
const UPTIME: usize = 316;

/// All tags. Its lifetime counts roll over at 2³¹.
pub(super) fn points(model: &Model) -> Vec<Point> {
    use NodeValue::{Bool, F32, I32, U16, U32};
    let (start, counter) = (&model.config.start_counters, &model.line.counter);
    let ledger = counter.ledger();
    let count = |start: u32, since: u64| I32(((u64::from(start) + since) % (1 << 31)) as i32);
    let (good, defective) = (start.counter_good, start.counter_defective);
    let bottles = ledger.good_bottles + ledger.short_bottles;
    let speed = (counter.rate() / 100) as u16;
    let starved = counter.is_starved();
    let level = (ledger.hopper * 1_000 / CAPACITY) as u16;
    vec![
        Point::new(STATE_CURRENT, "BC05.Status.StateCurrent", U16(packml(counter.state()))),
        Point::register(INTERLOCK, if starved { 1 << 1 } else { 0 }),
        Point::node("BC05.Status.EquipmentInterlock.Blocked", Bool(false)),
        Point::node("BC05.Status.EquipmentInterlock.Starved", Bool(starved)),
        Point::node("BC05.Status.EquipmentBlocked", Bool(false)),
        Point::node("BC05.Status.EquipmentStarved", Bool(starved)),
        Point::node("BC05.Status.UnitModeCurrent", U16(unit_mode(counter.state()))),
        Point::new(
            CONSUMED_ACC_COUNT,
            "BC05.Admin.ProdConsumedCount[0].AccCount",
            count(start.counter_consumed, ledger.infeed),
        ),
        Point::new(
            PROCESSED_ACC_COUNT,
            "BC05.Admin.ProdProcessedCount[0].AccCount",
            count(good.wrapping_add(defective), bottles),
        ),
        Point::new(
            DEFECTIVE_ACC_COUNT,
            "BC05.Admin.ProdDefectiveCount[0].AccCount",
            count(defective, ledger.short_bottles),
        ),
        Point::new(CAPS_PER_BOTTLE, "BC05.CapsPerBottle", U16(PER_BOTTLE as u16)),
        Point::new(CUR_MACH_SPEED, "BC05.Status.CurMachSpeed", U16(speed)),
        Point::new(HEARTBEAT, "BC05.Heartbeat", U16(model.heartbeat(start.uptime_s, 0))),
        Point::new(STOP_REASON, "BC05.Admin.StopReason", U16(counter.stop_reason())),
        Point::new(BUFFER_LEVEL, "BC05.BufferLevel", U16(level)),
        Point::new(GOOD_BOTTLES, "BC05.GoodBottles", count(good, ledger.good_bottles)),
        Point::new(UPTIME, "BC05.PlcUptime", U32(model.uptime_s(start.uptime_s, 0))),
        Point::node("BC05.Admin.MachDesignSpeed", F32(125.0)),
    ]
}

/// State numbers of PackML (OPC 30050), which are others than those of the makers of the other machines.
fn packml(state: State) -> u16 {
    match state {
        State::Stopped => 2,
        State::Starting => 3,
        State::Idle | State::Manual | State::Cleaning | State::Setup => 4,
        State::Waiting => 5,
        State::Running => 6,
        State::Aborted => 9,
        State::Held => 11,
        State::Complete => 17,
    }
}
