//! Scenario files: a plant, what goes wrong with it and when, and what must be said of it.
//!
//! Which service reads the plant, and how, is not known here; who runs a scenario brings a
//! [`Report`](crate::Report), and [`crate::expect`] judges it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use crate::{
    catalogue::{Fault, Figure, Happens, Side},
    config::Counters,
    expect::Expect,
    injections::{InjectError, Injection, ServiceFault, check},
    model::Model,
    plant::PlantConfig,
    score::{MACHINES, MOST_SCORED},
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
    /// Fillers side by side, no more than are scored.
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
    /// What goes wrong with the plant.
    pub inject: Vec<Injection>,
    /// What goes wrong with the service, oldest first.
    pub service: Vec<ServiceFault>,
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

impl Output {
    /// How many values the register has.
    fn states(self) -> u32 {
        match self {
            Output::Lifetime => 1 << 31,
            Output::LowWord => 1 << 16,
            Output::Panel => 10_000,
        }
    }

    /// What the lifetime counter shows at the start, so that this register passes its end after so many capsules.
    fn near_its_end(self, fault: Fault, value: Option<f64>) -> Result<u32, InjectError> {
        let states = self.states();
        let usual = fault.entry().value;
        // A register has no more capsules left than it has values.
        let takes = usual.map(|one| Figure { most: one.most.min(f64::from(states)), ..one });
        check(fault, "value", takes, value)?;
        let left = value.or(usual.map(|figure| figure.default)).unwrap_or(0.0);
        Ok(states.saturating_sub(left as u32))
    }
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
    shift_change_s: Option<Spanned<f64>>,
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
        if !(1..=MOST_SCORED).contains(&fillers) {
            let problem =
                format!("fillers {fillers}: 1 to {MOST_SCORED} can be scored, and more by nobody");
            return Err(wrong(written.fillers.map_or(0, |fillers| fillers.span().start), problem));
        }
        if let Some(written) = &written.shift_change_s
            && !(0.0..=seconds).contains(written.get_ref())
        {
            let problem = format!(
                "shift_change_s {}: the scenario lasts from 0 to {seconds}",
                written.get_ref()
            );
            return Err(wrong(written.span().start, problem));
        }
        let (mut inject, mut service) = (Vec::new(), Vec::new());
        let mut start = written.start;
        for order in &written.inject {
            let at = order.span().start;
            let Order { fault, at_s, for_s, value, filler } = order.get_ref();
            if !(0.0..=seconds).contains(at_s) {
                let problem = format!("at_s {at_s}: the scenario lasts from 0 to {seconds}");
                return Err(wrong(at, problem));
            }
            let no = |error: InjectError| wrong(at, error.to_string());
            let (from_us, for_us) = (us(*at_s), for_s.map(us));
            if fault.entry().happens == Happens::AtStart {
                let is_first = from_us == 0 && for_us.is_none() && filler.is_none_or(|n| n == 1);
                if !is_first || start.processed_acc != 0 {
                    let problem = format!(
                        "{}: the plant is started with it; write at_s = 0, a value, and neither for_s nor filler, or \
                         start.processed_acc alone",
                        fault.name()
                    );
                    return Err(wrong(at, problem));
                }
                start.processed_acc = written.output.near_its_end(*fault, *value).map_err(no)?;
                continue;
            }
            if fault.entry().side != Side::Service {
                let filler = filler.unwrap_or(1);
                if !(1..=fillers).contains(&filler) {
                    let problem =
                        format!("filler {filler}: this plant has {fillers}, counted from 1");
                    return Err(wrong(at, problem));
                }
                let injection = Injection::new(*fault, from_us, for_us, *value).map_err(no)?;
                inject.push(injection.at_filler(filler - 1).map_err(no)?);
                continue;
            }
            let one = ServiceFault::new(*fault, from_us, for_us, *value).map_err(no)?;
            if one.until_us > us(seconds) {
                let problem = format!(
                    "{}: it ends at {} s, and the scenario at {seconds} s; write a shorter for_s",
                    fault.name(),
                    one.until_us as f64 / 1e6
                );
                return Err(wrong(at, problem));
            }
            service.push(one);
        }
        service.sort_by_key(|one| one.from_us);
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
            start,
            output: written.output,
            whole_line: written.whole_line,
            shift_change_us: written.shift_change_s.map(|seconds| us(seconds.into_inner())),
            inject,
            service,
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

    /// The machines that are read.
    pub fn machines(&self) -> &'static [&'static str] {
        match (self.whole_line, self.fillers > 1) {
            (true, _) => &MACHINES,
            (false, true) => &["CF01", "CF02", "CW04"],
            (false, false) => &["CF01", "CW04"],
        }
    }

    /// The plant of it at plant time 0, with its faults planned.
    pub(crate) fn modelled(&self) -> Model {
        let mut model = Model::new(self.plant().model());
        self.inject.iter().for_each(|injection| model.inject(*injection));
        model
    }

    /// Good capsules that the plant has made by a plant time, computed anew.
    pub fn made_by(&self, plant_us: i64) -> u64 {
        let mut model = self.modelled();
        model.advance_to(plant_us);
        model.ledger().made
    }
}
