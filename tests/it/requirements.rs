//! Requirement → test, both ways: what Capline has to do is in `tests/cases/requirements.toml`, and a test says what it
//! shows in the line above its attribute. The matrix is written to `target/trace-matrix.md`.
//!
//! That a test shows what it claims is for whoever reads it; here is only that nothing is missing and nothing made up.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::harness::repository;

/// How a claim begins.
const CLAIM: &str = "/// Shows: ";

/// Requirements of a group by their ids, groups by their names.
type Requirements = BTreeMap<String, BTreeMap<String, String>>;

/// A requirement that a test claims to show.
#[derive(Debug, PartialEq, Eq)]
struct Claim {
    id: String,
    /// File and line of the claim.
    place: String,
    test: String,
}

/// Claims of a file, and what is wrong with some of them.
fn claims(file: &Path, text: &str) -> (Vec<Claim>, Vec<String>) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let (mut claims, mut wrong) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        let Some(comment) = line.strip_prefix("//") else { continue };
        let place = format!("{}:{}", file.display(), at + 1);
        let Some(ids) = line.strip_prefix(CLAIM) else {
            if comment.trim_start_matches('/').trim_start().starts_with("Shows:") {
                wrong.push(format!("{place}: a claim is written `{CLAIM}CNT-01, ACQ-03`"));
            }
            continue;
        };
        match test_below(&lines, at) {
            Some(test) => claims.extend(ids.split(',').map(|id| Claim {
                id: id.trim().to_owned(),
                place: place.clone(),
                test: test.clone(),
            })),
            None => wrong
                .push(format!("{place}: a claim stands directly above the attribute of a test")),
        }
    }
    (claims, wrong)
}

/// The name of the test whose attribute is on the next line.
fn test_below(lines: &[&str], at: usize) -> Option<String> {
    let attribute = lines.get(at + 1)?;
    if *attribute != "#[test]" && !attribute.starts_with("#[tokio::test") {
        return None;
    }
    let below = lines[at + 2..].iter().find(|line| !line.starts_with("#["))?;
    let name = below.split_once("fn ")?.1;
    Some(name.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.to_owned())
}

/// Requirements without a test, and claims of what is none.
fn compare(requirements: &Requirements, claims: &[Claim]) -> Vec<String> {
    let known = |id: &str| requirements.values().any(|group| group.contains_key(id));
    let mut wrong = Vec::new();
    for id in requirements.values().flat_map(BTreeMap::keys) {
        if !claims.iter().any(|claim| claim.id == *id) {
            wrong.push(format!("{id} is shown by no test; write one, or strike it out"));
        }
    }
    for Claim { id, place, test } in claims {
        if !known(id) {
            wrong.push(format!(
                "{place}: {test} claims {id:?}, which tests/cases/requirements.toml does not have"
            ));
        }
    }
    wrong
}

/// The matrix for people.
fn matrix(requirements: &Requirements, claims: &[Claim]) -> String {
    let mut text = String::from("# Requirements and the tests that show them\n");
    for (group, requirements) in requirements {
        let _ = write!(text, "\n## {group}\n\n| id | requirement | shown by |\n|---|---|---|\n");
        for (id, sentence) in requirements {
            let its = claims.iter().filter(|claim| claim.id == *id);
            let its: Vec<String> =
                its.map(|claim| format!("`{}` ({})", claim.test, claim.place)).collect();
            let _ = writeln!(text, "| {id} | {sentence} | {} |", its.join("<br>"));
        }
    }
    text
}

/// All Rust sources that hold tests.
fn sources() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = ["src", "simulators/src", "tests"].map(repository).into();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read_requirements() -> Requirements {
    let text = std::fs::read_to_string(repository("tests/cases/requirements.toml"));
    toml::from_str(&text.expect("the requirements are there")).expect("groups of sentences")
}

/// Shows: EVI-05
#[test]
fn every_requirement_has_a_test_and_every_claim_a_requirement() {
    let requirements = read_requirements();
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    let root = repository("");
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("a source is text");
        let (found, broken) = claims(path.strip_prefix(&root).unwrap_or(&path), &text);
        all.extend(found);
        wrong.extend(broken);
    }
    wrong.extend(compare(&requirements, &all));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let n: usize = requirements.values().map(BTreeMap::len).sum();
    assert!(n > 40 && all.len() >= n, "{n} requirements, {} claims", all.len());
    std::fs::write(repository("target/trace-matrix.md"), matrix(&requirements, &all))
        .expect("target can be written");
}

/// The negative control: each thing that the comparison is for is found.
/// Shows: EVI-05
#[test]
fn what_is_missing_unknown_or_stands_on_nothing_is_found() {
    let requirements: Requirements =
        toml::from_str("[a]\nA-1 = 'one'\nA-2 = 'two'").expect("a made-up table");
    let of = |text: &str| claims(Path::new("made/up.rs"), &text.replace('@', "/// Shows:"));
    let whole = "@ A-1, A-2\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn both() {}\n";
    let (found, broken) = of(whole);
    assert_eq!((compare(&requirements, &found), broken), (Vec::new(), Vec::new()));
    assert_eq!(found[1].test, "both");
    assert!(matrix(&requirements, &found).contains("| A-2 | two | `both` (made/up.rs:1) |"));

    let (found, _) = of("@ A-1\n#[test]\n#[cfg(unix)]\nfn one() {}\n");
    assert_eq!(found[0].test, "one");
    let missing = compare(&requirements, &found);
    assert!(missing.len() == 1 && missing[0].starts_with("A-2 is shown by no test"), "{missing:?}");

    let (found, _) = of(&whole.replace("A-2", "A-2, B-9"));
    let unknown = compare(&requirements, &found);
    assert!(unknown.len() == 1 && unknown[0].contains("both claims \"B-9\""), "{unknown:?}");

    for text in [
        "@ A-1\nfn no_test() {}",
        "@ A-1\n\n#[test]\nfn one() {}",
        "@ A-1\n#[cfg(test)]\nmod tests {}",
        "@ A-1",
        "// Shows: A-1\n#[test]\nfn one() {}",
        "/// Shows:A-1\n#[test]\nfn one() {}",
    ] {
        let (found, broken) = of(text);
        assert_eq!((found.len(), broken.len()), (0, 1), "{text}: {broken:?}");
    }
}
