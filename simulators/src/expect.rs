//! What a scenario file wants to be said of its plant, and everything that was not said so.
//!
//! What a file leaves out is asked for at its strictest: counts without a bound of doubt are exact, no alarm is raised and
//! no chart signals, and every stop is told with its times, its reason and its key cause.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    report::{Report, Said},
    scenario::Scenario,
    score::{OUTPUT, Score},
    service_line::CHART,
    stop_score::{KeyScore, StopScore},
    stops::BLOCKED_REASON,
};

/// How far a begin or an end of a stop may be off, in microseconds of plant time. The state of a machine is known to a
/// stroke, which is half a second, and counts and state need not move in the same reading.
const WORST_US: i64 = 1_000_000;
/// And in microseconds of real time, whatever the speed: a poll, and one that is asked again after its time-out.
pub const POLL_US: i64 = 110_000;
/// How much later than the filler a machine may be read that is named as the one that blocks it, in microseconds of plant time.
/// Where time runs fast a poll is longer than that.
const SKEW_US: i64 = 2_000_000;
/// What is seen of a moment is late where the machine was within so much real time of it, in microseconds.
const NEAR_US: i64 = 1_000_000;
/// The tag of a bound that holds for all tags without one.
const ANY: &str = "*";

/// What must be said of a scenario.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Of the counts.
    pub counts: Counts,
    /// Least and most that may be in doubt of a counter, by tag; `*` is for all that are not named. A counter without a
    /// bound must be exact.
    pub doubt: BTreeMap<String, (u64, u64)>,
    /// Causes that must be written down, by tag.
    pub causes: BTreeMap<String, Vec<String>>,
    /// Causes that must not be written down of any counter.
    pub never: Vec<String>,
    /// The alarms that must be raised, and no other: each word, and the tags or machines that it may be about.
    pub alarms: BTreeMap<String, BTreeSet<String>>,
    /// Alarms that may be raised too, and what they may be about.
    pub may_alarm: BTreeMap<String, BTreeSet<String>>,
    /// The charts that must signal, by their characteristics, and no other. None asks nothing of charts, which no file
    /// can.
    pub signals: Option<BTreeSet<String>>,
    /// Charts that may signal too: what brings one of `signals` beyond its limits shows in them as well.
    pub may_signal: BTreeSet<String>,
    /// Bores that must be said to fill less than the others. Others may be too: no two bores are quite alike.
    pub bores: BTreeSet<u16>,
    /// What must be shown of the data at some time: faults such as `plc_offline` and why, such as `timeout`; `uncertain`, that
    /// tags are to be taken with care; `missed CW04 broken`, that polls of a machine brought nothing and why.
    pub shown: BTreeSet<String>,
    /// Whether another machine may be named as the one that blocks the filler: where several stood within a poll of each other,
    /// which an hour of the plant in a minute is too fast for, none can be told from the other.
    pub keys_may_differ: bool,
    /// By how many capsules the infeed of a batch may be off, where its counters are reset apart from its change.
    pub batch_infeed_off: u64,
    /// Whether a naive reader must be wrong about a counter. Nothing is asked of it where the file does not say so.
    pub naive_is_wrong: bool,
}

impl Default for Expect {
    fn default() -> Expect {
        Expect {
            counts: Counts::default(),
            doubt: BTreeMap::new(),
            causes: BTreeMap::new(),
            never: Vec::new(),
            alarms: BTreeMap::new(),
            may_alarm: BTreeMap::new(),
            signals: Some(BTreeSet::new()),
            may_signal: BTreeSet::new(),
            bores: BTreeSet::new(),
            shown: BTreeSet::new(),
            keys_may_differ: false,
            batch_infeed_off: 0,
            naive_is_wrong: false,
        }
    }
}

/// What must be said of counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Each holds the truth, with no more doubt than its bound: without one it is the truth.
    #[default]
    Interval,
    /// The output cannot be right, and an alarm about it says so; all others hold the truth.
    Flagged,
    /// No counter can be right, and an alarm says so.
    AllFlagged,
}

/// What was seen by who ran a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watched {
    /// Kinds of faults that were shown of the data, and their reasons.
    pub shown: BTreeSet<String>,
    /// Seconds of plant time in a real second.
    pub speed: f64,
    /// When the machine that everything ran on was late, by the clock of who reports, and by how much of real time; both
    /// in microseconds, in order of time.
    pub late: Vec<(i64, i64)>,
}

impl Watched {
    /// The most by which that machine was late about a moment of the reporter's clock, in microseconds of real time.
    pub fn late_us(&self, at_us: i64) -> i64 {
        let speed = self.speed.max(1.0);
        let plant_us = |real_us: i64| (real_us as f64 * speed) as i64;
        let near = |(until_us, late_us): &&(i64, i64)| {
            let from_us = until_us - plant_us(*late_us);
            from_us <= at_us + plant_us(NEAR_US) && at_us - plant_us(NEAR_US) <= *until_us
        };
        self.late.iter().filter(near).map(|(_, late_us)| *late_us).max().unwrap_or(0)
    }
}

impl Scenario {
    /// Everything that is not as it must be.
    pub fn judge(&self, score: &Score, report: &Report, watched: &Watched) -> Vec<String> {
        let expect = &self.expect;
        let mut wrong = expect.counts(score);
        wrong.extend(expect.causes(report));
        wrong.extend(expect.alarms(report));
        wrong.extend(expect.charts(score, report));
        wrong.extend(expect.stops(score, watched));
        wrong.extend(expect.batches(score));
        let missing: Vec<&String> = expect.shown.difference(&watched.shown).collect();
        if !missing.is_empty() {
            wrong.push(format!("shown was {:?}, without {missing:?}", watched.shown));
        }
        wrong
    }

    /// What is not as it must be about a naive reader of the same plant.
    pub fn judge_naive(&self, naive: &Score) -> Option<String> {
        let is_right = naive.outside().next().is_none();
        (self.expect.naive_is_wrong && is_right)
            .then(|| format!("a naive reader is right: {naive}"))
    }
}

/// How far a begin or an end of a stop may be off that was at a moment of the reporter's clock, in microseconds of plant
/// time.
pub fn worst_us(watched: &Watched, at_us: i64) -> i64 {
    WORST_US + poll_us(watched, at_us)
}

/// How far two machines may be read apart at a moment of the reporter's clock, in microseconds of plant time.
fn poll_us(watched: &Watched, at_us: i64) -> i64 {
    ((POLL_US + watched.late_us(at_us)) as f64 * watched.speed.max(1.0)) as i64
}

/// What is not told rightly of a stop that was found.
fn stop_is_off(stop: &StopScore, watched: &Watched, any_key: bool) -> Vec<String> {
    let [start_us, end_us] =
        [stop.from_us, stop.from_us + stop.lasted_us].map(|at_us| worst_us(watched, at_us));
    let mut wrong = Vec::new();
    for (what, off_us, most_us) in [
        ("its begin is", stop.start_off_us, start_us),
        ("its end is", stop.end_off_us, end_us),
        // A part in the middle is told when both its ends are.
        ("what is told of it is short, by", stop.untold_us, start_us + end_us),
    ] {
        if let Some(off_us) = off_us.filter(|us| us.abs() > most_us) {
            let [off_s, most_s] = [off_us, most_us].map(|us| us as f64 / 1e6);
            wrong.push(format!("{what} {off_s:.2} s off, and {most_s:.2} s are possible"));
        }
    }
    if !stop.reason {
        wrong.push("its reason is not told, or another".to_owned());
    }
    match stop.key {
        KeyScore::Another if !any_key => wrong.push("its key cause is another".to_owned()),
        // What is read so long after its effect is not looked for as its cause.
        KeyScore::Unnamed
            if stop.code == BLOCKED_REASON && poll_us(watched, stop.from_us) > SKEW_US => {}
        KeyScore::Unnamed => wrong.push("its key cause is not named".to_owned()),
        _ => {}
    }
    wrong
}

impl Expect {
    fn counts(&self, score: &Score) -> Vec<String> {
        let mut wrong = Vec::new();
        for count in &score.counts {
            let tag = &count.tag;
            let Some(said) = count.said else {
                if count.wanted {
                    wrong.push(format!("{tag}: nothing is said of it"));
                }
                continue;
            };
            let flagged = match self.counts {
                Counts::Flagged => *tag == OUTPUT,
                Counts::AllFlagged => true,
                Counts::Interval => false,
            };
            if !flagged && !count.holds() {
                wrong.push(format!("{tag}: {} is not in {said}", count.truth));
            }
            let (least, most) = self.bound(tag);
            if !flagged && !(least..=most).contains(&said.width()) {
                let in_doubt = said.width();
                wrong.push(format!(
                    "{tag}: {said} leaves {in_doubt} in doubt, and {least} to {most} are possible"
                ));
            }
        }
        if !score.counts.iter().any(|count| count.said.is_some()) {
            wrong.push("nothing is said of any counter".to_owned());
        }
        wrong
    }

    /// Least and most that may be in doubt of a counter.
    fn bound(&self, tag: &str) -> (u64, u64) {
        let any = || self.doubt.get(ANY).map_or((0, 0), |(_, most)| (0, *most));
        self.doubt.get(tag).copied().unwrap_or_else(any)
    }

    fn causes(&self, report: &Report) -> Vec<String> {
        let mut wrong = Vec::new();
        for (tag, wanted) in &self.causes {
            let found = report.counters.get(tag).map_or(&[][..], |counter| &counter.causes);
            for cause in wanted.iter().filter(|cause| !found.contains(cause)) {
                wrong.push(format!("{tag}: no {cause} among {found:?}"));
            }
        }
        for (tag, counter) in &report.counters {
            for cause in counter.causes.iter().filter(|cause| self.never.contains(cause)) {
                wrong.push(format!("{tag}: a {cause}"));
            }
        }
        wrong
    }

    fn alarms(&self, report: &Report) -> Vec<String> {
        let alarms = || report.signals.iter().filter(|signal| signal.word != CHART);
        let mut wrong = Vec::new();
        for word in self.alarms.keys().filter(|word| !alarms().any(|alarm| alarm.word == **word)) {
            wrong.push(format!("no alarm {word}"));
        }
        for alarm in alarms() {
            let may = |alarms: &BTreeMap<String, BTreeSet<String>>| {
                alarms.get(&alarm.word).is_some_and(|about| about.contains(&alarm.about))
            };
            if !may(&self.alarms) && !may(&self.may_alarm) {
                wrong.push(format!("an alarm {} of {:?}", alarm.word, alarm.about));
            }
        }
        let flagged = match self.counts {
            Counts::Flagged => alarms().any(|alarm| alarm.about == OUTPUT),
            Counts::AllFlagged => alarms().next().is_some(),
            Counts::Interval => true,
        };
        if !flagged {
            wrong.push("counts are wrong, and no alarm says so".to_owned());
        }
        wrong
    }

    fn charts(&self, score: &Score, report: &Report) -> Vec<String> {
        let mut wrong = Vec::new();
        for bore in &self.bores {
            if !report.bores.iter().any(|said| said.less && said.bore == *bore) {
                wrong.push(format!("bore {bore} is not named among {:?}", report.bores));
            }
        }
        let Some(wanted) = &self.signals else { return wrong };
        let charts = report.signals.iter().filter(|signal| signal.word == CHART);
        let found: BTreeSet<&String> = charts.map(|signal| &signal.about).collect();
        for chart in wanted.iter().filter(|chart| !found.contains(chart)) {
            wrong.push(format!("no signal of chart {chart} among {found:?}"));
        }
        let may = |chart: &&&String| wanted.contains(**chart) || self.may_signal.contains(**chart);
        for chart in found.iter().filter(|chart| !may(chart)) {
            wrong.push(format!("a signal of chart {chart}"));
        }
        let missed = score.signals.iter().filter(|signal| signal.delay_us.is_none());
        wrong.extend(missed.map(|signal| format!("{} was not signalled", signal.fault.name())));
        wrong
    }

    fn stops(&self, score: &Score, watched: &Watched) -> Vec<String> {
        let mut wrong = Vec::new();
        // What a silence hides is none of them.
        wrong.extend(score.missed_stops().map(|stop| format!("missed {stop:?}")));
        let false_stops = score.false_stops.iter();
        wrong.extend(false_stops.map(|stop| format!("no stop is {stop:?}")));
        // Of a stop that was hardly seen nobody can tell more than that there was one.
        for stop in score.stops.iter().filter(|stop| stop.found && !stop.hidden) {
            wrong.extend(stop_is_off(stop, watched, self.keys_may_differ).into_iter().map(
                |what| format!("a stop of reason {} from {}: {what}", stop.code, stop.from_us),
            ));
        }
        wrong
    }

    fn batches(&self, score: &Score) -> Vec<String> {
        if self.counts == Counts::AllFlagged {
            return Vec::new();
        }
        let mut wrong: Vec<String> = Vec::new();
        for batch in &score.batches {
            let mut batch = batch.clone();
            if let (Counts::Flagged, Some(said)) = (self.counts, &mut batch.said) {
                // What the output is flagged for makes the same of its batch.
                said.made = Said::exactly(batch.made);
            }
            wrong.extend(batch.wrong(self.batch_infeed_off));
        }
        let none = score.false_batches.iter();
        wrong.extend(none.map(|batch| format!("no batch is {batch:?}")));
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What blocks the filler is asked for where two machines are read within two seconds of each other; of a stop of its own
    /// always, and another machine is wrong at any speed.
    #[test]
    fn a_cause_that_is_read_too_late_to_be_one_is_not_asked_for() {
        let is_off = |code: u16, key: KeyScore, speed: f64| {
            let stop = StopScore {
                code,
                from_us: 0,
                lasted_us: 30_000_000,
                found: true,
                hidden: false,
                start_off_us: Some(0),
                end_off_us: Some(0),
                untold_us: Some(0),
                reason: true,
                key,
            };
            !stop_is_off(&stop, &Watched { speed, ..Watched::default() }, false).is_empty()
        };
        assert!(is_off(BLOCKED_REASON, KeyScore::Unnamed, 1.0));
        assert!(is_off(BLOCKED_REASON, KeyScore::Unnamed, 10.0));
        assert!(!is_off(BLOCKED_REASON, KeyScore::Unnamed, 60.0));
        for speed in [1.0, 60.0] {
            assert!(is_off(1, KeyScore::Unnamed, speed), "its own");
            assert!(is_off(BLOCKED_REASON, KeyScore::Another, speed));
            assert!(!is_off(BLOCKED_REASON, KeyScore::Right, speed));
        }
    }
}
