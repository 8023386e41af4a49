//! Signals against the truth: which fault a signal is of, and which fault none was of.
//!
//! A signal is of one fault at most, the latest begun of those that it can be of: a fault is not found by what another one
//! has brought about.

use serde::Serialize;

use crate::{
    catalogue::Fault,
    injections::Injection,
    report::SaidSignal,
    score::{OUTPUT, Truth},
    service_line::CHART,
};

/// An alarm may come so long after its fault has ended, in plant time: what alarms rest on is judged each minute.
const ALARM_GRACE_US: i64 = 60_000_000;
/// And it comes within so much plant time, while its fault is on.
const ALARM_WITHIN_US: i64 = 900_000_000;
/// And a signal of a chart: whole subgroups are judged, when their last minutes are closed.
const CHART_GRACE_US: i64 = 1_800_000_000;

/// A fault that should have been signalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignalScore {
    /// The fault.
    pub fault: Fault,
    /// How long after its beginning it was signalled, in microseconds; none where it was missed.
    pub delay_us: Option<i64>,
    /// Whether it had to be signalled by now whatever the charts know: an alarm of what was on for a quarter of an hour.
    pub is_due: bool,
}

/// A signal that is right for a fault: its word, and what it may be about, where a star at the end stands for anything.
type Sign = (&'static str, &'static [&'static str]);

/// What is right for a fault; nothing for what needs no signal.
fn signs(fault: Fault) -> &'static [Sign] {
    match fault {
        Fault::DoubleCount => &[("contradicted", &[OUTPUT]), ("miscount", &[OUTPUT, "CF01"])],
        // It turns round whatever has several words of the filler.
        Fault::WrongWordOrder => {
            &[("misfit", &["CF01.*"]), ("contradicted", &["CF01.*"]), ("miscount", &["*"])]
        }
        Fault::EmptyCapsuleBurst => &[(CHART, &["reject_fraction", "reject.CF01.unseparated"])],
        Fault::RejectDrift => &[(CHART, &["reject_fraction", "reject.CF01.*"])],
        Fault::WornDosator => {
            &[(CHART, &["reject.CW04.underweight", "weight.CW04*", "weight_sd.CW04*"])]
        }
        _ => &[],
    }
}

fn is_about(pattern: &str, about: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => about.starts_with(start),
        None => about == pattern,
    }
}

impl Truth {
    /// Every fault that had to be signalled, and the signals of none. What began or was signalled before the base is not
    /// scored, and a signal after it may be of a fault before it.
    pub(crate) fn signals(&self, said: &[SaidSignal]) -> (Vec<SignalScore>, Vec<SaidSignal>) {
        let begun = self.injected.iter().filter(|one| one.from_us <= self.ledger.plant_us);
        let wanted: Vec<&Injection> = begun.filter(|one| !signs(one.fault).is_empty()).collect();
        let owner = |signal: &SaidSignal| {
            let its = wanted.iter().enumerate().filter(|(_, one)| self.is_sign(one, signal));
            its.max_by_key(|(_, one)| one.from_us).map(|(n, _)| n)
        };
        let owners: Vec<Option<usize>> = said.iter().map(owner).collect();
        let of = |n: usize| said.iter().zip(&owners).filter(move |(_, owner)| **owner == Some(n));
        let begun_us = self.base.as_ref().map_or(i64::MIN, |base| base.plant_us);
        let since = wanted.iter().enumerate().filter(|(_, one)| one.from_us >= begun_us);
        let scored = since.map(|(n, one)| {
            let first = of(n).map(|(signal, _)| signal.at_us).min();
            let delay_us = first.map(|at_us| at_us - self.zero_us - one.from_us);
            SignalScore { fault: one.fault, delay_us, is_due: self.is_due(one) }
        });
        let is_false = |(signal, owner): &(&SaidSignal, &Option<usize>)| {
            owner.is_none() && signal.at_us - self.zero_us >= begun_us
        };
        let none = said.iter().zip(&owners).filter(is_false);
        (scored.collect(), none.map(|(signal, _)| signal.clone()).collect())
    }

    /// Whether a fault that alarms find was on for so long that one had to come.
    fn is_due(&self, one: &Injection) -> bool {
        let until_us = one.until_us.unwrap_or(i64::MAX).min(self.ledger.plant_us);
        let alarms = signs(one.fault).iter().any(|(word, _)| *word != CHART);
        alarms && until_us - one.from_us >= ALARM_WITHIN_US
    }

    /// Whether a signal can be of a fault.
    fn is_sign(&self, one: &Injection, signal: &SaidSignal) -> bool {
        let grace_us = if signal.word == CHART { CHART_GRACE_US } else { ALARM_GRACE_US };
        let until_us = one.until_us.unwrap_or(self.ledger.plant_us).saturating_add(grace_us);
        let in_time = (one.from_us..=until_us).contains(&(signal.at_us - self.zero_us));
        let is_one = |(word, about): &Sign| {
            *word == signal.word && about.iter().any(|pattern| is_about(pattern, &signal.about))
        };
        in_time && signs(one.fault).iter().any(is_one)
    }
}
