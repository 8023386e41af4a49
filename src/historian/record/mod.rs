//! Conversions between what the domain knows and what the tables hold. Domain types derive no `Serialize`: the
//! stored form is a contract of its own and changes only by migration.

mod baseline;
mod hand;
mod layout;
mod limits;
mod line;
mod rows;
mod weight;
mod write;

pub(super) use baseline::{BaselineRow, baseline};
pub(super) use hand::{batch_entry, sections};
pub(super) use layout::{devices, devices_json};
pub(super) use limits::{LimitsRow, hits, limits, limits_json, names};
pub(super) use line::{revision, rollup, stop, write_revision};
pub(super) use rows::{count, event, line_id, minute, state};
pub(super) use weight::{weighing, weight};
pub(super) use write::{PARTS, Scope, line_row};
