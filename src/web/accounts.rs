//! What the web asks about accounts, sessions and displays. The service answers from its journal; where nobody signs in,
//! there is [`NoAccounts`].

pub use domain::account::{
    Account, Begun, Change, NewAccount, NoLogin, Order, Refused, Right, Role, StoredAccount,
    StoredDisplay,
};

/// Accounts, sessions and displays. All methods block and are called off the async threads; an outer error says why the
/// record could not be read or written and goes to the log. An inner one is for people.
/// What is ordered and its entry in the audit trail are one transaction.
///
/// Each answers as where nobody signs in, unless it is written otherwise: nobody is known, and nothing is changed.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Accounts: Send + Sync {
    /// Whether there is an account at all; without one the first is made at `/setup`.
    fn is_set_up(&self) -> Result<bool, String> {
        Ok(true)
    }

    /// Makes the first account, an administrator, against the token that the start has told.
    fn set_up(
        &self,
        token: &str,
        first: NewAccount,
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        let _ = (token, first, order);
        Ok(Err(Refused::Open))
    }

    /// The account of a session that lives. `used`: whether a person did something, so that it does not rest.
    fn session(&self, token: &str, used: bool) -> Result<Option<Account>, String> {
        let _ = (token, used);
        Ok(None)
    }

    /// The name of a display by its token.
    fn display(&self, token: &str) -> Result<Option<Box<str>>, String> {
        let _ = token;
        Ok(None)
    }

    /// Begins a session where name and password are right. Takes as long for a name that is unknown.
    fn login(&self, name: &str, password: &str) -> Result<Result<Begun, NoLogin>, String> {
        let _ = (name, password);
        Ok(Err(NoLogin::Unknown))
    }

    /// Whether the password is that of the account, asked for again at signing. Wrong ones lock that, not the sign-in.
    fn verify(&self, name: &str, password: &str) -> Result<Result<Account, NoLogin>, String> {
        let _ = (name, password);
        Ok(Err(NoLogin::Unknown))
    }

    /// Ends a session.
    fn logout(&self, token: &str) -> Result<(), String> {
        let _ = token;
        Ok(())
    }

    /// All accounts, by name, and the moment by which their locks are judged, UTC microseconds.
    fn accounts(&self) -> Result<(Vec<StoredAccount>, i64), String> {
        Ok((Vec::new(), 0))
    }

    /// Adds an account.
    fn add(&self, new: NewAccount, order: &Order) -> Result<Result<(), Refused>, String> {
        let _ = (new, order);
        Ok(Err(Refused::Open))
    }

    /// Changes an account; what it was before and is now, in words. Its sessions end.
    fn change(
        &self,
        name: &str,
        change: Change,
        order: &Order,
    ) -> Result<Result<(String, String), Refused>, String> {
        let _ = (name, change, order);
        Ok(Err(Refused::Open))
    }

    /// Gives the account of a session a password that its owner chose, for the old one; a wrong one counts as at
    /// signing. Other sessions of the account end.
    fn own_password(
        &self,
        session: &str,
        (old, new): (&str, &str),
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        let _ = (session, old, new, order);
        Ok(Err(Refused::Open))
    }

    /// All displays that read without a person, also those that were revoked.
    fn displays(&self) -> Result<Vec<StoredDisplay>, String> {
        Ok(Vec::new())
    }

    /// Adds a display; its token, which is told once.
    fn add_display(&self, name: &str, order: &Order) -> Result<Result<String, Refused>, String> {
        let _ = (name, order);
        Ok(Err(Refused::Open))
    }

    /// Revokes the token of a display; the name of the display.
    fn revoke_display(
        &self,
        number: i64,
        order: &Order,
    ) -> Result<Result<String, Refused>, String> {
        let _ = (number, order);
        Ok(Err(Refused::Open))
    }
}

/// No accounts: where nobody signs in.
#[derive(Clone, Copy, Debug)]
pub struct NoAccounts;

impl Accounts for NoAccounts {}
