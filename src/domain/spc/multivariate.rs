//! Hotelling's T² for several correlated measurements (Montgomery, ch. 11; Mason & Young 2002).

use super::chart::{Panel, Point, Settings, Status};
use crate::stats::quantile::{beta, fisher_f};
use crate::stats::summary;

/// One position of the series: the rows of a subgroup, or a single row; empty for a gap.
pub type Rows = Vec<Vec<f64>>;

/// The law of a T² chart: all that judging a new position needs.
#[derive(Clone, Debug)]
pub struct TSquaredLaw {
    /// Mean of each variable over the baseline.
    pub mean: Vec<f64>,
    /// Covariance matrix, row by row; of subgroups the mean of those within.
    pub covariance: Vec<Vec<f64>>,
    /// Limit of the positions that estimate.
    pub ucl_phase1: Option<f64>,
    /// Limit of later positions.
    pub ucl_phase2: Option<f64>,
    /// How far it could be estimated.
    pub status: Status,
    /// The Cholesky factor of the covariance, if there is one.
    factor: Option<Vec<Vec<f64>>>,
}

/// A judged T² chart.
#[derive(Clone, Debug)]
pub struct TSquaredChart {
    /// The law of the baseline.
    pub law: TSquaredLaw,
    /// The statistics; only the limit judges.
    pub panel: Panel,
}

/// Estimates and judges a series with false-alarm probability `alpha` a point. Every row must have the length of the
/// first; a position with another one, or with a value that is not finite, is a gap. Stages do not apply.
pub fn t_squared(series: &[Rows], alpha: f64, settings: &Settings) -> TSquaredChart {
    let p = series.iter().flatten().map(Vec::len).next().unwrap_or(0);
    let estimates = settings.estimating(series.len());
    let chosen = |(rows, estimates): (&'_ Rows, &bool)| {
        (*estimates && usable(rows, p)).then(|| rows.clone())
    };
    let baseline: Vec<Rows> = series.iter().zip(&estimates).filter_map(chosen).collect();
    let law = TSquaredLaw::fit(&baseline, p, alpha);
    let points = series
        .iter()
        .zip(&estimates)
        .map(|(rows, estimates)| law.judge(rows, *estimates))
        .collect();
    TSquaredChart { law, panel: Panel { name: "t2", points } }
}

impl TSquaredLaw {
    fn fit(baseline: &[Rows], p: usize, alpha: f64) -> TSquaredLaw {
        let n = baseline.iter().map(Vec::len).min().unwrap_or(0);
        let all: Vec<&Vec<f64>> = baseline.iter().flatten().collect();
        let mean = column_means(&all, p);
        let covariance =
            if n > 1 { within_covariance(baseline, p) } else { covariance(&all, &mean) };
        let factor = cholesky(&covariance);
        let [ucl_phase1, ucl_phase2] = limits(alpha, p as f64, baseline.len() as f64, n as f64);
        let status = match (&factor, baseline.len()) {
            (_, 0) => Status::NoData,
            (_, 1) => Status::InsufficientData,
            (None, _) => Status::Degenerate,
            _ => Status::Ok,
        };
        TSquaredLaw { mean, covariance, ucl_phase1, ucl_phase2, status, factor }
    }

    /// Judges a position; `estimated` says whether it took part in the estimation, which makes its limit narrower.
    pub fn judge(&self, rows: &Rows, estimated: bool) -> Point {
        let ucl = if estimated { self.ucl_phase1 } else { self.ucl_phase2 };
        let factor = self.factor.as_ref().filter(|_| usable(rows, self.mean.len()));
        let stat = factor.and_then(|factor| statistic(factor, rows, &self.mean));
        stat.map_or_else(Point::default, |stat| Point::between(stat, None, None, ucl))
    }
}

fn usable(rows: &Rows, p: usize) -> bool {
    let fits = |row: &Vec<f64>| row.len() == p && p > 0 && row.iter().all(|v| v.is_finite());
    !rows.is_empty() && rows.iter().all(fits)
}

/// Limits for `m` baseline positions of `n` rows with `p` variables (Montgomery 11.3; Tracy, Young & Mason 1992).
fn limits(alpha: f64, p: f64, m: f64, n: f64) -> [Option<f64>; 2] {
    if n > 1.0 {
        let df = m * n - m - p + 1.0;
        let f = fisher_f(1.0 - alpha, p, df);
        let limit = |times: f64| f.map(|f| p * times * (n - 1.0) / df * f);
        return [limit(m - 1.0), limit(m + 1.0)];
    }
    let phase1 = beta(1.0 - alpha, p / 2.0, (m - p - 1.0) / 2.0).map(|b| (m - 1.0).powi(2) / m * b);
    let phase2 =
        fisher_f(1.0 - alpha, p, m - p).map(|f| p * (m + 1.0) * (m - 1.0) / (m * (m - p)) * f);
    [phase1, phase2]
}

/// `n (x̄ - μ)ᵀ S⁻¹ (x̄ - μ)` through the Cholesky factor of `S`.
fn statistic(factor: &[Vec<f64>], rows: &Rows, mean: &[f64]) -> Option<f64> {
    let here = column_means(&rows.iter().collect::<Vec<_>>(), mean.len());
    let deviation: Vec<f64> = here.iter().zip(mean).map(|(x, m)| x - m).collect();
    let mut y: Vec<f64> = Vec::with_capacity(deviation.len());
    for (row, d) in factor.iter().zip(&deviation) {
        let known: f64 = row.iter().zip(&y).map(|(l, y)| l * y).sum();
        y.push((d - known) / row[y.len()]);
    }
    let t2 = rows.len() as f64 * y.iter().map(|v| v * v).sum::<f64>();
    t2.is_finite().then_some(t2)
}

fn column_means(rows: &[&Vec<f64>], p: usize) -> Vec<f64> {
    let n = rows.len() as f64;
    (0..p).map(|j| summary::sum(rows.iter().map(|row| row[j])) / n).collect()
}

/// Sample covariance (divisor one less than the rows).
fn covariance(rows: &[&Vec<f64>], mean: &[f64]) -> Vec<Vec<f64>> {
    let df = rows.len() as f64 - 1.0;
    let product = |i: usize, j: usize| {
        summary::sum(rows.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j]))) / df
    };
    (0..mean.len()).map(|i| (0..mean.len()).map(|j| product(i, j)).collect()).collect()
}

/// Mean of the covariances within subgroups.
fn within_covariance(groups: &[Rows], p: usize) -> Vec<Vec<f64>> {
    let mut total = vec![vec![0.0; p]; p];
    for rows in groups {
        let rows: Vec<&Vec<f64>> = rows.iter().collect();
        let within = covariance(&rows, &column_means(&rows, p));
        for (total, within) in total.iter_mut().flatten().zip(within.iter().flatten()) {
            *total += within / groups.len() as f64;
        }
    }
    total
}

/// The lower triangular `L` with `L Lᵀ = S`; `None` when `S` is not positive definite, which happens when a variable
/// does not vary or is a combination of others.
fn cholesky(s: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let mut l: Vec<Vec<f64>> = Vec::with_capacity(s.len());
    for (i, s_row) in s.iter().enumerate() {
        let mut row: Vec<f64> = Vec::with_capacity(s.len());
        for j in 0..i {
            let known: f64 = row.iter().zip(&l[j]).map(|(a, b)| a * b).sum();
            row.push((s_row[j] - known) / l[j][j]);
        }
        let rest = s_row[i] - row.iter().map(|v| v * v).sum::<f64>();
        // A rest of rounding errors would make an inverse of noise.
        if rest.is_nan() || rest <= 1e-13 * s_row[i] {
            return None;
        }
        row.push(rest.sqrt());
        l.push(row);
    }
    Some(l)
}
