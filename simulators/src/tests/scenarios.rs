//! Scenario files: each of ours is read, and a bad one says where it is bad.

use std::path::Path;

use crate::{
    Counts, Fault, Injection, Model, ModelConfig, OUTPUT, Report, Said, SaidCounter, SaidSignal,
    SaidStop, Scenario, Truth,
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
        (Fault::CommsLoss, Some(780_000_000))
    );
    assert_eq!(lost.expect.counts, Counts::Exact);
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

/// The negative control: each expectation of a file is really asked for.
/// Shows: SIM-12
#[test]
fn what_is_not_as_the_file_wants_it_is_named() {
    let text = "title = \"A scenario.\"\nseconds = 60\n[expect]\ncounts = \"exact\"\ndoubt = [0, 0]\n\
                alarms = [\"miscount\"]\nshown = [\"bad_data\"]\nnever = [\"torn\"]\n[expect.causes]\n";
    let text = format!("{text}\"{OUTPUT}\" = [\"wrap\"]\n");
    let scenario = Scenario::parse(Path::new("wanted.toml"), &text).unwrap();
    let mut model = Model::new(ModelConfig::default());
    model.inject(Injection::new(Fault::Jam, 20_000_000, None, Some(10.0)).unwrap());
    model.advance_to(60_000_000);
    let made = model.ledger().made;
    let truth = Truth::new(model.ledger(), Vec::new(), 0);
    let counter = |total: Said, cause: &str| SaidCounter { total, causes: vec![cause.to_owned()] };
    let mut report = Report::default();
    report.counters.insert(OUTPUT.to_owned(), counter(Said::exactly(made), "wrap"));
    let stop = model.ledger().stops[0].clone();
    let signal = |word: &str| SaidSignal { at_us: 0, word: word.to_owned(), about: String::new() };
    report.signals.push(signal("miscount"));
    report.stops.push(SaidStop {
        from_us: stop.from_us,
        to_us: stop.to_us,
        cause: "internal".to_owned(),
        reason: Some(1),
        key: Some("CF01".to_owned()),
    });
    let judge = |report: &Report, shown: &[&str]| {
        let shown = shown.iter().map(|word| (*word).to_owned()).collect();
        scenario.judge(&truth.score(report), report, &shown).len()
    };
    assert_eq!(judge(&report, &["bad_data"]), 0);
    assert_eq!(judge(&report, &[]), 1, "nothing was shown");
    let changed = |change: &dyn Fn(&mut Report)| {
        let mut report = report.clone();
        change(&mut report);
        judge(&report, &["bad_data"])
    };
    let total =
        |said: Said| changed(&|report| report.counters.get_mut(OUTPUT).unwrap().total = said);
    assert_eq!(total(Said::exactly(made + 1)), 1, "outside");
    assert_eq!(total(Said { low: made - 1, best: made, high: made }), 2, "in doubt, and too much");
    let cause = |cause: &str| {
        let causes = vec![cause.to_owned()];
        changed(&|report| report.counters.get_mut(OUTPUT).unwrap().causes.clone_from(&causes))
    };
    assert_eq!((cause("gap"), cause("torn")), (1, 2));
    assert_eq!(changed(&|report| report.signals.push(signal("contradicted"))), 1);
    assert_eq!(changed(&|report| report.signals.clear()), 1);
    assert_eq!(changed(&|report| report.stops.clear()), 1);
    let false_stop = |report: &mut Report| {
        let stop =
            SaidStop { from_us: 40_000_000, to_us: Some(45_000_000), ..report.stops[0].clone() };
        report.stops.push(stop);
    };
    assert_eq!(changed(&false_stop), 1);
    assert_eq!(changed(&|report| report.counters.clear()), 2, "no counter and no wrap");
}
