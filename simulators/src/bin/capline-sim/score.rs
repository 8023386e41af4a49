//! `capline-sim score`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use simulators::{
    RemotePlant, Report, Reporter, Scenario, Server, ServiceLine, Truth, Watched, tags, utc_now_us,
};

/// How long the service may take to tell the last capsules.
const SETTLE_US: i64 = 10_000_000;
const ASK_EVERY: Duration = Duration::from_millis(500);
/// The plant of a scenario file ends with it: it is held so long before, in plant time.
const BEFORE_ITS_END_US: i64 = 1_000_000;
/// Stops and signals are asked for over so long a time before the start of the plant, and no longer in all.
const SPAN_US: i64 = 30 * 24 * 3_600_000_000;

#[derive(clap::Args)]
pub(super) struct Score {
    /// The service.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    service: String,
    /// Certificates in PEM that the service's must be one of or lead to, for an address with https.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// File with the token of a display, where people sign in at the service.
    #[arg(long)]
    token_file: Option<PathBuf>,
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
    /// Wait for the end of this scenario, which the plant was started with, and give the verdict of its file.
    #[arg(long, conflicts_with = "watch")]
    scenario: Option<PathBuf>,
    /// Write the score to this file too, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Score {
    /// Whether every count is told and holds the truth, and every stop is told and none that was none; of a scenario,
    /// whether all is as its file wants it. The plant stands still while it is compared.
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let scenario = self.scenario.as_deref().map(Scenario::load).transpose()?;
        let plant = RemotePlant::new(Server::new(&self.sim)?);
        Truth::scores_all(&plant.ledger().await?)?;
        let line = ServiceLine::find(self.server()?, self.line.as_deref()).await?;
        let speed = plant.speed().await?;
        if speed != 1.0 {
            bail!(
                "the plant runs {speed} times as fast as real, faster than a service in real time believes; start it with --speed 1"
            );
        }
        let machines = line.machines().await?;
        let mut shown = BTreeSet::new();
        if let Some(scenario) = &scenario {
            shown = played(&plant, &line, scenario).await?;
        }
        let base = match self.watch {
            None => None,
            Some(watch) => {
                let base = held(&plant, &line, &machines, None).await;
                plant.resume().await?;
                let base = base?;
                eprintln!("watching for {} s", watch.as_secs());
                tokio::time::sleep(watch).await;
                Some(base)
            }
        };
        let zero_us = line.now_us().await? - plant.ledger().await?.plant_us;
        let compared = held(&plant, &line, &machines, Some((zero_us, base))).await;
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
        let Some(scenario) = scenario else { return Ok(score.is_right()) };
        let score = truth.of_machines(scenario.machines()).score(&report);
        let wrong = scenario.judge(&score, &report, &Watched { shown, speed, late: Vec::new() });
        println!(
            "{}: {}",
            scenario.name,
            if wrong.is_empty() { "as its file wants it" } else { "wrong" }
        );
        wrong.iter().for_each(|what| println!("- {what}"));
        Ok(wrong.is_empty())
    }

    fn server(&self) -> anyhow::Result<Server> {
        let mut server = Server::new(&self.service)?;
        if let Some(ca) = &self.ca {
            server = server.trusting(ca)?;
        }
        match &self.token_file {
            None => Ok(server),
            Some(file) => Ok(server.with_token(&token(file)?)),
        }
    }
}

fn token(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read; write the token into it", file.display()))?;
    if text.trim().is_empty() {
        bail!("{} is empty; write the token of a display into it", file.display());
    }
    Ok(text)
}

/// Waits for the end of a scenario: what was shown of the data meanwhile.
async fn played(
    plant: &RemotePlant,
    line: &ServiceLine,
    scenario: &Scenario,
) -> anyhow::Result<BTreeSet<String>> {
    let (mut shown, mut settled) = (BTreeSet::new(), false);
    eprintln!("waiting for the end of {}, {} s", scenario.name, scenario.length_us / 1_000_000);
    loop {
        let ledger = plant.ledger().await?;
        let now = line.shown().await?;
        // What is still shown of the time before the plant ran is none of its faults.
        settled |= now.is_empty();
        if settled {
            shown.extend(now);
        }
        if ledger.plant_us >= scenario.length_us - BEFORE_ITS_END_US {
            return Ok(shown);
        }
        let left_us = scenario.length_us - BEFORE_ITS_END_US - ledger.plant_us;
        let left = Duration::from_micros(left_us.unsigned_abs());
        tokio::time::sleep(left.min(Duration::from_millis(100))).await;
    }
}

type Compared = (Truth, Report);

/// Holds the plant, and compares when the service has told its last capsules.
async fn held(
    plant: &RemotePlant,
    line: &ServiceLine,
    machines: &[String],
    since: Option<(i64, Option<Compared>)>,
) -> anyhow::Result<Compared> {
    let ledger = plant.hold().await?;
    let end_us = utc_now_us() + SETTLE_US;
    // Stops have no times yet before plant time 0 is known.
    let stops_too = since.is_some();
    let (zero_us, base) = since.unwrap_or((0, None));
    let mut truth = Truth::new(ledger, plant.injected().await?, zero_us).of_machines(machines);
    if let Some((before, _)) = &base {
        truth = truth.since(before.ledger().clone())?;
    }
    let from_us = zero_us.max(line.now_us().await? - SPAN_US);
    let mut last = None;
    loop {
        let mut report = line.report(&tags(), from_us).await?;
        if let Some((_, before)) = &base {
            report = report.since(before);
        }
        let score = truth.score(&report);
        let is_right = if stops_too { score.is_right() } else { score.outside().next().is_none() };
        let told = last.as_ref() == Some(&report) && is_right;
        if told || utc_now_us() > end_us {
            return Ok((truth, report));
        }
        last = Some(report);
        tokio::time::sleep(ASK_EVERY).await;
    }
}
