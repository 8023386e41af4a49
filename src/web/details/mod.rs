//! The sentences of events and refusals in Chinese. The record keeps them in English, once and for good; a screen translates what it
//! shows. A sentence that is in none of the tables is shown as it was written: it may be that of a person.

mod refusals;
mod sentences;
#[cfg(test)]
mod tests;

use super::i18n::Key;
use refusals::{CAUSES, FIELDS, REFUSALS};
use sentences::SENTENCES;

/// A sentence with its blanks, English and Chinese. A blank `{}` is taken over, one with a name is a word of the data:
/// `{state}` and `held` give the text of `state.held`. Some names are special: see [`fill`].
type Sentence = (&'static str, &'static str);

/// Said instead of words that only the log has: those of an operating system, of a database or of somebody else.
const IN_THE_LOG: &str = "原因见服务日志";

/// What is between two sentences of a detail.
const BETWEEN: &str = "; ";

/// Remarks on a count: the word of the ledger, and what it says in English and in Chinese.
const REMARKS: [(&str, &str, &str); 10] = [
    ("late", "a late reading", "迟到读数"),
    ("after_miss", "after a missed reading", "此前有漏读"),
    ("resumed", "after a restart of this service", "本服务重启之后"),
    ("unverified", "an unseen reset cannot be ruled out", "无法排除未见的清零"),
    ("saturated", "the counter is saturated", "计数器饱和"),
    ("beyond_modulus", "beyond the configured modulus", "超出所配置的模数"),
    ("contradicted", "contradicted by counters beside it", "与相关计数器矛盾"),
    ("clock_step", "the clock of the device jumped", "设备时钟跳变"),
    ("burst", "readings came in bursts", "读数到达不均"),
    ("violation", "the ledger does not balance", "台账不平"),
];

/// A detail in Chinese.
pub(crate) fn chinese(detail: &str) -> String {
    let said = |text| sentence(text).unwrap_or_else(|| text.to_owned());
    detail.split(BETWEEN).map(said).collect::<Vec<_>>().join("；")
}

/// A detail in English: the remarks of the ledger in words.
pub(crate) fn in_english(detail: &str) -> String {
    let said = |text: &str| {
        let in_words = |word| remark(word).map(|(en, _)| en);
        let remarks: Option<Vec<&str>> = text.split(", ").map(in_words).collect();
        remarks.map_or_else(|| text.to_owned(), |all| all.join(", "))
    };
    detail.split(BETWEEN).map(said).collect::<Vec<_>>().join(BETWEEN)
}

/// The same of a detail that no person wrote: what is not known is not shown in English either, the log has it.
pub(crate) fn chinese_or_log(detail: &str) -> String {
    let said = |text| sentence(text).unwrap_or_else(|| IN_THE_LOG.to_owned());
    let mut all: Vec<String> = match detail.is_empty() {
        true => Vec::new(),
        false => detail.split(BETWEEN).map(said).collect(),
    };
    all.dedup();
    all.join("；")
}

fn sentence(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    known(text).or_else(|| hypothesis(text)).or_else(|| of_station(text)).or_else(|| {
        let remarks: Option<Vec<_>> = text.split(", ").map(remark).collect();
        remarks.map(|remarks| remarks.iter().map(|(_, zh)| *zh).collect::<Vec<_>>().join("、"))
    })
}

/// A sentence of the tables.
fn known(text: &str) -> Option<String> {
    let all = SENTENCES.iter().chain(CAUSES).chain(REFUSALS);
    all.into_iter().find_map(|(en, zh)| translate(text, en, zh))
}

/// `wrap 50 [49, 50]: why`.
fn hypothesis(text: &str) -> Option<String> {
    let (head, why) = text.split_once(": ")?;
    let (cause, count) = head.split_once(' ')?;
    let cause = word("word", cause)?;
    Some(format!("{cause} {count}：{}", known(why)?))
}

/// `CF01: what is the matter with it`.
fn of_station(text: &str) -> Option<String> {
    let (station, what) = text.split_once(": ")?;
    Some(format!("{station}：{}", known(what).filter(|_| !station.contains(' '))?))
}

fn remark(word: &str) -> Option<(&'static str, &'static str)> {
    REMARKS.iter().find(|(of, ..)| *of == word).map(|(_, en, zh)| (*en, *zh))
}

/// The text of a word of the data in Chinese.
fn word(kind: &str, word: &str) -> Option<&'static str> {
    Key::of(&format!("{kind}.{word}")).map(Key::zh)
}

/// The Chinese of a text, if it is that English sentence.
fn translate(text: &str, en: &str, zh: &str) -> Option<String> {
    let mut blanks = Vec::new();
    let (first, mut pattern) = en.split_at(en.find('{').unwrap_or(en.len()));
    let mut rest = text.strip_prefix(first)?;
    while let Some(inner) = pattern.strip_prefix('{') {
        let (kind, after) = inner.split_once('}')?;
        let (literal, next) = after.split_at(after.find('{').unwrap_or(after.len()));
        // The last blank goes as far as it can, the others as little as they may.
        let at =
            if next.is_empty() { rest.strip_suffix(literal)?.len() } else { rest.find(literal)? };
        let (blank, tail) = rest.split_at(at);
        blanks.push(fill(kind, blank)?);
        (rest, pattern) = (&tail[literal.len()..], next);
    }
    rest.is_empty().then(|| put(zh, &blanks))
}

/// What stands in a blank. None if it is not a word of that kind, so that it is another sentence. `field` is what a person
/// fills in, `key` a text of the screens, `cause` another sentence, and `series` and `suspects` are what they say.
fn fill(kind: &str, blank: &str) -> Option<String> {
    match kind {
        "" => Some(blank.to_owned()),
        "cause" => Some(sentence(blank).unwrap_or_else(|| IN_THE_LOG.to_owned())),
        "field" => FIELDS.iter().find(|(en, _)| *en == blank).map(|(_, zh)| (*zh).to_owned()),
        "key" => Key::all().find(|key| key.en() == blank).map(|key| key.zh().to_owned()),
        "series" => match blank {
            "sample" => Some("样本".to_owned()),
            "interval" => Some("区间".to_owned()),
            _ => None,
        },
        "suspects" => Some(blank.split(" or ").map(suspect).collect::<Vec<_>>().join("，或 ")),
        kind => word(kind, blank).map(str::to_owned),
    }
}

fn suspect(text: &str) -> String {
    let said = |en: &str, zh: &str| text.strip_suffix(en).map(|tag| format!("{tag} {zh}"));
    let said = said(" counts too much", "多计").or_else(|| said(" counts too little", "少计"));
    said.unwrap_or_else(|| text.to_owned())
}

/// Fills blanks in: `{}` takes the next one, `{2}` the third.
fn put(zh: &str, blanks: &[String]) -> String {
    let mut said = String::new();
    let mut next = 0;
    let mut rest = zh;
    while let Some((before, (number, after))) =
        rest.split_once('{').and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
    {
        let i = number.parse().unwrap_or(next);
        said.push_str(before);
        said.push_str(blanks.get(i).map_or("", String::as_str));
        (next, rest) = (i + 1, after);
    }
    said + rest
}
