//! What a chart is asked to be judged by: limits, rules, and which chart stands beside it.

use std::sync::Arc;

use domain::quality::characteristic::Characteristic;
use domain::quality::limits::{Limits, hold_for, in_force};
use domain::quality::subgroup::Subgroup;
use domain::quality::workbench::By;
use domain::spc::rules::{Rule, RuleId};

use super::write;
use crate::web::error::{WebError, short};

/// Which limits are asked for.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    InForce,
    Version(u32),
    Trial,
}

impl Wanted {
    pub(super) fn parse(text: Option<&str>) -> Result<Wanted, WebError> {
        match text.unwrap_or("in_force") {
            "in_force" => Ok(Wanted::InForce),
            "trial" => Ok(Wanted::Trial),
            other => other.parse().map(Wanted::Version).map_err(|_| {
                let other = short(other);
                WebError::Parameter(format!("limits {other:?}: use in_force, trial or a version"))
            }),
        }
    }

    pub(super) fn choose(
        self,
        characteristic: &Characteristic,
        subgroups: &[Subgroup],
        versions: &[Limits],
        (from_us, to_us): (i64, i64),
    ) -> Result<Judging, WebError> {
        match self {
            Wanted::InForce if hold_for(versions, characteristic.subgroup_minutes) => {
                Ok(Judging::InForce(versions.into()))
            }
            Wanted::Version(version) => {
                let limits = version_of(versions, version)?;
                if limits.subgroup_minutes != characteristic.subgroup_minutes {
                    let n = limits.subgroup_minutes;
                    let message = format!("limits {version} hold for subgroups of {n} minutes");
                    return Err(WebError::Parameter(message));
                }
                Ok(Judging::Version(Box::new(limits.clone())))
            }
            Wanted::InForce | Wanted::Trial => {
                let trial = write::limits_of(characteristic, subgroups, (from_us, to_us), &[], 0);
                let trial = trial.map(|limits| Box::new(limits.of_neighbours(characteristic)));
                Ok(Judging::Trial(trial))
            }
        }
    }
}

pub(super) fn version_of(versions: &[Limits], version: u32) -> Result<&Limits, WebError> {
    let found = versions.iter().find(|limits| limits.version == version);
    found.ok_or_else(|| WebError::Parameter(format!("there are no limits of version {version}")))
}

/// The limits that judge an answer.
pub(super) enum Judging {
    InForce(Arc<[Limits]>),
    Version(Box<Limits>),
    Trial(Option<Box<Limits>>),
}

impl Judging {
    pub(super) fn by(&self) -> By<'_> {
        match self {
            Judging::InForce(versions) => By::InForce(versions),
            Judging::Version(limits) => By::Version(limits),
            Judging::Trial(Some(limits)) => By::Version(limits),
            Judging::Trial(None) => By::Nothing,
        }
    }

    /// The same limits with other rules, for this look.
    pub(super) fn under(self, rules: Option<&[RuleId]>) -> Judging {
        let Some(rules) = rules else { return self };
        let with = |limits: &Limits| Limits { rules: rules.to_vec(), ..limits.clone() };
        match self {
            Judging::InForce(versions) => Judging::InForce(versions.iter().map(with).collect()),
            Judging::Version(limits) => Judging::Version(Box::new(with(&limits))),
            Judging::Trial(limits) => Judging::Trial(limits.map(|limits| Box::new(with(&limits)))),
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Judging::InForce(_) => "in_force",
            Judging::Version(_) => "version",
            Judging::Trial(_) => "trial",
        }
    }

    pub(super) fn newest(&self, at_us: i64) -> Option<&Limits> {
        match self {
            Judging::InForce(versions) => in_force(versions, at_us)
                .or_else(|| versions.iter().rfind(|limits| limits.judges_at(i64::MAX))),
            Judging::Version(limits) => Some(limits),
            Judging::Trial(limits) => limits.as_deref(),
        }
    }
}

/// Rules that were asked for.
pub(super) fn rules_of(text: &str) -> Result<Vec<RuleId>, WebError> {
    let rule = |name: &str| {
        let found = RuleId::parse(name).filter(|id| Rule::standard(*id).is_some());
        found.ok_or_else(|| {
            let name: String = name.chars().take(20).collect();
            WebError::Parameter(format!("rules {name:?}: use N1 to N8, WE1 to WE4 or AIAG2"))
        })
    };
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(rule).collect()
}

pub(super) fn cusum_wanted(
    companion: Option<&str>,
    characteristic: &Characteristic,
) -> Result<bool, WebError> {
    match companion {
        Some("cusum") if characteristic.kind.counts() => Ok(true),
        None | Some("ewma" | "mr" | "cusum") => Ok(false),
        Some(other) => {
            let other: String = other.chars().take(20).collect();
            Err(WebError::Parameter(format!("companion {other:?}: use ewma or cusum")))
        }
    }
}
