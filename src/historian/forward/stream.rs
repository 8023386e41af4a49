//! What is forwarded: a stream is a numbered order of changes, and the tables that each change brings rows to.
//!
//! A new table of the journal is one more entry in here or in [`super::record`], with a statement to read it; how it is
//! written follows from its columns.

use super::record::RECORDS;

/// How a column goes from SQLite to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer.
    Number,
    /// 0 or 1.
    Flag,
    /// A floating-point number.
    Real,
    /// Text.
    Text,
    /// JSON in a text, `jsonb` there.
    Json,
    /// Microseconds since 1970.
    Time,
    /// A text that the journal keeps compressed, as bytes there.
    Page,
    /// The number of a line in the journal, that of the same line there.
    Line,
    /// The number of a counter in the journal, that of the same counter there.
    Counter,
}

impl Kind {
    /// The type of its arrays.
    fn array(self) -> &'static str {
        match self {
            Kind::Number => "bigint[]",
            Kind::Flag => "boolean[]",
            Kind::Real => "double precision[]",
            Kind::Text | Kind::Json => "text[]",
            Kind::Time => "timestamptz[]",
            Kind::Page => "bytea[]",
            Kind::Line | Kind::Counter => "integer[]",
        }
    }
}

/// A column there, in the order of the statement that reads it.
pub(super) type Column = (&'static str, Kind);

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// There is no key: the watermark alone keeps a row from being there twice.
    Never,
    /// It takes the place of the other one.
    Replaces,
    /// The same, unless the other one has a higher `rev`.
    ReplacesOlder,
    /// It must be the same but for its `change`.
    IsTheSame,
}

/// Rows of one kind.
#[derive(Debug)]
pub(super) struct Table {
    /// What the plant calls it.
    pub(super) name: &'static str,
    /// Its columns in the journal, for the numbers after ?1 up to ?2.
    pub(super) read: &'static str,
    /// Its columns.
    pub(super) columns: &'static [Column],
    /// Its key there, with commas.
    pub(super) key: &'static str,
    /// What becomes of a row that is there.
    pub(super) again: Again,
}

impl Table {
    /// The statement that writes its rows, with an array for each column.
    pub(super) fn write(&self) -> String {
        let name = self.name;
        let list = |each: &dyn Fn(&Column) -> String| {
            self.columns.iter().map(each).collect::<Vec<_>>().join(", ")
        };
        let columns = list(&|(name, _)| (*name).to_owned());
        let values = list(&|(name, kind)| match kind {
            Kind::Json => format!("u.{name}::jsonb"),
            _ => format!("u.{name}"),
        });
        let arrays: Vec<String> = (1..)
            .zip(self.columns)
            .map(|(n, (_, kind))| format!("${n}::{}", kind.array()))
            .collect();
        let arrays = arrays.join(", ");
        let key: Vec<&str> = self.key.split(", ").collect();
        let rest = |prefix: &str| {
            let rest = self.columns.iter().filter(|(name, _)| !key.contains(name));
            rest.map(|(name, _)| (*name, format!("{prefix}.{name}"))).collect::<Vec<_>>()
        };
        let set = || {
            let set = rest("excluded").into_iter().map(|(name, value)| format!("{name} = {value}"));
            set.collect::<Vec<_>>().join(", ")
        };
        let said = |prefix| {
            let said = rest(prefix).into_iter().filter(|(name, _)| *name != "change");
            said.map(|(_, value)| value).collect::<Vec<_>>().join(", ")
        };
        let conflict = match self.again {
            Again::Never => String::new(),
            Again::Replaces => format!("on conflict ({}) do update set {}", self.key, set()),
            Again::ReplacesOlder => format!(
                "on conflict ({}) do update set {} where excluded.rev >= known.rev",
                self.key,
                set()
            ),
            Again::IsTheSame => format!(
                "on conflict ({}) do update set change = excluded.change where ({}) is not distinct from ({})",
                self.key,
                said("known"),
                said("excluded")
            ),
        };
        format!(
            "insert into capline.{name} as known ({columns}) select {values} from unnest({arrays}) u ({columns}) {conflict}"
        )
    }
}

/// An order of changes.
#[derive(Debug)]
pub(super) struct Stream {
    /// What `edge_stream` calls it.
    pub(super) name: &'static str,
    /// The table of the journal whose `seq` is the order.
    pub(super) source: &'static str,
    /// The column of it that tells a row from another one with the same number: when it became known or is of.
    pub(super) mark: &'static str,
    /// What a change weighs if that is much, in bytes.
    pub(super) bytes: &'static str,
    /// Most changes in a transaction. If more than these wait, they are a backlog.
    pub(super) most: i64,
    /// Whether a change can move to the end of the order, because its rows were corrected.
    pub(super) moves: bool,
    /// Sends what the journal holds since ?1 again; none where nothing there could have been written over.
    pub(super) requeue: Option<&'static str>,
    /// Rows that go with a change.
    pub(super) tables: &'static [&'static Table],
}

use Kind::{Counter, Flag, Line, Number, Text, Time};

const fn minutes(read: &'static str) -> Table {
    Table {
        name: "minute",
        read,
        columns: &[
            ("change", Number),
            ("line_id", Line),
            ("t", Time),
            ("rev", Number),
            ("closed", Flag),
            ("run_us", Number),
            ("internal_us", Number),
            ("external_us", Number),
            ("planned_us", Number),
            ("idle_us", Number),
            ("unknown_us", Number),
            ("polls", Number),
            ("missed", Number),
        ],
        key: "line_id, t",
        // Absolute values: an older revision never covers a newer one.
        again: Again::ReplacesOlder,
    }
}

const fn minute_counts(read: &'static str) -> Table {
    Table {
        name: "minute_count",
        read,
        columns: &[
            ("line_id", Line),
            ("counter_id", Counter),
            ("t", Time),
            ("low", Number),
            ("best", Number),
            ("high", Number),
        ],
        key: "counter_id, t",
        again: Again::Replaces,
    }
}

/// Events, in the order in which they became known.
static EVENTS: Stream = Stream {
    name: "event",
    source: "event",
    mark: "at_us",
    bytes: "0",
    most: 20_000,
    moves: false,
    requeue: None,
    tables: &[&Table {
        name: "event",
        read: include_str!("../sql/outbox/events.sql"),
        columns: &[
            ("line_id", Line),
            ("seq", Number),
            ("t", Time),
            ("from_t", Time),
            ("kind", Text),
            ("station", Text),
            ("tag", Text),
            ("word", Text),
            ("low", Number),
            ("best", Number),
            ("high", Number),
            ("detail", Text),
        ],
        key: "",
        again: Again::Never,
    }],
};

/// Minutes, in the order in which they were closed or corrected.
pub(super) static MINUTES: Stream = Stream {
    name: "minute",
    source: "minute_change",
    mark: "start_us",
    bytes: "0",
    most: 5_000,
    moves: true,
    requeue: Some(include_str!("../sql/outbox/requeue_minutes.sql")),
    tables: &[
        &minutes(include_str!("../sql/outbox/minutes.sql")),
        &minute_counts(include_str!("../sql/outbox/minute_counts.sql")),
    ],
};

/// Stops, in the order in which they began, changed or ended.
static STOPS: Stream = Stream {
    name: "stop",
    source: "stop_change",
    mark: "from_us",
    bytes: "0",
    most: 10_000,
    moves: true,
    requeue: Some(include_str!("../sql/outbox/requeue_stops.sql")),
    tables: &[&Table {
        name: "stop",
        read: include_str!("../sql/outbox/stops.sql"),
        columns: &[
            ("change", Number),
            ("line_id", Line),
            ("number", Number),
            ("t", Time),
            ("to_t", Time),
            ("lasted_us", Number),
            ("cause", Text),
            ("state", Text),
            ("reason", Number),
            ("key", Text),
            ("candidates", Text),
            ("flags", Number),
        ],
        key: "line_id, number",
        again: Again::Replaces,
    }],
};

/// All of them.
pub(super) static STREAMS: [&Stream; 4] = [&EVENTS, &STOPS, &MINUTES, &RECORDS];

/// The minutes that are open now: no change yet and no number, written over each second. They are held by the
/// session of the minutes' stream.
pub(super) static PRESENT: Stream = Stream {
    name: "minute",
    source: "minute_change",
    mark: "start_us",
    bytes: "0",
    most: 1,
    moves: true,
    requeue: None,
    tables: &[
        &minutes(include_str!("../sql/outbox/open_minutes.sql")),
        &minute_counts(include_str!("../sql/outbox/open_minute_counts.sql")),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_table_is_written_follows_from_its_columns() {
        let write = |again| {
            let columns = &[("change", Number), ("line_id", Line), ("act", Kind::Json)];
            Table { name: "said", read: "", columns, key: "line_id", again }.write()
        };
        let insert = "insert into capline.said as known (change, line_id, act) select u.change, u.line_id, \
                      u.act::jsonb from unnest($1::bigint[], $2::integer[], $3::text[]) u (change, line_id, act) ";
        assert_eq!(write(Again::Never), insert);
        let on = format!("{insert}on conflict (line_id) do update set ");
        let all = format!("{on}change = excluded.change, act = excluded.act");
        assert_eq!(write(Again::Replaces), all);
        assert_eq!(write(Again::ReplacesOlder), format!("{all} where excluded.rev >= known.rev"));
        let same = "change = excluded.change where (known.act) is not distinct from (excluded.act)";
        assert_eq!(write(Again::IsTheSame), format!("{on}{same}"));
    }
}
