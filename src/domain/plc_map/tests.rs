//! Maps as files: what is wrong in them comes out together, and what is shipped is right.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;

use super::PlcMap;
use crate::line::counter::{Modulus, Odometer};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files of a folder of the project whose name ends so, with their texts, by name.
pub(super) fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).expect("a text"));
    paths.into_iter().map(read).collect()
}

/// Each `*.bad.toml` is refused with the report beside it: file, line, tag, value and way out of all its mistakes.
#[test]
fn all_mistakes_of_a_map_are_reported_together() {
    let cases = files("tests/cases/plc-maps", ".bad.toml");
    assert!(cases.len() >= 5, "only {} cases were found", cases.len());
    for (path, text) in cases {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let problems = PlcMap::parse(&name, &text).expect_err(&name);
        let told: Vec<String> = problems.iter().map(|problem| format!("{problem}\n")).collect();
        expect_file![path.with_extension("expected")].assert_eq(&told.concat());
    }
}

#[test]
fn shipped_maps_are_right() {
    let maps = files("plc-maps", ".toml");
    let mut machines = std::collections::BTreeSet::new();
    for (path, text) in maps {
        let map = PlcMap::parse(&path.to_string_lossy(), &text).expect("a shipped map");
        machines.insert((map.station.to_string(), map.protocol.word()));
        assert!(map.tags.iter().any(|tag| tag.role.counts()), "{} counts nothing", path.display());
    }
    for station in ["CF01", "PS02", "MD03", "CW04", "BC05"] {
        for protocol in ["modbus", "opcua"] {
            assert!(machines.contains(&(station.to_owned(), protocol)), "{station}, {protocol}");
        }
    }
}

#[test]
fn a_bottle_and_an_opened_flap_stand_for_capsules() {
    let capsules = |file: &str, id: &str| {
        let map = PlcMap::parse(file, &files("plc-maps", file)[0].1).expect("a shipped map");
        let at = map.tags.iter().position(|tag| tag.id.as_str() == id).expect("a tag");
        map.capsules(at as u16, Count::exact(2))
    };
    assert_eq!(capsules("bc05-modbus.toml", "BC05.GoodBottles"), Count::exact(120));
    assert_eq!(capsules("md03-modbus.toml", "MD03.RejEvents"), Count::between(20, 70, 120));
}

#[test]
fn the_rejects_of_the_polisher_have_four_digits() {
    let map = PlcMap::parse("ps02", &files("plc-maps", "ps02-modbus.toml")[0].1).expect("a map");
    let reject = map.tags.iter().find(|tag| tag.id.as_str() == "PS02.Rej.Empty").expect("a tag");
    let counter = reject.counter.expect("a counter");
    assert_eq!((counter.modulus, counter.retentive), (Modulus::At(10_000), Some(false)));
    assert_eq!(reject.encoding.order.word(), "CDAB");
}

#[test]
fn a_counter_is_as_its_map_says() {
    let settings = |tag: &str| {
        let text = format!(
            "[machine]\nstation = \"A\"\ntitle = {{ en = \"a\", zh = \"a\" }}\nprotocol = \"modbus\"\n\
             max_per_minute = 6000\nstep = 25\n[modbus]\nunit = 1\n[groups]\nfast = \"10ms\"\n\
             [[tag]]\nid = \"x\"\nregister = \"holding 0\"\nrole = \"good\"\n{tag}\n"
        );
        let map = PlcMap::parse("case", &text).unwrap_or_else(|problems| panic!("{problems:?}"));
        map.tags[0].counter.expect("a counter")
    };
    let modulus = |tag: &str| settings(tag).modulus;
    assert_eq!(modulus("type = \"u16\""), Modulus::At(65_536));
    assert_eq!(modulus("type = \"i32\""), Modulus::At(1 << 31));
    assert_eq!(modulus("type = \"u64\""), Modulus::Full64);
    assert_eq!(modulus("type = \"bcd16\""), Modulus::At(10_000));
    assert_eq!(modulus("type = \"f32\""), Modulus::Float32);
    assert_eq!(modulus("type = \"u32\"\nmodulus = \"10^6\""), Modulus::At(1_000_000));
    assert_eq!(modulus("type = \"u32\"\nmodulus = 9999"), Modulus::At(9_999));
    assert_eq!(modulus("type = \"u64\"\nmodulus = \"2^64\""), Modulus::Full64);
    assert_eq!(modulus("type = \"u16\"\nmodulus = \"none\""), Modulus::None);
    let all =
        settings("type = \"i32\"\nresets = \"batch manual\"\nretentive = true\nrefresh = \"1s\"");
    assert!(all.resets.batch && all.resets.manual);
    assert_eq!((all.retentive, all.lag_us, all.doubt), (Some(true), 1_000_000, 1));
    assert_eq!((all.max_per_minute, all.step), (6_000, 25));
}

#[test]
fn a_counter_knows_the_odometer_that_its_map_names() {
    let maps = files("plc-maps", "cf01-modbus.toml");
    let map = PlcMap::parse("cf01", &maps[0].1).expect("a shipped map");
    let tag = |id: &str| map.tags.iter().position(|tag| tag.id.as_str() == id).expect("a tag");
    let strokes = tag("CF01.StrokeTotal");
    let link = map.tags[tag("CF01.Rej.NoDose")].odometer.expect("an odometer");
    assert_eq!(usize::from(link.tag), strokes);
    assert_eq!(link.odometer, Odometer { capsules: 50, modulus: Modulus::At(1 << 32) });
    assert_eq!(map.tags[strokes].odometer, None);
}

#[test]
fn an_enumeration_names_its_values_and_nothing_else() {
    let text = "[machine]\nstation = \"A\"\ntitle = { en = \"a\", zh = \"a\" }\nprotocol = \"modbus\"\n\
                max_per_minute = 6000\nstep = 25\n[modbus]\nunit = 1\n[groups]\nfast = \"10ms\"\n\
                [[tag]]\nid = \"A.Door\"\nregister = \"holding 0\"\ntype = \"u16\"\nrole = \"condition\"\n\
                words = { 0 = \"closed\", 1 = \"open\" }\n";
    let map = PlcMap::parse("case", text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let word = |value: f64| map.tags[0].word(value).map(|word| &**word);
    assert_eq!((word(0.0), word(1.0)), (Some("closed"), Some("open")));
    for other in [2.0, 0.5, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(word(other), None, "{other}");
    }
}
