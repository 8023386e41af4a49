//! What answers say of a tag of a map: what it means to the line and where it is read.

use domain::line::weight::Series;
use domain::plc_map::{Address, Kind, Role, Table, Tag};

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
