//! Whether computed results agree with the expected ones, within the tolerance that the case states.

use serde_json::Value;

/// Where two results part.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Dotted path within `expected`.
    pub place: String,
    /// What the case says.
    pub expected: Value,
    /// What was computed; null when it is missing.
    pub computed: Value,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// How many values were compared: zero means that nothing was.
    pub compared: usize,
    /// Those that disagree.
    pub mismatches: Vec<Mismatch>,
}

/// Compares `computed` with `expected` of the case. Numbers pass within its tolerance, everything else exactly;
/// `expected.published` repeats printed book values and is left out.
pub fn compare(case: &Value, computed: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let tolerances = Tolerances { case: &case["tolerance"] };
    if let Some(expected) = case["expected"].as_object() {
        for (key, expected) in expected.iter().filter(|(key, _)| *key != "published") {
            match key.as_str() {
                // A zone chart is given as z; the law that made them is an echo of the chart they come from and
                // cannot be computed from this case. It is checked there.
                "estimates" if case["chart"] == "zone" => {}
                "points" => comparison.points(expected, &computed["panels"][0], &tolerances),
                _ => comparison.value(key, expected, computed.get(key), &tolerances),
            }
        }
    }
    comparison
}

impl Comparison {
    /// Whether something was compared and all of it agreed.
    pub fn agrees(&self) -> bool {
        self.compared > 0 && self.mismatches.is_empty()
    }

    fn value(
        &mut self,
        place: &str,
        expected: &Value,
        computed: Option<&Value>,
        tolerances: &Tolerances,
    ) {
        match (expected, computed) {
            (Value::Object(members), Some(Value::Object(computed))) => {
                for (key, expected) in
                    members.iter().filter(|(key, _)| *key != "published" && *key != "budget")
                {
                    self.value(&format!("{place}.{key}"), expected, computed.get(key), tolerances);
                }
            }
            (Value::Array(items), Some(Value::Array(computed)))
                if items.len() == computed.len() =>
            {
                for (i, (expected, computed)) in items.iter().zip(computed).enumerate() {
                    self.value(&format!("{place}.{i}"), expected, Some(computed), tolerances);
                }
                self.compared += usize::from(items.is_empty());
            }
            _ => {
                let agrees =
                    computed.is_some_and(|computed| tolerances.agree(place, expected, computed));
                self.note(place, expected, computed, agrees);
            }
        }
    }

    /// Single points of a large chart: `[{i, stat, …}]` against the arrays of its first panel.
    fn points(&mut self, expected: &Value, panel: &Value, tolerances: &Tolerances) {
        for (n, point) in expected.as_array().into_iter().flatten().enumerate() {
            let i = point["i"].as_u64().and_then(|i| usize::try_from(i).ok()).unwrap_or(usize::MAX);
            for (key, expected) in
                point.as_object().into_iter().flatten().filter(|(key, _)| *key != "i")
            {
                self.value(&format!("points.{n}.{key}"), expected, panel[key].get(i), tolerances);
            }
        }
    }

    fn note(&mut self, place: &str, expected: &Value, computed: Option<&Value>, agrees: bool) {
        self.compared += 1;
        if !agrees {
            let computed = computed.cloned().unwrap_or(Value::Null);
            self.mismatches.push(Mismatch {
                place: place.to_owned(),
                expected: expected.clone(),
                computed,
            });
        }
    }
}

struct Tolerances<'a> {
    case: &'a Value,
}

impl Tolerances<'_> {
    fn agree(&self, place: &str, expected: &Value, computed: &Value) -> bool {
        let whole = |value: &Value| value.is_u64() || value.is_i64();
        match (expected.as_f64(), computed.as_f64()) {
            // Counts, positions and degrees of freedom are exact.
            (Some(_), Some(_)) if whole(expected) && whole(computed) => expected == computed,
            (Some(want), Some(got)) => {
                let (rel, abs) = self.at(place);
                (got - want).abs() <= f64::max(abs, rel * want.abs())
            }
            _ => expected == computed,
        }
    }

    /// `(rel, abs)` of the longest path in `fields` that leads to `place`, or of the case.
    fn at(&self, place: &str) -> (f64, f64) {
        let leads = |path: &&String| {
            place
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let own = self.case["fields"].as_object().and_then(|fields| {
            let path = fields.keys().filter(leads).max_by_key(|path| path.len())?;
            fields.get(path)
        });
        let tolerance = own.unwrap_or(self.case);
        let part = |key: &str| tolerance[key].as_f64().unwrap_or(0.0);
        (part("rel"), part("abs"))
    }
}
