//! Pace of acquisition: `capline bench acquire` as a command, real-time priority as the system grants it, and lateness
//! as a monitoring system reads it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use simulators::PlantConfig;

use crate::harness::{Api, FILLER, PATIENCE, Site, any_port, plant, until};
use crate::process::Process;
use crate::skip::skipped;

/// Time for all rows, on a machine that is busy with other tests.
const BENCH: Duration = Duration::from_secs(300);

fn figure(row: &Value, name: &str) -> Option<f64> {
    let figures = row["figures"].as_array()?;
    figures.iter().find(|figure| figure["name"] == name)?["value"].as_f64()
}

/// Shows: EVI-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench_acquire_measures_every_row_and_its_sums_add_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("figures.json").display().to_string();
    let mut bench = Process::capline(&["bench", "acquire", "--seconds", "1", "--json", &json]);
    let code = bench.exit(BENCH).await.code();
    let table = bench.stdout().join("\n");
    assert!(matches!(code, Some(0 | 1)), "an aim may be missed here: {code:?} {table}");
    assert!(table.contains("cores, load before ") && table.contains("| what | measured |"));
    let text = std::fs::read_to_string(&json).expect("figures");
    let figures: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(figures["interrupted"], false);
    assert!(figures["machine"]["cores"].as_u64() >= Some(1), "{figures:#}");
    let rows = figures["rows"].as_array().expect("rows");
    for row in rows {
        let what = row["what"].as_str().expect("a name");
        assert!(table.contains(&format!("| {what} |")), "{what} is in the table: {table}");
        assert_eq!(row["failed"], false, "{row:#}");
    }
    let row = |part: &str| -> &Value {
        let find = |row: &&Value| row["what"].as_str().is_some_and(|what| what.contains(part));
        rows.iter().find(find).unwrap_or_else(|| panic!("no row of {part}: {figures:#}"))
    };
    for part in ["tokio-modbus alone", "read and decoded", "as it goes, 125 registers: stored"] {
        assert!(figure(row(part), "polls") > Some(0.0), "{part}: {figures:#}");
    }
    for part in ["registers: stored", "100 devices", "one device", "while every core is busy"] {
        let row = row(part);
        let of = |name| figure(row, name).unwrap_or_else(|| panic!("no {name}: {row:#}"));
        assert_eq!(of("planned"), of("done") + of("missed"), "{row:#}");
        assert!(of("done") > 0.0, "{row:#}");
    }
    let late = row("while every core is busy");
    assert!(
        figure(late, "p50") <= figure(late, "p99") && figure(late, "p99") <= figure(late, "worst")
    );
    let first = row("SCHED_FIFO");
    let refused = first["note"].as_str().is_some_and(|note| note.contains("not permitted"));
    assert!(refused || figure(first, "p99").is_some(), "{first:#}");
    let c = row("libmodbus, in C");
    let missing = c["note"].as_str().is_some_and(|note| {
        note.contains("install libmodbus-dev") || note.contains("no C compiler")
    });
    assert!(missing || figure(c, "polls") > Some(0.0), "{c:#}");
    let opcua = row("OPC UA");
    assert!(figure(opcua, "values") > Some(0.0), "{opcua:#}");
    assert_eq!(figure(opcua, "lost unmarked"), Some(0.0), "{opcua:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_ends_bench_acquire_with_what_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("figures.json").display().to_string();
    let mut bench = Process::capline(&["bench", "acquire", "--seconds", "600", "--json", &json]);
    until("the first row", PATIENCE, async || {
        let err = bench.stderr();
        let begun = err.iter().any(|line| line.contains("one connection as fast as it goes"));
        if begun { Ok(()) } else { Err(format!("{err:?}")) }
    })
    .await;
    bench.signal(Signal::INT);
    let status = bench.exit(Duration::from_secs(60)).await;
    assert_eq!(status.code(), Some(1), "{:?}", bench.stderr());
    let table = bench.stdout().join("\n");
    assert!(table.contains("Ended early") && table.contains("tokio-modbus alone"), "{table}");
    assert!(!table.contains("100 devices"), "no other row begins: {table}");
    let figures = std::fs::read_to_string(&json).expect("figures");
    assert!(figures.contains("\"interrupted\": true"), "{figures}");
}

/// A service that polls the filler with a wish for this priority, started by a command that may take rights away.
async fn with_priority(
    wrapper: &[&str],
    priority: Option<u8>,
) -> (Api, Process, Site, simulators::Plant) {
    let site = Site::new();
    let plant = plant(PlantConfig::default(), site.path()).await;
    let filler = plant.modbus_addr().to_string();
    site.configure(any_port(), "CF01", &[(FILLER, &filler)]);
    if let Some(priority) = priority {
        let text = std::fs::read_to_string(site.file()).expect("the configuration");
        let text = format!("[acquisition]\nrealtime_priority = {priority}\n{text}");
        std::fs::write(site.file(), text).expect("the configuration");
    }
    let file = site.file().display().to_string();
    let own = [env!("CARGO_BIN_EXE_capline"), "run", "--config", &file];
    let words: Vec<&str> = wrapper.iter().copied().chain(own).collect();
    let mut process = Process::start(Command::new(words[0]).args(&words[1..]));
    let api = process.api().await;
    api.heard("CF01").await;
    (api, process, site, plant)
}

/// The value of a metric of exactly this name, with its labels if it has some.
fn metric(text: &str, name: &str) -> Option<f64> {
    let value = |line: &str| -> Option<f64> {
        let rest = line.strip_prefix(name)?;
        rest.strip_prefix("{}").unwrap_or(rest).strip_prefix(' ')?.parse().ok()
    };
    text.lines().find_map(value)
}

/// Whether a program that runs under `wrapper` may have `SCHED_FIFO`, as the system itself says.
fn may_have_fifo(wrapper: &[&str]) -> bool {
    let words: Vec<&str> = wrapper.iter().copied().chain(["chrt", "-f", "1", "true"]).collect();
    let run = Command::new(words[0]).args(&words[1..]).output();
    run.is_ok_and(|output| output.status.success())
}

/// Takes away the right to real-time priority. Only root can give up a right for good; others do not have it.
fn without_right() -> Vec<&'static str> {
    let limit = ["prlimit", "--rtprio=0:0"];
    let drop = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"];
    let is_root = rustix::process::geteuid().is_root();
    limit.into_iter().chain(drop.into_iter().filter(|_| is_root)).collect()
}

/// Shows: ACQ-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_priority_that_is_not_permitted_is_warned_of_once_and_done_without() {
    let wrapper = without_right();
    let works = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").output();
    if !works.is_ok_and(|output| output.status.success())
        && skipped("realtime", "prlimit and setpriv")
    {
        return;
    }
    assert!(!may_have_fifo(&wrapper), "the control: the right is gone");
    let (api, process, _site, plant) = with_priority(&wrapper, Some(20)).await;
    let text = api.text("/metrics").await.expect("metrics");
    assert_eq!(metric(&text, "capline_poll_realtime_priority"), Some(0.0), "{text}");
    assert_eq!(metric(&text, "capline_poll_realtime_wanted"), Some(20.0));
    let data = api.get("/api/v1/lines/L1/data").await.expect("data");
    assert_eq!(data["scheduling"]["realtime_priority"], Value::Null, "{data:#}");
    assert_eq!(data["scheduling"]["wanted"], 20.0);
    let err = process.stderr();
    let warnings: Vec<_> = err.iter().filter(|line| line.contains("LimitRTPRIO")).collect();
    assert_eq!(warnings.len(), 1, "{err:#?}");
    assert!(warnings[0].contains("CAP_SYS_NICE") && warnings[0].contains("WARN"), "{warnings:?}");
    plant.stop().await;
}

/// Shows: ACQ-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_priority_that_is_permitted_is_the_one_of_the_poll_thread_alone() {
    if !may_have_fifo(&["env"]) && skipped("realtime", "the right to SCHED_FIFO, or chrt") {
        return;
    }
    let (api, process, _site, plant) = with_priority(&["env"], Some(20)).await;
    let text = api.text("/metrics").await.expect("metrics");
    assert_eq!(metric(&text, "capline_poll_realtime_priority"), Some(20.0), "{text}");
    let data = api.get("/api/v1/lines/L1/data").await.expect("data");
    assert_eq!(data["scheduling"]["realtime_priority"], 20.0, "{data:#}");
    // What /proc says of each thread: its name, and its priority under SCHED_FIFO in field 40 (proc(5)).
    let of_thread = |task: &Path| -> Option<(String, String)> {
        let stat = std::fs::read_to_string(task.join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        Some((name.to_owned(), rest.split(' ').nth(37)?.to_owned()))
    };
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.id())).expect("threads");
    let threads: Vec<_> = tasks.filter_map(|task| of_thread(&task.ok()?.path())).collect();
    let first: Vec<_> = threads.iter().filter(|(_, priority)| priority != "0").collect();
    assert_eq!(first, [&("poll".to_owned(), "20".to_owned())], "{threads:?}");
    assert!(threads.len() > 3, "{threads:?}");
    let err = process.stderr();
    assert!(!err.iter().any(|line| line.contains("LimitRTPRIO")), "{err:#?}");
    plant.stop().await;
}

/// Shows: ACQ-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lateness_is_a_histogram_for_whoever_monitors() {
    let (api, _process, _site, plant) = with_priority(&["env"], None).await;
    let text = api.text("/metrics").await.expect("metrics");
    assert!(text.contains("# TYPE capline_poll_lateness_seconds histogram"), "{text}");
    assert_eq!(metric(&text, "capline_poll_realtime_priority"), Some(0.0));
    let labels = "line=\"L1\",station=\"CF01\",group=\"fast\"";
    let bucket = |line: &str| -> Option<(f64, f64)> {
        let rest = line.strip_prefix("capline_poll_lateness_seconds_bucket{le=\"")?;
        let (bound, rest) = rest.split_once("\",")?;
        let n = rest.strip_prefix(labels)?.strip_prefix("} ")?;
        Some((bound.replace("+Inf", "inf").parse().ok()?, n.parse().ok()?))
    };
    let buckets: Vec<(f64, f64)> = text.lines().filter_map(bucket).collect();
    let bounds: Vec<f64> = buckets.iter().map(|(bound, _)| *bound).collect();
    assert!(bounds.is_sorted() && bounds.first() == Some(&0.000_01), "{bounds:?}");
    assert!(bounds.contains(&0.1) && bounds.last() == Some(&f64::INFINITY), "{bounds:?}");
    let counts: Vec<f64> = buckets.iter().map(|(_, n)| *n).collect();
    assert!(counts.is_sorted(), "each holds those below it: {counts:?}");
    let count = metric(&text, &format!("capline_poll_lateness_seconds_count{{{labels}}}"));
    assert_eq!(counts.last().copied(), count);
    assert!(count > Some(0.0), "{text}");
    plant.stop().await;
}
