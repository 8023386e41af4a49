//! Configurations as files: what is wrong in them and their maps comes out together; what is shipped is right.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect_file;
use proptest::prelude::*;

use super::{Config, ConfigError};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths
}

/// Parses with messages that name files as seen from the folder of the cases.
fn parse(path: &Path) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).expect("a text");
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().expect("a folder").to_owned();
    Config::parse(&name, &text, Path::new(""), &|map| fs::read_to_string(folder.join(map)))
}

/// Each `*.bad.toml` is refused with the report beside it: file, line, place, value and way out of all mistakes.
#[test]
fn all_mistakes_of_a_configuration_and_its_maps_are_reported_together() {
    let cases = files("tests/cases/config", ".bad.toml");
    assert!(cases.len() >= 5, "only {} cases were found", cases.len());
    for path in cases {
        let error = parse(&path).expect_err(&path.to_string_lossy());
        expect_file![path.with_extension("expected")].assert_eq(&format!("{error}\n"));
    }
}

#[test]
fn shipped_configurations_are_right() {
    let shipped = files("config", ".toml");
    assert!(shipped.len() >= 2, "only {} configurations were found", shipped.len());
    for path in shipped {
        let config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.lines.len(), 1, "{}", path.display());
        assert_eq!(config.lines[0].devices.len(), 2, "{}", path.display());
    }
}

#[test]
fn what_is_left_out_has_the_default_that_the_example_shows() {
    let config = Config::load(&root().join("config/plant.toml")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.commit_every, Duration::from_millis(250));
    assert_eq!(config.keep_raw, Duration::from_secs(30 * 86_400));
    assert_eq!(config.data, root().join("config").join("data"));
    let device = &config.lines[0].devices[0];
    assert_eq!(device.connect_timeout, Duration::from_secs(1));
    assert_eq!(device.reply_timeout, Duration::from_millis(100));
    assert_eq!(device.backoff, (Duration::from_millis(100), Duration::from_secs(5)));
}

#[test]
fn a_line_charts_its_rejects_and_its_speed_unless_told_otherwise() {
    let config = Config::load(&root().join("config/demo.toml")).unwrap_or_else(|e| panic!("{e}"));
    let charts = &config.lines[0].characteristics;
    let ids: Vec<&str> = charts.iter().map(|chart| &*chart.id).collect();
    assert_eq!((ids[0], ids[ids.len() - 1]), ("reject_fraction", "speed"));
    assert!(ids.contains(&"reject.CF01.no_dose") && ids.contains(&"reject.CW04.underweight"));
    assert!(!ids.iter().any(|id| id.contains("startup_discard")), "ejected on purpose");
    assert!(
        charts.iter().all(|chart| chart.subgroup_minutes == 15 && chart.budget_per_week == 1.0)
    );
}

#[test]
fn a_file_that_is_not_there_is_one_sentence() {
    let error = Config::load(Path::new("no/such.toml")).expect_err("no such file");
    assert_eq!(
        error.to_string(),
        "no/such.toml: cannot be read: No such file or directory (os error 2); give the path of a file like config/plant.toml"
    );
}

proptest! {
    #[test]
    fn no_text_panics_the_reader(
        at in any::<proptest::sample::Index>(),
        length in 0..40_usize,
        graft in prop_oneof![Just(String::new()), "[ -~\n]{0,12}", "\\PC{0,6}", Just("[[line]]\n".to_owned())],
    ) {
        let text = include_str!("../../config/demo.toml");
        let chars: Vec<char> = text.chars().collect();
        let start = at.index(chars.len());
        let end = (start + length).min(chars.len());
        let tail = &chars[end..];
        let text: String = chars[..start].iter().copied().chain(graft.chars()).chain(tail.iter().copied()).collect();
        let map = include_str!("../../plc-maps/cf01-modbus.toml").to_owned();
        let config = Config::parse("any.toml", &text, Path::new(""), &|_| Ok(map.clone()));
        if let Err(error) = config {
            prop_assert!(!error.problems.is_empty(), "a refusal says why");
        }
    }
}
