//! The law of all scenarios: the truth lies inside what the service counted, and equals it where nothing was hidden.

use std::time::Duration;

use capline::clock::Clock;
use domain::line::minute::Counted;
use domain::units::{Count, Reason};
use simulators::{Event, FaultSet, Ledger, Plant, PlantConfig, RejectClass, utc_now_us};

use crate::harness::{App, Books, FILLER, PATIENCE, Site, any_port, plant, repository, until};

/// Line seconds in a real second.
const SPEED: f64 = 10.0;

/// A plant from its first capsule, and the service that watches it.
async fn watched(site: &Site) -> (Plant, App) {
    watched_by(site, Clock::accelerated(0, SPEED)).await
}

/// The same with a clock that goes on beyond this service.
async fn watched_by(site: &Site, clock: Clock) -> (Plant, App) {
    let now_us = utc_now_us();
    let config = PlantConfig { speed: SPEED, line_start_us: now_us, ..PlantConfig::default() };
    let plant = plant(config, site.path()).await;
    site.follow(&plant);
    let app = site.serve(clock).await;
    app.heard().await;
    plant.resume();
    (plant, app)
}

/// Waits until the weigher has passed that many capsules: the filler's are half a minute older.
pub(crate) async fn run_until_weighed(plant: &Plant, n: u64) {
    until(&format!("{n} weighed capsules"), PATIENCE, async || {
        let ledger = plant.ledger();
        if ledger.weigher.good >= n { Ok(()) } else { Err(format!("{ledger:?}")) }
    })
    .await;
}

/// Every counter of the filler: what the books hold and what is true.
pub(crate) fn filler(books: &Books, ledger: &Ledger) -> Vec<(&'static str, Count, u64)> {
    let reject = |class| ledger.rejects.get(&class).copied().unwrap_or(0);
    let cf01 = |what, counted, tag, truth| (what, books.of("CF01", &counted, tag), truth);
    use RejectClass::*;
    vec![
        cf01("made", Counted::Good, "CF01.Admin.ProdProcessedCount[0].AccCount", ledger.made),
        cf01("infeed", Counted::Infeed, "CF01.Admin.ProdConsumedCount[0].Count", ledger.infeed),
        cf01("unseparated", reason("unseparated"), "CF01.Rej.Unseparated", reject(Unseparated)),
        cf01("dented", reason("dented"), "CF01.Rej.DentedTelescoped", reject(Dented)),
        cf01("startup", reason("startup_discard"), "CF01.Rej.Startup", reject(Startup)),
        cf01("no dose", reason("no_dose"), "CF01.Rej.NoDose", reject(NoDose)),
        cf01("double cap", reason("double_cap"), "CF01.Rej.DoubleCap", reject(DoubleCap)),
        cf01("samples", Counted::Sample, "CF01.Samples", ledger.samples),
        cf01("voids", Counted::Void, "CF01.Rej.EmptyPocket", ledger.empty_pockets),
    ]
}

/// Every counter of the weigher.
fn weigher(books: &Books, ledger: &Ledger) -> Vec<(&'static str, Count, u64)> {
    let weigher = &ledger.weigher;
    let accepted = "CW04.Statistic.TotalPackagesAccepted.ItemCount";
    let cw04 = |what, counted, tag, truth| (what, books.of("CW04", &counted, tag), truth);
    vec![
        cw04("weighed good", Counted::Good, accepted, weigher.good),
        cw04("under", reason("underweight"), "CW04.Rej.Under", weigher.under),
        cw04("over", reason("overweight"), "CW04.Rej.Over", weigher.over),
        cw04("unweighed", reason("unweighed"), "CW04.Rej.DistanceFault", weigher.unweighed),
    ]
}

fn reason(word: &str) -> Counted {
    Counted::Reject(Reason::new(word))
}

/// Every counter of the plant.
pub(crate) fn account(books: &Books, ledger: &Ledger) -> Vec<(&'static str, Count, u64)> {
    filler(books, ledger).into_iter().chain(weigher(books, ledger)).collect()
}

/// Shows: CNT-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_every_counter_equals_the_ledger() {
    let site = Site::new();
    let (plant, app) = watched(&site).await;
    run_until_weighed(&plant, 2_000).await;
    plant.hold();
    plant.shown().await;
    let summary = app.stop().await;
    let ledger = plant.ledger();
    assert_eq!(summary.counted, Count::exact(ledger.made), "{summary:?}");
    let books = site.books();
    assert_eq!(books.total, summary.counted, "the journal holds what the service said");
    for (what, counted, truth) in account(&books, &plant.ledger()) {
        assert_eq!(counted, Count::exact(truth), "{what}");
    }
    plant.stop().await;
}

/// Shows: CNT-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_faults_the_truth_lies_inside_the_count() {
    let site = Site::new();
    let (plant, app) = watched(&site).await;
    run_until_weighed(&plant, 300).await;
    plant.faults().change(|set| set.modbus.torn = 3);
    plant.faults().trigger(Event::DropConnections);
    plant.faults().trigger(Event::DropSessions);
    run_until_weighed(&plant, 800).await;
    plant.faults().change(|set| (set.modbus.mute, set.opcua.bad_status) = (true, true));
    // Three seconds of real time: longer than any count may be smeared over.
    let before = plant.ledger().made;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let hidden = plant.ledger().made - before;
    plant.faults().set(FaultSet::default());
    run_until_weighed(&plant, 6_000).await;
    plant.hold();
    plant.shown().await;
    let summary = app.stop().await;
    let made = plant.ledger().made;
    assert!(summary.counted.contains(made), "{made} made, counted {}", summary.counted);
    assert!(summary.missed_polls > 0, "the faults were felt: {summary:?}");
    let books = site.books();
    for (what, counted, truth) in account(&books, &plant.ledger()) {
        assert!(counted.contains(truth), "{what}: {truth} is not in {counted}");
    }
    let gaps = books.gaps("CF01.Admin.ProdProcessedCount[0].AccCount");
    let gap: Count = gaps.iter().copied().sum();
    assert_eq!(gaps.len(), 1, "one silence, one gap: {gaps:?}");
    assert!(gap.high() >= hidden, "the {hidden} capsules made unseen are in it: {gap}");
    plant.stop().await;
}

/// Cuts the filler off, and lets the plant make some hundred capsules that nobody reads.
async fn cut_off(plant: &Plant) {
    plant.faults().change(|set| set.modbus.refuse_connections = true);
    plant.faults().trigger(Event::DropConnections);
    let before = plant.ledger().made;
    until("capsules made unread", PATIENCE, async || match plant.ledger().made - before {
        unread if unread >= 500 => Ok(()),
        unread => Err(unread.to_string()),
    })
    .await;
    plant.hold();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_waits_for_a_device_that_is_away_for_a_moment() {
    let site = Site::new();
    let (plant, app) = watched(&site).await;
    run_until_weighed(&plant, 300).await;
    cut_off(&plant).await;
    let (summary, ()) = tokio::join!(app.stop(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        plant.faults().set(FaultSet::default());
    });
    let made = plant.ledger().made;
    assert!(summary.counted.contains(made), "{made} made, {summary:?}");
    assert_eq!(summary.unseen, Count::ZERO, "{summary:?}");
    plant.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_in_an_outage_says_what_may_be_missing_and_the_next_start_counts_it() {
    let (site, clock) = (Site::new(), Clock::accelerated(0, SPEED));
    let (plant, app) = watched_by(&site, clock).await;
    run_until_weighed(&plant, 300).await;
    cut_off(&plant).await;
    let summary = app.stop().await;
    let made = plant.ledger().made;
    // The control: without what may be missing the truth is not in the count.
    assert!(!summary.counted.contains(made), "{made} made, {summary:?}");
    assert!((summary.counted + summary.unseen).contains(made), "{made} made, {summary:?}");
    let books = site.books();
    assert_eq!(books.total, summary.counted, "the journal holds what was read");
    plant.faults().set(FaultSet::default());
    let app = site.serve(clock).await;
    app.heard().await;
    let summary = app.stop().await;
    assert!(summary.counted.contains(made), "{made} made, {summary:?}");
    assert_eq!(summary.unseen, Count::ZERO, "{summary:?}");
    plant.stop().await;
}

/// The negative control: a map that takes the infeed for the output is found out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_with_the_wrong_register_breaks_the_law() {
    let site = Site::new();
    let text = std::fs::read_to_string(repository(FILLER)).expect("the map is there");
    let wrong = text.replace("register = \"holding 13\"", "register = \"holding 9\"");
    assert_ne!(wrong, text);
    let map = site.path().join("wrong.toml");
    std::fs::write(&map, wrong).expect("a test can write a map");
    let config = PlantConfig { speed: SPEED, ..PlantConfig::default() };
    let plant = plant(config, site.path()).await;
    let filler = plant.modbus_addr().to_string();
    site.configure(any_port(), "CF01", &[(&map.display().to_string(), &filler)]);
    let app = site.serve(Clock::accelerated(0, SPEED)).await;
    app.heard().await;
    plant.resume();
    run_until_weighed(&plant, 100).await;
    plant.hold();
    let counted = app.stop().await.counted;
    let ledger = plant.ledger();
    assert_eq!(counted, Count::exact(ledger.infeed), "what was asked for is what was counted");
    assert!(!counted.contains(ledger.made), "{} made, counted {counted}", ledger.made);
    plant.stop().await;
}
