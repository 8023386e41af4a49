//! A journal that a test fills, and what of it is in the plant database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use capline::historian::archive::Settings;
use capline::historian::forward::{ForwardState, ForwardStats, Forwarder, StreamStats};
use capline::historian::{Historian, Options, Tick};
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::state::State;
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::{Cause, Flags, Stop};
use domain::line::tracker::Changes;
use domain::units::{Count, LineId, MINUTE_US, Moment, Reason, StationId};
use tokio::sync::mpsc;
use tokio_postgres::Client;

use crate::harness::{LINE, PATIENCE, until};

/// 2026-01-05T06:00:00Z.
pub(crate) const T0_US: i64 = 1_767_592_800_000_000;

/// A journal and the number of its next tick.
pub(crate) struct Book {
    pub(crate) historian: Historian,
    pub(crate) next: u64,
    dir: PathBuf,
    line: LineId,
}

impl Book {
    pub(crate) fn open(dir: &Path) -> Book {
        let historian = Historian::open(
            dir,
            Options { keep_raw: Duration::from_secs(3_600), ..Options::default() },
        );
        let historian = historian.expect("the journal opens");
        let mut book = Book { historian, next: 0, dir: dir.to_owned(), line: LineId::new(LINE) };
        book.turn_to(LINE);
        book
    }

    /// Goes on with another line.
    pub(crate) fn turn_to(&mut self, line: &str) {
        self.line = LineId::new(line);
        let resume = self.historian.resume(&self.line, i64::MAX).expect("it is read");
        self.next = resume.tick_seq + 1;
    }

    /// Stores a tick with so many events, a closed minute of its own, and a stop that begins or ends.
    pub(crate) fn tick(&mut self, n_events: usize) {
        let events = (0..n_events).map(|n| event(self.next, n)).collect();
        self.store(events, vec![minute(self.next as i64, true, 0)]);
    }

    /// Stores what a test made.
    pub(crate) fn store(&mut self, events: Vec<Event>, minutes: Vec<Minute>) {
        let latest = minutes.iter().map(|minute| (minute.start_us - T0_US) / MINUTE_US).max();
        let at = moment((self.next as i64).max(latest.unwrap_or(0)));
        let stops = vec![stop(self.next)];
        self.put(|tick| {
            (tick.at, tick.events, tick.minutes, tick.stops) = (at, events, minutes, stops)
        });
    }

    /// Stores a tick that a test makes of an empty one.
    pub(crate) fn put(&mut self, make: impl FnOnce(&mut Tick)) {
        let (seq, at) = (self.next, moment(self.next as i64));
        let nothing = Changes { booked_to: at, ..Changes::default() };
        let head = (self.line.clone(), seq, at);
        let mut tick = Tick::new(head, nothing, Vec::new(), Count::exact(seq));
        make(&mut tick);
        let pending = self.historian.append(tick).expect("the queue has room");
        tokio::task::block_in_place(|| pending.wait()).expect("it is stored");
        self.next += 1;
    }

    /// The last numbers of the streams.
    fn heads(&self) -> [i64; 4] {
        let conn = rusqlite::Connection::open(database(&self.dir)).expect("it is there");
        ["event", "stop_change", "minute_change", "record_change"].map(|source| {
            let sql = format!("select coalesce(max(seq), 0) from {source}");
            conn.query_row(&sql, [], |row| row.get(0)).expect("a number")
        })
    }

    /// Starts to forward.
    pub(crate) fn forward(&self, settings: Settings) -> (Forwarder, mpsc::Receiver<String>) {
        self.historian.forward(settings).expect("forwarding starts")
    }

    /// What the journal holds: events, closed minutes, their counts and the sum of these.
    pub(crate) fn sums(dir: &Path) -> Sums {
        let conn = rusqlite::Connection::open_with_flags(
            database(dir),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .expect("the journal can be read beside its writer");
        let one = |sql: &str| conn.query_row(sql, [], |row| row.get(0)).expect("a number");
        Sums {
            events: one("select count(*) from event"),
            stops: one("select count(*) + count(to_us) from stop"),
            minutes: one("select count(*) from minute where closed"),
            counts: one("select count(*) from minute_count"),
            capsules: one("select coalesce(sum(best), 0) from minute_count"),
        }
    }
}

/// The file of a journal.
pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

/// The same of the journal and of the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) events: i64,
    /// Beginnings and ends.
    pub(crate) stops: i64,
    pub(crate) minutes: i64,
    pub(crate) counts: i64,
    pub(crate) capsules: i64,
}

/// What the plant holds of a box.
pub(crate) async fn sums(plant: &Client, edge: &str) -> Sums {
    let row = plant
        .query_one(
            "select (select count(*) from capline.event_by_name where edge = $1),
               (select count(*) + count(to_t) from capline.stop_by_name where edge = $1),
               (select count(*) from capline.minute_by_name where edge = $1 and closed),
               (select count(*) from capline.minute_count_by_name where edge = $1),
               (select coalesce(sum(best), 0)::bigint from capline.minute_count_by_name where edge = $1)",
            &[&edge],
        )
        .await
        .expect("the tables are there");
    Sums {
        events: row.get(0),
        stops: row.get(1),
        minutes: row.get(2),
        counts: row.get(3),
        capsules: row.get(4),
    }
}

/// Waits until nothing is left to send.
pub(crate) async fn drained(forwarder: &Forwarder, book: &Book) -> ForwardStats {
    let (status, heads) = (forwarder.status(), book.heads());
    until("the end of the backlog", PATIENCE * 6, async || {
        let stats = status.read();
        let idle = |(stream, head): (&StreamStats, i64)| {
            stream.pending == 0 && stream.backlog == 0 && stream.last_seq == head
        };
        let done = stats.state == ForwardState::Forwarding
            && stats.streams.len() == heads.len()
            && stats.streams.iter().zip(heads).all(idle);
        if done { Ok(stats) } else { Err(format!("{stats:?}")) }
    })
    .await
}

/// Waits for a state.
pub(crate) async fn comes_to(forwarder: &Forwarder, state: ForwardState) -> ForwardStats {
    let status = forwarder.status();
    until(&format!("the state {}", state.word()), PATIENCE, async || {
        let stats = status.read();
        if stats.state == state { Ok(stats) } else { Err(format!("{stats:?}")) }
    })
    .await
}

pub(crate) fn moment(tick: i64) -> Moment {
    Moment { utc_us: T0_US + tick * MINUTE_US, mono_us: tick * MINUTE_US }
}

pub(crate) fn event(tick: u64, n: usize) -> Event {
    Event {
        at_us: moment(tick as i64).utc_us + n as i64,
        from_us: n.is_multiple_of(3).then_some(T0_US),
        kind: EventKind::Count,
        station: Some(StationId::new("CF01")),
        tag: None,
        word: "wrap".to_owned(),
        count: Some(Count::between(tick, tick, tick + n as u64 % 2)),
        detail: format!("tick {tick}, event {n}"),
    }
}

/// A stop that begins with an odd tick and ends with the next one.
fn stop(tick: u64) -> Stop {
    let begins = tick % 2 == 1;
    Stop {
        number: tick.div_ceil(2),
        from: moment(if begins { tick } else { tick - 1 } as i64),
        to: (!begins).then(|| moment(tick as i64)),
        cause: Cause::ALL[0],
        state: State::ALL[0],
        reason: Some(7),
        key: KeyCause::Station(StationId::new("CF01")),
        flags: Flags::from_bits(0),
    }
}

/// The minute of a number. A corrected one has a higher revision and that many more capsules.
pub(crate) fn minute(n: i64, closed: bool, rev: u32) -> Minute {
    let tally = |counted, count| Tally { station: StationId::new("CF01"), counted, count };
    let more = u64::from(rev);
    Minute {
        start_us: moment(n).utc_us,
        rev,
        closed,
        time: TimeSplit([59_000_000, 0, 1_000_000, 0, 0, 0]),
        polls: 600,
        missed: 1,
        weights: Vec::new(),
        tallies: vec![
            tally(Counted::Good, Count::exact(6_500 + more)),
            tally(Counted::Infeed, Count::between(6_503 + more, 6_504 + more, 6_505 + more)),
            tally(Counted::Reject(Reason::new("no_dose")), Count::exact(4)),
        ],
    }
}
