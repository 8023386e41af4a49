//! The codec of an hour: closed minutes with their counts ↔ one blob. What goes in comes out, bit by bit.
//!
//! The counters stand in front, once; a minute then has a word for each of them. A CRC-32C of all bytes comes last.
//! Decoding never panics and bounds the memory it takes, whatever the bytes.

use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::units::{Count, HOUR_US, MINUTE_US, StationId};

use super::wire::{Reader, put_signed, put_unsigned};
use super::{FrameError, crc};

/// First byte of an hour. A new form gets a new number and the old decoder stays.
const VERSION: u8 = 1;
/// Minutes of an hour.
const MAX_MINUTES: usize = (HOUR_US / MINUTE_US) as usize;

/// What stands for the count of a counter in a minute.
const ABSENT: u8 = 0;
const EXACT: u8 = 1;
const DOUBTFUL: u8 = 2;

/// A minute with the numbers of its counters in the dictionary, in their order.
pub(in crate::historian) struct Numbered {
    pub(in crate::historian) minute: Minute,
    pub(in crate::historian) counts: Vec<(i64, Count)>,
}

/// The minutes of the hour that begins at `hour_us` as one blob. None where one of them does not belong into it.
pub(in crate::historian) fn encode(hour_us: i64, minutes: &[Numbered]) -> Option<Vec<u8>> {
    let mut ids: Vec<i64> =
        minutes.iter().flat_map(|m| m.counts.iter().map(|(id, _)| *id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut out = vec![VERSION];
    put_unsigned(&mut out, ids.len() as u64);
    ids.iter().for_each(|id| put_signed(&mut out, *id));
    put_unsigned(&mut out, minutes.len() as u64);
    for Numbered { minute, counts } in minutes {
        let place = minute.start_us.checked_sub(hour_us)?;
        if place % MINUTE_US != 0 || !(0..HOUR_US).contains(&place) {
            return None;
        }
        put_unsigned(&mut out, (place / MINUTE_US) as u64);
        put_unsigned(&mut out, u64::from(minute.rev));
        minute.time.0.iter().for_each(|us| put_signed(&mut out, *us));
        put_unsigned(&mut out, minute.polls);
        put_unsigned(&mut out, minute.missed);
        for id in &ids {
            put_count(&mut out, counts.iter().find(|(of, _)| of == id).map(|(_, count)| *count));
        }
    }
    let crc = crc::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    Some(out)
}

fn put_count(out: &mut Vec<u8>, count: Option<Count>) {
    match count {
        None => out.push(ABSENT),
        Some(count) if count.is_exact() => {
            out.push(EXACT);
            put_unsigned(out, count.best());
        }
        Some(count) => {
            out.push(DOUBTFUL);
            [count.low(), count.best(), count.high()].iter().for_each(|n| put_unsigned(out, *n));
        }
    }
}

/// Appends the minutes of a blob that begin in `[from_us, to_us)`. `name` gives the station and the kind of a counter.
pub(in crate::historian) fn decode(
    blob: &[u8],
    hour_us: i64,
    (from_us, to_us): (i64, i64),
    name: impl Fn(i64) -> Option<(StationId, Counted)>,
    out: &mut Vec<Minute>,
) -> Result<(), FrameError> {
    let (body, crc) = blob.split_last_chunk::<4>().ok_or(FrameError::Short)?;
    if crc::crc32c(body) != u32::from_le_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    let mut from = Reader::new(body);
    match from.byte()? {
        VERSION => {}
        other => return Err(FrameError::Version(other)),
    }
    let n_counters = from.length()?;
    let mut counters = Vec::with_capacity(n_counters);
    for _ in 0..n_counters {
        counters.push(name(from.signed()?).ok_or(FrameError::Word)?);
    }
    let n = from.length()?;
    if n > MAX_MINUTES {
        return Err(FrameError::TooLarge);
    }
    for _ in 0..n {
        let minute = minute(&mut from, hour_us, &counters)?;
        if (from_us..to_us).contains(&minute.start_us) {
            out.push(minute);
        }
    }
    if from.is_empty() { Ok(()) } else { Err(FrameError::Word) }
}

fn minute(
    from: &mut Reader<'_>,
    hour_us: i64,
    counters: &[(StationId, Counted)],
) -> Result<Minute, FrameError> {
    let place = from.unsigned()?;
    if place >= MAX_MINUTES as u64 {
        return Err(FrameError::Word);
    }
    let rev = from.small()?;
    let mut time = TimeSplit::default();
    for us in &mut time.0 {
        *us = from.signed()?;
    }
    let (polls, missed) = (from.unsigned()?, from.unsigned()?);
    let mut tallies = Vec::with_capacity(counters.len());
    for (station, counted) in counters {
        let count = match from.byte()? {
            ABSENT => continue,
            EXACT => Count::exact(from.unsigned()?),
            DOUBTFUL => Count::between(from.unsigned()?, from.unsigned()?, from.unsigned()?),
            _ => return Err(FrameError::Word),
        };
        tallies.push(Tally { station: station.clone(), counted: counted.clone(), count });
    }
    let start_us = hour_us.saturating_add(place as i64 * MINUTE_US);
    // Weights are kept beside the minutes, not in packed hours.
    let weights = Vec::new();
    Ok(Minute { start_us, rev, closed: true, time, polls, missed, tallies, weights })
}
