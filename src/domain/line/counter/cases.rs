//! The text cases of `tests/cases/counting`, and that one that is wrong is found.

use std::path::Path;

use super::case::{Outcome, run};

/// Shows: CNT-02, CNT-03
#[test]
fn every_case_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/counting");
    let mut n_cases = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("a case").path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable case");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let outcome = run(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        n_cases += outcome.compared;
        wrong.extend(outcome.mismatches.into_iter().map(|mismatch| format!("{name}: {mismatch}")));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(n_cases >= 40, "only {n_cases} cases were found");
}

/// The negative control: an expectation that is wrong, and words that mean nothing.
#[test]
fn a_wrong_case_is_found_and_named_with_its_line() {
    let case =
        "every 1s wrap 65536 uptime steady\nCF01.Good  65500 14 # a comment\nexpect 50 [50, 50]";
    assert_eq!(run(case), Ok(Outcome { compared: 1, mismatches: Vec::new() }));
    let wrong = run(&case.replace("expect 50", "expect 51")).expect("it can be played");
    assert_eq!(wrong.mismatches.len(), 1, "{wrong:?}");
    assert!(
        wrong.mismatches[0].starts_with("line 3: ") && wrong.mismatches[0].contains("50 [50, 50]")
    );
    for (text, words) in [
        ("1 2 3", "line 1: there is no line `every …` before it"),
        ("every 1s\nsame", "line 2: there is no reading before it"),
        ("every 1s wrap", "line 1: wrap needs a value"),
        ("every 1h", "unknown unit h"),
        ("every 1s\nmany", "line 2: many is no number"),
        ("every 1s wrap 2^99", "2^99 is no number"),
    ] {
        let refused = run(text).expect_err(text);
        assert!(refused.contains(words), "{text}: {refused}");
    }
}
