//! Which batch a line works on. A change of batch is seen twice, at the id and at the counters that are reset with it,
//! and the two may be a few polls apart in either order; what was counted in between goes to the right batch.
//!
//! The border is the reset of the counters where there is one, else the first sight of the new id. Until both are seen,
//! or the window is over, what is counted is kept apart ([`Verdict::Doubt`]). An id that comes back within the window
//! has only flickered.
//!
//! What the machine tells wins: an id that it tells ends a batch that a person opened, and while it tells one nobody can
//! open or close a batch by hand ([`hand`]). So there is never a batch on paper beside another one in the machine.

pub mod hand;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::line::oee::Ratio;
use crate::units::{Count, Moment, SECOND_US};

/// How changes of batch are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How far id and reset may be apart, in microseconds: three polls of the slower group.
    pub window_us: i64,
    /// So many readings in a row must show the new id.
    pub confirm: u8,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { window_us: 3 * SECOND_US, confirm: 2 }
    }
}

/// What a sign means for what is counted from now on, or was counted since the last doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    Nothing,
    /// A batch may have ended here: what is counted from now on is kept apart. What was kept apart already belongs to
    /// the present batch.
    Doubt,
    /// No batch has ended: what was kept apart belongs to the present one.
    Stay(Remark),
    /// The batch has ended where the last doubt began, and what was kept apart belongs to the new one.
    Change(Change),
}

/// A change of batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The new batch, none when a batch was closed by hand.
    pub id: Option<Arc<str>>,
    /// When.
    pub at: Moment,
    /// How it is known.
    pub remark: Remark,
}

/// How a change of batch, or its absence, is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// Id and reset agree.
    Matched,
    /// The first id that was seen: the batch had begun before.
    First,
    /// The id changed and no counter was reset: the border is that of the id, within a poll.
    NoReset,
    /// A counter was reset and the id stayed.
    NoId,
    /// The id changed and came back.
    Flicker,
    /// A person said so.
    ByHand,
}

impl Remark {
    /// All remarks.
    pub const ALL: [Remark; 6] = [
        Remark::Matched,
        Remark::First,
        Remark::NoReset,
        Remark::NoId,
        Remark::Flicker,
        Remark::ByHand,
    ];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Remark::Matched => "matched",
            Remark::First => "first",
            Remark::NoReset => "no_reset",
            Remark::NoId => "no_id",
            Remark::Flicker => "flicker",
            Remark::ByHand => "by_hand",
        }
    }

    /// The remark of that word.
    pub fn from_word(word: &str) -> Option<Remark> {
        Remark::ALL.into_iter().find(|remark| remark.word() == word)
    }
}

/// Follows the batches of a line.
#[derive(Clone, Debug)]
pub struct BatchFollower {
    settings: Settings,
    current: Option<Arc<str>>,
    pending: Option<Pending>,
    reset: Option<Moment>,
}

#[derive(Clone, Debug)]
struct Pending {
    id: Arc<str>,
    since: Moment,
    n: u8,
}

impl BatchFollower {
    /// Goes on with the batch that was open, if any.
    pub fn new(settings: Settings, current: Option<Arc<str>>) -> BatchFollower {
        BatchFollower { settings, current, pending: None, reset: None }
    }

    /// The present batch.
    pub fn current(&self) -> Option<&Arc<str>> {
        self.current.as_ref()
    }

    /// Takes an id as read. An empty one tells nothing.
    pub fn id(&mut self, id: &Arc<str>, at: Moment) -> Verdict {
        if id.is_empty() {
            return Verdict::Nothing;
        }
        if self.current.is_none() {
            return self.change(Some(id.clone()), at, Remark::First);
        }
        if self.current.as_ref() == Some(id) {
            let flickered = self.pending.take().is_some();
            return match flickered && self.reset.is_none() {
                true => Verdict::Stay(Remark::Flicker),
                false => Verdict::Nothing,
            };
        }
        let doubt = self.pending.is_none() && self.reset.is_none();
        match &mut self.pending {
            Some(pending) if pending.id == *id => pending.n = pending.n.saturating_add(1),
            Some(pending) => (pending.id, pending.n) = (id.clone(), 1),
            None => self.pending = Some(Pending { id: id.clone(), since: at, n: 1 }),
        }
        match self.reset {
            Some(reset) if self.is_confirmed() => {
                self.change(Some(id.clone()), reset, Remark::Matched)
            }
            _ if doubt => Verdict::Doubt,
            _ => Verdict::Nothing,
        }
    }

    /// Takes the reset of a counter that is reset with the batch. A second counter at the same moment tells nothing.
    pub fn reset(&mut self, at: Moment) -> Verdict {
        let known = self.reset.is_some_and(|reset| reset.mono_us == at.mono_us);
        if known || self.current.is_none() {
            return Verdict::Nothing;
        }
        self.reset = Some(at);
        Verdict::Doubt
    }

    /// Decides what the latest signs mean, after all of a reading were given, or when time has passed.
    pub fn decide(&mut self, now: Moment) -> Verdict {
        let over =
            |since: Moment| now.mono_us.saturating_sub(since.mono_us) > self.settings.window_us;
        let confirmed = self.is_confirmed();
        match (&self.pending, self.reset) {
            (Some(pending), Some(reset)) if confirmed => {
                let id = pending.id.clone();
                self.change(Some(id), reset, Remark::Matched)
            }
            (Some(pending), None) if confirmed && over(pending.since) => {
                let (id, since) = (pending.id.clone(), pending.since);
                self.change(Some(id), since, Remark::NoReset)
            }
            (None, Some(reset)) if over(reset) => {
                self.reset = None;
                Verdict::Stay(Remark::NoId)
            }
            _ => Verdict::Nothing,
        }
    }

    /// Opens a batch by hand. What was kept apart belongs to the batch before.
    pub fn open(&mut self, id: Arc<str>, at: Moment) -> Change {
        (self.pending, self.reset) = (None, None);
        self.current = Some(id.clone());
        Change { id: Some(id), at, remark: Remark::ByHand }
    }

    /// Closes the present batch by hand; the machine's id opens the next one.
    pub fn close(&mut self, at: Moment) -> Change {
        (self.pending, self.reset, self.current) = (None, None, None);
        Change { id: None, at, remark: Remark::ByHand }
    }

    fn is_confirmed(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.n >= self.settings.confirm)
    }

    fn change(&mut self, id: Option<Arc<str>>, at: Moment, remark: Remark) -> Verdict {
        (self.pending, self.reset) = (None, None);
        self.current = id.clone();
        Verdict::Change(Change { id, at, remark })
    }
}

/// What went in and what came out of a machine or a line in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Material {
    /// Capsules that went in.
    pub infeed: Count,
    /// Good capsules that came out.
    pub good: Count,
    /// Rejected, for all reasons.
    pub rejected: Count,
    /// Taken for inspection.
    pub sampled: Count,
}

/// A fraction of which the truth lies between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded {
    /// The least it can be.
    pub low: Ratio,
    /// Best supported.
    pub best: Ratio,
    /// The most it can be, none if nothing may have gone in.
    pub high: Option<Ratio>,
}

/// Limits of a fraction, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Lower limit.
    pub low: Ratio,
    /// Upper limit.
    pub high: Ratio,
}

impl Default for Limits {
    /// 98 to 101 %, as long as no process has validated others.
    fn default() -> Limits {
        let percent = |percent| Ratio::new(percent, 100).unwrap_or(Ratio::ONE);
        Limits { low: percent(98), high: percent(101) }
    }
}

/// Whether a fraction keeps its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Whatever the truth is.
    Yes,
    /// In no case.
    No,
    /// The doubt of the counts does not decide it.
    Undecided,
}

impl Kept {
    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kept::Yes => "within",
            Kept::No => "outside",
            Kept::Undecided => "undecided",
        }
    }
}

impl Material {
    /// 收率, yield: good / infeed.
    pub fn yield_ratio(&self) -> Option<Bounded> {
        bounded(self.good, self.infeed)
    }

    /// 物料平衡, material balance: (good + rejected + samples) / infeed. What is left in the machine at the end of the
    /// batch is missing in it, and what was in it at the beginning is too much.
    pub fn balance_ratio(&self) -> Option<Bounded> {
        bounded(self.good + self.rejected + self.sampled, self.infeed)
    }
}

impl Bounded {
    /// Whether it keeps its limits.
    pub fn keeps(&self, limits: &Limits) -> Kept {
        let high = self.high;
        if self.low >= limits.low && high.is_some_and(|high| high <= limits.high) {
            return Kept::Yes;
        }
        let below = high.is_some_and(|high| high < limits.low);
        if below || self.low > limits.high { Kept::No } else { Kept::Undecided }
    }
}

/// `part / whole` with the doubt of both; none where nothing went in.
fn bounded(part: Count, whole: Count) -> Option<Bounded> {
    let ratio = |num: u64, den: u64| Ratio::new(u128::from(num), u128::from(den));
    Some(Bounded {
        low: ratio(part.low(), whole.high())?,
        best: ratio(part.best(), whole.best())?,
        high: ratio(part.high(), whole.low()),
    })
}
