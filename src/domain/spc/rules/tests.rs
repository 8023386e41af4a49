//! The engine against the definitions: every rule written out over the whole window, slowly and without memory.

use proptest::prelude::*;

use super::{Hits, Pattern, Rule, RuleEngine, RuleId, RuleSet};

/// Whether `pattern` is complete at the end of `series`, read from its definition. A series has no gaps.
fn complete(pattern: Pattern, series: &[f64]) -> bool {
    let last = |n: u32| series.len().checked_sub(n as usize).map(|from| &series[from..]);
    let steps = |points: &[f64]| {
        points.windows(2).map(|pair| pair[1].total_cmp(&pair[0]) as i8).collect::<Vec<_>>()
    };
    let ties = |points: &[f64]| points.windows(2).any(|pair| pair[0] == pair[1]);
    match pattern {
        Pattern::Beyond { k } => series.last().is_some_and(|z| z.abs() > k),
        Pattern::SameSide { n } => last(n).is_some_and(|points| {
            points.iter().all(|z| *z > 0.0) || points.iter().all(|z| *z < 0.0)
        }),
        Pattern::Trend { n } => last(n).is_some_and(|points| {
            !ties(points)
                && (steps(points).iter().all(|s| *s > 0) || steps(points).iter().all(|s| *s < 0))
        }),
        Pattern::Alternating { n } => last(n).is_some_and(|points| {
            !ties(points) && steps(points).windows(2).all(|pair| pair[0] == -pair[1])
        }),
        Pattern::Cluster { k, n, zone, partial_window } => {
            let Some(points) = last(n).or(partial_window.then_some(series)) else { return false };
            let among =
                |side: f64| points.iter().filter(|z| *z * side > zone).count() >= k as usize;
            let here = |side: f64| series.last().is_some_and(|z| z * side > zone);
            [1.0, -1.0].into_iter().any(|side| among(side) && here(side))
        }
        Pattern::Within { n, zone } => {
            last(n).is_some_and(|points| points.iter().all(|z| z.abs() < zone))
        }
        Pattern::Outside { n, zone, both_sides } => last(n).is_some_and(|points| {
            let both = points.iter().any(|z| *z > 0.0) && points.iter().any(|z| *z < 0.0);
            points.iter().all(|z| z.abs() > zone) && (both || !both_sides)
        }),
    }
}

/// Every point of a series with gaps, by the definitions.
fn by_definition(rules: &RuleSet, series: &[Option<f64>]) -> Vec<Hits> {
    let mut since_gap = Vec::new();
    let judge = |z: &Option<f64>| {
        let Some(z) = z else {
            since_gap.clear();
            return Hits::NONE;
        };
        since_gap.push(*z);
        let hit = rules.rules().iter().filter(|rule| complete(rule.pattern(), &since_gap));
        hit.fold(Hits::NONE, |hits, rule| hits.with(rule.id()))
    };
    series.iter().map(judge).collect()
}

fn by_engine(rules: &RuleSet, series: &[Option<f64>]) -> Vec<Hits> {
    let mut engine = RuleEngine::new(rules.clone());
    let judge = |z: &Option<f64>| match z {
        Some(z) => engine.push(*z, *z),
        None => {
            engine.gap();
            Hits::NONE
        }
    };
    series.iter().map(judge).collect()
}

/// Values on a grid of a quarter sigma, so that ties with thresholds and with neighbours are common.
fn series() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![
        12 => (-14_i32..=14).prop_map(|quarter| Some(f64::from(quarter) / 4.0)),
        // Long quiet and long one-sided stretches, which uniform values never make.
        12 => (-3_i32..=3).prop_map(|quarter| Some(f64::from(quarter) / 4.0)),
        12 => (5_i32..=9).prop_map(|quarter| Some(f64::from(quarter) / 4.0)),
        1 => Just(None),
    ];
    prop::collection::vec(value, 0..120)
}

fn rule() -> impl Strategy<Value = Rule> {
    let n = 1_u32..12;
    let zone = prop_oneof![Just(0.5), Just(1.0), Just(2.0)];
    let pattern = prop_oneof![
        (1_u32..4).prop_map(|k| Pattern::Beyond { k: f64::from(k) }),
        n.clone().prop_map(|n| Pattern::SameSide { n }),
        // A trend of one point is no trend, and the definitions leave it open.
        (2_u32..8).prop_map(|n| Pattern::Trend { n }),
        (2_u32..8).prop_map(|n| Pattern::Alternating { n }),
        (1_u32..6, 1_u32..9, zone.clone(), any::<bool>()).prop_map(
            |(k, n, zone, partial_window)| {
                Pattern::Cluster { k: k.min(n), n, zone, partial_window }
            }
        ),
        (n.clone(), zone.clone()).prop_map(|(n, zone)| Pattern::Within { n, zone }),
        (n, zone, any::<bool>()).prop_map(|(n, zone, both_sides)| Pattern::Outside {
            n,
            zone,
            both_sides
        }),
    ];
    pattern.prop_map(|pattern| Rule::new(RuleId::N1, pattern))
}

proptest! {
    /// Shows: SPC-02
    #[test]
    fn the_engine_agrees_with_the_definitions(series in series(), rule in rule()) {
        let rules = RuleSet::custom([rule]);
        prop_assert_eq!(by_engine(&rules, &series), by_definition(&rules, &series));
    }

    #[test]
    fn the_standard_rules_agree_with_the_definitions(series in series()) {
        let rules = RuleSet::standard(&RuleId::ALL);
        prop_assert_eq!(by_engine(&rules, &series), by_definition(&rules, &series));
    }

    #[test]
    fn what_follows_a_gap_does_not_know_what_came_before(before in series(), after in series()) {
        let rules = RuleSet::nelson();
        let joined = [before.as_slice(), &[None], after.as_slice()].concat();
        let hits = by_engine(&rules, &joined).split_off(before.len() + 1);
        prop_assert_eq!(hits, by_engine(&rules, &after));
    }
}

#[test]
fn a_point_on_a_limit_is_not_beyond_it_even_after_rounding() {
    let mut engine = RuleEngine::new(RuleSet::nelson());
    assert!(!engine.push(0.0, 3.0 + 1e-12).contains(RuleId::N1));
    assert!(engine.push(0.0, 3.0 + 1e-6).contains(RuleId::N1));
}

#[test]
fn lengths_beyond_a_machine_word_are_cut_and_not_trusted() {
    let endless = Pattern::Cluster { k: 1000, n: u32::MAX, zone: 1.0, partial_window: false };
    let Pattern::Cluster { k, n, .. } = Rule::new(RuleId::N5, endless).pattern() else {
        panic!("another pattern")
    };
    assert_eq!((k, n), (64, 64));
    let mut engine = RuleEngine::new(RuleSet::custom([Rule::new(RuleId::N5, endless)]));
    let first = (1..=70).find(|_| engine.push(2.0, 2.0).contains(RuleId::N5));
    assert_eq!(first, Some(64));
}

#[test]
fn names_lead_back_to_their_rules() {
    for id in RuleId::ALL {
        assert_eq!(RuleId::parse(id.name()), Some(id));
        assert!(!id.meaning().is_empty());
    }
    assert_eq!(RuleId::parse("N9"), None);
}

#[test]
fn panels_of_dispersion_get_no_zone_rules() {
    let ids = |rules: RuleSet| rules.rules().iter().map(Rule::id).collect::<Vec<_>>();
    assert_eq!(
        ids(RuleSet::nelson().for_dispersion()),
        [RuleId::N1, RuleId::N2, RuleId::N3, RuleId::N4]
    );
    let western_electric = RuleSet::standard(&RuleId::ALL[8..12]);
    assert_eq!(ids(western_electric.for_dispersion()), [RuleId::We1, RuleId::We4]);
    // AIAG SPC, 2nd edition: Nelson's with a run of seven.
    use RuleId::*;
    let aiag = RuleSet::standard(&[N1, Aiag2, N3, N4, N5, N6, N7, N8]);
    assert_eq!(ids(aiag.for_dispersion()), [N1, Aiag2, N3, N4]);
}
