//! Pieces that several pages share.

use domain::line::rollup::Rollup;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::layout::{First, Look};
use super::words::month_hm;
use crate::config::LineConfig;
use crate::web::App;
use crate::web::api::window::recent_batches;
use crate::web::assets;
use crate::web::i18n::{Key, Lang};

/// The style sheet of the pages behind the overview.
pub(super) fn style() -> Markup {
    html! { link rel="stylesheet" href=(assets::href("pages.css")); }
}

/// What a page shows, in one sentence, and its title for readers of structure.
pub(super) fn heading(lang: Lang, title: Key, about: Key) -> Markup {
    html! {
        h1.away { (lang.mark(title)) }
        p.about.dim { (lang.mark(about)) }
    }
}

/// The state of the line with its duration and reason, batch and shift; unknown until a view comes.
pub(super) fn state(lang: Lang) -> Markup {
    html! {
        section.tile.state.live #state data-state="unknown" data-class="unknown" aria-labelledby="state-word" {
            svg #state-shape viewBox="-12 -12 24 24" aria-hidden="true" {}
            div {
                p.word { span #state-word { (lang.say(Key::Unknown)) } " " span.num #state-for {} }
                p #state-why {}
                p.facts {
                    span { (lang.mark(Key::Batch)) " " b #batch { "–" } }
                    span { (lang.mark(Key::Shift)) " " b #shift { "–" } }
                }
            }
        }
    }
}

/// The newest batches as of the moment that a page shows. Without them a page shows what else it can: that the record cannot
/// be read is said where its figures would stand.
pub(super) async fn batches(app: &App, config: &LineConfig, first: &First) -> Vec<Rollup> {
    let at_us = first.replay.unwrap_or_else(|| app.present().now.utc_us);
    recent_batches(app, config, at_us).await.unwrap_or_default()
}

/// Spans to choose from, with the newest batches.
pub(super) fn windows(lang: Lang, zone: &TimeZone, batches: &[Rollup]) -> Markup {
    let all = [
        ("shift", Key::ThisShift),
        ("previous", Key::ShiftBefore),
        ("day", Key::LastDay),
        ("week", Key::LastWeek),
    ];
    html! {
        div.choices #window role="group" aria-label=(lang.say(Key::Span)) {
            @for (word, text) in all {
                button type="button" data-window=(word) aria-pressed=(word == "shift") { (lang.mark(text)) }
            }
        }
        label hidden[batches.is_empty()] { span.dim { (lang.mark(Key::Batch)) } " "
            select #batches autocomplete="off" {
                option value="" { "–" }
                @for batch in batches {
                    option value={ "batch:" (batch.start_us / 1_000) } { (batch.name) " · " (month_hm(zone, batch.start_us)) }
                }
            }
        }
    }
}

/// The name of who is signed in, in the place where it would be typed otherwise.
pub(super) fn signature(look: &Look, id: &str) -> Markup {
    html! { input #(id) type="hidden" value=(look.who.printed); }
}

/// What went wrong, if something did.
pub(super) fn trouble() -> Markup {
    html! { p.note #trouble role="alert" hidden {} }
}

/// A drawing with its table.
pub(super) fn chart(lang: Lang, title: Key, id: &str) -> Markup {
    chart_with(lang, title, id, html! {})
}

/// The same with switches in its head.
pub(super) fn chart_with(lang: Lang, title: Key, id: &str, switches: Markup) -> Markup {
    html! {
        section.card.chart id={ (id) "-card" } aria-labelledby={ (id) "-title" } {
            header {
                h2 #{ (id) "-title" } { (lang.mark(title)) }
                span.dim #{ (id) "-note" } {}
                (switches)
                (csv(lang, title, id))
                button.choice.toggle type="button" aria-pressed="false" aria-controls={ (id) "-rows" } {
                    (lang.mark(Key::TableToggle))
                }
            }
            div.plot #(id) role="img" tabindex="0" aria-label=(lang.say(title)) {}
            p.readout #{ (id) "-readout" } aria-live="off" {}
            div.rows #{ (id) "-rows" } role="group" aria-labelledby={ (id) "-title" } tabindex="0" hidden {}
        }
    }
}

/// The mark beside a figure that rests on counts which may contradict each other; shown only while they do.
pub(super) fn unbalanced() -> Markup {
    html! { span.unbalanced.fault hidden { "◆" span.away {} } }
}

/// A table that scripts fill, with its columns.
pub(super) fn table(lang: Lang, title: Key, id: &str, columns: &[Key]) -> Markup {
    table_with(lang, title, id, columns, html! {})
}

/// The same with switches in its head.
pub(super) fn table_with(
    lang: Lang,
    title: Key,
    id: &str,
    columns: &[Key],
    switches: Markup,
) -> Markup {
    html! {
        div.card.list {
            header { h2 #{ (id) "-title" } { (lang.mark(title)) } span.dim #{ (id) "-note" } {} (switches) (csv(lang, title, id)) }
            div.scroll role="region" aria-labelledby={ (id) "-title" } tabindex="0" {
                table #(id) {
                    thead { tr { @for column in columns { th scope="col" { (lang.mark(*column)) } } } }
                    tbody {}
                }
            }
        }
    }
}

/// The way to a table as a file. It shows itself once a script knows what the table is of.
pub(super) fn csv(lang: Lang, title: Key, id: &str) -> Markup {
    let name = lang.say(Key::CsvOf).replace("{name}", &lang.say(title));
    html! { a.choice.file #{ (id) "-file" } data-csv=(id) download aria-label=(name) hidden { "CSV" } }
}

/// A small figure with its name.
pub(super) fn figure(lang: Lang, title: Key, id: &str) -> Markup {
    tile(lang, title, id, html! { p { b.num.mid #(id) { "–" } } })
}

/// The same of a number that the service explains under a word.
pub(super) fn explained(lang: Lang, title: Key, id: &str, word: &str) -> Markup {
    let number = html! {
        button.explains type="button" data-explain=(word) aria-describedby="explain-hint" {
            b.num.mid #(id) { "–" }
        }
    };
    tile(lang, title, id, number)
}

fn tile(lang: Lang, title: Key, id: &str, number: Markup) -> Markup {
    html! {
        section.tile aria-labelledby={ (id) "-title" } {
            h2 #{ (id) "-title" } { (lang.mark(title)) }
            (number)
            p.dim #{ (id) "-note" } {}
        }
    }
}
