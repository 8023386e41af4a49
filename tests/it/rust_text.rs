//! Rust source as far as [`crate::layers`] must understand it: words without comments and texts, and the paths in
//! them, also those of nested `use` lists. Code under `#[cfg(test)]` is left out: tests may look anywhere.

use std::path::{Path, PathBuf};

/// A source file.
pub(crate) struct Source {
    /// Where it lies, for messages.
    pub(crate) path: PathBuf,
    /// Its module in its crate: `line::counter` is `["line", "counter"]`, the root is empty.
    pub(crate) module: Vec<String>,
    /// Its words, test code left out.
    pub(crate) words: Vec<String>,
    /// Modules that it declares for tests only.
    tests: Vec<Vec<String>>,
}

impl Source {
    /// Understands a text.
    pub(crate) fn new(path: PathBuf, module: Vec<String>, text: &str) -> Source {
        let (words, names) = without_tests(&words(text));
        let tests = names.into_iter().map(|name| [module.clone(), vec![name]].concat()).collect();
        Source { path, module, words, tests }
    }

    /// All paths in it that are ours, made absolute: `crate` and `super` are gone, and `*` is a segment. `name` is
    /// that of the crate from outside.
    pub(crate) fn ours(&self, name: &str) -> Vec<Vec<String>> {
        self.paths(name).0
    }

    /// All paths in it that begin with another name: that of another crate, or one that was imported before.
    pub(crate) fn others(&self, name: &str) -> Vec<Vec<String>> {
        self.paths(name).1
    }

    fn paths(&self, ours: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        let mut inside: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        let mut at = 0;
        while at < self.words.len() {
            let word = |ahead: usize| self.words.get(at + ahead).map_or("", String::as_str);
            match word(0) {
                "mod" if word(2) == "{" => inside.push((word(1).to_owned(), depth)),
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inside.pop_if(|(_, outer)| *outer == depth);
                }
                _ if word(1) == "::" && self.begins_path(at) => {
                    let names = inside.iter().map(|(name, _)| name.clone());
                    let module: Vec<String> = self.module.iter().cloned().chain(names).collect();
                    let is_ours = ["crate", "self", "super", ours].contains(&word(0));
                    let (base, next) = self.base(at, &module, ours);
                    let paths = if is_ours { &mut own } else { &mut others };
                    at = tree(&self.words, next, &base, paths);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        (own, others)
    }

    /// Whether a path begins here: not in the middle of one, and not in `pub(in …)`.
    fn begins_path(&self, at: usize) -> bool {
        let before = |n: usize| at.checked_sub(n).map_or("", |i| self.words[i].as_str());
        let is_name = self.words[at].starts_with(|c: char| c.is_alphabetic() || c == '_');
        is_name && before(1) != "::" && !(before(1) == "in" && before(2) == "(")
    }

    /// What a path starts from, and where its rest begins.
    fn base(&self, at: usize, module: &[String], ours: &str) -> (Vec<String>, usize) {
        match self.words[at].as_str() {
            "crate" => (Vec::new(), at + 2),
            "self" => (module.to_vec(), at + 2),
            "super" => {
                let (mut base, mut at) = (module.to_vec(), at);
                while self.words.get(at).is_some_and(|word| word == "super")
                    && self.words.get(at + 1).is_some_and(|word| word == "::")
                {
                    base.pop();
                    at += 2;
                }
                (base, at)
            }
            name if name == ours => (Vec::new(), at + 2),
            name => (vec![name.to_owned()], at + 2),
        }
    }
}

/// All sources of a folder but those of tests; its root is `lib.rs`, or `main.rs` as a module `main` beside it.
pub(crate) fn sources(folder: &Path, beside: &[&Path]) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        let entries = std::fs::read_dir(&at).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
        for path in entries.map(|entry| entry.expect("an entry of a folder").path()) {
            if beside.contains(&path.as_path()) {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source is text");
                let module = module_of(path.strip_prefix(folder).expect("it lies in its folder"));
                sources.push(Source::new(path, module, &text));
            }
        }
    }
    let tests: Vec<Vec<String>> = sources.iter().flat_map(|source| source.tests.clone()).collect();
    sources.retain(|source| !tests.iter().any(|test| source.module.starts_with(test)));
    sources
}

fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// Follows the rest of a path or of a `use` tree; returns where it ends.
fn tree(words: &[String], at: usize, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match word(at) {
        "{" => {
            let mut at = at + 1;
            while !matches!(word(at), "}" | "") {
                at = match word(at) {
                    "," => at + 1,
                    "as" => at + 2,
                    _ => tree(words, at, base, paths).max(at + 1),
                };
            }
            at + 1
        }
        "self" => {
            paths.push(base.to_vec());
            at + 1
        }
        name if name == "*" || name.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
            let path = [base, &[name.to_owned()]].concat();
            if word(at + 1) == "::" {
                return tree(words, at + 2, &path, paths);
            }
            paths.push(path);
            at + 1
        }
        // The `<` of type arguments.
        _ => {
            paths.push(base.to_vec());
            at
        }
    }
}

/// Takes out what stands under `#[cfg(test)]`, and names the modules that are files of their own.
fn without_tests(words: &[String]) -> (Vec<String>, Vec<String>) {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < words.len() {
        if !words[at..].iter().map(String::as_str).take(TEST.len()).eq(TEST) {
            kept.push(words[at].clone());
            at += 1;
            continue;
        }
        at = end_of_attributes(words, at);
        if words.get(at).is_some_and(|word| word == "mod")
            && words.get(at + 2).is_some_and(|word| word == ";")
        {
            modules.push(words[at + 1].clone());
        }
        at = end_of_item(words, at);
    }
    (kept, modules)
}

/// Where the item begins after its attributes and its visibility.
fn end_of_attributes(words: &[String], mut at: usize) -> usize {
    let is = |at: usize, sign: &str| words.get(at).is_some_and(|word| word == sign);
    while is(at, "#") && is(at + 1, "[") {
        let mut depth = 0;
        at += 1;
        loop {
            depth += i32::from(is(at, "[")) - i32::from(is(at, "]"));
            at += 1;
            if depth == 0 || at >= words.len() {
                break;
            }
        }
    }
    if is(at, "pub") { at + 1 } else { at }
}

/// Where the item ends that begins here: at its semicolon or at its closing brace.
fn end_of_item(words: &[String], mut at: usize) -> usize {
    let is_import = words.get(at).is_some_and(|word| word == "use");
    let mut depth = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        match word.as_str() {
            ";" if depth == 0 => return at,
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 && !is_import {
                    return at;
                }
            }
            _ => {}
        }
    }
    at
}

/// The words of a text: names, numbers, `::`, and signs one by one. Comments, texts and characters are left out.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if c == '"' {
            quoted(rest)
        } else if c == '\'' {
            character(rest)
        } else if let Some(length) = raw(rest) {
            length
        } else if c.is_alphanumeric() || c == '_' {
            let length =
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            words.push("::".to_owned());
            2
        } else {
            if !c.is_whitespace() {
                words.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    words
}

fn comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character, or the sign before a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, c))) => {
            let from = at + c.len_utf8();
            text[from..].find('\'').map_or(text.len(), |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// A raw text such as `r#"…"#`, if one begins here.
fn raw(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end =
        body.find(&close).map_or(text.len(), |end| text.len() - body.len() + end + close.len());
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn paths(text: &str) -> Vec<String> {
        let module = ["line".to_owned(), "minute".to_owned()].to_vec();
        let source = Source::new("minute.rs".into(), module, text);
        let paths = [source.ours("domain"), source.others("domain")].concat();
        paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn every_way_of_naming_a_module_is_seen() {
        for (text, expected) in [
            (
                "use crate::a::{b::C, d::{self, E as F}, *};",
                &["a::b::C", "a::d", "a::d::E", "a::*"][..],
            ),
            ("use super::event::Event;", &["line::event::Event"]),
            ("use super::super::units;", &["units"]),
            ("let x: crate::web::View = crate::web::new::<u8>(1);", &["web::View", "web::new"]),
            ("fn f() -> domain::units::Count { domain::zero() }", &["units::Count", "zero"]),
            ("mod inner { use super::Minute; }", &["line::minute::Minute"]),
            (
                "mod inner { mod deep {} use super::super::event; } use super::state;",
                &["line::event", "line::state"],
            ),
            ("use tokio::{fs, net::TcpStream};", &["tokio::fs", "tokio::net::TcpStream"]),
            ("pub(in crate::line) fn f() {}", &[]),
            ("// use crate::a;\n/* use crate::b /* ; */ */ let s = \"crate::c\";", &[]),
            ("let s = r#\"crate::\"d\"#; let c = ('\\'', '\"'); use crate::e;", &["e"]),
            ("fn f<'a>(x: &'a str) -> crate::g::H<'a> {}", &["g::H"]),
            ("#[cfg(test)]\nmod tests { use crate::a; }\nuse crate::b;", &["b"]),
            (
                "#[cfg(test)]\n#[cfg(feature = \"x\")]\nmod tests { use crate::a; }\nuse crate::b;",
                &["b"],
            ),
            ("#[cfg(test)]\nuse crate::{a, c};\nuse crate::b;", &["b"]),
            ("#[cfg(test)]\nfn f() { crate::a::b() }\nuse crate::b;", &["b"]),
        ] {
            assert_eq!(paths(text), expected, "{text}");
        }
    }
}
