//! Counting cases as text: readings that a process engineer can write down, and what the ledger must make of them. The
//! language is explained in `tests/cases/counting/README.md`; the shipped cases are built into the binary too, so that an
//! installation can be qualified with them.

use super::{
    Baseline, Count, Counter, Delta, Evidence, Modulus, Moment, Sample, Settings, batch_key,
};
use crate::units::SECOND_US;

/// How a file of cases came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Expectations that were compared.
    pub compared: usize,
    /// What disagrees, each with its line.
    pub mismatches: Vec<String>,
}

/// Runs all cases of one file.
///
/// # Errors
/// A word that the language does not have, with its line.
pub fn run(text: &str) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    let mut plc = Plc::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let done = match line.split_whitespace().next() {
            None => Ok(()),
            Some("every") => Plc::new(line).map(|new| plc = new),
            Some("expect") => {
                outcome.compared += 1;
                plc.differs(line.trim_start_matches("expect").trim()).map(|found| {
                    let place = at + 1;
                    outcome.mismatches.extend(
                        found.map(|found| format!("line {place}: {line:?}, but found {found}")),
                    );
                })
            }
            Some(_) => plc.play(line),
        };
        done.map_err(|what| format!("line {}: {what}", at + 1))?;
    }
    Ok(outcome)
}

/// A controller as the text describes it, and the ledger that reads it.
#[derive(Default)]
struct Plc {
    every_us: i64,
    now_us: i64,
    uptime: Option<i64>,
    heartbeat: Option<i64>,
    since_reset: Option<i64>,
    batch: Option<u64>,
    sourced: bool,
    source_shift_us: i64,
    /// How much later the next reading is delivered, in microseconds.
    delayed_us: i64,
    /// How far its moment may be off, in microseconds.
    off_us: i64,
    next: Evidence,
    counter: Option<Counter>,
    last: Option<Sample>,
    deltas: Vec<Delta>,
}

impl Plc {
    fn new(line: &str) -> Result<Plc, String> {
        let mut plc = Plc::default();
        let mut settings = Settings { gap_after_us: 0, ..Settings::default() };
        let mut words = line.split_whitespace();
        while let Some(key) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{key} needs a value"));
            match key {
                "every" => plc.every_us = duration(value()?)?,
                "wrap" => settings.modulus = modulus(value()?)?,
                "doubt" => settings.doubt = number(value()?)?,
                "max" => settings.max_per_minute = number(value()?)?,
                "step" => settings.step = number(value()?)?,
                "lag" => settings.lag_us = duration(value()?)?,
                "gap" => settings.gap_after_us = duration(value()?)?,
                "retentive" => settings.retentive = Some(true),
                "volatile" => settings.retentive = Some(false),
                "sourced" => plc.sourced = true,
                "exact_id" => (settings.batch_early, settings.batch_late) = (0, 0),
                "resets" => match value()? {
                    "batch" => settings.resets.batch = true,
                    "manual" => settings.resets.manual = true,
                    other => return Err(format!("unknown reset {other}")),
                },
                "uptime" => plc.uptime = steady(value()?, -1_000)?,
                "heartbeat" => plc.heartbeat = steady(value()?, -50_000)?,
                "cleared" => plc.since_reset = steady(value()?, -3_000)?,
                "batch" => plc.batch = Some(batch_key(value()?)),
                other => return Err(format!("unknown setting {other}")),
            }
        }
        plc.counter = Some(Counter::new(settings));
        Ok(plc)
    }

    fn play(&mut self, line: &str) -> Result<(), String> {
        let is_name = |word: &str| word.contains('.') && word.starts_with(char::is_alphabetic);
        for word in line.split_whitespace().skip_while(|word| is_name(word)) {
            match word.split_once(':').unwrap_or((word, "")) {
                ("_", _) => {
                    self.now_us += self.every_us;
                    self.counter()?.missed();
                }
                ("restart", _) => {
                    // Booting takes most of the poll; the uptime shown next is nearly 0.
                    let booted = self.now_us + self.every_us * 9 / 10;
                    self.uptime = self.uptime.map(|_| booted);
                    self.heartbeat = self.heartbeat.map(|_| booted);
                }
                ("cleared", _) => self.since_reset = Some(self.now_us + self.every_us * 9 / 10),
                ("batch", id) => self.batch = Some(batch_key(id)),
                ("lost", _) => self.next.session_lost = true,
                ("ran_on", _) => self.next.ran_on = true,
                ("between", bounds) => {
                    let (low, high) = bounds.split_once("..").ok_or("bounds are low..high")?;
                    self.next.bounds = Some((number(low)?, number(high)?));
                }
                ("ours", _) => self.restart_service()?,
                ("back", s) => self.source_shift_us -= duration(&format!("{s}s"))?,
                ("delayed", by) => self.delayed_us = duration(by)?,
                ("off", by) => self.off_us = duration(by)?,
                // Old values for so many polls, the evidence among them.
                ("still", polls) => {
                    let old = self.last.ok_or(NOTHING_BEFORE)?;
                    for _ in 0..number(polls)? {
                        self.now_us += self.every_us;
                        self.give(Sample { at: moment(self.now_us), ..old })?;
                    }
                }
                ("same", _) => {
                    let again = self.last.ok_or(NOTHING_BEFORE)?;
                    self.give(Sample { at: moment(self.now_us + 1_000), ..again })?;
                }
                ("late", value) => {
                    let mut late = self.last.ok_or(NOTHING_BEFORE)?;
                    late.source_us = late.source_us.map(|source| source - self.every_us / 2);
                    (late.at, late.value) = (moment(self.now_us + 1_000), number(value)?);
                    self.give(late)?;
                }
                (wait, _) if wait.starts_with('+') => self.now_us += duration(&wait[1..])?,
                (value, "") => self.read(number(value)?)?,
                _ => return Err(format!("unknown word {word}")),
            }
        }
        Ok(())
    }

    fn counter(&mut self) -> Result<&mut Counter, String> {
        self.counter.as_mut().ok_or_else(|| NO_PLC.to_owned())
    }

    fn read(&mut self, value: u64) -> Result<(), String> {
        self.now_us += self.every_us;
        let passed = |origin: i64| u64::try_from((self.now_us - origin) / SECOND_US).unwrap_or(0);
        let evidence = Evidence {
            uptime_s: self.uptime.map(passed),
            batch: self.batch,
            since_reset_s: self.since_reset.map(passed),
            heartbeat: self.heartbeat.map(|origin| passed(origin) % 65_536),
            ..std::mem::take(&mut self.next)
        };
        let source_us = self.sourced.then_some(self.now_us + self.source_shift_us);
        let at = moment(self.now_us + std::mem::take(&mut self.delayed_us));
        let off_us = std::mem::take(&mut self.off_us);
        let sample = Sample { at, off_us, source_us, value, evidence };
        self.last = Some(sample);
        self.give(sample)
    }

    fn give(&mut self, sample: Sample) -> Result<(), String> {
        let counter = self.counter.as_mut().ok_or(NO_PLC)?;
        let before = self.deltas.len();
        counter.sample(&sample, &mut self.deltas);
        match self.deltas.len() - before {
            0..=2 => Ok(()),
            n => Err(format!("{n} deltas for one sample")),
        }
    }

    fn restart_service(&mut self) -> Result<(), String> {
        let counter = self.counter.take().ok_or(NO_PLC)?;
        let baseline: Baseline = counter.baseline().ok_or(NOTHING_BEFORE)?;
        self.counter = Some(Counter::resume(*counter.settings(), baseline));
        Ok(())
    }

    /// What was found instead of the expectation, if it differs.
    fn differs(&self, expected: &str) -> Result<Option<String>, String> {
        let counter = self.counter.as_ref().ok_or(NO_PLC)?;
        let words = |words: Vec<&str>| words.join(" ");
        let found = match expected.split_once(' ').unwrap_or((expected, "")).0 {
            "causes" => {
                format!("causes {}", words(self.deltas.iter().map(|d| d.cause.word()).collect()))
            }
            "flags" => format!(
                "flags {}",
                words(self.deltas.iter().flat_map(|d| d.flags.words()).collect())
            ),
            "segments" => format!("segments {}", counter.segments()),
            "undecided" => format!("undecided {}", interval(counter.undecided())),
            "why" => {
                let told = self.deltas.iter().flat_map(|delta| delta.hypotheses.iter().flatten());
                let why: Vec<_> = told.map(|told| told.why.as_str()).collect();
                let part = expected.trim_start_matches("why").trim();
                let is_there = why.iter().any(|why| why.contains(part));
                return Ok((!is_there).then(|| why.join("\n    ")));
            }
            _ => interval(counter.total()),
        };
        let summed: Count = self.deltas.iter().map(|delta| delta.count).sum();
        if summed != counter.total() {
            let total = counter.total();
            return Ok(Some(format!("deltas that sum to {summed}, and a total of {total}")));
        }
        Ok((found.trim() != expected).then_some(found))
    }
}

const NO_PLC: &str = "there is no line `every …` before it";
const NOTHING_BEFORE: &str = "there is no reading before it";

fn interval(count: Count) -> String {
    format!("{} [{}, {}]", count.best(), count.low(), count.high())
}

fn moment(us: i64) -> Moment {
    Moment { utc_us: 1_700_000_000_000_000 + us, mono_us: us }
}

fn number(word: &str) -> Result<u64, String> {
    let wrong = || format!("{word} is no number");
    match word.split_once('^') {
        Some((base, exponent)) => {
            let (base, exponent) = (base.parse::<u64>().ok(), exponent.parse().ok());
            base.zip(exponent).and_then(|(b, e)| b.checked_pow(e)).ok_or_else(wrong)
        }
        None => word.parse().map_err(|_| wrong()),
    }
}

fn modulus(word: &str) -> Result<Modulus, String> {
    Ok(match word {
        "none" => Modulus::None,
        "float32" => Modulus::Float32,
        "2^64" => Modulus::Full64,
        states => Modulus::At(number(states)?),
    })
}

fn duration(word: &str) -> Result<i64, String> {
    let at = word.find(char::is_alphabetic).unwrap_or(word.len());
    let n = i64::try_from(number(&word[..at])?).map_err(|_| format!("{word} is too long"))?;
    let unit_us = match &word[at..] {
        "ms" => 1_000,
        "s" => SECOND_US,
        "min" => 60 * SECOND_US,
        unit => return Err(format!("unknown unit {unit} in {word}")),
    };
    n.checked_mul(unit_us).ok_or_else(|| format!("{word} is too long"))
}

fn steady(word: &str, origin_s: i64) -> Result<Option<i64>, String> {
    match word {
        "steady" => Ok(Some(origin_s * SECOND_US)),
        _ => Err(format!("{word}: evidence starts steady; say `restart` between two readings")),
    }
}
