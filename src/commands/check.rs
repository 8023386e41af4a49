//! `capline check`: all mistakes of a configuration or a map, or the requests it would send.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use capline::config::{
    Config, DeviceConfig, LineConfig, OpcUaAccess, Security, SerialPort, User, Wire,
};
use capline::sources::{Plan, Request, plan, tags_of};
use clap::Args;
use domain::line::calendar::ShiftRule;
use domain::plc_map::{Group, ModbusOptions, OpcUaOptions, PlcMap, Problem, Protocol, Role, Table};

use super::{complain, print, read};

/// Check a configuration and its maps, and show the requests they lead to
///
/// When all is well, prints for each device its connection and what would be polled: groups with their period, and
/// each request with its function code, registers and tags, and how long a poll can take. Mistakes are printed
/// together, each with file, line, value and way out. A map can be checked alone. Nothing is contacted.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline check config/plant.toml
  capline check plc-maps/cf01-modbus.toml

Exit code 0: it can be run. 1: there are mistakes; each is a line on stderr.")]
pub(crate) struct CheckArgs {
    /// Configuration, or a plc-map alone
    #[arg(value_name = "FILE", default_value = "config/plant.toml")]
    config: PathBuf,
}

pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    if let Ok(text) = read(&args.config)
        && is_map(&text)
    {
        return map_alone(&args.config, &text);
    }
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    let mut text = head(&config, &args.config.display().to_string());
    let mut mistakes = Vec::new();
    for line in &config.lines {
        text += &line_head(line);
        text += &shifts(line);
        for device in &line.devices {
            match device_plan(device) {
                Ok(plan) => text += &plan,
                Err(mistake) => mistakes.push(mistake),
            }
        }
    }
    if mistakes.is_empty() {
        return print(&text);
    }
    complain(&mistakes.join("\n"));
    ExitCode::FAILURE
}

/// A map begins with its machine; a configuration has none.
fn is_map(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with("[machine]"))
}

/// Checks a map without a configuration, as if its device were at the usual port.
fn map_alone(path: &Path, text: &str) -> ExitCode {
    let file = path.display().to_string();
    let map = match PlcMap::parse(&file, text) {
        Ok(map) => map,
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
            complain(&lines.join("\n"));
            return ExitCode::FAILURE;
        }
    };
    let address = "(no address)".to_owned();
    let device = DeviceConfig {
        wire: Wire::tcp(&address),
        address,
        connect_timeout: Duration::from_secs(1),
        reply_timeout: Duration::from_millis(100),
        backoff: (Duration::from_millis(100), Duration::from_secs(5)),
        map: map.into(),
        opcua: OpcUaAccess::default(),
    };
    match device_plan(&device) {
        Ok(plan) => print(plan.trim_start()),
        Err(mistake) => {
            complain(&mistake);
            ExitCode::FAILURE
        }
    }
}

fn head(config: &Config, file: &str) -> String {
    let zone = config.zone.iana_name().unwrap_or("a zone without a name");
    let (site, listen, data) = (&config.site, config.web.listen, config.data.display());
    let scheme = if config.web.has_tls() { "https" } else { "http" };
    format!("{file}: {site}, {zone}; screens on {scheme}://{listen}; journal in {data}\n")
}

fn line_head(line: &LineConfig) -> String {
    format!(
        "\nline {}: {}, target {} capsules/min, counted at {}\n",
        line.id, line.title.en, line.target_per_minute, line.output
    )
}

/// When people work, and what it means that at some time nobody does.
fn shifts(line: &LineConfig) -> String {
    let clock = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
    let span = |(from, to)| format!("{} to {}", clock(from), clock(to));
    let calendar = &line.calendar;
    let shift = |rule: &ShiftRule| format!("{} {}", rule.name, span((rule.start, rule.end)));
    let rules: Vec<String> = calendar.shifts().iter().map(shift).collect();
    let mut text = format!("  shifts: {}, every day\n", rules.join(", "));
    let gaps: Vec<String> = calendar.gaps().into_iter().map(span).collect();
    if !gaps.is_empty() {
        let _ = writeln!(
            text,
            "  no shift from {}: nothing is planned to be made then; a stop is a planned one, and what is made counts in no shift",
            gaps.join(" and ")
        );
    }
    text
}

/// What one device is asked. The error is a mistake in its map.
fn device_plan(device: &DeviceConfig) -> Result<String, String> {
    let map = &device.map;
    let name = format!("\n  {} {}: ", map.station, map.title.en);
    let plan = match &map.protocol {
        Protocol::Modbus(options) => modbus(device, options)?,
        Protocol::OpcUa(options) => opcua(device, options),
    };
    Ok(name + &plan + stateless(map))
}

/// A map that knows a state and no code of it is allowed, and never what was meant.
fn stateless(map: &PlcMap) -> &'static str {
    if map.position(&Role::State).is_some() && map.states.is_empty() {
        return "    without [states] in the map every state of it is unknown; write what each code means, as 3 = \"execute\"\n";
    }
    ""
}

fn modbus(device: &DeviceConfig, options: &ModbusOptions) -> Result<String, String> {
    let map = &device.map;
    let mut text = format!(
        "{} {}, unit {}, a reply within {:?}, {} tags of {}\n",
        device.wire.transport.name(),
        device.address,
        device.wire.unit.unwrap_or(options.unit),
        device.reply_timeout,
        map.tags.len(),
        map.file
    );
    let mut rows = Vec::new();
    let mut plans = Vec::new();
    let (mut per_second, mut registers_per_second, mut longest) = (0.0, 0.0, 0);
    for (i, group) in map.groups.iter().enumerate() {
        let plan = plan(map, options, i as u16).map_err(|error| error.to_string())?;
        let polls = polls_per_second(group);
        for request in &plan.requests {
            per_second += polls;
            registers_per_second += polls * f64::from(request.count);
            longest = longest.max(request.count);
            rows.push(request_row(map, group, request));
        }
        plans.push(plan);
    }
    text += &aligned(&rows);
    let _ = writeln!(
        text,
        "    in all {} requests/s, {} registers/s; at most {longest} of {} registers in one request",
        short(per_second),
        short(registers_per_second),
        options.max_registers
    );
    text += &cycles(device, u32::from(options.reads), &plans);
    Ok(text)
}

/// How long a poll of each group can take, and whether a serial line has the time.
fn cycles(device: &DeviceConfig, reads: u32, plans: &[Plan]) -> String {
    let mut text = String::new();
    let (wire, map) = (&device.wire, &device.map);
    let mut busy = 0.0;
    for (group, plan) in map.groups.iter().zip(plans).filter(|(_, plan)| !plan.requests.is_empty())
    {
        let n = plan.requests.len() as u32;
        let pauses = wire.pause() * n;
        // A block whose sequence words differ is read again.
        let reads = if plan.sequences.is_empty() { 1 } else { reads };
        let worst = (device.reply_timeout * n + pauses) * reads;
        let requests = if n == 1 { "request" } else { "requests" };
        let _ = write!(text, "    {} takes {n} {requests}, at worst {}", group.name, ms(worst));
        if let Some(port) = wire.serial() {
            let least = pauses + plan.requests.iter().map(|r| time_on(port, r)).sum::<Duration>();
            busy += least.as_secs_f64() * polls_per_second(group);
            let _ = write!(text, ", at least {} at {} Bd", ms(least), port.baud);
        }
        text += "\n";
    }
    if busy > 0.0 {
        let percent = (busy * 100.0).ceil();
        let verdict = match busy > 1.0 {
            true => {
                ": more than it has, polls will be skipped; lengthen the periods or raise the baud rate"
            }
            false => "",
        };
        let _ = writeln!(text, "    the line is busy {percent} % of the time{verdict}");
    }
    text
}

/// A request of eight bytes and its reply on a serial line.
fn time_on(port: &SerialPort, request: &Request) -> Duration {
    let data = match request.table.is_of_bits() {
        true => u32::from(request.count).div_ceil(8),
        false => u32::from(request.count) * 2,
    };
    port.time_of(8 + 5 + data)
}

fn ms(time: Duration) -> String {
    format!("{} ms", short(time.as_secs_f64() * 1e3))
}

fn request_row(map: &PlcMap, group: &Group, request: &Request) -> [String; 5] {
    let (code, what, unit) = match request.table {
        Table::Coil => (1, "coils", "bits"),
        Table::Discrete => (2, "discrete inputs", "bits"),
        Table::Holding => (3, "holding registers", "registers"),
        Table::Input => (4, "input registers", "registers"),
    };
    let last = u32::from(request.first) + u32::from(request.count) - 1;
    let tags = request.tags.iter().filter_map(|(tag, _)| map.tags.get(usize::from(*tag)));
    [
        format!("{} every {}", group.name, period(group)),
        format!("FC{code:02} {what}"),
        format!("{} to {last}", request.first),
        format!("{} {unit}", request.count),
        tags.map(|tag| tag.id.as_str()).collect::<Vec<_>>().join(" "),
    ]
}

/// How a server is reached, where it is not in the open by anybody.
fn security(access: &OpcUaAccess) -> String {
    let security = match access.security {
        Security::None => String::new(),
        Security::Secured { policy, encrypted } => {
            let mode = if encrypted { "SignAndEncrypt" } else { "Sign" };
            format!(", {} {mode}", policy.word())
        }
    };
    let user = match &access.user {
        User::Anonymous => String::new(),
        User::Named { name, .. } => format!(", as {name}"),
        User::Certificate { certificate, .. } => format!(", as {}", certificate.display()),
    };
    security + &user
}

fn opcua(device: &DeviceConfig, options: &OpcUaOptions) -> String {
    let map = &device.map;
    let mut text = format!(
        "OPC UA {}{}, namespace {}, a reply within {:?}, {} tags of {}\n",
        device.address,
        security(&device.opcua),
        options.namespace,
        device.reply_timeout,
        map.tags.len(),
        map.file
    );
    let rows: Vec<[String; 5]> = map
        .groups
        .iter()
        .enumerate()
        .map(|(i, group)| {
            let tags: Vec<&str> = tags_of(map, i as u16).map(|(_, tag)| tag.id.as_str()).collect();
            [
                group.name.to_string(),
                format!("published every {}", period(group)),
                "sampled as fast as the server can".into(),
                format!("{} items", tags.len()),
                tags.join(" "),
            ]
        })
        .collect();
    text += &aligned(&rows);
    let messages: f64 = map.groups.iter().map(polls_per_second).sum();
    let _ = writeln!(text, "    in all at most {} messages/s", short(messages));
    text
}

fn polls_per_second(group: &Group) -> f64 {
    1e6 / group.period_us as f64
}

fn period(group: &Group) -> String {
    match group.period_us {
        us if us % 1_000_000 == 0 => format!("{} s", us / 1_000_000),
        us => format!("{} ms", us as f64 / 1e3),
    }
}

/// At most one decimal.
fn short(x: f64) -> String {
    format!("{}", (x * 10.0).round() / 10.0)
}

/// Columns under each other; the last one, the tags, follows on lines of its own.
fn aligned(rows: &[[String; 5]]) -> String {
    let width = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut text = String::new();
    for row in rows {
        text += "    ";
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.truncate(text.trim_end().len());
        text += "\n";
        let mut line = String::new();
        for tag in row[4].split(' ') {
            if line.len() + tag.len() > 104 {
                let _ = writeln!(text, "       {line}");
                line.clear();
            }
            let _ = write!(line, " {tag}");
        }
        let _ = writeln!(text, "       {line}");
    }
    text
}
