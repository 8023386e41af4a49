//! Fractions of rejects: of what was judged, of what went in, or of nothing that is known.

use super::count::Pick;
use super::figures::{Figure, capsules, fraction, percent_text};
use super::{Facts, ResultView};
use crate::web::api::flow::Flow;
use crate::web::pages::words::num;

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

    pub(super) fn reject_fraction(&self) -> Figure {
        let (good, rejected) = (self.total(&[Pick::Good]), self.total(&[Pick::Rejected]));
        let share = |x: u64, y: u64| fraction(x, x.saturating_add(y));
        let best = share(rejected.best(), good.best());
        let result = best.map(|best| ResultView {
            best,
            low: share(rejected.low(), good.high()).unwrap_or(0.0),
            high: share(rejected.high(), good.low()),
        });
        let mut inputs = vec![capsules("rejected", "X", rejected), capsules("good", "N", good)];
        inputs.extend(self.parts(&[Pick::Rejected], "X"));
        inputs.extend(self.parts(&[Pick::Good], "N"));
        let (x, n) = (num(rejected.best()), num(good.best()));
        Figure {
            unit: "percent",
            result,
            formula: "X / (X + N)",
            iso: "",
            worked: format!("{x} / ({x} + {n}) = {}", percent_text(best, 3)),
            inputs,
            exact: self.is_whole(&[Pick::Rejected]) && self.is_whole(&[Pick::Good]),
        }
    }

    /// Of what the rejects of the station are a part.
    pub(super) fn flow(&self) -> Flow {
        let counts = self.periods.iter().flat_map(|period| &period.counts);
        Flow::of(&self.config, counts, |station| *station == self.wanted.station)
    }

    /// Rejects in what went in, of a machine that does not count what is good.
    pub(super) fn infeed_fraction(&self) -> Figure {
        let [rejected, infeed] = [Pick::Rejected, Pick::Infeed].map(|pick| self.total(&[pick]));
        let best = fraction(rejected.best(), infeed.best());
        let result = best.map(|best| ResultView {
            best,
            low: fraction(rejected.low(), infeed.high()).unwrap_or(0.0),
            high: fraction(rejected.high(), infeed.low()),
        });
        let mut inputs = vec![capsules("rejected", "X", rejected), capsules("infeed", "I", infeed)];
        inputs.extend(self.parts(&[Pick::Rejected], "X"));
        inputs.extend(self.parts(&[Pick::Infeed], "I"));
        let (x, i) = (num(rejected.best()), num(infeed.best()));
        Figure {
            unit: "percent",
            result,
            formula: "X / I",
            iso: "",
            worked: format!("{x} / {i} = {}", percent_text(best, 4)),
            inputs,
            exact: self.is_whole(&[Pick::Rejected]) && self.is_whole(&[Pick::Infeed]),
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
