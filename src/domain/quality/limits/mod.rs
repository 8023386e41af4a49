//! Limits as records: a law, what it rests on and who answers for it. A record is never changed; a new version is.
//!
//! Phase I thresholds follow the study of σz estimates: with 25 subgroups σz is known to ±30 %, with 100 to ±15 %,
//! with 300 to ±9 %, and only then may a chart call somebody.

mod fit;

use std::fmt::Write;
use std::sync::Arc;

use super::characteristic::ChartKind;
use crate::spc::attribute::Dispersion;
use crate::spc::rules::RuleId;
use crate::spc::subgroup_length::{Advice, advise};

pub(super) use fit::pooled_sd;
pub use fit::{Fitted, ewma_l, fit};

/// Whole subgroups from which on limits are drawn, marked provisional.
pub const PROVISIONAL_FROM: usize = 25;
/// Whole subgroups from which on limits may be approved.
pub const FREEZE_FROM: usize = 100;
/// Whole subgroups from which on a signal may page.
pub const PAGE_FROM: usize = 300;

/// Approved, proposed or provisional limits of a characteristic.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Counts from 1 within a characteristic.
    pub version: u32,
    /// Of what.
    pub characteristic: Arc<str>,
    /// Which chart.
    pub kind: ChartKind,
    /// Minutes of a subgroup.
    pub subgroup_minutes: u32,
    /// What points are judged by.
    pub law: LimitsLaw,
    /// Distance of the limits of the EWMA beside it, from the alarm budget.
    pub ewma_l: f64,
    /// In-control run length, in points, that the limits of all panels of a chart together spend; none where the limits are
    /// those of three sigma. Counts with it have probability limits.
    pub arl0: Option<f64>,
    /// The rules that judge.
    pub rules: Vec<RuleId>,
    /// What it was estimated from.
    pub baseline: Baseline,
    /// How the baseline varied.
    pub evidence: Evidence,
    /// Who made it; `capline` for provisional limits.
    pub author: String,
    /// Why it was made.
    pub reason: String,
    /// When, UTC microseconds.
    pub made_us: i64,
    /// What was decided about it, none while it is open.
    pub decision: Option<Decision>,
}

/// The law of a chart: all that judging a new subgroup needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitsLaw {
    /// Counts among capsules.
    Rate {
        /// Σ count / Σ size of the baseline.
        center: f64,
        /// Factor on the sampling error, Laney's or a larger one that the baseline shows; 1 for a plain chart.
        sigma_z: f64,
    },
    /// Measurements.
    Individuals {
        /// Mean.
        center: f64,
        /// Standard deviation of a value.
        sigma: f64,
    },
    /// Means, with what varies within their subgroups.
    ThreeWay {
        /// Mean of the means.
        center: f64,
        /// Standard deviation of a mean, from subgroup to subgroup.
        sigma: f64,
        /// Standard deviation of a single value within its subgroup.
        sigma_within: f64,
    },
}

/// What limits were estimated from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// First moment, UTC microseconds.
    pub from_us: i64,
    /// First moment that no longer belongs to it.
    pub to_us: i64,
    /// Subgroups that estimate.
    pub n_used: usize,
    /// Subgroups left out by a person, and why.
    pub excluded: Vec<Excluded>,
}

/// A subgroup that a person left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Its start, UTC microseconds.
    pub start_us: i64,
    /// The assignable cause.
    pub reason: String,
}

/// How a baseline varied.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// σz by moving ranges.
    pub sigma_z_mr: Option<f64>,
    /// σz by the standard deviation.
    pub sigma_z_sd: Option<f64>,
    /// Correlation of neighbours.
    pub lag1: Option<f64>,
    /// How sigma was estimated; none for counts.
    pub sigma_method: Option<SigmaMethod>,
    /// Degrees of freedom with which the σz of counts is known; none for measurements, and in records from before limits
    /// were as wide as it makes them.
    pub sigma_df: Option<f64>,
    /// Index of dispersion over its degrees of freedom.
    pub chi2_ratio: Option<f64>,
    /// Probability of such an index if the counts followed their law.
    pub chi2_p: Option<f64>,
}

/// How the sigma of a chart of measurements was estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigmaMethod {
    /// By moving ranges: what varies from one subgroup to the next.
    MovingRange,
    /// By the standard deviation of all subgroups: where neighbours resemble each other, moving ranges are too short by
    /// a factor `√(1 - ρ₁)` (Montgomery 10.4; ISO 7870-9), and limits from them signal the resemblance.
    StandardDeviation,
}

impl SigmaMethod {
    /// The word used in files and JSON.
    pub fn word(self) -> &'static str {
        match self {
            SigmaMethod::MovingRange => "moving_range",
            SigmaMethod::StandardDeviation => "standard_deviation",
        }
    }

    /// The method of that word.
    pub fn from_word(word: &str) -> Option<SigmaMethod> {
        [SigmaMethod::MovingRange, SigmaMethod::StandardDeviation]
            .into_iter()
            .find(|method| method.word() == word)
    }
}

/// What was decided about limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, UTC microseconds. Approved limits judge from here on.
    pub at_us: i64,
}

/// The two ways a proposal ends, and the one of limits nobody proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Made without a person, in force until somebody approves others.
    Provisional,
    /// In force.
    Approved,
    /// Never in force.
    Rejected,
}

/// How far a baseline carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Maturity {
    /// Too few subgroups for any limit.
    Forming,
    /// From 25: drawn, marked provisional.
    Provisional,
    /// From 100: may be approved.
    Freezable,
    /// From 300: may page.
    Firm,
}

/// Why limits are not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody is named.
    #[error("limits need a name and a reason; give both")]
    Unnamed,
    /// Approving one's own proposal is no second look.
    #[error("limits are approved by somebody else than their author; ask a second person")]
    SamePerson,
    /// The baseline is too short.
    #[error("limits are approved from 100 whole subgroups on; propose a longer baseline")]
    TooFew,
    /// It was decided before.
    #[error("these limits were decided already; propose a new version")]
    Decided,
}

impl Verdict {
    /// All.
    pub const ALL: [Verdict; 3] = [Verdict::Provisional, Verdict::Approved, Verdict::Rejected];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Provisional => "provisional",
            Verdict::Approved => "approved",
            Verdict::Rejected => "rejected",
        }
    }

    /// The verdict of that word.
    pub fn from_word(word: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

impl Maturity {
    /// Of a baseline with so many whole subgroups.
    pub fn of(n_used: usize) -> Maturity {
        match n_used {
            ..PROVISIONAL_FROM => Maturity::Forming,
            PROVISIONAL_FROM..FREEZE_FROM => Maturity::Provisional,
            FREEZE_FROM..PAGE_FROM => Maturity::Freezable,
            _ => Maturity::Firm,
        }
    }

    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Maturity::Forming => "forming",
            Maturity::Provisional => "provisional",
            Maturity::Freezable => "freezable",
            Maturity::Firm => "firm",
        }
    }
}

impl Evidence {
    /// What the dispersion says about the chart.
    pub fn advice(&self) -> Advice {
        let dispersion = Dispersion {
            sigma_z_mr: self.sigma_z_mr,
            sigma_z_sd: self.sigma_z_sd,
            lag1_r: self.lag1,
            n_used: 0,
        };
        advise(&dispersion, self.chi2_ratio)
    }

    /// Whether neighbours resemble each other, so that the chart would signal the drift itself.
    pub fn drifts(&self) -> bool {
        self.advice() == Advice::LengthenSubgroup
    }

    /// Whether the baseline says anything of drift: too few subgroups do not.
    pub fn tells_drift(&self) -> bool {
        self.advice() != Advice::Unknown
    }

    /// Whether a plain p chart would do: σz in 0.9 to 1.1 and the dispersion test does not object.
    pub fn plain_suffices(&self) -> bool {
        let near_one = self.sigma_z_mr.is_some_and(|s| (0.9..=1.1).contains(&s));
        near_one && self.chi2_p.is_some_and(|p| p > 0.01)
    }
}

impl Limits {
    /// How far its baseline carries.
    pub fn maturity(&self) -> Maturity {
        Maturity::of(self.baseline.n_used)
    }

    /// Whether a signal under it may page: approved, from 300 subgroups, and no drift.
    pub fn may_page(&self) -> bool {
        let approved = self.decision.as_ref().is_some_and(|d| d.verdict == Verdict::Approved);
        approved && self.maturity() == Maturity::Firm && !self.evidence.drifts()
    }

    /// Whether it judges at a moment, if no later version does.
    pub fn judges_at(&self, at_us: i64) -> bool {
        let in_force = |d: &Decision| d.verdict != Verdict::Rejected && d.at_us <= at_us;
        self.decision.as_ref().is_some_and(in_force)
    }

    /// Decides about a proposal.
    ///
    /// # Errors
    /// No name, the author himself, a baseline that is too short to approve, or decided before.
    pub fn decide(&self, decision: Decision) -> Result<Limits, Refusal> {
        let name = |text: &str| text.trim().to_lowercase();
        if name(&decision.by).is_empty() || name(&decision.reason).is_empty() {
            return Err(Refusal::Unnamed);
        }
        if self.decision.is_some() {
            return Err(Refusal::Decided);
        }
        if decision.verdict == Verdict::Approved {
            if name(&decision.by) == name(&self.author) {
                return Err(Refusal::SamePerson);
            }
            if self.maturity() < Maturity::Freezable {
                return Err(Refusal::TooFew);
            }
        }
        Ok(Limits { decision: Some(decision), ..self.clone() })
    }

    /// The record as a text that does not depend on how it is stored. Numbers are written so that they read back
    /// bit for bit. The decision is not part of it: it names the record by its hash.
    pub fn canonical(&self) -> String {
        let mut text = String::from("capline-limits/1\n");
        let mut row = |key: &str, value: &dyn std::fmt::Display| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key} {}", value.to_string().replace(['\n', '\r'], " "));
        };
        row("characteristic", &self.characteristic);
        row("version", &self.version);
        row("chart", &self.kind.word());
        row("subgroup_minutes", &self.subgroup_minutes);
        match self.law {
            LimitsLaw::Rate { center, sigma_z } => {
                row("center", &center);
                row("sigma_z", &sigma_z);
            }
            LimitsLaw::Individuals { center, sigma } => {
                row("center", &center);
                row("sigma", &sigma);
            }
            LimitsLaw::ThreeWay { center, sigma, sigma_within } => {
                row("center", &center);
                row("sigma", &sigma);
                row("sigma_within", &sigma_within);
            }
        }
        row("ewma_l", &self.ewma_l);
        // Records from before these rows keep their hash.
        if let Some(arl0) = self.arl0 {
            row("arl0", &arl0);
        }
        self.rules.iter().for_each(|rule| row("rule", rule));
        row("from_us", &self.baseline.from_us);
        row("to_us", &self.baseline.to_us);
        row("n_used", &self.baseline.n_used);
        for excluded in &self.baseline.excluded {
            row("excluded", &format!("{} {}", excluded.start_us, excluded.reason));
        }
        let Evidence { sigma_z_mr, sigma_z_sd, lag1, sigma_method, sigma_df, chi2_ratio, chi2_p } =
            self.evidence;
        if let Some(method) = sigma_method {
            row("sigma_method", &method.word());
        }
        if let Some(df) = sigma_df {
            row("sigma_df", &df);
        }
        let evidence = [
            ("sigma_z_mr", sigma_z_mr),
            ("sigma_z_sd", sigma_z_sd),
            ("lag1", lag1),
            ("chi2_ratio", chi2_ratio),
            ("chi2_p", chi2_p),
        ];
        for (key, value) in evidence {
            row(key, &value.map_or("null".to_owned(), |value| value.to_string()));
        }
        row("author", &self.author);
        row("reason", &self.reason);
        row("made_us", &self.made_us);
        text
    }

    /// SHA-256 of [`Limits::canonical`], in hexadecimal.
    pub fn hash(&self) -> String {
        crate::digest::sha256(self.canonical())
    }
}

/// Which of several versions judges at a moment: the latest approved one, and a provisional one only as long as
/// nothing was approved.
pub fn in_force(versions: &[Limits], at_us: i64) -> Option<&Limits> {
    let judging = || versions.iter().filter(move |limits| limits.judges_at(at_us));
    let approved =
        |limits: &&Limits| limits.decision.as_ref().is_some_and(|d| d.verdict == Verdict::Approved);
    let since = |limits: &&Limits| (limits.decision.as_ref().map(|d| d.at_us), limits.version);
    judging().filter(approved).max_by_key(since).or_else(|| judging().max_by_key(since))
}

/// Whether the limits that judge hold for subgroups of this length. Limits hold for the subgroups that they were made of, and
/// another length has its own.
pub fn hold_for(versions: &[Limits], subgroup_minutes: u32) -> bool {
    let mut judging = versions.iter().filter(|limits| limits.judges_at(i64::MAX)).peekable();
    judging.peek().is_some() && judging.all(|limits| limits.subgroup_minutes == subgroup_minutes)
}
