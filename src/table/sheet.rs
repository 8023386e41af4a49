//! CSV as a spreadsheet takes it: UTF-8 with a byte order mark, because a Chinese Excel takes it for GBK without one;
//! RFC 4180; times as ISO 8601 in UTC; an apostrophe before a text that would be taken for a formula.

use std::io::{self, BufRead, Write};

use super::{Cell, Column, Kind, span};

const MARK: &str = "\u{feff}";

/// Writes rows.
pub struct Writer<W: Write>(csv::Writer<W>);

impl<W: Write> Writer<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// Those of the place it is written to.
    pub fn new(mut to: W, columns: &[Column]) -> io::Result<Writer<W>> {
        to.write_all(MARK.as_bytes())?;
        let mut builder = csv::WriterBuilder::new();
        let mut writer = builder.terminator(csv::Terminator::CRLF).from_writer(to);
        writer.write_record(columns.iter().map(|column| &column.name)).map_err(io::Error::from)?;
        Ok(Writer(writer))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Those of the place it is written to.
    pub fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.0.write_record(cells.iter().map(text)).map_err(io::Error::from)
    }

    /// The place it was written to, with all of it there.
    ///
    /// # Errors
    /// Those of that place.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

/// A whole table as text.
pub fn whole(columns: &[Column], rows: impl IntoIterator<Item = Vec<Cell>>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new(), columns)?;
    for row in rows {
        writer.row(&row)?;
    }
    writer.finish()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Time(us) => span::instant(*us),
        Cell::Text(text) if is_guarded(text) => format!("'{text}"),
        Cell::Text(text) => text.clone(),
        Cell::Count(n) => n.to_string(),
        Cell::Number(n) => n.to_string(),
        Cell::Whole(n) => n.to_string(),
        Cell::Real(x) => x.to_string(),
        Cell::Flag(flag) => flag.to_string(),
    }
}

/// What a spreadsheet may take for a formula: a sign in half or full width, which a Chinese Excel takes for the same, or
/// white space that it passes over on the way to one.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'])
}

/// Whether a text is written behind an apostrophe. One that has its own gets another, so that it can be read back.
fn is_guarded(text: &str) -> bool {
    is_formula(text.trim_start_matches('\''))
}

/// Reads what [`Writer`] wrote, row by row.
///
/// # Errors
/// What is wrong, with the line. `each` is not called for a row that does not fit.
pub fn read(
    mut from: impl BufRead,
    columns: &[Column],
    mut each: impl FnMut(&[Cell]) -> Result<(), String>,
) -> Result<(), String> {
    let mut mark = [0; MARK.len()];
    from.read_exact(&mut mark).map_err(|error| error.to_string())?;
    if mark != MARK.as_bytes() {
        return Err("it does not begin with a byte order mark".to_owned());
    }
    let mut reader = csv::Reader::from_reader(from);
    let head = reader.headers().map_err(|error| error.to_string())?;
    if !head.iter().eq(columns.iter().map(|column| &column.name)) {
        return Err("its head is not that of the manifest".to_owned());
    }
    let mut cells = Vec::with_capacity(columns.len());
    for (n, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        cells.clear();
        for (column, field) in columns.iter().zip(&record) {
            let wrong =
                || format!("row {}: {}: {field:?} is no {:?}", n + 1, column.name, column.kind);
            cells.push(cell(column.kind, field).ok_or_else(wrong)?);
        }
        each(&cells)?;
    }
    Ok(())
}

fn cell(kind: Kind, field: &str) -> Option<Cell> {
    if field.is_empty() {
        return Some(Cell::Empty);
    }
    Some(match kind {
        Kind::Time => Cell::Time(field.parse::<jiff::Timestamp>().ok()?.as_microsecond()),
        Kind::Text => {
            let plain = field.strip_prefix('\'').filter(|rest| is_guarded(rest));
            Cell::Text(plain.unwrap_or(field).to_owned())
        }
        Kind::Count => Cell::Count(field.parse().ok()?),
        Kind::Number => Cell::Number(field.parse().ok()?),
        Kind::Whole => Cell::Whole(field.parse().ok()?),
        Kind::Real => Cell::Real(field.parse().ok()?),
        Kind::Flag => Cell::Flag(field.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn columns() -> Vec<Column> {
        [
            ("utc", Kind::Time),
            ("word", Kind::Text),
            ("good_capsules", Kind::Count),
            ("raw", Kind::Whole),
        ]
        .map(|(name, kind)| Column::new(name, kind))
        .into()
    }

    fn rows() -> Vec<Vec<Cell>> {
        let row = |us, word: &str, n, raw| {
            vec![Cell::Time(us), Cell::Text(word.to_owned()), Cell::Count(n), raw]
        };
        vec![
            row(1_795_507_200_000_000, "a, \"b\"\nc", u64::MAX, Cell::Whole(i128::from(u64::MAX))),
            row(1_795_507_200_250_000, "=1+1", 0, Cell::Empty),
            row(0, "料斗", 7, Cell::Whole(-3)),
        ]
    }

    #[test]
    fn a_spreadsheet_gets_a_mark_quotes_and_no_formula() {
        let text = String::from_utf8(whole(&columns(), rows()).expect("a vector takes all"))
            .expect("UTF-8");
        assert!(text.starts_with('\u{feff}'));
        expect![[r#"
            utc,word,good_capsules,raw
            2026-11-24T08:00:00Z,"a, ""b""
            c",18446744073709551615,18446744073709551615
            2026-11-24T08:00:00.25Z,'=1+1,0,
            1970-01-01T00:00:00Z,料斗,7,-3
        "#]]
        .assert_eq(&text.replace("\r\n", "\n").replace('\u{feff}', ""));
        assert_eq!(text.matches("\r\n").count(), 4);
    }

    #[test]
    fn no_text_is_a_formula_and_each_is_read_back() {
        let columns = [Column::new("word", Kind::Text)];
        for sign in
            ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\n=", "'=", "''＝"]
        {
            let given = format!("{sign}cmd|' /C calc'!A0");
            let row = vec![Cell::Text(given.clone())];
            let text = whole(&columns, [row.clone()]).expect("a vector takes all");
            let mut reader = csv::Reader::from_reader(&text[MARK.len()..]);
            let field = reader.records().next().expect("a row").expect("whole")[0].to_owned();
            assert_eq!(field, format!("'{given}"), "{sign:?}");
            let mut found = Vec::new();
            let take = |row: &[Cell]| {
                found.push(row.to_vec());
                Ok(())
            };
            read(text.as_slice(), &columns, take).expect("its own text");
            assert_eq!(found, [row], "{sign:?}");
        }
        // What is none stays as it is: an apostrophe of its own, a sign further on.
        for given in ["'tis", "a=b", "料＝斗", " x"] {
            assert_eq!(text(&Cell::Text(given.to_owned())), given);
        }
    }

    #[test]
    fn what_is_written_is_read_and_a_wrong_cell_is_named() {
        let text = whole(&columns(), rows()).expect("a vector takes all");
        let mut found = Vec::new();
        read(text.as_slice(), &columns(), |row| {
            found.push(row.to_vec());
            Ok(())
        })
        .expect("its own text");
        assert_eq!(found, rows());
        let wrong = String::from_utf8(text).expect("UTF-8").replace(",7,", ",seven,");
        let said = read(wrong.as_bytes(), &columns(), |_| Ok(())).expect_err("seven is no count");
        assert_eq!(said, "row 3: good_capsules: \"seven\" is no Count");
    }
}
