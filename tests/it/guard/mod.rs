//! Who may do what, as far as no user is asked: TLS, limits, what systemd is told, where secrets turn up.

mod api;
mod load;
mod secrets;
mod systemd;
mod tls;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{FILLER, Site, any_port};
use crate::process::Process;

/// Where nobody listens: a machine that is away.
const AWAY: &str = "127.0.0.1:9";

/// A site whose one machine is away, with more keys in `[web]` and behind it.
fn site(web: &str) -> Site {
    let site = Site::new();
    site.configure(any_port(), "CF01", &[(FILLER, AWAY)]);
    insert(&site, web);
    site
}

/// Adds keys to `[web]` of a configuration; sections behind them may follow.
fn insert(site: &Site, web: &str) {
    let text = std::fs::read_to_string(site.file()).expect("a configuration");
    let text = text.replacen("[store]", &format!("{web}\n[store]"), 1);
    std::fs::write(site.file(), text).expect("a configuration");
}

/// The service of a site with variables of its own.
fn run(site: &Site, variables: &[(&str, &str)]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capline"));
    command.arg("run").arg("--config").arg(site.file());
    Process::start(command.envs(variables.iter().copied()))
}

/// The same with everything logged.
fn loud(site: &Site) -> Process {
    // A process of a test has RUST_LOG taken away; a shell gives it back.
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "RUST_LOG=trace exec \"$0\" run --config \"$1\"",
        env!("CARGO_BIN_EXE_capline"),
    ]);
    Process::start(command.arg(site.file()))
}

/// A file that nobody else can read.
fn private(path: &Path, text: &str) -> PathBuf {
    std::fs::write(path, text).expect("a test can write a file");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("it is ours");
    path.to_owned()
}
