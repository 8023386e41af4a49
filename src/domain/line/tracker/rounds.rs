//! A message that brings a tag several times → rounds of one moment each.
//!
//! An OPC UA server that queues values reports a tag several times in one message, oldest first. Taken as of one
//! moment they would look like impossible jumps: each round is therefore dated by the device's own clock.

use std::collections::HashSet;

use crate::reading::Reading;
use crate::units::Moment;

/// Cuts readings where a tag comes again. The last round is of the moment `at`, earlier ones as long before it as
/// the device says, or evenly spread if it says nothing; none is before `heard`, when the station was heard last.
/// No reading makes one empty round.
pub(super) fn rounds(
    readings: &[Reading],
    heard: Option<Moment>,
    at: Moment,
) -> impl Iterator<Item = (&[Reading], Moment)> {
    let ends = ends(readings);
    let n = ends.len() as i64;
    // The one round of a poll is of its own moment, whatever the device says.
    let newest = if n > 1 { newest_us(readings) } else { None };
    let silence_us = heard.map(|heard| at.mono_us.saturating_sub(heard.mono_us).max(0));
    let mut start = 0;
    (1..).zip(ends).map(move |(i, end)| {
        let round = &readings[start..end];
        start = end;
        if i == n {
            return (round, at);
        }
        let back_us = match (newest, newest_us(round)) {
            (Some(newest), Some(own)) => {
                newest.saturating_sub(own).clamp(0, silence_us.unwrap_or(i64::MAX))
            }
            _ => silence_us.unwrap_or(0) / n * (n - i),
        };
        (round, Moment { mono_us: at.mono_us - back_us, utc_us: at.utc_us - back_us })
    })
}

fn newest_us(readings: &[Reading]) -> Option<i64> {
    readings.iter().filter_map(|reading| reading.source_us).max()
}

/// Where the rounds end; there is always one.
fn ends(readings: &[Reading]) -> Vec<usize> {
    let mut ends = Vec::with_capacity(1);
    // One value a tag is the rule, and in ascending order: then nothing needs to be remembered.
    if !readings.is_sorted_by(|a, b| a.tag < b.tag) {
        let mut seen = HashSet::new();
        for (i, reading) in readings.iter().enumerate() {
            if !seen.insert(reading.tag) {
                ends.push(i);
                seen.clear();
                seen.insert(reading.tag);
            }
        }
    }
    ends.push(readings.len());
    ends
}
