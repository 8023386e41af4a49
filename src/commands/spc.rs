//! `capline spc`: a reference case computed, or a chart of a table for people.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use domain::spc::case;
use serde_json::Value;

use super::{Refusal, chart, print_json, read};

/// Compute a control chart or a statistic
///
/// With FILE.json: a case in the schema spc-case/1, with the table it names beside it. Prints one line of JSON with the
/// keys of the case's `expected`. With --chart and --csv: a table for people, and the chart as SVG with --svg.
#[derive(Args)]
#[command(after_help = "\
Examples:
  capline spc tests/cases/spc/pprime_nhs_accidents.json
  capline spc --chart p-prime --csv minutes.csv --count-column rejected --size-column total \\
              --baseline 1..100 --rules N1,N2 --svg chart.svg

The table has a header; its first column names the points. An empty cell is a missing subgroup: a gap.
Exit code 2: an input cannot be used; each mistake is a line on stderr.")]
pub(crate) struct SpcArgs {
    /// A case in the schema spc-case/1, JSON
    #[arg(value_name = "FILE.json", required_unless_present = "chart", conflicts_with = "chart")]
    case: Option<PathBuf>,
    /// Type of chart
    #[arg(long, requires = "csv", value_name = "TYPE")]
    chart: Option<Kind>,
    /// Table with a header, comma separated
    #[arg(long, requires = "chart", value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Column with the counts: rejected capsules, defects
    #[arg(long, requires = "chart", value_name = "NAME")]
    count_column: Option<String>,
    /// Column with the sizes of the subgroups
    #[arg(long, requires = "chart", value_name = "NAME")]
    size_column: Option<String>,
    /// Column with the values: i-mr, xbar-r, xbar-s, ewma, cusum, ma; what lies between events: g, t
    #[arg(long, requires = "chart", value_name = "NAME")]
    value_column: Option<String>,
    /// Column that says which rows are one subgroup: xbar-r, xbar-s
    #[arg(long, requires = "chart", value_name = "NAME")]
    group_column: Option<String>,
    /// Weight of the newest point of an ewma chart [default: 0.2]
    #[arg(long, requires = "chart", value_name = "0..1")]
    lambda: Option<f64>,
    /// Distance of the limits in sigma: L of an ewma chart, k of the others [default: 3]
    #[arg(long, requires = "chart", value_name = "SIGMA")]
    limit: Option<f64>,
    /// Reference value of a cusum chart in sigma [default: 0.5]
    #[arg(long, requires = "chart", value_name = "SIGMA")]
    reference: Option<f64>,
    /// Decision interval of a cusum chart in sigma [default: 5]
    #[arg(long, requires = "chart", value_name = "SIGMA")]
    interval: Option<f64>,
    /// Points of a moving average [default: 5]
    #[arg(long, requires = "chart", value_name = "N")]
    span: Option<u16>,
    /// Target of an ewma, cusum or ma chart; estimated without it
    #[arg(long, requires = "chart", value_name = "VALUE")]
    target: Option<f64>,
    /// Standard deviation of a value of an ewma, cusum or ma chart; estimated without it
    #[arg(long, requires = "chart", value_name = "VALUE")]
    sigma: Option<f64>,
    /// Points that the limits are estimated from, the first is 1, both ends included; all of them without it
    #[arg(long, requires = "chart", value_name = "FROM..TO", value_parser = baseline)]
    baseline: Option<Baseline>,
    /// Rules to report: N1 to N8, WE1 to WE4, AIAG2
    #[arg(long, requires = "chart", value_name = "RULES", value_delimiter = ',', default_value = "N1,N2", value_parser = rule)]
    rules: Vec<String>,
    /// Draw the chart into this file
    #[arg(long, requires = "chart", value_name = "OUT")]
    svg: Option<PathBuf>,
}

/// Types of chart for people. The other types of the schema need a case.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Fraction, binomial limits
    P,
    /// Number in equal subgroups, binomial limits
    Np,
    /// Fraction with Laney's limits, for large subgroups
    PPrime,
    /// Defects in equal units, Poisson limits
    C,
    /// Defects a unit, Poisson limits
    U,
    /// Defects a unit with Laney's limits
    UPrime,
    /// Single values and moving ranges
    IMr,
    /// Means and ranges of subgroups
    XbarR,
    /// Means and standard deviations of subgroups
    XbarS,
    /// Exponentially weighted moving average
    Ewma,
    /// Cumulative sums to both sides
    Cusum,
    /// Moving average
    Ma,
    /// Good units between rare events
    G,
    /// Time between rare events
    T,
}

impl Kind {
    /// Its name in the schema.
    pub(super) fn schema(self) -> &'static str {
        match self {
            Kind::P => "p",
            Kind::Np => "np",
            Kind::PPrime => "p_prime",
            Kind::C => "c",
            Kind::U => "u",
            Kind::UPrime => "u_prime",
            Kind::IMr => "i_mr",
            Kind::XbarR => "xbar_r",
            Kind::XbarS => "xbar_s",
            Kind::Ewma => "ewma",
            Kind::Cusum => "cusum",
            Kind::Ma => "ma",
            Kind::G => "g",
            Kind::T => "t",
        }
    }

    /// Whether it carries something from point to point, and is judged by a target and a sigma.
    pub(super) fn remembers(self) -> bool {
        matches!(self, Kind::Ewma | Kind::Cusum | Kind::Ma)
    }
}

impl SpcArgs {
    /// Settings by their names in the schema; one that this chart does not have is a mistake.
    fn settings(&self, kind: Kind) -> Result<Vec<(&'static str, f64)>, Refusal> {
        let limit = if kind == Kind::Ewma { "L" } else { "k" };
        let target = if kind == Kind::Ma { "center" } else { "target" };
        let of_memory = kind.remembers();
        let all = [
            ("--lambda", "lam", self.lambda, kind == Kind::Ewma),
            ("--limit", limit, self.limit, kind != Kind::Cusum),
            ("--reference", "k", self.reference, kind == Kind::Cusum),
            ("--interval", "h", self.interval, kind == Kind::Cusum),
            ("--span", "span", self.span.map(f64::from), kind == Kind::Ma),
            ("--target", target, self.target, of_memory),
            ("--sigma", "sigma", self.sigma, of_memory),
        ];
        let mut settings = Vec::new();
        for (option, key, value, has) in all {
            let Some(value) = value else { continue };
            let least = if option == "--target" { f64::NEG_INFINITY } else { 0.0 };
            if !has {
                let chart = kind.schema();
                return Err(Refusal(format!("{option}: a {chart} chart has none; leave it out")));
            }
            if !value.is_finite() || value <= least {
                return Err(Refusal(format!("{option}: found {value}; give a number above 0")));
            }
            settings.push((key, value));
        }
        Ok(settings)
    }
}

/// A range of points, from 1, both ends included.
#[derive(Clone, Copy)]
pub(super) struct Baseline {
    pub(super) from: usize,
    pub(super) to: usize,
}

fn baseline(text: &str) -> Result<Baseline, String> {
    let ends = text.split_once("..").and_then(|(from, to)| {
        Some(Baseline { from: from.trim().parse().ok()?, to: to.trim().parse().ok()? })
    });
    ends.filter(|range| 1 <= range.from && range.from < range.to)
        .ok_or_else(|| "write two points such as 1..100".to_owned())
}

fn rule(text: &str) -> Result<String, String> {
    match chart::known_rules() {
        known if known.contains(&text) => Ok(text.to_owned()),
        known => Err(format!("known rules are {}", known.join(", "))),
    }
}

pub(crate) fn run(args: &SpcArgs) -> Result<ExitCode, Refusal> {
    match (&args.case, args.chart, &args.csv) {
        (Some(file), _, _) => print_json(&computed(file)?),
        (None, Some(kind), Some(csv)) => chart::run(&chart::Request {
            kind,
            csv,
            count: args.count_column.as_deref(),
            size: args.size_column.as_deref(),
            value: args.value_column.as_deref(),
            group: args.group_column.as_deref(),
            settings: args.settings(kind)?,
            baseline: args.baseline,
            rules: &args.rules,
            svg: args.svg.as_deref(),
        }),
        _ => Err(Refusal("give a case, or --chart with --csv".to_owned())),
    }
}

fn computed(file: &Path) -> Result<Value, Refusal> {
    let text = read(file)?;
    let case: Value = serde_json::from_str(&text).map_err(|error| {
        let way_out = "a case is one JSON object in the schema spc-case/1";
        Refusal::of(file, &format!("line {}: {error}; {way_out}", error.line()))
    })?;
    let table = match case::table_name(&case) {
        Some(name) => Some(read(&beside(file, name)?)?),
        None => None,
    };
    case::run(&case, table.as_deref()).map_err(|error| Refusal::of(file, &error.to_string()))
}

/// The file of that name in the folder of the case; not anywhere else.
fn beside(file: &Path, name: &str) -> Result<PathBuf, Refusal> {
    let plain = Path::new(name).file_name().is_some_and(|plain| plain == name);
    match plain {
        true => Ok(file.with_file_name(name)),
        false => Err(Refusal::of(
            file,
            &format!("data.csv: found {name:?}; write the name of a file beside the case"),
        )),
    }
}
