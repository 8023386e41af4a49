//! What administrators order: accounts and displays that are made and changed. Each change and its entry in the audit
//! trail are one transaction: what cannot be noted is not done.

use domain::account::{Change, NewAccount, Order, Refused, Role, printed_key};
use domain::audit::{Note, What};
use rusqlite::{Connection, OptionalExtension, params};

use super::{AccountBook, Login, any};
use crate::historian::audit;
use crate::historian::error::StoreError;
use crate::historian::read::Found;

impl AccountBook {
    /// Adds an account with the hash of its password; `first`: only while there is none. Durable on return. Blocks.
    pub fn add(
        &self,
        new: NewAccount,
        (hash, first): (String, bool),
        (now_us, order): (i64, &Order),
    ) -> Result<Result<(), Refused>, StoreError> {
        let order = order.clone();
        self.write(move |conn| {
            if first && any(conn)? {
                return Ok(Err(Refused::NoSetUp));
            }
            let (printed, role) = (printed_key(&new.printed), new.role.word());
            // Whoever makes the first account makes it for themselves.
            let args = params![new.name, new.printed, printed, role, hash, !first, now_us];
            let n_added = conn.execute(include_str!("../sql/account_write.sql"), args)?;
            if n_added != 1 {
                return Ok(Err(Refused::Taken));
            }
            let what = if first { What::SetUp } else { What::UserAdded };
            let made = format!("{}, {role}", new.printed);
            note(conn, (what, &new.name), (String::new(), made), &order)?;
            Ok(Ok(()))
        })
    }

    /// Changes an account and ends its sessions; in words what it was before and is now. A password is given as its hash.
    /// Refused where no administrator would be left who can sign in. Durable on return. Blocks.
    pub fn change(
        &self,
        name: &str,
        change: Change,
        (now_us, order): (i64, &Order),
    ) -> Result<Result<(String, String), Refused>, StoreError> {
        let (name, order) = (name.to_owned(), order.clone());
        self.write(move |conn| {
            let changed = alter(conn, &name, &change, now_us)?;
            if let Ok((old, new)) = &changed {
                let told = (old.clone(), format!("{}: {new}", change.word()));
                note(conn, (What::UserChanged, &name), told, &order)?;
            }
            Ok(changed)
        })
    }

    /// Exchanges a password for one that its owner chose, given as its hash, and ends the sessions of the account but the
    /// one of that token's hash. False where the account was disabled or got another password since it was looked at.
    /// Durable on return. Blocks.
    pub fn own_password(
        &self,
        looked_at: &Login,
        (hash, kept): (String, &str),
        (now_us, order): (i64, &Order),
    ) -> Result<bool, StoreError> {
        let (name, password) = (looked_at.account.name.to_string(), looked_at.password.clone());
        let (kept, order) = (kept.to_owned(), order.clone());
        self.write(move |conn| {
            let sql = include_str!("../sql/account_own.sql");
            if conn.execute(sql, params![name, hash, password, now_us])? != 1 {
                return Ok(false);
            }
            conn.execute("delete from session where account = ?1 and token <> ?2", [&name, &kept])?;
            let told = (String::new(), "own: new password".to_owned());
            note(conn, (What::UserChanged, &name), told, &order)?;
            Ok(true)
        })
    }

    /// Adds a display with the hash of its token. Durable on return. Blocks.
    pub fn add_display(
        &self,
        name: &str,
        token: &str,
        (now_us, order): (i64, &Order),
    ) -> Result<Result<(), Refused>, StoreError> {
        let (name, token, order) = (name.to_owned(), token.to_owned(), order.clone());
        self.write(move |conn| {
            let sql = "insert into display (name, token, made_us) values (?1, ?2, ?3)
                       on conflict do nothing";
            let n_added = conn.execute(sql, params![name, token, now_us])?;
            if n_added != 1 {
                return Ok(Err(Refused::DisplayTaken));
            }
            note(conn, (What::DisplayAdded, &name), Default::default(), &order)?;
            Ok(Ok(()))
        })
    }

    /// Revokes the token of a display; its name. Durable on return. Blocks.
    pub fn revoke_display(
        &self,
        number: i64,
        (now_us, order): (i64, &Order),
    ) -> Result<Result<String, Refused>, StoreError> {
        let order = order.clone();
        self.write(move |conn| {
            let sql = "update display set revoked_us = ?2 where number = ?1 and revoked_us is null
                       returning name";
            let name = conn.query_row(sql, params![number, now_us], |row| row.get(0)).optional()?;
            let Some(name): Option<String> = name else { return Ok(Err(Refused::NoDisplay)) };
            note(conn, (What::DisplayRevoked, &name), Default::default(), &order)?;
            Ok(Ok(name))
        })
    }
}

/// Notes what was just done, within its transaction.
fn note(
    conn: &Connection,
    (what, subject): (What, &str),
    (old, new): (String, String),
    order: &Order,
) -> rusqlite::Result<()> {
    let note = Note::new(&order.by, what, subject).change(old, new).why(order.reason.as_str());
    audit::add(conn, &note).map(drop)
}

fn alter(
    conn: &Connection,
    name: &str,
    change: &Change,
    now_us: i64,
) -> Found<Result<(String, String), Refused>> {
    let sql = "select role, disabled_us is not null from account where name = ?1";
    let found = conn.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((role, disabled)): Option<(String, bool)> = found else {
        return Ok(Err(Refused::NoAccount));
    };
    // Asked before anything is changed: what is refused leaves no trace in the account.
    let is_admin = role == Role::Admin.word() && !disabled;
    let ends = matches!(change, Change::Disable)
        || matches!(change, Change::Role(other) if *other != Role::Admin);
    let sql = "select exists (select 1 from account where role = 'admin' and disabled_us is null and name <> ?1)";
    if is_admin && ends && !conn.query_row(sql, [name], |row| row.get(0))? {
        return Ok(Err(Refused::LastAdmin));
    }
    let can = |disabled: bool| if disabled { "disabled" } else { "enabled" };
    let told = match change {
        Change::Disable => {
            let sql = "update account set disabled_us = coalesce(disabled_us, ?2), changed_us = ?2 where name = ?1";
            conn.execute(sql, params![name, now_us])?;
            (can(disabled), can(true))
        }
        Change::Enable => {
            let sql = include_str!("../sql/account_enable.sql");
            conn.execute(sql, params![name, now_us])?;
            (can(disabled), can(false))
        }
        Change::Reset(hash) => {
            let sql = include_str!("../sql/account_reset.sql");
            conn.execute(sql, params![name, now_us, hash])?;
            ("", "new password")
        }
        Change::Role(other) => {
            let sql = "update account set role = ?3, changed_us = ?2 where name = ?1";
            conn.execute(sql, params![name, now_us, other.word()])?;
            (role.as_str(), other.word())
        }
    };
    conn.execute("delete from session where account = ?1", [name])?;
    Ok(Ok((told.0.to_owned(), told.1.to_owned())))
}
