//! One reading on the wire, as what differs from the same tag's reading before it.

use domain::reading::{Quality, Reading, Value};

use super::FrameError;
use super::wire::{Reader, put_signed, put_unsigned};

// A reading starts with one byte of flags: bits 0 to 2 say what value follows, 3 and 4 are the quality, 5 says
// that the status changed, 6 and 7 what source time follows.
const SAME_VALUE: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const SIGNED: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;

const STATUS_CHANGED: u8 = 1 << 5;

const NO_SOURCE: u8 = 0;
const SAME_SOURCE: u8 = 1;
const SOURCE: u8 = 2;

/// Whether two readings are equal bit by bit. `==` would not do: NaN differs from itself and -0.0 equals 0.0.
pub(super) fn same(a: &Reading, b: &Reading) -> bool {
    let rest = (a.tag, a.quality, a.status, a.source_us);
    same_value(&a.value, &b.value) && rest == (b.tag, b.quality, b.status, b.source_us)
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// Appends a reading. `last` is the tag's reading before; `taken_us` is what a first source time is written against.
pub(super) fn put(out: &mut Vec<u8>, last: Option<&Reading>, taken_us: i64, reading: &Reading) {
    let same_value = last.is_some_and(|last| same_value(&last.value, &reading.value));
    let kind = if same_value { SAME_VALUE } else { kind(&reading.value) };
    let status_changed = reading.status != last.map_or(0, |last| last.status);
    let last_source = last.and_then(|last| last.source_us);
    let source = match reading.source_us {
        None => NO_SOURCE,
        Some(_) if reading.source_us == last_source => SAME_SOURCE,
        Some(_) => SOURCE,
    };
    let status_flag = if status_changed { STATUS_CHANGED } else { 0 };
    out.push(kind | (reading.quality as u8) << 3 | status_flag | source << 6);
    if !same_value {
        put_value(out, last.map(|last| &last.value), &reading.value);
    }
    if status_changed {
        put_unsigned(out, u64::from(reading.status));
    }
    if source == SOURCE {
        let base = last_source.unwrap_or(taken_us);
        put_signed(out, reading.source_us.unwrap_or(base).wrapping_sub(base));
    }
}

/// Reads a reading of `tag`.
pub(super) fn get(
    from: &mut Reader<'_>,
    last: Option<&Reading>,
    taken_us: i64,
    tag: u16,
) -> Result<Reading, FrameError> {
    let flags = from.byte()?;
    let value = value(from, last.map(|last| &last.value), flags & 7)?;
    let quality = quality(flags >> 3 & 3)?;
    let status = match flags & STATUS_CHANGED {
        0 => last.map_or(0, |last| last.status),
        _ => from.small()?,
    };
    let last_source = last.and_then(|last| last.source_us);
    let source_us = match flags >> 6 {
        NO_SOURCE => None,
        SAME_SOURCE => Some(last_source.ok_or(FrameError::Word)?),
        SOURCE => Some(last_source.unwrap_or(taken_us).wrapping_add(from.signed()?)),
        _ => return Err(FrameError::Word),
    };
    Ok(Reading { tag, value, quality, status, source_us })
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Bool(false) => FALSE,
        Value::Bool(true) => TRUE,
        Value::Unsigned(_) => UNSIGNED,
        Value::Signed(_) => SIGNED,
        Value::Float(_) => FLOAT,
        Value::Text(_) => TEXT,
    }
}

fn quality(bits: u8) -> Result<Quality, FrameError> {
    let all = [Quality::Good, Quality::Uncertain, Quality::Bad];
    all.into_iter().find(|quality| *quality as u8 == bits).ok_or(FrameError::Word)
}

fn put_value(out: &mut Vec<u8>, last: Option<&Value>, value: &Value) {
    match value {
        Value::Bool(_) => {}
        Value::Unsigned(n) => put_signed(out, n.wrapping_sub(last_unsigned(last)) as i64),
        Value::Signed(n) => put_signed(out, n.wrapping_sub(last_signed(last))),
        Value::Float(x) => put_float(out, x.to_bits() ^ last_bits(last)),
        Value::Text(text) => {
            put_unsigned(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn value(from: &mut Reader<'_>, last: Option<&Value>, kind: u8) -> Result<Value, FrameError> {
    Ok(match kind {
        SAME_VALUE => last.cloned().ok_or(FrameError::Word)?,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        UNSIGNED => Value::Unsigned(last_unsigned(last).wrapping_add(from.signed()? as u64)),
        SIGNED => Value::Signed(last_signed(last).wrapping_add(from.signed()?)),
        FLOAT => Value::Float(f64::from_bits(float(from)? ^ last_bits(last))),
        TEXT => {
            let n = from.length()?;
            let text = std::str::from_utf8(from.bytes(n)?).map_err(|_| FrameError::Word)?;
            Value::Text(text.into())
        }
        _ => return Err(FrameError::Word),
    })
}

/// The bits that differ, as how many zeros stand below them and what remains above. Widened 32-bit floats end in
/// 29 zeros, and a slow measurement keeps its sign and exponent.
fn put_float(out: &mut Vec<u8>, differing: u64) {
    let zeros = differing.trailing_zeros().min(63);
    out.push(zeros as u8);
    put_unsigned(out, differing >> zeros);
}

fn float(from: &mut Reader<'_>) -> Result<u64, FrameError> {
    let zeros = from.byte()?;
    from.unsigned()?.checked_shl(u32::from(zeros)).ok_or(FrameError::Word)
}

fn last_unsigned(last: Option<&Value>) -> u64 {
    match last {
        Some(Value::Unsigned(n)) => *n,
        _ => 0,
    }
}

fn last_signed(last: Option<&Value>) -> i64 {
    match last {
        Some(Value::Signed(n)) => *n,
        _ => 0,
    }
}

fn last_bits(last: Option<&Value>) -> u64 {
    match last {
        Some(Value::Float(x)) => x.to_bits(),
        _ => 0,
    }
}
