//! Every text of the screens in English and Simplified Chinese. Texts of a plant (titles of machines, reasons of
//! stops) are not in here: they come from its maps.
//!
//! Each area of the screens has its texts in a file of its own. A text without its translation does not compile: a row
//! of such a table needs both. Neither does a text that two areas name alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::plc_map::Title;
use maud::{Markup, html};
use serde::Serialize;

/// In which language a screen speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
    /// Chinese and English side by side: mixed crews, visitors, auditors.
    Both,
}

impl Lang {
    /// All languages, in the order of the switch.
    pub const ALL: [Lang; 3] = [Lang::En, Lang::Zh, Lang::Both];

    /// The word used in addresses and in the cookie.
    pub fn word(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh",
            Lang::Both => "both",
        }
    }

    /// The language of that word.
    pub fn from_word(word: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.word() == word)
    }

    /// The first language of an `Accept-Language` header that we speak. Browsers list them by preference, so the
    /// weights need not be read.
    pub fn from_header(accepted: &str) -> Lang {
        let known = accepted.split(',').find_map(|tag| match tag.trim().get(..2) {
            Some("zh") => Some(Lang::Zh),
            Some("en") => Some(Lang::En),
            _ => None,
        });
        known.unwrap_or_default()
    }

    /// Value of the `lang` attribute of a page. Spans in the other language carry their own.
    pub fn html(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh | Lang::Both => "zh-CN",
        }
    }

    /// A text in this language.
    pub fn say(self, key: Key) -> Cow<'static, str> {
        match self {
            Lang::En => key.en().into(),
            Lang::Zh => key.zh().into(),
            Lang::Both => both(key.en(), key.zh()),
        }
    }

    /// The text of a word of the data, as `reason` and `no_dose`; the word itself where it has none.
    pub fn say_word(self, kind: &str, word: &str) -> String {
        let known = Key::of(&format!("{kind}.{word}"));
        known.map_or_else(|| word.replace('_', " "), |key| self.say(key).into_owned())
    }

    /// A text as markup, each language in its own span.
    pub fn mark(self, key: Key) -> Markup {
        self.spans(key.en(), key.zh())
    }

    /// A title of the plant as markup.
    pub fn title(self, title: &Title) -> Markup {
        self.spans(&title.en, &title.zh)
    }

    fn spans(self, en: &str, zh: &str) -> Markup {
        html! {
            @match self {
                Lang::En => (en),
                Lang::Zh => (zh),
                Lang::Both if en == zh => (en),
                Lang::Both => { span lang="zh-CN" { (zh) } " " span lang="en" { (en) } },
            }
        }
    }

    /// All texts by their names, for the scripts of a page.
    pub fn table(self) -> BTreeMap<&'static str, Text> {
        Key::all().map(|key| (key.id(), self.text(key))).collect()
    }

    fn text(self, key: Key) -> Text {
        match (self, key.en(), key.zh()) {
            (Lang::Both, en, zh) if en != zh => Text::Two { en, zh, both: once(en, zh) },
            (Lang::Zh, _, zh) => Text::One(zh),
            (_, en, _) => Text::One(en),
        }
    }
}

/// A text as scripts get it. In two languages it is two, so that a sentence within a sentence stays in its language.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// In the one language of the page, or the same in both.
    One(&'static str),
    /// In both.
    Two {
        /// English.
        en: &'static str,
        /// Chinese.
        zh: &'static str,
        /// Of both, where what their blanks stand in is the same.
        #[serde(skip_serializing_if = "Option::is_none")]
        both: Option<String>,
    },
}

/// A text in both languages.
fn both(en: &'static str, zh: &'static str) -> Cow<'static, str> {
    match once(en, zh) {
        _ if en == zh => en.into(),
        Some(once) => once.into(),
        None => format!("{zh} {en}").into(),
    }
}

/// A text in both languages that says its blanks once, where the two differ only before them: `计划 plan {n}`. What is more
/// than a name before them needs its figure in its own half.
fn once(en: &str, zh: &str) -> Option<String> {
    let blank = |text| str::split_at(text, text.find('{').unwrap_or(text.len()));
    let ((en_head, en_tail), (zh_head, zh_tail)) = (blank(en), blank(zh));
    let is_name = !zh_head.contains(['，', '；', '。']);
    let shared = en_tail == zh_tail && !en_tail.is_empty() && is_name;
    shared.then(|| format!("{} {en_head}{en_tail}", zh_head.trim_end_matches(['：', ' '])))
}

/// A text of the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    id: &'static str,
    en: &'static str,
    zh: &'static str,
}

/// The texts of an area of the screens, each a constant of [`Key`]: `Key::Overview`.
macro_rules! texts {
    ($($key:ident $id:literal $en:literal $zh:literal)*) => {
        #[expect(non_upper_case_globals, reason = "a text is named as the variant that it would be")]
        impl super::Key {
            $(#[doc = concat!("`` ", $en, " ``")] pub const $key: super::Key = super::Key { id: $id, en: $en, zh: $zh };)*
        }

        /// All of them.
        pub(super) const TEXTS: &[super::Key] = &[$(super::Key::$key),*];
    };
}

mod access;
mod audit;
mod calls;
mod configured;
mod data;
mod errors;
mod explain;
mod frame;
mod histogram;
mod keys;
mod line;
mod overview;
mod rejects;
mod replay;
mod reports;
mod simulator;
mod spc;
mod stops;
mod tags;

const AREAS: [&[Key]; 19] = [
    access::TEXTS,
    audit::TEXTS,
    calls::TEXTS,
    configured::TEXTS,
    data::TEXTS,
    errors::TEXTS,
    explain::TEXTS,
    frame::TEXTS,
    histogram::TEXTS,
    keys::TEXTS,
    line::TEXTS,
    overview::TEXTS,
    rejects::TEXTS,
    replay::TEXTS,
    reports::TEXTS,
    simulator::TEXTS,
    spc::TEXTS,
    stops::TEXTS,
    tags::TEXTS,
];

impl Key {
    /// All texts.
    pub fn all() -> impl Iterator<Item = Key> {
        AREAS.iter().flat_map(|area| area.iter().copied())
    }

    /// The text of that name.
    pub fn of(id: &str) -> Option<Key> {
        Key::all().find(|key| key.id == id)
    }

    /// The name under which scripts know it. A name with a dot belongs to a word of the data: `state.held`.
    pub fn id(self) -> &'static str {
        self.id
    }

    /// English.
    pub fn en(self) -> &'static str {
        self.en
    }

    /// Simplified Chinese, in the usage of mainland plants.
    pub fn zh(self) -> &'static str {
        self.zh
    }
}
