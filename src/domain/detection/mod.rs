//! Faults that were put into a simulated plant against what the service said: how late it noticed each, which it missed,
//! and what it said although nothing was put in.
//!
//! Only a simulated plant knows the truth that this needs. All times are of the line's clock, in UTC microseconds.

use std::sync::Arc;

use crate::units::{Count, StationId};

/// What the service says of a fault: an event of a kind and a word, or an incident of a chart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sign {
    /// Kind of event, or `incident`.
    pub kind: Arc<str>,
    /// Word of the event, or characteristic of the chart.
    pub word: Arc<str>,
    /// The machine; none where it is of the line as a whole.
    pub station: Option<StationId>,
}

/// A kind of fault and how it is to be noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What must be said of it; none where nothing is to be noticed at all.
    pub sign: Option<Sign>,
    /// What else may be said because of it.
    pub also: Vec<Sign>,
    /// Time in which it is to be said, counted from its begin. What it leaves behind may be said as long after its end.
    pub within_us: i64,
}

/// A fault that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected {
    /// Position of its kind.
    pub fault: usize,
    /// Begin.
    pub from_us: i64,
    /// End; none while it lasts. That of something that happens once is its begin.
    pub to_us: Option<i64>,
}

/// What came of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was said yet, and there is still time.
    Waiting,
    /// It was said at this moment.
    Noticed(i64),
    /// Nothing was said in time.
    Missed,
    /// Its sign stood already because of another fault, so that there was nothing more to say.
    Covered,
    /// Nothing is to be said of such a fault.
    Silent,
}

impl Verdict {
    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Waiting => "waiting",
            Verdict::Noticed(_) => "noticed",
            Verdict::Missed => "missed",
            Verdict::Covered => "covered",
            Verdict::Silent => "silent",
        }
    }
}

/// How well one sign is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The sign.
    pub sign: Sign,
    /// Faults that had to be noticed by it, without those that were covered by others.
    pub injected: usize,
    /// Of these, noticed.
    pub noticed: usize,
    /// Of these, missed.
    pub missed: usize,
    /// Median delay of those noticed, in microseconds; the lower one of two in the middle.
    pub median_us: Option<i64>,
    /// Longest delay.
    pub longest_us: Option<i64>,
    /// How often it was said although no fault was there that could have been meant; none for a sign that a plant gives
    /// without faults too, because then nobody can tell.
    pub false_alarms: Option<usize>,
}

/// All that can be said about what was noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// What came of each fault, in their order.
    pub verdicts: Vec<Verdict>,
    /// Each sign that some kind of fault must give, in the order of the kinds.
    pub tallies: Vec<Tally>,
    /// Positions of what was said of nothing.
    pub false_alarms: Vec<usize>,
}

/// Judges what was said by `now_us` of the faults that were put in. `natural` are signs that a plant gives without faults
/// too: they can notice a fault but raise no false alarm.
pub fn score(
    kinds: &[Expected],
    natural: &[Sign],
    injected: &[Injected],
    said: &[(Sign, i64)],
    now_us: i64,
) -> Score {
    let verdicts: Vec<Verdict> =
        (0..injected.len()).map(|at| verdict(kinds, injected, at, said, now_us)).collect();
    let may_be_natural = |sign: &Sign| natural.contains(sign);
    let meant = |(sign, at_us): &(Sign, i64)| {
        injected.iter().any(|one| {
            let kind = &kinds[one.fault];
            let until_us = one.to_us.unwrap_or(now_us).saturating_add(kind.within_us);
            let is_its = kind.sign.as_ref() == Some(sign) || kind.also.contains(sign);
            is_its && (one.from_us..=until_us).contains(at_us)
        })
    };
    let watched = |sign: &Sign| kinds.iter().any(|kind| kind.sign.as_ref() == Some(sign));
    let is_false = |one: &(Sign, i64)| watched(&one.0) && !may_be_natural(&one.0) && !meant(one);
    let false_alarms: Vec<usize> =
        said.iter().enumerate().filter(|(_, one)| is_false(one)).map(|(at, _)| at).collect();
    let mut tallies: Vec<Tally> = Vec::new();
    for sign in kinds.iter().filter_map(|kind| kind.sign.as_ref()) {
        if tallies.iter().any(|tally| tally.sign == *sign) {
            continue;
        }
        let its = injected.iter().zip(&verdicts);
        let its = its.filter(|(one, _)| kinds[one.fault].sign.as_ref() == Some(sign));
        let n_false = false_alarms.iter().filter(|at| said[**at].0 == *sign).count();
        tallies.push(tally(sign, its, (!may_be_natural(sign)).then_some(n_false)));
    }
    Score { verdicts, tallies, false_alarms }
}

fn verdict(
    kinds: &[Expected],
    injected: &[Injected],
    at: usize,
    said: &[(Sign, i64)],
    now_us: i64,
) -> Verdict {
    let one = injected[at];
    let kind = &kinds[one.fault];
    let Some(sign) = &kind.sign else { return Verdict::Silent };
    let stands = |other: &Injected| {
        kinds[other.fault].sign.as_ref() == Some(sign)
            && other.from_us < one.from_us
            && other.to_us.is_none_or(|to_us| to_us > one.from_us)
    };
    if injected[..at].iter().any(stands) {
        return Verdict::Covered;
    }
    let deadline_us = one.from_us.saturating_add(kind.within_us);
    let until_us = one.to_us.unwrap_or(now_us).max(deadline_us);
    let heard = said
        .iter()
        .filter(|(other, at_us)| other == sign && (one.from_us..=until_us).contains(at_us));
    match heard.map(|(_, at_us)| *at_us).min() {
        Some(at_us) => Verdict::Noticed(at_us),
        None if now_us <= deadline_us => Verdict::Waiting,
        None => Verdict::Missed,
    }
}

fn tally<'a>(
    sign: &Sign,
    its: impl Iterator<Item = (&'a Injected, &'a Verdict)>,
    false_alarms: Option<usize>,
) -> Tally {
    let (mut injected, mut missed, mut delays) = (0, 0, Vec::new());
    for (one, verdict) in its {
        match verdict {
            Verdict::Covered | Verdict::Silent => continue,
            Verdict::Noticed(at_us) => delays.push(at_us - one.from_us),
            Verdict::Missed => missed += 1,
            Verdict::Waiting => {}
        }
        injected += 1;
    }
    delays.sort_unstable();
    Tally {
        sign: sign.clone(),
        injected,
        noticed: delays.len(),
        missed,
        median_us: delays.get(delays.len().saturating_sub(1) / 2).copied(),
        longest_us: delays.last().copied(),
        false_alarms,
    }
}

/// Whether a count can be the truth, of which is known that it lies in `[least, most]`.
pub fn agrees(count: Count, (least, most): (u64, u64)) -> bool {
    count.low() <= most && least <= count.high()
}

#[cfg(test)]
mod tests;
