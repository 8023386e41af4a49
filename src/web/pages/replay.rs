//! Pages as of a past moment: the band that says so, and what is said where a moment cannot be shown.

use axum::http::StatusCode;
use axum::response::Response;
use domain::line::event::EventKind;
use domain::units::{HOUR_US, MINUTE_US};
use maud::{Markup, html};

use super::layout::{Choice, First, Frame, Look, Page, document, line_id};
use super::words;
use crate::web::App;
use crate::web::api::read;
use crate::web::error::{WebError, short};
use crate::web::i18n::Key;
use crate::web::replay::{self, NoReplay};
use crate::web::view::{ChartsView, LineView, Present, trend_start_us};

/// Pages that can be shown as of a past moment.
const REPLAYED: [(&str, Key); 5] = [
    ("/", Key::Overview),
    ("/line", Key::LinePage),
    ("/stops", Key::Stops),
    ("/rejects", Key::Rejects),
    ("/spc", Key::Spc),
];

/// Steps from a past moment to others, microseconds.
const STEPS: [(i64, Key); 4] = [
    (-HOUR_US, Key::HourBack),
    (-MINUTE_US, Key::MinuteBack),
    (MINUTE_US, Key::MinuteOn),
    (HOUR_US, Key::HourOn),
];

/// The moment that a page is shown as of, as part of an address to a page that can be shown so too.
pub(super) fn kept(app: &App, page: &Page, path: &str) -> String {
    let replayed = REPLAYED.iter().any(|(known, _)| *known == path);
    let at = page.first.replay.filter(|_| replayed);
    at.map_or_else(String::new, |us| format!("&at={}", moment_word(app, us)))
}

/// A moment as it stands in an address, where a plus sign would be a blank.
fn moment_word(app: &App, us: i64) -> String {
    words::iso(&app.parts().zone, us).replace('+', "%2B")
}

/// From a live page to the minute before. Its script keeps the moment fresh.
pub(super) fn rewind(app: &App, look: &Look, page: &Page) -> Markup {
    let lang = look.lang;
    let replayed = REPLAYED.iter().any(|(_, title)| *title == page.title);
    let line = line_id(app, page.line);
    let before = app.present().now.utc_us - MINUTE_US;
    html! {
        @if replayed && page.first.replay.is_none() {
            a.choice #rewind href=(look.query.with(line, "at", Some(&(before / 1_000).to_string()))) data-changes="at" aria-label=(lang.say(Key::Rewind)) title=(lang.say(Key::Rewind)) { "◀◀" }
        }
    }
}

/// What says that a page shows the past, and leads to other moments and back.
pub(super) fn band(app: &App, look: &Look, page: &Page, at_us: i64) -> Markup {
    let (lang, line) = (look.lang, line_id(app, page.line));
    let to = |by_us: i64| look.query.with(line, "at", Some(&moment_word(app, at_us + by_us)));
    let now_us = app.present().now.utc_us;
    html! {
        div.replay #replay role="status" {
            b { (lang.mark(Key::Replay)) }
            time.num datetime=(words::iso(&app.parts().zone, at_us)) { (words::moment(&app.parts().zone, at_us)) }
            span { (lang.mark(Key::ReplayNote)) }
            nav aria-label=(lang.say(Key::Replay)) {
                @for (by_us, key) in STEPS {
                    @if at_us + by_us < now_us { a.step href=(to(by_us)) data-changes="at" { (lang.mark(key)) } }
                    @else { span.step.dim aria-hidden="true" { (lang.mark(key)) } }
                }
                a.step #live href=(look.query.with(line, "at", None)) data-changes="at" { b { (lang.mark(Key::BackToLive)) } }
            }
        }
    }
}

/// The page of a past moment that cannot be shown: why, and the way out. Nothing on it is live.
pub(super) async fn refused(
    app: &App,
    look: &Look,
    (title, line): (Key, usize),
    at: &str,
    why: NoReplay,
) -> Result<Response, WebError> {
    let lang = look.lang;
    let id = line_id(app, line);
    let asked = short(at);
    let body = html! {
        h1.away { (lang.mark(title)) }
        section.card.refused role="alert" {
            h2 { (lang.mark(Key::Replay)) " " (asked) }
            p { (lang.mark(why.key())) }
            p { a.step #live href=(look.query.with(id, "at", None)) { (lang.mark(Key::BackToLive)) } }
        }
    };
    let first = First { replay: Some(app.present().now.utc_us), ..First::of(app, line).await? };
    let mut response = document(
        app,
        look,
        &Page { title, line, script: "explain.mjs", body, first },
        Frame::Refused,
    );
    *response.status_mut() = StatusCode::BAD_REQUEST;
    Ok(response)
}

/// The figures that a page begins with: those of now, or of the past moment that its address asks for. The page that
/// says so where such a moment cannot be shown.
pub(super) async fn asked(
    app: &App,
    look: &Look,
    (title, line): (Key, usize),
    choice: &Choice,
) -> Result<Result<First, Response>, WebError> {
    let Some(at) = choice.at() else { return First::of(app, line).await.map(Ok) };
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let found = match replay::moment_of(at, app.present().now.utc_us) {
        Err(why) => Err(why),
        Ok(at_us) => {
            let config = feed.config.clone();
            let quality = app.parts().quality.clone();
            let found = read(app, move |history| {
                let Some(status) = replay::present_at(history, &config, at_us)? else {
                    return Ok(None);
                };
                let charts = replay::charts_at(history, quality.as_ref(), &config, at_us)?;
                // The status holds the newest events only, and a busy hour has more stops than these.
                let span = (trend_start_us(&status), at_us + 1);
                let stops = history.events(&config.id, span.0, span.1, &[EventKind::Stop])?;
                let stops = stops.into_iter().map(|(_, event)| event).collect::<Vec<_>>();
                Ok(Some((at_us, status, charts, stops)))
            });
            found.await?.ok_or(NoReplay::Before)
        }
    };
    let (at_us, status, charted, stops) = match found {
        Ok(found) => found,
        Err(why) => return refused(app, look, (title, line), at, why).await.map(Err),
    };
    let (config, zone) = (&feed.config, &app.parts().zone);
    let present = Present { now: status.at, speed: 1.0, zone };
    let charts = ChartsView::new(config, Some(&status), Some(&charted), &stops);
    let view = LineView::new(config, Some(&status), &present).with_charts(Some(&charted));
    Ok(Ok(First { speed: 1.0, view, charts, replay: Some(at_us) }))
}

/// Says on a page that shows the present only that it cannot show the past.
pub(super) async fn present_only(
    app: &App,
    look: &Look,
    page: (Key, usize),
    choice: &Choice,
) -> Result<Option<Response>, WebError> {
    match choice.at() {
        Some(at) => refused(app, look, page, at, NoReplay::Here).await.map(Some),
        None => Ok(None),
    }
}
