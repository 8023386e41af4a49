//! Every sentence that can reach a screen has its Chinese.

use super::*;

#[test]
fn sentences_are_said_in_chinese_with_their_figures() {
    for (en, zh) in [
        ("no answer: timeout", "无应答：应答超时"),
        (
            "after held, code 5; PackML knows no such change",
            "之前 故障保持，代码 5；PackML 中无此状态变化",
        ),
        (
            "opened by hand by Li Wei, product Vitamin C 500 mg",
            "Li Wei 手动开批，品名 Vitamin C 500 mg",
        ),
        (
            "wrap 50 [49, 50]: the counter passed 65536 once: 65536 - 65500 + 14 = 50; after_miss, unverified",
            "计数回绕 50 [49, 50]：计数器经过 65536 回绕一次：65536 - 65500 + 14 = 50；此前有漏读、无法排除未见的清零",
        ),
        (
            "more came out than went in and was inside, by at least 612 capsules within 21 min: CF01.Good counts too \
             much or CF01.In counts too little",
            "出料多于进料与机内原有之和，至少多 612 粒（21 分钟内）：CF01.Good 多计，或 CF01.In 少计",
        ),
        (
            "CF01 tells batch B7 itself, and its id wins; change the batch at the machine",
            "CF01 自行给出批号 B7，以设备为准；请在设备上更改批次",
        ),
        ("Powder bridge in the hopper", "Powder bridge in the hopper"),
        ("", ""),
    ] {
        assert_eq!(chinese(en), zh);
    }
}

#[test]
fn each_sentence_is_itself_and_no_other() {
    for (en, zh) in SENTENCES.iter().chain(REFUSALS).chain(CAUSES) {
        let filled = en.replace("{}", "7").replace("{state}", "held").replace("{miss}", "torn");
        let filled = filled.replace("{need}", "material").replace("{field}", "author");
        let filled = filled.replace("{role}", "operator").replace("{forward}", "waiting");
        let filled = filled.replace("{cause}", "the store is closed").replace("{series}", "sample");
        let filled = filled.replace("{key}", Key::ReplayFuture.en());
        let filled = filled.replace("{suspects}", "CF01.In counts too little");
        let said = chinese(&filled);
        assert!(!said.contains('{') && said != filled, "{filled}: {said}");
        let words = zh.split('{').next().unwrap_or_default();
        assert!(said.starts_with(words), "{filled}: {said}");
    }
}

/// What the ledger and the stations write is in their sources: a sentence that is new there fails here.
#[test]
fn every_sentence_of_the_domain_has_its_translation() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain/line");
    let known: String = SENTENCES.iter().map(|(en, _)| *en).collect::<Vec<_>>().join("\n");
    let plain = |text: &str| text.split('{').next().unwrap_or_default().trim().to_owned();
    let mut n_found = 0;
    for file in [
        "counter/explanations.rs",
        "counter/hold.rs",
        "counter/elsewhere.rs",
        "tracker/station/mod.rs",
        "tracker/station/read.rs",
        "tracker/tell.rs",
        "tracker/hand.rs",
    ] {
        let source = std::fs::read_to_string(root.join(file)).expect("the sources are there");
        for text in sentences_in(&source) {
            n_found += 1;
            assert!(known.contains(&plain(&text)), "{file}: {text:?}");
        }
    }
    assert!(n_found > 25, "only {n_found} sentences were found");
}

/// String literals of a source that are sentences: of several words, in code and not in a comment or a test.
fn sentences_in(source: &str) -> Vec<String> {
    let code: Vec<&str> = source
        .lines()
        .take_while(|line| !line.contains("mod tests"))
        .filter(|line| !line.trim_start().starts_with("//") && !line.contains("reason ="))
        .filter(|line| !line.contains("tracing::"))
        .collect();
    // A line that ends with a backslash goes on in the next one.
    let code = code.join("\n");
    let mut joined = String::new();
    for line in code.split("\\\n") {
        joined.push_str(if joined.is_empty() { line } else { line.trim_start() });
    }
    let literals = joined.split('"').skip(1).step_by(2);
    let is_sentence = |text: &&str| text.split(' ').filter(|word| word.len() > 1).count() > 2;
    literals.filter(is_sentence).map(|text| text.trim_start_matches("; ").to_owned()).collect()
}

/// Words of ASCII letters that a Chinese text may have: names of keys, of formats and of what stands on a machine.
const NAMES: &[&str] = &[
    "AIAG",
    "API",
    "Capline",
    "CF",
    "CN",
    "JSON",
    "MB",
    "OEE",
    "OPC",
    "PackML",
    "PostgreSQL",
    "SHA",
    "TLS",
    "UA",
    "UTC",
    "WE",
    "access",
    "application",
    "batch",
    "both",
    "by",
    "capline",
    "companion",
    "csv",
    "cusum",
    "dead",
    "dir",
    "en",
    "ewma",
    "force",
    "format",
    "fraction",
    "gaps",
    "hour",
    "hz",
    "in",
    "json",
    "kind",
    "lang",
    "letter",
    "load",
    "mg",
    "migrate",
    "min",
    "ms",
    "own",
    "persons",
    "pki",
    "reject",
    "rejected",
    "screen",
    "series",
    "shift",
    "start",
    "store",
    "tell",
    "trial",
    "trust",
    "two",
    "users",
    "wal",
    "web",
    "writes",
    "zh",
    "µs",
];

/// English words in what ought to be Chinese, but for names and for what a blank was filled with.
fn english(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.filter(|word| !NAMES.contains(word) && *word != "Xx").map(str::to_owned).collect()
}

/// A sentence of a source with its blanks filled: the first, the others or all of them by a word that the tables may ask
/// for.
fn filled(literal: &str) -> Vec<String> {
    let with = |samples: [&str; 2]| {
        let mut said = String::new();
        let mut rest = literal;
        let mut sample = samples[0];
        while let Some((before, (_, after))) =
            rest.split_once('{').and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
        {
            said.push_str(before);
            said.push_str(sample);
            (rest, sample) = (after, samples[1]);
        }
        said + rest
    };
    let words = ["Xx", "7", "author", "held", "waiting", "material", "sample", "operator", "torn"];
    words.iter().flat_map(|word| [[*word, "Xx"], ["Xx", *word]].map(with)).collect()
}

/// What is English still in a sentence of a source; nothing where one way of filling it leaves nothing.
fn untranslated(literal: &str) -> Vec<String> {
    let literal = literal.replace("\\\"", "\"");
    let mut left = filled(&literal).into_iter().map(|text| english(&chinese(&text)));
    let first = left.next().unwrap_or_default();
    if first.is_empty() || left.any(|left| left.is_empty()) { Vec::new() } else { first }
}

fn source(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All sources below a folder of `src`, without those of tests.
fn sources(folder: &str) -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
            match path.is_dir() {
                true if !name.ends_with("tests") && !name.ends_with("fixture") => {
                    folders.push(path)
                }
                false if name.ends_with(".rs") && !name.ends_with("tests.rs") => found.push(name),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Texts of `#[error("…")]` of a source.
fn errors_in(source: &str) -> Vec<String> {
    let joined = source.replace("#[error(\n        \"", "#[error(\"");
    let texts = joined.split("#[error(\"").skip(1);
    let ends = |text: &str| {
        let bytes = text.as_bytes();
        (0..bytes.len()).find(|i| bytes[*i] == b'"' && (*i == 0 || bytes[i - 1] != b'\\'))
    };
    texts.filter_map(|text| Some(text[..ends(text)?].to_owned())).collect()
}

/// Sources with errors that a person can meet on a page.
const MET: &[&str] = &[
    "domain/account/kept.rs",
    "domain/audit/second.rs",
    "domain/line/batch/hand.rs",
    "domain/line/call.rs",
    "domain/line/stop/revision.rs",
    "domain/quality/limits/mod.rs",
    "historian/error.rs",
    "web/error.rs",
];

/// Sources with errors that end in a terminal or in the log, or of which a page has a word of its own.
const NOT_MET: &[&str] = &[
    // Words of a database, of which the page says that the log has them.
    "historian/archive/reaction.rs",
    // Of a page there is the word of the miss.
    "sources/modbus/reader.rs",
    "sources/opcua/access.rs",
    "sources/opcua/endpoint.rs",
    "sources/opcua/mod.rs",
    "sources/opcua/session.rs",
    "sources/pki/mod.rs",
    // At the start, in a terminal.
    "secret.rs",
    "sources/mod.rs",
    "sources/plan/mod.rs",
    "sources/probe.rs",
    "webhook/sign.rs",
    "export/mod.rs",
    "domain/spc/case/mod.rs",
    // Of what is stored and damaged, in the log.
    "historian/frame/mod.rs",
    "domain/plc_map/encoding/mod.rs",
];

/// Every error that a person can meet says in Chinese what it says in English, and a new kind of error has to be decided on.
/// Shows: SCR-03
#[test]
fn every_error_that_a_person_can_meet_is_chinese() {
    let mut n_found = 0;
    for path in sources("") {
        let texts = errors_in(&source(&path));
        if texts.is_empty() || path == "web/details/tests.rs" {
            continue;
        }
        let (met, not) = (MET.contains(&path.as_str()), NOT_MET.contains(&path.as_str()));
        assert!(met != not, "{path} has errors: does a page show them?");
        for text in texts.iter().filter(|_| met) {
            n_found += 1;
            let left = untranslated(text);
            assert!(left.is_empty(), "{path}: {text:?} leaves {left:?}");
        }
    }
    assert!(n_found > 70, "only {n_found} errors were found");
    for path in MET.iter().chain(NOT_MET) {
        assert!(!errors_in(&source(path)).is_empty(), "{path} has no errors any more");
    }
}

/// Sentences that the web makes itself and refuses with, wherever they stand.
/// Shows: SCR-03
#[test]
fn every_refusal_of_the_web_is_chinese() {
    let mut n_found = 0;
    for path in sources("web") {
        let text = source(&path);
        let refuses = ["Parameter(", "Conflict(", "unknown("];
        let says = refuses.iter().any(|what| text.contains(&format!("WebError::{what}")));
        if !says || path.starts_with("web/details") || path == "web/error.rs" {
            continue;
        }
        for sentence in sentences_in(&text) {
            // Capitals begin what is no refusal: a description, a text of a page.
            if is_list(&sentence)
                || NO_REFUSAL.contains(&sentence.as_str())
                || sentence.starts_with(|c: char| c.is_ascii_uppercase())
            {
                continue;
            }
            n_found += 1;
            let left = untranslated(&sentence);
            assert!(left.is_empty(), "{path}: {sentence:?} leaves {left:?}");
        }
    }
    assert!(n_found > 38, "only {n_found} refusals were found");
}

/// Sentences that stand beside refusals and are none.
const NO_REFUSAL: &[&str] = &[
    // Of the description of the routes, in English alone.
    "or the password has to be changed first",
];

/// Words to choose from, with nothing said of them.
fn is_list(text: &str) -> bool {
    let words = text.split(", ").flat_map(|part| part.split(" or "));
    words.into_iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

/// What a refusal names is named in Chinese too: the fields of forms, and what a word can be one of.
#[test]
fn every_field_that_a_refusal_names_is_chinese() {
    let mut n_found = 0;
    for path in sources("web") {
        let text: String =
            source(&path).split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
        for call in [
            "text(\"",
            "named(\"",
            "optional(\"",
            "missing(\"",
            "needed(\"",
            "unknown(\"",
            "moment(\"",
        ] {
            for rest in text.split(call).skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                // A call of something else that is named alike has no comma or bracket behind its name.
                let is_call =
                    rest[name.len()..].starts_with("\",") || rest[name.len()..].starts_with("\")");
                // A style is a text too.
                let is_call = is_call && !name.contains('.');
                if !is_call || path.starts_with("web/details") || path.starts_with("web/i18n") {
                    continue;
                }
                n_found += 1;
                assert!(FIELDS.iter().any(|(en, _)| *en == name), "{path}: {call}{name}");
            }
        }
    }
    assert!(n_found > 30, "only {n_found} fields were found");
}

/// Sentences of alarms, alerts and the service: sources that write details, and what they write.
/// Shows: SCR-03
#[test]
fn what_the_service_notes_is_chinese() {
    let mut n_found = 0;
    for path in [
        "service/alerts/facts.rs",
        "sources/opcua/standing.rs",
        "historian/keep/shed.rs",
        "domain/line/tracker/group.rs",
        "domain/line/tracker/weigh.rs",
    ] {
        for sentence in sentences_in(&source(path)).iter().filter(|text| !is_sql(text)) {
            let whole = WHOLE.iter().find(|(part, _)| part == sentence);
            n_found += 1;
            let left = match whole {
                Some((_, whole)) => english(&chinese(whole)),
                None => untranslated(sentence),
            };
            assert!(left.is_empty(), "{path}: {sentence:?} leaves {left:?}");
        }
    }
    assert!(n_found > 20, "only {n_found} sentences were found");
    for ((cause, flags), (whole, zh)) in [
        (
            ("CF01 is unknown, before execute", ""),
            ("CF01 is unknown, before execute", "状态未知，之前 运行"),
        ),
        (("after_miss", ""), ("after_miss", "此前有漏读")),
        (
            ("step 1000", "after_miss, late"),
            (
                "step 1000: the counter went on from 150 to 1150: 1000 more; after_miss, late",
                "此前有漏读、迟到读数",
            ),
        ),
    ] {
        let said = chinese(whole);
        assert!(said.contains(zh) && english(&said).is_empty(), "{cause} {flags}: {said}");
    }
    // Each remark of the ledger has its words, and each cause of a count.
    let ledger = source("domain/line/counter/delta.rs");
    let flags = ledger.split("const WORDS").nth(1).and_then(|rest| rest.split("];").next());
    let flags: Vec<&str> = flags.expect("the table").split('"').skip(1).step_by(2).collect();
    assert!(
        flags.len() == REMARKS.len() && flags.iter().all(|flag| remark(flag).is_some()),
        "{flags:?}"
    );
}

fn is_sql(text: &str) -> bool {
    ["select ", "delete from ", "insert "].iter().any(|word| text.starts_with(word))
}

/// Parts that are put together, and a whole that is made with them.
const WHOLE: &[(&str, &str)] = &[
    ("over after {s:.1} s: {over}", "over after 7.0 s: it runs again"),
    ("it runs again", "over after 7 s: it runs again"),
    ("it is planned", "over after 7 s: it is planned"),
    ("the line is not seen any more", "over after 7 s: the line is not seen any more"),
    ("the whole line stands", "over after 7 s: the whole line stands"),
    ("over after {:.1} s: {over}", "over after 7.0 s: the whole line stands"),
    ("{} is unknown, before {}", "CF01 is unknown, before execute"),
    ("{} is {}{why}", "CF01 is held: code 7"),
    (", called by {by}", "material at CF01 was not taken, called by Xx"),
    ("{line} call {}", ""),
    (
        "the certificate of the server",
        "the certificate of the server CN=Xx (7) has expired on 2026-11-30",
    ),
    ("is valid only from {}", "our certificate CN=Xx (7) is valid only from 2026-11-30"),
    ("has expired on {}", "our certificate CN=Xx (7) has expired on 2026-11-30"),
    ("expires on {}", "our certificate CN=Xx (7) expires on 2026-11-30"),
    (
        "{what} {subject} ({thumbprint}) {state}; {way_out}",
        "our certificate CN=Xx (7) expires on 2026-11-30",
    ),
    ("readings as read", ""),
    ("{} at {place} was not taken{by}", "material at CF01 was not taken"),
];

/// The negative control: an unknown text is found, by each of the checks above, and so is one half of a known one.
#[test]
fn a_text_without_its_chinese_is_found() {
    for text in [
        "the moon is full",
        "{name} is empty; the moon is full",
        "stop {0} has not ended; the moon is full",
    ] {
        assert!(untranslated(text).contains(&"moon".to_owned()), "{text}");
    }
    assert_eq!(untranslated("{name} is empty; say it in words"), Vec::<String>::new());
    assert_eq!(
        errors_in("#[error(\"the moon {0} is \\\"full\\\"\")]\nA(u8)"),
        ["the moon {0} is \\\"full\\\""]
    );
    // What no person wrote and nobody translated is not shown in English: the log has it.
    assert_eq!(chinese_or_log("error connecting to server: 42P01"), "原因见服务日志");
    assert_eq!(
        chinese_or_log("there are no tables yet; run capline migrate"),
        "尚无数据表；请运行 capline migrate"
    );
    assert_eq!(
        chinese(
            "the journal refuses to store: /data/journal.db: no space left on the disk; free some, storing goes on by itself"
        ),
        "无法写入存储：/data/journal.db 所在磁盘已满；请腾出空间，存储会自动继续"
    );
    assert_eq!(chinese("Powder bridge in the hopper"), "Powder bridge in the hopper");
}

/// The ledger keeps its remarks as words of the data; a screen says them in English as in Chinese.
#[test]
fn remarks_are_said_in_english_too() {
    for (word, ..) in REMARKS {
        let said = in_english(word);
        assert!(!said.contains('_') && said.contains(' '), "{word}: {said}");
    }
    let kept = "step 1000: the counter went on from 150 to 1150: 1000 more; after_miss, late";
    let said = "step 1000: the counter went on from 150 to 1150: 1000 more; after a missed reading, a late reading";
    assert_eq!(in_english(kept), said);
    assert_eq!(in_english("wait; see"), "wait; see");
}
