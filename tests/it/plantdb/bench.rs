//! `capline bench forward`, short: it measures, compares, and leaves a database with rows of others alone.

use std::path::Path;
use std::process::{Command, Output};

use super::cluster::{Cluster, password};

fn bench(url: &str, dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capline"));
    command.args(["bench", "forward", "--lines", "1", "--minutes", "40", "--database", url]);
    command.arg("--dir").arg(dir).args(more).env("PGPASSWORD", password());
    command.env_remove("CAPLINE_DATABASE_PASSWORD").output().expect("the command runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_measured_and_a_database_in_use_is_left_alone() {
    let Some(cluster) = Cluster::start("bench forward").await else { return };
    let dir = tempfile::tempdir().expect("there is room");
    let file = dir.path().join("figures.json");
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port());
    let run = |more: &[&str]| tokio::task::block_in_place(|| bench(&url, dir.path(), more));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

    let done = run(&["--json", file.to_str().expect("UTF-8")]);
    let (out, err) = (said(&done.stdout), said(&done.stderr));
    // Exit code 1 is a machine that was too busy for the promise, and no fault of what is tested here.
    assert!(matches!(done.status.code(), Some(0 | 1)), "{err}");
    // A minute with twelve counts, an event each second minute, a stop each quarter of an hour.
    assert!(out.contains("| backlog: 1 lines × 40 minutes | 543 rows | |"), "{out} {err}");
    let figures: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("it is there")).expect("JSON");
    assert_eq!(figures["rows"], 543);
    for name in ["rows_a_second", "late_p50_s", "late_p99_s", "late_worst_s"] {
        assert!(figures[name].as_f64().is_some_and(|n| n > 0.0), "{name}: {figures}");
    }
    assert!(figures["machine"]["cores"].as_u64() > Some(0), "{figures}");
    let admin = cluster.admin().await;
    let sql = "select count(*) from capline.minute_by_name where closed and edge like 'bench-%'";
    assert_eq!(admin.query_one(sql, &[]).await.expect("a number").get::<_, i64>(0), 40);

    let refused = run(&[]);
    let err = said(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{err}");
    assert!(err.contains("holds rows of bench-") && err.contains("--beside"), "{err}");
    assert!(matches!(run(&["--beside"]).status.code(), Some(0 | 1)));

    let secret =
        tokio::task::block_in_place(|| bench("postgres://a:b@127.0.0.1/x", dir.path(), &[]));
    let err = said(&secret.stderr);
    assert!(secret.status.code() == Some(2) && err.contains("holds a password"), "{err}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("it is there").flatten().collect();
    assert_eq!(left.len(), 1, "the journals are gone, the figures stay: {left:?}");
}
