//! The sums of weights, against the definitions and by laws.

use proptest::prelude::*;

use super::{Account, HEAVIEST_UG, Moments, Series, WeightTally, book};
use crate::stats::summary;
use crate::units::StationId;

fn of(weights: &[u64]) -> Moments {
    weights.iter().map(|ug| Moments::one(*ug)).sum()
}

/// NIST StRD, NumAcc3: a spread of 0.1 about 1,000,000.2 (here in units of 0.1 µg): the textbook formula in floats loses
/// it, whole numbers do not.
#[test]
fn a_small_spread_beside_a_large_mean_is_not_lost() {
    let weights: Vec<u64> = std::iter::once(1_000_002)
        .chain((0..1_000).map(|i| if i % 2 == 0 { 1_000_001 } else { 1_000_003 }))
        .collect();
    let moments = of(&weights);
    assert_eq!(moments.n(), 1_001);
    assert_eq!(moments.mean_mg(), Some(1_000.002));
    assert_eq!(moments.sd_mg(), Some(0.001), "certified: 0.1 in its own units");
}

#[test]
fn statistics_come_out_as_they_went_in() {
    for (n, mean_mg, sd_mg) in [(6_479, 595.882_3, 9.412_7), (1, 596.0, 0.0), (20, 500.1, 7.25)] {
        let moments = Moments::of_statistics(n, mean_mg, sd_mg).unwrap();
        assert_eq!(moments.n(), n);
        assert!((moments.mean_mg().unwrap() - mean_mg).abs() < 1e-3);
        match n {
            1 => assert_eq!(moments.sd_mg(), None),
            _ => assert!((moments.sd_mg().unwrap() - sd_mg).abs() < 1e-6),
        }
    }
}

#[test]
fn what_cannot_be_weights_is_none() {
    for (n, mean_mg, sd_mg) in [
        (0, 596.0, 9.0),
        (20, f64::NAN, 9.0),
        (20, 596.0, f64::NAN),
        (20, f64::INFINITY, 9.0),
        (20, -1.0, 9.0),
        (20, 0.0, 0.0),
        (20, 596.0, -0.1),
        (20, 1e7, 9.0),
        (u64::MAX, 596.0, 9.0),
    ] {
        assert_eq!(Moments::of_statistics(n, mean_mg, sd_mg), None, "{n} {mean_mg} {sd_mg}");
    }
}

proptest! {
    #[test]
    fn parts_combine_to_the_whole(
        weights in prop::collection::vec(1..HEAVIEST_UG, 0..200), cuts in prop::collection::vec(0..200_usize, 0..6),
    ) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| (*cut).min(weights.len())).collect();
        ends.extend([0, weights.len()]);
        ends.sort_unstable();
        let parts: Moments = ends.windows(2).map(|w| of(&weights[w[0]..w[1]])).sum();
        let mut backwards = weights.clone();
        backwards.reverse();
        prop_assert_eq!(parts, of(&weights));
        prop_assert_eq!(of(&backwards), of(&weights));
    }

    #[test]
    fn mean_and_spread_are_those_of_the_values(weights in prop::collection::vec(1..HEAVIEST_UG, 2..60)) {
        let mg: Vec<f64> = weights.iter().map(|ug| *ug as f64 / 1e3).collect();
        let moments = of(&weights);
        let (mean, sd) = (summary::mean(&mg).unwrap(), summary::sd(&mg).unwrap());
        prop_assert!((moments.mean_mg().unwrap() - mean).abs() <= 1e-12 * mean);
        prop_assert!((moments.sd_mg().unwrap() - sd).abs() <= 1e-9 * sd.max(1e-3));
    }

    #[test]
    fn booking_adds_and_keeps_order(bores in prop::collection::vec((0..4_u16, 1..1_000_u64), 0..40)) {
        let mut tallies = Vec::new();
        for (bore, ug) in &bores {
            let tally = WeightTally {
                moments: Moments::one(*ug),
                account: Account { records: 1, ..Account::default() },
                ..WeightTally::nothing(StationId::new("CW04"), Series::Sample, *bore)
            };
            book(&mut tallies, &tally);
        }
        prop_assert!(tallies.windows(2).all(|w| w[0].bore < w[1].bore));
        let total: Moments = tallies.iter().map(|t| t.moments).sum();
        prop_assert_eq!(total, bores.iter().map(|(_, ug)| Moments::one(*ug)).sum());
        prop_assert_eq!(tallies.iter().map(|t| t.account.records).sum::<u32>(), bores.len() as u32);
    }
}

/// One or two weights come back as they went in; of more, or of sums that no two weights have, none is made up.
#[test]
fn up_to_two_weights_are_told_by_their_sums() {
    let sums = |weights: &[u64]| weights.iter().map(|ug| Moments::one(*ug)).sum::<Moments>();
    for weights in [&[][..], &[500_123], &[494_000, 501_337], &[7, 7], &[1, 10_000_000]] {
        assert_eq!(sums(weights).singles_ug().as_deref(), Some(weights));
    }
    assert_eq!(sums(&[500_800, 499_200]).singles_ug(), Some(vec![499_200, 500_800]));
    assert_eq!(sums(&[1, 2, 3]).singles_ug(), None);
    // 10 and an odd sum, and squares that are too small or no square apart.
    for (sum, squares) in [(10, 51), (10, 49), (11, 62), (10, 0)] {
        assert_eq!(Moments::stored(2, sum, squares).singles_ug(), None, "{sum} {squares}");
    }
    let beyond = Moments::stored(2, u64::MAX, u128::MAX);
    assert_eq!(beyond.singles_ug(), None);
}
