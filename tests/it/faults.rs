//! What goes wrong at the start and at the end: a PLC that is not there, a port in use, a directory that cannot be
//! written, and the signals that end a service.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use capline::clock::Clock;
use domain::line::minute::Counted;
use domain::units::Count;
use rustix::process::Signal;
use serde_json::Value;
use simulators::{Plant, PlantConfig, utc_now_us};
use tokio::net::TcpSocket;

use crate::harness::{App, FILLER, PATIENCE, Site, WEIGHER, any_port, plant, station_of, until};
use crate::process::Process;

/// An address that refuses every connection: it is taken, and nobody listens.
fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(any_port()).expect("a free port");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

/// A plant whose machines both have capsules.
async fn running_plant(site: &Site) -> Plant {
    let start_at_us = 120_000_000;
    let line_start_us = utc_now_us() - start_at_us;
    plant(PlantConfig { line_start_us, start_at_us, ..PlantConfig::default() }, site.path()).await
}

/// Waits until a station is shown as not reachable, and what the screen says of it.
async fn lost(app: &App, station: &str) -> Value {
    until(&format!("{station} shown as lost"), PATIENCE, async || {
        let view = app.api().snapshot().await?;
        let shown = station_of(&view, station)?.clone();
        let named = view["faults"].as_array().is_some_and(|faults| {
            faults.iter().any(|fault| fault["kind"] == "plc_offline" && fault["station"] == station)
        });
        match shown["reason"].as_str() {
            Some(reason) if named && !reason.is_empty() => Ok(shown),
            _ => Err(view["faults"].to_string()),
        }
    })
    .await
}

/// Shows: ACQ-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_weigher_does_not_stop_the_filler() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let (_taken, closed) = nobody();
    let (filler, weigher) = (plant.modbus_addr().to_string(), format!("opc.tcp://{closed}"));
    site.configure(any_port(), "CF01", &[(FILLER, &filler), (WEIGHER, &weigher)]);
    let app = site.serve(Clock::real()).await;
    app.api().heard("CF01").await;
    let before = plant.ledger().made;
    plant.resume();
    let shown = lost(&app, "CW04").await;
    assert_eq!((&shown["up"], &shown["state"]["word"]), (&Value::from(false), &"unknown".into()));
    app.api().counts_beyond(100).await;
    plant.hold();
    let counted = app.stop().await.counted;
    assert_eq!(counted, Count::exact(plant.ledger().made - before));
    plant.stop().await;
}

/// Shows: SCR-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_filler_makes_the_line_unknown_and_the_weigher_counts() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let (_taken, closed) = nobody();
    let devices = [(FILLER, closed.to_string()), (WEIGHER, plant.opcua_url())];
    let devices = devices.each_ref().map(|(map, address)| (*map, address.as_str()));
    site.configure(any_port(), "CF01", &devices);
    let app = site.serve(Clock::real()).await;
    app.api().heard("CW04").await;
    let before = plant.ledger().weigher.good;
    plant.resume();
    lost(&app, "CF01").await;
    let view = app.api().snapshot().await.expect("a snapshot");
    assert_eq!(view["state"]["word"], "unknown", "{view}");
    until("capsules of the weigher", PATIENCE, async || {
        let weighed = plant.ledger().weigher.good - before;
        if weighed > 100 { Ok(()) } else { Err(weighed.to_string()) }
    })
    .await;
    plant.hold();
    plant.shown().await;
    assert_eq!(app.stop().await.counted, Count::ZERO, "nothing is known of the filler's output");
    let tag = "CW04.Statistic.TotalPackagesAccepted.ItemCount";
    let weighed = site.books().of("CW04", &Counted::Good, tag);
    assert_eq!(weighed, Count::exact(plant.ledger().weigher.good - before));
    plant.stop().await;
}

/// Runs the binary to its end: its exit must be a failure, and all it says one sentence with these words.
async fn fails_with_one_sentence(args: &[&str], words: &[&str]) {
    let mut process = Process::capline(args);
    let status = process.exit(PATIENCE).await;
    let said = process.stderr();
    assert_eq!(status.code(), Some(1), "{args:?}: {said:#?}");
    assert_eq!(said.len(), 1, "{args:?} says one sentence: {said:#?}");
    for word in words.iter().chain(&["capline: "]) {
        assert!(said[0].contains(word), "{args:?} says {word}: {}", said[0]);
    }
    assert!(!said[0].contains("panicked"), "{}", said[0]);
    assert!(process.stdout().is_empty(), "{:#?}", process.stdout());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_cannot_be_is_refused_in_one_sentence() {
    let taken = TcpListener::bind(any_port()).expect("a free port");
    let address = taken.local_addr().expect("an address");
    let port = address.port().to_string();
    let site = Site::new();
    let nowhere = site.path().join("nowhere.toml").display().to_string();
    let config = site.file().display().to_string();

    fails_with_one_sentence(&["run", "--config", &nowhere], &["nowhere.toml", "cannot be read"])
        .await;
    fails_with_one_sentence(&["demo", "--port", &port], &[&address.to_string(), "another port"])
        .await;

    let (_closed, filler) = nobody();
    site.configure(address, "CF01", &[(FILLER, &filler.to_string())]);
    fails_with_one_sentence(
        &["run", "--config", &config],
        &[&address.to_string(), "another program uses it", "another port"],
    )
    .await;

    // A file where the directory should be.
    let site = Site::new();
    site.configure(any_port(), "CF01", &[(FILLER, &filler.to_string())]);
    std::fs::write(site.data(), "in the way").expect("a test can write a file");
    let (config, data) = (site.file().display().to_string(), site.data().display().to_string());
    fails_with_one_sentence(&["run", "--config", &config], &[&data]).await;
    fails_with_one_sentence(&["demo", "--port", "0", "--data", &data], &[&data]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_in_use_is_refused_in_one_sentence() {
    let site = Site::new();
    let (_closed, filler) = nobody();
    site.configure(any_port(), "CF01", &[(FILLER, &filler.to_string())]);
    let mut first = Process::run(&site.file());
    first.api().await;
    let (config, data) = (site.file().display().to_string(), site.data().display().to_string());
    fails_with_one_sentence(&["run", "--config", &config], &[&data]).await;
    first.signal(Signal::TERM);
    assert!(first.exit(PATIENCE).await.success());
}

/// Ends a service by a signal right after the last capsule, and goes on.
async fn saves_everything_at(signal: Signal) {
    let site = Site::new();
    let plant = running_plant(&site).await;
    site.follow(&plant);
    let before = plant.ledger().made;
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    api.heard("CF01").await;
    api.heard("CW04").await;
    plant.resume();
    api.counts_beyond(100).await;
    plant.hold();
    service.signal(signal);
    let status = service.exit(PATIENCE).await;
    assert_eq!(status.code(), Some(0), "{:#?}", service.stderr());
    let made = plant.ledger().made - before;
    assert_eq!(site.books().total, Count::exact(made), "the last capsule is in the journal");

    let mut service = Process::run(&site.file());
    let api = service.api().await;
    plant.resume();
    api.counts_beyond(made + 100).await;
    plant.hold();
    api.counts(plant.ledger().made - before).await;
    service.signal(signal);
    assert_eq!(service.exit(Duration::from_secs(10)).await.code(), Some(0));
    plant.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_saves_everything() {
    saves_everything_at(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_saves_everything() {
    saves_everything_at(Signal::INT).await;
}
