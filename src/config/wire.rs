//! How a Modbus device is reached: the address as written → which line, and what is particular to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::plc_map::document::Section;

use super::{must_be_there, place, read_span};

/// How a Modbus device is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// The line and how frames travel on it.
    pub transport: Transport,
    /// Unit identifier that takes the place of the one in the map, for several machines of one kind.
    pub unit: Option<u8>,
    /// Connections to the device, 1 to 4. Each has poll groups of its own, the fastest group the first connection.
    pub connections: u8,
    /// Silence between an answer and the next request. On a serial line at least that of 3.5 characters.
    pub pause: Duration,
    /// After a timeout on a line without transaction numbers: how long it must be silent before it is used again.
    pub quiet: Duration,
}

/// A line and how frames travel on it.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// Modbus TCP to `host:port`.
    Tcp(String),
    /// RTU frames, with their check sum and without a transaction number, over TCP to `host:port`.
    RtuOverTcp(String),
    /// Modbus/TCP Security to `host:port`.
    Tls(String, TlsFiles),
    /// RTU on a serial port of this machine.
    Serial(SerialPort),
}

/// Certificates of Modbus/TCP Security, all PEM. Read at each connection, so that renewed ones are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Authorities of the device.
    pub ca: PathBuf,
    /// Our own certificate, which the device asks for.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Name in the certificate of the device, where it is not the host of the address.
    pub name: Option<String>,
}

/// A serial port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SerialPort {
    /// Its file: `/dev/ttyUSB0`.
    pub path: String,
    /// Bits a second.
    pub baud: u32,
    /// Whether a bit makes the number of ones even or odd.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// No such bit.
    None,
    /// Even: what the specification of Modbus asks for.
    Even,
    /// Odd.
    Odd,
}

impl Transport {
    /// The transport that an address asks for: `host:port`, `rtu+tcp://host:port`, `tls://host:port` or
    /// `serial:/dev/ttyUSB0`, with what else it needs. None for TLS without certificates.
    pub fn of(address: &str, port: SerialPort, tls: Option<TlsFiles>) -> Option<Transport> {
        if let Some(path) = address.strip_prefix(SERIAL) {
            return Some(Transport::Serial(SerialPort { path: path.to_owned(), ..port }));
        }
        if let Some(host) = address.strip_prefix(RTU_OVER_TCP) {
            return Some(Transport::RtuOverTcp(host.to_owned()));
        }
        match address.strip_prefix(TLS) {
            Some(host) => tls.map(|files| Transport::Tls(host.to_owned(), files)),
            None => Some(Transport::Tcp(address.to_owned())),
        }
    }

    /// What it is called, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Transport::Tcp(_) => "Modbus TCP",
            Transport::RtuOverTcp(_) => "Modbus RTU over TCP",
            Transport::Tls(..) => "Modbus/TCP Security",
            Transport::Serial(_) => "Modbus RTU",
        }
    }
}

impl fmt::Display for SerialPort {
    /// The settings as people write them: `19200 8E1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} 8{parity}{}", self.baud, self.stop_bits)
    }
}

impl SerialPort {
    /// A port at 19,200 Bd, 8E1: the default of the specification (Modbus over serial line V1.02, 2.5.1).
    pub fn standard(path: impl Into<String>) -> SerialPort {
        SerialPort { path: path.into(), baud: 19_200, parity: Parity::Even, stop_bits: 1 }
    }

    /// Bits on the line for one byte.
    fn bits(&self) -> u32 {
        1 + 8 + u32::from(self.parity != Parity::None) + u32::from(self.stop_bits)
    }

    /// Time on the line for so many bytes.
    pub fn time_of(&self, bytes: u32) -> Duration {
        Duration::from_secs_f64(f64::from(bytes * self.bits()) / f64::from(self.baud.max(1)))
    }

    /// Silence that ends a frame: 3.5 characters, and 1.75 ms above 19,200 Bd (the same document, 2.5.1.1).
    pub fn silence(&self) -> Duration {
        match self.baud {
            0..=19_200 => self.time_of(7) / 2,
            _ => Duration::from_micros(1_750),
        }
    }
}

impl Wire {
    /// Modbus TCP to `host:port`, with nothing particular.
    pub fn tcp(address: &str) -> Wire {
        Wire::of(Transport::Tcp(address.to_owned()))
    }

    /// A transport with nothing particular.
    pub fn of(transport: Transport) -> Wire {
        Wire {
            transport,
            unit: None,
            connections: 1,
            pause: Duration::ZERO,
            quiet: Duration::from_millis(100),
        }
    }

    /// The serial port, where there is one.
    pub fn serial(&self) -> Option<&SerialPort> {
        match &self.transport {
            Transport::Serial(port) => Some(port),
            _ => None,
        }
    }

    /// The pause between an answer and the next request.
    pub fn pause(&self) -> Duration {
        self.pause.max(self.serial().map_or(Duration::ZERO, SerialPort::silence))
    }
}

/// Schemes of an address, longest first.
const RTU_OVER_TCP: &str = "rtu+tcp://";
const TLS: &str = "tls://";
const SERIAL: &str = "serial:";

/// The part of a Modbus address that is `host:port`; none for a serial port.
pub(super) fn authority(address: &str) -> Option<&str> {
    if address.starts_with(SERIAL) {
        return None;
    }
    Some([RTU_OVER_TCP, TLS].iter().find_map(|s| address.strip_prefix(s)).unwrap_or(address))
}

/// Reads what a device says of its line. Everything has a default, but a way over TLS needs its certificates.
pub(super) fn read(section: &Section<'_, '_>, address: &str, reply: Duration, base: &Path) -> Wire {
    let tls = section.section("tls").map(|tls| (tls.line, read_tls(&tls, base)));
    let serial = section.section("serial").map(|serial| (serial.line, read_serial(&serial)));
    if let (Some((line, _)), false) = (&tls, address.starts_with(TLS)) {
        section.report_at(*line, "tls belongs to an address like \"tls://192.168.1.10:802\"");
    }
    if let (Some((line, _)), false) = (&serial, address.starts_with(SERIAL)) {
        section.report_at(*line, "serial belongs to an address like \"serial:/dev/ttyUSB0\"");
    }
    if address.starts_with(TLS) {
        section.require("tls", "[line.device.tls] with ca, cert and key");
    }
    let port = serial.map_or(SerialPort::standard(""), |(_, port)| port);
    // Without certificates the mistake is noted, and what stands in is not used.
    let transport = Transport::of(address, port, tls.and_then(|(_, files)| files))
        .unwrap_or_else(|| Transport::Tcp(address.to_owned()));
    let connections = section.integer("connections", 1, 4).map_or(1, |at| at.value as u8);
    if connections > 1 && matches!(transport, Transport::Serial(_)) {
        section.report("connections", "a serial port is one connection; leave connections out");
    }
    Wire {
        transport,
        unit: section.integer("unit", 0, 255).map(|at| at.value as u8),
        connections,
        pause: read_span(section, "pause", 1_000, 10_000_000).unwrap_or_default(),
        quiet: read_span(section, "quiet", 1_000, 60_000_000).unwrap_or(reply),
    }
}

fn read_tls(section: &Section<'_, '_>, base: &Path) -> Option<TlsFiles> {
    let file = |key: &'static str, example: &str| {
        let at = section.required_text(key, example)?;
        let path = place(base, at.value);
        must_be_there(section, at.line, key, &path);
        Some(path)
    };
    let (ca, cert) = (file("ca", "\"pki/plant-ca.pem\""), file("cert", "\"pki/capline.pem\""));
    let key = file("key", "\"pki/capline.key\"");
    let name = section.text("name").map(|at| at.value.to_owned());
    section.finish();
    Some(TlsFiles { ca: ca?, cert: cert?, key: key?, name })
}

fn read_serial(section: &Section<'_, '_>) -> SerialPort {
    let standard = SerialPort::standard("");
    let parity = section.text("parity").and_then(|at| match at.value {
        "none" => Some(Parity::None),
        "even" => Some(Parity::Even),
        "odd" => Some(Parity::Odd),
        other => {
            let message = format!("parity = \"{other}\" is not known; use even, odd or none");
            section.report_at(at.line, message);
            None
        }
    });
    let parity = parity.unwrap_or(standard.parity);
    // Without parity the specification asks for a second stop bit, so that a character has eleven bits all the same.
    let usual = if parity == Parity::None { 2 } else { 1 };
    let port = SerialPort {
        baud: section.integer("baud", 300, 4_000_000).map_or(standard.baud, |at| at.value as u32),
        parity,
        stop_bits: section.integer("stop_bits", 1, 2).map_or(usual, |at| at.value as u8),
        ..standard
    };
    section.finish();
    port
}
