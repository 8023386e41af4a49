//! MD03, the metal detector: a piece of metal opens its flap, and 10 to 60 capsules go with it, most of them good.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{
    Parcel,
    belt::{Belt, Transit},
};
use crate::{
    ledger::DetectorLedger,
    random::{self, Rare, Stream},
};

/// From the polisher's outlet to the detector.
pub(crate) const LAG_US: i64 = 2_000_000;

const P_METAL: f64 = 1e-6;
/// Capsules that one opening of the flap dumps.
const DUMP: std::ops::RangeInclusive<u32> = 10..=60;

const TEST_EVERY_US: i64 = 3_600_000_000;
const TEST_US: i64 = 60_000_000;
/// A test sends three pieces, one every 20 s, between capsules: they are no product and take none with them.
const TEST_PIECES: i64 = 3;
const PIECE_EVERY_US: i64 = 20_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Detector {
    pub(crate) transit: Transit,
    pub(crate) belt: Belt,
    totals: DetectorLedger,
    metal: Rare,
    /// Capsules that the open flap still dumps.
    to_dump: u32,
    rng: ChaCha8Rng,
}

impl Detector {
    pub(crate) fn new(seed: u64, fillers: u32) -> Detector {
        let mut rng = random::stream(seed, Stream::Detector);
        Detector {
            transit: Transit::new("MD03", fillers),
            belt: Belt::new(LAG_US),
            totals: DetectorLedger::default(),
            metal: Rare::new(P_METAL, &mut rng),
            to_dump: 0,
            rng,
        }
    }

    pub(crate) fn send(&mut self, parcel: Parcel, now_us: i64) {
        self.belt.put(parcel, &self.transit.drive, now_us);
    }

    /// The next parcel passes, without what the flap dumped.
    pub(crate) fn let_through(&mut self, now_us: i64) -> Option<Parcel> {
        let parcel = self.belt.take()?;
        self.transit.pass(now_us);
        for _ in 0..self.metal.hits(parcel.capsules, &mut self.rng) {
            self.totals.events += 1;
            // The flap stays open longer when the next piece comes while it is open.
            self.to_dump += self.rng.random_range(DUMP);
        }
        let dumped = self.to_dump.min(parcel.capsules);
        self.to_dump -= dumped;
        self.totals.dumped += u64::from(dumped);
        self.totals.passed += u64::from(parcel.capsules - dumped);
        Some(Parcel { capsules: parcel.capsules - dumped, ..parcel })
    }

    pub(crate) fn ledger(&self, now_us: i64) -> DetectorLedger {
        DetectorLedger {
            on_the_way: self.belt.capsules(),
            test_pieces: test_pieces(now_us),
            ..self.totals
        }
    }
}

/// Test pieces sent up to a plant time: the hours are tested one after the other, the first after an hour.
fn test_pieces(now_us: i64) -> u64 {
    let hours = now_us / TEST_EVERY_US;
    let of_hour = (now_us % TEST_EVERY_US) / PIECE_EVERY_US + 1;
    let done = match hours {
        0 => 0,
        hours => (hours - 1) * TEST_PIECES + of_hour.min(TEST_PIECES),
    };
    done as u64
}

/// Whether the hourly test is going on.
pub(crate) fn in_test(now_us: i64) -> bool {
    now_us >= TEST_EVERY_US && now_us % TEST_EVERY_US < TEST_US
}
