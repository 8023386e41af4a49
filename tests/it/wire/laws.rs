//! No wrong value ever: each value that was read had been true at a moment within its uncertainty, whatever the wire did.

use std::sync::Arc;

use domain::plc_map::PlcMap;
use domain::reading::{Outcome, Quality, Snapshot};

use super::fault::{Dice, Fault, storm};
use super::naive::believe;
use super::proxy::Proxy;
use super::record::Speech;
use super::truth::{Account, OF_FILLER, OF_WEIGHER, Rising, Truth};
use super::{Line, device, fast_plant, has_readings, is_missed, setting};
use crate::harness::Site;
use crate::skip::say;

/// Plant seconds in a real one: a stroke every 5 ms, so that a value of the poll before is a wrong one.
const SPEED: f64 = 100.0;

/// A clock is read to the microsecond, and a round trip is measured by another one.
const MARGIN_US: i64 = 200;

/// Seed of a storm, and how many faults it has.
fn weather() -> (Dice, u64) {
    (Dice(setting("CAPLINE_WIRE_SEED", 20_261_129)), setting("CAPLINE_WIRE_FAULTS", 26))
}

/// What came of the snapshots of a storm.
#[derive(Default)]
struct Verdict {
    judged: usize,
    wrong: Vec<String>,
}

/// Judges all good values of counters. `moment` tells whether one was true.
fn judge(
    snapshots: &[Snapshot],
    map: &PlcMap,
    counters: &[Rising],
    was_true: impl Fn(usize, u64, u64, &Snapshot, Option<i64>) -> bool,
) -> Verdict {
    let mut verdict = Verdict::default();
    for snapshot in snapshots {
        let Outcome::Taken(readings) = &snapshot.outcome else { continue };
        for reading in readings.iter().filter(|reading| reading.quality == Quality::Good) {
            let id = map.tags[usize::from(reading.tag)].id.as_str();
            let Some(counter) = counters.iter().position(|(tag, ..)| *tag == id) else { continue };
            let value = reading.value.as_counter(32).expect("a counter is a number");
            verdict.judged += 1;
            if !was_true(counter, counters[counter].2, value, snapshot, reading.source_us) {
                verdict.wrong.push(format!("{id} = {value} at {:?}", snapshot.taken_at));
            }
        }
    }
    verdict
}

fn within(account: &Account) -> impl Fn(usize, u64, u64, &Snapshot, Option<i64>) -> bool {
    |counter, modulus, value, snapshot, _| {
        let (at, half) = (snapshot.taken_at.mono_us, i64::from(snapshot.round_trip_us) / 2);
        let between = (at - half - MARGIN_US, at + half + MARGIN_US);
        account.had(counter, modulus, value, between)
    }
}

/// Shows: ACQ-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_on_a_modbus_wire_makes_a_value_that_never_was() {
    let site = Site::new();
    let (plant, _) = fast_plant(site.path(), SPEED).await;
    let plant = Arc::new(plant);
    let truth = Truth::start(plant.clone(), &OF_FILLER);
    plant.resume();
    let speech = Speech::ModbusTcp;
    let (dice, n) = weather();

    // The client without checks goes over a wire of its own with the same faults at the same time.
    let wires = [0, 1].map(|_| Proxy::start(plant.modbus_addr(), speech));
    let [wire, control] = futures_util::future::join_all(wires).await.try_into().ok().expect("two");
    let mut line = Line::start(device(speech, &wire.address));
    let first = line.until("a first reading", has_readings).await;
    let storms = async {
        let (mut one, mut other) = (dice.clone(), dice.clone());
        tokio::join!(storm(&wire, speech, &mut one, n), storm(&control, speech, &mut other, n)).0
    };
    let mut done: Vec<Fault> = Vec::new();
    let shown = believe(&control.address, async { done = storms.await }).await;
    let map = device(speech, &wire.address).map;
    let paces = line.sources.pace();
    let mut snapshots = vec![first];
    snapshots.append(&mut line.queued());
    line.sources.stop().await;
    let account = truth.end();

    let verdict = judge(&snapshots, &map, &OF_FILLER, within(&account));
    assert_eq!(verdict.wrong, Vec::<String>::new(), "seed {dice:?}, {done:?}");
    let missed = |word| -> u64 {
        let of = |pace: &capline::sources::GroupPace| {
            pace.missed.iter().find(|(miss, _)| *miss == word).map_or(0, |(_, n)| *n)
        };
        paces.iter().map(of).sum()
    };
    // The faults were felt, each in its way, and read through.
    for word in ["timeout", "mismatch", "disconnected"] {
        assert!(missed(word) > 0, "{word}: {paces:?}");
    }
    let taken = snapshots.iter().filter(|snapshot| has_readings(snapshot)).count() as u64;
    assert!(taken >= n, "{taken} polls were read between {n} faults");

    let is_wrong = |shown: &&super::naive::Shown| match shown.first {
        13 => !account.had(0, 1 << 31, shown.value, shown.between_us),
        _ => !account.had(1, 1 << 16, shown.value >> 16, shown.between_us),
    };
    let misled = shown.iter().filter(is_wrong).count();
    assert!(misled > 0, "the control: a client without checks is misled by the same wire");
    say(&format!(
        "modbus wire: {n} faults, {} values in {taken} polls judged, 0 wrong; without checks {misled} of {} wrong",
        verdict.judged,
        shown.len()
    ));
}

/// Shows: ACQ-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_on_an_opc_ua_wire_makes_a_value_that_never_was() {
    let site = Site::new();
    let (plant, line_start_us) = fast_plant(site.path(), SPEED).await;
    let plant = Arc::new(plant);
    let truth = Truth::start(plant.clone(), &OF_WEIGHER);
    plant.resume();
    let (mut dice, n) = weather();
    let wire = Proxy::start(plant.opcua_addr(), Speech::OpcUa).await;
    let config = device(Speech::OpcUa, &wire.address);
    let map = config.map.clone();
    let mut line = Line::start(config);
    let mut snapshots = vec![line.until("a first reading", has_readings).await];
    let seed = dice.clone();
    let done = storm(&wire, Speech::OpcUa, &mut dice, n.div_ceil(2)).await;
    snapshots.push(line.until("a reading after the last fault", has_readings).await);
    snapshots.append(&mut line.queued());
    line.sources.stop().await;
    let account = truth.end();

    let at_source = |counter, modulus, value, _: &Snapshot, source_us: Option<i64>| {
        let plant_us = source_us.expect("the plant tells its time") - line_start_us;
        account.had_at(counter, modulus, value, plant_us)
    };
    let verdict = judge(&snapshots, &map, &OF_WEIGHER, at_source);
    assert_eq!(verdict.wrong, Vec::<String>::new(), "seed {seed:?}, {done:?}");
    assert!(snapshots.iter().any(is_missed), "the faults were felt: {done:?}");
    assert!(verdict.judged > 20, "{} values", verdict.judged);
    // The control: the judge finds values with a wrong moment.
    let stale = |counter, modulus, value, snapshot: &Snapshot, source_us: Option<i64>| {
        at_source(counter, modulus, value, snapshot, source_us.map(|us| us - 20_000_000))
    };
    let misled = judge(&snapshots, &map, &OF_WEIGHER, stale).wrong.len();
    assert!(misled > 0, "values that are said to be 20 s of the plant older are found");
    say(&format!("opc ua wire: {} faults, {} values judged, 0 wrong", done.len(), verdict.judged));
}
