//! `counting_station`: the machine whose good counter is the output of a line, or a list of machines side by side.

use domain::line::output::Output;
use domain::plc_map::Role;
use domain::plc_map::document::{At, Section};
use domain::units::StationId;

use super::DeviceConfig;

const KEY: &str = "counting_station";

/// Stations in the order of the devices, those that no device has behind them. None where none is named.
pub(super) fn read(named: &[At<&str>], devices: &[DeviceConfig]) -> Option<Output> {
    let place = |station: &StationId| {
        let found = devices.iter().position(|device| device.map.station == *station);
        found.unwrap_or(usize::MAX)
    };
    let mut stations: Vec<StationId> = named.iter().map(|at| StationId::new(at.value)).collect();
    stations.sort_by_key(place);
    Output::of(stations)
}

/// Each counting station must be there, where the `whole` line is known, count good capsules and tell its state. Of
/// several each is named once, they are devices one after the other, and mean the same by a code of a stop.
pub(super) fn check(
    section: &Section<'_, '_>,
    named: &[At<&str>],
    devices: &[DeviceConfig],
    whole: bool,
) {
    let mut found: Vec<(usize, &DeviceConfig)> = Vec::new();
    for (i, At { value: name, line }) in named.iter().enumerate() {
        if named[..i].iter().any(|before| before.value == *name) {
            section.report_at(*line, format!("{KEY} names {name} twice; name it once"));
            continue;
        }
        let place = devices.iter().position(|device| device.map.station.as_str() == *name);
        let Some(place) = place else {
            if whole && !devices.is_empty() {
                let known: Vec<&str> =
                    devices.iter().map(|device| device.map.station.as_str()).collect();
                let known = known.join(", ");
                let message =
                    format!("\"{name}\" is no station of this line; its maps have {known}");
                section.report_at(*line, message);
            }
            continue;
        };
        let device = &devices[place];
        for (role, word) in [(Role::Good, "good"), (Role::State, "state")] {
            if device.map.position(&role).is_none() {
                let file = &device.map.file;
                let message = format!("{name} has no tag with role {word}; add it to {file}");
                section.report_at(*line, message);
            }
        }
        found.push((place, device));
    }
    found.sort_by_key(|(place, _)| *place);
    for pair in found.windows(2) {
        let [(place, first), (next, second)] = pair else { continue };
        if let Some(between) = devices[*place..*next].get(1) {
            let (first, second) = (&first.map.station, &second.map.station);
            let message = format!(
                "{first} and {second} work side by side and {} is between them; put the devices of {KEY} one after the \
                 other",
                between.map.station
            );
            section.report(KEY, message);
        }
    }
    check_reasons(section, &found);
}

/// A stop of the line is told by a code of one of them, and read by the maps of all.
fn check_reasons(section: &Section<'_, '_>, found: &[(usize, &DeviceConfig)]) {
    // Each with all behind it: a code that the first does not know may still mean two things.
    let pairs = found.iter().enumerate().flat_map(|(i, (_, one))| {
        found[i + 1..].iter().map(move |(_, other)| (&one.map, &other.map))
    });
    for (one, other) in pairs {
        let differs = one.stop_reasons.iter().find(|(code, title)| {
            let theirs = other.stop_reasons.get(code);
            theirs.is_some_and(|theirs| theirs != *title)
                || theirs.is_some() && one.flow.causes.get(code) != other.flow.causes.get(code)
        });
        if let Some((code, title)) = differs {
            let (file, theirs) = (&one.file, &other.file);
            let message = format!(
                "stop reason {code} is \"{}\" in {file} and something else in {theirs}; machines of one {KEY} must mean \
                 the same by a code",
                title.en
            );
            section.report(KEY, message);
        }
    }
}
