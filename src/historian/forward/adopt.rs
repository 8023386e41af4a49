//! A restored journal takes over from the one it was copied from, because a person says that this one is gone.
//!
//! What that one sent beyond the backup is moved out of the way, or it and the gap that the restored journal counts would
//! both be in the sums. What the restored journal holds of the same time is sent again.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::outbox::Outbox;
use super::session::within_time;
use super::stream::{STREAMS, Stream};
use crate::historian::archive::{Settings, Trouble, check, connect};
use crate::historian::error::StoreError;

const FIND: &str = include_str!("../sql/plant/adopt_find.sql");
const SET: &str = include_str!("../sql/plant/adopt_set.sql");
const SUPERSEDE: &str = "select capline.supersede($1, $2, $3, $4)";
const CUT: &str = include_str!("../sql/plant/adopt_backlog_cut.sql");
const DROP: &str = include_str!("../sql/plant/adopt_backlog_drop.sql");

/// Time for all of it: a day of twenty lines is moved in seconds.
const WITHIN: Duration = Duration::from_secs(600);

/// Lets the journal send what it holds of a stream since a moment once more: the statement that does so and the moment.
/// Durable on return.
pub(in crate::historian) type Requeue =
    Arc<dyn Fn(&'static str, i64) -> Result<(), StoreError> + Send + Sync>;

/// A stream that was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Its name.
    pub stream: &'static str,
    /// Where the plant database stood.
    pub stood: i64,
    /// Where the journal goes on from: what it holds up to there, the plant has.
    pub from: i64,
}

/// Takes all streams over, or none.
pub(in crate::historian) async fn adopt(
    outbox: &Arc<Outbox>,
    requeue: &Requeue,
    journal: Uuid,
    settings: &Settings,
) -> Result<Vec<Adopted>, Trouble> {
    let mut plant = connect(&settings.address).await?;
    let parent = outbox.ask(|outbox| outbox.parent()).await?;
    within_time(WITHIN, async {
        check(&plant.client).await?;
        let tx = plant.client.transaction().await?;
        tx.batch_execute(&format!("set local statement_timeout = '{}s'", WITHIN.as_secs())).await?;
        let mut adopted = Vec::new();
        for stream in STREAMS {
            let found = tx.query_opt(FIND, &[&settings.edge, &stream.name]).await?;
            let Some(found) = found else { continue };
            let (theirs, stood): (Uuid, i64) = (found.get(0), found.get(1));
            if theirs != journal && Some(theirs) != parent {
                return Err(Trouble::Stranger(format!(
                    "edge \"{}\" is written by a journal that this one was not restored from; give this box a name of its own in [database] edge",
                    settings.edge
                )));
            }
            adopted.push(take(&tx, outbox, requeue, stream, (journal, stood), &settings.edge).await?);
        }
        tx.commit().await?;
        Ok(adopted)
    })
    .await
}

async fn take(
    tx: &Transaction<'_>,
    outbox: &Arc<Outbox>,
    requeue: &Requeue,
    stream: &'static Stream,
    (journal, stood): (Uuid, i64),
    edge: &str,
) -> Result<Adopted, Trouble> {
    let lost = outbox.ask(move |outbox| outbox.lost(stream)).await?;
    let lost = lost.filter(|lost| stood < lost.below);
    let from = lost.map_or(stood, |lost| stood.min(lost.after));
    let mark = outbox.ask(move |outbox| outbox.mark(stream, from)).await?;
    let moved = tx.query_one(SUPERSEDE, &[&edge, &stream.name, &from, &mark]).await?;
    if let (Some(sql), Some(since_us)) = (stream.requeue, moved.get::<_, Option<i64>>(0)) {
        // Before the plant's commit: sending something twice as it is does no harm, leaving it out would.
        let requeue = requeue.clone();
        outbox.ask(move |_| requeue(sql, since_us)).await?;
    }
    // It may have moved on.
    let mark = outbox.ask(move |outbox| outbox.mark(stream, from)).await?;
    let session = Uuid::new_v4();
    let set: [&(dyn ToSql + Sync); 6] = [&edge, &stream.name, &journal, &session, &from, &mark];
    tx.execute(SET, &set).await?;
    tx.execute(DROP, &[&edge, &stream.name, &from]).await?;
    tx.execute(CUT, &[&edge, &stream.name, &from]).await?;
    Ok(Adopted { stream: stream.name, stood, from })
}
