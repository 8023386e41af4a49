//! `capline migrate`: the tables of the plant database, made or shown.

use std::path::PathBuf;
use std::process::ExitCode;

use capline::config::Config;
use capline::historian::archive::{self, Variant};
use capline::service;
use clap::Args;

use super::{Refusal, print};

/// Make the tables of the plant database, or print the SQL that would
///
/// Applies the steps that are missing, each in a transaction of its own and under a lock, and remembers them with
/// their checksums. TimescaleDB is used where it is installed. The password comes from CAPLINE_DATABASE_PASSWORD or
/// the files that `run` reads.
#[derive(Args)]
#[command(after_help = "\
Example, the first time as an administrator, who makes the roles, later as capline_migrator:
  CAPLINE_DATABASE_PASSWORD=... capline migrate config/plant.toml --user postgres
  capline migrate --print-sql > capline.sql

Exit code 0: the tables are there. 2: they are not; why is on stderr.")]
pub(crate) struct MigrateArgs {
    /// Configuration with a [database]
    #[arg(value_name = "CONFIG", required_unless_present_any = ["print_sql", "config"])]
    named: Option<PathBuf>,
    /// The same
    #[arg(long, value_name = "CONFIG", conflicts_with = "named")]
    config: Option<PathBuf>,
    /// Role to log in as
    #[arg(long, default_value = "capline_migrator")]
    user: String,
    /// Print the script for an administrator instead; nothing is connected to
    #[arg(long)]
    print_sql: bool,
    /// With --print-sql: for a database with TimescaleDB
    #[arg(long, requires = "print_sql")]
    timescaledb: bool,
}

pub(crate) async fn run(args: &MigrateArgs) -> Result<ExitCode, Refusal> {
    let file = args.named.as_ref().or(args.config.as_ref());
    let Some(file) = file.filter(|_| !args.print_sql) else {
        let variant = if args.timescaledb { Variant::Timescale } else { Variant::Partitions };
        return Ok(print(&archive::script(variant)));
    };
    let config = Config::load(file).map_err(|error| Refusal(error.to_string()))?;
    let database = config
        .database
        .as_ref()
        .ok_or_else(|| Refusal::of(file, "has no [database]; config/plant.toml shows one"))?;
    let settings = service::plant_database(&config.site, database)
        .map_err(|error| Refusal(error.to_string()))?;
    let address = archive::Address { user: args.user.clone(), ..settings.address };
    let done = archive::migrate(&address)
        .await
        .map_err(|why| Refusal(format!("{}: {why}", address.host)))?;
    let how = match done.variant {
        Variant::Timescale => "with TimescaleDB",
        Variant::Partitions => "with partitions of PostgreSQL",
    };
    Ok(print(&match done.applied.as_slice() {
        [] => format!("the tables are there, {how}\n"),
        applied => format!("applied {}, {how}\n", applied.join(", ")),
    }))
}
