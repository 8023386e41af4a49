//! A journal that goes on from a copy. What was stored after the copy is gone, and somebody may have seen it: so it gives
//! numbers that were never given, and one that was restored by a person has an identity of its own.

use domain::audit::{Actor, Head, Note, What};
use domain::units::Moment;
use rusqlite::{Connection, OptionalExtension, Result, TransactionBehavior, params};
use uuid::Uuid;

use super::{audit, forward};

/// Numbers that one life of a journal may give: 10,000 changes a second for three years. Some 8,000 lives fit what
/// a JSON number holds exactly.
const LIFE: i64 = 1 << 40;

/// Where a journal comes from that goes on from a copy.
pub(super) enum Why {
    /// A person restored a backup of that time. The box it came from may still be running.
    Restored { made_us: i64 },
    /// It was damaged, and this is the copy that was kept beside it.
    Healed {
        finding: String,
        /// The last head that is known of what was damaged.
        head: Option<Head>,
    },
}

/// Numbers of a stream that are lost: those between the last one of the copy and the first one of this life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// The last number of the copy.
    pub(super) after: i64,
    /// No number below is given again.
    pub(super) below: i64,
}

impl Lost {
    /// Whether a number was given by what is lost.
    pub(super) fn contains(self, seq: i64) -> bool {
        self.after < seq && seq < self.below
    }
}

/// Begins a new life, and says so to each line.
pub(super) fn begin_anew(conn: &mut Connection, why: Why, now: Moment) -> Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for source in forward::sources() {
        let after = head(&tx, source)?;
        let below = (after / LIFE + 1) * LIFE;
        set(&tx, &format!("copied.{source}"), &format!("{after} {below}"))?;
        skip_to(&tx, source, below)?;
    }
    audit::begin(&tx)?;
    let by = Actor::system();
    let note = match &why {
        Why::Restored { .. } => {
            let parent: String =
                tx.query_row("select value from meta where key = 'uuid'", [], |row| row.get(0))?;
            let uuid = Uuid::new_v4().to_string();
            set(&tx, "parent", &parent)?;
            set(&tx, "uuid", &uuid)?;
            Note::new(&by, What::JournalRestored, "journal").change(parent, uuid)
        }
        Why::Healed { head, .. } => {
            let head = head.as_ref().map(Head::to_string).unwrap_or_default();
            Note::new(&by, What::JournalHealed, "journal").change(head, "")
        }
    };
    audit::add(&tx, &note.why(words(&why)))?;
    tell_lines(&tx, &words(&why), now)?;
    tx.commit()
}

/// What a stream has lost, if this journal went on from a copy.
pub(super) fn lost(conn: &Connection, source: &str) -> Result<Option<Lost>> {
    let text: Option<String> = conn
        .query_row("select value from meta where key = ?1", [format!("copied.{source}")], |row| {
            row.get(0)
        })
        .optional()?;
    let numbers = text.as_deref().and_then(|text| text.split_once(' '));
    Ok(numbers.and_then(|(after, below)| {
        Some(Lost { after: after.parse().ok()?, below: below.parse().ok()? })
    }))
}

/// The identity of the journal that this one was restored from.
pub(super) fn parent(conn: &Connection) -> Result<Option<String>> {
    conn.query_row("select value from meta where key = 'parent'", [], |row| row.get(0)).optional()
}

fn head(conn: &Connection, source: &str) -> Result<i64> {
    let sql = format!("select coalesce(max(seq), 0) from {source}");
    let there: i64 = conn.query_row(&sql, [], |row| row.get(0))?;
    let given: Option<i64> = conn
        .query_row("select seq from sqlite_sequence where name = ?1", [source], |row| row.get(0))
        .optional()?;
    Ok(there.max(given.unwrap_or(0)))
}

/// The next number of a table that counts with `autoincrement`. The others are led by the row that tells of it.
fn skip_to(conn: &Connection, source: &str, below: i64) -> Result<()> {
    let moved =
        conn.execute("update sqlite_sequence set seq = ?2 where name = ?1", (source, below))?;
    if moved == 0 {
        let sql = "insert into sqlite_sequence (name, seq)
                   select name, ?2 from sqlite_schema
                   where type = 'table' and name = ?1 and sql like '%autoincrement%'";
        conn.execute(sql, (source, below))?;
    }
    Ok(())
}

fn set(conn: &Connection, key: &str, value: &str) -> Result<()> {
    let sql = "insert into meta (key, value) values (?1, ?2)
               on conflict (key) do update set value = excluded.value";
    conn.execute(sql, [key, value]).map(drop)
}

/// An alarm of each line, from its last stored tick to now. They carry the first numbers of this life.
fn tell_lines(conn: &Connection, detail: &str, now: Moment) -> Result<()> {
    let Some(Lost { below, .. }) = lost(conn, "event")? else { return Ok(()) };
    let sql = "insert into event (seq, line, at_us, from_us, kind, word, detail)
               select ?1 + id, id, ?2, at_us, 'alarm', 'restored', ?3 from line";
    conn.execute(sql, params![below, now.utc_us, detail]).map(drop)
}

fn words(why: &Why) -> String {
    let ends = "what was stored afterwards is lost, and what the machines counted meanwhile is booked as a gap";
    match why {
        Why::Restored { made_us } => {
            let made = jiff::Timestamp::from_microsecond(*made_us)
                .map_or_else(|_| format!("{made_us} us"), |made| format!("{made:.0}"));
            format!("the journal was restored from a backup of {made}; {ends}")
        }
        Why::Healed { finding, .. } => {
            format!("the journal was damaged ({finding}) and its copy was put in its place; {ends}")
        }
    }
}
