//! `capline-sim` as a person meets it: the built program, its output, its exit code.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in the folder of the sources.
fn run(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the simulators have a place");
    let mut command = Command::new(env!("CARGO_BIN_EXE_capline-sim"));
    command.args(args).current_dir(root).env_remove("RUST_LOG").output().expect("the program runs")
}

#[test]
fn every_scenario_of_the_folder_is_listed() {
    let output = run(&["list"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for file in std::fs::read_dir(files).expect("there are scenarios").flatten() {
        let name = file.path().file_stem().expect("a name").to_string_lossy().into_owned();
        let is_it = |line: &str| line.split_whitespace().next() == Some(&name);
        assert!(said.lines().any(is_it), "{name} is not in {said}");
    }
}

/// What cannot be done is exit code 2, apart from a verdict, which is 0 or 1.
#[test]
fn what_cannot_be_done_is_said_and_is_no_verdict() {
    for (args, wanted) in [
        (&["run", "no_such"][..], "there is no scenario no_such"),
        (&["score", "--scenario", "disk_full"], "disk_full has faults of the service"),
        (&["score", "--sim", "http://127.0.0.1:1"], "is it running, and is the address right?"),
        (&["replay", "no.csv"], "no.csv"),
    ] {
        let output = run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(wanted) && output.stdout.is_empty(), "{args:?}: {said}");
    }
}
