//! How well somebody knows the plant: what is said against what is true.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::{
    catalogue::Fault,
    injections::Injection,
    ledger::{FillerLedger, Ledger, RejectClass},
    machines::filler::JOG_US,
    report::{Report, Said, SaidSignal, SaidStop},
    stops::{CHANGEOVER, CLEANING, State},
};

const SECOND_US: i64 = 1_000_000;
/// Shorter stops need not be found.
const SHORTEST_STOP_US: i64 = 2 * SECOND_US;
/// A stop may be reported so much earlier or later and is still the same.
const SAME_STOP_US: i64 = 5 * SECOND_US;
/// A signal may come so long after its cause has ended: charts judge whole subgroups.
const SIGNAL_GRACE_US: i64 = 1_800 * SECOND_US;

/// Tag of the output of the filler.
pub const OUTPUT: &str = "CF01.Admin.ProdProcessedCount[0].AccCount";
/// Tag of the infeed of the filler.
pub const INFEED: &str = "CF01.Admin.ProdConsumedCount[0].Count";

/// Tag of the output of the filler beside it.
pub const OUTPUT_BESIDE: &str = "CF02.Admin.ProdProcessedCount[0].AccCount";
const INFEED_BESIDE: &str = "CF02.Admin.ProdConsumedCount[0].Count";

/// A counter and what it should say.
type TrueCounter = (&'static str, fn(&Ledger) -> u64);

fn rejects(ledger: &Ledger, class: RejectClass) -> u64 {
    ledger.rejects.get(&class).copied().unwrap_or(0)
}

/// Of the second filler, 0 where there is none.
fn beside(ledger: &Ledger, count: fn(&FillerLedger) -> u64) -> u64 {
    ledger.beside.first().map_or(0, count)
}

/// The counters of the plant, by tag.
#[rustfmt::skip]
const COUNTERS: [TrueCounter; 25] = [
    (OUTPUT,                      |ledger| ledger.made),
    (INFEED,                      |ledger| ledger.infeed),
    ("CF01.Rej.Unseparated",      |ledger| rejects(ledger, RejectClass::Unseparated)),
    ("CF01.Rej.DentedTelescoped", |ledger| rejects(ledger, RejectClass::Dented)),
    ("CF01.Rej.Startup",          |ledger| rejects(ledger, RejectClass::Startup)),
    ("CF01.Rej.NoDose",           |ledger| rejects(ledger, RejectClass::NoDose)),
    ("CF01.Rej.DoubleCap",        |ledger| rejects(ledger, RejectClass::DoubleCap)),
    ("CF01.Samples",              |ledger| ledger.samples),
    ("CF01.Rej.EmptyPocket",      |ledger| ledger.empty_pockets),
    (OUTPUT_BESIDE,               |ledger| beside(ledger, |filler| filler.made)),
    (INFEED_BESIDE,               |ledger| beside(ledger, |filler| filler.infeed)),
    ("CF02.Samples",              |ledger| beside(ledger, |filler| filler.samples)),
    ("CF02.Rej.EmptyPocket",      |ledger| beside(ledger, |filler| filler.empty_pockets)),
    ("CW04.Statistic.TotalPackagesAccepted.ItemCount", |ledger| ledger.weigher.good),
    ("CW04.Rej.Under",            |ledger| ledger.weigher.under),
    ("CW04.Rej.Over",             |ledger| ledger.weigher.over),
    ("CW04.Rej.DistanceFault",    |ledger| ledger.weigher.unweighed),
    ("PS02.InCount",              |ledger| ledger.polisher.infeed),
    ("PS02.GoodCount",            |ledger| ledger.polisher.good),
    ("PS02.Rej.Empty",            |ledger| ledger.polisher.empty),
    ("PS02.Rej.Halves",           |ledger| ledger.polisher.halves),
    ("MD03.RejEvents",            |ledger| ledger.detector.events),
    ("BC05.Admin.ProdConsumedCount[0].AccCount", |ledger| ledger.counter.infeed),
    ("BC05.GoodBottles",          |ledger| ledger.counter.good_bottles),
    ("BC05.Admin.ProdDefectiveCount[0].AccCount", |ledger| ledger.counter.short_bottles),
];

/// Tags of the counters that are scored.
pub fn tags() -> [&'static str; COUNTERS.len()] {
    COUNTERS.map(|(tag, _)| tag)
}

/// What is true of the plant since its plant time 0.
#[derive(Clone, Debug)]
pub struct Truth {
    ledger: Ledger,
    injected: Vec<Injection>,
    /// What was before the score began.
    base: Option<Ledger>,
    /// UTC of plant time 0 by the clock of who reports, in microseconds.
    zero_us: i64,
    /// How long after a fault of the connection nobody can see the machine yet, in microseconds.
    blind_us: i64,
}

/// A count against the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountScore {
    /// Tag.
    pub tag: String,
    /// What is true.
    pub truth: u64,
    /// What is said; none where nothing is.
    pub said: Option<Said>,
}

impl CountScore {
    /// Whether the truth lies in what is said.
    pub fn holds(&self) -> bool {
        self.said.is_none_or(|said| said.holds(self.truth))
    }
}

/// A true stop, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopScore {
    /// Reason code of the machine.
    pub code: u16,
    /// Start by the reporter's clock, in microseconds.
    pub from_us: i64,
    /// How long it lasted, in microseconds; until now for one that lasts.
    pub lasted_us: i64,
    /// Whether it was found.
    pub found: bool,
    /// Whether less than 2 s of it could be seen, because of a fault of the connection.
    pub hidden: bool,
    /// By how much the start is said too late, in microseconds.
    pub start_off_us: i64,
    /// By how much the end is said too late, in microseconds; none while it lasts.
    pub end_off_us: Option<i64>,
    /// Whether the reason is right.
    pub reason: bool,
    /// Whether the key cause is right: the filler where it is to blame, and it is not where it waits or is planned.
    pub key: bool,
}

/// A fault that should have been signalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignalScore {
    /// The fault.
    pub fault: Fault,
    /// How long after its beginning it was signalled, in microseconds; none where it was missed.
    pub delay_us: Option<i64>,
}

/// The score of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Every counter.
    pub counts: Vec<CountScore>,
    /// Every true stop of 2 s and more.
    pub stops: Vec<StopScore>,
    /// Reported stops of 2 s and more that were none.
    pub false_stops: Vec<SaidStop>,
    /// Every fault that should have been signalled.
    pub signals: Vec<SignalScore>,
    /// Signals without a fault.
    pub false_signals: Vec<SaidSignal>,
}

impl Truth {
    /// The truth of a plant. `zero_us` is plant time 0 by the reporter's clock.
    pub fn new(ledger: Ledger, injected: Vec<Injection>, zero_us: i64) -> Truth {
        Truth { ledger, injected, base: None, zero_us, blind_us: SAME_STOP_US }
    }

    /// The same, where a reader needs so long in microseconds of plant time to come back after a fault.
    #[must_use]
    pub fn blind_for(self, blind_us: i64) -> Truth {
        Truth { blind_us, ..self }
    }

    /// The truth since an earlier ledger, to be compared with what was said since then.
    #[must_use]
    pub fn since(self, base: Ledger) -> Truth {
        Truth { base: Some(base), ..self }
    }

    /// UTC of plant time 0 by the clock of who reports, in microseconds.
    pub fn zero_us(&self) -> i64 {
        self.zero_us
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Judges a report.
    pub fn score(&self, report: &Report) -> Score {
        // Nothing is true of a filler that is not there.
        let is_there =
            |(tag, _): &TrueCounter| !tag.starts_with("CF02") || !self.ledger.beside.is_empty();
        let counts = COUNTERS.into_iter().filter(is_there).map(|(tag, truth)| CountScore {
            tag: tag.to_owned(),
            truth: truth(&self.ledger).saturating_sub(self.base.as_ref().map_or(0, truth)),
            said: report.counters.get(tag).map(|counter| counter.total),
        });
        let (stops, false_stops) = self.stops(&report.stops);
        let (signals, false_signals) = self.signals(&report.signals);
        Score { counts: counts.collect(), stops, false_stops, signals, false_signals }
    }

    fn stops(&self, said: &[SaidStop]) -> (Vec<StopScore>, Vec<SaidStop>) {
        let now_us = self.ledger.plant_us;
        let line = self.ledger.line_stops();
        let all = line.iter().map(|(nth, stop)| {
            ((nth, stop), self.zero_us + stop.from_us, self.zero_us + stop.to_us.unwrap_or(now_us))
        });
        let all: Vec<_> = all.collect();
        let meets = |stop: &SaidStop, from_us: i64, to_us: i64| {
            stop.from_us <= to_us + SAME_STOP_US
                && stop.to_us.is_none_or(|end_us| from_us - SAME_STOP_US <= end_us)
        };
        let begun_us = self.zero_us + self.base.as_ref().map_or(0, |base| base.plant_us);
        let long = all.iter().filter(|(_, from_us, to_us)| {
            to_us - from_us >= SHORTEST_STOP_US && *from_us >= begun_us
        });
        let scored = long.map(|((nth, stop), from_us, to_us)| {
            let met: Vec<&SaidStop> =
                said.iter().filter(|said| tells(said) && meets(said, *from_us, *to_us)).collect();
            // Two stops that follow each other closely both meet; the right one begins nearest.
            let nearest = met.iter().min_by_key(|said| (said.from_us - from_us).abs());
            let start_off_us = nearest.map_or(0, |said| said.from_us - from_us);
            let end_us = nearest.and_then(|said| said.to_us).filter(|_| stop.to_us.is_some());
            let own = !matches!(stop.state, State::Waiting) && stop.code < CLEANING;
            let filler = format!("CF{:02}", *nth + 1);
            let key = |said: &&&SaidStop| (said.key.as_deref() == Some(filler.as_str())) == own;
            StopScore {
                code: stop.code,
                from_us: *from_us,
                lasted_us: to_us - from_us,
                found: nearest.is_some(),
                hidden: self.seen_us(stop.from_us, to_us - self.zero_us) < SHORTEST_STOP_US,
                start_off_us,
                end_off_us: end_us.map(|end_us| end_us - to_us),
                reason: nearest.is_some_and(|said| reason_holds(stop.code, said)),
                key: nearest.filter(key).is_some(),
            }
        });
        let scored = scored.collect();
        let is_false = |stop: &&SaidStop| {
            let lasted_us = stop.to_us.map_or(i64::MAX, |end_us| end_us - stop.from_us);
            let none = !all.iter().any(|(_, from_us, to_us)| meets(stop, *from_us, *to_us))
                // The plant starts at its time 0; it came from no stop of its own.
                && !meets(stop, self.zero_us, self.zero_us + JOG_US);
            lasted_us >= SHORTEST_STOP_US && tells(stop) && none && stop.from_us >= begun_us
        };
        (scored, said.iter().filter(is_false).cloned().collect())
    }

    /// How much of a span of plant time could be seen.
    fn seen_us(&self, from_us: i64, to_us: i64) -> i64 {
        let mut blind: Vec<(i64, i64)> = self
            .injected
            .iter()
            .filter(|one| blinds(one.fault))
            .map(|one| (one.from_us, one.until_us.unwrap_or(i64::MAX / 2) + self.blind_us))
            .collect();
        blind.sort_unstable();
        let (mut seen_us, mut at_us) = (0, from_us);
        for (begin_us, end_us) in blind {
            seen_us += (begin_us.min(to_us) - at_us).max(0);
            at_us = at_us.max(end_us);
        }
        seen_us + (to_us - at_us).max(0)
    }

    fn signals(&self, said: &[SaidSignal]) -> (Vec<SignalScore>, Vec<SaidSignal>) {
        let span = |one: &Injection| {
            let until_us = one.until_us.unwrap_or(self.ledger.plant_us);
            (self.zero_us + one.from_us, self.zero_us + until_us + SIGNAL_GRACE_US)
        };
        let tells = |one: &Injection, signal: &SaidSignal| {
            let (from_us, until_us) = span(one);
            (from_us..=until_us).contains(&signal.at_us)
                && signalled_by(one.fault).contains(&signal.word.as_str())
        };
        let begun = self.injected.iter().filter(|one| one.from_us <= self.ledger.plant_us);
        let wanted = begun.filter(|one| !signalled_by(one.fault).is_empty());
        let scored = wanted.clone().map(|one| {
            let first = said.iter().find(|signal| tells(one, signal));
            let delay_us = first.map(|signal| signal.at_us - span(one).0);
            SignalScore { fault: one.fault, delay_us }
        });
        let none = |signal: &&SaidSignal| !wanted.clone().any(|one| tells(one, signal));
        (scored.collect(), said.iter().filter(none).cloned().collect())
    }
}

/// Words of the signals that are right for a fault; none for what needs no signal.
fn signalled_by(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::DoubleCount => &["miscount", "contradicted"],
        Fault::WrongWordOrder => &["contradicted", "miscount"],
        Fault::EmptyCapsuleBurst | Fault::RejectDrift | Fault::WornDosator => &["chart"],
        _ => &[],
    }
}

/// Whether a report of a stop says anything but that nothing is known.
fn tells(stop: &SaidStop) -> bool {
    !["unknown", "no_signal"].contains(&stop.cause.as_str())
}

/// Whether a fault takes the state of the filler out of sight, for its time and until a reader is back.
fn blinds(fault: Fault) -> bool {
    use Fault::*;
    matches!(
        fault,
        CommsLoss
            | Mute
            | LateReplies
            | Exception
            | Freeze
            | TornReplies
            | DuplicateReplies
            | ReorderedReplies
            | WrongTransaction
            | WrongUnit
            | HeartbeatStuck
            | PlcRestart
    )
}

/// Whether a reason is right: the code of the machine, or that the stop was planned.
fn reason_holds(code: u16, said: &SaidStop) -> bool {
    let planned = [CLEANING, CHANGEOVER].contains(&code) && said.cause == "planned";
    planned || said.reason == Some(i64::from(code))
}

impl Score {
    /// Counts outside of what is said of them.
    pub fn outside(&self) -> impl Iterator<Item = &CountScore> {
        self.counts.iter().filter(|count| !count.holds())
    }

    /// True stops that could be seen and nobody reported.
    pub fn missed_stops(&self) -> impl Iterator<Item = &StopScore> {
        self.stops.iter().filter(|stop| !stop.found && !stop.hidden)
    }

    /// The score in a few figures.
    pub fn summary(&self) -> Summary {
        let said = self.counts.iter().filter(|count| count.said.is_some());
        let widths = said.clone().filter_map(|count| count.said).map(Said::width);
        let found = self.stops.iter().filter(|stop| stop.found);
        let off = found.clone().flat_map(|stop| {
            [Some(stop.start_off_us), stop.end_off_us].into_iter().flatten().map(i64::abs)
        });
        Summary {
            counts: said.clone().count(),
            counts_in: said.filter(|count| count.holds()).count(),
            width: widths.sum(),
            stops: self.stops.iter().filter(|stop| stop.found || !stop.hidden).count(),
            stops_found: found.clone().count(),
            stops_false: self.false_stops.len(),
            off_us: off.max().unwrap_or(0),
            reasons: found.clone().filter(|stop| stop.reason).count(),
            keys: found.filter(|stop| stop.key).count(),
            signals: self.signals.len(),
            signals_true: self.signals.iter().filter(|one| one.delay_us.is_some()).count(),
            signals_false: self.false_signals.len(),
        }
    }
}

/// A score in a few figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Counters of which something is said.
    pub counts: usize,
    /// Those whose truth lies in it.
    pub counts_in: usize,
    /// Capsules in doubt, over all counters.
    pub width: u64,
    /// True stops of which 2 s and more could be seen.
    pub stops: usize,
    /// Those that were found.
    pub stops_found: usize,
    /// Reported stops that were none.
    pub stops_false: usize,
    /// The most by which a start or an end is off, in microseconds.
    pub off_us: i64,
    /// Found stops with the right reason.
    pub reasons: usize,
    /// Found stops with the right key cause.
    pub keys: usize,
    /// Faults that should have been signalled.
    pub signals: usize,
    /// Those that were.
    pub signals_true: usize,
    /// Signals without a fault.
    pub signals_false: usize,
}

impl Summary {
    /// Head of a Markdown table of summaries.
    pub const HEAD: &'static str = "| what | counts in interval | in doubt | stops found | false stops | worst time | reason right | key right \
         | signals true | false |\n|---|---|---|---|---|---|---|---|---|---|";

    /// A row of that table.
    pub fn row(&self, what: &str) -> String {
        let Summary { counts, counts_in, width, stops, stops_found, stops_false, .. } = self;
        let Summary { off_us, reasons, keys, signals, signals_true, signals_false, .. } = self;
        let off_s = *off_us as f64 / SECOND_US as f64;
        format!(
            "| {what} | {counts_in} of {counts} | {width} | {stops_found} of {stops} | {stops_false} | {off_s:.2} s \
             | {reasons} of {stops_found} | {keys} of {stops_found} | {signals_true} of {signals} | {signals_false} |"
        )
    }
}

impl fmt::Display for Score {
    /// Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n", Summary::HEAD, self.summary().row("all"))?;
        writeln!(f, "| counter | true | said | in doubt | |\n|---|---|---|---|---|")?;
        for count in &self.counts {
            let CountScore { tag, truth, said } = count;
            match said {
                None => writeln!(f, "| {tag} | {truth} | – | – | not reported |")?,
                Some(said) => {
                    let word = if count.holds() { "in" } else { "**outside**" };
                    writeln!(f, "| {tag} | {truth} | {said} | {} | {word} |", said.width())?;
                }
            }
        }
        let mut rest = String::new();
        for stop in self.missed_stops() {
            let lasted_s = stop.lasted_us as f64 / SECOND_US as f64;
            writeln!(rest, "- stop missed: reason {}, {lasted_s:.1} s", stop.code)?;
        }
        for stop in &self.false_stops {
            writeln!(rest, "- stop that was none: {}, from {}", stop.cause, stop.from_us)?;
        }
        for SignalScore { fault, delay_us } in &self.signals {
            match delay_us {
                None => writeln!(rest, "- {}: missed", fault.name())?,
                Some(us) => {
                    let delay_s = *us as f64 / SECOND_US as f64;
                    writeln!(rest, "- {}: signalled after {delay_s:.1} s", fault.name())?;
                }
            }
        }
        for signal in &self.false_signals {
            writeln!(rest, "- signal without a fault: {} of {}", signal.word, signal.about)?;
        }
        if rest.is_empty() { Ok(()) } else { write!(f, "\n{rest}") }
    }
}
