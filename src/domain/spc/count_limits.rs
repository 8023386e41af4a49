//! Probability limits of counts: quantiles of the law of the count itself instead of multiples of sigma.
//!
//! A count with a mean of six is skewed: above `CL + 3 σ` lie 0.4 % of its values, three times what the normal law says,
//! and below `CL - 3 σ`, which is negative, none. So is any count whose rate is now and then many times its mean.
//! Montgomery 7.3 and ISO 7870-2 have such limits drawn from the law. The
//! law here is the negative binomial with the mean `CL n` and the variance `CL n σz² (1 + 1/m)`:
//!
//! - with `σz = 1` it is the prediction law of a Poisson count whose rate is known from `m` subgroups of that size only
//!   (gamma-Poisson), so that limits of a short baseline are as wide as what is not known of the centre makes them;
//! - `σz > 1` widens it as Laney's factor does, to a rate that wanders from subgroup to subgroup: as a gamma law, which has
//!   the variance of Laney's limits and the skewness that they leave out.
//!
//! With many subgroups and large counts both go over into `CL ± k σz √(CL / n)`.

use super::attribute::{Family, Subgroup};
use super::chart::{Judge, Point, Settings};
use crate::stats::distribution::{beta_tails, normal_sf};
use crate::stats::quantile::normal;

/// Where Φ has no digits left.
const FARTHEST: f64 = 37.0;

/// A variance ratio of exactly one has no gamma law; this one is Poisson to six digits.
const POISSON: f64 = 1.0 + 1e-6;

/// The law of a chart of small counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountLaw {
    /// The rate: Σ count / Σ size.
    center: f64,
    /// Variance of a count over its mean.
    ratio: f64,
    /// The limits lie where a normal law has `k` sigma.
    k: f64,
}

impl CountLaw {
    /// The law of a baseline of `n_used` subgroups with this rate and Laney's factor `sigma_z`, not taken below one. Each
    /// limit is passed with the probability `1 - Φ(k)`, or less as counts are whole.
    pub fn new(center: f64, sigma_z: f64, n_used: usize, k: f64) -> CountLaw {
        let unknown = 1.0 + 1.0 / n_used.max(1) as f64;
        CountLaw { center, ratio: (sigma_z.max(1.0).powi(2) * unknown).max(POISSON), k }
    }

    /// A subgroup with its limits, not judged. `None` when it is missing, empty or the law is no law.
    pub fn draw(&self, subgroup: Option<Subgroup>) -> Option<Point> {
        let Subgroup { count, size } = Family::U.usable(subgroup)?;
        let (law, alpha) = (self.at(size)?, normal_sf(self.k));
        Some(Point {
            stat: Some(count / size),
            cl: Some(self.center),
            lcl: Some(law.least(alpha, self.k) / size),
            ucl: Some(law.most(alpha, self.k) / size),
            sigma: Some(law.sd() / size),
            ..Point::default()
        })
    }

    /// The normal score of a count: that of the middle of its step. It is beyond `k` only outside of the drawn limits, so
    /// that what is drawn is what judges.
    fn score(&self, subgroup: Subgroup, point: &Point) -> Option<f64> {
        let law = self.at(subgroup.size)?;
        let x = subgroup.count;
        let (below, above) = law.beside(x);
        let (at_most, more) = law.tails(x)?;
        let (low, high) = (0.5 * (below + at_most), 0.5 * (above + more));
        let of_tail = |p: f64| normal(p).map_or(FARTHEST, |z| (-z).min(FARTHEST));
        let z = if low < high { -of_tail(low) } else { of_tail(high) };
        // A count is compared with a count: a rate may differ from its limit by rounding.
        let on = |limit: Option<f64>| limit.map(|limit| (limit * subgroup.size).round());
        let outside = on(point.lcl).is_some_and(|least| x < least)
            || on(point.ucl).is_some_and(|most| x > most);
        let k = self.k;
        Some(if outside { z.signum() * z.abs().max(k * (1.0 + 1e-6)) } else { z.clamp(-k, k) })
    }

    fn at(&self, size: f64) -> Option<NegativeBinomial> {
        let mean = self.center * size;
        let usable = mean > 0.0 && mean.is_finite() && self.ratio.is_finite();
        usable.then_some(NegativeBinomial { mean, ratio: self.ratio })
    }
}

/// A negative binomial law by its mean and by its variance over its mean.
#[derive(Clone, Copy, Debug)]
struct NegativeBinomial {
    mean: f64,
    ratio: f64,
}

impl NegativeBinomial {
    fn sd(&self) -> f64 {
        (self.mean * self.ratio).sqrt()
    }

    /// `(P(X <= x), P(X > x))`.
    fn tails(&self, x: f64) -> Option<(f64, f64)> {
        beta_tails(self.mean / (self.ratio - 1.0), x + 1.0, 1.0 / self.ratio)
    }

    /// `(P(X < x), P(X >= x))`.
    fn beside(&self, x: f64) -> (f64, f64) {
        if x < 1.0 { (0.0, 1.0) } else { self.tails(x - 1.0).unwrap_or((1.0, 0.0)) }
    }

    /// The largest count that is no less likely than `alpha` to be reached.
    fn most(&self, alpha: f64, k: f64) -> f64 {
        last(self.guess(k), |x| self.beside(x).1 >= alpha)
    }

    /// The smallest count up to which no less than `alpha` lies.
    fn least(&self, alpha: f64, k: f64) -> f64 {
        let under = |x: f64| self.tails(x).is_some_and(|tails| tails.0 < alpha);
        if under(0.0) { last(self.guess(-k), under) + 1.0 } else { 0.0 }
    }

    /// Near the quantile at `k` sigma (Cornish & Fisher 1938, to the skewness).
    fn guess(&self, k: f64) -> f64 {
        let skewness = (2.0 * self.ratio - 1.0) / self.sd();
        (self.mean + self.sd() * (k + (k * k - 1.0) / 6.0 * skewness)).max(0.0).floor()
    }
}

/// The factor `sigma_z`, or the larger one under which the largest of a baseline's `(count, size)` is no rarer than one in
/// twice as many: the largest of `m` values has the plotting position `1 - 1 / 2m` (Hazen 1914). A rate that is now and then
/// many times its mean has more of its spread in a few subgroups than a standard deviation tells of its tail.
pub fn reaching(center: f64, sigma_z: f64, used: &[(f64, f64)]) -> f64 {
    let z = |(count, size): &&(f64, f64)| (count - center * size) / (center * size).sqrt();
    let Some((count, size)) = used.iter().max_by(|a, b| z(a).total_cmp(&z(b))) else {
        return sigma_z;
    };
    let (mean, share) = (center * size, 0.5 / used.len() as f64);
    let reached = |ratio: f64| {
        let ratio = ratio.max(POISSON);
        NegativeBinomial { mean, ratio }.beside(*count).1
    };
    let mut low = sigma_z * sigma_z;
    let mut at_low = reached(low);
    // A law that is spread ever wider around the same mean is in the end nothing but zeros: the chance falls again.
    while at_low < share {
        let high = 1.25 * low;
        let at_high = reached(high);
        if at_high <= at_low {
            break;
        }
        if at_high >= share {
            let (mut under, mut over) = (low, high);
            while over - under > 1e-9 * over {
                let middle = 0.5 * (under + over);
                if reached(middle) < share { under = middle } else { over = middle }
            }
            return over.sqrt();
        }
        (low, at_low) = (high, at_high);
    }
    low.sqrt()
}

/// The last whole number of which `holds` is true, if it is true of 0 and, from some number on, false.
fn last(guess: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut yes, mut no, mut step) = (guess, guess, 1.0);
    if holds(guess) {
        loop {
            no = yes + step;
            if !holds(no) {
                break;
            }
            (yes, step) = (no, 2.0 * step);
        }
    } else {
        loop {
            yes = (no - step).max(0.0);
            if yes == 0.0 || holds(yes) {
                break;
            }
            (no, step) = (yes, 2.0 * step);
        }
    }
    while no - yes > 1.0 {
        let middle = ((yes + no) / 2.0).floor();
        if holds(middle) { yes = middle } else { no = middle }
    }
    yes
}

/// A chart of small counts with a known law, one subgroup at a time.
#[derive(Clone, Debug)]
pub struct CountStream {
    law: CountLaw,
    judge: Judge,
}

impl CountStream {
    /// A chart that has seen nothing; of `settings` the rules, which see normal scores, and the gap policy count.
    pub fn new(law: CountLaw, settings: &Settings) -> CountStream {
        CountStream { law, judge: settings.judge(settings.rules.clone()) }
    }

    /// Judges the next subgroup; `None` is a gap.
    pub fn push(&mut self, subgroup: Option<Subgroup>) -> Point {
        let point = self.law.draw(subgroup).unwrap_or_default();
        let z = subgroup.and_then(|subgroup| self.law.score(subgroup, &point));
        self.judge.push_scored(Point { z: z.filter(|_| point.stat.is_some()), ..point })
    }

    /// What it judges by.
    pub fn law(&self) -> &CountLaw {
        &self.law
    }

    /// Forgets runs, whatever the gap policy.
    pub fn restart(&mut self) {
        self.judge.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Poisson quantiles by summation: with a mean of 5.6 P(X >= 14) is 0.00198 and P(X >= 15) 0.00072, P(X <= 0) is 0.0037.
    #[test]
    fn limits_of_a_long_baseline_are_quantiles_of_the_poisson_law() {
        let law = CountLaw::new(5.6e-3, 1.0, 1_000_000, 3.0);
        let point = law.draw(Some(Subgroup { count: 14.0, size: 1000.0 })).unwrap();
        assert_eq!(point.ucl.map(|u| (u * 1000.0).round()), Some(14.0));
        assert_eq!(point.lcl, Some(0.0));
        let (below, _) = NegativeBinomial { mean: 5.6, ratio: POISSON }.beside(15.0);
        assert!((1.0 - below - 0.000_716).abs() < 3e-6, "{below}");
    }

    /// Quantiles by summation of the probabilities of single counts with 40 digits, by another program: mean, variance over
    /// mean, k, least and most.
    const QUANTILES: [(f64, f64, f64, f64, f64); 18] = [
        (0.05, 1.0001, 3.0, 0.0, 1.0),
        (0.05, 50.0, 3.2, 0.0, 21.0),
        (0.7, 1.04, 3.0, 0.0, 4.0),
        (0.7, 50.0, 3.2, 0.0, 100.0),
        (5.6, 1.0001, 3.2, 0.0, 15.0),
        (5.6, 2.0, 3.0, 0.0, 20.0),
        (50.0, 1.0001, 3.0, 30.0, 72.0),
        (50.0, 1.04, 3.2, 29.0, 75.0),
        (50.0, 2.0, 3.0, 24.0, 84.0),
        (500.0, 1.0001, 3.0, 434.0, 568.0),
        (500.0, 1.0001, 3.2, 430.0, 573.0),
        (500.0, 1.04, 3.0, 433.0, 570.0),
        (500.0, 50.0, 3.0, 153.0, 1_107.0),
        (500.0, 50.0, 3.2, 139.0, 1_161.0),
        (9_000.0, 1.0001, 3.0, 8_717.0, 9_286.0),
        (9_000.0, 1.0001, 3.2, 8_698.0, 9_305.0),
        (9_000.0, 2.0, 3.2, 8_575.0, 9_434.0),
        (9_000.0, 50.0, 3.0, 7_119.0, 11_145.0),
    ];

    #[test]
    fn limits_are_the_exact_quantiles_of_small_and_large_means() {
        for (mean, ratio, k, least, most) in QUANTILES {
            let (law, alpha) = (NegativeBinomial { mean, ratio }, normal_sf(k));
            let found = (law.least(alpha, k), law.most(alpha, k));
            assert_eq!(found, (least, most), "mean {mean}, ratio {ratio}, k {k}");
        }
    }

    /// What is outside of the drawn limits, and nothing else, is beyond k: for every count, mean, length of baseline and
    /// dispersion.
    #[test]
    fn what_is_drawn_is_what_judges() {
        let k = 3.2;
        let mut outside = 0;
        for mean in [0.05, 0.7, 2.0, 5.6, 20.0, 300.0, 9000.0] {
            for (n_used, sigma_z) in [(25, 1.0), (25, 2.5), (300, 1.0), (300, 1.4)] {
                let law = CountLaw::new(mean / 97_500.0, sigma_z, n_used, k);
                let mut last = f64::NEG_INFINITY;
                for count in 0..(20.0 + mean + 25.0 * sigma_z * f64::sqrt(mean)) as u32 {
                    let subgroup = Subgroup { count: f64::from(count), size: 97_500.0 };
                    let point = law.draw(Some(subgroup)).unwrap();
                    let z = law.score(subgroup, &point).unwrap();
                    let stat = point.stat.unwrap();
                    let near = 1e-12;
                    let beyond =
                        stat < point.lcl.unwrap() - near || stat > point.ucl.unwrap() + near;
                    assert_eq!(
                        z.abs() > k + 1e-9,
                        beyond,
                        "{mean} {n_used} {sigma_z} {count}: {z}"
                    );
                    assert!(z >= last, "more rejects are never a smaller z");
                    last = z;
                    outside += usize::from(beyond);
                }
            }
        }
        assert!(outside > 100, "{outside}");
    }

    #[test]
    fn large_counts_of_long_baselines_have_the_limits_of_laney() {
        let (mean, size) = (40_000.0, 1e7);
        let point = CountLaw::new(mean / size, 1.5, 100_000, 3.0)
            .draw(Some(Subgroup { count: 1.0, size }))
            .unwrap();
        let laney = 3.0 * 1.5 * f64::sqrt(mean);
        assert!((point.ucl.unwrap() * size - mean - laney).abs() < 0.02 * laney);
        assert!((mean - point.lcl.unwrap() * size - laney).abs() < 0.02 * laney);
    }

    #[test]
    fn nothing_usable_is_a_gap() {
        let mut stream =
            CountStream::new(CountLaw::new(f64::NAN, 1.0, 0, 3.0), &Settings::default());
        assert_eq!(stream.push(Some(Subgroup { count: 1.0, size: 10.0 })), Point::default());
        let mut stream = CountStream::new(CountLaw::new(0.1, 1.0, 25, 3.0), &Settings::default());
        assert_eq!(stream.push(None), Point::default());
        assert_eq!(stream.push(Some(Subgroup { count: 1.0, size: 0.0 })), Point::default());
    }
}
