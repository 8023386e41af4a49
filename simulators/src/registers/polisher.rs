//! PS02: holding registers 100 to 110, the least significant word of a long value first.

use super::{NodeValue, Point};
use crate::{model::Model, stops::State};

pub(super) const REGISTERS: usize = 111;
pub(super) const FIRST: usize = STATE_CURRENT;

const STATE_CURRENT: usize = 100;
const HEARTBEAT: usize = 101;
const IN_COUNT: usize = 102;
const GOOD_COUNT: usize = 104;
const REJ_EMPTY: usize = 106;
const REJ_HALVES: usize = 107;
const BRUSH_SPEED: usize = 108;
const FILTER_DP: usize = 109;
const STOP_REASON: usize = 110;

/// Rejects are shown in four decimal digits.
const REJ_MODULUS: u64 = 10_000;

/// All tags. Every counter begins at zero when the PLC starts.
pub(super) fn points(model: &Model) -> Vec<Point> {
    use NodeValue::{U16, U32};
    let (view, polisher) = (&model.polisher_view, &model.line.polisher);
    let (now, base, start) = (polisher.ledger(), &view.base, &view.start);
    let state = polisher.transit.state(model.plant_us);
    let reason = polisher.transit.stop_reason(model.plant_us);
    let infeed = start.polisher_in.wrapping_add((now.infeed - base.infeed) as u32);
    let good = start.polisher_good.wrapping_add((now.good - base.good) as u32);
    let rejects = |start: u16, since: u64| U16(((u64::from(start) + since) % REJ_MODULUS) as u16);
    let brush = if state == State::Running { 180 } else { 0 };
    // The filter fills up in a day and is blown clean then.
    let filter = 400 + (model.plant_us / 1_000_000 % 86_400 / 108) as u16;
    vec![
        Point::new(STATE_CURRENT, "PS02.StateCurrent", U16(state as u16)),
        Point::new(HEARTBEAT, "PS02.Heartbeat", U16(model.heartbeat(start.uptime_s, view.boot_us))),
        Point::new(IN_COUNT, "PS02.InCount", U32(infeed)),
        Point::new(GOOD_COUNT, "PS02.GoodCount", U32(good)),
        Point::new(
            REJ_EMPTY,
            "PS02.Rej.Empty",
            rejects(start.polisher_empty, now.empty - base.empty),
        ),
        Point::new(
            REJ_HALVES,
            "PS02.Rej.Halves",
            rejects(start.polisher_halves, now.halves - base.halves),
        ),
        Point::new(BRUSH_SPEED, "PS02.BrushSpeed", U16(brush)),
        Point::new(FILTER_DP, "PS02.FilterDP", U16(filter)),
        Point::new(STOP_REASON, "PS02.StopReason", U16(reason)),
    ]
}
