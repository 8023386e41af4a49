//! MD03: input registers 0 to 5, all of 16 bits.

use super::{NodeValue, Point};
use crate::{machines::detector::in_test, model::Model, stops::State};

pub(super) const REGISTERS: usize = 6;

const STATE_BITS: usize = 0;
const HEARTBEAT: usize = 1;
const REJ_EVENTS: usize = 2;
const TEST_EVENTS: usize = 3;
const SIGNAL: usize = 4;
const THRESHOLD: usize = 5;

const RUN: u16 = 1 << 0;
const FAULT: u16 = 1 << 1;
const TEST: u16 = 1 << 2;
const AIR: u16 = 1 << 3;

/// Signal at which the flap opens, in units of the maker.
const LEAST_SIGNAL: u16 = 200;

/// All tags.
pub(super) fn points(model: &Model) -> Vec<Point> {
    use NodeValue::U16;
    let (now_us, start) = (model.plant_us, &model.config.start_counters);
    let detector = &model.line.detector;
    let ledger = detector.ledger(now_us);
    let state = match detector.transit.state(now_us) {
        State::Running => RUN,
        State::Held => FAULT,
        _ => 0,
    };
    let testing = in_test(now_us);
    let bits = state | AIR | if testing { TEST } else { 0 };
    let count = |start: u16, since: u64| U16(start.wrapping_add(since as u16));
    // Product effect of the capsules, and the test piece.
    let signal = if testing { 260 } else { 38 + (now_us / 700_000 % 7) as u16 };
    vec![
        Point::new(STATE_BITS, "MD03.StateBits", U16(bits)),
        Point::new(HEARTBEAT, "MD03.Heartbeat", U16(model.heartbeat(start.uptime_s, 0))),
        Point::new(REJ_EVENTS, "MD03.RejEvents", count(start.detector_events, ledger.events)),
        Point::new(TEST_EVENTS, "MD03.TestEvents", count(start.detector_tests, ledger.test_pieces)),
        Point::new(SIGNAL, "MD03.Signal", U16(signal)),
        Point::new(THRESHOLD, "MD03.Threshold", U16(LEAST_SIGNAL)),
    ]
}
