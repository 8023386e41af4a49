//! People and displays that ask: roles and what they may do, names and passwords that are good enough, how long a
//! session lives and when an account is locked. Rules only: who somebody is and what time it is are arguments.

mod kept;
mod names;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::units::{MINUTE_US, SECOND_US};
pub use kept::{Begun, Change, NewAccount, NoLogin, Order, Refused, StoredAccount, StoredDisplay};
pub use names::{account_name, is_free, is_plain, printed_key, printed_name};

/// Longest name of an account, in characters.
pub const LONGEST_NAME: usize = 40;
/// Longest name on records, in characters.
pub const LONGEST_PRINTED: usize = 80;
/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 10;
/// Longest password, in bytes: more would only be work for the hash.
pub const LONGEST_PASSWORD: usize = 1_024;
/// Wrong passwords in a row that lock an account.
pub const TRIES: u32 = 5;
/// How long an account stays locked.
pub const LOCKED_US: i64 = 15 * MINUTE_US;
/// A session that was used later than now by more than this belongs to a clock that was set back, and ends.
const AHEAD_US: i64 = 60 * SECOND_US;

/// What somebody is to the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, and says what happened at the line: reasons of stops, calls for help, batches, words on gaps.
    Operator,
    /// As an operator, and judges: limits, decisions, incidents, final reports.
    Quality,
    /// Reads, and keeps users, tokens and the configuration. Judges nothing and writes no record of the line: who hands
    /// out the right to approve must not approve (segregation of duties; EU GMP Annex 11, 12.3 and 12.4).
    Admin,
}

/// What is asked of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// To read what is shown and kept.
    Read,
    /// To say what happened at the line.
    Work,
    /// To judge: limits, decisions, incidents, final reports.
    Judge,
    /// To keep users, tokens and the configuration.
    Administer,
    /// To read the audit trail and the configurations that were in force.
    Audit,
}

/// An account as its owner is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name that is signed in with.
    pub name: Box<str>,
    /// The name that stands on records.
    pub printed: Box<str>,
    /// Its role.
    pub role: Role,
    /// Whether somebody else set its password: then it is for nothing but choosing another one.
    pub must_change: bool,
}

/// Why a name or a password is not taken. The text is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken(pub &'static str);

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Role {
    /// All roles, those that may least first.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Quality, Role::Admin];

    /// The word in the journal, in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Quality => "quality",
            Role::Admin => "admin",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether the role has a right.
    pub fn may(self, right: Right) -> bool {
        match right {
            Right::Read => true,
            Right::Work => matches!(self, Role::Operator | Role::Quality),
            Right::Judge => self == Role::Quality,
            Right::Administer => self == Role::Admin,
            Right::Audit => matches!(self, Role::Quality | Role::Admin),
        }
    }
}

impl Right {
    /// All rights.
    pub const ALL: [Right; 5] =
        [Right::Read, Right::Work, Right::Judge, Right::Administer, Right::Audit];

    /// The role that has it and may least otherwise: what a refusal names.
    pub fn least(self) -> Role {
        match self {
            Right::Read => Role::Viewer,
            Right::Work => Role::Operator,
            Right::Judge | Right::Audit => Role::Quality,
            Right::Administer => Role::Admin,
        }
    }
}

/// Whether a password is good enough for an account. Length alone counts: rules of composition make passwords worse
/// (NIST SP 800-63B-4, 3.1.1.2).
///
/// # Errors
/// Why it is not.
pub fn password_is_good(password: &str, name: &str, printed: &str) -> Result<(), NotTaken> {
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(NotTaken("a password has at least 10 characters"));
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(NotTaken("a password has at most 1,024 bytes"));
    }
    let same = |other: &str| password.trim().to_lowercase() == other.trim().to_lowercase();
    match same(name) || same(printed) {
        true => Err(NotTaken("a password is not the name of its owner")),
        false => Ok(()),
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without anything done by a person, microseconds.
    pub idle_us: i64,
    /// From sign-in on, whatever is done, microseconds.
    pub longest_us: i64,
}

impl Default for SessionLimits {
    fn default() -> SessionLimits {
        SessionLimits { idle_us: 15 * MINUTE_US, longest_us: 12 * 60 * MINUTE_US }
    }
}

impl SessionLimits {
    /// Whether a session that began and was last used then still lives. A clock that was set back ends it, so that time
    /// which is lived through twice makes no session longer.
    pub fn lives(&self, begun_us: i64, used_us: i64, now_us: i64) -> bool {
        let (since_use, since_begin) =
            (now_us.saturating_sub(used_us), now_us.saturating_sub(begun_us));
        since_use >= -AHEAD_US
            && since_begin >= -AHEAD_US
            && since_use < self.idle_us
            && since_begin < self.longest_us
    }
}

/// What a password is asked for. Each has its own count of wrong ones: whoever guesses at the sign-in, from wherever, must
/// not keep a person who is signed in from signing, nor from changing the password that is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// To sign in.
    SignIn,
    /// Again, of who is signed in: to sign a record, or to change the password.
    Again,
}

/// Wrong passwords of an account in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// How many since the last right one or the last lock.
    pub wrong: u32,
    /// Until when it is locked, UTC microseconds; none when it is not.
    pub locked_until_us: Option<i64>,
}

impl Tries {
    /// Whether a password is looked at now.
    pub fn is_locked(&self, now_us: i64) -> bool {
        // A lock that ends later than any can was set by a clock that has been set back since.
        self.locked_until_us.is_some_and(|until| now_us < until && until - now_us <= LOCKED_US)
    }

    /// After a wrong password; whether that has locked the account.
    pub fn after_wrong(&self, now_us: i64) -> (Tries, bool) {
        let wrong = self.wrong + 1;
        match wrong >= TRIES {
            true => (Tries { wrong: 0, locked_until_us: Some(now_us + LOCKED_US) }, true),
            false => (Tries { wrong, locked_until_us: None }, false),
        }
    }
}
