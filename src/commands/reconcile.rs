//! `capline reconcile`: the books of the journal against each other and against the plant database.

use std::process::ExitCode;

use capline::clock::Clock;
use capline::config::LineConfig;
use capline::historian::reconcile::{ComparedLine, Day, Question, Report, reconcile};
use capline::service;
use capline::table::span::moment;
use clap::Args;
use domain::line::layout::counted;

use super::{Refusal, Which, balance, print, print_json};

/// Compare the books of a journal with each other and with the plant database
///
/// For each day and line: good capsules in minutes, seconds, hours and shifts, those of gaps, and what the plant database
/// holds; since the journal began: minutes and gaps against the counters. Each difference is told with its likely cause.
/// Rows that have not been forwarded yet wait and are no difference. Nothing is written, and a service may go on meanwhile.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline reconcile config/plant.toml --from 2026-11-01 --to 2026-12-01

Exit code 0: equal, but for what waits. 1: there is a difference. 2: the journal or the plant database cannot be read.")]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    which: Which,
    /// First day: 2026-11-24, or a moment of it
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// End, exclusive; the day of it counts only where the moment lies behind its beginning
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &ReconcileArgs) -> Result<ExitCode, Refusal> {
    let config = args.which.load()?;
    let at = |option, text: &Option<String>| {
        let moment = text.as_deref().map(|text| moment(option, text, &config.zone)).transpose();
        moment.map_err(Refusal)
    };
    let span = (at("--from", &args.from)?, at("--to", &args.to)?);
    if let (Some(from), Some(to)) = span
        && from >= to
    {
        return Err(Refusal("--from does not lie before --to; swap them".to_owned()));
    }
    let database = config.database.as_ref();
    let settings = database.map(|database| service::plant_database(&config.site, database));
    let settings = settings.transpose().map_err(|error| Refusal(error.to_string()))?;
    let lines: Vec<ComparedLine> = config.lines.iter().map(compared).collect();
    let question = Question {
        journal: &config.data,
        lines: &lines,
        zone: &config.zone,
        span,
        plant: settings.as_ref(),
        now_us: Clock::real().now().utc_us,
    };
    let report = reconcile(&question).await.map_err(Refusal)?;
    let printed = match args.json {
        true => print_json(&report)?,
        false => print(&text(&report)),
    };
    Ok(if report.is_equal() { printed } else { ExitCode::FAILURE })
}

/// The counters of a line whose counts are capsules one by one.
fn compared(line: &LineConfig) -> ComparedLine {
    let mut tags = Vec::new();
    for device in &line.devices {
        for (n, tag) in device.map.tags.iter().enumerate() {
            let is_spread = device.map.flow.capsules.contains_key(&(n as u16));
            if tag.counter.is_some() && !is_spread {
                let counted = counted(&tag.role);
                tags.push((tag.id.clone(), device.map.station.clone(), counted));
            }
        }
    }
    ComparedLine { line: line.id.clone(), output: line.output.clone(), tags }
}

fn text(report: &Report) -> String {
    let mut text = String::from(
        "day       line      minutes    in minutes    in seconds      in hours       in gaps",
    );
    text += if report.with_plant { "  plant minutes    in minutes       in gaps\n" } else { "\n" };
    for day in &report.days {
        text += &row(day);
    }
    for line in &report.lines {
        text += &balance(&line.line, &line.account);
    }
    for finding in &report.findings {
        let day = finding.day.as_deref().map_or(String::new(), |day| format!("{day} "));
        text +=
            &format!("{day}line {}: {}: {}\n", finding.line, finding.cause.word(), finding.what);
    }
    text += match (report.is_equal(), report.findings.is_empty()) {
        (true, true) => "all books are equal\n",
        (true, false) => "all books are equal, but for what waits or is not kept any more\n",
        (false, _) => "there are differences\n",
    };
    text
}

fn row(day: &Day) -> String {
    let seconds = day.in_seconds.map_or("-".to_owned(), |n| n.to_string());
    let mut row = format!(
        "{:<9} {:<8} {:>8} {:>13} {seconds:>13} {:>13} {:>13}",
        day.day, day.line, day.minutes, day.in_minutes, day.in_hours, day.in_gaps
    );
    if let Some(plant) = &day.plant {
        row += &format!("  {:>13} {:>13} {:>13}", plant.minutes, plant.in_minutes, plant.in_gaps);
    }
    row + "\n"
}
