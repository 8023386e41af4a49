//! One file for each command beside `run` and `demo`. They take arguments, ask the library and print; what is decided, and
//! what is changed, the library decides and changes.

pub(crate) mod adopt;
pub(crate) mod audit;
pub(crate) mod backup;
#[cfg(feature = "demo")]
pub(crate) mod bench;
#[cfg(feature = "demo")]
mod bench_all;
#[cfg(feature = "demo")]
mod bench_forward;
pub(crate) mod browse;
pub(crate) mod chart;
pub(crate) mod check;
pub(crate) mod count;
#[cfg(feature = "demo")]
pub(crate) mod demo_history;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod oee;
pub(crate) mod pki;
pub(crate) mod probe;
pub(crate) mod reconcile;
pub(crate) mod selftest;
pub(crate) mod spc;
mod svg;
pub(crate) mod user;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use capline::config::Config;
use capline::historian::extract::Account;
use clap::Args;

/// Which configuration: `capline run config/plant.toml`, or after `--config`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Configuration, such as config/plant.toml
    #[arg(value_name = "CONFIG")]
    named: Option<PathBuf>,
    /// The same
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
}

impl Which {
    /// The file. One of the two is there.
    pub(crate) fn file(&self) -> &Path {
        self.named.as_deref().or(self.config.as_deref()).unwrap_or(Path::new(""))
    }

    /// Reads it with its maps.
    pub(crate) fn load(&self) -> Result<Config, Refusal> {
        Config::load(self.file()).map_err(|error| Refusal(error.to_string()))
    }
}

/// Exit code of an input that cannot be used; the command line's own mistakes have the same.
const UNUSABLE: u8 = 2;

/// Most bytes of a file that is read whole.
const MOST_BYTES: u64 = 256 << 20;

/// What a command could not use, one sentence a line: file, line, value, way out.
pub(crate) struct Refusal(String);

impl Refusal {
    /// Prefixes each line of a message with the file it is about.
    pub(crate) fn of(file: &Path, message: &str) -> Refusal {
        let file = file.display();
        let lines: Vec<String> = message.lines().map(|line| format!("{file}: {line}")).collect();
        Refusal(lines.join("\n"))
    }

    /// Says it on stderr.
    pub(crate) fn exit(&self) -> ExitCode {
        complain(&self.0);
        ExitCode::from(UNUSABLE)
    }
}

/// Says on stderr what is wrong. Where nobody reads it any more, as behind `2>&1 | head`, that is no mistake.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The directory of a journal, named itself or by the configuration that names it.
pub(crate) fn journal(named: &Path) -> Result<PathBuf, Refusal> {
    if !named.is_file() {
        // A name that is mistyped is no directory without a journal.
        let meant = named.extension().is_some_and(|end| end == "toml");
        return match meant && !named.exists() {
            true => Err(Refusal::of(
                named,
                "there is no such file; name the configuration, or the directory of the journal",
            )),
            false => Ok(named.to_owned()),
        };
    }
    let config = Config::load(named).map_err(|error| Refusal(error.to_string()))?;
    Ok(config.data)
}

/// What everything that waits runs on, a service and what is measured alike.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The text of a file, at most [`MOST_BYTES`] of it.
pub(crate) fn read(file: &Path) -> Result<String, Refusal> {
    let cannot = |error: std::io::Error| {
        let message = format!("cannot be read: {error}; give the path of a text file in UTF-8");
        Refusal::of(file, &message)
    };
    let mut text = String::new();
    let from = std::fs::File::open(file).map_err(cannot)?;
    from.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > MOST_BYTES {
        let most = MOST_BYTES >> 20;
        return Err(Refusal::of(file, &format!("is larger than {most} MiB; give a part of it")));
    }
    Ok(text)
}

/// Prints to stdout. A reader that has seen enough, such as `head`, is no mistake.
pub(crate) fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("stdout cannot be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Whether minutes and gaps of a line are what its counter went on, as a line of text.
pub(crate) fn balance(line: &str, account: &Account) -> String {
    let (minutes, gaps) = (account.within.minutes.best, account.within.gaps.best);
    let sign = if account.adds_up { "=" } else { "≠" };
    let (counter, held) = (account.counter.best, held(account.held));
    format!(
        "line {line}: {minutes} capsules in minutes + {gaps} in gaps {sign} {counter} of the counter{held}\n"
    )
}

/// What is said of a line whose account is one reading behind.
pub(crate) fn held(is_held: bool) -> &'static str {
    if is_held { ", a reading waits for its confirmation" } else { "" }
}

/// Prints one JSON value on a line.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<ExitCode, Refusal> {
    let text =
        serde_json::to_string(value).map_err(|error| Refusal(format!("no JSON: {error}")))?;
    Ok(print(&(text + "\n")))
}
