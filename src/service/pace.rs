//! How the sources keep their pace, as figures for whoever monitors.

use super::gauges::{counter, gauge};
use crate::sources::{GroupPace, OpcUaStanding, Scheduling};
use crate::web::{Gauge, Histogram};

/// Whether the poll thread goes before all others, and whether it was meant to.
pub(super) fn scheduling_gauges(scheduling: Scheduling, gauges: &mut Vec<Gauge>) {
    let value = |priority: Option<u8>| f64::from(priority.unwrap_or(0));
    let help =
        "Priority of the poll thread under SCHED_FIFO, 0 while it is scheduled like any other";
    gauges.push(gauge("capline_poll_realtime_priority", help, vec![], value(scheduling.realtime)));
    let help = "Priority under SCHED_FIFO that the configuration asks for, 0 for none";
    gauges.push(gauge("capline_poll_realtime_wanted", help, vec![], value(scheduling.wanted)));
}

fn labels_of(pace: &GroupPace) -> Vec<(&'static str, String)> {
    vec![
        ("line", pace.line.to_string()),
        ("station", pace.station.to_string()),
        ("group", pace.group.to_string()),
    ]
}

/// How late the polls of a group began, as a distribution.
pub(super) fn lateness(pace: &GroupPace) -> Histogram {
    let seconds = |us: u64| if us == u64::MAX { f64::INFINITY } else { us as f64 / 1e6 };
    Histogram {
        name: "capline_poll_lateness_seconds",
        help: "Time from when a poll was due to when its request was sent",
        labels: labels_of(pace),
        buckets: pace.lateness.buckets.iter().map(|(bound, n)| (seconds(*bound), *n)).collect(),
        sum: pace.lateness.sum_us as f64 / 1e6,
    }
}

/// The account of a poll group.
pub(super) fn pace_gauges(pace: &GroupPace, gauges: &mut Vec<Gauge>) {
    let labels = || labels_of(pace);
    gauges.push(counter(
        "capline_polls_planned",
        "Polls that fell due",
        labels(),
        pace.planned as f64,
    ));
    gauges.push(counter(
        "capline_polls_done",
        "Polls that brought readings",
        labels(),
        pace.done as f64,
    ));
    for (reason, n) in &pace.missed {
        let mut labels = labels();
        labels.push(("reason", (*reason).to_owned()));
        gauges.push(counter(
            "capline_polls_missed",
            "Polls that brought nothing, by reason",
            labels,
            *n as f64,
        ));
    }
    gauges.push(counter(
        "capline_snapshots_dropped",
        "Snapshots dropped by a full queue",
        labels(),
        pace.dropped as f64,
    ));
    gauges.push(counter(
        "capline_rereads",
        "Reads whose sequence words differed and that were done once more",
        labels(),
        pace.rereads as f64,
    ));
    let lateness = &pace.lateness;
    for (quantile, us) in
        [("0.5", lateness.p50_us), ("0.99", lateness.p99_us), ("1", lateness.max_us)]
    {
        let mut labels = labels();
        labels.push(("quantile", quantile.to_owned()));
        let help = "Time from when a poll was due to when it was sent, in seconds";
        gauges.push(gauge("capline_poll_lateness_quantile_seconds", help, labels, us as f64 / 1e6));
    }
    let help = "Round trip of the last poll in seconds";
    gauges.push(gauge(
        "capline_poll_round_trip_seconds",
        help,
        labels(),
        f64::from(pace.round_trip_us) / 1e6,
    ));
}

/// How an OPC UA server is read.
pub(super) fn standing_gauges(standing: &OpcUaStanding, gauges: &mut Vec<Gauge>) {
    let with = |labels: &[(&'static str, &str)]| {
        let mut all =
            vec![("line", standing.line.to_string()), ("station", standing.station.to_string())];
        all.extend(labels.iter().map(|(name, value)| (*name, (*value).to_owned())));
        all
    };
    let help = "Values that came after older ones were lost in the queue of the server";
    gauges.push(counter("capline_opcua_overflows", help, with(&[]), standing.overflows as f64));
    let help = "Sessions made with the server since the start";
    gauges.push(counter("capline_opcua_sessions", help, with(&[]), standing.sessions as f64));
    for (whose, not_after_s) in &standing.certificates {
        let help = "When a certificate of the latest session expires, in seconds since 1970";
        let labels = with(&[("whose", whose)]);
        gauges.push(gauge("capline_certificate_expiry_seconds", help, labels, *not_after_s as f64));
    }
    for group in &standing.groups {
        let labels = || with(&[("group", &group.group)]);
        for (name, help, value) in [
            (
                "capline_opcua_publishing_wanted_seconds",
                "Publishing interval that was asked for",
                group.wanted.as_secs_f64(),
            ),
            (
                "capline_opcua_publishing_seconds",
                "Publishing interval that the server keeps",
                group.publishing.as_secs_f64(),
            ),
            (
                "capline_opcua_sampling_seconds",
                "Longest sampling interval that the server keeps, 0 for every update",
                group.sampling.as_secs_f64(),
            ),
            (
                "capline_opcua_queue_values",
                "Values that the server keeps of an item between two messages",
                f64::from(group.queue),
            ),
        ] {
            gauges.push(gauge(name, help, labels(), value));
        }
    }
}
