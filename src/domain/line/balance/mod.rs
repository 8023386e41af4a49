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
//! **Moments.** Counters are read at different times. A section is judged at the newest reading of its counters; what may
//! have passed each of the others since it was read widens the interval, see [`Total::unseen_by`].
//!
//! One section in doubt names all its counters. A counter between two sections makes one too full and the other too
//! empty: when both are found, it alone is named.

mod state;
#[cfg(test)]
mod tests;

use crate::line::counter::Settings;
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

/// A part of the line. It has one way in, or one from each of the machines side by side before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// First and last station, as positions; the same for a machine.
    pub stations: (usize, usize),
    /// Positions of the counters of what goes in. Never empty.
    pub inlets: Vec<usize>,
    /// Counters of what comes out.
    pub outlets: Vec<Outlet>,
    /// The most that can be inside at once: machine or buffer, and what is on its way.
    pub capacity: u64,
}

impl Section {
    /// Whether its content can have grown by so much: it was between nothing and its capacity before, and is now.
    pub fn closes(&self, grown: &Difference) -> bool {
        let capacity = i128::from(self.capacity);
        grown.low <= capacity && grown.high >= -capacity
    }
}

/// What a counter had counted when it was read.
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// In capsules, since the journal began.
    pub count: Count,
    /// The most capsules that one of its counts stands for.
    pub each: u64,
    /// When it was read, by a clock that goes on while the wall clock is set, in microseconds.
    pub at_us: i64,
    /// By how much that moment may be off, in microseconds.
    pub off_us: i64,
    /// How fast it can count.
    pub settings: Settings,
}

impl Total {
    /// The most capsules that it may have counted beyond `count` by a moment: since it was read, and while its register waits
    /// to be refreshed. Nothing where it was read at that very moment, as the counters of one request are.
    pub fn unseen_by(&self, at_us: i64, off_us: i64) -> u64 {
        let passed_us = at_us.saturating_sub(self.at_us).max(0);
        let counts = match passed_us {
            0 if self.settings.lag_us <= 0 => 0,
            0 => self.settings.most_in(0),
            _ => {
                let off_us = off_us.saturating_add(self.off_us);
                self.settings.most_in(passed_us.saturating_add(off_us))
            }
        };
        counts.saturating_mul(self.each)
    }
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
    /// Total of the inlets together, and those of the outlets, at the base.
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

    /// Judges all sections by the totals of all counters, at a moment in UTC microseconds; to be called once a minute. A
    /// counter that is not current has none, and its sections wait.
    pub fn judge(&mut self, totals: &[Option<Total>], at_us: i64) -> Vec<Miscount> {
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
            let inlets = watched.section.inlets.iter();
            let inlets = inlets.map(|counter| (*counter, found.sign == Sign::TooFull));
            let outlets = watched
                .section
                .outlets
                .iter()
                .map(|outlet| (outlet.counter, found.sign == Sign::TooEmpty));
            for (counter, over) in inlets.chain(outlets) {
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
    fn judge(&mut self, totals: &[Option<Total>], at_us: i64) -> Option<(Found, u64)> {
        let read = self.read(totals)?;
        self.minutes += 1;
        self.at_us = at_us;
        let Some((inlet_base, outlet_bases)) = &self.base else {
            self.rebase(read);
            return None;
        };
        let out: Count = self
            .section
            .outlets
            .iter()
            .zip(read.outlets.iter().zip(outlet_bases))
            .map(|(outlet, (now, base))| outlet.convert(now.since(*base)))
            .sum();
        let counted = Difference::of(read.inlet.since(*inlet_base), out);
        self.now = Difference {
            low: counted.low - read.unseen_out,
            high: counted.high + read.unseen_in,
            ..counted
        };
        let capacity = i128::from(self.section.capacity);
        self.at_base.0 = self.at_base.0.max(-self.now.high);
        self.at_base.1 = self.at_base.1.min(capacity - self.now.low);
        let excess = self.at_base.0 - self.at_base.1;
        if excess > 0 {
            let sign =
                if -self.now.high == self.at_base.0 { Sign::TooEmpty } else { Sign::TooFull };
            let found = Found { sign, after_minutes: self.minutes };
            self.found = Some(found);
            self.rebase(read);
            return Some((found, u64::try_from(excess).unwrap_or(u64::MAX)));
        }
        let forget =
            |found: &Found| self.minutes > found.after_minutes.saturating_mul(FORGET_AFTER);
        if self.found.as_ref().is_some_and(forget) {
            self.found = None;
        }
        // A gap that may have held more than fits inside blinds the test: it begins again.
        if counted.high - counted.low > capacity {
            self.rebase(read);
        }
        None
    }

    /// The counters of the section; none where one of them has no total.
    fn read(&self, totals: &[Option<Total>]) -> Option<Read> {
        let total = |counter: usize| totals.get(counter).copied().flatten();
        let inlets: Vec<Total> =
            self.section.inlets.iter().map(|inlet| total(*inlet)).collect::<Option<_>>()?;
        let outlets: Vec<Total> = self
            .section
            .outlets
            .iter()
            .map(|outlet| total(outlet.counter))
            .collect::<Option<_>>()?;
        let newest = inlets.iter().chain(&outlets).copied().reduce(|newest, one| {
            match one.at_us > newest.at_us {
                true => one,
                false => newest,
            }
        })?;
        let unseen = |total: &Total| i128::from(total.unseen_by(newest.at_us, newest.off_us));
        let of_outlet =
            |(outlet, total): (&Outlet, &Total)| unseen(total) * i128::from(outlet.most);
        Some(Read {
            inlet: inlets.iter().map(|inlet| inlet.count).sum(),
            unseen_in: inlets.iter().map(unseen).sum(),
            unseen_out: self.section.outlets.iter().zip(&outlets).map(of_outlet).sum(),
            outlets: outlets.iter().map(|total| total.count).collect(),
        })
    }

    /// The test begins anew. What was counted at the base and not yet seen counts as growth later: the content that the base
    /// would have without it may be that much less or more.
    fn rebase(&mut self, read: Read) {
        self.at_base = (-read.unseen_in, i128::from(self.section.capacity) + read.unseen_out);
        self.base = Some((read.inlet, read.outlets));
        self.now = Difference { low: 0, best: 0, high: 0 };
        self.minutes = 0;
        self.since_us = self.at_us;
    }
}

/// The counters of a section as they were read last.
struct Read {
    inlet: Count,
    outlets: Vec<Count>,
    /// Capsules that may have gone in by the newest reading of the section and are in no count yet.
    unseen_in: i128,
    /// And that may have come out.
    unseen_out: i128,
}
