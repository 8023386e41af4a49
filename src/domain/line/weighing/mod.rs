//! Records of weights that a machine publishes under a running number: each is taken once.
//!
//! A balance or a checkweigher shows its last record until the next one, and is read many times meanwhile. The running
//! number tells them apart: the same number is the same record and adds nothing, the next one is a new record, and a
//! number that was jumped over is a record that was published and never seen, which is said instead of guessed. The
//! number that was taken last is kept in the journal with the minutes it was booked into, so that a restart neither
//! takes a record twice nor forgets that one was missed.
//!
//! A record spreads over many values, and those must belong together. Over Modbus they lie in one block with the number
//! before and behind it: both equal, in one reply. Where a device reports only changes, value by value, a record is
//! taken when a later message has brought no further change of it.
//!
//! The first number that is ever seen marks the beginning: that record was published before anybody watched.
//!
//! A value of bad quality, one that is no number and one that can be no weight is left out, and is said with its cause.

use std::collections::BTreeMap;

use crate::line::weight::{Account, HEAVIEST_UG, Moments, Part, Series, WeightTally, book};
use crate::plc_map::{PlcMap, Protocol, Role, Tag};
use crate::reading::{Quality, Reading, Value};

/// Most causes that are told of one record.
const CAUSES_TOLD: usize = 3;

/// The last number that was taken of a series.
pub type Sequence = u64;

/// A record that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub sequence: Sequence,
    /// The number before it, none if the machine began to count afresh.
    pub before: Option<Sequence>,
    /// Its weights, with what is missing.
    pub tallies: Vec<WeightTally>,
    /// What was left out of it and why, in words; empty for nothing.
    pub causes: String,
}

/// Reads the records of one series of a machine.
#[derive(Clone, Debug)]
pub struct Reader {
    nothing: WeightTally,
    /// Its poll group.
    group: u16,
    /// Numbers wrap at two to the power of this.
    bits: u32,
    sequence: u16,
    tail: Option<u16>,
    /// Tags of its values, in the order of the map: bores and weights, or count, mean and deviation.
    values: BTreeMap<u16, Held>,
    bores: Vec<u16>,
    weights: Vec<u16>,
    statistics: [Option<u16>; 3],
    /// Whether the machine reports only what has changed.
    brings_changes_only: bool,
    last: Option<Sequence>,
    now: Option<Sequence>,
    now_tail: Option<Sequence>,
    /// A number that waits for a message which changes nothing of its record.
    settling: Option<Sequence>,
}

/// A value as last read.
#[derive(Clone, Copy, Debug)]
struct Held {
    scale: f64,
    offset: f64,
    value: Result<f64, &'static str>,
}

impl Reader {
    /// Readers of all series that a map publishes.
    pub fn all(map: &PlcMap) -> Vec<Reader> {
        Series::ALL.into_iter().filter_map(|series| Reader::new(map, series)).collect()
    }

    fn new(map: &PlcMap, series: Series) -> Option<Reader> {
        let tags = |part: Part| {
            let is_it = move |(_, tag): &(usize, &Tag)| tag.role == Role::Published(series, part);
            map.tags.iter().enumerate().filter(is_it).map(|(i, _)| i as u16)
        };
        let sequence = tags(Part::Sequence).next()?;
        let (bores, weights): (Vec<u16>, Vec<u16>) =
            (tags(Part::Bore).collect(), tags(Part::Weight).collect());
        let statistics = [Part::Count, Part::Mean, Part::Deviation].map(|part| tags(part).next());
        let all = bores.iter().chain(&weights).chain(statistics.iter().flatten());
        let held = |tag: &u16| {
            let Tag { scale, offset, .. } = map.tags[usize::from(*tag)];
            (*tag, Held { scale, offset, value: Err("not read yet") })
        };
        let head = &map.tags[usize::from(sequence)];
        Some(Reader {
            nothing: WeightTally::nothing(map.station.clone(), series, 0),
            group: head.group,
            bits: head.encoding.kind.bits().clamp(1, 63),
            sequence,
            tail: tags(Part::SequenceTail).next(),
            values: all.map(held).collect(),
            bores,
            weights,
            statistics,
            brings_changes_only: matches!(map.protocol, Protocol::OpcUa(_)),
            last: None,
            now: None,
            now_tail: None,
            settling: None,
        })
    }

    /// Which series.
    pub fn series(&self) -> Series {
        self.nothing.series
    }

    /// The number that was taken last.
    pub fn last(&self) -> Option<Sequence> {
        self.last
    }

    /// Goes on after the number that an earlier run took last.
    pub fn resume(&mut self, last: Sequence) {
        self.last = Some(last);
    }

    /// A span in which the machine was not heard.
    pub fn unheard(&self) -> WeightTally {
        let account = Account { unheard: true, ..Account::default() };
        WeightTally { account, ..self.nothing.clone() }
    }

    /// Takes the readings of one moment of a poll group; a record, if they complete one.
    pub fn take(&mut self, group: u16, readings: &[Reading]) -> Option<Record> {
        if group != self.group {
            return None;
        }
        let changed = self.hold(readings);
        let now = self.now?;
        let Some(last) = self.last else {
            self.last = Some(now);
            return None;
        };
        if now == last {
            self.settling = None;
            return None;
        }
        if self.tail.is_some() && self.now_tail != Some(now) {
            self.settling = None;
            return None;
        }
        let in_one_reply = self.tail.is_some() && !self.brings_changes_only;
        let settled = self.settling == Some(now) && (!changed || !self.brings_changes_only);
        if !in_one_reply && !settled {
            self.settling = Some(now);
            return None;
        }
        self.settling = None;
        self.last = Some(now);
        Some(self.record(last, now))
    }

    /// Keeps what was read. Whether anything of the record was among it.
    fn hold(&mut self, readings: &[Reading]) -> bool {
        let mut changed = false;
        for reading in readings {
            let number = || match reading.quality {
                Quality::Bad => None,
                _ => reading.value.as_counter(self.bits),
            };
            if reading.tag == self.sequence {
                changed |= self.now != number();
                self.now = number();
            } else if self.tail == Some(reading.tag) {
                changed |= self.now_tail != number();
                self.now_tail = number();
            } else if let Some(held) = self.values.get_mut(&reading.tag) {
                let value = held.read(&reading.value, reading.quality);
                // Bit by bit: a value that is no number does not equal itself.
                let same = match (value, held.value) {
                    (Ok(new), Ok(old)) => new.to_bits() == old.to_bits(),
                    (new, old) => new.is_err() && new.err() == old.err(),
                };
                changed |= !same;
                held.value = value;
            }
        }
        changed
    }

    fn record(&self, last: Sequence, now: Sequence) -> Record {
        let step = now.wrapping_sub(last) & (u64::MAX >> (64 - self.bits));
        // Half a round back or more: the machine began to count afresh, and what it published since is not known.
        let fresh = step > 1 << (self.bits - 1);
        let missed = if fresh { 1 } else { u32::try_from(step - 1).unwrap_or(u32::MAX) };
        let mut causes = Vec::new();
        let mut tallies = match self.series() {
            Series::Sample => self.single_weights(&mut causes),
            Series::Interval => self.statistics(&mut causes),
        };
        let refused = causes.len() as u32;
        let account = Account { records: 1, missed, refused, unheard: false };
        book(&mut tallies, &WeightTally { account, ..self.nothing.clone() });
        let more = causes.len().saturating_sub(CAUSES_TOLD);
        let mut told = causes.into_iter().take(CAUSES_TOLD).collect::<Vec<_>>().join(", ");
        if more > 0 {
            told += &format!(" and {more} more");
        }
        Record { sequence: now, before: (!fresh).then_some(last), tallies, causes: told }
    }

    fn single_weights(&self, causes: &mut Vec<String>) -> Vec<WeightTally> {
        let mut tallies = Vec::new();
        for (place, tag) in self.weights.iter().enumerate() {
            let bore = self.bores.get(place).map_or(Ok(0.0), |bore| self.value(*bore));
            let weight = self.value(*tag);
            // An empty place: the sample was smaller.
            if weight == Ok(0.0) && bore == Ok(0.0) {
                continue;
            }
            let (bore, ug) = match (bore, weight.and_then(micrograms)) {
                (Ok(bore), Ok(ug)) => (bore.clamp(0.0, 65_535.0) as u16, ug),
                (Err(cause), _) => {
                    causes.push(format!("bore of place {place}: {cause}"));
                    continue;
                }
                (_, Err(cause)) => {
                    causes.push(format!("weight of place {place}: {cause}"));
                    continue;
                }
            };
            let tally = WeightTally { bore, moments: Moments::one(ug), ..self.nothing.clone() };
            book(&mut tallies, &tally);
        }
        tallies
    }

    fn statistics(&self, causes: &mut Vec<String>) -> Vec<WeightTally> {
        let [count, mean, deviation] =
            self.statistics.map(|tag| tag.map_or(Err("not in the map"), |tag| self.value(tag)));
        // Nothing was weighed: the other two say nothing.
        if count == Ok(0.0) {
            return Vec::new();
        }
        let parts = [("count", count), ("mean", mean), ("deviation", deviation)];
        for (name, value) in parts {
            if let Err(cause) = value {
                causes.push(format!("{name}: {cause}"));
                return Vec::new();
            }
        }
        let (Ok(count), Ok(mean), Ok(deviation)) = (count, mean, deviation) else {
            return Vec::new();
        };
        let moments = (0.0..=f64::from(u32::MAX))
            .contains(&count)
            .then(|| Moments::of_statistics(count as u64, mean, deviation))
            .flatten();
        match moments {
            Some(moments) => vec![WeightTally { moments, ..self.nothing.clone() }],
            None => {
                causes.push(format!("{count} capsules of {mean} ± {deviation} mg: no weights"));
                Vec::new()
            }
        }
    }

    fn value(&self, tag: u16) -> Result<f64, &'static str> {
        self.values.get(&tag).map_or(Err("not in the map"), |held| held.value)
    }
}

impl Held {
    fn read(&self, value: &Value, quality: Quality) -> Result<f64, &'static str> {
        match (quality, value.as_f64()) {
            (Quality::Bad, _) => Err("bad quality"),
            (_, None) => Err("no number"),
            (_, Some(x)) if !x.is_finite() => Err("no number"),
            (_, Some(x)) => Ok(x * self.scale + self.offset),
        }
    }
}

/// A weight in milligrams as whole micrograms.
fn micrograms(mg: f64) -> Result<u64, &'static str> {
    let ug = (mg * 1e3).round();
    match ug >= 1.0 && ug <= HEAVIEST_UG as f64 {
        true => Ok(ug as u64),
        false => Err("no weight"),
    }
}

#[cfg(test)]
mod tests;
