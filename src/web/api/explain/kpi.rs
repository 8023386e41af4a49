//! KPIs of ISO 22400-2 with their formulas.

use domain::line::kpi::{Kpis, Policy};
use domain::line::oee::Ratio;

use super::count::Pick;
use super::figures::{Figure, capsules, exactly, fraction, percent_text, rate_of, whole};
use super::time::time;
use super::{Explained, Facts, InputView, ResultView};
use crate::web::pages::words::{hms, num};

impl Facts {
    fn kpis(&self) -> Kpis {
        let policy = Policy::per_minute(self.config.target_per_minute);
        let kpis = Kpis::of_all(&self.periods, &self.wanted.stations, &policy);
        if self.setup_known { kpis } else { kpis.without_setup() }
    }

    pub(super) fn mean_time(&self, value: Explained) -> Figure {
        let kpis = self.kpis();
        let elements = kpis.elements;
        let failures = i64::try_from(elements.failures).unwrap_or(i64::MAX);
        let stops = InputView { unit: "stops", ..time("failures", "n", "", failures) };
        let (mean, us, id, formula, iso) = match value {
            Explained::Mtbf => (
                kpis.mtbf_us,
                elements.between_failures_us,
                "between_failures",
                "ΣTBF / n",
                "mean operating time between failures (MTBF)",
            ),
            _ => (
                kpis.mttr_us,
                elements.repair_us,
                "repair",
                "ΣTTR / n",
                "mean time to repair (MTTR)",
            ),
        };
        if value == Explained::Mtbf && !self.setup_known {
            let (worked, inputs) = ("–".to_owned(), Vec::new());
            return Figure { unit: "us", result: None, formula, iso, worked, inputs, exact: true };
        }
        let symbol = if value == Explained::Mtbf { "ΣTBF" } else { "ΣTTR" };
        let us = whole(us);
        let best = mean.map(|us| us.value());
        Figure {
            unit: "us",
            result: best.map(exactly),
            formula,
            iso,
            worked: format!(
                "{} / {failures} = {}",
                hms(us),
                best.map_or_else(|| "–".to_owned(), |us| hms(us as i64))
            ),
            inputs: vec![time(id, symbol, "", us), stops],
            exact: true,
        }
    }

    pub(super) fn kpi(&self, value: Explained) -> Figure {
        let kpis = self.kpis();
        let elements = kpis.elements;
        let rate = self.config.target_per_minute;
        let good = self.total(&[Pick::Good, Pick::Samples]);
        let made = self.total(&[Pick::Good, Pick::Samples, Pick::Rejected]);
        let rejected = self.total(&[Pick::Rejected]);
        let (busy_us, run_us) = (whole(elements.planned_busy_us), whole(elements.production_us));
        let (order_us, unknown_us) = (whole(elements.order_us), whole(elements.unknown_us));
        let busy = time("busy", "PBT", "", busy_us);
        let run = InputView { in_rows: false, ..time("run", "APT", "", run_us) };
        let pri = rate_of("target_rate", "1/PRI", rate);
        let gq = capsules("good_samples", "GQ", good);
        let pq = capsules("produced", "PQ", made);
        let good_parts = || self.parts(&[Pick::Good, Pick::Samples], "GQ");
        let made_parts = || self.parts(&[Pick::Good, Pick::Samples, Pick::Rejected], "PQ");
        let hundred = |ratio: Option<Ratio>| ratio.map(|ratio| ratio.value() * 100.0);
        let scaled = |best: Option<f64>, low: u64, middle: u64, high: u64| {
            best.map(|best| {
                let by = |n: u64| if middle == 0 { 0.0 } else { best * n as f64 / middle as f64 };
                ResultView { best, low: by(low), high: Some(by(high)) }
            })
        };
        let (formula, iso, result, inputs, worked) = match value {
            Explained::Availability => {
                let best = hundred(kpis.availability);
                let high = fraction((run_us + unknown_us).unsigned_abs(), busy_us.unsigned_abs());
                (
                    "APT / PBT",
                    "availability",
                    best.map(|best| ResultView { best, low: best, high }),
                    [vec![run, busy], self.busy_parts()].concat(),
                    format!("{} / {} = {}", hms(run_us), hms(busy_us), percent_text(best, 2)),
                )
            }
            Explained::Performance => {
                let best = hundred(kpis.effectiveness);
                (
                    "PRI · PQ / APT",
                    "effectiveness",
                    scaled(best, made.low(), made.best(), made.high()),
                    [vec![pri, pq, run], made_parts()].concat(),
                    format!(
                        "{} / ({}/min) / {} = {}",
                        num(made.best()),
                        num(rate),
                        hms(run_us),
                        percent_text(best, 2)
                    ),
                )
            }
            Explained::Quality => {
                let best = hundred(kpis.quality_ratio);
                let share = |x: u64, y: u64| fraction(x, x.saturating_add(y));
                (
                    "GQ / PQ",
                    "quality ratio",
                    best.map(|best| ResultView {
                        best,
                        low: share(good.low(), rejected.high()).unwrap_or(0.0),
                        high: share(good.high(), rejected.low()),
                    }),
                    [vec![gq, pq], good_parts(), made_parts()].concat(),
                    format!(
                        "{} / {} = {}",
                        num(good.best()),
                        num(made.best()),
                        percent_text(best, 2)
                    ),
                )
            }
            Explained::Throughput => {
                let best = kpis.throughput_per_minute.map(Ratio::value);
                let rounded = best.map_or_else(|| "–".to_owned(), |rate| num(rate.round() as u64));
                (
                    "PQ / AOET",
                    "throughput rate",
                    scaled(best, made.low(), made.best(), made.high()),
                    [vec![pq, time("order", "AOET", "", order_us)], made_parts()].concat(),
                    format!("{} / {} = {rounded}/min", num(made.best()), hms(order_us)),
                )
            }
            _ => {
                let best = hundred(kpis.oee);
                let between = kpis.oee_between;
                (
                    "PRI · GQ / PBT",
                    "OEE index",
                    best.map(|best| ResultView {
                        best,
                        low: hundred(between.map(|(low, _)| low)).unwrap_or(best),
                        high: hundred(between.map(|(_, high)| high)),
                    }),
                    [vec![pri, gq, busy], good_parts(), self.busy_parts()].concat(),
                    format!(
                        "{} / ({}/min) / {} = {}",
                        num(good.best()),
                        num(rate),
                        hms(busy_us),
                        percent_text(best, 2)
                    ),
                )
            }
        };
        let exact = self.is_whole(&[Pick::Good, Pick::Samples, Pick::Rejected]);
        let is_told = self.setup_known || result.is_some();
        let inputs = if is_told { inputs } else { Vec::new() };
        let worked = if is_told { worked } else { "–".to_owned() };
        let unit = if value == Explained::Throughput { "per_minute" } else { "percent" };
        Figure { unit, result, formula, iso, worked, inputs, exact }
    }
}
