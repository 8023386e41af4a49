//! A whole number divided so that the parts add up: by largest remainder.

use crate::units::Count;

/// Divides `n` in proportion to weights. The parts add up to `n`; each differs from its exact share by less than one.
/// What the whole parts leave goes to the largest remainders, of equal ones to the earlier (Hamilton's method).
/// Without any weight the last part gets all.
pub fn apportion(n: u64, weights: &[u64]) -> Vec<u64> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut parts = vec![0u64; weights.len()];
    if total == 0 {
        if let Some(last) = parts.last_mut() {
            *last = n;
        }
        return parts;
    }
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = n;
    for (i, weight) in weights.iter().enumerate() {
        // No overflow: n and a weight have 64 bits each, and a share is not above n.
        let product = u128::from(n) * u128::from(*weight);
        parts[i] = (product / total) as u64;
        left -= parts[i];
        remainders.push((product % total, i));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, i) in remainders.into_iter().take(left as usize) {
        parts[i] += 1;
    }
    parts
}

/// Divides a count of which it is known only as a whole where it was made: the best values are apportioned and add up
/// exactly, and each part can be anything from nothing to all of it. With one part of weight nothing is in doubt.
pub fn divide(count: Count, weights: &[u64]) -> Vec<Count> {
    let parts = apportion(count.best(), weights);
    let n_possible = weights.iter().filter(|weight| **weight > 0).count();
    let part = |(best, weight): (u64, u64)| match (n_possible, weight) {
        (0 | 1, _) if best > 0 || weight > 0 => count,
        (_, 0) => Count::ZERO,
        _ => Count::between(0, best, count.high()),
    };
    parts.into_iter().zip(weights.iter().copied()).map(part).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn remainders_go_to_the_largest_and_then_to_the_first() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(7, &[60, 40]), [4, 3]);
        assert_eq!(apportion(7, &[0, 0]), [0, 7]);
        assert_eq!(apportion(7, &[]), Vec::<u64>::new());
        assert_eq!(apportion(u64::MAX, &[u64::MAX, 0]), [u64::MAX, 0]);
    }

    #[test]
    fn a_part_of_a_gap_can_be_nothing_or_all_of_it() {
        let parts = divide(Count::between(90, 100, 120), &[30, 0, 10]);
        assert_eq!(parts, [Count::between(0, 75, 120), Count::ZERO, Count::between(0, 25, 120)]);
        assert_eq!(divide(Count::exact(5), &[0, 9]), [Count::ZERO, Count::exact(5)]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_keep_to_their_share(
            n in any::<u64>(), weights in prop::collection::vec(any::<u32>().prop_map(u64::from), 1..30),
        ) {
            let parts = apportion(n, &weights);
            prop_assert_eq!(parts.iter().map(|part| u128::from(*part)).sum::<u128>(), u128::from(n));
            let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                if let Some(exact) = (u128::from(n) * u128::from(*weight)).checked_div(total) {
                    prop_assert!((exact..=exact + 1).contains(&u128::from(*part)));
                }
            }
        }
    }
}
