//! `capline oee`: times and quantities in a file → availability, performance, quality and OEE.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use domain::line::oee_file::{Input, kpis};

use super::{Refusal, print_json, read};

/// Calculate OEE and its factors from a file of times and quantities
///
/// Prints one line of JSON: availability, performance, quality and oee (null where a denominator is 0), oee_low and
/// oee_high (unknown time counted as stopped, and as running) and coverage, for each bucket and for all together.
#[derive(Args)]
#[command(after_help = "\
Example of a file; planned_s is what is left after planned stops, ideal_cycle_s may be a fraction:
  {\"ideal_cycle_s\":\"60/6500\",\"buckets\":[
    {\"planned_s\":3600,\"run_s\":2400,\"unknown_s\":600,\"total\":260000,\"bad\":650}]}
Instead of total and bad a bucket may give performance and quality.

Exit code 2: the file cannot be used; each mistake is a line on stderr.")]
pub(crate) struct OeeArgs {
    /// Times and quantities, JSON
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
}

pub(crate) fn run(args: &OeeArgs) -> Result<ExitCode, Refusal> {
    let text = read(&args.file)?;
    let input: Input = serde_json::from_str(&text).map_err(|error| {
        let way_out = "see `capline oee --help` for an example";
        Refusal::of(&args.file, &format!("line {}: {error}; {way_out}", error.line()))
    })?;
    let report = kpis(&input).map_err(|e| Refusal::of(&args.file, &e.to_string()))?;
    print_json(&report)
}
