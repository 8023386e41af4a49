//! How well somebody knows the plant: what is said against what is true.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::{
    batch_score::BatchScore,
    injections::Injection,
    ledger::{FillerLedger, Ledger, RejectClass},
    report::{Report, Said, SaidBatch, SaidSignal, SaidStop},
    signal_score::SignalScore,
    stop_score::{KeyScore, SAME_STOP_US, StopScore},
};

const SECOND_US: i64 = 1_000_000;

/// The machines of the plant, by the beginning of their tags.
pub(crate) const MACHINES: [&str; 6] = ["CF01", "CF02", "PS02", "MD03", "CW04", "BC05"];

/// Tag of the output of the filler.
pub const OUTPUT: &str = "CF01.Admin.ProdProcessedCount[0].AccCount";
/// Tag of the infeed of the filler.
pub const INFEED: &str = "CF01.Admin.ProdConsumedCount[0].Count";

/// Tag of the output of the filler beside it.
pub const OUTPUT_BESIDE: &str = "CF02.Admin.ProdProcessedCount[0].AccCount";
const INFEED_BESIDE: &str = "CF02.Admin.ProdConsumedCount[0].Count";

/// A counter and what it should say.
type TrueCounter = (&'static str, fn(&Ledger) -> u64);

/// Fillers side by side whose counters are scored: the first and the one beside it.
pub const MOST_SCORED: u32 = 2;

fn rejects(ledger: &Ledger, class: RejectClass) -> u64 {
    ledger.rejects.get(&class).copied().unwrap_or(0)
}

/// Of the second filler, 0 where there is none.
fn beside(ledger: &Ledger, count: fn(&FillerLedger) -> u64) -> u64 {
    ledger.beside.first().map_or(0, count)
}

/// And its rejects of a class.
fn rejects_beside(ledger: &Ledger, class: RejectClass) -> u64 {
    ledger.beside.first().and_then(|filler| filler.rejects.get(&class)).copied().unwrap_or(0)
}

/// The counters of the plant, by tag.
#[rustfmt::skip]
const COUNTERS: [TrueCounter; 32] = [
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
    ("CF02.Rej.Unseparated",      |ledger| rejects_beside(ledger, RejectClass::Unseparated)),
    ("CF02.Rej.DentedTelescoped", |ledger| rejects_beside(ledger, RejectClass::Dented)),
    ("CF02.Rej.Startup",          |ledger| rejects_beside(ledger, RejectClass::Startup)),
    ("CF02.Rej.NoDose",           |ledger| rejects_beside(ledger, RejectClass::NoDose)),
    ("CF02.Rej.DoubleCap",        |ledger| rejects_beside(ledger, RejectClass::DoubleCap)),
    ("CF02.Samples",              |ledger| beside(ledger, |filler| filler.samples)),
    ("CF02.Rej.EmptyPocket",      |ledger| beside(ledger, |filler| filler.empty_pockets)),
    ("CW04.Statistic.TotalPackages.ItemCount", |ledger| ledger.weigher.passed()),
    ("CW04.Statistic.TotalPackagesAccepted.ItemCount", |ledger| ledger.weigher.good),
    ("CW04.Rej.Under",            |ledger| ledger.weigher.under),
    ("CW04.Rej.Over",             |ledger| ledger.weigher.over),
    ("CW04.Rej.DistanceFault",    |ledger| ledger.weigher.unweighed),
    ("PS02.InCount",              |ledger| ledger.polisher.infeed),
    ("PS02.GoodCount",            |ledger| ledger.polisher.good),
    ("PS02.Rej.Empty",            |ledger| ledger.polisher.empty),
    ("PS02.Rej.Halves",           |ledger| ledger.polisher.halves),
    ("MD03.RejEvents",            |ledger| ledger.detector.events),
    ("MD03.TestEvents",           |ledger| ledger.detector.test_pieces),
    ("BC05.Admin.ProdConsumedCount[0].AccCount", |ledger| ledger.counter.infeed),
    ("BC05.GoodBottles",          |ledger| ledger.counter.good_bottles),
    ("BC05.Admin.ProdDefectiveCount[0].AccCount", |ledger| ledger.counter.short_bottles),
];

/// Number of the counters that are scored.
pub const N_COUNTERS: usize = COUNTERS.len();

/// Tags of the counters that are scored.
pub fn tags() -> [&'static str; N_COUNTERS] {
    COUNTERS.map(|(tag, _)| tag)
}

/// What each of them should say, in the order of [`tags`].
pub fn truths(ledger: &Ledger) -> [u64; N_COUNTERS] {
    COUNTERS.map(|(_, truth)| truth(ledger))
}

/// What is true of the plant since its plant time 0.
#[derive(Clone, Debug)]
pub struct Truth {
    pub(crate) ledger: Ledger,
    pub(crate) injected: Vec<Injection>,
    /// What was before the score began.
    pub(crate) base: Option<Ledger>,
    /// UTC of plant time 0 by the clock of who reports, in microseconds.
    pub(crate) zero_us: i64,
    /// How long after a fault of the connection nobody can see the machine yet, in microseconds.
    pub(crate) blind_us: i64,
    /// How long a machine may run that nobody sees run, in microseconds.
    pub(crate) unseen_us: i64,
    /// The machines that are read: every counter of them must be told.
    pub(crate) machines: Vec<String>,
}

/// A plant with more fillers than are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the plant has {0} fillers side by side, and {MOST_SCORED} are scored at most: start it with --fillers {MOST_SCORED}"
)]
pub struct TooManyFillers(pub usize);

/// Why a truth cannot be that since an earlier ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the plant was started anew meanwhile: it had run {} s, and has run {} s now; score it again",
    .then_us / SECOND_US, .now_us / SECOND_US
)]
pub struct StartedAnew {
    /// Plant time of the earlier ledger, in microseconds.
    pub then_us: i64,
    /// Plant time now, in microseconds.
    pub now_us: i64,
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
    /// Whether something must be said: its machine is read.
    pub wanted: bool,
}

impl CountScore {
    /// Whether the truth lies in what is said. Of a machine that is not read nothing need be said.
    pub fn holds(&self) -> bool {
        self.said.map_or(!self.wanted, |said| said.holds(self.truth))
    }
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
    /// Every true batch.
    pub batches: Vec<BatchScore>,
    /// Reported batches that were none.
    pub false_batches: Vec<SaidBatch>,
    /// By how many capsules the infeed of a batch may be off, where a fault parts its number from the reset of its counters.
    pub infeed_off: u64,
}

impl Truth {
    /// The truth of a plant. `zero_us` is plant time 0 by the reporter's clock.
    pub fn new(ledger: Ledger, injected: Vec<Injection>, zero_us: i64) -> Truth {
        let machines = MACHINES.map(str::to_owned).to_vec();
        Truth {
            ledger,
            injected,
            base: None,
            zero_us,
            blind_us: SAME_STOP_US,
            unseen_us: 0,
            machines,
        }
    }

    /// The same for a reader of these machines alone. Of each of them it must tell every counter.
    #[must_use]
    pub fn of_machines<M: AsRef<str>>(self, machines: &[M]) -> Truth {
        let machines = machines.iter().map(|machine| machine.as_ref().to_owned()).collect();
        Truth { machines, ..self }
    }

    /// The same, where a reader needs so long in microseconds of plant time to come back after a fault.
    #[must_use]
    pub fn blind_for(self, blind_us: i64) -> Truth {
        Truth { blind_us, ..self }
    }

    /// The same, where a reader may not see for so long in microseconds of plant time: a run that is shorter may be missed, and
    /// the stops before and after it be told as one.
    #[must_use]
    pub fn unseen_for(self, unseen_us: i64) -> Truth {
        Truth { unseen_us, ..self }
    }

    /// The truth since an earlier ledger, to be compared with what was said since then.
    ///
    /// # Errors
    /// The earlier ledger is of another run: the plant knew more then than it knows now.
    pub fn since(self, base: Ledger) -> Result<Truth, StartedAnew> {
        let (then_us, now_us) = (base.plant_us, self.ledger.plant_us);
        let lost = truths(&base).iter().zip(truths(&self.ledger)).any(|(then, now)| *then > now);
        if then_us > now_us || lost {
            return Err(StartedAnew { then_us, now_us });
        }
        Ok(Truth { base: Some(base), ..self })
    }

    /// Whether every filler of a plant can be scored.
    ///
    /// # Errors
    /// It has more; what they make is held against nothing.
    pub fn scores_all(ledger: &Ledger) -> Result<(), TooManyFillers> {
        match 1 + ledger.beside.len() {
            fillers if fillers > MOST_SCORED as usize => Err(TooManyFillers(fillers)),
            _ => Ok(()),
        }
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
            wanted: self.reads(tag),
        });
        let (stops, false_stops) = self.stops(&report.stops);
        let (signals, false_signals) = self.signals(&report.signals);
        let (batches, false_batches) = self.batches(&report.batches);
        let counts = counts.collect();
        let infeed_off = self.infeed_off();
        Score {
            counts,
            stops,
            false_stops,
            signals,
            false_signals,
            batches,
            false_batches,
            infeed_off,
        }
    }

    /// Whether the machine of a tag is read.
    fn reads(&self, tag: &str) -> bool {
        tag.split_once('.').is_some_and(|(machine, _)| self.machines.iter().any(|m| m == machine))
    }
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
        let said = self.counts.iter().filter(|count| count.wanted || count.said.is_some());
        let widths = said.clone().filter_map(|count| count.said).map(Said::width);
        let found = self.stops.iter().filter(|stop| stop.found);
        let off = found.clone().flat_map(|stop| {
            [stop.start_off_us, stop.end_off_us].into_iter().flatten().map(i64::abs)
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
            keys: found.clone().filter(|stop| stop.key == KeyScore::Right).count(),
            keys_asked: found.filter(|stop| stop.key != KeyScore::NotAsked).count(),
            signals: self.signals.len(),
            signals_true: self.signals.iter().filter(|one| one.delay_us.is_some()).count(),
            signals_false: self.false_signals.len(),
            batches: self.batches.len() + self.false_batches.len(),
            batches_right: self
                .batches
                .iter()
                .filter(|batch| batch.wrong(self.infeed_off).is_empty())
                .count(),
        }
    }
}

/// A score in a few figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Counters of which something is said or must be.
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
    /// The most by which a start or an end that could be seen is off, in microseconds.
    pub off_us: i64,
    /// Found stops with the right reason.
    pub reasons: usize,
    /// Found stops with the right key cause.
    pub keys: usize,
    /// Found stops of which a key cause could be known, or is told.
    pub keys_asked: usize,
    /// Faults that should have been signalled.
    pub signals: usize,
    /// Those that were.
    pub signals_true: usize,
    /// Signals without a fault.
    pub signals_false: usize,
    /// True batches that could be compared, and reported ones that were none.
    pub batches: usize,
    /// Those that are told with all their counts.
    pub batches_right: usize,
}

impl Summary {
    /// Head of a Markdown table of summaries.
    pub const HEAD: &'static str = "| what | counts in interval | in doubt | stops found | false stops | worst time | reason right | key right \
         | signals true | false | batches right |\n|---|---|---|---|---|---|---|---|---|---|---|";

    /// A row of that table.
    pub fn row(&self, what: &str) -> String {
        let Summary { counts, counts_in, width, stops, stops_found, stops_false, .. } = self;
        let Summary { off_us, reasons, keys, keys_asked, .. } = self;
        let Summary { signals, signals_true, signals_false, batches, batches_right, .. } = self;
        let off_s = *off_us as f64 / SECOND_US as f64;
        format!(
            "| {what} | {counts_in} of {counts} | {width} | {stops_found} of {stops} | {stops_false} | {off_s:.2} s \
             | {reasons} of {stops_found} | {keys} of {keys_asked} | {signals_true} of {signals} | {signals_false} \
             | {batches_right} of {batches} |"
        )
    }
}

impl fmt::Display for Score {
    /// Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n", Summary::HEAD, self.summary().row("all"))?;
        writeln!(f, "| counter | true | said | in doubt | |\n|---|---|---|---|---|")?;
        for count in &self.counts {
            let CountScore { tag, truth, said, wanted } = count;
            match said {
                None => {
                    let word = if *wanted { "**not reported**" } else { "not read" };
                    writeln!(f, "| {tag} | {truth} | – | – | {word} |")?;
                }
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
        for stop in self.stops.iter().filter(|stop| stop.found) {
            let far = |us: &i64| us.abs() > 5 * SECOND_US;
            for us in [stop.start_off_us, stop.end_off_us].into_iter().flatten().filter(far) {
                let off_s = us as f64 / SECOND_US as f64;
                writeln!(rest, "- stop of reason {}: a time is off by {off_s:.1} s", stop.code)?;
            }
            let told = match stop.key {
                KeyScore::Another => "is another",
                KeyScore::Unnamed => "is not named",
                KeyScore::Right | KeyScore::NotAsked => continue,
            };
            writeln!(rest, "- stop of reason {}: the machine to blame {told}", stop.code)?;
        }
        for problem in self.batches.iter().flat_map(|batch| batch.wrong(self.infeed_off)) {
            writeln!(rest, "- {problem}")?;
        }
        for batch in &self.false_batches {
            writeln!(rest, "- batch that was none: {}", batch.id)?;
        }
        for SignalScore { fault, delay_us, .. } in &self.signals {
            match delay_us {
                None => writeln!(rest, "- {}: not signalled", fault.name())?,
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
