//! `capline user` and `capline display`: who may ask, from the command line, also while a service runs.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use capline::accounts::Accounts;
use capline::config::{Config, WebAccess};
use capline::historian::AccountBook;
use clap::{Args, Subcommand};
use domain::account::{Change, NewAccount, Order, Refused, Role, SessionLimits};

use super::{Refusal, audit, complain, journal, print};

/// Keep the users of a service, also while it runs
///
/// A password is read from the terminal without being shown, or from the first line of stdin; never from an argument,
/// which others on this machine could see. A change counts after a second at the latest, and ends the sessions of the
/// user. Each change is noted in the audit trail with who was at this command line, or it is not made.
///
/// A password that is set here is for one thing: to sign in and choose another one. Nobody can prove at a command line
/// that nobody else knows it, and what a user signs has to be theirs alone.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline user add config/plant.toml li.wei --printed \"Li Wei\" --role operator
  capline user disable config/plant.toml li.wei --reason \"left the plant\"

Exit code 0: done. 2: not done.")]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    act: UserAct,
}

#[derive(Subcommand)]
enum UserAct {
    /// Add a user
    Add {
        #[command(flatten)]
        of: Of,
        /// Name on records; without it the name that is signed in with
        #[arg(long, value_name = "TEXT")]
        printed: Option<String>,
        /// viewer, operator, quality or admin
        #[arg(long, value_parser = role)]
        role: Role,
    },
    /// List all users
    List {
        /// Configuration, or the directory of the journal
        #[arg(value_name = "CONFIG|DIR")]
        at: PathBuf,
    },
    /// Let nobody sign in with a name any more
    Disable(Of),
    /// Let a name be signed in with again, also one that is locked
    Enable(Of),
    /// Set another password, which the user has to change at the next sign-in
    Reset(Of),
    /// Give another role
    Role {
        #[command(flatten)]
        of: Of,
        /// viewer, operator, quality or admin
        #[arg(long, value_parser = role)]
        role: Role,
    },
}

#[derive(Args)]
struct Of {
    /// Configuration, or the directory of the journal
    #[arg(value_name = "CONFIG|DIR")]
    at: PathBuf,
    /// Whose: the name that is signed in with, or that of the display
    name: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
}

/// Longest reason, in characters: as over the web.
const LONGEST_REASON: usize = 1_000;

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("a reason is not empty; leave --reason out".to_owned()),
        1..=LONGEST_REASON => Ok(text.to_owned()),
        n => Err(format!("a reason has at most {LONGEST_REASON} characters, found {n}")),
    }
}

impl Of {
    fn order(&self) -> Order {
        Order { by: audit::person(), reason: self.reason.clone().unwrap_or_default() }
    }
}

/// Keep the displays that read without a person
///
/// Each display has a token of its own, which reads and does nothing else, until it is revoked. It is shown once: open
/// /wall/L1?token=… on the display, or let a program send it as Authorization: Bearer.
#[derive(Args)]
#[command(after_help = "Example:\n  capline display add config/plant.toml \"Wall 1\"")]
pub(crate) struct DisplayArgs {
    #[command(subcommand)]
    act: DisplayAct,
}

#[derive(Subcommand)]
enum DisplayAct {
    /// Give a display a token and print it
    Add(Of),
    /// List all displays
    List {
        /// Configuration, or the directory of the journal
        #[arg(value_name = "CONFIG|DIR")]
        at: PathBuf,
    },
    /// Let the token of a display be worth nothing any more
    Revoke(Of),
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        let known = Role::ALL.map(Role::word).join(", ");
        format!("{word} is no role; use one of {known}")
    })
}

pub(crate) fn run(args: &UserArgs) -> Result<ExitCode, Refusal> {
    match &args.act {
        UserAct::Add { of, printed, role } => {
            let accounts = open(&of.at)?;
            let (name, role) = (of.name.clone(), *role);
            let printed = printed.clone().unwrap_or_else(|| name.clone());
            let new = NewAccount { name, printed, role, password: password()? };
            told(of, accounts.add(new, &of.order()))?;
            if is_open(&of.at) {
                complain(
                    "nobody signs in yet: write access = \"users\" under [web] of the configuration",
                );
            }
            Ok(print(&format!("{}: added as {}\n", of.name, role.word())))
        }
        UserAct::List { at } => list(at),
        UserAct::Disable(of) => change(of, Change::Disable),
        UserAct::Enable(of) => change(of, Change::Enable),
        UserAct::Reset(of) => change(of, Change::Reset(password()?)),
        UserAct::Role { of, role } => change(of, Change::Role(*role)),
    }
}

pub(crate) fn run_display(args: &DisplayArgs) -> Result<ExitCode, Refusal> {
    match &args.act {
        DisplayAct::Add(of) => {
            let token = told(of, open(&of.at)?.add_display(&of.name, &of.order()))?;
            complain("open /wall/L1?token=… with this token on the display; it is not shown again");
            Ok(print(&format!("{token}\n")))
        }
        DisplayAct::List { at } => {
            let displays = open(at)?.displays().map_err(|why| Refusal::of(at, &why))?;
            if displays.is_empty() {
                complain("no display has a token yet: `capline display add` gives one");
            }
            let row = |display: &domain::account::StoredDisplay| {
                let state = if display.revoked_us.is_some() { "revoked" } else { "valid" };
                format!("{}\t{}\t{state}\n", display.number, display.name)
            };
            Ok(print(&displays.iter().map(row).collect::<String>()))
        }
        DisplayAct::Revoke(of) => {
            let accounts = open(&of.at)?;
            let displays = accounts.displays().map_err(|why| Refusal::of(&of.at, &why))?;
            let found = displays.iter().find(|one| one.name == of.name && one.revoked_us.is_none());
            let number =
                found.ok_or_else(|| Refusal(format!("{}: {}", of.name, Refused::NoDisplay)))?;
            told(of, accounts.revoke_display(number.number, &of.order()))?;
            Ok(print(&format!("{}: revoked\n", of.name)))
        }
    }
}

fn change(of: &Of, change: Change) -> Result<ExitCode, Refusal> {
    let (_, new) = told(of, open(&of.at)?.change(&of.name, change, &of.order()))?;
    Ok(print(&format!("{}: {new}\n", of.name)))
}

fn list(at: &Path) -> Result<ExitCode, Refusal> {
    let users = open(at)?.accounts().map_err(|why| Refusal::of(at, &why))?;
    if users.is_empty() {
        complain("there is no user yet: `capline user add` makes one");
    }
    let row = |user: &domain::account::StoredAccount| {
        let state = if user.disabled_us.is_some() { "disabled" } else { "enabled" };
        let account = &user.account;
        format!("{}\t{}\t{}\t{state}\n", account.name, account.role.word(), account.printed)
    };
    Ok(print(&users.iter().map(row).collect::<String>()))
}

/// Whether a configuration lets everybody in, so that users are of no use yet.
fn is_open(at: &Path) -> bool {
    at.is_file() && Config::load(at).is_ok_and(|config| config.web.access == WebAccess::Open)
}

fn open(at: &Path) -> Result<Accounts, Refusal> {
    let dir = journal(at)?;
    let book = AccountBook::beside(&dir).map_err(|error| Refusal(error.to_string()))?;
    Ok(Accounts::new(book, SessionLimits::default()))
}

fn told<T>(of: &Of, done: Result<Result<T, Refused>, String>) -> Result<T, Refusal> {
    let done = done.map_err(|why| Refusal::of(&of.at, &why))?;
    done.map_err(|refused| Refusal(format!("{}: {refused}", of.name)))
}

/// A password from the terminal, twice and unseen, or from the first line of stdin.
fn password() -> Result<String, Refusal> {
    let failed = |error: std::io::Error| Refusal(format!("no password can be read: {error}"));
    if std::io::stdin().is_terminal() {
        let once = rpassword::prompt_password("Password: ").map_err(failed)?;
        let again = rpassword::prompt_password("Again: ").map_err(failed)?;
        return match once == again {
            true => Ok(once),
            false => Err(Refusal("the two passwords differ; nothing was changed".to_owned())),
        };
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
