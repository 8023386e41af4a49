//! `capline count`: readings of one counter in a file → what was made.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use domain::line::count_file::{Options, count};

use super::{Refusal, print_json, read};

/// Count what a counter counted, from a file of its readings
///
/// The file begins with t,value[,uptime][,batch]: t in seconds or RFC 3339, an empty value is a missed poll, uptime in
/// seconds since the controller started. Prints one line of JSON: total with best, low and high, the number of
/// segments, one delta for each reading with its cause, and flags.
#[derive(Args)]
#[command(after_help = "\
Example:
  printf 't,value,uptime\\n0,65500,1000\\n1,14,1001\\n' > readings.csv
  capline count readings.csv --modulus 2^16
  {\"total\":{\"best\":50,\"low\":50,\"high\":50},\"segments\":1,…

Exit code 2: the file cannot be used; each mistake is a line on stderr.")]
pub(crate) struct CountArgs {
    /// Readings of one counter, CSV
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Where the counter starts again at 0: 65536, 2^16, 2^32, 10^4, or none if only a reset sets it back. At 2^31
    /// one count stays open: registers that "roll over at 2,147,483,647" may or may not show that value
    #[arg(long, value_name = "M", default_value = "none")]
    modulus: Modulus,
    /// The most the machine makes in a minute; a tenth is added as tolerance
    #[arg(long, value_name = "N", default_value_t = 6_500, value_parser = clap::value_parser!(u64).range(1..))]
    max_per_minute: u64,
    /// Counts that arrive at once: capsules in one stroke
    #[arg(long, value_name = "N", default_value_t = 50)]
    step: u64,
}

/// Where a counter starts again.
#[derive(Clone, Copy)]
struct Modulus(Option<u128>);

impl FromStr for Modulus {
    type Err = String;

    fn from_str(text: &str) -> Result<Modulus, String> {
        if text == "none" {
            return Ok(Modulus(None));
        }
        let states = match text.split_once('^') {
            Some((base, exponent)) => {
                let base: Option<u128> = base.trim().parse().ok();
                let exponent = exponent.trim().parse().ok();
                base.zip(exponent).and_then(|(base, exponent)| base.checked_pow(exponent))
            }
            None => text.parse().ok(),
        };
        let states = states.filter(|states| (2..=1 << 64).contains(states));
        states.map(|states| Modulus(Some(states))).ok_or_else(|| {
            "write a number from 2 to 2^64 such as 65536, 2^16 or 10^4, or none".to_owned()
        })
    }
}

pub(crate) fn run(args: &CountArgs) -> Result<ExitCode, Refusal> {
    let text = read(&args.file)?;
    let options =
        Options { modulus: args.modulus.0, max_per_minute: args.max_per_minute, step: args.step };
    let report = count(&text, &options).map_err(|e| Refusal::of(&args.file, &e.to_string()))?;
    print_json(&report)
}
