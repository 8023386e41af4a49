//! What a wire does to what passes costs no capsule: the whole service reads a line over two wires that fail.

use capline::clock::Clock;
use domain::units::Count;
use simulators::{Plant, PlantConfig, utc_now_us};

use super::fault::{Dice, storm};
use super::proxy::Proxy;
use super::record::Speech;
use super::setting;
use crate::harness::{App, Books, FILLER, PATIENCE, Site, WEIGHER, any_port, plant, until};
use crate::law;
use crate::skip::say;

/// Line seconds in a real second.
const SPEED: f64 = 10.0;

/// A line from its first capsule whose filler and weigher are read over wires of the test.
struct Wired {
    site: Site,
    plant: Plant,
    app: App,
    filler: Proxy,
    weigher: Proxy,
}

impl Wired {
    async fn start() -> Wired {
        let site = Site::new();
        let line_start_us = utc_now_us();
        let config = PlantConfig { speed: SPEED, line_start_us, ..PlantConfig::default() };
        let plant = plant(config, site.path()).await;
        let filler = Proxy::start(plant.modbus_addr(), Speech::ModbusTcp).await;
        let weigher = Proxy::start(plant.opcua_addr(), Speech::OpcUa).await;
        let url = format!("opc.tcp://{}/", weigher.address);
        site.configure(any_port(), "CF01", &[(FILLER, &filler.address), (WEIGHER, &url)]);
        let app = site.serve(Clock::accelerated(0, SPEED)).await;
        app.heard().await;
        plant.resume();
        let line = Wired { site, plant, app, filler, weigher };
        line.weigh(300).await;
        line
    }

    /// Waits until so many capsules more were weighed.
    async fn weigh(&self, n: u64) {
        let goal = self.plant.ledger().weigher.good + n;
        until(&format!("{n} weighed capsules"), PATIENCE, async || {
            let good = self.plant.ledger().weigher.good;
            if good >= goal { Ok(()) } else { Err(format!("{good} of {goal}")) }
        })
        .await;
    }

    /// Holds the plant, lets both machines be read once more, and ends. The journal, and the plant as it stands.
    async fn end(self) -> (Books, Plant) {
        self.plant.hold();
        self.plant.shown().await;
        for station in ["CF01", "CW04"] {
            self.app.api().heard(station).await;
        }
        self.app.stop().await;
        (self.site.books(), self.plant)
    }
}

/// Counters whose truth is not in what was counted.
fn untrue(account: &[(&'static str, Count, u64)]) -> Vec<String> {
    let wrong = account.iter().filter(|(_, counted, truth)| !counted.contains(*truth));
    wrong.map(|(what, counted, truth)| format!("{what}: {truth} is not in {counted}")).collect()
}

/// Shows: CNT-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_on_a_wire_loses_or_invents_a_capsule() {
    let line = Wired::start().await;
    let (seed, n) = (setting("CAPLINE_WIRE_SEED", 20_261_201), setting("CAPLINE_WIRE_FAULTS", 26));
    let (mut of_filler, mut of_weigher) = (Dice(seed), Dice(seed + 1));
    let (on_filler, on_weigher) = tokio::join!(
        storm(&line.filler, Speech::ModbusTcp, &mut of_filler, n),
        storm(&line.weigher, Speech::OpcUa, &mut of_weigher, n.div_ceil(2)),
    );
    let before = line.plant.ledger();
    line.weigh(500).await;
    let (books, plant) = line.end().await;
    let account = law::account(&books, &plant.ledger());
    assert_eq!(untrue(&account), [""; 0], "seed {seed}, {on_filler:?}, {on_weigher:?}");
    // The control: what was true a moment before is in the count no more.
    assert!(!untrue(&law::account(&books, &before)).is_empty(), "{account:?}");
    let doubt: u64 = account.iter().map(|(_, counted, _)| counted.width()).sum();
    let n = on_filler.len() + on_weigher.len();
    say(&format!("whole line: {n} faults on its wires, every counter true, {doubt} in doubt"));
    plant.stop().await;
}
