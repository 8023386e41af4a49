//! What the service measures of itself, as [`super::metrics`] and the pages show it.

use super::api::forward::Forwarding;

/// What the service measures of itself, for `/metrics`.
pub trait Gauges: Send + Sync {
    /// All of it, now.
    fn render(&self) -> Vec<Gauge>;

    /// How forwarding to a plant's database is doing; none where none is configured.
    fn forwarding(&self) -> Option<Forwarding> {
        None
    }

    /// All distributions, now.
    fn histograms(&self) -> Vec<Histogram> {
        Vec::new()
    }
}

/// One measured number.
pub struct Gauge {
    /// Name without the `_total` of a counter: `capline_store_bytes`.
    pub name: &'static str,
    /// What it is, in one sentence without a full stop.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: GaugeKind,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

/// One measured distribution.
pub struct Histogram {
    /// Name, with its unit: `capline_poll_lateness_seconds`.
    pub name: &'static str,
    /// What it is, in one sentence without a full stop.
    pub help: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// Upper bound of each bucket and how many fell into it, not cumulative; the last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
    /// Sum of all values.
    pub sum: f64,
}

/// How a measured number behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaugeKind {
    /// Goes up and down.
    Gauge,
    /// Only grows while the service runs.
    Counter,
}
