//! Readings that are not believed at once: a fall to exactly 0, a jump, a torn register.
//!
//! One more poll decides. Either the value is back on the old line, then the reading was never a
//! count; or it goes on from the new value, then the reading is explained as a reset, a wrap or a
//! preset, and the step after it is added.

use super::baseline::{Baseline, Held};
use super::delta::{Cause, Delta, Flags, Hypothesis};
use super::evidence::Signs;
use super::explanations::{Meaning, Pair, seconds, weigh};
use super::{Counter, Sample, marker};
use crate::units::Count;

/// What one carry between the two words of a torn 32-bit register amounts to.
const WORD: u64 = 1 << 16;

impl Counter {
    /// Whether a reading that could be explained must still wait.
    pub(super) fn must_hold(&self, pair: Pair, meaning: &Meaning) -> bool {
        if pair.b >= pair.a {
            return false;
        }
        // A controller that starts shows 0 before it restores its values.
        if pair.b == 0 {
            return true;
        }
        // The high word is still the old one, the low word is already new: 65,536 too little.
        let wide = self.settings.modulus.states().is_none_or(|states| states > u128::from(WORD));
        let restored = pair.b.saturating_add(WORD);
        let on_line =
            restored >= pair.a && restored - pair.a <= self.settings.most_in(pair.longest_us());
        wide && on_line && meaning.cause != Cause::Wrap
    }

    /// Sets a reading aside until the next one.
    pub(super) fn hold(
        &mut self,
        base: &mut Baseline,
        sample: &Sample,
        meaning: Option<&Meaning>,
        out: &mut Vec<Delta>,
    ) {
        let pair = self.pair(base, sample.value, sample.into(), None);
        self.dating.hold();
        base.held = Some(Held {
            at: sample.at,
            source_us: sample.source_us,
            value: sample.value,
            evidence: sample.evidence,
            missed: self.missed,
        });
        self.base = Some(*base);
        let mut delta = marker(sample.at, Cause::Quarantined, Flags::none());
        let why = match meaning {
            Some(_) => format!("a fall from {} to {} may be a bad reading", pair.a, pair.b),
            None => format!(
                "from {} to {} in {} fits neither the machine, which makes at most {}, nor what was \
                 read beside it",
                pair.a,
                pair.b,
                seconds(pair.t_us),
                self.settings.most_in(pair.longest_us()),
            ),
        };
        let why = why + ": it waits for one more reading";
        let told = Hypothesis { cause: Cause::Quarantined, count: Count::ZERO, why };
        delta.hypotheses = Some(Box::new([told]));
        out.push(delta);
    }

    /// Decides about a held reading with the help of the next one.
    pub(super) fn resolve(
        &mut self,
        mut base: Baseline,
        held: Held,
        sample: &Sample,
        stepped: Flags,
        out: &mut Vec<Delta>,
    ) {
        let next = Held::of(sample).after(&held);
        let signs = self.signs(&base, &next.evidence, sample.into());
        let whole = self.pair(&base, sample.value, sample.into(), next.evidence.bounds);
        let missed = self.missed;
        let onward = weigh(&self.settings, whole, signs).filter(Meaning::is_onward);
        // After a fall that can be explained and goes on below the old value, a wrap from the old
        // value would explain the same readings; the held one was then real too.
        let below = held.value < base.value && sample.value < base.value;
        let real = onward.is_none() || (below && self.explains(&base, &held, signs).is_some());
        let confirmed = real && self.confirms(&base, &held, sample);
        match onward {
            _ if confirmed => {
                self.accept_held(base, held, signs, out);
                self.missed = missed;
                // The held reading may still have been bad just before the counter wrapped.
                let open = Signs { hinted: false, known: false, ..signs };
                let wrapped = weigh(&self.settings, whole, open).filter(Meaning::is_onward);
                let wrapped = wrapped.map(|wrapped| wrapped.count).filter(|_| !signs.sure);
                self.continue_with(&base, sample, wrapped, stepped, out);
            }
            Some(onward) if held.value == 0 && sample.value >= base.value && signs.possible => {
                self.resolve_zero(base, held, sample, signs, onward, stepped, out);
            }
            Some(onward) if onward.is_plain() && is_between(&base, &held, sample) => {
                self.accept_burst(base, held, sample, stepped.union(onward.flags), out);
            }
            Some(onward) => {
                out.push(torn(&base, &held));
                self.missed |= held.missed;
                self.commit(&mut base, &next.as_sample(), onward, stepped, out);
            }
            None => {
                out.push(torn(&base, &held));
                self.missed |= held.missed;
                self.take(&mut base, &next.as_sample(), stepped, out);
            }
        }
    }

    /// The counter fell to 0 and is back where it was: a glitch, unless it was reset and restored.
    #[expect(clippy::too_many_arguments, reason = "the two readings and all that is known of them")]
    fn resolve_zero(
        &mut self,
        mut base: Baseline,
        held: Held,
        sample: &Sample,
        signs: Signs,
        mut onward: Meaning,
        stepped: Flags,
        out: &mut Vec<Delta>,
    ) {
        if signs.known {
            self.accept_held(base, held, signs, out);
            let glitch = (!signs.sure).then_some(onward.count);
            return self.continue_with(&base, sample, glitch, stepped, out);
        }
        let after_us = sample.at.mono_us.saturating_sub(held.at.mono_us);
        let before = self.most_between((&base).into(), (&held).into());
        let after = self.most_between((&held).into(), sample.into());
        let (low, high) =
            if sample.value <= after { (sample.value, sample.value) } else { (0, after) };
        let reset = Count::between(low, low, before.saturating_add(high));
        let best = onward.count;
        let why_glitch = format!(
            "the 0 was a bad reading: the counter went on from {} to {}",
            base.value, sample.value
        );
        let why_reset = format!(
            "the counter was really set back to 0 and then came to {} within {}: what it counted \
             before the 0 and up to {} is not known",
            sample.value,
            seconds(after_us),
            sample.value
        );
        onward.count =
            Count::between(best.low().min(reset.low()), best.best(), best.high().max(reset.high()));
        onward.hypotheses = Some(Box::new([
            Hypothesis { cause: onward.cause, count: best, why: why_glitch },
            Hypothesis { cause: Cause::Reset, count: reset, why: why_reset },
        ]));
        out.push(torn(&base, &held));
        self.missed |= held.missed;
        let whole = Held::of(sample).after(&held).as_sample();
        self.commit(&mut base, &whole, onward, stepped, out);
    }

    /// Two readings on the line, of which the first came too early for the machine.
    fn accept_burst(
        &mut self,
        mut base: Baseline,
        held: Held,
        sample: &Sample,
        flags: Flags,
        out: &mut Vec<Delta>,
    ) {
        let missed = std::mem::replace(&mut self.missed, held.missed);
        let step = Meaning::step(held.value.saturating_sub(base.value), Flags::BURST);
        self.commit(&mut base, &held.as_sample(), step, Flags::none(), out);
        self.missed = missed;
        let Some(mut base) = self.base else { return };
        let step = Meaning::step(sample.value.saturating_sub(held.value), Flags::none());
        self.commit(&mut base, sample, step, flags, out);
    }

    /// Whether the next reading goes on from the held one.
    fn confirms(&self, base: &Baseline, held: &Held, sample: &Sample) -> bool {
        let mut moved = *base;
        (moved.at, moved.source_us, moved.value) = (held.at, held.source_us, held.value);
        moved.seen.note(&held.evidence, held.at.mono_us);
        let signs = self.signs(&moved, &sample.evidence, sample.into());
        let pair = self.pair(&moved, sample.value, sample.into(), None);
        weigh(&self.settings, pair, signs).is_some_and(|meaning| meaning.is_onward())
    }

    /// What a held reading means if it was real; `signs` are those of the reading after it.
    fn explains(&self, base: &Baseline, held: &Held, signs: Signs) -> Option<Meaning> {
        let signs = self.signs(base, &held.evidence, held.into()).or(signs);
        let pair = self.pair(base, held.value, held.into(), held.evidence.bounds);
        weigh(&self.settings, pair, signs)
    }

    /// Books the held reading: it was real.
    fn accept_held(&mut self, mut base: Baseline, held: Held, signs: Signs, out: &mut Vec<Delta>) {
        let still_now = self.dating.swap_held();
        let pair = self.pair(&base, held.value, (&held).into(), held.evidence.bounds);
        // Between two beats too the readings before may have stood still.
        let still = || {
            let old_us = self.dating.age_us(base.at.mono_us)?;
            let slack_us = pair.slack_us.saturating_add(old_us);
            let signs = self.signs(&base, &held.evidence, (&held).into()).or(signs);
            weigh(&self.settings, Pair { slack_us, ..pair }, signs).filter(Meaning::is_plain_step)
        };
        let meaning = self
            .explains(&base, &held, signs)
            .or_else(still)
            .unwrap_or_else(|| Meaning::preset(&self.settings, pair));
        let missed = std::mem::replace(&mut self.missed, held.missed);
        self.commit(&mut base, &held.as_sample(), meaning, Flags::none(), out);
        self.missed = missed;
        self.dating.swap_back(still_now);
    }

    /// Counts the sample after a held reading that was booked. `instead` is what would have been
    /// counted since `start` if the held reading was bad after all: the sum must hold that too.
    fn continue_with(
        &mut self,
        start: &Baseline,
        sample: &Sample,
        instead: Option<Count>,
        stepped: Flags,
        out: &mut Vec<Delta>,
    ) {
        let Some(mut base) = self.base else { return };
        let signs = self.signs(&base, &sample.evidence, sample.into());
        let pair = self.pair(&base, sample.value, sample.into(), sample.evidence.bounds);
        let mut meaning = weigh(&self.settings, pair, signs)
            .unwrap_or_else(|| Meaning::preset(&self.settings, pair));
        if let Some(instead) = instead {
            let booked = base.total.since(start.total);
            let low = meaning.count.low().min(instead.low().saturating_sub(booked.low()));
            let high = meaning.count.high().max(instead.high().saturating_sub(booked.high()));
            meaning.count = Count::between(low, meaning.count.best(), high);
        }
        self.commit(&mut base, sample, meaning, stepped, out);
    }
}

impl Meaning {
    /// Whether the counter simply went on, perhaps past its end.
    fn is_onward(&self) -> bool {
        matches!(self.cause, Cause::Step | Cause::Wrap)
    }

    /// Whether the counter went on by one certain step.
    fn is_plain(&self) -> bool {
        self.cause == Cause::Step && self.count.is_exact()
    }
}

/// Whether the held reading lies on the way from the base to the sample.
fn is_between(base: &Baseline, held: &Held, sample: &Sample) -> bool {
    base.value <= held.value && held.value <= sample.value
}

impl Held {
    pub(super) fn of(sample: &Sample) -> Held {
        let Sample { at, source_us, value, evidence, .. } = *sample;
        Held { at, source_us, value, evidence, missed: false }
    }

    /// The evidence of this reading together with that of one before it which is dropped.
    pub(super) fn after(mut self, dropped: &Held) -> Held {
        self.evidence.session_lost |= dropped.evidence.session_lost;
        self.evidence.ran_on &= dropped.evidence.ran_on;
        self.evidence.bounds = match (self.evidence.bounds, dropped.evidence.bounds) {
            (Some((low, high)), Some((more_low, more_high))) => {
                Some((low.saturating_add(more_low), high.saturating_add(more_high)))
            }
            _ => None,
        };
        self
    }

    fn as_sample(&self) -> Sample {
        let Held { at, source_us, value, evidence, .. } = *self;
        // How far it may be off is in the counter.
        Sample { at, off_us: 0, source_us, value, evidence }
    }
}

/// The entry for a reading that was no count.
fn torn(base: &Baseline, held: &Held) -> Delta {
    let off = held.value.abs_diff(base.value);
    let nearest = off.saturating_add(WORD / 2) / WORD * WORD;
    let side = if held.value > base.value { "above" } else { "below" };
    let why = match nearest {
        1.. if off.abs_diff(nearest) < WORD / 16 && held.value != 0 => format!(
            "the reading {} stood {nearest} {side} the line: the words of the register were read at \
             different moments",
            held.value
        ),
        _ => format!("the reading {} was off the line for one poll", held.value),
    };
    let mut delta = marker(held.at, Cause::Torn, Flags::none());
    delta.hypotheses = Some(Box::new([Hypothesis { cause: Cause::Torn, count: Count::ZERO, why }]));
    delta
}
