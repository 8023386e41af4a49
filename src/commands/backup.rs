//! `capline backup` and `capline restore`: the journal as a checked copy, and back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use capline::historian::backup::{self, LineAccount, Manifest, Report};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::audit::noted;
use super::{Refusal, held, journal, print, print_json};

/// Back up a journal, also while a service works on it
///
/// Writes a directory with the journal, its files of raw readings and a manifest: hashes, and for each line what was
/// counted. The copy is looked through page by page, and minutes and gaps are added up against the counters. The
/// service goes on meanwhile.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline backup config/plant.toml /mnt/usb/2026-11-24

Exit code 0: backed up, and every count adds up. 1: backed up, but the counts of a line do not add up. 2: no backup.")]
pub(crate) struct BackupArgs {
    /// Configuration, or the directory of the journal
    #[arg(value_name = "CONFIG|DIR")]
    from: PathBuf,
    /// Directory for the backup; empty or not there
    #[arg(value_name = "BACKUP")]
    to: PathBuf,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

/// Restore a backup of a journal
///
/// Checks the whole backup, then writes it into the directory of the journal, which must be empty or not there. The
/// restored journal has an identity of its own: `capline adopt` lets it go on in a plant database.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline restore --check /mnt/usb/2026-11-24
  capline restore /mnt/usb/2026-11-24 config/plant.toml

Exit code 0: restored or sound. 1: so, but the counts of a line do not add up. 2: nothing was restored.")]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Configuration, or the directory of the journal
    #[arg(value_name = "CONFIG|DIR", required_unless_present = "check")]
    to: Option<PathBuf>,
    /// Only check the backup
    #[arg(long, conflicts_with = "to")]
    check: bool,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn back_up(args: &BackupArgs) -> Result<ExitCode, Refusal> {
    let from = journal(&args.from)?;
    noted(&from, &args.to.display().to_string());
    let (bar, report) = progress();
    let made = backup::back_up(&from, &args.to, &report);
    bar.finish_and_clear();
    let manifest = made.map_err(|error| Refusal(error.to_string()))?;
    tell(&manifest, &format!("backed up to {}", args.to.display()), args.json)
}

pub(crate) fn restore(args: &RestoreArgs) -> Result<ExitCode, Refusal> {
    let to = args.to.as_deref().map(journal).transpose()?;
    let (bar, report) = progress();
    let done = match &to {
        Some(to) => backup::restore(&args.backup, to, &report),
        None => backup::verify(&args.backup, &report),
    };
    bar.finish_and_clear();
    let manifest = done.map_err(|error| Refusal(error.to_string()))?;
    let what = match &to {
        Some(to) => format!("restored to {}", to.display()),
        None => format!("{} is sound", args.backup.display()),
    };
    tell(&manifest, &what, args.json)
}

fn progress() -> (ProgressBar, Report) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {bytes} of {total_bytes}") {
        bar.set_style(style);
    }
    let shown = bar.clone();
    let report: Report = Arc::new(move |progress| {
        shown.set_message(format!("{} {}", progress.step, progress.file));
        shown.set_length(progress.of.max(progress.bytes));
        shown.set_position(progress.bytes);
    });
    (bar, report)
}

fn tell(manifest: &Manifest, what: &str, json: bool) -> Result<ExitCode, Refusal> {
    let printed = match json {
        true => print_json(manifest)?,
        false => print(&summary(manifest, what)),
    };
    let off: Vec<&LineAccount> = manifest.lines.iter().filter(|line| !line.adds_up()).collect();
    for line in &off {
        let ((minutes, ..), (gaps, ..), (total, ..)) = (line.in_minutes, line.in_gaps, line.total);
        eprintln!(
            "line {}: minutes hold {minutes} capsules and gaps {gaps}, the counter has {total}; \
             the journal was like that when it was copied, tell Capline's makers",
            line.line
        );
    }
    Ok(if off.is_empty() { printed } else { ExitCode::FAILURE })
}

fn summary(manifest: &Manifest, what: &str) -> String {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let mut text = format!(
        "{what}: {} files, {:.1} MB, every page and every hash checked\n",
        manifest.files.len(),
        bytes as f64 / 1e6
    );
    for line in &manifest.lines {
        let ((minutes, ..), (gaps, ..), (total, ..)) = (line.in_minutes, line.in_gaps, line.total);
        let sign = if line.adds_up() { "=" } else { "≠" };
        text += &format!(
            "line {}: {minutes} capsules in {} minutes + {gaps} in gaps {sign} {total} of the counter{}\n",
            line.line,
            line.minutes,
            held(line.held)
        );
    }
    text
}
