//! The seconds of one minute of a line: the same whole numbers as the minute, finer.
//!
//! - Time is kept as the spells in which it was spent, to the microsecond. A second gets what lies in it, so that 60
//!   seconds add up to their minute whatever the clocks did.
//! - What one poll showed belongs to the second of the reading, as it belongs to its minute: it is at most one poll late.
//!   A poll that comes a quarter of a second or longer after the one before is divided among the seconds it covers by
//!   largest remainder: the best values add up, and each part is `[0, all of it]`. What was made before the minute began
//!   is in its first second, because it is in this minute.
//! - Counts of gaps are in no second, as they are in no minute.

use crate::line::minute::{Counted, Minute, Tally, TimeSplit};
use crate::line::split::divide;
use crate::line::state::TimeClass;
use crate::units::{Count, MINUTE_US, Moment, SECOND_US, StationId};

/// Seconds in a minute. UTC as computers count it knows no second 60: in a leap second a label comes twice.
pub const SECONDS: usize = 60;

/// A poll that comes so long after the one before is divided among the seconds it covers, in microseconds.
const DIVIDED_FROM_US: i64 = SECOND_US / 4;

/// The seconds of one minute, absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seconds {
    /// Start of the minute in UTC microseconds, a multiple of a minute.
    pub start_us: i64,
    /// Raised whenever it changes after it was stored.
    pub rev: u32,
    /// Whether the minute is over.
    pub closed: bool,
    /// How the time of the line was spent, in the order in which it was told.
    pub spells: Vec<Spell>,
    /// What each counter counted, for those that counted anything.
    pub tallies: Vec<SecondTally>,
}

/// A span of time in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Start in microseconds since the start of the minute.
    pub offset_us: i64,
    /// Length in microseconds; it ends within the minute.
    pub us: i64,
    /// What it counts as.
    pub class: TimeClass,
}

/// What one counter counted, second by second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondTally {
    /// Where.
    pub station: StationId,
    /// What.
    pub counted: Counted,
    /// Second of the minute and how many; ascending, without seconds in which nothing was counted.
    pub counts: Vec<(u8, Count)>,
}

impl Seconds {
    /// How the time of each second was spent.
    pub fn time(&self) -> [TimeSplit; SECONDS] {
        let mut seconds = [TimeSplit::default(); SECONDS];
        for spell in &self.spells {
            for (second, us) in spell.parts() {
                seconds[second].add(spell.class, us);
            }
        }
        seconds
    }

    /// Sum over the counters that `picks` wants, second by second.
    pub fn counts(&self, picks: impl Fn(&StationId, &Counted) -> bool) -> [Count; SECONDS] {
        let mut seconds = [Count::ZERO; SECONDS];
        for tally in self.tallies.iter().filter(|tally| picks(&tally.station, &tally.counted)) {
            for (second, count) in &tally.counts {
                if let Some(sum) = seconds.get_mut(usize::from(*second)) {
                    *sum += *count;
                }
            }
        }
        seconds
    }

    /// Whether the seconds add up to their minute: time and best values exactly; bounds exactly where nothing was
    /// divided, and else around those of the minute.
    pub fn add_up_to(&self, minute: &Minute) -> bool {
        let mut time = TimeSplit::default();
        self.time().iter().for_each(|second| time.merge(second));
        let fits = |tally: &Tally| {
            let is_it = |s: &StationId, c: &Counted| *s == tally.station && *c == tally.counted;
            let sum: Count = self.counts(is_it).into_iter().sum();
            let whole = tally.count;
            sum.best() == whole.best() && sum.low() <= whole.low() && whole.high() <= sum.high()
        };
        self.start_us == minute.start_us && time == minute.time && minute.tallies.iter().all(fits)
    }
}

impl Spell {
    /// The seconds it lies in and how much of it lies in each.
    fn parts(self) -> impl Iterator<Item = (usize, i64)> {
        let (mut from_us, to_us) = (self.offset_us, self.offset_us + self.us);
        std::iter::from_fn(move || {
            if from_us >= to_us {
                return None;
            }
            let second = from_us.div_euclid(SECOND_US);
            let until_us = ((second + 1) * SECOND_US).min(to_us);
            let us = until_us - from_us;
            from_us = until_us;
            Some((second.clamp(0, SECONDS as i64 - 1) as usize, us))
        })
    }
}

/// The seconds of a minute that may still change.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenSeconds {
    spells: Vec<Spell>,
    /// Counter by counter, as in [`SecondTally::counts`].
    counts: Vec<Vec<(u8, Count)>>,
}

impl OpenSeconds {
    pub(super) fn new(n_counters: usize) -> OpenSeconds {
        OpenSeconds { spells: Vec::new(), counts: vec![Vec::new(); n_counters] }
    }

    /// Goes on with what was stored of counters in this order.
    pub(super) fn restore(stored: &Seconds, keys: &[(StationId, Counted)]) -> OpenSeconds {
        let counts = |(station, counted): &(StationId, Counted)| {
            let is_it = |t: &&SecondTally| t.station == *station && t.counted == *counted;
            stored.tallies.iter().find(is_it).map_or_else(Vec::new, |tally| tally.counts.clone())
        };
        let counts = keys.iter().map(counts).collect();
        OpenSeconds { spells: stored.spells.clone(), counts }
    }

    /// Books time that was labelled `from_us` in the minute that starts at `start_us`.
    pub(super) fn spend(&mut self, start_us: i64, from_us: i64, us: i64, class: TimeClass) {
        let offset_us = (from_us - start_us).clamp(0, (MINUTE_US - us).max(0));
        match self.spells.last_mut() {
            Some(last) if last.class == class && last.offset_us + last.us == offset_us => {
                last.us += us;
            }
            _ => self.spells.push(Spell { offset_us, us, class }),
        }
    }

    /// Books what a poll showed in the minute that starts at `start_us`.
    pub(super) fn book(
        &mut self,
        start_us: i64,
        counter: usize,
        from: Moment,
        at: Moment,
        count: Count,
    ) {
        let Some(counts) = self.counts.get_mut(counter) else { return };
        let to_us = (at.utc_us - start_us).clamp(0, MINUTE_US - 1);
        let last = (to_us / SECOND_US) as u8;
        let long_us = at.mono_us - from.mono_us;
        let from_us = (to_us - long_us.max(0)).max(0);
        let first = (from_us / SECOND_US) as u8;
        if long_us < DIVIDED_FROM_US || first == last {
            return add(counts, last, count);
        }
        let overlap_us = |second: u8| {
            let (start, end) = (i64::from(second) * SECOND_US, (i64::from(second) + 1) * SECOND_US);
            (end.min(to_us) - start.max(from_us)).max(0).unsigned_abs()
        };
        let weights: Vec<u64> = (first..=last).map(overlap_us).collect();
        for (second, part) in (first..=last).zip(divide(count, &weights)) {
            add(counts, second, part);
        }
    }

    pub(super) fn finish(
        &self,
        keys: &[(StationId, Counted)],
        (start_us, rev, closed): (i64, u32, bool),
    ) -> Seconds {
        let counted = keys.iter().zip(&self.counts).filter(|(_, counts)| !counts.is_empty());
        let tally = |((station, counted), counts): (&(StationId, Counted), &Vec<(u8, Count)>)| {
            let (station, counted) = (station.clone(), counted.clone());
            SecondTally { station, counted, counts: counts.clone() }
        };
        let tallies = counted.map(tally).collect();
        Seconds { start_us, rev, closed, spells: self.spells.clone(), tallies }
    }
}

/// Adds to a second; nearly always to the last one or behind it.
fn add(counts: &mut Vec<(u8, Count)>, second: u8, count: Count) {
    if count.is_zero() {
        return;
    }
    let after = counts.iter().rposition(|(other, _)| *other <= second);
    match after {
        Some(i) if counts[i].0 == second => counts[i].1 += count,
        found => counts.insert(found.map_or(0, |i| i + 1), (second, count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_US: i64 = 1_795_507_200_000_000;

    fn at(ms: i64) -> Moment {
        Moment { utc_us: START_US + ms * 1_000, mono_us: ms * 1_000 }
    }

    fn key() -> (StationId, Counted) {
        (StationId::new("CF01"), Counted::Good)
    }

    /// What is in each second after polls from one moment to another, in milliseconds of the minute.
    fn booked(polls: &[(i64, i64, u64)]) -> Vec<(u8, Count)> {
        let mut seconds = OpenSeconds::new(1);
        for (from, to, n) in polls {
            seconds.book(START_US, 0, at(*from), at(*to), Count::exact(*n));
        }
        let seconds = seconds.finish(&[key()], (START_US, 1, true));
        seconds.tallies.into_iter().next().map_or_else(Vec::new, |tally| tally.counts)
    }

    #[test]
    fn a_short_poll_belongs_to_the_second_of_its_reading() {
        let found = booked(&[(980, 1_000, 50), (1_000, 1_020, 7), (1_990, 2_010, 3)]);
        assert_eq!(found, [(1, Count::exact(57)), (2, Count::exact(3))]);
    }

    #[test]
    fn a_long_poll_is_divided_by_largest_remainder() {
        let part = |n: u64, of: u64| Count::between(0, n, of);
        // 0.3 s and 0.7 s of 101: 30.3 and 70.7, and the one left goes to the larger remainder.
        assert_eq!(booked(&[(1_700, 2_700, 101)]), [(1, part(30, 101)), (2, part(71, 101))]);
        // What lies before the minute is in its first second; with one second there is nothing to divide.
        assert_eq!(booked(&[(-600, 400, 9)]), [(0, Count::exact(9))]);
        // A poll that ends with a second has no part in the next.
        assert_eq!(booked(&[(1_000, 2_000, 9)]), [(1, Count::exact(9))]);
    }

    #[test]
    fn a_late_reading_finds_its_second() {
        let found = booked(&[(10, 20, 1), (3_000, 3_010, 2), (1_000, 1_010, 3), (3_020, 3_030, 4)]);
        assert_eq!(found, [(0, Count::exact(1)), (1, Count::exact(3)), (3, Count::exact(6))]);
    }

    #[test]
    fn spells_are_cut_at_seconds() {
        let mut seconds = OpenSeconds::new(0);
        seconds.spend(START_US, START_US + 1_500_000, 700_000, TimeClass::Run);
        seconds.spend(START_US, START_US + 2_200_000, 100_000, TimeClass::Run);
        seconds.spend(START_US, START_US + 59_900_000, 100_000, TimeClass::Internal);
        // A label before the minute that it had to go into, and one whose second comes again.
        seconds.spend(START_US, START_US - 5_000_000, 1_000, TimeClass::Unknown);
        seconds.spend(START_US, START_US + 2_200_000, 900_000, TimeClass::Run);
        let seconds = seconds.finish(&[], (START_US, 1, false));
        assert_eq!(seconds.spells.len(), 4, "neighbours of one class are one spell");
        let time = seconds.time();
        assert_eq!(
            (time[1].total(), time[2].total(), time[3].total()),
            (500_000, 1_100_000, 100_000)
        );
        assert_eq!(
            (time[0].of(TimeClass::Unknown), time[59].of(TimeClass::Internal)),
            (1_000, 100_000)
        );
    }
}
