//! Scenario files: each of ours is read, and a bad one says where it is bad.

use std::path::Path;

use super::score::{ZERO_US, right};
use crate::{
    Fault, INFEED, Injection, Model, ModelConfig, OUTPUT, Report, Said, SaidBore, SaidCounter,
    SaidSignal, SaidStop, Scenario, Truth, Watched,
};

fn said(text: &str) -> String {
    Scenario::parse(Path::new("bad.toml"), text).unwrap_err().to_string()
}

#[test]
fn our_files_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let all = Scenario::all(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(all.len() > 40, "{}", all.len());
    let lost = all.iter().find(|scenario| scenario.name == "comms_loss_12_min").unwrap();
    assert_eq!(
        (lost.inject[0].fault, lost.inject[0].until_us),
        (Fault::CommsLoss, Some(960_000_000))
    );
    assert_eq!(lost.expect.doubt.get("*"), None, "every counter is exact");
    for scenario in all {
        assert!(scenario.title.ends_with('.'), "{}", scenario.name);
        let last_us = scenario.inject.iter().filter_map(|one| one.until_us).max();
        assert!(last_us.is_none_or(|us| us <= scenario.length_us), "{}", scenario.name);
    }
}

#[test]
fn a_bad_file_says_where_it_is_bad_what_was_found_and_the_way_out() {
    let head = "title = \"A scenario.\"\nseconds = 60\n";
    for (text, expected) in [
        (format!("{head}sped = 3\n"), "bad.toml:3:1: unknown field `sped`, expected one of "),
        (
            "title = \"A scenario.\"\nseconds = 0.5\n".to_owned(),
            "bad.toml:2:11: seconds 0.5: between 1 and 604800 are possible",
        ),
        (
            format!("{head}speed = 5000\n"),
            "bad.toml:3:9: speed 5000: between 0.1 and 1000 are possible",
        ),
        (
            format!("{head}[[inject]]\nfault = \"comm_loss\"\nat_s = 1\n"),
            "bad.toml:4:9: unknown variant `comm_loss`, expected one of `comms_loss`, ",
        ),
        (
            format!("{head}[[inject]]\nfault = \"mute\"\nat_s = 61\n"),
            "bad.toml:3:1: at_s 61: the scenario lasts from 0 to 60",
        ),
        (
            format!("{head}[[inject]]\nfault = \"jam\"\nat_s = 1\nvalue = 1\n"),
            "bad.toml:3:1: jam: value 1: between 5 and 86400 s are possible",
        ),
        (
            format!("{head}[[inject]]\nfault = \"disk_full\"\nat_s = 1\n"),
            "bad.toml:3:1: disk_full: it ends at 61 s, and the scenario at 60 s; write a shorter for_s",
        ),
        (
            format!("{head}[[inject]]\nfault = \"disk_full\"\nat_s = 1\nfor_s = 5\nvalue = 1\n"),
            "bad.toml:3:1: disk_full: it takes no value; leave out 1",
        ),
        (
            format!("{head}[expect]\ncounts = \"exact\"\n"),
            "bad.toml:4:10: unknown variant `exact`, expected one of `interval`, ",
        ),
        (
            format!("{head}fillers = 3\n"),
            "bad.toml:3:11: fillers 3: 1 to 2 can be scored, and more by nobody",
        ),
        (
            format!("{head}shift_change_s = 61\n"),
            "bad.toml:3:18: shift_change_s 61: the scenario lasts from 0 to 60",
        ),
        (
            format!("{head}shift_change_s = nan\n"),
            "bad.toml:3:18: shift_change_s NaN: the scenario lasts from 0 to 60",
        ),
    ] {
        let said = said(&text);
        assert!(said.starts_with(expected), "{said}");
    }
}

/// A counter near its end is one from the first capsule on: the register that the output is read from.
#[test]
fn a_plant_is_started_with_a_counter_near_its_end() {
    let parsed = |more: &str| {
        let text = format!("title = \"A scenario.\"\nseconds = 60\n{more}");
        Scenario::parse(Path::new("wrap.toml"), &text)
    };
    let starts = |output: &str, value: &str| {
        let fault = "[[inject]]\nfault = \"counter_wrap\"\nat_s = 0\n";
        let scenario = parsed(&format!("output = \"{output}\"\n{fault}{value}")).unwrap();
        // It is no fault that strikes later, nor one of the service.
        assert!(scenario.inject.is_empty() && scenario.service.is_empty());
        scenario.plant().start_counters.processed_acc
    };
    assert_eq!(starts("lifetime", "value = 2000\n"), (1 << 31) - 2_000);
    assert_eq!(starts("lifetime", ""), (1 << 31) - 500, "as the catalogue has it");
    assert_eq!(starts("low_word", "value = 2000\n"), 63_536);
    assert_eq!(starts("panel", "value = 10000\n"), 0);
    let fault = "[[inject]]\nfault = \"counter_wrap\"\n";
    for (text, expected) in [
        (format!("{fault}at_s = 5\n"), "write at_s = 0, a value, and neither for_s nor filler"),
        (format!("{fault}at_s = 0\nfor_s = 5\n"), "write at_s = 0"),
        (format!("[start]\nprocessed_acc = 9\n{fault}at_s = 0\n"), "or start.processed_acc alone"),
        (
            format!("output = \"panel\"\n{fault}at_s = 0\nvalue = 10001\n"),
            "counter_wrap: value 10001: between 0 and 10000 capsules are possible",
        ),
    ] {
        let said = parsed(&text).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

/// Shows: SIM-15
#[test]
fn a_fault_of_the_service_is_none_of_the_plant_and_says_whose_it_is() {
    let text = "title = \"A scenario.\"\nseconds = 60\n\
                [[inject]]\nfault = \"database_loss\"\nat_s = 30\nfor_s = 20\n\
                [[inject]]\nfault = \"mute\"\nat_s = 5\nfor_s = 5\n\
                [[inject]]\nfault = \"disk_full\"\nat_s = 1.5\nfor_s = 10\n";
    let scenario = Scenario::parse(Path::new("both.toml"), text).unwrap();
    let plant: Vec<Fault> = scenario.inject.iter().map(|one| one.fault).collect();
    assert_eq!(plant, [Fault::Mute]);
    let service: Vec<String> = scenario.service.iter().map(ToString::to_string).collect();
    let said = "the plant cannot do this, and whoever runs the service must.";
    assert_eq!(
        service,
        [
            format!(
                "disk_full from 1.5 s to 11.5 s: {said} The journal of the service can take nothing more."
            ),
            format!("database_loss from 30 s to 50 s: {said} The database of the plant is away."),
        ]
    );
}

/// A plant with a jam, and what one says of it who knows everything of the filler and the weigher.
fn jammed() -> (Model, Report) {
    let mut model = Model::new(ModelConfig::default());
    model.inject(Injection::new(Fault::Jam, 20_000_000, None, Some(10.0)).unwrap());
    model.advance_to(60_000_000);
    let mut report = right(&model.ledger(), &[]);
    report.counters.retain(|tag, _| tag.starts_with("CF01.") || tag.starts_with("CW04."));
    (model, report)
}

/// How many things are wrong with a report, by a file with these expectations.
fn wrong(expect: &str, change: impl Fn(&mut Report), shown: &[&str]) -> usize {
    let text = format!("title = \"A scenario.\"\nseconds = 60\n[expect]\n{expect}\n");
    let scenario = Scenario::parse(Path::new("wanted.toml"), &text).unwrap();
    let (model, mut report) = jammed();
    change(&mut report);
    let truth = Truth::new(model.ledger(), Vec::new(), ZERO_US).of_machines(scenario.machines());
    let shown = shown.iter().map(|word| (*word).to_owned()).collect();
    let watched = Watched { shown, speed: 1.0, late: Vec::new() };
    scenario.judge(&truth.score(&report), &report, &watched).len()
}

fn made(report: &mut Report) -> &mut SaidCounter {
    report.counters.get_mut(OUTPUT).unwrap()
}

fn signal(word: &str, about: &str) -> SaidSignal {
    SaidSignal { at_us: ZERO_US + 1, word: word.to_owned(), about: about.to_owned() }
}

/// The negative control: each expectation of a file is really asked for, and what it leaves out at its strictest.
#[test]
fn counts_are_told_of_every_counter_with_no_more_doubt_than_their_bound() {
    assert_eq!(wrong("", |_| {}, &[]), 0);
    for tag in [OUTPUT, INFEED, "CW04.Statistic.TotalPackages.ItemCount"] {
        assert_eq!(wrong("", |report| drop(report.counters.remove(tag)), &[]), 1, "{tag} is read");
    }
    assert_eq!(wrong("", |report| report.counters.clear(), &[]), 15, "14 of them, and all");
    assert_eq!(wrong("", |report| made(report).total.best += 1, &[]), 0, "the best is no bound");
    assert_eq!(wrong("", |report| made(report).total = Said::exactly(1), &[]), 1);
    let doubt = |report: &mut Report| made(report).total.high += 2;
    let bound = |least: u64, most: u64| format!("doubt = {{ \"{OUTPUT}\" = [{least}, {most}] }}");
    assert_eq!(wrong("", doubt, &[]), 1, "a counter without a bound is exact");
    assert_eq!(wrong(&bound(0, 2), doubt, &[]), 0);
    assert_eq!(wrong(&bound(0, 1), doubt, &[]), 1);
    assert_eq!(wrong(&bound(3, 9), doubt, &[]), 1, "too little in doubt");
    assert_eq!(wrong("doubt = { \"*\" = [0, 2] }", doubt, &[]), 0);
    assert_eq!(wrong("doubt = { \"*\" = [0, 1] }", doubt, &[]), 1);
    let endless = |report: &mut Report| made(report).total.high = u64::MAX;
    assert_eq!(wrong("counts = \"interval\"", endless, &[]), 1);
}

#[test]
fn causes_and_what_is_shown_are_asked_for() {
    let wanted = format!("never = [\"torn\"]\ncauses = {{ \"{OUTPUT}\" = [\"wrap\"] }}");
    let told = |causes: &'static [&'static str]| {
        move |report: &mut Report| {
            made(report).causes = causes.iter().map(|cause| (*cause).to_owned()).collect();
        }
    };
    assert_eq!(wrong(&wanted, told(&["wrap"]), &[]), 0);
    assert_eq!(wrong(&wanted, told(&["gap"]), &[]), 1);
    assert_eq!(wrong(&wanted, told(&["wrap", "torn"]), &[]), 1);
    let shown = "shown = [\"plc_offline\", \"timeout\"]";
    assert_eq!(wrong(shown, |_| {}, &["plc_offline", "timeout", "bad_data"]), 0);
    assert_eq!(wrong(shown, |_| {}, &["plc_offline"]), 1);
}

#[test]
fn a_stop_is_told_with_its_times_its_reason_and_its_key_cause() {
    let check = |expect: &str, n: usize, change: &dyn Fn(&mut SaidStop)| {
        assert_eq!(wrong(expect, |report| change(&mut report.stops[0]), &[]), n, "{expect}");
    };
    check("", 0, &|_| {});
    // It ends now, which is half a minute later, and so does the time that it was told for.
    check("", 1, &|stop| stop.to_us = None);
    check("", 0, &|stop| stop.from_us += 1_000_000);
    check("", 1, &|stop| stop.from_us += 2_000_000);
    check("", 1, &|stop| *stop.to_us.as_mut().unwrap() += 2_000_000);
    check("", 2, &|stop| *stop.to_us.as_mut().unwrap() -= 4_000_000);
    check("", 1, &|stop| stop.reason = Some(2));
    check("", 1, &|stop| stop.reason = None);
    for (key, n) in [(None, 1), (Some("CW04".to_owned()), 0)] {
        check("", 1, &|stop| stop.key.clone_from(&key));
        // Another machine may be named, but one must be.
        check("keys_may_differ = true", n, &|stop| stop.key.clone_from(&key));
    }
    assert_eq!(wrong("", |report| report.stops.clear(), &[]), 1);
    let more = |report: &mut Report| {
        let (from_us, to_us) = (ZERO_US + 40_000_000, Some(ZERO_US + 45_000_000));
        report.stops.push(SaidStop { from_us, to_us, ..report.stops[0].clone() });
    };
    assert_eq!(wrong("", more, &[]), 1);
}

/// The negative control: a machine that was late a minute from a stop excuses nothing of it.
#[test]
fn the_end_of_a_stop_may_be_off_where_the_machine_was_late_and_nowhere_else() {
    let head = "title = \"A scenario.\"\nseconds = 60\n";
    let scenario = Scenario::parse(Path::new("wanted.toml"), head).unwrap();
    let (model, right) = jammed();
    let truth = Truth::new(model.ledger(), Vec::new(), ZERO_US).of_machines(scenario.machines());
    let wrong = |begin: bool, late: &[(i64, i64)]| {
        let mut report = right.clone();
        let SaidStop { from_us, to_us, .. } = &mut report.stops[0];
        let moved_us = if begin { from_us } else { to_us.as_mut().unwrap() };
        *moved_us += 2_000_000;
        let late = late.iter().map(|(at_us, late_us)| (ZERO_US + at_us, *late_us)).collect();
        let watched = Watched { speed: 1.0, late, ..Watched::default() };
        scenario.judge(&truth.score(&report), &report, &watched).len()
    };
    const LATE_US: i64 = 1_000_000;
    // It stands from 20 s to 30 s.
    let (at_begin, at_end) = ((20_500_000, LATE_US), (30_500_000, LATE_US));
    assert_eq!((wrong(true, &[]), wrong(false, &[])), (1, 1));
    assert_eq!((wrong(true, &[at_begin]), wrong(false, &[at_end])), (0, 0));
    assert_eq!((wrong(true, &[at_end]), wrong(false, &[at_begin])), (1, 1));
    assert_eq!(wrong(true, &[(5_000_000, 9 * LATE_US), (20_500_000, LATE_US / 2)]), 1);
    // Late from before it began until long after.
    assert_eq!(wrong(true, &[(27_000_000, 8 * LATE_US)]), 0);
}

#[test]
fn alarms_and_charts_are_those_of_the_file_and_no_other() {
    let says = |signals: &'static [(&'static str, &'static str)]| {
        move |report: &mut Report| {
            report.signals = signals.iter().map(|(word, about)| signal(word, about)).collect();
        }
    };
    let alarm = format!("alarms = {{ miscount = [\"CF01\", \"{OUTPUT}\"] }}");
    assert_eq!(wrong(&alarm, says(&[("miscount", OUTPUT)]), &[]), 0);
    assert_eq!(wrong(&alarm, says(&[]), &[]), 1);
    assert_eq!(wrong(&alarm, says(&[("miscount", INFEED)]), &[]), 1, "of another counter");
    assert_eq!(wrong(&alarm, says(&[("miscount", "CF01"), ("contradicted", OUTPUT)]), &[]), 1);
    assert_eq!(wrong("", says(&[("miscount", "CF01")]), &[]), 1);
    let may = format!("may_alarm = {{ weights_missed = [\"CW04\"] }}\n{alarm}");
    assert_eq!(wrong(&may, says(&[("miscount", OUTPUT)]), &[]), 0, "it need not");
    assert_eq!(wrong(&may, says(&[("miscount", OUTPUT), ("weights_missed", "CW04")]), &[]), 0);
    assert_eq!(wrong(&may, says(&[("miscount", OUTPUT), ("weights_missed", "CF01")]), &[]), 1);
    let flagged = |report: &mut Report| made(report).total = Said::exactly(1);
    assert_eq!(wrong("counts = \"flagged\"", flagged, &[]), 1, "no alarm says so");

    let chart = "signals = [\"speed\"]\nmay_signal = [\"weight.CW04\"]";
    assert_eq!(wrong(chart, says(&[("chart", "speed")]), &[]), 0);
    assert_eq!(wrong(chart, says(&[("chart", "speed"), ("chart", "weight.CW04")]), &[]), 0);
    assert_eq!(wrong(chart, says(&[("chart", "weight.CW04")]), &[]), 1, "it does not signal");
    assert_eq!(wrong(chart, says(&[("chart", "speed"), ("chart", "reject_fraction")]), &[]), 1);
    assert_eq!(wrong("", says(&[("chart", "speed")]), &[]), 1, "none may");

    let bore = |bore: u16, less: bool| {
        let bore = SaidBore { station: "CW04".to_owned(), bore, less };
        wrong("bores = [17]", |report| report.bores = vec![bore.clone()], &[])
    };
    assert_eq!([bore(17, true), bore(17, false), bore(18, true)], [0, 1, 1]);
}

#[test]
fn batches_are_asked_for() {
    assert_eq!(wrong("", |report| report.batches.clear(), &[]), 1);
    let off = |report: &mut Report| {
        let Said { low, .. } = report.batches[0].infeed;
        report.batches[0].infeed = Said::exactly(low + 100);
    };
    assert_eq!(wrong("", off, &[]), 1);
    assert_eq!(wrong("batch_infeed_off = 100", off, &[]), 0);
    let twice = |report: &mut Report| report.batches.push(report.batches[0].clone());
    assert_eq!(wrong("", twice, &[]), 1);
}

#[test]
fn a_naive_reader_is_asked_what_the_file_says() {
    let says = |expect: &str, off: u64| {
        let text = format!("title = \"A scenario.\"\nseconds = 60\n[expect]\n{expect}\n");
        let scenario = Scenario::parse(Path::new("wanted.toml"), &text).unwrap();
        let (model, mut report) = jammed();
        let total = &mut made(&mut report).total;
        *total = Said::exactly(total.best + off);
        let truth = Truth::new(model.ledger(), Vec::new(), ZERO_US).of_machines(&["CF01"]);
        scenario.judge_naive(&truth.score(&report)).is_some()
    };
    assert_eq!([says("", 0), says("", 1)], [false, false]);
    assert_eq!([says("naive_is_wrong = true", 0), says("naive_is_wrong = true", 1)], [true, false]);
}
