//! The drawings of a report: vectors, so that paper shows them as sharp as it can. They draw what was computed elsewhere.

use std::fmt::Write;

use domain::line::curve::{Curve, CurvePoint};
use domain::quality::characteristic::{Characteristic, ChartKind};
use domain::units::{Count, HOUR_US, MINUTE_US};
use maud::{Markup, html};

use super::paper::Sheet;
use super::signals::Charted;
use crate::web::i18n::Key;
use crate::web::pages::spc::name;
use crate::web::pages::words::{hm, num};

const WIDTH: f64 = 1_000.0;
/// Room for numbers at the left and for times below.
const LEFT: f64 = 84.0;
const BELOW: f64 = 24.0;
/// Room for half a number above.
const ABOVE: f64 = 14.0;
/// Charts on paper. The file that is kept has all.
const CHARTS: usize = 6;

/// A scale has no more numbers than this.
const MOST_NUMBERS: usize = 6;

/// From what was counted to the paper.
struct Frame {
    span: (i64, i64),
    low: f64,
    high: f64,
    height: f64,
}

impl Frame {
    fn x(&self, us: i64) -> f64 {
        let share = (us - self.span.0) as f64 / (self.span.1 - self.span.0).max(1) as f64;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        ABOVE + (self.height - BELOW - ABOVE) * (1.0 - share.clamp(0.0, 1.0))
    }

    /// The lines of the grid: whole hours, and round numbers of the scale in these words.
    fn grid(&self, sheet: &Sheet<'_>, words: impl Fn(f64) -> String) -> Markup {
        let step = HOUR_US * ((self.span.1 - self.span.0) / HOUR_US / 12 + 1);
        let first = self.span.0 - self.span.0.rem_euclid(HOUR_US) + HOUR_US;
        let hours = (0..).map(|i| first + i * step).take_while(|hour| *hour < self.span.1);
        html! {
            @for value in round_numbers(self.low, self.high) {
                line.grid x1=(LEFT) x2=(WIDTH) y1=(at(self.y(value))) y2=(at(self.y(value))) {}
                text x=(LEFT - 6.0) y=(at(self.y(value) + 4.0)) text-anchor="end" { (words(value)) }
            }
            @for hour in hours {
                line.grid x1=(at(self.x(hour))) x2=(at(self.x(hour))) y1=(ABOVE) y2=(at(self.height - BELOW)) {}
                // A time at the right end stands before its line, or it would be cut.
                text x=(at(self.x(hour))) y=(at(self.height - 6.0)) text-anchor=(if self.x(hour) > WIDTH - 24.0 { "end" } else { "middle" }) { (hm(sheet.zone, hour)) }
            }
        }
    }
}

impl Sheet<'_> {
    /// Good capsules over the period, against the target rate.
    pub(super) fn curve(&self) -> Markup {
        let (lang, facts) = (self.lang, self.facts);
        let target = self.config.target_per_minute;
        let minutes = (facts.span.1 - facts.span.0) as f64 / MINUTE_US as f64;
        // What was made in a gap is told in its table: here it would be a step that no minute has.
        let Curve { points, holes, .. } =
            Curve::of(&facts.minutes, facts.span, &self.config.output, &[]);
        let made = points.last().map_or(0, |point| point.good.high());
        let high = (made as f64).max(target as f64 * minutes).max(1.0);
        let frame = Frame { span: facts.span, low: 0.0, high, height: 200.0 };
        let path = |of: fn(Count) -> u64| {
            let place = |at: &CurvePoint| (frame.x(at.at_us), frame.y(of(at.good) as f64));
            steps(points.iter().map(place))
        };
        let summary = lang.say(Key::CurveSummary);
        let best = points.last().map_or(0, |point| point.good.best());
        let summary = summary.replace("{made}", &num(best)).replace("{target}", &num(target));
        html! {
            section aria-labelledby="curve" {
                h2 #curve { (lang.mark(Key::CurveTitle)) }
                svg.figure viewBox={ "0 0 " (WIDTH) " " (frame.height) } role="img" aria-label=(summary) {
                    @for (from, to) in holes {
                        rect.hole x=(at(frame.x(from))) width=(at(frame.x(to) - frame.x(from))) y=(ABOVE) height=(frame.height - BELOW - ABOVE) {}
                    }
                    (frame.grid(self, |value| num(value as u64)))
                    line.aim x1=(at(frame.x(frame.span.0))) y1=(at(frame.y(0.0))) x2=(at(frame.x(frame.span.1))) y2=(at(frame.y(target as f64 * minutes))) {}
                    path.doubt d=(path(Count::low)) {}
                    path.doubt d=(path(Count::high)) {}
                    path.stat d=(path(Count::best)) {}
                }
                p.small { (summary) }
            }
        }
    }

    /// The charts that were judged, those that differ most first.
    pub(super) fn charts(&self) -> Markup {
        let (lang, all) = (self.lang, self.facts.charts.len());
        let n = self.listed(CHARTS).min(all);
        let note = || lang.say(Key::ChartsListed).replace("{n}", &n.to_string());
        html! {
            @if all > 0 {
                section aria-labelledby="charts" {
                    h2 #charts { (lang.mark(Key::ControlCharts)) }
                    @if n < all { p.small { (note().replace("{all}", &all.to_string())) } }
                    @for chart in self.facts.charts.iter().take(n) { (self.chart(chart)) }
                }
            }
        }
    }

    fn chart(&self, chart: &Charted) -> Markup {
        let lang = self.lang;
        let known = self.config.characteristics.iter().find(|one| *one.id == *chart.id);
        let title = known.map_or_else(|| chart.id.clone(), |one| name(lang, one));
        let length = known.map_or(MINUTE_US, Characteristic::subgroup_us);
        let points: Vec<_> =
            chart.judged.iter().map(|judged| (judged.subgroup.start_us, &judged.point)).collect();
        let values = points.iter().flat_map(|(_, p)| [p.stat, p.lcl, p.cl, p.ucl]).flatten();
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
        let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(1.0)) };
        let margin = (high - low) * 0.05;
        // Fractions and rates are shown per million and are never below nothing.
        let counts = known.is_some_and(|one| {
            use ChartKind::{P, PPrime, U, UPrime};
            matches!(one.kind, PPrime | P | UPrime | U)
        });
        let (factor, unit) = if counts { (1e6, " · ppm") } else { (1.0, "") };
        let floor = if counts { 0.0 } else { f64::MIN };
        let low = (low - margin).max(floor);
        let frame = Frame { span: self.facts.span, low, high: high + margin, height: 150.0 };
        let limit = |of: fn(&domain::spc::chart::Point) -> Option<f64>| {
            let mut path = String::new();
            for (start, point) in &points {
                let Some(value) = of(point) else { continue };
                let (from, to, y) = (frame.x(*start), frame.x(start + length), frame.y(value));
                let _ = write!(path, "M{from:.1} {y:.1}H{to:.1}");
            }
            path
        };
        let marked: Vec<_> = points
            .iter()
            .filter_map(|(start, point)| {
                Some((frame.x(start + length / 2), frame.y(point.stat?), point.hits))
            })
            .collect();
        let judged = points.iter().filter(|(_, point)| point.z.is_some()).count();
        let signals = chart.judged.iter().filter(|judged| judged.signals()).count();
        let summary = lang.say(Key::ControlSummary);
        let summary =
            summary.replace("{n}", &judged.to_string()).replace("{m}", &signals.to_string());
        html! {
            figure {
                figcaption { b { (title) } (unit) " · " (summary) }
                svg.figure viewBox={ "0 0 " (WIDTH) " " (frame.height) } role="img" aria-label={ (title) ": " (summary) } {
                    (frame.grid(self, |value| short(value * factor)))
                    path.limit d=(limit(|point| point.lcl)) {}
                    path.limit d=(limit(|point| point.ucl)) {}
                    path.centre d=(limit(|point| point.cl)) {}
                    path.stat d=(line(&points, length, &frame)) {}
                    @for (x, y, hits) in marked {
                        @if hits.is_empty() { circle.dot cx=(at(x)) cy=(at(y)) r="1.6" {} }
                        @else {
                            circle.hit cx=(at(x)) cy=(at(y)) r="4" {}
                            text.hit x=(at(x)) y=(at((y - 7.0).max(12.0))) text-anchor="middle" { (rules(hits)) }
                        }
                    }
                }
            }
        }
    }
}

/// The line from point to point, broken where there is none and where subgroups do not follow each other.
fn line(points: &[(i64, &domain::spc::chart::Point)], length: i64, frame: &Frame) -> String {
    let mut path = String::new();
    let mut last: Option<i64> = None;
    for (start, point) in points {
        let Some(stat) = point.stat else {
            last = None;
            continue;
        };
        let pen = if last.is_some_and(|last| start - last <= length) { 'L' } else { 'M' };
        let _ = write!(path, "{pen}{:.1} {:.1}", frame.x(start + length / 2), frame.y(stat));
        last = Some(*start);
    }
    path
}

fn steps(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (i, (x, y)) in points.enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    path
}

fn rules(hits: domain::spc::rules::Hits) -> String {
    hits.iter().map(|rule| rule.to_string()).collect::<Vec<_>>().join(" ")
}

/// A place with one decimal.
fn at(place: f64) -> String {
    format!("{place:.1}")
}

/// Two to five numbers between two others that are easily read: steps of 1, 2 or 5 times a power of ten.
fn round_numbers(low: f64, high: f64) -> Vec<f64> {
    let span = high - low;
    if span.is_nan() || span <= 0.0 {
        return vec![low];
    }
    let power = 10f64.powf((span / 2.0).log10().floor());
    let step = [5.0, 2.0, 1.0].map(|n| n * power).into_iter().find(|step| step * 2.0 <= span);
    let step = step.unwrap_or(power);
    let first = (low / step).ceil() as i64;
    let numbers = (first..).map(|i| i as f64 * step).take_while(|number| *number <= high);
    numbers.take(MOST_NUMBERS).collect()
}

/// A number of a scale in four digits, without zeros that say nothing.
fn short(value: f64) -> String {
    let value = if value.abs() < 1e-12 { 0.0 } else { value };
    match value.abs() {
        0.0 => "0".to_owned(),
        x if x >= 1_000.0 => num(value.max(0.0).round() as u64),
        x => {
            let decimals = (3 - x.log10().floor() as i32).clamp(0, 7) as usize;
            let text = format!("{value:.decimals$}");
            let text =
                if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            text.replace('-', "−")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_scale_are_round() {
        for (low, high, numbers) in [
            (0.0, 2_293_320.0, vec![0.0, 1e6, 2e6]),
            (0.0, 515.5, vec![0.0, 200.0, 400.0]),
            (-1.05, 1.05, vec![-1.0, 0.0, 1.0]),
            (490.0, 512.0, vec![490.0, 500.0, 510.0]),
            (0.0, 1.0, vec![0.0, 0.5, 1.0]),
        ] {
            assert_eq!(round_numbers(low, high), numbers, "{low} to {high}");
        }
        assert_eq!(round_numbers(5.0, 5.0), [5.0], "nothing lies between them");
    }

    #[test]
    fn numbers_of_a_scale_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.004_213, "0.004213"),
            (12.345, "12.35"),
            (6_500.0, "6,500"),
            (-0.05, "−0.05"),
            (400.0, "400"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
