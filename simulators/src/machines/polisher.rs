//! PS02, the polisher: brushes the dust off and sorts out what is empty or in halves.

use rand_chacha::ChaCha8Rng;

use super::{
    Parcel,
    belt::{Belt, Transit},
};
use crate::{
    ledger::PolisherLedger,
    random::{self, Rare, Stream},
};

/// From the fillers' ejection to the inlet, and from there to the outlet.
pub(crate) const FEED_US: i64 = 2_000_000;
pub(crate) const PASS_US: i64 = 16_000_000;

const P_EMPTY: f64 = 2e-4;
const P_HALVES: f64 = 1e-4;

#[derive(Clone, Debug)]
pub(crate) struct Polisher {
    pub(crate) transit: Transit,
    /// On the way to it, and inside.
    pub(crate) feed: Belt,
    pub(crate) inside: Belt,
    totals: PolisherLedger,
    empty: Rare,
    halves: Rare,
    rng: ChaCha8Rng,
}

impl Polisher {
    pub(crate) fn new(seed: u64, fillers: u32) -> Polisher {
        let mut rng = random::stream(seed, Stream::Polisher);
        Polisher {
            transit: Transit::new("PS02", fillers),
            feed: Belt::new(FEED_US),
            inside: Belt::new(PASS_US),
            totals: PolisherLedger::default(),
            empty: Rare::new(P_EMPTY, &mut rng),
            halves: Rare::new(P_HALVES, &mut rng),
            rng,
        }
    }

    /// A parcel from a filler sets out for it.
    pub(crate) fn send(&mut self, parcel: Parcel, now_us: i64) {
        self.feed.put(parcel, &self.transit.drive, now_us);
    }

    /// The next parcel enters.
    pub(crate) fn take_in(&mut self, now_us: i64) {
        let Some(parcel) = self.feed.take() else { return };
        self.transit.pass(now_us);
        self.totals.infeed += u64::from(parcel.capsules);
        self.inside.put(parcel, &self.transit.drive, now_us);
    }

    /// The next parcel leaves, without what was sorted out.
    pub(crate) fn let_out(&mut self) -> Option<Parcel> {
        let parcel = self.inside.take()?;
        let empty = self.empty.hits(parcel.capsules, &mut self.rng);
        let halves = self.halves.hits(parcel.capsules - empty, &mut self.rng);
        let good = parcel.capsules - empty - halves;
        self.totals.empty += u64::from(empty);
        self.totals.halves += u64::from(halves);
        self.totals.good += u64::from(good);
        Some(Parcel { capsules: good, ..parcel })
    }

    pub(crate) fn ledger(&self) -> PolisherLedger {
        PolisherLedger {
            on_the_way: self.feed.capsules(),
            in_process: self.inside.capsules(),
            ..self.totals
        }
    }
}
