//! Formula, inputs and result of each number. Results come from where the screens have them; what is said of a formula is
//! checked by a test, which computes each result again from its inputs.

use domain::line::batch::{Bounded, Material};
use domain::line::rollup::asked;
use domain::line::status::SpeedStatus;
use domain::units::Count;

use super::count::Pick;
use super::time::time;
use super::{Explained, Facts, InputView, ResultView};
use crate::web::api::flow::Flow;
use crate::web::api::losses::LossView;
use crate::web::pages::words::{hms, num, signed};
use crate::web::view::TitleView;

/// A number with its formula.
pub(super) struct Figure {
    pub(super) unit: &'static str,
    pub(super) result: Option<ResultView>,
    pub(super) formula: &'static str,
    pub(super) iso: &'static str,
    pub(super) worked: String,
    pub(super) inputs: Vec<InputView>,
    /// Whether the rows of the minutes add up to the inputs that say so.
    pub(super) exact: bool,
}

impl Facts {
    /// A number with its formula.
    pub(super) fn figure(&self, value: Explained) -> Figure {
        let figure = self.figure_of(value);
        let of_counts = !value.is_of_now() && !value.is_of_stops() && value != Explained::Coverage;
        if of_counts && !self.is_read() {
            // Nothing was read: a zero would say that it was.
            return Figure { result: None, worked: "–".to_owned(), ..figure };
        }
        figure
    }

    fn figure_of(&self, value: Explained) -> Figure {
        match value {
            Explained::Good => self.sum(Pick::Good),
            Explained::Rejected => self.sum(Pick::Rejected),
            Explained::Infeed => self.sum(Pick::Infeed),
            Explained::Samples => self.sum(Pick::Samples),
            Explained::Gap => self.gap(),
            Explained::Difference => self.difference(),
            Explained::Forecast => self.forecast(),
            Explained::Speed => self.speed(),
            Explained::RejectFraction => match self.flow() {
                Flow::Judged if self.wanted.reason.is_some() => self.reason_fraction(),
                Flow::Judged => self.reject_fraction(),
                Flow::Infeed => self.infeed_fraction(),
                Flow::Untold => self.no_fraction(),
            },
            Explained::Coverage => self.coverage(),
            Explained::Yield => self.material(&[Pick::Good]),
            Explained::Balance => self.material(&[Pick::Good, Pick::Rejected, Pick::Samples]),
            Explained::LostTime | Explained::Unassigned | Explained::MicroStops => {
                self.of_stops(value)
            }
            Explained::Mtbf | Explained::Mttr => self.mean_time(value),
            Explained::Oee
            | Explained::Availability
            | Explained::Performance
            | Explained::Quality
            | Explained::Throughput => self.kpi(value),
        }
    }

    /// A counter as the sum of its parts.
    fn sum(&self, pick: Pick) -> Figure {
        let (total, parts) = (self.total(&[pick]), self.parts(&[pick], ""));
        let terms: Vec<String> = parts.iter().map(|part| signed_term(part.best)).collect();
        let formula = match ["going", "border", "unread"].map(|id| parts.iter().any(|p| p.id == id))
        {
            [false, false, false] => "N = M + G",
            [true, false, false] => "N = M + O + G",
            [false, true, false] => "N = M + G + B",
            [true, true, false] => "N = M + O + G + B",
            [false, false, true] => "N = M + G + U",
            [true, false, true] => "N = M + O + G + U",
            [false, true, true] => "N = M + G + B + U",
            [true, true, true] => "N = M + O + G + B + U",
        };
        Figure {
            unit: "capsules",
            result: Some(of_count(total)),
            formula,
            iso: "",
            worked: format!("{} = {}", terms.join(" + "), num(total.best())),
            inputs: parts,
            exact: self.is_whole(&[pick]),
        }
    }

    fn gap(&self) -> Figure {
        let gap = self.parts(&[Pick::Good], "").into_iter().find(|part| part.id == "gaps");
        let inputs: Vec<InputView> = gap.into_iter().collect();
        let result = inputs.first().map(|gap| ResultView {
            best: gap.best as f64,
            low: gap.low as f64,
            high: Some(gap.high as f64),
        });
        let worked = inputs.first().map_or_else(String::new, |gap| signed_term(gap.best));
        Figure { unit: "capsules", result, formula: "N = G", iso: "", worked, inputs, exact: true }
    }

    fn difference(&self) -> Figure {
        let (good, rate) = (self.total(&[Pick::Good]), self.config.target_per_minute);
        let recorded_us = self.recorded_us();
        let target = i128::from(asked(rate, recorded_us));
        let less = |n: u64| (i128::from(n) - target) as f64;
        let best = good.best() as i64 - i64::try_from(target).unwrap_or(i64::MAX);
        let mut inputs = vec![
            capsules("good", "N", good),
            rate_of("target_rate", "r", rate),
            time("recorded", "t", "", recorded_us),
        ];
        inputs.extend(self.parts(&[Pick::Good], "N"));
        inputs.extend(self.recorded_parts("t"));
        Figure {
            unit: "capsules",
            result: Some(ResultView {
                best: less(good.best()),
                low: less(good.low()),
                high: Some(less(good.high())),
            }),
            formula: "D = N − ⌊r · t⌉",
            iso: "",
            worked: format!(
                "{} − ⌊{}/min · {}⌉ = {}",
                num(good.best()),
                num(rate),
                hms(recorded_us),
                signed(best)
            ),
            inputs,
            exact: self.is_whole(&[Pick::Good]),
        }
    }

    /// Throughput of a window of the line now: position in [`domain::line::status::LineStatus::speeds`].
    fn window(&self, i: usize) -> Option<(SpeedStatus, f64)> {
        let speed = self.status.as_ref()?.speeds.get(i)?.clone();
        let rate = speed.per_minute?;
        Some((speed, rate))
    }

    fn speed(&self) -> Figure {
        let window = self.window(1);
        let (mut inputs, mut worked) = (Vec::new(), String::new());
        let result = window.map(|(speed, rate)| {
            inputs.push(capsules("window_count", "N", speed.count));
            inputs.push(time("window_time", "t", "", speed.covered_us));
            let seconds = speed.covered_us as f64 / 1e6;
            worked = format!(
                "{} / {seconds:.1} s · 60 s/min = {}/min",
                num(speed.count.best()),
                num(rate.round() as u64)
            );
            // Counts move by a stroke of the machine at once: that much is left open.
            ResultView {
                best: rate,
                low: (rate - speed.plus_minus).max(0.0),
                high: Some(rate + speed.plus_minus),
            }
        });
        Figure {
            unit: "per_minute",
            result,
            formula: "v = N / t",
            iso: "",
            worked,
            inputs,
            exact: false,
        }
    }

    fn forecast(&self) -> Figure {
        let shift = self.status.as_ref().and_then(|status| status.shift.clone());
        let (mut inputs, mut worked) = (Vec::new(), String::new());
        let result = shift.zip(self.window(2)).zip(self.status.as_ref()).and_then(
            |((shift, (speed, rate)), status)| {
                let left_us = (shift.end_us - status.at.utc_us).max(0);
                let forecast = shift.forecast?;
                inputs = vec![
                    capsules("good", "N", shift.good),
                    capsules("window_count", "n", speed.count),
                    time("window_time", "t", "", speed.covered_us),
                    time("left", "T", "", left_us),
                ];
                worked = format!(
                    "{} + {}/min · {} = {}",
                    num(shift.good.best()),
                    num(rate.round() as u64),
                    hms(left_us),
                    num(forecast)
                );
                Some(ResultView {
                    best: forecast as f64,
                    low: forecast as f64,
                    high: Some(forecast as f64),
                })
            },
        );
        Figure {
            unit: "capsules",
            result,
            formula: "F = N + n / t · T",
            iso: "",
            worked,
            inputs,
            exact: false,
        }
    }

    fn coverage(&self) -> Figure {
        let passed_us = self.passed_us();
        let unknown_us = self.time(domain::line::state::TimeClass::Unknown);
        let known_us = self.recorded_us() - unknown_us;
        let best = self.known_share().map(|share| share * 100.0);
        let mut inputs = vec![time("known", "k", "", known_us), time("passed", "t", "", passed_us)];
        inputs.extend(self.known_parts("k"));
        Figure {
            unit: "percent",
            result: best.map(exactly),
            formula: "k / t",
            iso: "",
            worked: format!("{} / {} = {}", hms(known_us), hms(passed_us), percent_text(best, 2)),
            inputs,
            exact: true,
        }
    }

    /// Part of what went in.
    fn material(&self, picks: &[Pick]) -> Figure {
        let (came_out, infeed) = (self.total(picks), self.total(&[Pick::Infeed]));
        let bounded = part_of(came_out, infeed);
        let id = if picks.len() == 1 { "good" } else { "came_out" };
        let mut inputs = vec![capsules(id, "N", came_out), capsules("infeed", "I", infeed)];
        inputs.extend(self.parts(picks, "N"));
        inputs.extend(self.parts(&[Pick::Infeed], "I"));
        let best = bounded.as_ref().map(|bounded| bounded.best.value() * 100.0);
        Figure {
            unit: "percent",
            result: bounded.map(|bounded| ResultView {
                best: bounded.best.value() * 100.0,
                low: bounded.low.value() * 100.0,
                high: bounded.high.map(|high| high.value() * 100.0),
            }),
            formula: "N / I",
            iso: "",
            worked: format!(
                "{} / {} = {}",
                num(came_out.best()),
                num(infeed.best()),
                percent_text(best, 2)
            ),
            inputs,
            exact: self.is_whole(picks) && self.is_whole(&[Pick::Infeed]),
        }
    }

    fn of_stops(&self, value: Explained) -> Figure {
        let mut inputs = Vec::new();
        if let Some(losses) = &self.losses {
            let stop = |ms: i64, title: Option<TitleView>, id| InputView {
                title,
                ..time(id, "S", "", ms * 1_000)
            };
            let of_loss = |loss: &LossView| stop(loss.ms, loss.title.clone(), loss.cause);
            match value {
                Explained::Unassigned => {
                    inputs.push(stop(losses.unassigned_ms, None, "unassigned"))
                }
                Explained::MicroStops => inputs.extend(losses.short().iter().map(of_loss)),
                _ => inputs.extend(losses.losses.iter().map(of_loss)),
            }
        }
        let us: i64 = inputs.iter().map(|input| input.best).sum();
        let terms: Vec<String> = inputs.iter().map(|input| hms(input.best)).collect();
        let worked =
            if inputs.is_empty() { hms(0) } else { format!("{} = {}", terms.join(" + "), hms(us)) };
        let result = self.losses.as_ref().map(|_| exactly(us as f64));
        Figure { unit: "us", result, formula: "Σ S", iso: "", worked, inputs, exact: false }
    }
}

/// A part of what went in, with the doubt of both.
fn part_of(good: Count, infeed: Count) -> Option<Bounded> {
    Material { infeed, good, rejected: Count::ZERO, sampled: Count::ZERO }.yield_ratio()
}

pub(super) fn capsules(id: &'static str, symbol: &'static str, count: Count) -> InputView {
    InputView {
        id,
        title: None,
        symbol,
        of: "",
        unit: "capsules",
        best: whole(count.best()),
        low: whole(count.low()),
        high: whole(count.high()),
        in_rows: false,
    }
}

pub(super) fn rate_of(id: &'static str, symbol: &'static str, per_minute: u64) -> InputView {
    InputView { unit: "per_minute", ..time(id, symbol, "", whole(per_minute)) }
}

/// A number of things; no line makes more than fit.
pub(super) fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn of_count(count: Count) -> ResultView {
    ResultView {
        best: count.best() as f64,
        low: count.low() as f64,
        high: Some(count.high() as f64),
    }
}

pub(super) fn exactly(x: f64) -> ResultView {
    ResultView { best: x, low: x, high: Some(x) }
}

/// A part in percent of a whole; none of nothing.
pub(super) fn fraction(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64 * 100.0)
}

pub(super) fn percent_text(percent: Option<f64>, decimals: usize) -> String {
    percent.map_or_else(|| "–".to_owned(), |percent| format!("{percent:.decimals$} %"))
}

/// A term of a sum; what is taken away stands in brackets.
fn signed_term(n: i64) -> String {
    if n < 0 { format!("({})", signed(n)) } else { num(n.unsigned_abs()) }
}
