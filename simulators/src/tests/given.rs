//! What is given on the command line.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Scenario, ignored, length, scenario_file};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[test]
fn a_length_of_time_is_written_as_everywhere_else() {
    for (text, seconds) in [
        ("30", 30.0),
        ("30s", 30.0),
        ("1.5 s", 1.5),
        ("250ms", 0.25),
        ("5min", 300.0),
        ("5m", 300.0),
        ("2h", 7_200.0),
        ("1d", 86_400.0),
    ] {
        assert_eq!(length(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
    }
    for text in ["", "min", "-3s", "5 minutes", "1e400", "NaN", "inf"] {
        let said = length(text).unwrap_err();
        assert_eq!(said, format!("{text} is no time; write 30s, 5min or 2h"));
    }
}

#[test]
fn a_scenario_is_found_by_its_file_and_by_the_name_that_is_listed() {
    let file = folder().join("mute.toml");
    for name in ["mute", "mute.toml"] {
        assert_eq!(scenario_file(Path::new(name), &folder()).as_ref(), Ok(&file), "{name}");
    }
    assert_eq!(scenario_file(&file, Path::new("nowhere")).as_ref(), Ok(&file));
    for Scenario { name, .. } in Scenario::all(&folder()).unwrap() {
        assert!(scenario_file(Path::new(&name), &folder()).is_ok(), "{name}");
    }
    let said = scenario_file(Path::new("muted"), Path::new("there")).unwrap_err();
    assert_eq!(
        said,
        "there is no scenario muted, neither as a file nor as there/muted.toml; list shows those \
         that there are, --folder says where"
    );
}

#[test]
fn what_a_plant_alone_does_not_heed_is_named() {
    let parse = |text: &str| Scenario::parse(Path::new("it.toml"), text).unwrap();
    let head = "title = \"A scenario.\"\nseconds = 60\n";
    assert!(ignored(&parse(head)).is_empty());
    let all = "whole_line = true\noutput = \"panel\"\nshift_change_s = 30\n[expect]\ncounts = \"flagged\"\n";
    let named = ignored(&parse(&format!("{head}{all}")));
    assert_eq!(named, ["output", "whole_line", "shift_change_s", "expect"]);
}
