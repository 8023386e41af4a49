//! Accounts and displays as they are kept, made and changed, and why not.

use std::fmt;

use super::{Account, NotTaken, Role};
use crate::audit::Actor;

/// A session that has begun. What is said of it in a log is whose it is, never its token.
#[derive(Clone)]
pub struct Begun {
    /// Of whom.
    pub account: Account,
    /// What the browser keeps.
    pub token: String,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Why somebody is not signed in. Readers are told the same of all of them; the audit trail tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLogin {
    /// No such account.
    Unknown,
    /// Another password.
    Wrong,
    /// Another password, and with it so many that the account is locked from now on.
    WrongAndLocked,
    /// Locked by earlier attempts.
    Locked,
    /// Disabled by an administrator.
    Disabled,
}

impl NoLogin {
    /// The word in the audit trail.
    pub fn word(self) -> &'static str {
        match self {
            NoLogin::Unknown => "unknown",
            NoLogin::Wrong => "wrong password",
            NoLogin::WrongAndLocked => "wrong password, locked now",
            NoLogin::Locked => "locked",
            NoLogin::Disabled => "disabled",
        }
    }
}

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// The name that is signed in with.
    pub name: String,
    /// The name on records.
    pub printed: String,
    /// Its role.
    pub role: Role,
    /// Its password.
    pub password: String,
}

/// What an administrator changes of an account.
#[derive(Clone)]
pub enum Change {
    /// Nobody signs in with it any more.
    Disable,
    /// It can be signed in with again.
    Enable,
    /// Another password; a lock ends.
    Reset(String),
    /// Another role.
    Role(Role),
}

impl Change {
    /// The word in the audit trail and in addresses.
    pub fn word(&self) -> &'static str {
        match self {
            Change::Disable => "disable",
            Change::Enable => "enable",
            Change::Reset(_) => "reset",
            Change::Role(_) => "role",
        }
    }
}

/// Who orders a change of accounts or displays, and why. The audit trail keeps it in the transaction of the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub by: Actor,
    /// Why, in their words; empty where nobody was asked.
    pub reason: String,
}

/// Why an account or display is not made or changed. The text is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A name or password that is not good enough.
    #[error("{0}")]
    Unfit(&'static str),
    /// Another account has that name.
    #[error("there is an account of that name, or one that signs alike")]
    Taken,
    /// No account of that name.
    #[error("there is no such account")]
    NoAccount,
    /// Nobody could administer any more.
    #[error("it is the last administrator who can sign in; make another one first")]
    LastAdmin,
    /// Not the token that was told, or there are accounts already.
    #[error(
        "the set-up token is not the one that this start has told, or there is an account already"
    )]
    NoSetUp,
    /// A display that has its token.
    #[error("there is a display of that name; revoke its token first")]
    DisplayTaken,
    /// No display of that number with a token.
    #[error("there is no such display, or its token was revoked")]
    NoDisplay,
    /// The old password is not shown to be known.
    #[error("the old password is wrong, or the account is locked")]
    NoLogin(NoLogin),
    /// Nobody signs in here.
    #[error("this service knows no users; set access = \"users\" in [web] of the configuration")]
    Open,
}

/// An account as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Who.
    pub account: Account,
    /// Since when it is disabled, UTC microseconds.
    pub disabled_us: Option<i64>,
    /// Until when it is locked, UTC microseconds.
    pub locked_until_us: Option<i64>,
    /// When it was made, UTC microseconds.
    pub made_us: i64,
    /// When it was last changed, UTC microseconds.
    pub changed_us: i64,
    /// Its sessions that have not ended.
    pub sessions: u32,
}

/// A display as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDisplay {
    /// Its number.
    pub number: i64,
    /// What people call it.
    pub name: String,
    /// When its token was made, UTC microseconds.
    pub made_us: i64,
    /// When it was revoked, UTC microseconds.
    pub revoked_us: Option<i64>,
}

impl From<NotTaken> for Refused {
    fn from(NotTaken(why): NotTaken) -> Refused {
        Refused::Unfit(why)
    }
}
