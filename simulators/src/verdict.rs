//! The verdict on a score where no file of a scenario says what is wanted: what makes it wrong, and what it leaves open.

use crate::{
    score::Score,
    service_line::CHART,
    stop_score::{KeyScore, StopScore},
};

/// Alarms that say that a count is wrong. Where no fault makes one wrong they are false; what else is alarmed of a plant,
/// such as weights that could not be fetched in time, may be right with every count.
const OF_COUNTS: [&str; 5] =
    ["conservation", "contradicted", "counts_at_rest", "misfit", "miscount"];

fn is_of_counts(word: &str) -> bool {
    OF_COUNTS.contains(&word)
}

impl Score {
    /// Everything that is wrong, none where all that is judged is right. `most_doubt` bounds the capsules in doubt over all
    /// counters; without it no width is too large.
    pub fn wrong(&self, most_doubt: Option<u64>) -> Vec<String> {
        let mut wrong = Vec::new();
        for count in self.outside() {
            wrong.push(match count.said {
                Some(said) => format!("{}: {} is not in {said}", count.tag, count.truth),
                None => format!("{}: nothing is said of it", count.tag),
            });
        }
        let width = self.summary().width;
        if let Some(most) = most_doubt.filter(|most| width > *most) {
            wrong.push(format!("{width} are in doubt over all counters, and {most} may be"));
        }
        let missed = self.missed_stops();
        wrong.extend(missed.map(|stop| format!("a stop of reason {} is missed", stop.code)));
        let none = self.false_stops.iter();
        wrong.extend(none.map(|stop| format!("no stop is one of cause {}", stop.cause)));
        for stop in self.seen_stops() {
            if !stop.reason {
                let what = "its reason is not told, or another";
                wrong.push(format!("a stop of reason {}: {what}", stop.code));
            }
            if stop.key == KeyScore::Another {
                let what = "another machine is to blame than the one that is named";
                wrong.push(format!("a stop of reason {}: {what}", stop.code));
            }
        }
        let missed = self.signals.iter().filter(|one| one.is_due && one.delay_us.is_none());
        wrong.extend(missed.map(|one| format!("{} was not signalled", one.fault.name())));
        let none = self.false_signals.iter().filter(|signal| is_of_counts(&signal.word));
        wrong.extend(none.map(|one| format!("an alarm {} of {}: no fault", one.word, one.about)));
        wrong.extend(self.batches.iter().flat_map(|batch| batch.wrong(self.infeed_off)));
        wrong.extend(self.false_batches.iter().map(|batch| format!("no batch is {}", batch.id)));
        wrong
    }

    /// Whether nothing is wrong; see [`Score::wrong`].
    pub fn is_right(&self, most_doubt: Option<u64>) -> bool {
        self.wrong(most_doubt).is_empty()
    }

    /// What [`Score::wrong`] does not judge, and how much there was of it.
    pub fn not_judged(&self, most_doubt: Option<u64>) -> Vec<String> {
        let mut open = Vec::new();
        let summary = self.summary();
        if most_doubt.is_none() {
            let width = summary.width;
            open.push(format!("{width} in doubt over all counters: --most-doubt N bounds it"));
        }
        let unread = self.counts.len() - summary.counts;
        if unread > 0 {
            open.push(format!("{unread} counters of machines that are not read"));
        }
        if summary.stops_found > 0 {
            let off_s = summary.off_us as f64 / 1e6;
            open.push(format!("begin and end of stops: the worst is {off_s:.2} s off"));
        }
        let unnamed = self.seen_stops().filter(|stop| stop.key == KeyScore::Unnamed).count();
        if unnamed > 0 {
            open.push(format!("{unnamed} stops of which no machine is named that is to blame"));
        }
        let hidden = self.stops.iter().filter(|stop| stop.hidden).count();
        if hidden > 0 {
            open.push(format!("{hidden} stops that a fault of the connection hid"));
        }
        let early = self.signals.iter().filter(|one| !one.is_due && one.delay_us.is_none());
        let early: Vec<String> = early.map(|one| one.fault.name()).collect();
        if !early.is_empty() {
            let early = early.join(", ");
            open.push(format!(
                "no signal of {early}: a chart needs limits first, an alarm a quarter of an hour"
            ));
        }
        let others = self.false_signals.iter().filter(|signal| !is_of_counts(&signal.word));
        let others: Vec<String> = others
            .map(|one| match &*one.word {
                CHART => format!("chart {}", one.about),
                word => format!("{word} of {}", one.about),
            })
            .collect();
        if !others.is_empty() {
            let others = others.join(", ");
            open.push(format!(
                "signals that no fault is known for, and a plant may give: {others}"
            ));
        }
        if self.batches.is_empty() {
            open.push("batches: none could be compared as a whole".to_owned());
        }
        open
    }

    /// Stops that were found and seen: of one that was hardly seen nobody can tell more than that there was one.
    fn seen_stops(&self) -> impl Iterator<Item = &StopScore> {
        self.stops.iter().filter(|stop| stop.found && !stop.hidden)
    }
}
