//! The verdict finds what is wrong with a score, and says what it left open.

use super::score::{ZERO_US, right, score, truth};
use super::{HOUR_US, MINUTE_US};
use crate::{
    Fault, Injection, KeyScore, Model, ModelConfig, OUTPUT, Report, Said, SaidBatch, SaidSignal,
    StopRecord, Truth,
};

/// What is wrong with a report that was right before it was changed.
fn wrong(change: impl FnOnce(&mut Report)) -> Vec<String> {
    score(change).wrong(None)
}

/// That there is one thing wrong, and what.
fn is_wrong(what: &str, change: impl FnOnce(&mut Report)) {
    let said = wrong(change);
    assert!(said.len() == 1 && said[0].contains(what), "{what}: {said:#?}");
}

/// Position of a stop that the filler is to blame for, whatever else stood.
fn own() -> usize {
    let (ledger, _) = truth();
    let is_own = |stop: &StopRecord| stop.by.as_deref() == Some("CF01");
    ledger.stops.iter().position(is_own).expect("a stop of its own")
}

fn alarm(word: &str, about: &str) -> SaidSignal {
    SaidSignal { at_us: ZERO_US + HOUR_US, word: word.to_owned(), about: about.to_owned() }
}

/// Shows: SIM-14
#[test]
fn each_thing_that_is_wrong_is_exit_code_1() {
    let own = own();
    assert_eq!(wrong(|_| {}), [""; 0]);
    is_wrong("is not in", |report| {
        let made = &mut report.counters.get_mut(OUTPUT).unwrap().total;
        *made = Said::exactly(made.best + 1);
    });
    is_wrong("nothing is said of it", |report| drop(report.counters.remove(OUTPUT)));
    is_wrong("is missed", |report| drop(report.stops.remove(own)));
    is_wrong("its reason is not told", |report| report.stops[own].reason = Some(99));
    is_wrong("another machine is to blame", |report| {
        report.stops[own].key = Some("MD03".to_owned())
    });
    is_wrong("an alarm misfit of CF01.Samples", |report| {
        report.signals.push(alarm("misfit", "CF01.Samples"));
    });
    is_wrong("good is not in", |report| report.batches[0].made = Said::exactly(1));
    is_wrong("is not reported", |report| report.batches.clear());
    is_wrong("no batch is B0000-0000", |report| {
        let other = SaidBatch { id: "B0000-0000".to_owned(), ..report.batches[0].clone() };
        report.batches.push(other);
    });
}

/// Shows: SIM-14
#[test]
fn doubt_is_judged_where_there_is_a_bound_and_said_where_there_is_none() {
    let doubtful = score(|report| {
        let made = &mut report.counters.get_mut(OUTPUT).unwrap().total;
        (made.low, made.high) = (made.best - 40, made.best + 60);
    });
    assert!(doubtful.is_right(Some(100)));
    let said = doubtful.wrong(Some(99));
    assert_eq!(said, ["100 are in doubt over all counters, and 99 may be"]);
    let open = |most| doubtful.not_judged(most).join("\n");
    assert!(open(None).contains("100 in doubt over all counters: --most-doubt N bounds it"));
    assert!(!open(Some(100)).contains("in doubt"), "{}", open(Some(100)));
}

#[test]
fn what_is_not_judged_is_said() {
    let open = |change: &dyn Fn(&mut Report)| {
        let score = score(change);
        assert!(score.is_right(None), "{score}");
        score.not_judged(None).join("\n")
    };
    let all = open(&|_| {});
    assert!(all.contains("begin and end of stops: the worst is 0.00 s off"), "{all}");
    assert!(!all.contains("no signal") && !all.contains("not read"), "{all}");
    // A chart may have no limits yet, and a plant has bad spells of its own.
    let unsignalled = open(&|report| report.signals.clear());
    assert!(unsignalled.contains("no signal of empty_capsule_burst"), "{unsignalled}");
    let others = open(&|report| {
        report.signals.extend([alarm("weights_missed", "CW04"), alarm("chart", "speed")]);
    });
    assert!(others.contains("weights_missed of CW04, chart speed"), "{others}");
    let unnamed = score(|report| report.stops[own()].key = None);
    assert_eq!(unnamed.stops[own()].key, KeyScore::Unnamed);
    let said = unnamed.not_judged(None).join("\n");
    assert!(said.contains("1 stops of which no machine is named"), "{said}");
    // Machines that nobody reads.
    let (ledger, injected) = truth();
    let mut report = right(&ledger, &injected);
    report.counters.retain(|tag, _| tag.starts_with("CF01."));
    let alone = Truth::new(ledger, injected, ZERO_US).of_machines(&["CF01"]).score(&report);
    let said = alone.not_judged(None).join("\n");
    assert!(said.contains("14 counters of machines that are not read"), "{said}");
}

/// An alarm needs a quarter of an hour; the negative control is a fault that was shorter.
#[test]
fn an_alarm_that_had_to_come_is_missed_and_one_that_had_not_is_none() {
    let wrong = |minutes: i64, signals: &[SaidSignal]| {
        let twice = Injection::new(Fault::DoubleCount, MINUTE_US, Some(minutes * MINUTE_US), None);
        let twice = twice.unwrap();
        let mut model = Model::new(ModelConfig::default());
        model.advance_to(HOUR_US);
        let mut report = right(&model.ledger(), &[]);
        report.signals = signals.to_vec();
        Truth::new(model.ledger(), vec![twice], ZERO_US).score(&report).wrong(None)
    };
    assert_eq!(wrong(15, &[]), ["double_count was not signalled"]);
    assert_eq!(wrong(14, &[]), [""; 0]);
    let at_us = ZERO_US + 5 * MINUTE_US;
    let told = SaidSignal { at_us, ..alarm("contradicted", OUTPUT) };
    assert_eq!(wrong(15, &[told]), [""; 0]);
}

/// A batch of an earlier plant is none of a watch that began after it; one that begins within the watch is.
#[test]
fn what_began_before_the_watch_is_not_judged() {
    let mut model = Model::new(ModelConfig::default());
    model.advance_to(MINUTE_US);
    let base = model.ledger();
    model.advance_to(3 * MINUTE_US);
    let now = model.ledger();
    let wrong = |from_us: i64| {
        let mut report = right(&now, &[]);
        let before = right(&base, &[]);
        let other = SaidBatch { id: "B0000-0000".to_owned(), ..report.batches[0].clone() };
        report.batches.push(SaidBatch { from_us: ZERO_US + from_us, ..other });
        let truth = Truth::new(now.clone(), Vec::new(), ZERO_US).since(base.clone()).unwrap();
        truth.score(&report.since(&before)).wrong(None)
    };
    assert_eq!(wrong(-HOUR_US), [""; 0]);
    assert_eq!(wrong(2 * MINUTE_US), ["no batch is B0000-0000"]);
}

/// The number of a batch leads the reset of its counters by two seconds, in which it loads.
#[test]
fn a_batch_whose_number_a_fault_parts_from_its_counters_may_be_off_by_so_much() {
    let mut model = Model::new(ModelConfig::default());
    let early = Injection::new(Fault::BatchIdEarly, MINUTE_US, None, None).unwrap();
    model.inject(early);
    model.advance_to(3 * MINUTE_US);
    let ledger = model.ledger();
    let wrong = |off: u64, injected: &[Injection]| {
        let mut report = right(&ledger, &[]);
        let loaded = &mut report.batches[0].infeed;
        *loaded = Said::exactly(loaded.best + off);
        Truth::new(ledger.clone(), injected.to_vec(), ZERO_US).score(&report).wrong(None).len()
    };
    assert_eq!([wrong(350, &[early]), wrong(360, &[early])], [0, 1]);
    assert_eq!([wrong(0, &[]), wrong(1, &[])], [0, 1]);
}
