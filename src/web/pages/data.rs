//! `/data`: how good the data are. Links, polls, gaps and doubts, the balance of the line, and the store.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{csv, explained, figure, heading, style, table, trouble};
use super::replay::present_only;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Right, Routes};

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/data", get(data))]
}

async fn data(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    if let Some(refused) = present_only(&app, &look, (Key::Data, line), &choice).await? {
        return Ok(refused);
    }
    let rights = (look.who.writes(&app, Right::Administer), look.who.may(Right::Audit));
    let (body, first) = (body(look.lang, rights), First::of(&app, line).await?);
    Ok(page(&app, &look, &Page { title: Key::Data, line, script: "data.mjs", body, first }))
}

fn body(lang: Lang, (writes, audits): (bool, bool)) -> Markup {
    let polls = [
        Key::Station,
        Key::Group,
        Key::PollsPlanned,
        Key::PollsDone,
        Key::PollsMissed,
        Key::MissedWhy,
        Key::Lateness,
        Key::RoundTrip,
    ];
    let balance = [
        Key::Section,
        Key::WentIn,
        Key::CameOut,
        Key::Grown,
        Key::InsideNow,
        Key::Capacity,
        Key::Judged,
    ];
    let alerts = [Key::Time, Key::What, Key::RuleWord, Key::AboutWord, Key::WhyWord];
    let deliveries =
        [Key::Time, Key::Webhook, Key::AlertWord, Key::Attempt, Key::EndingWord, Key::WhyWord];
    let ledger = [Key::Time, Key::What, Key::Station, Key::Capsules, Key::WhyWord];
    html! {
        (style())
        (heading(lang, Key::Data, Key::DataAbout))
        (trouble())
        (reload(lang, (writes, audits)))
        div.tiles.present {
            (figure(lang, Key::LinksUp, "links"))
            (figure(lang, Key::PollsDone, "done"))
            (explained(lang, Key::ShiftTime, "known", "coverage"))
            (figure(lang, Key::Doubts, "doubts"))
            (figure(lang, Key::Store, "store"))
            (figure(lang, Key::PlantDatabase, "plant"))
            (figure(lang, Key::Screens, "screens"))
        }
        div.snug { (table(lang, Key::PollTable, "polls", &polls)) }
        div.folds {
            (grid(lang))
            (folded(lang, Key::Clocks, "clocks", &[Key::ClockOf, Key::ClockAhead, Key::ClockMeans], html! {}))
        }
        div.halves.wide-left {
            (table(lang, Key::Ledger, "ledger", &ledger))
            div.stack {
                (table(lang, Key::CountBalance, "balance", &balance))
                (displays(lang))
            }
        }
        p.note #alerts-trouble role="alert" hidden {}
        div.halves.told {
            (table(lang, Key::AlertTable, "alerts", &alerts))
            (table(lang, Key::DeliveryTable, "deliveries", &deliveries))
        }
    }
}

/// Every tag with its last reading, and what finds one.
fn grid(lang: Lang) -> Markup {
    let columns = [
        Key::Tag,
        Key::Role,
        Key::ValueWord,
        Key::TagQuality,
        Key::TagAge,
        Key::TagSource,
        Key::MapLine,
        Key::TagPeriod,
    ];
    let finders = html! {
        label.named { span.dim { (lang.mark(Key::TagFind)) } input #grid-find type="search" maxlength="80" autocomplete="off"; }
        button.choice #grid-bad type="button" aria-pressed="false" { (lang.mark(Key::TagBadOnly)) }
    };
    folded(lang, Key::TagGrid, "grid", &columns, finders)
}

/// A table that is opened by who wants it: a screen has no room for all of them at once.
fn folded(lang: Lang, title: Key, id: &str, columns: &[Key], switches: Markup) -> Markup {
    html! {
        details.card.list.fold id={ (id) "-card" } {
            summary { h2 #{ (id) "-title" } { (lang.mark(title)) } span.dim #{ (id) "-note" } {} }
            div.switches.alone[switches.0.is_empty()] { (switches) (csv(lang, title, id)) }
            div.scroll role="region" aria-labelledby={ (id) "-title" } tabindex="0" {
                table #(id) {
                    thead { tr { @for column in columns { th scope="col" { (lang.mark(*column)) } } } }
                    tbody {}
                }
            }
        }
    }
}

/// Screens and what they have painted, and where this one is given its name.
fn displays(lang: Lang) -> Markup {
    let columns = [Key::DisplayWord, Key::PageChoice, Key::DisplayState, Key::DisplayPainted];
    html! {
        div.card.list {
            header {
                h2 #displays-title { (lang.mark(Key::Displays)) }
                label.named {
                    span.dim { (lang.mark(Key::DisplayName)) }
                    input #display-name maxlength="40" autocomplete="off";
                }
                (csv(lang, Key::Displays, "displays"))
            }
            div.scroll role="region" aria-labelledby="displays-title" tabindex="0" {
                table #displays {
                    thead { tr { @for column in columns { th scope="col" { (lang.mark(column)) } } } }
                    tbody {}
                }
            }
        }
    }
}

/// Where a person lets the configuration be read again and takes a diagnosis away, and what came of it.
fn reload(lang: Lang, (writes, audits): (bool, bool)) -> Markup {
    let title = if writes { Key::ReloadButton } else { Key::DiagnosisText };
    html! {
        section.reload aria-label=(lang.say(title)) {
            @if writes {
                button.act #reload-button type="button" disabled { (lang.mark(Key::ReloadButton)) }
                span.dim #reload-hash {}
                span #reload-outcome role="status" {}
            }
            button.act #diagnosis-copy type="button" disabled { (lang.mark(Key::DiagnosisCopy)) }
            span #diagnosis-told role="status" {}
            @if audits { a.act href="/admin/audit" { (lang.mark(Key::AuditTitle)) } }
            label #diagnosis hidden {
                span { (lang.mark(Key::DiagnosisText)) }
                textarea #diagnosis-text readonly rows="14" {}
            }
            @if writes { ul #reload-told hidden {} }
        }
    }
}
