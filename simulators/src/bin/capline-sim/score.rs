//! `capline-sim score`.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use simulators::{RemotePlant, Report, Reporter, Server, ServiceLine, Truth, tags, utc_now_us};

/// How long the service may take to tell the last capsules.
const SETTLE_US: i64 = 10_000_000;
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Stops and signals are asked for over so long a time before the start of the plant, and no longer in all.
const SPAN_US: i64 = 30 * 24 * 3_600_000_000;

#[derive(clap::Args)]
pub(super) struct Score {
    /// The service.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    service: String,
    /// The plant.
    #[arg(long, default_value = "http://127.0.0.1:5080")]
    sim: String,
    /// The line, where the service has more than one.
    #[arg(long)]
    line: Option<String>,
    /// Score what happens from now on for so long, such as 60s or 5min. Without it all is scored since the start of the plant,
    /// which the service must have seen from its first capsule on.
    #[arg(long, value_parser = simulators::length)]
    watch: Option<Duration>,
    /// Write the score to this file too, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Score {
    /// Whether every count holds the truth. The plant stands still while it is compared.
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let plant = RemotePlant::new(Server::new(&self.sim)?);
        let line = ServiceLine::find(Server::new(&self.service)?, self.line.as_deref()).await?;
        let speed = plant.speed().await?;
        if speed != 1.0 {
            bail!(
                "the plant runs {speed} times as fast as real, faster than a service in real time believes; start it with --speed 1"
            );
        }
        let base = match self.watch {
            None => None,
            Some(watch) => {
                let base = held(&plant, &line, None).await;
                plant.resume().await?;
                let base = base?;
                eprintln!("watching for {} s", watch.as_secs());
                tokio::time::sleep(watch).await;
                Some(base)
            }
        };
        let zero_us = line.now_us().await? - plant.ledger().await?.plant_us;
        let compared = held(&plant, &line, Some((zero_us, base))).await;
        // A plant must not be left standing, whatever came of the comparison.
        let resumed = plant.resume().await;
        let (truth, report) = compared?;
        resumed?;
        let score = truth.score(&report);
        println!("{score}");
        if let Some(file) = &self.json {
            let text = serde_json::to_string_pretty(&(score.summary(), &score))?;
            std::fs::write(file, text)
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(score.outside().next().is_none())
    }
}

type Compared = (Truth, Report);

/// Holds the plant, and compares when the service has told its last capsules.
async fn held(
    plant: &RemotePlant,
    line: &ServiceLine,
    since: Option<(i64, Option<Compared>)>,
) -> anyhow::Result<Compared> {
    let ledger = plant.hold().await?;
    let end_us = utc_now_us() + SETTLE_US;
    let (zero_us, base) = since.unwrap_or((0, None));
    let mut truth = Truth::new(ledger, plant.injected().await?, zero_us);
    if let Some((before, _)) = &base {
        truth = truth.since(before.ledger().clone());
    }
    let from_us = zero_us.max(line.now_us().await? - SPAN_US);
    let mut last = None;
    loop {
        let mut report = line.report(&tags(), from_us).await?;
        if let Some((_, before)) = &base {
            report = report.since(before);
        }
        let told =
            last.as_ref() == Some(&report) && truth.score(&report).outside().next().is_none();
        if told || utc_now_us() > end_us {
            return Ok((truth, report));
        }
        last = Some(report);
        tokio::time::sleep(ASK_EVERY).await;
    }
}
