//! What the web asks about accounts, sessions and displays. The service answers from its journal; where nobody signs in,
//! there is [`NoAccounts`].

pub use domain::account::{
    Account, Begun, Change, NewAccount, NoLogin, Order, Refused, Right, Role, StoredAccount,
    StoredDisplay,
};

/// Accounts, sessions and displays. All methods block and are called off the async threads; an outer error says why the
/// record could not be read or written and goes to the log. An inner one is for people.
/// What is ordered and its entry in the audit trail are one transaction.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Accounts: Send + Sync {
    /// Whether there is an account at all; without one the first is made at `/setup`.
    fn is_set_up(&self) -> Result<bool, String>;

    /// Makes the first account, an administrator, against the token that the start has told.
    fn set_up(
        &self,
        token: &str,
        first: NewAccount,
        order: &Order,
    ) -> Result<Result<(), Refused>, String>;

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
    fn add(&self, new: NewAccount, order: &Order) -> Result<Result<(), Refused>, String>;

    /// Changes an account; what it was before and is now, in words. Its sessions end.
    fn change(
        &self,
        name: &str,
        change: Change,
        order: &Order,
    ) -> Result<Result<(String, String), Refused>, String>;

    /// All displays that read without a person, also those that were revoked.
    fn displays(&self) -> Result<Vec<StoredDisplay>, String>;

    /// Adds a display; its token, which is told once.
    fn add_display(&self, name: &str, order: &Order) -> Result<Result<String, Refused>, String>;

    /// Revokes the token of a display; the name of the display.
    fn revoke_display(&self, number: i64, order: &Order)
    -> Result<Result<String, Refused>, String>;
}

/// No accounts: where nobody signs in.
#[derive(Clone, Copy, Debug)]
pub struct NoAccounts;

impl Accounts for NoAccounts {
    fn is_set_up(&self) -> Result<bool, String> {
        Ok(true)
    }

    fn set_up(&self, _: &str, _: NewAccount, _: &Order) -> Result<Result<(), Refused>, String> {
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

    fn add(&self, _: NewAccount, _: &Order) -> Result<Result<(), Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn change(
        &self,
        _: &str,
        _: Change,
        _: &Order,
    ) -> Result<Result<(String, String), Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn displays(&self) -> Result<Vec<StoredDisplay>, String> {
        Ok(Vec::new())
    }

    fn add_display(&self, _: &str, _: &Order) -> Result<Result<String, Refused>, String> {
        Ok(Err(Refused::Open))
    }

    fn revoke_display(&self, _: i64, _: &Order) -> Result<Result<String, Refused>, String> {
        Ok(Err(Refused::Open))
    }
}
