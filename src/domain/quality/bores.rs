//! Weights of samples bore by bore: which bores fill differently from the others.
//!
//! A bore is compared with the median of all bores, which one that is off does not move, by Student's test with the
//! variance within bores, which it does not widen. The median of means of `N` weights has the variance `π/2 · σ²/N`.
//! P-values are adjusted for the number of bores after Holm.

use crate::line::weight::Moments;
use crate::stats::comparison::{holm, student_both_tails};
use crate::stats::quantile::median;

/// Weights that a bore must have to be compared.
const LEAST: u64 = 2;
/// Degrees of freedom below which the variance within bores is no measure.
const LEAST_DF: u64 = 10;

/// A bore beside the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bore {
    /// Which, from 1.
    pub bore: u16,
    /// Its weights.
    pub moments: Moments,
    /// Its mean less the median of the means of all bores, milligrams; none where there is no other.
    pub difference_mg: Option<f64>,
    /// Probability of such a difference by chance, adjusted for the number of bores; none where there are too few weights.
    pub p_value: Option<f64>,
}

/// Compares bores with each other, in their given order.
pub fn compare(bores: &[(u16, Moments)]) -> Vec<Bore> {
    let means: Vec<f64> = bores.iter().filter_map(|(_, moments)| moments.mean_mg()).collect();
    let middle = median(&means).filter(|_| means.len() > 1);
    let all: u64 = bores.iter().map(|(_, moments)| moments.n()).sum();
    let pooled = pooled_variance(bores);
    let mut found: Vec<Bore> = bores
        .iter()
        .map(|(bore, moments)| {
            let n = moments.n();
            let difference_mg = moments.mean_mg().zip(middle).map(|(own, middle)| own - middle);
            let p_value = difference_mg.zip(pooled).filter(|_| n >= LEAST).and_then(
                |(difference, (variance, df))| {
                    let parts = 1.0 / n as f64 + std::f64::consts::FRAC_PI_2 / all as f64;
                    let error = (variance * parts).sqrt();
                    if error > 0.0 { student_both_tails(difference / error, df) } else { None }
                },
            );
            Bore { bore: *bore, moments: *moments, difference_mg, p_value }
        })
        .collect();
    let given: Vec<f64> = found.iter().filter_map(|bore| bore.p_value).collect();
    let mut adjusted = holm(&given).into_iter();
    for bore in found.iter_mut().filter(|bore| bore.p_value.is_some()) {
        bore.p_value = adjusted.next();
    }
    found
}

/// Variance within bores in square milligrams, and its degrees of freedom; none where these are too few.
fn pooled_variance(bores: &[(u16, Moments)]) -> Option<(f64, f64)> {
    let spread = |moments: &Moments| {
        let sd = moments.sd_mg()?;
        Some((sd * sd * (moments.n() - 1) as f64, moments.n() - 1))
    };
    let parts = bores.iter().filter_map(|(_, moments)| spread(moments));
    let (squares, df) = parts.fold((0.0, 0), |(s, d), (square, df)| (s + square, d + df));
    (df >= LEAST_DF).then(|| (squares / df as f64, df as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(mg: &[f64]) -> Moments {
        mg.iter().map(|mg| Moments::one((mg * 1e3).round() as u64)).sum()
    }

    /// Ten bores that differ by chance, and one that is 6 mg too light.
    #[test]
    fn a_bore_that_fills_differently_stands_out_and_the_others_do_not() {
        let even = [499.0, 501.0, 500.5, 499.5, 500.2, 499.8];
        let mut bores: Vec<(u16, Moments)> = (1..=10).map(|bore| (bore, weights(&even))).collect();
        assert!(compare(&bores).iter().all(|bore| bore.p_value == Some(1.0)));
        bores.push((11, weights(&even.map(|mg| mg - 6.0))));
        let found = compare(&bores);
        let light = found[10];
        assert!(light.difference_mg.is_some_and(|mg| (mg + 6.0).abs() < 1e-9), "{light:?}");
        assert!(light.p_value.is_some_and(|p| p < 1e-6), "{light:?}");
        assert!(found[..10].iter().all(|bore| bore.p_value.is_some_and(|p| p > 0.05)));
    }

    /// By hand: means 10 and 12 of four weights each with variance 1 have 6 degrees of freedom, which are too few. With
    /// twelve each, t = -1 / √(1/12 + π/48) = -2.593 with 22 of them, p = 0.0166, twice that after Holm.
    #[test]
    fn the_test_is_that_of_student_and_needs_enough_weights() {
        let bore = |mean: f64, n: usize| {
            // n values with sample variance 1: half of them d above, half d below.
            let d = (((n - 1) as f64) / n as f64).sqrt();
            weights(&(0..n).map(|i| mean + if i % 2 == 0 { d } else { -d }).collect::<Vec<_>>())
        };
        let few = compare(&[(1, bore(10.0, 4)), (2, bore(12.0, 4))]);
        assert!(few.iter().all(|bore| bore.p_value.is_none()));
        let enough = compare(&[(1, bore(10.0, 12)), (2, bore(12.0, 12))]);
        let p = enough[0].p_value.unwrap_or_default();
        assert!((0.0328..0.0336).contains(&p), "{p}");
        assert_eq!(enough[0].p_value, enough[1].p_value);
    }

    #[test]
    fn a_single_bore_has_nothing_to_be_compared_with() {
        let alone = compare(&[(7, weights(&[500.0; 20]))]);
        assert_eq!((alone[0].difference_mg, alone[0].p_value), (None, None));
        assert!(compare(&[]).is_empty());
    }
}
