use proptest::prelude::*;

use super::*;
use crate::units::{HOUR_US, MINUTE_US};

const IDEAL: Cycle = Cycle::per_minute(6_500);

fn shift() -> Elements {
    Elements {
        planned_busy_us: 420 * MINUTE_US as u64,
        production_us: 373 * MINUTE_US as u64,
        setup_us: 20 * MINUTE_US as u64,
        unit_busy_us: 410 * MINUTE_US as u64,
        order_us: 8 * HOUR_US as u64,
        delay_us: 17 * MINUTE_US as u64,
        produced: 2_000_000,
        good: 1_990_000,
        scrap: 8_000,
        good_first: 1_988_000,
        inspected: 2_000_000,
        failures: 4,
        between_failures_us: 393 * MINUTE_US as u64,
        repair_us: 17 * MINUTE_US as u64,
        ..Elements::default()
    }
}

#[test]
fn kpis_follow_the_formulas_of_the_standard() {
    let shift = shift();
    let is = |found: Option<Ratio>, num, den| assert_eq!(found, Ratio::new(num, den));
    is(shift.availability(), 373, 420);
    is(shift.effectiveness(IDEAL), 2_000_000 * 60, 6_500 * 373 * 60);
    is(shift.quality_ratio(), 199, 200);
    is(shift.oee(IDEAL), 1_990_000, 6_500 * 420);
    is(shift.nee(IDEAL), 393 * 1_990_000, 373 * 6_500 * 420);
    is(shift.throughput_per_minute(), 2_000_000, 480);
    is(shift.allocation_efficiency(), 41, 42);
    is(shift.utilisation_efficiency(), 373, 410);
    is(shift.technical_efficiency(), 373, 390);
    is(shift.setup_ratio(), 20, 393);
    is(shift.scrap_ratio(), 1, 250);
    is(shift.first_pass_yield(), 497, 500);
    is(shift.mtbf_us(), 393 * 60_000_000, 4);
    is(shift.mttr_us(), 17 * 60_000_000, 4);
}

#[test]
fn without_a_denominator_a_kpi_is_undefined() {
    let nothing = Elements::default();
    let all = [
        nothing.availability(),
        nothing.effectiveness(IDEAL),
        nothing.quality_ratio(),
        nothing.oee(IDEAL),
        nothing.nee(IDEAL),
        nothing.throughput_per_minute(),
        nothing.allocation_efficiency(),
        nothing.utilisation_efficiency(),
        nothing.technical_efficiency(),
        nothing.setup_ratio(),
        nothing.scrap_ratio(),
        nothing.first_pass_yield(),
        nothing.mtbf_us(),
        nothing.mttr_us(),
        nothing.coverage(),
        shift().oee(Cycle::per_minute(0)),
    ];
    assert_eq!(all, [None; 16]);
    assert_eq!(nothing.oee_between(IDEAL, Count::exact(5)), None);
}

/// Shows: CNT-10
#[test]
fn unknown_time_widens_oee_and_lowers_coverage() {
    let hour = Elements {
        planned_busy_us: HOUR_US as u64,
        production_us: 40 * MINUTE_US as u64,
        unknown_us: 10 * MINUTE_US as u64,
        ..Elements::default()
    };
    let made = Count::exact(40 * 6_500);
    let (low, high) = hour.oee_between(IDEAL, made).unwrap();
    assert_eq!((low, high), (Ratio::new(40, 60).unwrap(), Ratio::new(50, 60).unwrap()));
    assert_eq!(hour.coverage(), Ratio::new(5, 6));
    let (low, high) = hour.oee_between(IDEAL, Count::between(0, 0, 40 * 6_500)).unwrap();
    assert_eq!((low, high), (Ratio::ZERO, Ratio::new(50, 60).unwrap()));

    let blind = Elements { production_us: 0, unknown_us: HOUR_US as u64, ..hour };
    assert_eq!(blind.oee_between(IDEAL, Count::ZERO), Some((Ratio::ZERO, Ratio::ONE)));
}

proptest! {
    /// Stops shorter than a limit count as running. Wherever the limit lies, OEE is the same.
    #[test]
    fn oee_does_not_move_with_the_limit_of_micro_stops(
        stops_s in prop::collection::vec(1u64..1_200, 0..30),
        limit_s in 0u64..1_300,
        produced in 1u64..4_000_000,
        bad in 0u64..10_000,
    ) {
        let lost_s: u64 = stops_s.iter().filter(|stop| **stop >= limit_s).sum();
        let shift = Elements {
            planned_busy_us: 40_000_000_000,
            production_us: (40_000 - lost_s) * 1_000_000,
            produced,
            good: produced.saturating_sub(bad),
            ..Elements::default()
        };
        let product = shift.availability().unwrap()
            .times(shift.effectiveness(IDEAL).unwrap())
            .times(shift.quality_ratio().unwrap());
        let identity = Ratio::new(u128::from(shift.good) * 60_000_000, 6_500 * 40_000_000_000);
        prop_assert_eq!(Some(product), identity);
        prop_assert_eq!(shift.oee(IDEAL), identity);
    }

    #[test]
    fn fractions_compare_and_calculate_like_numbers(
        (a, b) in (any::<u32>(), 1u32..),
        (c, d) in (any::<u32>(), 1u32..),
    ) {
        let (a, b, c, d) = (u128::from(a), u128::from(b), u128::from(c), u128::from(d));
        let (x, y) = (Ratio::new(a, b).unwrap(), Ratio::new(c, d).unwrap());
        prop_assert_eq!(x.cmp(&y), (a * d).cmp(&(c * b)));
        prop_assert_eq!(Some(x.plus(y)), Ratio::new(a * d + c * b, b * d));
        prop_assert_eq!(Some(x.times(y)), Ratio::new(a * c, b * d));
        prop_assert_eq!(x.over(y), Ratio::new(a * d, b * c));
    }

    #[test]
    fn decimals_are_what_was_written(micros in 0u64..1_000_000_000_000) {
        let written: f64 = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000).parse().unwrap();
        prop_assert_eq!(Ratio::decimal(written), Ratio::new(u128::from(micros), 1_000_000));
    }

    /// Beyond 128 bits the error stays far below that of a float.
    #[test]
    fn large_fractions_lose_next_to_nothing(a in any::<[u64; 4]>(), b in any::<[u64; 4]>()) {
        let wide = |[a, b, c, d]: [u64; 4]| {
            Ratio::new(u128::from(a | 1 << 63) * u128::from(b | 1 << 63), u128::from(c | 1 << 63) * u128::from(d | 1 << 63))
        };
        let (x, y) = (wide(a).unwrap(), wide(b).unwrap());
        let close = |found: Ratio, wanted: f64| (found.value() / wanted - 1.0).abs() < 1e-14;
        prop_assert!(close(x.plus(y), x.value() + y.value()));
        prop_assert!(close(x.times(y), x.value() * y.value()));
        prop_assert!(close(x.over(y).unwrap(), x.value() / y.value()));
    }
}
