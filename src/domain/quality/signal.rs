//! Signals as work: what a person has to look at, how often chance alone would ask for it, and which reasons stand
//! out in a report.

use std::sync::Arc;

use super::characteristic::{Characteristic, ChartKind};
use super::limits::Limits;
use super::panels::PanelLimits;
use super::stream::Judged;
use crate::spc::arl;
use crate::spc::rules::{Hits, RuleId, RuleSet};
use crate::stats::distribution::normal_sf;

/// A run of signals on one chart: one thing to look at, however many points and rules it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Of what.
    pub characteristic: Arc<str>,
    /// Version of the limits that judged. It stays, whatever limits come later.
    pub version: u32,
    /// Start of the subgroup of the first signal, UTC microseconds.
    pub opened_us: i64,
    /// Start of the subgroup of the latest signal, UTC microseconds.
    pub last_us: i64,
    /// Rules completed on the chart so far.
    pub rules: Hits,
    /// Rules completed on its companion so far.
    pub companion: Hits,
    /// Subgroups with a signal.
    pub n_points: u32,
    /// The most that it asked for so far.
    pub level: Level,
    /// Whether a judged subgroup without a signal has ended it.
    pub over: bool,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Limits are provisional or the chart drifts: to be studied, not to be chased.
    Study,
    /// Somebody should look when convenient.
    Notice,
    /// Somebody should look now.
    Page,
}

impl Incident {
    /// Whether a point lay outside the limits of the chart, which counts more than any pattern.
    pub fn is_beyond(&self) -> bool {
        self.rules.contains(RuleId::N1) || self.rules.contains(RuleId::We1)
    }
}

impl Level {
    /// All, mildest first.
    pub const ALL: [Level; 3] = [Level::Study, Level::Notice, Level::Page];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Level::Study => "study",
            Level::Notice => "notice",
            Level::Page => "page",
        }
    }

    /// The level of that word.
    pub fn from_word(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.word() == word)
    }

    /// What a signal under these limits asks for. A point beyond its limit pages, other rules are notices; a chart
    /// that drifts or that nobody approved asks for study only.
    pub fn of(judged: &Judged, limits: &Limits) -> Level {
        let approved = limits.decision.as_ref().is_some_and(|d| !d.by.is_empty());
        if !approved || limits.evidence.drifts() {
            return Level::Study;
        }
        let beyond =
            judged.point.hits.contains(RuleId::N1) || judged.point.hits.contains(RuleId::We1);
        if beyond && limits.may_page() { Level::Page } else { Level::Notice }
    }
}

/// Collapses signals into incidents, one judged subgroup at a time.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    open: Option<Incident>,
}

impl Incidents {
    /// The incident that has not ended.
    pub fn open(&self) -> Option<&Incident> {
        self.open.as_ref()
    }

    /// Takes the next judged subgroup; the incident that it opens, continues or ends. A subgroup that is not judged
    /// says nothing and changes nothing.
    pub fn push(
        &mut self,
        characteristic: &Characteristic,
        judged: &Judged,
        limits: Option<&Limits>,
    ) -> Option<Incident> {
        let limits = limits?;
        if judged.point.z.is_none() && judged.point.hits.is_empty() {
            return None;
        }
        if !judged.signals() {
            if self.open.as_ref().is_some_and(|open| !open.companion.is_empty())
                && lingers(characteristic, judged)
            {
                return None;
            }
            let mut ended = self.open.take()?;
            ended.over = true;
            return Some(ended);
        }
        let start_us = judged.subgroup.start_us;
        let incident = self.open.get_or_insert_with(|| Incident {
            characteristic: characteristic.id.clone(),
            version: judged.version,
            opened_us: start_us,
            last_us: start_us,
            rules: Hits::NONE,
            companion: Hits::NONE,
            n_points: 0,
            level: Level::Study,
            over: false,
        });
        incident.last_us = start_us;
        incident.rules = judged.point.hits.iter().fold(incident.rules, Hits::with);
        incident.companion = judged.beside().iter().fold(incident.companion, Hits::with);
        incident.n_points += 1;
        incident.level = incident.level.max(Level::of(judged, limits));
        Some(incident.clone())
    }

    /// Ends the open incident because other limits judge from here on.
    pub fn cut(&mut self) -> Option<Incident> {
        let mut ended = self.open.take()?;
        ended.over = true;
        Some(ended)
    }
}

/// Whether the EWMA still stands beyond half the way to its limit. It remembers: one excursion crosses the limit to and
/// fro, 1.9 points at a time, and counting each crossing gives 1.26 false alarms where the run length, which starts
/// again at the centre, promises one. Up to half the way back it is the same excursion (1.03).
pub fn lingers(characteristic: &Characteristic, judged: &Judged) -> bool {
    let point = &judged.companion;
    let (Some(stat), Some(cl), Some(ucl)) = (point.stat, point.cl, point.ucl) else {
        return false;
    };
    characteristic.kind.counts() && (stat - cl).abs() > 0.5 * (ucl - cl)
}

/// How often chance alone signals, beside what was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// False alarms accepted a week.
    pub per_week: f64,
    /// Mean number of points between two false alarms of the chart's rules, companions of measurements included; none for rules on trends.
    pub arl_rules: Option<f64>,
    /// The same of the EWMA; none where the chart has none.
    pub arl_ewma: Option<f64>,
    /// False alarms that chance alone gives in the judged points.
    pub expected: Option<f64>,
    /// Incidents that began in them.
    pub observed: u32,
    /// Judged points.
    pub n_judged: u32,
}

impl Budget {
    /// The budget of a span of judged subgroups.
    pub fn of(
        characteristic: &Characteristic,
        limits: Option<&Limits>,
        n_judged: u32,
        observed: u32,
    ) -> Budget {
        let rules =
            limits.map_or_else(|| characteristic.rules.clone(), |limits| limits.rules.clone());
        let is_ewma = characteristic.kind == ChartKind::Ewma;
        let panels = limits.and_then(PanelLimits::of);
        let arl_rules = match panels {
            _ if is_ewma => None,
            Some(panels) => panels.run_length(&rules),
            None => arl::run_rules(&RuleSet::standard(&rules), 0.0),
        };
        let has_ewma = is_ewma || characteristic.kind.counts();
        let arl_ewma = limits.filter(|_| has_ewma).and_then(|limits| {
            let lambda = characteristic.lambda();
            // What widens the limits of a short baseline pays for a centre that is not known, not for rarer alarms.
            let (n_used, evidence) = (limits.baseline.n_used, &limits.evidence);
            let widening =
                panels.map_or(1.0, |panels| panels.ewma_widening(lambda, n_used, evidence));
            arl::ewma(lambda, limits.ewma_l / widening, 0.0)
        });
        let n = f64::from(n_judged);
        // The two are not independent; their sum is an upper bound, and a close one.
        let of_rules = if is_ewma { Some(0.0) } else { arl_rules.map(|arl| n / arl) };
        let expected = of_rules.map(|rules| rules + arl_ewma.map_or(0.0, |arl| n / arl));
        Budget {
            per_week: characteristic.budget_per_week,
            arl_rules,
            arl_ewma,
            expected,
            observed,
            n_judged,
        }
    }
}

/// Distance of a whole period from the centre, from the z of its subgroups: `Σz / √m`, standard normal without a change
/// and without drift (Stouffer et al. 1949). None without a subgroup.
pub fn over_a_period(zs: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, m) = zs.fold((0.0, 0.0), |(sum, m), z| (sum + z, m + 1.0));
    (m > 0.0).then(|| sum / f64::sqrt(m))
}

/// A reason compared with its limits in a shift report.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Of what.
    pub characteristic: Arc<str>,
    /// Distance of the shift's rate from the centre, in sigma of the whole shift.
    pub z: f64,
    /// Two-sided probability of such a distance without a change.
    pub p_value: f64,
    /// The same, adjusted for all that were compared: the least share of false ones at which it stands out.
    pub adjusted: f64,
    /// Whether it stands out among all that were compared.
    pub stands_out: bool,
}

/// Compares reasons in a report: of those that stand out at most a share `q` is expected to be false (Benjamini &
/// Hochberg 1995). For reports only: a live alarm is judged by its own chart.
pub fn compare(reasons: &[(Arc<str>, f64)], q: f64) -> Vec<Compared> {
    let usable = reasons.iter().filter(|(_, z)| z.is_finite());
    let mut rows: Vec<Compared> = usable
        .map(|(characteristic, z)| Compared {
            characteristic: characteristic.clone(),
            z: *z,
            p_value: (2.0 * normal_sf(z.abs())).min(1.0),
            adjusted: 1.0,
            stands_out: false,
        })
        .collect();
    rows.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    let m = rows.len() as f64;
    let last = rows.iter().enumerate().rposition(|(i, row)| row.p_value <= q * (i + 1) as f64 / m);
    let n_out = last.map_or(0, |last| last + 1);
    rows.iter_mut().take(n_out).for_each(|row| row.stands_out = true);
    let mut least = 1.0_f64;
    for (i, row) in rows.iter_mut().enumerate().rev() {
        least = least.min(row.p_value * m / (i + 1) as f64);
        row.adjusted = least;
    }
    rows
}
