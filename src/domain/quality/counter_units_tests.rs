//! The bottle counter of the plant: its rejects are bottles, and a chart of bottles is exact.

use std::sync::Arc;

use super::characteristic::{Characteristic, Measure};
use super::counter_units::CounterUnits;
use super::fixture::minute;
use super::limits::fit;
use super::subgroup::{Fitness, Subgroup, subgroups};
use super::workbench::{By, evaluate};
use crate::line::minute::{Counted, Minute, Tally};
use crate::line::output::Output;
use crate::plc_map::PlcMap;
use crate::units::{Count, Reason, StationId};

const BC05: &str = include_str!("../../../plc-maps/bc05-modbus.toml");
const MD03: &str = include_str!("../../../plc-maps/md03-modbus.toml");
const CF01: &str = include_str!("../../../plc-maps/cf01-modbus.toml");

fn map(text: &str) -> Arc<PlcMap> {
    Arc::new(PlcMap::parse("map", text).expect("a shipped map"))
}

fn short_count() -> Characteristic {
    let output = Output::one(StationId::new("CF01"));
    let all = Characteristic::defaults(&output, &[map(CF01), map(MD03), map(BC05)]);
    all.into_iter().find(|one| &*one.id == "reject.BC05.short_count").expect("its chart")
}

/// A minute of 110 good bottles and so many rejected ones, in capsules as the tracker books them.
fn bottles(i: i64, rejected: u64) -> Minute {
    let map = map(BC05);
    let booked = |id: &str, n: u64| {
        let at = map.tags.iter().position(|tag| tag.id.as_str() == id).expect("a tag");
        map.capsules(at as u16, Count::exact(n))
    };
    let tally = |counted, count| Tally { station: StationId::new("BC05"), counted, count };
    let short = Counted::Reject(Reason::new("short_count"));
    Minute {
        tallies: vec![
            tally(Counted::Good, booked("BC05.GoodBottles", 110)),
            tally(short, booked("BC05.Admin.ProdDefectiveCount[0].AccCount", rejected)),
        ],
        ..minute(i, 0)
    }
}

fn of(n: i64, rejected: impl Fn(i64) -> u64) -> Vec<Subgroup> {
    let minutes: Vec<Minute> = (0..n * 15).map(|i| bottles(i, rejected(i))).collect();
    subgroups(&short_count(), &minutes, &[])
}

/// Shows: SPC-04
#[test]
fn short_bottles_are_charted_as_bottles_and_have_limits_and_signals() {
    let steady = |i: i64| u64::from(i % 3 == 0) + u64::from(i % 7 == 0) + u64::from(i % 11 == 0);
    let found = of(60, steady);
    assert!(found.iter().all(|subgroup| subgroup.fitness == Fitness::Whole));
    let rejected: u64 = (0..15).map(steady).sum();
    assert_eq!(found[0].count, Count::exact(rejected), "bottles, without doubt");
    assert_eq!(found[0].size, Count::exact(15 * 110 + rejected));
    assert_eq!(short_count().units.unit(), Some("bottles"));

    // The negative control: the same minutes in capsules, as the balance has them, leave every subgroup out.
    let capsules = Characteristic { units: CounterUnits::default(), ..short_count() };
    let minutes: Vec<Minute> = (0..15).map(|i| bottles(i, steady(i))).collect();
    assert_eq!(subgroups(&capsules, &minutes, &[])[0].fitness, Fitness::Incomplete);

    let fitted = fit(&short_count(), &found, (i64::MIN, i64::MAX), &[]);
    assert_eq!(fitted.baseline.n_used, 60);
    let limits = fitted.limits(&short_count()).expect("limits of bottles");
    let burst = of(61, |i| if i < 900 { steady(i) } else { 20 });
    let judged = evaluate(&short_count(), &burst, By::Version(&limits)).judged;
    assert!(judged[60].signals() && !judged[59].signals());
}

#[test]
fn what_no_whole_number_of_counts_makes_stays_in_doubt() {
    let units = short_count().units;
    let short = Counted::Reject(Reason::new("short_count"));
    assert_eq!(units.own(&short, Count::exact(3).spread(55, 59)), Count::exact(3));
    assert_eq!(units.own(&short, Count::between(2, 2, 4).spread(55, 59)), Count::between(2, 2, 4));
    assert_eq!(units.own(&short, Count::ZERO), Count::ZERO);
    // Minutes read by a map of other bottles.
    let other = units.own(&short, Count::between(90, 95, 100));
    assert!(!other.is_exact() && other.contains(1) && other.contains(2), "{other:?}");
    // A counter of capsules is left as it is.
    let dented = Counted::Reject(Reason::new("dented"));
    assert_eq!(units.own(&dented, Count::exact(7)), Count::exact(7));
}

/// Capsules that are counted as such are charted as such, and a speed is one of capsules always.
#[test]
fn exact_capsules_and_speeds_have_no_unit_of_their_own() {
    let maps = [map(CF01), map(BC05)];
    let one = |name: &str| Output::one(StationId::new(name));
    let none = CounterUnits::default();
    let filler = Measure::RejectFraction { stations: one("CF01") };
    assert_eq!(CounterUnits::of(&filler, &maps), none);
    assert_eq!(CounterUnits::of(&Measure::Speed { stations: one("BC05") }, &maps), none);
    let fraction = Measure::RejectFraction { stations: one("BC05") };
    assert_eq!(CounterUnits::of(&fraction, &maps).unit(), Some("bottles"));
}
