//! What is said of a number.

use serde::Serialize;
use utoipa::ToSchema;

use crate::web::view::{EventView, TitleView};

/// How a number is made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplainView {
    /// Which number.
    pub(super) value: &'static str,
    /// Whose counters.
    pub(super) station: String,
    /// `shift`, `batch`, `hour`, or `window` for the hours of a span.
    pub(super) kind: &'static str,
    /// Name of the shift or id of the batch; empty for others.
    pub(super) name: String,
    /// Start of what it is made of, UTC milliseconds.
    pub(super) from_ms: i64,
    /// End of it, UTC milliseconds: never later than the moment of this answer.
    pub(super) to_ms: i64,
    /// Whether it goes on, so that the number will change.
    pub(super) open: bool,
    /// Offset of the plant's time from UTC at the end, seconds.
    pub(super) offset_s: i32,
    /// `capsules`, `percent`, `per_minute` or `us`.
    pub(super) unit: &'static str,
    /// The number with its doubt; null where it is undefined.
    pub(super) result: Option<ResultView>,
    /// Formula in the symbols of the inputs.
    pub(super) formula: &'static str,
    /// Name of the KPI in ISO 22400-2; empty where it is none.
    pub(super) iso: &'static str,
    /// The formula with its numbers, for people.
    pub(super) worked: String,
    /// What goes into the formula, and what that is the sum of.
    pub(super) inputs: Vec<InputView>,
    /// What is left out of it, or counted in a way that one has to know.
    pub(super) left_out: Vec<LeftOutView>,
    /// Known part of the time, percent; null of no time.
    pub(super) coverage_percent: Option<f64>,
    /// What is behind the doubt, latest first.
    pub(super) causes: Vec<EventView>,
    /// How many causes there are.
    pub(super) n_causes: usize,
    /// Tags that it rests on.
    pub(super) tags: Vec<TagLineView>,
    /// Where its rows are.
    pub(super) rows: RowsView,
}

/// A number that lies in an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ResultView {
    /// Best supported.
    pub(super) best: f64,
    /// The least that the truth can be.
    pub(super) low: f64,
    /// The most that the truth can be; null where it has no bound.
    pub(super) high: Option<f64>,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct InputView {
    /// Which.
    pub(super) id: &'static str,
    /// What the plant calls it, where it has a name of its own.
    pub(super) title: Option<TitleView>,
    /// Its symbol in the formula; empty for a part of another.
    pub(super) symbol: &'static str,
    /// The symbol of the input that it is a part of: all parts add up to it. Empty for what stands in the formula.
    pub(super) of: &'static str,
    /// `capsules`, `us`, `per_minute` or `stops`.
    pub(super) unit: &'static str,
    /// Best supported.
    pub(super) best: i64,
    /// The least that the truth can be.
    pub(super) low: i64,
    /// The most that the truth can be.
    pub(super) high: i64,
    /// Whether it is the sum of the rows that [`RowsView`] names.
    pub(super) in_rows: bool,
}

/// Something left out, or counted in a way that one has to know.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LeftOutView {
    /// Which.
    pub(super) id: &'static str,
    /// How long, microseconds, where it is a time.
    pub(super) us: Option<i64>,
}

/// A tag and where it is described.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TagLineView {
    /// The machine.
    pub(super) station: String,
    /// Tag.
    pub(super) tag: String,
    /// What it means to the line.
    pub(super) role: &'static str,
    /// Reason, of a reject counter.
    pub(super) reason: String,
    /// Where it is read.
    pub(super) address: String,
    /// File of its map.
    pub(super) file: String,
    /// Line of its entry there, from 1.
    pub(super) line: usize,
}

/// Where rows are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowsView {
    /// Their address.
    pub(super) href: String,
    /// Start of them, UTC milliseconds.
    pub(super) from_ms: i64,
    /// End of them, UTC milliseconds: they are of whole minutes.
    pub(super) to_ms: i64,
    /// Whether they add up to the inputs that say so.
    pub(super) exact: bool,
    /// Name of the table.
    pub(super) file: &'static str,
    /// What of them adds up to what: `exact`, `beside`, or of stops the number that is asked for.
    pub(super) sum: &'static str,
}
