//! Minutes → subgroups → charts: what the quality engineer looks at.

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
