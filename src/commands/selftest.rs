//! `capline selftest`: the installed binary against every case that is built into it.

use std::fmt::Write;
use std::process::ExitCode;

use capline::selftest::{self, Verdict};
use clap::Args;
use domain::digest::sha256;

use super::print;

/// Run every reference case that is built in, and report: the installation qualification
///
/// Prints the version, the SHA-256 of this binary and of each case, how many values were compared, and what
/// disagrees. Needs no file and no network.
#[derive(Args)]
#[command(after_help = "\
Example, kept with the records of an installation:
  capline selftest > selftest.txt

Exit code 0: all agree. 1: at least one value does not; it is in the report.")]
pub(crate) struct SelftestArgs {}

pub(crate) fn run() -> ExitCode {
    let verdicts = selftest::run();
    let failed = verdicts.iter().filter(|verdict| !verdict.agrees()).count();
    let printed = print(&report(&verdicts, failed));
    if failed > 0 { ExitCode::FAILURE } else { printed }
}

fn report(verdicts: &[Verdict], failed: usize) -> String {
    let mut text = format!("capline {}\n", env!("CARGO_PKG_VERSION"));
    let binary = std::env::current_exe().and_then(std::fs::read);
    let hash =
        binary.map_or_else(|error| format!("cannot be read: {error}"), |bytes| sha256(&bytes));
    let _ = writeln!(text, "binary  sha256 {hash}");
    let all: String = verdicts.iter().map(|verdict| format!("{}\n", verdict.sha256)).collect();
    let _ = writeln!(text, "cases   sha256 {}\n", sha256(all.as_bytes()));
    for verdict in verdicts {
        let word = if verdict.agrees() { "agrees" } else { "FAILED" };
        let (id, n, hash) = (&verdict.id, verdict.compared, &verdict.sha256);
        let _ = writeln!(text, "{word}  {id:<48} {n:>6} values  sha256 {hash}");
        for mismatch in &verdict.mismatches {
            let _ = writeln!(text, "        {mismatch}");
        }
    }
    let compared: usize = verdicts.iter().map(|verdict| verdict.compared).sum();
    let n = verdicts.len();
    let _ = writeln!(text, "\n{n} cases, {compared} values compared, {failed} cases failed");
    text
}
