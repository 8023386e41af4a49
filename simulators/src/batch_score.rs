//! Batches against the truth: each is reported under its number, with the counts that it had.

use serde::Serialize;

use crate::{
    catalogue::Fault,
    injections::Injection,
    report::{Said, SaidBatch},
    score::Truth,
};

/// A true batch, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchScore {
    /// Its number.
    pub id: String,
    /// Capsules loaded.
    pub infeed: u64,
    /// Good capsules ejected.
    pub made: u64,
    /// Capsules rejected, all classes.
    pub rejected: u64,
    /// Whether it has ended; none between its last capsule and the next batch, when its number is still shown.
    pub ended: Option<bool>,
    /// What is said; none where nothing is.
    pub said: Option<SaidBatch>,
}

impl BatchScore {
    /// Everything that is not right about what is said. The infeed may be off by so many capsules, where what is counted
    /// by batch is reset apart from its change.
    pub fn wrong(&self, infeed_off: u64) -> Vec<String> {
        let BatchScore { id, infeed, made, rejected, ended, said } = self;
        let Some(said) = said else { return vec![format!("batch {id} is not reported")] };
        let mut wrong = Vec::new();
        let wide = Said {
            low: said.infeed.low.saturating_sub(infeed_off),
            high: said.infeed.high.saturating_add(infeed_off),
            ..said.infeed
        };
        for (what, truth, told) in [
            ("loaded", infeed, wide),
            ("good", made, said.made),
            ("rejected", rejected, said.rejected),
        ] {
            if !told.holds(*truth) {
                wrong.push(format!("batch {id}: {truth} {what} is not in {told}"));
            }
        }
        if let Some(ended) = ended
            && *ended != said.to_us.is_some()
        {
            let word = if *ended { "has ended" } else { "lasts" };
            wrong.push(format!("batch {id}: it {word}, and the opposite is said"));
        }
        wrong
    }
}

/// How long after its number a batch may still load by the counters of the one before, beside what the fault takes.
const PARTED_S: f64 = 1.0;
/// Capsules in a second at most: a tenth above the design rate.
const PER_SECOND: f64 = 6_500.0 * 1.1 / 60.0;

impl Truth {
    /// By how many capsules the infeed of a batch may be off because a fault parts its number from the reset of its counters.
    pub(crate) fn infeed_off(&self) -> u64 {
        let parts = |one: &&Injection| {
            matches!(one.fault, Fault::BatchIdEarly | Fault::BatchIdLate)
                && one.from_us <= self.ledger.plant_us
        };
        let longest_s = self.injected.iter().filter(parts).map(|one| one.value);
        longest_s.reduce(f64::max).map_or(0, |s| ((s + PARTED_S) * PER_SECOND) as u64)
    }

    /// Every true batch since the base that could be seen, and what is reported of none.
    pub(crate) fn batches(&self, said: &[SaidBatch]) -> (Vec<BatchScore>, Vec<SaidBatch>) {
        // The batch of fillers side by side is of all of them, and the ledger has those of each.
        if !self.ledger.beside.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let batches = &self.ledger.batches;
        let begun_us = self.base.as_ref().map_or(0, |base| base.plant_us);
        let now_us = self.ledger.plant_us;
        let scored = batches.iter().enumerate().filter(|(_, batch)| {
            let to_us = batch.to_us.unwrap_or(now_us);
            // One that begins while the account is taken was not read yet.
            batch.from_us >= begun_us && self.seen_us(batch.from_us, to_us) > 0
        });
        let scored = scored.map(|(n, batch)| BatchScore {
            id: batch.batch_id.clone(),
            infeed: batch.infeed,
            made: batch.made,
            rejected: batch.rejected,
            ended: if n + 1 < batches.len() {
                Some(true)
            } else {
                batch.to_us.map_or(Some(false), |_| None)
            },
            said: said.iter().find(|said| said.id == batch.batch_id).cloned(),
        });
        let scored: Vec<BatchScore> = scored.collect();
        let is_its = |(n, one): &(usize, &SaidBatch)| {
            let first = said.iter().position(|said| said.id == one.id);
            first == Some(*n) && batches.iter().any(|batch| batch.batch_id == one.id)
        };
        // What began before the base was judged with it.
        let is_since =
            |one: &SaidBatch| self.base.is_none() || one.from_us - self.zero_us >= begun_us;
        let none = said.iter().enumerate().filter(|one| !is_its(one) && is_since(one.1));
        (scored, none.map(|(_, batch)| batch.clone()).collect())
    }
}
