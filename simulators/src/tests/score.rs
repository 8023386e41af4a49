//! The score finds what is wrong with a report, and nothing in a right one.

use std::{sync::Arc, time::Duration};

use hyper::Method;
use tokio::time::timeout;

use super::{HOUR_US, MINUTE_US};
use crate::{
    CHANGEOVER, CLEANING, Fault, INFEED, Injection, Ledger, Model, ModelConfig, Naive, OUTPUT,
    Output, Plant, PlantConfig, Preset, Report, Reporter, Said, SaidCounter, SaidSignal, SaidStop,
    Score, Server, State, Truth, tags, utc_now_us,
};

const ZERO_US: i64 = 1_793_577_600_000_000;
const SECOND_US: i64 = 1_000_000;

/// Two hours of a plant that stops, with a burst in the second.
fn truth() -> (Ledger, Vec<Injection>) {
    let config = ModelConfig { preset: Preset::Good, seed: 3, ..ModelConfig::default() };
    let mut model = Model::new(config);
    let burst = Injection::new(Fault::EmptyCapsuleBurst, HOUR_US, Some(10 * MINUTE_US), None);
    let burst = burst.unwrap();
    model.inject(burst);
    model.advance_to(2 * HOUR_US);
    (model.ledger(), vec![burst])
}

/// What one says who knows everything.
fn right(ledger: &Ledger, injected: &[Injection]) -> Report {
    let none = Truth::new(ledger.clone(), injected.to_vec(), ZERO_US).score(&Report::default());
    let counters = none.counts.iter().map(|count| {
        let total = Said::exactly(count.truth);
        (count.tag.clone(), SaidCounter { total, causes: Vec::new() })
    });
    let stops = ledger.stops.iter().map(|stop| SaidStop {
        from_us: ZERO_US + stop.from_us,
        to_us: stop.to_us.map(|us| ZERO_US + us),
        cause: if [CLEANING, CHANGEOVER].contains(&stop.code) { "planned" } else { "internal" }
            .into(),
        reason: Some(i64::from(stop.code)),
        key: (stop.state != State::Waiting && stop.code < CLEANING).then(|| "CF01".to_owned()),
    });
    let signals = injected.iter().map(|one| SaidSignal {
        at_us: ZERO_US + one.from_us + 15 * MINUTE_US,
        word: "chart".to_owned(),
        about: "rejects.CF01".to_owned(),
    });
    Report { counters: counters.collect(), stops: stops.collect(), signals: signals.collect() }
}

fn score(change: impl FnOnce(&mut Report)) -> Score {
    let (ledger, injected) = truth();
    let mut report = right(&ledger, &injected);
    change(&mut report);
    Truth::new(ledger, injected, ZERO_US).score(&report)
}

/// Shows: SIM-14
#[test]
fn a_right_report_is_right_in_everything() {
    let score = score(|_| {});
    let summary = score.summary();
    assert!(summary.stops > 8, "{score}");
    assert_eq!((summary.counts, summary.counts_in, summary.width), (21, 21, 0));
    assert_eq!((summary.stops_found, summary.stops_false, summary.off_us), (summary.stops, 0, 0));
    assert_eq!((summary.reasons, summary.keys), (summary.stops, summary.stops));
    assert_eq!((summary.signals, summary.signals_true, summary.signals_false), (1, 1, 0));
    assert_eq!(score.signals[0].delay_us, Some(15 * MINUTE_US));
}

/// Shows: SIM-14
#[test]
fn what_is_wrong_is_found() {
    let off_by_one = score(|report| {
        let made = report.counters.get_mut(OUTPUT).unwrap();
        made.total = Said::exactly(made.total.best + 1);
    });
    assert_eq!(off_by_one.outside().count(), 1);
    assert!(off_by_one.to_string().contains("**outside**"), "{off_by_one}");
    let in_doubt = score(|report| {
        let made = report.counters.get_mut(OUTPUT).unwrap();
        (made.total.low, made.total.high) = (made.total.best - 50, made.total.best + 50);
    });
    assert_eq!((in_doubt.outside().count(), in_doubt.summary().width), (0, 100));
    let untold = score(|report| assert!(report.counters.remove(INFEED).is_some()));
    assert_eq!((untold.outside().count(), untold.summary().counts), (0, 20));

    let missed = score(|report| drop(report.stops.remove(2)));
    assert_eq!(missed.missed_stops().count(), 1, "{missed}");
    let unknown = score(|report| report.stops[2].cause = "unknown".to_owned());
    assert_eq!(unknown.missed_stops().count(), 1, "to know nothing is not to find it: {unknown}");
    let late = score(|report| report.stops[2].from_us += SECOND_US);
    assert_eq!((late.summary().off_us, late.missed_stops().count()), (SECOND_US, 0));
    let none = score(|report| {
        let (from_us, to_us) = (ZERO_US + 3 * HOUR_US, Some(ZERO_US + 3 * HOUR_US + 3 * SECOND_US));
        let stop = SaidStop { from_us, to_us, ..report.stops[0].clone() };
        report.stops.push(stop);
    });
    assert_eq!(none.false_stops.len(), 1);
    let start = score(|report| {
        let (from_us, to_us) = (ZERO_US, Some(ZERO_US + 10 * SECOND_US));
        report.stops.push(SaidStop { from_us, to_us, ..report.stops[0].clone() });
    });
    assert_eq!(start.false_stops.len(), 0, "the plant starts at its time 0: {start}");
    let blamed = score(|report| {
        report.stops.iter_mut().for_each(|stop| stop.key = Some("CF01".to_owned()));
        report.stops[1].reason = None;
    });
    assert_eq!(blamed.summary().reasons, blamed.summary().stops - 1);
    assert!(blamed.summary().keys < blamed.summary().stops, "{blamed}");

    let silent = score(|report| report.signals.clear());
    assert_eq!((silent.summary().signals_true, silent.signals[0].delay_us), (0, None));
    let crying = score(|report| report.signals[0].at_us = ZERO_US + MINUTE_US);
    assert_eq!((crying.summary().signals_true, crying.summary().signals_false), (0, 1));
}

#[test]
fn a_truth_since_an_earlier_ledger_is_what_was_made_since_then() {
    let mut model = Model::new(ModelConfig::default());
    model.advance_to(MINUTE_US);
    let base = model.ledger();
    model.advance_to(3 * MINUTE_US);
    let now = model.ledger();
    let truth = Truth::new(now.clone(), Vec::new(), ZERO_US);
    let score = truth.clone().since(base.clone()).unwrap().score(&Report::default());
    let made = score.counts.iter().find(|count| count.tag == OUTPUT).unwrap().truth;
    assert_eq!(made, now.made - base.made);
    // Started anew, it has run for less time, or has made less in the same.
    let anew = Truth::new(base, Vec::new(), ZERO_US).since(now.clone()).unwrap_err();
    let said = "the plant was started anew meanwhile: it had run 180 s, and has run 60 s now; score it again";
    assert_eq!(anew.to_string(), said);
    let more = Ledger { made: now.made + 1, ..now };
    assert!(truth.since(more).is_err());
}

#[tokio::test]
async fn a_server_that_hangs_is_said_and_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::new(&url).unwrap();
    let time = Duration::from_millis(200);
    let hangs = timeout(Duration::from_secs(60), server.find_within(time, Method::GET, "/ledger"));
    let said = hangs.await.expect("it is not waited for").unwrap_err().to_string();
    let wanted =
        format!("{url}/ledger: no answer within 200ms; is it running, and is the address right?");
    assert_eq!(said, wanted);
}

#[test]
fn a_stop_that_nobody_could_see_is_no_missed_stop() {
    let (ledger, _) = truth();
    let stop = ledger.stops[2].clone();
    let (from_us, to_us) = (stop.from_us, stop.to_us.unwrap());
    let missed = |from_us: i64, for_us: i64| {
        let lost = Injection::new(Fault::CommsLoss, from_us, Some(for_us), None).unwrap();
        let mut report = right(&ledger, &[]);
        report.stops.remove(2);
        Truth::new(ledger.clone(), vec![lost], ZERO_US).score(&report).missed_stops().count()
    };
    assert_eq!(missed(from_us - SECOND_US, to_us - from_us + 2 * SECOND_US), 0);
    // The negative control: half of it could be seen.
    assert_eq!(missed(from_us + 3 * SECOND_US, SECOND_US), 1);
    assert_eq!(missed(to_us + MINUTE_US, SECOND_US), 1);
}

/// The score of a naive reader on a plant with a fault, compared when the plant stands and is read again.
async fn naive(fault: Fault) -> Score {
    let config = PlantConfig { speed: 20.0, held: true, ..PlantConfig::default() };
    let plant = Plant::start(config).await.unwrap();
    let (addr, period) = (plant.modbus_addr(), Duration::from_millis(5));
    let naive = Naive::start(addr, Output::Lifetime, period, Arc::new(utc_now_us));
    let patience = Duration::from_secs(20);
    let first = async {
        while !naive.has_read() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(patience, first).await.unwrap();
    plant.resume();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let infeed = plant.ledger().infeed;
    plant.inject(fault, None, None).unwrap();
    let goes_on = async {
        while plant.ledger().infeed < infeed + 500 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(patience, goes_on).await.unwrap();
    plant.hold();
    let truth = Truth::new(plant.ledger(), plant.injected(), 0);
    // It has read the standing plant when it says the same for a while.
    let mut last = naive.report(&tags(), 0).await.unwrap();
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let report = naive.report(&tags(), 0).await.unwrap();
        if std::mem::replace(&mut last, report) == last {
            break;
        }
    }
    plant.stop().await;
    truth.score(&last)
}

/// Shows: SIM-14
#[tokio::test]
async fn a_naive_reader_is_right_without_a_fault_and_wrong_after_a_glitch() {
    let glitch = naive(Fault::ZeroGlitch).await;
    assert!(glitch.outside().count() > 0, "{glitch}");
    let harmless = naive(Fault::QueueOverflow).await;
    assert_eq!(harmless.outside().count(), 0, "{harmless}");
}
