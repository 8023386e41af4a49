//! `capline probe modbus`: what a device holds, in every way to read it, before there is a map.

use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use capline::config::{Parity, SerialPort, TlsFiles, Transport, Wire};
use capline::sources::Probe;
use clap::{Args, Subcommand, ValueEnum};
use domain::plc_map::document::parse_duration_us;
use domain::plc_map::probe::{Candidate, Row, Sight};
use domain::plc_map::{ByteOrder, Encoding, Kind, Table};
use domain::reading::Value;
use serde_json::json;

use super::{UNUSABLE, print};

/// Show what a device holds, in every way to read it; reads only
#[derive(Args)]
#[command(
    subcommand_value_name = "modbus",
    after_help = "\
Example:
  capline probe modbus 192.168.1.10 --unit 1 --from 0 --count 48

`capline probe modbus --help` tells the rest."
)]
pub(crate) struct ProbeArgs {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Subcommand)]
enum Protocol {
    /// Read a run of registers again and again
    ///
    /// Each row is a register: in hexadecimal, as u16 and i16, and together with the next one as u32 and f32 in all four
    /// orders. A star marks what changed since the read before. The last column names the ways in which the value rose
    /// each time it changed and never fell: what a counter does. A ? there: its more significant register has not moved
    /// yet, so that the other register alone counts the same. Ends with Ctrl-C.
    #[command(after_help = "\
Example:
  capline probe modbus 192.168.1.10 --unit 1 --from 0 --count 48
  capline probe modbus rtu+tcp://192.168.1.20:4001 --table input --count 8 --once
  capline probe modbus serial:/dev/ttyUSB0 --baud 9600 --reads 5 --json

Exit code 0: it was read. 2: it could not be reached or refused the last read; the reason is on stderr.")]
    Modbus(ModbusArgs),
}

#[derive(Args)]
struct ModbusArgs {
    /// host[:port], rtu+tcp://host:port, tls://host[:port] or serial:/dev/ttyUSB0
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// Unit identifier
    #[arg(long, default_value_t = 1)]
    unit: u8,
    /// Which of the four tables
    #[arg(long, value_enum, default_value_t = TableArg::Holding)]
    table: TableArg,
    /// First register, 0-based as in the protocol
    #[arg(long, default_value_t = 0)]
    from: u16,
    /// How many
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=2000))]
    count: u16,
    /// Time between two reads
    #[arg(long, default_value = "500ms", value_parser = span)]
    every: Duration,
    /// Time for a connection and for each reply
    #[arg(long, default_value = "1s", value_parser = span)]
    timeout: Duration,
    /// End after so many reads and print the last
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    reads: Option<u32>,
    /// The same as --reads 1
    #[arg(long, conflicts_with = "reads")]
    once: bool,
    /// One line of JSON for each read, or for the last with --reads or --once
    #[arg(long)]
    json: bool,
    /// Bits a second of a serial port
    #[arg(long, default_value_t = 19_200)]
    baud: u32,
    /// Parity of a serial port
    #[arg(long, value_enum, default_value_t = ParityArg::Even)]
    parity: ParityArg,
    /// Stop bits of a serial port
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    /// Authorities of the device, PEM
    #[arg(long, value_name = "FILE", requires = "cert", requires = "key")]
    ca: Option<PathBuf>,
    /// Our certificate, PEM
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Name in the certificate of the device, if not that of the address
    #[arg(long)]
    name: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum TableArg {
    Coil,
    Discrete,
    Holding,
    Input,
}

#[derive(Clone, Copy, ValueEnum)]
enum ParityArg {
    Even,
    Odd,
    None,
}

fn span(text: &str) -> Result<Duration, String> {
    let us = parse_duration_us(text).map(|us| Duration::from_micros(us as u64));
    us.ok_or_else(|| format!("{text} is no time; write 200ms or 1s"))
}

pub(crate) async fn run(args: &ProbeArgs) -> ExitCode {
    let Protocol::Modbus(args) = &args.protocol;
    let Some(wire) = wire(args) else {
        eprintln!("{}: TLS needs --ca, --cert and --key", args.address);
        return ExitCode::from(UNUSABLE);
    };
    let table = match args.table {
        TableArg::Coil => Table::Coil,
        TableArg::Discrete => Table::Discrete,
        TableArg::Holding => Table::Holding,
        TableArg::Input => Table::Input,
    };
    let mut probe = Probe::new(wire, args.timeout);
    let failed = tokio::select! {
        failed = watch(args, table, &mut probe) => failed,
        _ = tokio::signal::ctrl_c() => None,
    };
    probe.close().await;
    match failed {
        None => ExitCode::SUCCESS,
        Some(words) => {
            eprintln!("{}, unit {}: {words}", args.address, args.unit);
            ExitCode::from(UNUSABLE)
        }
    }
}

fn wire(args: &ModbusArgs) -> Option<Wire> {
    let parity = match args.parity {
        ParityArg::Even => Parity::Even,
        ParityArg::Odd => Parity::Odd,
        ParityArg::None => Parity::None,
    };
    let port =
        SerialPort { path: String::new(), baud: args.baud, parity, stop_bits: args.stop_bits };
    let tls = match (&args.ca, &args.cert, &args.key) {
        (Some(ca), Some(cert), Some(key)) => Some(TlsFiles {
            ca: ca.clone(),
            cert: cert.clone(),
            key: key.clone(),
            name: args.name.clone(),
        }),
        _ => None,
    };
    let transport = Transport::of(&with_port(&args.address), port, tls)?;
    Some(Wire { unit: Some(args.unit), quiet: args.timeout, ..Wire::of(transport) })
}

/// A host without a port has the one of the protocol: 502, or 802 over TLS.
fn with_port(address: &str) -> String {
    let (scheme, host) = address.split_once("://").map_or(("", address), |(s, host)| (s, host));
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty());
    match scheme {
        _ if address.starts_with("serial:") || has_port => address.to_owned(),
        "tls" => format!("{address}:802"),
        _ => format!("{address}:502"),
    }
}

/// Reads until told to end. Returns why the last read failed, if it did.
async fn watch(args: &ModbusArgs, table: Table, probe: &mut Probe) -> Option<String> {
    let reads = if args.once { Some(1) } else { args.reads };
    let live = std::io::stdout().is_terminal() && !args.json;
    let mut sight = Sight::new(args.from);
    let mut ticks = tokio::time::interval(args.every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut attempts = 0;
    loop {
        ticks.tick().await;
        attempts += 1;
        let last = reads.is_some_and(|n| attempts >= n);
        let read = probe.read(table, args.from, args.count).await;
        match &read {
            Ok(words) => sight.see(words),
            Err(error) if last => return Some(error.to_string()),
            Err(error) => eprintln!("{}: {error}", args.address),
        }
        if read.is_ok() && (last || reads.is_none() || live) {
            let text = match args.json {
                true => as_json(args, table, &sight) + "\n",
                false => as_table(args, table, &sight, live && !last),
            };
            // Whoever reads this may have seen enough.
            if print(&text) != ExitCode::SUCCESS {
                return None;
            }
        }
        if last {
            return None;
        }
    }
}

/// The order in which the columns of two registers stand.
const ORDERS: [ByteOrder; 4] = [ByteOrder::Abcd, ByteOrder::Cdab, ByteOrder::Badc, ByteOrder::Dcba];

fn as_table(args: &ModbusArgs, table: Table, sight: &Sight, redraw: bool) -> String {
    let mut text = String::new();
    if redraw {
        // Home, and clear what was there: the table stays in its place.
        text += "\x1b[H\x1b[J";
    }
    let (address, unit, reads) = (&args.address, args.unit, sight.reads());
    let _ =
        writeln!(text, "{address}, unit {unit}, {} from {}, read {reads}", table.word(), args.from);
    if table.is_of_bits() {
        for row in sight.rows() {
            let mark = if row.changed { '*' } else { ' ' };
            let _ = writeln!(text, "{:>5}{mark} {}", row.register, row.word);
        }
        return text;
    }
    let _ = write!(text, "  reg   hex    u16    i16");
    for kind in ["u32", "f32"] {
        for order in ORDERS {
            let _ = write!(text, "{:>13}", format!("{kind} {}", order.word()));
        }
    }
    text += "  counter?\n";
    let rows = sight.rows();
    for row in &rows {
        text += &table_row(row);
    }
    if rows.iter().flat_map(|row| &row.counters).any(|found| !found.is_proven) {
        text += UNPROVEN;
    }
    text
}

/// Why a row can offer two ways: under a table with a `?` in it.
const UNPROVEN: &str = "\
? the more significant register has not moved yet: a u16 of the other register alone counts the same so far, and a u64 would,
  too. A carry at 65,536 tells them apart: read on until then, or look into the vendor's list.
";

fn table_row(row: &Row) -> String {
    let mark = if row.changed { '*' } else { ' ' };
    let (word, signed) = (row.word, row.word as i16);
    let mut text = format!("{:>5}{mark} {word:04x} {word:>6} {signed:>6}", row.register);
    for kind in [Kind::Unsigned(32), Kind::Float(32)] {
        for order in ORDERS {
            let _ = write!(text, "{:>13}", value_of(row, kind, order).map_or(String::new(), shown));
        }
    }
    let mark = |found: &Candidate| if found.is_proven { "" } else { "?" };
    let name = |found: &Candidate| name_of(&found.encoding) + mark(found);
    let counters: Vec<String> = row.counters.iter().map(name).collect();
    if !counters.is_empty() {
        let _ = write!(text, "  {}", counters.join(" or "));
    }
    text + "\n"
}

fn value_of(row: &Row, kind: Kind, order: ByteOrder) -> Option<&Value> {
    let wanted = Encoding { kind, order };
    row.ways.iter().find(|(encoding, _)| *encoding == wanted).map(|(_, value)| value)
}

/// At most twelve characters.
fn shown(value: &Value) -> String {
    match value {
        Value::Unsigned(n) => n.to_string(),
        Value::Signed(n) => n.to_string(),
        Value::Float(x) if *x == 0.0 || (1e-3..1e7).contains(&x.abs()) => format!("{x:.4}"),
        Value::Float(x) => format!("{x:.4e}"),
        Value::Bool(b) => b.to_string(),
        Value::Text(text) => text.to_string(),
    }
}

fn name_of(encoding: &Encoding) -> String {
    match encoding.kind.registers() {
        1 => encoding.kind.to_string(),
        _ => format!("{} {}", encoding.kind, encoding.order.word()),
    }
}

fn as_json(args: &ModbusArgs, table: Table, sight: &Sight) -> String {
    let rows: Vec<_> = sight
        .rows()
        .iter()
        .map(|row| {
            let ways = row.ways.iter().map(|(encoding, value)| (name_of(encoding), number(value)));
            let name = |found: &Candidate| name_of(&found.encoding);
            let unproven = row.counters.iter().filter(|found| !found.is_proven).map(name);
            json!({
                "register": row.register,
                "word": row.word,
                "changed": row.changed,
                "as": ways.collect::<serde_json::Map<_, _>>(),
                "counter": row.counters.iter().map(name).collect::<Vec<_>>(),
                "unproven": unproven.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "address": args.address,
        "unit": args.unit,
        "table": table.word(),
        "from": args.from,
        "reads": sight.reads(),
        "registers": rows,
    })
    .to_string()
}

/// A float that is no number is null.
fn number(value: &Value) -> serde_json::Value {
    match value {
        Value::Unsigned(n) => json!(n),
        Value::Signed(n) => json!(n),
        other => json!(other.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_port_of_its_protocol() {
        for (written, meant) in [
            ("10.0.0.1", "10.0.0.1:502"),
            ("10.0.0.1:1502", "10.0.0.1:1502"),
            ("plc", "plc:502"),
            ("tls://plc", "tls://plc:802"),
            ("tls://plc:8020", "tls://plc:8020"),
            ("rtu+tcp://gw:4001", "rtu+tcp://gw:4001"),
            ("serial:/dev/ttyUSB0", "serial:/dev/ttyUSB0"),
        ] {
            assert_eq!(with_port(written), meant);
        }
    }
}
