//! Reports that were made final, and what people said about gaps. Rows are added, never changed.

use std::io::Read;

use domain::audit::record::{gap_note_sha256, report_sha256};
use domain::audit::{Actor, NotSigned, Note, Signed, What, takes_second};
use domain::digest::sha256;
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::PeriodKind;
use domain::units::LineId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::read::{Failure, Found};
use super::record;
use super::{Historian, audit};

/// Pages are text and shrink to a sixth.
const LEVEL: i32 = 9;
/// A page that claims to be longer is damage.
const LONGEST_PAGE: u64 = 64 << 20;

impl Historian {
    /// What was said about these gaps, oldest first. Blocks.
    pub fn gap_notes(&self, line: &LineId, gaps: &[GapId]) -> Result<Vec<GapNote>, StoreError> {
        let named: Vec<String> = gaps.iter().map(|gap| format!("\"{gap}\"")).collect();
        let list = format!("[{}]", named.join(","));
        self.readers().query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let mut find = conn.prepare_cached(include_str!("sql/gap_notes_read.sql"))?;
            let mut rows = find.query((line, &list))?;
            let mut notes = Vec::new();
            while let Some(row) = rows.next()? {
                let gap: String = row.get(0)?;
                let damaged = || Failure::Damaged(format!("a note on the gap {gap:?}"));
                notes.push(GapNote {
                    gap: GapId::parse(&gap).ok_or_else(damaged)?,
                    at_us: row.get(1)?,
                    author: row.get(2)?,
                    text: row.get(3)?,
                });
            }
            Ok(notes)
        })
    }

    /// Keeps what was said about gaps, all of it or nothing; durable on return. Blocks.
    pub fn add_gap_notes(
        &self,
        line: &LineId,
        notes: Vec<GapNote>,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let (name, by) = (line.clone(), by.clone());
        self.write(move |conn| {
            let (line, ..) = record::line_row(conn, &name)?;
            let mut insert = conn.prepare_cached(include_str!("sql/gap_note_write.sql"))?;
            for note in &notes {
                let gap = note.gap.to_string();
                insert.execute(params![line, gap, note.at_us, note.author, note.text])?;
                let id = conn.last_insert_rowid().to_string();
                let of = if matches!(note.gap, GapId::Handover(_)) { "handover" } else { "gap" };
                let said = Note::new(&by, What::GapExplained, format!("{name} {of} {gap}"));
                audit::add(conn, &said.change("", format!("note {id}")).why(note.text.clone()))?;
                let sha256 = gap_note_sha256(name.as_str(), note);
                audit::sign(conn, &by, name.as_str(), (Signed::GapNote, id, sha256))?;
            }
            Ok(())
        })
    }

    /// Final reports of periods that began in `[from_us, to_us)`, newest first, without their pages. Blocks.
    pub fn final_reports(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
    ) -> Result<Vec<FinalReport>, StoreError> {
        self.readers().query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let mut find = conn.prepare_cached(include_str!("sql/reports_read.sql"))?;
            let found = find.query_map((line, from_us, to_us), report)?;
            found.map(|row| row?.ok_or_else(strange_kind)).collect()
        })
    }

    /// The page of a final report of a line, compared with the hash that it was stored under; none of that number.
    /// Blocks.
    pub fn final_page(&self, line: &LineId, number: i64) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers().query(|conn| match record::line_id(conn, line)? {
            Some(line) => page(conn, line, number),
            None => Ok(None),
        })
    }

    /// Keeps a final report with its page; its number is given here, the hash of the page is taken here. None where
    /// somebody was faster with that version. Durable on return. Blocks.
    pub fn add_final_report(
        &self,
        line: &LineId,
        report: FinalReport,
        page: Vec<u8>,
        by: &Actor,
    ) -> Result<Option<FinalReport>, StoreError> {
        let packed = zstd::bulk::compress(&page, LEVEL)
            .map_err(|error| StoreError::from_sqlite(&self.0.path, to_sql(error)))?;
        let report = FinalReport { page_sha256: sha256(&page), ..report };
        let (name, kept, by) = (line.clone(), report.clone(), by.clone());
        let (told, given) = std::sync::mpsc::sync_channel(1);
        self.write(move |conn| {
            let (line, ..) = record::line_row(conn, &name)?;
            let mut insert = conn.prepare_cached(include_str!("sql/report_write.sql"))?;
            let args = params![
                line,
                kept.kind.word(),
                kept.start_us,
                kept.version,
                kept.made_us,
                kept.author,
                kept.lang,
                kept.data_sha256,
                kept.page_sha256,
                packed,
            ];
            let number: Option<i64> = insert.query_row(args, |row| row.get(0)).optional()?;
            if let Some(number) = number {
                audit::add(conn, &finalised(&name, number, &kept, &by))?;
                let sha256 = report_sha256(name.as_str(), &kept);
                let record = (Signed::Report, number.to_string(), sha256);
                audit::sign(conn, &by, name.as_str(), record)?;
            }
            // Whoever asked waits for it.
            let _ = told.send(number);
            Ok(())
        })?;
        let number = given.recv().map_err(|_| StoreError::Closed)?;
        Ok(number.map(|number| FinalReport { number, ..report }))
    }
}

impl Historian {
    /// Signs a final report as its second person, bound to what its author signed. Durable on return. Blocks.
    pub fn sign_report(
        &self,
        line: &LineId,
        number: i64,
        by: &Actor,
    ) -> Result<Result<(), NotSigned>, StoreError> {
        let (name, by) = (line.clone(), by.clone());
        let (told, given) = std::sync::mpsc::sync_channel(1);
        self.write(move |conn| {
            let made = second(conn, &name, number, &by)?;
            // Whoever asked waits for it.
            let _ = told.send(made);
            Ok(())
        })?;
        given.recv().map_err(|_| StoreError::Closed)
    }
}

/// The second signature under a report, within the transaction that has looked at the first one.
fn second(
    conn: &Connection,
    name: &LineId,
    number: i64,
    by: &Actor,
) -> rusqlite::Result<Result<(), NotSigned>> {
    let Some(line) = record::line_id(conn, name)? else { return Ok(Err(NotSigned::NoReport)) };
    let sql =
        "select number, kind, start_us, version, made_us, author, lang, data_sha256, page_sha256
               from report where line = ?1 and number = ?2";
    let found = conn.query_row(sql, (line, number), report).optional()?.flatten();
    let Some(found) = found else { return Ok(Err(NotSigned::NoReport)) };
    let sql = "select exists (select 1 from report where line = ?1 and kind = ?2 and start_us = ?3 and version > ?4)";
    let args = params![line, found.kind.word(), found.start_us, found.version];
    if conn.query_row(sql, args, |row| row.get(0))? {
        return Ok(Err(NotSigned::Later));
    }
    match page(conn, line, number) {
        Ok(_) => {}
        Err(Failure::Sql(cause)) => return Err(cause),
        Err(_) => return Ok(Err(NotSigned::Changed)),
    }
    let (record, sha256) = (number.to_string(), report_sha256(name.as_str(), &found));
    let signatures = audit::signatures_of(conn, name, (Signed::Report, &record))?;
    if let Err(why) = takes_second(&signatures, &by.account, &sha256) {
        return Ok(Err(why));
    }
    audit::sign(conn, by, name.as_str(), (Signed::Report, record, sha256))?;
    Ok(Ok(()))
}

/// What the trail says of a final report.
fn finalised(line: &LineId, number: i64, report: &FinalReport, by: &Actor) -> Note {
    let FinalReport { kind, version, data_sha256, page_sha256, .. } = report;
    let start = jiff::Timestamp::from_microsecond(report.start_us);
    let start = start.map_or_else(|_| report.start_us.to_string(), |start| start.to_string());
    let subject = format!("{line} report {number}");
    Note::new(by, What::ReportFinalised, subject).change(
        "",
        format!(
            "{} of {start} version {version}, figures {data_sha256}, page {page_sha256}",
            kind.word()
        ),
    )
}

/// A row of final reports without its page. None of a kind that this version does not know.
pub(super) fn report(row: &Row<'_>) -> rusqlite::Result<Option<FinalReport>> {
    let Some(kind) = PeriodKind::from_word(&row.get::<_, String>(1)?) else { return Ok(None) };
    Ok(Some(FinalReport {
        number: row.get(0)?,
        kind,
        start_us: row.get(2)?,
        version: row.get(3)?,
        made_us: row.get(4)?,
        author: row.get(5)?,
        lang: row.get(6)?,
        data_sha256: row.get(7)?,
        page_sha256: row.get(8)?,
    }))
}

fn strange_kind() -> Failure {
    Failure::Damaged("a final report of a kind that does not exist".to_owned())
}

pub(super) fn page(conn: &Connection, line: i64, number: i64) -> Found<Option<Vec<u8>>> {
    let sql = "select page, page_sha256 from report where line = ?1 and number = ?2";
    let row = conn.query_row(sql, (line, number), |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((packed, stored)): Option<(Vec<u8>, String)> = row.optional()? else {
        return Ok(None);
    };
    let damaged = |why: &str| Failure::Damaged(format!("the page of final report {number} {why}"));
    let page = unpack(&packed).map_err(|error| damaged(&error))?;
    match sha256(&page) == stored {
        true => Ok(Some(page)),
        false => Err(damaged("is not the one that was stored")),
    }
}

/// The page as it was before it was compressed; in words why it cannot be had.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut page = Vec::new();
    let reader = zstd::stream::read::Decoder::new(packed);
    let read = reader.and_then(|reader| reader.take(LONGEST_PAGE).read_to_end(&mut page));
    read.map(|_| page).map_err(|error| format!("cannot be unpacked: {error}"))
}

fn to_sql(error: std::io::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
