//! `capline oee FILE.json`: times and quantities → availability, performance, quality and OEE.
//!
//! The input and the report are the contract of the command. Numbers are taken as the decimals that
//! are written, calculated as exact fractions and rounded once, when they become JSON.
//!
//! The total is calculated from the sums of its buckets, never as a mean of their KPIs.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::oee::{Ratio, running_too};

/// The file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Seconds of an ideal cycle: a number, or a fraction in a text such as `"60/6500"`.
    pub ideal_cycle_s: Option<Cycle>,
    /// The periods, in any order.
    pub buckets: Vec<Bucket>,
}

/// Seconds for one item.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Cycle {
    /// As a number.
    Number(f64),
    /// As a fraction, because 6,500 a minute has no exact decimal cycle.
    Fraction(String),
}

/// One period.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Planned busy time in seconds: after planned stops, unknown time included.
    pub planned_s: f64,
    /// Running time in seconds.
    pub run_s: f64,
    /// Time of which nothing is known, in seconds.
    #[serde(default)]
    pub unknown_s: f64,
    /// Items made, good and bad.
    pub total: Option<f64>,
    /// Of these, bad.
    pub bad: Option<f64>,
    /// Performance, if it is given instead of counts.
    pub performance: Option<f64>,
    /// Quality, if it is given instead of counts.
    pub quality: Option<f64>,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// One entry for each bucket.
    pub buckets: Vec<Kpis>,
    /// All buckets together.
    pub total: Kpis,
    /// What is suspicious, in words.
    pub flags: Vec<String>,
}

/// The KPIs of one period as parts of 1; `null` is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Kpis {
    /// Running time / planned busy time.
    pub availability: Option<f64>,
    /// Ideal time of what was made / running time. Not capped.
    pub performance: Option<f64>,
    /// Good / made.
    pub quality: Option<f64>,
    /// Ideal time of what was good / planned busy time: unknown time counts as stopped.
    pub oee: Option<f64>,
    /// The same: unknown time counts as stopped.
    pub oee_low: Option<f64>,
    /// Unknown time counts as running like the known time.
    pub oee_high: Option<f64>,
    /// The part of the planned busy time of which something is known.
    pub coverage: Option<f64>,
}

/// One thing in the file that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `buckets[2].run_s`.
    pub place: String,
    /// What was found.
    pub value: String,
    /// What is wrong with it, and the way out.
    pub why: &'static str,
}

/// Everything in the file that makes no sense, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self
            .0
            .iter()
            .map(|Problem { place, value, why }| format!("{place}: {value} {why}"))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// Exact sums of one or more buckets, in seconds.
#[derive(Clone, Copy)]
struct Sums {
    planned: Ratio,
    run: Ratio,
    unknown: Ratio,
    /// Ideal time of what was made; `None` if that is not known.
    made: Option<Ratio>,
    /// Ideal time of what was good.
    good: Option<Ratio>,
    /// What was made and what was good, if nothing but counts is known of them.
    counted: Option<(Ratio, Ratio)>,
    /// OEE at its highest times the planned time.
    highest: Option<Ratio>,
}

/// Calculates all KPIs, or names everything that makes no sense.
pub fn kpis(input: &Input) -> Result<Report, Problems> {
    let mut problems = Vec::new();
    let ideal = read_cycle(input.ideal_cycle_s.as_ref(), &mut problems);
    let mut flags = Vec::new();
    let mut sums = Vec::with_capacity(input.buckets.len());
    for (index, bucket) in input.buckets.iter().enumerate() {
        let place = format!("buckets[{index}]");
        let mut reader = Reader { place: &place, problems: &mut problems };
        if let Some(bucket) = reader.bucket(bucket, ideal) {
            bucket.remark(&place, &mut flags);
            sums.push(bucket);
        }
    }
    if input.buckets.is_empty() {
        let why = "holds no bucket; add one for each period";
        problems.push(Problem { place: "buckets".to_owned(), value: "[]".to_owned(), why });
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let total = sums.iter().fold(Sums::NONE, Sums::plus);
    Ok(Report { buckets: sums.iter().map(Sums::kpis).collect(), total: total.kpis(), flags })
}

impl Sums {
    const NONE: Sums = Sums {
        planned: Ratio::ZERO,
        run: Ratio::ZERO,
        unknown: Ratio::ZERO,
        made: Some(Ratio::ZERO),
        good: Some(Ratio::ZERO),
        counted: Some((Ratio::ZERO, Ratio::ZERO)),
        highest: Some(Ratio::ZERO),
    };

    /// Both periods together. What is unknown of one is unknown of both.
    fn plus(self, other: &Sums) -> Sums {
        let both = |a: Option<Ratio>, b: Option<Ratio>| a.zip(b).map(|(a, b)| a.plus(b));
        let counted = self.counted.zip(other.counted);
        Sums {
            planned: self.planned.plus(other.planned),
            run: self.run.plus(other.run),
            unknown: self.unknown.plus(other.unknown),
            made: both(self.made, other.made),
            good: both(self.good, other.good),
            counted: counted.map(|((made, good), (more, kept))| (made.plus(more), good.plus(kept))),
            highest: both(self.highest, other.highest),
        }
    }

    fn kpis(&self) -> Kpis {
        let value = |ratio: Option<Ratio>| ratio.map(Ratio::value);
        let of_planned = |part: Option<Ratio>| value(part.and_then(|part| part.over(self.planned)));
        let unknown = self.unknown.over(self.planned).map(|unknown| unknown.min(Ratio::ONE));
        let coverage =
            unknown.and_then(|unknown| Ratio::new(unknown.den() - unknown.num(), unknown.den()));
        Kpis {
            availability: of_planned(Some(self.run)),
            performance: value(self.performance()),
            quality: value(self.quality()),
            oee: of_planned(self.good),
            oee_low: of_planned(self.good),
            // Equal but for the last bit where factors have too many decimals to stay exact.
            oee_high: of_planned(self.highest.max(self.good)),
            coverage: value(coverage),
        }
    }

    fn performance(&self) -> Option<Ratio> {
        self.made?.over(self.run)
    }

    /// By counts where there are counts, otherwise by their ideal times.
    fn quality(&self) -> Option<Ratio> {
        match (self.counted, self.made.zip(self.good)) {
            (Some((made, good)), _) | (None, Some((made, good))) => good.over(made),
            (None, None) => None,
        }
    }

    /// Notes what is possible but suspicious.
    fn remark(&self, place: &str, flags: &mut Vec<String>) {
        if self.performance().is_some_and(|performance| performance > Ratio::ONE) {
            flags.push(format!("{place}: performance above 100 %: the ideal cycle is too long"));
        }
        if self.run.plus(self.unknown) > self.planned {
            flags.push(format!("{place}: running and unknown time exceed the planned time"));
        }
        if self.run == Ratio::ZERO && self.made.is_some_and(|made| made > Ratio::ZERO) {
            flags.push(format!("{place}: items were made without running time"));
        }
    }
}

/// Reads one bucket and collects what is wrong with it.
struct Reader<'a> {
    place: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn bucket(&mut self, bucket: &Bucket, ideal: Option<Ratio>) -> Option<Sums> {
        let planned = self.number("planned_s", bucket.planned_s);
        let run = self.number("run_s", bucket.run_s);
        let unknown = self.number("unknown_s", bucket.unknown_s);
        let counted = self.counted(bucket)?;
        let given = self.given(bucket)?;
        let (planned, run, unknown) = (planned?, run?, unknown?);
        let made_and_good = match (given, counted, ideal) {
            (Some((performance, quality)), _, _) => {
                let made = run.times(performance);
                Some((made, made.times(quality)))
            }
            (None, Some((made, good)), Some(ideal)) => Some((made.times(ideal), good.times(ideal))),
            _ => None,
        };
        let (made, good) = made_and_good.unzip();
        let highest = good.map(|good| running_too(good, run, unknown));
        let counted = counted.filter(|_| given.is_none());
        Some(Sums { planned, run, unknown, made, good, counted, highest })
    }

    /// What was made and what of it was good. The outer `None` is a problem.
    fn counted(&mut self, bucket: &Bucket) -> Option<Option<(Ratio, Ratio)>> {
        let Some(total) = bucket.total else {
            return match bucket.bad {
                Some(bad) => self.report("bad", bad, "has no total to be a part of; add total"),
                None => Some(None),
            };
        };
        let bad = bucket.bad.unwrap_or(0.0);
        let (made, lost) = (self.whole("total", total)?, self.whole("bad", bad)?);
        match made.checked_sub(lost) {
            Some(good) => Some(Some((Ratio::whole(made), Ratio::whole(good)))),
            None => self.report("bad", bad, "is more than the total; total counts good and bad"),
        }
    }

    /// Performance and quality as given. The outer `None` is a problem.
    fn given(&mut self, bucket: &Bucket) -> Option<Option<(Ratio, Ratio)>> {
        match (bucket.performance, bucket.quality) {
            (None, None) => Some(None),
            (Some(found), _) | (_, Some(found)) if bucket.total.is_some() => {
                self.report("performance", found, "stands beside a total; give counts or factors")
            }
            (_, Some(quality)) if quality > 1.0 => {
                self.report("quality", quality, "is more than all of it; give a fraction up to 1")
            }
            (Some(performance), Some(quality)) => {
                let performance = self.number("performance", performance);
                let quality = self.number("quality", quality);
                Some(Some((performance?, quality?)))
            }
            (Some(found), None) => {
                self.report("quality", found, "is only the performance; add quality")
            }
            (None, Some(found)) => {
                self.report("performance", found, "is only the quality; add performance")
            }
        }
    }

    fn number(&mut self, field: &str, found: f64) -> Option<Ratio> {
        let number = Ratio::decimal(found);
        number.or_else(|| self.report(field, found, "is no number from 0 to 1e15; correct it"))
    }

    fn whole(&mut self, field: &str, found: f64) -> Option<u64> {
        match (0.0..9e15).contains(&found) && found.fract() == 0.0 {
            true => Some(found as u64),
            false => self.report(field, found, "is no whole number of items; correct it"),
        }
    }

    fn report<T>(&mut self, field: &str, found: f64, why: &'static str) -> Option<T> {
        let place = format!("{}.{field}", self.place);
        self.problems.push(Problem { place, value: found.to_string(), why });
        None
    }
}

fn read_cycle(cycle: Option<&Cycle>, problems: &mut Vec<Problem>) -> Option<Ratio> {
    let cycle = cycle?;
    let (ratio, value) = match cycle {
        Cycle::Number(seconds) => (Ratio::decimal(*seconds), seconds.to_string()),
        Cycle::Fraction(text) => (read_fraction(text), text.clone()),
    };
    if ratio.is_none_or(|ratio| ratio == Ratio::ZERO) {
        let why = "is no time above 0; write seconds such as 0.5, or \"60/6500\"";
        problems.push(Problem { place: "ideal_cycle_s".to_owned(), value, why });
    }
    ratio
}

fn read_fraction(text: &str) -> Option<Ratio> {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    let number = |text: &str| Ratio::decimal(text.trim().parse().ok()?);
    number(num)?.over(number(den)?)
}
