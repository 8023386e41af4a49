//! `config/*.toml` as decided: every path resolved, every map read, every mistake reported at once.

mod access;
mod characteristic;
mod database;
mod wire;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::line::batch::Limits;
use domain::line::calendar::{Calendar, ShiftRule};
use domain::line::oee::Ratio;
use domain::plc_map::document::{Document, Section};
use domain::plc_map::{PlcMap, Problem, Protocol, Role, Title, read_title};
use domain::quality::characteristic::Characteristic;
use domain::units::{LineId, StationId};
use sha2::{Digest, Sha256};

pub use access::{OpcUaAccess, PasswordPlace, Policy, Security, User};
pub use database::DatabaseConfig;
pub use wire::{Parity, SerialPort, TlsFiles, Transport, Wire};

/// A stop shorter than this is a micro-stop, where nothing else is configured.
const MICRO_STOP: Duration = Duration::from_secs(300);
/// Raw readings are kept for ten years at most.
const LONGEST_RAW_US: i64 = 10 * 366 * 86_400_000_000;

/// Seconds are kept so long by default: a week and the day on which somebody asks about it.
const KEEP_SECONDS: Duration = Duration::from_secs(8 * 24 * 3_600);

/// A whole plant, decided.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the site, shown and stored.
    pub site: String,
    /// Time zone of shifts and screens.
    pub zone: jiff::tz::TimeZone,
    /// Where the web server listens.
    pub listen: SocketAddr,
    /// Where the journal lies.
    pub data: PathBuf,
    /// Time between two commits.
    pub commit_every: Duration,
    /// How long raw readings are kept.
    pub keep_raw: Duration,
    /// How long seconds are kept.
    pub keep_seconds: Duration,
    /// Bytes that the journal directory may take, none for the whole disk.
    pub budget: Option<u64>,
    /// The plant database that rows are forwarded to, none by default.
    pub database: Option<DatabaseConfig>,
    /// Whether limits, signals and causes may be written over the web when it listens on more than this machine.
    pub web_writes: bool,
    /// Lines, in the order of the file. Never empty.
    pub lines: Vec<LineConfig>,
    /// SHA-256 of the text of the configuration and of all maps it names, as hexadecimal: what a report rests on.
    pub sha256: String,
}

/// One line.
#[derive(Clone, Debug)]
pub struct LineConfig {
    /// Identifier, used in addresses: `L1`.
    pub id: LineId,
    /// What people call it.
    pub title: Title,
    /// The station whose good counter is the output of the line and whose state is the state of the line.
    pub counting_station: StationId,
    /// Target rate, capsules a minute.
    pub target_per_minute: u64,
    /// A stop shorter than this is a micro-stop.
    pub micro_stop: Duration,
    /// Between which limits the material balance of a batch must lie.
    pub material_balance: Limits,
    /// Its shifts.
    pub calendar: Calendar,
    /// Its devices, in the order in which capsules pass them. A snapshot's `device` is a position in here.
    pub devices: Vec<DeviceConfig>,
    /// What is under statistical control, with the defaults of what was not configured.
    pub characteristics: Vec<Characteristic>,
}

/// One device of a line.
#[derive(Clone, Debug)]
pub struct DeviceConfig {
    /// What its registers or nodes mean.
    pub map: Arc<PlcMap>,
    /// As it is written: `host:port` of a Modbus device, `opc.tcp://host:port/path` of an OPC UA server.
    pub address: String,
    /// How a Modbus device is reached; of no meaning for OPC UA.
    pub wire: Wire,
    /// Time allowed for a connection to be made.
    pub connect_timeout: Duration,
    /// Time allowed for a reply; a later one costs the connection.
    pub reply_timeout: Duration,
    /// Shortest and longest wait before a new connection attempt.
    pub backoff: (Duration, Duration),
    /// Security and user of an OPC UA server; the default for any other device.
    pub opcua: OpcUaAccess,
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug)]
pub struct ConfigError {
    /// All mistakes, of the configuration and of the maps it names.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// How the text of a map is got: from disk, or from what is built in.
pub type ReadMap<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

impl Config {
    /// Reads a configuration and the maps it names from disk.
    ///
    /// # Errors
    /// All mistakes of all files together.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message =
                format!("cannot be read: {error}; give the path of a file like config/plant.toml");
            ConfigError {
                problems: vec![Problem {
                    file: file.clone(),
                    line: 0,
                    place: String::new(),
                    message,
                }],
            }
        })?;
        Config::parse(&file, &text, path.parent().unwrap_or(Path::new("")), &|map| {
            std::fs::read_to_string(map)
        })
    }

    /// Reads a configuration from its text. Relative paths in it start at `base`.
    ///
    /// # Errors
    /// All mistakes of all files together.
    pub fn parse(
        file: &str,
        text: &str,
        base: &Path,
        read_map: ReadMap<'_>,
    ) -> Result<Config, ConfigError> {
        let document = Document::new(file, text);
        let table = document.parse();
        let mut map_problems = Vec::new();
        let hash = RefCell::new(Sha256::new());
        let add = |text: &str| {
            let mut hash = hash.borrow_mut();
            // The length in front: a text that moves from one file to the next is another configuration.
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(text);
        let read_map = |map: &Path| read_map(map).inspect(|text| add(text));
        let mut reader = Reader {
            base,
            pki: PathBuf::new(),
            read_map: &read_map,
            map_problems: &mut map_problems,
            lines: HashSet::new(),
        };
        let config = reader.config(&document.root(&table));
        let mut problems = document.into_problems();
        problems.extend(map_problems);
        match config {
            Some(config) if problems.is_empty() => {
                let digest = hash.into_inner().finalize();
                let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(Config { sha256, ..config })
            }
            _ => Err(ConfigError { problems }),
        }
    }
}

/// Where the files of a configuration come from, and what was wrong in its maps.
struct Reader<'a> {
    base: &'a Path,
    /// Where certificates are kept.
    pki: PathBuf,
    read_map: ReadMap<'a>,
    map_problems: &'a mut Vec<Problem>,
    /// Names of the lines so far.
    lines: HashSet<String>,
}

impl Reader<'_> {
    fn config(&mut self, root: &Section<'_, '_>) -> Option<Config> {
        root.require("site", "[site] with name and zone");
        let site = root.section("site");
        let name = site
            .as_ref()
            .and_then(|site| site.required_text("name", "\"Plant 1\""))
            .map(|at| at.value.to_owned());
        let zone = site.as_ref().and_then(read_zone);
        if let Some(site) = site {
            site.finish();
        }

        let (listen, web_writes) = match root.section("web") {
            Some(web) => {
                let listen = web
                    .parsed::<SocketAddr>("listen", "an address and port such as 127.0.0.1:8080");
                let writes = web.boolean("writes");
                web.finish();
                (listen.map(|at| at.value), writes.is_some_and(|at| at.value))
            }
            None => (None, false),
        };
        root.require("store", "[store] with dir = \"data\"");
        let store = root.section("store");
        let dir = store
            .as_ref()
            .and_then(|store| store.required_text("dir", "\"data\""))
            .map(|at| self.base.join(at.value));
        self.pki = dir.as_ref().map(|dir| pki_dir(dir)).unwrap_or_default();
        let commit =
            store.as_ref().and_then(|store| read_span(store, "commit", 20_000, 10_000_000));
        let keep_raw = store
            .as_ref()
            .and_then(|store| read_span(store, "keep_raw", 60_000_000, LONGEST_RAW_US));
        let keep_seconds = store
            .as_ref()
            .and_then(|store| read_span(store, "keep_seconds", 60_000_000, LONGEST_RAW_US));
        let budget = store.as_ref().and_then(|store| store.integer("budget_mb", 64, 1_000_000_000));
        if let Some(store) = store {
            store.finish();
        }
        let database =
            root.section("database").and_then(|section| database::read(&section, self.base));

        root.require("line", "[[line]]");
        let zone_or_utc = zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        let sections = root.sections("line");
        let lines: Vec<LineConfig> =
            sections.iter().filter_map(|line| self.line(line, &zone_or_utc)).collect();
        root.finish();
        Some(Config {
            sha256: String::new(),
            site: name?,
            zone: zone?,
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
            data: dir?,
            commit_every: commit.unwrap_or(Duration::from_millis(250)),
            keep_raw: keep_raw.unwrap_or(Duration::from_secs(30 * 86_400)),
            keep_seconds: keep_seconds.unwrap_or(KEEP_SECONDS),
            budget: budget.map(|at| at.value as u64 * 1_000_000),
            database,
            web_writes,
            lines,
        })
    }

    fn line(&mut self, section: &Section<'_, '_>, zone: &jiff::tz::TimeZone) -> Option<LineConfig> {
        let id = section.required_text("id", "\"L1\"");
        if let Some(at) = id
            && !(1..=32).contains(&at.value.len())
                | !at.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        {
            section.report_at(
                at.line,
                format!("id = \"{}\" must be 1 to 32 of A-Z a-z 0-9 - _", at.value),
            );
        }
        if let Some(at) = id
            && !self.lines.insert(at.value.to_owned())
        {
            section.report_at(
                at.line,
                format!("line {} is there twice; give each line a name of its own", at.value),
            );
        }
        let title = read_title(section, "title");
        let counting = section.required_text("counting_station", "\"CF01\"");
        section.require("target_per_minute", "6500");
        let target = section.integer("target_per_minute", 1, 10_000_000);
        let micro_stop = read_span(section, "micro_stop", 1_000_000, 3_600_000_000);
        let material_balance = read_balance(section);
        let rules: Vec<ShiftRule> =
            section.sections("shift").iter().filter_map(read_shift).collect();
        let breaks: Vec<ShiftRule> =
            section.sections("break").iter().filter_map(read_shift).collect();
        section.require("device", "[[line.device]] with map and address");
        let devices: Vec<DeviceConfig> =
            section.sections("device").iter().filter_map(|d| self.device(d)).collect();
        let maps: Vec<_> = devices.iter().map(|device| device.map.clone()).collect();
        let counted = StationId::new(counting.map_or("", |at| at.value));
        let mut characteristics = Characteristic::defaults(&counted, &maps);
        let whole = self.map_problems.is_empty() && counting.is_some();
        for changes in section.sections("characteristic") {
            characteristic::read(&changes, whole.then_some(&mut characteristics));
        }
        section.finish();
        self.check_stations(section, &devices, counting.map(|at| at.value));
        Some(LineConfig {
            characteristics,
            id: LineId::new(id?.value),
            title: title?,
            counting_station: StationId::new(counting?.value),
            target_per_minute: target?.value as u64,
            micro_stop: micro_stop.unwrap_or(MICRO_STOP),
            material_balance,
            calendar: Calendar::new(zone.clone(), rules).with_breaks(breaks),
            devices,
        })
    }

    /// The counting station must be there, count good capsules and tell its state; no station may be there twice.
    fn check_stations(
        &self,
        section: &Section<'_, '_>,
        devices: &[DeviceConfig],
        counting: Option<&str>,
    ) {
        let mut seen = HashSet::new();
        for device in devices {
            if !seen.insert(device.map.station.clone()) {
                let (station, file) = (&device.map.station, &device.map.file);
                section.report(
                    "device",
                    format!("station {station} is there twice, the second time from {file}"),
                );
            }
        }
        let mut tags = HashSet::new();
        for (device, tag) in
            devices.iter().flat_map(|device| device.map.tags.iter().map(move |tag| (device, tag)))
        {
            if !tags.insert(tag.id.clone()) {
                let (id, file) = (&tag.id, &device.map.file);
                section.report(
                    "device",
                    format!("tag {id} is there twice in this line, the second time in {file}"),
                );
            }
        }
        let Some(counting) = counting else { return };
        let Some(device) = devices.iter().find(|device| device.map.station.as_str() == counting)
        else {
            if self.map_problems.is_empty() && !devices.is_empty() {
                let known: Vec<&str> =
                    devices.iter().map(|device| device.map.station.as_str()).collect();
                let message = format!(
                    "\"{counting}\" is no station of this line; its maps have {}",
                    known.join(", ")
                );
                section.report("counting_station", message);
            }
            return;
        };
        for (role, word) in [(Role::Good, "good"), (Role::State, "state")] {
            if device.map.position(&role).is_none() {
                let file = &device.map.file;
                section.report(
                    "counting_station",
                    format!("{counting} has no tag with role {word}; add it to {file}"),
                );
            }
        }
    }

    fn device(&mut self, section: &Section<'_, '_>) -> Option<DeviceConfig> {
        let path = section.required_text("map", "\"../plc-maps/cf01-modbus.toml\"");
        let address = section.required_text("address", "\"192.168.1.10:502\"");
        let connect = read_span(section, "connect_timeout", 1_000, 60_000_000);
        let reply = read_span(section, "reply_timeout", 1_000, 60_000_000);
        let backoff_min = read_span(section, "backoff_min", 10_000, 60_000_000)
            .unwrap_or(Duration::from_millis(100));
        let backoff_max = read_span(section, "backoff_max", 10_000, 600_000_000)
            .unwrap_or(Duration::from_secs(5));
        if backoff_max < backoff_min {
            section.report("backoff_max", "backoff_max is shorter than backoff_min; exchange them");
        }
        let map = path.and_then(|path| self.map(section, path.value, path.line));
        let protocol = map.as_ref().map(|map| &map.protocol);
        let wire = match (protocol, address) {
            (Some(Protocol::OpcUa(_)), Some(address)) => Wire::tcp(address.value),
            (_, address) => {
                let address = address.map_or("", |at| at.value);
                let quiet = reply.unwrap_or(Duration::from_millis(100));
                wire::read(section, address, quiet, self.base)
            }
        };
        let opcua = match protocol {
            Some(Protocol::OpcUa(_)) => access::read(section, self.base, &self.pki),
            Some(Protocol::Modbus(_)) => Some(OpcUaAccess::default()),
            None => {
                access::pass_over(section);
                None
            }
        };
        section.finish();
        let (map, address) = (map?, address?);
        check_address(section, &map, address.value, address.line);
        let fastest_us = map.groups.first().map_or(1_000_000, |group| group.period_us);
        let default_reply =
            Duration::from_micros((fastest_us * 5).clamp(100_000, 2_000_000) as u64);
        Some(DeviceConfig {
            map: Arc::new(map),
            address: address.value.into(),
            wire,
            connect_timeout: connect.unwrap_or(Duration::from_secs(1)),
            reply_timeout: reply.unwrap_or(default_reply),
            backoff: (backoff_min, backoff_max),
            opcua: opcua?,
        })
    }

    fn map(&mut self, section: &Section<'_, '_>, path: &str, line: usize) -> Option<PlcMap> {
        let full = self.base.join(path);
        let text = match (self.read_map)(&full) {
            Ok(text) => text,
            Err(error) => {
                section.report_at(
                    line,
                    format!(
                        "map {} cannot be read: {error}; paths start at this file",
                        full.display()
                    ),
                );
                return None;
            }
        };
        match PlcMap::parse(&full.display().to_string(), &text) {
            Ok(map) => Some(map),
            Err(problems) => {
                self.map_problems.extend(problems);
                None
            }
        }
    }
}

/// Where the certificates of a journal directory are kept.
pub fn pki_dir(data: &Path) -> PathBuf {
    data.join("pki")
}

fn read_zone(site: &Section<'_, '_>) -> Option<jiff::tz::TimeZone> {
    let name = site.required_text("zone", "\"Asia/Shanghai\"")?;
    let zone = jiff::tz::TimeZone::get(name.value);
    if zone.is_err() {
        let value = name.value;
        site.report_at(
            name.line,
            format!(
                "zone = \"{value}\" is no IANA time zone; write for instance \"Asia/Shanghai\""
            ),
        );
    }
    zone.ok()
}

fn read_shift(section: &Section<'_, '_>) -> Option<ShiftRule> {
    let name = section.required_text("name", "\"A\"");
    section.require("start", "\"08:00\"");
    section.require("end", "\"20:00\"");
    let start = section.parsed::<jiff::civil::Time>("start", "a local time such as 08:00");
    let end = section.parsed::<jiff::civil::Time>("end", "a local time such as 20:00");
    section.finish();
    Some(ShiftRule { name: name?.value.into(), start: start?.value, end: end?.value })
}

/// `balance_low` and `balance_high`, in percent with up to three decimals.
fn read_balance(section: &Section<'_, '_>) -> Limits {
    let default = Limits::default();
    let read = |key, default| {
        let Some(at) = section.number(key) else { return default };
        let thousandths = (at.value * 1_000.0).round();
        if !(0.0..=1_000_000.0).contains(&thousandths) {
            let found = at.value;
            section
                .report_at(at.line, format!("{key} must be from 0 to 1000 percent, found {found}"));
            return default;
        }
        Ratio::new(thousandths as u128, 100_000).unwrap_or(default)
    };
    let (low, high) = (read("balance_low", default.low), read("balance_high", default.high));
    if low > high {
        section.report("balance_low", "balance_low is above balance_high; exchange them");
    }
    Limits { low, high }
}

fn read_span(
    section: &Section<'_, '_>,
    key: &'static str,
    low_us: i64,
    high_us: i64,
) -> Option<Duration> {
    let at = section.duration_us(key)?;
    if (low_us..=high_us).contains(&at.value) {
        return Some(Duration::from_micros(at.value as u64));
    }
    let shown = |us: i64| format!("{:?}", Duration::from_micros(us as u64));
    let (low, high, found) = (shown(low_us), shown(high_us), shown(at.value));
    section.report_at(at.line, format!("{key} must be from {low} to {high}, found {found}"));
    None
}

fn check_address(section: &Section<'_, '_>, map: &PlcMap, address: &str, line: usize) {
    let (authority, example) = match map.protocol {
        Protocol::Modbus(_) => match wire::authority(address) {
            Some(authority) => (Some(authority), "192.168.1.10:502"),
            None => return,
        },
        Protocol::OpcUa(_) => {
            let rest = address.strip_prefix("opc.tcp://");
            (rest.map(|rest| rest.split('/').next().unwrap_or(rest)), "opc.tcp://192.168.1.14:4840")
        }
    };
    let fits =
        authority.and_then(|authority| authority.rsplit_once(':')).is_some_and(|(host, port)| {
            !host.is_empty()
                && !host.contains(['/', ' '])
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
    if !fits {
        section.report_at(
            line,
            format!("address = \"{address}\" does not fit; write for instance \"{example}\""),
        );
    }
}

#[cfg(test)]
mod tests;
