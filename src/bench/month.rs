//! How long the workbench waits for a month: a journal of 31 days with every counter of the demo's line, opened afresh,
//! its file dropped from the cache of the system where it lets us, and the chart asked for as the page asks.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::audit::Actor;
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::tracker::Changes;
use domain::plc_map::Role;
use domain::quality::characteristic::Characteristic;
use domain::quality::limits::{Decision, Limits, Verdict, fit};
use domain::quality::subgroup::subgroups;
use domain::units::{Count, HOUR_US, MINUTE_US, Moment, StationId};
use tokio::sync::watch;

use super::nothing::Nothing;
use crate::clock::Clock;
use crate::config::{Config, LineConfig};
use crate::demo::{Machines, built_in};
use crate::historian::{Historian, Options, Tick};
use crate::service::StoredHistory;
use crate::web::{Access, App, AppParts, LineFeed, NoAccounts, NoTrail, ask};

/// Minutes of a day.
const DAY: i64 = 24 * 60;
/// Stops and other events of a day.
const EVENTS: i64 = 200;
/// Batches of a day.
const BATCHES: i64 = 3;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Days in the journal.
    pub days: i64,
    /// Counters in each minute.
    pub n_counters: usize,
    /// Size of the journal in bytes.
    pub bytes: u64,
    /// Whether its hours are packed, and each question asked of it.
    pub asked: Vec<(bool, Vec<Asked>)>,
}

/// How long one question took.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Characteristic and minutes of a subgroup.
    pub what: (String, u32),
    /// Points in the answer.
    pub points: usize,
    /// Bytes of the answer.
    pub bytes: usize,
    /// The first answers of services just started, shortest first.
    pub cold: Vec<Duration>,
    /// The answers after them, shortest first.
    pub warm: Vec<Duration>,
}

/// Makes the journal in a scratch directory and asks `runs` times.
///
/// # Errors
/// No room for the journal, or an answer that is no chart.
pub fn run(days: i64, runs: usize) -> anyhow::Result<Figures> {
    let scratch = tempfile::tempdir().context("no directory for the journal can be made")?;
    let config = built_in(Machines::Two)?;
    let line = config.lines.first().context("the demo has a line")?;
    let clock = Clock::real();
    let to_us = clock.now().utc_us.div_euclid(MINUTE_US) * MINUTE_US;
    let n_counters = record(scratch.path(), line, (to_us - days * DAY * MINUTE_US, to_us))?;
    let mut asked = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for packed in [false, true] {
        if packed {
            pack(scratch.path(), line, to_us)?;
        }
        let mut answers = Vec::new();
        let one_minute = if packed { vec![("reject_fraction", 1)] } else { vec![] };
        for (id, minutes) in [("reject_fraction", 15), ("speed", 15)].into_iter().chain(one_minute)
        {
            let dir = scratch.path();
            let question = Question { dir, config: &config, to_us, days, id, minutes };
            answers.push(runtime.block_on(question.ask(runs))?);
        }
        asked.push((packed, answers));
    }
    let bytes = std::fs::metadata(scratch.path().join("journal.db"))?.len();
    Ok(Figures { days, n_counters, bytes, asked })
}

fn open(dir: &Path) -> anyhow::Result<Historian> {
    Ok(Historian::open(
        dir,
        Options { keep_raw: Duration::from_secs(3_600), ..Options::default() },
    )?)
}

/// Writes the journal, a day in a tick, with approved limits from its first 300 subgroups.
fn record(dir: &Path, line: &LineConfig, (from_us, to_us): (i64, i64)) -> anyhow::Result<usize> {
    let historian = open(dir)?;
    let counters = counters(line);
    let days: Vec<i64> = (from_us..to_us).step_by((DAY * MINUTE_US) as usize).collect();
    let mut baseline = Vec::new();
    for (seq, day_us) in days.into_iter().enumerate() {
        let minutes: Vec<Minute> =
            (0..DAY).map(|i| minute(day_us + i * MINUTE_US, &counters)).collect();
        if baseline.len() < 4 * DAY as usize {
            baseline.extend(minutes.iter().cloned());
        }
        let at_us = day_us + DAY * MINUTE_US;
        let at = Moment { utc_us: at_us, mono_us: at_us - from_us };
        let changes =
            Changes { minutes, events: events(day_us), booked_to: at, ..Changes::default() };
        let tick = Tick::new((line.id.clone(), seq as u64 + 1, at), changes, vec![], Count::ZERO);
        let pending = historian.append(tick).map_err(|_| anyhow::anyhow!("the queue is full"))?;
        pending.wait().map_err(|refused| refused.error)?;
    }
    for characteristic in &line.characteristics {
        if let Some(limits) = limits(characteristic, &baseline, from_us) {
            historian.add_limits(&line.id, limits, &Actor::system())?;
        }
    }
    historian.close()?;
    Ok(counters.len())
}

fn pack(dir: &Path, line: &LineConfig, until_us: i64) -> anyhow::Result<()> {
    let historian = open(dir)?;
    let mut from_us = Some(0);
    while let Some(us) = from_us {
        from_us = historian.pack_hours(&line.id, us, until_us)?;
    }
    Ok(historian.close()?)
}

/// All counters of a line.
fn counters(line: &LineConfig) -> Vec<(StationId, Counted)> {
    let counted = |role: &Role| match role {
        Role::Infeed => Some(Counted::Infeed),
        Role::Good => Some(Counted::Good),
        Role::Reject(reason) => Some(Counted::Reject(reason.clone())),
        Role::Sample => Some(Counted::Sample),
        Role::Void => Some(Counted::Void),
        _ => None,
    };
    let of = |device: &crate::config::DeviceConfig| {
        let station = device.map.station.clone();
        let found = device.map.tags.iter().filter_map(|tag| counted(&tag.role));
        found.map(|counted| (station.clone(), counted)).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = line.devices.iter().flat_map(of).collect();
    all.sort();
    all.dedup();
    all
}

/// A minute with counts that scatter a little; a stop of eight minutes every four hours.
fn minute(start_us: i64, counters: &[(StationId, Counted)]) -> Minute {
    let i = start_us.div_euclid(MINUTE_US);
    let stands = i.rem_euclid(240) < 8;
    let noise = |n: usize, span: u64| {
        let mut z = (i as u64 * 64 + n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z >> 33) % span
    };
    let count = |n: usize, counted: &Counted| match counted {
        _ if stands => 0,
        Counted::Reject(_) => 1 + noise(n, 7),
        Counted::Sample | Counted::Void => noise(n, 2),
        Counted::Infeed | Counted::Good => 6_450 + noise(n, 60),
    };
    let tallies = counters.iter().enumerate().map(|(n, (station, counted))| Tally {
        station: station.clone(),
        counted: counted.clone(),
        count: Count::exact(count(n, counted)),
    });
    let [run_us, stop_us] = if stands { [0, MINUTE_US] } else { [MINUTE_US, 0] };
    Minute {
        start_us,
        rev: 240,
        closed: true,
        time: TimeSplit([run_us, stop_us, 0, 0, 0, 0]),
        polls: 6_000,
        missed: 0,
        tallies: tallies.collect(),
        weights: vec![],
    }
}

fn events(day_us: i64) -> Vec<Event> {
    let event = |i: i64| Event {
        at_us: day_us + i * (DAY * MINUTE_US / EVENTS),
        from_us: None,
        kind: if i % (EVENTS / BATCHES) == 0 { EventKind::Batch } else { EventKind::State },
        station: Some(StationId::new("CF01")),
        tag: None,
        word: "running".to_owned(),
        count: None,
        detail: "was standing".to_owned(),
    };
    (0..EVENTS).map(event).collect()
}

fn limits(characteristic: &Characteristic, baseline: &[Minute], at_us: i64) -> Option<Limits> {
    let found = subgroups(characteristic, baseline, &[]);
    let fitted = fit(characteristic, &found, (i64::MIN, i64::MAX), &[]);
    let decision = Decision {
        verdict: Verdict::Approved,
        by: "quality".to_owned(),
        reason: "bench".to_owned(),
        at_us,
    };
    let limits = fitted.limits(characteristic)?;
    Some(Limits { made_us: at_us, decision: Some(decision), ..limits })
}

/// One question, asked of a service just started.
struct Question<'a> {
    dir: &'a Path,
    config: &'a Config,
    /// End of what is asked for: the same for every question, whenever it is asked.
    to_us: i64,
    days: i64,
    id: &'a str,
    minutes: u32,
}

impl Question<'_> {
    async fn ask(&self, runs: usize) -> anyhow::Result<Asked> {
        let what = (self.id.to_owned(), self.minutes);
        let mut asked = Asked { what, points: 0, bytes: 0, cold: vec![], warm: vec![] };
        for _ in 0..runs.max(1) {
            forget(self.dir)?;
            let (app, historian) = self.app()?;
            let started = Instant::now();
            let answer = self.answer(&app).await?;
            asked.cold.push(started.elapsed());
            let started = Instant::now();
            asked.bytes = self.answer(&app).await?.len();
            asked.warm.push(started.elapsed());
            let chart: serde_json::Value = serde_json::from_slice(&answer)?;
            asked.points = chart["t"].as_array().map_or(0, Vec::len);
            drop(app);
            historian.close()?;
        }
        asked.cold.sort_unstable();
        asked.warm.sort_unstable();
        Ok(asked)
    }

    fn app(&self) -> anyhow::Result<(App, Historian)> {
        let historian = open(self.dir)?;
        let feed = |line: &LineConfig| LineFeed {
            config: line.clone(),
            status: watch::channel(None).1,
            charts: watch::channel(None).1,
            followers: Default::default(),
        };
        let app = App::new(AppParts {
            site: self.config.site.clone(),
            zone: self.config.zone.clone(),
            clock: Clock::real(),
            simulated: true,
            config_file: String::new(),
            config_sha256: self.config.sha256.clone(),
            config_files: Vec::new(),
            map_texts: Vec::new(),
            lines: self.config.lines.iter().map(feed).collect(),
            history: Arc::new(StoredHistory(historian.clone())),
            quality: Arc::new(StoredHistory(historian.clone())),
            reports: Arc::new(StoredHistory(historian.clone())),
            writes: false,
            two_persons: false,
            access: Access::Open,
            accounts: Arc::new(NoAccounts),
            trail: Arc::new(NoTrail),
            gauges: Arc::new(Nothing),
            gate: Arc::default(),
            desk: Arc::new(Nothing),
            calls: Arc::new(Nothing),
            alerts: Arc::new(Nothing),
            reloads: Arc::new(Nothing),
            simulator: None,
        });
        Ok((app, historian))
    }

    async fn answer(&self, app: &App) -> anyhow::Result<Vec<u8>> {
        let to_ms = self.to_us / 1_000;
        let from_ms = to_ms - self.days * 24 * HOUR_US / 1_000;
        let line = app.parts().lines.first().context("a line")?.config.id.clone();
        let (id, minutes) = (self.id, self.minutes);
        let path = format!(
            "/api/v1/lines/{line}/charts/{id}?from={from_ms}&to={to_ms}&subgroup={minutes}"
        );
        let (status, body) = ask(app, &path).await?;
        anyhow::ensure!(status == 200, "{path} answers {status}");
        Ok(body)
    }
}

/// Drops the journal from the cache of the system, as far as it lets us.
fn forget(dir: &Path) -> anyhow::Result<()> {
    let file = File::open(dir.join("journal.db"))?;
    file.sync_all()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.bytes as f64 / 1e6;
        writeln!(
            f,
            "{} days, {} counters a minute, journal of {megabytes:.1} MB",
            self.days, self.n_counters
        )?;
        writeln!(
            f,
            "\n{:<28}{:>8}{:>8}{:>9}{:>26}{:>12}",
            "chart", "minutes", "points", "kB", "first answer ms (worst)", "next ms"
        )?;
        let ms = |all: &[Duration], at: usize| {
            all.get(at.min(all.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64) * 1e3
        };
        for (packed, answers) in &self.asked {
            for row in answers {
                let (id, minutes) = &row.what;
                let name = if *packed { id.clone() } else { format!("{id}, hours not packed") };
                let middle = row.cold.len() / 2;
                let cold =
                    format!("{:.1} ({:.1})", ms(&row.cold, middle), ms(&row.cold, usize::MAX));
                writeln!(
                    f,
                    "{name:<28}{minutes:>8}{:>8}{:>9.0}{cold:>26}{:>12.1}",
                    row.points,
                    row.bytes as f64 / 1e3,
                    ms(&row.warm, middle)
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_or_not_the_chart_has_the_same_points() {
        let figures = run(2, 1).unwrap();
        let [(false, rows), (true, packed)] = figures.asked.as_slice() else {
            panic!("{figures}");
        };
        assert!(rows[0].points >= 2 * 96, "{figures}");
        assert_eq!(rows[0].points, packed[0].points);
        assert_eq!(rows[0].bytes, packed[0].bytes, "{figures}");
    }
}
