//! The score finds what is wrong with a report, and nothing in a right one.

use std::{sync::Arc, time::Duration};

use hyper::Method;
use tokio::time::timeout;

use super::{HOUR_US, MINUTE_US};
use crate::{
    CHANGEOVER, CLEANING, Fault, INFEED, Injection, Ledger, Model, ModelConfig, Naive, OUTPUT,
    Output, Plant, PlantConfig, Preset, RejectClass, Report, Reporter, Said, SaidBatch,
    SaidCounter, SaidSignal, SaidStop, Score, Server, StopRecord, Summary, Truth, score::MACHINES,
    tags, utc_now_us,
};

pub(super) const ZERO_US: i64 = 1_793_577_600_000_000;
const SECOND_US: i64 = 1_000_000;

/// Two hours of a plant that stops, with a burst in the second.
pub(super) fn truth() -> (Ledger, Vec<Injection>) {
    let config = ModelConfig { preset: Preset::Good, seed: 3, ..ModelConfig::default() };
    let mut model = Model::new(config);
    let burst = Injection::new(Fault::EmptyCapsuleBurst, HOUR_US, Some(10 * MINUTE_US), None);
    let burst = burst.unwrap();
    model.inject(burst);
    model.advance_to(2 * HOUR_US);
    (model.ledger(), vec![burst])
}

/// What one says who knows everything.
pub(super) fn right(ledger: &Ledger, injected: &[Injection]) -> Report {
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
        key: stop.by.as_deref().map(str::to_owned),
    });
    let signals = injected.iter().map(|one| SaidSignal {
        at_us: ZERO_US + one.from_us + 15 * MINUTE_US,
        word: "chart".to_owned(),
        about: "reject_fraction".to_owned(),
    });
    let batches = ledger.batches.iter().enumerate().map(|(n, batch)| SaidBatch {
        id: batch.batch_id.clone(),
        from_us: ZERO_US + batch.from_us,
        to_us: batch.to_us.filter(|_| n + 1 < ledger.batches.len()).map(|us| ZERO_US + us),
        infeed: Said::exactly(batch.infeed),
        made: Said::exactly(batch.made),
        rejected: Said::exactly(batch.rejected),
    });
    Report {
        counters: counters.collect(),
        stops: stops.collect(),
        signals: signals.collect(),
        batches: batches.collect(),
        bores: Vec::new(),
    }
}

pub(super) fn score(change: impl FnOnce(&mut Report)) -> Score {
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
    assert_eq!((summary.counts, summary.counts_in, summary.width), (23, 23, 0));
    assert_eq!((summary.stops_found, summary.stops_false, summary.off_us), (summary.stops, 0, 0));
    let Summary { stops, reasons, keys, keys_asked, .. } = summary;
    assert_eq!((reasons, keys, keys_asked), (stops, stops, stops));
    assert_eq!((summary.signals, summary.signals_true, summary.signals_false), (1, 1, 0));
    assert_eq!(score.signals[0].delay_us, Some(15 * MINUTE_US));
    assert!(score.is_right(None) && score.false_batches.is_empty(), "{score}");
    assert!(score.batches.iter().all(|batch| batch.wrong(0).is_empty()), "{score}");
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
    assert_eq!((untold.outside().count(), untold.summary().counts), (1, 23), "it is read");
    let (ledger, injected) = truth();
    let mut of_filler = right(&ledger, &injected);
    of_filler.counters.retain(|tag, _| tag.starts_with("CF01."));
    let of_filler = Truth::new(ledger, injected, ZERO_US).of_machines(&["CF01"]).score(&of_filler);
    assert_eq!((of_filler.outside().count(), of_filler.summary().counts), (0, 9), "{of_filler}");

    let missed = score(|report| drop(report.stops.remove(2)));
    assert_eq!(missed.missed_stops().count(), 1, "{missed}");
    let unknown = score(|report| report.stops[2].cause = "unknown".to_owned());
    assert_eq!(unknown.missed_stops().count(), 1, "to know nothing is not to find it: {unknown}");
    let late = score(|report| report.stops[2].from_us += SECOND_US);
    assert_eq!((late.summary().off_us, late.missed_stops().count()), (SECOND_US, 0));
    let endless = score(|report| report.stops[2].to_us = None);
    assert!(endless.summary().off_us > 30 * MINUTE_US, "it lasts until now: {endless}");
    assert!(endless.to_string().contains("a time is off by"), "{endless}");
    // It starts slowly for ten seconds and a stroke; whether that is a part of the stop is a matter of words.
    let ends = |late_us: i64| {
        score(|report| *report.stops[2].to_us.as_mut().unwrap() += late_us).stops[2].end_off_us
    };
    assert_eq!([ends(0), ends(11 * SECOND_US)], [Some(0), Some(0)]);
    assert_eq!([ends(14 * SECOND_US), ends(-SECOND_US)], [Some(2 * SECOND_US), Some(-SECOND_US)]);
    // One that covers two is of one of them, and the other is missed.
    let both = score(|report| {
        report.stops[2].to_us = report.stops[3].to_us;
        report.stops.remove(3);
    });
    assert_eq!(both.missed_stops().count(), 1, "{both}");
    assert!(!both.is_right(None));
    // Pieces that follow each other are one stop, and what is between them is not told.
    let pieces = score(|report| {
        let mut rest = report.stops[2].clone();
        let middle_us = (rest.from_us + rest.to_us.unwrap()) / 2;
        report.stops[2].to_us = Some(middle_us);
        rest.from_us = middle_us + SECOND_US;
        report.stops.insert(3, rest);
    });
    assert_eq!((pieces.missed_stops().count(), pieces.summary().off_us), (0, 0));
    assert_eq!(pieces.stops[2].untold_us, Some(SECOND_US));
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
    let never_started = score(|report| {
        let (from_us, to_us) = (ZERO_US - 10 * SECOND_US, Some(ZERO_US + MINUTE_US / 2));
        report.stops.insert(0, SaidStop { from_us, to_us, ..report.stops[0].clone() });
    });
    assert_eq!(never_started.false_stops.len(), 1, "it runs after ten seconds: {never_started}");
    let blamed = score(|report| {
        report.stops.iter_mut().for_each(|stop| stop.key = Some("CF01".to_owned()));
        report.stops[1].reason = None;
    });
    assert_eq!(blamed.summary().reasons, blamed.summary().stops - 1);
    assert!(blamed.summary().keys < blamed.summary().stops, "{blamed}");
    // Who names nobody is right where nobody is to blame, and is not asked where he does not read the machine.
    let silent = |read: &[&str]| {
        let (ledger, injected) = truth();
        let blocked = |stop: &&StopRecord| stop.by.as_deref().is_some_and(|by| by != "CF01");
        assert!(ledger.stops.iter().filter(blocked).count() > 0);
        let mut report = right(&ledger, &injected);
        report
            .stops
            .iter_mut()
            .filter(|stop| stop.reason == Some(4))
            .for_each(|stop| stop.key = None);
        Truth::new(ledger, injected, ZERO_US).of_machines(read).score(&report)
    };
    let (all, alone) = (silent(&MACHINES), silent(&["CF01"]));
    let missing = |score: &Score| score.summary().keys_asked - score.summary().keys;
    assert!(missing(&all) > 0 && all.to_string().contains("is not named"), "{all}");
    assert_eq!(missing(&alone), 0, "{alone}");
    assert!(alone.summary().keys_asked < alone.summary().stops_found, "{alone}");

    let silent = score(|report| report.signals.clear());
    assert_eq!((silent.summary().signals_true, silent.signals[0].delay_us), (0, None));
    let crying = score(|report| report.signals[0].at_us = ZERO_US + MINUTE_US);
    assert_eq!((crying.summary().signals_true, crying.summary().signals_false), (0, 1));
    let elsewhere = score(|report| report.signals[0].about = "reject.CW04.underweight".to_owned());
    assert_eq!((elsewhere.summary().signals_true, elsewhere.summary().signals_false), (0, 1));
}

/// What is said of a plant with these faults: each found after how long, and what was found of none.
fn found(faults: &[(Fault, i64, i64)], said: &[(&str, &str, i64)]) -> (Vec<Option<i64>>, usize) {
    let (ledger, _) = truth();
    let injected = faults.iter().map(|(fault, from_s, for_s)| {
        Injection::new(*fault, from_s * SECOND_US, Some(for_s * SECOND_US), None).unwrap()
    });
    let signals = said.iter().map(|(word, about, at_s)| SaidSignal {
        at_us: ZERO_US + at_s * SECOND_US,
        word: (*word).to_owned(),
        about: (*about).to_owned(),
    });
    let report = Report { signals: signals.collect(), ..Report::default() };
    let score = Truth::new(ledger, injected.collect(), ZERO_US).score(&report);
    let delays = score.signals.iter().map(|one| one.delay_us.map(|us| us / SECOND_US));
    (delays.collect(), score.false_signals.len())
}

#[test]
fn a_fault_is_not_found_by_what_another_one_has_brought_about() {
    let twice = [(Fault::DoubleCount, 600, 60), (Fault::DoubleCount, 700, 600)];
    assert_eq!(found(&twice, &[("contradicted", OUTPUT, 710)]), (vec![None, Some(10)], 0));
    let both = [("contradicted", OUTPUT, 610), ("miscount", "CF01", 710)];
    assert_eq!(found(&twice, &both), (vec![Some(10), Some(10)], 0));
    // An alarm that comes half an hour after its fault is of something else; a chart judges whole subgroups.
    assert_eq!(found(&twice[..1], &[("contradicted", OUTPUT, 715)]), (vec![Some(115)], 0));
    assert_eq!(found(&twice[..1], &[("contradicted", OUTPUT, 725)]), (vec![None], 1));
    let burst = [(Fault::EmptyCapsuleBurst, 600, 600)];
    assert_eq!(found(&burst, &[("chart", "reject_fraction", 2_900)]), (vec![Some(2_300)], 0));
    assert_eq!(found(&burst, &[("chart", "reject_fraction", 3_001)]), (vec![None], 1));
    // Another counter, another machine, another word.
    for (word, about) in [
        ("contradicted", INFEED),
        ("miscount", "CW04"),
        ("conservation", OUTPUT),
        ("chart", "speed"),
    ] {
        assert_eq!(found(&twice[..1], &[(word, about, 610)]), (vec![None], 1), "{word} {about}");
    }
}

#[test]
fn signals_are_scored_since_an_earlier_ledger() {
    let mut model = Model::new(ModelConfig::default());
    model.advance_to(20 * MINUTE_US);
    let base = model.ledger();
    model.advance_to(40 * MINUTE_US);
    let fault =
        |at_us: i64| Injection::new(Fault::DoubleCount, at_us, Some(19 * MINUTE_US), None).unwrap();
    let injected = vec![fault(5 * MINUTE_US), fault(30 * MINUTE_US)];
    let scored = |at_min: &[i64], since: bool| {
        let signals = at_min.iter().map(|at_min| SaidSignal {
            at_us: ZERO_US + at_min * MINUTE_US,
            word: "contradicted".to_owned(),
            about: OUTPUT.to_owned(),
        });
        let report = Report { signals: signals.collect(), ..Report::default() };
        let mut truth = Truth::new(model.ledger(), injected.clone(), ZERO_US);
        if since {
            truth = truth.since(base.clone()).unwrap();
        }
        let score = truth.score(&report);
        (score.signals.len(), score.false_signals.len())
    };
    // Of the first fault nothing is asked, what was said of nothing before is forgotten, and what comes late is its own.
    assert_eq!(scored(&[1, 6, 24, 31], true), (1, 0));
    assert_eq!(scored(&[1, 6, 27, 31], true), (1, 1), "and of no fault since then");
    assert_eq!(scored(&[1, 6, 24, 31], false), (2, 1), "the whole run");
}

#[test]
fn the_end_of_a_stop_that_nobody_saw_is_not_off_but_one_that_is_seen_again_has_ended() {
    let (ledger, _) = truth();
    let ended =
        |stop: &StopRecord| stop.to_us.is_some_and(|us| us < ledger.plant_us - 2 * MINUTE_US);
    let n = ledger.stops.iter().rposition(ended).unwrap();
    let end_us = ledger.stops[n].to_us.unwrap();
    let lost = Injection::new(Fault::CommsLoss, end_us - SECOND_US, Some(10 * SECOND_US), None);
    let off = |to_us: Option<i64>| {
        let mut report = right(&ledger, &[]);
        report.stops[n].to_us = to_us.map(|us| ZERO_US + us);
        let truth = Truth::new(ledger.clone(), vec![lost.clone().unwrap()], ZERO_US);
        truth.score(&report).stops[n].end_off_us
    };
    assert_eq!(off(Some(end_us + 12 * SECOND_US)), None);
    assert!(off(None).is_some_and(|us| us > MINUTE_US), "{:?}", off(None));
}

/// A reader that needs long to come back, as one of a fast plant does, may not invent a stop meanwhile.
#[test]
fn a_stop_before_the_first_capsule_began_before_it_however_long_a_reader_is_blind() {
    let mut model = Model::new(ModelConfig::default());
    model.advance_to(5 * MINUTE_US);
    let ledger = model.ledger();
    let false_stops = |from_s: i64, to_s: i64| {
        let [from_us, to_us] = [from_s, to_s].map(|s| ZERO_US + s * SECOND_US);
        let cause = "internal".to_owned();
        let stop = SaidStop { from_us, to_us: Some(to_us), cause, reason: Some(1), key: None };
        let report = Report { stops: vec![stop], ..Report::default() };
        let truth = Truth::new(ledger.clone(), Vec::new(), ZERO_US).blind_for(3 * MINUTE_US);
        truth.score(&report).false_stops.len()
    };
    assert_eq!([false_stops(-60, 180), false_stops(4, 180)], [0, 0]);
    assert_eq!([false_stops(100, 180), false_stops(7, 180), false_stops(-60, 200)], [1, 1, 1]);
}

#[test]
fn a_batch_is_told_under_its_number_with_what_was_made_in_it() {
    let mut model = Model::new(ModelConfig { batch_size: 5_000, ..ModelConfig::default() });
    model.advance_to(3 * MINUTE_US);
    let ledger = model.ledger();
    assert!(ledger.batches.len() > 2);
    let wrong = |change: &dyn Fn(&mut Vec<SaidBatch>)| {
        let mut report = right(&ledger, &[]);
        change(&mut report.batches);
        let score = Truth::new(ledger.clone(), Vec::new(), ZERO_US).score(&report);
        let wrong: usize = score.batches.iter().map(|batch| batch.wrong(0).len()).sum();
        (wrong, score.false_batches.len())
    };
    assert_eq!(wrong(&|_| {}), (0, 0));
    assert_eq!(wrong(&|batches| drop(batches.remove(1))), (1, 0));
    assert_eq!(wrong(&|batches| batches[1].id = "B0000-0000".to_owned()), (1, 1));
    assert_eq!(wrong(&|batches| batches.push(batches[1].clone())), (0, 1), "told twice");
    assert_eq!(wrong(&|batches| batches[1].infeed = Said::exactly(1)), (1, 0));
    assert_eq!(wrong(&|batches| batches[1].made = Said::exactly(1)), (1, 0));
    assert_eq!(wrong(&|batches| batches[1].rejected = Said::exactly(99)), (1, 0));
    assert_eq!(wrong(&|batches| batches[1].to_us = None), (1, 0), "it never ends");
}

#[test]
fn rejects_of_the_filler_beside_are_scored_and_a_third_filler_is_refused() {
    let ledger = |fillers| {
        let config = ModelConfig { fillers, preset: Preset::Good, ..ModelConfig::default() };
        let mut model = Model::new(config);
        model.advance_to(2 * HOUR_US);
        model.ledger()
    };
    let two = ledger(2);
    for (class, tag) in [
        (RejectClass::Unseparated, "CF02.Rej.Unseparated"),
        (RejectClass::Dented, "CF02.Rej.DentedTelescoped"),
        (RejectClass::Startup, "CF02.Rej.Startup"),
        (RejectClass::NoDose, "CF02.Rej.NoDose"),
        (RejectClass::DoubleCap, "CF02.Rej.DoubleCap"),
    ] {
        let mut report = right(&two, &[]);
        let said = &mut report.counters.get_mut(tag).unwrap().total;
        assert_eq!(*said, Said::exactly(two.beside[0].rejects[&class]));
        *said = Said::exactly(said.best + 1);
        let score = Truth::new(two.clone(), Vec::new(), ZERO_US).score(&report);
        let outside: Vec<&str> = score.outside().map(|count| count.tag.as_str()).collect();
        assert_eq!(outside, [tag]);
    }
    assert_eq!(Truth::scores_all(&two), Ok(()));
    let said = Truth::scores_all(&ledger(3)).unwrap_err().to_string();
    let wanted =
        "the plant has 3 fillers side by side, and 2 are scored at most: start it with --fillers 2";
    assert_eq!(said, wanted);
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
    let truth = Truth::new(plant.ledger(), plant.injected(), 0).of_machines(&["CF01"]);
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
