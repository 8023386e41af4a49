//! `/stops`: when the line stood and why, what time was lost for which reason, and the place where people say so.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::calls::strip;
use super::layout::{Choice, Look, Page, page};
use super::parts::{
    batches, chart, explained, heading, signature, style, table_with, trouble, windows,
};
use super::replay::asked;
use crate::web::api::micro_s;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Right, Routes};

/// Limits of short stops that can be chosen, in seconds.
const MICRO_S: [u32; 5] = [30, 60, 120, 300, 600];

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/stops", get(stops))]
}

async fn stops(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let config = &app.parts().lines.get(line).ok_or(WebError::NotFound)?.config;
    let first = match asked(&app, &look, (Key::Stops, line), &choice).await? {
        Ok(first) => first,
        Err(refused) => return Ok(refused),
    };
    // The past is only looked at.
    let writes = look.who.writes(&app, Right::Work) && first.replay.is_none();
    let batches = batches(&app, config, &first).await;
    let spans = windows(look.lang, &app.parts().zone, &batches);
    let body = body(&look, writes, micro_s(config), spans);
    Ok(page(&app, &look, &Page { title: Key::Stops, line, script: "stops.mjs", body, first }))
}

/// What losses can be ranked by.
fn ranking(lang: Lang) -> Markup {
    let all = [("time", Key::ByTime), ("count", Key::ByCount), ("station", Key::ByStation)];
    html! {
        div.choices #rank role="group" aria-label=(lang.say(Key::RankBy)) {
            @for (word, text) in all {
                button type="button" data-by=(word) aria-pressed=(word == "time") { (lang.mark(text)) }
            }
        }
    }
}

/// Leaves the stops that somebody still has to give a reason.
fn owed(lang: Lang) -> Markup {
    html! { button.choice #owed type="button" aria-pressed="false" aria-controls="stops" { (lang.mark(Key::OwedOnly)) } }
}

/// `micro_s` is what the plant calls a micro-stop.
fn body(look: &Look, writes: bool, micro_s: u32, spans: Markup) -> Markup {
    let lang = look.lang;
    let mut choices = MICRO_S.to_vec();
    choices.push(micro_s);
    choices.sort_unstable();
    choices.dedup();
    let columns =
        [Key::Time, Key::CauseWord, Key::Station, Key::ReasonWord, Key::Lasted, Key::Assign];
    html! {
        (style())
        (heading(lang, Key::Stops, Key::StopsAbout))
        (strip(look, writes))
        div.card.tools data-writes=(writes) #tools {
            (spans)
            label { span.dim { (lang.mark(Key::MicroLimit)) } " "
                select #micro {
                    @for s in choices {
                        option value=(s) selected[s == micro_s] { "< " (s) " s" }
                    }
                }
            }
            p.dim #span {}
            a.choice data-csv="calls" download hidden { (lang.mark(Key::CallsCsv)) }
            button.choice #print type="button" { (lang.mark(Key::Print)) }
        }
        (trouble())
        div.tiles {
            (explained(lang, Key::LostTime, "lost-time", "lost_time"))
            (explained(lang, Key::Unassigned, "unassigned", "unassigned"))
            (explained(lang, Key::MicroStops, "micro-sum", "micro_stops"))
            (explained(lang, Key::Mtbf, "mtbf", "mtbf"))
            (explained(lang, Key::Mttr, "mttr", "mttr"))
        }
        div.beside {
            (chart(lang, Key::Timeline, "timeline"))
            (chart(lang, Key::MicroByHour, "micro-hours"))
        }
        div.halves {
            (table_with(lang, Key::StopList, "stops", &columns, owed(lang)))
            div.stack {
                (chart(lang, Key::Waterfall, "waterfall"))
                (table_with(lang, Key::LossPareto, "losses", &[Key::LossWord, Key::Share, Key::Stoppages, Key::Lasted, Key::Cumulative], ranking(lang)))
            }
        }
        dialog #entry aria-labelledby="entry-title" {
            form method="dialog" {
                h2 #entry-title { (lang.mark(Key::AssignTitle)) }
                p #entry-stop {}
                @if look.who.is_known() {
                    (signature(look, "author"))
                } @else {
                    label.author { span { (lang.mark(Key::YourName)) } input #author name="author" maxlength="80" autocomplete="name"; }
                    p.dim { (lang.mark(Key::YourNameNote)) }
                }
                div.reasons #reasons role="group" aria-labelledby="entry-title" {}
                button.act #undo type="button" { (lang.mark(Key::UndoReason)) }
                details {
                    summary { (lang.mark(Key::OwnWords)) }
                    div.own {
                        label { span { (lang.mark(Key::CauseWord)) } select #own-cause {} }
                        label { span { (lang.mark(Key::ReasonWord)) } input #own-reason maxlength="200"; }
                        label { span { (lang.mark(Key::WhyWord)) } input #own-why maxlength="400"; }
                        button.act #own-save type="button" { (lang.mark(Key::Save)) }
                    }
                }
                details {
                    summary { (lang.mark(Key::SplitMerge)) }
                    p.dim { (lang.mark(Key::SplitNote)) }
                    div.own {
                        label { span { (lang.mark(Key::SplitAt)) } input #split-at inputmode="numeric" maxlength="8" placeholder=(lang.say(Key::ClockHint)) autocomplete="off"; }
                        label { span { (lang.mark(Key::WhyWord)) } input #cut-why maxlength="400"; }
                        button.act #split type="button" { (lang.mark(Key::Split)) }
                        button.act #merge-before type="button" { (lang.mark(Key::MergeBefore)) }
                        button.act #merge-after type="button" { (lang.mark(Key::MergeAfter)) }
                    }
                }
                p.note #entry-trouble role="alert" hidden {}
                h3 { (lang.mark(Key::SaidBefore)) }
                ul #said {}
                button.act value="close" { (lang.mark(Key::Close)) }
            }
        }
    }
}
