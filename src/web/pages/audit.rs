//! `/admin/audit`: the audit trail, searched, page by page, and how its chain stands. Drawn here: a form and links, so
//! that it works without a script.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::audit::{Actor, Entry, Looked, SYSTEM, What};
use domain::plc_map::Title;
use domain::units::HOUR_US;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{heading, style};
use super::words::{day_clock, moment, num};
use crate::web::address::escaped;
use crate::web::api::audit::{PAGE, Search, found};
use crate::web::details::chinese;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/admin/audit", get(audit))]
}

/// What the form asks for; days are those of the plant.
#[derive(Clone, Default, Deserialize)]
struct Asked {
    text: Option<String>,
    who: Option<String>,
    what: Option<String>,
    from: Option<String>,
    to: Option<String>,
    before: Option<i64>,
}

impl Asked {
    fn search(&self, zone: &TimeZone) -> Result<Search, WebError> {
        let ms = |us: i64| Some((us / 1_000).to_string());
        Ok(Search {
            text: self.text.clone(),
            who: self.who.clone(),
            what: self.what.clone(),
            from: day_us(&self.from, zone, 0)?.and_then(ms),
            to: day_us(&self.to, zone, 1)?.and_then(ms),
            before: self.before,
        })
    }

    /// The query of the same search.
    fn query(&self, before: Option<i64>) -> String {
        let said = [("text", &self.text), ("who", &self.who), ("what", &self.what)];
        let days = [("from", &self.from), ("to", &self.to)];
        let pairs = said.into_iter().chain(days).filter_map(|(name, value)| {
            let value = value.as_ref().filter(|value| !value.is_empty())?;
            Some(format!("{name}={}", escaped(value)))
        });
        let before = before.map(|number| format!("before={number}"));
        pairs.chain(before).collect::<Vec<_>>().join("&")
    }
}

/// The begin of a day of the plant, or of a day after it, UTC microseconds; none where none is named.
fn day_us(day: &Option<String>, zone: &TimeZone, later: i64) -> Result<Option<i64>, WebError> {
    let Some(day) = day.as_ref().filter(|day| !day.trim().is_empty()) else { return Ok(None) };
    let begin = day.trim().parse::<Date>().ok().and_then(|date| {
        let date = if later > 0 { date.tomorrow().ok()? } else { date };
        zone.to_timestamp(date.at(0, 0, 0, 0)).ok()
    });
    let begin = begin.map(|begin| begin.as_microsecond());
    let begin = begin.filter(|us| (0..=9_999_999_999 * 1_000_000 - HOUR_US).contains(us));
    begin.map(Some).ok_or_else(|| {
        let day: String = day.chars().take(40).collect();
        WebError::Parameter(format!("{day:?} is no day; write it as 2026-11-24"))
    })
}

async fn audit(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
    Params(asked): Params<Asked>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let zone = &app.parts().zone;
    let (entries, looked) = found(&app, &asked.search(zone)?, PAGE).await?;
    let body = body(look.lang, zone, &asked, (&entries, &looked))?;
    let first = First::of(&app, line).await?;
    Ok(page(
        &app,
        &look,
        &Page { title: Key::AuditTitle, line, script: "reports.mjs", body, first },
    ))
}

fn body(
    lang: Lang,
    zone: &TimeZone,
    asked: &Asked,
    (entries, looked): (&[Entry], &Looked),
) -> Result<Markup, WebError> {
    let search = asked.search(zone)?;
    // The file takes moments where the form takes days.
    let csv = Asked { from: search.from, to: search.to, ..asked.clone() }.query(None);
    let older = (entries.len() == PAGE).then(|| entries.last().map(|entry| entry.number)).flatten();
    Ok(html! {
        (style())
        (heading(lang, Key::AuditTitle, Key::AuditAbout))
        (state(lang, zone, looked))
        (form(lang, asked))
        (table(lang, zone, entries))
        nav.reload aria-label=(lang.say(Key::AuditTitle)) {
            @if asked.before.is_some() { a.act href={ "?" (asked.query(None)) } { (lang.mark(Key::AuditNewest)) } }
            @if let Some(number) = older { a.act rel="next" href={ "?" (asked.query(Some(number))) } { (lang.mark(Key::AuditOlder)) } }
            a.act download href={ "/api/v1/audit.csv?" (csv) } { (lang.mark(Key::AuditCsv)) }
        }
    })
}

/// How the chain stands.
fn state(lang: Lang, zone: &TimeZone, looked: &Looked) -> Markup {
    let (at, last) = (moment(zone, looked.at_us), num(looked.head.number.unsigned_abs()));
    let sound = looked.findings.is_empty();
    let text = match sound {
        true => lang.say(Key::AuditSound).replace("{n}", &last),
        false => lang
            .say(Key::AuditBroken)
            .replace("{n}", &looked.findings.len().to_string())
            .replace("{last}", &last),
    };
    html! {
        section.reload.broken[!sound] role="status" aria-label=(lang.say(Key::AuditTitle)) {
            b { (text.replace("{at}", &at)) }
            code.dim { (looked.head.hash) }
            span.dim { (lang.mark(Key::AuditVerify)) }
            @if !sound { ul { @for finding in looked.findings.iter().take(20) { li { (finding) } } } }
        }
    }
}

fn form(lang: Lang, asked: &Asked) -> Markup {
    let said = |value: &Option<String>| value.clone().unwrap_or_default();
    let field = |key: Key, name: &str, kind: &str, value: String| {
        html! { label { span.dim { (lang.mark(key)) } input name=(name) type=(kind) value=(value) maxlength="200" autocomplete="off"; } }
    };
    html! {
        form.card.tools method="get" action="/admin/audit" role="search" {
            (field(Key::AuditText, "text", "search", said(&asked.text)))
            (field(Key::AuditWho, "who", "search", said(&asked.who)))
            label {
                span.dim { (lang.mark(Key::AuditWhat)) }
                select name="what" {
                    option value="" { (lang.say(Key::AuditAny)) }
                    @for what in What::ALL {
                        option value=(what.word()) selected[asked.what.as_deref() == Some(what.word())] { (did(lang, what.word())) }
                    }
                }
            }
            (field(Key::AuditSince, "from", "date", said(&asked.from)))
            (field(Key::AuditUntil, "to", "date", said(&asked.to)))
            button.act { (lang.mark(Key::AuditSearch)) }
        }
    }
}

fn table(lang: Lang, zone: &TimeZone, entries: &[Entry]) -> Markup {
    let columns = [
        Key::AuditNumber,
        Key::Time,
        Key::AuditWho,
        Key::AuditFrom,
        Key::AuditWhat,
        Key::AuditSubject,
        Key::AuditOld,
        Key::AuditNew,
        Key::WhyWord,
    ];
    html! {
        div.card.list.audit {
            div.scroll role="region" aria-label=(lang.say(Key::AuditTitle)) tabindex="0" {
                table {
                    thead { tr { @for key in columns { th scope="col" { (lang.mark(key)) } } } }
                    tbody {
                        @if entries.is_empty() { tr { td colspan=(columns.len()) { (lang.mark(Key::AuditNone)) } } }
                        @for entry in entries {
                            tr {
                                th scope="row" title=(entry.hash) { (num(entry.number.unsigned_abs())) }
                                // As kept it is in UTC where the zone of the plant was not known yet.
                                td.nowrap title=(entry.local) { (day_clock(zone, entry.at_us)) }
                                td.wide { (lang.title(&who(entry))) @if !entry.account.is_empty() && entry.account != entry.name { " (" (entry.account) ")" } }
                                td.wide { (entry.from) }
                                td.wide { (did(lang, &entry.what)) }
                                td.wide { (lang.title(&subject(entry))) }
                                td.wide { (value(lang, entry, &entry.old)) }
                                td.wide { (value(lang, entry, &entry.new)) }
                                td.wide { (lang.title(&reason(entry))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why it was done. What the service wrote by itself is told in both languages; what a person wrote stays as it was written.
fn reason(entry: &Entry) -> Title {
    let own = entry.account.is_empty() && entry.name == Actor::system().name;
    let zh = if own { chinese(&entry.reason) } else { entry.reason.clone() };
    Title { en: entry.reason.as_str().into(), zh: zh.into() }
}

/// Who did it. The service itself is told in both languages; a person has one name.
fn who(entry: &Entry) -> Title {
    let own = entry.account.is_empty() && entry.name == SYSTEM;
    in_both(&entry.name, own.then(|| Key::AuditSystem.zh().to_owned()))
}

/// What it was done to. Where that is of the service itself, in both languages.
fn subject(entry: &Entry) -> Title {
    let of_service = ["service_", "journal_", "configuration_", "trail_"];
    let own = of_service.iter().any(|what| entry.what.starts_with(what));
    let zh = own.then(|| Key::of(&format!("subject.{}", entry.subject))).flatten();
    in_both(&entry.subject, zh.map(|key| key.zh().to_owned()))
}

/// What it was before or is since. Roles and states of accounts are told in both languages, their names stay.
fn value(lang: Lang, entry: &Entry, text: &str) -> Markup {
    let (name, of) = match What::from_word(&entry.what) {
        // `Li Wei, operator`: the name may have a comma too.
        Some(What::SetUp | What::UserAdded) => text.rsplit_once(", ").unwrap_or(("", text)),
        Some(What::UserChanged) => ("", text),
        _ => return html! { (text) },
    };
    html! { (name) @if !name.is_empty() { ", " } (lang.title(&of_account(of))) }
}

/// `operator`, `role: quality`, `own: new password`: what an account is, or what was changed of it to what.
fn of_account(text: &str) -> Title {
    let (what, new) = text.split_once(": ").unwrap_or(("", text));
    let key = match new {
        "new password" => Some(Key::NewPassword),
        _ => Key::of(&format!("role.{new}")).or_else(|| Key::of(&format!("user_state.{new}"))),
    };
    let own = if what == "own" { Key::AuditOwn.zh() } else { "" };
    in_both(text, key.map(|key| format!("{own}{}", key.zh())))
}

/// A text as it is kept, with its Chinese where it has one.
fn in_both(text: &str, zh: Option<String>) -> Title {
    Title { en: text.into(), zh: zh.map_or_else(|| text.into(), Into::into) }
}

/// What was done, in words.
fn did(lang: Lang, word: &str) -> String {
    lang.say_word("did", word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roles, and what is of the service itself, are told in the language of the page; names stay.
    #[test]
    fn roles_and_the_service_are_told_in_chinese() {
        let entry = |what: What, subject: &str| Entry {
            name: SYSTEM.to_owned(),
            what: what.word().to_owned(),
            subject: subject.to_owned(),
            ..Entry::default()
        };
        let added = entry(What::UserAdded, "service");
        assert_eq!(&*who(&added).zh, "系统");
        assert_eq!(&*subject(&added).zh, "service", "the name of an account");
        let changed = entry(What::UserChanged, "li");
        for (lang, of, text, told) in [
            (Lang::Zh, &added, "Li, Wei, operator", "Li, Wei, 操作员"),
            (Lang::En, &added, "Li, Wei, operator", "Li, Wei, operator"),
            (Lang::Zh, &changed, "role: quality", "质量"),
            (Lang::Zh, &changed, "operator", "操作员"),
            (Lang::Zh, &changed, "disable: disabled", "停用"),
            (Lang::Zh, &changed, "own: new password", "本人新密码"),
        ] {
            assert_eq!(value(lang, of, text).into_string(), told);
        }
        let started = entry(What::ServiceStarted, "service");
        assert_eq!(&*subject(&started).zh, "服务");
    }

    /// What the service wrote by itself is told in the language of the page; what a person wrote stays as it was written.
    #[test]
    fn reasons_of_the_service_are_told_in_both_languages() {
        let text = "first 126 whole subgroups, made without a person";
        let made = Entry { reason: text.to_owned(), ..Entry::default() };
        let own = Entry { name: Actor::system().name, ..made.clone() };
        let shown = |lang: Lang, entry: &Entry| {
            table(lang, &TimeZone::UTC, std::slice::from_ref(entry)).into_string()
        };
        let zh = "前 126 个完整子组，自动生成";
        assert!(shown(Lang::Zh, &own).contains(zh) && !shown(Lang::Zh, &own).contains(text));
        assert!(shown(Lang::En, &own).contains(text) && !shown(Lang::En, &own).contains(zh));
        let person = Entry { name: "An".to_owned(), ..made };
        assert!(shown(Lang::Zh, &person).contains(text) && !shown(Lang::Zh, &person).contains(zh));
    }

    /// The first entry of a journal is older than the zone of its plant and kept in UTC.
    #[test]
    fn every_entry_is_shown_in_the_time_of_the_plant() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let kept = |number: i64, local: &str| Entry {
            number,
            at_us: 1_796_044_051_000_000,
            local: local.to_owned(),
            ..Entry::default()
        };
        let entries = [
            kept(2, "2026-11-30T21:07:31.000000+08:00"),
            kept(1, "2026-11-30T13:07:31.000000+00:00"),
        ];
        let text = table(Lang::En, &zone, &entries).into_string();
        assert_eq!(text.matches(">2026-11-30 21:07:31<").count(), 2, "{text}");
        // As it is kept, and in the hash, it stays at hand.
        assert!(text.contains("title=\"2026-11-30T13:07:31.000000+00:00\""), "{text}");
    }
}
