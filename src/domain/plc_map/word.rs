//! The words of a map for kinds, orders and tables, in both directions.

use std::fmt;

use super::{ByteOrder, Kind, Table};

/// The kinds as they are written, for messages.
pub(super) const KINDS: &str = "bool, bit0 … bit15, bits0-1 … bits14-15, u16, i16, u32, i32, u64, i64, f32, f64, bcd16, bcd32, text1 … text250";

impl Kind {
    /// The kind that a map calls so; `text11` are eleven characters in six registers.
    pub fn from_word(word: &str) -> Option<Kind> {
        let kind = match word {
            "bool" => Kind::Bit(0),
            "u16" => Kind::Unsigned(16),
            "u32" => Kind::Unsigned(32),
            "u64" => Kind::Unsigned(64),
            "i16" => Kind::Signed(16),
            "i32" => Kind::Signed(32),
            "i64" => Kind::Signed(64),
            "f32" => Kind::Float(32),
            "f64" => Kind::Float(64),
            "bcd16" => Kind::Bcd(16),
            "bcd32" => Kind::Bcd(32),
            other => return numbered(other),
        };
        Some(kind)
    }
}

/// `bits4-7`, `bit3` and `text16`.
fn numbered(word: &str) -> Option<Kind> {
    if let Some((first, last)) = word.strip_prefix("bits").and_then(|range| range.split_once('-')) {
        let (first, last) = (digits(first)? as u8, digits(last)?);
        return (u16::from(first) < last && last <= 15).then_some(Kind::Field(first, last as u8));
    }
    if let Some(bit) = word.strip_prefix("bit") {
        return digits(bit).filter(|n| *n <= 15).map(|n| Kind::Bit(n as u8));
    }
    let length = digits(word.strip_prefix("text")?)?;
    (1..=250).contains(&length).then_some(Kind::Text(length.div_ceil(2)))
}

/// At most three digits, and nothing but digits: `+3` is no bit.
fn digits(text: &str) -> Option<u16> {
    let fits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Kind {
    /// As a map writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bit(bit) => write!(f, "bit{bit}"),
            Kind::Field(first, last) => write!(f, "bits{first}-{last}"),
            Kind::Unsigned(bits) => write!(f, "u{bits}"),
            Kind::Signed(bits) => write!(f, "i{bits}"),
            Kind::Float(bits) => write!(f, "f{bits}"),
            Kind::Bcd(bits) => write!(f, "bcd{bits}"),
            Kind::Text(registers) => write!(f, "text{}", registers * 2),
        }
    }
}

impl ByteOrder {
    /// All orders; the first four are those of 32 bits.
    pub const ALL: [ByteOrder; 8] = [
        ByteOrder::Abcd,
        ByteOrder::Cdab,
        ByteOrder::Badc,
        ByteOrder::Dcba,
        ByteOrder::Efghabcd,
        ByteOrder::Cdabghef,
        ByteOrder::Fehgbadc,
        ByteOrder::Dcbahgfe,
    ];

    /// The order that a map calls so, by its name for 32 or for 64 bits.
    pub fn from_word(word: &str) -> Option<ByteOrder> {
        let order = match word {
            "ABCD" | "ABCDEFGH" => ByteOrder::Abcd,
            "CDAB" | "GHEFCDAB" => ByteOrder::Cdab,
            "BADC" | "BADCFEHG" => ByteOrder::Badc,
            "DCBA" | "HGFEDCBA" => ByteOrder::Dcba,
            "EFGHABCD" => ByteOrder::Efghabcd,
            "CDABGHEF" => ByteOrder::Cdabghef,
            "FEHGBADC" => ByteOrder::Fehgbadc,
            "DCBAHGFE" => ByteOrder::Dcbahgfe,
            _ => return None,
        };
        Some(order)
    }

    /// The name, the one for 32 bits where there is one.
    pub fn word(self) -> &'static str {
        match self {
            ByteOrder::Abcd => "ABCD",
            ByteOrder::Cdab => "CDAB",
            ByteOrder::Badc => "BADC",
            ByteOrder::Dcba => "DCBA",
            ByteOrder::Efghabcd => "EFGHABCD",
            ByteOrder::Cdabghef => "CDABGHEF",
            ByteOrder::Fehgbadc => "FEHGBADC",
            ByteOrder::Dcbahgfe => "DCBAHGFE",
        }
    }

    /// Whether it says something of 64 bits only.
    pub fn is_of_64_bits(self) -> bool {
        self.word().len() == 8
    }
}

impl Table {
    /// The table that a map calls so.
    pub fn from_word(word: &str) -> Option<Table> {
        let table = match word {
            "coil" => Table::Coil,
            "discrete" => Table::Discrete,
            "holding" => Table::Holding,
            "input" => Table::Input,
            _ => return None,
        };
        Some(table)
    }

    /// The name in a map.
    pub fn word(self) -> &'static str {
        match self {
            Table::Coil => "coil",
            Table::Discrete => "discrete",
            Table::Holding => "holding",
            Table::Input => "input",
        }
    }

    /// Whether it holds single bits.
    pub fn is_of_bits(self) -> bool {
        matches!(self, Table::Coil | Table::Discrete)
    }

    /// The function code that reads it.
    pub fn function(self) -> u8 {
        match self {
            Table::Coil => 1,
            Table::Discrete => 2,
            Table::Holding => 3,
            Table::Input => 4,
        }
    }
}
