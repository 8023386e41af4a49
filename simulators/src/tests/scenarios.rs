//! Scenario files: each of ours is read, and a bad one says where it is bad.

use std::path::Path;

use crate::{Counts, Fault, Scenario};

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
            "bad.toml:3:1: disk_full: the plant cannot do this; who runs the service can",
        ),
    ] {
        let said = said(&text);
        assert!(said.starts_with(expected), "{said}");
    }
}
