//! What stands above a sheet and is not printed: the way back, languages, its tables as files.

use maud::{Markup, html};

use super::gather::MICRO_S;
use super::paper::Sheet;
use crate::web::i18n::{Key, Lang};

/// Above the sheet, not on paper.
pub(super) fn controls(sheet: &Sheet) -> Markup {
    let (lang, config, period) = (sheet.lang, sheet.config, &sheet.facts.period);
    let start = period.start_us / 1_000;
    html! {
        nav.controls aria-label=(lang.say(Key::Reports)) {
            a.choice href={ "/reports?line=" (config.id) } { "← " (lang.mark(Key::Reports)) }
            span.choices {
                @for (choice, word) in Lang::ALL.into_iter().zip(["EN", "中", "中/EN"]) {
                    a href={ "?line=" (config.id) "&start=" (start) "&lang=" (choice.word()) }
                        aria-current=[(choice == lang).then_some("true")] { (word) }
                }
            }
            @for (name, title, address) in files(sheet) {
                a.choice.file data-csv=(name) download href=(address) {
                    (lang.mark(title)) " CSV"
                }
            }
            button.choice #print type="button" { (lang.mark(Key::Print)) }
        }
    }
}

/// The tables of the sheet as files: their names, what they are of, and where they are.
fn files(sheet: &Sheet) -> [(&'static str, Key, String); 3] {
    let (line, period, (from, to)) = (&sheet.config.id, &sheet.facts.period, sheet.facts.span);
    let window = format!("window={}:{}", period.kind.word(), period.start_us / 1_000);
    let of = |what: &str| format!("/api/v1/lines/{line}/{what}&format=csv");
    [
        ("stops", Key::Stops, of(&format!("losses?{window}&micro_s={MICRO_S}&table=stops"))),
        ("rejects", Key::Rejects, of(&format!("rejects?{window}&table=rejects"))),
        (
            "hours",
            Key::HourBoard,
            of(&format!("hours?from={}&to={}", from / 1_000, to.div_euclid(1_000))),
        ),
    ]
}
