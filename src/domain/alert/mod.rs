//! Alerts: facts that lasted too long. An alert opens once and closes once, however a fact flickers meanwhile.

mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::units::{LineId, MINUTE_US};

pub use watch::Watch;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A line stands, and nobody had planned it.
    Stopped,
    /// The state of a line is unknown.
    Unknown,
    /// A control chart has a signal that asks somebody to look now.
    SpcPage,
    /// The journal has little room or refuses to store.
    Disk,
    /// The plant database is not reached or is behind.
    Database,
    /// A call for help that nobody took.
    Call,
}

impl Condition {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Condition; 6] = [
        Condition::Stopped,
        Condition::Unknown,
        Condition::SpcPage,
        Condition::Disk,
        Condition::Database,
        Condition::Call,
    ];

    /// The word used in configurations and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Stopped => "stopped",
            Condition::Unknown => "unknown",
            Condition::SpcPage => "spc",
            Condition::Disk => "disk",
            Condition::Database => "database",
            Condition::Call => "call",
        }
    }

    /// The condition of that word.
    pub fn from_word(word: &str) -> Option<Condition> {
        Condition::ALL.into_iter().find(|condition| condition.word() == word)
    }

    /// Whether it is about a line; else about the service itself.
    pub fn is_of_a_line(self) -> bool {
        !matches!(self, Condition::Disk | Condition::Database)
    }

    /// How long it lasts before it is an alert if nobody says otherwise, in microseconds. Signals and a full disk do not
    /// go away by waiting.
    pub fn longer_us(self) -> i64 {
        match self {
            Condition::Stopped | Condition::Database => 10 * MINUTE_US,
            Condition::Unknown => 2 * MINUTE_US,
            Condition::Call => 3 * MINUTE_US,
            Condition::SpcPage | Condition::Disk => 0,
        }
    }
}

/// How long a fact must be away before its alert closes if nobody says otherwise, in microseconds.
pub const CALM_US: i64 = MINUTE_US;

/// When there is an alert, and who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which its alerts are found again after a restart.
    pub name: Arc<str>,
    /// About what.
    pub condition: Condition,
    /// How long that must last, in microseconds.
    pub longer_us: i64,
    /// How long it must be away before the alert closes, in microseconds.
    pub calm_us: i64,
    /// On which lines; empty for all.
    pub lines: Vec<LineId>,
    /// Which webhooks are told.
    pub hooks: Vec<Arc<str>>,
}

impl Rule {
    /// Whether the rule is about this.
    fn covers(&self, condition: Condition, line: Option<&LineId>) -> bool {
        let of_line = |line: &LineId| self.lines.is_empty() || self.lines.contains(line);
        self.condition == condition && line.is_none_or(of_line)
    }
}

/// Something that is the case at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Of what kind.
    pub condition: Condition,
    /// On which line, none for the service itself.
    pub line: Option<LineId>,
    /// What it is about, the same as long as it is the same thing: `L1`, `L1 call 7`.
    pub subject: Arc<str>,
    /// How long it has been so already, in microseconds; 0 where only the present is known.
    pub held_us: i64,
    /// In words.
    pub detail: Arc<str>,
}

/// All that is known at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What is the case.
    pub held: Vec<Fact>,
    /// Of what nobody can say now whether it is: on that line, or of the service. Not knowing is no end of anything.
    pub blind: Vec<(Condition, Option<LineId>)>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The rule that it is of.
    pub rule: Arc<str>,
    /// What it is about.
    pub subject: Arc<str>,
    /// On which line.
    pub line: Option<LineId>,
    /// When the fact began as far as known, UTC microseconds.
    pub since_us: i64,
    /// When it had lasted long enough, UTC microseconds.
    pub opened_us: i64,
    /// In words, as they were when it opened.
    pub detail: Arc<str>,
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

impl Turn {
    /// Both, in their order.
    pub const ALL: [Turn; 2] = [Turn::Opened, Turn::Closed];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Turn::Opened => "opened",
            Turn::Closed => "closed",
        }
    }

    /// The turn of that word.
    pub fn from_word(word: &str) -> Option<Turn> {
        Turn::ALL.into_iter().find(|turn| turn.word() == word)
    }
}

/// An alert that opened or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which of the two.
    pub turn: Turn,
    /// When, UTC microseconds.
    pub at_us: i64,
    /// The alert.
    pub alert: Alert,
}

/// An alert as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// Its number, from 1.
    pub number: i64,
    /// Its name in the world: no other alert of any Capline has it.
    pub id: Arc<str>,
    /// The alert.
    pub alert: Alert,
    /// The webhooks that are told.
    pub hooks: Vec<Arc<str>>,
    /// When it closed, UTC microseconds; none while it is open.
    pub closed_us: Option<i64>,
}

impl StoredAlert {
    /// When a turn happened, none while it has not.
    pub fn at_us(&self, turn: Turn) -> Option<i64> {
        match turn {
            Turn::Opened => Some(self.alert.opened_us),
            Turn::Closed => self.closed_us,
        }
    }
}

/// How an attempt to tell a webhook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The webhook took it.
    Delivered,
    /// It did not; it is tried again.
    Failed,
    /// It did not for so long that it is not tried again.
    GivenUp,
}

impl Ending {
    /// All of them.
    pub const ALL: [Ending; 3] = [Ending::Delivered, Ending::Failed, Ending::GivenUp];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Delivered => "delivered",
            Ending::Failed => "failed",
            Ending::GivenUp => "given_up",
        }
    }

    /// The ending of that word.
    pub fn from_word(word: &str) -> Option<Ending> {
        Ending::ALL.into_iter().find(|ending| ending.word() == word)
    }
}

/// One attempt to tell a webhook of a turn of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the alert.
    pub alert: i64,
    /// Of what it was told.
    pub turn: Turn,
    /// The webhook.
    pub hook: Arc<str>,
    /// From 1 for each turn and webhook.
    pub attempt: u32,
    /// When it ended, UTC microseconds.
    pub at_us: i64,
    /// How.
    pub ending: Ending,
    /// What HTTP status came back, none without an answer.
    pub status: Option<u16>,
    /// What went wrong, empty where nothing did.
    pub error: String,
}

/// What has not been told to the end: alert, turn, webhook, and how often it was tried. `from_us` leaves out what happened
/// before.
pub fn untold(
    alerts: &[StoredAlert],
    deliveries: &[Delivery],
    from_us: i64,
) -> Vec<(usize, Turn, Arc<str>, u32)> {
    let mut untold = Vec::new();
    for (i, stored) in alerts.iter().enumerate() {
        for turn in Turn::ALL {
            if stored.at_us(turn).is_none_or(|at_us| at_us < from_us) {
                continue;
            }
            for hook in &stored.hooks {
                let of = |d: &&Delivery| (d.alert, d.turn, &d.hook) == (stored.number, turn, hook);
                let tried = || deliveries.iter().filter(of);
                if tried().all(|delivery| delivery.ending == Ending::Failed) {
                    untold.push((i, turn, hook.clone(), tried().count() as u32));
                }
            }
        }
    }
    untold
}
