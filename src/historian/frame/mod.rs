//! The codec of frames: snapshots as read ↔ one blob. What goes in comes out, bit by bit; nothing is rounded,
//! joined or left out. Only tags that changed take bytes.
//!
//! A frame stands alone: it starts from nothing and needs no earlier frame. Numbers are LEB128 varints, signed
//! ones in zigzag form, times and values as differences from the one before. A CRC-32C of all bytes comes last,
//! because SQLite does not check its pages. Decoding never panics and bounds the memory it takes, whatever the bytes.

mod crc;
pub(super) mod hour;
mod reading;
mod wire;

use std::collections::BTreeMap;

use domain::reading::{Miss, Outcome, Reading, Snapshot};
use domain::units::{MINUTE_US, Moment};

use wire::{Reader, put_signed, put_unsigned};

/// First byte of a frame. A new form gets a new number and the old decoder stays.
const VERSION: u8 = 1;
/// Most snapshots in a frame: ten seconds of polling at 100 Hz.
const MAX_SNAPSHOTS: usize = 1_000;
/// Most readings that a frame decodes to: a small damaged blob must not take gigabytes.
const MAX_READINGS: usize = 1 << 20;
/// The longest time between the oldest and the newest snapshot of a frame. Queries by time rely on it.
pub(super) const MAX_SPAN_US: i64 = MINUTE_US;

/// Outcome words on the wire. A taken snapshot names its tags, or brings the same tags as the one before.
const TAKEN_SAME_TAGS: u8 = 0;
const TAKEN: u8 = 1;
const FIRST_MISS: u8 = 2;
/// Added to the word when the snapshot does not stand for one poll; the number follows.
const MANY_POLLS: u8 = 1 << 7;

/// Why a frame cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("it ends too early")]
    Short,
    #[error("its checksum does not match")]
    Checksum,
    #[error("it has form {0}, this version knows form 1")]
    Version(u8),
    #[error("it holds a word that no frame has")]
    Word,
    #[error("it holds more than a frame may")]
    TooLarge,
}

/// What both sides remember of a device's group, so that only changes are written.
#[derive(Default)]
struct Stream {
    round_trip_us: u32,
    tags: Vec<u16>,
    last: BTreeMap<u16, Reading>,
}

/// What both sides remember of the frame so far.
#[derive(Default)]
struct Memory {
    at: Moment,
    names: Vec<(u16, u16)>,
    streams: Vec<Stream>,
}

/// Parts snapshots so that each part fits a frame: not too many, not too far apart in time.
pub(super) fn parts(snapshots: &[Snapshot]) -> Vec<&[Snapshot]> {
    let mut parts = Vec::new();
    let mut rest = snapshots;
    while !rest.is_empty() {
        let (part, left) = rest.split_at(fitting(rest));
        parts.push(part);
        rest = left;
    }
    parts
}

fn fitting(snapshots: &[Snapshot]) -> usize {
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    let mut readings = 0;
    for (n, snapshot) in snapshots.iter().enumerate() {
        let at = snapshot.taken_at.utc_us;
        (from, to) = (from.min(at), to.max(at));
        if let Outcome::Taken(taken) = &snapshot.outcome {
            readings += taken.len();
        }
        let full = n >= MAX_SNAPSHOTS || readings > MAX_READINGS;
        if n > 0 && (full || to.saturating_sub(from) > MAX_SPAN_US) {
            return n;
        }
    }
    snapshots.len()
}

/// Snapshots as one blob.
pub(super) fn encode(snapshots: &[Snapshot]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_unsigned(&mut out, snapshots.len() as u64);
    let mut memory = Memory::default();
    for snapshot in snapshots {
        put_snapshot(&mut out, &mut memory, snapshot);
    }
    let crc = crc::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// The checksum, for tests that damage what stands before it.
#[cfg(test)]
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc::crc32c(bytes)
}

/// The snapshots of a blob.
pub(super) fn decode(blob: &[u8]) -> Result<Vec<Snapshot>, FrameError> {
    let (body, crc) = blob.split_last_chunk::<4>().ok_or(FrameError::Short)?;
    if crc::crc32c(body) != u32::from_le_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    decode_body(body)
}

/// All but the checksum, apart so that tests reach it with arbitrary bytes.
pub(super) fn decode_body(body: &[u8]) -> Result<Vec<Snapshot>, FrameError> {
    let mut from = Reader::new(body);
    match from.byte()? {
        VERSION => {}
        other => return Err(FrameError::Version(other)),
    }
    let n = from.length()?;
    let mut memory = Memory::default();
    let mut budget = MAX_READINGS;
    let mut snapshots = Vec::with_capacity(n);
    for _ in 0..n {
        snapshots.push(snapshot(&mut from, &mut memory, &mut budget)?);
    }
    match from.is_empty() {
        true => Ok(snapshots),
        false => Err(FrameError::Word),
    }
}

fn put_snapshot(out: &mut Vec<u8>, memory: &mut Memory, snapshot: &Snapshot) {
    let n = put_stream(out, memory, (snapshot.device, snapshot.group));
    put_moment(out, &mut memory.at, snapshot.taken_at);
    let stream = &mut memory.streams[n];
    let wait = i64::from(snapshot.round_trip_us) - i64::from(stream.round_trip_us);
    put_signed(out, wait);
    stream.round_trip_us = snapshot.round_trip_us;
    let word = out.len();
    match &snapshot.outcome {
        Outcome::Missed(miss) => put_miss(out, *miss),
        Outcome::Taken(readings) => put_taken(out, stream, snapshot.taken_at.utc_us, readings),
    }
    if snapshot.polls != 1 {
        out[word] |= MANY_POLLS;
        put_unsigned(out, u64::from(snapshot.polls));
    }
}

fn snapshot(
    from: &mut Reader<'_>,
    memory: &mut Memory,
    budget: &mut usize,
) -> Result<Snapshot, FrameError> {
    let n = stream(from, memory)?;
    let (device, group) = memory.names[n];
    let taken_at = moment(from, &mut memory.at)?;
    let stream = &mut memory.streams[n];
    let wait = i64::from(stream.round_trip_us).wrapping_add(from.signed()?);
    stream.round_trip_us = u32::try_from(wait).map_err(|_| FrameError::Word)?;
    let round_trip_us = stream.round_trip_us;
    let word = from.byte()?;
    let outcome = match word & !MANY_POLLS {
        TAKEN_SAME_TAGS => same_tags(from, stream, taken_at.utc_us, budget)?,
        TAKEN => named_tags(from, stream, taken_at.utc_us, budget)?,
        word => Outcome::Missed(miss(from, word)?),
    };
    let polls = if word & MANY_POLLS == 0 { 1 } else { from.small()? };
    Ok(Snapshot { device, group, taken_at, round_trip_us, polls, outcome })
}

/// A stream is its position among those of the frame; its device and group are written once.
fn put_stream(out: &mut Vec<u8>, memory: &mut Memory, name: (u16, u16)) -> usize {
    let known = memory.names.iter().position(|known| *known == name);
    let n = known.unwrap_or(memory.names.len());
    put_unsigned(out, n as u64);
    if known.is_none() {
        put_unsigned(out, u64::from(name.0));
        put_unsigned(out, u64::from(name.1));
        memory.names.push(name);
        memory.streams.push(Stream::default());
    }
    n
}

fn stream(from: &mut Reader<'_>, memory: &mut Memory) -> Result<usize, FrameError> {
    let n = from.unsigned()?;
    let n = usize::try_from(n).map_err(|_| FrameError::Word)?;
    if n > memory.names.len() {
        return Err(FrameError::Word);
    }
    if n == memory.names.len() {
        memory.names.push((from.small()?, from.small()?));
        memory.streams.push(Stream::default());
    }
    Ok(n)
}

/// The boot clock as a step, the wall clock by how far it ran differently: mostly one zero byte.
fn put_moment(out: &mut Vec<u8>, last: &mut Moment, at: Moment) {
    let mono_step = at.mono_us.wrapping_sub(last.mono_us);
    let utc_step = at.utc_us.wrapping_sub(last.utc_us);
    put_signed(out, mono_step);
    put_signed(out, utc_step.wrapping_sub(mono_step));
    *last = at;
}

fn moment(from: &mut Reader<'_>, last: &mut Moment) -> Result<Moment, FrameError> {
    let mono_step = from.signed()?;
    let utc_step = from.signed()?.wrapping_add(mono_step);
    last.mono_us = last.mono_us.wrapping_add(mono_step);
    last.utc_us = last.utc_us.wrapping_add(utc_step);
    Ok(*last)
}

fn put_taken(out: &mut Vec<u8>, stream: &mut Stream, taken_us: i64, readings: &[Reading]) {
    if !readings.is_empty() && readings.iter().map(|r| r.tag).eq(stream.tags.iter().copied()) {
        out.push(TAKEN_SAME_TAGS);
        put_changes(out, stream, taken_us, readings);
        return;
    }
    out.push(TAKEN);
    put_unsigned(out, readings.len() as u64);
    let mut last_tag = 0;
    for reading in readings {
        put_signed(out, i64::from(reading.tag) - last_tag);
        last_tag = i64::from(reading.tag);
        reading::put(out, stream.last.get(&reading.tag), taken_us, reading);
        stream.last.insert(reading.tag, reading.clone());
    }
    stream.tags = readings.iter().map(|r| r.tag).collect();
}

/// One bit for each tag, and after the bits the readings that changed.
fn put_changes(out: &mut Vec<u8>, stream: &mut Stream, taken_us: i64, readings: &[Reading]) {
    let at = out.len();
    out.resize(at + readings.len().div_ceil(8), 0);
    for (n, reading) in readings.iter().enumerate() {
        let last = stream.last.get(&reading.tag);
        if last.is_some_and(|last| reading::same(last, reading)) {
            continue;
        }
        out[at + n / 8] |= 1 << (n % 8);
        reading::put(out, last, taken_us, reading);
        stream.last.insert(reading.tag, reading.clone());
    }
}

fn same_tags(
    from: &mut Reader<'_>,
    stream: &mut Stream,
    taken_us: i64,
    budget: &mut usize,
) -> Result<Outcome, FrameError> {
    take(budget, stream.tags.len())?;
    let changed = from.bytes(stream.tags.len().div_ceil(8))?;
    let mut readings = Vec::with_capacity(stream.tags.len());
    for (n, tag) in stream.tags.iter().enumerate() {
        let last = stream.last.get(tag);
        let reading = match (changed[n / 8] & (1 << (n % 8)) != 0, last) {
            (false, Some(last)) => last.clone(),
            (false, None) => return Err(FrameError::Word),
            (true, last) => reading::get(from, last, taken_us, *tag)?,
        };
        stream.last.insert(*tag, reading.clone());
        readings.push(reading);
    }
    Ok(Outcome::Taken(readings))
}

fn named_tags(
    from: &mut Reader<'_>,
    stream: &mut Stream,
    taken_us: i64,
    budget: &mut usize,
) -> Result<Outcome, FrameError> {
    let n = from.length()?;
    take(budget, n)?;
    let mut readings = Vec::with_capacity(n);
    let mut tag = 0_i64;
    for _ in 0..n {
        tag = tag.wrapping_add(from.signed()?);
        let tag = u16::try_from(tag).map_err(|_| FrameError::Word)?;
        let reading = reading::get(from, stream.last.get(&tag), taken_us, tag)?;
        stream.last.insert(tag, reading.clone());
        readings.push(reading);
    }
    stream.tags = readings.iter().map(|r| r.tag).collect();
    Ok(Outcome::Taken(readings))
}

fn take(budget: &mut usize, n: usize) -> Result<(), FrameError> {
    *budget = budget.checked_sub(n).ok_or(FrameError::TooLarge)?;
    Ok(())
}

fn put_miss(out: &mut Vec<u8>, miss: Miss) {
    let (word, number) = match miss {
        Miss::Skipped => (0, None),
        Miss::Disconnected => (1, None),
        Miss::ConnectFailed => (2, None),
        Miss::Timeout => (3, None),
        Miss::Broken => (4, None),
        Miss::Mismatch => (5, None),
        Miss::Refused { code } => (6, Some(code)),
        Miss::Torn => (7, None),
        Miss::Frozen => (8, None),
    };
    out.push(FIRST_MISS + word);
    if let Some(number) = number {
        put_unsigned(out, u64::from(number));
    }
}

fn miss(from: &mut Reader<'_>, word: u8) -> Result<Miss, FrameError> {
    Ok(match word - FIRST_MISS {
        0 => Miss::Skipped,
        1 => Miss::Disconnected,
        2 => Miss::ConnectFailed,
        3 => Miss::Timeout,
        4 => Miss::Broken,
        5 => Miss::Mismatch,
        6 => Miss::Refused { code: from.small()? },
        7 => Miss::Torn,
        8 => Miss::Frozen,
        _ => return Err(FrameError::Word),
    })
}
