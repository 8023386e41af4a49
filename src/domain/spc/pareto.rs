//! Reasons in the order of their weight.

/// One reason of a Pareto analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct ParetoRow {
    /// The reason.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// Part of all, from 0 to 1; `None` when nothing was counted.
    pub share: Option<f64>,
    /// Part of all up to and including this row.
    pub cumulative: Option<f64>,
}

/// Sorts reasons by falling count, then by name, so that equal counts do not swap places from one report to the next.
pub fn pareto(counts: impl IntoIterator<Item = (String, u64)>) -> Vec<ParetoRow> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|(a, n_a), (b, n_b)| n_b.cmp(n_a).then_with(|| a.cmp(b)));
    // In 128 bits no sum of 64-bit counts overflows.
    let total: u128 = counts.iter().map(|(_, n)| u128::from(*n)).sum();
    let part = |n: u128| (total > 0).then(|| n as f64 / total as f64);
    let row = |sum: &mut u128, (reason, count): (String, u64)| {
        *sum += u128::from(count);
        Some(ParetoRow { reason, count, share: part(u128::from(count)), cumulative: part(*sum) })
    };
    counts.into_iter().scan(0, row).collect()
}
