//! Limits, judged subgroups and incidents in the journal. Rows are added, never changed: what turned out otherwise
//! stands beside what was said first.

use domain::audit::record::limits_sha256;
use domain::audit::{Actor, Note, Signed, What};
use domain::quality::limits::{Decision, Limits, Verdict};
use domain::quality::monitor::Told;
use domain::quality::record::{StoredIncident, StoredPoint, Work, WorkKind};
use domain::quality::signal::{Incident, Level};
use domain::units::LineId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::read::{Failure, Readers};
use super::record::{self, LimitsRow};
use super::{Historian, audit, journal};

impl Historian {
    /// Limits of a line, of one characteristic or of all, by version. Each is compared with the hash it was stored
    /// under. Blocks.
    pub fn limits(
        &self,
        line: &LineId,
        characteristic: Option<&str>,
    ) -> Result<Vec<Limits>, StoreError> {
        self.readers().query(|conn| match record::line_id(conn, line)? {
            Some(line) => limits(conn, line, characteristic),
            None => Ok(Vec::new()),
        })
    }

    /// Keeps new limits, with their decision if they have one. A version that is there is refused. Blocks.
    pub fn add_limits(&self, line: &LineId, limits: Limits, by: &Actor) -> Result<(), StoreError> {
        let (name, by) = (line.clone(), by.clone());
        self.write(move |conn| {
            proposed(&name, &limits, &by)
                .iter()
                .try_for_each(|note| audit::add(conn, note).map(drop))?;
            let (line, ..) = record::line_row(conn, &name)?;
            let mut insert = conn.prepare_cached(include_str!("sql/limits_write.sql"))?;
            insert.execute(params![
                line,
                &*limits.characteristic,
                limits.version,
                limits.made_us,
                limits.author,
                limits.reason,
                record::limits_json(&limits),
                limits.canonical(),
                limits.hash(),
            ])?;
            match &limits.decision {
                Some(decision) => decide(conn, line, &limits, decision),
                None => Ok(()),
            }
        })
    }

    /// Keeps what was decided about stored limits. A second decision is refused. Blocks.
    pub fn decide_limits(
        &self,
        line: &LineId,
        limits: Limits,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let (name, by) = (line.clone(), by.clone());
        self.write(move |conn| {
            let (line, ..) = record::line_row(conn, &name)?;
            let Some(decision) = &limits.decision else { return Ok(()) };
            decide(conn, line, &limits, decision)?;
            audit::add(conn, &decided(&name, &limits, decision, &by))?;
            let id = format!("{}/{}", limits.characteristic, limits.version);
            let sha256 = limits_sha256(name.as_str(), &limits, decision);
            audit::sign(conn, &by, name.as_str(), (Signed::Limits, id, sha256))
        })
    }

    /// Keeps what a running chart told. Telling the same again changes nothing. Blocks.
    pub fn add_points(
        &self,
        line: &LineId,
        characteristic: &str,
        told: Vec<Told>,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let (line, characteristic) = (line.clone(), characteristic.to_owned());
        self.write(move |conn| {
            let (line, ..) = record::line_row(conn, &line)?;
            told.iter().try_for_each(|told| point(conn, line, &characteristic, told, now_us))
        })
    }

    /// Keeps an incident as it stands. Blocks.
    pub fn put_incident(&self, line: &LineId, incident: Incident) -> Result<(), StoreError> {
        let line = line.clone();
        self.write(move |conn| {
            let (line, ..) = record::line_row(conn, &line)?;
            put_incident(conn, line, &incident)
        })
    }

    /// What a running chart told of subgroups that begin in `[from_us, to_us)`, corrections after what they correct.
    /// Blocks.
    pub fn points(
        &self,
        line: &LineId,
        characteristic: &str,
        (from_us, to_us): (i64, i64),
    ) -> Result<Vec<StoredPoint>, StoreError> {
        self.readers().query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let mut find = conn.prepare_cached(include_str!("sql/spc_points_read.sql"))?;
            let found = find.query_map((line, characteristic, from_us, to_us), stored_point)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Incidents of a line that began in `[from_us, to_us)` or are open, newest first, with the work on them. Blocks.
    pub fn incidents(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<StoredIncident>, StoreError> {
        self.readers().query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let mut find = conn.prepare_cached(include_str!("sql/incidents_read.sql"))?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = find.query((line, from_us, to_us, limit))?;
            let mut incidents = Vec::new();
            while let Some(row) = rows.next()? {
                let incident = incident(row)?;
                let id: i64 = row.get(0)?;
                incidents.push(StoredIncident { id, incident, work: work(conn, id)? });
            }
            Ok(incidents)
        })
    }

    /// Keeps what a person did about an incident of a line. Whether there is such an incident. Blocks.
    pub fn add_work(
        &self,
        line: &LineId,
        incident: i64,
        work: Work,
        by: &Actor,
    ) -> Result<bool, StoreError> {
        let known = self.readers().query(|conn| {
            let sql = "select 1 from incident join line on line.id = incident.line
                       where incident.id = ?1 and line.name = ?2";
            Ok(conn.query_row(sql, (incident, line.as_str()), |_| Ok(())).optional()?)
        })?;
        if known.is_none() {
            return Ok(false);
        }
        let note = Note::new(by, What::IncidentWorked, format!("{line} incident {incident}"))
            .change("", work.kind.word())
            .why(work.text.clone());
        self.write(move |conn| {
            audit::add(conn, &note)?;
            let sql = "insert into incident_work (incident, at_us, author, word, text) values (?1, ?2, ?3, ?4, ?5)";
            conn.execute(sql, params![incident, work.at_us, work.author, work.kind.word(), work.text])?;
            Ok(())
        })?;
        Ok(true)
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    pub(super) fn write(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.0.writer.perform(move |journal: &mut journal::Journal| journal.transact(work))
    }
}

/// What the trail calls limits.
fn subject(line: &LineId, limits: &Limits) -> String {
    format!("{line} {} limits {}", limits.characteristic, limits.version)
}

/// What the trail says of new limits and of each subgroup that they leave out.
fn proposed(line: &LineId, limits: &Limits, by: &Actor) -> Vec<Note> {
    let what = match limits.decision.as_ref().map(|decision| decision.verdict) {
        Some(Verdict::Provisional) => What::LimitsProvisional,
        _ => What::LimitsProposed,
    };
    let subject = subject(line, limits);
    let made =
        Note::new(by, what, subject.clone()).change("", limits.hash()).why(limits.reason.clone());
    let excluded = limits.baseline.excluded.iter().map(|excluded| {
        let start = jiff::Timestamp::from_microsecond(excluded.start_us);
        let start = start.map_or_else(|_| excluded.start_us.to_string(), |start| start.to_string());
        Note::new(by, What::SubgroupExcluded, subject.clone())
            .change(format!("subgroup of {start}"), "")
            .why(excluded.reason.clone())
    });
    [made].into_iter().chain(excluded).collect()
}

/// What the trail says of a decision about limits.
fn decided(line: &LineId, limits: &Limits, decision: &Decision, by: &Actor) -> Note {
    let what = match decision.verdict {
        Verdict::Approved => What::LimitsApproved,
        Verdict::Rejected => What::LimitsRejected,
        Verdict::Provisional => What::LimitsProvisional,
    };
    Note::new(by, what, subject(line, limits))
        .change("proposed", limits.hash())
        .why(decision.reason.clone())
}

fn decide(
    conn: &Connection,
    line: i64,
    limits: &Limits,
    decision: &Decision,
) -> rusqlite::Result<()> {
    let mut insert = conn.prepare_cached(include_str!("sql/limits_decision_write.sql"))?;
    insert.execute(params![
        line,
        &*limits.characteristic,
        limits.version,
        decision.verdict.word(),
        decision.at_us,
        decision.by,
        decision.reason,
    ])?;
    Ok(())
}

pub(super) fn limits(
    conn: &Connection,
    line: i64,
    characteristic: Option<&str>,
) -> Result<Vec<Limits>, Failure> {
    let mut find = conn.prepare_cached(include_str!("sql/limits_read.sql"))?;
    let mut rows = find.query((line, characteristic))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let stored = LimitsRow {
            characteristic: row.get(0)?,
            version: row.get(1)?,
            made_us: row.get(2)?,
            author: row.get(3)?,
            reason: row.get(4)?,
            form: row.get(5)?,
        };
        let name = format!("limits {} of {}", stored.version, stored.characteristic);
        let mut limits = record::limits(stored)
            .map_err(|problem| Failure::Damaged(format!("{name}: {problem}")))?;
        if limits.hash() != row.get::<_, String>(6)? {
            return Err(Failure::Damaged(format!("{name}: the record does not match its hash")));
        }
        let verdict = row.get::<_, Option<String>>(7)?;
        if let Some(verdict) = verdict.as_deref().and_then(Verdict::from_word) {
            let (at_us, by, reason) = (row.get(8)?, row.get(9)?, row.get(10)?);
            limits.decision = Some(Decision { verdict, by, reason, at_us });
        }
        all.push(limits);
    }
    Ok(all)
}

fn point(
    conn: &Connection,
    line: i64,
    characteristic: &str,
    told: &Told,
    now_us: i64,
) -> rusqlite::Result<()> {
    let judged = &told.judged;
    let mut insert = conn.prepare_cached(include_str!("sql/spc_point_write.sql"))?;
    insert.execute(params![
        line,
        characteristic,
        judged.subgroup.start_us,
        judged.version,
        judged.subgroup.fitness.word(),
        judged.subgroup.count.best() as i64,
        judged.subgroup.size.best() as i64,
        judged.point.stat,
        judged.point.z,
        judged.companion.stat,
        record::names(judged.point.hits.iter()),
        record::names(judged.beside().iter()),
        now_us,
    ])?;
    match &told.incident {
        Some(incident) => put_incident(conn, line, incident),
        None => Ok(()),
    }
}

fn put_incident(conn: &Connection, line: i64, incident: &Incident) -> rusqlite::Result<()> {
    let mut upsert = conn.prepare_cached(include_str!("sql/incident_write.sql"))?;
    upsert.execute(params![
        line,
        &*incident.characteristic,
        incident.version,
        incident.opened_us,
        incident.last_us,
        record::names(incident.rules.iter()),
        record::names(incident.companion.iter()),
        incident.n_points,
        incident.level.word(),
        incident.over,
    ])?;
    Ok(())
}

fn incident(row: &Row<'_>) -> Result<Incident, Failure> {
    let hits = |column: usize| {
        let names: String = row.get(column)?;
        record::hits(&names).map_err(|problem| Failure::Damaged(format!("incident: {problem}")))
    };
    let level: String = row.get(8)?;
    Ok(Incident {
        characteristic: row.get::<_, String>(1)?.into(),
        version: row.get(2)?,
        opened_us: row.get(3)?,
        last_us: row.get(4)?,
        rules: hits(5)?,
        companion: hits(6)?,
        n_points: row.get(7)?,
        level: Level::from_word(&level)
            .ok_or_else(|| Failure::Damaged(format!("incident: `{level}` is no level")))?,
        over: row.get(9)?,
    })
}

fn work(conn: &Connection, incident: i64) -> Result<Vec<Work>, Failure> {
    let sql =
        "select at_us, author, word, text from incident_work where incident = ?1 order by seq";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([incident])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(2)?;
        let kind = WorkKind::from_word(&word)
            .ok_or_else(|| Failure::Damaged(format!("incident: `{word}` is no work")))?;
        all.push(Work { at_us: row.get(0)?, author: row.get(1)?, kind, text: row.get(3)? });
    }
    Ok(all)
}

fn stored_point(row: &Row<'_>) -> rusqlite::Result<StoredPoint> {
    Ok(StoredPoint {
        start_us: row.get(0)?,
        rev: row.get(1)?,
        version: row.get(2)?,
        fitness: row.get(3)?,
        rejected: row.get::<_, i64>(4)? as u64,
        size: row.get::<_, i64>(5)? as u64,
        stat: row.get(6)?,
        z: row.get(7)?,
        rules: row.get(8)?,
        companion_rules: row.get(9)?,
        told_us: row.get(10)?,
    })
}
