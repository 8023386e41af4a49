//! Configurations that were in force: each text once, and from when on it was.

use domain::audit::{Actor, Configuration, ConfigurationUse, Note, What};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::add;
use crate::historian::Historian;
use crate::historian::error::StoreError;
use crate::historian::read::Failure;

/// What is told where there was no configuration before.
const BUILD: &str = concat!("capline ", env!("CARGO_PKG_VERSION"));

impl Historian {
    /// Notes that the service starts with a configuration, and that it is another one where it is. Durable on return.
    /// Blocks.
    ///
    /// # Errors
    /// Those of the store; the service must not start then.
    pub fn note_start(&self, configuration: Configuration) -> Result<(), StoreError> {
        self.write(move |conn| {
            let by = Actor::system();
            let sha256 = configuration.sha256.clone();
            let last = last_used(conn)?;
            let changed = last.as_ref().is_some_and(|last| *last != sha256);
            let started = Note::new(&by, What::ServiceStarted, "service")
                .change("", format!("{BUILD}, configuration {sha256}"));
            let mut entry = add(conn, &started)?;
            if changed {
                let taken = Note::new(&by, What::ConfigurationTaken, "configuration")
                    .change(last.unwrap_or_default(), sha256)
                    .why("it is another one than at the last start");
                entry = add(conn, &taken)?;
            }
            put(conn, &configuration, entry.number)
        })
    }

    /// Notes that a configuration is taken while the service runs, with what changes. Durable on return. Blocks.
    ///
    /// # Errors
    /// Those of the store; the configuration must not be taken then.
    pub fn take_configuration(
        &self,
        by: &Actor,
        configuration: Configuration,
        old: &str,
        changes: &[String],
    ) -> Result<(), StoreError> {
        let note = Note::new(by, What::ConfigurationTaken, "configuration")
            .change(old, configuration.sha256.clone())
            .why(changes.join("; "));
        self.write(move |conn| {
            let entry = add(conn, &note)?;
            put(conn, &configuration, entry.number)
        })
    }

    /// From when on which configuration was in force, newest first. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn configurations(&self) -> Result<Vec<ConfigurationUse>, StoreError> {
        self.readers().query(|conn| {
            let sql = "select sha256, from_us, build from configuration_use order by number desc";
            let mut find = conn.prepare_cached(sql)?;
            let found = find.query_map([], |row| {
                Ok(ConfigurationUse {
                    sha256: row.get(0)?,
                    from_us: row.get(1)?,
                    build: row.get(2)?,
                })
            })?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The files of a configuration that was in force, by the beginning of its hash; none that is known. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read, or the files are not those of the hash.
    pub fn configuration(&self, sha256: &str) -> Result<Option<Configuration>, StoreError> {
        self.readers().query(|conn| {
            let sql = "select sha256, files from configuration where sha256 = ?1";
            let found: Option<(String, String)> =
                conn.query_row(sql, [sha256], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((sha256, files)) = found else { return Ok(None) };
            read(sha256, &files).map(Some).map_err(Failure::Damaged)
        })
    }
}

/// A configuration as kept; in words why it is none.
pub(super) fn read(sha256: String, files: &str) -> Result<Configuration, String> {
    let name = sha256.get(..12).unwrap_or(&sha256).to_owned();
    let files: Vec<(String, String)> = serde_json::from_str(files)
        .map_err(|_| format!("configuration {name} is no list of files"))?;
    let configuration = Configuration { sha256, files };
    match configuration.is_sound() {
        true => Ok(configuration),
        false => Err(format!("configuration {name} does not match its hash")),
    }
}

fn put(conn: &Connection, configuration: &Configuration, audit: i64) -> Result<()> {
    let files = serde_json::json!(configuration.files).to_string();
    let sql = "insert into configuration (sha256, files) values (?1, ?2) on conflict do nothing";
    conn.execute(sql, (&configuration.sha256, files))?;
    // Since the moment of its entry, which cannot be changed.
    let sql = "insert into configuration_use (number, sha256, from_us, build, audit)
               select (select coalesce(max(number), 0) + 1 from configuration_use), ?1, at_us, ?2, number
               from audit where number = ?3";
    conn.execute(sql, params![configuration.sha256, BUILD, audit]).map(drop)
}

fn last_used(conn: &Connection) -> Result<Option<String>> {
    let sql = "select sha256 from configuration_use order by number desc limit 1";
    conn.query_row(sql, [], |row| row.get(0)).optional()
}
