//! The books of the journal against each other.

use std::collections::BTreeMap;

use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, sum};
use domain::line::output::Stations;
use domain::line::rollup::{PeriodKind, Rollup};
use domain::units::{Count, StationId, TagId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, ComparedLine, Counts, Day, Finding, Heap, Key};
use crate::historian::error::StoreError;
use crate::historian::extract::{Account, LineView};
use crate::historian::read::Found;
use crate::historian::{hours, lines, read, record};
use crate::table::span::instant;

/// The books of a line, which are gone through day by day.
pub(super) struct LineBooks<'a> {
    view: &'a LineView<'a>,
    compared: &'a ComparedLine,
    pub(super) findings: Vec<Finding>,
    /// Gaps as hours have them and as events have them, since the last border that no gap crosses.
    gaps: BTreeMap<Key, (u64, u64)>,
    /// Whether a gap came into the first of these days from before.
    unclear: bool,
    begun: bool,
}

/// What the journal holds of a day.
pub(super) struct Held {
    minutes: Vec<Minute>,
    events: Vec<(i64, Event)>,
}

/// What of it the plant should hold too.
pub(super) struct Rows {
    /// Closed minutes, each with the number of its change.
    pub(super) minutes: Vec<(i64, Minute)>,
    /// Events with their numbers.
    pub(super) events: Vec<(i64, Event)>,
}

impl<'a> LineBooks<'a> {
    pub(super) fn new(view: &'a LineView<'a>, compared: &'a ComparedLine) -> LineBooks<'a> {
        let (findings, gaps) = (Vec::new(), BTreeMap::new());
        LineBooks { view, compared, findings, gaps, unclear: false, begun: false }
    }

    /// Keeps what was found of a day.
    pub(super) fn note(&mut self, day: &str, found: Vec<(Cause, String)>) {
        let line = self.compared.line.to_string();
        let finding =
            |(cause, what)| Finding { day: Some(day.to_owned()), line: line.clone(), cause, what };
        self.findings.extend(found.into_iter().map(finding));
    }

    /// Compares the books of a day. Returns with the figures what they are of.
    pub(super) fn day(&mut self, day: &str, span: (i64, i64)) -> Result<(Day, Held), StoreError> {
        let (view, id) = (self.view, self.view.id());
        let mut row =
            Day { day: day.to_owned(), line: self.compared.line.to_string(), ..Day::default() };
        let mut heap = Heap::default();
        let minutes = view.ask(|conn| hours::plain_minutes(conn, id, span))?;
        let events = view.ask(|conn| read::events(conn, id, span, None, usize::MAX))?;
        row.minutes = minutes.len() as u64;
        row.in_minutes = minutes.iter().map(|minute| self.good(&minute.tallies)).sum();
        let packed = view.ask(|conn| hours::minutes(conn, id, span, usize::MAX))?;
        if packed != minutes {
            let at = minutes
                .iter()
                .zip(&packed)
                .find(|(a, b)| a != b)
                .map_or(span.0, |(a, _)| a.start_us);
            heap.add(Cause::Differs, "packed hour that is not that of its minutes", instant(at), 0);
        }
        row.in_seconds = self.seconds(span, &minutes, &mut heap)?;
        row.in_hours = self.hours(span, &minutes, &mut heap)?;
        row.in_shifts = self.shifts(span, &mut heap)?;
        row.in_gaps = self.day_gaps(span, &events, &mut heap)?;
        self.note(day, heap.told());
        Ok((row, Held { minutes, events }))
    }

    /// Good capsules of the counting stations together.
    fn good(&self, tallies: &[Tally]) -> u64 {
        sum(tallies, &self.compared.output, |counted| *counted == Counted::Good).best()
    }

    fn seconds(
        &self,
        span: (i64, i64),
        minutes: &[Minute],
        heap: &mut Heap,
    ) -> Result<Option<u64>, StoreError> {
        let id = self.view.id();
        let (blocks, oldest) = self.view.ask(|conn| {
            let args = params![id, span.0, span.1, -1];
            let sql = include_str!("../sql/second_blocks_read.sql");
            let oldest = "select min(start_us) from second_block where line = ?1";
            let oldest: Option<i64> = conn.query_row(oldest, [id], |row| row.get(0))?;
            Ok((read::seconds(conn, id, sql, args)?, oldest))
        })?;
        let minute = |start_us: i64| {
            let at = minutes.binary_search_by_key(&start_us, |minute| minute.start_us);
            at.ok().and_then(|at| minutes.get(at))
        };
        let mut good = 0;
        for block in &blocks {
            let is_good = |station: &_, counted: &_| {
                self.compared.output.has(station) && *counted == Counted::Good
            };
            let sum: u64 = block.counts(is_good).iter().map(|count| count.best()).sum();
            good += sum;
            match minute(block.start_us) {
                None => heap.add(
                    Cause::Missing,
                    "minute whose seconds are there",
                    instant(block.start_us),
                    sum,
                ),
                Some(minute) if !block.add_up_to(minute) => {
                    heap.add(
                        Cause::Differs,
                        "minute that its seconds do not add up to",
                        instant(block.start_us),
                        0,
                    );
                }
                Some(_) => {}
            }
        }
        // Before the oldest one they have gone for their age, or were never kept.
        let kept =
            minutes.iter().filter(|minute| oldest.is_some_and(|oldest| minute.start_us >= oldest));
        for minute in kept {
            let counted = minute.tallies.iter().any(|tally| !tally.count.is_zero());
            let there =
                blocks.binary_search_by_key(&minute.start_us, |block| block.start_us).is_ok();
            if counted && !there {
                let at = instant(minute.start_us);
                heap.add(
                    Cause::Missing,
                    "minute without its seconds",
                    at,
                    self.good(&minute.tallies),
                );
            }
        }
        Ok((!blocks.is_empty()).then_some(good))
    }

    fn rollups(
        &self,
        kind: PeriodKind,
        (from_us, to_us): (i64, i64),
    ) -> Result<Vec<Rollup>, StoreError> {
        let id = self.view.id();
        let rollups = self.view.ask(|conn| {
            let args = params![id, kind.word(), from_us, to_us, -1];
            lines::rollups(conn, id, include_str!("../sql/rollups_read.sql"), args)
        })?;
        Ok(rollups
            .into_iter()
            .filter(|rollup| rollup.start_us >= from_us && rollup.start_us < to_us)
            .collect())
    }

    /// Hours against the minutes in them; a minute with counts that no hour holds.
    fn hours(
        &mut self,
        span: (i64, i64),
        minutes: &[Minute],
        heap: &mut Heap,
    ) -> Result<u64, StoreError> {
        let rollups = self.rollups(PeriodKind::Hour, span)?;
        let mut good = 0;
        for hour in &rollups {
            let counted = without_gaps(hour);
            good += best(&counted, self.compared);
            let end_us = hour.end_us.unwrap_or(span.1);
            let inside = |minute: &&Minute| (hour.start_us..end_us).contains(&minute.start_us);
            let sums = add_up(minutes.iter().filter(inside).flat_map(|minute| &minute.tallies));
            if sums != counted {
                let off = best(&sums, self.compared).abs_diff(best(&counted, self.compared));
                heap.add(
                    Cause::Differs,
                    "hour that its minutes do not add up to",
                    instant(hour.start_us),
                    off,
                );
            }
            for tally in &hour.gaps {
                let key = (tally.station.clone(), tally.counted.clone());
                self.gaps.entry(key).or_default().0 += tally.count.best();
            }
        }
        for minute in minutes {
            let in_hour = rollups.iter().any(|hour| {
                hour.start_us <= minute.start_us
                    && hour.end_us.is_none_or(|end| minute.start_us < end)
            });
            if !in_hour && minute.tallies.iter().any(|tally| !tally.count.is_zero()) {
                let at = instant(minute.start_us);
                heap.add(
                    Cause::Missing,
                    "minute that no hour holds",
                    at,
                    self.good(&minute.tallies),
                );
            }
        }
        Ok(good)
    }

    /// Shifts that began, against the minutes in them.
    fn shifts(&self, span: (i64, i64), heap: &mut Heap) -> Result<Option<(u64, u64)>, StoreError> {
        let mut both = None;
        for shift in self.rollups(PeriodKind::Shift, span)? {
            let counted = without_gaps(&shift);
            let end_us = shift.end_us.unwrap_or(i64::MAX);
            let id = self.view.id();
            let sums = self.view.ask(|conn| minute_sums(conn, id, (shift.start_us, end_us)))?;
            let (theirs, ours) = (best(&counted, self.compared), best(&sums, self.compared));
            let (of_shifts, of_minutes) = both.get_or_insert((0, 0));
            *of_shifts += theirs;
            *of_minutes += ours;
            if sums != counted {
                heap.add(
                    Cause::Differs,
                    "shift that its minutes do not add up to",
                    instant(shift.start_us),
                    theirs.abs_diff(ours),
                );
            }
        }
        Ok(both)
    }

    /// Gaps that ended in the day. A gap that crosses a border is divided among hours and dated at its end, so that both
    /// are compared only where none does.
    fn day_gaps(
        &mut self,
        span: (i64, i64),
        events: &[(i64, Event)],
        heap: &mut Heap,
    ) -> Result<u64, StoreError> {
        let id = self.view.id();
        let crosses = |conn: &Connection, at_us: i64| -> rusqlite::Result<bool> {
            let sql = "select 1 from event where line = ?1 and kind = 'count' and best is not null
                       and from_us < ?2 and at_us >= ?2 limit 1";
            Ok(conn.prepare_cached(sql)?.query_row((id, at_us), |_| Ok(())).optional()?.is_some())
        };
        if !self.begun {
            self.begun = true;
            self.unclear = self.view.ask(|conn| Ok(crosses(conn, span.0)?))?;
        }
        let mut counted = 0;
        for (_, event) in events {
            let (Some(count), Some(_), EventKind::Count) = (event.count, event.from_us, event.kind)
            else {
                continue;
            };
            let of = |(tag, station, _): &&(_, _, _)| {
                Some(tag) == event.tag.as_ref() && Some(station) == event.station.as_ref()
            };
            let Some((_, station, what)) = self.compared.tags.iter().find(of) else { continue };
            if self.compared.output.has(station) && *what == Counted::Good {
                counted += count.best();
            }
            self.gaps.entry((station.clone(), what.clone())).or_default().1 += count.best();
        }
        if !self.view.ask(|conn| Ok(crosses(conn, span.1)?))? {
            let gaps = std::mem::take(&mut self.gaps);
            if !std::mem::take(&mut self.unclear) {
                for ((station, what), (hours, events)) in
                    gaps.into_iter().filter(|(_, (a, b))| a != b)
                {
                    let counter = format!(
                        "{station} {} {}: hours have {hours}, events {events}",
                        what.word(),
                        what.reason()
                    );
                    heap.add(
                        Cause::Differs,
                        "counter whose gaps differ",
                        counter,
                        hours.abs_diff(events),
                    );
                }
            }
        }
        Ok(counted)
    }

    /// What the plant should hold of a day.
    pub(super) fn rows(&self, Held { minutes, events }: Held) -> Result<Rows, StoreError> {
        let id = self.view.id();
        let minutes = self.view.ask(|conn| {
            let mut find = conn.prepare_cached(
                "select seq from minute_change where line = ?1 and start_us = ?2",
            )?;
            let mut closed = Vec::new();
            for minute in minutes.into_iter().filter(|minute| minute.closed) {
                let seq = find.query_row((id, minute.start_us), |row| row.get(0)).optional()?;
                // One without a number was never to be sent: it is behind every watermark, and missing there.
                closed.push((seq.unwrap_or(0), minute));
            }
            Ok(closed)
        })?;
        Ok(Rows { minutes, events })
    }

    /// The total of the line and the total of each of its counters against minutes and gaps since the journal began.
    pub(super) fn ledger(&mut self) -> Result<Account, StoreError> {
        let (view, id, compared) = (self.view, self.view.id(), self.compared);
        let account = view.account((i64::MIN, i64::MAX))?;
        let mut found = Vec::new();
        if !account.adds_up {
            let (minutes, gaps) = (account.within.minutes.best, account.within.gaps.best);
            let total = account.total.best;
            found.push(format!(
                "minutes hold {minutes} good capsules and gaps {gaps}, the counter has {total}"
            ));
        }
        let sums = view.ask(|conn| minute_sums(conn, id, (i64::MIN, i64::MAX)))?;
        for (tag, station, counted) in &compared.tags {
            let key = (station.clone(), counted.clone());
            // Several counters of one kind share its minutes.
            let alone =
                compared.tags.iter().filter(|(_, s, c)| s == station && c == counted).count() == 1;
            let total = view.ask(|conn| ledger_total(conn, id, tag))?;
            let (Some((total, gaps)), true, false) = (total, alone, account.held) else { continue };
            let minutes = sums.get(&key).copied().unwrap_or(Count::ZERO);
            if minutes + gaps != total {
                found.push(format!(
                    "counter {tag}: minutes hold {minutes} and gaps {gaps}, the ledger has {total}"
                ));
            }
        }
        let line = compared.line.to_string();
        let finding = |what| Finding { day: None, line: line.clone(), cause: Cause::Differs, what };
        self.findings.extend(found.into_iter().map(finding));
        Ok(account)
    }
}

/// What the ledger has of a counter, and what its gaps hold; none of a counter that was never read.
fn ledger_total(conn: &Connection, line: i64, tag: &TagId) -> Found<Option<(Count, Count)>> {
    let mut find = conn.prepare_cached(include_str!("../sql/ledger_total.sql"))?;
    let found = find.query_row((line, tag.as_str()), |row| {
        Ok((
            record::count(row, 0)?.unwrap_or(Count::ZERO),
            record::count(row, 3)?.unwrap_or(Count::ZERO),
        ))
    });
    Ok(found.optional()?)
}

/// Counts of a period less those that are known for gaps as a whole.
fn without_gaps(rollup: &Rollup) -> Counts {
    let gaps = add_up(&rollup.gaps);
    let less = |(key, count): (Key, Count)| {
        let gap = gaps.get(&key).copied().unwrap_or(Count::ZERO);
        (key, count.since(gap))
    };
    add_up(&rollup.counts).into_iter().map(less).filter(|(_, count)| !count.is_zero()).collect()
}

/// Counter by counter, without those that counted nothing.
fn add_up<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> Counts {
    let mut counts = Counts::new();
    for tally in tallies.into_iter().filter(|tally| !tally.count.is_zero()) {
        *counts.entry((tally.station.clone(), tally.counted.clone())).or_insert(Count::ZERO) +=
            tally.count;
    }
    counts
}

fn best(counts: &Counts, compared: &ComparedLine) -> u64 {
    let good = |station: &StationId| counts.get(&(station.clone(), Counted::Good));
    compared.output.stations().iter().filter_map(good).map(|count| count.best()).sum()
}

/// Counts of the minutes that began in a span, from their rows.
fn minute_sums(conn: &Connection, line: i64, span: (i64, i64)) -> Found<Counts> {
    let counters = read::counters(conn, line)?;
    let mut find = conn.prepare_cached(include_str!("../sql/minute_sums.sql"))?;
    let mut rows = find.query((line, span.0, span.1))?;
    let mut counts = Counts::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let count = record::count(row, 1)?.unwrap_or(Count::ZERO);
        let counter = counters.iter().find(|counter| counter.id == id);
        if let Some(counter) = counter.filter(|_| !count.is_zero()) {
            counts.insert((counter.station.clone(), counter.counted.clone()), count);
        }
    }
    Ok(counts)
}
