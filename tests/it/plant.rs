//! The whole simulated line, five machines, as the service counts it over both protocols and as foreign clients read it.

use std::process::Command;

use capline::clock::Clock;
use domain::line::minute::Counted;
use domain::units::{Count, Reason};
use serde_json::Value;
use simulators::{Ledger, Model, NodeValue, Plant, PlantConfig, RejectClass, utc_now_us};

use crate::harness::{
    Books, PATIENCE, Site, any_port, count, counter_path, plant, repository, until,
};
use crate::peers::python;
use crate::skip::skipped;

/// Line seconds in a real second.
const SPEED: f64 = 10.0;

/// Stations of the line in the order in which capsules pass them, as in the names of the maps.
const MACHINES: [&str; 5] = ["cf01", "ps02", "md03", "cw04", "bc05"];

/// A plant that has run so long that all machines are at work, some seconds before the detector finds metal.
fn before_metal() -> PlantConfig {
    let config = PlantConfig { speed: SPEED, ..PlantConfig::default() };
    let mut model = Model::new(config.model());
    model.advance_to(600_000_000);
    let events = model.ledger().detector.events;
    while model.ledger().detector.events == events {
        model.advance_to(model.plant_us() + 1_000_000);
    }
    let start_at_us = model.plant_us() - 10_000_000;
    PlantConfig { start_at_us, line_start_us: utc_now_us() - start_at_us, ..config }
}

/// Points the site at all machines over one protocol, with another map for some of them.
fn follow(site: &Site, plant: &Plant, protocol: &str, other: Option<(&str, &str)>) {
    let address = match protocol {
        "opcua" => plant.opcua_url(),
        _ => plant.modbus_addr().to_string(),
    };
    let maps: Vec<String> = MACHINES
        .iter()
        .map(|machine| match other {
            Some((of, file)) if of == *machine => file.to_owned(),
            _ => format!("plc-maps/{machine}-{protocol}.toml"),
        })
        .collect();
    let devices: Vec<(&str, &str)> =
        maps.iter().map(|map| (map.as_str(), address.as_str())).collect();
    site.configure(any_port(), "CF01", &devices);
}

/// Every counter of the line: what the books hold, and what is true since `before`.
fn account(books: &Books, before: &Ledger, after: &Ledger) -> Vec<(&'static str, Count, u64)> {
    let since = |of: fn(&Ledger) -> u64| of(after) - of(before);
    let reject = |word: &str| Counted::Reject(Reason::new(word));
    let of_class = |class| after.rejects[&class] - before.rejects[&class];
    let book = |tag: &'static str, counted, truth| (tag, books.of(&tag[..4], &counted, tag), truth);
    use Counted::{Good, Infeed, Sample, Void};
    use RejectClass::*;
    vec![
        book("CF01.Admin.ProdProcessedCount[0].AccCount", Good, since(|l| l.made)),
        book("CF01.Admin.ProdConsumedCount[0].Count", Infeed, since(|l| l.infeed)),
        book("CF01.Rej.Unseparated", reject("unseparated"), of_class(Unseparated)),
        book("CF01.Rej.DentedTelescoped", reject("dented"), of_class(Dented)),
        book("CF01.Rej.NoDose", reject("no_dose"), of_class(NoDose)),
        book("CF01.Samples", Sample, since(|l| l.samples)),
        book("CF01.Rej.EmptyPocket", Void, since(|l| l.empty_pockets)),
        book("PS02.InCount", Infeed, since(|l| l.polisher.infeed)),
        book("PS02.GoodCount", Good, since(|l| l.polisher.good)),
        book("PS02.Rej.Empty", reject("no_dose"), since(|l| l.polisher.empty)),
        book("PS02.Rej.Halves", reject("half_or_loose"), since(|l| l.polisher.halves)),
        book("MD03.RejEvents", reject("metal"), since(|l| l.detector.dumped)),
        book("MD03.TestEvents", Void, since(|l| l.detector.test_pieces)),
        book("CW04.Statistic.TotalPackages.ItemCount", Infeed, since(|l| l.weigher.passed())),
        book("CW04.Statistic.TotalPackagesAccepted.ItemCount", Good, since(|l| l.weigher.good)),
        book("CW04.Rej.Under", reject("underweight"), since(|l| l.weigher.under)),
        book("CW04.Rej.DistanceFault", reject("unweighed"), since(|l| l.weigher.unweighed)),
        book("BC05.Admin.ProdConsumedCount[0].AccCount", Infeed, since(|l| l.counter.infeed)),
        book("BC05.GoodBottles", Good, since(|l| 60 * l.counter.good_bottles)),
        book(
            "BC05.Admin.ProdDefectiveCount[0].AccCount",
            reject("short_count"),
            since(|l| l.counter.short_capsules),
        ),
    ]
}

/// What a line that was read has made, and what was alarmed of it.
struct Ran {
    account: Vec<(&'static str, Count, u64)>,
    /// Word and tag of each alarm.
    alarms: Vec<(String, String)>,
}

impl Ran {
    /// Whether it was said that this is no counter as the map has it.
    fn is_misfit(&self, tag: &str) -> bool {
        self.alarms.iter().any(|(word, about)| word == "misfit" && about == tag)
    }
}

/// Lets the line run until its last machine has made some bottles and the metal was found, and compares.
async fn run_line(protocol: &str, other: Option<(&str, &str)>) -> Ran {
    let site = Site::new();
    let plant = plant(before_metal(), site.path()).await;
    follow(&site, &plant, protocol, other);
    let before = plant.ledger();
    let app = site.serve(Clock::accelerated(0, SPEED)).await;
    app.heard().await;
    plant.resume();
    until("thirty bottles and a piece of metal", PATIENCE, async || {
        let ledger = plant.ledger();
        let made = ledger.counter.good_bottles - before.counter.good_bottles;
        let found = ledger.detector.events - before.detector.events;
        if made >= 30 && found >= 1 { Ok(()) } else { Err(format!("{made}, {found}")) }
    })
    .await;
    // The flap has closed.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    plant.hold();
    plant.shown().await;
    // Every group of the service reads it once more, the slow ones too, however busy this machine is.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let events = app.api().get("/api/v1/lines/L1/events?kind=alarm").await.expect("events");
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let alarms = events.as_array().expect("a list").iter();
    let alarms = alarms.map(|event| (word(event, "word"), word(event, "tag"))).collect();
    app.stop().await;
    let account = account(&site.books(), &before, &plant.ledger());
    plant.stop().await;
    Ran { account, alarms }
}

fn check(ran: &Ran) {
    // The negative control of the alarm of a wrong map.
    assert!(!ran.is_misfit("PS02.InCount"), "{:?}", ran.alarms);
    let account = &ran.account;
    for (tag, counted, truth) in account {
        if *tag == "MD03.RejEvents" {
            assert!(*truth >= 10, "{truth} capsules went with the metal");
            assert!(counted.contains(*truth) && !counted.is_exact(), "{tag}: {truth}, {counted}");
        } else if tag.contains("Defective") {
            assert!(counted.contains(*truth), "{tag}: {truth}, counted {counted}");
        } else {
            assert_eq!(*counted, Count::exact(*truth), "{tag}");
        }
    }
    let moved = account.iter().filter(|(_, _, truth)| *truth > 0).count();
    assert!(moved >= 9, "only {moved} counters counted anything");
}

/// Shows: SIM-09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_machines_are_counted_to_the_capsule_over_modbus() {
    check(&run_line("modbus", None).await);
}

/// Shows: SIM-09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_machines_are_counted_to_the_capsule_over_opcua() {
    check(&run_line("opcua", None).await);
}

/// Two lines, each a plant at ports of its own, as `capline-sim run --lines 2` starts them. They make different numbers, so that one
/// that is taken for the other is found.
/// Shows: SIM-09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_lines_are_counted_apart() {
    const START_US: i64 = 600_000_000;
    let site = Site::new();
    let start = async |line: u16| {
        let config = PlantConfig { line, seed: u64::from(line), ..PlantConfig::default() };
        let line_start_us = utc_now_us() - START_US;
        let config = PlantConfig { speed: SPEED, start_at_us: START_US, line_start_us, ..config };
        plant(config, site.path()).await
    };
    let plants = [start(1).await, start(2).await];
    // The second is written as the only one first, and then put behind the first.
    let written = |plant: &Plant| {
        site.follow(plant);
        std::fs::read_to_string(site.file()).expect("it was just written")
    };
    let (second, first) = (written(&plants[1]), written(&plants[0]));
    let (_, second) = second.split_once("[[line]]").expect("a line");
    let second = second.replace("id = 'L1'", "id = 'L2'");
    std::fs::write(site.file(), format!("{first}[[line]]{second}")).expect("a file");
    let before = plants.each_ref().map(Plant::ledger);
    let app = site.serve(Clock::accelerated(0, SPEED)).await;
    app.heard().await;
    for (plant, n) in plants.iter().zip([1_500, 3_000]) {
        plant.resume();
        let made = || plant.ledger().made;
        let goal = made() + n;
        until(&format!("{n} capsules"), PATIENCE, async || match made() {
            made if made >= goal => Ok(()),
            made => Err(made.to_string()),
        })
        .await;
        plant.hold();
        plant.shown().await;
    }
    let after = plants.each_ref().map(Plant::ledger);
    const GOOD: &str = "CF01.Admin.ProdProcessedCount[0].AccCount";
    const PASSED: &str = "CW04.Statistic.TotalPackages.ItemCount";
    let truths = |ledger: &Ledger| [ledger.made, ledger.weigher.passed()];
    for (i, tag) in [GOOD, PASSED].into_iter().enumerate() {
        let made = [0, 1].map(|n| truths(&after[n])[i] - truths(&before[n])[i]);
        assert_ne!(made[0], made[1], "{tag}: one could be taken for the other");
        for (line, made) in ["L1", "L2"].into_iter().zip(made) {
            let path = counter_path(line, tag);
            until(&format!("{made} of {tag} of {line}"), PATIENCE, async || {
                match count(&app.api().get(&path).await?["total"])? {
                    total if total == Count::exact(made) => Ok(()),
                    total => Err(total.to_string()),
                }
            })
            .await;
        }
    }
    app.stop().await;
    for plant in plants {
        plant.stop().await;
    }
}

/// The comparison finds a map that is wrong, and so does the service: the words of the polisher in the order of the other
/// machines.
/// Shows: SIM-09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_word_order_is_no_equal_account() {
    let file = repository("plc-maps/ps02-modbus.toml");
    let map = std::fs::read_to_string(file).expect("a shipped map");
    assert!(map.contains("order = \"CDAB\""));
    let folder = tempfile::tempdir().expect("there is room for a test");
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, map.replace("order = \"CDAB\"", "order = \"ABCD\"")).expect("a file");
    let wrong = wrong.display().to_string();
    let ran = run_line("modbus", Some(("ps02", &wrong))).await;
    let (_, counted, truth) =
        ran.account.iter().find(|(tag, ..)| *tag == "PS02.InCount").expect("the infeed");
    assert_ne!(*counted, Count::exact(*truth));
    // The polisher has no odometer to contradict it: its values jump as those of no counter.
    assert!(ran.is_misfit("PS02.InCount"), "{:?}", ran.alarms);
}

/// What has run for some hours, with two fillers.
fn hours_later() -> PlantConfig {
    PlantConfig { start_at_us: 3 * 3_600_000_000, fillers: 2, ..PlantConfig::default() }
}

/// Such a plant, held, and the directory it needs.
async fn held() -> (Plant, Site) {
    let site = Site::new();
    let plant = plant(hours_later(), site.path()).await;
    plant.shown().await;
    (plant, site)
}

/// What a client that is not ours must read: name, and value in the ledger.
fn truths(ledger: &Ledger) -> Vec<(&'static str, u64)> {
    vec![
        ("CF01.StrokeTotal", ledger.strokes),
        ("CF01.Admin.ProdProcessedCount[0].AccCount", ledger.made),
        ("CF02.StrokeTotal", ledger.beside[0].strokes),
        ("PS02.InCount", ledger.polisher.infeed),
        ("PS02.GoodCount", ledger.polisher.good),
        ("PS02.Rej.Halves", ledger.polisher.halves),
        ("MD03.RejEvents", ledger.detector.events),
        ("MD03.TestEvents", ledger.detector.test_pieces),
        ("CW04.Statistic.TotalPackages.ItemCount", ledger.weigher.passed()),
        ("CW04.MasterTotal", ledger.weigher.passed()),
        ("BC05.Admin.ProdConsumedCount[0].AccCount", ledger.counter.infeed),
        ("BC05.GoodBottles", ledger.counter.good_bottles),
    ]
}

/// Shows: SIM-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pymodbus_and_asyncua_read_the_ledger() {
    let Some(python) = python() else {
        skipped("foreign clients", "no target/peers/bin/python; tests/run.sh installs it");
        return;
    };
    let (plant, _site) = held().await;
    let (host, port) =
        (plant.modbus_addr().ip().to_string(), plant.modbus_addr().port().to_string());
    let url = plant.opcua_url();
    let read = tokio::task::spawn_blocking(move || {
        let script = repository("tests/peers/plant_reader.py");
        Command::new(python).arg(script).args([host, port, url]).output().expect("it runs")
    });
    let output = read.await.expect("it ends");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    let read: Value = serde_json::from_slice(&output.stdout).expect("one JSON");
    let ledger = plant.ledger();
    for (tag, truth) in truths(&ledger) {
        assert_eq!(read["modbus"][tag].as_u64(), Some(truth), "pymodbus, {tag}");
        assert_eq!(read["opcua"][tag].as_u64(), Some(truth), "asyncua, {tag}");
    }
    // What is no count: a number of 32 bits with a point, text, and a number of 64 bits.
    const OTHERS: [&str; 3] = ["CW04.Mean", "CF01.BatchId", "CF01.PlcClock"];
    let mut compared = Vec::new();
    // All nodes that the model has, and no other value in any of them.
    let config = hours_later();
    let mut model = Model::new(config.model());
    model.advance_to(config.start_at_us);
    let nodes = model.nodes();
    assert_eq!(read["opcua"].as_object().map(|nodes| nodes.len()), Some(nodes.len()));
    for (tag, value) in nodes {
        let is_other = OTHERS.contains(&&*tag);
        for client in ["opcua", "modbus"].into_iter().take(1 + usize::from(is_other)) {
            let shown = &read[client][&*tag];
            match &value {
                NodeValue::F32(x) => {
                    assert_eq!(shown.as_f64().map(|x| x as f32), Some(*x), "{client}, {tag}");
                }
                other => {
                    let value = serde_json::to_value(other).expect("a value is JSON");
                    assert_eq!(*shown, value, "{client}, {tag}");
                }
            }
        }
        compared.extend(is_other.then(|| tag.to_string()));
    }
    compared.sort();
    assert_eq!(compared, ["CF01.BatchId", "CF01.PlcClock", "CW04.Mean"]);
    plant.stop().await;
}

/// Shows: SIM-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mbpoll_reads_the_ledger() {
    if Command::new("mbpoll").arg("-V").output().is_err() {
        skipped("mbpoll", "no mbpoll; tests/run.sh installs it");
        return;
    }
    let (plant, _site) = held().await;
    let ledger = plant.ledger();
    let (host, port) =
        (plant.modbus_addr().ip().to_string(), plant.modbus_addr().port().to_string());
    // Unit, table and kind as mbpoll writes them, first register, whether the most significant word comes first.
    for (unit, kind, first, msw_first, truth) in [
        ("1", "4:int", "7", true, ledger.strokes),
        ("1", "4:int", "13", true, ledger.made),
        ("2", "4:int", "102", false, ledger.polisher.infeed),
        ("2", "4", "107", false, ledger.polisher.halves),
        ("3", "3", "3", false, ledger.detector.test_pieces),
        ("4", "4:int", "202", true, ledger.weigher.passed()),
        ("5", "4:int", "314", true, ledger.counter.good_bottles),
        ("12", "4:int", "7", true, ledger.beside[0].strokes),
    ] {
        let mut command = Command::new("mbpoll");
        command.args(["-m", "tcp", "-0", "-1", "-q", "-a", unit, "-t", kind, "-r", first]);
        command.args(["-c", "1", "-p", &port]).args(msw_first.then_some("-B")).arg(&host);
        let read = tokio::task::spawn_blocking(move || command.output().expect("it runs"));
        let output = read.await.expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = text.lines().find_map(|line| {
            let (place, value) = line.strip_prefix('[')?.split_once("]:")?;
            let value = value.split_whitespace().next()?.parse::<u64>().ok()?;
            (place == first).then_some(value)
        });
        assert_eq!(value, Some(truth), "unit {unit}, register {first}: {text}");
    }
    plant.stop().await;
}
