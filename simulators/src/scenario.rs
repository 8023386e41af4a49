//! Scenario files: a plant, what goes wrong with it and when, and what must be said of it.
//!
//! Which service reads the plant, and how, is not known here; who runs a scenario brings a [`Report`] to be judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use crate::{
    catalogue::Fault,
    injections::Injection,
    model::{Counters, MOST_FILLERS, Model},
    plant::PlantConfig,
    report::Report,
    score::{OUTPUT, Score},
    stops::Preset,
};

/// A scenario as its file tells it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Name of its file without the ending.
    pub name: String,
    /// What happens, in one sentence.
    pub title: String,
    /// Seed of the plant.
    pub seed: u64,
    /// How well the plant runs.
    pub preset: Preset,
    /// How long it is watched, in microseconds of plant time.
    pub length_us: i64,
    /// Seconds of plant time in a real second. Only a reader whose clock runs as fast may watch.
    pub speed: f64,
    /// Whether it is too long for every run of the tests.
    pub long: bool,
    /// Fillers side by side.
    pub fillers: u32,
    /// Good capsules after which a batch ends.
    pub batch_size: u64,
    /// What the counters show at the start.
    pub start: Counters,
    /// Which register the output is read from.
    pub output: Output,
    /// Whether all machines of the line are read, and not the filler and the weigher alone.
    pub whole_line: bool,
    /// Plant time at which the shift changes, in microseconds.
    pub shift_change_us: Option<i64>,
    /// What goes wrong.
    pub inject: Vec<Injection>,
    /// What must be said.
    pub expect: Expect,
}

/// Which register the output of the filler is read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The lifetime counter of 31 bits.
    #[default]
    Lifetime,
    /// Its low word, which wraps every ten minutes.
    LowWord,
    /// The four digits of the operator panel.
    Panel,
}

/// What must be said of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Of the counts.
    pub counts: Counts,
    /// Least and most capsules of the output in doubt.
    pub doubt: Option<(u64, u64)>,
    /// Causes that must be written down, by tag.
    pub causes: BTreeMap<String, Vec<String>>,
    /// Causes that must not be written down of any counter.
    pub never: Vec<String>,
    /// The alarms that must be raised, and no other.
    pub alarms: BTreeSet<String>,
    /// What must be shown of the data at some time, such as `plc_offline`.
    pub shown: BTreeSet<String>,
    /// Whether stops of a silence may be missed.
    pub stops_may_be_missed: bool,
    /// Whether a naive reader must be wrong about a counter.
    pub naive_is_wrong: bool,
}

/// What must be said of counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Each is the truth, without doubt.
    Exact,
    /// Each holds the truth.
    #[default]
    Interval,
    /// The output cannot be right, and the alarms say so; all others hold the truth.
    Flagged,
    /// No counter can be right, and the alarms say so.
    AllFlagged,
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default = "one")]
    seed: u64,
    #[serde(default)]
    preset: Preset,
    seconds: Spanned<f64>,
    #[serde(default = "real_time")]
    speed: Spanned<f64>,
    #[serde(default)]
    long: bool,
    fillers: Option<Spanned<u32>>,
    batch_size: Option<u64>,
    #[serde(default)]
    start: Counters,
    #[serde(default)]
    output: Output,
    #[serde(default)]
    whole_line: bool,
    shift_change_s: Option<f64>,
    #[serde(default)]
    inject: Vec<Spanned<Order>>,
    #[serde(default)]
    expect: Expect,
}

/// A fault as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    fault: Fault,
    at_s: f64,
    for_s: Option<f64>,
    value: Option<f64>,
    filler: Option<u32>,
}

fn one() -> u64 {
    1
}

fn real_time() -> Spanned<f64> {
    Spanned::new(0..0, 1.0)
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{place}: {problem}", .file.display())]
pub struct ScenarioError {
    /// The file.
    pub file: PathBuf,
    /// Line and column, both from 1; the first where the file as a whole is meant.
    pub place: Place,
    /// What is wrong, and the way out.
    pub problem: String,
}

/// A place in a text: line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl Place {
    /// The place of a byte.
    pub(crate) fn of(text: &str, byte: usize) -> Place {
        let before = text.get(..byte.min(text.len())).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Place { line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

fn us(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// The file and the place in it, the value found, and the way out.
    pub fn load(file: &Path) -> Result<Scenario, ScenarioError> {
        let text = std::fs::read_to_string(file).map_err(|error| ScenarioError {
            file: file.to_owned(),
            place: Place { line: 1, column: 1 },
            problem: format!("cannot be read: {error}"),
        })?;
        Scenario::parse(file, &text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn parse(file: &Path, text: &str) -> Result<Scenario, ScenarioError> {
        let wrong = |byte: usize, problem: String| ScenarioError {
            file: file.to_owned(),
            place: Place::of(text, byte),
            problem,
        };
        let written: File = toml::from_str(text).map_err(|error| {
            wrong(error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        let seconds = *written.seconds.get_ref();
        if !(1.0..=604_800.0).contains(&seconds) {
            let problem = format!("seconds {seconds}: between 1 and 604800 are possible");
            return Err(wrong(written.seconds.span().start, problem));
        }
        let speed = *written.speed.get_ref();
        if !(0.1..=1_000.0).contains(&speed) {
            let problem = format!("speed {speed}: between 0.1 and 1000 are possible");
            return Err(wrong(written.speed.span().start, problem));
        }
        let fillers = written.fillers.as_ref().map_or(1, |fillers| *fillers.get_ref());
        if !(1..=MOST_FILLERS).contains(&fillers) {
            let problem = format!("fillers {fillers}: 1 to {MOST_FILLERS} can work side by side");
            return Err(wrong(written.fillers.map_or(0, |fillers| fillers.span().start), problem));
        }
        let mut inject = Vec::new();
        for order in &written.inject {
            let at = order.span().start;
            let Order { fault, at_s, for_s, value, filler } = order.get_ref();
            if !(0.0..=seconds).contains(at_s) {
                let problem = format!("at_s {at_s}: the scenario lasts from 0 to {seconds}");
                return Err(wrong(at, problem));
            }
            let injection = Injection::new(*fault, us(*at_s), for_s.map(us), *value);
            let injection = injection.map_err(|error| wrong(at, error.to_string()))?;
            let filler = filler.unwrap_or(1);
            if !(1..=fillers).contains(&filler) {
                let problem = format!("filler {filler}: this plant has {fillers}, counted from 1");
                return Err(wrong(at, problem));
            }
            let injection = injection.at_filler(filler - 1);
            inject.push(injection.map_err(|error| wrong(at, error.to_string()))?);
        }
        Ok(Scenario {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            title: written.title,
            seed: written.seed,
            preset: written.preset,
            length_us: us(seconds),
            speed,
            long: written.long,
            fillers,
            batch_size: written.batch_size.unwrap_or(PlantConfig::default().batch_size),
            start: written.start,
            output: written.output,
            whole_line: written.whole_line,
            shift_change_us: written.shift_change_s.map(us),
            inject,
            expect: written.expect,
        })
    }

    /// All scenarios of a folder, by name.
    ///
    /// # Errors
    /// The folder cannot be read, or a file in it.
    pub fn all(folder: &Path) -> Result<Vec<Scenario>, ScenarioError> {
        let unreadable = |error: std::io::Error| ScenarioError {
            file: folder.to_owned(),
            place: Place { line: 1, column: 1 },
            problem: format!("cannot be read: {error}"),
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            files.push(entry.map_err(unreadable)?.path());
        }
        files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        files.iter().map(|file| Scenario::load(file)).collect()
    }

    /// The plant of it, held at its start. Its faults are still to be planned.
    pub fn plant(&self) -> PlantConfig {
        PlantConfig {
            seed: self.seed,
            speed: self.speed,
            preset: self.preset,
            fillers: self.fillers,
            batch_size: self.batch_size,
            start_counters: self.start,
            held: true,
            ..PlantConfig::default()
        }
    }

    /// Good capsules that the plant has made by a plant time, computed anew.
    pub fn made_by(&self, plant_us: i64) -> u64 {
        let mut model = Model::new(self.plant().model());
        self.inject.iter().for_each(|injection| model.inject(*injection));
        model.advance_to(plant_us);
        model.ledger().made
    }

    /// Everything that is not as it must be. `shown` is what was shown of the data meanwhile.
    pub fn judge(&self, score: &Score, report: &Report, shown: &BTreeSet<String>) -> Vec<String> {
        let mut wrong = self.expect.counts(score);
        wrong.extend(self.expect.causes(report));
        let words = report.signals.iter().map(|signal| signal.word.clone());
        let alarms: BTreeSet<String> = words.filter(|word| word != crate::api::CHART).collect();
        if alarms != self.expect.alarms {
            wrong.push(format!("alarms {alarms:?} instead of {:?}", self.expect.alarms));
        }
        if !self.expect.shown.is_subset(shown) {
            wrong.push(format!("shown was {shown:?} instead of {:?}", self.expect.shown));
        }
        if !self.expect.stops_may_be_missed {
            wrong.extend(score.missed_stops().map(|stop| format!("missed {stop:?}")));
        }
        wrong.extend(score.false_stops.iter().map(|stop| format!("no stop is {stop:?}")));
        wrong
    }
}

impl Expect {
    fn counts(&self, score: &Score) -> Vec<String> {
        let mut wrong = Vec::new();
        for count in score.counts.iter().filter(|count| count.said.is_some()) {
            let said = count.said.unwrap_or_default();
            let flagged = match self.counts {
                Counts::Flagged => count.tag == OUTPUT,
                Counts::AllFlagged => true,
                Counts::Exact | Counts::Interval => false,
            };
            if !flagged && !count.holds() {
                wrong.push(format!("{}: {} is not in {said}", count.tag, count.truth));
            }
            if self.counts == Counts::Exact && said.width() > 0 {
                wrong.push(format!("{}: {said} is in doubt", count.tag));
            }
            if count.tag == OUTPUT
                && let Some((least, most)) = self.doubt
                && !(least..=most).contains(&said.width())
            {
                wrong.push(format!("{}: {said} leaves {} in doubt", count.tag, said.width()));
            }
        }
        if !score.counts.iter().any(|count| count.said.is_some()) {
            wrong.push("nothing is said of any counter".to_owned());
        }
        wrong
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
}
