//! Screens and what they have painted. Each page says so every few seconds, and a page whose renderer hangs no longer
//! does: what people see is known to the pixel, not to the socket.
//!
//! An acknowledgement is a write without authority: it changes nothing but this list, which is kept in memory, bounded,
//! and shown. It needs no right to write, but it has to come from a page of ours, be small and be rare.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::units::SECOND_US;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::table::Form;
use super::api::tables;
use super::error::{ErrorView, Params, WebError};
use super::{App, Routes, assets, origin};
use crate::clock::boot_us;

/// Displays remembered at once.
const DISPLAYS: usize = 200;
/// A display that has said nothing for so long is forgotten.
const FORGET_US: i64 = 24 * 3_600 * SECOND_US;
/// Two acknowledgements missed, and a little: what is on the screen is no longer known to be painted.
const FROZEN_US: i64 = 11 * SECOND_US;
/// Largest acknowledgement in bytes.
const BODY: usize = 2_048;
/// Acknowledgements of all displays together: so many at once, and so many a second in the long run.
const ALL: (f64, f64) = (400.0, 100.0);
/// The same of one display, which sends one every 5 s and some more when people go from page to page.
const ONE: (f64, f64) = (40.0, 4.0);

/// Routes of this area.
pub(crate) fn routes() -> Routes {
    vec![("/api/v1/ack/paint", post(acknowledge)), ("/api/v1/displays", get(displays))]
}

/// What a page says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    /// It is on a screen.
    Visible,
    /// It is behind another page.
    Hidden,
    /// It was closed or left.
    Left,
}

/// What a page has painted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ack {
    /// The browser and its tab, in letters, digits and hyphens.
    screen: String,
    /// The load of the page: another word each time it is loaded.
    load: String,
    /// Number of this acknowledgement within the load, from 1: what overtakes another on the way is put right.
    n: u64,
    /// What people call the display; may be empty.
    name: String,
    /// Path of the page.
    page: String,
    /// The line that it shows.
    line: String,
    /// Number of the last event of the stream that was painted; null for none.
    seq: Option<u64>,
    /// Milliseconds since the page last painted.
    painted_ago_ms: u64,
    /// The screens that it was loaded with.
    build: String,
    /// Whether it is seen.
    shown: Visibility,
}

/// One display.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DisplayView {
    /// The browser and its tab.
    screen: String,
    /// What people call it; empty without a name.
    name: String,
    /// Path of the page.
    page: String,
    /// The line that it shows.
    line: String,
    /// `live`, `frozen`, `hidden` or `left`.
    state: &'static str,
    /// Milliseconds since it last painted.
    painted_ago_ms: i64,
    /// Milliseconds since it was last heard of.
    heard_ago_ms: i64,
    /// Number of the last event of the stream that was painted.
    seq: Option<u64>,
    /// Whether it runs the screens of an earlier build.
    old_build: bool,
}

/// All displays of the last day.
#[derive(Debug, Default)]
pub(crate) struct Displays(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    displays: HashMap<String, Display>,
    all: Bucket,
}

#[derive(Debug)]
struct Display {
    ack: Ack,
    /// When it was heard, boot clock.
    heard_us: i64,
    bucket: Bucket,
}

/// Lets so many pass at once and so many a second in the long run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    spent: f64,
    at_us: i64,
}

impl Bucket {
    pub(super) fn lets_pass(&mut self, (at_once, a_second): (f64, f64), now_us: i64) -> bool {
        let passed_s = (now_us - self.at_us).max(0) as f64 / 1e6;
        self.spent = (self.spent - passed_s * a_second).max(0.0);
        self.at_us = now_us;
        let passes = self.spent + 1.0 <= at_once;
        self.spent += f64::from(u8::from(passes));
        passes
    }

    /// Whether it is as if nothing had ever passed.
    pub(super) fn has_rested(&self, (_, a_second): (f64, f64), now_us: i64) -> bool {
        self.spent <= (now_us - self.at_us).max(0) as f64 / 1e6 * a_second
    }
}

/// A page has painted, is hidden or is left. Needs no right to write; has to come from a page of this service.
#[utoipa::path(
    post, path = "/api/v1/ack/paint", request_body = Ack,
    responses(
        (status = 204),
        (status = 400, body = ErrorView),
        (status = 403, body = ErrorView),
        (status = 429, body = ErrorView)
    )
)]
pub(crate) async fn acknowledge(
    State(app): State<App>,
    request: Request,
) -> Result<StatusCode, WebError> {
    if !origin::is_ours(request.headers()) {
        return Err(WebError::Origin);
    }
    if !origin::is_json(request.headers()) {
        return Err(WebError::Parameter("the body must be application/json".to_owned()));
    }
    let body = to_bytes(request.into_body(), BODY).await;
    let long = |_| WebError::Parameter(format!("an acknowledgement has at most {BODY} bytes"));
    let ack = serde_json::from_slice(&body.map_err(long)?);
    let ack: Ack = ack.map_err(|error| WebError::Parameter(error.to_string()))?;
    app.0.displays.take(ack.checked()?, boot_us())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Displays of the last day, those that are seen first.
#[utoipa::path(
    get, path = "/api/v1/displays", params(Form),
    responses(
        (status = 200, content((Vec<DisplayView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView)
    )
)]
pub(crate) async fn displays(
    State(app): State<App>,
    Params(form): Params<Form>,
) -> Result<Response, WebError> {
    let displays = app.0.displays.list(boot_us());
    match form.only(tables::DISPLAYS)? {
        None => Ok(Json(displays).into_response()),
        Some(sheet) => app.sheet_of("capline", sheet, app.present().now.utc_us, &displays),
    }
}

impl Ack {
    /// The same if it is in order, its texts without control characters.
    fn checked(self) -> Result<Ack, WebError> {
        let refuse = |what: &str| Err(WebError::Parameter(what.to_owned()));
        let is_word = |text: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !text.is_empty() && text.len() <= 80 && text.bytes().all(known)
        };
        if !is_word(&self.screen) || !is_word(&self.load) {
            return refuse("screen and load are words of letters, digits and hyphens");
        }
        for (name, text, longest) in [
            ("name", &self.name, 40),
            ("page", &self.page, 120),
            ("line", &self.line, 80),
            ("build", &self.build, 40),
        ] {
            if text.chars().count() > longest {
                return refuse(&format!("{name} is longer than {longest} characters"));
            }
        }
        let clean = |text: String| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let (name, page) = (clean(self.name).trim().to_owned(), clean(self.page));
        Ok(Ack { name, page, line: clean(self.line), build: clean(self.build), ..self })
    }
}

impl Displays {
    fn known(&self) -> MutexGuard<'_, Known> {
        // A list of screens is whole after any panic: each change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a page says.
    fn take(&self, ack: Ack, now_us: i64) -> Result<(), WebError> {
        let mut known = self.known();
        if !known.all.lets_pass(ALL, now_us) {
            return Err(WebError::TooOften);
        }
        known.displays.retain(|_, display| now_us - display.heard_us < FORGET_US);
        if let Some(display) = known.displays.get_mut(&ack.screen) {
            if !display.bucket.lets_pass(ONE, now_us) {
                return Err(WebError::TooOften);
            }
            if display.is_followed_by(&ack) {
                (display.ack, display.heard_us) = (ack, now_us);
            }
            return Ok(());
        }
        if known.displays.len() >= DISPLAYS {
            known.make_room(now_us)?;
        }
        let display = Display { heard_us: now_us, bucket: Bucket::default(), ack: ack.clone() };
        known.displays.insert(ack.screen, display);
        Ok(())
    }

    /// All of them, those that are seen first, then by name.
    fn list(&self, now_us: i64) -> Vec<DisplayView> {
        let known = self.known();
        let recent = known.displays.values().filter(|one| now_us - one.heard_us < FORGET_US);
        let mut views: Vec<DisplayView> = recent.map(|display| display.view(now_us)).collect();
        let order =
            |state: &str| ["frozen", "live", "hidden", "left"].iter().position(|s| *s == state);
        views
            .sort_by_cached_key(|view| (order(view.state), view.name.clone(), view.screen.clone()));
        views
    }
}

impl Known {
    /// Forgets the display that was left or not seen longest; none of those that are seen gives way.
    fn make_room(&mut self, now_us: i64) -> Result<(), WebError> {
        let oldest = |states: &[&str]| {
            let some = self.displays.iter().filter(|(_, one)| states.contains(&one.state(now_us)));
            some.min_by_key(|(_, one)| one.heard_us).map(|(screen, _)| screen.clone())
        };
        let found = oldest(&["left", "hidden"]).or_else(|| oldest(&["frozen"]));
        let screen = found.ok_or(WebError::Crowded)?;
        self.displays.remove(&screen);
        Ok(())
    }
}

impl Display {
    /// Whether an acknowledgement is newer than the last one. Of one load numbers tell; a page that was loaded anew has
    /// begun by being seen, and what an earlier load says late, that it was left, no longer concerns the screen.
    fn is_followed_by(&self, ack: &Ack) -> bool {
        if self.ack.load == ack.load {
            ack.n > self.ack.n
        } else {
            ack.shown == Visibility::Visible
        }
    }

    fn painted_ago_us(&self, now_us: i64) -> i64 {
        let then = i64::try_from(self.ack.painted_ago_ms).unwrap_or(i64::MAX);
        then.saturating_mul(1_000).saturating_add((now_us - self.heard_us).max(0))
    }

    fn state(&self, now_us: i64) -> &'static str {
        match self.ack.shown {
            Visibility::Left => "left",
            Visibility::Hidden => "hidden",
            Visibility::Visible if self.painted_ago_us(now_us) > FROZEN_US => "frozen",
            Visibility::Visible => "live",
        }
    }

    fn view(&self, now_us: i64) -> DisplayView {
        DisplayView {
            screen: self.ack.screen.clone(),
            name: self.ack.name.clone(),
            page: self.ack.page.clone(),
            line: self.ack.line.clone(),
            state: self.state(now_us),
            painted_ago_ms: self.painted_ago_us(now_us) / 1_000,
            heard_ago_ms: (now_us - self.heard_us).max(0) / 1_000,
            seq: self.ack.seq,
            old_build: self.ack.build != assets::build(),
        }
    }
}
