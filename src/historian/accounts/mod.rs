//! Accounts, sessions and displays. Accounts and displays are never deleted; a session that has ended is.
//!
//! A service writes through its writer. `capline user` writes beside a service that runs: SQLite lets one of two
//! processes write at a time, each change is one short transaction, and the writer of the service waits for it longer
//! than it takes. What a password costs to hash is spent before.

mod order;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::account::{Account, Asking, Role, StoredAccount, StoredDisplay, Tries};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};

use super::Historian;
use super::error::StoreError;
use super::place::Place;
use super::read::{Failure, Found};
use super::{audit, journal, schema};

/// How long a change beside a service waits for the writer of the service.
const WAIT: Duration = Duration::from_secs(5);

/// The accounts of a journal.
#[derive(Clone)]
pub struct AccountBook(Way);

#[derive(Clone)]
enum Way {
    /// Through the service that this is.
    Within(Historian),
    /// Beside a service that may run.
    Beside(std::sync::Arc<Beside>),
}

struct Beside {
    dir: PathBuf,
    path: PathBuf,
    /// Held where no service runs, so that none starts in the middle of a change.
    _place: Option<Place>,
}

/// What is needed to look at a password.
#[derive(Clone)]
pub struct Login {
    /// Whose.
    pub account: Account,
    /// Its hash.
    pub password: String,
    /// Wrong ones before, of the kind that is asked for.
    pub tries: Tries,
    /// Whether an administrator has disabled it.
    pub disabled: bool,
}

/// A session as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Of whom.
    pub account: Account,
    /// When it began, UTC microseconds.
    pub begun_us: i64,
    /// When it was last used, UTC microseconds; up to a minute late.
    pub used_us: i64,
}

impl AccountBook {
    /// The accounts of a journal that is open.
    pub fn within(historian: &Historian) -> AccountBook {
        AccountBook(Way::Within(historian.clone()))
    }

    /// The accounts of the journal in a directory, also while a service works on it. Without one the directory belongs to
    /// this process as long as this value lives.
    ///
    /// # Errors
    /// No journal can be opened there, or it is one of another version that runs.
    pub fn beside(dir: &Path) -> Result<AccountBook, StoreError> {
        let path = dir.join(super::place::DATABASE);
        let place = match Place::claim(dir) {
            Ok(place) => {
                let mut conn = journal::connect(&path)?;
                schema::migrate(&mut conn, &path)?;
                place.sync()?;
                Some(place)
            }
            // An older version that runs has no such tables, and its journal is not brought forward beneath it.
            Err(locked @ StoreError::Locked { .. }) => {
                match schema::recognised(&open(&path)?, &path)? < schema::known() {
                    true => return Err(locked),
                    false => None,
                }
            }
            Err(error) => return Err(error),
        };
        Ok(AccountBook(Way::Beside(std::sync::Arc::new(Beside {
            dir: dir.to_owned(),
            path,
            _place: place,
        }))))
    }

    fn path(&self) -> &Path {
        match &self.0 {
            Way::Within(historian) => &historian.0.path,
            Way::Beside(beside) => &beside.path,
        }
    }

    fn read<T>(&self, ask: impl FnOnce(&Connection) -> Found<T>) -> Result<T, StoreError> {
        match &self.0 {
            Way::Within(historian) => historian.readers().query(ask),
            Way::Beside(beside) => {
                ask(&open(&beside.path)?).map_err(|failure| failure.at(&beside.path))
            }
        }
    }

    /// One transaction: all of it is kept or nothing.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Found<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = match &self.0 {
            Way::Within(historian) => {
                let (told, made) = std::sync::mpsc::sync_channel(1);
                let done = historian.write(move |conn| {
                    let made = match work(conn) {
                        Err(Failure::Sql(cause)) => return Err(cause),
                        made => made,
                    };
                    // What has found damage is taken back: nothing of it was done.
                    let kept = match made {
                        Ok(_) => Ok(()),
                        Err(_) => Err(rusqlite::Error::StatementChangedRows(0)),
                    };
                    // Whoever asked waits for it.
                    let _ = told.send(made);
                    kept
                });
                match (made.try_recv(), done) {
                    (Ok(Err(failure)), _) => Err(failure),
                    (_, Err(error)) => return Err(error),
                    (Ok(made), Ok(())) => made,
                    (Err(_), Ok(())) => return Err(StoreError::Closed),
                }
            }
            Way::Beside(beside) => {
                let mut conn = open(&beside.path)?;
                let transact = |conn: &mut Connection| {
                    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
                    audit::begin(&tx)?;
                    let made = work(&tx)?;
                    let head = audit::head(&tx)?;
                    tx.commit()?;
                    Ok((made, head))
                };
                transact(&mut conn).map(|(made, head)| {
                    audit::Beside::new(&beside.dir).tell(&head);
                    made
                })
            }
        };
        done.map_err(|failure| failure.at(self.path()))
    }

    /// All accounts, by name. Blocks.
    pub fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError> {
        self.read(|conn| {
            let mut find = conn.prepare_cached(include_str!("../sql/accounts_read.sql"))?;
            let mut rows = find.query([])?;
            let mut accounts = Vec::new();
            while let Some(row) = rows.next()? {
                accounts.push(StoredAccount {
                    account: account(row)?,
                    disabled_us: row.get(4)?,
                    locked_until_us: row.get(5)?,
                    made_us: row.get(6)?,
                    changed_us: row.get(7)?,
                    sessions: row.get(8)?,
                });
            }
            Ok(accounts)
        })
    }

    /// Whether there is an account. Blocks.
    pub fn any(&self) -> Result<bool, StoreError> {
        self.read(|conn| Ok(any(conn)?))
    }

    /// What is needed to look at a password; none without an account of that name. Blocks.
    pub fn login(&self, name: &str, asking: Asking) -> Result<Option<Login>, StoreError> {
        // Two more columns for those that are asked for again.
        let tries = match asking {
            Asking::SignIn => 5,
            Asking::Again => 8,
        };
        self.read(|conn| {
            let mut find = conn.prepare_cached(include_str!("../sql/account_read.sql"))?;
            let mut rows = find.query([name])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(Login {
                account: account(row)?,
                password: row.get(4)?,
                tries: Tries { wrong: row.get(tries)?, locked_until_us: row.get(tries + 1)? },
                disabled: row.get::<_, Option<i64>>(7)?.is_some(),
            }))
        })
    }

    /// Counts a wrong password, from what is kept at that moment: of two at once both count. One row is written whether
    /// it counts for an account or, as without a name, for none. Whether it locked the account. Durable on return. Blocks.
    pub fn wrong_password(
        &self,
        name: Option<&str>,
        asking: Asking,
        now_us: i64,
    ) -> Result<bool, StoreError> {
        let name = name.map(str::to_owned);
        self.write(move |conn| {
            let [wrong, until] = columns(asking);
            let sql = format!("select {wrong}, {until} from account where name = ?1");
            let tries = conn.query_row(&sql, [&name], |row| {
                Ok(Tries { wrong: row.get(0)?, locked_until_us: row.get(1)? })
            });
            // One that was looked at while another one locked it counts no further.
            let tries = tries.optional()?.filter(|tries| !tries.is_locked(now_us));
            let Some(tries) = tries else {
                conn.execute("update stray_password set n = n + 1", [])?;
                return Ok(false);
            };
            let (tries, locked) = tries.after_wrong(now_us);
            let sql = format!("update account set {wrong} = ?2, {until} = ?3 where name = ?1");
            conn.execute(&sql, params![name, tries.wrong, tries.locked_until_us])?;
            Ok(locked)
        })
    }

    /// After a right password: wrong ones before are forgotten, and its hash is exchanged for another one where that is
    /// given. Nothing where the hash is not the one any more that was looked at. Durable on return. Blocks.
    pub fn right_password(
        &self,
        (name, looked_at): (&str, &str),
        asking: Asking,
        rehashed: Option<&str>,
    ) -> Result<(), StoreError> {
        let (name, looked_at) = (name.to_owned(), looked_at.to_owned());
        let rehashed = rehashed.map(str::to_owned);
        self.write(move |conn| {
            let [wrong, until] = columns(asking);
            let sql = format!(
                "update account set {wrong} = 0, {until} = null, password = coalesce(?2, password)
                 where name = ?1 and password = ?3"
            );
            conn.execute(&sql, params![name, rehashed, looked_at])?;
            Ok(())
        })
    }

    /// Begins a session; old ones that cannot live any more go. False where the account was disabled or got another
    /// password since it was looked at. Durable on return. Blocks.
    pub fn begin_session(
        &self,
        token: &str,
        login: &Login,
        (now_us, oldest_us): (i64, i64),
    ) -> Result<bool, StoreError> {
        let (token, name) = (token.to_owned(), login.account.name.to_string());
        let looked_at = login.password.clone();
        self.write(move |conn| {
            conn.execute("delete from session where begun_us < ?1", [oldest_us])?;
            let sql = include_str!("../sql/session_begin.sql");
            Ok(conn.execute(sql, params![token, name, now_us, looked_at])? == 1)
        })
    }

    /// A session by the hash of its token, of an account that is not disabled. Blocks.
    pub fn session(&self, token: &str) -> Result<Option<StoredSession>, StoreError> {
        self.read(|conn| {
            let mut find = conn.prepare_cached(include_str!("../sql/session_read.sql"))?;
            let mut rows = find.query([token])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let (begun_us, used_us) = (row.get(4)?, row.get(5)?);
            Ok(Some(StoredSession { account: account(row)?, begun_us, used_us }))
        })
    }

    /// Keeps that a session was used. Durable on return. Blocks.
    pub fn use_session(&self, token: &str, used_us: i64) -> Result<(), StoreError> {
        let token = token.to_owned();
        self.write(move |conn| {
            let sql = "update session set used_us = max(used_us, ?2) where token = ?1";
            conn.execute(sql, params![token, used_us])?;
            Ok(())
        })
    }

    /// Ends a session. Durable on return. Blocks.
    pub fn end_session(&self, token: &str) -> Result<(), StoreError> {
        let token = token.to_owned();
        self.write(move |conn| {
            conn.execute("delete from session where token = ?1", [token])?;
            Ok(())
        })
    }

    /// All displays, by number. Blocks.
    pub fn displays(&self) -> Result<Vec<StoredDisplay>, StoreError> {
        self.read(|conn| {
            let sql = "select number, name, made_us, revoked_us from display order by number";
            let mut find = conn.prepare_cached(sql)?;
            let displays = find.query_map([], |row| {
                let (number, name) = (row.get(0)?, row.get(1)?);
                Ok(StoredDisplay { number, name, made_us: row.get(2)?, revoked_us: row.get(3)? })
            })?;
            Ok(displays.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The name of a display by the hash of its token, if that was not revoked. Blocks.
    pub fn display(&self, token: &str) -> Result<Option<String>, StoreError> {
        self.read(|conn| {
            let sql = "select name from display where token = ?1 and revoked_us is null";
            Ok(conn.query_row(sql, [token], |row| row.get(0)).optional()?)
        })
    }
}

/// Where wrong passwords are counted, and until when an account is locked by them.
fn columns(asking: Asking) -> [&'static str; 2] {
    match asking {
        Asking::SignIn => ["wrong", "locked_until_us"],
        Asking::Again => ["again_wrong", "again_locked_until_us"],
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let fail = |e| StoreError::from_sqlite(path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
    conn.busy_timeout(WAIT).map_err(fail)?;
    conn.execute_batch(include_str!("../sql/pragmas_writer.sql")).map_err(fail)?;
    Ok(conn)
}

fn any(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("select exists (select 1 from account)", [], |row| row.get(0))
}

/// The account in the first four columns.
fn account(row: &Row<'_>) -> Found<Account> {
    let (name, printed, role): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let strange = || Failure::Damaged(format!("the account {name:?} has the role {role:?}"));
    let role = Role::from_word(&role).ok_or_else(strange)?;
    Ok(Account { name: name.into(), printed: printed.into(), role, must_change: row.get(3)? })
}
