//! What is read out adds up to the counter, is the same in every form and to a reader that is not ours, and is found out
//! when a byte of it has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use capline::export::{self, ExportError, Format, Order, Watch};
use capline::historian::extract::What;
use domain::digest::sha256;
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{LINE, PATIENCE, Site, repository};
use crate::peers::python;
use crate::process::{capline, text};
use crate::restart::{GOOD, counting, gaps, running_plant, serve};
use crate::skip::skipped;

/// Fills a journal with an hour of a simulated plant. Returns what the ledger of its line says.
pub(crate) async fn simulated(dir: &Path) -> u64 {
    let data = text(dir);
    let args = ["demo", "--port", "0", "--data", &data, "--history", "1h", "--duration", "3s"];
    let (code, out, err) = capline(&args).await;
    assert_eq!(code, Some(0), "{out} {err}");
    let conn = rusqlite::Connection::open(dir.join("journal.db")).expect("the journal opens");
    let total: i64 = conn
        .query_row("select best from line where name = ?1", [LINE], |row| row.get(0))
        .expect("a line");
    assert!(total > 1_000, "{total}");
    total as u64
}

/// A table of an export, row by row as name → cell.
fn table(dir: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let bytes = std::fs::read(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let plain = bytes.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    let mut reader = csv::Reader::from_reader(plain);
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn sum<'t>(rows: impl IntoIterator<Item = &'t BTreeMap<String, String>>, column: &str) -> u64 {
    rows.into_iter().map(|row| row[column].parse::<u64>().expect("a count")).sum()
}

/// What minutes and gaps of a table hold of the good capsules of the filler.
fn counted(dir: &Path, sim: &str) -> u64 {
    let minutes = table(dir, &format!("{LINE}_minutes{sim}.csv"));
    let events = table(dir, &format!("{LINE}_events{sim}.csv"));
    let is_gap = |row: &&BTreeMap<String, String>| {
        row["kind"] == "count"
            && row["tag"] == GOOD
            && !row["from_utc"].is_empty()
            && !row["count_capsules"].is_empty()
    };
    sum(&minutes, "cf01_good_capsules") + sum(events.iter().filter(is_gap), "count_capsules")
}

fn manifest(dir: &Path) -> Value {
    let text = std::fs::read_to_string(dir.join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

/// Shows: SIM-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_hour_is_the_same_in_csv_and_in_parquet_and_is_marked() {
    let dir = tempfile::tempdir().expect("there is room");
    let at = |name: &str| dir.path().join(name);
    let made = simulated(&at("data")).await;
    let data = text(&at("data"));
    for format in ["csv", "parquet"] {
        let out = text(&at(format));
        let (code, said, err) =
            capline(&["export", &data, &out, "--what", "all", "--format", format]).await;
        assert_eq!(code, Some(0), "{said} {err}");
        assert!(said.contains("SIM simulated data") && said.contains(" = "), "{said}");
        let (code, said, err) = capline(&["export", "--verify", &out]).await;
        assert_eq!((code, err.as_str()), (Some(0), ""), "{said}");
        let told = manifest(&at(format));
        assert_eq!((&told["simulated"], &told["zone"]), (&true.into(), &"Asia/Shanghai".into()));
        assert_eq!(told["lines"][0]["account"]["counter"]["best"], made);
        assert_eq!(told["lines"][0]["account"]["adds_up"], true);
        let files = told["files"].as_array().expect("files");
        assert!(
            files
                .iter()
                .all(|file| file["name"].as_str().is_some_and(|name| name.contains("_SIM")))
        );
        // Every table is there, the large ones in days.
        for what in What::ALL {
            assert!(files.iter().any(|file| file["what"] == what.word()), "{}", what.word());
        }
    }
    assert_eq!(counted(&at("csv"), "_SIM"), made);

    let Some(python) = python().filter(has_duckdb) else {
        skipped("Parquet by another reader", "no duckdb in target/peers; tests/run.sh installs it");
        return;
    };
    let script = repository("tests/peers/parquet_rows.py");
    let compare = |parquet: &Path| {
        let done = Command::new(&python).arg(&script).arg(at("csv")).arg(parquet).output();
        let done = done.expect("Python runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<Value>(&done.stdout).expect("JSON")
    };
    let found = compare(&at("parquet"));
    assert_eq!(found["differences"], serde_json::json!([]), "{found}");
    assert_eq!(found["simulated"], "SIM simulated data");
    assert!(found["rows"].as_u64() > Some(1_000), "{found}");
    // The control: another span is not the same.
    let (from, _) = middle(&at("csv"));
    let (code, ..) = capline(&[
        "export",
        &data,
        &text(&at("half")),
        "--what",
        "all",
        "--format",
        "parquet",
        "--from",
        &from,
    ])
    .await;
    assert_eq!(code, Some(0));
    assert_ne!(compare(&at("half"))["differences"], serde_json::json!([]));
}

fn has_duckdb(python: &PathBuf) -> bool {
    Command::new(python)
        .args(["-c", "import duckdb"])
        .output()
        .is_ok_and(|done| done.status.success())
}

/// A minute in the middle of an export, and how many good capsules its minutes hold before it.
fn middle(dir: &Path) -> (String, u64) {
    let minutes = table(dir, &format!("{LINE}_minutes_SIM.csv"));
    let half = minutes.len() / 2;
    (minutes[half]["utc"].clone(), sum(&minutes[..half], "cf01_good_capsules"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_halves_of_a_journal_are_the_whole() {
    let dir = tempfile::tempdir().expect("there is room");
    let at = |name: &str| dir.path().join(name);
    let made = simulated(&at("data")).await;
    let data = text(&at("data"));
    let whole = capline(&["export", &data, &text(&at("whole"))]).await;
    assert_eq!(whole.0, Some(0), "{}", whole.2);
    let (border, before) = middle(&at("whole"));
    let mut parts = 0;
    for (name, option) in [("first", "--to"), ("second", "--from")] {
        let args = ["export", &data, &text(&at(name)), option, &border, "--what", "events,minutes"];
        let (code, out, err) = capline(&args).await;
        assert_eq!(code, Some(0), "{out} {err}");
        let account = &manifest(&at(name))["lines"][0]["account"];
        assert_eq!((&account["adds_up"], &account["total"]["best"]), (&true.into(), &made.into()));
        let within = counted(&at(name), "_SIM");
        assert_eq!(account["counter"]["best"], within);
        parts += within;
    }
    assert_eq!(parts, made);
    assert!(0 < before && before < made);
}

/// Shows: HIS-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_running_service_wrote_adds_up_and_a_flipped_byte_is_named() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let (before, service, _) = counting(&site, &plant, 100).await;
    service.kill();
    // Longer than a count may be smeared over minutes.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let (mut service, api) = serve(&site).await;
    let gap = gaps(api, 1).await[0];
    let (config, out) = (text(&site.file()), site.path().join("out"));
    let (code, said, err) = capline(&["export", &config, &text(&out), "--what", "all"]).await;
    assert_eq!(code, Some(0), "{said} {err}");
    let told = manifest(&out);
    let account = &told["lines"][0]["account"];
    assert_eq!((&told["site"], &told["simulated"]), (&"Test".into(), &false.into()));
    assert_eq!((&account["adds_up"], &account["tag"]), (&true.into(), &GOOD.into()));
    assert_eq!(account["within"]["gaps"]["best"], gap.best());
    assert_eq!(account["counter"]["best"], counted(&out, ""));
    // The service was not held up.
    plant.hold();
    api.counts(plant.ledger().made - before).await;
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    plant.stop().await;
    let (code, said, err) = capline(&["export", &config, &text(&out)]).await;
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(err.contains("is there already"), "{err}");

    // Each byte counts, in each file; and nothing else is wrong with it.
    let sound = capline(&["export", "--verify", &text(&out)]).await;
    assert_eq!(sound.0, Some(0), "{}", sound.2);
    let names = names_in(&out);
    assert!(names.len() > 15, "{names:?}");
    let quiet: Watch = Arc::new(|_| true);
    for name in &names {
        let whole = std::fs::read(out.join(name)).expect("it is readable");
        let mut spoilt = whole.clone();
        spoilt[whole.len() / 2] ^= 1;
        std::fs::write(out.join(name), &spoilt).expect("it is ours");
        let (_, found) = export::verify(&out, &quiet).expect("it is an export");
        assert!(found.iter().any(|difference| difference.file == *name), "{name}: {found:?}");
        std::fs::write(out.join(name), &whole).expect("it is ours");
    }
    std::fs::write(out.join("more.csv"), "1").expect("it is ours");
    std::fs::remove_file(out.join(&names[0])).expect("it is ours");
    let (code, _, err) = capline(&["export", "--verify", &text(&out)]).await;
    assert_eq!(code, Some(1));
    assert!(
        err.contains("more.csv: is no file of this export") && err.contains(&names[0]),
        "{err}"
    );
}

/// Whoever changes a figure and all hashes with it is found out by the account.
/// Shows: HIS-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_figure_that_was_changed_with_its_hash_does_not_add_up() {
    let dir = tempfile::tempdir().expect("there is room");
    let out = dir.path().join("out");
    let journal = golden(dir.path());
    let (code, said, err) = capline(&["export", &text(&journal), &text(&out)]).await;
    assert!(code.is_some_and(|code| code < 2), "{said}");
    assert!(err.lines().count() == 1 && err.contains("is not noted in the audit trail"), "{err}");
    let mut told = manifest(&out);
    let files = told["files"].as_array_mut().expect("files");
    let minutes = files.iter_mut().find(|file| file["what"] == "minutes").expect("minutes");
    let name = minutes["name"].as_str().expect("a name").to_owned();
    let good = minutes["columns"].as_array().expect("columns").iter().find_map(|column| {
        let is_good = column["of"]["counted"] == "good" && column["of"]["bound"] == "best";
        is_good.then(|| column["name"].as_str().expect("a name").to_owned())
    });
    let good = good.expect("a counter of good capsules");
    let rows = table(&out, &name);
    let n: u64 = rows[0][&good].parse().expect("a count");
    // One capsule more in the file, in its sum and in every hash.
    let csv = std::fs::read_to_string(out.join(&name)).expect("it is readable");
    let (head, body) = csv.split_once("\r\n").expect("a head");
    let place = head.trim_start_matches('\u{feff}').split(',').position(|name| name == good);
    let (first, rest) = body.split_once("\r\n").expect("a row");
    let mut cells: Vec<String> = first.split(',').map(str::to_owned).collect();
    cells[place.expect("a column")] = (n + 1).to_string();
    let forged = format!("{head}\r\n{}\r\n{rest}", cells.join(","));
    std::fs::write(out.join(&name), &forged).expect("it is ours");
    minutes["sha256"] = sha256(&forged).into();
    minutes["bytes"] = forged.len().into();
    let told_sum = minutes["figures"]["sums"][&good].as_u64().expect("a sum");
    minutes["figures"]["sums"][&good] = (told_sum + 1).into();
    let text_of = serde_json::to_string(&told).expect("JSON");
    std::fs::write(out.join("manifest.json"), &text_of).expect("it is ours");
    let list: String = told["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| {
            format!(
                "{}  {}\n",
                file["sha256"].as_str().expect("a hash"),
                file["name"].as_str().expect("a name")
            )
        })
        .collect();
    std::fs::write(out.join("SHA256SUMS"), format!("{list}{}  manifest.json\n", sha256(&text_of)))
        .expect("it is ours");
    let quiet: Watch = Arc::new(|_| true);
    let (_, found) = export::verify(&out, &quiet).expect("it is an export");
    let is_it =
        |what: &str| what.contains("good capsules") && what.contains("where the account has");
    assert!(found.iter().any(|d| d.file == name && is_it(&d.what)), "{found:?}");
}

/// A journal of an earlier version, alone in a directory.
fn golden(dir: &Path) -> PathBuf {
    let journal = dir.join("golden");
    std::fs::create_dir_all(&journal).expect("there is room");
    let from = repository("tests/cases/journal/schema-3/journal.db");
    std::fs::copy(from, journal.join("journal.db")).expect("it can be copied");
    journal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_journal_is_read_and_not_changed() {
    let dir = tempfile::tempdir().expect("there is room");
    let journal = golden(dir.path());
    let hash = || sha256(std::fs::read(journal.join("journal.db")).expect("it is readable"));
    let (before, out) = (hash(), dir.path().join("out"));
    let (_, said, err) = capline(&["export", &text(&journal), &text(&out)]).await;
    // It has no trail yet, and that it was read out is said to be noted nowhere.
    let words = "is not noted in the audit trail";
    assert!(
        err.contains(words) && err.contains("has schema 3") && err.lines().count() == 1,
        "{said} {err}"
    );
    assert_eq!((&manifest(&out)["schema"], hash()), (&3.into(), before));
    let events = table(&out, "L1_events.csv");
    assert_eq!(events.iter().filter(|row| row["kind"] == "count").count(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_order_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("there is room");
    let journal = golden(dir.path());
    let good = text(&journal);
    let cut = dir.path().join("cut");
    std::fs::create_dir(&cut).expect("there is room");
    let bytes = std::fs::read(journal.join("journal.db")).expect("it is readable");
    std::fs::write(cut.join("journal.db"), &bytes[..bytes.len() / 2]).expect("there is room");
    std::fs::create_dir(dir.path().join("empty")).expect("there is room");
    let [cut, empty, none] = ["cut", "empty", "none"].map(|name| text(&dir.path().join(name)));
    let cases: [(&[&str], &str); 8] = [
        (&[&none], "holds no journal"),
        (&[&empty], "holds no journal"),
        (&[&cut], "damaged"),
        (&[&good, "--line", "L9"], "no line \"L9\"; it has L1"),
        (
            &[&good, "--what", "minutes,weather"],
            "\"weather\": there is no such table; known are minutes,",
        ),
        (&[&good, "--from", "yesterday"], "--from \"yesterday\" is no moment; write 2026-11-24"),
        (&[&good, "--from", "2026-02-01", "--to", "2026-01-01"], "swap them"),
        (&[&good, "--format", "xlsx"], "write csv or parquet"),
    ];
    let out = text(&dir.path().join("out"));
    for (args, way_out) in cases {
        let args = [&["export", args[0], out.as_str()], &args[1..]].concat();
        let (code, said, err) = capline(&args).await;
        assert_eq!((code, said.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains(way_out), "{args:?}: {err}");
        assert_eq!(names_in(dir.path()), ["cut", "empty", "golden"], "{args:?}");
    }
    let (code, _, err) = capline(&["export", "--verify", &empty]).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("is no export: manifest.json cannot be read"), "{err}");
}

/// What a directory holds, in the order of the names.
fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("it is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn an_export_that_is_given_up_at_any_step_leaves_nothing() {
    let dir = tempfile::tempdir().expect("there is room");
    let order = Order {
        journal: golden(dir.path()),
        out: dir.path().join("out"),
        from: None,
        to: None,
        lines: Vec::new(),
        what: What::ALL.to_vec(),
        format: Format::Parquet,
        plant: None,
    };
    let mut steps = 0;
    loop {
        let left = AtomicU64::new(steps);
        let stop: Watch = Arc::new(move |_| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
        });
        match export::write(&order, &stop) {
            Err(ExportError::GivenUp) => {
                assert_eq!(names_in(dir.path()), ["golden"], "step {steps}")
            }
            Err(error) => panic!("step {steps}: {error}"),
            Ok(_) => break,
        }
        steps += 1;
    }
    assert!(steps > 18, "a step for each table and more, {steps}");
    assert_eq!(names_in(dir.path()), ["golden", "out"]);
}
