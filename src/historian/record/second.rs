//! Seconds of a minute ↔ one blob.
//!
//! Form 1: the spells (start since the end of the one before, signed; length; class), then counter by counter its number
//! in the dictionary and its seconds (how many since the one before, how many capsules, and their bounds where they are
//! not exact). A quiet minute takes a dozen bytes, one at full speed about two for each second and counter that moved.

use domain::line::minute::{Counted, Tally};
use domain::line::second::{SECONDS, SecondTally, Seconds, Spell};
use domain::line::state::TimeClass;
use domain::units::{Count, MINUTE_US, StationId};
use rusqlite::{Connection, Result, Row, params};

use super::write::{Scope, counter};
use crate::historian::Tick;
use crate::historian::frame::FrameError;
use crate::historian::frame::wire::{Reader, put_signed, put_unsigned};

const FORM: u8 = 1;

/// Writes the seconds of a tick.
pub(super) fn seconds(conn: &Connection, scope: Scope, tick: &Tick) -> Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("../sql/second_block_write.sql"))?;
    for block in &tick.seconds {
        let mut ids = Vec::with_capacity(block.tallies.len());
        for tally in &block.tallies {
            let (station, counted) = (tally.station.clone(), tally.counted.clone());
            ids.push(counter(conn, scope, &Tally { station, counted, count: Count::ZERO })?);
        }
        let data = encode(block, &ids);
        upsert.execute(params![scope.line, block.start_us, block.rev, block.closed, data])?;
    }
    Ok(())
}

/// A row of the `second_blocks…_read.sql`; `counters` is the dictionary of counters.
pub(in crate::historian) fn second_block(
    row: &Row<'_>,
    counters: impl Fn(i64) -> Option<(StationId, Counted)>,
) -> Result<Seconds> {
    let blob = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
    let (spells, tallies) = decode(blob, counters).map_err(|error| {
        let cause = rusqlite::types::FromSqlError::Other(Box::new(error));
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Blob, Box::new(cause))
    })?;
    Ok(Seconds { start_us: row.get(0)?, rev: row.get(1)?, closed: row.get(2)?, spells, tallies })
}

fn encode(block: &Seconds, ids: &[i64]) -> Vec<u8> {
    let mut out = vec![FORM];
    put_unsigned(&mut out, block.spells.len() as u64);
    let mut end_us = 0;
    for spell in &block.spells {
        put_signed(&mut out, spell.offset_us - end_us);
        put_unsigned(&mut out, spell.us.max(0).unsigned_abs());
        out.push(spell.class as u8);
        end_us = spell.offset_us + spell.us;
    }
    put_unsigned(&mut out, block.tallies.len() as u64);
    for (tally, id) in block.tallies.iter().zip(ids) {
        put_unsigned(&mut out, id.unsigned_abs());
        put_unsigned(&mut out, tally.counts.len() as u64);
        let mut next = 0;
        for (second, count) in &tally.counts {
            // One bit beside the second says whether the count is exact: 0 to 59 then still takes one byte.
            let skipped = u64::from(second.saturating_sub(next));
            put_unsigned(&mut out, skipped << 1 | u64::from(!count.is_exact()));
            put_unsigned(&mut out, count.best());
            if !count.is_exact() {
                put_unsigned(&mut out, count.best() - count.low());
                put_unsigned(&mut out, count.high() - count.best());
            }
            next = second + 1;
        }
    }
    out
}

type Parts = (Vec<Spell>, Vec<SecondTally>);

fn decode(
    blob: &[u8],
    counters: impl Fn(i64) -> Option<(StationId, Counted)>,
) -> std::result::Result<Parts, FrameError> {
    let mut reader = Reader::new(blob);
    match reader.byte()? {
        FORM => {}
        form => return Err(FrameError::Version(form)),
    }
    let spells = (0..reader.length()?)
        .scan(0, |end_us, _| Some(spell(&mut reader, end_us)))
        .collect::<std::result::Result<Vec<Spell>, FrameError>>()?;
    let mut tallies = Vec::new();
    for _ in 0..reader.length()? {
        let id = reader.small::<i64>()?;
        let (station, counted) = counters(id).ok_or(FrameError::Word)?;
        let mut counts = Vec::new();
        let mut next = 0;
        for _ in 0..reader.length()? {
            let (second, count) = entry(&mut reader, next)?;
            next = u64::from(second) + 1;
            counts.push((second, count));
        }
        tallies.push(SecondTally { station, counted, counts });
    }
    if reader.is_empty() { Ok((spells, tallies)) } else { Err(FrameError::Word) }
}

fn spell(reader: &mut Reader<'_>, end_us: &mut i64) -> std::result::Result<Spell, FrameError> {
    let offset_us = end_us.checked_add(reader.signed()?).ok_or(FrameError::Word)?;
    let us = reader.small::<i64>()?;
    let class = usize::from(reader.byte()?);
    let class = TimeClass::ALL.into_iter().find(|known| *known as usize == class);
    if !(0..=MINUTE_US).contains(&offset_us) || !(0..=MINUTE_US - offset_us).contains(&us) {
        return Err(FrameError::Word);
    }
    *end_us = offset_us + us;
    Ok(Spell { offset_us, us, class: class.ok_or(FrameError::Word)? })
}

fn entry(reader: &mut Reader<'_>, next: u64) -> std::result::Result<(u8, Count), FrameError> {
    let word = reader.unsigned()?;
    let second = next.checked_add(word >> 1).filter(|second| *second < SECONDS as u64);
    let second = second.ok_or(FrameError::Word)? as u8;
    let best = reader.unsigned()?;
    if word & 1 == 0 {
        return Ok((second, Count::exact(best)));
    }
    let low = best.checked_sub(reader.unsigned()?).ok_or(FrameError::Word)?;
    let high = best.checked_add(reader.unsigned()?).ok_or(FrameError::Word)?;
    Ok((second, Count::between(low, best, high)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dictionary(id: i64) -> Option<(StationId, Counted)> {
        (1..=3).contains(&id).then(|| (StationId::new(format!("S{id}")), Counted::Good))
    }

    fn block() -> impl Strategy<Value = Seconds> {
        let spell = (0..MINUTE_US, 0..MINUTE_US, 0..6_usize).prop_map(|(offset_us, us, class)| {
            Spell { offset_us, us: us.min(MINUTE_US - offset_us), class: TimeClass::ALL[class] }
        });
        let count = (any::<u64>(), 0..500_u64, 0..500_u64).prop_map(|(best, below, above)| {
            Count::between(best.saturating_sub(below), best, best.saturating_add(above))
        });
        let counts = prop::collection::btree_map(0..60_u8, count, 1..60);
        let tally = |i: usize, counts: std::collections::BTreeMap<u8, Count>| {
            let (station, counted) = dictionary(i as i64 + 1).expect("in the dictionary");
            SecondTally { station, counted, counts: counts.into_iter().collect() }
        };
        let tallies = prop::collection::vec(counts, 0..3);
        (prop::collection::vec(spell, 0..20), tallies).prop_map(move |(spells, tallies)| Seconds {
            start_us: 0,
            rev: 1,
            closed: false,
            spells,
            tallies: tallies.into_iter().enumerate().map(|(i, counts)| tally(i, counts)).collect(),
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(block in block()) {
            let ids: Vec<i64> = (1..=block.tallies.len() as i64).collect();
            let read = decode(&encode(&block, &ids), dictionary);
            prop_assert_eq!(read.expect("its own blob"), (block.spells, block.tallies));
        }

        /// Damage is an error or another block, never a panic and never more memory than the blob.
        #[test]
        fn damage_is_survived(block in block(), at in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<bool>()) {
            let ids: Vec<i64> = (1..=block.tallies.len() as i64).collect();
            let mut blob = encode(&block, &ids);
            let at = at.index(blob.len());
            if cut { blob.truncate(at) } else { blob[at] ^= 1 << bit }
            if let Ok((spells, tallies)) = decode(&blob, dictionary) {
                let n: usize = spells.len() + tallies.iter().map(|tally| tally.counts.len()).sum::<usize>();
                prop_assert!(n <= blob.len());
            }
        }
    }

    #[test]
    fn a_minute_at_full_speed_is_small() {
        let counts = |n| (0..60).map(|second| (second, Count::exact(n))).collect();
        let tally = |i, n| SecondTally {
            station: StationId::new(i),
            counted: Counted::Good,
            counts: counts(n),
        };
        let spells = vec![Spell { offset_us: 0, us: MINUTE_US, class: TimeClass::Run }];
        let tallies = vec![tally("S1", 100), tally("S2", 150), tally("S3", 100)];
        let block = Seconds { start_us: 0, rev: 1, closed: true, spells, tallies };
        assert!(
            encode(&block, &[1, 2, 3]).len() < 450,
            "two or three bytes for a second of a counter"
        );
    }
}
