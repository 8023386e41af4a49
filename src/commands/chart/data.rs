//! Columns of a table as the data of a case.

use domain::spc::case;
use serde_json::{Map, Value, json};

use super::super::spc::Kind;
use super::Request;
use super::table::Table;

/// The data of a case and what its points are called.
pub(super) struct Charted<'t> {
    pub(super) data: Value,
    pub(super) labels: Vec<&'t str>,
    /// What the labels are, from the header.
    pub(super) title: &'t str,
}

impl<'t> Charted<'t> {
    pub(super) fn of(request: &Request<'t>, table: &Table<'t>) -> Result<Charted<'t>, String> {
        let named = |option: &str, title: Option<&'t str>| {
            title.ok_or_else(|| {
                let known = table.titles.join(", ");
                format!("this chart needs {option}; the columns are {known}")
            })
        };
        let column = |option: &str, title: Option<&'t str>| table.column(named(option, title)?);
        let sizes = || request.size.map(|title| table.column(title)).transpose();
        let data = match request.kind {
            Kind::XbarR | Kind::XbarS => {
                let group = named("--group-column", request.group)?;
                let values = column("--value-column", request.value)?;
                return Ok(grouped(group, &table.texts(group)?, &values));
            }
            Kind::IMr | Kind::G | Kind::T => {
                json!({ "x": column("--value-column", request.value)? })
            }
            Kind::Ewma | Kind::Cusum | Kind::Ma => {
                let mut data = json!({ "x": column("--value-column", request.value)? });
                if let Some(sizes) = sizes()? {
                    data["n"] = json!(sizes);
                }
                data
            }
            Kind::C => json!({ "c": column("--count-column", request.count)? }),
            kind => {
                let counts = column("--count-column", request.count)?;
                let sizes = column("--size-column", request.size)?;
                match kind {
                    Kind::U | Kind::UPrime => json!({ "c": counts, "n": sizes }),
                    _ => json!({ "d": counts, "n": sizes }),
                }
            }
        };
        let title = table.titles.first().copied().unwrap_or_default();
        Ok(Charted { data, labels: table.labels.clone(), title })
    }
}

/// Rows with the same text in the column of groups are one subgroup, in the order in which it first comes.
fn grouped<'t>(title: &'t str, names: &[&'t str], values: &[Option<f64>]) -> Charted<'t> {
    let mut labels: Vec<&str> = Vec::new();
    let mut groups: Vec<Vec<f64>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (name, value) in names.iter().zip(values) {
        let at = *places.entry(*name).or_insert_with(|| {
            labels.push(name);
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.extend(value);
        }
    }
    Charted { data: json!({ "groups": groups }), labels, title }
}

/// A chart with a memory is judged by a target and a sigma: what was not given comes from the baseline, as on an I
/// chart.
pub(super) fn law_of_baseline(
    kind: Kind,
    data: &Value,
    params: &mut Map<String, Value>,
) -> Result<(), String> {
    let case = json!({
        "chart": "i_mr", "params": { "baseline": params.get("baseline") }, "data": { "x": data["x"] },
    });
    let result = case::run(&case, None).map_err(|error| error.to_string())?;
    let center = if kind == Kind::Ma { "center" } else { "target" };
    for (key, estimate) in [(center, "center"), ("sigma", "sigma")] {
        let found = &result["estimates"][estimate];
        if !params.contains_key(key) && !found.is_null() {
            params.insert(key.to_owned(), found.clone());
        }
    }
    params.remove("baseline");
    Ok(())
}
