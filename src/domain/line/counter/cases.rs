//! The text cases of `tests/cases/counting`: what the ledger must make of readings that a process
//! engineer can write down. The language is explained in `tests/cases/counting/README.md`.

use std::path::Path;

use super::*;
use crate::units::SECOND_US;

/// Shows: CNT-02, CNT-03
#[test]
fn every_case_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/counting");
    let mut n_cases = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("a case").path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable case");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        n_cases += run(&name, &text, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(n_cases >= 40, "only {n_cases} cases were found");
}

/// Runs all cases of one file and returns how many expectations there were.
fn run(name: &str, text: &str, wrong: &mut Vec<String>) -> usize {
    let mut n_expected = 0;
    let mut plc = Plc::default();
    for (at, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", at + 1);
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        match words.next() {
            None => {}
            Some("every") => plc = Plc::new(line, &place),
            Some("expect") => {
                n_expected += 1;
                if let Some(found) = plc.differs(line.trim_start_matches("expect").trim()) {
                    wrong.push(format!("{place}: expected {line:?}, found {found}"));
                }
            }
            Some(_) => plc.play(line, &place),
        }
    }
    n_expected
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
    next: Evidence,
    counter: Option<Counter>,
    last: Option<Sample>,
    deltas: Vec<Delta>,
}

impl Plc {
    fn new(line: &str, place: &str) -> Plc {
        let mut plc = Plc::default();
        let mut settings = Settings { gap_after_us: 0, ..Settings::default() };
        let mut words = line.split_whitespace();
        while let Some(key) = words.next() {
            let mut value =
                || words.next().unwrap_or_else(|| panic!("{place}: {key} needs a value"));
            match key {
                "every" => plc.every_us = duration(value()),
                "wrap" => settings.modulus = modulus(value()),
                "doubt" => settings.doubt = number(value()),
                "max" => settings.max_per_minute = number(value()),
                "step" => settings.step = number(value()),
                "lag" => settings.lag_us = duration(value()),
                "gap" => settings.gap_after_us = duration(value()),
                "retentive" => settings.retentive = Some(true),
                "volatile" => settings.retentive = Some(false),
                "sourced" => plc.sourced = true,
                "exact_id" => (settings.batch_early, settings.batch_late) = (0, 0),
                "resets" => match value() {
                    "batch" => settings.resets.batch = true,
                    "manual" => settings.resets.manual = true,
                    other => panic!("{place}: unknown reset {other}"),
                },
                "uptime" => plc.uptime = steady(value(), -1_000),
                "heartbeat" => plc.heartbeat = steady(value(), -50_000),
                "cleared" => plc.since_reset = steady(value(), -3_000),
                "batch" => plc.batch = Some(batch_key(value())),
                other => panic!("{place}: unknown setting {other}"),
            }
        }
        plc.counter = Some(Counter::new(settings));
        plc
    }

    fn play(&mut self, line: &str, place: &str) {
        let is_name = |word: &str| word.contains('.') && word.starts_with(char::is_alphabetic);
        for word in line.split_whitespace().skip_while(|word| is_name(word)) {
            match word.split_once(':').unwrap_or((word, "")) {
                ("_", _) => {
                    self.now_us += self.every_us;
                    self.counter().missed();
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
                ("between", bounds) => {
                    let (low, high) = bounds.split_once("..").expect("low..high");
                    self.next.bounds = Some((number(low), number(high)));
                }
                ("ours", _) => self.restart_service(),
                ("back", s) => self.source_shift_us -= duration(&format!("{s}s")),
                ("delayed", by) => self.delayed_us = duration(by),
                ("same", _) => {
                    let mut again = self.last.expect("a sample before");
                    again.at = moment(self.now_us + 1_000);
                    self.give(again);
                }
                ("late", value) => {
                    let mut late = self.last.expect("a sample before");
                    late.source_us = late.source_us.map(|source| source - self.every_us / 2);
                    (late.at, late.value) = (moment(self.now_us + 1_000), number(value));
                    self.give(late);
                }
                (wait, _) if wait.starts_with('+') => self.now_us += duration(&wait[1..]),
                (value, "") => self.read(number(value)),
                _ => panic!("{place}: unknown word {word}"),
            }
        }
    }

    fn counter(&mut self) -> &mut Counter {
        self.counter.as_mut().expect("a line `every …` before the readings")
    }

    fn read(&mut self, value: u64) {
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
        let sample = Sample { at, source_us, value, evidence };
        self.last = Some(sample);
        self.give(sample);
    }

    fn give(&mut self, sample: Sample) {
        let mut deltas = std::mem::take(&mut self.deltas);
        let before = deltas.len();
        self.counter().sample(&sample, &mut deltas);
        assert!(deltas.len() - before <= 2, "more than two deltas for one sample");
        self.deltas = deltas;
    }

    fn restart_service(&mut self) {
        let counter = self.counter.take().expect("a line `every …` before the readings");
        let baseline = counter.baseline().expect("a sample before");
        self.counter = Some(Counter::resume(*counter.settings(), baseline));
    }

    /// What was found instead of the expectation, if it differs.
    fn differs(&self, expected: &str) -> Option<String> {
        let counter = self.counter.as_ref()?;
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
                return (!why.iter().any(|why| why.contains(part))).then(|| why.join("\n    "));
            }
            _ => interval(counter.total()),
        };
        let summed: Count = self.deltas.iter().map(|delta| delta.count).sum();
        if summed != counter.total() {
            return Some(format!(
                "deltas that sum to {summed}, and a total of {}",
                counter.total()
            ));
        }
        (found.trim() != expected).then_some(found)
    }
}

fn interval(count: Count) -> String {
    format!("{} [{}, {}]", count.best(), count.low(), count.high())
}

fn moment(us: i64) -> Moment {
    Moment { utc_us: 1_700_000_000_000_000 + us, mono_us: us }
}

fn number(word: &str) -> u64 {
    let power = word.split_once('^').map(|(base, exponent)| {
        let exponent = exponent.parse().expect("an exponent");
        base.parse::<u64>().expect("a base").pow(exponent)
    });
    power.unwrap_or_else(|| word.parse().unwrap_or_else(|_| panic!("{word} is no number")))
}

fn modulus(word: &str) -> Modulus {
    match word {
        "none" => Modulus::None,
        "float32" => Modulus::Float32,
        "2^64" => Modulus::Full64,
        states => Modulus::At(number(states)),
    }
}

fn duration(word: &str) -> i64 {
    let at = word.find(char::is_alphabetic).unwrap_or(word.len());
    let n = i64::try_from(number(&word[..at])).expect("a short duration");
    match &word[at..] {
        "ms" => n * 1_000,
        "s" => n * SECOND_US,
        "min" => n * 60 * SECOND_US,
        unit => panic!("unknown unit {unit} in {word}"),
    }
}

fn steady(word: &str, origin_s: i64) -> Option<i64> {
    assert_eq!(word, "steady", "evidence starts steady; say `restart` between two readings");
    Some(origin_s * SECOND_US)
}
