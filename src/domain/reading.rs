//! What a device said: values as read, never corrected. A poll that failed is a [`Snapshot`] too.

use std::sync::Arc;

use crate::units::Moment;

/// A decoded value, before scale and role give it a meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A coil, a discrete input or one bit of a word.
    Bool(bool),
    /// An unsigned integer of up to 64 bits, or decoded BCD.
    Unsigned(u64),
    /// A signed integer of up to 64 bits.
    Signed(i64),
    /// A float of 32 or 64 bits (32-bit values are widened).
    Float(f64),
    /// Text with trailing NULs and blanks removed.
    Text(Arc<str>),
}

impl Value {
    /// The value as a number, for measurements. `None` for text.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::Bool(b) => Some(f64::from(u8::from(b))),
            Value::Unsigned(n) => Some(n as f64),
            Value::Signed(n) => Some(n as f64),
            Value::Float(x) => Some(x),
            Value::Text(_) => None,
        }
    }

    /// The value as a counter register of `bits` width: negative integers are read as two's complement.
    /// A float must be whole and not negative. `None` where that is impossible.
    pub fn as_counter(&self, bits: u32) -> Option<u64> {
        match *self {
            Value::Bool(b) => Some(u64::from(b)),
            Value::Unsigned(n) => Some(n),
            Value::Signed(n) if bits >= 64 => Some(n as u64),
            Value::Signed(n) => Some((n as u64) & ((1 << bits) - 1)),
            Value::Float(x) if x >= 0.0 && x.fract() == 0.0 && x <= 9.007_199_254_740_992e15 => {
                Some(x as u64)
            }
            Value::Float(_) | Value::Text(_) => None,
        }
    }

    /// Writes the value over another one. A clone is made beside it first and then copied in odd pieces, which a line with
    /// twenty tags a poll feels.
    pub fn put(&self, into: &mut Value) {
        match self {
            Value::Bool(b) => *into = Value::Bool(*b),
            Value::Unsigned(n) => *into = Value::Unsigned(*n),
            Value::Signed(n) => *into = Value::Signed(*n),
            Value::Float(x) => *into = Value::Float(*x),
            Value::Text(text) => match into {
                Value::Text(old) if old == text => {}
                _ => *into = Value::Text(text.clone()),
            },
        }
    }

    /// The value as an integer code (states, reasons). `None` for text and broken floats.
    pub fn as_code(&self) -> Option<i64> {
        match *self {
            Value::Bool(b) => Some(i64::from(b)),
            Value::Unsigned(n) => i64::try_from(n).ok(),
            Value::Signed(n) => Some(n),
            Value::Float(x) if x.fract() == 0.0 && x.abs() < 9.0e15 => Some(x as i64),
            Value::Float(_) | Value::Text(_) => None,
        }
    }
}

/// How far a value can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// The device vouches for it.
    Good,
    /// Usable with care: the device said so, or a queue overflowed before it.
    Uncertain,
    /// Not to be used as a value.
    Bad,
}

/// One tag as read once.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Position of the tag in its [`crate::plc_map::PlcMap::tags`].
    pub tag: u16,
    /// The value as decoded. Meaningless when the quality is bad.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
    /// Why it is not good: a status code of OPC UA, also for what Modbus brought; 0 for none or good.
    pub status: u32,
    /// The device's own time of the value in UTC microseconds, if it gave one.
    pub source_us: Option<i64>,
}

/// Status codes for registers that hold no value (OPC UA Part 6, annex A.2), so that one table words all readings.
pub mod status {
    /// `Bad_DecodingError`: the registers are not written as the map says, such as a nibble above 9 in BCD.
    pub const UNDECODABLE: u32 = 0x8007_0000;
    /// `Bad_OutOfRange`: a float that is no number or infinite.
    pub const NO_NUMBER: u32 = 0x803C_0000;

    /// The cause in a word, for what we set ourselves.
    pub fn cause(status: u32) -> Option<&'static str> {
        match status {
            UNDECODABLE => Some("undecodable"),
            NO_NUMBER => Some("no_number"),
            _ => None,
        }
    }
}

/// All that one poll or one notification brought, or the fact that it brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Position of the device in the line's list of devices.
    pub device: u16,
    /// Position of the poll group in the device's map.
    pub group: u16,
    /// When it was taken: the middle between request and reply; for a miss, when it was given up.
    pub taken_at: Moment,
    /// Uncertainty of `taken_at`: the time from request to reply in microseconds of real time.
    pub round_trip_us: u32,
    /// How many due polls it stands for. Over all snapshots of a group they add up to the polls that fell due.
    ///
    /// One for a poll that was made. More for a run of misses, which is reported at most every 100 ms, and for an
    /// OPC UA message after quiet intervals; zero for a second message within one interval.
    pub polls: u32,
    /// What it brought.
    pub outcome: Outcome,
}

/// What a poll brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Readings, in the order of the map. Empty for a keep-alive: the subscribed values still hold.
    Taken(Vec<Reading>),
    /// Nothing, and why.
    Missed(Miss),
}

/// Why a poll brought nothing. A missed poll is data: the counter ledger and the view need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Miss {
    /// They fell due while an earlier one was still under way.
    Skipped,
    /// There is no connection, and no attempt was due.
    Disconnected,
    /// The connection could not be made.
    ConnectFailed,
    /// No reply in time; the connection was dropped.
    Timeout,
    /// The connection broke.
    Broken,
    /// The reply did not fit the request (transaction, unit, function or length); the connection was dropped.
    Mismatch,
    /// The device refused with this exception code or status.
    Refused {
        /// Modbus exception code, or an OPC UA status code.
        code: u32,
    },
    /// The sequence words at both ends of the block differed, also after a second read.
    Torn,
    /// The device still answers but its values stopped being refreshed.
    Frozen,
}

impl Miss {
    /// The word used in logs, metrics and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Miss::Skipped => "skipped",
            Miss::Disconnected => "disconnected",
            Miss::ConnectFailed => "connect_failed",
            Miss::Timeout => "timeout",
            Miss::Broken => "broken",
            Miss::Mismatch => "mismatch",
            Miss::Refused { .. } => "refused",
            Miss::Torn => "torn",
            Miss::Frozen => "frozen",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_put_over_another_is_the_same_as_its_clone() {
        let all = [
            Value::Bool(true),
            Value::Unsigned(u64::MAX),
            Value::Signed(-1),
            Value::Float(0.5),
            Value::Text("B1".into()),
            Value::Text("B2".into()),
        ];
        for value in &all {
            for old in &all {
                let mut into = old.clone();
                value.put(&mut into);
                assert_eq!(into, *value, "over {old:?}");
            }
        }
    }
}
