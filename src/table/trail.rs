//! Entries of the audit trail as a table: whoever has it can recompute the chain.

use domain::audit::Entry;

use super::{Cell, Column, Kind};

/// Columns of entries.
pub fn columns() -> Vec<Column> {
    let text = |name| Column::new(name, Kind::Text);
    vec![
        Column::new("at_utc", Kind::Time),
        Column::new("number", Kind::Number),
        Column::new("at_epoch", Kind::Number),
        text("local"),
        text("account"),
        text("name"),
        text("from_where"),
        text("what"),
        text("subject"),
        text("old"),
        text("new"),
        text("reason"),
        text("prev_hash"),
        text("hash"),
    ]
}

/// An entry as a row.
pub fn cells(entry: &Entry) -> Vec<Cell> {
    let texts = [
        &entry.local,
        &entry.account,
        &entry.name,
        &entry.from,
        &entry.what,
        &entry.subject,
        &entry.old,
        &entry.new,
        &entry.reason,
        &entry.prev_hash,
        &entry.hash,
    ];
    let cell = |text: &String| match text.is_empty() {
        true => Cell::Empty,
        false => Cell::Text(text.clone()),
    };
    let head = [Cell::Time(entry.at_us), Cell::Number(entry.number), Cell::Number(entry.at_us)];
    head.into_iter().chain(texts.into_iter().map(cell)).collect()
}
