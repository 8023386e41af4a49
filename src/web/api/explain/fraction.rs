//! Fractions of rejects: of what was judged, of what went in, or of nothing that is known.

use domain::line::output::Stations;

use super::count::Pick;
use super::figures::{Figure, capsules, fraction, percent_text};
use super::{Facts, ResultView};
use crate::web::api::flow::Flow;
use crate::web::pages::words::num;

/// What rejects are counted against.
struct Whole {
    /// Its input: name, letter in the formula, and which counters.
    input: (&'static str, &'static str, Pick),
    share: fn(u64, u64) -> Option<f64>,
    formula: &'static str,
    worked: fn(&str, &str) -> String,
    digits: usize,
}

impl Facts {
    /// Rejects of one reason in all that the station judged.
    pub(super) fn reason_fraction(&self) -> Figure {
        let [rejected, others, good] =
            [Pick::Rejected, Pick::OtherRejects, Pick::Good].map(|pick| self.total(&[pick]));
        let rest = others + good;
        let share = |x: u64, y: u64| fraction(x, x.saturating_add(y));
        let best = share(rejected.best(), rest.best());
        let result = best.map(|best| ResultView {
            best,
            low: share(rejected.low(), rest.high()).unwrap_or(0.0),
            high: share(rejected.high(), rest.low()),
        });
        let mut inputs = vec![
            capsules("rejected", "X", rejected),
            capsules("other_rejects", "O", others),
            capsules("good", "N", good),
        ];
        inputs.extend(self.parts(&[Pick::Rejected], "X"));
        inputs.extend(self.parts(&[Pick::OtherRejects], "O"));
        inputs.extend(self.parts(&[Pick::Good], "N"));
        let [x, o, n] = [rejected, others, good].map(|count| num(count.best()));
        let picks = [Pick::Rejected, Pick::OtherRejects, Pick::Good];
        Figure {
            unit: "percent",
            result,
            formula: "X / (X + O + N)",
            iso: "",
            worked: format!("{x} / ({x} + {o} + {n}) = {}", percent_text(best, 4)),
            inputs,
            exact: picks.iter().all(|pick| self.is_whole(&[*pick])),
        }
    }

    /// Rejects in all that was judged.
    pub(super) fn reject_fraction(&self) -> Figure {
        self.rejects_in(&Whole {
            input: ("good", "N", Pick::Good),
            share: |x, n| fraction(x, x.saturating_add(n)),
            formula: "X / (X + N)",
            worked: |x, n| format!("{x} / ({x} + {n})"),
            digits: 3,
        })
    }

    /// Of what the rejects of the station are a part.
    pub(super) fn flow(&self) -> Flow {
        let counts = self.periods.iter().flat_map(|period| &period.counts);
        Flow::of(&self.config, counts, |station| self.wanted.stations.has(station))
    }

    /// Rejects in what went in, of a machine that does not count what is good.
    pub(super) fn infeed_fraction(&self) -> Figure {
        self.rejects_in(&Whole {
            input: ("infeed", "I", Pick::Infeed),
            share: fraction,
            formula: "X / I",
            worked: |x, i| format!("{x} / {i}"),
            digits: 4,
        })
    }

    fn rejects_in(&self, whole: &Whole) -> Figure {
        let Whole { input: (name, letter, pick), share, formula, worked, digits } = *whole;
        let (rejected, other) = (self.total(&[Pick::Rejected]), self.total(&[pick]));
        let best = share(rejected.best(), other.best());
        let result = best.map(|best| ResultView {
            best,
            low: share(rejected.low(), other.high()).unwrap_or(0.0),
            high: share(rejected.high(), other.low()),
        });
        let mut inputs = vec![capsules("rejected", "X", rejected), capsules(name, letter, other)];
        inputs.extend(self.parts(&[Pick::Rejected], "X"));
        inputs.extend(self.parts(&[pick], letter));
        let worked = worked(&num(rejected.best()), &num(other.best()));
        Figure {
            unit: "percent",
            result,
            formula,
            iso: "",
            worked: format!("{worked} = {}", percent_text(best, digits)),
            inputs,
            exact: self.is_whole(&[Pick::Rejected]) && self.is_whole(&[pick]),
        }
    }

    /// Rejects of a machine that counts nothing else: they are a part of nothing that is known.
    pub(super) fn no_fraction(&self) -> Figure {
        let rejected = self.total(&[Pick::Rejected]);
        let mut inputs = vec![capsules("rejected", "X", rejected)];
        inputs.extend(self.parts(&[Pick::Rejected], "X"));
        Figure {
            unit: "percent",
            result: None,
            formula: "X / (X + N)",
            iso: "",
            worked: format!("{0} / ({0} + –) = –", num(rejected.best())),
            inputs,
            exact: self.is_whole(&[Pick::Rejected]),
        }
    }
}
