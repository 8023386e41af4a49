//! Lines and counters have numbers of their own in the journal and in the plant database. Each is looked up once a
//! session, so that a row carries two numbers instead of four texts.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::outbox::{Batch, Column, Outbox, Rows};
use super::stream::Kind;
use crate::historian::archive::{Settings, Trouble};
use crate::historian::error::StoreError;

const LINES: &str = include_str!("../sql/plant/line_write.sql");
const COUNTERS: &str = include_str!("../sql/plant/counter_write.sql");
const READ: &str = include_str!("../sql/plant/names_read.sql");

/// What is counted where: line, station, what, why.
pub(super) type CounterName = [String; 4];

/// The names of a journal by its numbers.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) lines: HashMap<i64, String>,
    pub(super) counters: HashMap<i64, CounterName>,
}

/// The numbers there by the numbers here.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Dictionary,
    lines: HashMap<i64, i32>,
    counters: HashMap<i64, i32>,
}

impl Names {
    /// Whether all lines and counters of some rows are known.
    pub(super) fn know(&self, rows: &[Rows]) -> bool {
        let known = |kind: Kind, column: &Column| match (self.of(kind), column) {
            (Some(known), Column::Number(all)) => {
                all.iter().flatten().all(|id| known.contains_key(id))
            }
            _ => true,
        };
        rows.iter()
            .all(|rows| rows.kinds().zip(&rows.columns).all(|(kind, column)| known(kind, column)))
    }

    /// Enters what is new there and learns the numbers.
    pub(super) async fn learn(
        &mut self,
        client: &Client,
        outbox: &Arc<Outbox>,
        Settings { site, edge, .. }: &Settings,
    ) -> Result<(), Trouble> {
        self.known = outbox.ask(|outbox| outbox.names()).await?;
        let lines: Vec<&String> = self.known.lines.values().collect();
        client.execute(LINES, &[site, edge, &lines]).await?;
        let part = |n: usize| self.known.counters.values().map(move |name| &name[n]);
        let parts: [Vec<&String>; 4] = std::array::from_fn(|n| part(n).collect());
        let [lines, stations, counted, reasons] = &parts;
        client.execute(COUNTERS, &[site, edge, lines, stations, counted, reasons]).await?;
        let (mut lines, mut counters) = (HashMap::new(), HashMap::new());
        for row in client.query(READ, &[site, edge]).await? {
            let line: String = row.get(0);
            if let (Some(station), Some(counted), Some(reason), Some(id)) =
                (row.get(2), row.get(3), row.get(4), row.get::<_, Option<i32>>(5))
            {
                counters.insert([line.clone(), station, counted, reason], id);
            }
            lines.insert(line, row.get::<_, i32>(1));
        }
        self.lines = translate(&self.known.lines, &lines);
        self.counters = translate(&self.known.counters, &counters);
        Ok(())
    }

    /// A column of numbers of lines or counters as it is there; none for a column of anything else.
    ///
    /// # Errors
    /// A number that nobody has: damage.
    pub(super) fn there(
        &self,
        kind: Kind,
        column: &Column,
    ) -> Result<Option<Vec<Option<i32>>>, Trouble> {
        let (Some(known), Column::Number(all)) = (self.of(kind), column) else { return Ok(None) };
        let find = |id: &i64| known.get(id).copied().ok_or(*id);
        let there = all.iter().map(|id| id.as_ref().map(find).transpose());
        let unknown = |id| {
            Trouble::Journal(StoreError::Damaged {
                path: "journal.db".into(),
                finding: format!("there is no line or counter {id}"),
            })
        };
        there.collect::<Result<_, i64>>().map(Some).map_err(unknown)
    }

    /// All rows of a batch as JSON, with names where they are known.
    pub(super) fn json(&self, batch: &Batch) -> serde_json::Value {
        let value = |kind: Kind, column: &Column, row: usize| {
            let id = column.json(row);
            let name = id.as_i64().and_then(|id| match kind {
                Kind::Line => self.known.lines.get(&id).map(|name| serde_json::json!(name)),
                Kind::Counter => self.known.counters.get(&id).map(|name| serde_json::json!(name)),
                _ => None,
            });
            name.unwrap_or(id)
        };
        let table = |rows: &Rows| {
            let row = |n| {
                let values = rows.kinds().zip(&rows.columns);
                values.map(|(kind, column)| value(kind, column, n)).collect::<Vec<_>>()
            };
            serde_json::json!({ rows.table.name: (0..rows.n).map(row).collect::<Vec<_>>() })
        };
        batch.rows.iter().filter(|rows| rows.n > 0).map(table).collect()
    }

    fn of(&self, kind: Kind) -> Option<&HashMap<i64, i32>> {
        match kind {
            Kind::Line => Some(&self.lines),
            Kind::Counter => Some(&self.counters),
            _ => None,
        }
    }
}

fn translate<N: std::hash::Hash + Eq>(
    here: &HashMap<i64, N>,
    there: &HashMap<N, i32>,
) -> HashMap<i64, i32> {
    here.iter().filter_map(|(id, name)| Some((*id, *there.get(name)?))).collect()
}

/// A column as a parameter: as it is there if that differs.
pub(super) fn parameter<'a>(
    column: &'a Column,
    there: &'a Option<Vec<Option<i32>>>,
) -> &'a (dyn ToSql + Sync) {
    match there {
        Some(there) => there,
        None => column.parameter(),
    }
}
