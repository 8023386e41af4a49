//! The plant's side: one connection that may write for this box, and the transactions that move a watermark and
//! bring the rows in one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement, Transaction};
use uuid::Uuid;

use super::outbox::{Batch, DAY_US, Outbox, Rows, instant};
use super::stream::{PRESENT, STREAMS, Stream};
use crate::historian::archive::{Plant, Settings, Trouble, Variant, check, connect};

/// Time for a transaction. Beyond it the connection is given up, and the watermark says what became of it.
const WITHIN: Duration = Duration::from_secs(30);
/// Sessions of ours that may still be on their way to the server.
const REMEMBERED: usize = 1_000;

const TEND: &str = "select capline.tend()";
const FIND: &str = include_str!("../sql/plant/stream_find.sql");
const CLAIM: &str = include_str!("../sql/plant/stream_claim.sql");
const HOLD: &str = include_str!("../sql/plant/stream_hold.sql");
const ADVANCE: &str = include_str!("../sql/plant/stream_advance.sql");
const BACKLOGS: &str = include_str!("../sql/plant/backlogs_read.sql");
const BACKLOG_OPEN: &str = include_str!("../sql/plant/backlog_open.sql");
const BACKLOG_ADVANCE: &str = include_str!("../sql/plant/backlog_advance.sql");
const BACKLOG_CLOSE: &str = include_str!("../sql/plant/backlog_close.sql");
const DEAD_LETTER: &str = include_str!("../sql/plant/dead_letter_write.sql");

/// Who we are to the plant database.
pub(super) struct Identity {
    /// Where and under which name.
    pub(super) settings: Settings,
    /// The identity of our journal.
    pub(super) journal: Uuid,
    /// Sessions that this process has begun, the latest last.
    pub(super) sessions: VecDeque<Uuid>,
    /// Streams that one of them has had.
    pub(super) had: HashSet<&'static str>,
}

/// What a stream left behind: the numbers after `last` up to `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backlog {
    pub(super) upto: i64,
    pub(super) last: i64,
}

/// Which watermark a batch moves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// That of the stream.
    Live,
    /// That of a backlog which ends with this number.
    Backlog(i64),
}

/// The connection that may write.
pub(super) struct Session {
    plant: Plant,
    id: Uuid,
    site: String,
    edge: String,
    journal: Uuid,
    variant: Variant,
    statements: HashMap<&'static str, Statement>,
    /// Days since 1970 that have a partition.
    made: HashSet<i64>,
}

impl Session {
    /// Connects, looks at the tables, and prepares what will be said.
    pub(super) async fn open(identity: &mut Identity) -> Result<Session, Trouble> {
        let plant = connect(&identity.settings.address).await?;
        let id = Uuid::new_v4();
        let ready = within(async {
            let variant = check(&plant.client).await?;
            plant.client.batch_execute(TEND).await?;
            Ok((variant, prepare(&plant.client).await?))
        });
        let (variant, statements) = ready.await?;
        if identity.sessions.len() == REMEMBERED {
            identity.sessions.pop_front();
        }
        identity.sessions.push_back(id);
        let Settings { site, edge, .. } = identity.settings.clone();
        Ok(Session {
            plant,
            id,
            site,
            edge,
            journal: identity.journal,
            variant,
            statements,
            made: HashSet::new(),
        })
    }

    /// Lets the database make the partitions to come and drop one that has passed its time.
    pub(super) async fn tend(&self) -> Result<(), Trouble> {
        within(async { Ok(self.plant.client.batch_execute(TEND).await?) }).await
    }

    /// Takes a stream over, if it is ours: where it stands and what it left behind.
    pub(super) async fn claim(
        &mut self,
        stream: &'static Stream,
        identity: &mut Identity,
        outbox: &Arc<Outbox>,
    ) -> Result<(i64, Vec<Backlog>), Trouble> {
        within(async {
            let found = self.plant.client.query_opt(FIND, &[&self.edge, &stream.name]).await?;
            if let Some(found) = &found {
                let (journal, session): (Uuid, Uuid) = (found.get(0), found.get(1));
                if journal != identity.journal {
                    let parent = outbox.ask(|outbox| outbox.parent()).await?;
                    return Err(of_another(identity, journal, parent));
                }
                recognise(identity, stream, session)?;
                let (last, mark) = (found.get(2), found.get(3));
                outbox.ask(move |outbox| is_ours(stream, outbox, last, mark)).await?;
            }
            let claim: [&(dyn ToSql + Sync); 4] =
                [&self.edge, &stream.name, &self.journal, &self.id];
            let Some(row) = self.plant.client.query_opt(CLAIM, &claim).await? else {
                return Err(stranger(identity, "the journal of another box"));
            };
            identity.had.insert(stream.name);
            let last: i64 = row.get(0);
            let rows = self.plant.client.query(BACKLOGS, &[&self.edge, &stream.name]).await?;
            let backlog =
                |row: &tokio_postgres::Row| Backlog { upto: row.get(0), last: row.get(1) };
            Ok((last, rows.iter().map(backlog).collect()))
        })
        .await
    }

    /// Brings a batch: the watermark and the rows together or not at all.
    pub(super) async fn send(
        &mut self,
        stream: &'static Stream,
        part: Part,
        batch: &Batch,
    ) -> Result<(), Trouble> {
        within(async {
            self.make_partitions(&batch.rows).await?;
            let tx = self.plant.client.transaction().await?;
            let hand =
                Hand { tx: &tx, statements: &self.statements, site: &self.site, edge: &self.edge };
            hand.advance(stream, part, self.id, batch).await?;
            hand.write(&batch.rows, self.variant).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Lays a change aside that the database does not take, and moves the watermark past it.
    pub(super) async fn lay_aside(
        &mut self,
        stream: &'static Stream,
        part: Part,
        batch: &Batch,
        error: &str,
    ) -> Result<(), Trouble> {
        within(async {
            let tx = self.plant.client.transaction().await?;
            let hand =
                Hand { tx: &tx, statements: &self.statements, site: &self.site, edge: &self.edge };
            hand.advance(stream, part, self.id, batch).await?;
            let row = serde_json::Value::from_iter(batch.rows.iter().map(Rows::json)).to_string();
            let letter: [&(dyn ToSql + Sync); 6] =
                [&self.edge, &stream.name, &self.journal, &batch.upto, &error, &row];
            tx.execute(&self.statements[DEAD_LETTER], &letter).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Moves a stream to the present and leaves what lies between as a backlog.
    pub(super) async fn leave_behind(
        &mut self,
        stream: &'static Stream,
        last: i64,
        head: i64,
        mark: Option<i64>,
    ) -> Result<(), Trouble> {
        within(async {
            let tx = self.plant.client.transaction().await?;
            let hand =
                Hand { tx: &tx, statements: &self.statements, site: &self.site, edge: &self.edge };
            let nothing = Batch { after: last, upto: head, n: 0, mark, rows: Vec::new() };
            hand.advance(stream, Part::Live, self.id, &nothing).await?;
            tx.execute(BACKLOG_OPEN, &[&self.edge, &stream.name, &last, &head]).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Writes over what is open at present.
    pub(super) async fn show(
        &mut self,
        stream: &'static Stream,
        rows: &[Rows],
    ) -> Result<(), Trouble> {
        within(async {
            self.make_partitions(rows).await?;
            let tx = self.plant.client.transaction().await?;
            let hand =
                Hand { tx: &tx, statements: &self.statements, site: &self.site, edge: &self.edge };
            hand.hold(stream, self.id).await?;
            for rows in rows {
                hand.table(rows).await?;
            }
            Ok(tx.commit().await?)
        })
        .await
    }

    /// A month must have its partition before its rows come.
    async fn make_partitions(&mut self, rows: &[Rows]) -> Result<(), Trouble> {
        let days: HashSet<i64> = rows.iter().flat_map(Rows::days).collect();
        let new: Vec<i64> = days.difference(&self.made).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let moments: Vec<SystemTime> = new.iter().map(|day| instant(day * DAY_US)).collect();
        self.plant.client.execute("select capline.make_partitions($1)", &[&moments]).await?;
        self.made.extend(new);
        Ok(())
    }
}

/// A transaction and what it needs to speak.
struct Hand<'a> {
    tx: &'a Transaction<'a>,
    statements: &'a HashMap<&'static str, Statement>,
    site: &'a str,
    edge: &'a str,
}

impl Hand<'_> {
    /// Waits for other writers of this stream, and makes sure that it is still ours.
    async fn hold(&self, stream: &Stream, session: Uuid) -> Result<(), Trouble> {
        let hold = &self.statements[HOLD];
        let held = self.tx.query_opt(hold, &[&self.edge, &stream.name, &session]).await?;
        held.map(drop).ok_or_else(|| lost(stream))
    }

    /// Compares and sets the watermark.
    async fn advance(
        &self,
        stream: &Stream,
        part: Part,
        session: Uuid,
        batch: &Batch,
    ) -> Result<(), Trouble> {
        let (after, upto) = (batch.after, batch.upto);
        let moved = match part {
            Part::Live => {
                let advance: [&(dyn ToSql + Sync); 6] =
                    [&self.edge, &stream.name, &session, &after, &upto, &batch.mark];
                self.tx.execute(&self.statements[ADVANCE], &advance).await?
            }
            Part::Backlog(end) => {
                self.hold(stream, session).await?;
                let advance: [&(dyn ToSql + Sync); 5] =
                    [&self.edge, &stream.name, &end, &after, &upto];
                self.tx.execute(&self.statements[BACKLOG_ADVANCE], &advance).await?
            }
        };
        if moved != 1 {
            return Err(lost(stream));
        }
        if let Part::Backlog(end) = part
            && end == upto
        {
            self.tx.execute(BACKLOG_CLOSE, &[&self.edge, &stream.name, &end]).await?;
        }
        Ok(())
    }

    async fn write(&self, rows: &[Rows], variant: Variant) -> Result<(), Trouble> {
        if variant == Variant::Timescale {
            // Rows that are late by more than a week find their chunk compressed.
            let unlimited = "set local timescaledb.max_tuples_decompressed_per_dml_transaction = 0";
            self.tx.batch_execute(unlimited).await?;
        }
        for rows in rows {
            let written = self.table(rows).await?;
            if rows.table.each && written != rows.n as u64 {
                let (table, n) = (rows.table.name, rows.n);
                // Nothing is committed. An upsert that silently leaves rows out was a fault of TimescaleDB 2.17.
                return Err(Trouble::Schema(format!("took {written} of {n} rows of {table}")));
            }
        }
        Ok(())
    }

    async fn table(&self, rows: &Rows) -> Result<u64, Trouble> {
        if rows.n == 0 {
            return Ok(0);
        }
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&self.site, &self.edge];
        parameters.extend(rows.columns.iter().map(|column| column.parameter()));
        Ok(self.tx.execute(&self.statements[rows.table.write], &parameters).await?)
    }
}

async fn prepare(client: &Client) -> Result<HashMap<&'static str, Statement>, Trouble> {
    let mut statements = HashMap::new();
    let tables = STREAMS.into_iter().chain([&PRESENT]).flat_map(|stream| stream.tables);
    let texts = tables.map(|table| table.write);
    for sql in texts.chain([HOLD, ADVANCE, BACKLOG_ADVANCE, DEAD_LETTER]) {
        if !statements.contains_key(sql) {
            statements.insert(sql, client.prepare(sql).await?);
        }
    }
    Ok(statements)
}

pub(in crate::historian) async fn within<T>(
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(WITHIN, work).await {
        Ok(done) => done,
        Err(_) => Err(Trouble::Silent(WITHIN.as_secs())),
    }
}

/// A stream that is not of our journal: of the one that ours was restored from, or of any other.
fn of_another(identity: &Identity, journal: Uuid, parent: Option<Uuid>) -> Trouble {
    if parent != Some(journal) {
        return stranger(identity, "the journal of another box");
    }
    let edge = &identity.settings.edge;
    Trouble::Stranger(format!(
        "the journal that this one was restored from writes as edge \"{edge}\"; if it is gone for good, stop this \
         service and run `capline adopt`, otherwise give this box a name of its own in [database] edge"
    ))
}

/// Whether nobody else has taken a stream since we had it.
fn recognise(identity: &Identity, stream: &Stream, session: Uuid) -> Result<(), Trouble> {
    if identity.had.contains(stream.name) && !identity.sessions.contains(&session) {
        return Err(stranger(identity, "another box that runs now"));
    }
    Ok(())
}

/// Whether our journal is the one that brought it this far, or a copy that was taken before.
fn is_ours(
    stream: &'static Stream,
    outbox: &Outbox,
    last: i64,
    there: Option<i64>,
) -> Result<(), Trouble> {
    let name = stream.name;
    if outbox.lost(stream)?.is_some_and(|lost| lost.contains(last)) {
        return Err(Trouble::Stranger(format!(
            "the database has {name} {last} of this box and its journal, which went on from a copy, does not; stop this service and run `capline adopt`"
        )));
    }
    let head = outbox.head(stream)?;
    if last > head {
        return Err(Trouble::Stranger(format!(
            "the database has {name} {last} of this box and its journal ends with {head}: the journal is an older copy; put the newest one back, or give the box a new name in [database] edge"
        )));
    }
    let here = outbox.mark(stream, last)?;
    match (here, there) {
        (Some(here), Some(there)) if here != there => Err(Trouble::Stranger(format!(
            "{name} {last} of this box is another one in the database: the journal went on from an older copy; put the newest one back, or give the box a new name in [database] edge"
        ))),
        _ => Ok(()),
    }
}

fn stranger(identity: &Identity, who: &str) -> Trouble {
    let edge = &identity.settings.edge;
    Trouble::Stranger(format!(
        "{who} writes as edge \"{edge}\"; give each box a name of its own in [database] edge"
    ))
}

fn lost(stream: &Stream) -> Trouble {
    Trouble::Lost(stream.name)
}
