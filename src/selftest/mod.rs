//! Every shipped case, built into the binary, and its comparison: what an installation is qualified with.

mod cases;

use domain::digest::sha256;
use domain::line::counter::case as counting;
use domain::line::oee_file;
use domain::spc::case;
use serde_json::Value;

use cases::{COUNTING, OEE, SPC, TABLES};

/// Most mismatches that are told of one case.
const TOLD: usize = 10;

/// OEE and its factors agree when they differ by less than this.
const OEE_TOLERANCE: f64 = 1e-6;

/// A case that is built in.
struct Case {
    id: &'static str,
    text: &'static str,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its path below the cases: `spc/day_a_p`.
    pub id: String,
    /// SHA-256 of its text, followed by the text of its table if it has one.
    pub sha256: String,
    /// Values compared.
    pub compared: usize,
    /// What disagrees, at most the first ten, in words.
    pub mismatches: Vec<String>,
}

impl Verdict {
    /// Whether something was compared and all of it agrees.
    pub fn agrees(&self) -> bool {
        self.compared > 0 && self.mismatches.is_empty()
    }
}

/// Runs all cases, in the order of their names.
pub fn run() -> Vec<Verdict> {
    let oee = OEE.iter().map(|case| verdict("oee", case, None, judge_oee));
    let spc = SPC.iter().map(|case| verdict("spc", case, table_of(case), judge_spc));
    COUNTING.iter().map(counted).chain(oee).chain(spc).collect()
}

/// A file of counting cases: each expectation is a value compared.
fn counted(case: &Case) -> Verdict {
    let outcome = counting::run(case.text);
    let (compared, mut mismatches) =
        outcome.map_or_else(|error| (0, vec![error]), |done| (done.compared, done.mismatches));
    mismatches.truncate(TOLD);
    let sha256 = sha256(case.text.as_bytes());
    Verdict { id: format!("counting/{}", case.id), sha256, compared, mismatches }
}

type Judged = Result<(usize, Vec<String>), String>;

fn verdict(
    kind: &str,
    case: &Case,
    table: Option<&str>,
    judge: fn(&Value, Option<&str>) -> Judged,
) -> Verdict {
    let judged = parse(case.text).and_then(|value| judge(&value, table));
    let (compared, mismatches) = judged.unwrap_or_else(|error| (0, vec![error]));
    Verdict {
        id: format!("{kind}/{}", case.id),
        sha256: sha256(format!("{}{}", case.text, table.unwrap_or_default()).as_bytes()),
        compared,
        mismatches,
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("the case is no JSON: {error}"))
}

fn table_of(case: &Case) -> Option<&'static str> {
    let value = parse(case.text).ok()?;
    let name = case::table_name(&value)?;
    TABLES.iter().find(|table| table.id == name).map(|table| table.text)
}

fn judge_spc(case: &Value, table: Option<&str>) -> Judged {
    let computed = case::run(case, table).map_err(|error| error.to_string())?;
    let comparison = case::compare(case, &computed);
    let told = comparison.mismatches.iter().take(TOLD);
    let told =
        told.map(|m| format!("{}: expected {}, computed {}", m.place, m.expected, m.computed));
    Ok((comparison.compared, told.collect()))
}

fn judge_oee(case: &Value, _: Option<&str>) -> Judged {
    let input: oee_file::Input =
        serde_json::from_value(case["input"].clone()).map_err(|error| error.to_string())?;
    let report = oee_file::kpis(&input).map_err(|error| error.to_string())?;
    let report = serde_json::to_value(report).map_err(|error| error.to_string())?;
    let (mut compared, mut mismatches) = (0, Vec::new());
    compare("", &case["expect"], &report, &mut compared, &mut mismatches);
    mismatches.truncate(TOLD);
    Ok((compared, mismatches))
}

/// Everything that is expected must be found.
fn compare(
    place: &str,
    expected: &Value,
    found: &Value,
    compared: &mut usize,
    mismatches: &mut Vec<String>,
) {
    match (expected, found) {
        (Value::Object(fields), _) => {
            for (name, value) in fields {
                compare(&format!("{place}.{name}"), value, &found[name], compared, mismatches);
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (i, (item, other)) in items.iter().zip(others).enumerate() {
                compare(&format!("{place}[{i}]"), item, other, compared, mismatches);
            }
        }
        _ => {
            *compared += 1;
            let close = match (expected.as_f64(), found.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < OEE_TOLERANCE,
                _ => expected == found,
            };
            if !close {
                mismatches.push(format!("{place}: expected {expected}, computed {found}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Shows: EVI-01, SPC-01
    #[test]
    fn every_case_that_is_shipped_is_built_in_and_agrees() {
        let verdicts = run();
        for verdict in &verdicts {
            assert!(verdict.agrees(), "{verdict:?}");
        }
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        for (kind, ending) in [("counting", "txt"), ("oee", "json"), ("spc", "json")] {
            let mut shipped = Vec::new();
            for entry in std::fs::read_dir(cases.join(kind)).expect("the cases") {
                let path = entry.expect("a case").path();
                if path.extension().is_some_and(|extension| extension == ending) {
                    let stem = path.file_stem().expect("a name").to_string_lossy();
                    shipped.push(format!("{kind}/{stem}"));
                }
            }
            shipped.sort();
            let built_in = verdicts.iter().map(|verdict| verdict.id.clone());
            let built_in: Vec<String> = built_in.filter(|id| id.starts_with(kind)).collect();
            assert_eq!(built_in, shipped);
        }
    }

    /// Shows: EVI-01
    #[test]
    fn a_wrong_expectation_is_noticed() {
        let spoilt = |case: &Case, from: &str, to: &str| {
            assert!(case.text.contains(from), "{from} is in {}", case.id);
            Box::leak(case.text.replacen(from, to, 1).into_boxed_str()) as &'static str
        };
        let find = |cases: &'static [Case], id| cases.iter().find(|c| c.id == id).expect("a case");
        let oee = find(OEE, "01_vorne_shift");
        let text = spoilt(oee, "0.7479365079365079", "0.7479465079365079");
        let judged = verdict("oee", &Case { id: oee.id, text }, None, judge_oee);
        assert_eq!(judged.mismatches.len(), 1, "{judged:?}");
        let counting = find(COUNTING, "wrap_or_reset");
        let text = spoilt(counting, "expect 96 [96, 96]", "expect 95 [95, 95]");
        let judged = counted(&Case { id: counting.id, text });
        assert!(judged.mismatches.len() == 1 && !judged.agrees(), "{judged:?}");
        let spc = find(SPC, "ewma_nist_exact");
        let text = spoilt(spc, "\"status\":\"ok\"", "\"status\":\"no_data\"");
        let judged = verdict("spc", &Case { id: spc.id, text }, None, judge_spc);
        assert!(!judged.agrees(), "{judged:?}");
    }

    #[test]
    fn a_case_that_compares_nothing_does_not_agree() {
        let judged = verdict("oee", &Case { id: "x", text: "{}" }, None, judge_oee);
        assert!(!judged.agrees(), "{judged:?}");
    }
}
