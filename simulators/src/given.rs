//! What is given on the command line: lengths of time, and the name of a scenario.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::expect::Expect;
use crate::scenario::{Output, Scenario};

/// Units of time, the longer names first, and how many seconds each has.
const UNITS: [(&str, f64); 6] =
    [("min", 60.0), ("ms", 1e-3), ("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0)];

/// A length of time such as `30s`, `5min`, `2h` or `1.5d`; a number alone is in seconds.
///
/// # Errors
/// It is none that can be; the message says what to write.
pub fn length(text: &str) -> Result<Duration, String> {
    let unit = UNITS.iter().find_map(|(unit, s)| Some((text.strip_suffix(unit)?, *s)));
    let (number, unit_s) = unit.unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().ok().map(|number| number * unit_s);
    let length = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    length.ok_or_else(|| format!("{text} is no time; write 30s, 5min or 2h"))
}

/// The file of a scenario: the one of this path, or of this name in the folder.
///
/// # Errors
/// There is neither; the message names both and the way out.
pub fn scenario_file(name: &Path, folder: &Path) -> Result<PathBuf, String> {
    if name.is_file() {
        return Ok(name.to_owned());
    }
    let file = folder.join(name).with_extension("toml");
    if file.is_file() {
        return Ok(file);
    }
    let (name, file) = (name.display(), file.display());
    Err(format!(
        "there is no scenario {name}, neither as a file nor as {file}; list shows those that there are, \
         --folder says where"
    ))
}

/// What a scenario wants of who judges a service, and a plant alone does not heed. Empty where there is no such thing.
pub fn ignored(scenario: &Scenario) -> Vec<&'static str> {
    let parts = [
        ("output", scenario.output != Output::default()),
        ("whole_line", scenario.whole_line),
        ("shift_change_s", scenario.shift_change_us.is_some()),
        ("expect", scenario.expect != Expect::default()),
    ];
    parts.into_iter().filter(|(_, is_given)| *is_given).map(|(part, _)| part).collect()
}
