//! `capline-sim score --scenario` as a person runs it: a held plant, a service, and a verdict that is an exit code. All of
//! them are processes of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;

use crate::harness::{FILLER, PATIENCE, Site, WEIGHER, any_port, repository};
use crate::process::{Process, text};
use crate::skip::skipped;

/// A jam of five seconds in a scenario of fourteen, of a plant with this seed.
fn jam(seed: u64) -> String {
    format!(
        "title = \"A jam of five seconds.\"\nseed = {seed}\nseconds = 14\n\n\
         [[inject]]\nfault = \"jam\"\nat_s = 4\nvalue = 5\n"
    )
}

/// The simulator beside the binary under test; none where it is not built, or was built from other sources.
fn capline_sim(test: &str) -> Option<PathBuf> {
    let sim = Path::new(env!("CARGO_BIN_EXE_capline")).with_file_name("capline-sim");
    let built = sim.metadata().and_then(|found| found.modified()).ok();
    let is_it = built.is_some_and(|built| built >= newest(&repository("simulators/src")));
    let missing = "a capline-sim of these sources; cargo build --workspace makes it";
    (is_it || !skipped(test, missing)).then_some(sim)
}

/// When a file below a folder was changed last.
fn newest(folder: &Path) -> SystemTime {
    let files = std::fs::read_dir(folder).expect("the sources are there").flatten();
    let changed = files.map(|file| match file.path() {
        path if path.is_dir() => newest(&path),
        path => path.metadata().and_then(|found| found.modified()).expect("a file has a time"),
    });
    changed.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A held plant of a scenario file, and where it is.
struct Held {
    process: Process,
    scenario: String,
    modbus: String,
    opcua: String,
    http: String,
}

impl Held {
    async fn start(sim: &Path, site: &Site, name: &str, scenario: &str) -> Held {
        let file = site.path().join(format!("{name}.toml"));
        std::fs::write(&file, scenario).expect("a test can write a scenario");
        let (scenario, pki) = (text(&file), text(&site.path().join(format!("{name}-pki"))));
        let mut command = Command::new(sim);
        command.args(["run", &scenario, "--held", "--pki", &pki]);
        for server in ["--modbus", "--opcua", "--http"] {
            command.args([server, "127.0.0.1:0"]);
        }
        let process = Process::start(&mut command);
        let behind = |line: &str, word: &str| {
            let (_, rest) = line.split_once(word)?;
            Some(rest.split_whitespace().next()?.to_owned())
        };
        let modbus = process.line("its machines", |line| behind(line, "modbus tcp ")).await;
        let opcua = process.line("its nodes", |line| behind(line, "opc ua ")).await;
        let http = process.line("its ledger", |line| behind(line, "all routes ")).await;
        Held { process, scenario, modbus, opcua, http }
    }

    /// Waits for the end of the scenario: the good capsules of its ledger.
    async fn made(mut self) -> u64 {
        assert!(self.process.exit(PATIENCE).await.success(), "{:#?}", self.process.stderr());
        let out = self.process.stdout();
        let ledger: Value = serde_json::from_str(out.last().expect("a ledger")).expect("JSON");
        ledger["made"].as_u64().expect("a count")
    }
}

/// What `score` says of a service that should read a plant: exit code, stdout, stderr.
async fn score(
    sim: &Path,
    (plant, scenario): (&Held, &str),
    service: &str,
) -> (Option<i32>, String, String) {
    let mut command = Command::new(sim);
    command.args(["score", "--sim", plant.http.trim_end_matches('/'), "--service", service]);
    let mut process = Process::start(command.args(["--scenario", scenario]));
    let status = process.exit(PATIENCE).await;
    (status.code(), process.stdout().join("\n"), process.stderr().join("\n"))
}

/// The negative control is a service that reads another line, and says of it what is true there.
/// Shows: SIM-12, SIM-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_plant_is_let_go_and_the_verdict_on_who_reads_it_is_an_exit_code() {
    let Some(sim) = capline_sim("a verdict as an exit code") else { return };
    let site = Site::new();
    let plant = Held::start(&sim, &site, "jam", &jam(1)).await;
    let other = Held::start(&sim, &site, "other", &jam(2)).await;
    let devices = [(FILLER, plant.modbus.as_str()), (WEIGHER, plant.opcua.as_str())];
    site.configure(any_port(), "CF01", &devices);
    let mut capline = Process::run(&site.file());
    let service = format!("http://{}", capline.api().await.0);

    let late = site.path().join("late.toml");
    std::fs::write(&late, jam(1).replace("at_s = 4", "at_s = 5")).expect("a test can write it");
    let (code, _, said) = score(&sim, (&plant, &text(&late)), &service).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the plant has no jam planned as late has"), "{said}");

    let (right, wrong) = tokio::join!(
        score(&sim, (&plant, &plant.scenario), &service),
        score(&sim, (&other, &other.scenario), &service),
    );
    let (code, said, _) = &right;
    assert_eq!(*code, Some(0), "{right:?}");
    assert!(said.contains("jam: as its file wants it"), "{said}");
    assert!(said.contains("| 14 of 14 | 0 | 1 of 1 |"), "{said}");
    let (code, said, _) = &wrong;
    assert_eq!(*code, Some(1), "{wrong:?}");
    assert!(said.contains("other: wrong") && said.contains(" is not in "), "{said}");

    for one in [plant, other] {
        assert!(one.made().await > 300, "it was let go and ran to its end");
    }

    // What it has counted by now is no part of another plant's account.
    let next = Held::start(&sim, &site, "next", &jam(3)).await;
    let (code, _, said) = score(&sim, (&next, &next.scenario), &service).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the service has counted another plant before"), "{said}");
}
