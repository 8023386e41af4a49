//! Who writes under which name: a journal that is not the one that brought a stream this far is found out before it writes.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

use super::outbox::Outbox;
use super::stream::Stream;
use crate::historian::archive::{Settings, Trouble};

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

/// A stream that is not of our journal: of the one that ours was restored from, or of any other.
pub(super) fn of_another(identity: &Identity, journal: Uuid, parent: Option<Uuid>) -> Trouble {
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
pub(super) fn recognise(
    identity: &Identity,
    stream: &Stream,
    session: Uuid,
) -> Result<(), Trouble> {
    if identity.had.contains(stream.name) && !identity.sessions.contains(&session) {
        return Err(stranger(identity, "another box that runs now"));
    }
    Ok(())
}

/// Whether our journal is the one that brought it this far, or a copy that was taken before.
pub(super) fn is_ours(
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

pub(super) fn stranger(identity: &Identity, who: &str) -> Trouble {
    let edge = &identity.settings.edge;
    Trouble::Stranger(format!(
        "{who} writes as edge \"{edge}\"; give each box a name of its own in [database] edge"
    ))
}
