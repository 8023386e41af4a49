//! How soon a machine is read again after it is back, and how soon a black hole is noticed.
//!
//! The tests ask only that it happens within a time that no loaded machine exceeds, and print what they measured;
//! `CAPLINE_RETURNS=200` repeats each so often.

use std::io::Write;
use std::time::Duration;

use capline::clock::boot_us;
use domain::reading::{Miss, Outcome, Snapshot};

use super::fault::{Dice, Fault};
use super::proxy::Proxy;
use super::record::Speech;
use super::{Line, device, fast_plant, has_readings, setting};
use crate::harness::Site;

/// No machine is so loaded that this is not enough.
const GUARD: Duration = Duration::from_secs(10);

/// Milliseconds, from the shortest to the longest.
struct Times(Vec<f64>);

impl Times {
    fn of(mut us: Vec<i64>) -> Times {
        us.sort_unstable();
        Times(us.into_iter().map(|us| us as f64 / 1e3).collect())
    }

    fn say(&self, what: &str) {
        let at = |share: f64| self.0[((self.0.len() as f64 * share).ceil() as usize).max(1) - 1];
        let (p50, p99, worst) = (at(0.5), at(0.99), at(1.0));
        // A closed stderr is no reason to fail.
        let _ = writeln!(
            std::io::stderr(),
            "{what}: p50 {p50:.1} ms, p99 {p99:.1} ms, worst {worst:.1} ms of {}",
            self.0.len()
        );
        assert!(worst < GUARD.as_secs_f64() * 1e3, "{what}: {worst} ms");
    }
}

/// Puts a fault into the wire for a moment of at least `least_ms`, again and again. Times from its beginning to the first
/// missed poll, and from its end to the first reading.
async fn outages(speech: Speech, fault: Fault, least_ms: u64) -> (Times, Times) {
    let site = Site::new();
    let (plant, _) = fast_plant(site.path(), 1.0).await;
    let there = if speech == Speech::OpcUa { plant.opcua_addr() } else { plant.modbus_addr() };
    plant.resume();
    let wire = Proxy::start(there, speech).await;
    let mut dice = Dice(7);
    let (mut noticed, mut returned) = (Vec::new(), Vec::new());
    for _ in 0..setting("CAPLINE_RETURNS", 2) {
        // Each time from a start, since a server that is lost again within seconds is given time by design.
        let mut line = Line::start(device(speech, &wire.address));
        line.until("a reading", has_readings).await;
        tokio::time::sleep(Duration::from_millis(dice.between(150, 350))).await;
        line.queued();
        let began_us = boot_us();
        wire.set(fault);
        // A poll that only waits for the one before is no sign yet.
        let is_noticed = |snapshot: &Snapshot| match snapshot.outcome {
            Outcome::Missed(miss) => miss != Miss::Skipped,
            Outcome::Taken(_) => false,
        };
        let missed = line.until("a missed poll", is_noticed).await;
        noticed.push(missed.taken_at.mono_us - began_us);
        tokio::time::sleep(Duration::from_millis(least_ms + dice.between(0, 500))).await;
        let over_us = boot_us();
        wire.set(Fault::None);
        let read = line
            .until("a reading", |snapshot| {
                has_readings(snapshot) && snapshot.taken_at.mono_us > over_us
            })
            .await;
        returned.push(read.taken_at.mono_us - over_us);
        line.sources.stop().await;
    }
    plant.stop().await;
    (Times::of(noticed), Times::of(returned))
}

/// Each way of being away, with a name.
const AWAY: [(&str, Fault); 3] = [
    ("a refused connection", Fault::Refused),
    ("a reset connection", Fault::Reset),
    ("a connection nobody answers on", Fault::HalfOpen),
];

/// Shows: ACQ-03
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modbus_device_is_read_again_soon_after_it_is_back() {
    for (name, fault) in AWAY {
        let (_, returned) = outages(Speech::ModbusTcp, fault, 300).await;
        returned.say(&format!("modbus, read again after {name}"));
    }
}

/// Shows: ACQ-03
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opc_ua_server_is_read_again_soon_after_it_is_back() {
    for (name, fault) in AWAY {
        let (_, returned) = outages(Speech::OpcUa, fault, 300).await;
        returned.say(&format!("opc ua, read again after {name}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_is_noticed_although_the_connection_stays() {
    for (name, speech) in [("modbus", Speech::ModbusTcp), ("opc ua", Speech::OpcUa)] {
        let (noticed, returned) = outages(speech, Fault::BlackHole, 200).await;
        noticed.say(&format!("{name}, a black hole noticed"));
        returned.say(&format!("{name}, read again after a black hole"));
    }
}
