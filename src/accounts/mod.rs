//! Accounts that sign in: what the rules of [`domain::account`] decide, kept in the journal. Passwords are kept as
//! hashes of argon2id, tokens as SHA-256; neither can be read back.

mod password;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::account::{
    Account, Asking, Begun, Change, NewAccount, NoLogin, Order, Refused, Role, SessionLimits,
    StoredAccount, StoredDisplay, account_name, is_free, password_is_good, printed_name,
};
use domain::digest::{hex, sha256};
use domain::units::MINUTE_US;

use crate::clock::Clock;
use crate::historian::{AccountBook, Login, StoredSession};

/// A session or display is looked up again after this, so that what was changed beside the service counts soon.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How late the journal may know of the last use of a session. A session is not written to with each request.
const KEEP_USE_US: i64 = MINUTE_US;
/// Sessions and displays remembered at once; the plant has fewer people.
const REMEMBERED: usize = 1_000;
/// Random bytes of a token: 256 bits.
const TOKEN_BYTES: usize = 32;

/// The accounts of a journal, with the rules that hold for them. Cloning is cheap, and all clones are the same.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    book: AccountBook,
    limits: SessionLimits,
    clock: Clock,
    /// SHA-256 of what this start has told to make the first account with.
    set_up: Mutex<Option<String>>,
    seen: Mutex<Seen>,
}

/// What was looked up a moment ago, by the hash of its token.
#[derive(Default)]
struct Seen {
    sessions: HashMap<String, (StoredSession, Instant)>,
    displays: HashMap<String, (Box<str>, Instant)>,
}

impl Accounts {
    /// The accounts in a book. The clock is that of the wall: sessions outlive the service.
    pub fn new(book: AccountBook, limits: SessionLimits) -> Accounts {
        Accounts::on(book, limits, Clock::real())
    }

    /// The same on another clock.
    pub(crate) fn on(book: AccountBook, limits: SessionLimits, clock: Clock) -> Accounts {
        let (set_up, seen) = (Mutex::default(), Mutex::default());
        Accounts(Arc::new(Inner { book, limits, clock, set_up, seen }))
    }

    /// The moment by which sessions end and locks are judged, UTC microseconds.
    pub fn now_us(&self) -> i64 {
        self.0.clock.now().utc_us
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each change is one assignment.
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token with which the first account can be made, as long as there is none; a new one ends the one before. It is
    /// kept as its hash, in memory alone.
    ///
    /// # Errors
    /// In words: the journal cannot be read, or the system gives no random numbers.
    pub fn offer_set_up(&self) -> Result<Option<String>, String> {
        if self.any()? {
            return Ok(None);
        }
        let token = token()?;
        *self.0.set_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(sha256(&token));
        Ok(Some(token))
    }

    /// Whether there is an account.
    ///
    /// # Errors
    /// In words: the journal cannot be read.
    pub fn any(&self) -> Result<bool, String> {
        self.0.book.any().map_err(text)
    }

    /// Makes the first account, an administrator, against the token of [`Accounts::offer_set_up`].
    ///
    /// # Errors
    /// In words: the journal cannot be written. The inner one is for people.
    pub fn set_up(
        &self,
        token: &str,
        first: NewAccount,
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        let offered = self.0.set_up.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Compared as hashes: how much of a guess is right cannot be measured.
        if offered.as_deref() != Some(sha256(token.trim()).as_str()) {
            return Ok(Err(Refused::NoSetUp));
        }
        let made = self.make(NewAccount { role: Role::Admin, ..first }, true, order)?;
        if made.is_ok() {
            *self.0.set_up.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(made)
    }

    /// Adds an account. It and its entry in the audit trail are one transaction, as with all that is ordered here.
    ///
    /// # Errors
    /// In words: the journal cannot be written. The inner one is for people.
    pub fn add(&self, new: NewAccount, order: &Order) -> Result<Result<(), Refused>, String> {
        self.make(new, false, order)
    }

    fn make(
        &self,
        new: NewAccount,
        first: bool,
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        let fit = || {
            let (name, printed) = (account_name(&new.name)?, printed_name(&new.printed)?);
            is_free(&name)?;
            is_free(&printed)?;
            password_is_good(&new.password, &name, &printed)?;
            Ok::<_, Refused>((name, printed))
        };
        let (name, printed) = match fit() {
            Ok(names) => names,
            Err(refused) => return Ok(Err(refused)),
        };
        let hash = password::hash(&new.password)?;
        let (name, printed) = (name.into(), printed.into());
        let new = NewAccount { name, printed, password: String::new(), ..new };
        self.0.book.add(new, (hash, first), (self.now_us(), order)).map_err(text)
    }

    /// Whether the password is that of the account, asked for again of who is signed in: wrong ones lock that, and not the
    /// sign-in. Takes as long whatever is wrong.
    ///
    /// # Errors
    /// In words: the journal cannot be read or written. The inner one is for the audit trail.
    pub fn verify(&self, name: &str, password: &str) -> Result<Result<Account, NoLogin>, String> {
        Ok(self.look(name, password, Asking::Again)?.map(|login| login.account))
    }

    fn look(
        &self,
        name: &str,
        password: &str,
        asking: Asking,
    ) -> Result<Result<Login, NoLogin>, String> {
        // What can be no name is looked for as well, and not found.
        let name = account_name(name).unwrap_or_default();
        let usable = match self.0.book.login(&name, asking).map_err(text)? {
            None => Err(NoLogin::Unknown),
            Some(login) if login.disabled => Err(NoLogin::Disabled),
            Some(login) if login.tries.is_locked(self.now_us()) => Err(NoLogin::Locked),
            Some(login) => Ok(login),
        };
        // Whatever is wrong, one password is compared and one row is written: how long it takes tells nothing.
        let fits = match &usable {
            Ok(login) => password::fits(password, &login.password),
            Err(_) => password::pretend(password),
        };
        let mut login = match usable {
            Ok(login) if fits => login,
            usable => {
                let counts = usable.is_ok().then_some(&*name);
                let locked = self.0.book.wrong_password(counts, asking, self.now_us());
                let locked = locked.map_err(text)?;
                let wrong = if locked { NoLogin::WrongAndLocked } else { NoLogin::Wrong };
                return Ok(Err(usable.err().unwrap_or(wrong)));
            }
        };
        let rehashed = match password::is_dated(&login.password) {
            true => Some(password::hash(password)?),
            false => None,
        };
        if rehashed.is_some() || login.tries.wrong > 0 || login.tries.locked_until_us.is_some() {
            let looked_at = (&*name, login.password.as_str());
            let kept = self.0.book.right_password(looked_at, asking, rehashed.as_deref());
            kept.map_err(text)?;
        }
        login.password = rehashed.unwrap_or(login.password);
        Ok(Ok(login))
    }

    /// Begins a session where name and password are right.
    ///
    /// # Errors
    /// As [`Accounts::verify`].
    pub fn login(&self, name: &str, password: &str) -> Result<Result<Begun, NoLogin>, String> {
        let login = match self.look(name, password, Asking::SignIn)? {
            Ok(login) => login,
            Err(no) => return Ok(Err(no)),
        };
        let (token, now_us) = (token()?, self.now_us());
        let oldest_us = now_us.saturating_sub(self.0.limits.longest_us);
        let begun = self.0.book.begin_session(&sha256(&token), &login, (now_us, oldest_us));
        // An administrator was faster: that password counts no more.
        Ok(match begun.map_err(text)? {
            true => Ok(Begun { account: login.account, token }),
            false => Err(NoLogin::Wrong),
        })
    }

    /// The account of a session that lives; `used` says that a person did something.
    ///
    /// # Errors
    /// In words: the journal cannot be read or written.
    pub fn session(&self, token: &str, used: bool) -> Result<Option<Account>, String> {
        let (token, now_us) = (sha256(token), self.now_us());
        let known = self.seen().sessions.get(&token).cloned();
        let (mut session, looked) = match known {
            Some((session, looked)) if looked.elapsed() < LOOK_AGAIN => (session, looked),
            known => {
                let Some(mut stored) = self.0.book.session(&token).map_err(text)? else {
                    self.seen().sessions.remove(&token);
                    return Ok(None);
                };
                // What was used since is known here before it is in the journal.
                if let Some((session, _)) = known {
                    stored.used_us = stored.used_us.max(session.used_us);
                }
                (stored, Instant::now())
            }
        };
        if !self.0.limits.lives(session.begun_us, session.used_us, now_us) {
            // It is over whether or not that can be kept; the next look ends it then.
            if let Err(error) = self.end(&token) {
                tracing::warn!(error, "a session that is over could not be taken away");
            }
            return Ok(None);
        }
        let account = session.account.clone();
        if used {
            let kept = session.used_us / KEEP_USE_US;
            session.used_us = session.used_us.max(now_us);
            if session.used_us / KEEP_USE_US != kept {
                // A full disk must not take the screens from those who look for what is wrong.
                if let Err(error) = self.0.book.use_session(&token, session.used_us) {
                    tracing::warn!(%error, "the use of a session could not be kept");
                }
            }
        }
        let mut seen = self.seen();
        if seen.sessions.len() >= REMEMBERED {
            seen.sessions.clear();
        }
        seen.sessions.insert(token, (session, looked));
        Ok(Some(account))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// In words: the journal cannot be written.
    pub fn logout(&self, token: &str) -> Result<(), String> {
        self.end(&sha256(token))
    }

    fn end(&self, token: &str) -> Result<(), String> {
        self.seen().sessions.remove(token);
        self.0.book.end_session(token).map_err(text)
    }

    /// Gives the account of a session a password that its owner chose, for the old one, and ends its other sessions.
    ///
    /// # Errors
    /// As [`Accounts::verify`]. The inner one is for people; a wrong old password counts as one at signing.
    pub fn own_password(
        &self,
        session: &str,
        (old, new): (&str, &str),
        order: &Order,
    ) -> Result<Result<(), Refused>, String> {
        let no = |why| Ok(Err(Refused::NoLogin(why)));
        let Some(account) = self.session(session, true)? else { return no(NoLogin::Unknown) };
        let login = match self.look(&account.name, old, Asking::Again)? {
            Ok(login) => login,
            Err(why) => return no(why),
        };
        if let Err(why) = password_is_good(new, &account.name, &account.printed) {
            return Ok(Err(why.into()));
        }
        if old == new {
            return Ok(Err(Refused::Unfit("the new password is the old one; choose another")));
        }
        let (hash, kept) = (password::hash(new)?, sha256(session));
        let done = self.0.book.own_password(&login, (hash, &kept), (self.now_us(), order));
        let is_done = done.map_err(text)?;
        self.seen().sessions.clear();
        // An administrator was faster: the old password counts no more.
        if is_done { Ok(Ok(())) } else { no(NoLogin::Wrong) }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// In words: the journal cannot be read.
    pub fn accounts(&self) -> Result<Vec<StoredAccount>, String> {
        self.0.book.accounts().map_err(text)
    }

    /// Changes an account and ends its sessions; in words what it was before and is now.
    ///
    /// # Errors
    /// In words: the journal cannot be written. The inner one is for people.
    pub fn change(
        &self,
        name: &str,
        change: Change,
        order: &Order,
    ) -> Result<Result<(String, String), Refused>, String> {
        let Ok(name) = account_name(name) else { return Ok(Err(Refused::NoAccount)) };
        let change = match change {
            Change::Reset(password) => {
                let Some(login) = self.0.book.login(&name, Asking::SignIn).map_err(text)? else {
                    return Ok(Err(Refused::NoAccount));
                };
                if let Err(why) = password_is_good(&password, &name, &login.account.printed) {
                    return Ok(Err(why.into()));
                }
                Change::Reset(password::hash(&password)?)
            }
            change => change,
        };
        let changed = self.0.book.change(&name, change, (self.now_us(), order)).map_err(text)?;
        self.seen().sessions.clear();
        Ok(changed)
    }

    /// All displays, also those that were revoked.
    ///
    /// # Errors
    /// In words: the journal cannot be read.
    pub fn displays(&self) -> Result<Vec<StoredDisplay>, String> {
        self.0.book.displays().map_err(text)
    }

    /// The name of a display by its token.
    ///
    /// # Errors
    /// In words: the journal cannot be read.
    pub fn display(&self, token: &str) -> Result<Option<Box<str>>, String> {
        let token = sha256(token);
        if let Some((name, looked)) = self.seen().displays.get(&token)
            && looked.elapsed() < LOOK_AGAIN
        {
            return Ok(Some(name.clone()));
        }
        let name: Option<Box<str>> = self.0.book.display(&token).map_err(text)?.map(Into::into);
        let mut seen = self.seen();
        match &name {
            Some(name) => {
                if seen.displays.len() >= REMEMBERED {
                    seen.displays.clear();
                }
                seen.displays.insert(token, (name.clone(), Instant::now()));
            }
            None => drop(seen.displays.remove(&token)),
        }
        Ok(name)
    }

    /// Adds a display; its token, which can be told only now.
    ///
    /// # Errors
    /// In words: the journal cannot be written. The inner one is for people.
    pub fn add_display(
        &self,
        name: &str,
        order: &Order,
    ) -> Result<Result<String, Refused>, String> {
        let name = match printed_name(name) {
            Ok(name) => name,
            Err(why) => return Ok(Err(why.into())),
        };
        let token = token()?;
        let added = self.0.book.add_display(&name, &sha256(&token), (self.now_us(), order));
        Ok(added.map_err(text)?.map(|()| token))
    }

    /// Revokes the token of a display; the name of the display.
    ///
    /// # Errors
    /// In words: the journal cannot be written. The inner one is for people.
    pub fn revoke_display(
        &self,
        number: i64,
        order: &Order,
    ) -> Result<Result<String, Refused>, String> {
        let revoked = self.0.book.revoke_display(number, (self.now_us(), order)).map_err(text)?;
        self.seen().displays.clear();
        Ok(revoked)
    }
}

/// 256 random bits as 64 hexadecimal characters.
fn token() -> Result<String, String> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(hex(bytes))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
