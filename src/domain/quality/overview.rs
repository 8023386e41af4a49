//! The p′ chart of the overview: the last 120 subgroups of the reject fraction against their own limits, without any
//! record. What a quality engineer works with is [`super::workbench`].

use std::sync::Arc;

use crate::line::minute::{Counted, Minute};
use crate::line::output::Stations;
use crate::spc::chart;
use crate::spc::p_prime::{PrimeChart, PrimeOptions};
use crate::units::{MINUTE_US, SECOND_US};

/// Most subgroups on a chart.
const POINTS: usize = 120;

/// From so many subgroups on limits are drawn; below they would be a guess.
const LIMITS_FROM: usize = 25;

/// From so many on they are no longer provisional.
const FIRM_FROM: usize = 100;

/// The p′ chart of a reject fraction as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What is charted: `reject_fraction`.
    pub characteristic: &'static str,
    /// Minutes in a subgroup.
    pub subgroup_minutes: u32,
    /// Subgroups, oldest first, at most 120.
    pub points: Vec<Point>,
    /// Centre line, none without data.
    pub center: Option<f64>,
    /// Laney's σz from moving ranges.
    pub sigma_z: Option<f64>,
    /// σz from the standard deviation of z; well above `sigma_z` means drift.
    pub sigma_z_sd: Option<f64>,
    /// Lag-1 autocorrelation of z.
    pub lag1: Option<f64>,
    /// `ok`, `degenerate`, `insufficient_data` or `no_data`.
    pub status: &'static str,
    /// Complete subgroups the limits rest on.
    pub baseline_points: usize,
    /// Whether the limits rest on fewer than 100 subgroups and are therefore provisional.
    pub provisional: bool,
}

/// One subgroup of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Start, UTC microseconds.
    pub start_us: i64,
    /// Rejected capsules.
    pub rejected: u64,
    /// Capsules judged: good and rejected.
    pub total: u64,
    /// Whether every minute of it was watched throughout and its counts are exact. Others are plotted hollow and
    /// kept out of limits and rules.
    pub complete: bool,
    /// Fraction, none when nothing was judged.
    pub p: Option<f64>,
    /// Lower limit.
    pub lcl: Option<f64>,
    /// Upper limit.
    pub ucl: Option<f64>,
    /// Upper limit of the plain p chart, to compare.
    pub ucl_p: Option<f64>,
    /// Rules that are complete at this point: `N1`, `N2`.
    pub rules: Vec<&'static str>,
}

/// Subgroups of 1 and of 15 minutes of the reject fraction of stations together, from closed minutes, oldest first.
pub fn charts(minutes: &[Minute], stations: &impl Stations) -> Arc<[Chart; 2]> {
    Arc::new([1, 15].map(|length| p_prime_chart(subgroups(minutes, stations, length), length)))
}

/// Joins minutes into subgroups that start at whole multiples of their length. A subgroup in which a minute is
/// missing, unwatched or doubtful is incomplete.
fn subgroups(minutes: &[Minute], stations: &impl Stations, length: u32) -> Vec<Point> {
    let length_us = i64::from(length) * MINUTE_US;
    let newest_us = minutes.last().map_or(0, |minute| minute.start_us + MINUTE_US);
    let oldest_us = (newest_us.div_euclid(length_us) - POINTS as i64) * length_us;
    let mut points: Vec<Point> = Vec::new();
    let mut n_whole = 0;
    for minute in minutes.iter().filter(|minute| minute.start_us >= oldest_us) {
        let start_us = minute.start_us.div_euclid(length_us) * length_us;
        if points.last().is_none_or(|point| point.start_us != start_us) {
            close(&mut points, n_whole, length);
            n_whole = 0;
            // A hole in time stays a hole: one empty subgroup breaks the runs.
            if points.last().is_some_and(|point| point.start_us + length_us != start_us) {
                points.push(Point::empty(start_us - length_us));
            }
            points.push(Point::empty(start_us));
        }
        let (rejected, good) = (minute.rejected(stations), minute.count(stations, &Counted::Good));
        let watched_us = minute.time.known();
        let whole =
            watched_us >= MINUTE_US - SECOND_US / 10 && rejected.is_exact() && good.is_exact();
        n_whole += u32::from(whole);
        if let Some(point) = points.last_mut() {
            point.rejected += rejected.best();
            point.total += rejected.best() + good.best();
        }
    }
    // The last subgroup may still be filling: it is shown only when all its minutes are there.
    let full = points.last().is_some_and(|point| point.start_us + length_us <= newest_us);
    if full {
        close(&mut points, n_whole, length);
    } else {
        points.pop();
    }
    points
}

/// Decides whether the last subgroup is complete.
fn close(points: &mut [Point], n_whole: u32, length: u32) {
    if let Some(point) = points.last_mut() {
        point.complete = n_whole == length;
        point.p = (point.total > 0).then(|| point.rejected as f64 / point.total as f64);
    }
}

impl Point {
    fn empty(start_us: i64) -> Point {
        Point {
            start_us,
            rejected: 0,
            total: 0,
            complete: false,
            p: None,
            lcl: None,
            ucl: None,
            ucl_p: None,
            rules: Vec::new(),
        }
    }
}

fn p_prime_chart(mut points: Vec<Point>, length: u32) -> Chart {
    let judged = |point: &Point| {
        point.complete.then_some((point.rejected, point.total)).filter(|(_, n)| *n > 0)
    };
    let data: Vec<Option<(u64, u64)>> = points.iter().map(judged).collect();
    let chart = PrimeChart::p(&data, &PrimeOptions::default());
    let estimates = chart.estimates;
    if estimates.n_used >= LIMITS_FROM {
        for (point, (judged, plain)) in points.iter_mut().zip(chart.points.iter().zip(&chart.plain))
        {
            (point.lcl, point.ucl, point.ucl_p) = (judged.lcl, judged.ucl, plain.ucl);
            point.rules = judged.hits.iter().map(|id| id.name()).collect();
        }
    }
    let status = match chart.status {
        chart::Status::Ok if estimates.n_used < LIMITS_FROM => chart::Status::InsufficientData,
        status => status,
    };
    Chart {
        characteristic: "reject_fraction",
        subgroup_minutes: length,
        points,
        center: estimates.center,
        sigma_z: estimates.sigma_z_mr,
        sigma_z_sd: estimates.sigma_z_sd,
        lag1: estimates.lag1_r,
        status: status.name(),
        baseline_points: estimates.n_used,
        provisional: estimates.n_used < FIRM_FROM,
    }
}
