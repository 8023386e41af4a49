//! `/metrics` in the OpenMetrics text form: what the lines count, how their links are, what the service measures.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::error::WebError;
use super::view::{CountView, LineView};
use super::{App, Gauge, GaugeKind, Histogram, Routes};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    vec![("/metrics", get(metrics))]
}

/// Figures for Prometheus.
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, content_type = "application/openmetrics-text", body = String))
)]
pub(crate) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, WebError> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures(app.figures())));
    registry.register_collector(Box::new(Distributions(app.parts().gauges.histograms())));
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| WebError::Store(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], body))
}

/// All figures by name: the text form wants those of one name together.
struct Figures(BTreeMap<&'static str, Vec<Gauge>>);

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Figures").field(&self.0.len()).finish()
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for (name, gauges) in &self.0 {
            let Some(first) = gauges.first() else { continue };
            let kind = match first.kind {
                GaugeKind::Gauge => MetricType::Gauge,
                GaugeKind::Counter => MetricType::Counter,
            };
            let mut metric = encoder.encode_descriptor(name, first.help, None, kind)?;
            for gauge in gauges {
                let mut metric = metric.encode_family(&gauge.labels)?;
                match first.kind {
                    GaugeKind::Gauge => metric.encode_gauge(&gauge.value)?,
                    GaugeKind::Counter => {
                        metric.encode_counter::<NoLabelSet, f64, f64>(&gauge.value, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// All distributions, those of one name one after the other.
struct Distributions(Vec<Histogram>);

impl fmt::Debug for Distributions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Distributions").field(&self.0.len()).finish()
    }
}

impl Collector for Distributions {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for same in self.0.chunk_by(|a, b| a.name == b.name) {
            let Some(first) = same.first() else { continue };
            let kind = MetricType::Histogram;
            let mut metric = encoder.encode_descriptor(first.name, first.help, None, kind)?;
            for histogram in same {
                let mut metric = metric.encode_family(&histogram.labels)?;
                let count = histogram.buckets.iter().map(|(_, n)| n).sum();
                let buckets = &histogram.buckets;
                metric.encode_histogram::<NoLabelSet>(histogram.sum, count, buckets, None)?;
            }
        }
        Ok(())
    }
}

impl App {
    fn figures(&self) -> BTreeMap<&'static str, Vec<Gauge>> {
        let mut gauges = self.parts().gauges.render();
        let streams = ("capline_live_screens", "Live streams open now");
        gauges.push(gauge(streams, Vec::new(), self.n_streams() as f64));
        gauges.extend(self.parts().gate.gauges());
        for line in &self.parts().lines {
            line_figures(&self.view(line), &mut gauges);
        }
        let mut by_name: BTreeMap<&'static str, Vec<Gauge>> = BTreeMap::new();
        for gauge in gauges {
            by_name.entry(gauge.name).or_default().push(gauge);
        }
        by_name
    }
}

/// What one line counts and how it is read.
fn line_figures(view: &LineView, gauges: &mut Vec<Gauge>) {
    let line = || vec![("line", view.line.clone())];
    let with = |name, value: String| vec![("line", view.line.clone()), (name, value)];
    let good = ("capline_good_capsules", "Good capsules since the journal began, best value");
    gauges.push(Gauge { kind: GaugeKind::Counter, ..gauge(good, line(), view.total.best as f64) });
    let doubt = |bound: fn(CountView) -> u64| bound(view.total) as f64;
    let low = ("capline_good_capsules_low", "The least that the good capsules can be");
    let high = ("capline_good_capsules_high", "The most that the good capsules can be");
    gauges.push(gauge(low, line(), doubt(|count| count.low)));
    gauges.push(gauge(high, line(), doubt(|count| count.high)));
    let state = ("capline_line_state", "1 for the present state of the line");
    gauges.push(gauge(state, with("state", view.state.word.to_owned()), 1.0));
    let age = ("capline_status_age_seconds", "Age of the latest status, 0 before the first");
    gauges.push(gauge(age, line(), view.age_ms as f64 / 1_000.0));
    let polls = ("capline_polls", "Polls that brought readings");
    let missed = ("capline_missed_polls", "Polls that brought none");
    gauges.push(Gauge { kind: GaugeKind::Counter, ..gauge(polls, line(), view.polls as f64) });
    let missed = gauge(missed, line(), view.missed_polls as f64);
    gauges.push(Gauge { kind: GaugeKind::Counter, ..missed });
    for speed in &view.speeds {
        let Some(rate) = speed.per_minute else { continue };
        let name = ("capline_speed_per_minute", "Good capsules a minute over a window");
        gauges.push(gauge(name, with("window", speed.window.to_owned()), rate as f64));
    }
    for station in &view.stations {
        let up = ("capline_link_up", "1 while the readings of a station are current");
        gauges.push(gauge(
            up,
            with("station", station.id.clone()),
            f64::from(u8::from(station.up)),
        ));
        let bad = ("capline_bad_tags", "Tags whose last reading was not good");
        gauges.push(gauge(bad, with("station", station.id.clone()), station.bad_tags.len() as f64));
    }
    for reject in &view.rejects {
        let name = ("capline_shift_rejects", "Rejects of the present shift by reason");
        let mut labels = with("station", reject.station.clone());
        labels.push(("reason", reject.reason.clone()));
        gauges.push(gauge(name, labels, reject.rejected.best as f64));
    }
}

fn gauge(
    (name, help): (&'static str, &'static str),
    labels: Vec<(&'static str, String)>,
    value: f64,
) -> Gauge {
    Gauge { name, help, kind: GaugeKind::Gauge, labels, value }
}
