//! Limits, what they rest on, and what others would change.

use domain::audit::Signature;
use domain::quality::characteristic::ChartKind;
use domain::quality::limits::{
    Evidence, FREEZE_FROM, Fitted, Limits, LimitsLaw, Maturity, PROVISIONAL_FROM,
};
use domain::quality::panels::PanelLimits;
use domain::quality::stream::Judged;
use domain::quality::workbench::Replay;
use domain::spc::subgroup_length::Advice;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Scale, ms, rounded};
use crate::web::details::chinese;

/// A version of limits.
#[derive(Serialize, ToSchema)]
pub(crate) struct LimitsView {
    /// Version.
    pub(crate) version: u32,
    /// `proposed`, `provisional`, `approved` or `rejected`.
    state: &'static str,
    /// Centre line.
    center: f64,
    /// Laney's factor, for counts.
    sigma_z: Option<f64>,
    /// Degrees of freedom of that factor; none for measurements and in records whose limits do not allow for it.
    sigma_df: Option<f64>,
    /// Standard deviation of a value, for measurements.
    sigma: Option<f64>,
    /// Standard deviation within subgroups, on a three-way chart.
    sigma_within: Option<f64>,
    /// Distance of the EWMA's limits, in sigma.
    ewma_l: f64,
    /// Distance of the limits from the centre line, in sigma of what is plotted.
    k: f64,
    /// How the centre line is made of the baseline.
    center_formula: &'static str,
    /// How the limits are made of it, in the symbols of this record; n is the size of the subgroup.
    limits_formula: &'static str,
    /// Rules.
    rules: Vec<&'static str>,
    /// Start of the baseline, UTC milliseconds.
    from_ms: i64,
    /// End of the baseline, UTC milliseconds.
    to_ms: i64,
    /// Whole subgroups that estimate.
    n_used: usize,
    /// `forming`, `provisional`, `freezable` or `firm`.
    maturity: &'static str,
    /// Whether signals may page.
    may_page: bool,
    /// Subgroups left out: start and reason.
    excluded: Vec<(i64, String)>,
    /// How the baseline varied.
    evidence: EvidenceView,
    /// Who made it.
    author: String,
    /// Why.
    reason: String,
    /// The same in Chinese, where it was not a person who wrote it.
    reason_zh: String,
    /// When, UTC milliseconds.
    made_ms: i64,
    /// Who decided.
    decided_by: Option<String>,
    /// Why so.
    decided_reason: Option<String>,
    /// The same in Chinese, where it was not a person who wrote it.
    decided_reason_zh: Option<String>,
    /// When, UTC milliseconds.
    decided_ms: Option<i64>,
    /// SHA-256 of the record.
    sha256: String,
    /// The signature under the decision, where there are users.
    signature: Option<SignatureView>,
}

/// A signature: who, when, what it means, and of what.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct SignatureView {
    /// Printed name.
    name: String,
    /// Account whose password was given.
    account: String,
    /// `authored`, `reviewed`, `approved`, `rejected` or `confirmed`.
    meaning: String,
    /// When, UTC milliseconds.
    at_ms: i64,
    /// SHA-256 of the record that it is bound to.
    record_sha256: String,
}

/// How a baseline varied.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// σz by moving ranges.
    sigma_z_mr: Option<f64>,
    /// σz by the standard deviation.
    sigma_z_sd: Option<f64>,
    /// Correlation of neighbours.
    lag1: Option<f64>,
    /// Index of dispersion over its degrees of freedom.
    chi2_ratio: Option<f64>,
    /// Its probability under the law.
    chi2_p: Option<f64>,
    /// `plain`, `use_prime`, `stratify`, `lengthen_subgroup`, `underdispersed`, `unknown`, or of a span `untold` where its
    /// subgroups are enough and do not vary.
    advice: &'static str,
    /// Whether a plain chart would do.
    plain_suffices: bool,
}

/// What a span gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct FittedView {
    /// Whole subgroups.
    n_used: usize,
    /// How far they carry.
    maturity: &'static str,
    /// Centre line, if it can be told.
    center: Option<f64>,
    /// How they vary.
    evidence: EvidenceView,
    /// Whole subgroups from which on limits are drawn, marked provisional.
    provisional_from: usize,
    /// Whether there are as many, so that limits may be proposed.
    may_propose: bool,
    /// Subgroups left out as incomplete or start-up.
    n_left_out: usize,
    /// Subgroups still missing before limits can be approved.
    missing_to_freeze: usize,
}

/// What a proposal would change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayView {
    /// Points that would signal and did not: start and rules.
    appear: Vec<(i64, Vec<&'static str>)>,
    /// Points that signalled and would not: start and rules.
    vanish: Vec<(i64, Vec<&'static str>)>,
    /// Points that signal both ways.
    stay: usize,
    /// Points judged.
    judged: usize,
}

/// How far limits lie from the centre line, in sigma: what the budget of alarms leaves, or three in old records.
fn distance(limits: &Limits) -> f64 {
    match limits.kind {
        ChartKind::Ewma => limits.ewma_l,
        _ => PanelLimits::of(limits).map_or(3.0, |panels| panels.values),
    }
}

/// How limits are made of a centre line: quantiles of a law with Laney's variance for counts that have a budget, otherwise
/// Laney 2002 for p′ and u′, Montgomery for the others.
fn limits_formula(limits: &Limits) -> &'static str {
    let df = limits.evidence.sigma_df;
    match limits.kind {
        kind if kind.counts() && PanelLimits::of(limits).is_some() && df.is_some() => {
            match limits.law {
                LimitsLaw::Rate { sigma_z, .. } if sigma_z > 1.0 => {
                    "P(x > n · UCL) < 1 − Φ(k), P(x < n · LCL) < 1 − Φ(k), x ~ NB(μ = n · CL, σ² = μ · σz² · (1 + 1/m)); σz = max(1, σz MR, σz SD, σz: P(x ≥ xₘₐₓ) = 1/2m); k = t(1 − 1 / (4 · ARL₀), ν)"
                }
                _ => {
                    "P(x > n · UCL) < 1 − Φ(k), P(x < n · LCL) < 1 − Φ(k), x ~ NB(μ = n · CL, σ² = μ · (1 + 1/m)); k = Φ⁻¹(1 − 1 / (4 · ARL₀))"
                }
            }
        }
        kind if kind.counts() && PanelLimits::of(limits).is_some() => {
            "P(x > n · UCL) < 1 − Φ(k), P(x < n · LCL) < 1 − Φ(k), x ~ NB(μ = n · CL, σ² = μ · σz² · (1 + 1/m))"
        }
        ChartKind::PPrime => "CL ± k · σz · √(CL · (1 − CL) / n)",
        ChartKind::P => "CL ± k · √(CL · (1 − CL) / n)",
        ChartKind::UPrime => "CL ± k · σz · √(CL / n)",
        ChartKind::U => "CL ± k · √(CL / n)",
        ChartKind::Individuals | ChartKind::ThreeWay => "CL ± k · σ",
        ChartKind::Ewma => "CL ± k · σ · √(λ / (2 − λ) · (1 − (1 − λ)²ⁱ))",
    }
}

impl LimitsView {
    /// The view of a version.
    pub(crate) fn of(limits: &Limits) -> LimitsView {
        let scale = Scale::of(limits.kind);
        let (center, sigma_z, sigma, within) = match limits.law {
            LimitsLaw::Rate { center, sigma_z } => (center, Some(sigma_z), None, None),
            LimitsLaw::Individuals { center, sigma } => (center, None, Some(sigma), None),
            LimitsLaw::ThreeWay { center, sigma, sigma_within } => {
                (center, None, Some(sigma), Some(sigma_within))
            }
        };
        let decision = limits.decision.as_ref();
        LimitsView {
            version: limits.version,
            state: decision.map_or("proposed", |decision| decision.verdict.word()),
            center: scale.show(Some(center)).unwrap_or(0.0),
            sigma_z: sigma_z.and_then(|s| rounded(s, 4)),
            sigma_df: limits.evidence.sigma_df.and_then(|df| rounded(df, 1)),
            sigma: scale.show(sigma),
            sigma_within: scale.show(within),
            ewma_l: rounded(limits.ewma_l, 4).unwrap_or(0.0),
            k: rounded(distance(limits), 4).unwrap_or(0.0),
            center_formula: if limits.kind.counts() { "CL = Σx / Σn" } else { "CL = Σx̄ / m" },
            limits_formula: limits_formula(limits),
            rules: limits.rules.iter().map(|rule| rule.name()).collect(),
            from_ms: ms(limits.baseline.from_us),
            to_ms: ms(limits.baseline.to_us),
            n_used: limits.baseline.n_used,
            maturity: limits.maturity().word(),
            may_page: limits.may_page(),
            excluded: limits
                .baseline
                .excluded
                .iter()
                .map(|out| (ms(out.start_us), out.reason.clone()))
                .collect(),
            evidence: EvidenceView::of(&limits.evidence),
            author: limits.author.clone(),
            reason: limits.reason.clone(),
            reason_zh: chinese(&limits.reason),
            made_ms: ms(limits.made_us),
            decided_by: decision.map(|decision| decision.by.clone()),
            decided_reason: decision.map(|decision| decision.reason.clone()),
            decided_reason_zh: decision.map(|decision| chinese(&decision.reason)),
            decided_ms: decision.map(|decision| ms(decision.at_us)),
            sha256: limits.hash(),
            signature: None,
        }
    }

    /// With the signature under the decision, if it is among these of the line.
    pub(crate) fn signed(self, characteristic: &str, signatures: &[Signature]) -> LimitsView {
        let record = format!("{characteristic}/{}", self.version);
        let signature = signatures.iter().find(|signature| signature.record == record);
        LimitsView { signature: signature.map(SignatureView::from), ..self }
    }
}

impl From<&Signature> for SignatureView {
    fn from(signature: &Signature) -> SignatureView {
        SignatureView {
            name: signature.name.clone(),
            account: signature.account.clone(),
            meaning: signature.meaning.clone(),
            at_ms: ms(signature.at_us),
            record_sha256: signature.record_sha256.clone(),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Evidence) -> EvidenceView {
        let round = |x: Option<f64>| x.and_then(|x| rounded(x, 3));
        EvidenceView {
            sigma_z_mr: round(evidence.sigma_z_mr),
            sigma_z_sd: round(evidence.sigma_z_sd),
            lag1: round(evidence.lag1),
            chi2_ratio: round(evidence.chi2_ratio),
            chi2_p: evidence.chi2_p.and_then(|p| rounded(p, 6)),
            advice: evidence.advice().name(),
            plain_suffices: evidence.plain_suffices(),
        }
    }
}

impl FittedView {
    /// The view of what a span gives, with so many subgroups left out of it.
    pub(super) fn of(fitted: &Fitted, n_left_out: usize, scale: &Scale) -> FittedView {
        let center = fitted.law.map(|law| match law {
            LimitsLaw::Rate { center, .. }
            | LimitsLaw::Individuals { center, .. }
            | LimitsLaw::ThreeWay { center, .. } => center,
        });
        let n_used = fitted.baseline.n_used;
        let may_propose = n_used >= PROVISIONAL_FROM;
        let mut evidence = EvidenceView::of(&fitted.evidence);
        if may_propose && fitted.evidence.advice() == Advice::Unknown {
            evidence.advice = "untold";
        }
        FittedView {
            n_used,
            maturity: Maturity::of(n_used).word(),
            center: scale.show(center),
            evidence,
            provisional_from: PROVISIONAL_FROM,
            may_propose,
            n_left_out,
            missing_to_freeze: FREEZE_FROM.saturating_sub(n_used),
        }
    }
}

impl ReplayView {
    /// The view of a replay.
    pub(crate) fn of(replay: &Replay) -> ReplayView {
        let point = |judged: &Judged| {
            let beside = judged.beside();
            let hits = judged.point.hits.iter().chain(beside.iter());
            (ms(judged.subgroup.start_us), hits.map(|rule| rule.name()).collect())
        };
        ReplayView {
            appear: replay.appear.iter().map(point).collect(),
            vanish: replay.vanish.iter().map(point).collect(),
            stay: replay.n_stay,
            judged: replay.n_judged,
        }
    }
}
