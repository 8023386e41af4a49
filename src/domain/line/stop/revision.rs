//! What people say about stops later: append-only revisions. The stops as recorded are never changed; what is shown is
//! the record with all revisions applied in order.
//!
//! Whatever is revised, the parts cover exactly the time of the recorded stops, to the microsecond, and do not overlap.

use std::fmt;
use std::sync::Arc;

use super::{Cause, Stop};
use crate::units::Moment;

/// Names a part: the recorded stop, and the revision that cut it off; 0 for the beginning of the stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId {
    /// Number of the recorded stop.
    pub stop: u64,
    /// Number of the revision that made this part by a split, 0 for the first part.
    pub cut: u64,
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cut {
            0 => write!(f, "{}", self.stop),
            cut => write!(f, "{}.{cut}", self.stop),
        }
    }
}

impl PartId {
    /// The inverse of `Display`.
    pub fn parse(text: &str) -> Option<PartId> {
        let (stop, cut) = match text.split_once('.') {
            Some((stop, cut)) => (stop, cut.parse().ok()?),
            None => (text, 0),
        };
        Some(PartId { stop: stop.parse().ok()?, cut })
    }
}

/// What a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Gave a part its cause and reason, or changed them.
    Assign {
        /// Which part.
        part: PartId,
        /// Cause.
        cause: Cause,
        /// Reason in the plant's words.
        reason: Arc<str>,
    },
    /// Took back what was said of the cause and reason of a part: they are as recorded again.
    Undo {
        /// Which part.
        part: PartId,
    },
    /// Cut a part in two; both keep cause and reason.
    Split {
        /// Which part.
        part: PartId,
        /// So many microseconds after its beginning.
        after_us: i64,
    },
    /// Joined a part with the one that follows without a pause; cause and reason are those of the first.
    Merge {
        /// The earlier part.
        first: PartId,
        /// The later part, which ceases to exist.
        second: PartId,
    },
}

/// A revision of stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number within the line, from 1, rising.
    pub number: u64,
    /// When it was made, UTC microseconds.
    pub at_us: i64,
    /// Who made it.
    pub by: Arc<str>,
    /// Why.
    pub why: Arc<str>,
    /// What was done.
    pub act: Act,
}

/// A stop or a part of one as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub id: PartId,
    /// Begin.
    pub from: Moment,
    /// End, none while it lasts.
    pub to: Option<Moment>,
    /// Cause as assigned, else as recorded.
    pub cause: Cause,
    /// Reason as assigned; empty where nobody said any.
    pub reason: Arc<str>,
    /// Cause as recorded, of the first stop that it covers; none where it joins stops that were seen with others that
    /// were not.
    pub recorded: Option<Cause>,
    /// Recorded stops that it covers, wholly or in part.
    pub of: Vec<u64>,
    /// The last revision that touched it, 0 for none.
    pub revision: u64,
}

impl Act {
    /// The parts that it names.
    pub fn parts(&self) -> impl Iterator<Item = PartId> {
        let (first, second) = match self {
            Act::Assign { part, .. } | Act::Undo { part } | Act::Split { part, .. } => {
                (*part, None)
            }
            Act::Merge { first, second } => (*first, Some(*second)),
        };
        std::iter::once(first).chain(second)
    }
}

impl Part {
    fn of(stop: &Stop) -> Part {
        Part {
            id: PartId { stop: stop.number, cut: 0 },
            from: stop.from,
            to: stop.to,
            cause: stop.cause,
            reason: "".into(),
            recorded: Some(stop.cause),
            of: vec![stop.number],
            revision: 0,
        }
    }

    /// How long it lasted in microseconds, none while it lasts.
    pub fn duration_us(&self) -> Option<i64> {
        self.to.map(|to| to.mono_us - self.from.mono_us)
    }
}

/// Why a revision cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such part, or it was merged away.
    #[error("there is no stop {0}; read the list again")]
    NoPart(PartId),
    /// The number is not above those before.
    #[error("revision {0} is not after the last one")]
    Number(u64),
    /// A stop that lasts can be named but not cut.
    #[error("stop {0} has not ended; wait until it has")]
    Lasts(PartId),
    /// A split leaves two parts of at least a microsecond.
    #[error("stop {0} is {1} µs long; split it at a time inside")]
    Outside(PartId, i64),
    /// Only parts without a pause between them can be joined.
    #[error("stop {1} does not begin where stop {0} ends; merge neighbours only")]
    Apart(PartId, PartId),
    /// Nobody saw the line in one of them: it must be given a cause first.
    #[error("in one of the stops {0} and {1} the line could not be seen; assign its cause first")]
    Unseen(PartId, PartId),
    /// What was seen and what was not have no recorded cause in common.
    #[error(
        "stop {0} joins time in which the line was seen with time in which it was not; give it a cause instead"
    )]
    Joined(PartId),
    /// Somebody revised it after it was looked at.
    #[error("stop {0} was revised meanwhile, by revision {1}; look at it again and decide anew")]
    Meanwhile(PartId, u64),
}

/// The stops as recorded, with all revisions applied. Oldest first.
///
/// # Errors
/// The first revision that cannot be made, with its number.
pub fn apply(stops: &[Stop], revisions: &[Revision]) -> Result<Vec<Part>, (u64, Refusal)> {
    let mut parts: Vec<Part> = stops.iter().map(Part::of).collect();
    let mut last = 0;
    for revision in revisions {
        if revision.number <= last {
            return Err((revision.number, Refusal::Number(revision.number)));
        }
        last = revision.number;
        revise(&mut parts, revision).map_err(|refusal| (revision.number, refusal))?;
    }
    Ok(parts)
}

/// Makes one revision, wholly or not at all.
///
/// # Errors
/// Why it cannot be made.
pub fn revise(parts: &mut Vec<Part>, revision: &Revision) -> Result<(), Refusal> {
    match &revision.act {
        Act::Assign { part, cause, reason } => {
            let i = find(parts, *part)?;
            let part = &mut parts[i];
            (part.cause, part.reason, part.revision) = (*cause, reason.clone(), revision.number);
        }
        Act::Undo { part: id } => {
            let i = find(parts, *id)?;
            let part = &mut parts[i];
            let cause = part.recorded.ok_or(Refusal::Joined(*id))?;
            (part.cause, part.reason, part.revision) = (cause, "".into(), revision.number);
        }
        Act::Split { part, after_us } => split(parts, *part, *after_us, revision.number)?,
        Act::Merge { first, second } => merge(parts, *first, *second, revision.number)?,
    }
    Ok(())
}

/// Refuses an act on parts that were revised after the revision that its author has seen.
///
/// # Errors
/// The part and its later revision.
pub fn check_seen(parts: &[Part], act: &Act, seen: u64) -> Result<(), Refusal> {
    let later = |id: &PartId| parts.iter().find(|part| part.id == *id && part.revision > seen);
    match act.parts().find_map(|id| later(&id).map(|part| (id, part.revision))) {
        Some((id, revision)) => Err(Refusal::Meanwhile(id, revision)),
        None => Ok(()),
    }
}

fn find(parts: &[Part], id: PartId) -> Result<usize, Refusal> {
    parts.iter().position(|part| part.id == id).ok_or(Refusal::NoPart(id))
}

fn split(parts: &mut Vec<Part>, id: PartId, after_us: i64, number: u64) -> Result<(), Refusal> {
    let i = find(parts, id)?;
    let part = &mut parts[i];
    let us = part.duration_us().ok_or(Refusal::Lasts(id))?;
    if !(1..us).contains(&after_us) {
        return Err(Refusal::Outside(id, us));
    }
    let border =
        Moment { utc_us: part.from.utc_us + after_us, mono_us: part.from.mono_us + after_us };
    let second = Part {
        id: PartId { stop: id.stop, cut: number },
        from: border,
        revision: number,
        ..part.clone()
    };
    (part.to, part.revision) = (Some(border), number);
    parts.insert(i + 1, second);
    Ok(())
}

fn merge(parts: &mut Vec<Part>, first: PartId, second: PartId, number: u64) -> Result<(), Refusal> {
    let (i, k) = (find(parts, first)?, find(parts, second)?);
    let (to, from) = (parts[i].to, parts[k].from);
    if i == k || to.is_none_or(|to| to.mono_us != from.mono_us) {
        return Err(Refusal::Apart(first, second));
    }
    let unseen = |part: &Part| part.cause == Cause::NoSignal;
    if unseen(&parts[i]) != unseen(&parts[k]) {
        return Err(Refusal::Unseen(first, second));
    }
    let later = parts.remove(k);
    let part = &mut parts[if k < i { i - 1 } else { i }];
    (part.to, part.revision) = (later.to, number);
    let was_seen = |cause: Option<Cause>| cause.map(|cause| cause != Cause::NoSignal);
    part.recorded = part.recorded.filter(|_| was_seen(part.recorded) == was_seen(later.recorded));
    part.of.extend(later.of.into_iter().filter(|stop| !part.of.contains(stop)).collect::<Vec<_>>());
    Ok(())
}
