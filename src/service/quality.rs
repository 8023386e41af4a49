//! The running charts of a line: reads closed minutes from the journal, judges them, and keeps what it found.
//!
//! It works from the journal and not from the tracker, so that a chart says the same whether a minute came live, late
//! or from the hours before a restart. A subgroup is judged within [`EVERY`] of the moment its last minute is stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::audit::Actor;
use domain::line::event::EventKind;
use domain::line::minute::{Minute, join_weights};
use domain::quality::characteristic::{Characteristic, Measure};
use domain::quality::limits::{
    Decision, FREEZE_FROM, Limits, PAGE_FROM, PROVISIONAL_FROM, Verdict, fit, in_force,
};
use domain::quality::monitor::{Monitor, Told};
use domain::quality::overview::{self, Overview};
use domain::quality::subgroup::{batch_within, subgroups};
use domain::units::{HOUR_US, LineId, MINUTE_US};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::config::LineConfig;
use crate::historian::Historian;

/// How often the journal is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// How far back minutes are looked at again: one that came late or corrected is found within this.
const CORRECTED_WITHIN_US: i64 = 3 * HOUR_US;

/// How far back a chart begins after a start: its runs and its EWMA are then as if it had never stopped.
const LOOK_BACK_US: i64 = 30 * HOUR_US;

/// How far back provisional limits look for their baseline: 300 subgroups of 15 minutes with some stops.
const BASELINE_US: i64 = 100 * HOUR_US;

/// An hour is packed this long after its end, when its last minute is closed.
const SETTLED_US: i64 = 2 * MINUTE_US;

/// How far back hours are packed: a little more than the longest span of a chart.
const PACKED_US: i64 = 32 * 24 * HOUR_US;

/// Whole subgroups at which provisional limits are made anew as long as nobody approved any.
const STEPS: [usize; 4] = [PROVISIONAL_FROM, 50, FREEZE_FROM, PAGE_FROM];

/// Author of limits that nobody proposed.
const AUTOMATIC: &str = "capline";

/// Most minutes of one look.
const ROWS: usize = 50_000;

/// Runs the charts of a line until it is told to stop, and publishes what they say whenever that changes.
pub(super) async fn run(
    line: LineConfig,
    historian: Historian,
    clock: Clock,
    publish: watch::Sender<Option<Arc<Overview>>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut charts = Charts::new(&line, historian);
    let mut failing = false;
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        let now_us = clock.now().utc_us;
        let looked = tokio::task::spawn_blocking(move || {
            let judged = charts.look(now_us);
            let shown = charts.shown(now_us);
            (charts, Look::of(judged, shown))
        });
        let look;
        (charts, look) = match looked.await {
            Ok(looked) => looked,
            Err(error) => {
                error!(line = %line.id, %error, "the charts of the line have ended; restart the service");
                return;
            }
        };
        if let Some(shown) = look.shown {
            publish.send_replace(Some(Arc::new(shown)));
        }
        // An outage of the journal is said once.
        match look.outcome {
            Ok(()) if failing => {
                failing = false;
                info!(line = %line.id, "the charts go on");
            }
            Err(error) if !failing => {
                failing = true;
                warn!(line = %line.id, %error, "the charts wait for the journal");
            }
            _ => {}
        }
    }
}

/// What a look at the journal came to.
struct Look {
    /// What the charts say, if that has changed.
    shown: Option<Overview>,
    /// The first thing that failed.
    outcome: anyhow::Result<()>,
}

impl Look {
    /// What the charts say is shown whatever failed before: they have it no second time.
    fn of(judged: anyhow::Result<()>, shown: anyhow::Result<Option<Overview>>) -> Look {
        match shown {
            Ok(shown) => Look { shown, outcome: judged },
            Err(error) => Look { shown: None, outcome: judged.and(Err(error)) },
        }
    }
}

/// The running charts of a line.
struct Charts {
    line: LineId,
    historian: Historian,
    monitors: Vec<Running>,
    /// Whether any chart is one of weights.
    weighs: bool,
    /// Minutes that were taken, with their revision, as far back as corrections are looked for.
    taken: BTreeMap<i64, u32>,
    /// The first minute that was not taken; none before the first look.
    next_us: Option<i64>,
    /// From where on hours are to be packed; none while all that ended are.
    unpacked_us: Option<i64>,
    /// The end of the last hour up to which all are packed.
    packed_us: i64,
    /// The limits of the last look.
    versions: Vec<Limits>,
    /// Whether subgroups or limits have changed since what the charts say was published.
    stale: bool,
}

/// A chart and how far it was kept.
struct Running {
    monitor: Monitor,
    /// Subgroups up to here were kept by an earlier run and are not told again; none when nothing was.
    kept_us: Option<i64>,
    /// The step at which provisional limits were last made.
    n_provisional: usize,
    /// Whether subgroups were told since provisional limits were last thought of.
    grew: bool,
}

impl Charts {
    fn new(line: &LineConfig, historian: Historian) -> Charts {
        let running = |characteristic: &Characteristic| Running {
            monitor: Monitor::new(characteristic.clone(), None),
            kept_us: None,
            n_provisional: 0,
            grew: false,
        };
        Charts {
            line: line.id.clone(),
            historian,
            monitors: line.characteristics.iter().map(running).collect(),
            weighs: line.characteristics.iter().any(|c| c.measure.series().is_some()),
            taken: BTreeMap::new(),
            next_us: None,
            unpacked_us: None,
            packed_us: i64::MIN,
            versions: Vec::new(),
            stale: true,
        }
    }

    /// What the charts say, if that has changed: judged over the span and by the limits of the workbench, so that no screen
    /// says anything else.
    fn shown(&mut self, now_us: i64) -> anyhow::Result<Option<Overview>> {
        if !self.stale {
            return Ok(None);
        }
        let fraction = |running: &&Running| {
            matches!(running.monitor.characteristic().measure, Measure::RejectFraction { .. })
        };
        let reject_fraction = match self.monitors.iter().find(fraction) {
            None => None,
            Some(running) => {
                let characteristic = running.monitor.characteristic();
                let from_us = overview::span_from(characteristic, now_us);
                let versions = self.versions_of(&characteristic.id);
                let (minutes, batches) = (self.closed(from_us)?, self.batches(from_us)?);
                Some(overview::chart(characteristic, &minutes, &batches, &versions, now_us))
            }
        };
        let open = self.monitors.iter().filter_map(|running| running.monitor.open_incident());
        let open = Some(open.cloned().collect());
        self.stale = false;
        let spread = self.monitors.iter().filter_map(|running| {
            overview::spread(running.monitor.characteristic(), &self.versions, now_us)
        });
        Ok(Some(Overview { reject_fraction, spread: spread.collect(), open }))
    }

    fn versions_of(&self, id: &str) -> Vec<Limits> {
        self.versions.iter().filter(|limits| *limits.characteristic == *id).cloned().collect()
    }

    /// Judges what is new, then packs: a fault of the one does not hold up the other.
    fn look(&mut self, now_us: i64) -> anyhow::Result<()> {
        let judged = self.judge(now_us);
        judged.and(self.pack(now_us))
    }

    /// Takes what is new in the journal.
    fn judge(&mut self, now_us: i64) -> anyhow::Result<()> {
        let versions = self.historian.limits(&self.line, None)?;
        if self.next_us.is_none() {
            self.begin(now_us)?;
        }
        if versions != self.versions {
            self.versions.clone_from(&versions);
            self.stale = true;
        }
        self.adopt(now_us)?;
        let from_us = match self.taken.is_empty() {
            true => now_us - LOOK_BACK_US,
            false => self.next_us.unwrap_or(now_us) - CORRECTED_WITHIN_US,
        };
        let minutes = self.closed(from_us)?;
        let batches = self.batches(from_us)?;
        self.correct(&minutes, now_us)?;
        let next_us = self.next_us.unwrap_or(i64::MIN);
        let fresh: Vec<&Minute> = minutes.iter().filter(|m| m.start_us >= next_us).collect();
        let Some(last) = fresh.last() else { return Ok(()) };
        self.stale = true;
        let next_us = last.start_us + MINUTE_US;
        for running in &mut self.monitors {
            let told = running.feed(&fresh, &batches);
            let id = running.monitor.characteristic().id.clone();
            if !told.is_empty() {
                self.historian.add_points(&self.line, &id, told, now_us)?;
            }
        }
        self.taken.extend(minutes.iter().map(|minute| (minute.start_us, minute.rev)));
        self.taken = self.taken.split_off(&(next_us - CORRECTED_WITHIN_US));
        self.next_us = Some(next_us);
        self.make_provisional(&versions, now_us)
    }

    /// Finds out how far an earlier run got.
    fn begin(&mut self, now_us: i64) -> anyhow::Result<()> {
        for running in &mut self.monitors {
            let id = running.monitor.characteristic().id.clone();
            let kept = self.historian.points(&self.line, &id, (now_us - LOOK_BACK_US, i64::MAX))?;
            running.kept_us = kept.last().map(|point| point.start_us);
        }
        self.next_us = Some(i64::MIN);
        Ok(())
    }

    /// Lets the limits in force judge.
    fn adopt(&mut self, now_us: i64) -> anyhow::Result<()> {
        for i in 0..self.monitors.len() {
            let own = self.versions_of(&self.monitors[i].monitor.characteristic().id);
            let running = &mut self.monitors[i];
            let limits = in_force(&own, now_us).cloned();
            let version = |limits: Option<&Limits>| limits.map(|limits| limits.version);
            if version(limits.as_ref()) != version(running.monitor.limits())
                && let Some(ended) = running.monitor.adopt(limits)
            {
                self.historian.put_incident(&self.line, ended)?;
            }
        }
        Ok(())
    }

    /// Judges again what a late or corrected minute changes.
    fn correct(&mut self, minutes: &[Minute], now_us: i64) -> anyhow::Result<()> {
        let (Some(first), Some(next_us)) = (self.taken.keys().next(), self.next_us) else {
            return Ok(());
        };
        let changed = |minute: &&Minute| {
            let due = (*first..next_us).contains(&minute.start_us);
            due && self.taken.get(&minute.start_us) != Some(&minute.rev)
        };
        let Some(at_us) = minutes.iter().find(changed).map(|minute| minute.start_us) else {
            return Ok(());
        };
        self.stale = true;
        info!(line = %self.line, at_us, "a minute came late or corrected; its subgroups are judged again");
        // A subgroup may begin a day before its minute.
        let again = self.closed(at_us - 24 * HOUR_US)?;
        let batches = self.batches(at_us - 24 * HOUR_US)?;
        for running in &mut self.monitors {
            let before = running.monitor.open_incident().cloned();
            let from_us = match running.monitor.rewind(at_us) {
                Some(from_us) => from_us,
                None => {
                    let limits = running.monitor.limits().cloned();
                    running.monitor =
                        Monitor::new(running.monitor.characteristic().clone(), limits);
                    i64::MIN
                }
            };
            let due = |minute: &&Minute| (from_us..next_us).contains(&minute.start_us);
            let mut told = running.feed(&again.iter().filter(due).collect::<Vec<_>>(), &batches);
            // What lies before is not changed by this minute, whatever limits judge now.
            let subgroup_us = running.monitor.characteristic().subgroup_us();
            told.retain(|told| told.judged.subgroup.start_us + subgroup_us > at_us);
            let id = running.monitor.characteristic().id.clone();
            self.historian.add_points(&self.line, &id, told, now_us)?;
            let still = running.monitor.open_incident().map(|incident| incident.opened_us);
            if let Some(before) = before.filter(|before| Some(before.opened_us) != still) {
                let ended = domain::quality::signal::Incident { over: true, ..before };
                self.historian.put_incident(&self.line, ended)?;
            }
        }
        self.taken.extend(minutes.iter().map(|minute| (minute.start_us, minute.rev)));
        Ok(())
    }

    /// Makes provisional limits where nobody approved any and the baseline has reached the next step. Each is a
    /// version of its own: nothing is recalculated silently.
    fn make_provisional(&mut self, versions: &[Limits], now_us: i64) -> anyhow::Result<()> {
        let approved = |id: &str| {
            let is = |d: &Decision| d.verdict == Verdict::Approved;
            versions.iter().any(|l| &*l.characteristic == id && l.decision.as_ref().is_some_and(is))
        };
        let due: Vec<usize> = (0..self.monitors.len())
            .filter(|i| !approved(&self.monitors[*i].monitor.characteristic().id))
            .filter(|i| self.monitors[*i].n_provisional < PAGE_FROM)
            .filter(|i| self.monitors[*i].grew)
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let minutes = self.closed(now_us - BASELINE_US)?;
        let batches = self.batches(now_us - BASELINE_US)?;
        for i in due {
            self.monitors[i].grew = false;
            let characteristic = self.monitors[i].monitor.characteristic().clone();
            let own = || versions.iter().filter(|l| l.characteristic == characteristic.id);
            let made = own().map(|limits| limits.baseline.n_used).max().unwrap_or(0);
            let found = subgroups(&characteristic, &minutes, &batches);
            let (Some(first), Some(last)) = (found.first(), found.last()) else { continue };
            let span = (first.start_us, last.start_us + characteristic.subgroup_us());
            let fitted = fit(&characteristic, &found, span, &[]);
            let n_used = fitted.baseline.n_used;
            let step = STEPS.into_iter().rfind(|step| n_used >= *step).unwrap_or(0);
            self.monitors[i].n_provisional = step.max(self.monitors[i].n_provisional);
            let due = step > 0 && made < step;
            let Some(limits) = fitted.limits(&characteristic).filter(|_| due) else { continue };
            let version = own().map(|limits| limits.version).max().unwrap_or(0) + 1;
            let reason = format!("first {n_used} whole subgroups, made without a person");
            let limits = Limits {
                version,
                author: AUTOMATIC.to_owned(),
                reason: reason.clone(),
                made_us: now_us,
                decision: Some(Decision {
                    verdict: Verdict::Provisional,
                    by: AUTOMATIC.to_owned(),
                    reason,
                    at_us: now_us,
                }),
                ..limits
            };
            info!(line = %self.line, characteristic = %characteristic.id, version, n_used, "provisional limits");
            self.historian.add_limits(&self.line, limits, &Actor::system())?;
        }
        Ok(())
    }

    /// Packs the hours of the longest chart, a bite at each look, once more after each hour: a corrected minute unpacked
    /// its own.
    fn pack(&mut self, now_us: i64) -> anyhow::Result<()> {
        let until_us = (now_us - SETTLED_US).div_euclid(HOUR_US) * HOUR_US;
        if until_us > self.packed_us {
            self.packed_us = until_us;
            self.unpacked_us = Some(now_us - PACKED_US);
        }
        if let Some(from_us) = self.unpacked_us {
            self.unpacked_us = self.historian.pack_hours(&self.line, from_us, until_us)?;
        }
        Ok(())
    }

    fn closed(&self, from_us: i64) -> anyhow::Result<Vec<Minute>> {
        let mut minutes = self
            .historian
            .minutes(&self.line, from_us, i64::MAX, ROWS)
            .context("minutes could not be read")?;
        minutes.retain(|minute| minute.closed);
        if self.weighs {
            let span = (from_us, i64::MAX);
            let weights = self.historian.weights(&self.line, span);
            join_weights(&mut minutes, weights.context("weights could not be read")?);
        }
        Ok(minutes)
    }

    /// When batches began.
    fn batches(&self, from_us: i64) -> anyhow::Result<Vec<i64>> {
        let kinds = [EventKind::Batch];
        let events = self.historian.events(&self.line, from_us, i64::MAX, Some(&kinds), ROWS)?;
        // They come newest first.
        Ok(events.into_iter().rev().map(|(_, event)| event.at_us).collect())
    }
}

impl Running {
    /// Judges minutes in order; what an earlier run has kept is not told again.
    fn feed(&mut self, minutes: &[&Minute], batches: &[i64]) -> Vec<Told> {
        let mut told = Vec::new();
        for minute in minutes {
            self.monitor.push(minute, batch_within(batches, minute), |one| told.push(one));
        }
        self.grew |= !told.is_empty();
        let kept_us = self.kept_us.unwrap_or(i64::MIN);
        told.retain(|told| told.rev > 0 || told.judged.subgroup.start_us > kept_us);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview() -> Overview {
        Overview { reject_fraction: None, spread: Vec::new(), open: Some(Vec::new()) }
    }

    #[test]
    fn what_the_charts_say_is_shown_though_an_hour_could_not_be_packed() {
        let failed = || Err(anyhow::anyhow!("no space"));
        let look = Look::of(failed(), Ok(Some(overview())));
        assert!(look.shown.is_some(), "the charts have it no second time");
        assert!(look.outcome.is_err_and(|error| error.to_string() == "no space"));
        // With nothing new, or nothing that could be read, what was shown stays.
        assert!(Look::of(failed(), Ok(None)).shown.is_none());
        let unread = Look::of(Ok(()), Err(anyhow::anyhow!("locked")));
        assert!(unread.shown.is_none() && unread.outcome.is_err());
        let whole = Look::of(Ok(()), Ok(Some(overview())));
        assert!(whole.shown.is_some() && whole.outcome.is_ok());
    }
}
