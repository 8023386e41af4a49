use super::*;
use crate::line::minute::{Tally, TimeSplit};
use crate::line::rollup::{PeriodKind, Spending};
use crate::units::{HOUR_US, MINUTE_US, Reason, StationId};

const POLICY: Policy = Policy::per_minute(6_500);

fn station() -> StationId {
    StationId::new("CF01")
}

/// A period of so many minutes `[run, internal, external, planned, idle, unknown]`.
fn period(minutes: [i64; 6], setup: i64, counts: [(Counted, Count); 4]) -> Rollup {
    let tally = |(counted, count)| Tally { station: station(), counted, count };
    Rollup {
        kind: PeriodKind::Shift,
        name: "A".into(),
        start_us: 0,
        end_us: Some(12 * HOUR_US),
        rev: 1,
        closed: true,
        remark: None,
        estimated: false,
        spending: Spending {
            time: TimeSplit(minutes.map(|n| n * MINUTE_US)),
            setup_us: setup * MINUTE_US,
            failures: 4,
            ..Spending::default()
        },
        counts: counts.map(tally).into(),
        gaps: Vec::new(),
    }
}

fn counts(good: u64, rejected: u64, samples: u64) -> [(Counted, Count); 4] {
    let startup = Counted::Reject(Reason::new("startup_discard"));
    [
        (Counted::Infeed, Count::exact(good + rejected + samples)),
        (Counted::Good, Count::exact(good)),
        (startup, Count::exact(rejected)),
        (Counted::Sample, Count::exact(samples)),
    ]
}

fn is(found: Option<Ratio>, num: u128, den: u128) {
    assert_eq!(found, Ratio::new(num, den));
}

#[test]
fn the_elements_of_the_standard_are_taken_from_a_shift() {
    // 720 minutes: 80 planned, of which 60 set-up; nothing is known of 20.
    let shift = period([540, 40, 30, 80, 10, 20], 60, counts(3_000_000, 9_000, 1_000));
    let kpis = Kpis::of(&shift, &station(), &POLICY);
    is(kpis.availability, 540, 700);
    is(kpis.effectiveness, 3_010_000, 6_500 * 540);
    is(kpis.quality_ratio, 3_001_000, 3_010_000);
    is(kpis.oee, 3_001_000, 6_500 * 700);
    is(kpis.nee, 600 * 3_001_000, 540 * 6_500 * 700);
    is(kpis.coverage, 680, 700);
    is(kpis.throughput_per_minute, 3_010_000, 700);
    is(kpis.allocation_efficiency, 680, 700);
    is(kpis.utilisation_efficiency, 540, 680);
    is(kpis.technical_efficiency, 540, 620);
    is(kpis.setup_ratio, 60, 600);
    is(kpis.scrap_ratio, 9_000, 3_010_000);
    is(kpis.first_pass_yield, 3_001_000, 3_010_000);
    is(kpis.mtbf_us, 600 * 60_000_000, 4);
    is(kpis.mttr_us, 40 * 60_000_000, 4);
    let strict = Policy { samples_are_good: false, ..POLICY };
    is(Kpis::of(&shift, &station(), &strict).quality_ratio, 3_000_000, 3_010_000);
}

#[test]
fn an_empty_period_has_no_kpi_at_all() {
    let nothing = period([0; 6], 0, counts(0, 0, 0));
    let kpis = Kpis::of(&nothing, &station(), &POLICY);
    let all = [kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.oee, kpis.nee];
    assert_eq!(all, [None; 5]);
    assert_eq!((kpis.oee_between, kpis.coverage, kpis.above_ideal), (None, None, false));
    // A shift that was planned away is undefined too, not 100 %.
    let planned = period([0, 0, 0, 720, 0, 0], 0, counts(0, 0, 0));
    assert_eq!(Kpis::of(&planned, &station(), &POLICY).availability, None);
}

#[test]
fn faster_than_ideal_is_reported_and_flagged() {
    let fast = period([60, 0, 0, 0, 0, 0], 0, counts(400_000, 0, 0));
    let kpis = Kpis::of(&fast, &station(), &POLICY);
    assert!(kpis.above_ideal);
    is(kpis.effectiveness, 400_000, 390_000);
}

#[test]
fn unknown_time_and_doubtful_counts_widen_oee() {
    let mut hour = period([30, 0, 0, 0, 0, 30], 0, counts(0, 0, 0));
    hour.counts[1].count = Count::between(195_000, 195_000, 390_000);
    let kpis = Kpis::of(&hour, &station(), &POLICY);
    is(kpis.oee, 1, 2);
    let (low, high) = kpis.oee_between.unwrap();
    assert!(low == Ratio::new(1, 2).unwrap() && high >= Ratio::ONE, "{low:?} {high:?}");
    is(kpis.coverage, 1, 2);
}

#[test]
fn the_total_of_periods_is_that_of_their_sums() {
    let full = period([60, 0, 0, 0, 0, 0], 0, counts(390_000, 0, 0));
    let poor = period([60, 540, 0, 0, 0, 0], 0, counts(390_000, 0, 0));
    let total = Kpis::of_all([&full, &poor], &station(), &POLICY);
    is(total.oee, 2, 11);
}
