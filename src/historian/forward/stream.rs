//! What is forwarded: a stream is a numbered order of changes, and the tables that each change brings rows to.
//!
//! A new table of the journal is one more entry in here, with a statement to read it and one to write it.

/// How a column goes from SQLite to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer.
    Number,
    /// 0 or 1.
    Flag,
    /// Text.
    Text,
    /// Microseconds since 1970.
    Time,
}

/// Rows of one kind.
#[derive(Debug)]
pub(super) struct Table {
    /// What the plant calls it.
    pub(super) name: &'static str,
    /// Its columns in the journal, for the numbers after ?1 up to ?2.
    pub(super) read: &'static str,
    /// Writes them there: $1 the site, $2 the box, then an array for each column.
    pub(super) write: &'static str,
    /// Its columns.
    pub(super) kinds: &'static [Kind],
    /// Whether each row must be written. Names that are there already need not be.
    pub(super) each: bool,
}

/// An order of changes.
#[derive(Debug)]
pub(super) struct Stream {
    /// What `edge_stream` calls it.
    pub(super) name: &'static str,
    /// The table of the journal whose `seq` is the order.
    pub(super) source: &'static str,
    /// The column of it that tells a row from another one with the same number.
    pub(super) mark: &'static str,
    /// Most changes in a transaction.
    pub(super) batch: i64,
    /// Rows that go with a change, names before what refers to them.
    pub(super) tables: &'static [&'static Table],
}

use Kind::{Flag, Number, Text, Time};

const MINUTE: &[Kind] =
    &[Text, Time, Number, Flag, Number, Number, Number, Number, Number, Number, Number, Number];
const COUNT: &[Kind] = &[Text, Text, Text, Text, Time, Number, Number, Number];

const COUNTERS: Table = Table {
    name: "counter",
    read: include_str!("../sql/outbox/counters.sql"),
    write: include_str!("../sql/plant/counter_write.sql"),
    kinds: &[Text, Text, Text, Text],
    each: false,
};

const fn lines(read: &'static str) -> Table {
    let write = include_str!("../sql/plant/line_write.sql");
    Table { name: "line", read, write, kinds: &[Text], each: false }
}

const fn minutes(read: &'static str) -> Table {
    let write = include_str!("../sql/plant/minute_write.sql");
    Table { name: "minute", read, write, kinds: MINUTE, each: true }
}

const fn minute_counts(read: &'static str) -> Table {
    let write = include_str!("../sql/plant/minute_count_write.sql");
    Table { name: "minute_count", read, write, kinds: COUNT, each: true }
}

/// Events, in the order in which they became known.
static EVENTS: Stream = Stream {
    name: "event",
    source: "event",
    mark: "at_us",
    batch: 10_000,
    tables: &[
        &lines(include_str!("../sql/outbox/event_lines.sql")),
        &Table {
            name: "event",
            read: include_str!("../sql/outbox/events.sql"),
            write: include_str!("../sql/plant/event_write.sql"),
            kinds: &[
                Text, Number, Time, Time, Text, Text, Text, Text, Number, Number, Number, Text,
            ],
            each: true,
        },
    ],
};

/// Minutes, in the order in which they were closed or corrected.
static MINUTES: Stream = Stream {
    name: "minute",
    source: "minute_change",
    mark: "start_us",
    batch: 2_000,
    tables: &[
        &lines(include_str!("../sql/outbox/minute_lines.sql")),
        &minutes(include_str!("../sql/outbox/minutes.sql")),
        &COUNTERS,
        &minute_counts(include_str!("../sql/outbox/minute_counts.sql")),
    ],
};

/// Stops, in the order in which they began, changed or ended.
static STOPS: Stream = Stream {
    name: "stop",
    source: "stop_change",
    mark: "from_us",
    batch: 5_000,
    tables: &[
        &lines(include_str!("../sql/outbox/stop_lines.sql")),
        &Table {
            name: "stop",
            read: include_str!("../sql/outbox/stops.sql"),
            write: include_str!("../sql/plant/stop_write.sql"),
            kinds: &[Text, Number, Time, Time, Number, Text, Text, Number, Text, Text, Number],
            each: true,
        },
    ],
};

/// The stream of closed minutes.
pub(super) fn minutes_stream() -> &'static Stream {
    &MINUTES
}

/// All of them.
pub(super) static STREAMS: [&Stream; 3] = [&EVENTS, &STOPS, &MINUTES];

/// The minutes that are open now: no change yet and no number, written over each second. They are held by the
/// session of the minutes' stream.
pub(super) static PRESENT: Stream = Stream {
    name: "minute",
    source: "minute_change",
    mark: "start_us",
    batch: 1,
    tables: &[
        &lines(include_str!("../sql/outbox/open_lines.sql")),
        &minutes(include_str!("../sql/outbox/open_minutes.sql")),
        &COUNTERS,
        &minute_counts(include_str!("../sql/outbox/open_minute_counts.sql")),
    ],
};
