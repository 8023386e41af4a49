//! The frame of every page: what it is, whether it is live, in which language and colours.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::{Deserialize, Serialize};

use super::first_run::first_run;
use super::query::Query;
use super::replay::{band, kept, rewind};
use super::words;
use crate::web::assets;
use crate::web::error::WebError;
use crate::web::i18n::{Key, Lang};
use crate::web::view::{ChartsView, LineView};
use crate::web::who::Asked;
use crate::web::{Access, App, Right, Role, Who, is_simulated};

/// How a reader wants pages to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Language.
    pub lang: Lang,
    /// Colours.
    pub theme: Theme,
    /// Whether large counts are shown in ten thousands, as readers of Chinese may choose.
    pub wan: bool,
    /// Whether the address asked for the language: then it is remembered.
    asked: bool,
    /// What the address asks for.
    pub(super) query: Query,
    /// Who reads.
    pub who: Who,
}

impl Look {
    /// The language asked for by the address, else this one: for screens on which nobody can choose.
    pub fn or_lang(self, lang: Lang) -> Look {
        if self.asked { self } else { Look { lang, ..self } }
    }

    /// Lets the browser remember the language that the address has asked for.
    pub(super) fn remember(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if self.asked {
            let word = self.lang.word();
            let remember = format!("lang={word}; Path=/; Max-Age=31536000; SameSite=Lax");
            if let Ok(value) = remember.parse() {
                headers.append(header::SET_COOKIE, value);
            }
        }
        headers.append(header::VARY, header::HeaderValue::from_static("cookie, accept-language"));
        response
    }
}

/// Which line a page shows.
#[derive(Deserialize)]
pub struct Choice {
    line: Option<String>,
    /// A past moment as which the page is to be shown.
    at: Option<String>,
}

impl Choice {
    /// The line that is named; a blank names none.
    pub fn line(&self) -> Option<&str> {
        self.line.as_deref().filter(|line| !line.is_empty())
    }

    /// The past moment that is asked for; a blank asks for none.
    pub fn at(&self) -> Option<&str> {
        self.at.as_deref().filter(|at| !at.is_empty())
    }
}

/// Pages of the bar, in their order.
const PAGES: [(&str, Key); 8] = [
    ("/", Key::Overview),
    ("/line", Key::LinePage),
    ("/stops", Key::Stops),
    ("/rejects", Key::Rejects),
    ("/spc", Key::Spc),
    ("/reports", Key::Reports),
    ("/data", Key::Data),
    ("/sim", Key::SimPage),
];

/// What stands around a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The bar with its choices.
    Page,
    /// Nothing that can be pressed.
    Wall,
    /// The bar, and instead of figures why there are none.
    Refused,
}

/// Colours of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the device is set.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The word used in the cookie and in the page.
    pub fn word(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    fn key(self) -> Key {
        match self {
            Theme::Auto => Key::ThemeAuto,
            Theme::Light => Key::ThemeLight,
            Theme::Dark => Key::ThemeDark,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Look {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Look, WebError> {
        Ok(Look::of(&parts.uri, &parts.headers, &parts.extensions))
    }
}

impl Look {
    /// What an address and the headers of a request ask for, in this order.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> Look {
        let query = uri.query().unwrap_or_default();
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang="));
        let asked = asked.and_then(Lang::from_word);
        let remembered = || cookie(headers, "lang").and_then(Lang::from_word);
        let accepted = || {
            let accepted = headers.get(header::ACCEPT_LANGUAGE)?;
            Some(Lang::from_header(accepted.to_str().ok()?))
        };
        let theme = query.split('&').find_map(|pair| pair.strip_prefix("theme="));
        let theme = match theme.or_else(|| cookie(headers, "theme")) {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::Auto,
        };
        let lang = asked.or_else(remembered).or_else(accepted).unwrap_or_default();
        let wan = lang == Lang::Zh && cookie(headers, "unit") == Some("wan");
        // The door has let nobody else in.
        let who = extensions.get::<Asked>().map_or_else(Who::open, |Asked(who)| who.clone());
        Look { lang, theme, wan, asked: asked.is_some(), query: Query::of(uri), who }
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get(header::COOKIE)?.to_str().ok()?.split(';');
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// What a page brings into the frame.
pub struct Page<'a> {
    /// Its name.
    pub title: Key,
    /// Position of the line it shows.
    pub line: usize,
    /// The module that draws it.
    pub script: &'a str,
    /// Its content.
    pub body: Markup,
    /// Its first figures, so that they need no second journey.
    pub first: First,
}

/// The figures of a line that come with a page: what the first events of its stream would bring.
#[derive(Serialize)]
pub struct First {
    /// How many times faster than real time the line's clock runs.
    pub speed: f64,
    /// The line now.
    pub view: LineView,
    /// Its charts.
    pub charts: ChartsView,
    /// The past moment that they are of, UTC microseconds; none for now.
    #[serde(skip)]
    pub replay: Option<i64>,
}

impl First {
    /// The figures of a line now.
    pub async fn of(app: &App, line: usize) -> Result<First, WebError> {
        let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
        let charts = app.charts(feed).await;
        let (speed, view) = (app.parts().clock.speed(), app.view(feed));
        Ok(First { speed, view, charts, replay: None })
    }
}

/// A whole page.
pub fn page(app: &App, look: &Look, page: &Page) -> Response {
    document(app, look, page, Frame::Page)
}

/// A page on which nothing can be pressed.
pub fn wall(app: &App, look: &Look, page: &Page) -> Response {
    document(app, look, page, Frame::Wall)
}

pub(super) fn document(app: &App, look: &Look, page: &Page, frame: Frame) -> Response {
    let Look { lang, theme, wan, ref who, .. } = *look;
    let parts = app.parts();
    let past = page.first.replay;
    let line = line_id(app, page.line);
    let markup = html! {
        (DOCTYPE)
        html lang=(lang.html()) data-theme=(theme.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (line) " " (lang.say(page.title)) " – " (parts.site) }
                link rel="icon" href=(assets::href("icon.svg"));
                link rel="stylesheet" href=(assets::href("app.css"));
                @if frame != Frame::Wall { link rel="stylesheet" href=(assets::href("explain.css")); }
                @for module in ["format.mjs", "live.mjs", "chart.mjs", "shell.mjs"] {
                    link rel="modulepreload" href={ "/assets/" (module) };
                }
                script type="module" src=(assets::href(page.script)) {}
            }
            body class=[(frame == Frame::Wall).then_some("wall")] data-link=(if past.is_some() { "replay" } else { "late" }) data-replay=[past.map(|us| us / 1_000)] data-line=(line) data-build=(assets::build()) data-lang=(lang.word()) data-unit=[wan.then_some("wan")] data-user=[who.is_known().then_some(&who.printed)] data-access=[(app.parts().access == Access::Open).then_some("open")] {
                @if frame != Frame::Wall { a.skip href="#main" { (lang.mark(Key::SkipToContent)) } }
                (header(app, look, page, frame))
                noscript { p.band { (lang.mark(Key::NeedsScript)) } }
                @if let Some(at_us) = past.filter(|_| frame == Frame::Page) { (band(app, look, page, at_us)) }
                (bands(lang))
                @if frame == Frame::Page && past.is_none() { (first_run(app, lang, page.line)) }
                main #main tabindex="-1" {
                    @if frame != Frame::Wall {
                        @if parts.access == Access::Open { p.dim.open-access title=(lang.say(Key::OpenAccessAbout)) { (lang.mark(Key::OpenAccess)) } }
                        (explain_hint(lang))
                    }
                    (page.body)
                }
                (patterns())
                (data("texts", &lang.table()))
                (data("first", &page.first))
            }
        }
    };
    look.remember(Html(markup.into_string()).into_response())
}

fn header(app: &App, look: &Look, page: &Page, frame: Frame) -> Markup {
    let lang = look.lang;
    let parts = app.parts();
    html! {
        header.bar.many[parts.lines.len() > 1] {
            p.place {
                b { @if let Some(feed) = parts.lines.get(page.line) {
                    (feed.config.id) " " (lang.title(&feed.config.title))
                } }
                span.site { (parts.site) }
            }
            // The mark is part of every page of a simulated plant and no setting removes it.
            @if parts.simulated { strong.sim { (lang.mark(Key::Simulated)) } }
            @if frame != Frame::Wall { (navigation(app, look, page)) }
            p.link #link {
                svg.beat viewBox="-10 -10 20 20" role="img" aria-label=(lang.say(Key::Beat)) {
                    circle r="8" {}
                    path #beat d="M0 0V-8" {}
                }
                b #link-word { (lang.say(if page.first.replay.is_some() { Key::Replay } else { Key::Connecting })) }
                span #link-age {}
            }
            p.clock {
                time #clock aria-label=(lang.say(Key::LineTime)) {
                    @match page.first.replay { Some(us) => (words::clock(&parts.zone, us)), None => "--:--:--" }
                }
                @if parts.clock.speed() != 1.0 && page.first.replay.is_none() {
                    span.speedup { (lang.say(Key::Speedup).replace("{n}", &parts.clock.speed().to_string())) }
                }
            }
            @if frame == Frame::Page { (rewind(app, look, page)) }
            @if frame != Frame::Wall { (choices(app, look, page)) (signed(look)) }
        }
    }
}

/// The id of the line at a position; empty where there is none.
pub(super) fn line_id(app: &App, line: usize) -> &str {
    app.parts().lines.get(line).map_or("", |feed| feed.config.id.as_str())
}

/// Pages of the line, and lines where there are several: those with their states and calls, as nothing else on a page tells of
/// another line.
fn navigation(app: &App, look: &Look, page: &Page) -> Markup {
    let lang = look.lang;
    let is_admin = look.who.is_known() && look.who.may(Right::Administer);
    let lines = &app.parts().lines;
    let simulated = app.parts().simulator.is_some();
    let line = line_id(app, page.line);
    let here = PAGES.iter().find(|(_, title)| *title == page.title).map_or("/", |(path, _)| path);
    html! {
        nav aria-label=(lang.say(Key::PageChoice)) {
            @for (path, title) in PAGES.into_iter().filter(|(path, _)| simulated || !is_simulated(path)) {
                a href=(format!("{path}?line={line}{}", kept(app, page, path))) aria-current=[(title == page.title).then_some("page")] {
                    (lang.mark(title))
                }
            }
            @if is_admin {
                a href=(format!("/admin?line={line}")) aria-current=[(page.title == Key::Admin).then_some("page")] { (lang.mark(Key::Admin)) }
            }
        }
        @if lines.len() > 1 {
            nav.lines aria-label=(lang.say(Key::LineChoice)) {
                @for (i, feed) in lines.iter().enumerate() {
                    a href=(format!("{here}?line={}{}", feed.config.id, kept(app, page, here))) aria-current=[(i == page.line).then_some("true")] data-of=(feed.config.id) {
                        span.line-id { span.line-shape {} (feed.config.id) b.line-calls {} }
                        span.line-word {}
                    }
                }
            }
        }
    }
}

/// Language and colours.
fn choices(app: &App, look: &Look, page: &Page) -> Markup {
    let lang = look.lang;
    let line = line_id(app, page.line);
    html! {
        div.choices role="group" aria-label=(lang.say(Key::Language)) {
            @for (choice, word) in Lang::ALL.into_iter().zip(["EN", "中", "中/EN"]) {
                a href=(look.query.with(line, "lang", Some(choice.word()))) data-changes="lang"
                    aria-current=[(choice == lang).then_some("true")] { (word) }
            }
        }
        @if lang == Lang::Zh {
            button.choice #wan type="button" aria-pressed=(look.wan) { (lang.mark(Key::TenThousands)) }
        }
        button.choice #theme type="button" data-theme=(look.theme.word()) {
            span.dim { (lang.mark(Key::Theme)) } " "
            span #theme-word { (lang.say(look.theme.key())) }
        }
        button.choice #keys-list type="button" aria-label=(lang.say(Key::Keys)) { "?" }
    }
}

/// Who is signed in, and the way out.
fn signed(look: &Look) -> Markup {
    let (lang, who) = (look.lang, &look.who);
    html! {
        @if who.is_known() {
            p.signed {
                a #signed-in href="/account" title=(format!("{}: {}", lang.say(Key::OwnAccount), lang.say(role_key(who.role)))) { (who.printed) }
                button.choice #sign-out type="button" { (lang.mark(Key::SignOut)) }
            }
        }
    }
}

/// What a role is called.
pub(super) fn role_key(role: Role) -> Key {
    match role {
        Role::Viewer => Key::RoleViewer,
        Role::Operator => Key::RoleOperator,
        Role::Quality => Key::RoleQuality,
        Role::Admin => Key::RoleAdmin,
    }
}

/// Bands for what is wrong with the data. All are in the page from the start, so that saying so needs no server.
fn bands(lang: Lang) -> Markup {
    html! {
        div #bands {
            p.band #band-lost role="alert" hidden {
                b { (lang.mark(Key::NoLiveData)) } " "
                span #lost-age {} " · " span { (lang.mark(Key::LastKnown)) } " "
                span #lost-why {}
            }
            p.band #band-plc role="alert" hidden { b { (lang.mark(Key::PlcOffline)) } " " span #plc-what {} }
            p.band.thin #band-skew role="status" hidden {
                b { (lang.mark(Key::ClockSkew)) } " " span #skew-what {}
            }
            p.band.thin #band-bad role="status" hidden { b { (lang.mark(Key::BadData)) } " " span #bad-what {} }
            p.note #band-polling role="status" hidden { (lang.mark(Key::PollingNote)) }
            p.note #band-restored role="status" hidden {}
            p.note #band-help role="status" hidden {}
        }
    }
}

/// What a number that can be explained says of itself.
pub(super) fn explain_hint(lang: Lang) -> Markup {
    html! { p.away #explain-hint { (lang.mark(Key::ExplainHint)) } }
}

/// Fillings that all drawings of a page share.
fn patterns() -> Markup {
    html! {
        svg.defs aria-hidden="true" {
            defs {
                pattern #hatch width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hatch-line width="3" height="8" {}
                }
            }
        }
    }
}

/// What scripts read. A data block is not a script: the policy lets it pass and nothing runs it.
pub(super) fn data(id: &str, data: &impl Serialize) -> Markup {
    let json = serde_json::to_string(data).unwrap_or_default();
    html! { script id=(id) type="application/json" { (PreEscaped(json.replace('<', "\\u003c"))) } }
}
