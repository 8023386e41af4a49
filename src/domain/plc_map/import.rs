//! A register list as CSV → the text of a map. What a tag may be is decided by the map's own reader.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{PlcMap, Problem, document};

/// Columns whose values are texts in a map.
const TEXTS: [&str; 8] = ["id", "register", "type", "order", "role", "unit", "resets", "odometer"];
/// Columns whose values are numbers, `true` or `false` in a map, or a power such as `2^31`.
const NUMBERS: [&str; 11] = [
    "scale",
    "offset",
    "count",
    "stride",
    "modulus",
    "retentive",
    "max_per_minute",
    "step",
    "capsules",
    "capsules_least",
    "capsules_most",
];
/// What a map can say that no list says, as a remark in a map to begin with.
pub const INSIDE: &str = "# inside = 900   # most capsules inside at once: with it, what came in bounds what nobody could read\n";

/// Columns that this file reads itself.
const OWN: [&str; 2] = ["period", "words"];
/// Columns that each list must have.
const NEEDED: [&str; 4] = ["id", "register", "type", "role"];

/// What a register list does not say.
#[derive(Clone, Debug)]
pub struct Head {
    /// The station.
    pub station: String,
    /// Its title in both languages.
    pub title: (String, String),
    /// Unit identifier.
    pub unit: u8,
    /// Order of bytes of all tags that name none.
    pub order: String,
    /// Fastest rate of the machine in capsules a minute.
    pub max_per_minute: u64,
    /// Poll period of all tags that name none.
    pub period: String,
}

/// The text of a map with the tags of a register list in CSV; `file` is only used in messages.
///
/// # Errors
/// All mistakes with file, line and way out: a missing or unknown column, a row of another length, and whatever the
/// reader of maps finds wrong with a tag.
pub fn map_of(file: &str, csv: &str, head: &Head) -> Result<String, Vec<Problem>> {
    let problem = |line: usize, message: String| Problem {
        file: file.into(),
        line,
        place: String::new(),
        message,
    };
    let separator = separator(csv);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(columns) => columns.iter().map(str::to_lowercase).collect(),
        Err(error) => return Err(vec![problem(1, error.to_string())]),
    };
    let mut problems = check_columns(&columns, |message| problem(1, message));
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |at| at.line() as usize);
                let row: BTreeMap<&str, String> = columns
                    .iter()
                    .map(String::as_str)
                    .zip(record.iter().map(str::to_owned))
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(column, value)| (column, with_point(column, value, separator)))
                    .collect();
                rows.push((line, row));
            }
            Err(error) => {
                let line = error.position().map_or(0, |at| at.line() as usize);
                let message = format!("has another number of fields than the header: {error}");
                problems.push(problem(line, message));
            }
        }
    }
    if rows.is_empty() && problems.is_empty() {
        problems.push(problem(1, "no row below the header; write one for each tag".into()));
    }
    let periods = periods(&rows, head, |line, message| problems.push(problem(line, message)));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut text = head_of(head, &periods);
    // Which line of the map came from which line of the list.
    let mut origins = Vec::new();
    for (line, row) in &rows {
        let begin = text.lines().count() + 1;
        text += &tag_of(row, head, &periods);
        origins.push((begin, *line));
    }
    match PlcMap::parse(file, &text) {
        Ok(_) => Ok(text),
        Err(found) => Err(found.into_iter().map(|p| at_origin(p, &origins)).collect()),
    }
}

/// What stands between the columns: whatever stands most often in the header. A spreadsheet writes semicolons where the
/// comma is the decimal sign.
fn separator(csv: &str) -> u8 {
    let text = csv.trim_start_matches('\u{feff}');
    let is_header = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let header = text.lines().find(is_header).unwrap_or("");
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    // The last of equals.
    [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// A number with a decimal point, where commas do not stand between the columns.
fn with_point(column: &str, value: String, separator: u8) -> String {
    let is_decimal = separator != b','
        && NUMBERS.contains(&column)
        && value.split_once(',').is_some_and(|(whole, rest)| {
            whole.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit())
                && !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_digit())
        });
    if is_decimal { value.replacen(',', ".", 1) } else { value }
}

fn check_columns(columns: &[String], problem: impl Fn(String) -> Problem) -> Vec<Problem> {
    let known = || NEEDED.iter().chain(&TEXTS).chain(&NUMBERS).chain(&OWN);
    let mut problems = Vec::new();
    for needed in NEEDED {
        if !columns.iter().any(|column| column == needed) {
            problems.push(problem(format!(
                "column {needed} is missing; the header needs id, register, type and role"
            )));
        }
    }
    for (i, column) in columns.iter().enumerate() {
        if !known().any(|known| known == column) {
            let all: Vec<&str> = TEXTS.iter().chain(&NUMBERS).chain(&OWN).copied().collect();
            problems
                .push(problem(format!("column \"{column}\" is not known; use {}", all.join(", "))));
        }
        if columns[..i].contains(column) {
            problems.push(problem(format!("column {column} is there twice; leave one out")));
        }
    }
    problems
}

/// Group names by period, fastest first: `every_10ms`.
fn periods(
    rows: &[(usize, BTreeMap<&str, String>)],
    head: &Head,
    mut problem: impl FnMut(usize, String),
) -> BTreeMap<i64, String> {
    let mut periods = BTreeMap::new();
    let default = (0, &head.period);
    for (line, period) in
        rows.iter().map(|(line, row)| (*line, row.get("period").unwrap_or(default.1)))
    {
        match document::parse_duration_us(period) {
            Some(us) => {
                periods.entry(us).or_insert_with(|| period.replace(' ', ""));
            }
            None => problem(
                line,
                format!("period \"{period}\" is no span of time; write 10ms, 1s or 5min"),
            ),
        }
    }
    periods
}

fn head_of(head: &Head, periods: &BTreeMap<i64, String>) -> String {
    let (en, zh) = &head.title;
    let mut text = format!(
        "[machine]\nstation = {}\ntitle = {{ en = {}, zh = {} }}\nprotocol = \"modbus\"\norder = {}\n\
         max_per_minute = {}\n{INSIDE}\n[modbus]\nunit = {}\n\n[groups]\n",
        quoted(&head.station),
        quoted(en),
        quoted(zh),
        quoted(&head.order),
        head.max_per_minute,
        head.unit
    );
    for period in periods.values() {
        let _ = writeln!(text, "{} = {}", group(period), quoted(period));
    }
    text
}

fn group(period: &str) -> String {
    quoted(&format!("every_{period}"))
}

/// One `[[tag]]`.
fn tag_of(row: &BTreeMap<&str, String>, head: &Head, periods: &BTreeMap<i64, String>) -> String {
    let mut text = String::from("\n[[tag]]\n");
    for key in TEXTS {
        if let Some(value) = row.get(key) {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
    }
    for key in NUMBERS {
        if let Some(value) = row.get(key) {
            // What is no number stays a text, and the reader of maps says what belongs there.
            let is_plain = value.parse::<f64>().is_ok_and(f64::is_finite)
                || value == "true"
                || value == "false";
            let value =
                if is_plain { value.trim_start_matches('+').to_owned() } else { quoted(value) };
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    if let Some(words) = row.get("words") {
        let pairs: Vec<String> = words
            .split(';')
            .map(|pair| {
                let (code, word) = pair.split_once('=').unwrap_or((pair, ""));
                format!("{} = {}", quoted(code.trim()), quoted(word.trim()))
            })
            .collect();
        let _ = writeln!(text, "words = {{ {} }}", pairs.join(", "));
    }
    let period = row.get("period").unwrap_or(&head.period);
    if let Some(name) = document::parse_duration_us(period).and_then(|us| periods.get(&us)) {
        let _ = writeln!(text, "group = {}", group(name));
    }
    text
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A mistake in the map as one of the row that it came from.
fn at_origin(problem: Problem, origins: &[(usize, usize)]) -> Problem {
    let origin = origins.iter().rev().find(|(begin, _)| *begin <= problem.line);
    match origin {
        Some((_, line)) => Problem { line: *line, ..problem },
        // What the head says comes from the command line.
        None => Problem { line: 0, ..problem },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plc_map::{Address, ByteOrder, Kind, Role, Table};

    fn head() -> Head {
        Head {
            station: "CF01".into(),
            title: ("Capsule \"filler\"".into(), "胶囊充填机".into()),
            unit: 3,
            order: "CDAB".into(),
            max_per_minute: 6_500,
            period: "1s".into(),
        }
    }

    #[test]
    fn a_list_becomes_a_map() {
        let csv = "\u{feff}ID, register,type,role,order,scale,unit,period,words,modulus,count\n\
                   # a remark\n\
                   CF01.Good,holding 13,u32,good,,,caps,10ms,,2^31,\n\
                   CF01.Vacuum,holding 24,i16,condition,,0.1,kPa,,,,\n\
                   \"CF01.Door\",coil 3,bool,condition,,,,,0=closed; 1=\"\"open\"\",,\n\
                   CF01.Net,input 40,u16,weight,BADC,0.1,mg,,,,20\n";
        let csv = csv.replace("1=\"\"open\"\"", "1=open");
        let text =
            map_of("list.csv", &csv, &head()).unwrap_or_else(|problems| panic!("{problems:?}"));
        let map = PlcMap::parse("map.toml", &text).expect("what was written is right");
        assert_eq!((map.groups.len(), map.tags.len()), (2, 23));
        assert_eq!(map.flow.inside, None, "it is for who knows the machine");
        let map =
            PlcMap::parse("map.toml", &text.replace("# inside", "inside")).expect("it is right");
        assert_eq!(map.flow.inside, Some(900));
        assert_eq!(map.groups[0].period_us, 10_000);
        assert_eq!(map.tags[0].role, Role::Good);
        assert_eq!(
            (map.tags[0].encoding.kind, map.tags[0].encoding.order),
            (Kind::Unsigned(32), ByteOrder::Cdab)
        );
        assert_eq!((map.tags[1].scale, &*map.tags[1].unit, map.tags[1].group), (0.1, "kPa", 1));
        assert_eq!(map.tags[2].words.get(&1).map(|word| &**word), Some("open"));
        assert_eq!(map.tags[22].address, Address::Register { table: Table::Input, first: 59 });
        assert_eq!(map.tags[22].id.as_str(), "CF01.Net[19]");
    }

    #[test]
    fn a_list_with_semicolons_and_decimal_commas_is_read_as_well() {
        let csv = "id;register;type;role;scale;unit;words\n\
                   CF01.Vacuum;holding 24;i16;condition;0,1;kPa;\n\
                   CF01.Door;coil 3;bool;condition;;;\"0=closed; 1=open\"\n";
        let commas = "id,register,type,role,scale,unit,words\n\
                      CF01.Vacuum,holding 24,i16,condition,0.1,kPa,\n\
                      CF01.Door,coil 3,bool,condition,,,0=closed; 1=open\n";
        let text = |csv: &str| map_of("list.csv", csv, &head()).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(text(csv), text(commas));
        assert_eq!(
            text(&csv.replace("; 1", ", 1").replace(';', "\t").replace(", 1", ";1")),
            text(commas)
        );
        assert!(text(csv).contains("scale = 0.1"), "{}", text(csv));
    }

    #[test]
    fn an_address_in_the_way_of_vendors_has_its_register_in_the_message() {
        for (written, meant) in [
            ("40014", "holding 13"),
            ("400014", "holding 13"),
            ("465536", "holding 65535"),
            ("30001", "input 0"),
            ("10008", "discrete 7"),
            ("00003", "coil 2"),
        ] {
            let csv = format!("id,register,type,role\nA,{written},u16,condition\n");
            let problems = map_of("list.csv", &csv, &head()).expect_err(written);
            let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
            assert_eq!(told.len(), 1, "{told:?}");
            let hint = format!("1-based address of a vendor's list; write \"{meant}\"");
            assert!(told[0].contains(&hint), "{told:?}");
        }
    }

    #[test]
    fn mistakes_name_the_line_of_the_list() {
        let told = |csv: &str| -> Vec<String> {
            map_of("list.csv", csv, &head())
                .expect_err(csv)
                .iter()
                .map(Problem::to_string)
                .collect()
        };
        assert_eq!(
            told("id,type,rolle\nx,u16,good\n"),
            [
                "list.csv:1: column register is missing; the header needs id, register, type and role",
                "list.csv:1: column role is missing; the header needs id, register, type and role",
                "list.csv:1: column \"rolle\" is not known; use id, register, type, order, role, unit, resets, odometer, \
                 scale, offset, count, stride, modulus, retentive, max_per_minute, step, capsules, capsules_least, \
                 capsules_most, period, words",
            ]
        );
        let text = "id,register,type,role,scale,period\nA,holding 1,u16,good,,\nB,holding x,u17,condition,ten,\n\
                    C,holding 3,u16,condition,,soon\n";
        assert_eq!(
            told(text),
            ["list.csv:4: period \"soon\" is no span of time; write 10ms, 1s or 5min"]
        );
        let found = told(&text.replace("soon", ""));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("list.csv:3: tag B: register = \"holding x\" has no address;"),
            "{found:?}"
        );
        assert!(found.iter().any(|p| p.contains("type = \"u17\" is not known")), "{found:?}");
        assert!(
            found.iter().any(|p| p.contains("scale must be a number, found \"ten\"")),
            "{found:?}"
        );
        assert_eq!(told("id,register,type,role\n").len(), 1);
        assert!(
            told("id,register,type,role\nA,holding 1\n")[0]
                .starts_with("list.csv:2: has another number of fields")
        );
    }
}
