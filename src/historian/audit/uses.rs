//! Configurations that were in force against the entries that tell of them, in both directions.

use std::collections::BTreeMap;

use domain::audit::{Entry, What};
use domain::units::SECOND_US;
use rusqlite::Connection;

use super::configuration;
use super::verify::{Verified, at};
use crate::historian::read::Found;

/// How far the moment of a use and that of its entry may be apart: before step 13 of the schema the clock was read for
/// each.
const APART_US: i64 = 10 * SECOND_US;

/// Looks at each use, and then for entries and configurations without one. `taken` are the entries that tell of one.
pub(super) fn look(
    conn: &Connection,
    verified: &mut Verified,
    taken: BTreeMap<i64, Entry>,
) -> Found<()> {
    let sql = "select u.sha256, c.files, u.audit, u.from_us from configuration_use u
               left join configuration c on c.sha256 = u.sha256 order by u.number";
    let mut find = conn.prepare(sql)?;
    let mut rows = find.query([])?;
    let mut used: BTreeMap<i64, String> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        verified.configurations += 1;
        let (sha256, number): (String, i64) = (row.get(0)?, row.get(2)?);
        let (files, from_us): (Option<String>, i64) = (row.get(1)?, row.get(3)?);
        let mut say = |what: &str| verified.findings.push(at(number, what));
        match taken.get(&number) {
            None => say("a configuration is said to be in force since it, and it tells of none"),
            Some(entry) if !entry.new.ends_with(&sha256) => {
                say("tells of another configuration than was kept");
            }
            Some(entry) if entry.at_us.abs_diff(from_us) > APART_US.unsigned_abs() => {
                say("the configuration is said to be in force since another moment");
            }
            Some(_) => {}
        }
        match files.map(|files| configuration::read(sha256.clone(), &files)) {
            None => say("the configuration that it tells of is missing"),
            Some(Ok(_)) => {}
            Some(Err(why)) => say(&why),
        }
        if used.insert(number, sha256).is_some() {
            say("two configurations are said to be in force since it");
        }
    }
    for (number, entry) in taken.iter().filter(|(number, _)| !used.contains_key(number)) {
        // A start with another configuration is two entries; the second one has the use.
        let next = taken.get(&(number + 1)).zip(used.get(&(number + 1)));
        let is_told_by_next = next.is_some_and(|(next, sha256)| {
            next.what == What::ConfigurationTaken.word() && entry.new.ends_with(sha256.as_str())
        });
        if !is_told_by_next {
            let what = "the configuration that it tells of is said to be in force nowhere";
            verified.findings.push(at(*number, what));
        }
    }
    let sql = "select sha256 from configuration
               where sha256 not in (select sha256 from configuration_use)";
    let mut find = conn.prepare(sql)?;
    let unused =
        find.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    for sha256 in unused {
        let name = sha256.get(..12).unwrap_or(&sha256);
        let what = format!("configuration {name} was kept and never in force");
        verified.findings.push(at(verified.head.number, what));
    }
    Ok(())
}
