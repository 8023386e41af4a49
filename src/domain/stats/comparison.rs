//! Whether two fractions differ by more than chance.
//!
//! The test is the pooled two-proportion test (NIST/SEMATECH e-Handbook 7.3.3): `z²` is Pearson's χ² of the table of
//! four cells. Rejects of a machine vary more from hour to hour than the binomial law allows; where hours are known, the
//! variance is multiplied by what they show (quasi-likelihood: McCullagh & Nelder 1989, 4.5) and `z` is judged as a
//! Student t with the degrees of freedom of that estimate. Without this nearly every shift would differ from the one
//! before.

use super::distribution::{beta_tails, normal_sf};
use super::quantile;

/// The normal law needs so many expected in each cell.
const EXPECTED_AT_LEAST: f64 = 5.0;
/// Fewer degrees of freedom tell nothing of the dispersion.
const DF_AT_LEAST: u64 = 4;

/// How far two fractions lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Second fraction less the first.
    pub difference: f64,
    /// Difference in standard errors; positive when the second is larger.
    pub z: f64,
    /// Probability of such a difference or more, to either side, when there is none.
    pub p_value: f64,
}

/// How much more than binomial the parts of two groups vary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dispersion {
    /// Pearson's χ² within the groups over its degrees of freedom, at least one.
    pub ratio: f64,
    /// Degrees of freedom.
    pub df: u64,
}

impl Dispersion {
    /// The factor of a standard error at this confidence, two-sided, in those of the binomial law: `t √φ` with the degrees of
    /// freedom of the estimate. None where the binomial law holds, and for a confidence that is none.
    pub fn factor(&self, confidence: f64) -> Option<f64> {
        let t = -quantile::student_t((1.0 - confidence) / 2.0, self.df as f64)?;
        (self.ratio > 1.0).then(|| t * self.ratio.sqrt())
    }

    /// The dispersion within groups of parts `(rejected, total)`, each around the fraction of its group. Parts in
    /// which fewer than five are expected are left out. `None` when too few parts remain.
    pub fn within(groups: &[&[(u64, u64)]]) -> Option<Dispersion> {
        let (mut chi2, mut df) = (0.0, 0);
        for group in groups {
            let (x, n) = group
                .iter()
                .fold((0.0, 0.0), |(x, n), part| (x + part.0 as f64, n + part.1 as f64));
            let p = x / n;
            let usable = |part: &&(u64, u64)| part.1 as f64 * p >= EXPECTED_AT_LEAST;
            if !(p > 0.0 && p < 1.0) {
                continue;
            }
            let parts: Vec<_> = group.iter().filter(usable).collect();
            chi2 += parts
                .iter()
                .map(|part| {
                    let n = part.1 as f64;
                    (part.0 as f64 - n * p).powi(2) / (n * p * (1.0 - p))
                })
                .sum::<f64>();
            df += (parts.len() as u64).saturating_sub(1);
        }
        (df >= DF_AT_LEAST && chi2.is_finite())
            .then(|| Dispersion { ratio: (chi2 / df as f64).max(1.0), df })
    }
}

/// Compares `x` among `n` with another such pair. `None` when one of the four cells is expected to hold fewer than five.
pub fn two_proportions(
    (x1, n1): (u64, u64),
    (x2, n2): (u64, u64),
    dispersion: Option<Dispersion>,
) -> Option<Comparison> {
    if x1 > n1 || x2 > n2 {
        return None;
    }
    let (n1, n2) = (n1 as f64, n2 as f64);
    let p = (x1 as f64 + x2 as f64) / (n1 + n2);
    let expected = p.min(1.0 - p) * n1.min(n2);
    if expected.is_nan() || expected < EXPECTED_AT_LEAST {
        return None;
    }
    let difference = x2 as f64 / n2 - x1 as f64 / n1;
    let ratio = dispersion.map_or(1.0, |dispersion| dispersion.ratio);
    let z = difference / (ratio * p * (1.0 - p) * (1.0 / n1 + 1.0 / n2)).sqrt();
    let p_value = match dispersion {
        Some(Dispersion { df, .. }) => student_both_tails(z, df as f64)?,
        None => 2.0 * normal_sf(z.abs()),
    };
    Some(Comparison { difference, z, p_value: p_value.min(1.0) })
}

/// `P(|T| > |t|)` of Student's law: the incomplete beta function at `df / (df + t²)`.
pub fn student_both_tails(t: f64, df: f64) -> Option<f64> {
    beta_tails(df / 2.0, 0.5, df / (df + t * t)).map(|(lower, _)| lower)
}

/// Holm's adjustment of several p-values (Scandinavian Journal of Statistics 6, 1979): the chance of a single false
/// alarm among all of them stays below the level they are compared with.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, i) in order.into_iter().enumerate() {
        least = least.max((p_values[i] * (p_values.len() - rank) as f64).min(1.0));
        adjusted[i] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::distribution::chi_square_sf;

    #[test]
    fn z_squared_is_the_chi_square_of_the_four_cells() {
        for ((x1, n1), (x2, n2)) in [((12, 200), (30, 180)), ((4_100, 900_000), (4_500, 910_000))] {
            let found = two_proportions((x1, n1), (x2, n2), None).unwrap();
            let total = (n1 + n2) as f64;
            let cell = |seen: u64, row: u64, column: u64| {
                let expected = row as f64 * column as f64 / total;
                (seen as f64 - expected).powi(2) / expected
            };
            let (hits, misses) = (x1 + x2, n1 + n2 - x1 - x2);
            let chi2 = cell(x1, n1, hits)
                + cell(x2, n2, hits)
                + cell(n1 - x1, n1, misses)
                + cell(n2 - x2, n2, misses);
            assert!((found.z * found.z / chi2 - 1.0).abs() < 1e-9);
            assert!((found.p_value / chi_square_sf(chi2, 1.0) - 1.0).abs() < 1e-9);
        }
    }

    /// Fleiss 1981, Statistical Methods for Rates and Proportions, p. 139, as in the help of R's `prop.test`: smokers
    /// among patients of the first two of four studies, 83 of 86 and 90 of 93: `prop.test(c(83, 90), c(86, 93),
    /// correct = FALSE)` refuses its approximation, because three non-smokers are fewer than five.
    #[test]
    fn too_few_are_not_judged() {
        assert_eq!(two_proportions((83, 86), (90, 93), None), None);
        assert_eq!(two_proportions((0, 100), (0, 100), None), None);
        assert_eq!(two_proportions((0, 0), (5, 10), None), None);
        assert_eq!(two_proportions((11, 10), (5, 10), None), None);
    }

    #[test]
    fn a_student_with_many_degrees_of_freedom_is_normal_and_with_few_is_cautious() {
        // Two-sided 5 % points of Student's table.
        for (df, t) in [(4.0, 2.776_445), (10.0, 2.228_139), (30.0, 2.042_272)] {
            assert!((student_both_tails(t, df).unwrap() - 0.05).abs() < 1e-6, "{df}");
        }
        let normal = 2.0 * normal_sf(1.96);
        assert!((student_both_tails(1.96, 1e7).unwrap() - normal).abs() < 1e-6);
    }

    #[test]
    fn hours_that_vary_take_a_verdict_back() {
        let calm: Vec<(u64, u64)> = vec![(400, 100_000); 8];
        let calm_more = vec![(440, 100_000); 8];
        let wild: Vec<_> = [200, 600, 250, 550, 300, 500, 350, 450].map(|x| (x, 100_000)).into();
        let wild_more: Vec<_> = wild.iter().map(|(x, n)| (x + 40, *n)).collect();
        let sum = |parts: &[(u64, u64)]| {
            parts.iter().fold((0, 0), |(x, n), part| (x + part.0, n + part.1))
        };
        let p = |a: &[(u64, u64)], b: &[(u64, u64)]| {
            two_proportions(sum(a), sum(b), Dispersion::within(&[a, b])).unwrap().p_value
        };
        assert!(p(&calm, &calm_more) < 0.01);
        assert!(p(&wild, &wild_more) > 0.2);
        // The plain test sees no difference between the two pairs: their sums are the same.
        assert!(two_proportions(sum(&wild), sum(&wild_more), None).unwrap().p_value < 0.01);
    }

    #[test]
    fn dispersion_needs_parts_and_is_never_below_one() {
        assert_eq!(Dispersion::within(&[&[(4, 1_000); 4]]), None);
        let even = Dispersion::within(&[&[(400, 100_000); 9]]).unwrap();
        assert_eq!((even.ratio, even.df), (1.0, 8));
    }

    /// Holm's procedure by hand: 0.01·3, max(0.03·2), max(0.04·1).
    #[test]
    fn holm_is_stepwise() {
        let adjusted = holm(&[0.04, 0.01, 0.03]);
        for (found, expected) in adjusted.iter().zip([0.06, 0.03, 0.06]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert!(holm(&[]).is_empty());
    }
}
