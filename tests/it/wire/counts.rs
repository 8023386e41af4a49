//! What a wire does to what passes costs no capsule: the whole service reads a line over two wires that fail.

use capline::clock::Clock;
use domain::units::Count;
use simulators::{PlantConfig, utc_now_us};

use super::fault::{Dice, storm};
use super::proxy::Proxy;
use super::record::Speech;
use super::setting;
use crate::harness::{FILLER, Site, WEIGHER, any_port, plant};
use crate::law::{account, run_until_weighed};
use crate::skip::say;

/// Line seconds in a real second.
const SPEED: f64 = 10.0;

/// Counters whose truth is not in what was counted.
fn untrue(account: &[(&'static str, Count, u64)]) -> Vec<String> {
    let wrong = account.iter().filter(|(_, counted, truth)| !counted.contains(*truth));
    wrong.map(|(what, counted, truth)| format!("{what}: {truth} is not in {counted}")).collect()
}

/// Shows: CNT-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_on_a_wire_loses_or_invents_a_capsule() {
    let site = Site::new();
    let config =
        PlantConfig { speed: SPEED, line_start_us: utc_now_us(), ..PlantConfig::default() };
    let plant = plant(config, site.path()).await;
    let filler = Proxy::start(plant.modbus_addr(), Speech::ModbusTcp).await;
    let weigher = Proxy::start(plant.opcua_addr(), Speech::OpcUa).await;
    let url = format!("opc.tcp://{}/", weigher.address);
    site.configure(any_port(), "CF01", &[(FILLER, &filler.address), (WEIGHER, &url)]);
    let app = site.serve(Clock::accelerated(0, SPEED)).await;
    app.heard().await;
    plant.resume();
    run_until_weighed(&plant, 300).await;
    let (seed, n) = (setting("CAPLINE_WIRE_SEED", 20_261_201), setting("CAPLINE_WIRE_FAULTS", 26));
    let (mut of_filler, mut of_weigher) = (Dice(seed), Dice(seed + 1));
    let (on_filler, on_weigher) = tokio::join!(
        storm(&filler, Speech::ModbusTcp, &mut of_filler, n),
        storm(&weigher, Speech::OpcUa, &mut of_weigher, n.div_ceil(2)),
    );
    let before = plant.ledger();
    run_until_weighed(&plant, before.weigher.good + 500).await;
    plant.hold();
    plant.shown().await;
    for station in ["CF01", "CW04"] {
        app.api().heard(station).await;
    }
    app.stop().await;
    let books = site.books();
    let counted = account(&books, &plant.ledger());
    assert_eq!(untrue(&counted), [""; 0], "seed {seed}, {on_filler:?}, {on_weigher:?}");
    // The control: what was true a moment before is in the count no more.
    assert!(!untrue(&account(&books, &before)).is_empty(), "{counted:?}");
    let doubt: u64 = counted.iter().map(|(_, counted, _)| counted.width()).sum();
    let n = on_filler.len() + on_weigher.len();
    say(&format!("whole line: {n} faults on its wires, every counter true, {doubt} in doubt"));
    plant.stop().await;
}
