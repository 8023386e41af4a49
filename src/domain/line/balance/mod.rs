//! The line as a balance of material: what went in and did not come out is still inside, and there is only so much room.
//!
//! A section is a machine, `infeed = good + Σ rejects + samples + ΔWIP`, or the way from one machine to the next,
//! `good(t) = infeed(t + lag) + ΔWIP`. Its content WIP, capsules on their way included, is between 0 and its capacity.
//!
//! **The test** is exclusion of intervals, not a guess about noise. With `D(t)` = in − out since the base of the test, as
//! an interval, the content at the base `W₀` must satisfy `0 ≤ W₀ + D(t) ≤ capacity` for every `t` since then. Each
//! minute narrows the interval of `W₀`; when nothing is left, a sensor has miscounted. If counts keep their intervals
//! and the capacity is not below the truth, the test never alarms falsely (its in-control run length is infinite); a
//! drift of `d` capsules a minute is found after at most `2 · capacity / d` minutes. Drift is never smoothed away.
//!
//! One section in doubt names all its counters. A counter between two sections makes one too full and the other too
//! empty: when both are found, it alone is named.

mod state;
#[cfg(test)]
mod tests;

use crate::units::Count;

pub use state::SectionState;

/// A counter on the way out of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Position of the counter.
    pub counter: usize,
    /// Capsules that one count stands for at least.
    pub least: u64,
    /// And at most: a metal detector dumps 10 to 60 capsules at an event.
    pub most: u64,
}

impl Outlet {
    /// A counter of which one count is one capsule.
    pub const fn capsules(counter: usize) -> Outlet {
        Outlet { counter, least: 1, most: 1 }
    }

    /// Events as capsules: `[least · low, most · high]`, best in the middle.
    pub fn convert(&self, events: Count) -> Count {
        events.spread(self.least, self.most)
    }
}

/// A part of the line with one way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// First and last station, as positions; the same for a machine.
    pub stations: (usize, usize),
    /// Position of the counter of what goes in.
    pub inlet: usize,
    /// Counters of what comes out.
    pub outlets: Vec<Outlet>,
    /// The most that can be inside at once: machine or buffer, what is on its way, and what moves between the readings
    /// of its counters.
    pub capacity: u64,
}

/// A difference of counts: the truth lies in `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The least it can be.
    pub low: i128,
    /// Best supported.
    pub best: i128,
    /// The most it can be.
    pub high: i128,
}

impl Difference {
    /// `in − out`.
    pub fn of(inside: Count, outside: Count) -> Difference {
        Difference {
            low: i128::from(inside.low()) - i128::from(outside.high()),
            best: i128::from(inside.best()) - i128::from(outside.best()),
            high: i128::from(inside.high()) - i128::from(outside.low()),
        }
    }
}

/// In which way a section contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// More went in than came out or has room: too much counted at the inlet, or too little at an outlet.
    TooFull,
    /// More came out than went in or was inside.
    TooEmpty,
}

/// A section that cannot be explained by any content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Position of the section.
    pub section: usize,
    /// In which way.
    pub sign: Sign,
    /// Minutes since the base of the test.
    pub after_minutes: u64,
    /// Capsules that were miscounted at least.
    pub at_least: u64,
}

/// A counter that explains what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Position of the counter.
    pub counter: usize,
    /// Whether it counts too much; else too little.
    pub over: bool,
}

/// The test of a line.
#[derive(Clone, Debug)]
pub struct Balance {
    sections: Vec<Watched>,
}

#[derive(Clone, Debug)]
struct Watched {
    section: Section,
    /// Totals of inlet and outlets at the base.
    base: Option<(Count, Vec<Count>)>,
    /// What the content at the base can have been.
    at_base: (i128, i128),
    now: Difference,
    minutes: u64,
    /// When the base was taken and when the last judgement was made, UTC microseconds.
    since_us: i64,
    at_us: i64,
    found: Option<Found>,
}

/// What can be inside a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The least, in capsules.
    pub low: u64,
    /// The most.
    pub high: u64,
    /// Since when every judgement has narrowed it, UTC microseconds.
    pub since_us: i64,
    /// When it was judged last, UTC microseconds.
    pub at_us: i64,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    sign: Sign,
    after_minutes: u64,
}

/// A finding that does not come again in this many times the time it took is over.
const FORGET_AFTER: u64 = 4;

impl Balance {
    /// A test that starts now.
    pub fn new(sections: Vec<Section>) -> Balance {
        let watch = |section| Watched {
            section,
            base: None,
            at_base: (0, 0),
            now: Difference { low: 0, best: 0, high: 0 },
            minutes: 0,
            since_us: 0,
            at_us: 0,
            found: None,
        };
        Balance { sections: sections.into_iter().map(watch).collect() }
    }

    /// Its sections.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().map(|watched| &watched.section)
    }

    /// Judges all sections by the totals of all counters at a moment in UTC microseconds; to be called once a minute. A
    /// counter that is not current has none, and its sections wait.
    pub fn judge(&mut self, totals: &[Option<Count>], at_us: i64) -> Vec<Miscount> {
        let judged = self.sections.iter_mut().enumerate();
        let judged = judged.map(|(i, section)| (i, section.judge(totals, at_us)));
        judged
            .filter_map(|(section, found)| {
                let (found, at_least) = found?;
                let Found { sign, after_minutes } = found;
                Some(Miscount { section, sign, after_minutes, at_least })
            })
            .collect()
    }

    /// Whether a section was judged at that moment, or there is none to be judged.
    pub fn is_judged(&self, at_us: i64) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|watched| watched.at_us == at_us)
    }

    /// What can be inside a section as of its last judgement; none before the first.
    pub fn content(&self, section: usize) -> Option<Content> {
        let watched = self.sections.get(section)?;
        watched.base.as_ref()?;
        let capacity = i128::from(watched.section.capacity);
        let low = (watched.at_base.0 + watched.now.low).clamp(0, capacity);
        let high = (watched.at_base.1 + watched.now.high).clamp(0, capacity);
        let (since_us, at_us) = (watched.since_us, watched.at_us);
        Some(Content { low: low as u64, high: high as u64, since_us, at_us })
    }

    /// The counters that explain most of what is found, each with its direction. Empty while all is well.
    pub fn suspects(&self) -> Vec<Suspect> {
        let mut scores: Vec<(Suspect, i32)> = Vec::new();
        for watched in &self.sections {
            let Some(found) = watched.found else { continue };
            let inlet = (watched.section.inlet, found.sign == Sign::TooFull);
            let outlets = watched
                .section
                .outlets
                .iter()
                .map(|outlet| (outlet.counter, found.sign == Sign::TooEmpty));
            for (counter, over) in std::iter::once(inlet).chain(outlets) {
                for direction in [true, false] {
                    let gain = if direction == over { 1 } else { -1 };
                    let suspect = Suspect { counter, over: direction };
                    match scores.iter_mut().find(|(known, _)| *known == suspect) {
                        Some((_, score)) => *score += gain,
                        None => scores.push((suspect, gain)),
                    }
                }
            }
        }
        let most = scores.iter().map(|(_, score)| *score).max().unwrap_or(0);
        let best = scores.into_iter().filter(|(_, score)| *score == most && most > 0);
        best.map(|(suspect, _)| suspect).collect()
    }
}

impl Watched {
    fn judge(&mut self, totals: &[Option<Count>], at_us: i64) -> Option<(Found, u64)> {
        let total = |counter: usize| totals.get(counter).copied().flatten();
        let inlet = total(self.section.inlet)?;
        let outlets: Vec<Count> = self
            .section
            .outlets
            .iter()
            .map(|outlet| total(outlet.counter))
            .collect::<Option<_>>()?;
        self.minutes += 1;
        self.at_us = at_us;
        let Some((inlet_base, outlet_bases)) = &self.base else {
            self.rebase(inlet, outlets);
            return None;
        };
        let out: Count = self
            .section
            .outlets
            .iter()
            .zip(outlets.iter().zip(outlet_bases))
            .map(|(outlet, (now, base))| outlet.convert(now.since(*base)))
            .sum();
        self.now = Difference::of(inlet.since(*inlet_base), out);
        let capacity = i128::from(self.section.capacity);
        self.at_base.0 = self.at_base.0.max(-self.now.high);
        self.at_base.1 = self.at_base.1.min(capacity - self.now.low);
        let excess = self.at_base.0 - self.at_base.1;
        if excess > 0 {
            let sign =
                if -self.now.high == self.at_base.0 { Sign::TooEmpty } else { Sign::TooFull };
            let found = Found { sign, after_minutes: self.minutes };
            self.found = Some(found);
            self.rebase(inlet, outlets);
            return Some((found, u64::try_from(excess).unwrap_or(u64::MAX)));
        }
        let forget =
            |found: &Found| self.minutes > found.after_minutes.saturating_mul(FORGET_AFTER);
        if self.found.as_ref().is_some_and(forget) {
            self.found = None;
        }
        // A gap that may have held more than fits inside blinds the test: it begins again.
        if self.now.high - self.now.low > capacity {
            self.rebase(inlet, outlets);
        }
        None
    }

    fn rebase(&mut self, inlet: Count, outlets: Vec<Count>) {
        self.base = Some((inlet, outlets));
        self.at_base = (0, i128::from(self.section.capacity));
        self.now = Difference { low: 0, best: 0, high: 0 };
        self.minutes = 0;
        self.since_us = self.at_us;
    }
}
