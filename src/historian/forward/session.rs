//! The plant's side: one connection that may write for this box, and the transactions that move a watermark and
//! bring the rows in one.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::audit::Head;
use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement, Transaction};
use uuid::Uuid;

use super::identity::{Identity, is_ours, of_another, recognise, stranger};
use super::names::{Names, parameter};
use super::outbox::{Batch, DAY_US, Outbox, Rows, instant};
use super::stream::{STREAMS, Stream};
use crate::historian::archive::{Plant, Settings, Trouble, Variant, check, connect};
use crate::historian::audit;

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
    settings: Settings,
    journal: Uuid,
    outbox: Arc<Outbox>,
    variant: Variant,
    /// By their text, and those that write a table by its name.
    statements: HashMap<&'static str, Statement>,
    names: Names,
    /// Days since 1970 that have a partition.
    made: HashSet<i64>,
}

impl Session {
    /// Connects, looks at the tables, and prepares what will be said.
    pub(super) async fn open(
        identity: &mut Identity,
        outbox: &Arc<Outbox>,
    ) -> Result<Session, Trouble> {
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
        Ok(Session {
            plant,
            id,
            settings: identity.settings.clone(),
            journal: identity.journal,
            outbox: outbox.clone(),
            variant,
            statements,
            names: Names::default(),
            made: HashSet::new(),
        })
    }

    /// Lets the database make the partitions to come and drop one that has passed its time.
    pub(super) async fn tend(&self) -> Result<(), Trouble> {
        within(async { Ok(self.plant.client.batch_execute(TEND).await?) }).await
    }

    /// Tells the database how far the audit trail is, so that nobody here can take back what was in it.
    pub(super) async fn anchor(&self, head: &Head) -> Result<(), Trouble> {
        if head.number == 0 {
            return Ok(());
        }
        let told: [&(dyn ToSql + Sync); 4] =
            [&self.settings.edge, &self.journal, &head.number, &head.hash];
        within(async { Ok(self.plant.client.execute(audit::TELL, &told).await.map(drop)?) }).await
    }

    /// Takes a stream over, if it is ours: where it stands and what it left behind.
    pub(super) async fn claim(
        &mut self,
        stream: &'static Stream,
        identity: &mut Identity,
    ) -> Result<(i64, Vec<Backlog>), Trouble> {
        let outbox = &self.outbox;
        within(async {
            let found =
                self.plant.client.query_opt(FIND, &[&self.settings.edge, &stream.name]).await?;
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
                [&self.settings.edge, &stream.name, &self.journal, &self.id];
            let Some(row) = self.plant.client.query_opt(CLAIM, &claim).await? else {
                return Err(stranger(identity, "the journal of another box"));
            };
            identity.had.insert(stream.name);
            let last: i64 = row.get(0);
            let rows =
                self.plant.client.query(BACKLOGS, &[&self.settings.edge, &stream.name]).await?;
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
            self.prepare_for(&batch.rows).await?;
            let tx = self.plant.client.transaction().await?;
            let hand = Hand::new(&tx, &self.statements, &self.names, &self.settings.edge);
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
            let hand = Hand::new(&tx, &self.statements, &self.names, &self.settings.edge);
            hand.advance(stream, part, self.id, batch).await?;
            let row = self.names.json(batch).to_string();
            let letter: [&(dyn ToSql + Sync); 6] =
                [&self.settings.edge, &stream.name, &self.journal, &batch.upto, &error, &row];
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
            let hand = Hand::new(&tx, &self.statements, &self.names, &self.settings.edge);
            let nothing = Batch { after: last, upto: head, n: 0, mark, rows: Vec::new() };
            hand.advance(stream, Part::Live, self.id, &nothing).await?;
            tx.execute(BACKLOG_OPEN, &[&self.settings.edge, &stream.name, &last, &head]).await?;
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
            self.prepare_for(rows).await?;
            let tx = self.plant.client.transaction().await?;
            let hand = Hand::new(&tx, &self.statements, &self.names, &self.settings.edge);
            hand.hold(stream, self.id).await?;
            hand.tables(rows).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// A line must have its number and a month its partition before their rows come.
    async fn prepare_for(&mut self, rows: &[Rows]) -> Result<(), Trouble> {
        if !self.names.know(rows) {
            self.names.learn(&self.plant.client, &self.outbox, &self.settings).await?;
        }
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
    names: &'a Names,
    edge: &'a str,
}

impl<'a> Hand<'a> {
    fn new(
        tx: &'a Transaction<'a>,
        statements: &'a HashMap<&'static str, Statement>,
        names: &'a Names,
        edge: &'a str,
    ) -> Hand<'a> {
        Hand { tx, statements, names, edge }
    }

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
                let advance: [&(dyn ToSql + Sync); 6] =
                    [&self.edge, &stream.name, &end, &after, &upto, &session];
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
        for (rows, written) in rows.iter().zip(self.tables(rows).await?) {
            if written != rows.n as u64 {
                let (table, n) = (rows.table.name, rows.n);
                // Nothing is committed. An upsert that silently leaves rows out was a fault of TimescaleDB 2.17.
                return Err(Trouble::Schema(format!("took {written} of {n} rows of {table}")));
            }
        }
        Ok(())
    }

    /// Sends the rows of all tables without waiting for an answer in between, then hears how many were written of each.
    async fn tables(&self, rows: &[Rows]) -> Result<Vec<u64>, Trouble> {
        // The first error is the one that counts: after it the transaction refuses everything.
        join_all(rows.iter().map(|rows| self.table(rows))).await.into_iter().collect()
    }

    async fn table(&self, rows: &Rows) -> Result<u64, Trouble> {
        if rows.n == 0 {
            return Ok(0);
        }
        let there = rows.kinds().zip(&rows.columns);
        let there = there.map(|(kind, column)| self.names.there(kind, column));
        let there: Vec<_> = there.collect::<Result<_, _>>()?;
        let parameters: Vec<&(dyn ToSql + Sync)> = rows
            .columns
            .iter()
            .zip(&there)
            .map(|(column, there)| parameter(column, there))
            .collect();
        Ok(self.tx.execute(&self.statements[rows.table.name], &parameters).await?)
    }
}

/// What is said often. The texts of a table are the same whichever statement reads it.
async fn prepare(client: &Client) -> Result<HashMap<&'static str, Statement>, Trouble> {
    let mut statements = HashMap::new();
    for sql in [HOLD, ADVANCE, BACKLOG_ADVANCE, DEAD_LETTER] {
        statements.insert(sql, client.prepare(sql).await?);
    }
    for table in STREAMS.into_iter().flat_map(|stream| stream.tables) {
        statements.insert(table.name, client.prepare(&table.write()).await?);
    }
    Ok(statements)
}

pub(in crate::historian) async fn within<T>(
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    within_time(WITHIN, work).await
}

/// Does something within a time.
pub(super) async fn within_time<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(time, work).await {
        Ok(done) => done,
        Err(_) => Err(Trouble::Silent(time.as_secs())),
    }
}

fn lost(stream: &Stream) -> Trouble {
    Trouble::Lost(stream.name)
}
