//! Accounts on a real journal.

use domain::account::{LOCKED_US, TRIES};
use domain::audit::{Actor, Filter};

use super::*;
use crate::historian::audit::{find_in, verify};
use crate::historian::{Historian, Options};

const MINUTE: i64 = MINUTE_US;

fn journal() -> (tempfile::TempDir, Historian) {
    let dir = tempfile::tempdir().unwrap();
    let historian = Historian::open(dir.path(), Options::default()).unwrap();
    (dir, historian)
}

/// The accounts of a journal as a service sees them whose clock is ahead.
fn later(historian: &Historian, by_us: i64) -> Accounts {
    let book = AccountBook::within(historian);
    Accounts::on(book, SessionLimits::default(), Clock::accelerated(by_us, 1.0))
}

fn new(name: &str, role: Role) -> NewAccount {
    let printed = format!("{name} of the plant");
    NewAccount { name: name.to_owned(), printed, role, password: PASSWORD.to_owned() }
}

const PASSWORD: &str = "correct horse";

fn order() -> Order {
    Order { by: Actor::named("Chen Jing"), reason: "as agreed".to_owned() }
}

/// Accounts with one of each role.
fn filled() -> (tempfile::TempDir, Historian, Accounts) {
    let (dir, historian) = journal();
    let accounts = later(&historian, 0);
    for role in Role::ALL {
        assert_eq!(accounts.add(new(role.word(), role), &order()), Ok(Ok(())));
    }
    (dir, historian, accounts)
}

/// Shows: ACC-05
#[test]
fn the_first_account_is_made_once_with_the_token_of_the_last_start() {
    let (_dir, historian) = journal();
    let (first, second) = (later(&historian, 0), later(&historian, 0));
    let old = first.offer_set_up().unwrap().unwrap();
    let token = second.offer_set_up().unwrap().unwrap();
    assert_eq!(token.len(), 64);
    // The token of another start, a guess and none at all.
    for wrong in [old.as_str(), "0000", ""] {
        let made = second.set_up(wrong, new("a", Role::Viewer), &order());
        assert_eq!(made, Ok(Err(Refused::NoSetUp)), "{wrong:?}");
    }
    let short = NewAccount { password: "short".to_owned(), ..new("boss", Role::Viewer) };
    assert!(matches!(second.set_up(&token, short, &order()), Ok(Err(Refused::Unfit(_)))));
    assert_eq!(
        second.set_up(&format!(" {token}\n"), new("boss", Role::Viewer), &order()),
        Ok(Ok(()))
    );
    assert_eq!(second.accounts().unwrap()[0].account.role, Role::Admin);
    // Once only: neither the same token again, nor a start afterwards, nor the one that was offered before.
    let again = second.set_up(&token, new("b", Role::Viewer), &order());
    assert_eq!(again, Ok(Err(Refused::NoSetUp)));
    assert_eq!(first.set_up(&old, new("c", Role::Viewer), &order()), Ok(Err(Refused::NoSetUp)));
    assert_eq!(later(&historian, 0).offer_set_up(), Ok(None));
    assert_eq!(second.accounts().unwrap().len(), 1);
}

/// Shows: ACC-08
#[test]
fn a_session_rests_and_grows_old_and_people_who_use_it_stay() {
    let (_dir, historian, accounts) = filled();
    let token = accounts.login("Operator", PASSWORD).unwrap().unwrap().token;
    let session = |by: i64, used| later(&historian, by * MINUTE).session(&token, used).unwrap();
    assert_eq!(session(0, false).unwrap().role, Role::Operator);
    // What pages ask for by themselves is no use: after a quarter of an hour it has ended for all of that.
    assert!(session(14, false).is_some());
    let ended = later(&historian, 0).login("operator", PASSWORD).unwrap().unwrap().token;
    let rested = later(&historian, 16 * MINUTE);
    assert_eq!(rested.session(&ended, true), Ok(None));
    assert_eq!(accounts.session(&ended, true), Ok(None), "an end is kept");
    // Used every ten minutes it lives for twelve hours and no longer.
    for minute in (10..720).step_by(10) {
        assert!(session(minute, true).is_some(), "{minute}");
    }
    assert_eq!(session(720, true), None);
    assert_eq!(accounts.session("0000", true), Ok(None));
    assert_eq!(accounts.session("", true), Ok(None));
}

/// Shows: ACC-08
#[test]
fn what_an_administrator_changes_ends_the_sessions_of_the_user() {
    let (_dir, historian, accounts) = filled();
    // Changes beside the service count when it looks again; its own count at once.
    let begin = || accounts.login("quality", PASSWORD).unwrap().unwrap().token;
    for change in [
        Change::Role(Role::Quality),
        Change::Reset(PASSWORD.to_owned()),
        Change::Enable,
        Change::Disable,
    ] {
        let token = begin();
        assert!(accounts.session(&token, true).unwrap().is_some());
        let told = accounts.change("quality", change, &order()).unwrap().unwrap();
        assert_eq!(accounts.session(&token, true), Ok(None), "{told:?}");
    }
    assert_eq!(accounts.verify("quality", PASSWORD), Ok(Err(NoLogin::Disabled)));
    let told = accounts.change("quality", Change::Enable, &order()).unwrap().unwrap();
    assert_eq!(told, ("disabled".to_owned(), "enabled".to_owned()));
    let token = begin();
    accounts.logout(&token).unwrap();
    assert_eq!(accounts.session(&token, true), Ok(None));
    // Sessions outlive the service.
    let token = begin();
    assert!(later(&historian, 0).session(&token, true).unwrap().is_some());
}

/// A password that is right while somebody changes it opens nothing, and does not come back over the new one.
#[test]
fn a_password_that_was_changed_meanwhile_begins_no_session() {
    let (_dir, historian, accounts) = filled();
    let book = AccountBook::within(&historian);
    let looked_at = book.login("quality").unwrap().unwrap();
    let begin = |login: &Login| book.begin_session(&sha256("token"), login, (1, 0)).unwrap();
    assert_eq!(
        accounts
            .change("quality", Change::Reset("another horse".to_owned()), &order())
            .unwrap()
            .map(drop),
        Ok(())
    );
    assert!(!begin(&looked_at), "the old password");
    book.right_password("quality", &looked_at.password, Some("put back")).unwrap();
    let login = book.login("quality").unwrap().unwrap();
    assert_ne!(login.password, "put back");
    assert!(begin(&login), "the control: the new password begins one");
}

/// Shows: ACC-07
#[test]
fn five_wrong_passwords_lock_and_a_quarter_of_an_hour_unlocks() {
    let (_dir, historian, accounts) = filled();
    let guess = |accounts: &Accounts| accounts.verify("operator", "wrong horse").unwrap();
    for _ in 1..TRIES {
        assert_eq!(guess(&accounts), Err(NoLogin::Wrong));
    }
    assert_eq!(guess(&accounts), Err(NoLogin::WrongAndLocked));
    // The right one does not open it either, and says the same as a wrong one would.
    assert_eq!(accounts.verify("operator", PASSWORD), Ok(Err(NoLogin::Locked)));
    assert!(accounts.verify("viewer", PASSWORD).unwrap().is_ok(), "others are not locked");
    let unlocked = later(&historian, LOCKED_US + MINUTE);
    assert!(unlocked.verify("operator", PASSWORD).unwrap().is_ok());
    // Four wrong ones and a right one begin anew.
    for _ in 0..2 {
        for _ in 1..TRIES {
            assert_eq!(guess(&unlocked), Err(NoLogin::Wrong));
        }
        assert!(unlocked.verify("operator", PASSWORD).unwrap().is_ok());
    }
    assert_eq!(accounts.verify("nobody", PASSWORD), Ok(Err(NoLogin::Unknown)));
    assert_eq!(accounts.verify("no body'; --", PASSWORD), Ok(Err(NoLogin::Unknown)));
}

#[test]
fn no_two_accounts_sign_alike_and_one_administrator_stays() {
    let (_dir, _historian, accounts) = filled();
    for (name, printed) in [("viewer", "Somebody"), ("other", " VIEWER  of the plant")] {
        let (name, printed) = (name.to_owned(), printed.to_owned());
        let alike = NewAccount { name, printed, ..new("x", Role::Viewer) };
        assert_eq!(accounts.add(alike, &order()), Ok(Err(Refused::Taken)));
    }
    for change in [Change::Disable, Change::Role(Role::Viewer)] {
        assert_eq!(accounts.change("admin", change, &order()), Ok(Err(Refused::LastAdmin)));
    }
    assert!(accounts.verify("admin", PASSWORD).unwrap().is_ok(), "nothing was changed");
    assert_eq!(accounts.accounts().unwrap()[0].account.role, Role::Admin);
    assert_eq!(accounts.add(new("second", Role::Admin), &order()), Ok(Ok(())));
    assert!(accounts.change("admin", Change::Disable, &order()).unwrap().is_ok());
    assert_eq!(accounts.change("second", Change::Disable, &order()), Ok(Err(Refused::LastAdmin)));
    assert_eq!(accounts.change("nobody", Change::Disable, &order()), Ok(Err(Refused::NoAccount)));
}

/// Shows: ACC-16
#[test]
fn a_display_reads_until_its_token_is_revoked() {
    let (_dir, _historian, accounts) = filled();
    let token = accounts.add_display("Wall 1", &order()).unwrap().unwrap();
    assert_eq!(accounts.display(&token), Ok(Some("Wall 1".into())));
    assert_eq!(accounts.session(&token, true), Ok(None), "a token is no session");
    assert_eq!(accounts.add_display("Wall 1", &order()), Ok(Err(Refused::DisplayTaken)));
    let number = accounts.displays().unwrap()[0].number;
    assert_eq!(accounts.revoke_display(number, &order()), Ok(Ok("Wall 1".to_owned())));
    assert_eq!(accounts.display(&token), Ok(None));
    assert_eq!(accounts.revoke_display(number, &order()), Ok(Err(Refused::NoDisplay)));
    assert!(accounts.add_display("Wall 1", &order()).unwrap().is_ok());
    assert_eq!(accounts.displays().unwrap().len(), 2);
}

#[test]
fn secrets_are_not_in_the_journal() {
    let (dir, historian, accounts) = filled();
    let session = accounts.login("viewer", PASSWORD).unwrap().unwrap().token;
    let display = accounts.add_display("Wall 1", &order()).unwrap().unwrap();
    historian.close().unwrap();
    drop(accounts);
    let bytes = std::fs::read(dir.path().join("journal.db")).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("$argon2id$") && holds(&sha256(&session)), "the control: it is looked at");
    for secret in [PASSWORD, &session, &display] {
        assert!(!holds(secret), "{secret}");
    }
}

#[test]
fn another_process_changes_accounts_beside_a_service() {
    let (dir, historian, accounts) = filled();
    let token = accounts.login("viewer", PASSWORD).unwrap().unwrap().token;
    assert!(accounts.session(&token, true).unwrap().is_some());
    let beside = AccountBook::beside(dir.path()).unwrap();
    let beside = Accounts::new(beside, SessionLimits::default());
    assert!(beside.add(new("second", Role::Viewer), &order()).unwrap().is_ok());
    assert!(beside.change("viewer", Change::Disable, &order()).unwrap().is_ok());
    assert!(accounts.verify("second", PASSWORD).unwrap().is_ok());
    // It counts when the service looks again, which is soon.
    let until = Instant::now() + Duration::from_secs(30);
    while accounts.session(&token, true).unwrap().is_some() {
        assert!(Instant::now() < until, "the session did not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop((accounts, beside));
    historian.close().unwrap();
    assert_eq!(verify(dir.path(), &[]).unwrap().findings, []);
    // Without a service it holds the directory, so that none starts in the middle.
    let alone = AccountBook::beside(dir.path()).unwrap();
    assert!(Historian::open(dir.path(), Options::default()).is_err());
    drop(alone);
    assert!(Historian::open(dir.path(), Options::default()).is_ok());
}

/// What is ordered and its entry are one transaction: while the trail takes nothing, nothing is done. The control is the
/// same orders with a trail that takes entries.
/// Shows: ACC-12
#[test]
fn what_cannot_be_noted_is_not_done() {
    let (dir, historian, accounts) = filled();
    accounts.add_display("Wall 1", &order()).unwrap().unwrap();
    let (number, role) = (accounts.displays().unwrap()[0].number, Change::Role(Role::Operator));
    let state = || (accounts.accounts().unwrap(), accounts.displays().unwrap());
    let orders = || {
        [
            accounts.add(new("second", Role::Viewer), &order()).map(drop),
            accounts.change("viewer", role.clone(), &order()).map(drop),
            accounts.add_display("Wall 2", &order()).map(drop),
            accounts.revoke_display(number, &order()).map(drop),
        ]
    };
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    let sql = "create trigger full before insert on audit begin select raise(abort, 'full'); end";
    conn.execute_batch(sql).unwrap();
    let before = state();
    for done in orders() {
        assert!(done.is_err(), "{done:?}");
    }
    assert_eq!(state(), before);
    conn.execute_batch("drop trigger full").unwrap();
    assert_eq!(orders(), [Ok(()), Ok(()), Ok(()), Ok(())]);
    let after = state();
    assert_eq!((after.0.len(), after.1.len()), (before.0.len() + 1, before.1.len() + 1));
    drop((conn, accounts));
    historian.close().unwrap();
    let noted = find_in(dir.path(), &Filter::default(), 99).unwrap();
    // Four accounts of the scene and five orders.
    assert_eq!(noted.iter().filter(|entry| entry.reason == "as agreed").count(), 4 + 5);
    assert_eq!(verify(dir.path(), &[]).unwrap().findings, []);
}

#[test]
fn an_account_is_made_and_noted_before_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let beside = AccountBook::beside(dir.path()).unwrap();
    let beside = Accounts::new(beside, SessionLimits::default());
    assert_eq!(beside.add(new("boss", Role::Admin), &order()), Ok(Ok(())));
    drop(beside);
    let noted = || {
        let entries = find_in(dir.path(), &Filter::default(), 99).unwrap();
        entries.into_iter().rev().map(|entry| entry.what).collect::<Vec<_>>()
    };
    assert_eq!(noted(), ["journal_begun", "user_add"]);
    // The service goes on with that journal and that chain.
    let historian = Historian::open(dir.path(), Options::default()).unwrap();
    assert!(later(&historian, 0).verify("boss", PASSWORD).unwrap().is_ok());
    historian.close().unwrap();
    assert_eq!(noted()[..2], ["journal_begun", "user_add"]);
    assert_eq!(verify(dir.path(), &[]).unwrap().findings, []);
}
