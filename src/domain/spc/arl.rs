//! Average run lengths, and limits from a budget of false alarms.
//!
//! The run length is the number of points up to and including the signal, for independent normal points with a mean
//! `shift` standard deviations off the centre. Shewhart charts in closed form, EWMA and CUSUM by their integral
//! equations (Crowder 1987; Brook & Evans 1972 as an integral equation), run rules by the Markov chain of their
//! memory (Champ & Woodall 1987).

use std::collections::HashMap;

use super::rules::{Pattern, RuleEngine, RuleSet, Run};
use crate::stats::distribution::{normal_cdf, normal_pdf, normal_sf};
use crate::stats::quadrature::gauss_legendre;
use crate::stats::quantile::normal;

/// Nodes of the integral equations. The kernels are smooth, so that more nodes add no digit.
const NODES: usize = 96;

/// Run length of a chart that signals beyond `k` sigma.
pub fn shewhart(k: f64, shift: f64) -> f64 {
    1.0 / (normal_sf(k - shift) + normal_cdf(-k - shift))
}

/// Run length of a two-sided EWMA chart with asymptotic limits at `l`, started at the centre; `None` unless
/// `0 < lambda <= 1` and `l > 0`.
pub fn ewma(lambda: f64, l: f64, shift: f64) -> Option<f64> {
    if !(lambda > 0.0 && lambda <= 1.0 && l > 0.0 && l < 100.0 && shift.is_finite()) {
        return None;
    }
    let limit = l * (lambda / (2.0 - lambda)).sqrt();
    // The kernel has width lambda; short ones need more nodes to be seen.
    let nodes = gauss_legendre(NODES.max((8.0 * limit / lambda) as usize).min(400), -limit, limit);
    let kernel =
        |from: f64, to: f64| normal_pdf((to - (1.0 - lambda) * from) / lambda - shift) / lambda;
    let lengths =
        solve_renewal(&nodes, |i, j| kernel(nodes[i].0, nodes[j].0), vec![1.0; nodes.len()])?;
    let at_start =
        1.0 + nodes.iter().zip(&lengths).map(|((y, w), l)| w * l * kernel(0.0, *y)).sum::<f64>();
    Some(at_start).filter(|arl| arl.is_finite())
}

/// Run length of a two-sided CUSUM with head start `fir * h` on both sides; `None` unless `h > 0`.
pub fn cusum(k: f64, h: f64, fir: f64, shift: f64) -> Option<f64> {
    let start = fir.clamp(0.0, 1.0) * h;
    let (up, up_start) = cusum_one_sided(k, h, start, shift)?;
    let (down, down_start) = cusum_one_sided(k, h, start, -shift)?;
    // Van Dobben de Bruyn 1968 for the sides at zero, Lucas & Crosier 1982 with a head start.
    Some((up_start * down + up * down_start - up * down) / (up + down))
        .filter(|arl| arl.is_finite())
}

/// Run lengths of an upper CUSUM from zero and from `start`.
///
/// `L(s) = 1 + L(0) Φ(k - s - shift) + ∫₀ʰ L(y) φ(y + k - s - shift) dy`; zero is an atom and has its own equation.
pub fn cusum_one_sided(k: f64, h: f64, start: f64, shift: f64) -> Option<(f64, f64)> {
    if !(h > 0.0 && h < 1000.0 && k.is_finite() && shift.is_finite()) {
        return None;
    }
    let nodes = gauss_legendre(NODES.max((8.0 * h) as usize).min(400), 0.0, h);
    let n = nodes.len();
    let to_zero = |from: f64| normal_cdf(k - from - shift);
    let kernel = |from: f64, to: f64| normal_pdf(to + k - from - shift);
    // Unknowns: the lengths at the nodes, and the one at zero as the last.
    let place = |i: usize| if i < n { nodes[i].0 } else { 0.0 };
    let entry = |i: usize, j: usize| {
        if j < n { nodes[j].1 * kernel(place(i), nodes[j].0) } else { to_zero(place(i)) }
    };
    let lengths = solve_identity_minus(n + 1, entry, vec![1.0; n + 1])?;
    let integral = |from: f64| {
        nodes.iter().zip(&lengths).map(|((y, w), l)| w * l * kernel(from, *y)).sum::<f64>()
    };
    let at = |from: f64| 1.0 + lengths[n] * to_zero(from) + integral(from);
    Some((lengths[n], at(start)))
}

/// Run length of a set of rules on z; `None` for rules on the order of plotted values (trends, alternation), whose
/// memory is a real number, and for sets whose memory has more than 1,000 states.
pub fn run_rules(rules: &RuleSet, shift: f64) -> Option<f64> {
    let zones = Zones::of(rules, shift)?;
    let Chain { moves } = Chain::explore(rules, &zones)?;
    // A state's length is one plus the lengths it may move to: (I - P) L = 1.
    let mut probability = vec![vec![0.0; moves.len()]; moves.len()];
    for (from, to) in moves.iter().enumerate() {
        to.iter().for_each(|&(next, p)| probability[from][next] += p);
    }
    let lengths =
        solve_identity_minus(moves.len(), |i, j| probability[i][j], vec![1.0; moves.len()])?;
    lengths.first().copied().filter(|arl| arl.is_finite())
}

/// The intervals of z within which no rule can tell two values apart, each as a value inside and its probability.
struct Zones(Vec<(f64, f64)>);

impl Zones {
    fn of(rules: &RuleSet, shift: f64) -> Option<Zones> {
        let mut edges = vec![0.0];
        for rule in rules.rules() {
            match rule.pattern() {
                Pattern::Beyond { k } => edges.extend([k, -k]),
                Pattern::Cluster { zone, .. }
                | Pattern::Within { zone, .. }
                | Pattern::Outside { zone, .. } => {
                    edges.extend([zone, -zone]);
                }
                Pattern::SameSide { .. } => {}
                Pattern::Trend { .. } | Pattern::Alternating { .. } => return None,
            }
        }
        if edges.iter().any(|edge| !edge.is_finite()) {
            return None;
        }
        edges.sort_by(f64::total_cmp);
        edges.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
        let bounds = [&[f64::NEG_INFINITY], edges.as_slice(), &[f64::INFINITY]].concat();
        let zone = |pair: &[f64]| {
            let inside = match (pair[0].is_finite(), pair[1].is_finite()) {
                (true, true) => 0.5 * (pair[0] + pair[1]),
                (true, false) => pair[0] + 1.0,
                _ => pair[1] - 1.0,
            };
            (inside, between(pair[0] - shift, pair[1] - shift))
        };
        Some(Zones(bounds.windows(2).map(zone).collect()))
    }
}

/// `P(low < Z < high)`, from the nearer tail.
fn between(low: f64, high: f64) -> f64 {
    if low > 0.0 { normal_sf(low) - normal_sf(high) } else { normal_cdf(high) - normal_cdf(low) }
}

/// The states that the memory of an engine can be in without a signal, and the probabilities of moving between them.
struct Chain {
    moves: Vec<Vec<(usize, f64)>>,
}

impl Chain {
    /// The memory of all four Western Electric rules has a few hundred states; this bounds custom rules to what a
    /// dense elimination solves in a second.
    const MAX_STATES: usize = 1000;

    /// Drives the very engine that judges the charts, so that the run length belongs to it and not to a copy.
    fn explore(rules: &RuleSet, zones: &Zones) -> Option<Chain> {
        let start = RuleEngine::new(rules.clone());
        let mut known: HashMap<Vec<Run>, usize> = HashMap::from([(start.memory().to_vec(), 0)]);
        let mut engines = vec![start];
        let mut moves = Vec::new();
        while moves.len() < engines.len() {
            let mut from = HashMap::new();
            for &(z, p) in &zones.0 {
                let mut engine = engines[moves.len()].clone();
                if !engine.push(z, z).is_empty() {
                    continue;
                }
                let state = *known.entry(engine.memory().to_vec()).or_insert(engines.len());
                if state == engines.len() {
                    engines.push(engine);
                }
                *from.entry(state).or_insert(0.0) += p;
            }
            moves.push(from.into_iter().collect());
            if engines.len() > Chain::MAX_STATES {
                return None;
            }
        }
        Some(Chain { moves })
    }
}

/// Limits that spend a given budget of false alarms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Distance of the limits of a Shewhart chart.
    pub shewhart_k: f64,
    /// Distance of the limits of an EWMA chart with the given lambda.
    pub ewma_l: f64,
    /// Decision interval of a CUSUM with the given reference value.
    pub cusum_h: f64,
}

/// Limits with an in-control run length of `arl0` points: a week of one-minute points is 10,080. `None` unless
/// `arl0` lies between 2 and 1e9 and a chart can reach it.
pub fn design(arl0: f64, lambda: f64, k: f64) -> Option<Design> {
    if !(2.0..=1e9).contains(&arl0) {
        return None;
    }
    Some(Design {
        shewhart_k: -normal(0.5 / arl0)?,
        ewma_l: ewma_limit(arl0, lambda)?,
        cusum_h: cusum_limit(arl0, k)?,
    })
}

/// Decision interval of a two-sided CUSUM with an in-control run length of `arl0`; the part of [`design`] that a
/// companion needs.
pub fn cusum_limit(arl0: f64, k: f64) -> Option<f64> {
    if !(2.0..=1e9).contains(&arl0) {
        return None;
    }
    solve_limit(arl0, 0.1, 60.0, |h| cusum(k, h, 0.0, 0.0))
}

/// Distance of the limits of an EWMA chart with an in-control run length of `arl0`; the part of [`design`] that a
/// chart of counts needs.
pub fn ewma_limit(arl0: f64, lambda: f64) -> Option<f64> {
    if !(2.0..=1e9).contains(&arl0) {
        return None;
    }
    solve_limit(arl0, 0.1, 10.0, |l| ewma(lambda, l, 0.0))
}

/// The limit between `low` and `most` at which a rising run length reaches `arl0`: the Illinois form of regula falsi
/// on its logarithm, which is nearly straight.
fn solve_limit(
    arl0: f64,
    mut low: f64,
    most: f64,
    arl: impl Fn(f64) -> Option<f64>,
) -> Option<f64> {
    let excess = |limit: f64| Some((arl(limit)? / arl0).ln());
    let mut below = excess(low)?;
    let (mut high, mut above) = (1.4 * low, excess(1.4 * low)?);
    // The bracket comes from below: far out the run length overflows what the equations can hold.
    while above < 0.0 && high < most {
        (low, below) = (high, above);
        high *= 1.4;
        above = excess(high)?;
    }
    if below > 0.0 || above < 0.0 {
        return None;
    }
    let mut kept = 0_i8;
    for _ in 0..100 {
        let limit = (low * above - high * below) / (above - below);
        let value = excess(limit)?;
        if value.abs() < 1e-11 || high - low < 1e-12 {
            return Some(limit);
        }
        // An end that stays twice is halved, so that both ends move.
        if value > 0.0 {
            (high, above) = (limit, value);
            below *= if kept == 1 { 0.5 } else { 1.0 };
            kept = 1;
        } else {
            (low, below) = (limit, value);
            above *= if kept == -1 { 0.5 } else { 1.0 };
            kept = -1;
        }
    }
    Some(0.5 * (low + high))
}

/// Solves `x = b + ∫ K x` on the nodes of a quadrature.
fn solve_renewal(
    nodes: &[(f64, f64)],
    kernel: impl Fn(usize, usize) -> f64,
    b: Vec<f64>,
) -> Option<Vec<f64>> {
    solve_identity_minus(nodes.len(), |i, j| nodes[j].1 * kernel(i, j), b)
}

/// Solves `(I - A) x = b` by Gaussian elimination with partial pivoting; `None` when it is singular.
fn solve_identity_minus(
    n: usize,
    a: impl Fn(usize, usize) -> f64,
    mut b: Vec<f64>,
) -> Option<Vec<f64>> {
    let entry = |i: usize, j: usize| f64::from(u8::from(i == j)) - a(i, j);
    let mut rows: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
    for column in 0..n {
        let pivot =
            (column..n).max_by(|x, y| rows[*x][column].abs().total_cmp(&rows[*y][column].abs()))?;
        rows.swap(column, pivot);
        b.swap(column, pivot);
        let top = rows[column].clone();
        if top[column].abs() < 1e-300 {
            return None;
        }
        for i in column + 1..n {
            let factor = rows[i][column] / top[column];
            rows[i][column..].iter_mut().zip(&top[column..]).for_each(|(v, t)| *v -= factor * t);
            b[i] -= factor * b[column];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| rows[i][j] * b[j]).sum();
        b[i] = (b[i] - known) / rows[i][i];
    }
    Some(b)
}
