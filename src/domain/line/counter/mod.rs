//! The counter ledger: raw values of one register → counts that add up, each with its doubt.
//!
//! A [`Counter`] never guesses in silence. Where a drop can be a wrap or a reset it looks for
//! evidence; where there is none it publishes the best value *and* the interval in which the truth
//! must lie, with the explanations that are left. What does not fit at all waits for one more poll.
//!
//! Not here: what a count means for the line (roles, balance, minutes), and any clock or storage.
//!
//! What holds, if the machine never makes more than [`Settings::most_in`] allows:
//!
//! - The truth lies inside the interval of every sum of successive deltas.
//! - It equals the best value where nothing undecidable happened.
//! - `segment_start + Σ best = value (mod M)` after every sample; a breach is a flag, no panic.
//!
//! What nobody read is also decided by what came into the machine, if its map says how much can be `inside` and its sensors
//! miscount by less than two in a hundred together (`line::tracker::inflow`).
//!
//! What is promised of counts, and what fails when a promise is broken (cases are files in `tests/cases/counting`):
//!
//! | promise | cases and laws |
//! |---|---|
//! | readings are kept with both times; the same adds 0, a late one never subtracts | `order.txt`; `historian::tests::raw` |
//! | a segment sums to last − first; `final = initial + Σ (mod M)` at each commit | `laws/`; `tracker::tests::damage` |
//! | a drop is a wrap, a reset or both, by what fits in the time and by evidence | `published.txt`, `wrap_or_reset.txt`, `gaps.txt`, `moduli.txt`; width: `laws/` |
//! | a reading that was delivered late is judged by the clock of its device, and by its round trip | `order.txt`; `laws/late.rs` |
//! | readings that stood still with the pulse of their device are as old as its last beat | `still.txt` |
//! | what left a machine came in: that bounds what nobody could read | `tracker::tests::inflow`, `tracker::tests::odometer` |
//! | what rises too fast waits for one more reading | `bad_readings.txt` |
//! | another register under the same name is no difference | `elsewhere.rs` |
//! | our own restart goes on from what is durable | `tracker::tests::laws`; `tests/it/kills.rs` |
//! | a delta over a border is divided in whole capsules and marked | `line::split`, `line::second`, `tracker::tests::told` |
//! | infeed = good + rejects + samples + what is inside | `line::balance`, `tracker::tests::balance` |
//!
//! What no algorithm can tell from the values alone, and the laws therefore leave out:
//!
//! - A reset that is overtaken before the next sample: the value did not fall. With evidence (an
//!   uptime, a batch id, a clock that is cleared with the counter) it is found; without any, the
//!   delta says [`Flags::UNVERIFIED`].
//! - A counter that a person presets by less than what the machine could have made in that time.
//! - Two bad readings in a row, or a bad reading next to a reset: they confirm each other.
//! - A torn reading right after a gap in which 65,536 can be made, or right after the 0 to which a register wrapped in it.
//! - A reading that came late before a restart of ours, or while the clock of its device was set twice within some readings.
//! - Registers that stood still while the machine went on, of a device that shows no pulse: they look like a machine that
//!   stands, and what comes then like a preset.

mod baseline;
pub mod case;
mod dating;
mod delta;
mod elsewhere;
mod evidence;
mod explanations;
mod hold;
mod late;
mod odometer;
mod settings;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod plant;

pub use baseline::{Baseline, BatchChange, Held};
pub use delta::{Cause, Delta, Flags, Hypothesis};
pub use evidence::{Clocked, Evidence, Seen, batch_key};
pub use odometer::Odometer;
pub use settings::{Fraction, Modulus, Resets, Settings};

use crate::units::{Count, Moment};
use dating::Dating;
use evidence::{Signs, Span};
use explanations::{Meaning, Pair, weigh};
use late::{Dated, Delivery, Late};

/// One reading of a counter with what was read beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken. Its boot clock measures, its wall clock labels.
    pub at: Moment,
    /// How much earlier or later than `at` it may have been taken, in microseconds: half the round trip of a poll.
    pub off_us: i64,
    /// The device's own time of the value. The same value at the same time is a duplicate; leave
    /// it out when a keep-alive says that the value still holds.
    pub source_us: Option<i64>,
    /// The raw value.
    pub value: u64,
    /// What was read beside it.
    pub evidence: Evidence,
}

/// The ledger of one register.
#[derive(Clone, Debug)]
pub struct Counter {
    settings: Settings,
    base: Option<Baseline>,
    /// Polls that brought nothing since the last sample.
    missed: bool,
    /// The last sample came before our own restart.
    resumed: bool,
    /// A sample that was dropped since then said that the session was lost.
    session_lost: bool,
    /// Samples in a row that looked late.
    late: Late,
    /// How far moments may be off.
    dating: Dating,
    /// How late readings came.
    delivery: Delivery,
}

/// The sample from which the bounds of the next one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// When it was taken.
    pub at: Moment,
    /// The raw value.
    pub value: u64,
    /// The odometer that was read with it.
    pub odometer: Option<u64>,
    /// It is counted, and does not wait for its confirmation.
    pub believed: bool,
}

impl Counter {
    /// A counter that has not been read yet.
    pub fn new(settings: Settings) -> Counter {
        Counter {
            settings,
            base: None,
            missed: false,
            resumed: false,
            session_lost: false,
            late: Late::default(),
            dating: Dating::default(),
            delivery: Delivery::default(),
        }
    }

    /// Goes on after our own restart. The next delta covers the time in which we were down.
    pub fn resume(settings: Settings, baseline: Baseline) -> Counter {
        Counter { base: Some(baseline), resumed: true, ..Counter::new(settings) }
    }

    /// What the register can do.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// By how much the moment of the base may be off, in microseconds.
    pub fn off_us(&self) -> i64 {
        self.dating.off_us()
    }

    /// How late something came that its device had sent at that time of its own clock, in microseconds, as the readings before
    /// it show. None before the first of them.
    pub fn would_be_late_us(&self, sent_us: i64, at: Moment) -> Option<i64> {
        self.delivery.would_be_late_us(sent_us, at)
    }

    /// Takes the next sample, in the order of arrival, and appends at most two deltas to `out`.
    pub fn sample(&mut self, sample: &Sample, out: &mut Vec<Delta>) {
        self.dating.begin(sample);
        self.judge(sample, out);
        self.dating.end(self.base.is_some_and(|base| base.held.is_some()));
        self.delivery.keep(self.base.as_ref());
    }

    fn judge(&mut self, sample: &Sample, out: &mut Vec<Delta>) {
        let Some(mut base) = self.base else {
            self.base = Some(first(&self.settings, sample));
            self.feel(sample, false);
            self.missed = false;
            out.push(marker(sample.at, Cause::First, Flags::none()));
            return;
        };
        if self.resumed && sample.at.mono_us < base.at.mono_us {
            base.rebase(sample.at);
            self.base = Some(base);
        }
        if base.is_elsewhere(self.settings.mapping) {
            return self.begin_elsewhere(base, sample, out);
        }
        if self.settings.mapping != 0 {
            base.mapping = self.settings.mapping;
        }
        let mut sample = *sample;
        sample.evidence.session_lost |= self.session_lost;
        let sample = &sample;
        let (newest_at, newest_source, value) = match &base.held {
            Some(held) => (held.at, held.source_us, held.value),
            None => (base.at, base.source_us, base.value),
        };
        let source = sample.source_us.zip(newest_source);
        if source.is_some_and(|(new, old)| new == old) && value == sample.value {
            self.session_lost = sample.evidence.session_lost;
            return out.push(marker(sample.at, Cause::Duplicate, Flags::none()));
        }
        let older = source.is_some_and(|(new, old)| new < old);
        if sample.at.mono_us < newest_at.mono_us || (older && self.is_late(sample)) {
            self.session_lost = sample.evidence.session_lost;
            return out.push(marker(sample.at, Cause::Duplicate, Flags::LATE));
        }
        self.late = Late::default();
        self.feel(sample, older);
        let stepped = Flags::none().with(Flags::CLOCK_STEP, older);
        match base.held.take() {
            Some(held) => self.resolve(base, held, sample, stepped, out),
            None => self.take(&mut base, sample, stepped, out),
        }
        self.missed = false;
        self.session_lost = false;
    }

    /// Notes when a reading was taken that is neither late nor a duplicate.
    fn feel(&mut self, sample: &Sample, stepped: bool) {
        self.dating.feel(sample);
        self.delivery.feel(sample.into(), stepped, self.settings.latest_us);
    }

    /// A poll that brought nothing, or a value of bad quality: the next count is a gap.
    pub fn missed(&mut self) {
        self.missed = true;
    }

    /// All that must be stored to go on after a restart. `None` before the first sample.
    pub fn baseline(&self) -> Option<Baseline> {
        self.base
    }

    /// The newest sample that was neither late nor a duplicate. None before the first.
    pub fn newest(&self) -> Option<Newest> {
        let base = self.base.as_ref()?;
        Some(match &base.held {
            Some(held) => Newest {
                at: held.at,
                value: held.value,
                odometer: held.evidence.odometer,
                believed: false,
            },
            None => {
                let odometer = base.seen.odometer.filter(|seen| seen.at_us == base.at.mono_us);
                let odometer = odometer.map(|seen| seen.value);
                Newest { at: base.at, value: base.value, odometer, believed: true }
            }
        })
    }

    /// Whether its newest sample is of another register than the one it is read from now.
    pub fn is_elsewhere(&self) -> bool {
        self.base.is_some_and(|base| base.is_elsewhere(self.settings.mapping))
    }

    /// Whether its registers stand still, as the pulse of their device shows.
    pub fn stands_still(&self) -> bool {
        self.dating.stands_since().is_some()
    }

    /// Up to when it is known what was counted: where registers stand still, up to the last sign of life of their device.
    /// None before the first sample.
    pub fn known_to(&self) -> Option<Moment> {
        let at = self.base?.at;
        let stands = self.dating.stands_since().filter(|since| since.mono_us < at.mono_us);
        Some(stands.unwrap_or(at))
    }

    /// All that was ever counted.
    pub fn total(&self) -> Count {
        self.base.map_or(Count::ZERO, |base| base.total)
    }

    /// How often the register started afresh, the first time included.
    pub fn segments(&self) -> u64 {
        self.base.map_or(0, |base| base.segment)
    }

    /// What the reading that waits for its confirmation may add to the total.
    pub fn undecided(&self) -> Count {
        let Some(base) = &self.base else { return Count::ZERO };
        let most = |held| self.most_between(base.into(), held);
        base.held.as_ref().map_or(Count::ZERO, |held| Count::between(0, 0, most(held.into())))
    }

    /// What may have been counted from the newest sample until `now`, where registers stand still from the last sign of life
    /// of their device: nothing is known of it but how fast the machine is. Zero before the first sample.
    pub fn unseen(&self, now: Moment) -> Count {
        let base = self.base.as_ref();
        let newest = base.map(|base| base.held.as_ref().map_or(base.into(), Dated::from));
        newest.map_or(Count::ZERO, |newest| {
            let stands = self.dating.stands_since();
            let at = stands.filter(|since| since.mono_us < newest.at.mono_us).unwrap_or(newest.at);
            let silent_us = match self.resumed {
                // The sample may be from before the machine was booted, where only the wall clock goes on.
                true => now.utc_us.saturating_sub(at.utc_us),
                false => now.mono_us.saturating_sub(at.mono_us),
            };
            let late_us = self.delivery.late_us(newest).unwrap_or(0);
            let most_us = silent_us.saturating_add(self.dating.off_us()).saturating_add(late_us);
            Count::between(0, 0, self.settings.most_in(most_us))
        })
    }

    /// What may be counted in a time of which nothing is known but how long it is.
    pub fn may_count(&self, us: i64) -> Count {
        let most_us = us.saturating_add(self.dating.off_us());
        Count::between(0, 0, self.settings.most_in(most_us))
    }

    /// The most that can be counted between two samples of these moments.
    fn most_between(&self, from: Dated, to: Dated) -> u64 {
        let passed_us = self.passed_us(from, to);
        self.settings.most_in(passed_us.saturating_add(self.dating.slack_us(from.at)))
    }

    /// The time between two samples, where the earlier one came late that of their device.
    fn passed_us(&self, from: Dated, to: Dated) -> i64 {
        let passed_us = to.at.mono_us.saturating_sub(from.at.mono_us).max(0);
        passed_us.saturating_add(self.delivery.longer_us(from, to, self.settings.latest_us))
    }

    /// The base and a value read later.
    fn pair(&self, base: &Baseline, b: u64, to: Dated, bounds: Option<(u64, u64)>) -> Pair {
        let t_us = self.passed_us(base.into(), to);
        Pair { a: base.value, b, t_us, slack_us: self.dating.slack_us(base.at), bounds }
    }

    /// Counts a sample that follows a believed one, or holds it. The base is moved on in its place, as each copy of it is
    /// felt where there are a hundred counters.
    fn take(&mut self, base: &mut Baseline, sample: &Sample, stepped: Flags, out: &mut Vec<Delta>) {
        let signs = self.signs(base, &sample.evidence, sample.into());
        let pair = self.pair(base, sample.value, sample.into(), sample.evidence.bounds);
        match weigh(&self.settings, pair, signs) {
            Some(meaning) if !self.must_hold(pair, &meaning) => {
                self.commit(base, sample, meaning, stepped, out);
            }
            meaning => self.hold(base, sample, meaning.as_ref(), out),
        }
    }

    /// What the evidence says about a reset between the base and a reading.
    fn signs(&self, base: &Baseline, evidence: &Evidence, to: Dated) -> Signs {
        let (from, latest_us) = (base.into(), self.settings.latest_us);
        let told_us = if base.source_us.is_some() { latest_us.max(0) } else { 0 };
        let off_us = self.dating.both_off_us();
        let span = Span {
            from_us: base.at.mono_us,
            to_us: to.at.mono_us,
            longer_us: self.delivery.longer_us(from, to, latest_us).saturating_add(off_us),
            shorter_us: self.delivery.shorter_us(from, to, latest_us).saturating_add(off_us),
            latest_us: told_us.saturating_add(off_us),
        };
        Signs::read(&self.settings, &base.seen, evidence, span, base.batch)
    }

    /// Writes a meaning down: total, segment, evidence and the delta itself.
    fn commit(
        &mut self,
        base: &mut Baseline,
        sample: &Sample,
        mut meaning: Meaning,
        flags: Flags,
        out: &mut Vec<Delta>,
    ) {
        if self.settings.resets.batch {
            self.follow_batch(base, sample, &mut meaning);
        }
        self.write_down(base, sample, meaning, flags, out);
    }

    /// The part of a commit that is the same for every meaning.
    fn write_down(
        &mut self,
        base: &mut Baseline,
        sample: &Sample,
        meaning: Meaning,
        flags: Flags,
        out: &mut Vec<Delta>,
    ) {
        // What stood still was last seen when its pulse was.
        let stood = self.dating.since(base.at.mono_us);
        let from = stood.unwrap_or(base.at);
        let passed_us = sample.at.mono_us.saturating_sub(from.mono_us);
        let unseen = self.missed || stood.is_some();
        let apart = self.resumed || (unseen && passed_us >= self.settings.gap_after_us);
        let cause = match meaning.cause {
            Cause::Step if apart => Cause::Gap,
            cause => cause,
        };
        let mut flags =
            flags.with(Flags::AFTER_MISS, self.missed).with(Flags::RESUMED, self.resumed);
        flags.set(meaning.flags);
        base.total += meaning.count;
        base.note(&self.settings, sample, &meaning, &mut flags);
        self.base = Some(*base);
        self.resumed = false;
        let Meaning { count, hypotheses, .. } = meaning;
        out.push(Delta { from, to: sample.at, count, cause, flags, hypotheses });
    }

    /// Matches the two halves of a change of batch, the id and the reset, which may be seen a few
    /// polls apart, and adds what a reset that left no drop may have hidden.
    fn follow_batch(&self, base: &mut Baseline, sample: &Sample, meaning: &mut Meaning) {
        let settings = &self.settings;
        let most = self.most_between((&*base).into(), sample.into());
        let contradicted = meaning.flags.contains(Flags::CONTRADICTED);
        let most = match sample.evidence.bounds.filter(|_| !contradicted) {
            Some((_, high)) => most.min(high),
            None => most,
        };
        let fell = sample.value < base.value;
        let reset = meaning.cause == Cause::Reset || (fell && !meaning.count.is_exact());
        // A clock that is cleared with the counter has told already what the id could.
        let told = base.seen.since_reset.is_some() && sample.evidence.since_reset_s.is_some();
        let mut batch = base.batch;
        if sample.value <= most && !reset && !told {
            let hidden = most.saturating_sub(meaning.count.high());
            batch.hidden = if batch.hidden_for > 0 { batch.hidden.max(hidden) } else { hidden };
            batch.hidden_for = settings.batch_late.saturating_add(1);
        }
        let changed = base.seen.batch_changed(&sample.evidence);
        match changed {
            true if reset || batch.id_due > 0 => batch.reset_due = 0,
            true if !told => {
                batch.reset_due = settings.batch_early;
                if batch.hidden_for > 0 {
                    meaning.widen(batch.hidden);
                }
            }
            _ => batch.reset_due = if reset { 0 } else { batch.reset_due.saturating_sub(1) },
        }
        batch.id_due = match reset && !changed {
            true => settings.batch_late,
            false => batch.id_due.saturating_sub(1),
        };
        batch.hidden_for = batch.hidden_for.saturating_sub(1);
        base.batch = batch;
    }
}

impl Baseline {
    /// Moves on to `sample`, and checks that the segment still adds up.
    fn note(&mut self, settings: &Settings, sample: &Sample, meaning: &Meaning, flags: &mut Flags) {
        let afresh = matches!(meaning.cause, Cause::Reset | Cause::Preset);
        (self.at, self.source_us, self.value) = (sample.at, sample.source_us, sample.value);
        self.seen.note(&sample.evidence, sample.at.mono_us);
        if afresh {
            self.start_segment();
            return;
        }
        self.segment_sum = self.segment_sum.wrapping_add(meaning.count.best());
        if !adds_up(settings, self.segment_start, self.segment_sum, self.value) {
            flags.set(Flags::VIOLATION);
            self.start_segment();
        }
    }

    fn start_segment(&mut self) {
        self.segment = self.segment.saturating_add(1);
        self.segment_start = self.value;
        self.segment_sum = 0;
    }
}

/// Whether `start + sum = value (mod M)`.
fn adds_up(settings: &Settings, start: u64, sum: u64, value: u64) -> bool {
    match settings.modulus {
        Modulus::At(states) if states > 0 => {
            let (start, sum) = (start % states, sum % states);
            let left = states - start;
            let shown = if sum >= left { sum - left } else { start + sum };
            shown == value % states
        }
        _ => start.wrapping_add(sum) == value,
    }
}

fn first(settings: &Settings, sample: &Sample) -> Baseline {
    let mut seen = Seen::default();
    seen.note(&sample.evidence, sample.at.mono_us);
    Baseline {
        at: sample.at,
        source_us: sample.source_us,
        value: sample.value,
        seen,
        total: Count::ZERO,
        segment: 1,
        segment_start: sample.value,
        segment_sum: 0,
        batch: BatchChange::default(),
        held: None,
        mapping: settings.mapping,
    }
}

/// An entry that counts nothing and covers no time.
fn marker(at: Moment, cause: Cause, flags: Flags) -> Delta {
    Delta { from: at, to: at, count: Count::ZERO, cause, flags, hypotheses: None }
}
