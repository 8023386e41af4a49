//! The tables of the plant database: ordered steps, each applied once under a lock and remembered with its checksum.

use domain::digest::sha256;
use tokio_postgres::{Client, Transaction};

use super::connect::{Address, connect};
use super::reaction::{Trouble, words};

/// One of our own choosing, so that two migrations wait for each other: "CAPL".
const LOCK: i64 = 0x4341_504c;
/// The oldest PostgreSQL that is tested.
const OLDEST: i32 = 150_000;
/// What the tables say where PostgreSQL alone has to divide them.
const CLOSED: &str = "/* partition by range (t) */";
const OPENED: &str = "partition by range (t)";

/// How time is divided there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// By TimescaleDB.
    Timescale,
    /// By partitions of PostgreSQL.
    Partitions,
}

struct Step {
    number: i32,
    name: &'static str,
    sql: &'static str,
}

const ROLES: Step =
    Step { number: 1, name: "roles", sql: include_str!("../sql/plant/0001_roles.sql") };
const TABLES: Step =
    Step { number: 2, name: "tables", sql: include_str!("../sql/plant/0002_tables.sql") };
const TIMESCALE: Step =
    Step { number: 3, name: "timescale", sql: include_str!("../sql/plant/0003_timescale.sql") };
const PARTITIONS: Step =
    Step { number: 3, name: "partitions", sql: include_str!("../sql/plant/0003_partitions.sql") };
const RECORDS: Step =
    Step { number: 4, name: "records", sql: include_str!("../sql/plant/0004_records.sql") };
const RECORDS_TIMESCALE: Step = Step {
    number: 5,
    name: "records_timescale",
    sql: include_str!("../sql/plant/0005_records_timescale.sql"),
};
const RECORDS_PARTITIONS: Step = Step {
    number: 5,
    name: "records_partitions",
    sql: include_str!("../sql/plant/0005_records_partitions.sql"),
};

const AUDIT: Step =
    Step { number: 6, name: "audit", sql: include_str!("../sql/plant/0006_audit.sql") };

/// Looks into the catalog itself: `to_regclass` answers from a cache that another migration does not reach.
const IS_THERE: &str = "select exists (
  select from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'capline' and c.relname = 'migration'
)";

/// Never edit a step that was released: add one.
fn steps(variant: Variant) -> [&'static Step; 6] {
    match variant {
        Variant::Timescale => [&ROLES, &TABLES, &TIMESCALE, &RECORDS, &RECORDS_TIMESCALE, &AUDIT],
        Variant::Partitions => {
            [&ROLES, &TABLES, &PARTITIONS, &RECORDS, &RECORDS_PARTITIONS, &AUDIT]
        }
    }
}

/// What a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// How time is divided.
    pub variant: Variant,
    /// Steps that were applied now, in order; empty where all were there.
    pub applied: Vec<&'static str>,
}

/// Brings the tables of a database to the present state.
///
/// # Errors
/// In one sentence: not reachable, too old, no right to do it, or made by another version.
pub async fn migrate(address: &Address) -> Result<Migrated, String> {
    let mut plant = connect(address).await.map_err(|trouble| trouble.words())?;
    apply_all(&mut plant.client).await.map_err(|trouble| trouble.words())
}

/// The same as a script for an administrator. It is for an empty database; the server is not asked.
pub fn script(variant: Variant) -> String {
    let mut script = format!("-- Capline {}\n", env!("CARGO_PKG_VERSION"));
    for step in steps(variant) {
        let (number, name, sha256) = (step.number, step.name, sha256(step.sql));
        let sql = step.sql_for(variant);
        script += &format!("\nbegin;\n{sql}\n{}\ncommit;\n", remember(number, name, &sha256));
    }
    script
}

/// Whether the tables are those of this version.
pub(in crate::historian) async fn check(client: &Client) -> Result<Variant, Trouble> {
    let there = client.query_one(IS_THERE, &[]).await?;
    if !there.get::<_, bool>(0) {
        return Err(Trouble::Schema("there are no tables yet; run capline migrate".to_owned()));
    }
    let rows = client.query("select step, name, sha256 from capline.migration order by step", &[]);
    let found: Vec<(i32, String, String)> =
        rows.await?.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let is_timescale = found.iter().any(|(_, name, _)| name == TIMESCALE.name);
    let variant = if is_timescale { Variant::Timescale } else { Variant::Partitions };
    compare(&found, variant).map_err(Trouble::Schema)?;
    match steps(variant).len() - found.len() {
        0 => Ok(variant),
        n => Err(Trouble::Schema(format!(
            "{n} steps of its tables are missing; run capline migrate"
        ))),
    }
}

/// What is there must be the beginning of what should be there.
fn compare(found: &[(i32, String, String)], variant: Variant) -> Result<(), String> {
    let steps = steps(variant);
    if found.len() > steps.len() {
        let (found, known) = (found.len(), steps.len());
        return Err(format!(
            "has {found} steps, this version knows {known}; install the newer Capline"
        ));
    }
    for (step, (number, name, stored)) in steps.iter().zip(found) {
        if *number != step.number || *name != step.name || *stored != sha256(step.sql) {
            let wanted = step.name;
            return Err(format!(
                "step {number} ({name}) is not the {wanted} of this version; install the Capline that made it"
            ));
        }
    }
    Ok(())
}

async fn apply_all(client: &mut Client) -> Result<Migrated, Trouble> {
    let variant = detect(client).await?;
    let mut applied = Vec::new();
    for step in steps(variant) {
        let tx = client.transaction().await?;
        if apply(&tx, step, variant).await? {
            applied.push(step.name);
        }
        tx.commit().await?;
    }
    Ok(Migrated { variant, applied })
}

/// What the database already decided, else what it offers.
async fn detect(client: &Client) -> Result<Variant, Trouble> {
    let version =
        client.query_one("select current_setting('server_version_num')::int", &[]).await?;
    let version: i32 = version.get(0);
    if version < OLDEST {
        let major = version / 10_000;
        return Err(Trouble::Schema(format!(
            "PostgreSQL {major} is too old; 15 or newer is needed"
        )));
    }
    // What is there decides; else the offer. The Apache edition has neither columnstore nor continuous aggregates.
    let row = client
        .query_one(
            "select (select relkind = 'p' from pg_class where oid = to_regclass('capline.minute')),
               exists (select from pg_extension where extname = 'timescaledb')
               and coalesce(current_setting('timescaledb.license', true), '') = 'timescale'",
            &[],
        )
        .await?;
    let (divided, offered): (Option<bool>, bool) = (row.get(0), row.get(1));
    Ok(match divided {
        Some(true) => Variant::Partitions,
        Some(false) => Variant::Timescale,
        None if offered => Variant::Timescale,
        None => Variant::Partitions,
    })
}

/// Applies a step that is not there. True if it was applied.
async fn apply(tx: &Transaction<'_>, step: &Step, variant: Variant) -> Result<bool, Trouble> {
    tx.batch_execute("set local lock_timeout = '5s'").await?;
    tx.execute("select pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let there = tx.query_one(IS_THERE, &[]).await?;
    if there.get(0) {
        let find = "select name, sha256 from capline.migration where step = $1";
        if let Some(row) = tx.query_opt(find, &[&step.number]).await? {
            let found = [(step.number, row.get(0), row.get(1))];
            return match found[0] == (step.number, step.name.to_owned(), sha256(step.sql)) {
                true => Ok(false),
                false => Err(Trouble::Schema(format!(
                    "step {} ({}) is not the {} of this version; install the Capline that made it",
                    step.number, found[0].1, step.name
                ))),
            };
        }
    }
    let at = |error: tokio_postgres::Error| {
        Trouble::Schema(format!("step {} ({}): {}", step.number, step.name, words(&error)))
    };
    tx.batch_execute(&step.sql_for(variant)).await.map_err(at)?;
    tx.batch_execute(&remember(step.number, step.name, &sha256(step.sql))).await.map_err(at)?;
    Ok(true)
}

impl Step {
    fn sql_for(&self, variant: Variant) -> String {
        match variant {
            Variant::Timescale => self.sql.to_owned(),
            Variant::Partitions => self.sql.replace(CLOSED, OPENED),
        }
    }
}

/// Names and checksums are ours: no quote is in them.
fn remember(number: i32, name: &str, sha256: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "insert into capline.migration (step, name, sha256, version) values ({number}, '{name}', '{sha256}', '{version}');"
    )
}
