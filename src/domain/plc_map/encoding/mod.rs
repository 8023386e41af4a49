//! Registers → [`Value`]. Written once for all kinds and orders; which registers to fetch is planned elsewhere.
//!
//! The Modbus application protocol V1.1b3 (4.2) fixes only that a 16-bit register travels most significant byte
//! first. How a vendor lays a longer value over several registers is convention, hence [`ByteOrder`]: three choices, whether
//! the bytes are swapped in each word, the words in each pair, and the pairs in a value of 64 bits.

use super::{ByteOrder, Encoding, Kind};
use crate::reading::Value;

/// Why registers could not be read as the map says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not as many registers as the kind takes: a fault of the plan, not of the device.
    #[error("{found} registers for a value of {wanted}; plan one request over the whole value")]
    Length {
        /// Registers that the kind takes.
        wanted: u16,
        /// Registers that were given.
        found: usize,
    },
    /// A nibble above nine, so the device does not write BCD here, or was read between two writes.
    #[error("{word:#06x} is not binary coded decimal; check the type and the order of the tag")]
    Digit {
        /// The register in question, bytes in order.
        word: u16,
    },
    /// A width that no encoding has.
    #[error("there is no {kind:?}; use 16, 32 or 64 bits")]
    Width {
        /// The kind asked for.
        kind: Kind,
    },
}

/// The value in exactly [`Kind::registers`] registers.
///
/// A float that is no number decodes as one: only the caller can say what quality that is.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(registers: &[u16], encoding: Encoding) -> Result<Value, DecodeError> {
    let wanted = encoding.kind.registers();
    if registers.len() != usize::from(wanted) {
        return Err(DecodeError::Length { wanted, found: registers.len() });
    }
    let words = || in_order(registers, encoding.order);
    match encoding.kind {
        Kind::Field(first, last @ 0..=15) if first < last => {
            Ok(Value::Unsigned(number(words()) >> first & ((1 << (last - first + 1)) - 1)))
        }
        Kind::Bit(bit @ 0..=15) => Ok(Value::Bool(number(words()) >> bit & 1 == 1)),
        Kind::Unsigned(16 | 32 | 64) => Ok(Value::Unsigned(number(words()))),
        Kind::Signed(16) => Ok(Value::Signed(i64::from(number(words()) as u16 as i16))),
        Kind::Signed(32) => Ok(Value::Signed(i64::from(number(words()) as u32 as i32))),
        Kind::Signed(64) => Ok(Value::Signed(number(words()) as i64)),
        Kind::Float(32) => Ok(Value::Float(f64::from(f32::from_bits(number(words()) as u32)))),
        Kind::Float(64) => Ok(Value::Float(f64::from_bits(number(words())))),
        Kind::Bcd(16 | 32) => decimal(words()).map(Value::Unsigned),
        Kind::Text(_) => Ok(Value::Text(text(registers, encoding.order))),
        kind => Err(DecodeError::Width { kind }),
    }
}

/// The words of a value, most significant first, each with its bytes in order.
fn in_order(registers: &[u16], order: ByteOrder) -> impl Iterator<Item = u16> {
    let n = registers.len();
    (0..n).map(move |i| word(registers[place(i, n, order)], order))
}

/// Where the `i`th of `n` words lies, the most significant being word 0.
fn place(i: usize, n: usize, order: ByteOrder) -> usize {
    match order {
        ByteOrder::Abcd | ByteOrder::Badc => i,
        ByteOrder::Cdab | ByteOrder::Dcba => n - 1 - i,
        // Two words of the other half, one word of the other place in a pair; one register has neither.
        ByteOrder::Efghabcd | ByteOrder::Fehgbadc if n == 4 => i ^ 2,
        ByteOrder::Cdabghef | ByteOrder::Dcbahgfe if n == 4 => i ^ 1,
        _ => i,
    }
}

/// One register with its bytes in order.
fn word(register: u16, order: ByteOrder) -> u16 {
    match order {
        ByteOrder::Abcd | ByteOrder::Cdab | ByteOrder::Efghabcd | ByteOrder::Cdabghef => register,
        ByteOrder::Badc | ByteOrder::Dcba | ByteOrder::Fehgbadc | ByteOrder::Dcbahgfe => {
            register.swap_bytes()
        }
    }
}

fn number(words: impl Iterator<Item = u16>) -> u64 {
    words.fold(0, |n, word| n << 16 | u64::from(word))
}

fn decimal(mut words: impl Iterator<Item = u16>) -> Result<u64, DecodeError> {
    words.try_fold(0, |n, word| {
        [12, 8, 4, 0].into_iter().try_fold(n, |n, shift| match word >> shift & 0xF {
            digit @ 0..=9 => Ok(n * 10 + u64::from(digit)),
            _ => Err(DecodeError::Digit { word }),
        })
    })
}

/// Text lies in rising registers whatever the word order of numbers is, so only the byte order matters.
/// It ends at the first NUL: what a PLC leaves behind it is rubbish of an earlier, longer text.
fn text(registers: &[u16], order: ByteOrder) -> std::sync::Arc<str> {
    let bytes: Vec<u8> = registers.iter().flat_map(|&r| word(r, order).to_be_bytes()).collect();
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim_end().into()
}

#[cfg(test)]
mod tests;
