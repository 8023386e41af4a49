//! What the plant's counters really were, and when: the judge of every value that a client shows.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use capline::clock::boot_us;
use simulators::{Ledger, Plant, RejectClass};

/// A counter that only rises: its tag, what is true of it, and how many values its register has.
pub(crate) type Rising = (&'static str, fn(&Ledger) -> u64, u64);

/// Counters of the filler. They are all zero at plant time 0.
pub(crate) const OF_FILLER: [Rising; 8] = [
    ("CF01.Admin.ProdProcessedCount[0].AccCount", |ledger| ledger.made, 1 << 31),
    ("CF01.Rej.Unseparated", |ledger| rejected(ledger, RejectClass::Unseparated), 1 << 16),
    ("CF01.Rej.DentedTelescoped", |ledger| rejected(ledger, RejectClass::Dented), 1 << 16),
    ("CF01.Rej.Startup", |ledger| rejected(ledger, RejectClass::Startup), 1 << 16),
    ("CF01.Rej.NoDose", |ledger| rejected(ledger, RejectClass::NoDose), 1 << 16),
    ("CF01.Rej.DoubleCap", |ledger| rejected(ledger, RejectClass::DoubleCap), 1 << 16),
    ("CF01.Samples", |ledger| ledger.samples, 1 << 16),
    ("CF01.Rej.EmptyPocket", |ledger| ledger.empty_pockets, 1 << 16),
];

/// Counters of the weigher.
pub(crate) const OF_WEIGHER: [Rising; 4] = [
    ("CW04.Statistic.TotalPackagesAccepted.ItemCount", |ledger| ledger.weigher.good, 1 << 32),
    ("CW04.Rej.Under", |ledger| ledger.weigher.under, 1 << 32),
    ("CW04.Rej.Over", |ledger| ledger.weigher.over, 1 << 32),
    ("CW04.Rej.DistanceFault", |ledger| ledger.weigher.unweighed, 1 << 32),
];

fn rejected(ledger: &Ledger, class: RejectClass) -> u64 {
    ledger.rejects.get(&class).copied().unwrap_or(0)
}

/// The account of one moment, which lies between two readings of the clock.
struct Entry {
    before_us: i64,
    after_us: i64,
    plant_us: i64,
    counts: Vec<u64>,
}

/// A log of accounts, about one a millisecond.
pub(crate) struct Truth {
    log: Arc<Mutex<Vec<Entry>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Truth {
    pub(crate) fn start(plant: Arc<Plant>, counters: &'static [Rising]) -> Truth {
        let (log, over) = (Arc::<Mutex<Vec<Entry>>>::default(), Arc::<AtomicBool>::default());
        let (written, ends) = (log.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            while !ends.load(SeqCst) {
                let before_us = boot_us();
                let ledger = plant.ledger();
                let after_us = boot_us();
                let counts = counters.iter().map(|(_, truth, _)| truth(&ledger)).collect();
                let entry = Entry { before_us, after_us, plant_us: ledger.plant_us, counts };
                written.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Truth { log, over, thread: Some(thread) }
    }

    /// Ends the log; it can be asked from then on.
    pub(crate) fn end(mut self) -> Account {
        // Something after the last value must be known too.
        std::thread::sleep(Duration::from_millis(20));
        self.over.store(true, SeqCst);
        self.thread.take().expect("it is ended once").join().expect("the log is written");
        Account(std::mem::take(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A log that has ended.
pub(crate) struct Account(Vec<Entry>);

impl Account {
    /// Whether a counter had this value at a moment between two of our clock.
    pub(crate) fn had(
        &self,
        counter: usize,
        modulus: u64,
        value: u64,
        (from_us, to_us): (i64, i64),
    ) -> bool {
        let before = self.0.partition_point(|entry| entry.after_us <= from_us);
        let after = self.0.partition_point(|entry| entry.before_us < to_us);
        self.lies_between(counter, modulus, value, before, after)
    }

    /// Whether a counter had this value at a moment of the plant's own time.
    pub(crate) fn had_at(&self, counter: usize, modulus: u64, value: u64, plant_us: i64) -> bool {
        let before = self.0.partition_point(|entry| entry.plant_us <= plant_us);
        let after = self.0.partition_point(|entry| entry.plant_us < plant_us);
        self.lies_between(counter, modulus, value, before, after)
    }

    /// `before` entries are older than the value, and `after` is the first that is newer.
    fn lies_between(
        &self,
        counter: usize,
        modulus: u64,
        value: u64,
        before: usize,
        after: usize,
    ) -> bool {
        let low = before.checked_sub(1).map_or(0, |last| self.0[last].counts[counter]);
        let high = self.0.get(after).expect("the log ends after the last value").counts[counter];
        (value + modulus - low % modulus) % modulus <= high - low
    }
}
