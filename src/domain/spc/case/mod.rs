//! Reference cases: a JSON text with data, settings and expected results in, the same results as we compute them out.
//!
//! The schema is `spc-case/1`; its specification lies beside the cases in `tests/cases/spc/README.md`. The command
//! line runs single cases and the installed product can run them all (its installation qualification). Nothing here
//! opens a file: the caller parses the JSON and hands over the table that [`table_name`] asks for.

mod compare;
mod counts;
mod generator;
mod measures;
mod memory;
mod numbers;
mod place;
mod settings;
mod table;
mod write;

use serde_json::Value;

pub use compare::{Comparison, Mismatch, compare};

use place::Place;
use table::Table;

/// Why a case could not be run: where in the case, what was found there, and what would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct CaseError {
    /// Dotted path within the case.
    pub place: String,
    /// What was found and what would do.
    pub problem: String,
}

/// What a chart type reads.
struct Case<'a> {
    params: Place<'a>,
    data: Place<'a>,
    table: Option<Table>,
}

/// A chart type: its name in the schema and what computes it.
type ChartType = (&'static str, fn(&Case) -> Result<Value, CaseError>);

const CHARTS: &[ChartType] = &[
    ("p", counts::p),
    ("np", counts::np),
    ("c", counts::c),
    ("u", counts::u),
    ("p_prime", counts::p_prime),
    ("u_prime", counts::u_prime),
    ("stream", counts::stream),
    ("overdispersion", counts::overdispersion),
    ("overdispersion_by_length", counts::overdispersion_by_length),
    ("pareto", counts::pareto),
    ("i_mr", measures::i_mr),
    ("xbar_r", measures::xbar_r),
    ("xbar_s", measures::xbar_s),
    ("imr_s", measures::imr_s),
    ("g", measures::g),
    ("t", measures::t),
    ("t2", measures::t2),
    ("zmr", measures::zmr),
    ("ewma", memory::ewma),
    ("cusum", memory::cusum),
    ("ma", memory::ma),
    ("zone", memory::zone),
    ("rules", memory::rules),
    ("capability", numbers::capability),
    ("capability_nonnormal", numbers::capability_nonnormal),
    ("capability_binomial", numbers::capability_binomial),
    ("normality", numbers::normality),
    ("arl", numbers::arl),
    ("arl_design", numbers::arl_design),
    ("intervals", numbers::intervals),
    ("quantiles", numbers::quantiles),
    ("constants", numbers::constants),
    ("univariate", numbers::univariate),
];

/// The name of the CSV file that the case wants beside it, if any.
pub fn table_name(case: &Value) -> Option<&str> {
    case.get("data")?.get("csv")?.as_str()
}

/// Runs a case and gives an object with the keys of its `expected`, and some more.
///
/// `table` is the text of the file named by [`table_name`]. Any JSON value is a valid argument; what is not a case
/// is an error that says where.
pub fn run(case: &Value, table: Option<&str>) -> Result<Value, CaseError> {
    static NULL: Value = Value::Null;
    let root = Place::root(case);
    if let Some(schema) = root.get("schema").filter(|schema| schema.text() != Ok("spc-case/1")) {
        return Err(schema.error("spc-case/1, the only schema known here"));
    }
    let chart = root.need("chart")?;
    let types: Vec<_> = CHARTS.iter().map(|(name, compute)| (*name, compute)).collect();
    let compute = chart.choose(&types)?;
    let data = root.get("data").unwrap_or(Place::root(&NULL));
    let table = Table::of(&data, table)?;
    compute(&Case { params: root.get("params").unwrap_or(Place::root(&NULL)), data, table })
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
