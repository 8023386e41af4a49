//! Published values and laws of the statistics.

use proptest::prelude::*;

use super::comparison::Dispersion;
use super::distribution::{beta_tails, chi_square_sf, normal_cdf};
use super::interval::{
    self, clopper_pearson, garwood, upper_bound_without_rejects, wilson, wilson_widened,
};
use super::normality::{anderson_darling, jarque_bera, shapiro_wilk};
use super::summary::{self, Summary};
use super::weibull::Weibull;
use super::{overdispersion, quantile};

#[track_caller]
fn close(got: Option<(f64, f64)>, low: f64, high: f64) {
    let Some((got_low, got_high)) = got else { panic!("no interval, expected [{low}, {high}]") };
    let same = |got: f64, want: f64| (got - want).abs() <= 1e-9 * want.abs();
    assert!(
        same(got_low, low) && same(got_high, high),
        "[{got_low}, {got_high}], expected [{low}, {high}]"
    );
}

#[test]
fn intervals_agree_with_newcombe_1998() {
    // R. G. Newcombe 1998, Statist. Med. 17, 857-872: 81 of 263; digits beyond the printed four from R.
    close(wilson(81, 263, 0.95), 0.2552885198782742, 0.36620957698280004);
    close(clopper_pearson(81, 263, 0.95), 0.2527367455852712, 0.36762192260135135);
}

/// With a variance φ times that of chance an interval is that of `n / φ` capsules (McCullagh & Nelder 1989, 4.5).
#[test]
fn an_interval_is_as_wide_as_its_hours_vary() {
    let (x, n) = (40_000, 3_864_000);
    let chance = wilson(x, n, 0.95).unwrap();
    let of = |ratio, df| wilson_widened(x, n, 0.95, Some(Dispersion { ratio, df })).unwrap();
    assert_eq!(wilson_widened(x, n, 0.95, None), Some(chance));
    assert_eq!(of(1.0, 7), chance, "chance alone");
    // So many degrees of freedom are as good as none missing: the interval of a hundredth of the capsules.
    let fewer = wilson(x / 100, n / 100, 0.95).unwrap();
    let wide = of(100.0, 10_000_000);
    assert!((wide.0 - fewer.0).abs() < 1e-8 && (wide.1 - fewer.1).abs() < 1e-8, "{wide:?}");
    // φ of 462 and seven degrees of freedom: √462 · 2.3646 / 1.9600 = 25.93 times the error, and 1.0075 by Wilson's own terms in
    // z², which count at n / φ capsules.
    let (low, high) = of(462.0, 7);
    let times = (high - low) / (chance.1 - chance.0);
    assert!((times - 26.125).abs() < 0.005, "{times}");
    assert!((of(462.0, 7).0..of(462.0, 7).1).contains(&(x as f64 / n as f64)));
}

#[test]
fn intervals_keep_nine_digits_at_low_ppm() {
    // 999 rejects among 9,360,000; beta quantiles of R 4.2.
    close(clopper_pearson(999, 9_360_000, 0.95), 0.00010021442573408096, 0.00011355956428374762);
    close(clopper_pearson(1, 6500, 0.95), 3.895039796511239e-06, 0.0008568745283975315);
}

#[test]
fn garwood_1936_scales_with_exposure() {
    close(garwood(7, 1.0, 0.95), 2.814363051519867, 14.422675361702376);
    close(garwood(7, 2.0, 0.95), 2.814363051519867 / 2.0, 14.422675361702376 / 2.0);
    close(garwood(0, 1.0, 0.95), 0.0, 3.6888794541139354);
}

#[test]
fn no_reject_still_has_an_upper_bound() {
    // 1 - 0.05^(1/26000): the rule of three, exactly.
    let bound = upper_bound_without_rejects(26_000, 0.95).expect("capsules were inspected");
    assert!((bound - 0.0001152138344361342).abs() < 1e-15, "{bound}");
}

#[test]
fn intervals_refuse_what_is_not_a_question() {
    for interval in [wilson, clopper_pearson] {
        assert_eq!(interval(0, 0, 0.95), None);
        assert_eq!(interval(2, 1, 0.95), None);
        assert_eq!(interval(1, 2, 1.0), None);
        assert_eq!(interval(1, 2, f64::NAN), None);
    }
    assert_eq!(garwood(1, 0.0, 0.95), None);
    assert_eq!(garwood(1, f64::NAN, 0.95), None);
}

#[test]
fn intervals_answer_for_counts_no_line_reaches() {
    for x in [0, 1, u64::MAX / 2, u64::MAX] {
        let (low, high) = clopper_pearson(x, u64::MAX, 0.95).expect("an interval");
        assert!((0.0..=1.0).contains(&low) && low <= high && high <= 1.0, "{x}: [{low}, {high}]");
    }
}

#[test]
fn shapiro_wilk_holds_in_every_branch_of_roystons_approximation() {
    // Weights of eleven men (Shapiro & Wilk 1965) and small samples; W and p of SciPy 1.17.1.
    let men = [148.0, 154.0, 158.0, 160.0, 161.0, 162.0, 166.0, 170.0, 182.0, 195.0, 236.0];
    let small: [(&[f64], f64, f64); 5] = [
        (&men, 0.7888146948631716, 0.006703814061898823),
        (&[1.0, 2.0, 4.0], 0.9642857142857142, 0.6368868450289689),
        (&[1.0, 2.0, 4.0, 9.0], 0.8946862708551955, 0.4051472112475074),
        (&[2.1, 3.3, 1.7, 4.0, 2.9], 0.9724186132081148, 0.8905380919776363),
        (&[2.1, 3.3, 1.7, 4.0, 2.9, 9.0], 0.781531654418198, 0.03983239922797719),
    ];
    for (sample, w, p) in small {
        let test = shapiro_wilk(sample).expect("a sample");
        assert!(
            (test.statistic - w).abs() < 1e-6 && (test.p - p).abs() < 1e-5,
            "{sample:?}: {test:?}"
        );
    }
    assert_eq!(shapiro_wilk(&[1.0, 2.0]), None);
    assert_eq!(shapiro_wilk(&[5.0; 10]), None);
    assert_eq!(shapiro_wilk(&[1.0, f64::NAN, 3.0]), None);
}

#[test]
fn chi_square_has_both_tails_and_large_degrees() {
    // Tail and quantile of SciPy 1.17.1 (chi2.sf, chi2.ppf).
    assert!((chi_square_sf(1500.0, 1000.0) / 1.0454640385980825e-22 - 1.0).abs() < 1e-9);
    let q = quantile::chi_square(0.01, 5e8).expect("a quantile");
    assert!((q / 499926437.36215734 - 1.0).abs() < 1e-11, "{q}");
}

#[test]
fn a_fit_finds_the_law_its_quantiles_came_from() {
    let law = Weibull { shape: 2.5, scale: 18.0 };
    let n = 4000;
    let sample: Vec<f64> =
        (0..n).filter_map(|i| law.quantile((f64::from(i) + 0.5) / f64::from(n))).collect();
    let fit = Weibull::fit(&sample).expect("a fit");
    assert!(
        (fit.shape / 2.5 - 1.0).abs() < 5e-3 && (fit.scale / 18.0 - 1.0).abs() < 1e-3,
        "{fit:?}"
    );
    assert_eq!(Weibull::fit(&[3.0, 3.0]), None);
    assert_eq!(Weibull::fit(&[0.0, -1.0, f64::NAN]), None);
}

fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e3..1e3_f64, 0..60)
}

proptest! {
    #[test]
    fn the_summary_of_parts_is_the_summary_of_the_whole(
        a in sample(),
        b in sample(),
        c in sample(),
    ) {
        let whole = Summary::of(&[a.clone(), b.clone(), c.clone()].concat());
        let [a, b, c] = [&a, &b, &c].map(|part| Summary::of(part));
        let ways = [a.combine(&b).combine(&c), a.combine(&b.combine(&c)), c.combine(&a).combine(&b)];
        for parts in ways {
            prop_assert_eq!(parts.n(), whole.n());
            prop_assert_eq!((parts.min(), parts.max()), (whole.min(), whole.max()));
            let moments = |s: &Summary| [s.mean(), s.variance(), s.skewness(), s.excess_kurtosis()];
            for (part, whole) in moments(&parts).into_iter().zip(moments(&whole)) {
                let (part, whole) = (part.unwrap_or(0.0), whole.unwrap_or(0.0));
                prop_assert!((part - whole).abs() <= 1e-8 * whole.abs().max(1.0), "{part} {whole}");
            }
        }
    }

    #[test]
    fn one_pass_agrees_with_two(values in sample(), offset in -1e6..1e6_f64) {
        let values: Vec<f64> = values.iter().map(|v| v + offset).collect();
        let running = Summary::of(&values);
        let (mean, sd) = (summary::mean(&values), summary::sd(&values));
        for (one, two) in [(running.mean(), mean), (running.sd(), sd)] {
            let (one, two) = (one.unwrap_or(0.0), two.unwrap_or(0.0));
            prop_assert!((one - two).abs() <= 1e-9 * two.abs().max(1.0), "{one} {two}");
        }
    }

    #[test]
    fn a_summary_has_no_order(mut values in sample()) {
        let a = Summary::of(&values);
        values.reverse();
        let b = Summary::of(&values);
        prop_assert_eq!((a.n(), a.min(), a.max()), (b.n(), b.min(), b.max()));
        let (a, b) = (a.sd().unwrap_or(0.0), b.sd().unwrap_or(0.0));
        prop_assert!((a - b).abs() <= 1e-10 * a.max(1.0));
    }

    #[test]
    fn quantiles_undo_their_distribution(p in 1e-9..1.0_f64, a in 0.3..1e4_f64, b in 0.3..1e7_f64) {
        let x = quantile::beta(p, a, b).expect("a quantile");
        let (lower, upper) = beta_tails(a, b, x).expect("tails");
        let off = if p < 0.5 { lower / p } else { upper / (1.0 - p) } - 1.0;
        // Near the upper end a quantile of one has lost the digits of its tail.
        prop_assert!(off.abs() < 1e-8 || 1.0 - x < 1e-6, "{x}: {off}");
        let z = quantile::normal(p).expect("a quantile");
        prop_assert!((normal_cdf(z) / p - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_wider_confidence_is_a_wider_interval(
        n in 1_u64..1_000_000,
        part in 0.0..=1.0_f64,
        confidence in 0.5..0.99_f64,
    ) {
        let x = (part * n as f64) as u64;
        for interval in [wilson, clopper_pearson] {
            let (low, high) = interval(x, n, confidence).expect("an interval");
            let (lower, higher) = interval(x, n, confidence + 0.009).expect("an interval");
            prop_assert!(lower <= low && low <= high && high <= higher);
            prop_assert!(low <= x as f64 / n as f64 && x as f64 / n as f64 <= high);
        }
    }

    #[test]
    fn nothing_in_a_sample_makes_a_test_panic(x in prop::collection::vec(any::<f64>(), 0..30)) {
        let _ = (shapiro_wilk(&x), anderson_darling(&x), jarque_bera(&x));
        let _ = (summary::lag1(&x), Weibull::fit(&x), quantile::median(&x), Summary::of(&x).sd());
        let pairs: Vec<(f64, f64)> = x.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let _ = (overdispersion::binomial(&pairs), overdispersion::poisson(&pairs));
    }

    #[test]
    fn nothing_makes_a_quantile_panic(p in any::<f64>(), a in any::<f64>(), b in any::<f64>()) {
        // As drawn, most are refused; without sign and whole part the formulas have to answer.
        for (p, a, b) in [(p, a, b), (p.abs().fract(), a.abs(), b.abs())] {
            let _ = (quantile::normal(p), quantile::student_t(p, a), quantile::fisher_f(p, a, b));
            let _ = (quantile::beta(p, a, b), quantile::chi_square(p, a), chi_square_sf(a, b));
            let _ = (beta_tails(a, b, p), interval::garwood(1, a, p));
        }
    }
}
