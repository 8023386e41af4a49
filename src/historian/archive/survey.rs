//! What a plant database holds, before somebody writes into it and after.

use super::connect::{Address, connect};

/// What the database holds of a box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Name of the box.
    pub edge: String,
    /// Minutes that are closed.
    pub minutes: i64,
    /// Counts of minutes, of those that are open as well.
    pub counts: i64,
    /// Events.
    pub events: i64,
    /// Stops.
    pub stops: i64,
}

const IS_THERE: &str = "select to_regclass('capline.edge_stream') is not null";
const HELD: &str = "
  select l.edge,
    (select count(*) from capline.minute m where m.line_id = any(l.ids) and m.closed),
    (select count(*) from capline.minute_count c where c.line_id = any(l.ids)),
    (select count(*) from capline.event e where e.line_id = any(l.ids)),
    (select count(*) from capline.stop s where s.line_id = any(l.ids))
  from (select edge, array_agg(id) as ids from capline.line where edge = coalesce($1, edge) group by edge) l
  order by l.edge";

/// What a database holds of one box or of all; of none where it has no tables of ours.
///
/// # Errors
/// In one sentence: it cannot be reached, or the role may not read.
pub async fn survey(address: &Address, edge: Option<&str>) -> Result<Vec<Holding>, String> {
    let plant = connect(address).await.map_err(|trouble| trouble.words())?;
    let words = |error: tokio_postgres::Error| super::reaction::words(&error);
    if !plant.client.query_one(IS_THERE, &[]).await.map_err(words)?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = plant.client.query(HELD, &[&edge]).await.map_err(words)?;
    let holding = |row: &tokio_postgres::Row| Holding {
        edge: row.get(0),
        minutes: row.get(1),
        counts: row.get(2),
        events: row.get(3),
        stops: row.get(4),
    };
    Ok(rows.iter().map(holding).collect())
}
