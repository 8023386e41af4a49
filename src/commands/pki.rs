//! `capline pki`: our certificate, and which servers are trusted.

use std::path::PathBuf;
use std::process::ExitCode;

use capline::clock::Clock;
use capline::config::{Config, pki_dir};
use capline::sources::pki::{Certificate, Pki, Thumbprint, Trust};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Refusal, print, print_json};

/// Trust OPC UA servers, and show the certificate that they have to trust
///
/// There is no authority: a person compares the thumbprint of a server's certificate with what the server shows, and
/// trusts that very certificate. One that nobody has seen is laid aside as rejected at the first connection, which is
/// refused. A running service takes a decision at its next attempt; it needs no restart.
#[derive(Args)]
#[command(after_help = "\
Example:
  capline pki list
  capline pki trust 3b5f…
  capline pki own

Exit code 0: done. 2: no such certificate, or the files cannot be used; why is on stderr.")]
pub(crate) struct PkiArgs {
    #[command(subcommand)]
    command: PkiCommand,
    /// Configuration, whose journal directory has the certificates in pki/
    #[arg(long, value_name = "FILE", default_value = "config/plant.toml", global = true)]
    config: PathBuf,
    /// Directory of the certificates, instead of a configuration
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum PkiCommand {
    /// Show the certificates of servers, trusted and rejected
    List,
    /// Trust a server's certificate
    Trust {
        /// SHA-256 thumbprint, 64 digits
        thumbprint: Thumbprint,
    },
    /// Trust a server's certificate no more
    Reject {
        /// SHA-256 thumbprint, 64 digits
        thumbprint: Thumbprint,
    },
    /// Show our own certificate, which servers have to trust; it is made if there is none
    Own,
}

/// A certificate as listed.
#[derive(Serialize)]
struct Row<'a> {
    trust: &'static str,
    thumbprint: String,
    subject: &'a str,
    names: &'a [String],
    not_before: String,
    not_after: String,
    days_left: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

pub(crate) fn run(args: &PkiArgs, clock: &Clock) -> Result<ExitCode, Refusal> {
    let pki = Pki::new(dir(args)?);
    let now_s = clock.now().utc_us.div_euclid(1_000_000);
    let refused = |error: capline::sources::pki::PkiError| Refusal(error.to_string());
    let listed: Vec<(&'static str, Certificate)> = match args.command {
        PkiCommand::List => {
            let all = pki.list().map_err(refused)?;
            all.into_iter().map(|(trust, certificate)| (trust.word(), certificate)).collect()
        }
        PkiCommand::Own => vec![("own", pki.own(now_s).map_err(refused)?)],
        PkiCommand::Trust { thumbprint } => {
            vec![("trusted", pki.decide(thumbprint, Trust::Trusted).map_err(refused)?)]
        }
        PkiCommand::Reject { thumbprint } => {
            vec![("rejected", pki.decide(thumbprint, Trust::Rejected).map_err(refused)?)]
        }
    };
    let file = matches!(args.command, PkiCommand::Own)
        .then(|| pki.own_certificate().display().to_string());
    let rows: Vec<Row<'_>> = listed
        .iter()
        .map(|(trust, certificate)| Row { file: file.clone(), ..row(trust, certificate, now_s) })
        .collect();
    if args.json {
        return print_json(&rows);
    }
    if rows.is_empty() {
        eprintln!(
            "{}: no certificates yet; a server's comes with the first connection",
            pki.dir().display()
        );
    }
    Ok(print(&rows.iter().map(shown).collect::<Vec<_>>().join("\n")))
}

fn dir(args: &PkiArgs) -> Result<PathBuf, Refusal> {
    match &args.dir {
        Some(dir) => Ok(dir.clone()),
        None => {
            let config = Config::load(&args.config).map_err(|error| Refusal(error.to_string()))?;
            Ok(pki_dir(&config.data))
        }
    }
}

fn row<'a>(trust: &'static str, certificate: &'a Certificate, now_s: i64) -> Row<'a> {
    let day = |s: i64| {
        jiff::Timestamp::from_second(s)
            .map_or_else(|_| "never".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
    };
    Row {
        trust,
        thumbprint: certificate.thumbprint.to_string(),
        subject: &certificate.subject,
        names: &certificate.names,
        not_before: day(certificate.not_before_s),
        not_after: day(certificate.not_after_s),
        days_left: (certificate.not_after_s - now_s).div_euclid(86_400),
        file: None,
    }
}

fn shown(row: &Row<'_>) -> String {
    let left = match row.days_left {
        ..0 => "EXPIRED".to_owned(),
        days => format!("{days} days left"),
    };
    let file = row.file.iter().map(|file| format!("  file        {file}\n")).collect::<String>();
    format!(
        "{} {}\n  thumbprint  {}\n  names       {}\n  valid       {} to {}, {left}\n{file}",
        row.trust,
        row.subject,
        row.thumbprint,
        row.names.join(", "),
        row.not_before,
        row.not_after,
    )
}
