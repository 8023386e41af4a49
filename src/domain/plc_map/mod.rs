//! Which register or node means what: one map per machine and protocol, parsed once into decided types.
//!
//! [`PlcMap::parse`] reads the text of a `plc-maps/*.toml` file and reports all its mistakes together.
//! How registers become values is in [`encoding`]; which requests fetch them is planned by the sources.

pub mod document;
pub mod encoding;
pub mod import;
mod mapping;
mod parse;
pub mod part;
pub mod probe;
mod word;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::line::counter;
use crate::line::state::State;
use crate::line::stop::Cause;
use crate::line::weight::{self, Series};
use crate::units::{Count, Reason, StationId, TagId};

pub use document::Problem;
pub use parse::read_title;
pub use part::Part;

/// The text of a map for a test: the head of a filler over Modbus, and what the test adds, which begins with more keys of
/// its machine or with the next section.
#[cfg(test)]
macro_rules! filler_map {
    ($rest:literal) => {
        concat!(
            "[machine]\n",
            "station = \"CF01\"\n",
            "title = { en = \"Filler\", zh = \"充填机\" }\n",
            "protocol = \"modbus\"\n",
            "max_per_minute = 6500\n",
            $rest
        )
    };
}
#[cfg(test)]
pub(crate) use filler_map;

/// A machine as seen over one protocol: all its tags, decided and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PlcMap {
    /// The file it came from, for messages.
    pub file: String,
    /// The machine.
    pub station: StationId,
    /// What people call it.
    pub title: Title,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Fastest rate the machine can make or pass, capsules a minute; bounds every count of a gap.
    pub max_per_minute: u64,
    /// Largest step in which its counts move at once: 50 for a filler with 50 bores.
    pub step: u64,
    /// Poll groups (Modbus) or sampling groups (OPC UA), in the order of the file. Never empty.
    pub groups: Vec<Group>,
    /// All tags, in the order of the file. [`crate::reading::Reading::tag`] is a position in here.
    pub tags: Vec<Tag>,
    /// State codes of this machine. A code that is not in here stays visible as unknown.
    pub states: BTreeMap<i64, State>,
    /// Stop reason codes of this machine.
    pub stop_reasons: BTreeMap<i64, Title>,
    /// How capsules pass through it.
    pub flow: Flow,
}

/// How capsules pass through a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The most capsules that can be inside at once; none where nobody knows.
    pub inside: Option<u64>,
    /// The most capsules that can be on the way to the next machine at once, buffers included; none where nobody knows.
    pub after: Option<u64>,
    /// Causes that stop reason codes tell more exactly than the state: starved, blocked, internal.
    pub causes: BTreeMap<i64, Cause>,
    /// Counters of which one count is not one capsule: tag position → capsules at least and at most. A metal detector
    /// dumps 10 to 60 capsules at an event, and a bottle holds 60.
    pub capsules: BTreeMap<u16, (u64, u64)>,
}

impl PlcMap {
    /// The most capsules that can be inside at once: as stated, else what the machine makes in a minute.
    pub fn inside(&self) -> u64 {
        self.flow.inside.unwrap_or(self.max_per_minute)
    }

    /// The most capsules that can be on the way to the next machine: as stated, else what the machine makes in ten
    /// minutes.
    pub fn after(&self) -> u64 {
        self.flow.after.unwrap_or(self.max_per_minute.saturating_mul(10))
    }

    /// Counts of a tag as capsules.
    pub fn capsules(&self, tag: u16, counts: Count) -> Count {
        match self.flow.capsules.get(&tag) {
            Some((least, most)) => counts.spread(*least, *most),
            None => counts,
        }
    }
}

/// A text in both languages of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// English.
    pub en: Arc<str>,
    /// Simplified Chinese.
    pub zh: Arc<str>,
}

/// How a machine is spoken to, with what is particular to the protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum Protocol {
    /// Modbus, over whatever line the configuration names.
    Modbus(ModbusOptions),
    /// OPC UA binary over TCP.
    OpcUa(OpcUaOptions),
}

impl Protocol {
    /// The word used in maps and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Protocol::Modbus(_) => "modbus",
            Protocol::OpcUa(_) => "opcua",
        }
    }
}

/// What is particular to a Modbus device.
#[derive(Clone, Debug, PartialEq)]
pub struct ModbusOptions {
    /// Unit identifier, 0 to 255.
    pub unit: u8,
    /// Most registers in one request, 1 to 125.
    pub max_registers: u16,
    /// Most coils or discrete inputs in one request, 1 to 2000.
    pub max_bits: u16,
    /// Registers between two tags that are read along rather than starting a second request.
    pub max_gap: u16,
    /// Register ranges (table, first, last) that must never be read, because a read has a side effect or is refused.
    pub forbidden: Vec<(Table, u16, u16)>,
    /// One request for each tag, for a device that refuses any other length: none is joined with a neighbour.
    pub separate: bool,
    /// How often a block whose sequence words differ is read before the poll is given up as torn, 1 to 10.
    pub reads: u8,
}

/// Most coils or discrete inputs in one request (Modbus application protocol V1.1b3, 6.1 and 6.2).
pub const MAX_BITS: u16 = 2_000;
/// Most registers in one request (Modbus application protocol V1.1b3, 6.3 and 6.4).
pub const MAX_REGISTERS: u16 = 125;

impl Default for ModbusOptions {
    /// What the specification allows, for unit 1.
    fn default() -> ModbusOptions {
        ModbusOptions {
            unit: 1,
            max_registers: MAX_REGISTERS,
            max_bits: MAX_BITS,
            max_gap: 8,
            forbidden: Vec::new(),
            separate: false,
            reads: 2,
        }
    }
}

/// What is particular to an OPC UA server.
#[derive(Clone, Debug, PartialEq)]
pub struct OpcUaOptions {
    /// Namespace URI of the node ids of this map; the index is looked up at each connection.
    pub namespace: Arc<str>,
}

/// Tags that are fetched together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name in the file: `fast`, `slow`.
    pub name: Arc<str>,
    /// Poll period, or wanted publishing interval, in microseconds.
    pub period_us: i64,
}

/// One tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// Name, unique in the map.
    pub id: TagId,
    /// Line of its entry in the file, from 1.
    pub line: usize,
    /// Where its value is.
    pub address: Address,
    /// How its value is written there.
    pub encoding: Encoding,
    /// What it means to the line.
    pub role: Role,
    /// Factor from the raw number to the unit.
    pub scale: f64,
    /// Added after the factor.
    pub offset: f64,
    /// Unit of the scaled value: `caps`, `kPa`; empty for a plain number.
    pub unit: Arc<str>,
    /// Words for the values of an enumeration; empty for anything else.
    pub words: Arc<BTreeMap<i64, Arc<str>>>,
    /// Position of the first element, for the elements of an array: they are fetched by one request.
    pub array: Option<u16>,
    /// Position of its group in [`PlcMap::groups`].
    pub group: u16,
    /// How the counter behaves, for the counting roles.
    pub counter: Option<counter::Settings>,
    /// The odometer that rises with it, if it has one.
    pub odometer: Option<OdometerLink>,
}

impl Tag {
    /// A raw number in the unit of the tag.
    pub fn scaled(&self, raw: f64) -> f64 {
        raw * self.scale + self.offset
    }

    /// What a scaled value is called, of an enumeration that has a word for it.
    pub fn word(&self, value: f64) -> Option<&Arc<str>> {
        // Codes are whole and few; what is not whole has no word.
        (value.fract() == 0.0 && value.abs() < 1e15).then(|| self.words.get(&(value as i64)))?
    }
}

/// An odometer that rises in the same moment as a counter, so that it bounds what the counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OdometerLink {
    /// Position of its tag in [`PlcMap::tags`].
    pub tag: u16,
    /// What it can do.
    pub odometer: counter::Odometer,
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Modbus: a table and a 0-based protocol address.
    Register {
        /// Which of the four tables.
        table: Table,
        /// First register or bit, 0-based as in the protocol.
        first: u16,
    },
    /// OPC UA: the identifier part of a node id, `s=CW04.Mean` or `i=2258`, in the namespace of the map.
    Node(Arc<str>),
    /// OPC UA: a part of the value of a node, which is an array or a structure.
    Part {
        /// The identifier part of the node id.
        node: Arc<str>,
        /// Which part of its value.
        part: Part,
    },
}

/// The four Modbus tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Function code 1.
    Coil,
    /// Function code 2.
    Discrete,
    /// Function code 3.
    Holding,
    /// Function code 4.
    Input,
}

/// How a value is written in registers. For OPC UA only the kind matters, as a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// What kind of value.
    pub kind: Kind,
    /// In which order the bytes of a value lie.
    pub order: ByteOrder,
}

/// Kinds of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One bit: a coil, a discrete input, or bit `0..=15` of a register.
    Bit(u8),
    /// A number in some bits of a register, from the first to the last, both `0..=15` and the first below the last.
    Field(u8, u8),
    /// Unsigned of 16, 32 or 64 bits.
    Unsigned(u32),
    /// Two's complement of 16, 32 or 64 bits.
    Signed(u32),
    /// IEEE 754 of 32 or 64 bits.
    Float(u32),
    /// Binary coded decimal, 4 digits a register, of 16 or 32 bits.
    Bcd(u32),
    /// ASCII, two characters a register, of so many registers.
    Text(u16),
}

impl Kind {
    /// How many registers a value takes; 1 for a bit.
    pub fn registers(self) -> u16 {
        match self {
            Kind::Bit(_) | Kind::Field(..) => 1,
            Kind::Unsigned(bits) | Kind::Signed(bits) | Kind::Float(bits) | Kind::Bcd(bits) => {
                (bits / 16) as u16
            }
            Kind::Text(registers) => registers,
        }
    }

    /// Width as a counter, in bits.
    pub fn bits(self) -> u32 {
        match self {
            Kind::Bit(_) => 1,
            Kind::Field(first, last) => u32::from(last.saturating_sub(first)) + 1,
            Kind::Unsigned(bits) | Kind::Signed(bits) | Kind::Float(bits) | Kind::Bcd(bits) => bits,
            Kind::Text(_) => 0,
        }
    }
}

/// Order of the bytes of a value of more than one byte: `A` is the most significant.
///
/// The first four are named by what they make of 32 bits. For 64 bits they are `ABCDEFGH`, `GHEFCDAB`, `BADCFEHG` and
/// `HGFEDCBA`. The others exist for 64 bits only: devices that keep a long number as two of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ByteOrder {
    /// Most significant word first, most significant byte first: the order of the specification.
    #[default]
    Abcd,
    /// Least significant word first, bytes as in the specification.
    Cdab,
    /// Most significant word first, bytes swapped in each word.
    Badc,
    /// Least significant word first, bytes swapped: little endian throughout.
    Dcba,
    /// The less significant half first, each half as in the specification.
    Efghabcd,
    /// The more significant half first, each half with its less significant word first.
    Cdabghef,
    /// The less significant half first, bytes swapped in each word.
    Fehgbadc,
    /// The more significant half first, each half little endian.
    Dcbahgfe,
}

/// What a tag means to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Capsules that entered the machine.
    Infeed,
    /// Capsules that left it as good.
    Good,
    /// Capsules rejected by it, and why.
    Reject(Reason),
    /// Capsules taken for inspection.
    Sample,
    /// Something counted that is no capsule: empty pockets, test pieces.
    Void,
    /// State code.
    State,
    /// Mode code.
    Mode,
    /// Code of why it stands.
    StopReason,
    /// Present speed in capsules a minute after scale.
    Speed,
    /// Speed that is asked for, in capsules a minute after scale.
    SpeedSetpoint,
    /// A word that changes at least every second while the PLC runs.
    Heartbeat,
    /// Seconds since the PLC started.
    Uptime,
    /// Identifier of the batch.
    BatchId,
    /// Seconds since the resettable counters were reset.
    SinceReset,
    /// A total that is never reset, one count for so many capsules at most.
    Odometer {
        /// Capsules a count can stand for at most.
        capsules: u64,
        /// Where it starts again at 0.
        modulus: counter::Modulus,
    },
    /// Weight in milligrams after scale: a mean, or the last one.
    Weight,
    /// Standard deviation of weight in milligrams.
    WeightDeviation,
    /// A part of a record of weights that is published under a running number.
    Published(Series, weight::Part),
    /// First word of a block that must be read coherently.
    SequenceHead,
    /// Last word of that block: equal to the head unless the read was torn.
    SequenceTail,
    /// Whether it is blocked by the machine behind it.
    Blocked,
    /// Whether it is starved by the machine before it.
    Starved,
    /// A measured condition, shown and recorded: vacuum, temperature.
    Condition,
}

impl Role {
    /// Whether the tag counts something and therefore goes through the counter ledger.
    pub fn counts(&self) -> bool {
        matches!(self, Role::Infeed | Role::Good | Role::Reject(_) | Role::Sample | Role::Void)
    }
}

impl PlcMap {
    /// Reads the text of a map; `file` is only used in messages.
    ///
    /// # Errors
    /// All mistakes of the text, in the order of their lines.
    pub fn parse(file: &str, text: &str) -> Result<PlcMap, Vec<Problem>> {
        parse::parse(file, text)
    }

    /// Position of the first tag with this role.
    pub fn position(&self, role: &Role) -> Option<u16> {
        self.tags.iter().position(|tag| tag.role == *role).map(|i| i as u16)
    }
}
