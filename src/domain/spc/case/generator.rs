//! CLG-1, the generator of large data sets: integers only, so that every language makes the same capsules.

use super::CaseError;
use super::place::Place;

/// Settings of a CLG-1 series; see the case specification for the meaning of each.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    seed: u64,
    subgroups: usize,
    n_lo: u64,
    n_span: u64,
    t0: i64,
    amp: i64,
    drift: Option<Drift>,
    events: Vec<Event>,
}

#[derive(Clone, Copy, Debug)]
struct Drift {
    num: i64,
    den: i64,
    gain: i64,
}

#[derive(Clone, Copy, Debug)]
struct Event {
    from: usize,
    to: usize,
    change: Change,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Stop,
    Size(u64),
    Add(i64),
}

/// The most capsules that a case may ask for: half a minute of work.
const MAX_CAPSULES: u64 = 4_000_000_000;

/// The most subgroups, however small: they are held in memory.
const MAX_SUBGROUPS: usize = 1_000_000;

impl Generator {
    /// Reads the settings of a case.
    pub(super) fn read(place: &Place) -> Result<Generator, CaseError> {
        if place.need("generator")?.text()? != "CLG-1" {
            return Err(place
                .need("generator")?
                .error("CLG-1; other generators come with their data"));
        }
        let generator = Generator {
            seed: place.need("seed")?.count()?,
            subgroups: place.need("N")?.index()?,
            n_lo: place.need("n_lo")?.count()?,
            n_span: place.need("n_span")?.count()?.max(1),
            t0: place.need("t0")?.integer()?,
            amp: place.need("amp")?.integer()?,
            drift: place.get("drift").map(|drift| Drift::read(&drift)).transpose()?,
            events: place.get("events").map_or(Ok(Vec::new()), |events| {
                events.list()?.iter().map(Event::read).collect()
            })?,
        };
        if generator.subgroups > MAX_SUBGROUPS {
            return Err(place.need("N")?.error("at most 1,000,000 subgroups"));
        }
        let sizes = generator
            .events
            .iter()
            .map(|event| if let Change::Size(n) = event.change { n } else { 0 });
        let largest = generator.n_lo.saturating_add(generator.n_span).max(sizes.max().unwrap_or(0));
        if largest.max(1).saturating_mul(generator.subgroups as u64) > MAX_CAPSULES {
            return Err(place.error("at most 4e9 capsules in all"));
        }
        Ok(generator)
    }

    /// The `(rejected, total)` of each subgroup.
    pub(super) fn subgroups(&self) -> Vec<(u64, u64)> {
        let mut drift = 0_i64;
        (0..self.subgroups).map(|i| self.subgroup(i, &mut drift)).collect()
    }

    fn subgroup(&self, i: usize, drift: &mut i64) -> (u64, u64) {
        let base = (i as u64).wrapping_mul(2048);
        let (w0, w1) = (word(self.seed, base), word(self.seed, base.wrapping_add(1)));
        let mut n = self.n_lo.saturating_add(w0 % self.n_span);
        let mut threshold =
            self.t0.saturating_add(sum_of_bytes(w1).saturating_mul(self.amp).div_euclid(256));
        if let Some(Drift { num, den, gain }) = self.drift {
            // Rust's division cuts towards zero, as the definition has it; a divisor of zero was refused.
            let kept = drift.saturating_mul(num) / den;
            *drift = kept.saturating_add(sum_of_bytes(w1 >> 32).saturating_mul(gain));
            threshold = threshold.saturating_add(*drift / 256);
        }
        for event in self.events.iter().filter(|event| (event.from..event.to).contains(&i)) {
            match event.change {
                Change::Stop => n = 0,
                Change::Size(size) => n = size,
                Change::Add(t) => threshold = threshold.saturating_add(t),
            }
        }
        (self.rejects(base, n, threshold.clamp(0, 65_535) as u16), n)
    }

    /// How many of `n` lanes of sixteen bits fall below the threshold, four lanes a word.
    fn rejects(&self, base: u64, n: u64, threshold: u16) -> u64 {
        let lanes = |j: u64| word(self.seed, base.wrapping_add(2).wrapping_add(j));
        let below = |word: u64, lane: u64| u64::from(((word >> (16 * lane)) as u16) < threshold);
        let whole: u64 =
            (0..n / 4).map(|j| (0..4).map(|lane| below(lanes(j), lane)).sum::<u64>()).sum();
        whole + (0..n % 4).map(|lane| below(lanes(n / 4), lane)).sum::<u64>()
    }
}

impl Drift {
    fn read(place: &Place) -> Result<Drift, CaseError> {
        let den = place.need("den")?.integer()?;
        if den <= 0 {
            return Err(place.need("den")?.error("a divisor above zero"));
        }
        Ok(Drift { num: place.need("num")?.integer()?, den, gain: place.need("gain")?.integer()? })
    }
}

impl Event {
    fn read(place: &Place) -> Result<Event, CaseError> {
        let change = match place.need("type")?.text()? {
            "stop" => Change::Stop,
            "size" => Change::Size(place.need("n")?.count()?),
            "add" => Change::Add(place.need("t")?.integer()?),
            _ => return Err(place.need("type")?.error("stop, size or add")),
        };
        Ok(Event { from: place.need("from")?.index()?, to: place.need("to")?.index()?, change })
    }
}

/// The sum of the four low bytes about its middle.
fn sum_of_bytes(word: u64) -> i64 {
    (0..4).map(|byte| (word >> (8 * byte) & 0xFF) as i64).sum::<i64>() - 510
}

/// The `t`-th output of SplitMix64.
fn word(seed: u64, t: u64) -> u64 {
    let z = seed.wrapping_add(t.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}
