//! A span of history under chosen limits: what the workbench shows, and what a proposal would have done.

use super::characteristic::Measure;
use super::characteristic::{Characteristic, ChartKind};
use super::limits::{Fitted, Limits, LimitsLaw, fit, in_force, pooled_sd};
use super::signal::{Budget, Incident, Incidents};
use super::stream::{ChartStream, Judged};
use super::subgroup::{Fitness, Subgroup};
use crate::line::weight::Moments;
use crate::spc::capability::{
    BinomialCapability, Capability, ProcessSummary, Tolerance, binomial_capability, capability,
};
use crate::spc::chart::Point;

/// By which limits a span is judged.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// Each subgroup by the version in force when it closed; those before the first version by that one, as a
    /// baseline is.
    InForce(&'a [Limits]),
    /// All by one version.
    Version(&'a Limits),
    /// All by none: plotted only.
    Nothing,
}

/// A judged span.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Its subgroups.
    pub judged: Vec<Judged>,
    /// Its incidents, oldest first.
    pub incidents: Vec<Incident>,
    /// What its own whole subgroups would estimate.
    pub fitted: Fitted,
}

impl By<'_> {
    fn limits(&self, end_us: i64) -> Option<&Limits> {
        match self {
            By::InForce(versions) => {
                let first =
                    || versions.iter().filter(|l| l.judges_at(i64::MAX)).min_by_key(|l| l.version);
                in_force(versions, end_us).or_else(first)
            }
            By::Version(limits) => Some(limits),
            By::Nothing => None,
        }
    }
}

/// Judges a span of subgroups, oldest first.
pub fn evaluate(characteristic: &Characteristic, subgroups: &[Subgroup], by: By<'_>) -> Evaluation {
    let mut stream = ChartStream::new(None);
    // Trial limits have version 0, as no limits have: what judges is told apart by being there at all.
    let mut judging: Option<u32> = None;
    let mut collapsing = Incidents::default();
    let mut incidents: Vec<Incident> = Vec::new();
    let mut judged = Vec::with_capacity(subgroups.len());
    let mut keep = |incident: Option<Incident>| {
        let Some(incident) = incident else { return };
        match incidents.last_mut() {
            Some(last) if last.opened_us == incident.opened_us => *last = incident,
            _ => incidents.push(incident),
        }
    };
    for subgroup in subgroups {
        let limits = by.limits(subgroup.start_us + characteristic.subgroup_us());
        let wanted = limits.map(|limits| limits.version);
        if wanted != judging {
            judging = wanted;
            stream = ChartStream::new(limits);
            keep(collapsing.cut());
        }
        let point = stream.push(subgroup.clone());
        keep(collapsing.push(characteristic, &point, limits));
        judged.push(point);
    }
    let span = (i64::MIN, i64::MAX);
    let mut fitted = fit(characteristic, subgroups, span, &[]);
    fitted.baseline.from_us = subgroups.first().map_or(0, |s| s.start_us);
    fitted.baseline.to_us =
        subgroups.last().map_or(0, |s| s.start_us + characteristic.subgroup_us());
    Evaluation { judged, incidents, fitted }
}

impl Evaluation {
    /// Expected and observed false alarms of the span.
    pub fn budget(&self, characteristic: &Characteristic, limits: Option<&Limits>) -> Budget {
        let n_judged = self.judged.iter().filter(|judged| judged.point.z.is_some()).count();
        let n_incidents = u32::try_from(self.incidents.len()).unwrap_or(u32::MAX);
        Budget::of(characteristic, limits, u32::try_from(n_judged).unwrap_or(u32::MAX), n_incidents)
    }

    /// Whether capability may be told: enough subgroups, no signal among the last hundred, no drift.
    pub fn gate(&self) -> Gate {
        let n = self.fitted.baseline.n_used;
        let recent = || self.judged.iter().rev().filter(|j| j.point.z.is_some()).take(100);
        let n_signals = recent().filter(|judged| !judged.point.hits.is_empty()).count();
        let (n_recent, evidence) = (recent().count(), &self.fitted.evidence);
        Gate {
            n,
            n_recent,
            n_signals: (n_recent > 0).then_some(n_signals),
            drifts: evidence.tells_drift().then(|| evidence.drifts()),
        }
    }

    /// Subgroups in which something was made and that neither estimate nor are judged: incomplete ones and start-ups.
    pub fn n_left_out(&self) -> usize {
        let is_out = |fitness| matches!(fitness, Fitness::Incomplete | Fitness::StartUp);
        self.judged.iter().filter(|judged| is_out(judged.subgroup.fitness)).count()
    }

    /// Capability of weights against their tolerance, at 95 %: Cp and Cpk by what varies within subgroups, Pp and Ppk by
    /// all single weights. None without a tolerance, and for anything but single weights.
    pub fn weight_capability(&self, characteristic: &Characteristic) -> Option<Capability> {
        let Tolerance { lsl, usl, .. } = characteristic.tolerance;
        if !matches!(characteristic.measure, Measure::Weight { .. }) || lsl.or(usl).is_none() {
            return None;
        }
        Some(capability(&self.weights()?, &characteristic.tolerance, 0.95))
    }

    /// Mean and standard deviations of the weights of all whole subgroups, in milligrams; none without a weight.
    pub fn weights(&self) -> Option<ProcessSummary> {
        let groups = || {
            let whole = self.judged.iter().map(|j| &j.subgroup).filter(|s| s.is_whole());
            whole.map(|subgroup| subgroup.moments)
        };
        let all: Moments = groups().sum();
        Some(ProcessSummary {
            mean: all.mean_mg()?,
            sigma_within: pooled_sd(groups()),
            sigma_overall: all.sd_mg(),
            n: all.n() as f64,
            df_within: groups().map(|group| group.n().saturating_sub(1) as f64).sum(),
        })
    }

    /// Capability of a fraction: the share rejected with its exact 95 % interval, in parts per million, and as a
    /// process Z. None for measurements, which have no tolerance here.
    pub fn capability(&self) -> Option<BinomialCapability> {
        let whole = || self.judged.iter().map(|j| &j.subgroup).filter(|s| s.is_whole());
        let (rejected, size) =
            whole().fold((0, 0), |(d, n), s| (d + s.count.best(), n + s.size.best()));
        let value = whole().any(|s| s.value.is_some());
        if value || size == 0 { None } else { binomial_capability(rejected, size, 0.95) }
    }
}

/// How many points lie outside their limits, on either side, in a plain chart of the same centre and in the chart itself.
/// Every screen that compares the two asks this.
pub fn outside<'a>(judged: impl IntoIterator<Item = &'a Judged>) -> Outside {
    let outside = |point: &Point| match (point.stat, point.z) {
        (Some(stat), Some(_)) => {
            point.lcl.is_some_and(|lcl| stat < lcl) || point.ucl.is_some_and(|ucl| stat > ucl)
        }
        _ => false,
    };
    judged.into_iter().fold(Outside::default(), |all, judged| Outside {
        n_judged: all.n_judged + usize::from(judged.point.z.is_some()),
        plain: all.plain + usize::from(judged.plain.as_ref().is_some_and(outside)),
        ours: all.ours + usize::from(outside(&judged.point)),
    })
}

/// Points outside of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Points judged.
    pub n_judged: usize,
    /// Outside a plain chart of the same centre, at three sigma.
    pub plain: usize,
    /// Outside the chart itself.
    pub ours: usize,
}

/// What must hold before capability means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Whole subgroups.
    pub n: usize,
    /// Judged points that were looked at for signals, the last hundred at most.
    pub n_recent: usize,
    /// Signals among them; none where no point is judged: what was not tested is not passed.
    pub n_signals: Option<usize>,
    /// Whether neighbours resemble each other; none where that cannot be told.
    pub drifts: Option<bool>,
}

impl Gate {
    /// Whether there are as many whole subgroups as limits must have to be approved.
    pub fn has_enough(&self) -> bool {
        self.n >= super::limits::FREEZE_FROM
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.has_enough() && self.n_signals == Some(0) && self.drifts == Some(false)
    }
}

/// What a proposal would change over a span of history.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Points that would signal and did not.
    pub appear: Vec<Judged>,
    /// Points that signalled and would not.
    pub vanish: Vec<Judged>,
    /// Points that signal both ways.
    pub n_stay: usize,
    /// Points judged.
    pub n_judged: usize,
}

/// Judges a span under the present limits and under proposed ones, and compares.
pub fn replay(
    characteristic: &Characteristic,
    subgroups: &[Subgroup],
    present: By<'_>,
    proposed: &Limits,
) -> Replay {
    let before = evaluate(characteristic, subgroups, present).judged;
    let after = evaluate(characteristic, subgroups, By::Version(proposed)).judged;
    let mut replay = Replay { appear: vec![], vanish: vec![], n_stay: 0, n_judged: 0 };
    for (old, new) in before.into_iter().zip(after) {
        replay.n_judged += usize::from(new.point.z.is_some());
        match (old.signals(), new.signals()) {
            (true, true) => replay.n_stay += 1,
            (true, false) => replay.vanish.push(old),
            (false, true) => replay.appear.push(new),
            (false, false) => {}
        }
    }
    replay
}

/// The law of a plain chart of the same centre, to compare.
pub fn plain(limits: &Limits) -> Option<Limits> {
    let kind = match limits.kind {
        ChartKind::PPrime => ChartKind::P,
        ChartKind::UPrime => ChartKind::U,
        _ => return None,
    };
    let LimitsLaw::Rate { center, .. } = limits.law else { return None };
    let law = LimitsLaw::Rate { center, sigma_z: 1.0 };
    // As textbooks have it: at three sigma, without a budget.
    Some(Limits { kind, law, arl0: None, ..limits.clone() })
}
