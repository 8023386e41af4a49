//! What the commented example shows as comments is taken when it is written: each key alone, each section as a whole.

use std::path::Path;

use super::Config;

/// Lines of the example that go together: a commented key, or a commented section with its keys.
struct Example {
    /// Its first line without the mark.
    name: String,
    lines: Vec<usize>,
}

/// What an example needs beside it: another example, and texts of the file replaced.
struct Need {
    of: &'static str,
    beside: Option<&'static str>,
    replaced: &'static [(&'static str, &'static str)],
}

const NEEDS: [Need; 10] = [
    Need {
        of: "[quality]",
        beside: None,
        replaced: &[("# access = \"open\"", "access = \"users\"")],
    },
    Need { of: "[[alert]]", beside: Some("[[webhook]]"), replaced: &[] },
    // Half of its keys are for weights, which are measurements.
    Need {
        of: "[[line.characteristic]]",
        beside: None,
        replaced: &[
            ("id = \"reject_fraction\"", "id = \"weight.CW04\""),
            ("chart = \"p_prime\"", "chart = \"i_mr\""),
        ],
    },
    Need {
        of: "quiet",
        beside: None,
        replaced: &[("\"192.168.1.10:502\"", "\"rtu+tcp://192.168.1.10:502\"")],
    },
    Need {
        of: "[line.device.serial]",
        beside: None,
        replaced: &[("\"192.168.1.10:502\"", "\"serial:/dev/ttyUSB0\"")],
    },
    Need {
        of: "[line.device.tls]",
        beside: None,
        replaced: &[("\"192.168.1.10:502\"", "\"tls://192.168.1.10:802\"")],
    },
    Need {
        of: "without_tls",
        beside: None,
        replaced: &[("# listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\"")],
    },
    Need {
        of: "open_to_network",
        beside: None,
        replaced: &[
            ("# listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\""),
            ("# access = \"open\"", "access = \"open\""),
        ],
    },
    Need { of: "mode", beside: None, replaced: &SECURED },
    Need { of: "user", beside: None, replaced: &SECURED },
];

const SECURED: [(&str, &str); 1] = [("# security = \"None\"", "security = \"Basic256Sha256\"")];

/// What a commented line would say, if it is an example and no prose.
fn example(line: &str) -> Option<&str> {
    let text = line.strip_prefix("# ")?;
    let key = text.split_once(" = ").map(|(key, _)| key);
    let is_key = |key: &str| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (text.starts_with('[') || key.is_some_and(is_key)).then_some(text)
}

fn examples(lines: &[&str]) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut in_section = false;
    for (at, line) in lines.iter().enumerate() {
        let Some(text) = example(line) else {
            // Prose that goes on from the line above ends no section.
            in_section &= line.starts_with('#');
            continue;
        };
        let is_head = text.starts_with('[');
        match found.last_mut().filter(|_| in_section && !is_head) {
            Some(section) => section.lines.push(at),
            None => {
                let name = text.split([' ', '#']).next().unwrap_or(text).to_owned();
                found.push(Example { name, lines: vec![at] });
            }
        }
        in_section |= is_head;
    }
    found
}

#[test]
fn every_example_in_a_comment_is_taken_when_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("config/plant.toml")).expect("the example");
    // The certificates that it names must be there, and nobody reads them yet.
    let base = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(base.path().join("pki")).expect("a folder");
    let files =
        "plant-ca.pem pki/plant-ca.pem pki/capline.pem pki/capline.key pki/web.pem pki/web.key";
    for file in files.split(' ') {
        std::fs::write(base.path().join(file), "").expect("a file");
    }
    let read = |map: &Path| {
        std::fs::read_to_string(root.join("plc-maps").join(map.file_name().unwrap_or_default()))
    };
    let lines: Vec<&str> = text.lines().collect();
    let examples = examples(&lines);
    assert!(examples.len() >= 25, "only {} examples were found", examples.len());
    for need in &NEEDS {
        assert!(examples.iter().any(|other| other.name == need.of), "{} is gone", need.of);
    }
    let mut refused = Vec::new();
    for one in &examples {
        let need = NEEDS.iter().find(|need| need.of == one.name);
        let beside = need.and_then(|need| need.beside);
        let beside = examples.iter().filter(|other| beside == Some(&*other.name));
        let written: Vec<usize> =
            beside.chain([one]).flat_map(|example| example.lines.clone()).collect();
        let line = |(at, line): (usize, &&str)| match written.contains(&at) {
            true => example(line).unwrap_or(line).to_owned(),
            false => (*line).to_owned(),
        };
        let mut text = lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n");
        for (from, to) in need.map_or(&[][..], |need| need.replaced) {
            assert!(text.contains(from), "{from} is not in the example");
            text = text.replacen(from, to, 1);
        }
        if let Err(error) = Config::parse("plant.toml", &text, base.path(), &read) {
            refused.push(format!("{}: {error}", one.name));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
