//! The `params` of a case that all charts share. Names and defaults are those of the case specification.

use std::ops::Range;

use super::CaseError;
use super::place::Place;
use crate::spc::chart::{Exclusion, GapPolicy, MrScreen, Settings};
use crate::spc::constants::Constants;
use crate::spc::rules::{Pattern, Rule, RuleId, RuleSet};

/// The settings of a chart judged by `rules`.
pub(super) fn settings(params: &Place, rules: RuleSet) -> Result<Settings, CaseError> {
    // A memory chart has gap policies of its own (`carry`, `restart`); for these charts they mean nothing.
    let gaps = [("break", GapPolicy::Break), ("bridge", GapPolicy::Bridge)];
    let constants = [("exact", Constants::Exact), ("table", Constants::Table)];
    let screens = [("none", MrScreen::None), ("nelson", MrScreen::Nelson)];
    Ok(Settings {
        k: params.number_or("k", 3.0)?,
        rules,
        gap: params.choose_or("gap_policy", &gaps, GapPolicy::Break)?,
        baseline: params.get("baseline").map(|place| range(&place)).transpose()?,
        excluded: params.get("exclude").map_or(Ok(Vec::new()), |place| exclusions(&place))?,
        stages: params
            .get("stages")
            .map_or(Ok(Vec::new()), |place| place.list()?.iter().map(range).collect())?,
        constants: params.choose_or("constants", &constants, Constants::Exact)?,
        screen: params.choose_or("mr_screen", &screens, MrScreen::None)?,
    })
}

/// A half-open range `[from, to]`.
pub(super) fn range(place: &Place) -> Result<Range<usize>, CaseError> {
    match place.list()?.as_slice() {
        [from, to] => Ok(from.index()?..to.index()?),
        _ => Err(place.error("two positions, the second one past the end")),
    }
}

fn exclusions(place: &Place) -> Result<Vec<Exclusion>, CaseError> {
    let exclusion = |item: &Place| {
        Ok(Exclusion {
            index: item.need("index")?.index()?,
            reason: item.need("reason")?.text()?.to_owned(),
        })
    };
    place.list()?.iter().map(exclusion).collect()
}

/// Rules by name, with their standard lengths.
pub(super) fn named_rules(place: &Place) -> Result<RuleSet, CaseError> {
    let rule = |item: &Place| {
        let rule = RuleId::parse(item.text()?).and_then(Rule::standard);
        rule.ok_or_else(|| item.error("a rule with a pattern: N1 … N8, WE1 … WE4 or AIAG2"))
    };
    Ok(RuleSet::custom(place.list()?.iter().map(rule).collect::<Result<Vec<_>, _>>()?))
}

/// Rules by name with lengths of their own; what is not given keeps its standard.
pub(super) fn custom_rules(place: &Place) -> Result<RuleSet, CaseError> {
    let rule = |(name, lengths): (&str, Place)| {
        let standard = RuleId::parse(name).and_then(Rule::standard);
        let standard =
            standard.ok_or_else(|| lengths.error("a rule named N1 … N8, WE1 … WE4 or AIAG2"))?;
        Ok(Rule::new(standard.id(), with_lengths(standard.pattern(), &lengths)?))
    };
    Ok(RuleSet::custom(place.members()?.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?))
}

fn with_lengths(standard: Pattern, given: &Place) -> Result<Pattern, CaseError> {
    let points = |key: &str, default: u32| {
        let n = given.index_or(key, default as usize)?;
        Ok(u32::try_from(n).unwrap_or(u32::MAX))
    };
    Ok(match standard {
        Pattern::Beyond { k } => Pattern::Beyond { k: given.number_or("k", k)? },
        Pattern::SameSide { n } => Pattern::SameSide { n: points("n", n)? },
        Pattern::Trend { n } => Pattern::Trend { n: points("n", n)? },
        Pattern::Alternating { n } => Pattern::Alternating { n: points("n", n)? },
        Pattern::Cluster { k, n, zone, partial_window } => Pattern::Cluster {
            k: points("k", k)?,
            n: points("n", n)?,
            zone: given.number_or("zone", zone)?,
            partial_window: given.flag_or("partial_window", partial_window)?,
        },
        Pattern::Within { n, zone } => {
            Pattern::Within { n: points("n", n)?, zone: given.number_or("zone", zone)? }
        }
        Pattern::Outside { n, zone, both_sides } => Pattern::Outside {
            n: points("n", n)?,
            zone: given.number_or("zone", zone)?,
            both_sides: given.flag_or("both_sides", both_sides)?,
        },
    })
}
