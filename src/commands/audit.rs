//! `capline audit`: the audit trail of a journal looked through, listed, and read out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use capline::config::Config;
use capline::historian::StoreError;
use capline::historian::audit::{Told, Verified, find_in, note_beside, told_to_plant, verify};
use capline::service;
use capline::table::{sheet, trail};
use clap::{Args, Subcommand};
use domain::audit::{Actor, Filter, Head, Note, What};
use serde_json::json;

use super::{Refusal, journal, print, print_json};

/// Look through the audit trail of a journal, list it, or read it out
///
/// Each entry is bound to the one before by SHA-256, and the trail to the identity of its journal. How is written in
/// src/domain/audit/chain.rs, so that an auditor can recompute it with other tools.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline audit verify config/plant.toml
  capline audit list config/plant.toml --what limits_approved --from 2026-11-01T00:00:00+08:00
  capline audit export config/plant.toml --csv /mnt/usb/audit.csv")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Look for entries that were changed, taken out, put in or cut off
    ///
    /// Also compares the trail with the file audit.head beside the journal and with the heads on final reports, and each
    /// signature and configuration with what it is of. A whole trail that was written anew can only be found with a
    /// head that somebody else keeps: --head.
    #[command(after_help = "\
Example:
  capline audit verify config/plant.toml --head \"4711 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"

Exit code 0: sound. 1: something is not as it was. 2: there is no trail to look at.")]
    Verify {
        /// Configuration, or the directory of the journal
        #[arg(value_name = "CONFIG|DIR")]
        journal: PathBuf,
        /// A head that was kept elsewhere: number and hash
        #[arg(long, value_name = "HEAD", value_parser = head)]
        head: Vec<Head>,
        /// Also compare with the heads that the plant database of the configuration was told
        #[arg(long)]
        against_plant: bool,
        /// Print what was found as JSON
        #[arg(long)]
        json: bool,
    },
    /// List entries, newest first
    List {
        #[command(flatten)]
        search: Search,
        /// So many at most
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Write entries to a file of CSV, newest first; that is an entry too
    Export {
        #[command(flatten)]
        search: Search,
        /// The file; nothing may be there
        #[arg(long, value_name = "FILE")]
        csv: PathBuf,
    },
}

/// Which entries.
#[derive(Args)]
struct Search {
    /// Configuration, or the directory of the journal
    #[arg(value_name = "CONFIG|DIR")]
    journal: PathBuf,
    /// Part of what was done to, of old and new value, reason or address
    #[arg(long)]
    text: Option<String>,
    /// Part of an account or a name
    #[arg(long)]
    who: Option<String>,
    /// What was done, such as limits_approved
    #[arg(long, value_parser = what)]
    what: Option<What>,
    /// Since then: 2026-11-24T08:00:00+08:00
    #[arg(long, value_parser = moment)]
    from: Option<i64>,
    /// Before then
    #[arg(long, value_parser = moment)]
    to: Option<i64>,
}

impl Search {
    fn filter(&self) -> Filter {
        Filter {
            before: None,
            from_us: self.from,
            to_us: self.to,
            what: self.what,
            who: self.who.clone(),
            text: self.text.clone(),
        }
    }
}

fn head(text: &str) -> Result<Head, String> {
    Head::parse(text).ok_or_else(|| "write the number of an entry, a blank and its hash".to_owned())
}

fn what(word: &str) -> Result<What, String> {
    What::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = What::ALL.iter().map(|what| what.word()).collect();
        format!("known are {}", known.join(", "))
    })
}

fn moment(text: &str) -> Result<i64, String> {
    let moment = text.parse::<jiff::Timestamp>().map(|moment| moment.as_microsecond());
    moment.map_err(|_| "write it as 2026-11-24T08:00:00+08:00".to_owned())
}

pub(crate) async fn run(args: &AuditArgs) -> Result<ExitCode, Refusal> {
    match &args.command {
        AuditCommand::Verify { journal: named, head, against_plant, json } => {
            let told = head.iter().map(|head| Told { by: "--head".to_owned(), head: head.clone() });
            let mut told: Vec<Told> = told.collect();
            if *against_plant {
                told.extend(of_plant(named).await?);
            }
            let verified = verify(&journal(named)?, &told);
            tell(&verified.map_err(|error| Refusal(error.to_string()))?, *json)
        }
        AuditCommand::List { search, limit } => list(search, *limit),
        AuditCommand::Export { search, csv } => export(search, csv),
    }
}

/// What the plant database of a configuration was told.
async fn of_plant(named: &Path) -> Result<Vec<Told>, Refusal> {
    let config = Config::load(named).map_err(|error| Refusal(error.to_string()))?;
    let database = config
        .database
        .as_ref()
        .ok_or_else(|| Refusal::of(named, "has no [database] that could have been told"))?;
    let settings = service::plant_database(&config.site, database)
        .map_err(|error| Refusal(error.to_string()))?;
    let told = told_to_plant(&config.data, &settings).await.map_err(Refusal)?;
    match told.is_empty() {
        true => Err(Refusal::of(named, "the plant database was told nothing of this journal yet")),
        false => Ok(told),
    }
}

fn tell(verified: &Verified, json: bool) -> Result<ExitCode, Refusal> {
    let Verified { entries, head, journal, signatures, configurations, compared, findings } =
        verified;
    let printed = match (json, findings.is_empty()) {
        (true, _) => print_json(&json!({
            "journal": journal,
            "entries": entries,
            "head": { "number": head.number, "hash": head.hash },
            "signatures": signatures,
            "configurations": configurations,
            "compared": compared,
            "findings": findings.iter().map(|finding| json!({
                "number": finding.number,
                "what": finding.to_string(),
            })).collect::<Vec<_>>(),
        }))?,
        (false, true) => {
            let compared: String =
                compared.iter().map(|with| format!("compared with {with}\n")).collect();
            print(&format!(
                "the audit trail is sound: {entries} entries, {signatures} signatures, {configurations} configurations\n\
                 head {head}\n{compared}"
            ))
        }
        (false, false) => print(""),
    };
    for finding in findings {
        eprintln!("{finding}");
    }
    Ok(if findings.is_empty() { printed } else { ExitCode::FAILURE })
}

fn list(search: &Search, limit: usize) -> Result<ExitCode, Refusal> {
    let entries = find_in(&journal(&search.journal)?, &search.filter(), limit);
    let entries = entries.map_err(|error| Refusal(error.to_string()))?;
    let line = |entry: &domain::audit::Entry| {
        let said = [("old", &entry.old), ("new", &entry.new), ("why", &entry.reason)];
        let said = said.into_iter().filter(|(_, text)| !text.is_empty());
        let said: String = said.map(|(name, text)| format!(" {name}={text:?}")).collect();
        let who = match (entry.account.as_str(), entry.from.as_str()) {
            ("", "") => entry.name.clone(),
            ("", from) => format!("{} at {from}", entry.name),
            (account, from) => format!("{} ({account}) at {from}", entry.name),
        };
        // Whatever somebody wrote stays one line and moves no cursor.
        let (who, subject) = (who.escape_debug(), entry.subject.escape_debug());
        format!("{} {} {} {who}: {subject}{said}\n", entry.number, entry.local, entry.what)
    };
    Ok(print(&entries.iter().map(line).collect::<String>()))
}

fn export(search: &Search, csv: &Path) -> Result<ExitCode, Refusal> {
    let dir = journal(&search.journal)?;
    let entries = find_in(&dir, &search.filter(), usize::MAX);
    let entries = entries.map_err(|error| Refusal(error.to_string()))?;
    let cannot = |error: std::io::Error| {
        Refusal::of(csv, &format!("cannot be written: {error}; name a file that is not there"))
    };
    let text = sheet::whole(&trail::columns(), entries.iter().map(trail::cells)).map_err(cannot)?;
    let mut file = std::fs::File::create_new(csv).map_err(cannot)?;
    // Once there is a file to write to, and before anything is in it.
    noted(&dir, &csv.display().to_string());
    std::io::Write::write_all(&mut file, &text).and_then(|()| file.sync_all()).map_err(cannot)?;
    Ok(print(&format!("{} entries written to {}\n", entries.len(), csv.display())))
}

/// Notes in the trail of a journal that it is read out. Where the journal cannot be written, as in an archive, or is one
/// of an earlier version without a trail, that is said and it is read all the same: whoever can read the file needs no
/// command for it.
pub(crate) fn noted(dir: &Path, to: &str) {
    let note = Note::new(&person(), What::Exported, "journal").change("", to);
    let Err(error) = note_beside(dir, &note) else { return };
    // A journal of an earlier version has no trail, and reading must not change it. What else may be wrong with it the
    // reading itself tells.
    let unwritten = matches!(
        error,
        StoreError::Unwritable { .. }
            | StoreError::Held { .. }
            | StoreError::Full { .. }
            | StoreError::NoTrail { .. }
    );
    if unwritten {
        eprintln!("capline: that this is read out is not noted in the audit trail: {error}");
    }
}

/// Who works at this command line: the user of the system and the name of the machine.
pub(crate) fn person() -> Actor {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").map_or(None, |own| Some(own.uid().to_string()));
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = uid.as_ref().and_then(|uid| {
        let is = |line: &&str| line.split(':').nth(2) == Some(uid);
        users.lines().find(is).and_then(|line| line.split(':').next()).map(str::to_owned)
    });
    let name = match (name, uid) {
        (Some(name), _) => name,
        (None, Some(uid)) => format!("uid {uid}"),
        (None, None) => "unknown".to_owned(),
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Actor { from: format!("command line of {}", host.trim()), ..Actor::named(name) }
}
