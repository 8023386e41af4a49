//! What answers say of a tag of a map: what it means to the line and where it is read.

use domain::line::chronicle::CounterRecord;
use domain::line::status::LineStatus;
use domain::line::weight::Series;
use domain::plc_map::{Address, Kind, PlcMap, Role, Table, Tag};
use domain::reading::{Quality, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::reading::{ReadingView, doubt, last};
use crate::web::view::{CountView, Present};

/// A tag of a map.
#[derive(Serialize, ToSchema)]
pub(super) struct TagView {
    /// The machine.
    station: String,
    /// Tag.
    tag: String,
    /// What it means to the line.
    role: &'static str,
    /// Reason, of a reject counter.
    reason: String,
    /// Where it is read.
    address: String,
    /// Where it is described: file and line.
    map: String,
    /// The line there, from 1.
    line: usize,
    /// Its poll group.
    group: String,
    /// Unit.
    unit: String,
    /// How often it is read, or its changes are asked for, milliseconds.
    period_ms: f64,
    /// How its course is drawn: `rate` of a counter, `value` of a measured value; null of what is no amount.
    trend: Option<&'static str>,
    /// What was read last, null where nothing was; of a past moment that is told beside it.
    read: Option<ReadingView>,
    /// Why that is not to be trusted: `offline`, `never`, `bad` or `uncertain`; empty where it is, null of a past moment.
    doubt: Option<&'static str>,
    /// What was counted, of a counter that was read.
    counter: Option<LedgerView>,
}

/// A counter as last stored.
#[derive(Serialize, ToSchema)]
struct LedgerView {
    /// The register as last read.
    raw: u64,
    /// When, UTC milliseconds.
    at_ms: i64,
    /// All that was ever counted.
    total: CountView,
    /// How often the register started afresh, the first time included.
    segment: u64,
    /// Whether a reading waits for its confirmation.
    held: bool,
}

impl TagView {
    pub(super) fn of(map: &PlcMap, tag: &Tag, record: Option<&CounterRecord>) -> TagView {
        let ledger = |record: &CounterRecord| LedgerView {
            raw: record.baseline.value,
            at_ms: record.baseline.at.utc_us / 1_000,
            total: record.baseline.total.into(),
            segment: record.baseline.segment,
            held: record.baseline.held.is_some(),
        };
        let group = map.groups.get(usize::from(tag.group));
        TagView {
            station: map.station.to_string(),
            tag: tag.id.to_string(),
            role: role(&tag.role),
            reason: reason(&tag.role),
            address: address(&tag.address),
            map: format!("{}:{}", map.file, tag.line),
            line: tag.line,
            group: group.map_or_else(String::new, |group| group.name.to_string()),
            unit: tag.unit.to_string(),
            period_ms: group.map_or(0.0, |group| group.period_us as f64 / 1_000.0),
            trend: trend(tag),
            read: None,
            doubt: None,
            counter: record.map(ledger),
        }
    }

    /// The same with what was read last, as the line tells it.
    pub(super) fn with_reading(
        self,
        map: &PlcMap,
        tag: &Tag,
        status: Option<&LineStatus>,
        present: &Present,
    ) -> TagView {
        let last = last(status, map, &tag.id);
        TagView {
            read: last.map(|last| ReadingView::of(tag, last, present)),
            doubt: Some(doubt(status, map, last)),
            ..self
        }
    }
}

/// Where a value is, in words.
pub(super) fn address(address: &Address) -> String {
    match address {
        Address::Register { table, first } => {
            let table = match table {
                Table::Coil => "coil",
                Table::Discrete => "discrete",
                Table::Holding => "holding",
                Table::Input => "input",
            };
            format!("{table} {first}")
        }
        Address::Node(node) => node.to_string(),
        Address::Part { node, part } => format!("{node} {part}"),
    }
}

/// The word of a role.
pub(super) fn role(role: &Role) -> &'static str {
    match role {
        Role::Infeed => "infeed",
        Role::Good => "good",
        Role::Reject(_) => "reject",
        Role::Sample => "sample",
        Role::Void => "void",
        Role::State => "state",
        Role::Mode => "mode",
        Role::StopReason => "stop_reason",
        Role::Speed => "speed",
        Role::SpeedSetpoint => "speed_setpoint",
        Role::Heartbeat => "heartbeat",
        Role::Uptime => "uptime",
        Role::BatchId => "batch_id",
        Role::SinceReset => "since_reset",
        Role::Odometer { .. } => "odometer",
        Role::Weight => "weight",
        Role::WeightDeviation => "weight_deviation",
        Role::SequenceHead => "sequence_head",
        Role::SequenceTail => "sequence_tail",
        Role::Blocked => "blocked",
        Role::Starved => "starved",
        Role::Published(Series::Sample, _) => "weight_sample",
        Role::Published(Series::Interval, _) => "weight_interval",
        Role::Condition => "condition",
    }
}

/// A number with scale and offset; none of what is no number.
pub(super) fn scaled(tag: &Tag, value: &Value) -> Option<f64> {
    value.as_f64().map(|raw| tag.scaled(raw)).filter(|value| value.is_finite())
}

/// The word of a quality.
pub(super) fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
    }
}

/// Reason of a reject counter; empty for any other tag.
pub(super) fn reason(role: &Role) -> String {
    match role {
        Role::Reject(reason) => reason.to_string(),
        _ => String::new(),
    }
}

/// How the course of a tag is drawn: `rate` of a counter, `value` of a measured value; none of what is no amount.
pub(super) fn trend(tag: &Tag) -> Option<&'static str> {
    let is_number = !matches!(tag.encoding.kind, Kind::Text(_) | Kind::Bit(_));
    match tag.role {
        _ if tag.counter.is_some() => Some("rate"),
        Role::Speed
        | Role::SpeedSetpoint
        | Role::Weight
        | Role::WeightDeviation
        | Role::Condition => (is_number && tag.words.is_empty()).then_some("value"),
        _ => None,
    }
}
