//! No table makes a chart panic.

use std::path::Path;

use clap::ValueEnum;
use proptest::prelude::*;

use super::*;

fn request<'a>(kind: Kind, rules: &'a [String], baseline: Option<Baseline>) -> Request<'a> {
    Request {
        kind,
        csv: Path::new("t.csv"),
        count: Some("a"),
        size: Some("b"),
        value: Some("a"),
        group: Some("b"),
        baseline,
        rules,
        settings: vec![("lam", 0.2)],
        svg: None,
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0_u32..200).prop_map(|n| n.to_string()),
        2 => Just(String::new()),
        1 => prop_oneof![Just("0"), Just("-1"), Just("1e308"), Just("-1e308"), Just("5e-324"), Just("NaN"), Just("inf")]
            .prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_table_makes_a_chart_panic(
        rows in prop::collection::vec([cell(), cell()], 0..60),
        pick in any::<prop::sample::Index>(),
        to in 2_usize..70,
        has_baseline in any::<bool>(),
    ) {
        let kinds = Kind::value_variants();
        let kind = kinds[pick.index(kinds.len())];
        let text: String = rows.iter().map(|[a, b]| format!("{a},{b}\n")).collect();
        let rules: Vec<String> = known_rules().into_iter().map(str::to_owned).collect();
        let baseline = has_baseline.then_some(Baseline { from: 1, to });
        match chart(&request(kind, &rules, baseline), &format!("a,b\n{text}")) {
            Ok(chart) => {
                prop_assert!(chart.text.contains("status "));
                // Between the tags stands text, in which a label may well be "NaN".
                let tags: String =
                    chart.svg.split('<').filter_map(|tag| tag.split('>').next()).collect();
                prop_assert!(!tags.contains("NaN") && !tags.contains("inf"));
            }
            Err(message) => prop_assert!(!message.is_empty()),
        }
    }

    #[test]
    fn no_bytes_make_a_chart_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let rules = vec!["N1".to_owned()];
        let _ = chart(&request(Kind::IMr, &rules, None), &text);
        let _ = chart(&request(Kind::IMr, &rules, None), &format!("a,b\n{text}"));
    }
}
