//! A TOML text with positions, read so that all its mistakes come out together and none hides another.
//!
//! Shared by the plc-maps and the configuration. A [`Section`] remembers which keys were asked for;
//! [`Section::finish`] reports the others, with the nearest key that exists.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One mistake in a file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Which entry: `tag CF01.Good`, `group fast`; may be empty.
    pub place: String,
    /// What is wrong, the value found and the way out; lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.place.is_empty() {
            write!(f, ": {}", self.place)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A file being read: its name, its text and the mistakes found so far.
pub struct Document<'t> {
    file: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// Starts reading; `file` is only used in messages.
    pub fn new(file: &'t str, text: &'t str) -> Document<'t> {
        Document { file, text, problems: RefCell::default() }
    }

    /// Parses the TOML syntax. Every syntax error is reported; what could be read is returned all the same.
    pub fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let line = error.span().map_or(0, |span| self.line_at(span.start));
            self.report(line, "", format!("not valid TOML: {}", error.message()));
        }
        table
    }

    /// The root of a parsed text.
    pub fn root<'d>(&'d self, table: &'d Spanned<DeTable<'t>>) -> Section<'d, 't> {
        Section {
            document: self,
            table: table.get_ref(),
            line: 1,
            place: String::new(),
            path: String::new(),
            asked: RefCell::default(),
        }
    }

    /// Notes a mistake.
    pub fn report(&self, line: usize, place: &str, message: impl Into<String>) {
        let problem =
            Problem { file: self.file.into(), line, place: place.into(), message: message.into() };
        self.problems.borrow_mut().push(problem);
    }

    /// All mistakes in the order of their lines.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems.dedup();
        problems
    }

    /// Line of a byte position, from 1.
    fn line_at(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }
}

/// One table of the file.
pub struct Section<'d, 't> {
    document: &'d Document<'t>,
    table: &'d DeTable<'t>,
    /// Line of the table's head, from 1.
    pub line: usize,
    /// What messages call it: `tag CF01.Good`.
    pub place: String,
    /// Its key with those of the tables it is in, as it is written: `line.device`.
    path: String,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// A value with the line it stands on.
#[derive(Clone, Copy, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its line.
    pub line: usize,
}

impl<'d, 't> Section<'d, 't> {
    /// The file it stands in.
    pub fn file(&self) -> &str {
        self.document.file
    }

    /// Notes a mistake of this table, at a line of your choice.
    pub fn report_at(&self, line: usize, message: impl Into<String>) {
        self.document.report(line, &self.place, message);
    }

    /// Notes a mistake of a key: at its line, or at the head of the table when it is not there.
    pub fn report(&self, key: &'static str, message: impl Into<String>) {
        let line = self.find(key).map_or(self.line, |at| at.line);
        self.report_at(line, message);
    }

    fn find(&self, key: &'static str) -> Option<At<&'d DeValue<'t>>> {
        self.asked.borrow_mut().insert(key);
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(At { value: value.get_ref(), line: self.document.line_at(value.span().start) })
    }

    /// Whether the key is there.
    pub fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    fn typed<T>(
        &self,
        key: &'static str,
        wanted: &str,
        get: impl Fn(&'d DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        let found = self.find(key)?;
        match get(found.value) {
            Some(value) => Some(At { value, line: found.line }),
            None => {
                self.report_at(
                    found.line,
                    format!("{key} must be {wanted}, found {}", shown(found.value)),
                );
                None
            }
        }
    }

    /// A text, if the key is there.
    pub fn text(&self, key: &'static str) -> Option<At<&'d str>> {
        self.typed(key, "a text in quotes", |value| value.as_str())
    }

    /// A text where something else may stand too, which is then left alone.
    pub fn plain(&self, key: &'static str) -> Option<At<&'d str>> {
        let At { value, line } = self.find(key)?;
        value.as_str().map(|value| At { value, line })
    }

    /// A text that must be there.
    pub fn required_text(&self, key: &'static str, example: &str) -> Option<At<&'d str>> {
        self.require(key, example).then(|| self.text(key)).flatten()
    }

    /// One text or a list of texts that must be there, each with its line; empty where none is usable.
    pub fn text_or_texts(&self, key: &'static str, example: &str) -> Vec<At<&'d str>> {
        if !self.require(key, example) {
            return Vec::new();
        }
        match self.find(key).and_then(|at| at.value.as_array()) {
            Some(list) if list.iter().next().is_none() => {
                let way_out = format!("write for instance {key} = {example}");
                self.report(key, format!("{key} is an empty list; {way_out}"));
                Vec::new()
            }
            Some(_) => self.texts(key),
            None => self.text(key).into_iter().collect(),
        }
    }

    /// A list of texts, each with its line; empty if the key is not there.
    pub fn texts(&self, key: &'static str) -> Vec<At<&'d str>> {
        let wanted = "a list of texts, [\"…\"]";
        let Some(list) = self.typed(key, wanted, |value| value.as_array()) else {
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.value.iter() {
            let line = self.document.line_at(item.span().start);
            match item.get_ref().as_str() {
                Some(value) => texts.push(At { value, line }),
                None => {
                    let found = shown(item.get_ref());
                    self.report_at(line, format!("{key} must be {wanted}, found {found} in it"));
                }
            }
        }
        texts
    }

    /// A boolean, if the key is there.
    pub fn boolean(&self, key: &'static str) -> Option<At<bool>> {
        self.typed(key, "true or false", |value| value.as_bool())
    }

    /// A number that may have a fraction, if the key is there.
    pub fn number(&self, key: &'static str) -> Option<At<f64>> {
        self.typed(key, "a number", |value| match value {
            DeValue::Integer(n) => integer(n).map(|n| n as f64),
            DeValue::Float(x) => {
                x.as_str().replace('_', "").parse().ok().filter(|x: &f64| x.is_finite())
            }
            _ => None,
        })
    }

    /// An integer in `[low, high]`, if the key is there.
    pub fn integer(&self, key: &'static str, low: i64, high: i64) -> Option<At<i64>> {
        let found =
            self.typed(key, "a whole number", |value| value.as_integer().and_then(integer))?;
        if (low..=high).contains(&found.value) {
            return Some(found);
        }
        self.report_at(
            found.line,
            format!("{key} must be from {low} to {high}, found {}", found.value),
        );
        None
    }

    /// A span of time written as `10ms`, `1s`, `5min` or `12h`, in microseconds, if the key is there.
    pub fn duration_us(&self, key: &'static str) -> Option<At<i64>> {
        let found = self.text(key)?;
        match parse_duration_us(found.value) {
            Some(us) => Some(At { value: us, line: found.line }),
            None => {
                let value = found.value;
                self.report_at(
                    found.line,
                    format!("{key} = \"{value}\" is no span of time; write \"10ms\", \"1s\", \"5min\" or \"12h\""),
                );
                None
            }
        }
    }

    /// A text that must parse as `T`, if the key is there; `wanted` says how it should look.
    pub fn parsed<T: FromStr>(&self, key: &'static str, wanted: &str) -> Option<At<T>> {
        let found = self.text(key)?;
        match found.value.parse() {
            Ok(value) => Some(At { value, line: found.line }),
            Err(_) => {
                self.report_at(found.line, format!("{key} = \"{}\" is not {wanted}", found.value));
                None
            }
        }
    }

    /// Reports the key as missing unless it is there. The example is a value, or a section as it is written.
    pub fn require(&self, key: &'static str, example: &str) -> bool {
        let there = self.has(key);
        if !there {
            let written = match example.starts_with('[') {
                true => example.to_owned(),
                false => format!("{key} = {example}"),
            };
            self.report_at(self.line, format!("{key} is missing; write for instance {written}"));
        }
        there
    }

    /// The table under a key, if it is there.
    pub fn section(&self, key: &'static str) -> Option<Section<'d, 't>> {
        let found = self.typed(key, "a table", |value| value.as_table())?;
        let path = self.path_of(key);
        Some(self.child(found.value, found.line, format!("[{path}]"), path))
    }

    /// All tables of an array `[[key]]`; empty if there is none.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'d, 't>> {
        let Some(found) = self.typed(key, "a list of tables, [[…]]", |value| value.as_array())
        else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in found.value.iter() {
            let line = self.document.line_at(item.span().start);
            match item.get_ref().as_table() {
                Some(table) => {
                    let path = self.path_of(key);
                    sections.push(self.child(table, line, format!("[[{path}]]"), path));
                }
                None => self.report_at(
                    line,
                    format!("{key} holds {} where a table belongs", shown(item.get_ref())),
                ),
            }
        }
        sections
    }

    fn child(
        &self,
        table: &'d DeTable<'t>,
        line: usize,
        place: String,
        path: String,
    ) -> Section<'d, 't> {
        Section { document: self.document, table, line, place, path, asked: RefCell::default() }
    }

    /// The key as the head of a table has it.
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// All keys of a table whose names are free: `[states]`, `[groups]`. They count as asked for.
    pub fn entries(&self) -> Vec<(&'d str, usize, &'d DeValue<'t>)> {
        let line_of = |at| self.document.line_at(at);
        self.table
            .iter()
            .map(|(key, value)| {
                (key.get_ref().as_ref(), line_of(key.span().start), value.get_ref())
            })
            .collect()
    }

    /// The table as a section of its own under a free name.
    pub fn entry_section(
        &self,
        line: usize,
        value: &'d DeValue<'t>,
        place: String,
    ) -> Option<Section<'d, 't>> {
        match value.as_table() {
            Some(table) => Some(self.child(table, line, place, self.path.clone())),
            None => {
                self.document.report(
                    line,
                    &place,
                    format!("a table belongs here, found {}", shown(value)),
                );
                None
            }
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if asked.contains(name) {
                continue;
            }
            let nearest = asked.iter().max_by(|a, b| {
                let likeness = |known: &str| strsim::jaro_winkler(known, name);
                likeness(a).total_cmp(&likeness(b))
            });
            let way_out = match nearest {
                Some(known) if strsim::jaro_winkler(known, name) > 0.8 => {
                    format!("did you mean {known}?")
                }
                _ => format!(
                    "known keys are {}",
                    asked.iter().copied().collect::<Vec<_>>().join(", ")
                ),
            };
            let line = self.document.line_at(key.span().start);
            self.report_at(line, format!("unknown key {name}; {way_out}"));
        }
    }
}

/// How a value looks in a message.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(x) => x.to_string(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

fn integer(n: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(n.as_str(), n.radix()).ok()
}

/// `10ms`, `1.5s`, `5min`, `12h`, `30d` in microseconds; none for anything else, and for zero.
pub fn parse_duration_us(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic() || c == 'µ')?;
    let (number, unit) = text.split_at(unit_at);
    let unit_us = match unit {
        "us" | "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "min" | "m" => 60e6,
        "h" => 3_600e6,
        "d" => 86_400e6,
        _ => return None,
    };
    let us = number.trim().parse::<f64>().ok()? * unit_us;
    (1.0..=4e15).contains(&us).then_some(us as i64)
}
