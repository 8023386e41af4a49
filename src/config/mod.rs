//! `config/*.toml` as decided: every path resolved, every map read, every mistake reported at once.

mod access;
pub mod change;
mod characteristic;
mod database;
mod line;
mod output;
mod quality;
mod reach;
mod web;
mod webhook;
mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::alert::Rule;
use domain::audit::Configuration;
use domain::line::batch::Limits;
use domain::line::calendar::Calendar;
use domain::line::output::Output;
use domain::plc_map::document::{Document, Section};
use domain::plc_map::{PlcMap, Problem, Title};
use domain::quality::characteristic::Characteristic;
use domain::units::LineId;

use crate::secret::credential;

pub use access::{OpcUaAccess, PasswordPlace, Policy, Security, User};
pub use database::DatabaseConfig;
pub use quality::QualityConfig;
pub use reach::{WebLimits, WebReach, WebTls};
pub use web::{WebAccess, WebConfig};
pub use webhook::WebhookConfig;
pub use wire::{Parity, SerialPort, TlsFiles, Transport, Wire};

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
    /// Where the screens are served and who may ask.
    pub web: WebConfig,
    /// What quality assurance asks of records.
    pub quality: QualityConfig,
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
    /// Priority of the poll thread under `SCHED_FIFO`, 1 to 99; none for a thread like any other.
    pub realtime_priority: Option<u8>,
    /// Lines, in the order of the file. Never empty.
    pub lines: Vec<LineConfig>,
    /// Other systems that are told of alerts.
    pub webhooks: Vec<WebhookConfig>,
    /// What is an alert. Their names differ.
    pub alerts: Vec<Rule>,
    /// SHA-256 of the text of the configuration and of all maps it names, as hexadecimal: what a report rests on.
    pub sha256: String,
    /// Names and texts of the configuration and of its maps, as read: what the hash is of.
    pub files: Vec<(String, String)>,
    /// The file it was read from; none for one that is built in.
    pub file: Option<PathBuf>,
    /// Lines of the keys that cannot change while the service runs, as far as they are written: `listen` → 7.
    pub key_lines: BTreeMap<&'static str, usize>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineConfig {
    /// Identifier, used in addresses: `L1`.
    pub id: LineId,
    /// What people call it.
    pub title: Title,
    /// The stations whose good counters together are the output of the line and whose states are the state of the line.
    pub output: Output,
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

impl LineConfig {
    /// Positions of the devices of its output, which follow one another.
    pub fn counting(&self) -> Range<usize> {
        let is_first = |device: &DeviceConfig| device.map.station == *self.output.first();
        let first = self.devices.iter().position(is_first).unwrap_or(0);
        first..first + self.output.stations().len()
    }

    /// What the maps of its output call a reason that one of them told. Where several name a code, they name it alike.
    pub fn stop_title(&self, code: i64) -> Option<&Title> {
        let counting = self.devices.get(self.counting()).unwrap_or_default();
        counting.iter().find_map(|device| device.map.stop_reasons.get(&code))
    }
}

/// One device of a line.
#[derive(Clone, Debug, PartialEq)]
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
        let base = path.parent().unwrap_or(Path::new(""));
        let config = Config::parse(&file, &text, base, &|map| std::fs::read_to_string(map))?;
        Ok(Config { file: Some(path.to_owned()), ..config })
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
        let files = RefCell::new(vec![(file.to_owned(), text.to_owned())]);
        let add = |map: &Path, text: &str| {
            files.borrow_mut().push((map.display().to_string(), text.to_owned()));
        };
        let read_map = |map: &Path| read_map(map).inspect(|text| add(map, text));
        let mut reader = Reader {
            base,
            pki: PathBuf::new(),
            read_map: &read_map,
            map_problems: &mut map_problems,
            lines: HashSet::new(),
            ports: Vec::new(),
            key_lines: BTreeMap::new(),
        };
        let config = reader.config(&document.root(&table));
        let mut problems = document.into_problems();
        problems.extend(map_problems);
        match config {
            Some(config) if problems.is_empty() => {
                let Configuration { sha256, files } = Configuration::new(files.into_inner());
                Ok(Config { sha256, files, ..config })
            }
            _ => Err(ConfigError { problems }),
        }
    }
}

impl Config {
    /// Path of its file as it was given; of a configuration that was never in one, the usual path.
    pub fn path(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or_else(|| "config/plant.toml".to_owned())
    }

    /// What is kept of it: its hash and the texts that it is of.
    pub fn configuration(&self) -> Configuration {
        Configuration { sha256: self.sha256.clone(), files: self.files.clone() }
    }

    /// Names and texts of the maps, as read; the configuration itself comes before them and is left out.
    pub fn map_texts(&self) -> Vec<(String, String)> {
        self.files.iter().skip(1).cloned().collect()
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
    /// Serial ports so far, with the line of the device that named each first.
    ports: Vec<(usize, SerialPort)>,
    /// See [`Config::key_lines`].
    key_lines: BTreeMap<&'static str, usize>,
}

/// What is written of the journal.
#[derive(Default)]
struct Store {
    dir: Option<PathBuf>,
    commit_every: Option<Duration>,
    keep_raw: Option<Duration>,
    keep_seconds: Option<Duration>,
    /// In bytes.
    budget: Option<u64>,
}

impl Reader<'_> {
    fn config(&mut self, root: &Section<'_, '_>) -> Option<Config> {
        let (name, zone) = self.site(root);
        let web = root.section("web").map(|web| {
            self.note_keys(&web);
            web::read(&web, self.base)
        });
        let access = web.as_ref().map_or(WebConfig::default().access, |web| web.access);
        let quality = root.section("quality").map(|quality| {
            self.note_keys(&quality);
            quality::read(&quality, access)
        });
        let store = self.store(root);
        self.pki = store.dir.as_deref().map(pki_dir).unwrap_or_default();
        let database = root.section("database").and_then(|section| {
            self.key_lines.insert("database", section.line);
            database::read(&section, self.base)
        });

        let realtime_priority = self.realtime_priority(root);
        if !root.has("line") {
            root.report_at(0, no_line(root.file()));
        }
        let zone_or_utc = zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        let sections = root.sections("line");
        let lines: Vec<LineConfig> =
            sections.iter().filter_map(|line| self.line(line, &zone_or_utc)).collect();
        let mut named: Vec<LineId> =
            self.lines.iter().map(|line| LineId::new(line.as_str())).collect();
        named.sort();
        self.note_keys(root);
        let (webhooks, alerts) = webhook::read(root, self.base, &named);
        root.finish();
        Some(Config {
            sha256: String::new(),
            files: Vec::new(),
            file: None,
            key_lines: std::mem::take(&mut self.key_lines),
            site: name?,
            zone: zone?,
            web: web.unwrap_or_default(),
            quality: quality.unwrap_or_default(),
            data: store.dir?,
            commit_every: store.commit_every.unwrap_or(Duration::from_millis(250)),
            keep_raw: store.keep_raw.unwrap_or(Duration::from_secs(30 * 86_400)),
            keep_seconds: store.keep_seconds.unwrap_or(KEEP_SECONDS),
            budget: store.budget,
            database,
            realtime_priority,
            lines,
            webhooks,
            alerts,
        })
    }

    /// `[site]`: its name and its time zone.
    fn site(&mut self, root: &Section<'_, '_>) -> (Option<String>, Option<jiff::tz::TimeZone>) {
        root.require("site", "[site] with name and zone");
        let Some(site) = root.section("site") else { return (None, None) };
        let name = site.required_text("name", "\"Plant 1\"").map(|at| at.value.to_owned());
        let zone = read_zone(&site);
        self.note_keys(&site);
        site.finish();
        (name, zone)
    }

    /// `[store]`: where the journal lies and what is kept in it.
    fn store(&mut self, root: &Section<'_, '_>) -> Store {
        root.require("store", "[store] with dir = \"data\"");
        let Some(section) = root.section("store") else { return Store::default() };
        let dir = section.required_text("dir", "\"data\"");
        let store = Store {
            dir: dir.map(|at| self.base.join(at.value)),
            commit_every: read_span(&section, "commit", 20_000, 10_000_000),
            keep_raw: read_span(&section, "keep_raw", 60_000_000, LONGEST_RAW_US),
            keep_seconds: read_span(&section, "keep_seconds", 60_000_000, LONGEST_RAW_US),
            budget: section
                .integer("budget_mb", 64, 1_000_000_000)
                .map(|at| at.value as u64 * 1_000_000),
        };
        self.note_keys(&section);
        section.finish();
        store
    }

    /// `[acquisition]`: the priority of the poll thread.
    fn realtime_priority(&mut self, root: &Section<'_, '_>) -> Option<u8> {
        let acquisition = root.section("acquisition")?;
        self.note_keys(&acquisition);
        let priority = acquisition.integer("realtime_priority", 1, 99);
        acquisition.finish();
        priority.map(|at| at.value as u8)
    }

    /// Remembers on which lines the keys stand that cannot change while the service runs.
    fn note_keys(&mut self, section: &Section<'_, '_>) {
        for (key, line, _) in section.entries() {
            if let Some(fixed) = change::FIXED.iter().find(|fixed| **fixed == key) {
                self.key_lines.insert(fixed, line);
            }
        }
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

/// What to do first in a plant of which nothing is known yet.
fn no_line(file: &str) -> String {
    format!(
        "no [[line]], so there is nothing to read yet; `capline probe modbus HOST` or `capline browse opcua URL` shows what \
         a machine holds, a map after plc-maps/cf01-modbus.toml says what it means, [[line]] and [[line.device]] after \
         config/plant.toml name both, and `capline check {file}` tells what is still wrong"
    )
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

/// Where a file of a configuration is. Paths start at `base`; the name of a credential of systemd stays what it is.
fn place(base: &Path, text: &str) -> PathBuf {
    match credential(Path::new(text)) {
        Some(_) => PathBuf::from(text),
        None => base.join(text),
    }
}

/// Reports a file of a key that cannot be read. It is opened and nothing more: what it holds may be renewed later. A
/// credential is there only once systemd starts the service.
fn must_be_there(section: &Section<'_, '_>, line: usize, key: &str, path: &Path) {
    if credential(path).is_some() {
        return;
    }
    if let Err(error) = std::fs::File::open(path) {
        let path = path.display();
        let message = format!("{key} {path} cannot be read: {error}; paths start at this file");
        section.report_at(line, message);
    }
}

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;
