//! `config/*.toml` as decided: every path resolved, every map read, every mistake reported at once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::{PlcMap, Title};
use domain::units::{LineId, StationId};

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
    /// Lines, in the order of the file.
    pub lines: Vec<LineConfig>,
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
    /// Its devices. A snapshot's `device` is a position in here.
    pub devices: Vec<DeviceConfig>,
}

/// One device of a line.
#[derive(Clone, Debug)]
pub struct DeviceConfig {
    /// What its registers or nodes mean.
    pub map: Arc<PlcMap>,
    /// `host:port` of a Modbus device, `opc.tcp://host:port/path` of an OPC UA server.
    pub address: String,
    /// Time allowed for a connection to be made.
    pub connect_timeout: Duration,
    /// Time allowed for a reply; none takes its default, `max(100 ms, 5 × period)`.
    pub reply_timeout: Duration,
    /// Shortest and longest wait before a new connection attempt.
    pub backoff: (Duration, Duration),
}
