//! What clients ask of machines, read off the wire: function codes of Modbus, service types of OPC UA.
//!
//! Written from the specifications and shared with `tests/traffic.rs`, which judges the record.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A request as it went over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// A function code of Modbus, TCP or RTU.
    Modbus(u8),
    /// The type of an OPC UA request: the number of its binary encoding in namespace 0.
    OpcUa(u32),
    /// A message of a secured channel. What it asks cannot be read.
    Encrypted,
    /// Bytes that are neither.
    Unreadable,
}

impl Asked {
    fn line(self, n: u64) -> String {
        match self {
            Asked::Modbus(function) => format!("modbus {function} {n}\n"),
            Asked::OpcUa(id) => format!("opcua {id} {n}\n"),
            Asked::Encrypted => format!("encrypted 0 {n}\n"),
            Asked::Unreadable => format!("unreadable 0 {n}\n"),
        }
    }
}

/// How the bytes of a connection are divided into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    /// Modbus with a header that tells the length.
    ModbusTcp,
    /// Modbus with a check sum. All requests of eight bytes, as the reads are.
    ModbusRtu,
    /// OPC UA binary.
    OpcUa,
}

impl Speech {
    /// What is spoken at an address of a configuration.
    pub(crate) fn at(address: &str) -> Speech {
        match address.split_once("://") {
            Some(("opc.tcp", _)) => Speech::OpcUa,
            Some(("rtu+tcp", _)) => Speech::ModbusRtu,
            _ => Speech::ModbusTcp,
        }
    }

    /// Length of the frame at the beginning of `bytes`; none while that cannot be told yet.
    pub(crate) fn length(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Speech::ModbusTcp => {
                let length = bytes.get(4..6)?;
                Some(6 + usize::from(u16::from_be_bytes([length[0], length[1]])))
            }
            Speech::ModbusRtu => Some(8),
            Speech::OpcUa => {
                let length: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
                Some((u32::from_le_bytes(length) as usize).max(8))
            }
        }
    }
}

/// Reads the requests of one connection.
pub(crate) struct Listener {
    speech: Speech,
    bytes: Vec<u8>,
    secured: bool,
    /// The last chunk was not the last of its message.
    goes_on: bool,
    /// How often each request was seen.
    pub(crate) seen: BTreeMap<Asked, u64>,
}

impl Listener {
    pub(crate) fn new(speech: Speech) -> Listener {
        Listener {
            speech,
            bytes: Vec::new(),
            secured: false,
            goes_on: false,
            seen: BTreeMap::new(),
        }
    }

    /// Takes what a client sent, and returns the requests that are new on this connection.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Vec<Asked> {
        self.bytes.extend_from_slice(bytes);
        let mut new = Vec::new();
        while let Some(length) = self.speech.length(&self.bytes).filter(|n| *n <= self.bytes.len())
        {
            let frame: Vec<u8> = self.bytes.drain(..length).collect();
            if let Some(asked) = self.asked(&frame) {
                let n = self.seen.entry(asked).or_default();
                *n += 1;
                if *n == 1 {
                    new.push(asked);
                }
            }
        }
        new
    }

    fn asked(&mut self, frame: &[u8]) -> Option<Asked> {
        match self.speech {
            Speech::ModbusTcp => {
                Some(frame.get(7).map_or(Asked::Unreadable, |f| Asked::Modbus(*f)))
            }
            Speech::ModbusRtu => {
                Some(frame.get(1).map_or(Asked::Unreadable, |f| Asked::Modbus(*f)))
            }
            Speech::OpcUa => self.service(frame),
        }
    }

    /// The service of a chunk, if it is the first of its message. Source: OPC 10000-6, 6.7.2 and 7.1.2.
    fn service(&mut self, frame: &[u8]) -> Option<Asked> {
        let continued = std::mem::replace(&mut self.goes_on, frame.get(3) == Some(&b'C'));
        match &frame[..3] {
            b"HEL" => None,
            b"OPN" => {
                let policy = text(frame, 12).unwrap_or_default();
                self.secured = !policy.ends_with("#None");
                Some(Asked::OpcUa(446))
            }
            b"CLO" => Some(Asked::OpcUa(452)),
            b"MSG" if continued => None,
            b"MSG" if self.secured => Some(Asked::Encrypted),
            // Channel, token, number of the chunk and of the request; then the body begins with its type.
            b"MSG" => Some(node_id(frame, 24).map_or(Asked::Unreadable, Asked::OpcUa)),
            _ => Some(Asked::Unreadable),
        }
    }
}

/// A text with its length before it.
fn text(frame: &[u8], at: usize) -> Option<String> {
    let length: [u8; 4] = frame.get(at..at + 4)?.try_into().ok()?;
    let text = frame.get(at + 4..at + 4 + u32::from_le_bytes(length) as usize)?;
    String::from_utf8(text.to_vec()).ok()
}

/// A numeric node id of namespace 0, in any of its three encodings.
fn node_id(frame: &[u8], at: usize) -> Option<u32> {
    match frame.get(at..)? {
        [0, id, ..] => Some(u32::from(*id)),
        [1, 0, low, high, ..] => Some(u32::from(u16::from_le_bytes([*low, *high]))),
        [2, 0, 0, a, b, c, d, ..] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// Where the record of a run of the tests is kept.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/traffic")
}

/// Appends to the record. Each line is one write, so that processes do not cut each other's.
pub(crate) fn note(asked: Asked, n: u64) {
    let folder = folder();
    let file = std::fs::create_dir_all(&folder).and_then(|()| {
        let file = folder.join(format!("{}.txt", std::process::id()));
        std::fs::OpenOptions::new().create(true).append(true).open(file)
    });
    let written = file.and_then(|mut file| file.write_all(asked.line(n).as_bytes()));
    written.unwrap_or_else(|error| panic!("the traffic cannot be recorded: {error}"));
}
