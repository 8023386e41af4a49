//! The whole trail looked through: chain, head, guards, what was told of it to others, signatures, configurations.

use std::collections::BTreeMap;
use std::path::Path;

use domain::audit::record::{gap_note_sha256, limits_sha256, report_sha256};
use domain::audit::{Chain, Entry, Fault, Finding, Head, Signature, Signed, What};
use domain::digest::sha256;
use domain::line::report::{FinalReport, GapId, GapNote};
use rusqlite::{Connection, OptionalExtension, params};

use super::head::{Beside, MISSING};
use super::read::{entry, signature};
use super::{head, uses};
use crate::historian::error::StoreError;
use crate::historian::read::{Failure, Found};
use crate::historian::{quality, record, reports};

/// A head that somebody else was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who holds it, in words.
    pub by: String,
    /// The head.
    pub head: Head,
}

/// What a look through the trail found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries.
    pub entries: u64,
    /// The last one.
    pub head: Head,
    /// Identity of the journal.
    pub journal: String,
    /// Signatures.
    pub signatures: u64,
    /// Configurations.
    pub configurations: u64,
    /// What the chain was compared with, in words.
    pub compared: Vec<String>,
    /// What is wrong, in the order of the entries.
    pub findings: Vec<Finding>,
}

/// Looks through the trail of the journal in a directory, whether a service works on it or not. It is compared with the
/// heads that others were told, and with the file beside the journal where there is one.
///
/// # Errors
/// No journal, one from before there was a trail, one of a newer version.
pub fn verify(dir: &Path, told: &[Told]) -> Result<Verified, StoreError> {
    // Read before the journal: it may lag behind, and is never ahead of what it is compared with.
    let beside = Beside::new(dir).read();
    let (conn, path) = super::open(dir)?;
    let tx = conn.unchecked_transaction().map_err(|e| StoreError::from_sqlite(&path, e))?;
    let mut told = told.to_vec();
    let mut broken = None;
    match beside {
        Ok(Some(head)) => told.push(Told { by: "the file beside the journal".to_owned(), head }),
        Ok(None) => broken = Some(MISSING.to_owned()),
        Err(why) => broken = Some(why),
    }
    told.extend(on_reports(&tx).map_err(|failure| failure.at(&path))?);
    let mut verified = look(&tx, &told).map_err(|failure| failure.at(&path))?;
    // A journal that has just begun has no file yet.
    broken = broken.filter(|_| verified.entries > 1);
    verified.findings.extend(broken.map(|why| at(verified.head.number, why)));
    verified.findings.sort_by_key(|finding| finding.number);
    Ok(verified)
}

/// The heads that stand on final reports.
fn on_reports(conn: &Connection) -> Found<Vec<Told>> {
    let mut find = conn.prepare("select number, page from report order by number")?;
    let mut rows = find.query([])?;
    let mut told = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, packed): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        // A page that cannot be read is missed by what was signed of it.
        let Ok(page) = reports::unpack(&packed) else { continue };
        let page = String::from_utf8_lossy(&page);
        let head = page.split_once("data-audit-head=\"").and_then(|(_, rest)| rest.split_once('"'));
        if let Some(head) = head.and_then(|(head, _)| Head::parse(head)) {
            told.push(Told { by: format!("final report {number}"), head });
        }
    }
    Ok(told)
}

pub(super) fn at(number: i64, what: impl Into<String>) -> Finding {
    Finding { number, fault: Fault::Record(what.into()) }
}

fn look(conn: &Connection, told: &[Told]) -> Found<Verified> {
    let journal: String =
        conn.query_row("select value from meta where key = 'uuid'", [], |row| row.get(0))?;
    let mut verified = Verified { journal, ..Verified::default() };
    let mut telling = Telling::default();
    walk(conn, told, &mut verified, &mut telling)?;
    let Telling { mut signed, taken } = telling;
    let kept = head(conn)?;
    if kept != verified.head {
        let what = format!("the journal keeps {} as its last entry, and not this one", kept.number);
        let number = verified.head.number.min(kept.number);
        match kept.number > verified.head.number {
            true => verified
                .findings
                .push(Finding { number: verified.head.number, fault: Fault::Cut(kept) }),
            false => verified.findings.push(at(number, what)),
        }
    }
    guards(conn, &mut verified)?;
    signatures(conn, &mut verified, &mut signed)?;
    for (number, _) in signed {
        verified.findings.push(at(number, "the signature that it tells of is missing"));
    }
    uses::look(conn, &mut verified, taken)?;
    Ok(verified)
}

/// Entries that tell of rows elsewhere, by their numbers.
#[derive(Default)]
struct Telling {
    /// Of signatures.
    signed: BTreeMap<i64, Entry>,
    /// Of configurations that came into force.
    taken: BTreeMap<i64, Entry>,
}

/// The chain itself, and the heads that were told of it.
fn walk(
    conn: &Connection,
    told: &[Told],
    verified: &mut Verified,
    telling: &mut Telling,
) -> Found<()> {
    let mut by_number: BTreeMap<i64, Vec<&Head>> = BTreeMap::new();
    for Told { head, .. } in told {
        by_number.entry(head.number).or_default().push(head);
    }
    let mut chain = Chain::default();
    let sql =
        "select number, at_us, local, account, name, from_where, what, subject, old, new, reason,
               prev_hash, hash from audit order by number";
    let mut find = conn.prepare(sql)?;
    let mut rows = find.query([])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => entry(row),
            Ok(None) => break,
            Err(cause) => Err(cause),
        };
        let entry = match row {
            Ok(entry) => entry,
            Err(cause) => {
                verified
                    .findings
                    .push(at(chain.head().number + 1, format!("cannot be read: {cause}")));
                break;
            }
        };
        verified.entries += 1;
        verified.findings.extend(chain.check(&entry));
        let of_this = by_number.get(&entry.number).into_iter().flatten();
        for head in of_this.filter(|head| head.hash != entry.hash) {
            let fault = Fault::Rewritten((*head).clone());
            verified.findings.push(Finding { number: entry.number, fault });
        }
        match What::from_word(&entry.what) {
            Some(What::Signed) => drop(telling.signed.insert(entry.number, entry)),
            Some(What::ServiceStarted | What::ConfigurationTaken) => {
                telling.taken.insert(entry.number, entry);
            }
            Some(What::TrailDoubted) => {
                let what = format!("at that start the trail was doubted: {}", entry.reason);
                verified.findings.push(at(entry.number, what));
            }
            _ => {}
        }
    }
    verified.head = chain.head().clone();
    for Told { head, .. } in told.iter().filter(|told| told.head.number > verified.head.number) {
        let fault = Fault::Cut(head.clone());
        verified.findings.push(Finding { number: verified.head.number, fault });
    }
    let mut by_whom: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for Told { by, head } in told {
        let (n, last) = by_whom.entry(by).or_default();
        (*n, *last) = (*n + 1, head.number.max(*last));
    }
    let compared = by_whom.into_iter().map(|(by, (n, last))| match n {
        1 => format!("entry {last} as told by {by}"),
        n => format!("{n} entries up to {last} as told by {by}"),
    });
    verified.compared = compared.collect();
    if verified.entries == 0 {
        verified.findings.push(at(0, "there is no entry at all; each journal begins with one"));
    } else if chain.uuid() != Some(verified.journal.as_str()) {
        let fault = Fault::Journal(verified.journal.clone());
        verified.findings.push(Finding { number: 1, fault });
    }
    Ok(())
}

/// Tables that nothing else may listen to.
const GUARDED: [&str; 5] =
    ["audit", "audit_head", "signature", "configuration", "configuration_use"];

/// Whether the triggers that guard the trail are those of its schema, and no others.
fn guards(conn: &Connection, verified: &mut Verified) -> Found<()> {
    let step: u32 = conn.query_row("select max(step) from migration", [], |row| row.get(0))?;
    let schema = match step {
        ..13 => include_str!("../sql/0012_audit.sql").to_owned(),
        _ => {
            [include_str!("../sql/0012_audit.sql"), include_str!("../sql/0013_trust.sql")].concat()
        }
    };
    let mut find =
        conn.prepare("select name, sql, tbl_name from sqlite_schema where type = 'trigger'")?;
    let mut there: BTreeMap<String, (String, String)> = find
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let wanted = schema.match_indices("create trigger ").map(|(from, _)| &schema[from..]);
    for trigger in wanted {
        let text = trigger.split_once("end;").map_or(trigger, |(body, _)| body);
        let name = text.split_whitespace().nth(2).unwrap_or_default();
        // SQLite keeps the text from the name on.
        let from_name = |sql: &str| sql.split_once(name).map(|(_, rest)| rest.to_owned());
        let is = there.remove(name).is_some_and(|(sql, _)| {
            from_name(sql.trim_end().trim_end_matches("end")) == from_name(text)
        });
        if !is {
            verified
                .findings
                .push(at(verified.head.number, format!("the guard {name} is not there")));
        }
    }
    let strange = there.iter().filter(|(_, (_, table))| GUARDED.contains(&table.as_str()));
    let strange = strange.map(|(name, (_, table))| {
        let what = format!("the trigger {name} on {table} is none of this product");
        at(verified.head.number, what)
    });
    verified.findings.extend(strange);
    Ok(())
}

/// Each signature against its entry and against the record it is of.
fn signatures(
    conn: &Connection,
    verified: &mut Verified,
    signed: &mut BTreeMap<i64, Entry>,
) -> Found<()> {
    let mut find = conn.prepare(include_str!("../sql/signatures_read.sql"))?;
    let mut rows = find.query((None::<String>, None::<String>))?;
    while let Some(row) = rows.next()? {
        let (number, signature) = signature(row)?;
        verified.signatures += 1;
        let subject = signature.subject();
        match signed.remove(&number) {
            Some(entry) if entry.new == signature.sha256() => {}
            Some(_) => {
                verified
                    .findings
                    .push(at(number, format!("the signature of {subject} was changed")));
            }
            None => {
                let what = format!("the signature of {subject} is told by no entry");
                verified.findings.push(at(number, what));
            }
        }
        let now = match record_sha256(conn, &signature) {
            Ok(now) => now,
            Err(Failure::Damaged(_)) => None,
            Err(failure) => return Err(failure),
        };
        if now.as_ref() != Some(&signature.record_sha256) {
            let what = match now {
                Some(_) => format!("{subject} is not what {} signed", signature.name),
                None => {
                    format!("{subject}, which {} signed, is not there or damaged", signature.name)
                }
            };
            verified.findings.push(at(number, what));
        }
    }
    Ok(())
}

/// The hash of a record as it is now; none where it is not there.
fn record_sha256(conn: &Connection, signature: &Signature) -> Found<Option<String>> {
    let name = domain::units::LineId::new(signature.line.as_str());
    let Some(line) = record::line_id(conn, &name)? else { return Ok(None) };
    let of = signature.line.as_str();
    Ok(match Signed::from_word(&signature.kind) {
        None => None,
        Some(Signed::Limits) => {
            let Some((characteristic, version)) = signature.record.rsplit_once('/') else {
                return Ok(None);
            };
            let all = quality::limits(conn, line, Some(characteristic))?;
            let limits = all.into_iter().find(|limits| limits.version.to_string() == version);
            limits.and_then(|limits| {
                let decision = limits.decision.clone()?;
                Some(limits_sha256(of, &limits, &decision))
            })
        }
        Some(Signed::GapNote) => {
            let sql = "select gap, at_us, author, text from gap_note where line = ?1 and id = ?2";
            let note = conn.query_row(sql, params![line, signature.record], |row| {
                let gap: String = row.get(0)?;
                Ok(GapId::parse(&gap).map(|gap| (gap, row.get(1), row.get(2), row.get(3))))
            });
            match note.optional()?.flatten() {
                Some((gap, at_us, author, text)) => {
                    let note = GapNote { gap, at_us: at_us?, author: author?, text: text? };
                    Some(gap_note_sha256(of, &note))
                }
                None => None,
            }
        }
        Some(Signed::Report) => {
            report(conn, line, &signature.record)?.map(|report| report_sha256(of, &report))
        }
    })
}

/// A final report with the hash of its page as it is now.
fn report(conn: &Connection, line: i64, number: &str) -> Found<Option<FinalReport>> {
    let sql = "select number, kind, start_us, version, made_us, author, lang, data_sha256, page_sha256, page
               from report where line = ?1 and number = ?2";
    let found = conn.query_row(sql, params![line, number], |row| {
        let packed: Vec<u8> = row.get(9)?;
        let (Some(report), Ok(page)) = (reports::report(row)?, reports::unpack(&packed)) else {
            return Ok(None);
        };
        Ok(Some(FinalReport { page_sha256: sha256(&page), ..report }))
    });
    Ok(found.optional()?.flatten())
}
