//! What a test does when something it needs is not installed: a person is told, CI fails.

use std::io::Write;

/// Whether a test must be left out because of what is `missing`.
///
/// # Panics
/// With `CI` set: there nothing may be skipped.
pub(crate) fn skipped(test: &str, missing: &str) -> bool {
    let line = format!("skipped: {test}: {missing}");
    assert!(!nothing_may_be_skipped(std::env::var("CI").ok().as_deref()), "{line}");
    say(&line);
    true
}

/// Says something to people, also of a test that passes: the test harness keeps what `eprintln!` says of one.
pub(crate) fn say(line: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn nothing_may_be_skipped(ci: Option<&str>) -> bool {
    ci.is_some_and(|value| !matches!(value, "" | "0" | "false"))
}

#[test]
fn only_ci_refuses_to_skip() {
    for (value, refuses) in [
        (None, false),
        (Some(""), false),
        (Some("false"), false),
        (Some("true"), true),
        (Some("1"), true),
    ] {
        assert_eq!(nothing_may_be_skipped(value), refuses, "CI = {value:?}");
    }
}
