//! The books compared with each other: seconds, minutes, hours, shifts, gaps, the ledger, and the plant database.
//!
//! The plant is looked at first and the journal then: what was stored in between is beyond the watermark that was seen, so
//! that it waits and is no difference. Nothing is mended in here, and nothing is written.

mod journal;
mod plant;

use std::collections::BTreeMap;
use std::path::Path;

use domain::line::minute::Counted;
use domain::line::output::Output;
use domain::units::{Count, LineId, StationId, TagId};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::archive::Settings;
use super::extract::{Account, Extract};
use crate::table::span::days;
use journal::LineBooks;
use plant::Books;

/// A counter: where and what.
pub(super) type Key = (StationId, Counted);
/// Sums counter by counter.
pub(super) type Counts = BTreeMap<Key, Count>;

/// A line as configured.
#[derive(Clone, Debug)]
pub struct ComparedLine {
    /// The line.
    pub line: LineId,
    /// The stations whose good capsules together are its output.
    pub output: Output,
    /// Its counters, as the ledger knows them, and what they count.
    pub tags: Vec<(TagId, StationId, Counted)>,
}

/// What is compared.
#[derive(Debug)]
pub struct Question<'a> {
    /// The directory of the journal.
    pub journal: &'a Path,
    /// The lines.
    pub lines: &'a [ComparedLine],
    /// Time zone of the days.
    pub zone: &'a TimeZone,
    /// The span in UTC microseconds, all that there is without it; days that it cuts are looked at whole.
    pub span: (Option<i64>, Option<i64>),
    /// The plant database, where there is one.
    pub plant: Option<&'a Settings>,
    /// Now, UTC microseconds.
    pub now_us: i64,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Day by day, line by line.
    pub days: Vec<Day>,
    /// The account of each line since the journal began.
    pub lines: Vec<Line>,
    /// What is not equal, and what is not there yet.
    pub findings: Vec<Finding>,
    /// Whether a plant database was looked at.
    pub with_plant: bool,
}

/// A line since the journal began.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The line.
    pub line: String,
    /// Minutes and gaps against its counter.
    pub account: Account,
}

/// A day of a line: good capsules of its counting stations together, best values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day of the plant, `20261124`.
    pub day: String,
    /// The line.
    pub line: String,
    /// Minutes of the journal.
    pub minutes: u64,
    /// What they hold.
    pub in_minutes: u64,
    /// What the seconds hold; none where none are kept.
    pub in_seconds: Option<u64>,
    /// What the hours hold without their gaps.
    pub in_hours: u64,
    /// What the shifts that began hold without their gaps, and the minutes in their spans.
    pub in_shifts: Option<(u64, u64)>,
    /// What gaps that ended hold.
    pub in_gaps: u64,
    /// The same of the plant database; none without one.
    pub plant: Option<PlantDay>,
}

/// A day of a line in the plant database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlantDay {
    /// Closed minutes.
    pub minutes: u64,
    /// What they hold.
    pub in_minutes: u64,
    /// What gaps hold, from the table of events.
    pub in_gaps: u64,
}

/// Why two books are not equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Not forwarded yet: beyond the watermark or in the backlog. No difference.
    Waiting,
    /// Older than the plant database keeps its rows. No difference.
    Expired,
    /// The plant database refused it and laid it aside.
    DeadLetter,
    /// It is not there.
    Missing,
    /// It is there and says something else.
    Differs,
    /// It is there and should not be.
    Superfluous,
}

impl Cause {
    /// Whether it is a difference that a person has to look into.
    pub fn is_real(self) -> bool {
        !matches!(self, Cause::Waiting | Cause::Expired)
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Waiting => "waiting",
            Cause::Expired => "not kept any more",
            Cause::DeadLetter => "dead letter",
            Cause::Missing => "missing",
            Cause::Differs => "differs",
            Cause::Superfluous => "superfluous",
        }
    }
}

/// Something that is not equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The day; none of what is of no day.
    pub day: Option<String>,
    /// The line.
    pub line: String,
    /// Why.
    pub cause: Cause,
    /// What, in a sentence.
    pub what: String,
}

impl Report {
    /// Whether nothing has to be looked into.
    pub fn is_equal(&self) -> bool {
        !self.findings.iter().any(|finding| finding.cause.is_real())
    }
}

/// Compares the books.
///
/// # Errors
/// In words: the journal or the plant database cannot be read.
pub async fn reconcile(question: &Question<'_>) -> Result<Report, String> {
    let extract = Extract::open(question.journal).map_err(|error| error.to_string())?;
    let uuid = extract.uuid().map_err(|error| error.to_string())?;
    let mut report = Report { with_plant: question.plant.is_some(), ..Report::default() };
    match question.plant {
        None => each_line(question, &extract, None, &mut report).await?,
        Some(settings) => {
            let host = &settings.address.host;
            let mut connection =
                plant::connect(settings).await.map_err(|why| format!("{host}: {why}"))?;
            let books = connection.books(settings, &uuid).await;
            let books = books.map_err(|why| format!("{host}: {why}"))?;
            each_line(question, &extract, Some(&books), &mut report).await?;
        }
    }
    Ok(report)
}

async fn each_line(
    question: &Question<'_>,
    extract: &Extract,
    books: Option<&Books<'_>>,
    report: &mut Report,
) -> Result<(), String> {
    for compared in question.lines {
        let view =
            extract.view(&compared.line, question.zone).map_err(|error| error.to_string())?;
        // A line that was configured and has not run yet has nothing to compare.
        let Some(view) = view else { continue };
        let whole = view.span().map_err(|error| error.to_string())?;
        let Some((first, last)) = whole else { continue };
        let span =
            (question.span.0.unwrap_or(first).max(first), question.span.1.unwrap_or(last + 1));
        let mut line = LineBooks::new(&view, compared);
        for (day, span) in days(span, question.zone) {
            // The beginning of a day that is cut belongs to it as well.
            let span = whole_day(span, question.zone);
            let (mut row, held) = line.day(&day, span).map_err(|error| error.to_string())?;
            if let Some(books) = books {
                let journal = line.rows(held).map_err(|error| error.to_string())?;
                let (plant, found) = books.day(compared, span, &journal, question.now_us).await?;
                row.plant = Some(plant);
                line.note(&day, found);
            }
            report.days.push(row);
        }
        let account = line.ledger().map_err(|error| error.to_string())?;
        report.lines.push(Line { line: compared.line.to_string(), account });
        report.findings.append(&mut line.findings);
    }
    Ok(())
}

/// The day that a part of a day is of.
fn whole_day((from_us, _): (i64, i64), zone: &TimeZone) -> (i64, i64) {
    let whole = jiff::Timestamp::from_microsecond(from_us).ok().and_then(|from| {
        let date = from.to_zoned_datetime(zone.clone()).date();
        let next = date.tomorrow().ok()?;
        let begin = |date: jiff::civil::Date| date.to_zoned_datetime(zone.clone()).ok();
        Some((begin(date)?.timestamp().as_microsecond(), begin(next)?.timestamp().as_microsecond()))
    });
    whole.unwrap_or((from_us, from_us))
}

/// What was found many times of one kind: how often, where first, how many capsules.
#[derive(Default)]
struct Heap(BTreeMap<(Cause, &'static str), (u64, String, u64)>);

impl Heap {
    fn add(&mut self, cause: Cause, what: &'static str, at: String, capsules: u64) {
        let heap = self.0.entry((cause, what)).or_insert((0, at, 0));
        heap.0 += 1;
        heap.2 += capsules;
    }

    /// One sentence for each kind.
    fn told(self) -> Vec<(Cause, String)> {
        let sentence = |((cause, what), (n, at, capsules)): ((Cause, &str), (u64, String, u64))| {
            let of =
                if capsules > 0 { format!(", {capsules} good capsules") } else { String::new() };
            (cause, format!("{n} × {what}, first {at}{of}"))
        };
        self.0.into_iter().map(sentence).collect()
    }
}
