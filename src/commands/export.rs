//! `capline export`: the journal as files that prove themselves, and the proof.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use capline::config::Config;
use capline::export::{self, Difference, ExportError, Format, Manifest, Order, Plant, Watch};
use capline::historian::extract::What;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::audit::noted;
use super::{Refusal, balance, print, print_json};

/// Read a journal out as CSV or Parquet, also while a service works on it
///
/// Writes a directory: a file for each line and table (seconds and readings: for each day), the pages of final reports,
/// manifest.json with hashes, rows and sums, and SHA256SUMS. Minutes and gaps are added up against the counter. The
/// directory gets its name when all of it is on the disk; whatever ends the export earlier leaves nothing of that name.
///
/// That it was read out becomes an entry of the audit trail. A journal that cannot be written, such as one in an archive,
/// is read all the same, and stderr says that it was not noted; one of an earlier version has no trail and is not changed.
#[derive(Args)]
#[command(after_help = "\
Tables: minutes, seconds, hours, shifts, batches, events, stops, stop_revisions, weights, batch_entries, limits, points,
incidents, incident_work, reports, gap_notes, counters, readings. Without --what all of them but readings, which are as
many as all polls of all tags.

Examples:
  capline export config/plant.toml /mnt/usb/november --from 2026-11-01 --to 2026-12-01
  capline export config/plant.toml out --line L1 --what minutes,events --format parquet
  capline export --verify /mnt/usb/november

Exit code 0: written or sound, and every count adds up. 1: --verify found a difference, or the counts of a line do not add
up. 2: there is no export.")]
pub(crate) struct ExportArgs {
    /// Configuration, or the directory of the journal
    #[arg(value_name = "CONFIG|DIR", required_unless_present = "verify")]
    from_where: Option<PathBuf>,
    /// Directory for the export; nothing may be there
    #[arg(value_name = "OUT", required_unless_present = "verify")]
    out: Option<PathBuf>,
    /// Beginning: 2026-11-24, 2026-11-24T08:00 by the clocks of the plant, or 2026-11-24T08:00:00+08:00
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// End, exclusive, in the same forms
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// Only these lines
    #[arg(long, value_name = "LINES", value_delimiter = ',')]
    line: Vec<String>,
    /// Only these tables; `all` for every one
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    what: Vec<String>,
    /// csv or parquet
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = format)]
    format: Format,
    /// Check an export instead: hashes, rows, sums and the account of each line
    #[arg(long, value_name = "OUT", conflicts_with_all = ["from_where", "out", "from", "to", "line", "what"])]
    verify: Option<PathBuf>,
    /// Print the manifest, or the differences, as JSON
    #[arg(long)]
    json: bool,
}

fn format(text: &str) -> Result<Format, String> {
    let known = [Format::Csv, Format::Parquet].into_iter().find(|format| format.word() == text);
    known.ok_or_else(|| "write csv or parquet".to_owned())
}

/// Writes or checks, until it is done or `end` says that somebody gave it up.
pub(crate) async fn run(
    args: ExportArgs,
    end: impl Future<Output = ()>,
) -> Result<ExitCode, Refusal> {
    let given_up = Arc::new(AtomicBool::new(false));
    let (bar, watch) = progress(given_up.clone());
    let work = tokio::task::spawn_blocking(move || match &args.verify {
        Some(dir) => check(dir, args.json, &watch, &bar),
        None => write(&args, &watch, &bar),
    });
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done.unwrap_or_else(|error| Err(Refusal(error.to_string()))),
        () = end => given_up.store(true, Ordering::Relaxed),
    }
    // It takes away what it has written so far.
    work.await.unwrap_or_else(|error| Err(Refusal(error.to_string())))
}

fn write(args: &ExportArgs, watch: &Watch, bar: &ProgressBar) -> Result<ExitCode, Refusal> {
    let (Some(named), Some(out)) = (&args.from_where, &args.out) else {
        return Err(Refusal("give a configuration and a directory, or --verify".to_owned()));
    };
    let (journal, plant) = place(named)?;
    let order = Order {
        journal,
        out: out.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        lines: args.line.clone(),
        what: tables(&args.what)?,
        format: args.format,
        plant,
    };
    noted(&order.journal, &out.display().to_string());
    let written = export::write(&order, watch);
    bar.finish_and_clear();
    let manifest = written.map_err(|error| refused(&error))?;
    let off = manifest.lines.iter().any(|line| !line.account.adds_up);
    let printed = match args.json {
        true => print_json(&manifest)?,
        false => print(&(summary(&manifest, out) + &lines(&manifest))),
    };
    Ok(if off { ExitCode::FAILURE } else { printed })
}

fn check(dir: &Path, json: bool, watch: &Watch, bar: &ProgressBar) -> Result<ExitCode, Refusal> {
    let looked = export::verify(dir, watch);
    bar.finish_and_clear();
    let (manifest, differences) = looked.map_err(|error| refused(&error))?;
    let printed = match (json, &manifest) {
        (true, _) => print_json(&differences)?,
        (false, Some(manifest)) if differences.is_empty() => {
            let n = manifest.files.len();
            let text = format!("{} is sound: {n} files, every hash, row and sum\n", dir.display());
            print(&(text + &lines(manifest)))
        }
        (false, _) => print(""),
    };
    for Difference { file, what } in &differences {
        eprintln!("{}: {what}", dir.join(file).display());
    }
    Ok(if differences.is_empty() { printed } else { ExitCode::FAILURE })
}

/// The directory of a journal, named itself or by the configuration that names it; and what that says of the plant.
fn place(named: &Path) -> Result<(PathBuf, Option<Plant>), Refusal> {
    if !named.is_file() {
        return Ok((named.to_owned(), None));
    }
    let config = Config::load(named).map_err(|error| Refusal(error.to_string()))?;
    let plant = Plant { site: config.site, zone: config.zone, config_sha256: config.sha256 };
    Ok((config.data, Some(plant)))
}

fn tables(words: &[String]) -> Result<Vec<What>, Refusal> {
    if words.is_empty() {
        return Ok(What::ALL.into_iter().filter(|what| *what != What::Readings).collect());
    }
    if words == ["all"] {
        return Ok(What::ALL.to_vec());
    }
    let mut tables = Vec::new();
    for word in words {
        let Some(what) = What::from_word(word) else {
            let known = What::ALL.map(What::word).join(", ");
            return Err(Refusal(format!(
                "--what {word:?}: there is no such table; known are {known}, or all"
            )));
        };
        tables.push(what);
    }
    // Each once, in one order whatever was typed.
    tables.sort();
    tables.dedup();
    Ok(tables)
}

fn refused(error: &ExportError) -> Refusal {
    Refusal(error.to_string())
}

fn progress(given_up: Arc<AtomicBool>) -> (ProgressBar, Watch) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos} of {len}") {
        bar.set_style(style);
    }
    let shown = bar.clone();
    let watch: Watch = Arc::new(move |progress| {
        let rows =
            if progress.rows > 0 { format!(", {} rows", progress.rows) } else { String::new() };
        shown.set_message(format!("{}{rows}", progress.what));
        shown.set_length(progress.of.max(progress.done));
        shown.set_position(progress.done);
        !given_up.load(Ordering::Relaxed)
    });
    (bar, watch)
}

fn summary(manifest: &Manifest, out: &Path) -> String {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let rows: u64 =
        manifest.files.iter().filter_map(|file| file.figures.as_ref()).map(|f| f.rows).sum();
    let mark = if manifest.simulated { ", SIM simulated data" } else { "" };
    format!(
        "exported to {}: {} files, {rows} rows, {:.1} MB, {} to {}{mark}\n",
        out.display(),
        manifest.files.len(),
        bytes as f64 / 1e6,
        manifest.from_utc,
        manifest.to_utc
    )
}

/// The account of each line.
fn lines(manifest: &Manifest) -> String {
    manifest.lines.iter().map(|entry| balance(&entry.line, &entry.account)).collect()
}
