//! `capline import`: a register list of a vendor, as CSV, becomes a plc-map.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use domain::plc_map::Problem;
use domain::plc_map::import::{Head, map_of};

use super::{UNUSABLE, complain, print, read};

/// Make a plc-map from a register list in CSV
///
/// The first line names the columns, in any order; commas, semicolons or tabs stand between them. Each further line is a tag; a line that begins with # is a remark.
#[derive(Args)]
#[command(after_help = "\
Columns:
  id        name of the tag: CF01.Good                               needed
  register  table and 0-based address: holding 13, input 4, coil 2   needed
  type      bool, bit3, bits4-7, u16, i32, f32, bcd16, text16, …     needed
  role      good, infeed, reject:dented, state, condition, …         needed
  order     ABCD, CDAB, BADC, DCBA; without it that of --order
  period    how often it is read: 10ms, 1s; without it --period
  scale, offset, unit, count, stride, modulus, resets, retentive, max_per_minute, step, odometer, capsules,
  capsules_least, capsules_most
            as in a map
  words     an enumeration: 0=closed; 1=open

Example:
  capline import registers.csv --station CF01 > plc-maps/cf01.toml && capline check plc-maps/cf01.toml

Exit code 0: the map is on stdout. 2: there are mistakes; each is a line on stderr.")]
pub(crate) struct ImportArgs {
    /// Register list in CSV, UTF-8
    #[arg(value_name = "CSV")]
    csv: PathBuf,
    /// Station of the machine
    #[arg(long)]
    station: String,
    /// Its title in English; the station without it
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    /// Its title in Chinese; the English one without it
    #[arg(long, value_name = "TITLE")]
    title_zh: Option<String>,
    /// Unit identifier
    #[arg(long, default_value_t = 1)]
    unit: u8,
    /// Order of bytes of tags that name none
    #[arg(long, default_value = "ABCD")]
    order: String,
    /// Fastest rate of the machine, capsules a minute
    #[arg(long, default_value_t = 6_500)]
    max_per_minute: u64,
    /// Poll period of tags that name none
    #[arg(long, default_value = "1s")]
    period: String,
}

pub(crate) fn run(args: &ImportArgs) -> ExitCode {
    let text = match read(&args.csv) {
        Ok(text) => text,
        Err(refusal) => return refusal.exit(),
    };
    let title = args.title.clone().unwrap_or_else(|| args.station.clone());
    let head = Head {
        station: args.station.clone(),
        title: (title.clone(), args.title_zh.clone().unwrap_or(title)),
        unit: args.unit,
        order: args.order.clone(),
        max_per_minute: args.max_per_minute,
        period: args.period.clone(),
    };
    match map_of(&args.csv.display().to_string(), &text, &head) {
        Ok(map) => print(&map),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
            complain(&lines.join("\n"));
            ExitCode::from(UNUSABLE)
        }
    }
}
