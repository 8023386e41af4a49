//! Heads of the trail that a plant database was told: the proof that is not in the journal's own hands.

use std::path::Path;

use domain::audit::Head;
use uuid::Uuid;

use super::{Told, open};
use crate::historian::archive::{Settings, connect};

/// Tells the plant database a head; telling it twice changes nothing.
pub(in crate::historian) const TELL: &str =
    "insert into capline.audit_head (edge, journal, number, hash)
  values ($1, $2, $3, $4) on conflict do nothing";

const HEADS: &str = "select number, hash from capline.audit_head
  where edge = $1 and journal = $2 order by number";

fn identity(dir: &Path) -> Result<Uuid, String> {
    let (conn, _) = open(dir).map_err(|error| error.to_string())?;
    let sql = "select value from meta where key = 'uuid'";
    let uuid: String =
        conn.query_row(sql, [], |row| row.get(0)).map_err(|error| error.to_string())?;
    Uuid::parse_str(&uuid).map_err(|error| error.to_string())
}

/// The heads that a plant database was told of the journal in a directory, oldest first.
///
/// # Errors
/// In words: no journal, or the database cannot be reached or read.
pub async fn told_to_plant(dir: &Path, settings: &Settings) -> Result<Vec<Told>, String> {
    let journal = identity(dir)?;
    let plant = connect(&settings.address).await.map_err(|trouble| trouble.words())?;
    let rows = plant.client.query(HEADS, &[&settings.edge, &journal]).await;
    let told = |row: &tokio_postgres::Row| Told {
        by: "the plant database".to_owned(),
        head: Head { number: row.get(0), hash: row.get(1) },
    };
    rows.map(|rows| rows.iter().map(told).collect()).map_err(|error| error.to_string())
}
