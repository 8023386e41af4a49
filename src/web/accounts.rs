//! What the web asks about accounts, sessions and displays. The service answers from its journal; where nobody signs in,
//! there is [`NoAccounts`].

pub use domain::account::{Account, Right, Role};

/// Accounts, sessions and displays. All methods block and are called off the async threads; an outer error says why the
/// record could not be read or written and goes to the log. An inner one is for people.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Accounts: Send + Sync {
    /// Whether there is an account at all; without one the first is made at `/setup`.
    fn is_set_up(&self) -> Result<bool, String>;

    /// Makes the first account, an administrator, against the token that the start has told.
    fn set_up(&self, token: &str, first: NewAccount) -> Result<Result<(), Refused>, String>;

    /// The account of a session that lives. `used`: whether a person did something, so that it does not rest.
    fn session(&self, token: &str, used: bool) -> Result<Option<Account>, String>;

    /// The name of a display by its token.
    fn display(&self, token: &str) -> Result<Option<Box<str>>, String>;

    /// Begins a session where name and password are right. Takes as long for a name that is unknown.
    fn login(&self, name: &str, password: &str) -> Result<Result<Begun, NoLogin>, String>;

    /// Whether the password is that of the account, which counts as an attempt to sign in: asked again at signing.
    fn verify(&self, name: &str, password: &str) -> Result<Result<Account, NoLogin>, String>;

    /// Ends a session.
    fn logout(&self, token: &str) -> Result<(), String>;

    /// All accounts, by name.
    fn accounts(&self) -> Result<Vec<StoredAccount>, String>;

    /// Adds an account.
    fn add(&self, new: NewAccount) -> Result<Result<(), Refused>, String>;

    /// Changes an account; what it was before and is now, in words. Its sessions end.
    fn change(
        &self,
        name: &str,
        change: Change,
    ) -> Result<Result<(String, String), Refused>, String>;

    /// All displays that read without a person, also those that were revoked.
    fn displays(&self) -> Result<Vec<StoredDisplay>, String>;

    /// Adds a display; its token, which is told once.
    fn add_display(&self, name: &str) -> Result<Result<String, Refused>, String>;

    /// Revokes the token of a display; the name of the display.
    fn revoke_display(&self, number: i64) -> Result<Result<String, Refused>, String>;
}

/// A session that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Of whom.
    pub account: Account,
    /// What the browser keeps.
    pub token: String,
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

/// No accounts: where nobody signs in.
#[derive(Clone, Copy, Debug)]
pub struct NoAccounts;

impl Accounts for NoAccounts {
    fn is_set_up(&self) -> Result<bool, String> {
        Ok(true)
    }

    fn set_up(&self, _: &str, _: NewAccount) -> Result<Result<(), Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn session(&self, _: &str, _: bool) -> Result<Option<Account>, String> {
        Ok(None)
    }

    fn display(&self, _: &str) -> Result<Option<Box<str>>, String> {
        Ok(None)
    }

    fn login(&self, _: &str, _: &str) -> Result<Result<Begun, NoLogin>, String> {
        Ok(Err(NoLogin::Unknown))
    }

    fn verify(&self, _: &str, _: &str) -> Result<Result<Account, NoLogin>, String> {
        Ok(Err(NoLogin::Unknown))
    }

    fn logout(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn accounts(&self) -> Result<Vec<StoredAccount>, String> {
        Ok(Vec::new())
    }

    fn add(&self, _: NewAccount) -> Result<Result<(), Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn change(&self, _: &str, _: Change) -> Result<Result<(String, String), Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn displays(&self) -> Result<Vec<StoredDisplay>, String> {
        Ok(Vec::new())
    }

    fn add_display(&self, _: &str) -> Result<Result<String, Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn revoke_display(&self, _: i64) -> Result<Result<String, Refused>, String> {
        Ok(Err(Refused::Open))
    }
}
