//! Accounts as the web asks for them.

use domain::account::{
    Account, Begun, Change, NewAccount, NoLogin, Order, Refused, StoredAccount, StoredDisplay,
};

use crate::accounts::Accounts;
use crate::web;

/// The accounts of the journal as the web sees them.
pub(crate) struct KeptAccounts(pub(crate) Accounts);

impl web::Accounts for KeptAccounts {
    fn is_set_up(&self) -> Result<bool, String> {
        self.0.any()
    }

    fn set_up(
        &self,
        token: &str,
        first: NewAccount,
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        self.0.set_up(token, first, order)
    }

    fn session(&self, token: &str, used: bool) -> Result<Option<Account>, String> {
        self.0.session(token, used)
    }

    fn display(&self, token: &str) -> Result<Option<Box<str>>, String> {
        self.0.display(token)
    }

    fn login(&self, name: &str, password: &str) -> Result<Result<Begun, NoLogin>, String> {
        self.0.login(name, password)
    }

    fn verify(&self, name: &str, password: &str) -> Result<Result<Account, NoLogin>, String> {
        self.0.verify(name, password)
    }

    fn logout(&self, token: &str) -> Result<(), String> {
        self.0.logout(token)
    }

    fn accounts(&self) -> Result<(Vec<StoredAccount>, i64), String> {
        Ok((self.0.accounts()?, self.0.now_us()))
    }

    fn add(&self, new: NewAccount, order: &Order) -> Result<Result<(), Refused>, String> {
        self.0.add(new, order)
    }

    fn change(
        &self,
        name: &str,
        change: Change,
        order: &Order,
    ) -> Result<Result<(String, String), Refused>, String> {
        self.0.change(name, change, order)
    }

    fn own_password(
        &self,
        session: &str,
        passwords: (&str, &str),
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        self.0.own_password(session, passwords, order)
    }

    fn displays(&self) -> Result<Vec<StoredDisplay>, String> {
        self.0.displays()
    }

    fn add_display(&self, name: &str, order: &Order) -> Result<Result<String, Refused>, String> {
        self.0.add_display(name, order)
    }

    fn revoke_display(
        &self,
        number: i64,
        order: &Order,
    ) -> Result<Result<String, Refused>, String> {
        self.0.revoke_display(number, order)
    }
}
