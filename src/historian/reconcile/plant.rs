//! The books of the plant database, seen at one moment. All that is asked of its rows is asked in here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use domain::line::minute::{Counted, Minute, Tally};
use domain::line::output::Stations;
use domain::units::{Count, LineId, StationId};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Transaction};
use uuid::Uuid;

use super::journal::Rows;
use super::{Cause, ComparedLine, Heap, Key, PlantDay};
use crate::historian::archive::{self, Settings, Trouble};
use crate::historian::forward::{instant, micros, within};
use crate::table::span::instant as shown;

/// What `adopt` put aside is in capline.superseded, and so in none of the three.
const MINUTES: &str = include_str!("../sql/plant/reconcile_minutes.sql");
const COUNTS: &str = include_str!("../sql/plant/reconcile_counts.sql");
const EVENTS: &str = include_str!("../sql/plant/reconcile_events.sql");
const STREAMS: &str = "select stream, journal, last_seq from capline.edge_stream where edge = $1";
const BACKLOGS: &str =
    "select stream, last_seq, upto_seq from capline.edge_backlog where edge = $1";
const DEAD: &str = "select stream, seq from capline.dead_letter where edge = $1 and journal = $2";
const KEPT: &str = "select relation, extract(epoch from keep)::bigint from capline.retention where keep is not null";

/// Best, low and high as they lie there: a best value outside of its bounds must not be taken for another.
type Bounds = [i64; 3];
/// Bounds counter by counter.
type Counts = BTreeMap<Key, Bounds>;

/// A connection for one look.
pub(super) struct Connection(archive::Plant);

/// The plant database at one moment.
pub(super) struct Books<'a> {
    tx: Transaction<'a>,
    site: String,
    edge: String,
    /// Up to where streams are there.
    marks: BTreeMap<String, i64>,
    /// What they left behind: after the first number up to the second.
    backlogs: Vec<(String, i64, i64)>,
    dead: BTreeSet<(String, i64)>,
    /// How long rows are kept, seconds.
    kept_s: BTreeMap<String, i64>,
}

pub(super) async fn connect(settings: &Settings) -> Result<Connection, String> {
    let plant = archive::connect(&settings.address).await.map_err(|trouble| trouble.words())?;
    within(archive::check(&plant.client)).await.map_err(|trouble| trouble.words())?;
    Ok(Connection(plant))
}

impl Connection {
    /// Opens the books: from here on they do not change for us.
    pub(super) async fn books(
        &mut self,
        settings: &Settings,
        journal: &str,
    ) -> Result<Books<'_>, String> {
        let uuid = Uuid::parse_str(journal).map_err(|error| error.to_string())?;
        let Settings { site, edge, .. } = settings.clone();
        let opened = within(async {
            let begin = self.0.client.build_transaction();
            let tx = begin
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()
                .await?;
            let mut marks = BTreeMap::new();
            for row in tx.query(STREAMS, &[&edge]).await? {
                let (stream, theirs, last): (String, Uuid, i64) =
                    (row.get(0), row.get(1), row.get(2));
                if theirs != uuid {
                    return Err(Trouble::Stranger(format!(
                        "edge \"{edge}\" follows the journal {theirs}, and this one is {uuid}; \
                         after a restore capline adopt lets it take over"
                    )));
                }
                marks.insert(stream, last);
            }
            let backlogs = tx.query(BACKLOGS, &[&edge]).await?;
            let backlogs =
                backlogs.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
            let dead = tx.query(DEAD, &[&edge, &uuid]).await?;
            let dead = dead.iter().map(|row| (row.get(0), row.get(1))).collect();
            let kept = tx.query(KEPT, &[]).await?;
            let kept_s = kept.iter().map(|row| (row.get(0), row.get(1))).collect();
            Ok(Books { tx, site, edge, marks, backlogs, dead, kept_s })
        });
        opened.await.map_err(|trouble| trouble.words())
    }
}

impl Books<'_> {
    /// Compares a day of a line with what the journal holds of it.
    pub(super) async fn day(
        &self,
        compared: &ComparedLine,
        span: (i64, i64),
        journal: &Rows,
        now_us: i64,
    ) -> Result<(PlantDay, Vec<(Cause, String)>), String> {
        let asked = within(async {
            let minutes = self.minutes(&compared.line, span).await?;
            let events = self.events(&compared.line, span).await?;
            Ok((minutes, events))
        });
        let (minutes, events) = asked.await.map_err(|trouble| trouble.words())?;
        let good = |counts: &Counts| good_of(compared, counts);
        let mut day = PlantDay {
            minutes: minutes.len() as u64,
            in_minutes: minutes.values().map(|(_, counts)| good(counts)).sum(),
            in_gaps: 0,
        };
        let mut heap = Heap::default();
        if self.is_expired("minute", span, now_us) {
            heap.add(Cause::Expired, "day of minutes", shown(span.0), 0);
        } else {
            self.compare_minutes(compared, journal, &minutes, &mut heap);
        }
        if self.is_expired("event", span, now_us) {
            heap.add(Cause::Expired, "day of events", shown(span.0), 0);
        } else {
            day.in_gaps = self.compare_events(compared, journal, &events, &mut heap);
        }
        Ok((day, heap.told()))
    }

    fn is_expired(&self, relation: &str, (_, to_us): (i64, i64), now_us: i64) -> bool {
        self.kept_s.get(relation).is_some_and(|kept_s| {
            to_us < now_us.saturating_sub(kept_s.saturating_mul(domain::units::SECOND_US))
        })
    }

    /// Why a row of this number is not there, or not as it should be.
    fn cause(&self, stream: &str, seq: i64, otherwise: Cause) -> Cause {
        let waits =
            |(of, after, upto): &(String, i64, i64)| of == stream && *after < seq && seq <= *upto;
        let mark = self.marks.get(stream).copied().unwrap_or(0);
        if seq > mark || self.backlogs.iter().any(waits) {
            Cause::Waiting
        } else if self.dead.contains(&(stream.to_owned(), seq)) {
            Cause::DeadLetter
        } else {
            otherwise
        }
    }

    fn compare_minutes(
        &self,
        compared: &ComparedLine,
        journal: &Rows,
        found: &BTreeMap<i64, (i64, Counts)>,
        heap: &mut Heap,
    ) {
        for (seq, minute) in &journal.minutes {
            let (counts, at) = (counts(minute), shown(minute.start_us));
            let good = minute.count(&compared.output, &Counted::Good).best();
            match found.get(&minute.start_us) {
                None => {
                    let cause = self.cause("minute", *seq, Cause::Missing);
                    heap.add(cause, "minute in the plant database", at, good);
                }
                Some((rev, theirs)) if *rev != i64::from(minute.rev) || *theirs != counts => {
                    let cause = self.cause("minute", *seq, Cause::Differs);
                    let there = good_of(compared, theirs);
                    heap.add(cause, "minute in the plant database", at, good.abs_diff(there));
                }
                Some(_) => {}
            }
        }
        for start_us in found.keys() {
            if journal
                .minutes
                .binary_search_by_key(start_us, |(_, minute)| minute.start_us)
                .is_err()
            {
                let what = "minute in the plant database that the journal does not have";
                heap.add(Cause::Superfluous, what, shown(*start_us), 0);
            }
        }
    }

    /// Returns what gaps of the counting stations hold there.
    fn compare_events(
        &self,
        compared: &ComparedLine,
        journal: &Rows,
        found: &[(i64, Option<Bounds>)],
        heap: &mut Heap,
    ) -> u64 {
        let mut there: BTreeMap<i64, Vec<Option<Bounds>>> = BTreeMap::new();
        for (seq, bounds) in found {
            there.entry(*seq).or_default().push(*bounds);
        }
        let mut gaps = 0;
        for (seq, event) in &journal.events {
            let is_good = event.from_us.is_some()
                && compared.tags.iter().any(|(tag, station, counted)| {
                    Some(tag) == event.tag.as_ref()
                        && compared.output.has(station)
                        && *counted == Counted::Good
                });
            let capsules = event.count.filter(|_| is_good).map_or(0, |count| count.best());
            let at = format!("{} (seq {seq})", shown(event.at_us));
            match there.remove(seq).as_deref() {
                None => {
                    let cause = self.cause("event", *seq, Cause::Missing);
                    heap.add(cause, "event in the plant database", at, capsules);
                }
                Some([there]) if *there == event.count.map(bounds) => gaps += capsules,
                Some([_]) => heap.add(Cause::Differs, "event in the plant database", at, capsules),
                Some(_) => {
                    gaps += capsules;
                    heap.add(
                        Cause::Superfluous,
                        "event that the plant database has twice",
                        at,
                        capsules,
                    );
                }
            }
        }
        for seq in there.keys() {
            let what = "event in the plant database that the journal does not have";
            heap.add(Cause::Superfluous, what, format!("seq {seq}"), 0);
        }
        gaps
    }

    /// Closed minutes by their start: revision and counts.
    async fn minutes(
        &self,
        line: &LineId,
        span: (i64, i64),
    ) -> Result<BTreeMap<i64, (i64, Counts)>, Trouble> {
        let mut minutes = BTreeMap::new();
        for row in self.ask(MINUTES, line, span).await? {
            let (t, rev): (SystemTime, i32) = (row.get(0), row.get(1));
            minutes.insert(micros(t), (i64::from(rev), Counts::new()));
        }
        for row in self.ask(COUNTS, line, span).await? {
            let (station, counted, reason): (String, String, String) =
                (row.get(1), row.get(2), row.get(3));
            let bounds: Bounds = [4, 5, 6].map(|column| row.get(column));
            let counted = Counted::from_words(&counted, &reason);
            let minute = minutes.get_mut(&micros(row.get(0)));
            if let (Some((_, counts)), Some(counted), false) = (minute, counted, bounds == [0; 3]) {
                counts.insert((StationId::new(station), counted), bounds);
            }
        }
        Ok(minutes)
    }

    async fn events(
        &self,
        line: &LineId,
        span: (i64, i64),
    ) -> Result<Vec<(i64, Option<Bounds>)>, Trouble> {
        let rows = self.ask(EVENTS, line, span).await?;
        let event = |row: &tokio_postgres::Row| {
            let [best, low, high] = [1, 2, 3].map(|column| row.get::<_, Option<i64>>(column));
            let bounds = best.zip(low).zip(high).map(|((best, low), high)| [best, low, high]);
            (row.get(0), bounds)
        };
        Ok(rows.iter().map(event).collect())
    }

    async fn ask(
        &self,
        sql: &str,
        line: &LineId,
        (from_us, to_us): (i64, i64),
    ) -> Result<Vec<tokio_postgres::Row>, Trouble> {
        let (line, from, to) = (line.as_str(), instant(from_us), instant(to_us));
        let args: [&(dyn ToSql + Sync); 5] = [&self.site, &self.edge, &line, &from, &to];
        Ok(self.tx.query(sql, &args).await?)
    }
}

fn counts(minute: &Minute) -> Counts {
    let counted = minute.tallies.iter().filter(|tally| !tally.count.is_zero());
    let counter =
        |tally: &Tally| ((tally.station.clone(), tally.counted.clone()), bounds(tally.count));
    counted.map(counter).collect()
}

fn bounds(count: Count) -> Bounds {
    [count.best(), count.low(), count.high()].map(|n| n as i64)
}

/// Good capsules of the counting stations together.
fn good_of(compared: &ComparedLine, counts: &Counts) -> u64 {
    let of = |station: &StationId| counts.get(&(station.clone(), Counted::Good));
    compared.output.stations().iter().filter_map(of).map(|[best, ..]| *best as u64).sum()
}
