//! Texts and registers that nobody should send: the readers refuse them with a reason and never panic.
//!
//! Two seconds for each reader; `CAPLINE_FUZZ_SECONDS` gives them more, and `cargo bolero test` lets the coverage lead.
//! Texts that once failed or found a corner are kept in `tests/cases/fuzz/plc-map`.

use std::collections::HashSet;
use std::time::Duration;

use bolero::TypeGenerator;

use super::encoding::decode;
use super::import::{Head, map_of};
use super::tests::files;
use super::{ByteOrder, Encoding, Kind, PlcMap, Problem};
use crate::reading::Value;

/// Pieces of a map that a reader takes for something.
const WORDS: [&str; 24] = [
    "[[tag]]\n",
    "[modbus]\n",
    "[groups]\n",
    "id = \"CF01.Good\"\n",
    "role = \"good\"\n",
    "role = \"odometer\"\n",
    "type = \"u64\"\n",
    "register = \"holding 65535\"\n",
    "count = 65535\n",
    "stride = -1\n",
    "modulus = \"2^999999999999\"\n",
    "odometer = \"CF01.Good\"\n",
    "-9223372036854775808",
    "9223372036854775807",
    "\"2^64\"",
    "\"text65535\"",
    "\"9e999s\"",
    "\"\"",
    "nan",
    "inf",
    "{}",
    "[]",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\u{feff}\u{202e}胶囊",
];

/// One change of a text.
#[derive(Debug, TypeGenerator)]
enum Edit {
    Cut { at: u16, length: u8 },
    Insert { at: u16, bytes: Vec<u8> },
    Word { at: u16, length: u8, word: u8 },
    CopyLine { from: u16, to: u16 },
    DropLine { at: u16 },
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let place = |at: u16| {
            let mut place = usize::from(at) % (text.len() + 1);
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            place
        };
        let cut = |at: u16, length: u8| {
            let start = place(at);
            let rest = text[start..].char_indices().nth(usize::from(length));
            start..rest.map_or(text.len(), |(i, _)| start + i)
        };
        let put = |at: u16, length: u8, graft: &str| {
            let cut = cut(at, length);
            format!("{}{graft}{}", &text[..cut.start], &text[cut.end..])
        };
        let mut lines: Vec<&str> = text.lines().collect();
        let n = lines.len();
        let line = |at: u16| usize::from(at) % n.max(1);
        match self {
            Edit::Cut { at, length } => put(*at, *length, ""),
            Edit::Insert { at, bytes } => put(*at, 0, &String::from_utf8_lossy(bytes)),
            Edit::Word { at, length, word } => {
                put(*at, length % 40, WORDS[usize::from(*word) % WORDS.len()])
            }
            Edit::CopyLine { from, to } if n > 0 => {
                lines.insert(line(*to), lines[line(*from)]);
                lines.join("\n")
            }
            Edit::DropLine { at } if n > 0 => {
                lines.remove(line(*at));
                lines.join("\n")
            }
            Edit::CopyLine { .. } | Edit::DropLine { .. } => text.to_owned(),
        }
    }
}

fn time() -> Duration {
    let seconds = std::env::var("CAPLINE_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(2.0))
}

/// What every text must lead to: a map that holds together, or mistakes that lie in the text.
fn check_map(text: &str) {
    match PlcMap::parse("any.toml", text) {
        Ok(map) => check_tags(&map, text),
        Err(problems) => check_problems(&problems, text),
    }
}

fn check_tags(map: &PlcMap, text: &str) {
    assert!(!map.groups.is_empty() && !map.tags.is_empty(), "a map without tags:\n{text}");
    let mut ids = HashSet::new();
    for tag in &map.tags {
        assert!(ids.insert(&tag.id), "tag {} is there twice:\n{text}", tag.id);
        assert!(usize::from(tag.group) < map.groups.len(), "tag {} has no group:\n{text}", tag.id);
        assert!((1..=text.lines().count()).contains(&tag.line), "tag {} has no line", tag.id);
        assert_eq!(tag.counter.is_some(), tag.role.counts(), "tag {}:\n{text}", tag.id);
        let odometer = tag.odometer.map(|link| usize::from(link.tag));
        assert!(odometer.is_none_or(|at| at < map.tags.len()), "tag {}:\n{text}", tag.id);
        assert!(tag.scale.is_finite() && tag.offset.is_finite(), "tag {}:\n{text}", tag.id);
    }
}

fn check_problems(problems: &[Problem], text: &str) {
    assert!(!problems.is_empty(), "refused without a reason:\n{text}");
    for problem in problems {
        assert_eq!(problem.file, "any.toml");
        assert!(!problem.message.is_empty(), "a reason without words:\n{text}");
        assert!(problem.line <= text.lines().count() + 1, "{problem} is beyond the text:\n{text}");
    }
}

/// Shows: EVI-07
#[test]
fn fuzz_maps() {
    let maps: Vec<String> = files("plc-maps", ".toml").into_iter().map(|(_, text)| text).collect();
    assert!(maps.len() >= 3, "only {} maps to start from", maps.len());
    let target = bolero::check!().with_test_time(time()).with_iterations(usize::MAX);
    target.with_type::<(u8, Vec<Edit>)>().for_each(|(from, edits)| {
        let text = maps[usize::from(*from) % maps.len()].clone();
        check_map(&edits.iter().take(12).fold(text, |text, edit| edit.apply(&text)));
    });
}

#[test]
fn kept_texts_are_refused_or_hold_together() {
    let kept = files("tests/cases/fuzz/plc-map", ".toml");
    assert!(kept.len() >= 8, "only {} texts were kept", kept.len());
    kept.iter().for_each(|(_, text)| check_map(text));
}

/// A check that would let anything pass finds nothing.
/// Shows: EVI-07
#[test]
#[should_panic(expected = "is there twice")]
fn a_map_that_does_not_hold_together_is_noticed() {
    let (_, text) = files("plc-maps", "cf01-modbus.toml").remove(0);
    let mut map = PlcMap::parse("any.toml", &text).expect("a shipped map");
    map.tags.push(map.tags[0].clone());
    check_tags(&map, &text);
}

#[test]
fn fuzz_register_lists() {
    let head = Head {
        station: "A".into(),
        title: ("a".into(), "甲".into()),
        unit: 1,
        order: "abcd".into(),
        max_per_minute: 6_000,
        period: "100ms".into(),
    };
    let list = "id,register,type,role,scale,period,count,words\n\
                A.Good,holding 10,u32,good,,10ms,,\nA.State,holding 20,u16,state,,,,\n\
                A.Temp,input 5,f32,condition,0.1,1s,3,\nA.Mode,holding 9,u16,mode,,,,\"1=a;2=b\"\n";
    let target = bolero::check!().with_test_time(time()).with_iterations(usize::MAX);
    target.with_type::<Vec<Edit>>().for_each(|edits| {
        let csv = edits.iter().take(12).fold(list.to_owned(), |text, edit| edit.apply(&text));
        match map_of("any.toml", &csv, &head) {
            Ok(text) => {
                let map = PlcMap::parse("any.toml", &text).expect("what was imported can be read");
                check_tags(&map, &text);
            }
            Err(problems) => assert!(!problems.is_empty(), "refused without a reason:\n{csv}"),
        }
    });
}

#[test]
fn fuzz_registers() {
    let target = bolero::check!().with_test_time(time()).with_iterations(usize::MAX);
    target.with_type::<(Vec<u16>, u8, u32, u8)>().for_each(|(registers, kind, bits, order)| {
        let bits_of = [16, 32, 64, *bits][(*bits % 4) as usize];
        let kind = match kind % 7 {
            0 => Kind::Bit(*bits as u8),
            1 => Kind::Field(*bits as u8, (*bits >> 8) as u8),
            2 => Kind::Unsigned(bits_of),
            3 => Kind::Signed(bits_of),
            4 => Kind::Float(bits_of),
            5 => Kind::Bcd(bits_of),
            _ => Kind::Text(*bits as u16 % 64),
        };
        let order = ByteOrder::ALL[usize::from(*order) % ByteOrder::ALL.len()];
        let n = usize::from(kind.registers());
        let fit: Vec<u16> = registers.iter().copied().cycle().take(n).collect();
        for registers in [registers, &fit] {
            let Ok(value) = decode(registers, Encoding { kind, order }) else { continue };
            assert_eq!(registers.len(), n, "{kind:?} of {registers:04x?}");
            let fits = match (kind, &value) {
                (Kind::Bit(_), Value::Bool(_)) | (Kind::Float(_), Value::Float(_)) => true,
                (Kind::Unsigned(16) | Kind::Field(..), Value::Unsigned(n)) => *n < 1 << 16,
                (Kind::Unsigned(32), Value::Unsigned(n)) => *n < 1 << 32,
                (Kind::Unsigned(64), Value::Unsigned(_)) | (Kind::Signed(64), Value::Signed(_)) => {
                    true
                }
                (Kind::Signed(bits), Value::Signed(n)) => {
                    (-1_i64 << (bits - 1)..1 << (bits - 1)).contains(n)
                }
                (Kind::Bcd(bits), Value::Unsigned(n)) => *n < 10_u64.pow(bits / 4),
                (Kind::Text(registers), Value::Text(text)) => {
                    text.chars().count() <= 2 * usize::from(registers)
                }
                _ => false,
            };
            assert!(fits, "{kind:?} of {registers:04x?} became {value:?}");
        }
    });
}
