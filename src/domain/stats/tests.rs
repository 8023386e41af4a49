//! Published values and laws of the statistics.

use super::interval::{clopper_pearson, garwood, upper_bound_without_rejects, wilson};

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
