//! `capline adopt`: a restored journal takes over in the plant database.

use std::path::PathBuf;
use std::process::ExitCode;

use capline::config::Config;
use capline::service;
use clap::Args;
use domain::audit::{Note, What};

use super::{Refusal, audit, print};

/// Let a restored journal go on in the plant database
///
/// A journal that was restored from a backup is another one to the plant database, so that two boxes never write under
/// one name. When the box that the backup came from is gone for good, this command lets the restored journal take its
/// place. What the plant holds beyond the backup is moved to the table capline.superseded: the gap that the restored
/// journal counts covers the same time, and both together would be too much. Stop the service first.
#[derive(Args)]
#[command(
    after_help = "Example:\n  capline restore /mnt/usb/l1 config/plant.toml && capline adopt config/plant.toml"
)]
pub(crate) struct AdoptArgs {
    /// Configuration with [database]
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
}

pub(crate) async fn run(args: &AdoptArgs) -> Result<ExitCode, Refusal> {
    let file = &args.config;
    let config = Config::load(file).map_err(|error| Refusal(error.to_string()))?;
    let database = config
        .database
        .as_ref()
        .ok_or_else(|| Refusal::of(file, "has no [database]; there is nothing to take over"))?;
    let settings = service::plant_database(&config.site, database)
        .map_err(|error| Refusal(error.to_string()))?;
    let historian = service::open_historian(&config).map_err(|error| Refusal(error.to_string()))?;
    let host = settings.address.host.clone();
    let note = Note::new(&audit::person(), What::JournalAdopted, host.as_str());
    historian.note(note).map_err(|error| Refusal(error.to_string()))?;
    let adopted =
        historian.adopt(&settings).await.map_err(|why| Refusal(format!("{host}: {why}")))?;
    historian.close().map_err(|error| Refusal(error.to_string()))?;
    let mut text = String::new();
    for stream in &adopted {
        text += &format!(
            "{}: the plant database stood at {}, this journal goes on from {}\n",
            stream.stream, stream.stood, stream.from
        );
    }
    if adopted.is_empty() {
        text += "the plant database knows nothing of this box yet; there is nothing to take over\n";
    }
    Ok(print(&text))
}
