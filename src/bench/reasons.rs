//! How often the charts of single reject reasons and of the speed call for nothing on the simulated plant in its steady state:
//! rejects of the filler come in short bursts, those of the weigher follow the density of the powder, which wanders within
//! eight minutes. As they are judged, and as they were: σz by moving ranges, an EWMA of independent values.

use std::fmt;

use domain::line::minute::{Counted, Minute, Tally};
use domain::line::output::Output;
use domain::quality::characteristic::{Characteristic, LAMBDA, Measure};
use domain::quality::limits::{FREEZE_FROM, Limits, PAGE_FROM, fit};
use domain::quality::subgroup::{Subgroup, subgroups};
use domain::spc::arl;
use domain::units::{Count, MINUTE_US, Reason, StationId};
use simulators::{Model, ModelConfig};

use super::spc::{Effort, LENGTH, WEEK, another, begun, running};
use super::watched::{Watched, at_three_sigma};

/// Subgroups of a baseline and those that its limits then judge: until the service makes them anew, and a week.
const STAGES: [(usize, usize); 4] = [(25, 25), (50, 50), (FREEZE_FROM, 200), (PAGE_FROM, WEEK)];

/// Reasons of the weigher; the others are the filler's.
const OF_WEIGHER: [&str; 2] = ["overweight", "underweight"];

/// Incidents of one chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Reasons {
    /// Its characteristic.
    pub chart: String,
    /// Rejects in a subgroup, on average.
    pub mean: f64,
    /// Means over baselines of 300: σz by moving ranges and by the standard deviation, lag-1 correlation.
    pub evidence: [f64; 3],
    /// Incidents a week, by baseline: as it is judged, and as it was.
    pub per_week: [[f64; 2]; STAGES.len()],
    /// Lines watched, each under limits of its own.
    pub lines: usize,
}

/// Computes the figures of all charts.
pub(super) fn run(seed: u64, effort: Effort) -> Vec<Reasons> {
    let charts = characteristics();
    let mut seen: Vec<Seen> = charts.iter().map(|_| Seen::default()).collect();
    for i in 0..effort.weeks {
        let minutes = line(another(seed, 700_000 + i));
        for (characteristic, seen) in charts.iter().zip(&mut seen) {
            seen.watch(characteristic, &subgroups(characteristic, &minutes, &[]));
        }
    }
    let of =
        |(characteristic, seen): (&Characteristic, Seen)| seen.of(characteristic, effort.weeks);
    charts.iter().zip(seen).map(of).collect()
}

fn station(reason: &str) -> StationId {
    StationId::new(if OF_WEIGHER.contains(&reason) { "CW04" } else { "CF01" })
}

fn characteristics() -> Vec<Characteristic> {
    let filler = || Output::one(StationId::new("CF01"));
    let reasons = ["unseparated", "dented", "no_dose", "double_cap"].iter().chain(&OF_WEIGHER);
    let reject =
        |reason: &&str| Measure::Reject { station: station(reason), reason: Reason::new(*reason) };
    let mut measures = vec![Measure::RejectFraction { stations: filler() }];
    measures.extend(reasons.map(reject));
    measures.push(Measure::Speed { stations: filler() });
    measures.into_iter().map(Characteristic::new).collect()
}

/// Minutes of the plant in its steady state, as long as the longest stage takes.
fn line(seed: u64) -> Vec<Minute> {
    let config = ModelConfig { seed, batch_size: u64::MAX / 2, ..ModelConfig::default() };
    let mut model = Model::new(config);
    let mut before: Vec<(Counted, &str, u64)> = Vec::new();
    let mut minutes = Vec::new();
    for i in 0..(PAGE_FROM + WEEK) as i64 {
        model.advance_to((i + 1) * LENGTH * MINUTE_US);
        let ledger = model.ledger();
        let mut totals = vec![
            (Counted::Good, "CF01", ledger.made),
            (Counted::Good, "CW04", ledger.weigher.good),
            (Counted::Reject(Reason::new("overweight")), "CW04", ledger.weigher.over),
            (Counted::Reject(Reason::new("underweight")), "CW04", ledger.weigher.under),
        ];
        let rejects = ledger.rejects.iter().filter_map(|(class, n)| {
            let reason = reason_of(class)?;
            Some((Counted::Reject(Reason::new(reason)), "CF01", *n))
        });
        totals.extend(rejects);
        let tally = |(counted, station, n): &(Counted, &str, u64)| {
            let was = before.iter().find(|(of, at, _)| (of, at) == (counted, station));
            let count = Count::exact(n - was.map_or(0, |(_, _, n)| *n));
            Tally { station: StationId::new(*station), counted: counted.clone(), count }
        };
        let tallies = totals.iter().map(tally).collect();
        // The sum of a quarter of an hour is all that a subgroup takes of it.
        minutes.push(Minute { tallies, ..running(i * LENGTH) });
        minutes.extend((1..LENGTH).map(|minute| running(i * LENGTH + minute)));
        before = totals;
    }
    minutes
}

fn reason_of(class: &simulators::RejectClass) -> Option<&'static str> {
    use simulators::RejectClass::{Dented, DoubleCap, NoDose, Unseparated};
    match class {
        Unseparated => Some("unseparated"),
        Dented => Some("dented"),
        NoDose => Some("no_dose"),
        DoubleCap => Some("double_cap"),
        simulators::RejectClass::Startup => None,
    }
}

/// Sums over lines, of one chart.
#[derive(Default)]
struct Seen {
    incidents: [[usize; 2]; STAGES.len()],
    evidence: [f64; 3],
    counted: u64,
}

impl Seen {
    fn watch(&mut self, characteristic: &Characteristic, found: &[Subgroup]) {
        for ((n_used, n_judged), incidents) in STAGES.iter().zip(&mut self.incidents) {
            let (baseline, rest) = found.split_at((*n_used).min(found.len()));
            let rest = rest.get(..*n_judged).unwrap_or(rest);
            let fitted = fit(characteristic, baseline, (i64::MIN, i64::MAX), &[]);
            let evidence = fitted.evidence;
            if *n_used == PAGE_FROM {
                let found = [evidence.sigma_z_mr, evidence.sigma_z_sd, evidence.lag1];
                let sums = self.evidence.iter_mut().zip(found);
                sums.for_each(|(sum, x)| *sum += x.unwrap_or(f64::NAN));
                self.counted += baseline.iter().map(|subgroup| subgroup.count.best()).sum::<u64>();
            }
            // A speed that does not vary gives no limits, and no signal.
            let Some(limits) = fitted.limits(characteristic) else { continue };
            for (limits, n) in
                [&limits, &as_before(characteristic, &limits)].into_iter().zip(incidents)
            {
                let mut chart = Watched::new(characteristic, limits);
                *n += begun(rest.iter().map(|subgroup| chart.push(subgroup.clone()).1));
            }
        }
    }

    fn of(self, characteristic: &Characteristic, lines: usize) -> Reasons {
        let n = lines.max(1) as f64;
        let mut per_week = [[0.0; 2]; STAGES.len()];
        for ((per_week, incidents), (_, n_judged)) in
            per_week.iter_mut().zip(self.incidents).zip(STAGES)
        {
            *per_week = incidents.map(|seen| seen as f64 / (n * n_judged as f64 / WEEK as f64));
        }
        Reasons {
            chart: characteristic.id.to_string(),
            mean: self.counted as f64 / (n * PAGE_FROM as f64),
            evidence: self.evidence.map(|sum| sum / n),
            per_week,
            lines,
        }
    }
}

/// The limits as they were: at three sigma for all rejects, and for a single reason σz by moving ranges with an EWMA of
/// independent values. Those of measurements have not changed.
fn as_before(characteristic: &Characteristic, limits: &Limits) -> Limits {
    let Some(three_sigma) = at_three_sigma(characteristic, limits) else { return limits.clone() };
    if matches!(characteristic.measure, Measure::RejectFraction { .. }) {
        return three_sigma;
    }
    let known = arl::ewma_limit(2.0 * characteristic.arl0(), LAMBDA).unwrap_or(limits.ewma_l);
    let unknown = (2.0 - LAMBDA) / (LAMBDA * limits.baseline.n_used as f64);
    let (arl0, rules) = (limits.arl0, limits.rules.clone());
    Limits { arl0, rules, ewma_l: known * (1.0 + unknown).sqrt(), ..three_sigma }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [mr, sd, lag1] = self.evidence;
        write!(f, "{:<30}{:>8.1}{mr:>8.2}{sd:>8.2}{lag1:>7.2}", self.chart, self.mean)?;
        for [now, before] in self.per_week {
            write!(f, "{:>16}", format!("{now:.2} ({before:.2})"))?;
        }
        writeln!(f)
    }
}

/// The head of their table.
pub(super) fn head(f: &mut fmt::Formatter<'_>, rows: &[Reasons]) -> fmt::Result {
    let lines = rows.first().map_or(0, |row| row.lines);
    writeln!(
        f,
        "incidents a week on {lines} steady plants, by subgroups of the baseline: as judged (as it was)"
    )?;
    write!(f, "{:<30}{:>8}{:>8}{:>8}{:>7}", "chart", "mean", "σz MR", "σz SD", "ρ₁")?;
    STAGES.iter().try_for_each(|(n_used, _)| write!(f, "{n_used:>16}"))?;
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows: SPC-05
    #[test]
    fn steady_plants_spend_the_budget_of_their_charts() {
        let rows = run(3, Effort { weeks: 20, lines: 0 });
        assert_eq!(rows.len(), 8);
        for row in &rows {
            print!("{row}");
            // Twenty weeks tell a budget of one to 0.22.
            let [now, before] = row.per_week[STAGES.len() - 1];
            assert!(now <= 1.5, "{row}");
            let wanders = row.chart != "speed";
            assert!(!wanders || before > 2.0, "the negative control: {row}");
        }
    }
}
