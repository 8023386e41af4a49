//! The unit that is shipped, judged by systemd itself; and what systemd is told, read from a socket like its own.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use super::{run, site};
use crate::harness::{PATIENCE, Site, repository, until};
use crate::skip::skipped;

const UNIT: &str = "config/capline.service";
/// `systemd-analyze security` gives 0.0 for what is shut and 10.0 for what is open; this is a tenth of it.
const THRESHOLD: u32 = 20;
/// The service is to be told alive at least so often.
const LIMIT: Duration = Duration::from_secs(4);

fn analyze(arguments: &[&str], unit: &Path) -> Option<(bool, String)> {
    let mut command = Command::new("systemd-analyze");
    let done = command.args(arguments).arg(unit).env("SYSTEMD_COLORS", "0").output().ok()?;
    let said = [done.stdout, done.stderr].concat();
    Some((done.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// Shows: ACC-15
#[test]
fn the_unit_leaves_little_open() {
    let threshold = format!("--threshold={THRESHOLD}");
    let security = ["security", "--offline=true", "--no-pager", &*threshold];
    let Some((good, said)) = analyze(&security, &repository(UNIT)) else {
        skipped("the unit of systemd", "no systemd-analyze; install the package systemd");
        return;
    };
    assert!(good, "{said}");
    // The same words find what is left open.
    let folder = tempfile::tempdir().expect("a folder");
    let open = folder.path().join("capline.service");
    let text = std::fs::read_to_string(repository(UNIT)).expect("the unit");
    let shut: Vec<&str> = text
        .lines()
        .filter(|line| {
            !line.starts_with("DynamicUser=") && !line.starts_with("CapabilityBoundingSet=")
        })
        .filter(|line| !line.starts_with("SystemCallFilter="))
        .collect();
    std::fs::write(&open, shut.join("\n")).expect("a unit");
    assert!(!analyze(&security, &open).expect("it is installed").0);

    // Every key is one of systemd; the program is where a package would put it.
    let whole = folder.path().join("whole").join("capline.service");
    std::fs::create_dir(folder.path().join("whole")).expect("a folder");
    let here = text.replace("/usr/bin/capline", env!("CARGO_BIN_EXE_capline"));
    std::fs::write(&whole, &here).expect("a unit");
    let (good, said) = analyze(&["verify", "--man=no"], &whole).expect("it is installed");
    assert!(good && !said.contains("capline.service"), "{said}");
    std::fs::write(&whole, here.replace("ProtectHome=", "ProtectHouse=")).expect("a unit");
    let (_, said) = analyze(&["verify", "--man=no"], &whole).expect("it is installed");
    assert!(said.contains("ProtectHouse"), "{said}");
}

/// A socket like that of systemd, and what has come through it.
struct Manager {
    path: PathBuf,
    told: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    fn new(site: &Site) -> Manager {
        let path = site.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = told.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(n) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
        });
        Manager { path, told }
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        let limit = LIMIT.as_micros().to_string();
        [("NOTIFY_SOCKET", self.path.display().to_string()), ("WATCHDOG_USEC", limit)]
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was told that the service is alive.
    fn alive(&self) -> usize {
        self.told().iter().filter(|told| told.contains("WATCHDOG=1")).count()
    }

    async fn alive_beyond(&self, n: usize) {
        until("a sign of life", PATIENCE, async || {
            if self.alive() > n { Ok(()) } else { Err(format!("{:?}", self.told())) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_is_told_of_the_start_of_life_and_of_the_end() {
    let site = site("");
    let manager = Manager::new(&site);
    let variables = manager.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut service = run(&site, &variables);
    until("that it is ready", PATIENCE, async || match manager.told().first() {
        Some(first) if first.contains("READY=1") => Ok(()),
        Some(first) => panic!("the first word is {first}"),
        None => Err(format!("{:?}", service.stderr())),
    })
    .await;
    let api = service.api().await;
    api.text("/healthz").await.expect("it serves when it says so");
    manager.alive_beyond(2).await;
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    let told = manager.told();
    assert!(told.last().is_some_and(|last| last.contains("STOPPING=1")), "{told:?}");
}

/// A disk that can be made to stand still; none without a C compiler.
fn hang(site: &Site) -> Option<PathBuf> {
    let library = site.path().join("hang.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library);
    let made = command.arg(repository("tests/it/guard/hang.c")).arg("-ldl").status().ok()?;
    assert!(made.success(), "hang.c does not compile");
    Some(library)
}

/// Shows: ACC-15
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_writer_stands_still_is_not_alive() {
    let site = site("");
    let Some(library) = hang(&site) else {
        skipped("a writer that stands still", "there is no C compiler `cc`");
        return;
    };
    let manager = Manager::new(&site);
    let (library, stop) = (library.display().to_string(), site.path().join("stop"));
    let while_there = stop.display().to_string();
    let mut variables = manager.variables().to_vec();
    variables.extend([("LD_PRELOAD", library), ("HANG_WHILE", while_there)]);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut service = run(&site, &variables);
    let api = service.api().await;
    manager.alive_beyond(1).await;
    std::fs::write(&stop, "").expect("a file");
    until("that the writer is missed", PATIENCE, async || {
        let err = service.stderr();
        let missed =
            err.iter().any(|line| line.contains("the writer of the journal has not gone on"));
        if missed { Ok(()) } else { Err(format!("{err:#?}")) }
    })
    .await;
    let before = manager.alive();
    tokio::time::sleep(LIMIT * 2).await;
    // The process runs, the screens answer, and the lines are followed; that is not enough.
    api.text("/healthz").await.expect("the screens are served");
    assert_eq!(manager.alive(), before, "{:?}", manager.told());
    std::fs::remove_file(&stop).expect("the file");
    manager.alive_beyond(before).await;
}
