//! Which explanations of two successive readings are possible, and what each would count.
//!
//! Let the register show `a` and then, after T, `b`, and let R be the most that can be made in T.
//!
//! - It went on, or wrapped w ≥ 0 times: the count is `b - a + wM`, possible if that is in `[0, R]`.
//! - It was set back to 0: at least `b` was counted, at most R.
//!
//! Source: Prometheus and Influx take the second for granted, AVEVA the first if a rollover value is
//! set; each reports one number. Here all that fit are kept.

use super::delta::{Cause, Flags, Hypothesis};
use super::evidence::Signs;
use super::settings::Settings;
use crate::units::Count;

/// Two successive readings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// The earlier value.
    pub a: u64,
    /// The later value.
    pub b: u64,
    /// The time between them in microseconds.
    pub t_us: i64,
    /// By how much more they may lie apart.
    pub slack_us: i64,
    /// The least and most that siblings allow.
    pub bounds: Option<(u64, u64)>,
}

impl Pair {
    /// The most time that may lie between them in microseconds.
    pub(super) fn longest_us(&self) -> i64 {
        self.t_us.saturating_add(self.slack_us)
    }
}

/// What two readings mean.
#[derive(Debug)]
pub(super) struct Meaning {
    pub count: Count,
    pub cause: Cause,
    pub flags: Flags,
    pub hypotheses: Option<Box<[Hypothesis]>>,
}

/// The ways in which the counter may simply have gone on.
#[derive(Clone, Copy, Debug)]
struct Onward {
    /// The count with the fewest wraps.
    fewest: u64,
    /// The count with the most wraps that fit.
    most: u64,
    /// Wraps in `fewest`.
    wraps: u64,
    /// The least, if the modulus is smaller than configured.
    low: u64,
}

/// Weighs all explanations. `None` if none is possible: the value must be confirmed first.
pub(super) fn weigh(settings: &Settings, pair: Pair, signs: Signs) -> Option<Meaning> {
    let most = settings.most_in(pair.longest_us());
    let rise = pair.b >= pair.a;
    let step = pair.b.wrapping_sub(pair.a);
    if rise && step <= most && !signs.hinted && is_ordinary(settings, pair, step, most) {
        // What a reset would have hidden was made within the bounds of the siblings too.
        let reachable = pair.bounds.map_or(most, |(_, high)| most.min(high));
        let unverified = signs.possible && pair.b <= reachable;
        return Some(Meaning::step(step, Flags::none().with(Flags::UNVERIFIED, unverified)));
    }
    weigh_all(settings, pair, signs, most)
}

/// Whether the step can only be a step: no wrap fits, the siblings agree and the register is sound.
fn is_ordinary(settings: &Settings, pair: Pair, step: u64, most: u64) -> bool {
    let no_wrap = match settings.modulus.states() {
        Some(states) => u128::from(step) + states > u128::from(most) && u128::from(pair.b) < states,
        None => true,
    };
    no_wrap
        && pair.bounds.is_none_or(|(low, high)| low <= step && step <= high)
        && !is_saturated(settings, pair.b)
}

fn weigh_all(settings: &Settings, pair: Pair, signs: Signs, most: u64) -> Option<Meaning> {
    let drop = pair.b < pair.a;
    let mut flags = Flags::none()
        .with(Flags::SATURATED, is_saturated(settings, pair.b))
        .with(Flags::BEYOND_MODULUS, is_beyond(settings, pair.b));
    let excluded = if drop { signs.known } else { signs.sure };
    let mut onward = if excluded { None } else { Onward::find(settings, pair, most) };
    let back = (signs.possible && pair.b <= most).then_some((pair.b, most));
    let mut reset = if drop || signs.hinted { back } else { None };

    if let Some(bounds) = pair.bounds {
        let states = settings.modulus.states();
        let narrowed = onward.and_then(|onward| onward.within(bounds, states, settings.doubt));
        let narrowed_reset = intersect(back, bounds);
        match narrowed.is_some() || narrowed_reset.is_some() {
            // Siblings that exclude going on make a reset likely even without a drop.
            true => {
                reset = if reset.is_some() || narrowed.is_none() { narrowed_reset } else { None };
                onward = narrowed;
            }
            false => flags.set(Flags::CONTRADICTED),
        }
    }
    if reset.is_none() && !drop && signs.possible && back.is_some() {
        flags.set(Flags::UNVERIFIED);
    }
    meaning(settings, pair, signs, most, onward, reset, flags)
}

/// Puts the explanations that are left together.
fn meaning(
    settings: &Settings,
    pair: Pair,
    signs: Signs,
    most: u64,
    onward: Option<Onward>,
    reset: Option<(u64, u64)>,
    mut flags: Flags,
) -> Option<Meaning> {
    let mut told = Vec::with_capacity(3);
    if let Some(onward) = onward {
        onward.tell(pair, settings, most, &mut told);
    }
    if let Some((low, high)) = reset {
        told.push(tell_reset(pair, low, high));
    }
    let prefers_reset = signs.hinted && pair.b < pair.a;
    let chosen = match (prefers_reset, told.last()) {
        (true, Some(last)) if last.cause == Cause::Reset => last,
        _ => told.first()?,
    };
    let (best, cause) = (chosen.count.best(), chosen.cause);
    let low = told.iter().map(|told| told.count.low()).min()?;
    let high = told.iter().map(|told| told.count.high()).max()?;
    let mut count = Count::between(low, best, high);
    if flags.contains(Flags::SATURATED) {
        // An addition to the float is rounded to a representable number: at most doubled, at worst
        // lost, so that the register moved at most twice as far as it should have.
        count = Count::between(low.div_ceil(2), best, high.max(most));
        told.push(tell_saturated(count));
    }
    flags = flags.with(Flags::BEYOND_MODULUS, is_beyond(settings, pair.a));
    // A step explains itself.
    let plain = cause == Cause::Step && told.len() == 1 && count.is_exact() && flags.is_empty();
    let hypotheses = (!plain).then(|| told.into_boxed_slice());
    Some(Meaning { count, cause, flags, hypotheses })
}

impl Meaning {
    pub(super) fn step(step: u64, flags: Flags) -> Meaning {
        Meaning { count: Count::exact(step), cause: Cause::Step, flags, hypotheses: None }
    }

    /// Whether it is the difference of the two readings and nothing else.
    pub(super) fn is_plain_step(&self) -> bool {
        self.cause == Cause::Step && self.count.is_exact() && self.flags.is_empty()
    }

    /// Adds what a reset that left no drop may have hidden in the last polls.
    pub(super) fn widen(&mut self, hidden: u64) {
        let count = self.count;
        self.count = Count::between(count.low(), count.best(), count.high().saturating_add(hidden));
        let why = format!(
            "the batch changed: if the counter was set back unseen in the last polls, up to {hidden} more \
             were made"
        );
        let told = Hypothesis { cause: Cause::Reset, count: self.count, why };
        let others = self.hypotheses.take().map_or_else(Vec::new, Vec::from);
        self.hypotheses = Some(others.into_iter().chain([told]).collect());
    }

    /// The counter was set to another value: nothing that was counted before is visible in it.
    pub(super) fn preset(settings: &Settings, pair: Pair) -> Meaning {
        let most = settings.most_in(pair.longest_us());
        let (low, high) =
            intersect(Some((0, most)), pair.bounds.unwrap_or((0, u64::MAX))).unwrap_or((0, most));
        let count = Count::between(low, low, high);
        let why = format!(
            "the counter was set from {} to {}, which is no count: what was made in these {} is not \
             known, at most {high}",
            pair.a,
            pair.b,
            seconds(pair.t_us),
        );
        let told = Hypothesis { cause: Cause::Preset, count, why };
        Meaning {
            count,
            cause: Cause::Preset,
            flags: Flags::none(),
            hypotheses: Some(Box::new([told])),
        }
    }
}

impl Onward {
    fn find(settings: &Settings, pair: Pair, most: u64) -> Option<Onward> {
        let wraps = u64::from(pair.b < pair.a);
        let states = settings.modulus.states();
        let fewest = match wraps {
            0 => pair.b - pair.a,
            _ => {
                let left = states?.checked_sub(u128::from(pair.a))?;
                u64::try_from(left + u128::from(pair.b)).ok()?
            }
        };
        let low = fewest.saturating_sub(settings.doubt.saturating_mul(wraps));
        if low > most || (wraps > 0 && is_beyond(settings, pair.b)) {
            return None;
        }
        let extra = match states {
            Some(states) => u128::from(most.saturating_sub(fewest)) / states,
            None => 0,
        };
        let highest = u128::from(fewest) + extra * states.unwrap_or(0);
        Some(Onward { fewest, most: u64::try_from(highest).unwrap_or(u64::MAX), wraps, low })
    }

    /// Only those numbers of wraps that fall within `bounds`.
    fn within(self, (low, high): (u64, u64), states: Option<u128>, doubt: u64) -> Option<Onward> {
        let states = states.map_or(u64::MAX, |states| u64::try_from(states).unwrap_or(u64::MAX));
        let skipped = low.saturating_sub(self.fewest).div_ceil(states);
        let fewest = self.fewest.checked_add(skipped.checked_mul(states)?)?;
        let wraps = self.wraps + skipped;
        let least = fewest.saturating_sub(doubt.saturating_mul(wraps));
        if fewest > self.most || least > high {
            return None;
        }
        let room = high.min(self.most).saturating_sub(fewest) / states;
        Some(Onward {
            fewest,
            most: fewest + room * states,
            wraps,
            low: least.max(low).min(fewest),
        })
    }

    fn tell(self, pair: Pair, settings: &Settings, most: u64, told: &mut Vec<Hypothesis>) {
        let (a, b, wraps, fewest) = (pair.a, pair.b, self.wraps, self.fewest);
        let states = settings.modulus.states().unwrap_or(0);
        let mut why = match wraps {
            0 => format!("the counter went on from {a} to {b}: {fewest} more"),
            1 => format!("the counter passed {states} once: {states} - {a} + {b} = {fewest}"),
            n => format!(
                "the counter passed {states} {n} times: {n} × {states} - {a} + {b} = {fewest}"
            ),
        };
        if self.low < fewest {
            let missing = fewest - self.low;
            why += &format!("; it may start again {missing} earlier than configured");
        }
        let cause = if wraps == 0 { Cause::Step } else { Cause::Wrap };
        told.push(Hypothesis { cause, count: Count::between(self.low, fewest, fewest), why });
        if self.most <= fewest {
            return;
        }
        let more = u128::from(self.most - fewest) / states.max(1);
        let next = u64::try_from(u128::from(fewest) + states).unwrap_or(u64::MAX);
        let time = seconds(pair.t_us);
        let why = match more {
            1 => format!(
                "the counter passed {states} once more unseen: {next} also fits, as up to {most} can be \
                 made in {time}"
            ),
            n => format!(
                "the counter passed {states} up to {n} times more unseen: every {states} more up to {} \
                 fits, as up to {most} can be made in {time}",
                self.most
            ),
        };
        told.push(Hypothesis {
            cause: Cause::Wrap,
            count: Count::between(next, next, self.most),
            why,
        });
    }
}

/// Shortest time that [`seconds`] does not tell as `0.0 s`.
const TOLD_US: i64 = 50_000;

fn tell_reset(pair: Pair, low: u64, high: u64) -> Hypothesis {
    let (a, b, time) = (pair.a, pair.b, seconds(pair.t_us));
    let since = format!("the counter was set back to 0 after {a} and has counted {b} since");
    let why = match low == high {
        // A time that is told as none says nothing.
        true if pair.t_us < TOLD_US => since,
        true => format!("{since}: nothing else can have been made in these {time}"),
        false => format!(
            "{since}: what it counted before that is not known, at most {high} can be made in {time}"
        ),
    };
    Hypothesis { cause: Cause::Reset, count: Count::between(low, b, high), why }
}

fn tell_saturated(count: Count) -> Hypothesis {
    let why = "the register is a 32-bit float beyond 16777216, which loses single counts: the machine may \
               have made more than it shows";
    Hypothesis { cause: Cause::Step, count, why: why.to_owned() }
}

fn intersect(range: Option<(u64, u64)>, bounds: (u64, u64)) -> Option<(u64, u64)> {
    let (low, high) = range?;
    let (low, high) = (low.max(bounds.0), high.min(bounds.1));
    (low <= high).then_some((low, high))
}

fn is_saturated(settings: &Settings, value: u64) -> bool {
    settings.modulus == super::settings::Modulus::Float32 && value >= 1 << 24
}

fn is_beyond(settings: &Settings, value: u64) -> bool {
    settings.modulus.states().is_some_and(|states| u128::from(value) >= states)
}

/// A duration for a sentence: `20.0 s`, `12.5 min`.
pub(super) fn seconds(t_us: i64) -> String {
    match t_us {
        ..600_000_000 => format!("{:.1} s", t_us as f64 / 1e6),
        _ => format!("{:.1} min", t_us as f64 / 6e7),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_would_be_told_as_none_is_not_told() {
        let why = |t_us| {
            tell_reset(Pair { a: 65_500, b: 14, t_us, slack_us: 0, bounds: None }, 14, 14).why
        };
        assert_eq!(
            why(49_999),
            "the counter was set back to 0 after 65500 and has counted 14 since"
        );
        assert!(why(TOLD_US).ends_with(": nothing else can have been made in these 0.1 s"));
    }
}
