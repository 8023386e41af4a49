//! The beginning of a tracker: from nothing, or from what an earlier run of the service stored.

use super::account;
use super::station::Station;
use super::tell::Told;
use super::{GAP_AFTER_US, Ledger, LineModel, scaled};
use crate::line::chronicle::Past;
use crate::line::counter::{Baseline, Counter, Settings};
use crate::line::event::Event;
use crate::line::layout::counted;
use crate::line::minute::Minute;
use crate::line::second::Seconds;
use crate::line::state::State;
use crate::line::weighing::Sequence;
use crate::line::weight::Series;
use crate::plc_map::{PlcMap, Role};
use crate::units::{Moment, SECOND_US, StationId, TagId};

/// How far apart the change of a batch id and the reset of its counters may be read, in microseconds of the line's
/// clock. A controller changes both within a scan or two, but a slow group may read the id a second or two later.
const BATCH_SKEW_US: i64 = 3 * SECOND_US;

/// How far the moment of a reading may be off, in microseconds of real time. It matters only where the line's clock runs
/// faster than real: there it is so many times as much for the machine, which would seem to run too fast.
const DATING_US: f64 = 5_000.0;

/// What a line goes on from after a restart of the service.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    /// Baselines of the counters.
    pub baselines: Vec<(TagId, Baseline)>,
    /// Minutes, oldest first, the last ones perhaps open.
    pub minutes: Vec<Minute>,
    /// The seconds of the minutes that are open.
    pub seconds: Vec<Seconds>,
    /// The latest events of any kind, newest first, for the screen.
    pub events: Vec<Event>,
    /// States as last read: station, state, code, since when (UTC µs).
    pub states: Vec<(StationId, State, Option<i64>, i64)>,
    /// The last number taken of each series of weights.
    pub weighings: Vec<(StationId, Series, Sequence)>,
    /// Whether the boot clock of all this is the present one; after a restart of the computer it is another.
    pub same_boot: bool,
    /// Stops and periods that had not ended, and the last hours.
    pub past: Past,
}

/// The counters of a line: resumed where a baseline was carried over, new otherwise.
pub(super) fn ledgers(
    model: &LineModel,
    stations: &mut [Station],
    carry: &Carry,
    now: Moment,
) -> Vec<Ledger> {
    let mut ledgers = Vec::new();
    for (station, map) in model.stations.iter().enumerate() {
        for (tag, entry) in map.tags.iter().enumerate() {
            let Some(settings) = entry.counter else { continue };
            let settings = timed(settings, map, tag as u16, model.time_scale);
            let baseline = carry
                .baselines
                .iter()
                .find(|(id, _)| *id == entry.id)
                .map(|(_, baseline)| *baseline);
            let counter = match baseline {
                Some(baseline) => resumed(settings, baseline, carry.same_boot, now),
                None => Counter::new(settings),
            };
            stations[station].counter_of[tag] = Some(ledgers.len());
            ledgers.push(Ledger {
                station,
                tag: tag as u16,
                id: entry.id.clone(),
                counter,
                odometer: entry.odometer,
                told: Told::default(),
            });
        }
    }
    ledgers
}

/// A counter that goes on from what was stored.
pub(super) fn resumed(
    settings: Settings,
    mut baseline: Baseline,
    same_boot: bool,
    now: Moment,
) -> Counter {
    if !same_boot {
        baseline.rebase(now);
    }
    Counter::resume(settings, baseline)
}

/// Settings with the times that depend on how the counter is polled.
pub(super) fn timed(settings: Settings, map: &PlcMap, tag: u16, time_scale: f64) -> Settings {
    let time_scale = time_scale.max(1.0);
    let scaled = |us: i64| scaled(us, time_scale);
    let group = map.tags.get(usize::from(tag)).map_or(0, |tag| usize::from(tag.group));
    let period_us = map.groups.get(group).map_or(SECOND_US, |group| group.period_us);
    let period_us = scaled(period_us).max(1);
    let polls = (BATCH_SKEW_US + period_us - 1) / period_us;
    // At most 255: with a period of 10 ms that is 2.55 s.
    let polls = u8::try_from(polls).unwrap_or(u8::MAX);
    Settings {
        gap_after_us: scaled(GAP_AFTER_US),
        lag_us: settings.lag_us.saturating_add((DATING_US * (time_scale - 1.0)) as i64),
        latest_us: scaled(settings.latest_us),
        batch_early: polls,
        batch_late: polls,
        mapping: map.mapping(tag),
        ..settings
    }
}

pub(super) fn key(model: &LineModel, ledger: &Ledger) -> account::Key {
    let map = &model.stations[ledger.station];
    let counted = counted(&map.tags[usize::from(ledger.tag)].role);
    (map.station.clone(), counted)
}

/// Positions of the counters that together are the output of the line: one of each machine that counts.
pub(super) fn outputs(model: &LineModel, ledgers: &[Ledger]) -> Vec<usize> {
    let of = |station: usize| {
        let is_output = |ledger: &Ledger| {
            let role = || &model.stations[station].tags[usize::from(ledger.tag)].role;
            ledger.station == station && *role() == Role::Good
        };
        ledgers.iter().position(is_output)
    };
    model.counting.clone().filter_map(of).collect()
}
