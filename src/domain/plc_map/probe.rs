//! Registers of an unknown device, seen several times: how each could be read, and what moves like a counter.

use super::encoding::decode;
use super::{ByteOrder, Encoding, Kind};
use crate::reading::Value;

/// The orders of two registers.
const ORDERS: [ByteOrder; 4] = [ByteOrder::Abcd, ByteOrder::Cdab, ByteOrder::Badc, ByteOrder::Dcba];

/// Rises that make a counter of what never falls.
const ENOUGH: u32 = 2;

/// A run of registers, seen again and again.
pub struct Sight {
    first: u16,
    words: Vec<u16>,
    changed: Vec<bool>,
    singles: Vec<Tally>,
    /// For each register the orders of it and the next.
    pairs: Vec<[Tally; ORDERS.len()]>,
    reads: u32,
}

/// How one way to read a value moved.
#[derive(Clone, Copy, Default)]
struct Tally {
    rises: u32,
    falls: u32,
    /// Sum of all rises.
    way: u64,
    /// Bits of the number that ever changed.
    moved: u32,
}

/// One register as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its address, 0-based.
    pub register: u16,
    /// What it holds.
    pub word: u16,
    /// Whether that was another at the read before.
    pub changed: bool,
    /// Every way to read it and the next one: kinds of one register, then those of two in each order.
    pub ways: Vec<(Encoding, Value)>,
    /// Ways in which it rose each time it changed, and never fell: the likeliest first.
    pub counters: Vec<Candidate>,
}

/// A way to read a register in which it moved like a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// How it is read.
    pub encoding: Encoding,
    /// Whether a carry into the more significant register was seen. Without one the less significant register alone moves
    /// in just the same way, and nothing tells the two apart.
    pub is_proven: bool,
}

impl Sight {
    /// Nothing seen yet, of registers from `first`.
    pub fn new(first: u16) -> Sight {
        let (words, changed, singles, pairs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Sight { first, words, changed, singles, pairs, reads: 0 }
    }

    /// Takes in one read. Another number of registers than before begins afresh.
    pub fn see(&mut self, words: &[u16]) {
        if words.len() != self.words.len() {
            *self = Sight {
                changed: vec![false; words.len()],
                singles: vec![Tally::default(); words.len()],
                pairs: vec![Default::default(); words.len().saturating_sub(1)],
                words: words.to_vec(),
                ..Sight::new(self.first)
            };
        }
        let before = std::mem::replace(&mut self.words, words.to_vec());
        for (i, (was, is)) in before.iter().zip(words).enumerate() {
            self.changed[i] = was != is;
            let bits = u32::from(was ^ is);
            self.singles[i].move_by(u64::from(is.wrapping_sub(*was)), 1 << 15, bits);
        }
        for (i, tallies) in self.pairs.iter_mut().enumerate() {
            for (tally, order) in tallies.iter_mut().zip(ORDERS) {
                let (was, is) = (number(&before[i..i + 2], order), number(&words[i..i + 2], order));
                tally.move_by(u64::from(is.wrapping_sub(was)), 1 << 31, was ^ is);
            }
        }
        self.reads += 1;
    }

    /// How often it was seen.
    pub fn reads(&self) -> u32 {
        self.reads
    }

    /// Every register as it is now.
    pub fn rows(&self) -> Vec<Row> {
        let row = |(i, word): (usize, &u16)| Row {
            register: self.first.wrapping_add(i as u16),
            word: *word,
            changed: self.changed[i],
            ways: self.ways(i),
            counters: self.counters(i),
        };
        self.words.iter().enumerate().map(row).collect()
    }

    fn ways(&self, i: usize) -> Vec<(Encoding, Value)> {
        let single = [Kind::Unsigned(16), Kind::Signed(16), Kind::Bcd(16)];
        let pair = [Kind::Unsigned(32), Kind::Signed(32), Kind::Float(32)];
        let single = single.into_iter().map(|kind| (kind, ByteOrder::Abcd));
        let pairs = pair.into_iter().flat_map(|kind| ORDERS.map(|order| (kind, order)));
        let read = |(kind, order): (Kind, ByteOrder)| {
            let encoding = Encoding { kind, order };
            let registers = self.words.get(i..i + usize::from(kind.registers()))?;
            Some((encoding, decode(registers, encoding).ok()?))
        };
        single.chain(pairs).filter_map(read).collect()
    }

    /// The least way comes first: a wrong order takes a counter through much larger numbers.
    fn counters(&self, i: usize) -> Vec<Candidate> {
        let mut found = Vec::new();
        if self.singles[i].is_counter() && self.singles[i].has_moved_at_its_end() {
            let encoding = Encoding { kind: Kind::Unsigned(16), order: ByteOrder::Abcd };
            found.push(((self.singles[i].way, 1), Candidate { encoding, is_proven: true }));
        }
        if let Some(tallies) = self.pairs.get(i) {
            for (tally, order) in tallies.iter().zip(ORDERS) {
                // What only ever went by multiples of 256 or 65,536 is a smaller counter, read in a wrong order.
                if tally.is_counter() && tally.has_moved_at_its_end() {
                    let high =
                        if matches!(order, ByteOrder::Abcd | ByteOrder::Badc) { i } else { i + 1 };
                    let is_proven = self.singles[high].has_moved();
                    let encoding = Encoding { kind: Kind::Unsigned(32), order };
                    let likely = if is_proven { 0 } else { 2 };
                    found.push(((tally.way, likely), Candidate { encoding, is_proven }));
                }
            }
        }
        found.sort_by_key(|(rank, _)| *rank);
        let least = found.first().map_or(0, |((way, _), _)| *way);
        // What goes a way so much longer rises by chance.
        found.retain(|((way, _), _)| *way < least.saturating_mul(200));
        found.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

impl Tally {
    /// A step around the end is a rise if it is shorter than half of the range.
    fn move_by(&mut self, step: u64, half: u64, bits: u32) {
        self.moved |= bits;
        match step {
            0 => {}
            step if step < half => {
                self.rises += 1;
                self.way = self.way.saturating_add(step);
            }
            _ => self.falls += 1,
        }
    }

    fn has_moved(self) -> bool {
        self.rises + self.falls > 0
    }

    /// Whether its least significant byte ever moved.
    fn has_moved_at_its_end(self) -> bool {
        self.moved & 0xFF != 0
    }

    fn is_counter(self) -> bool {
        self.falls == 0 && self.rises >= ENOUGH
    }
}

/// Two registers as one number.
fn number(pair: &[u16], order: ByteOrder) -> u32 {
    match decode(pair, Encoding { kind: Kind::Unsigned(32), order }) {
        Ok(Value::Unsigned(n)) => n as u32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the registers of a counter look like after each of some reads.
    fn watched(layout: fn(u32) -> Vec<u16>) -> Vec<Row> {
        let mut sight = Sight::new(100);
        for n in [131_000_u32, 131_050, 131_071, 131_075, 131_200, 131_330, 131_600] {
            sight.see(&layout(n));
        }
        sight.rows()
    }

    fn best(row: &Row) -> Option<(Kind, ByteOrder)> {
        row.counters.first().map(|found| (found.encoding.kind, found.encoding.order))
    }

    /// All candidates of a row; with a `?` what no carry has proven.
    fn offered(row: &Row) -> Vec<String> {
        let name = |found: &Candidate| {
            let (kind, order) = (found.encoding.kind, found.encoding.order.word());
            format!("{kind} {order}{}", if found.is_proven { "" } else { "?" })
        };
        row.counters.iter().map(name).collect()
    }

    fn seen(reads: &[Vec<u16>]) -> Vec<Row> {
        let mut sight = Sight::new(0);
        reads.iter().for_each(|words| sight.see(words));
        sight.rows()
    }

    /// A filler that was started today: its counters have not yet passed 65,535.
    #[test]
    fn a_young_counter_of_two_registers_is_not_offered_in_the_order_that_counts_too_much() {
        let counts = [300_u16, 354, 409, 463, 518, 573];
        let abcd = seen(&counts.map(|n| vec![0, n, 0, n / 2]));
        assert_eq!(offered(&abcd[0]), ["u32 ABCD?"]);
        // The next register is 0 as well, so it could be the more significant one: nothing can tell.
        assert_eq!(offered(&abcd[1]), ["u16 ABCD", "u32 CDAB?"]);
        let cdab = seen(&counts.map(|n| vec![n, 0, 7, 7]));
        assert_eq!(offered(&cdab[0]), ["u16 ABCD", "u32 CDAB?"]);
        assert!(offered(&cdab[1]).is_empty(), "{:?}", cdab[1]);
    }

    #[test]
    fn a_byte_that_never_moves_is_not_the_least_significant_one() {
        // Up to 255: swapped bytes rise, too, by 256 times as much.
        let rows = seen(&[10_u16, 12, 15, 19].map(|n| vec![0, n]));
        assert_eq!(offered(&rows[0]), ["u32 ABCD?"]);
        let rows = seen(&[10_u16, 12, 15, 19].map(|n| vec![0, n.swap_bytes()]));
        assert_eq!(offered(&rows[0]), ["u32 BADC?"]);
        let rows = seen(&[10_u16, 12, 15, 19].map(|n| vec![n.swap_bytes(), 0]));
        assert!(offered(&rows[0]).contains(&"u32 DCBA?".to_owned()), "{:?}", rows[0]);
    }

    #[test]
    fn a_carry_proves_a_pair() {
        let rows =
            seen(&[65_400_u32, 65_500, 65_600, 65_700].map(|n| vec![(n >> 16) as u16, n as u16]));
        assert_eq!(offered(&rows[0]), ["u32 ABCD"]);
    }

    #[test]
    fn the_order_of_a_counter_is_found() {
        let of = |rows: Vec<Row>| best(&rows[0]);
        assert_eq!(
            of(watched(|n| vec![(n >> 16) as u16, n as u16])),
            Some((Kind::Unsigned(32), ByteOrder::Abcd))
        );
        assert_eq!(
            of(watched(|n| vec![n as u16, (n >> 16) as u16])),
            Some((Kind::Unsigned(32), ByteOrder::Cdab))
        );
        let badc = watched(|n| vec![((n >> 16) as u16).swap_bytes(), (n as u16).swap_bytes()]);
        assert_eq!(best(&badc[0]), Some((Kind::Unsigned(32), ByteOrder::Badc)));
        let dcba = watched(|n| vec![(n as u16).swap_bytes(), ((n >> 16) as u16).swap_bytes()]);
        assert_eq!(best(&dcba[0]), Some((Kind::Unsigned(32), ByteOrder::Dcba)));
    }

    #[test]
    fn a_counter_of_one_register_is_found_around_its_end() {
        let mut sight = Sight::new(0);
        for n in [65_500_u16, 65_530, 20, 30] {
            sight.see(&[n, 0]);
        }
        assert_eq!(best(&sight.rows()[0]), Some((Kind::Unsigned(16), ByteOrder::Abcd)));
    }

    #[test]
    fn a_constant_beside_a_counter_makes_no_longer_one() {
        let mut sight = Sight::new(0);
        for n in [10_u16, 12, 15] {
            sight.see(&[7, n, 9]);
        }
        let rows = sight.rows();
        assert_eq!(best(&rows[1]), Some((Kind::Unsigned(16), ByteOrder::Abcd)));
        // Above 7 it might be the less significant half; only a carry can tell.
        assert_eq!(best(&rows[0]), Some((Kind::Unsigned(32), ByteOrder::Abcd)));
    }

    #[test]
    fn what_rises_and_falls_or_stands_is_no_counter() {
        let mut sight = Sight::new(0);
        for n in [5_u16, 9, 7, 12] {
            sight.see(&[n, 1, 0x4048]);
        }
        let rows = sight.rows();
        assert!(rows.iter().all(|row| row.counters.is_empty()), "{rows:?}");
        assert_eq!(rows.iter().map(|row| row.changed).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(
            (rows[2].register, rows[2].ways.len(), sight.reads()),
            (2, 3, 4),
            "one register"
        );
    }
}
