//! `capline-sim score`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use simulators::{
    Output, RemotePlant, Report, Reporter, Scenario, Server, ServiceLine, Truth, Watched,
    scenario_file, tags, utc_now_us,
};

use super::SCENARIOS;

/// How long the service may take to tell the last capsules.
const SETTLE_US: i64 = 10_000_000;
/// And to read every machine for the first time.
const FIRST_READ_US: i64 = 60_000_000;
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
    /// Wait for the end of this scenario, a file or a name as `list` shows it, and give the verdict of its file. The plant is
    /// started with `run SCENARIO --held`, and is let go when the service reads all machines that the scenario wants read.
    #[arg(long, conflicts_with = "watch")]
    scenario: Option<PathBuf>,
    /// Folder of the scenarios that are given by name.
    #[arg(long, default_value = SCENARIOS)]
    folder: PathBuf,
    /// The most capsules that may be in doubt, over all counters. Without it the doubt is printed and not judged.
    #[arg(long, conflicts_with = "scenario")]
    most_doubt: Option<u64>,
    /// Write the score to this file too, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Score {
    /// Whether all is right that is judged: counts and their doubt, stops with their reasons and the machines to blame, alarms
    /// of counts, batches; of a scenario, whether all is as its file wants it. The plant stands still while it is compared.
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let scenario = self.load()?;
        let plant = RemotePlant::new(Server::new(&self.sim)?);
        Truth::scores_all(&plant.ledger().await?)?;
        let line = ServiceLine::find(self.server()?, self.line.as_deref()).await?;
        let speed = plant.speed().await?;
        if speed != 1.0 {
            bail!(
                "the plant runs {speed} times as fast as real, faster than a service in real time believes; start it with --speed 1"
            );
        }
        let machines = match &scenario {
            Some(scenario) => {
                scenario.machines().iter().map(|&machine| machine.to_owned()).collect()
            }
            None => line.machines().await?,
        };
        let mut watched = Watched { speed, ..Watched::default() };
        if let Some(scenario) = &scenario {
            begins(&plant, &line, scenario).await?;
            watched.shown = played(&plant, &line, scenario).await?;
        }
        let base = match self.watch {
            None => None,
            Some(watch) => {
                // Stops have no times yet before plant time 0 is known.
                let counts_are_told =
                    |truth: &Truth, report: &Report| truth.score(report).outside().next().is_none();
                let base = held(&plant, &line, &machines, None, counts_are_told).await;
                plant.resume().await?;
                let base = base?;
                eprintln!("watching for {} s", watch.as_secs());
                tokio::time::sleep(watch).await;
                Some(base)
            }
        };
        let verdict = |truth: &Truth, report: &Report| {
            let score = truth.score(report);
            scenario.as_ref().map(|scenario| scenario.judge(&score, report, &watched))
        };
        let is_right = |truth: &Truth, report: &Report| match verdict(truth, report) {
            Some(wrong) => wrong.is_empty(),
            None => truth.score(report).is_right(self.most_doubt),
        };
        let zero_us = line.now_us().await? - plant.ledger().await?.plant_us;
        let compared = held(&plant, &line, &machines, Some((zero_us, base)), is_right).await;
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
        let (wrong, right) = match (&scenario, verdict(&truth, &report)) {
            (Some(scenario), Some(wrong)) => {
                print!("{}: ", scenario.name);
                (wrong, "as its file wants it")
            }
            _ => (score.wrong(self.most_doubt), "right in all that is judged"),
        };
        println!("{}", if wrong.is_empty() { right } else { "wrong" });
        wrong.iter().for_each(|what| println!("- {what}"));
        let open = scenario.is_none().then(|| score.not_judged(self.most_doubt));
        open.iter().flatten().for_each(|what| println!("- not judged: {what}"));
        Ok(wrong.is_empty())
    }

    /// The scenario, with a word on what its verdict leaves out.
    fn load(&self) -> anyhow::Result<Option<Scenario>> {
        let Some(name) = &self.scenario else { return Ok(None) };
        let scenario =
            Scenario::load(&scenario_file(name, &self.folder).map_err(anyhow::Error::msg)?)?;
        let name = &scenario.name;
        if !scenario.service.is_empty() {
            bail!(
                "{name} has faults of the service, which the tests alone bring about: tests/run.sh --all"
            );
        }
        if scenario.output != Output::default() {
            eprintln!("{name}: the service must read the output from {:?}", scenario.output);
        }
        if scenario.shift_change_us.is_some() {
            eprintln!("{name}: its shifts are judged by the tests alone");
        }
        Ok(Some(scenario))
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

/// Lets the plant of a scenario go, where it is held at its start, when the service reads it.
async fn begins(
    plant: &RemotePlant,
    line: &ServiceLine,
    scenario: &Scenario,
) -> anyhow::Result<()> {
    let name = &scenario.name;
    let planned = plant.injected().await?;
    let is_planned = |one: &simulators::Injection| {
        planned.iter().any(|plan| (plan.fault, plan.from_us) == (one.fault, one.from_us))
    };
    if let Some(one) = scenario.inject.iter().find(|one| !is_planned(one)) {
        bail!(
            "the plant has no {} planned as {name} has: start it with capline-sim run {name} --held",
            one.fault.name()
        );
    }
    if !plant.is_held().await? {
        eprintln!(
            "{name} runs already: what it made before the service read it is nowhere; start it with --held"
        );
        return Ok(());
    }
    has_counted_nothing(line).await?;
    let end_us = utc_now_us() + FIRST_READ_US;
    loop {
        let unread = line.unread(scenario.machines()).await?;
        if unread.is_empty() {
            return Ok(plant.resume().await?);
        }
        if utc_now_us() > end_us {
            bail!(
                "the service does not read {}, as {name} wants it: give it these machines in its configuration",
                unread.join(", ")
            );
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Whether a service has an account of nothing yet: what it counted of another plant is in its counts, and the ledger of this
/// one knows nothing of that.
async fn has_counted_nothing(line: &ServiceLine) -> anyhow::Result<()> {
    let report = line.report(&tags(), utc_now_us() - 1_000_000).await?;
    let mut counted = report.counters.iter().filter(|(_, counter)| counter.total.high > 0);
    match counted.next() {
        None => Ok(()),
        Some((tag, counter)) => bail!(
            "the service has counted another plant before, {} of {tag}: stop it, remove its journal, which is the dir of [store], \
             and start it again",
            counter.total
        ),
    }
}

/// Waits for the end of a scenario: what was shown of the data meanwhile.
async fn played(
    plant: &RemotePlant,
    line: &ServiceLine,
    scenario: &Scenario,
) -> anyhow::Result<BTreeSet<String>> {
    let (mut shown, mut settled) = (BTreeSet::new(), false);
    let before = line.missed().await?;
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
            shown.extend(line.missed().await?.since(&before));
            return Ok(shown);
        }
        let left_us = scenario.length_us - BEFORE_ITS_END_US - ledger.plant_us;
        let left = Duration::from_micros(left_us.unsigned_abs());
        tokio::time::sleep(left.min(Duration::from_millis(100))).await;
    }
}

type Compared = (Truth, Report);

/// Holds the plant, and compares when the service has told its last capsules: when all is right and stays so, or no longer
/// than that may take.
async fn held(
    plant: &RemotePlant,
    line: &ServiceLine,
    machines: &[String],
    since: Option<(i64, Option<Compared>)>,
    is_right: impl Fn(&Truth, &Report) -> bool,
) -> anyhow::Result<Compared> {
    let ledger = plant.hold().await?;
    let end_us = utc_now_us() + SETTLE_US;
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
        let told = last.as_ref() == Some(&report) && is_right(&truth, &report);
        if told || utc_now_us() > end_us {
            return Ok((truth, report));
        }
        last = Some(report);
        tokio::time::sleep(ASK_EVERY).await;
    }
}
