//! A counter that goes on under other settings. If the map reads it from another register than before, what the two show
//! has no difference.

use super::baseline::{Baseline, BatchChange, Held};
use super::delta::{Cause, Delta, Flags, Hypothesis};
use super::evidence::Seen;
use super::explanations::{Meaning, seconds};
use super::settings::Settings;
use super::{Counter, Sample};
use crate::units::Count;

impl Counter {
    /// Goes on under other settings while the service runs; the device was not read meanwhile. `steady` says that what is
    /// read beside the counter comes from where it did: if not, what was seen of it is forgotten.
    pub fn change(&mut self, settings: Settings, steady: bool) {
        self.settings = settings;
        self.missed = true;
        if let Some(base) = self.base.as_mut().filter(|_| !steady) {
            base.seen = Seen::default();
            base.batch = BatchChange::default();
            // A reading that waited is decided by its value alone.
            if let Some(held) = &mut base.held {
                held.evidence = Default::default();
            }
        }
    }

    /// Begins a segment with the first reading of another register. What was made since the last one of the old register
    /// is in neither: at most what the machine can make, or what its odometer leaves.
    pub(super) fn begin_elsewhere(
        &mut self,
        mut base: Baseline,
        sample: &Sample,
        out: &mut Vec<Delta>,
    ) {
        let t_us = sample.at.mono_us.saturating_sub(base.at.mono_us).max(0);
        // Bounds count from the newest reading, and this count from the last one that is believed.
        let next = Held::of(sample);
        let next = base.held.map_or(next, |held| next.after(&held));
        // After a restart nobody knows whether the odometer is the one of before.
        let bounds = next.evidence.bounds.filter(|_| !self.resumed);
        let meaning = elsewhere(self.most_between((&base).into(), sample.into()), t_us, bounds);
        base.held = None;
        base.batch = BatchChange::default();
        base.mapping = self.settings.mapping;
        self.late = Default::default();
        self.write_down(&mut base, sample, meaning, Flags::none(), out);
        self.missed = false;
        self.session_lost = false;
    }
}

fn elsewhere(most: u64, t_us: i64, bounds: Option<(u64, u64)>) -> Meaning {
    let high = bounds.map_or(most, |(_, high)| most.min(high));
    let count = Count::between(0, 0, high);
    let why = format!(
        "the map reads this counter from another place than before: what was made in these {} is not known, at most \
         {high}",
        seconds(t_us),
    );
    let told = Hypothesis { cause: Cause::Preset, count, why };
    let hypotheses = Some([told].into());
    Meaning { count, cause: Cause::Preset, flags: Flags::none(), hypotheses }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::Evidence;
    use super::super::{Modulus, Resets};
    use super::*;
    use crate::units::Moment;

    fn settings(mapping: u32) -> Settings {
        let resets = Resets { batch: true, manual: false };
        Settings { mapping, resets, modulus: Modulus::At(65_536), ..Settings::default() }
    }

    fn sample(ms: i64, value: u64) -> Sample {
        let at = Moment { utc_us: ms * 1_000, mono_us: ms * 1_000 };
        Sample { at, off_us: 0, source_us: None, value, evidence: Evidence::default() }
    }

    /// 100 good and 60 bad; then the two change registers, and from then on 10 more are made of each.
    fn exchanged(marks: [u32; 2]) -> [Count; 2] {
        [(100, 60), (60, 100)].map(|(before, after)| {
            let mut deltas = Vec::new();
            let mut counter = Counter::new(settings(marks[0]));
            counter.sample(&sample(0, before - 30), &mut deltas);
            counter.sample(&sample(500, before), &mut deltas);
            counter.change(settings(marks[1]), true);
            counter.sample(&sample(1_000, after), &mut deltas);
            counter.sample(&sample(1_500, after + 10), &mut deltas);
            counter.sample(&sample(2_000, after + 10), &mut deltas);
            counter.total()
        })
    }

    #[test]
    fn two_counters_that_exchange_registers_have_no_difference() {
        // 30 before, at most 59.6 + 50 in the half second between, 10 after.
        let most = settings(1).most_in(500_000);
        let told = Count::between(40, 40, 40 + most);
        assert_eq!(exchanged([1, 2]), [told, told]);
    }

    #[test]
    fn without_marks_the_difference_of_two_registers_is_counted() {
        let [fell, rose] = exchanged([0, 0]);
        assert!(fell.low() > 40, "a reset to 60 would have counted 60: {fell}");
        assert_eq!(rose, Count::exact(80), "60 to 100 would be 40 more");
        // A mark that an older journal does not have says nothing either.
        assert_eq!(exchanged([0, 7])[1], Count::exact(80));
    }

    #[test]
    fn a_restart_finds_the_other_register_too() {
        let mut deltas = Vec::new();
        let mut counter = Counter::new(settings(1));
        counter.sample(&sample(0, 5_000), &mut deltas);
        let base = counter.baseline().unwrap();
        assert_eq!(base.mapping, 1);
        let mut counter = Counter::resume(settings(2), base);
        deltas.clear();
        counter.sample(&sample(60_000, 5_020), &mut deltas);
        let [delta] = &deltas[..] else { panic!("{deltas:?}") };
        assert_eq!((delta.cause, delta.count.low(), delta.count.best()), (Cause::Preset, 0, 0));
        assert!(delta.count.high() >= 6_500, "{}", delta.count);
        assert!(delta.flags.contains(Flags::RESUMED) && !delta.flags.contains(Flags::VIOLATION));
        let base = counter.baseline().unwrap();
        assert_eq!((base.mapping, base.segment, base.value), (2, 2, 5_020));
        // From then on it counts as ever.
        counter.sample(&sample(60_500, 5_030), &mut deltas);
        assert_eq!(deltas.last().unwrap().count, Count::exact(10));
    }

    #[test]
    fn an_odometer_that_stands_says_that_nothing_was_made() {
        let mut deltas = Vec::new();
        let mut counter = Counter::new(settings(1));
        counter.sample(&sample(0, 5_000), &mut deltas);
        counter.change(settings(2), true);
        let evidence = Evidence { bounds: Some((0, 0)), ..Evidence::default() };
        counter.sample(&Sample { evidence, ..sample(400, 9) }, &mut deltas);
        assert_eq!(counter.total(), Count::ZERO);
        assert_eq!(counter.segments(), 2);
    }

    /// A reading that waited is dropped with the old register; what was bounded up to it is in the time that is told.
    #[test]
    fn bounds_of_a_reading_that_waited_count_for_its_time() {
        let mut deltas = Vec::new();
        let mut counter = Counter::new(settings(1));
        counter.sample(&sample(0, 5_000), &mut deltas);
        let bounded = |most| Evidence { bounds: Some((0, most)), ..Evidence::default() };
        counter.sample(&Sample { evidence: bounded(60), ..sample(400, 60_000) }, &mut deltas);
        assert!(counter.baseline().is_some_and(|base| base.held.is_some()), "it waits");
        counter.change(settings(2), true);
        counter.sample(&Sample { evidence: bounded(5), ..sample(600, 9) }, &mut deltas);
        assert_eq!(counter.total(), Count::between(0, 0, 65));
    }

    #[test]
    fn what_was_seen_beside_it_elsewhere_is_forgotten() {
        let beside = |uptime_s| Evidence { uptime_s: Some(uptime_s), ..Evidence::default() };
        let counted = |steady| {
            let mut deltas = Vec::new();
            let mut counter = Counter::new(settings(1));
            counter.sample(&Sample { evidence: beside(9_000), ..sample(0, 20) }, &mut deltas);
            counter.change(settings(1), steady);
            // Another uptime register: the controller did not restart.
            counter.sample(&Sample { evidence: beside(0), ..sample(500, 30) }, &mut deltas);
            counter.total()
        };
        assert_eq!(counted(false), Count::exact(10));
        assert_ne!(counted(true), Count::exact(10), "an uptime that fell is a restart");
    }
}
